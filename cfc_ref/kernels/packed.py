r"""Weights as a kernel takes them: all in one flat array, and a table of whole numbers that says where.

A kernel that is called with a row of arrays, or a NamedTuple of them, takes longer to be called than to do a step. Each
linear map is stored inputs first, (inputs, outputs), so that the inner loop of a product runs along the outputs, and
its bias follows it. For the backward the same maps are at the same places as (outputs, inputs), those that read two
things, [I, x], in two blocks, one for each.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from cfc_ref.arrays import Array
from cfc_ref.kernels.memory import aligned, whole_lines

__all__: list[str] = []

SILU, RELU, TANH, GELU, LECUN_TANH, LINEAR = range(6)
ACTIVATION_IDS = {"silu": SILU, "relu": RELU, "tanh": TANH, "gelu": GELU, "lecun_tanh": LECUN_TANH, "linear": LINEAR}

# Places at the head of a table, what networks of all kinds have: sizes; for a stream the neurons that are read, their
# number, that of the outputs and their map; and of its working memory the lengths of a state, h and c one after the
# other, and of the room to work in.
INPUTS, UNITS, READ, READS, OUTPUTS, FC, STATE, ROOM = range(8)
HEAD = 8


class Weights:
    """A flat array in the making: arrays, each at a whole cache line."""

    def __init__(self, backward: bool = False) -> None:
        self._chunks: list[tuple[int, Array]] = []
        self._end = 0
        self._backward = backward

    def place(self, *arrays: Array) -> int:
        """Put arrays one behind the other, and return where."""
        start = self._end = whole_lines(self._end)
        for array in arrays:
            self._chunks.append((self._end, array.reshape(-1)))
            self._end += array.size
        return start

    def linear(self, W: Any, b: Any, first: int = 0) -> int:
        """Put a linear map; `first`: how many of its inputs are a block of their own."""
        return self.place(W[:, :first], W[:, first:], b) if self._backward else self.place(W.T, b)

    def array(self, dtype: np.dtype[Any]) -> Array:
        """Return them all."""
        weights = aligned((self._end,), dtype)
        weights[...] = 0  # equal weights are equal arrays, gaps included
        for start, chunk in self._chunks:
            weights[start : start + chunk.size] = chunk
        return weights
