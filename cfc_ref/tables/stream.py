"""Predictions row by row as rows arrive, equal to those for the whole table; each group has a state."""

from __future__ import annotations

import copy
import hashlib
import io
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cfc_ref import checks
from cfc_ref.arrays import Array
from cfc_ref.csv_table import Rows, number_columns, refuse_nul, rows_of, split_rows, whole
from cfc_ref.csv_times import differences, read_times
from cfc_ref.io import packed, unpacked, write_atomically
from cfc_ref.tables.csv import EMPTY, check_columns, group_name, refuse_going_back
from cfc_ref.tables.missing import Filler
from cfc_ref.tables.preparation import Preparation
from cfc_ref.tables.series import check_range

if TYPE_CHECKING:
    from cfc_ref.layers.base import Layer

__all__ = ["RowPredictor", "stream_rows"]

_FORMAT = "cfc_ref stream state, version 1"
_STATE_FILE = "a file that cfc-ref predict --save-state wrote with this network"


def stream_rows(
    source: str, lines: Iterable[bytes], bad: Callable[[ValueError], None] | None
) -> tuple[Rows, Iterator[tuple[int, list[str]]]]:
    """Return a table without its rows, and an iterator over their lines and fields as lines arrive."""
    # With `bad` each line is one row, and the error of an invalid line is passed to it; otherwise it is raised
    numbered = enumerate(lines, start=1)
    table, rows = rows_of(source, (line for of in numbered for line in _decoded(source, *of)))
    return table, rows if bad is None else _line_by_line(source, table, numbered, bad)


def _line_by_line(
    source: str, table: Rows, numbered: Iterable[tuple[int, bytes]], bad: Callable[[ValueError], None]
) -> Iterator[tuple[int, list[str]]]:
    for number, line in numbered:
        try:
            rows = list(split_rows(source, _decoded(source, number, line), table.delimiter, number - 1))
        except ValueError as error:
            bad(error)
        else:
            yield from rows


def _decoded(source: str, number: int, line: bytes) -> Iterable[str]:
    """Return the text of a line, or of several that end with a carriage return alone."""
    try:
        text = line.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        got = f"bytes in line {number} that are no text ({error.reason})"
        checks.refuse(source, got, "UTF-8", "save it as UTF-8, or correct that line")
    refuse_nul(source, text, number)
    return io.StringIO(text, newline="")


@dataclass(slots=True)
class _Group:
    """A group's last time and values, and the state of the network after them."""

    filler: Filler
    time: Decimal | None = None
    written: str = ""
    state: Any = field(default=None)


