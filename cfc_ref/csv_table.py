"""CSV files: their text, rows, and columns of numbers; an error names the line and the column in the file.

A file is read if it has one meaning: UTF-8, UTF-16 or UTF-32, any line ends, commas, semicolons, tabs or bars between
fields, decimal commas if commas do not divide fields. Other files are refused, with their probable kind.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

import numpy as np

from cfc_ref import checks
from cfc_ref.arrays import Array

__all__ = [
    "MISSING",
    "Rows",
    "column_of",
    "is_number",
    "note_missing",
    "number_columns",
    "number_texts",
    "read_rows",
    "refuse_nul",
    "rows_of",
    "split_rows",
    "whole",
    "written",
]

# Missing values as pandas, R, SQL and spreadsheets write them, in lower case.
MISSING = frozenset(("", "nan", "+nan", "-nan", "na", "n/a", "#n/a", "#na", "#n/a n/a", "<na>", "nat", "none", "null"))


@dataclass
class Rows:
    """A table as text: column names, the line in which each row ends, its fields, and how it was read."""

    header: list[str]
    lines: list[int]
    fields: list[list[str]]
    delimiter: str = ","
    digest: str = ""  # the beginning of the file's SHA-256
    marks: set[str] = field(default_factory=set)  # decimal marks seen so far, if the comma can be one
    notes: list[str] = field(default_factory=list)  # for the user, about the reading

    def place(self, k: int, column: int) -> str:
        """Return a field, its line and its column in words."""
        return f"{self.fields[k][column].strip()!r} in line {self.lines[k]}, column {self.header[column]!r}"


def written(number: float) -> str:
    """Return the shortest text that reads back as the same number."""
    return str(number).removesuffix(".0")


def read_rows(path: str | Path) -> Rows:
    """Read a table with a header; blank lines are skipped."""
    if not isinstance(path, (str, Path)):
        checks.refuse("path", type(path).__name__, "the path of a file", "pass a string or a Path", TypeError)
    name = Path(path).name
    content = _content(path)
    with io.StringIO(_text(name, content), newline="") as file:
        rows, lines = rows_of("path", file)
        if not rows.header:
            checks.refuse("path", f"{name}, which is empty", "a header line and rows of numbers", "check the file")
        numbered = list(lines)
    if not numbered:
        got = f"{name}, which has a header and no rows"
        checks.refuse("path", got, "at least one row of numbers", "check the file")
    _check_widths(rows.header, [fields for _, fields in numbered], numbered[0][0])
    rows.lines = [line for line, _ in numbered]
    rows.fields = [whole("path", fields, rows.header, line) for line, fields in numbered]
    rows.digest = hashlib.sha256(content).hexdigest()[:16]
    return rows


def rows_of(argument: str, text: Iterable[str]) -> tuple[Rows, Iterator[tuple[int, list[str]]]]:
    """Return a table without its rows, and an iterator over their lines and fields as the text arrives."""
    lines = iter(text)
    skipped, delimiter, first = 0, "", ""
    for first in lines:
        said = re.fullmatch(r'"?sep=(.)"?\s*', first)  # spreadsheets write it over the header
        if first.strip() and not said:
            break
        delimiter = said[1] if said else delimiter
        skipped, first = skipped + 1, ""
    if not delimiter:
        bare = re.sub(r'"[^"]*"?', "", first)
        delimiter = max(",;\t|", key=bare.count)
    rows = split_rows(argument, chain([first], lines), delimiter, skipped)
    header = [name.strip() for name in next(rows, (0, []))[1]]
    table = Rows(header, [], [], delimiter)
    table.notes += [f"column {k + 1} has no name and is not used" for k, name in enumerate(header) if not name]
    return table, rows


def split_rows(argument: str, lines: Iterable[str], delimiter: str, skipped: int) -> Iterator[tuple[int, list[str]]]:
    """Yield the line and the fields of each row that is not blank."""
    csv.field_size_limit(2**31 - 1)  # a track's geometry is longer than the default; it holds for all readers
    reader = csv.reader(lines, strict=True, delimiter=delimiter, skipinitialspace=True)
    ended = skipped
    try:
        for fields in reader:
            ended = reader.line_num + skipped
            if "".join(fields).strip().strip("\x1a"):  # DOS ends a file so
                yield ended, fields
    except csv.Error as error:
        got = f"line {ended + 1}, which can't be read as text ({error})"
        checks.refuse(argument, got, _CSV, "correct that line, for example its quotes")


def refuse_nul(argument: str, text: str, line: int) -> None:
    """Refuse a text that has a NUL byte; `line` is the number of its first line."""
    if "\0" in text:
        got = f"a NUL byte in line {line + text.count(chr(10), 0, text.index(chr(0)))}"
        checks.refuse(argument, got, _CSV, "check the file, or save it as UTF-8")


def _check_widths(header: list[str], fields: list[list[str]], line: int) -> None:
    """Refuse a header that fits none of the rows."""
    widths = {len(row) for row in fields}
    if len(widths) > 1 or widths == {len(header)} or not any(any(row[len(header) :]) for row in fields):
        return
    (width,), names = widths, len(header)
    got = f"{width} fields in line {line} and all others, under a header of {names}"
    do = "check that the first line is the header, or save the file with commas between fields"
    if width == names + 1:
        do = "name the first column in the header too (R: write.csv, or col.names = NA), or quote fields with commas"
    checks.refuse("path", got, f"{names} as in the header", do)


def whole(argument: str, fields: list[str], header: list[str], line: int) -> list[str]:
    """Return a row as long as the header; blank fields after its end are dropped."""
    if len(fields) == len(header):
        return fields
    if len(fields) < len(header) or any(more.strip() for more in fields[len(header) :]):
        got = f"{len(fields)} fields in line {line}"
        do = "correct that line, quote fields with commas"
        checks.refuse(argument, got, f"{len(header)} as in the header", do)
    return fields[: len(header)]


def column_of(argument: str, column: str, header: Sequence[str]) -> int:
    """Return the index of a column."""
    if header.count(column) != 1:
        got = f"{column!r}, which is {'missing' if column not in header else 'there more than once'}"
        do = "name a column of the header line" if len(header) > 1 else "save the file with commas between fields"
        checks.refuse(argument, got, f"one of {', '.join(map(repr, header))}", do)
    return header.index(column)


_CSV = "a text file in UTF-8 with comma-separated values"
_OTHER_FILES = {  # first bytes: what it is, what to do
    b"PK\3\4": ("an Excel workbook or a zip archive", "save the sheet as CSV UTF-8"),
    b"\xd0\xcf\x11\xe0": ("an Excel workbook", "save the sheet as CSV UTF-8"),
    b"\x1f\x8b": ("a gzip archive", "unpack it with gunzip"),
    b"PAR1": ("a Parquet file", "write it as CSV"),
}


def _content(path: str | Path) -> bytes:
    """Return a file's bytes, read once, as it may be a pipe."""
    try:
        return Path(path).read_bytes()
    except OSError as error:
        checks.unreadable("path", path, error, "a file that can be read")
    except ValueError as error:  # a NUL in the path
        checks.refuse("path", f"{str(path)!r} ({error})", "a file that can be read", "check the path")


