r"""CfC networks over sequences, forward: the steps of :func:`cfc_ref.cells.cfc.network.sequence`."""

from __future__ import annotations

from typing import Any, NamedTuple

from cfc_ref.kernels.cfc.modes import KERNELS
from cfc_ref.kernels.cfc.rows import KeptRows, Step, _step_rows
from cfc_ref.kernels.compiled import inner, kernel
from cfc_ref.kernels.elementwise import _copy
from cfc_ref.kernels.products import _clear

__all__ = ["TILE", "SequenceInputs", "States"]

TILE = 16  # rows whose values stay in the first cache while a product runs over the weights


class SequenceInputs(NamedTuple):
    """Arguments of a sequence; every array has time first, then rows."""

    x: Any
    dt: Any
    mask: Any  # no rows where every step is real
    drop: Any  # no columns where nothing drops


class States(NamedTuple):
    """States and memories, the first those before the first step."""

    h: Any
    c: Any


@inner
def _any(row):
    """Say whether any step is real."""
    found = False
    for i in range(row.shape[0]):
        found |= row[i]
    return found


@inner
def _hold(h, c, h_new, c_new):
    for i in range(h.shape[0]):
        _copy(h[i], h_new[i])
        _copy(c[i], c_new[i])


@kernel(registry=KERNELS)
def _forward(W, table, call, states, kept, room, first, last):
    """All time steps of the rows from `first` to `last`: h[t + 1] from h[t].

    A step that is masked in all rows of a tile costs next to nothing. `kept` takes what the backward needs of all time
    steps; with one in it, it is room to work in, as is `room`.
    """
    (x, dt, mask, drop), (h, c), (kb, kh, km) = call, states, kept
    for r0 in range(first, last, TILE):
        r1 = min(r0 + TILE, last)
        for t in range(x.shape[0]):
            k, d = min(t, kb.shape[0] - 1), min(t, drop.shape[0] - 1)
            if mask.shape[0] > 0 and not _any(mask[t, r0:r1]):
                _hold(h[t, r0:r1], c[t, r0:r1], h[t + 1, r0:r1], c[t + 1, r0:r1])
                if kb.shape[0] == x.shape[0]:  # kept: other rows of the backward's tile may have a real step here
                    _clear(kb[k, r0:r1])
                    _clear(kh[k, r0:r1])
                    _clear(km[k, r0:r1])
                continue
            step = Step(x[t, r0:r1], h[t, r0:r1], c[t, r0:r1], dt[t, r0:r1], drop[d, r0:r1])
            of_step = KeptRows(kb[k, r0:r1], kh[k, r0:r1], km[k, r0:r1])
            _step_rows(W, table, step, h[t + 1, r0:r1], c[t + 1, r0:r1], of_step, room[0, r0:r1], room[1, r0:r1])
            if mask.shape[0] > 0:
                for i in range(r0, r1):
                    if not mask[t, i]:
                        _copy(h[t, i], h[t + 1, i])
                        _copy(c[t, i], c[t + 1, i])
