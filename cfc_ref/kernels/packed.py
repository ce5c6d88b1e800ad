r"""Weights as a kernel takes them: all in one flat array, and a table of whole numbers that says where.

A kernel that is called with a row of arrays, or a NamedTuple of them, takes longer to be called than to do a step. Each
linear map is stored inputs first, (inputs, outputs), in panels (:mod:`cfc_ref.kernels.tile`), and its bias follows it.
For the backward the same maps are at the same places as (outputs, inputs), those that read two things, [I, x], in two
blocks, one for each.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from cfc_ref.arrays import Array
from cfc_ref.cells.lstm import LSTMParams
from cfc_ref.kernels.memory import PANEL_BYTES, aligned, whole_lines

__all__: list[str] = []

SILU, RELU, TANH, GELU, LECUN_TANH, LINEAR = range(6)
ACTIVATION_IDS = {"silu": SILU, "relu": RELU, "tanh": TANH, "gelu": GELU, "lecun_tanh": LECUN_TANH, "linear": LINEAR}

# Places at the head of a table, what networks of all kinds have: sizes; for a stream the neurons that are read, their
# number, that of the outputs and their map; and of its working memory the lengths of a state, h and c one after the
# other, and of the room to work in.
INPUTS, UNITS, READ, READS, OUTPUTS, FC, STATE, ROOM = range(8)
HEAD = 8


class Weights:
    """Collects arrays for one flat array, in which each begins at a cache line."""

    def __init__(self, backward: bool = False) -> None:
        self._chunks: list[tuple[int, Array]] = []
        self._end = 0
        self._backward = backward

    def place(self, *arrays: Array) -> int:
        """Append arrays, one directly after the other, and return the place of the first."""
        start = self._end = whole_lines(self._end)
        for array in arrays:
            self._chunks.append((self._end, array.reshape(-1)))
            self._end += array.size
        return start

    def linear(self, W: Any, b: Any, first: int = 0) -> int:
        """Put a linear map; `first`: how many of its inputs are a block of their own."""
        (outputs, inputs), panel = W.shape, PANEL_BYTES // W.itemsize
        blocks = [in_panels(W[:, :first]), in_panels(W[:, first:])] if self._backward else [in_panels(W.T), b]
        start = self.place(*blocks)
        columns, d_columns = -(-outputs // panel), -(-first // panel) - (first - inputs) // panel
        self._end = start + panel * max((inputs + 1) * columns, outputs * d_columns)  # of the larger of the two
        return start

    def lstm(self, params: LSTMParams, forget_bias: float) -> int:
        """Put the map of a mixed memory, its forget bias included."""
        (W, b), R = params.input_map, params.recurrent_map.W
        bias = b + np.repeat(np.array([0, 0, forget_bias, 0], W.dtype), R.shape[1])
        return self.linear(np.concatenate([W, R], axis=1), bias, W.shape[1])

    def array(self, dtype: np.dtype[Any]) -> Array:
        """Return the flat array."""
        weights = aligned((self._end,), dtype)
        weights[...] = 0  # equal weights are equal arrays, gaps included
        for start, chunk in self._chunks:
            weights[start : start + chunk.size] = chunk
        return weights


def in_panels(M: Array) -> Array:
    """Return a matrix (K, N) in panels, shape (panels, K, columns of a panel), with zeros beyond its last column."""
    K, N = M.shape
    panel = PANEL_BYTES // M.itemsize
    whole, rest = divmod(N, panel)
    panels = np.zeros((whole + (rest > 0), K, panel), M.dtype)
    panels[:whole] = M[:, : whole * panel].reshape(K, whole, panel).swapaxes(0, 1)
    if rest:
        panels[whole, :, :rest] = M[:, whole * panel :]
    return panels


def linear_at(flat: Array, start: int, inputs: int, outputs: int) -> tuple[Array, Array]:
    """Return the map that :meth:`Weights.linear` has put at `start`: copies of W (outputs, inputs) and of b."""
    panel = PANEL_BYTES // flat.itemsize
    columns = -(-outputs // panel) * panel
    end = start + inputs * columns
    W = flat[start:end].reshape(-1, inputs, panel).swapaxes(1, 2).reshape(columns, inputs)
    return W[:outputs], flat[end : end + outputs].copy()
