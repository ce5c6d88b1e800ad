"""One's own tables: a column of times of any spacing, features, targets, groups.

Reading checks everything, and names the line and the column of what is wrong. A field that is empty or nan is a missing
value, NaN here; times and groups are never missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cfc_ref import checks
from cfc_ref.csv_table import Rows, number_columns, read_rows
from cfc_ref.tables.columns import Columns, choose_columns
from cfc_ref.tables.dates import read_times

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    Array = npt.NDArray[Any]

__all__ = ["Table", "by_group", "check_columns", "group_name", "read_table", "refuse_going_back", "table_of"]


class Table(NamedTuple):
    """A table's numbers, rows in the order of the file.

    Attributes
    ----------
    rows : Rows
        As they were written.
    time : ndarray, shape (N,)
        As written, or of dates the seconds since 1970; never going back within a group.
    x : ndarray, shape (N, features)
        NaN where missing.
    y : ndarray, shape (N, targets)
        Numbers, or of a class its place among the names; NaN where missing.
    group : ndarray of int, shape (N,)
        Groups, numbered from 0 as they appear.
    """

    rows: Rows
    time: Array
    x: Array
    y: Array
    group: Array


def read_table(
    path: str | Path,
    *,
    time: str,
    target: Sequence[str],
    features: Sequence[str] | None = None,
    group: str | None = None,
    horizon: int = 0,
    task: str | None = None,
) -> tuple[Columns, Table]:
    r"""Read a table to learn from."""
    rows = read_rows(path)
    columns = choose_columns(rows, time=time, target=target, features=features, group=group, horizon=horizon, task=task)
    return columns, table_of("path", rows, columns)


def table_of(argument: str, rows: Rows, columns: Columns, *, targets: bool = True, missing: bool = True) -> Table:
    """Return the numbers of a table whose columns are known."""
    check_columns(argument, rows.header, columns, targets=targets)
    time = read_times(argument, rows, columns.time, dates=columns.dates)
    x = number_columns(argument, rows, [rows.header.index(name) for name in columns.features], missing=missing)
    y = _targets(argument, rows, columns) if targets else []
    group = np.zeros(len(time), dtype=np.int64) if columns.group is None else _groups(argument, rows, columns.group)
    table = Table(rows, time, np.column_stack(x), np.column_stack(y) if y else np.empty((len(time), 0)), group)
    for series in by_group(group):
        if (back := np.diff(time[series]) < 0).any():
            before, k = series[checks.first(back)[0] + np.arange(2)]
            refuse_going_back(argument, columns, rows, k, _field(rows, before, rows.header.index(columns.time)))
    return table


def check_columns(argument: str, header: Sequence[str], columns: Columns, *, targets: bool) -> None:
    """Refuse a table that lacks columns."""
    grouped = () if columns.group is None else (columns.group,)
    needed = list(dict.fromkeys([columns.time, *grouped, *columns.features, *(columns.targets if targets else ())]))
    there = set(header)
    absent = [name for name in needed if name not in there]
    if absent:
        got = f"no column{'s' * (len(absent) > 1)} {', '.join(map(repr, absent))}"
        checks.refuse(argument, got, f"columns {', '.join(map(repr, needed))}", "add what is missing")


def by_group(group: Array) -> list[Array]:
    """Return the rows of each group, in their order."""
    order = np.argsort(group, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(group[order])) + 1)


def refuse_going_back(argument: str, columns: Columns, rows: Rows, k: int, before: str) -> None:
    """Say that time goes back."""
    place = rows.header.index(columns.time)
    of = "" if columns.group is None else f" of group {_field(rows, k, rows.header.index(columns.group))!r}"
    got = f"{_field(rows, k, place)!r} after {before!r}{of} in line {rows.lines[k]}, column {columns.time!r}"
    checks.refuse(argument, got, "times that do not go back", "sort the rows")


def _field(rows: Rows, k: int, column: int) -> str:
    return rows.fields[k][column].strip()


def _targets(argument: str, rows: Rows, columns: Columns) -> list[Array]:
    places = [rows.header.index(name) for name in columns.targets]
    if columns.classes is None:
        return number_columns(argument, rows, places, missing=True)
    number = {name: float(k) for k, name in enumerate(columns.classes)}
    return [np.array([number.get(_field(rows, k, place), np.nan) for k in range(len(rows.lines))]) for place in places]


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
    if not name:
        got = f"'' in line {rows.lines[k]}, column {rows.header[place]!r}"
        checks.refuse(argument, got, "the name of a group", "mend or drop that line")
    return name
