r"""Numbers of int8 networks, and functions of them by tables: the specification of what generated C computes.

An int8 number q means centre + step · q, \|q\| <= 127. Sums of products are int32. An argument of σ, tanh or exp is an
integer in units of 2⁻¹², a value of them in units of 2⁻¹⁴. Integers meet floats in single products only, which are cut
to integers: C and NumPy then agree in every bit, whatever a compiler fuses.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from cfc_ref import checks
from cfc_ref.arrays import Array
from cfc_ref.cells.dense import Dense

__all__ = [
    "ACTIVATIONS_8",
    "DECAY_ERROR",
    "MOST",
    "NORMAL_ERROR",
    "ONE",
    "SIGMOID_ERROR",
    "TABLES",
    "UNIT",
    "Activation8",
    "Grid",
    "Rounder",
    "Rows8",
    "as_int",
    "decay",
    "effective_rows",
    "fits",
    "grid_of",
    "joined",
    "moved_by",
    "over_time",
    "quantise_rows",
    "rounder",
    "sigmoid_8",
    "to_int8",
]

MOST = 127  # of an int8 number
ONE = 1 << 14  # the value 1
UNIT = 1 << 12  # the argument 1
FINE = 256  # parts of a step, to which a number is computed before it is rounded to steps
LARGEST = 1 << 30  # where floats are cut before they become int32

# --- numbers


class Grid(NamedTuple):
    """Real numbers of int8: centre + step · q; shape (n,) each."""

    centre: Array
    step: Array

    def real(self, q: Array) -> Array:
        """Return the real numbers."""
        return self.centre + self.step * q

    def nearest(self, value: Any) -> Array:
        """Return the int8 numbers that are nearest."""
        return np.clip(np.rint((value - self.centre) / self.step), -MOST, MOST).astype(np.int64)

    @property
    def ends(self) -> tuple[Array, Array]:
        """The lowest and the highest number."""
        return self.centre - MOST * self.step, self.centre + MOST * self.step


def grid_of(low: Any, high: Any) -> Grid:
    """Return the grid that reaches from low to high, shape (n,) each; one that is too narrow for 32 bits is widened."""
    low, high = np.asarray(low, np.float64), np.asarray(high, np.float64)
    centre = (low + high) / 2
    return Grid(centre, np.maximum((high - low) / 2, 2.0**-14 * (2.0**-6 + np.abs(centre))) / MOST)


def joined(*grids: Grid) -> Grid:
    """Return the grid of numbers one after another."""
    return Grid(*(np.concatenate(parts) for parts in zip(*grids, strict=True)))


class Rounder(NamedTuple):
    """Factors and offsets that bring numbers to int8: q = round((factor · X - offset) / 256)."""

    factor: Array  # float32, shape (n,)
    offset: Array  # integers, shape (n,)


def rounder(grid: Grid, unit: Any = 1.0, shift: Any = 0.0) -> Rounder:
    """Return what brings X to a grid, where X means shift + unit · X."""
    return moved_by(FINE * np.asarray(unit) / grid.step, FINE * (grid.centre - shift) / grid.step)


def moved_by(factor: Array, offset: Array) -> Rounder:
    """Return a rounder; refuse offsets that are too large for 32 bits."""
    if not np.max(np.abs(offset), initial=0) < LARGEST / 2:
        got, do = "an input map whose offset is too large for its range", "subtract the offset from the data"
        checks.refuse("model", got, "offsets that 32 bits hold", f"{do}, or export in float32")
    return Rounder(factor.astype(np.float32), np.rint(offset).astype(np.int64))


def as_int(v: Array) -> Array:
    """Cut floats to integers, towards 0."""
    return np.trunc(np.clip(v, -LARGEST, LARGEST)).astype(np.int64)


def to_int8(n: Array) -> Array:
    """Round numbers in 1/256 of a step to steps."""
    return np.clip((n + FINE // 2) >> 8, -MOST, MOST)


def rounded(to: Rounder, X: Array) -> Array:
    """Return int8 numbers of X."""
    with np.errstate(over="ignore"):
        return to_int8(as_int(to.factor * X.astype(np.float32)) - to.offset)


# --- linear maps


class Rows8(NamedTuple):
    """A linear map in int8: the argument z = scale · (W q + b), cut to an integer."""

    W: Array  # int8, shape (rows, columns)
    b: Array  # int32, shape (rows,)
    scale: Array  # float32, shape (rows,)
    b_minus: Array  # int32: b of the map of -u, whose numbers are -q

    def argument(self, q: Array, *, minus: bool = False) -> Array:
        """Return z of q, shape (batch, columns); with `minus` of the numbers' negatives."""
        sums = self.b_minus - q @ self.W.T if minus else q @ self.W.T + self.b
        return as_int(self.scale * sums.astype(np.float32))