class RowPredictor:
    """A trained network that predicts from rows, one at a time; a row that is refused changes nothing."""

    def __init__(self, model: Layer, preparation: Preparation, source: str, header: Rows) -> None:
        check_columns(source, header.header, preparation.columns, targets=False)
        columns, place = preparation.columns, {name: k for k, name in enumerate(header.header)}
        self._model, self._preparation = model, preparation
        self._source, self._header = source, header
        self._features = [place[name] for name in columns.features]
        self._time = place[columns.time]
        self._group = None if columns.group is None else place[columns.group]
        self._stepper = model.stepper()
        self._groups: dict[str | None, _Group] = {}
        self._current: _Group | None = None  # the group whose state the stepper has

    def __call__(self, line: int, fields: list[str]) -> Array:
        """Return the predictions for a row."""
        source, columns, p = self._source, self._preparation.columns, self._preparation
        fields = whole(source, fields, self._header.header, line)
        rows = replace(self._header, lines=[line], fields=[fields], notes=[])
        name = None if self._group is None else group_name(source, rows, 0, self._group)
        time = read_times(source, rows, columns.time, dates=columns.dates)[0]
        with np.errstate(over="ignore"):
            x = p.scaled(self._numbers(rows))
        group = self._groups.get(name) or _Group(Filler(len(columns.features)))
        if group.time is not None and time < group.time:
            refuse_going_back(source, columns, rows, 0, group.written)
        dt = 1.0 if group.time is None else differences([time], [group.time])[0] / p.timespan
        check_range(source, rows, p, x[None], np.array([dt]))
        filler = copy.copy(group.filler)
        if p.missing:
            x = filler(x, ~np.isnan(x), dt)
        y = self._step(group, x, dt)
        group.filler, group.time, group.written = filler, time, fields[self._time].strip()
        self._groups[name] = group
        return p.predictions(y[None], p.base(x[None]))[0]

    def _numbers(self, rows: Rows) -> Array:
        """Return a row's features: directly if each is plainly a number, else one by one with all checks."""
        texts = [rows.fields[0][k] for k in self._features]
        missing = self._preparation.missing
        try:
            if rows.delimiter != ",":
                raise ValueError  # decimal commas
            x = np.array([float(text or "nan") for text in texts])
        except ValueError:
            x = np.array([np.inf])
        if (~np.isinf(x) if missing else np.isfinite(x)).all() and "_" not in "".join(texts):
            return x
        return np.concatenate(number_columns(self._source, rows, self._features, missing=missing, empty=EMPTY))

    def _step(self, group: _Group, x: Array, dt: float) -> Array:
        """Take one sample of a group; all groups share one stepper, and each keeps its state."""
        if self._current is not group:
            self._current = None
            self._stepper.state = group.state
            self._current = group
        y = self._stepper(x, dt)
        group.state = self._stepper.state
        return y

    # --- the states of all groups in a file

    def save(self, path: Path) -> None:
        """Write the states of all groups to a file."""
        groups = list(self._groups.values())
        header = {
            "format": _FORMAT,
            "network": self._digest(),
            "groups": list(self._groups),
            "times": [str(group.time) for group in groups],
            "written": [group.written for group in groups],
        }
        states = [group.state if isinstance(group.state, tuple) else (group.state,) for group in groups]
        arrays = {name: np.array(part) for name, part in zip("hc", zip(*states, strict=True), strict=False)}
        if self._preparation.missing:
            for name in ("last", "seen_at", "clock"):
                arrays[name] = np.array([getattr(group.filler, name) for group in groups])
        write_atomically(path, packed(header, arrays))

    def load(self, path: Path) -> None:
        """Continue from the states in a file."""
        try:
            header, arrays = unpacked(path)
            if header["format"] != _FORMAT:
                raise ValueError
            names, network = header["groups"], header["network"]
            rows = [dict(zip(arrays, one, strict=True)) for one in zip(*arrays.values(), strict=True)]
            each = list(zip(map(Decimal, header["times"]), header["written"], rows, strict=True))
            fine = len(names) == len(each) and all(np.isfinite(array).all() for array in arrays.values())
        except (OSError, ValueError, TypeError, KeyError, ArithmeticError):
            fine, network = False, None
        if not fine or network != self._digest():
            other = fine and "of another network"
            got = f"{str(path)!r}, which is {other or 'missing or holds something else'}"
            checks.refuse("load-state", got, _STATE_FILE, "check the path, or start without it")
        for name, (time, written, row) in zip(names, each, strict=True):
            filler = Filler(len(self._features))
            if self._preparation.missing:
                filler.last, filler.seen_at, filler.clock = row["last"], row["seen_at"], float(row["clock"])
            state = (row["h"], row["c"]) if "c" in row else row["h"]
            self._groups[name] = _Group(filler, time, written, state)

    def _digest(self) -> str:
        """Return a fingerprint of the network and of the preparation of its data."""
        state = hashlib.sha256(json.dumps([self._preparation.as_dict(), repr(self._model)]).encode())
        for name, array in sorted(self._model.state_dict().items()):
            state.update(f"{name} {array.dtype.str} {array.shape}".encode())
            state.update(np.ascontiguousarray(array).data)
        return state.hexdigest()
