"""Rows at irregular times with missing values, and the split that several of the official codes draw."""

from __future__ import annotations

import numpy as np

from cfc_ref.arrays import Array

__all__ = ["eighty_twenty", "last_seen", "row_means"]


def row_means(row: Array, column: Array, value: Array, shape: tuple[int, int]) -> tuple[Array, Array]:
    """Return a table of the values, 0 where there is none, and where there is one; values of one cell are averaged."""
    table, counts = np.zeros(shape, np.float32), np.zeros(shape, np.int64)
    cell, value = row * shape[1] + column, value.astype(np.float32)
    _, first = np.unique(cell, return_index=True)
    table.flat[cell[first]] = value[first]
    counts.flat[cell[first]] = 1
    for k in np.setdiff1d(np.arange(len(cell)), first):  # few: the running mean, in the official code's arithmetic
        n, mean = np.float32(counts.flat[cell[k]]), table.flat[cell[k]]
        table.flat[cell[k]] = (mean * n + value[k]) / (n + np.float32(1))
        counts.flat[cell[k]] += 1
    return table, counts > 0


def last_seen(table: Array, observed: Array) -> Array:
    """Return the last observed value of each column at each row, 0 before the first; `table` is 0 where unobserved."""
    latest = np.maximum.accumulate(np.where(observed, np.arange(len(table))[:, None], 0), axis=0)
    filled: Array = np.take_along_axis(table, latest, axis=0)
    return filled


def eighty_twenty(n: int) -> tuple[Array, Array]:
    """Return the places of training and of test samples: scikit-learn's train_test_split(train_size=0.8, seed 42)."""
    order = np.random.RandomState(42).permutation(n)
    held_out = -(-n // 5)
    return order[held_out:], order[:held_out]
