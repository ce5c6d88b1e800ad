"""Numba twin of the loop over pieces in :mod:`cfc_ref.neuron.closed_forms`."""

from __future__ import annotations

import math

from cfc_ref.arrays import Array
from cfc_ref.kernels.compiled import kernel
from cfc_ref.kernels.threads import over_neurons

__all__ = ["gauss_pieces"]

_SQRT3 = math.sqrt(3.0)
_SERIES_BELOW = 0.3  # the series for psi is the specification's
_SERIES_TERMS = 14


def gauss_pieces(w_tau: Array, A: Array, y1: Array, y2: Array, h: Array, x0: Array) -> Array:
    """Twin of :func:`cfc_ref.neuron.closed_forms.gauss_pieces`."""
    return over_neurons(_gauss_pieces, w_tau, A, y1, y2, h, x0)


@kernel(fastmath=False)
def _gauss_pieces(w_tau, A, x0, pieces, x, first, last):
    y1, y2, h = pieces
    for i in range(first, last):
        x[i, 0] = x0[i]
        for k in range(y1.shape[1]):
            rate = w_tau[i] + (y1[i, k] + y2[i, k]) / 2
            u = rate * h[i, k]
            delta = _SQRT3 * h[i, k] * (y2[i, k] - y1[i, k])
            decay = math.exp(-u)
            if u < _SERIES_BELOW:
                psi, term = 0.0, 1.0
                for n in range(_SERIES_TERMS):
                    psi += term / ((n + 2) * (n + 3))
                    term *= -u / (n + 1)
            else:
                psi = ((u - 2) + (u + 2) * decay) / u / u / u
            h_phi = -math.expm1(-u) / rate
            gone = A[i] * w_tau[i] * (h_phi - h[i, k] * (delta / 2) * psi)
            x[i, k + 1] = A[i] + decay * (x[i, k] - A[i]) - gone
