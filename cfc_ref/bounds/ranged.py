r"""Intervals of exact values that carry the error of computed ones, as NumPy arrays: the specification runs on them.

Arithmetic is that of IEEE 754 with unit roundoff u: each operation errs by at most u of its result, a sum of n terms in
any order by :math:`\gamma_n = n u/(1 - n u)` of the sum of their sizes, exp, tanh, expm1 and the logistic function by a
few units in the last place (:data:`FUNCTION`), erf in float32 by :data:`ERF`, in int8 all by their tables. Constants
are rounded once.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from cfc_ref import checks
from cfc_ref.arrays import Array
from cfc_ref.cells.int8.numbers import DECAY_ERROR, NORMAL_ERROR, SIGMOID_ERROR, UNIT

__all__ = ["ERF", "FUNCTION", "SINGLE", "Ranged", "TableUnit"]

FUNCTION = 8  # unit roundoffs: four units in the last place
ERF = 6e-7  # absolute, also of a polynomial
_TINY = 1e-37  # underflow, and what exp loses where it is flushed to 0
SINGLE = 2.0**-24  # the unit roundoff of float32


class TableUnit(float):
    """The unit roundoff of int8 networks: their functions are tables, whose arguments a time may multiply."""


_TABLES = {
    "sigmoid": SIGMOID_ERROR + 0.5 / UNIT,
    "tanh": 2 * SIGMOID_ERROR,
    "exp": DECAY_ERROR + 2 / UNIT,
    "erf": 2 * NORMAL_ERROR,
}


def _own(function: str, unit: float) -> float:
    """Return the error of a function's table, 0 for floats."""
    return _TABLES[function] if isinstance(unit, TableUnit) else 0.0


class Ranged(np.ndarray):
    """Intervals of exact values, and by how much computed ones may differ; the array itself holds the lower ends."""

    high: Array
    error: Array
    unit: float

    @classmethod
    def of(cls, low: Any, high: Any, error: Any, unit: float) -> Ranged:
        """Return intervals; without a batch axis they get one."""
        low, high, error = (np.atleast_2d(np.asarray(end, np.float64)) for end in (low, high, error))
        return Ranged.made(low, high, error, unit)

    @classmethod
    def made(cls, low: Any, high: Any, error: Any, unit: float) -> Ranged:
        """Return intervals, of any shape."""
        array = np.array(low, np.float64).view(cls)
        error = np.where(np.isnan(error), math.inf, error)  # 0 times an infinite error
        array.high, array.error, array.unit = np.asarray(high), np.broadcast_to(error, array.shape), unit
        return array

    @property
    def T(self) -> Ranged:  # noqa: D102
        return _each(np.transpose, self.unit, self)

    @property
    def low(self) -> Array:
        """The lower ends."""
        return self.view(np.ndarray)

    @property
    def largest(self) -> Any:
        """The largest absolute value."""
        return np.maximum(np.abs(self.low), np.abs(self.high))

    def within(self, low: Array, high: Array) -> Ranged:
        """Return the intervals cut to others, which are known to hold the exact values and the computed ones."""
        error = np.minimum(self.error, high - low)
        return Ranged.made(np.clip(self.low, low, high), np.clip(self.high, low, high), error, self.unit)

    def sigmoid(self) -> Ranged:
        """Return the logistic function."""
        return _smooth(
            self,
            lambda z: 1 / (1 + np.exp(-np.clip(z, -700, 700))),
            lambda s: s * (1 - s),
            2 * FUNCTION + 4,
            _own("sigmoid", self.unit),
        )

    def astype(self, *_: Any, **__: Any) -> Any:
        """Return the intervals themselves."""
        return self

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        """Return the interval and the error of an operation's result."""
        if method == "reduce" and ufunc is np.add:
            return _sum(inputs[0], options.get("axis", 0), bool(options.get("keepdims", False)))
        rule = _RULES.get(ufunc.__name__)
        if method != "__call__" or rule is None:
            _refuse(f"numpy.{ufunc.__name__}")
        return rule(*(_as_ranged(value, self.unit) for value in inputs))

    def __array_function__(self, function: Any, types: Any, arguments: Any, options: Any) -> Any:
        """Arrange intervals and errors alike."""
        if function is np.concatenate:
            arrays = [_as_ranged(value, self.unit) for value in arguments[0]]
            return _each(lambda *ends: np.concatenate(ends, *arguments[1:], **options), self.unit, *arrays)
        if function is np.split:
            count = len(np.split(np.arange(arguments[0].shape[options.get("axis", 0)]), arguments[1]))
            return [
                _each(lambda a, k=k: np.split(a, *arguments[1:], **options)[k], self.unit, self) for k in range(count)
            ]
        if function is np.full_like:
            return np.full(arguments[0].shape, arguments[1])
        return _refuse(f"numpy.{function.__name__}")

    def __getitem__(self, key: Any) -> Any:
        """Return parts of intervals and errors."""
        return _each(lambda a: a[key], self.unit, self)


def _each(arrange: Callable[..., Array], unit: float, *arrays: Ranged) -> Ranged:
    low, high, error = (arrange(*(getattr(array, name) for array in arrays)) for name in ("low", "high", "error"))
    return Ranged.made(low, high, error, unit)


def _as_ranged(value: Any, unit: float) -> Ranged:
    """Return a constant, which is rounded once, as an interval."""
    if isinstance(value, Ranged):
        return value
    constant = np.array(value, np.float64)
    rounds = (constant != constant.astype(np.float32)) & (unit == SINGLE)
    return Ranged.made(constant, constant, unit * np.abs(constant) * rounds, unit)


