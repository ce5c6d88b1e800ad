r"""The sums of the papers' LTC (Eq. 1) in kernels: one release per neuron, of a linear map of inputs and states.

.. math:: f = \sigma\big(W_I I + b + W x\big), \qquad C = 1, \quad G = w_\tau + f, \quad Q = A f

Layouts are those of :mod:`cfc_ref.kernels.ltc.sums`; of the held sums there is only the input's share of the argument.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from cfc_ref.cells.dense import Dense
from cfc_ref.cells.ltc.network import ODENetwork
from cfc_ref.cells.ltc.neural import NeuralLTCParams, neural_box
from cfc_ref.kernels.compiled import inner
from cfc_ref.kernels.elementwise import _add, _copy
from cfc_ref.kernels.ltc.packed import BIAS, D_B, D_G, D_Q, Packed, factors
from cfc_ref.kernels.ltc.packed import CURRENT as A
from cfc_ref.kernels.ltc.packed import LEAK as W_TAU
from cfc_ref.kernels.ltc.sums import _ANY_ORDER, _sum
from cfc_ref.kernels.mathfun import _sigmoid
from cfc_ref.kernels.memory import aligned
from cfc_ref.kernels.products import _add_product, _linear, _nothing

__all__: list[str] = []


def _pack_release(params: ODENetwork) -> Packed:
    """Return a network's tables."""
    (W, b), w_tau, A = params.cell
    (U, columns), dtype = W.shape, W.dtype
    neurons, synapses, sensory = (aligned((U, n), dtype) for n in (BIAS + 1, U, columns - U))
    for column, values in enumerate((w_tau, A, np.ones_like(A), *neural_box(params.cell), b)):
        neurons[:, column] = values
    synapses[...], sensory[...] = W[:, columns - U :], W[:, : columns - U]
    none = np.empty((0, 2), np.uint32)
    return Packed(True, neurons, synapses, none, sensory, none, factors(params.input_map, columns - U, dtype))


def _unpack_release(sums: Any) -> NeuralLTCParams:
    """Return gradients by parameter from the sums of the backward."""
    d_w_tau, d_A, _, d_b = (column.copy() for column in sums.neurons.T)
    return NeuralLTCParams(Dense(np.concatenate([sums.sensory, sums.synapses], axis=1), d_b), d_w_tau, d_A)


@inner
def _add_row(w, x, first, out):
    """Add a row of a map, times the values x[:, first], to `out`, for a block of rows."""
    whole = w.shape[0] - w.shape[0] % 4
    for j in range(0, whole, 4):
        w0, w1, w2, w3 = w[j], w[j + 1], w[j + 2], w[j + 3]
        u0, u1, u2, u3 = x[j, first], x[j + 1, first], x[j + 2, first], x[j + 3, first]
        for r in range(out.shape[0]):
            out[r] = out[r] + w0 * u0[r] + w1 * u1[r] + w2 * u2[r] + w3 * u3[r]
    for j in range(whole, w.shape[0]):
        w0, u0 = w[j], x[j, first]
        for r in range(out.shape[0]):
            out[r] += w0 * u0[r]


@inner(fastmath=_ANY_ORDER)
def _d_add_row(w, x, first, d, d_x, d_w):
    """Backward of ``_add_row``."""
    for j in range(w.shape[0]):
        w0, u, to, total = w[j], x[j, first], d_x[j, first], d.dtype.type(0)
        for r in range(d.shape[0]):
            to[r] += w0 * d[r]
            total += u[r] * d[r]
        d_w[j] += total


@inner
def _hold_release(packed, I, held):
    """Write the input's share of the argument of f."""
    for i in range(held.shape[0]):
        z, b = held[i, 1], packed.neurons[i, BIAS]
        for r in range(z.shape[0]):
            z[r] = b
        _add_row(packed.sensory[i], I, 0, z)


@inner
def _look_at_release(packed, held, kept, k):
    """Write the sums at the states of stage k."""
    for i in range(kept.shape[0]):
        w_tau, a, G, Q = packed.neurons[i, W_TAU], packed.neurons[i, A], kept[i, 3 * k + 1], kept[i, 3 * k + 2]
        _copy(held[i, 1], G)
        _add_row(packed.synapses[i], kept, 3 * k, G)
        _sigmoid(G)
        for r in range(G.shape[0]):
            Q[r] = a * G[r]
        for r in range(G.shape[0]):
            G[r] += w_tau


@inner
def _d_look_at_release(packed, held, kept, D, k, d_held, sums, room):
    r"""Backward of ``_look_at_release``; f once more, as G - w_τ has lost its digits.

    .. math:: \bar z = (\bar G + A \bar Q)\,f (1 - f), \qquad \sum \bar z,\; \sum \bar G,\; \sum f \bar Q
    """
    f, one = room, room.dtype.type(1)
    for i in range(D.shape[0]):
        a, d_z, d_Q, d_A = packed.neurons[i, A], D[i, 3 * k + 1], D[i, 3 * k + 2], d_held[i, 0]
        _copy(held[i, 1], f)
        _add_row(packed.synapses[i], kept, 3 * k, f)
        _sigmoid(f)
        _add(d_z, d_held[i, 2])
        for r in range(f.shape[0]):
            d_A[r] += f[r] * d_Q[r]
        for r in range(f.shape[0]):
            d_z[r] = (d_z[r] + a * d_Q[r]) * f[r] * (one - f[r])
        _add(d_z, d_held[i, 1])
    for i in range(D.shape[0]):
        _d_add_row(packed.synapses[i], kept, 3 * k, D[i, 3 * k + 1], D, sums.synapses[i])


@inner
def _d_hold_release(packed, I, d_held, d_I, sums):
    """Take the gradients of the arguments to the inputs, their map and the shifts, and add up those of w_τ and A."""
    for i in range(d_held.shape[0]):
        _d_add_row(packed.sensory[i], I, 0, d_held[i, 1], d_I, sums.sensory[i])
        sums.neurons[i, D_B] += _sum(d_held[i, 1])
        sums.neurons[i, D_G] += _sum(d_held[i, 2])
        sums.neurons[i, D_Q] += _sum(d_held[i, 0])


@inner
def _hold_maps(P, I, held):
    """Write the input's share of the argument of f, for a stream; the map of inputs and b are at P."""
    lanes, one = held.shape[1], I.dtype.type(1)
    nothing, inputs = _nothing(lanes), I.shape[1]
    _linear(P, nothing, one, I, nothing, inputs, I, nothing, nothing, held[:1], nothing, lanes)


@inner
def _look_at_maps(P, units, neurons, held, kept, k):
    """Write the sums at the states of stage k, for a stream; the map of states is at P."""
    lanes, one, G, Q = held.shape[1], held.dtype.type(1), kept[3 * k + 1], kept[3 * k + 2]
    nothing = _nothing(lanes)
    _copy(held[0], G)
    _add_product(one, kept[3 * k : 3 * k + 1], nothing, units, P, nothing, kept[3 * k + 1 : 3 * k + 2], nothing, lanes)
    _sigmoid(G)
    w_tau, a = neurons[W_TAU], neurons[A]
    for i in range(lanes):
        Q[i] = a[i] * G[i]
    for i in range(lanes):
        G[i] += w_tau[i]
