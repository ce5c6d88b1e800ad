"""Synaptic LTC networks over sequences: compiled twins of :mod:`cfc_ref.cells.ltc.network`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cfc_ref.cells.ltc.network import LTCSettings, ODENetwork, Readout, State
from cfc_ref.kernels import threads
from cfc_ref.kernels.ltc.loops import BackRoom, Room, Steps, Sums, _backward, _forward, how
from cfc_ref.kernels.ltc.packed import Packed, pack, unpack
from cfc_ref.kernels.ltc.streaming import start
from cfc_ref.kernels.ltc.sums import ROWS
from cfc_ref.kernels.memory import aligned, own
from cfc_ref.kernels.streams import run

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]

__all__ = ["Kept", "d_sequence", "sequence", "stream"]

_SHARES = 8  # a batch has at most so many shares for the gradients of its parameters
_MANY = 4 * ROWS  # rows of a batch from which on its blocks are twice as long: a quarter less time for their sums
_ROOM = 8  # rows that a solver's backward of a stage may use
_WORTH_A_THREAD = 20_000  # releases: for fewer, handing them to another thread takes longer than computing them


class Kept(NamedTuple):
    """The arrays of a forward that its backward needs."""

    packed: Packed
    steps: Steps
    parts: Array


def sequence(
    params: ODENetwork, x: Array, state: State, dt: Array, mask: Array | None, settings: LTCSettings, *, keep: bool
) -> tuple[Array, State, Kept | None]:
    """Twin of :func:`cfc_ref.cells.ltc.network.sequence`."""
    (B, T, F), U, dtype = x.shape, state[0].shape[1], params.cell.w.dtype
    packed = pack(params, settings.epsilon)
    steps = Steps(own(x), own(dt), np.empty((0, T), np.bool_) if mask is None else own(mask))
    rows = ROWS if B < _MANY else 2 * ROWS
    numbers, blocks = how(settings), -(-B // rows)
    kept = aligned((blocks, *((T, numbers.parts) if keep else (1, 1)), U, 3 * numbers.stages, rows), dtype)
    h, first = aligned((T, B, U), dtype), own(state[0])
    room = Room(*(aligned((blocks, *shape, rows), dtype) for shape in ((F, 1), (U,), (U, 3), ())))
    arguments = packed, numbers, steps, first, h, kept, room
    threads.share(_forward, arguments, blocks, _worth(packed, settings, B * T), 1)
    return h, (h[-1] if T else first, None), Kept(packed, steps, kept) if keep else None


def d_sequence(
    params: ODENetwork,
    kept: Kept,
    d_h: Sequence[Array] | Array,
    d_state: State,
    mask: Array | None,
    settings: LTCSettings,
) -> tuple[ODENetwork, Array, State, Array]:
    """Twin of :func:`cfc_ref.cells.ltc.network.d_sequence`."""
    packed, steps, parts = kept
    (B, _, F), U, dtype = steps.x.shape, len(packed.neurons), steps.x.dtype
    d_read = own(np.asarray(d_h, dtype).reshape(len(d_h), B, U))
    d_first, d_x, d_dt = np.array(d_state[0], dtype, order="C"), np.empty_like(steps.x), np.empty_like(steps.dt)
    shares, rows = min(len(parts), _SHARES), parts.shape[-1]
    numbers = how(settings)
    shapes = (F, 1), (F, 1), (U,), (U, 3 * numbers.stages), (U, 3), (U,), (), (1,), (_ROOM,)
    room = BackRoom(*(aligned((shares, *shape, rows), dtype) for shape in shapes))
    tables = packed.neurons, packed.synapses[:, :4], packed.sensory[:, :4], packed.maps
    sums = Sums(*(aligned((shares, *table.shape), dtype) for table in tables))
    arguments = packed, numbers, steps, parts, d_read, d_first, (d_x, d_dt), room, sums
    threads.share(_backward, arguments, shares, _worth(packed, settings, steps.dt.size), 1)
    d_params = unpack(params, *(of_shares.sum(axis=0) for of_shares in sums))
    return d_params, d_x, (d_first, None), d_dt


def _worth(packed: Packed, settings: LTCSettings, steps: int) -> int:
    """Return how many threads a batch is worth."""
    return steps * (settings.parts * len(packed.ends) + len(packed.sensory_ends)) // _WORTH_A_THREAD


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