def _rounded(low: Any, high: Any, error: Any, unit: float) -> Ranged:
    """Return the result of an operation that rounds once."""
    largest = np.maximum(np.abs(low), np.abs(high)) + error
    return Ranged.made(low, high, error + (unit * largest + _TINY if unit else 0), unit)


def _products(a: Ranged, b: Any, b_high: Any) -> tuple[Array, Array]:
    four = [x * y for x in (a.low, a.high) for y in (b, b_high)]
    return np.minimum.reduce(four), np.maximum.reduce(four)


def _multiply(a: Ranged, b: Ranged) -> Ranged:
    with np.errstate(invalid="ignore"):
        error = a.largest * b.error + b.largest * a.error + a.error * b.error
    return _rounded(*_products(a, b.low, b.high), error, a.unit)


def _divide(a: Ranged, b: Ranged) -> Ranged:
    smallest = np.where((b.low <= 0) & (b.high >= 0), 0, np.minimum(np.abs(b.low), np.abs(b.high)))
    if not (smallest > 0).all():
        _refuse("a quotient whose divisor may be 0")
    low, high = _products(a, 1 / b.low, 1 / b.high)
    with np.errstate(divide="ignore", invalid="ignore"):
        error = (a.error + np.maximum(np.abs(low), np.abs(high)) * b.error) / (smallest - b.error)
    return _rounded(low, high, np.where(smallest > b.error, error, math.inf), a.unit)


def _matmul(a: Ranged, b: Ranged) -> Ranged:
    """Return the product with a matrix of constants, summed in any order."""
    W, middle, radius = b.low, (a.low + a.high) / 2, (a.high - a.low) / 2
    centre, around = middle @ W, radius @ np.abs(W)
    error = a.error @ np.abs(W) + (a.largest + a.error) @ b.error
    terms = len(W) * a.unit
    grown = terms / (1 - terms) * ((a.largest + a.error) @ (np.abs(W) + b.error))
    return Ranged.made(centre - around, centre + around, error + grown, a.unit)


def _sum(a: Ranged, axis: Any, keepdims: bool) -> Ranged:
    low, high, error, size = (
        np.sum(end, axis=axis, keepdims=keepdims) for end in (a.low, a.high, a.error, a.largest + a.error)
    )
    terms = a.shape[axis] * a.unit
    return Ranged.made(low, high, error + terms / (1 - terms) * size, a.unit)


def _smooth(
    z: Ranged, function: Callable[[Array], Array], slope: Callable[[Array], Array], roundoffs: float, least: float = 0
) -> Ranged:
    """Return an increasing function, whose slope by its value is largest where the argument is nearest to 0."""
    low, high = function(z.low), function(z.high)
    nearest = np.clip(0, z.low - z.error, z.high + z.error)
    with np.errstate(invalid="ignore"):
        moved = np.fmin(slope(function(nearest)) * z.error, 2)  # no two values of these functions are further apart
    largest = np.maximum(np.abs(low), np.abs(high)) + moved
    return Ranged.made(low, high, moved + np.maximum(roundoffs * z.unit * largest, least * (z.unit == SINGLE)), z.unit)


def _growing(z: Ranged, function: Callable[[Array], Array]) -> Ranged:
    """Return exp or expm1, of the slope exp."""
    low, high = function(z.low), function(z.high)
    with np.errstate(over="ignore"):
        moved = np.exp(z.high) * np.expm1(z.error)
    own = FUNCTION * z.unit * (np.maximum(np.abs(low), np.abs(high)) + moved) + _TINY * bool(z.unit)
    return Ranged.made(low, high, moved + own + _own("exp", z.unit), z.unit)


def _smaller(a: Ranged, b: Ranged) -> Ranged:
    error = np.maximum(a.error, b.error)
    for one, other in ((a, b), (b, a)):  # the smaller one's alone, where it always is
        error = np.where(one.high + one.error <= other.low - other.error, one.error, error)
    return Ranged.made(np.minimum(a.low, b.low), np.minimum(a.high, b.high), error, a.unit)


def _absolute(a: Ranged) -> Ranged:
    low = np.where((a.low <= 0) & (a.high >= 0), 0, np.minimum(np.abs(a.low), np.abs(a.high)))
    return Ranged.made(low, a.largest, a.error, a.unit)


def _erf(z: Array) -> Array:
    return np.array([*map(math.erf, z.ravel())]).reshape(z.shape)


_RULES: dict[str, Callable[..., Ranged]] = {
    "add": lambda a, b: _rounded(a.low + b.low, a.high + b.high, a.error + b.error, a.unit),
    "subtract": lambda a, b: _rounded(a.low - b.high, a.high - b.low, a.error + b.error, a.unit),
    "negative": lambda a: Ranged.made(-a.high, -a.low, a.error, a.unit),
    "multiply": _multiply,
    "divide": _divide,
    "matmul": _matmul,
    "absolute": _absolute,
    "maximum": lambda a, b: Ranged.made(
        np.maximum(a.low, b.low), np.maximum(a.high, b.high), np.maximum(a.error, b.error), a.unit
    ),
    "minimum": _smaller,
    "exp": lambda z: _growing(z, np.exp),
    "expm1": lambda z: _growing(z, np.expm1),
    "tanh": lambda z: _smooth(z, np.tanh, lambda a: 1 - a * a, FUNCTION, _own("tanh", z.unit)),
    "erf (vectorized)": lambda z: _smooth(
        z, _erf, lambda value: np.full(value.shape, 2 / math.sqrt(math.pi)), FUNCTION, max(ERF, _own("erf", z.unit))
    ),
}


def _refuse(what: str) -> NoReturn:
    do = "add its rule to cfc_ref.bounds.ranged"
    checks.refuse("model", f"a network that computes {what}", f"operations with a rule: {', '.join(_RULES)}", do)
