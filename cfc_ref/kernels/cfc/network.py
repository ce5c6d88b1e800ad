"""Numba twins of :mod:`cfc_ref.cells.cfc.network`: arrays, packed weights, and the work shared out over threads.

Inside, arrays have time first, so that what a step reads and writes lies together.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cfc_ref.arrays import Array
from cfc_ref.cells.tree import made_once
from cfc_ref.kernels import streams, threads
from cfc_ref.kernels.cfc.loops import TILE, SequenceInputs, States, _forward
from cfc_ref.kernels.cfc.loops_back import CAPACITY, Collected, Flows, _backward
from cfc_ref.kernels.cfc.modes import KERNELS
from cfc_ref.kernels.cfc.rows import KeptRows
from cfc_ref.kernels.cfc.streaming import start
from cfc_ref.kernels.cfc.weights import GRADIENT_HEADS, KEPT_BACKBONE, KEPT_HEADS, KEPT_MEMORY, WIDEST, pack, unpack
from cfc_ref.kernels.memory import aligned, aligned_all, own, whole_lines
from cfc_ref.kernels.packed import INPUTS, UNITS

if TYPE_CHECKING:
    import numpy.typing as npt

    from cfc_ref.cells.cfc.cell import CfCSettings, Drop
    from cfc_ref.cells.cfc.network import CfCNetwork, State
    from cfc_ref.cells.dense import Dense

__all__ = ["d_sequence", "sequence", "stream"]

_PARTS, _LEAST_ROWS = 8, 4  # into so many parts a batch is cut for the gradients of its weights, of not fewer rows
_WORTH_A_THREAD = 3_000_000  # multiplications: to hand them over takes as long as to do them, 70 microseconds


class Taped(NamedTuple):
    """Values that the backward needs: x and dt as they were given, the others with time first."""

    table: Array
    span: float | None
    x: Array
    dt: Array
    drop: Array
    states: States
    kept: KeptRows


def sequence(
    params: CfCNetwork,
    x: Array,
    state: State,
    dt: Array,
    mask: Array | None,
    settings: CfCSettings,
    drop: Sequence[Drop] = (),
    *,
    keep: bool,
    timed: bool = True,
) -> tuple[Array, State, Taped | None]:
    """Twin of :func:`cfc_ref.cells.cfc.network.sequence`."""
    B, T, _ = x.shape
    dtype = params.layers[0].ff1.W.dtype
    span = None if timed else _only(dt, mask, settings)
    W, table = _packed(params, settings, timed and keep, False, span)
    firsts, steps = (state[0], _memory(state)), T if keep else 1
    shapes = [(T + 1, *first.shape) for first in firsts]
    shapes += [(steps, B, width) for width in table[[KEPT_BACKBONE, KEPT_HEADS, KEPT_MEMORY]].tolist()]
    h, c, *of_steps = aligned_all(shapes, dtype)
    room = aligned((2, B, whole_lines(table[WIDEST])), dtype)  # by itself, as the tape keeps the others
    h[0], c[0] = firsts
    states, kept = States(h, c), KeptRows(*of_steps)
    call = SequenceInputs(_time_first(x), _time_first(dt), _mask(mask, B), _factors(params, drop, B, dtype))
    threads.share(_forward, (W, table, call, states, kept, room), B, _parts(W, T, B), TILE)
    taped = Taped(table, span, x, dt, call.drop, states, kept) if keep else None
    return h[1:], (h[-1], None if state[1] is None else c[-1]), taped


def d_sequence(
    params: CfCNetwork,
    kept: Taped,
    d_h: Sequence[Array] | Array,
    d_state: State,
    mask: Array | None,
    settings: CfCSettings,
) -> tuple[CfCNetwork, Array, State, Array]:
    """Twin of :func:`cfc_ref.cells.cfc.network.d_sequence`."""
    table, (B, T), dtype = kept.table, kept.dt.shape, kept.x.dtype
    W, _ = _packed(params, settings, False, True, kept.span)
    d_read = _time_first(np.asarray(d_h, dtype).reshape(len(d_h), B, table[UNITS]))  # batch first, as outputs are
    d_first = own(d_state[0] + d_h[-1]) if len(d_h) else d_state[0].copy()  # a sum of Fortran's arrays is one
    threads_worth = _parts(W, T, B)
    each = max(_LEAST_ROWS, -(-B // (_PARTS if threads_worth > 1 else 1)))
    parts = -(-B // each)
    widths = table[[INPUTS, UNITS, UNITS, UNITS, KEPT_BACKBONE, KEPT_BACKBONE, GRADIENT_HEADS, KEPT_MEMORY]]
    widths[-1] = widths[-1] // 6 * 4  # of a, i, f, o, tanh c and the output the first four are maps
    widest = whole_lines(max(table[WIDEST], table[UNITS]))
    shapes = [(parts, W.size), (6, parts * CAPACITY, widest), *((parts * CAPACITY, width) for width in widths)]
    D, room, *of_rows = aligned_all(shapes, dtype)
    d_x = aligned((T, B, table[INPUTS]), dtype)  # by itself, as the caller keeps it
    d = Flows(d_read, d_first, _memory(d_state).copy(), d_x, np.zeros((T, B), dtype))
    call = SequenceInputs(_time_first(kept.x), _time_first(kept.dt), _mask(mask, B), kept.drop)
    arguments = W, table, call, kept.states, kept.kept, d, D, room, Collected(*of_rows), each
    threads.share(_backward, arguments, parts, threads_worth, 1)
    d_params = unpack(params, table, threads.total(D), settings, kept.span)
    return d_params, d.x.swapaxes(0, 1), (d.h, None if d_state[1] is None else d.c), d.dt.T


def stream(
    params: CfCNetwork,
    fc: Dense | None,
    read: slice,
    x: Array,
    state: State,
    dt: Array,
    mask: Array | None,
    settings: CfCSettings,
) -> tuple[Array, State]:
    """Twin of :func:`cfc_ref.cells.cfc.network.stream`."""
    return streams.run(start(params, fc, read, settings), x, state, dt, mask, 1)


def _packed(
    params: CfCNetwork, settings: CfCSettings, timed: bool, backward: bool, span: float | None
) -> tuple[Array, npt.NDArray[np.int64]]:
    """Return a network's weights and table, arranged once."""
    key = "sequence", settings, timed, backward, span
    return made_once(params, key, lambda: pack(params, settings, timed=timed, backward=backward, span=span))


