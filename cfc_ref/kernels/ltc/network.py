"""LTC networks over sequences: compiled twins of :mod:`cfc_ref.cells.ltc.network`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from cfc_ref.arrays import Array
from cfc_ref.cells.dense import Dense
from cfc_ref.cells.lstm import LSTMParams
from cfc_ref.cells.ltc.network import LTCSettings, ODENetwork, Readout, State
from cfc_ref.cells.ode import parts_of
from cfc_ref.cells.solvers import SOLVERS
from cfc_ref.cells.tree import made_once
from cfc_ref.kernels import threads
from cfc_ref.kernels.ltc.blocks import Steps
from cfc_ref.kernels.ltc.cells import packed_of, releases
from cfc_ref.kernels.ltc.looks import Arranged, arranged_for, room_for_tiles, sizes_of_sums, unpacked
from cfc_ref.kernels.ltc.loops import BackRoom, Room, StageTape, Sums, _backward, _forward, how
from cfc_ref.kernels.ltc.mixed import BackMemory, Memory
from cfc_ref.kernels.ltc.packed import D_B, SCRATCH, Packed
from cfc_ref.kernels.ltc.streaming import start
from cfc_ref.kernels.memory import aligned_all, own
from cfc_ref.kernels.packed import Weights
from cfc_ref.kernels.streams import run

__all__ = ["Kept", "d_sequence", "sequence", "stream"]

_SHARES = 8  # a batch has at most so many shares for the gradients of its parameters
_WORTH_A_THREAD = 200_000  # releases: to hand them over takes as long as to compute them, 70 microseconds


class Kept(NamedTuple):
    """The arrays of a forward that its backward needs."""

    arranged: Arranged
    steps: Steps
    tape: StageTape
    h: Array
    memory: Memory


def sequence(
    params: ODENetwork, x: Array, state: State, dt: Array, mask: Array | None, settings: LTCSettings, *, keep: bool
) -> tuple[Array, State, Kept | None]:
    """Twin of :func:`cfc_ref.cells.ltc.network.sequence`."""
    (B, T, F), U = x.shape, state[0].shape[1]
    numbers, arranged = how(settings.solver), arranged_for(params, settings, B)
    packed, tables, rows = arranged.packed, arranged.tables, arranged.rows
    counts, length = parts_of(settings.scheme, dt)
    steps = Steps(own(x), own(length), own(counts if mask is None else np.where(mask, counts, 0), np.int64))
    blocks, places, parts = _places(steps.counts, rows, keep)
    M, size = 0 if state[1] is None else U, tables.neurons.shape[1]
    shapes = [(T + 1, B, U), (T + 1, B, M), (T if keep else 1, B, 6 * M), (parts, 3 * numbers.stages, size)]
    shapes += [
        (blocks, *shape) for shape in (arranged.shape(F), (size,), (3, size), (3, size), (2, rows), (SCRATCH, size))
    ]
    h, c, values, of_parts, *room = aligned_all(shapes, packed.neurons.dtype)
    h[0] = state[0]
    tape, memory = StageTape(of_parts, places, keep), Memory(*_memory(params, steps, state[1]), c, values)
    c[0] = 0 if state[1] is None else state[1]
    worst = np.zeros((blocks, T if _may_overstep(params, steps, settings) else 0, 2), h.dtype)
    arguments = tables, numbers, steps, h, tape, Room(*room), memory, worst
    threads.share(_forward, arguments, blocks, _worth(packed, steps), 1)
    _tell(worst, settings)
    last = h[-1], None if params.lstm is None else memory.c[-1]
    return h[1:], last, Kept(arranged, steps, tape, h, memory) if keep else None


def _memory(params: ODENetwork, steps: Steps, first: Array | None) -> tuple[Array, Array]:
    """Return the map of the mixed memory and its inputs; arrays without entries if the network has none."""
    if first is None:
        return np.empty(0, steps.x.dtype), np.empty((0, len(steps.x), 0), steps.x.dtype)
    x = np.where(steps.counts[..., None] > 0, steps.x, 0)
    return _lstm_map(params, False, x.dtype), own(x.swapaxes(0, 1), steps.x.dtype)


def _lstm_map(params: ODENetwork, backward: bool, dtype: np.dtype[Any]) -> Array:
    """Return the map of the mixed memory, arranged once."""
    lstm: Any = params.lstm

    def made() -> Array:
        weights = Weights(backward)
        weights.lstm(lstm, 1.0)
        return weights.array(dtype)

    return np.asarray(made_once(params, ("memory", backward), made))


def _may_overstep(params: ODENetwork, steps: Steps, settings: LTCSettings) -> bool:
    """Say whether some part may leave the solver's stability region, and somebody asks."""
    if settings.watch is None or not steps.h.size:
        return False
    fastest = settings.scheme.equation.fastest(params.cell)
    return bool(steps.h.max() * fastest.max() > SOLVERS[settings.solver].limit)


