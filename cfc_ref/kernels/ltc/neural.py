r"""The sums of the papers' LTC (Eq. 1) in kernels: one release per neuron, of a linear map of inputs and states.

.. math:: f = \sigma\big(W_I I + b + W x\big), \qquad C = 1, \quad G = w_\tau + f, \quad Q = A f

Rows of states lie one after the other, as in the tiles of :mod:`cfc_ref.kernels.ltc.sums`; of the held sums there is
only the input's share of the argument.
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
from cfc_ref.kernels.ltc.sums import grid
from cfc_ref.kernels.mathfun import _sigmoid
from cfc_ref.kernels.memory import aligned
from cfc_ref.kernels.packed import linear_at
from cfc_ref.kernels.products import _add_outer, _add_product, _linear, _nothing

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


def _unpack_release(packed: Packed, sums: Any) -> NeuralLTCParams:
    """Return gradients by parameter from the sums of the backward."""
    (U, F), (d_w_tau, d_A, _, d_b) = packed.sensory.shape, sums.neurons
    maps = [linear_at(of_map, 0, inputs, U)[0] for of_map, inputs in ((sums.sensory, F), (sums.synapses, U))]
    return NeuralLTCParams(Dense(np.concatenate(maps, axis=1), d_b.copy()), d_w_tau.copy(), d_A.copy())


@inner
def _hold_maps(P, I, z):
    """Write the input's share of the argument of f; the map of inputs and b are at P."""
    one, nothing = I.dtype.type(1), _nothing(I.shape[1])
    _linear(P, nothing, one, I, nothing, I.shape[1], I, nothing, nothing, z, nothing, z.shape[1])


@inner
def _release(P, units, held, x, f, rows):
    """Write f at states x, both flat; the map of states is at P."""
    zero, lanes = _nothing(units), f.shape[0] // rows
    _copy(held[0], f)
    X, Z = grid(x, zero, rows, lanes), grid(f, zero, rows, lanes)
    _add_product(f.dtype.type(1), X, zero, units, P, zero, Z, zero, lanes)
    _sigmoid(f)


@inner
def _look_at_maps(P, units, neurons, held, kept, k, rows):
    """Write the sums at the states of stage k."""
    w_tau, a, G, Q = neurons[W_TAU], neurons[A], kept[3 * k + 1], kept[3 * k + 2]
    _release(P, units, held, kept[3 * k], G, rows)
    for i in range(G.shape[0]):
        Q[i] = a[i] * G[i]
    for i in range(G.shape[0]):
        G[i] += w_tau[i]


@inner
def _d_look_at_maps(P, backward, units, neurons, kept, k, room, sums, rows):
    r"""Backward of ``_look_at_maps``; f once more, as G - w_τ has lost its digits.

    .. math:: \bar z = (\bar G + A \bar Q)\,f (1 - f), \qquad \sum \bar z,\; \sum \bar G,\; \sum f \bar Q
    """
    D, d_held, f = room.D, room.d_held, room.rows[0]
    zero, one, lanes = _nothing(units), f.dtype.type(1), f.shape[0] // rows
    a, d_z, d_Q, d_A = neurons[A], D[3 * k + 1], D[3 * k + 2], d_held[2]
    _release(P, units, room.held, kept[3 * k], f, rows)
    _add(d_z, d_held[1])
    for i in range(f.shape[0]):
        d_A[i] += f[i] * d_Q[i]
    for i in range(f.shape[0]):
        d_z[i] = (d_z[i] + a[i] * d_Q[i]) * f[i] * (one - f[i])
    _add(d_z, d_held[0])
    x, d_x, d_Z = grid(kept[3 * k], zero, rows, lanes), grid(D[3 * k], zero, rows, lanes), grid(d_z, zero, rows, lanes)
    _add_product(one, d_Z, zero, lanes, backward, zero, d_x, zero, units)
    _add_outer(one, x, zero, units, d_Z, zero, lanes, sums, zero, units)


@inner
def _d_hold_maps(backward, I, d_held, d_I, sums, d_neurons):
    """Take the gradients of the arguments to the inputs and their map, and add up those of b, w_τ and A."""
    rows, F = I.shape
    zero, one, lanes = _nothing(F), I.dtype.type(1), d_held.shape[1] // rows
    d_Z = grid(d_held[0], zero, rows, lanes)
    _add_product(one, d_Z, zero, lanes, backward, zero, d_I, zero, F)
    _add_outer(one, I, zero, F, d_Z, zero, lanes, sums, zero, F)
    _add(d_held[0], d_neurons[D_B])
    _add(d_held[1], d_neurons[D_G])
    _add(d_held[2], d_neurons[D_Q])
