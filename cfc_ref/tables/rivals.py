r"""Predictions without a network: persistence, a linear autoregression, and the mean of the training part."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from cfc_ref.arrays import Array
from cfc_ref.tables.csv import Table
from cfc_ref.tables.labels import are_labels_of_groups
from cfc_ref.tables.missing import last_seen
from cfc_ref.tables.preparation import Preparation
from cfc_ref.tables.series import Series, first_rows
from cfc_ref.tables.split import TRAIN

__all__ = ["Baselines", "baseline_predictions", "truth"]

_BLOCK = 4096  # rows of a least-squares problem at a time
_COST, _WIDEST = 1e10, 640  # most products of a least-squares problem; its most unknowns per output


class Baselines(NamedTuple):
    """Predictions by name, for all rows of all series."""

    predicted: dict[str, Array]
    notes: list[str]  # about rivals that were left out or shortened


def truth(preparation: Preparation, series: list[Series]) -> Array:
    """Return the true targets of all rows of all series; NaN where unknown."""
    y, base = (np.concatenate([getattr(one, name) for one in series]) for name in ("y", "base"))
    return y * preparation.target_std + preparation.target_mean + base


def baseline_predictions(preparation: Preparation, series: list[Series], table: Table, length: int) -> Baselines:
    r"""Return predictions without a network.

    - ``persistence``: the last target seen, with a horizon up to the row itself, else up to the previous row; it reads
      targets that the network may not see. Left out if targets are labels of whole groups.
    - ``linear autoregression``: least squares on the network's inputs in a window, fitted to the training part, with
      rows of 0 before the first of a series; for classes the largest of the fits to 0 and 1:

    .. math:: \hat y_k = b + \sum_{j=0}^{L-1} W_j\,x_{k-j}

    - ``linear in mean and spread``: with one label per group, least squares on each group's means and standard
      deviations.
    - ``training mean``: the mean of the training part's targets, or its most frequent class.
    """
    mean = _training_mean(preparation, series)
    everywhere = np.tile(mean, (sum(len(one.x) for one in series), 1))
    notes: list[str] = []
    if preparation.label_per_group:
        predicted = {"linear in mean and spread": _linear_of_groups(preparation, series, notes)}
    else:
        predicted = {
            "persistence": _persistence(preparation, series, table, mean, notes),
            "linear autoregression": _linear_autoregression(preparation, series, length, notes),
        }
    known = {name: rows for name, rows in predicted.items() if rows is not None}
    return Baselines({**known, "training mean": everywhere}, notes)


def _training_mean(preparation: Preparation, series: list[Series]) -> Array:
    known = truth(preparation, series)[np.concatenate([one.part for one in series]) == TRAIN]
    if preparation.columns.classes is None:
        return np.nanmean(known, axis=0)
    counts = np.bincount(known[~np.isnan(known)].astype(np.int64))
    return np.array([float(np.argmax(counts))])


def _persistence(
    preparation: Preparation, series: list[Series], table: Table, start: Array, notes: list[str]
) -> Array | None:
    """Return the last targets seen, `start` before the first."""
    if preparation.columns.group is not None and are_labels_of_groups(table):
        notes.append("persistence: left out, as it would read the label of the group itself")
        return None
    begins = first_rows(series)
    seen = last_seen(table.y[np.concatenate([one.rows for one in series])], start, begins)
    if preparation.horizon == 0:
        seen = np.concatenate([start[None], seen[:-1]])
        seen[begins] = start
    return seen


def _linear_autoregression(
    preparation: Preparation, series: list[Series], length: int, notes: list[str]
) -> Array | None:
    y = np.concatenate([one.y for one in series])
    learns = (np.concatenate([one.part for one in series]) == TRAIN) & ~np.isnan(y).any(axis=1)
    rows = _affordable(preparation, int(np.count_nonzero(learns)), length)
    if rows < length:
        short = f"over {rows} row{'s' * (rows > 1)} only" if rows else "left out"
        why = f"as {length} rows of {preparation.inputs:,} inputs make it expensive"
        notes.append(f"linear autoregression: {short}, {why}")
    if rows == 0:
        return None
    before = np.zeros((rows - 1, preparation.inputs))
    padded = np.concatenate([part for one in series for part in (before, one.x)])
    number = np.repeat(np.arange(len(series)), [len(one.x) for one in series])
    k = np.arange(len(y)) + (number + 1) * len(before)  # the index of each row in `padded`
    weights = _least_squares(preparation, _design(padded, k[learns], rows), y[learns])
    base = np.concatenate([one.base for one in series])
    return np.concatenate(
        [
            _in_units(preparation, A @ weights, base[first : first + _BLOCK])
            for first, A in zip(range(0, len(k), _BLOCK), _design(padded, k, rows), strict=True)
        ]
    )


def _linear_of_groups(preparation: Preparation, series: list[Series], notes: list[str]) -> Array | None:
    if 1 + 2 * preparation.inputs > _WIDEST:
        notes.append(f"linear in mean and spread: left out, as {preparation.inputs:,} inputs make it expensive")
        return None
    A = np.array([[1, *one.x.mean(axis=0), *one.x.std(axis=0)] for one in series])
    y = np.array([one.y[-1] for one in series])
    learns = np.array([one.part[-1] == TRAIN for one in series]) & ~np.isnan(y).any(axis=1)
    weights = _least_squares(preparation, iter([A[learns]]), y[learns])
    predicted = np.full((sum(len(one.x) for one in series), y.shape[1]), np.nan)
    last = np.cumsum([len(one.x) for one in series]) - 1
    predicted[last] = _in_units(preparation, A @ weights, np.array([one.base[-1] for one in series]))
    return predicted


def _affordable(preparation: Preparation, learned: int, length: int) -> int:
    """Return the most rows L ≤ `length` whose least squares with P = 1 + L·inputs unknowns are cheap enough."""
    for rows in range(length, 0, -1):
        P = 1 + rows * preparation.inputs
        if P <= _WIDEST and learned * P * (P + preparation.outputs) <= _COST:
            return rows
    return 0


def _in_units(preparation: Preparation, predicted: Array, base: Array) -> Array:
    """Return linear predictions in the table's units, or the indices of classes."""
    if preparation.columns.classes is not None:
        return np.argmax(predicted, axis=1)[:, None].astype(np.float64)
    return predicted * preparation.target_std + preparation.target_mean + base


def _design(padded: Array, k: Array, length: int) -> Iterator[Array]:
    """Yield blocks of rows [1, x_k, x_{k-1}, …]."""
    for first in range(0, len(k), _BLOCK):
        of = k[first : first + _BLOCK, None]
        windows = padded[of - np.arange(length)].reshape(len(of), -1)
        yield np.concatenate([np.ones((len(of), 1)), windows], axis=1)


def _least_squares(preparation: Preparation, design: Iterator[Array], y: Array) -> Array:
    """Return the weights of the smallest squared error, by a QR decomposition that is updated block by block."""
    classes, first = preparation.columns.classes, 0
    R: Any = None
    projected: Any = None
    for A in design:
        b = y[first : first + len(A)]
        b = b if classes is None else (b == np.arange(len(classes))).astype(np.float64)
        Q, upper = np.linalg.qr(A if R is None else np.concatenate([R, A]))
        projected = Q.T @ (b if R is None else np.concatenate([projected, b]))
        R, first = upper, first + len(A)
    return np.linalg.lstsq(R, projected, rcond=None)[0]