def _memory(state: State) -> Array:
    """Return the memory, without columns where there is none."""
    return state[0][:, :0] if state[1] is None else state[1]


def _only(dt: Array, mask: Array | None, settings: CfCSettings) -> float | None:
    """Return the one timespan of all steps, where there is but one and a gate that it simplifies."""
    if not KERNELS[settings.mode].one_span or not dt.size:
        return None
    first = dt.flat[0 if mask is None else mask.argmax()]
    same = dt == first if mask is None else (dt == first) | ~mask
    return float(first) if same.all() else None


def _time_first(array: Array) -> Array:
    """Return (batch, time, …) as (time, batch, …), or the other way round."""
    return own(array.swapaxes(0, 1))


def _mask(mask: Array | None, batch: int) -> Array:
    return np.empty((0, batch), np.bool_) if mask is None else _time_first(mask)


def _factors(params: CfCNetwork, drop: Sequence[Drop], batch: int, dtype: np.dtype[Any]) -> Array:
    """Return the backbone's dropout factors, its layers side by side; no columns where nothing drops."""
    if not drop:
        return np.empty((1, batch, 0), dtype)
    widths = [layer.W.shape[0] for layer in params.layers[0].backbone]
    factors = np.ones((len(drop), batch, sum(widths)), dtype)
    ends = np.cumsum(widths)
    for t, step in enumerate(drop):
        for m, end, width in zip(step, ends, widths, strict=True):
            if m is not None:
                factors[t, :, end - width : end] = m
    return factors


def _parts(weights: Array, steps: int, batch: int) -> int:
    """Return into how many parts a batch is worth to be cut."""
    return int(weights.size * steps * batch // _WORTH_A_THREAD)