def quantise_rows(params: Dense, u: Grid, unit: Any) -> Rows8:
    """Return a map of numbers of a grid; z is in units of 1/`unit`."""
    W = params.W.astype(np.float64)
    at_0, moved = np.zeros(len(W)) if params.b is None else params.b.astype(np.float64), W @ u.centre
    W = W * u.step
    both = np.stack([at_0 + moved, at_0 - moved])
    most = np.maximum(np.abs(W).max(axis=1, initial=0) / MOST, np.abs(both).max(axis=0) / (LARGEST / 4))
    scale = (np.maximum(most, 1e-30) * unit).astype(np.float32)
    step = scale.astype(np.float64) / unit
    b, b_minus = np.rint(both / step).astype(np.int64)
    q = np.clip(np.rint(W / step[:, None]), -MOST, MOST).astype(np.int64)
    sums = MOST * np.abs(q).sum(axis=1) + np.abs([b, b_minus]).max(axis=0)
    if np.max(sums, initial=0) >= 1 << 31:  # at most 127 · 127 per column, next to 2^28 of b: from 116,501 columns on
        got, do = (
            f"a linear map of {W.shape[1]:,} columns, whose sums exceed 32 bits",
            "use fewer, or export in float32",
        )
        checks.refuse("model", got, "at most some 116,000 columns", do)
    fits(scale * sums)
    return Rows8(q, b, scale, b_minus)


def fits(arguments: Array) -> None:
    """Refuse a network whose arguments are too large for 32 bits."""
    if not np.max(np.abs(arguments), initial=0) < LARGEST / 2:
        largest = f"{LARGEST // 2 // UNIT:,}"
        got = f"weights that make arguments of σ or tanh above {largest}"
        checks.refuse("model", got, "arguments that 32 bits hold", "train with weight decay, or export in float32")


def effective_rows(rows: Rows8, u: Grid, unit: Any, *, minus: bool = False) -> Dense:
    """Return the real map that int8 rows are, but for what is cut."""
    step = rows.scale.astype(np.float64) / unit
    W = rows.W * step[:, None] / u.step
    return Dense(W, rows.b_minus * step + W @ u.centre if minus else rows.b * step - W @ u.centre)


# --- functions

_STEP = 256  # arguments from one entry of a table to the next
_LAST = 256  # entry: the argument 16


def _table(function: Callable[[float], float]) -> Array:
    return np.rint([ONE * function(_STEP * k / UNIT) for k in range(_LAST + 1)]).astype(np.int64)


TABLES = {
    "sigmoid": _table(lambda z: 1 / (1 + math.exp(-z))),
    "normal": _table(lambda z: math.erfc(-z / math.sqrt(2)) / 2),
    "decay": _table(lambda z: math.exp(-z)),
}
_CURVED = (_STEP / UNIT) ** 2 / 8  # a chord's error, of the largest second derivative
_CUT = 1.5 / ONE  # an entry's half unit, and one of what is interpolated
SIGMOID_ERROR = _CURVED / (6 * math.sqrt(3)) + _CUT
NORMAL_ERROR = _CURVED / math.sqrt(2 * math.pi * math.e) + _CUT
DECAY_ERROR = (_STEP / UNIT) ** 3 / 6 + _CUT + 2.0**-16


def _chord(name: str, z: Array) -> Array:
    """Return the value of a function with f(-z) = 1 - f(z), by a table for z >= 0."""
    table, size = TABLES[name], np.minimum(np.abs(z), _STEP * _LAST - 1)
    k, r = size >> 8, size & 255
    value = table[k] + (((table[k + 1] - table[k]) * r) >> 8)
    return np.where(z < 0, ONE - value, value)


def sigmoid_8(z: Array) -> Array:
    """Logistic function."""
    return _chord("sigmoid", z)


def decay(z: Array) -> Array:
    r"""Exponential :math:`e^{-z}`, z >= 0: an entry of the table times :math:`1 - r + r^2/2`."""
    size = np.minimum(z, _STEP * _LAST - 1)
    k, r = size >> 8, size & 255
    return (TABLES["decay"][k] * (65536 - 16 * r + ((r * r) >> 9))) >> 16


def over_time(z: Array, t: Array) -> Array:
    """Return arguments times the time."""
    with np.errstate(over="ignore"):
        return as_int(z.astype(np.float32) * t)


class Activation8(NamedTuple):
    """An activation: its value is unit · function(z), z in units of 1/(4096 · gain)."""

    function: Callable[[Array], Array]
    gain: float
    unit: float


def _tanh(z: Array) -> Array:
    """Return tanh(z/2)."""
    return 2 * sigmoid_8(z) - ONE


ACTIVATIONS_8 = {
    "tanh": Activation8(_tanh, 2.0, 1 / ONE),
    "lecun_tanh": Activation8(_tanh, 2 * 0.666, 1.7159 / ONE),
    "relu": Activation8(lambda z: np.maximum(z, 0), 1.0, 1 / UNIT),
    "silu": Activation8(lambda z: (z * sigmoid_8(z)) >> 14, 1.0, 1 / UNIT),
    "gelu": Activation8(lambda z: (z * _chord("normal", z)) >> 14, 1.0, 1 / UNIT),
    "linear": Activation8(lambda z: z, 1.0, 1 / UNIT),
}
