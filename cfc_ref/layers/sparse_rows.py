"""Gradients of a table of which a batch reads few rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from cfc_ref.arrays import Array

__all__ = ["SparseRows"]


@dataclass(frozen=True, eq=False)
class SparseRows:
    """A table that is 0 but for the sums of `values` over equal `rows`; NumPy takes it as that array.

    Attributes
    ----------
    rows : ndarray of int, shape (n,)
        Rows of the table, in which one may occur often.
    values : ndarray, shape (n, E)
        What each adds to its row.
    shape : tuple of int
        Of the table.
    """

    rows: Array
    values: Array
    shape: tuple[int, int]

    def summed(self) -> SparseRows:
        """Return the same table with each row once, in order."""
        if not len(self.rows):
            return self
        order = np.argsort(self.rows, kind="stable")
        rows = self.rows[order]
        first = np.flatnonzero(np.diff(rows, prepend=-1))
        return SparseRows(rows[first], np.add.reduceat(self.values[order], first, axis=0), self.shape)

    def dense(self) -> Array:
        """Return the whole table."""
        table = np.zeros(self.shape, self.values.dtype)
        once = self.summed()
        table[once.rows] = once.values
        return table

    def __mul__(self, factor: float) -> SparseRows:
        return SparseRows(self.rows, self.values * self.values.dtype.type(factor), self.shape)

    __rmul__ = __mul__

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the numbers."""
        return self.values.dtype

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return self.dense().astype(self.dtype if dtype is None else dtype, copy=False)
