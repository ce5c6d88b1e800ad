"""Columns of numbers from a CSV file; what is wrong with a file is said with its line and column."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cfc_ref import checks

__all__ = ["read_columns"]

Array = npt.NDArray[Any]


def read_columns(path: str | Path, columns: Mapping[str, str], *, increasing: str) -> list[Array]:
    r"""Read columns of finite numbers from a table with a header.

    Parameters
    ----------
    path : str or Path
        A text file in UTF-8, fields divided by commas, names in the first line.
    columns : mapping
        The caller's argument to the column that it names.
    increasing : str
        The argument whose column has to increase strictly.

    Returns
    -------
    list of ndarray, each of shape (rows,)
        In the order of `columns`.

    Raises
    ------
    ValueError, TypeError
        Naming the argument, and the line and column of the file.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> folder = tempfile.TemporaryDirectory()
    >>> file = pathlib.Path(folder.name) / "table.csv"
    >>> _ = file.write_text("t,v\n0,1\n0,3\n")
    >>> read_columns(file, {"value_column": "v"}, increasing="value_column")
    [array([1., 3.])]
    >>> folder.cleanup()
    """
    if not isinstance(path, (str, Path)):
        checks.refuse("path", type(path).__name__, "the path of a file", "pass a string or a Path", TypeError)
    for argument, column in columns.items():
        if not isinstance(column, str):
            checks.refuse(argument, repr(column), "the name of a column", "pass a string", TypeError)
    lines = _lines(path)
    header = [name.strip() for name in next(lines, (0, []))[1]]
    name = Path(path).name
    if not header:
        checks.refuse("path", f"{name}, which is empty", "a header line and rows of numbers", "check the file")
    picked = {argument: _position(argument, column, header) for argument, column in columns.items()}
    rows: list[list[float]] = []
    latest = -np.inf
    for line, fields in lines:
        if len(fields) != len(header):
            got = f"{len(fields)} fields in line {line}"
            checks.refuse("path", got, f"{len(header)} as in the header", "mend that line")
        rows.append([_number(fields[k], header[k], line) for k in picked.values()])
        now = rows[-1][list(columns).index(increasing)]
        if not now > latest:
            got = f"{now:g} after {latest:g} in line {line}, column {columns[increasing]!r}"
            checks.refuse("path", got, "strictly increasing numbers", "sort the rows and drop duplicates")
        latest = now
    if not rows:
        got = f"{name}, which has a header and no rows"
        checks.refuse("path", got, "at least one row of numbers", "check the file")
    return list(np.array(rows).T)


def _lines(path: str | Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the number and the fields of each line that is not blank."""
    expected, do = "a text file in UTF-8 with comma-separated values", "check the file"
    try:
        content = Path(path).read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        got = f"{str(path)!r} ({getattr(error, 'strerror', error)})"
        checks.refuse("path", got, "a file that can be read", "check the path")
    try:
        with io.StringIO(content.decode("utf-8-sig"), newline="") as file:
            reader = csv.reader(file, strict=True)
            for fields in reader:
                if any("\0" in field for field in fields):
                    checks.refuse("path", f"a NUL byte in line {reader.line_num}", expected, do)
                if fields:
                    yield reader.line_num, fields
    except (UnicodeDecodeError, csv.Error) as error:
        checks.refuse("path", f"{Path(path).name}, which can't be read as text ({error})", expected, do)


def _position(argument: str, column: str, header: list[str]) -> int:
    if header.count(column) != 1:
        got = f"{column!r}, which is {'missing' if column not in header else 'there more than once'}"
        checks.refuse(argument, got, f"one of {', '.join(map(repr, header))}", "name a column of the header line")
    return header.index(column)


def _number(field: str, column: str, line: int) -> float:
    try:
        number = float("nan" if "_" in field else field)  # float takes 1_000, no spreadsheet means that
    except ValueError:
        number = float("nan")
    if not np.isfinite(number):
        got = f"{field!r} in line {line}, column {column!r}"
        checks.refuse("path", got, "a finite number", "mend or drop that line")
    return number
