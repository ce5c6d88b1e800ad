r"""CfC networks over sequences, backward: twin of :func:`cfc_ref.cells.cfc.network.d_sequence`.

What a map's weights get is a sum over rows and time steps. It is taken of up to 32 rows at once, from one step or
several, so that weights and their gradients are read from the cache once for many rows; and in `D` for each part of the
batch apart, parts that depend on the batch and not on the threads. BLAS would take the sums over all steps at once in
the same time, but its threads go on waiting for more work, in the way of what comes next.
"""

from __future__ import annotations

from numba import njit

from cfc_ref.kernels.cfc_forward import _any
from cfc_ref.kernels.cfc_rows_back import _d_step_rows, _d_weights
from cfc_ref.kernels.elementwise import _add, _copy
from cfc_ref.kernels.mathfun import INNER, OPTIONS
from cfc_ref.kernels.packed import MEMORY, UNITS
from cfc_ref.kernels.products import _clear

__all__ = ["CAPACITY", "backward"]

CAPACITY = 32  # rows for which there is room in a part


@njit(**INNER)
def _move(a, b):
    """Write a into b and leave 0."""
    zero = a.dtype.type(0)
    _copy(a, b[: a.shape[0]])
    for j in range(a.shape[0]):
        a[j] = zero


@njit(**INNER)
def _add_rows(d_read, t, d_h, r0, r1):
    """Add to the gradients of states what comes from their being read."""
    for i in range(r0, r1):
        _add(d_read[i, t], d_h[i])


@njit(**INNER)
def _steps(W, table, x, dt, mask, drop, h, c, kb, kh, km, d_read, d_h, d_c, d_x, d_dt, D, room, buffers, base, r0, r1):
    """All time steps of the rows from r0 to r1, backwards, with the room from row `base` on."""
    T, U, n = dt.shape[0], table[UNITS], r1 - r0
    skipped, masked, p = T - d_read.shape[1], mask.shape[0] > 0, base
    bx, bh, by, bn, ub, gb, gh, gm = buffers
    d_old, d_y, du = room[0, base : base + n], room[1, base : base + n], room[2, base : base + n]
    held, held_c = room[3, base : base + n], room[4, base : base + n]
    for t in range(T - 1, -1, -1):
        if masked and not _any(mask[t, r0:r1]):
            _clear(d_x[t, r0:r1])
            if t > skipped:
                _add_rows(d_read, t - 1 - skipped, d_h, r0, r1)
            continue
        if masked:
            for i in range(r0, r1):
                if not mask[t, i]:
                    _move(d_h[i], held[i - r0])
                    _move(d_c[i], held_c[i - r0])
        _d_step_rows(
            W, table, h[t, r0:r1], c[t, r0:r1], dt[t, r0:r1], drop[min(t, drop.shape[0] - 1), r0:r1], kb[t, r0:r1],
            kh[t, r0:r1], km[t, r0:r1], d_h[r0:r1], d_c[r0:r1], d_old, d_y, d_x[t, r0:r1], d_dt[t, r0:r1], D,
            gb[p : p + n], gh[p : p + n], gm[p : p + n], ub[p : p + n], du, room[5, base],
        )  # fmt: skip
        for i in range(r0, r1):
            _copy(x[t, i], bx[p])
            _copy(h[t, i], bh[p])
            _copy(h[t + 1, i], bn[p])
            if table[MEMORY] > 0:
                _copy(km[t, i, 5 * U :], by[p])
            p += 1
            _copy(d_old[i - r0], d_h[i])
            if masked and not mask[t, i]:
                _add(held[i - r0], d_h[i])
                _add(held_c[i - r0], d_c[i])
        if t > skipped:
            _add_rows(d_read, t - 1 - skipped, d_h, r0, r1)
        if p + n > base + CAPACITY:
            _d_weights(
                table, bx[base:p], bh[base:p], by[base:p], bn[base:p], ub[base:p], gb[base:p], gh[base:p], gm[base:p], D
            )
            p = base
    if p > base:
        _d_weights(
            table, bx[base:p], bh[base:p], by[base:p], bn[base:p], ub[base:p], gb[base:p], gh[base:p], gm[base:p], D
        )


@njit(**OPTIONS)
def backward(
    W, table, x, dt, mask, drop, h, c, kb, kh, km, d_read, d_h, d_c, d_x, d_dt, D, room, buffers, rows, first, last
):  # fmt: skip
    """The parts from `first` to `last` of a batch, of `rows` rows each, backwards; W is packed for it.

    `d_read`, batch first, are the gradients of the last states by what was made of them; d_h and d_c go from the last
    state's gradient to that of the state before the first step.
    """
    for part in range(first, last):
        _clear(D[part : part + 1])
        end = min((part + 1) * rows, d_h.shape[0])
        for r0 in range(part * rows, end, CAPACITY):
            _steps(
                W, table, x, dt, mask, drop, h, c, kb, kh, km, d_read, d_h, d_c, d_x, d_dt, D[part], room, buffers,
                part * CAPACITY, r0, min(r0 + CAPACITY, end),
            )  # fmt: skip
