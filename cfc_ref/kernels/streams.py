"""Streams: packed weights, which many streams share, and the working memory of each."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cfc_ref.arrays import Array
from cfc_ref.cells.tree import tree_map
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


def run(stream: Stream, x: Array, state: State, dt: Array, mask: Array | None) -> tuple[Array, State]:
    """Run a stream over one sequence; return the outputs, and the last state."""
    T = len(x)
    memory, y = stream.memory(1, T), np.empty((T, stream.table[OUTPUTS]), x.dtype)
    last = stream.state(memory, 1)
    tree_map(np.copyto, last, state)
    memory[len(memory) - T :] = dt if mask is None else np.where(mask, dt, -1)  # -1: no step
    stream.kernel(stream.packed, stream.table, own(x).reshape(-1), memory, y.reshape(-1))
    stream.tell(memory, T)
    return y, tree_map(np.array, last)
