"""Synaptic LTC networks over sequences: compiled twins of :mod:`cfc_ref.cells.ltc.network`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from cfc_ref.arrays import Array
from cfc_ref.cells.ltc.network import LTCSettings, ODENetwork, Readout, State
from cfc_ref.cells.ode import parts_of
from cfc_ref.cells.tree import made_once
from cfc_ref.kernels import threads
from cfc_ref.kernels.ltc.loops import BackRoom, Room, StageTape, Steps, Sums, _backward, _forward, how
from cfc_ref.kernels.ltc.packed import SCRATCH, Packed, pack, unpack
from cfc_ref.kernels.ltc.streaming import start
from cfc_ref.kernels.ltc.sums import ROWS
from cfc_ref.kernels.memory import aligned, aligned_all, own
from cfc_ref.kernels.streams import run

__all__ = ["Kept", "d_sequence", "sequence", "stream"]

_SHARES = 8  # a batch has at most so many shares for the gradients of its parameters
_MANY = 4 * ROWS  # rows of a batch from which on its blocks are twice as long: a quarter less time for their sums
_WORTH_A_THREAD = 20_000  # releases: for fewer, handing them to another thread takes longer than computing them


class Kept(NamedTuple):
    """The arrays of a forward that its backward needs."""

    packed: Packed
    steps: Steps
    tape: StageTape


def sequence(
    params: ODENetwork, x: Array, state: State, dt: Array, mask: Array | None, settings: LTCSettings, *, keep: bool
) -> tuple[Array, State, Kept | None]:
    """Twin of :func:`cfc_ref.cells.ltc.network.sequence`."""
    (B, T, F), U, dtype = x.shape, state[0].shape[1], params.cell.w.dtype
    numbers = how(settings)
    epsilon, boxed = settings.epsilon, numbers.boxed
    packed = made_once(params, ("sequence", epsilon, boxed), lambda: pack(params, epsilon, boxed))
    counts, length = parts_of(settings.scheme, dt)
    steps = Steps(own(x), own(length), own(counts if mask is None else np.where(mask, counts, 0), np.int64))
    rows = ROWS if B < _MANY else 2 * ROWS
    blocks = -(-B // rows)
    tape = _tape(steps.counts, U, numbers.stages, rows, dtype, keep)
    h, first = aligned((T, B, U), dtype), own(state[0])
    shapes = (F, 1), (U,), (U, 3), (3,), (SCRATCH,)
    room = Room(*aligned_all([(blocks, *shape, rows) for shape in shapes], dtype))
    arguments = packed, numbers, steps, first, h, tape, room
    threads.share(_forward, arguments, blocks, _worth(packed, steps), 1)
    return h, (h[-1] if T else first, None), Kept(packed, steps, tape) if keep else None


def _tape(counts: Array, units: int, stages: int, rows: int, dtype: np.dtype[Any], keep: bool) -> StageTape:
    """Return memory for the parts of all steps, or for one part of each block."""
    (B, T), blocks = counts.shape, -(-len(counts) // rows)
    places, parts = np.repeat(np.arange(blocks)[:, None], T, axis=1), blocks
    if keep:
        most = np.maximum.reduceat(counts, np.arange(0, B, rows)) if B else np.zeros((0, T), np.int64)
        ends = np.cumsum(most).reshape(blocks, T)
        places, parts = ends - most, int(most.sum())
    return StageTape(aligned((parts, units, 3 * stages, rows), dtype), places, keep)


def d_sequence(
    params: ODENetwork,
    kept: Kept,
    d_h: Sequence[Array] | Array,
    d_state: State,
    mask: Array | None,
    settings: LTCSettings,
) -> tuple[ODENetwork, Array, State, Array]:
    """Twin of :func:`cfc_ref.cells.ltc.network.d_sequence`."""
    packed, steps, tape = kept
    (B, _, F), U, dtype = steps.x.shape, len(packed.neurons), steps.x.dtype
    d_read = own(np.asarray(d_h, dtype).reshape(len(d_h), B, U))
    d_first, d_x, d_dt = np.array(d_state[0], dtype, order="C"), np.empty_like(steps.x), np.empty_like(steps.h)
    shares, rows = min(len(tape.places), _SHARES), tape.parts.shape[-1]
    numbers = how(settings)
    shapes = (F, 1), (F, 1), (U,), (U, 3 * numbers.stages), (U, 3), (U,), (3,), (2,), (SCRATCH,)
    room = BackRoom(*aligned_all([(shares, *shape, rows) for shape in shapes], dtype))
    tables = packed.neurons[:, :3], packed.synapses[:, :4], packed.sensory[:, :4], packed.maps
    sums = Sums(*aligned_all([(shares, *table.shape) for table in tables], dtype))
    arguments = packed, numbers, steps, tape, d_read, d_first, (d_x, d_dt), room, sums
    threads.share(_backward, arguments, shares, _worth(packed, steps), 1)
    d_params = unpack(params, *(of_shares.sum(axis=0) for of_shares in sums))
    return d_params, d_x, (d_first, None), d_dt


def _worth(packed: Packed, steps: Steps) -> int:
    """Return how many threads a batch is worth."""
    return int(steps.counts.sum() * len(packed.ends) + steps.h.size * len(packed.sensory_ends)) // _WORTH_A_THREAD


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
    return run(start(params, readout, read, settings), x, state, dt, mask)
