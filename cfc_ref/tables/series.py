"""Series ready for a network, one per group, and windows cut from them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from cfc_ref import checks
from cfc_ref.arrays import Array
from cfc_ref.csv_table import Rows
from cfc_ref.tables.csv import Table
from cfc_ref.tables.preparation import Preparation, ahead, series_order
from cfc_ref.tables.split import PARTS, TEST, TRAIN

__all__ = ["RowWindows", "Series", "check_range", "cut_windows", "first_rows", "prepare", "samples"]

_SAMPLES = 4096  # held-back rows that are kept with a network
_LARGEST = 1e18  # of inputs and targets of a float32 network: their squares and sums are finite


class Series(NamedTuple):
    """The T rows of one group, in the order of time."""

    rows: Array  # (T,) indices in the table
    x: Array  # (T, inputs) of the network
    dt: Array  # (T,) timespans
    base: Array  # (T, targets) to which predicted changes are added
    y: Array  # (T, targets) of the network, of the row `horizon` later; NaN where unknown
    part: Array  # (T,) the part of the row that is predicted; -1 without one


class RowWindows(NamedTuple):
    """N windows of series, as data for :func:`cfc_ref.fit`."""

    x: Array  # (N, length, inputs)
    y: Array  # (N, length, targets), NaN where nothing is learned
    dt: Array  # (N, length)
    mask: Array  # (N, length), False outside of the series


def prepare(
    preparation: Preparation, table: Table, part: Array | None = None, *, argument: str = "path"
) -> list[Series]:
    """Return a table's series."""
    order, begins = series_order(table.group)
    group, dt = table.group[order], preparation.timespans(table.step[order])
    x = preparation.network_inputs(table.x[order], dt, begins)
    base = preparation.base(x)
    y = np.full(base.shape, np.nan)
    if table.y.size:
        y = preparation.network_targets(ahead(table.y[order], preparation.horizon, group), base)
    check_range(argument, table.rows, preparation, preparation.scaled(table.x), preparation.timespans(table.step))
    if preparation.columns.classes is None and table.y.size:
        means, scales = np.where(preparation.change, 0, preparation.target_mean), preparation.target_std
        _refuse_large(argument, table.rows, preparation.columns.targets, (table.y - means) / scales, means, scales)
    of_row = np.zeros(len(order)) if part is None else part[order].astype(np.float64)
    predicted = np.nan_to_num(ahead(of_row, preparation.horizon, group), nan=-1).astype(np.int64)
    if part is not None:
        _check_parts(preparation, predicted, y)
    arrays = (order, x, dt, base, y, predicted)
    edges = np.append(np.flatnonzero(begins == np.arange(len(order))), len(order)).tolist()
    return [Series(*(array[a:b] for array in arrays)) for a, b in pairwise(edges)]


def check_range(argument: str, rows: Rows, preparation: Preparation, scaled: Array, timespans: Array) -> None:
    """Refuse times and features that are too large for a float32 network after standardisation."""
    p = preparation
    names, means, scales = (p.columns.time, *p.columns.features), (0.0, *p.feature_mean), (p.timespan, *p.feature_std)
    _refuse_large(argument, rows, names, np.column_stack([timespans, scaled]), means, scales)


def _refuse_large(argument: str, rows: Rows, names: Sequence[str], scaled: Array, means: Any, scales: Any) -> None:
    if (large := np.abs(scaled) > _LARGEST).any():
        k, column = checks.first(large)
        low, high = (means[column] + sign * _LARGEST * scales[column] for sign in (-1, 1))
        do = "if it fills a gap, leave the field empty and train with --missing, else correct or drop that line"
        got = rows.place(k, rows.header.index(names[column]))
        checks.refuse(argument, got, f"numbers from {low:.3g} to {high:.3g}, not far from the training part's", do)


def _check_parts(preparation: Preparation, part: Array, y: Array) -> None:
    """Refuse parts in which a target is never known."""
    for k, name in enumerate(PARTS):
        known = ~np.isnan(y[part == k])
        for target, any_known in zip(preparation.columns.targets, known.any(axis=0), strict=True):
            if not any_known:
                got = f"no known target {target!r} in the {name} part"
                checks.refuse("path", got, "at least one", "add rows, or change the shares or the horizon")


def first_rows(series: list[Series]) -> Array:
    """Return for each row of concatenated series the first row of its series."""
    lengths = np.array([len(one.dt) for one in series])
    return np.repeat(np.cumsum(lengths) - lengths, lengths)


def cut_windows(series: list[Series], part: int, length: int, stride: int, *, before: int = 0) -> RowWindows:
    """Cut the runs of one part into windows, each within one group and one part.

    Windows begin every `stride` rows, and one more ends where the run ends, so that each row is in one. A run that is
    shorter than the longest window is padded. Windows without a known target are left out.
    """
    checks.count("length", length, at_least=1)
    checks.count("stride", stride, at_least=1)
    x, y, dt, parts = (np.concatenate([getattr(one, name) for one in series]) for name in ("x", "y", "dt", "part"))
    begins = first_rows(series)
    run = np.where(parts == part, begins, -1)  # rows of a run have the same number, and -1 is none
    edges = np.diff(run, prepend=-1, append=-1) != 0
    first = np.flatnonzero(edges[:-1] & (run >= 0))
    end = np.flatnonzero(edges[1:] & (run >= 0)) + 1
    last = np.maximum(first, end - length)
    count = -(-(last - first) // stride) + 1
    nth = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    start, end = np.minimum(np.repeat(first, count) + nth * stride, np.repeat(last, count)), np.repeat(end, count)
    before = int(np.minimum(before, start - begins[start]).max())
    length = int(np.minimum(length, end - start).max())
    k = start[:, None] + np.arange(-before, length)
    mask = (k >= begins[start][:, None]) & (k < end[:, None])
    k = np.where(mask, k, start[:, None])
    learns = mask & (k >= start[:, None]) & ~np.isnan(y[k]).all(axis=2)
    k, mask, learns = (array[learns.any(axis=1)] for array in (k, mask, learns))
    return RowWindows(x[k], np.where(learns[..., None], y[k], np.nan), dt[k], mask)


def samples(series: list[Series]) -> dict[str, Array]:
    """Return the network's inputs in held-back rows, the first ones if there are many, and the range of the others.

    Arrays: "x" (rows, inputs), "dt" (rows,), "begins" (rows,): whether a series of rows begins there; "low" and "high"
    (inputs,), of the training part.
    """
    x, dt, part = (np.concatenate([getattr(one, name) for one in series]) for name in ("x", "dt", "part"))
    trains, k = x[part == TRAIN], np.flatnonzero(part == TEST)[:_SAMPLES]
    begins = (np.diff(k, prepend=-2) != 1) | np.isin(k, first_rows(series))
    single = {name: value.astype(np.float32) for name, value in (("x", x[k]), ("dt", dt[k]))}
    return {**single, "begins": begins, "low": trains.min(axis=0), "high": trains.max(axis=0)}
