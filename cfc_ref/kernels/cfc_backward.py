r"""CfC networks over sequences, backward: :func:`cfc_ref.cells.cfc_sequences.d_cfc_sequence` but for the weights.

What a step's weights get is a product of two things that are there for every time step once this kernel is through, the
gradients of the linear maps' results and the maps' arguments: :mod:`cfc_ref.kernels.cfc_gradients` takes one product
over all of them.
"""

from __future__ import annotations

from numba import njit

from cfc_ref.kernels.cfc_forward import TILE
from cfc_ref.kernels.cfc_rows_back import _d_step_rows
from cfc_ref.kernels.elementwise import _add, _copy
from cfc_ref.kernels.mathfun import INNER, OPTIONS

__all__ = ["backward"]


@njit(**INNER)
def _move(a, b):
    """Write a into b and leave 0."""
    zero = a.dtype.type(0)
    _copy(a, b[: a.shape[0]])
    for j in range(a.shape[0]):
        a[j] = zero


@njit(**OPTIONS)
def backward(
    W, table, dt, mask, drop, h, c, kb, kh, km, d_read, d_h, d_c, d_vectors, d_dt, gb, gh, gm, ku, room, first, last
):  # fmt: skip
    """All time steps of the rows from `first` to `last`, backwards; W is packed for it.

    `d_read` are the gradients of the last states by what was made of them; d_h and d_c go from the last state's
    gradient to that of the state before the first step. `ku` takes the backbone's values where they were not kept;
    `room` is six arrays to work in.
    """
    T, skipped = dt.shape[0], dt.shape[0] - d_read.shape[0]
    for r0 in range(first, last, TILE):
        r1 = min(r0 + TILE, last)
        d_old, d_y, du, held, held_c = room[0, r0:r1], room[1, r0:r1], room[2, r0:r1], room[3, r0:r1], room[4, r0:r1]
        for t in range(T - 1, -1, -1):
            d, k = min(t, drop.shape[0] - 1), min(t, ku.shape[0] - 1)
            masked = mask.shape[0] > 0
            if masked:
                for i in range(r0, r1):
                    if not mask[t, i]:
                        _move(d_h[i], held[i - r0])
                        _move(d_c[i], held_c[i - r0])
            _d_step_rows(
                W, table, h[t, r0:r1], c[t, r0:r1], dt[t, r0:r1], drop[d, r0:r1], kb[t, r0:r1], kh[t, r0:r1],
                km[t, r0:r1], d_h[r0:r1], d_c[r0:r1], d_old, d_y, d_vectors[r0:r1], d_dt[t, r0:r1], gb[t, r0:r1],
                gh[t, r0:r1], gm[t, r0:r1], ku[k, r0:r1], du, room[5, r0],
            )  # fmt: skip
            for i in range(r0, r1):
                _copy(d_old[i - r0], d_h[i])
                if masked and not mask[t, i]:
                    _add(held[i - r0], d_h[i])
                    _add(held_c[i - r0], d_c[i])
                if t > skipped:
                    _add(d_read[t - 1 - skipped, i], d_h[i])
