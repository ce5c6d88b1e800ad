"""Tables in CSV files: rows, and columns of numbers; what is wrong with a file is said with its line and column."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cfc_ref import checks

__all__ = ["Rows", "column_of", "number_columns", "read_columns", "read_rows", "rows_of", "whole"]

Array = npt.NDArray[Any]


class Rows(NamedTuple):
    """A table as it was written.

    Attributes
    ----------
    header : list of str
        Names of the columns.
    lines : list of int
        The line of the file that each row ends in.
    fields : list of list of str
        The rows, each as long as the header.
    """

    header: list[str]
    lines: list[int]
    fields: list[list[str]]


def read_columns(path: str | Path, columns: Mapping[str, str], *, increasing: str) -> list[Array]:
    r"""Read columns of finite numbers from a table with a header."""
    if not isinstance(path, (str, Path)):
        checks.refuse("path", type(path).__name__, "the path of a file", "pass a string or a Path", TypeError)
    for argument, column in columns.items():
        if not isinstance(column, str):
            checks.refuse(argument, repr(column), "the name of a column", "pass a string", TypeError)
    rows = read_rows(path)
    picked = [column_of(argument, column, rows.header) for argument, column in columns.items()]
    arrays = number_columns("path", rows, picked)
    now = arrays[list(columns).index(increasing)]
    if (back := np.diff(now) <= 0).any():
        k = checks.first(back)[0] + 1
        got = f"{now[k]:g} after {now[k - 1]:g} in line {rows.lines[k]}, column {columns[increasing]!r}"
        checks.refuse("path", got, "strictly increasing numbers", "sort the rows and drop duplicates")
    return arrays


def read_rows(path: str | Path) -> Rows:
    r"""Read a table with a header; blank lines are skipped."""
    if not isinstance(path, (str, Path)):
        checks.refuse("path", type(path).__name__, "the path of a file", "pass a string or a Path", TypeError)
    name = Path(path).name
    with io.StringIO(_text(path), newline="") as file:
        rows = rows_of("path", file)
        header = [column.strip() for column in next(rows, (0, []))[1]]
        if not header:
            checks.refuse("path", f"{name}, which is empty", "a header line and rows of numbers", "check the file")
        numbered = [(line, whole("path", fields, header, line)) for line, fields in rows]
    if not numbered:
        got = f"{name}, which has a header and no rows"
        checks.refuse("path", got, "at least one row of numbers", "check the file")
    return Rows(header, [line for line, _ in numbered], [fields for _, fields in numbered])


def rows_of(argument: str, text: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
    """Yield the number and the fields of each row that is not blank, as the text comes in."""
    reader = csv.reader(text, strict=True)
    try:
        for fields in reader:
            if len(fields) > 1 or "".join(fields).strip():
                yield reader.line_num, fields
    except csv.Error as error:
        got = f"line {reader.line_num}, which can't be read as text ({error})"
        checks.refuse(argument, got, _CSV, "mend that line")


def whole(argument: str, fields: list[str], header: list[str], line: int) -> list[str]:
    """Return a row, if it has as many fields as the header."""
    if len(fields) != len(header):
        checks.refuse(
            argument, f"{len(fields)} fields in line {line}", f"{len(header)} as in the header", "mend that line"
        )
    return fields


def column_of(argument: str, column: str, header: Sequence[str]) -> int:
    """Return where a column is."""
    if header.count(column) != 1:
        got = f"{column!r}, which is {'missing' if column not in header else 'there more than once'}"
        checks.refuse(argument, got, f"one of {', '.join(map(repr, header))}", "name a column of the header line")
    return header.index(column)


def number_columns(argument: str, rows: Rows, columns: Sequence[int], *, missing: bool = False) -> list[Array]:
    """Return columns as numbers."""
    return [
        _numbers(argument, [fields[k] for fields in rows.fields], rows.header[k], rows.lines, missing) for k in columns
    ]


_CSV = "a text file in UTF-8 with comma-separated values"


def _text(path: str | Path) -> str:
    """Return a file's text."""
    try:
        content = Path(path).read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        got = f"{str(path)!r} ({getattr(error, 'strerror', error)})"
        checks.refuse("path", got, "a file that can be read", "check the path")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        got = f"{Path(path).name}, which can't be read as text ({error.reason} in line {line})"
        checks.refuse("path", got, _CSV, "check the file")
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        checks.refuse("path", f"a NUL byte in line {line}", _CSV, "check the file")
    return text


def _numbers(argument: str, fields: list[str], column: str, lines: list[int], missing: bool) -> Array:
    try:
        values = np.array([float(field or "nan") for field in fields])
    except ValueError:
        values = np.array([np.inf])
    fine = ~np.isinf(values) if missing else np.isfinite(values)
    if fine.all() and "_" not in "".join(fields):  # float takes 1_000, no spreadsheet means that
        return values
    return np.array([_number(argument, *field, column, missing) for field in zip(fields, lines, strict=True)])


def _number(argument: str, field: str, line: int, column: str, missing: bool) -> float:
    try:
        number = float("inf" if "_" in field else field.strip() or "nan")
    except ValueError:
        number = float("inf")
    if not (np.isfinite(number) or (missing and np.isnan(number))):
        got = f"{field!r} in line {line}, column {column!r}"
        checks.refuse(argument, got, "a finite number", "mend or drop that line")
    return number
