"""Streams: packed weights, which many streams share, and the working memory of each."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cfc_ref.arrays import Array
from cfc_ref.cells.tree import tree_map
from cfc_ref.kernels import threads
from cfc_ref.kernels.memory import LINE, aligned, own
from cfc_ref.kernels.packed import OUTPUTS, ROOM, STATE, UNITS

if TYPE_CHECKING:
    State = tuple[Array, Array | None]

__all__ = ["Stream", "run"]


class Stream(NamedTuple):
    """A network that takes one sample after the other: ``kernel(packed, table, x, memory, y)``."""

    kernel: Callable[..., bool]
    packed: Array
    table: Array
    paired: bool  # whether a state is a pair (h, c)
    watch: Callable[[float, float], None] | None = None  # takes a part's length and rate beyond the solver's limit

    def tell(self, memory: Array, samples: int) -> None:
        """Call `watch` where a step went beyond the limit: the kernel left length and rate in the room's last line."""
        if self.watch is not None:
            h, rate = found = memory[len(memory) - samples - LINE :][:2]
            if h > 0:
                self.watch(float(h), float(rate))
                found[...] = 0

    def memory(self, streams: int, samples: int) -> Array:
        """Return the working memory of some streams at state 0: states, room to work in, a timespan per sample."""
        memory = aligned((streams * int(self.table[STATE]) + int(self.table[ROOM]) + samples,), self.packed.dtype)
        memory[...] = 0
        return memory

    def state(self, memory: Array, streams: int) -> State:
        """Return the states (h, c) in a working memory, two views of shape (streams, units)."""
        U, size = self.table[UNITS], self.table[STATE]
        states = memory[: streams * size].reshape(streams, size)
        return states[:, :U], states[:, U : 2 * U] if self.paired else None


def run(stream: Stream, x: Array, state: State, dt: Array, mask: Array | None, parts: int) -> tuple[Array, State]:
    """Run a stream over sequences, by at most `parts` threads.

    Shapes: `x` (batch, time, inputs), `dt` and `mask` (batch, time). Returns the outputs, shape (time · batch,
    outputs), and the last state.
    """
    (B, T, _), last = x.shape, tree_map(np.empty_like, state)
    y = np.empty((T, B, int(stream.table[OUTPUTS])), x.dtype)

    def some(first: int, end: int) -> None:
        rows, streams = slice(first, end), end - first
        memory, out = stream.memory(streams, streams * T), y if streams == B else np.empty_like(y[:, rows])
        tree_map(lambda part, own: np.copyto(own, part[rows]), state, stream.state(memory, streams))
        times = dt[rows] if mask is None else np.where(mask[rows], dt[rows], -1)  # -1: no step
        memory[len(memory) - streams * T :] = times.T.reshape(-1)
        stream.kernel(stream.packed, stream.table, own(x[rows].swapaxes(0, 1)).reshape(-1), memory, out.reshape(-1))
        stream.tell(memory, streams * T)
        if out is not y:
            y[:, rows] = out
        tree_map(lambda part, own: np.copyto(part[rows], own), last, stream.state(memory, streams))

    threads.share(some, (), B, parts, B)
    return y.reshape(T * B, y.shape[2]), last
