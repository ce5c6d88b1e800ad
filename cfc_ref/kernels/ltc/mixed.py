"""The mixed memory of an LTC inside the loops over a batch."""

from __future__ import annotations

from typing import Any, NamedTuple

from cfc_ref.kernels.compiled import inner
from cfc_ref.kernels.elementwise import _copy
from cfc_ref.kernels.lstm import _d_gates, _d_lstm, _lstm
from cfc_ref.kernels.ltc.blocks import _read_row, _write_row
from cfc_ref.kernels.products import _clear, _nothing

__all__ = ["BackMemory", "Memory"]


class Memory(NamedTuple):
    """A mixed memory over a sequence."""

    W: Any  # its map, packed
    x: Any  # (time, batch, inputs): inputs, 0 at masked steps
    c: Any  # (time + 1, batch, units): memories
    values: Any  # (time or 1, batch, 6 units): gates, tanh c and outputs


class BackMemory(NamedTuple):
    """A mixed memory for the backward; the last arrays are room for each share of the batch.

    The gradients of its map are two products over all steps afterwards, as in the specification.
    """

    W: Any  # packed for the backward
    x: Any
    c: Any
    values: Any
    d_c: Any  # (batch, units): from the last memory's gradient to the first one's, in place
    G: Any  # (time, batch, 4 units): gradients of the gates' arguments
    d_y: Any
    d_x: Any
    d_h: Any


@inner
def _mix_memory(kind, memory, parts, counts, h, t, row, rows, states):
    """Take step t of the memory, and write its outputs as the states at which the ODE starts; masked rows wait."""
    U, last = h.shape[1], row + rows
    k = min(t, memory.values.shape[0] - 1)
    values, c, new_c = memory.values[k, row:last], memory.c[t, row:last], memory.c[t + 1, row:last]
    x = memory.x[t, row:last]
    if parts > 0:
        _lstm(memory.W, _nothing(U), x.shape[1], x, h[row:last], c, new_c, values)
    for r in range(rows):
        if counts[r] > 0:
            _write_row(kind, values[r, 5 * U :], r, states)
        else:
            _copy(c[r], new_c[r])


@inner
def _d_mix_memory(kind, memory, share, counts, t, row, d, d_inputs):
    """Backward of ``_mix_memory``: d goes from the gradients of the ODE's first states to those of the step before."""
    U, inputs, last = memory.d_h.shape[2], memory.x.shape[2], min(row + counts.shape[0], memory.x.shape[1])
    rows = last - row
    G, d_x, d_h, d_y = memory.G[t, row:last], memory.d_x[share, :rows], memory.d_h[share, :rows], memory.d_y[share]
    _clear(d_x)
    _clear(d_h)
    _clear(G)
    for r in range(rows):
        if counts[r] > 0:
            _read_row(kind, d, r, d_y)
            _d_gates(memory.values[t, row + r], memory.c[t, row + r], d_y, memory.d_c[row + r], G[r])
    _d_lstm(memory.W, _nothing(U), inputs, G, d_x, d_h)
    for r in range(rows):
        if counts[r] > 0:
            _write_row(kind, d_h[r], r, d)
            for f in range(inputs):
                d_inputs[row + r, t, f] += d_x[r, f]
