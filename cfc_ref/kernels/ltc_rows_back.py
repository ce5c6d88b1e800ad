r"""The backward of the parts of a time step of a synaptic LTC, for a block of rows: :mod:`cfc_ref.kernels.ltc_rows`.

A loop writes to one or two arrays and reads from few, as the compiler asks of each pair whether they overlap.
"""

from __future__ import annotations

from numba import njit

from cfc_ref.kernels.ltc_packed import FUSED, GAIN, POST, PRE, SHIFT, SUM_E, SUM_W, SUM_Z, SUM_ZX, W_SIGMA, C, E
from cfc_ref.kernels.ltc_rows import _weights
from cfc_ref.kernels.mathfun import INNER, _opening_of

__all__: list[str] = []

# Sums over rows may be taken in any order: one a lane
SUMS = {**INNER, "fastmath": {"contract", "reassoc"}}


@njit(**SUMS)
def _d_synapses(synapses, ends, x, d_G, d_Q, d_x, D):
    r"""Backward of ``_add_synapses``: adds to d_x and to the synapses' sums.

    .. math:: a = \bar G + E \bar Q, \quad \bar z = a\,s(1 - s), \quad \bar x_j \mathrel{+}= w \sigma \bar z, \qquad
              \sum a s,\; \sum \bar Q s,\; \sum \bar z,\; \sum \bar z x_j
    """
    for k in range(ends.shape[0]):
        gain, shift, erev, w_sigma = synapses[k, GAIN], synapses[k, SHIFT], synapses[k, E], synapses[k, W_SIGMA]
        u, d, g, q = x[ends[k, PRE]], d_x[ends[k, PRE]], d_G[ends[k, POST]], d_Q[ends[k, POST]]
        sum_w = sum_E = sum_z = sum_zx = x.dtype.type(0)
        for r in range(u.shape[0]):
            s = _opening_of(gain * u[r] + shift)
            a_s = (g[r] + erev * q[r]) * s
            z = a_s - a_s * s
            sum_w += a_s
            sum_E += q[r] * s
            sum_z += z
            sum_zx += z * u[r]
            d[r] += w_sigma * z
        D[k, SUM_W] += sum_w
        D[k, SUM_E] += sum_E
        D[k, SUM_Z] += sum_z
        D[k, SUM_ZX] += sum_zx


@njit(**INNER)
def _d_fused(inverse, h, G, Q, x, e, f, new, d, d_G, d_Q, d_C, d_h):
    """Backward of a fused part of one neuron; d goes from the new state's gradient to its share of the old one's."""
    for r in range(d.shape[0]):
        new[r] = e[r] * x[r] + f[r] * Q[r]
    for r in range(d.shape[0]):
        d_Q[r] = f[r] * d[r]
    for r in range(d.shape[0]):
        d_G[r] = -new[r] * d_Q[r]
    for r in range(d.shape[0]):
        d[r] *= e[r]
    for r in range(d.shape[0]):
        d_C[r] += (x[r] - new[r]) * inverse * d[r]
    for r in range(d.shape[0]):
        d_h[r] += (Q[r] - G[r] * new[r]) * inverse * d[r]


@njit(**INNER)
def _d_frozen(inverse, h, G, Q, x, e, f, d_u, d, d_G, d_Q, d_C, d_h):
    """Backward of a frozen part of one neuron."""
    for r in range(d.shape[0]):
        d_Q[r] = f[r] / G[r] * d[r]
    for r in range(d.shape[0]):
        d[r] *= e[r]
    for r in range(d.shape[0]):
        d_u[r] = (Q[r] / G[r] - x[r]) * inverse * d[r]
    for r in range(d.shape[0]):
        d_G[r] = h[r] * d_u[r] - Q[r] / G[r] * d_Q[r]
    for r in range(d.shape[0]):
        d_C[r] -= h[r] * G[r] * inverse * d_u[r]
    for r in range(d.shape[0]):
        d_h[r] += G[r] * d_u[r]


@njit(**INNER)
def _d_advance(solver, neurons, h, G, Q, x, d_x, d_G, d_Q, d_C, d_h, room):
    """Backward of ``_advance``; d_x goes from the new states' gradients to their share of the old ones'."""
    e, f, w = room[0], room[1], room[2]
    for i in range(x.shape[0]):
        inverse = x.dtype.type(1) / neurons[i, C]
        _weights(solver, neurons[i, C], h, G[i], e, f)
        if solver == FUSED:
            _d_fused(inverse, h, G[i], Q[i], x[i], e, f, w, d_x[i], d_G[i], d_Q[i], d_C[i], d_h)
        else:
            _d_frozen(inverse, h, G[i], Q[i], x[i], e, f, w, d_x[i], d_G[i], d_Q[i], d_C[i], d_h)


@njit(**INNER)
def _add_rows(b, a):
    """A += b."""
    for i in range(a.shape[0]):
        u, v = b[i], a[i]
        for r in range(v.shape[0]):
            v[r] += u[r]


@njit(**SUMS)
def _sum(values):
    total = values.dtype.type(0)
    for r in range(values.shape[0]):
        total += values[r]
    return total
