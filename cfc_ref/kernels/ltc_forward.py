r"""Synaptic LTC networks over sequences, forward: twin of :func:`cfc_ref.cells.ltc.network.sequence`."""

from __future__ import annotations

from numba import njit

from cfc_ref.kernels.ltc_rows import _add_synapses, _advance, _copy_rows, _leak, _load
from cfc_ref.kernels.mathfun import OPTIONS
from cfc_ref.kernels.products import _clear

__all__ = ["forward"]


@njit(**OPTIONS)
def forward(
    neurons, synapses, ends, sensory, sensory_ends, maps, solver, unfolds, x, dt, mask, start, h, kept, buffers,
    first, last,
):  # fmt: skip
    """The blocks of rows from `first` to `last`: h[t] is the state after step t, shape (time, batch, units).

    `kept`, shape (blocks, time, unfolds, 3, units, rows), takes x, G and Q at the start of every part, for the
    backward; with one time step and part in it, it is room to work in. `buffers` have an axis of blocks first.
    """
    (B, T), U = dt.shape, start.shape[1]
    I, states, held, lengths, room = buffers
    for block in range(first, last):
        row = block * states.shape[2]
        rows = min(states.shape[2], B - row)
        state, held_G, held_Q = states[block], held[block, 0], held[block, 1]
        _clear(state)
        for r in range(rows):
            for i in range(U):
                state[i, r] = start[row + r, i]
        for t in range(T):
            if _load(x, dt, mask, maps, unfolds, t, row, I[block], lengths[block]):
                _leak(neurons, held_G, held_Q)
                _add_synapses(sensory, sensory_ends, I[block], held_G, held_Q)
                at = min(t, kept.shape[1] - 1)
                for part in range(unfolds):
                    of_part = kept[block, at, min(part, kept.shape[2] - 1)]
                    old, G, Q = of_part[0], of_part[1], of_part[2]
                    _copy_rows(state, old)
                    _copy_rows(held_G, G)
                    _copy_rows(held_Q, Q)
                    _add_synapses(synapses, ends, state, G, Q)
                    _advance(solver, neurons, lengths[block], G, Q, state, room[block])
            for r in range(rows):
                for i in range(U):
                    h[t, row + r, i] = state[i, r]
