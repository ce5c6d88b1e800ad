"""Numba twins of the loops over pieces in :mod:`cfc_ref.neuron`: same names, same arguments, same results.

Each kernel is a generalised ufunc over neurons: arguments broadcast as in the specification, the neurons are shared out
over the threads, and one neuron's pieces run in a plain loop without a temporary array. The loop over pieces carries
the state and does not vectorise; what it saves is memory traffic. The gauss kernel's formula for psi repeats the
specification's, series included.
"""

from __future__ import annotations

import math

from numba import guvectorize

__all__ = ["constant_pieces", "gauss_pieces"]

_SQRT3 = math.sqrt(3.0)
_SERIES_BELOW = 0.3
_SERIES_TERMS = 14


@guvectorize(
    [
        "void(float64, float64, float64[:], float64[:], float64, float64[:], float64[:])",
        "void(float32, float32, float32[:], float32[:], float32, float32[:], float32[:])",
    ],
    "(),(),(s),(s),(),(e)->(e)",
    target="parallel",
    cache=True,
    nopython=True,
)
def constant_pieces(w_tau, A, y, h, x0, edges, x):
    """Twin of :func:`cfc_ref.neuron.exact_solution.constant_pieces`; `edges` only says how many edges there are."""
    x[0] = x0
    for k in range(y.shape[0]):
        rate = w_tau + y[k]
        x_inf = A * y[k] / rate
        x[k + 1] = x_inf + (x[k] - x_inf) * math.exp(-rate * h[k])


@guvectorize(
    [
        "void(float64, float64, float64[:], float64[:], float64[:], float64, float64[:], float64[:])",
        "void(float32, float32, float32[:], float32[:], float32[:], float32, float32[:], float32[:])",
    ],
    "(),(),(s),(s),(s),(),(e)->(e)",
    target="parallel",
    cache=True,
    nopython=True,
)
def gauss_pieces(w_tau, A, y1, y2, h, x0, edges, x):
    """Twin of :func:`cfc_ref.neuron.closed_forms.gauss_pieces`; `edges` only says how many edges there are."""
    x[0] = x0
    for k in range(y1.shape[0]):
        rate = w_tau + (y1[k] + y2[k]) / 2
        u = rate * h[k]
        delta = _SQRT3 * h[k] * (y2[k] - y1[k])
        decay = math.exp(-u)
        if u < _SERIES_BELOW:
            psi, term = 0.0, 1.0
            for n in range(_SERIES_TERMS):
                psi += term / ((n + 2) * (n + 3))
                term *= -u / (n + 1)
        else:
            psi = ((u - 2) + (u + 2) * decay) / u / u / u
        h_phi = -math.expm1(-u) / rate
        x[k + 1] = A + decay * (x[k] - A) - A * w_tau * (h_phi - h[k] * (delta / 2) * psi)
