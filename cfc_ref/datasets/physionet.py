"""PhysioNet/CinC Challenge 2012: 48 hours of an intensive-care patient, and whether the patient died in hospital.

Prepared as the official code of Hasani et al. does: one row per minute that has a line, its time rounded to 0.016 h,
the last observed value of 41 variables and 41 masks of what the row itself has. Values are (value - min) / max, with
min and max of all 4,000 records of set-a, test records included. The official order of the records is unknown (it was
that of a directory listing); here it is that of the record ids.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from cfc_ref import checks
from cfc_ref.arrays import Array
from cfc_ref.datasets.irregular import last_seen, row_means
from cfc_ref.datasets.publisher import PublishedFile, download_missing, members, refuse_file, source_folder

__all__ = [
    "CLOCKS",
    "VARIABLES",
    "Patients",
    "Stays",
    "download_physionet",
    "patients_of",
    "physionet_scale",
    "read_physionet",
]

_URL = "https://physionet.org/files/challenge-2012/1.0.0/"
_FILES = tuple(
    PublishedFile(name, _URL + name) for name in ("set-a.tar.gz", "Outcomes-a.txt", "set-b.tar.gz", "Outcomes-b.txt")
)
# fmt: off
VARIABLES = (
    "Age", "Gender", "Height", "ICUType", "Weight", "Albumin", "ALP", "ALT", "AST", "Bilirubin", "BUN", "Cholesterol",
    "Creatinine", "DiasABP", "FiO2", "GCS", "Glucose", "HCO3", "HCT", "HR", "K", "Lactate", "Mg", "MAP", "MechVent",
    "Na", "NIDiasABP", "NIMAP", "NISysABP", "PaCO2", "PaO2", "pH", "Platelets", "RespRate", "SaO2", "SysABP", "Temp",
    "TroponinI", "TroponinT", "Urine", "WBC",
)
# fmt: on
"""The columns, in the official code's order."""

CLOCKS = ("official", "true")
_QUANTUM = 0.016  # hours
_COLUMN = {name: k for k, name in enumerate(VARIABLES)}
_MINUTES = {f"{minute // 60:02d}:{minute % 60:02d}": minute for minute in range(48 * 60 + 1)}
_HEADER, _OUTCOMES = "Time,Parameter,Value", "RecordID,SAPS-I,SOFA,Length_of_stay,Survival,In-hospital_death"


class Stays(NamedTuple):
    """The records of a set, one after the other; record k has the rows ``offset[k]`` to ``offset[k + 1]``."""

    ids: Array  # (N,), ascending
    offset: Array  # (N + 1,)
    hours: Array  # (rows,): time since the admission, rounded
    values: Array  # (rows, 41): the row's own observations, in their units; 0 where there is none
    observed: Array  # (rows, 41): whether there is one
    died: Array  # (N,): 1 died in hospital, 0 did not, -1 not known


class Patients(NamedTuple):
    """Records as a network takes them."""

    x: Array  # (N, T, 82): last observed values, scaled, and masks
    y: Array  # (N,): 1 died, 0 did not, -1 not known
    timespans: Array  # (N, T), hours
    mask: Array  # (N, T): true = a real row

    def take(self, which: Any) -> Patients:
        """Return some of them."""
        return Patients(*(array[which] for array in self))


def read_physionet(folder: str | Path, which: str = "a") -> Stays:
    """Read ``set-a`` or ``set-b``, from its archive or its folder; outcomes may be missing, of all or some records."""
    path = source_folder(folder, "set-a.tar.gz and Outcomes-a.txt")
    name = f"set-{checks.choice('which', which, ('a', 'b'))}"
    records = {}
    for file, content in members(path, f"{name}.tar.gz", (f"{name}/",)):
        number = _record_number(file)
        if number in records:
            refuse_file(file, "whose record was there before", "each record once")
        records[number] = _parsed(file, number, content)
    if not records:
        refuse_file(name, "which is missing or empty", f"{name}.tar.gz, or its files in {name}", "download it")
    ids = np.array(sorted(records))
    rows = [records[number] for number in ids.tolist()]
    offset = np.cumsum([0, *(len(hours) for hours, _, _ in rows)])
    hours, values, observed = (np.concatenate(parts) for parts in zip(*rows, strict=True))
    return Stays(ids, offset, hours, values, observed, _died(path / f"Outcomes-{which}.txt", ids))


def _record_number(file: str) -> int:
    stem = file.rpartition("/")[2].removesuffix(".txt")
    if not (stem.isascii() and stem.isdigit()):
        refuse_file(file, "which is no record", "files named by record, such as 132539.txt", "remove it")
    return int(stem)


