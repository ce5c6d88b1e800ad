"""Missing features, replaced by three: the last seen value, the time since it was seen, and a mask."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from cfc_ref import checks
from cfc_ref.arrays import Array

__all__ = ["Filler", "fill", "fill_rows", "last_seen"]


def fill(x: npt.ArrayLike, present: npt.ArrayLike, timespans: npt.ArrayLike, with_time: bool = True) -> Array:
    r"""Return features for sequences with missing values (Lipton et al. 2016; Che et al. 2018).

    .. math:: \hat x_k = x_j, \qquad s_k = t_k - t_j, \qquad
              j = \max\{i \le k : x_i \text{ is present}\}

    Before the first seen value of a feature :math:`\hat x_k = 0`, so standardise first, and :math:`s_k` counts from the
    first sample.

    Departure: :math:`s_k` is 0 where a value is present; in Che et al. it is then the time since the one before.

    Parameters
    ----------
    x : array_like, shape (T, F) or (B, T, F)
        Features; any number or NaN where missing.
    present : array_like of bool, shape of `x`
        True where a feature is present.
    timespans : array_like, shape (T,) or (B, T), or a number
        timespans[k] is the time from sample k - 1 to sample k, as for layers.
    with_time : bool
        Whether to return the times since the last seen values.

    Returns
    -------
    ndarray, shape (T, 3F) or (B, T, 3F); 2F without times
        Last seen values, times since seen in the unit of `timespans`, and `present` as 0 and 1.

    Raises
    ------
    ValueError, TypeError
        For arguments that do not fit, and for a present value that is not finite.

    Examples
    --------
    >>> fill([[1.0], [np.nan], [np.nan]], [[True], [False], [False]], [1.0, 0.5, 2.0])
    array([[1. , 0. , 1. ],
           [1. , 0.5, 0. ],
           [1. , 2.5, 0. ]])
    """
    values, there, spans = _checked(x, present, timespans)
    checks.flag("with_time", with_time)
    rows = (int(np.prod(values.shape[:-1])), values.shape[-1])
    begins = np.arange(rows[0]) // max(values.shape[-2], 1) * values.shape[-2]
    clock = np.cumsum(spans, axis=-1).reshape(rows[:1])
    last, since, seen = fill_rows(values.reshape(rows), there.reshape(rows), clock, begins)
    parts = (last, since, seen) if with_time else (last, seen)
    return np.concatenate(parts, axis=1, dtype=values.dtype).reshape(*values.shape[:-1], -1)


def fill_rows(x: Array, present: Array, clock: Array, begins: Array) -> tuple[Array, Array, Array]:
    """Return last seen values, times since, and `present`, for concatenated sequences."""
    j, seen = _last(present, begins)
    return np.where(seen, np.take_along_axis(x, j, axis=0), 0), clock[:, None] - clock[j], present


def last_seen(x: Array, start: npt.ArrayLike, begins: npt.ArrayLike = 0) -> Array:
    """Return the last value up to each row that is not NaN, `start` before the first."""
    # `begins` holds for each row the first row of its sequence, if several are concatenated
    j, seen = _last(~np.isnan(x), np.broadcast_to(begins, len(x)))
    return np.where(seen, np.take_along_axis(x, j, axis=0), start)


def _last(there: Array, begins: Array) -> tuple[Array, Array]:
    """Return the row of the last present value, else the sequence's first row, and whether there is one."""
    k = np.arange(len(there))[:, None]
    j = np.maximum.accumulate(np.where(there, k, -1), axis=0)
    return np.maximum(j, begins[:, None]), j >= begins[:, None]


def _checked(x: Any, present: Any, timespans: Any) -> tuple[Array, Array, Array]:
    values, there = checks.real("x", x), np.asarray(present)
    if values.ndim not in (2, 3):
        checks.refuse("x", f"shape {values.shape}", "(T, F) or (B, T, F)", "pass time and features as the last axes")
    if there.dtype != np.bool_:
        got = f"an array of dtype {there.dtype}"
        checks.refuse("present", got, "booleans, True = there", "pass ~numpy.isnan(x)", TypeError)
    checks.shape("present", there, values.shape, "that of x")
    checks.finite("x", np.where(there, values, 0), expected="finite values where present")
    spans = checks.numeric("timespans", timespans)
    checks.compare("timespans", spans, spans >= 0, "times >= 0", "pass the time since the last sample")
    steps = values.shape[:-1]
    if spans.shape not in ((), steps[-1:], steps):
        wanted = f"a number, {steps[-1:]}" + (f" or {steps}" if len(steps) == 2 else "")
        do = "pass one time per step, or one per sequence and step"
        checks.refuse("timespans", f"shape {spans.shape}", wanted, do)
    return values, there, np.broadcast_to(spans, steps)


class Filler:
    """:func:`fill` for one sample at a time; its input is not checked."""

    def __init__(self, features: int) -> None:
        self.last = np.zeros(features)
        self.seen_at: Array | None = None
        self.clock = 0.0

    def __call__(self, x: Array, present: Array, timespan: float) -> Array:
        """Return last seen values, times since seen, and `present`, each of shape (F,), of a sample."""
        self.clock += timespan
        before = self.clock if self.seen_at is None else self.seen_at
        self.seen_at = np.where(present, self.clock, before)
        self.last = np.where(present, x, self.last)
        return np.concatenate([self.last, self.clock - self.seen_at, present])
