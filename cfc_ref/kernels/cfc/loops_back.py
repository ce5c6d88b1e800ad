r"""CfC networks over sequences, backward: the steps of :func:`cfc_ref.cells.cfc.network.d_sequence`.

The gradient of a map's weights is a sum over rows and time steps. It is taken of up to 32 rows at once, from one step
or several, so that weights and their gradients are read from the cache once for many rows; and in `D` for each part of
the batch by itself, parts that depend on the batch and not on the threads. BLAS would take the sums over all steps at
once in the same time, but its threads wait for more work and slow down the next computation.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from cfc_ref.kernels.cfc.loops import _any
from cfc_ref.kernels.cfc.modes import KERNELS
from cfc_ref.kernels.cfc.rows import KeptRows, Step
from cfc_ref.kernels.cfc.rows_back import Back, StepGradients, _d_step_rows, _d_weights
from cfc_ref.kernels.cfc.weights import MEMORY
from cfc_ref.kernels.compiled import inner, kernel
from cfc_ref.kernels.elementwise import _add, _copy
from cfc_ref.kernels.packed import UNITS
from cfc_ref.kernels.products import _clear

__all__ = ["CAPACITY", "Collected", "Flows"]

CAPACITY = 32  # rows for which there is room in a part


class Flows(NamedTuple):
    """Gradients over a sequence."""

    read: Any  # of the last states, batch first
    h: Any  # from the last state's to that of the state before the first step, in place
    c: Any
    x: Any
    dt: Any


class Collected(NamedTuple):
    """Rows of which the gradients of the weights are taken at once: arguments, and the gradients of the maps."""

    x: Any
    h: Any
    y: Any
    new_h: Any
    u: Any
    backbone: Any
    heads: Any
    memory: Any


@inner
def _move(a, b):
    """Write a into b and leave 0."""
    zero = a.dtype.type(0)
    _copy(a, b[: a.shape[0]])
    for j in range(a.shape[0]):
        a[j] = zero


@inner
def _add_rows(d_read, t, d_h, r0, r1):
    """Add to the gradients of states those of their outputs."""
    for i in range(r0, r1):
        _add(d_read[i, t], d_h[i])


@inner
def _collect(table, rows, first, end, D):
    """Add the gradients of the weights from the rows collected so far."""
    if end > first:
        b, e = first, end
        back = Back(rows.backbone[b:e], rows.heads[b:e], rows.memory[b:e], rows.u[b:e])
        _d_weights(table, rows.x[b:e], rows.h[b:e], rows.y[b:e], rows.new_h[b:e], back, D)


@inner
def _steps(W, table, call, states, kept, d, D, room, rows, base, r0, r1):
    """All time steps of the rows from r0 to r1, backwards, with the room from row `base` on."""
    (x, dt, mask, drop), (h, c), (kb, kh, km), (d_read, d_h, d_c, d_x, d_dt) = call, states, kept, d
    T, U, n = dt.shape[0], table[UNITS], r1 - r0
    skipped, masked, p = T - d_read.shape[1], mask.shape[0] > 0, base
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
        step = Step(x[t, r0:r1], h[t, r0:r1], c[t, r0:r1], dt[t, r0:r1], drop[min(t, drop.shape[0] - 1), r0:r1])
        of_step = KeptRows(kb[t, r0:r1], kh[t, r0:r1], km[t, r0:r1])
        d_step = StepGradients(d_h[r0:r1], d_old, d_c[r0:r1], d_y, d_x[t, r0:r1], d_dt[t, r0:r1])
        back = Back(rows.backbone[p : p + n], rows.heads[p : p + n], rows.memory[p : p + n], rows.u[p : p + n])
        _d_step_rows(W, table, step, of_step, d_step, D, back, (du, room[5, base]))
        for i in range(r0, r1):
            _copy(x[t, i], rows.x[p])
            _copy(h[t, i], rows.h[p])
            _copy(h[t + 1, i], rows.new_h[p])
            if table[MEMORY] > 0:
                _copy(km[t, i, 5 * U :], rows.y[p])
            p += 1
            _copy(d_old[i - r0], d_h[i])
            if masked and not mask[t, i]:
                _add(held[i - r0], d_h[i])
                _add(held_c[i - r0], d_c[i])
        if t > skipped:
            _add_rows(d_read, t - 1 - skipped, d_h, r0, r1)
        if p + n > base + CAPACITY:
            _collect(table, rows, base, p, D)
            p = base
    _collect(table, rows, base, p, D)


@kernel(registry=KERNELS)
def _backward(W, table, call, states, kept, d, D, room, rows, each, first, last):
    """The parts from `first` to `last` of a batch, of `each` rows, backwards; W is packed for it."""
    for part in range(first, last):
        _clear(D[part : part + 1])
        end = min((part + 1) * each, d.h.shape[0])
        for r0 in range(part * each, end, CAPACITY):
            r1 = min(r0 + CAPACITY, end)
            _steps(W, table, call, states, kept, d, D[part], room, rows, part * CAPACITY, r0, r1)
