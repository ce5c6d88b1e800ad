"""How a kernel of a stream is called like its specification, and by a stepper."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cfc_ref.cells.tree import tree_map
from cfc_ref.kernels.memory import own
from cfc_ref.kernels.packed import OUTPUTS, STATE, UNITS

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]
    State = tuple[Array, Array | None]

__all__ = ["Stream", "StreamTwin"]


class Stream(NamedTuple):
    """A network that takes one sample after the other: ``kernel(packed, table, x, dt, y)``."""

    kernel: Callable[..., bool]
    packed: Array
    table: Array
    memory: bool

    @property
    def state(self) -> State:
        """The state (h, c), shapes (1, units): parts of `packed`."""
        U, start = self.table[UNITS], self.table[STATE]
        h, c = self.packed[start : start + 2 * U].reshape(2, 1, U)
        return h, c if self.memory else None


class StreamTwin:
    """Gives a kernel the arguments of its specification; for each kind of network a class of its own."""

    def __init__(self, kernel: Callable[..., bool]) -> None:
        self._kernel = kernel

    def start(self, params: Any, readout: Any, read: slice, form: Any) -> Stream:
        """Return the network from the state 0 on."""
        raise NotImplementedError

    def __call__(
        self, params: Any, readout: Any, read: slice, x: Array, state: State, dt: Array, mask: Array | None, form: Any
    ) -> tuple[Array, State]:
        """Run over one sequence."""
        stream = self.start(params, readout, read, form)
        tree_map(np.copyto, stream.state, state)
        y = np.empty((len(x), stream.table[OUTPUTS]), x.dtype)
        steps = own(dt if mask is None else np.where(mask, dt, -1), x.dtype)  # -1: no step
        stream.kernel(stream.packed, stream.table, own(x).reshape(-1), steps, y.reshape(-1))
        return y, tree_map(np.array, stream.state)