def _parsed(file: str, number: int, content: bytes) -> tuple[Array, Array, Array]:
    """Return the times in hours, the observations, and which there are, of a record's rows."""
    header, *lines = content.decode("latin-1").split("\n")
    cells = [line.rstrip("\r").split(",") for line in lines if line.strip()]
    if header.strip() != _HEADER or not cells or any(len(cell) != 3 for cell in cells):
        refuse_file(file, "which is no table of three columns", f"the header {_HEADER} and lines of three entries")
    times, names, numbers = zip(*cells, strict=True)
    minutes = np.array(_looked_up(file, times, _MINUTES, "time", "a time from 00:00 to 48:00"))
    if (back := np.diff(minutes) < 0).any():
        k = int(np.argmax(back))
        refuse_file(file, f"whose time goes back from {times[k]} to {times[k + 1]}", "times that do not fall")
    columns = np.array(_looked_up(file, names, {**_COLUMN, "RecordID": -1}, "variable", "one of the 41 variables"))
    values = _numbers(file, numbers)
    if (wrong := values[columns == -1] != number).any():
        refuse_file(file, f"which holds record {values[columns == -1][wrong][0]:.0f}", f"record {number}")
    return _rows(minutes, columns, values)


def _looked_up(file: str, words: Any, table: dict[str, int], what: str, expected: str) -> list[int]:
    try:
        return [table[word] for word in words]
    except KeyError as error:
        refuse_file(file, f"with the {what} {error.args[0]!r}", expected)


def _numbers(file: str, words: Any) -> Array:
    values = np.array([_number(word) for word in words])
    if not (finite := np.isfinite(values)).all():
        refuse_file(file, f"with the value {words[int(np.argmin(finite))]!r}", "finite numbers")
    return values


def _number(word: str) -> float:
    try:
        return float(word)
    except ValueError:
        return np.nan


def _rows(minutes: Array, columns: Array, values: Array) -> tuple[Array, Array, Array]:
    """Return one row per minute that has a line, the first at 0 h, with the means of what a minute repeats."""
    starts = np.unique(np.append(minutes, 0))
    kept = columns >= 0
    row = np.searchsorted(starts, minutes[kept])
    table, observed = row_means(row, columns[kept], values[kept], (len(starts), len(VARIABLES)))
    hours = np.round(starts / 60 / _QUANTUM) * _QUANTUM
    return hours, table, observed


def _died(path: Path, ids: Array) -> Array:
    """Return the outcome of each record, -1 where the file has none."""
    died = np.full(len(ids), -1)
    if not path.is_file():
        return died
    header, *lines = path.read_text(encoding="latin-1").splitlines()
    place = {number: k for k, number in enumerate(ids.tolist())}
    if header.strip() != _OUTCOMES:
        refuse_file(path.name, f"whose header is {header!r}", _OUTCOMES)
    for line in lines:
        cells = line.split(",")
        if len(cells) != 6 or not (cells[0].isascii() and cells[0].isdigit()) or cells[5].strip() not in ("0", "1"):
            refuse_file(path.name, f"with the line {line!r}", "six entries: a record first, 0 or 1 last")
        if int(cells[0]) not in place:
            refuse_file(path.name, f"with an outcome of record {cells[0]}, which is not there", "outcomes of records")
        k = place[int(cells[0])]
        if died[k] != -1:
            refuse_file(path.name, f"with two outcomes of record {cells[0]}", "one outcome of a record")
        died[k] = int(cells[5])
    return died


def physionet_scale(stays: Stays) -> tuple[Array, Array]:
    """Return the min and the max of each variable's observations; a max of 0, or of nothing, is 1."""
    low = np.where(stays.observed, stays.values, np.inf).min(axis=0)
    high = np.where(stays.observed, stays.values, -np.inf).max(axis=0)
    unseen = ~stays.observed.any(axis=0)
    low[unseen], high[unseen | (high == 0)] = 0, 1
    return low, high


def patients_of(stays: Stays, scale: tuple[Array, Array], clock: str = "true") -> Patients:
    """Return records as a network takes them.

    The true clock's timespan is the time since the row before. The official code's is late by one row, and negative:
    0, 0, and then minus the time between the two rows before. Layers refuse negative times, and it is their absolute
    values that are returned.
    """
    checks.choice("clock", clock, CLOCKS)
    scaled = np.where(stays.observed, (stays.values - scale[0]) / scale[1], 0).astype(np.float32)
    lengths = np.diff(stays.offset)
    mask = np.arange(lengths.max()) < lengths[:, None]
    F = len(VARIABLES)
    x, timespans = np.zeros((*mask.shape, 2 * F), np.float32), np.zeros(mask.shape, np.float32)
    for k, (first, last) in enumerate(zip(stays.offset, stays.offset[1:], strict=False)):
        seen, n = stays.observed[first:last], last - first
        x[k, :n, :F] = last_seen(scaled[first:last], seen)
        x[k, :n, F:] = seen
        elapsed = np.diff(stays.hours[first:last], prepend=0.0)
        timespans[k, :n] = elapsed if clock == "true" else np.concatenate([[0.0], elapsed[:-1]])
    return Patients(x, stays.died, timespans, mask)


def download_physionet(folder: str | Path) -> Path:
    """Download both sets and their outcomes, 15 MB."""
    return download_missing(folder, _FILES)
