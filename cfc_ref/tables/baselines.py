r"""What a network has to beat: persistence, a linear autoregression, and the mean of the training part."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from cfc_ref.data.missing import last_seen
from cfc_ref.tables.csv import Table
from cfc_ref.tables.parts import TRAIN
from cfc_ref.tables.preparation import Preparation
from cfc_ref.tables.series import Series

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]

__all__ = ["baseline_predictions", "truth"]

_BLOCK = 4096  # rows of a least-squares problem at a time


def truth(preparation: Preparation, series: list[Series]) -> Array:
    """Return what is to be predicted, for all rows of all series one below the other; NaN where unknown."""
    return np.concatenate([one.y * preparation.target_std + preparation.target_mean + one.base for one in series])


def baseline_predictions(preparation: Preparation, series: list[Series], table: Table, length: int) -> dict[str, Array]:
    r"""Return predictions without a network, for all rows of all series one below the other.

    - ``persistence``: the last target seen, with a horizon up to the row itself, else up to the row before; this one
      looks at targets that the network may not see.
    - ``linear autoregression``: least squares on the network's inputs in a window, fitted to the training part, with
      rows of 0 before a series' first; of classes the largest of numbers 0 and 1:

    .. math:: \hat y_k = b + \sum_{j=0}^{L-1} W_j\,x_{k-j}

    - ``training mean``: the mean of the training part's targets, or its most frequent class.
    """
    mean = _training_mean(preparation, series)
    return {
        "persistence": _persistence(preparation, series, table, mean),
        "linear autoregression": _linear_autoregression(preparation, series, length),
        "training mean": np.tile(mean, (sum(len(one.x) for one in series), 1)),
    }


def _training_mean(preparation: Preparation, series: list[Series]) -> Array:
    known = truth(preparation, series)[np.concatenate([one.part for one in series]) == TRAIN]
    if preparation.columns.classes is None:
        return np.nanmean(known, axis=0)
    counts = np.bincount(known[~np.isnan(known)].astype(np.int64))
    return np.array([float(np.argmax(counts))])


def _persistence(preparation: Preparation, series: list[Series], table: Table, start: Array) -> Array:
    """Return the last targets seen, `start` before the first."""
    predicted = []
    for one in series:
        seen = last_seen(table.y[one.rows], start)
        if preparation.horizon == 0:
            seen = np.concatenate([start[None], seen[:-1]])
        predicted.append(seen)
    return np.concatenate(predicted)


def _linear_autoregression(preparation: Preparation, series: list[Series], length: int) -> Array:
    y = np.concatenate([one.y for one in series])
    classes = preparation.columns.classes
    if classes is not None:
        y = np.where(np.isnan(y), np.nan, y == np.arange(len(classes)))
    learns = (np.concatenate([one.part for one in series]) == TRAIN) & ~np.isnan(y).any(axis=1)
    before = np.zeros((length - 1, preparation.inputs))
    padded = np.concatenate([rows for one in series for rows in (before, one.x)])
    number = np.repeat(np.arange(len(series)), [len(one.x) for one in series])
    k = np.arange(len(y)) + (number + 1) * len(before)  # where each row is in `padded`
    weights = _least_squares(_design(padded, k[learns], length), y[learns])
    predicted = np.concatenate([A @ weights for A in _design(padded, k, length)])
    if classes is not None:
        return np.argmax(predicted, axis=1)[:, None].astype(np.float64)
    base = np.concatenate([one.base for one in series])
    return predicted * preparation.target_std + preparation.target_mean + base


def _design(padded: Array, k: Array, length: int) -> Iterator[Array]:
    """Yield blocks of rows [1, x_k, x_{k-1}, …]."""
    for first in range(0, len(k), _BLOCK):
        of = k[first : first + _BLOCK, None]
        windows = padded[of - np.arange(length)].reshape(len(of), -1)
        yield np.concatenate([np.ones((len(of), 1)), windows], axis=1)


def _least_squares(design: Iterator[Array], y: Array) -> Array:
    """Return the weights of the smallest squared error: by the QR of [A | y], whose R is kept block by block."""
    first, outputs = 0, y.shape[1]
    R: Any = None
    for A in design:
        block = np.concatenate([A, y[first : first + len(A)]], axis=1)
        R = np.linalg.qr(np.concatenate([R, block]) if first else block, mode="r")
        first += len(A)
    return np.linalg.lstsq(R[:, :-outputs], R[:, -outputs:], rcond=None)[0]
