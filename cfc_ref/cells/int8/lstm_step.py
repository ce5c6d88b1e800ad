"""The int8 step of the mixed memory, :mod:`cfc_ref.cells.lstm`: the specification of what generated C computes."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from cfc_ref.arrays import Array
from cfc_ref.cells.dense import Dense
from cfc_ref.cells.int8.numbers import (
    ACTIVATIONS_8,
    ONE,
    UNIT,
    Grid,
    Rounder,
    Rows8,
    joined,
    quantise_rows,
    rounder,
    sigmoid_8,
)
from cfc_ref.cells.lstm import LSTMParams

__all__ = ["Memory8", "memory_step_8", "quantise_memory"]


class Memory8(NamedTuple):
    """The mixed memory: gates of [I, x], a memory of 32 bits, and the grid of its output."""

    map: Rows8
    round: Rounder
    grid: Grid


def memory_step_8(memory: Memory8, v: Array, c: Any) -> tuple[Array, Array]:
    """Return the LSTM's output, in units of 2⁻²⁸, and its memory, in units of 2⁻¹⁶."""
    a, i, f, o = np.split(memory.map.argument(v), 4, axis=1)
    tanh = ACTIVATIONS_8["tanh"].function
    c = ((sigmoid_8(f) * c) >> 14) + ((sigmoid_8(i) * tanh(a)) >> 12)
    c = np.clip(c, -(1 << 30), 1 << 30)
    return sigmoid_8(o) * tanh(c >> 3), c


def quantise_memory(lstm: LSTMParams, inputs: Grid, states: Grid, forget_bias: float) -> Memory8:
    """Return the mixed memory; its output is rounded to the states' grid."""
    units, gain = len(lstm.recurrent_map.W) // 4, ACTIVATIONS_8["tanh"].gain
    W = np.concatenate([lstm.input_map.W, lstm.recurrent_map.W], axis=1)
    b = lstm.input_map.b + np.repeat([0, 0, forget_bias, 0], units)
    rows = quantise_rows(Dense(W, b), joined(inputs, states), UNIT * np.repeat([gain, 1, 1, 1], units))
    return Memory8(rows, rounder(states, 1 / ONE**2), states)