def _text(name: str, content: bytes) -> str:
    """Return a file's text."""
    for begins, (kind, do) in _OTHER_FILES.items():
        if content.startswith(begins):
            checks.refuse("path", f"{name}, which is {kind}", _CSV, do)
    encoding = _encoding(content)
    try:
        text = content.decode(encoding).rstrip("\0")  # loggers fill a file so
    except UnicodeDecodeError as error:
        before = content[: error.start]
        line, column = before.count(b"\n") + 1, len(re.findall(rb"[,;\t]", before[before.rfind(b"\n") + 1 :])) + 1
        got = f"{name}, which can't be read as text ({error.reason} in line {line}, column {column})"
        do = "save it as UTF-8; if it is Windows-1252 or Latin-1: iconv -f CP1252 -t UTF-8 OLD > NEW"
        checks.refuse("path", got, _CSV, do)
    refuse_nul("path", text, 1)
    return text


def _encoding(content: bytes) -> str:
    """Return the encoding by the byte order mark or by the zeros of UTF-16, else UTF-8."""
    if content.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32"
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    even, odd = content[:400:2].count(0), content[1:400:2].count(0)
    if max(even, odd) > 0.8 * len(content[:400:2]) and not min(even, odd):
        return "utf-16-be" if even else "utf-16-le"
    return "utf-8-sig"


# --- numbers


_CORRECT = "correct or drop that line"


def number_columns(
    argument: str, rows: Rows, columns: Sequence[int], *, missing: bool = False, empty: str = _CORRECT
) -> list[Array]:
    """Return columns as numbers, NaN where missing; `empty` is the advice where a value must not be missing."""
    return [_numbers(argument, rows, column, missing, empty) for column in columns]


def _numbers(argument: str, rows: Rows, column: int, missing: bool, empty: str) -> Array:
    fields = [row[column] for row in rows.fields]
    if rows.delimiter == ",":
        try:
            values = np.array([float(text or "nan") for text in fields])
        except ValueError:
            values = np.array([np.inf])
        fine = ~np.isinf(values) if missing else np.isfinite(values)
        if fine.all() and "_" not in "".join(fields):  # float takes 1_000, no spreadsheet means that
            return values
    values = np.array([_number(argument, rows, k, column, missing, empty) for k in range(len(fields))])
    note_missing(rows, column, Counter(fields[k].strip() for k in np.flatnonzero(np.isnan(values))))
    return values


def note_missing(rows: Rows, column: int, texts: Mapping[str, int]) -> None:
    """Add a note on the words in a column that were read as missing values."""
    for text, count in texts.items():
        if text.lower() in MISSING.difference(("", "nan")):
            of = f"of column {rows.header[column]!r}"
            rows.notes.append(f"{count:,} field{'s' * (count > 1)} {text!r} {of} read as missing")


def is_number(text: str) -> bool:
    """Return whether a text is a number, NaN and infinity included."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def number_texts(rows: Rows, column: int) -> list[str]:
    """Return a column of numbers as texts with a decimal point."""
    texts = [row[column].strip() for row in rows.fields]
    return texts if rows.delimiter == "," else [text.replace(",", ".") for text in texts]


def _number(argument: str, rows: Rows, k: int, column: int, missing: bool, empty: str) -> float:
    text = rows.fields[k][column].strip()
    if missing and text.lower() in MISSING:
        return np.nan
    if rows.delimiter != "," and re.fullmatch(r"[-+\d.,]+(e[-+]?\d+)?", text, re.IGNORECASE):
        rows.marks |= set(text) & {",", "."}
        if len(rows.marks) > 1:
            got = f"{rows.place(k, column)} in a file with decimal points and decimal commas"
            checks.refuse(argument, got, "one decimal mark", "write points only, and no marks of thousands")
        text = text.replace(",", ".")
    try:
        number = float("inf" if "_" in text else text)
    except ValueError:
        number = np.inf
    if not np.isfinite(number):
        do = empty if text.lower() in MISSING else _CORRECT
        if re.fullmatch(r"[+-]?\d+,\d+", text):
            do = "write decimal points, or semicolons between fields"
        checks.refuse(argument, rows.place(k, column), "a finite number", do)
    return number