def _tell(worst: Array, settings: LTCSettings) -> None:
    """Call `watch` with the part of the first step that left the stability region."""
    if settings.watch is None or not worst.size:
        return
    h, rate = np.moveaxis(worst.astype(np.float64), 2, 0)
    over = (h * rate > SOLVERS[settings.solver].limit).any(axis=0)
    if over.any():
        t = int(over.argmax())
        block = int((h * rate)[:, t].argmax())
        settings.watch(float(h[block, t]), float(rate[block, t]))


def _places(counts: Array, rows: int, keep: bool) -> tuple[int, Array, int]:
    """Return the number of blocks, the place of the first part of each and of each step, and that of all parts."""
    (B, T), blocks = counts.shape, -(-len(counts) // rows)
    if not keep:
        places = np.empty((blocks, T), np.int64)
        places[...] = np.arange(blocks)[:, None]
        return blocks, places, blocks
    most = np.maximum.reduceat(counts, np.arange(0, B, rows)) if B else np.zeros((0, T), np.int64)
    ends = np.cumsum(most).reshape(blocks, T)
    return blocks, ends - most, int(most.sum())


def d_sequence(
    params: ODENetwork,
    kept: Kept,
    d_h: Sequence[Array] | Array,
    d_state: State,
    mask: Array | None,
    settings: LTCSettings,
) -> tuple[ODENetwork, Array, State, Array]:
    """Twin of :func:`cfc_ref.cells.ltc.network.d_sequence`."""
    arranged, steps, tape, h, memory = kept
    packed, tables, rows = arranged.packed, arranged.tables, arranged.rows
    (B, _, F), U, dtype = steps.x.shape, len(packed.neurons), steps.x.dtype
    d_read = own(np.asarray(d_h, dtype).reshape(len(d_h), B, U))
    d_first, d_x, d_dt = np.array(d_state[0], dtype, order="C"), np.empty_like(steps.x), np.empty_like(steps.h)
    shares, numbers, size = min(len(tape.places), _SHARES), how(settings.solver), tables.neurons.shape[1]
    inputs, lengths, vectors = arranged.shape(F), (2, rows), (3, size)
    shapes: list[tuple[int, ...]] = [inputs, inputs, vectors, (size,), (3 * numbers.stages, size), vectors, vectors]
    shapes += [(2, size), lengths, (SCRATCH, size), (room_for_tiles(tables, U, F),), (D_B + 1, size)]
    summed = (D_B + 1, U), *((size,) for size in sizes_of_sums(arranged)), packed.maps.shape
    arrays = aligned_all([(shares, *shape) for shape in (*shapes, *summed)], dtype)
    room, sums = BackRoom(*arrays[: len(shapes)]), Sums(*arrays[len(shapes) :])
    d_memory = _d_memory(params, memory, d_state[1], shares, rows)
    arguments = tables, numbers, steps, tape, d_read, d_first, (d_x, d_dt), room, sums, d_memory
    threads.share(_backward, arguments, shares, _worth(packed, steps), 1)
    d_params = unpacked(params, arranged, Sums(*map(threads.total, sums)))
    if params.lstm is None:
        return d_params, d_x, (d_first, None), d_dt
    return d_params._replace(lstm=_d_lstm_map(d_memory, h)), d_x, (d_first, d_memory.d_c), d_dt


def _d_memory(params: ODENetwork, memory: Memory, d_c: Array | None, shares: int, rows: int) -> BackMemory:
    """Return the mixed memory for the backward, and room for it."""
    (T, B, F), U, dtype = memory.x.shape, memory.c.shape[2], memory.x.dtype
    if d_c is None:
        return BackMemory(*memory, *_no_room(dtype))
    room = aligned_all([(T, B, 4 * U), (shares, U), (shares, rows, F), (shares, rows, U)], dtype)
    return BackMemory(_lstm_map(params, True, dtype), *memory[1:], np.array(d_c, dtype, order="C"), *room)


@cache
def _no_room(dtype: np.dtype[Any]) -> list[Array]:
    """Return the room of a network without a mixed memory."""
    return [np.empty((0,) * dimensions, dtype) for dimensions in (2, 3, 2, 3, 3)]


def _d_lstm_map(memory: BackMemory, h: Array) -> LSTMParams:
    """Return the gradients of the mixed memory's map, from states h after each step."""
    G, x, before = (part.reshape(-1, part.shape[2]) for part in (memory.G, memory.x, h[:-1]))
    return LSTMParams(Dense(G.T @ x, G.sum(axis=0)), Dense(G.T @ before, None))


def _worth(packed: Packed, steps: Steps) -> int:
    """Return how many threads a batch is worth."""
    of_part, of_step = releases(packed)
    return int(steps.counts.sum() * of_part + steps.h.size * of_step) // _WORTH_A_THREAD


def stream(
    params: ODENetwork,
    readout: Readout,
    read: slice,
    x: Array,
    state: State,
    dt: Array,
    mask: Array | None,
    settings: LTCSettings,
) -> tuple[Array, State]:
    """Twin of :func:`cfc_ref.cells.ltc.network.stream`."""
    worth = dt.size * sum(releases(packed_of(params, settings))) * max(settings.parts, 1) // _WORTH_A_THREAD
    return run(start(params, readout, read, settings), x, state, dt, mask, int(worth))
