"""Standardisation: learned from training data only, and undone on what a model predicts."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["Scaling", "standardisation", "time_unit"]

Array = npt.NDArray[Any]


class Scaling(NamedTuple):
    """Values as mean + scale · standardised.

    Attributes
    ----------
    mean, scale : ndarray, shape (F,)
        Of each column, in its own unit; a scale is above 0.
    """

    mean: Array
    scale: Array

    def apply(self, values: Array) -> Array:
        """Return values standardised; columns are the last axis."""
        return (values - self.mean) / self.scale

    def undo(self, values: Array) -> Array:
        """Return standardised values in their own units."""
        return self.mean + self.scale * values


def standardisation(values: Array) -> Scaling:
    r"""Return what brings each column to mean 0 and standard deviation 1; a constant column's scale is 1."""
    values = values.astype(np.float64)
    mean, scale = values.mean(axis=0), values.std(axis=0)
    constant = scale <= 1e-12 * np.abs(mean)  # what is left of a constant column is rounding
    return Scaling(mean, np.where(constant, 1, scale))


def time_unit(timespans: Array) -> float:
    """Return the unit that brings timespans near 1: the median of those above 0."""
    positive = timespans[timespans > 0]
    return float(np.median(positive)) if positive.size else 1.0
