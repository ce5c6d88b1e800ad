"""Standardisation, learned from training data and undone on predictions."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cfc_ref.arrays import Array

__all__ = ["ColumnScaling", "is_constant", "standardisation", "time_unit"]

_ROUNDING = 16 * np.finfo(np.float64).eps  # a smaller difference, relative to the values, is rounding


class ColumnScaling(NamedTuple):
    """Values as mean + scale · standardised."""

    mean: Array  # (F,), of each column in its unit
    scale: Array  # (F,), above 0

    def apply(self, values: Array) -> Array:
        """Return values standardised; columns are the last axis."""
        return (values - self.mean) / self.scale

    def undo(self, values: Array) -> Array:
        """Return standardised values in the units of the columns."""
        return self.mean + self.scale * values


def _first(values: Array) -> Array:
    """Return the first value of each column that is not NaN."""
    return np.take_along_axis(values, (~np.isnan(values)).argmax(axis=0)[None], axis=0)[0]


def is_constant(values: Array) -> Array:
    """Return whether the known values of each column are the same number up to rounding; NaN is unknown."""
    first = _first(values)
    same: Array = np.nanmax(np.abs(values - first), axis=0) <= _ROUNDING * np.abs(first)
    return same


def standardisation(values: Array) -> ColumnScaling:
    """Return the mean and standard deviation of the known values of each column; NaN is unknown."""
    # The scale of a column that is constant up to rounding is 1, or its largest difference if that is more
    values = values.astype(np.float64)
    first = _first(values)
    apart = values - first  # an offset takes no digits from the differences
    largest = np.nanmax(np.abs(apart), axis=0)
    unit = np.where(largest > 0, largest, 1)  # squares neither overflow nor vanish
    mean = np.nanmean(apart / unit, axis=0)
    std = np.sqrt(np.nanmean((apart / unit - mean) ** 2, axis=0))
    return ColumnScaling(first + mean * unit, np.where(is_constant(values), np.maximum(1, largest), std * unit))


def time_unit(timespans: Array) -> float:
    """Return the unit that brings timespans near 1: the median of those above 0."""
    positive = timespans[timespans > 0]
    return float(np.median(positive)) if positive.size else 1.0
