"""A user's table: a column of times of any spacing, features, targets, groups.

Reading checks everything, and errors name the line and the column. A missing value is NaN; times and groups are never
missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cfc_ref import checks
from cfc_ref.arrays import Array
from cfc_ref.csv_table import MISSING, Rows, number_columns, number_texts, read_rows
from cfc_ref.csv_times import back_in_summer_time, differences, read_times
from cfc_ref.tables.columns import Columns, check_header, choose_columns

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["EMPTY", "Table", "by_group", "check_columns", "group_name", "read_table", "refuse_going_back", "table_of"]

EMPTY = "fill it, drop that line, or train with --missing"
_LARGEST = 1e150  # its square is a float64
_DIGITS = 17  # enough to distinguish any two float64


class Table(NamedTuple):
    """The numbers of a table, N rows in the order of the file; NaN where missing."""

    rows: Rows
    time: Array  # (N,) since the first row; never decreasing within a group
    step: Array  # (N,) time since the previous row of the same group, NaN for its first
    x: Array  # (N, features)
    y: Array  # (N, targets): numbers, or the index of a class
    group: Array  # (N,) groups, numbered from 0 as they appear


def read_table(path: str | Path, **roles: Any) -> tuple[Columns, Table]:
    """Read a table for training; `roles` are the arguments of :func:`cfc_ref.tables.columns.choose_columns`."""
    rows = read_rows(path)
    columns = choose_columns(rows, **roles)
    return columns, table_of("path", rows, columns)


def table_of(argument: str, rows: Rows, columns: Columns, *, targets: bool = True, missing: bool = True) -> Table:
    """Return the numbers of a table whose columns are known."""
    check_columns(argument, rows.header, columns, targets=targets)
    times = read_times(argument, rows, columns.time, dates=columns.dates)
    x = _numbers(argument, rows, columns.features, missing=missing)
    y = _targets(argument, rows, columns) if targets else np.empty((len(times), 0))
    group = np.zeros(len(times), dtype=np.int64) if columns.group is None else _groups(argument, rows, columns.group)
    order = np.argsort(group, kind="stable")
    same = np.flatnonzero(np.diff(group[order]) == 0)
    before, now = order[same], order[same + 1]
    step = np.full(len(times), np.nan)
    step[now] = differences([times[k] for k in now], [times[k] for k in before])
    if (back := step[now] < 0).any():
        (k,) = checks.first(back)
        refuse_going_back(argument, columns, rows, now[k], _field(rows, before[k], rows.header.index(columns.time)))
    return Table(rows, np.array(differences(times, times[:1] * len(times))), step, x, y, group)


def check_columns(argument: str, header: Sequence[str], columns: Columns, *, targets: bool) -> None:
    """Refuse a table that lacks columns."""
    grouped = () if columns.group is None else (columns.group,)
    check_header(argument, header, [columns.time, *grouped, *columns.features, *(columns.targets if targets else ())])


def by_group(group: Array) -> list[Array]:
    """Return the rows of each group, in their order."""
    order = np.argsort(group, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(group[order])) + 1)


def refuse_going_back(argument: str, columns: Columns, rows: Rows, k: int, before: str) -> None:
    """Refuse a time before the last one of its group."""
    place = rows.header.index(columns.time)
    of = "" if columns.group is None else f" of group {_field(rows, k, rows.header.index(columns.group))!r}"
    got = f"{_field(rows, k, place)!r} after {before!r}{of} in line {rows.lines[k]}, column {columns.time!r}"
    do = "sort the rows" + ", or name their series with --group" * (columns.group is None)
    if columns.dates and back_in_summer_time(before, _field(rows, k, place)):
        do = "if summer time ends here, write the time zone (2024-10-27T02:00:00+01:00) or UTC, else sort the rows"
    checks.refuse(argument, got, "times that do not go back", do)


def _field(rows: Rows, k: int, column: int) -> str:
    return rows.fields[k][column].strip()


def _numbers(argument: str, rows: Rows, names: Sequence[str], *, missing: bool) -> Array:
    """Return columns of numbers; refuse those that float64 cannot distinguish."""
    of_name = {name: k for k, name in enumerate(rows.header)}
    places = [of_name[name] for name in names]
    columns = number_columns(argument, rows, places, missing=missing, empty=EMPTY)
    for place, values in zip(places, columns, strict=True):
        if (large := np.abs(values) > _LARGEST).any():
            got = rows.place(checks.first(large)[0], place)
            do = "give the column another unit; leave the field empty if it fills a gap"
            checks.refuse(argument, got, f"numbers up to {_LARGEST:g}", do)
        known = np.flatnonzero(~np.isnan(values))
        if len(known) and 2.0**-42 * np.abs(values[known]).max() >= np.ptp(values[known]):
            _refuse_lost_digits(argument, rows, place, known)
    return np.column_stack(columns) if columns else np.empty((len(rows.lines), 0))


def _refuse_lost_digits(argument: str, rows: Rows, place: int, known: Array) -> None:
    """Refuse integers and long numbers whose differences are lost in float64."""
    texts = number_texts(rows, place)
    exact = {text: Decimal(text) for text in {texts[k] for k in known}}
    (spread,) = differences([max(exact.values())], [min(exact.values())])
    lost = differences(list(exact.values()), [Decimal(float(text)) for text in exact])
    long = {
        text
        for (text, number), error in zip(exact.items(), lost, strict=True)
        if abs(error) > 1e-3 * spread > 0
        and (number == int(number) or len(number.normalize().as_tuple().digits) > _DIGITS)
    }
    if long:
        k = next(k for k in known if texts[k] in long)
        got = f"{rows.place(k, place)}, whose last digits a float64 does not hold"
        checks.refuse(argument, got, "numbers that float64 distinguishes", "subtract a constant from the column")


def _targets(argument: str, rows: Rows, columns: Columns) -> Array:
    if columns.classes is None:
        return _numbers(argument, rows, columns.targets, missing=True)
    number = {name: float(k) for k, name in enumerate(columns.classes)}
    place = rows.header.index(columns.targets[0])
    return np.array([[number.get(fields[place].strip(), np.nan)] for fields in rows.fields])


def _groups(argument: str, rows: Rows, column: str) -> Array:
    place = rows.header.index(column)
    numbers: dict[str, int] = {}
    group = np.empty(len(rows.lines), dtype=np.int64)
    for k in range(len(rows.lines)):
        group[k] = numbers.setdefault(group_name(argument, rows, k, place), len(numbers))
    return group


def group_name(argument: str, rows: Rows, k: int, place: int) -> str:
    """Return the name of a row's group."""
    name = _field(rows, k, place)
    if name.lower() in MISSING:
        checks.refuse(argument, rows.place(k, place), "the name of a group", "correct or drop that line")
    return name
