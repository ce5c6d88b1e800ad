r"""A time step of a synaptic LTC for a block of rows of a batch: a unit's values of all rows lie together.

.. math:: s_k = \frac1{1 + 2^{a_k x_j + b_k}}, \qquad a_k = -\sigma_k \log_2 e, \quad b_k = \sigma_k \mu_k \log_2 e

so that a synapse from j to i costs a multiply-add, an exponential and a division. The inner loops run along the rows,
over one synapse or one neuron at a time, without looking anything up. A block has a multiple of :data:`ROWS` rows;
those that the batch does not have take part with input 0, state 0 and steps of no length.
"""

from __future__ import annotations

from numba import njit
from numba.extending import register_jitable

from cfc_ref.kernels.ltc_packed import CURRENT, FUSED, GAIN, LEAK, POST, PRE, SHIFT, W_E, C, W
from cfc_ref.kernels.mathfun import INNER, _opening_of, _tanh_of

__all__ = ["ROWS"]

ROWS = 32  # two registers of float32: a loop that sums takes two at a time, and leaves nothing over


@njit(**INNER)
def _load(x, dt, mask, maps, unfolds, t, first, I, h):
    """Write step t's inputs behind their map, and the length of a part; a masked step has input 0 and no length.

    Returns whether any row has a step.
    """
    zero, some = h.dtype.type(0), False
    for r in range(h.shape[0]):
        row = first + r
        real = row < x.shape[0] and (mask.shape[0] == 0 or mask[row, t])
        some |= real
        h[r] = dt[row, t] / h.dtype.type(unfolds) if real else zero
        for f in range(I.shape[0]):
            I[f, r] = maps[f, 0] * (x[row, t, f] if real else zero) + maps[f, 1]
    return some


@njit(**INNER)
def _leak(neurons, G, Q):
    """Write the conductance and the current of the leak."""
    for i in range(G.shape[0]):
        g, q = G[i], Q[i]
        conductance, current = neurons[i, LEAK], neurons[i, CURRENT]
        for r in range(g.shape[0]):
            g[r] = conductance
        for r in range(g.shape[0]):
            q[r] = current


@njit(**INNER)
def _copy_rows(a, b):
    for i in range(a.shape[0]):
        u, v = a[i], b[i]
        for r in range(v.shape[0]):
            v[r] = u[r]


@njit(**INNER)
def _add_synapses(synapses, ends, x, G, Q):
    """G += w s and Q += w E s of every synapse."""
    for k in range(ends.shape[0]):
        gain, shift, w, w_E = synapses[k, GAIN], synapses[k, SHIFT], synapses[k, W], synapses[k, W_E]
        u, g, q = x[ends[k, PRE]], G[ends[k, POST]], Q[ends[k, POST]]
        for r in range(u.shape[0]):
            s = _opening_of(gain * u[r] + shift)
            g[r] += w * s
            q[r] += w_E * s


@register_jitable
def _fused_of(c, h, G):
    r"""Return e and f of :math:`x^+ = e\,x + f\,Q`, :math:`e = C/(C + hG),\; f = h/(C + hG)`, of one neuron."""
    D = c + h * G
    return c / D, h / D


@register_jitable
def _frozen_of(c, h, G):
    r"""Return e and f of :math:`x^+ = e\,x + f\,Q/G`, :math:`e = e^{-u},\; f = 1 - e^{-u},\; u = hG/C`.

    By :math:`T = \tanh\frac u2`: :math:`e = (1 - T)/(1 + T),\; f = 2T/(1 + T)`, so that a small f keeps its digits.
    """
    one, two = type(c)(1), type(c)(2)
    T = _tanh_of(h * G / c / two)
    return (one - T) / (one + T), two * T / (one + T)


@njit(**INNER)
def _weights(solver, c, h, G, e, f):
    """Write e and f of a neuron's part."""
    if solver == FUSED:
        for r in range(e.shape[0]):
            e[r], f[r] = _fused_of(c, h[r], G[r])
    else:
        for r in range(e.shape[0]):
            e[r], f[r] = _frozen_of(c, h[r], G[r])


@njit(**INNER)
def _advance(solver, neurons, h, G, Q, x, room):
    """Take the states x over one part."""
    e, f = room[0], room[1]
    for i in range(x.shape[0]):
        _weights(solver, neurons[i, C], h, G[i], e, f)
        u, g, q = x[i], G[i], Q[i]
        if solver != FUSED:
            for r in range(u.shape[0]):
                f[r] /= g[r]
        for r in range(u.shape[0]):
            u[r] = e[r] * u[r] + f[r] * q[r]
