r"""Synaptic LTC networks over sequences, backward: twin of :func:`cfc_ref.cells.ltc.network.d_sequence`.

The sums G and Q of every part are on the tape: each synapse's release is computed once forward and once backward. What
the parameters get is summed in arrays of each part of the batch, parts that depend on the batch and not on the threads.
"""

from __future__ import annotations

from numba import njit

from cfc_ref.kernels.ltc_packed import D_C, D_G, D_Q
from cfc_ref.kernels.ltc_rows import _load
from cfc_ref.kernels.ltc_rows_back import _add_rows, _d_advance, _d_synapses, _sum
from cfc_ref.kernels.mathfun import INNER, OPTIONS
from cfc_ref.kernels.products import _clear

__all__ = ["backward"]


@njit(**INNER)
def _unload(x, mask, maps, unfolds, t, first, d_I, d_h, d_x, d_dt, D_maps):
    """Backward of ``_load``."""
    for r in range(min(d_h.shape[0], x.shape[0] - first)):
        row = first + r
        real = mask.shape[0] == 0 or mask[row, t]
        d_dt[row, t] = d_h[r] / d_h.dtype.type(unfolds) if real else d_h.dtype.type(0)
        for f in range(d_I.shape[0]):
            d_x[row, t, f] = maps[f, 0] * d_I[f, r]
            if real:
                D_maps[f, 0] += x[row, t, f] * d_I[f, r]
                D_maps[f, 1] += d_I[f, r]


@njit(**INNER)
def _block(
    neurons, synapses, ends, sensory, sensory_ends, maps, solver, unfolds, x, dt, mask, kept, d_read, d_state,
    d_x, d_dt, I, d_I, d, sums, lengths, d_lengths, room, row, D_neurons, D_synapses, D_sensory, D_maps,
):  # fmt: skip
    """One block of rows, all time steps."""
    T, U, skipped = dt.shape[1], d.shape[0], dt.shape[1] - d_read.shape[0]
    rows = min(d.shape[1], dt.shape[0] - row)
    d_G, d_Q, held_G, held_Q, d_C = sums[0], sums[1], sums[2], sums[3], sums[4]
    _clear(d)
    _clear(d_C)
    for r in range(rows):
        for i in range(U):
            d[i, r] = d_state[row + r, i]
    for t in range(T - 1, -1, -1):
        if t >= skipped:
            for r in range(rows):
                for i in range(U):
                    d[i, r] += d_read[t - skipped, row + r, i]
        for gradient in (held_G, held_Q, d_I, d_lengths):
            _clear(gradient)
        if _load(x, dt, mask, maps, unfolds, t, row, I, lengths):
            for part in range(unfolds - 1, -1, -1):
                old, G, Q = kept[t, part, 0], kept[t, part, 1], kept[t, part, 2]
                _d_advance(solver, neurons, lengths, G, Q, old, d, d_G, d_Q, d_C, d_lengths[0], room)
                _add_rows(d_G, held_G)
                _add_rows(d_Q, held_Q)
                _d_synapses(synapses, ends, old, d_G, d_Q, d, D_synapses)
            _d_synapses(sensory, sensory_ends, I, held_G, held_Q, d_I, D_sensory)
            for i in range(U):
                D_neurons[i, D_G] += _sum(held_G[i])
                D_neurons[i, D_Q] += _sum(held_Q[i])
        _unload(x, mask, maps, unfolds, t, row, d_I, d_lengths[0], d_x, d_dt, D_maps)
    for i in range(U):
        D_neurons[i, D_C] += _sum(d_C[i])
    for r in range(rows):
        for i in range(U):
            d_state[row + r, i] = d[i, r]


@njit(**OPTIONS)
def backward(
    neurons, synapses, ends, sensory, sensory_ends, maps, solver, unfolds, x, dt, mask, kept, d_read, d_state,
    d_x, d_dt, buffers, D_neurons, D_synapses, D_sensory, D_maps, first, last,
):  # fmt: skip
    """The parts of a batch from `first` to `last`, backwards; d_state goes to the gradient of the first state.

    `d_read`, shape (steps, batch, units), are the gradients of the last states by what was made of them.
    """
    I, d_I, d, sums, lengths, d_lengths, room = buffers
    parts, blocks = D_neurons.shape[0], kept.shape[0]
    for p in range(first, last):
        for gradients in (D_neurons[p], D_synapses[p], D_sensory[p], D_maps[p]):
            _clear(gradients)
        for block in range(blocks * p // parts, blocks * (p + 1) // parts):
            _block(
                neurons, synapses, ends, sensory, sensory_ends, maps, solver, unfolds, x, dt, mask, kept[block],
                d_read, d_state, d_x, d_dt, I[p], d_I[p], d[p], sums[p], lengths[p], d_lengths[p], room[p],
                block * d.shape[2], D_neurons[p], D_synapses[p], D_sensory[p], D_maps[p],
            )  # fmt: skip
