r"""CfC networks over sequences, forward: what :func:`cfc_ref.cells.cfc.network.sequence` does step by step."""

from __future__ import annotations

from numba import njit

from cfc_ref.kernels.cfc_rows import _step_rows
from cfc_ref.kernels.elementwise import _copy
from cfc_ref.kernels.mathfun import INNER, OPTIONS
from cfc_ref.kernels.products import _clear

__all__ = ["TILE", "forward"]

TILE = 16  # rows whose values stay in the first cache while a product runs over the weights


@njit(**INNER)
def _any(row):
    """Whether any step is real."""
    found = False
    for i in range(row.shape[0]):
        found |= row[i]
    return found


@njit(**INNER)
def _hold(h, c, h_new, c_new):
    for i in range(h.shape[0]):
        _copy(h[i], h_new[i])
        _copy(c[i], c_new[i])


@njit(**OPTIONS)
def forward(W, table, x, dt, mask, drop, h, c, kb, kh, km, room, first, last):
    """All time steps of the rows from `first` to `last`: h[t + 1] from h[t]; every array has time first, then rows.

    `mask` has no rows where every step is real; a step that is masked in all rows of a tile costs next to nothing.
    `drop` has no columns where nothing drops. kb, kh and km take what the backward needs of all time steps; with one in
    them they are room to work in, as is `room`.
    """
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
            _step_rows(
                W, table, x[t, r0:r1], h[t, r0:r1], c[t, r0:r1], dt[t, r0:r1], drop[d, r0:r1],
                h[t + 1, r0:r1], c[t + 1, r0:r1], kb[k, r0:r1], kh[k, r0:r1], km[k, r0:r1],
                room[0, r0:r1], room[1, r0:r1],
            )  # fmt: skip
            if mask.shape[0] > 0:
                for i in range(r0, r1):
                    if not mask[t, i]:
                        _copy(h[t, i], h[t + 1, i])
                        _copy(c[t, i], c[t + 1, i])
