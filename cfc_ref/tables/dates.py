"""The times of a table: numbers of any unit, or ISO dates."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import numpy as np
import numpy.typing as npt

from cfc_ref import checks
from cfc_ref.csv_table import Rows, number_columns

__all__ = ["read_times"]

Array = npt.NDArray[Any]


def read_times(argument: str, rows: Rows, column: str, *, dates: bool) -> Array:
    """Return a column of times: numbers as they are, of ISO dates the seconds since 1970."""
    place = rows.header.index(column)
    if not dates:
        return number_columns(argument, rows, [place])[0]
    stamps = [
        _date(argument, fields[place], line, column) for line, fields in zip(rows.lines, rows.fields, strict=True)
    ]
    zoned = stamps[0].tzinfo is not None
    for k, stamp in enumerate(stamps):
        if (stamp.tzinfo is not None) != zoned:
            got = f"{rows.fields[k][place].strip()!r} in line {rows.lines[k]}, column {column!r}"
            expected = f"a date {'with' if zoned else 'without'} a time zone, as in line {rows.lines[0]}"
            checks.refuse(argument, got, expected, "write all of them in one way")
    start = datetime(1970, 1, 1, tzinfo=timezone.utc if zoned else None)
    return np.array([(stamp - start).total_seconds() for stamp in stamps])


def _date(argument: str, field: str, line: int, column: str) -> datetime:
    text = field.strip()
    try:
        return datetime.fromisoformat(f"{text[:-1]}+00:00" if text.endswith("Z") else text)  # Python 3.10 knows no Z
    except ValueError:
        expected = "an ISO date such as 2024-05-31 or 2024-05-31T12:30:00+02:00"
        checks.refuse(argument, f"{text!r} in line {line}, column {column!r}", expected, "mend that line")
