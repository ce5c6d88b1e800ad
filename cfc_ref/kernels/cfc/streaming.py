r"""One sequence through a CfC network, output included: the step of a stream, and of every batch of one.

Weights are one flat array, which streams share; states, room to work in and timespans are another: a call with the
state as an array of its own, or with a NamedTuple, costs as much as a fifth of the step. Nothing is allocated. A step
with a timespan of 1, the default of a stream, reads three heads instead of four: ``weights.gated``.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from cfc_ref.cells.tree import made_once
from cfc_ref.kernels.cfc.modes import KERNELS
from cfc_ref.kernels.cfc.rows import KeptRows, Step, _step_rows
from cfc_ref.kernels.cfc.weights import KEPT_BACKBONE, KEPT_HEADS, KEPT_MEMORY, WIDEST, pack_stream
from cfc_ref.kernels.compiled import kernel
from cfc_ref.kernels.elementwise import _copy
from cfc_ref.kernels.packed import FC, INPUTS, OUTPUTS, READ, READS, ROOM, STATE, UNITS
from cfc_ref.kernels.products import _linear, _nothing, _row, _whole_lines
from cfc_ref.kernels.streams import Stream

if TYPE_CHECKING:
    from cfc_ref.cells.cfc.cell import CfCSettings
    from cfc_ref.cells.cfc.network import CfCNetwork
    from cfc_ref.cells.dense import Dense

__all__ = ["start"]


def start(params: CfCNetwork, fc: Dense | None, read: slice, settings: CfCSettings) -> Stream:
    """Return a network whose weights are packed for streams."""

    def packed() -> Stream:
        return Stream(_stream, *pack_stream(params, fc, read, settings), params.lstm is not None)

    return made_once(params, ("stream", read.start, read.stop, settings), packed, fc)


@kernel(registry=KERNELS)
def _stream(P, table, x, S, y):
    """Take the steps that x and S hold and write their outputs to y; sample t belongs to stream t modulo their number.

    S is the working memory: the state of each stream, room to work in, the timespan of each sample (negative: no step).
    Returns whether x is finite; if not, nothing has happened.
    """
    for j in range(x.shape[0]):
        if not math.isfinite(x[j]):
            return False
    at_one = table[table.shape[0] // 2 :]
    F, U, O, one = table[INPUTS], table[UNITS], table[OUTPUTS], P.dtype.type(1)
    nothing, read, reads = _nothing(U), table[READ], table[READS]
    dt = S[S.shape[0] - x.shape[0] // F :]
    at = S.shape[0] - dt.shape[0] - table[ROOM]
    streams = at // table[STATE]
    new_h = _row(S, at, U)
    at += _whole_lines(U)
    new_c = _row(S, at, U)
    at += _whole_lines(U)
    kb = _row(S, at, table[KEPT_BACKBONE])
    at += _whole_lines(table[KEPT_BACKBONE])
    kh = _row(S, at, table[KEPT_HEADS])
    at += _whole_lines(table[KEPT_HEADS])
    km = _row(S, at, table[KEPT_MEMORY])
    at += _whole_lines(table[KEPT_MEMORY])
    z, u = _row(S, at, table[WIDEST]), _row(S, at + _whole_lines(table[WIDEST]), table[WIDEST])
    drop = _row(S, nothing, nothing)
    for t in range(dt.shape[0]):
        at = t % streams * table[STATE]
        h, c = _row(S, at, U), _row(S, at + U, U)
        if dt[t] >= 0:
            of_step = at_one if dt[t] == one else table
            step = Step(_row(x, t * F, F), h, c, dt[t : t + 1], drop)
            _step_rows(P, of_step, step, new_h, new_c, KeptRows(kb, kh, km), z, u)
            _copy(new_h[0], h[0])
            if km.shape[1] > 0:
                _copy(new_c[0], c[0])
        out = _row(y, t * O, O)
        if table[FC] > 0:
            _linear(P, table[FC], one, h, read, reads, h, nothing, nothing, out, nothing, O)
        else:
            _copy(h[0, read : read + O], out[0])
    return True
