"""Predictions of a network for prepared series, and their figures on held-back rows next to those of rivals."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cfc_ref.arrays import Array
from cfc_ref.csv_times import read_times
from cfc_ref.learn.scaling import is_constant
from cfc_ref.tables.columns import Columns
from cfc_ref.tables.csv import Table
from cfc_ref.tables.preparation import Preparation
from cfc_ref.tables.rivals import baseline_predictions, truth
from cfc_ref.tables.series import Series, first_rows
from cfc_ref.tables.split import TEST

if TYPE_CHECKING:
    from cfc_ref.layers.base import Layer

_BATCH = 1 << 16  # rows that a network runs over at once
_CALENDAR = 200 * 365.25 * 86400  # seconds before and after 1970 that are drawn as dates
_GROUPS = 1000  # groups whose figures are kept

__all__ = ["HeldBack", "held_back_figures", "predict_held_back", "series_predictions"]


def series_predictions(model: Layer, preparation: Preparation, series: list[Series]) -> list[Array]:
    """Return a network's predictions for each series; series of one length run together."""
    predicted: list[Array] = [np.empty(0)] * len(series)
    lengths = np.array([len(one.dt) for one in series])
    for length in np.unique(lengths):
        (same,) = np.nonzero(lengths == length)
        for batch in np.array_split(same, -(-len(same) * int(length) // _BATCH)):
            x, dt, base = (np.stack([getattr(series[k], name) for k in batch]) for name in ("x", "dt", "base"))
            outputs = preparation.predictions(model(x, timespans=dt)[0], base)
            for k, one in zip(batch, outputs, strict=True):
                predicted[k] = one
    return predicted


class HeldBack(NamedTuple):
    """The rows of the test part, series by series, and their predictions."""

    y: Array  # (rows, targets) in the table's units, or the index of a class; NaN where unknown
    predicted: dict[str, Array]  # (rows, targets) by the network and by its rivals
    time: Array  # (rows,) of the rows that are predicted: numbers, or datetime64
    group: Array  # (rows,) indices of `groups`
    groups: tuple[str, ...]  # names; one empty name without groups
    notes: list[str]  # rivals that were left out, and the reason


def predict_held_back(
    model: Layer, preparation: Preparation, series: list[Series], table: Table, length: int
) -> HeldBack:
    """Predict the test part, by the network and by its rivals."""
    of_network = np.concatenate(series_predictions(model, preparation, series))
    if preparation.columns.classes is not None:
        of_network = np.argmax(of_network, axis=1)[:, None].astype(np.float64)
    y = truth(preparation, series)
    tested = (np.concatenate([one.part for one in series]) == TEST) & ~np.isnan(y).all(axis=1)
    baselines = baseline_predictions(preparation, series, table, length)
    predicted = {"network": of_network, **baselines.predicted}
    h, columns = preparation.horizon, preparation.columns
    begins = first_rows(series)
    last = np.append(np.flatnonzero(np.diff(begins)), len(begins) - 1)
    ahead = np.minimum(np.arange(len(begins)) + h, last[np.searchsorted(last, np.arange(len(begins)))])
    rows = np.concatenate([one.rows for one in series])[ahead]
    return HeldBack(
        y[tested],
        {name: values[tested] for name, values in predicted.items()},
        _moments(columns, table)[rows[tested]],
        table.group[rows[tested]],
        _group_names(columns, table),
        baselines.notes,
    )


def _moments(columns: Columns, table: Table) -> Array:
    """Return times for an axis: numbers, or dates to the millisecond if they are in the range of calendars."""
    first_row = replace(table.rows, lines=table.rows.lines[:1], fields=table.rows.fields[:1])
    (first,) = read_times("path", first_row, columns.time, dates=columns.dates)
    time = table.time - table.time[0] + float(first)
    drawn = columns.dates and np.abs(time).max() < _CALENDAR
    return (1e3 * time).astype("datetime64[ms]") if drawn else time


def _group_names(columns: Columns, table: Table) -> tuple[str, ...]:
    if columns.group is None:
        return ("",)
    place = table.rows.header.index(columns.group)
    _, first = np.unique(table.group, return_index=True)
    return tuple(table.rows.fields[k][place].strip() for k in first)


def held_back_figures(held_back: HeldBack, preparation: Preparation) -> dict[str, Any]:
    """Return the figures of the predictions, one per target; those of the network also per group."""
    columns, y = preparation.columns, held_back.y
    names = ("accuracy", "balanced accuracy") if columns.classes is not None else ("mean squared error", "rmse", "r2")
    all_of_it = {name: _figures(rows, y, columns) for name, rows in held_back.predicted.items()}
    figures: dict[str, Any] = {
        "figure": names[0],
        "rows": len(y),
        "of": "groups" if preparation.label_per_group else "rows",
        "targets": list(columns.targets),
        **{name: values[0] for name, values in all_of_it.items()},
    }
    for k, name in enumerate(names[1:], start=1):
        figures[name] = {who: values[k] for who, values in all_of_it.items()}
    if columns.group is not None and not preparation.label_per_group:
        figures["groups"] = _by_group(held_back, columns, names)
    return figures | ({"notes": held_back.notes} if held_back.notes else {})


def _by_group(held_back: HeldBack, columns: Columns, names: tuple[str, ...]) -> dict[str, Any]:
    """Return the network's figures for the first groups of the test part."""
    order = np.argsort(held_back.group, kind="stable")
    found = {}
    for rows in np.split(order, np.flatnonzero(np.diff(held_back.group[order])) + 1)[:_GROUPS]:
        values = _figures(held_back.predicted["network"][rows], held_back.y[rows], columns)
        group = held_back.groups[held_back.group[rows[0]]]
        found[group] = {"rows": len(rows), **dict(zip(names, values, strict=True))}
    return found


def _figures(predicted: Array, y: Array, columns: Columns) -> list[list[float | None]]:
    """Return the accuracy and its mean over classes, or the MSE, its root and R² = 1 - MSE / var(y), per target."""
    # None where nothing is known, and for R² of a target that is constant up to rounding
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # means of nothing
        if columns.classes is not None:
            right = np.where(np.isnan(y), np.nan, predicted == y)
            of_classes = [np.nanmean(np.where(y == k, right, np.nan), axis=0) for k in range(len(columns.classes))]
            return [_plain(np.nanmean(right, axis=0)), _plain(np.nanmean(of_classes, axis=0))]
        error = np.nanmean((predicted - y) ** 2, axis=0)
        r2 = np.where(is_constant(y), np.nan, 1 - error / np.nanvar(y, axis=0))
    return [_plain(error), _plain(np.sqrt(error)), _plain(r2)]


def _plain(values: Array) -> list[float | None]:
    """Return finite numbers, None for others, which JSON does not have."""
    return [float(value) if np.isfinite(value) else None for value in values]
