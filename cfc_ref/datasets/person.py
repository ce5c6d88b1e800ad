"""Person activity: the positions of four tags on a person, and what the person does (UCI data set 196).

Prepared as the official code of Hasani et al. does: one row per 10 ms that has a line, the last seen coordinates of the
four tags and masks of what the row itself has; seven classes; windows of 50 rows that overlap by half. Rows of
"standing up from sitting on the ground" have no class there, and none here.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NamedTuple

import numpy as np

from cfc_ref.arrays import Array
from cfc_ref.datasets.irregular import last_seen, row_means
from cfc_ref.datasets.publisher import PublishedFile, download_missing, refuse_file, source_folder

__all__ = ["ACTIVITIES", "Activity", "Lines", "activity_windows", "download_person", "is_whole", "read_person"]

_NAME, _FRAGMENT = "ConfLongDemo_JSI.txt", "fragment.npz"
_URL = f"https://archive.ics.uci.edu/ml/machine-learning-databases/00196/{_NAME}"
_FILE = PublishedFile(_NAME, _URL, md5="280a677ae0d673ec9a50ada480d8a529")
_BLOB = "b62ce240e653a1a9a91e388bcb2cad56dfc14c19"  # SHA-1 of the file as git hashes it
ROWS, STRIDE = 50, 25
"""Of a window, and from one window to the next."""

ACTIVITIES = {
    "walking": 0,
    "falling": 1,
    "lying down": 2,
    "lying": 2,
    "sitting down": 3,
    "sitting": 3,
    "standing up from lying": 4,
    "standing up from sitting": 4,
    "on all fours": 5,
    "sitting on the ground": 6,
    "standing up from sitting on the ground": -1,
}
"""Name in the file -> class; -1: none."""

_TAGS = {"010-000-024-033": 0, "010-000-030-096": 1, "020-000-033-111": 2, "020-000-032-221": 3}
_TICKS = 10**5  # of 100 ns, in a unit of 10 ms
_JITTER = 10**7  # ticks by which a line may be late: the published file has such lines; rows are sorted by time


class Lines(NamedTuple):
    """The lines of the file."""

    sequence: Array  # number of the recording
    tag: Array  # 0 to 3
    ticks: Array  # time in units of 100 ns
    xyz: Array  # (lines, 3), m
    label: Array  # class, -1 for none


class Activity(NamedTuple):
    """Windows as a network takes them."""

    x: Array  # (N, 50, 24): last seen coordinates, and masks
    y: Array  # (N, 50): class of each row, -1 for none
    timespans: Array  # (N, 50), in units of 10 ms; 0 first


def read_person(folder: str | Path) -> Lines:
    """Read the published file, or the fragment of it that a folder holds instead."""
    path = source_folder(folder, _NAME)
    if (path / _NAME).is_file():
        return _parsed((path / _NAME).read_text(encoding="latin-1"))
    if not (path / _FRAGMENT).is_file():
        refuse_file(_NAME, "which is missing", "the file of UCI data set 196", "download it")
    return _fragment(path / _FRAGMENT)


def is_whole(folder: str | Path) -> bool:
    """Return whether a folder has the published file, to the byte."""
    path = Path(folder) / _NAME
    content = path.read_bytes() if path.is_file() else b""
    blob = f"blob {len(content)}\0".encode() + content
    return hashlib.sha1(blob, usedforsecurity=False).hexdigest() == _BLOB


def _parsed(text: str) -> Lines:
    cells = [line.split(",") for line in text.splitlines() if line.strip()]
    for k, cell in enumerate(cells, 1):
        if len(cell) != 8:
            refuse_file(_NAME, f"with {len(cell)} entries in line {k}", "8 entries in each")
        if cell[1] not in _TAGS or cell[7] not in ACTIVITIES:
            unknown = cell[1] if cell[1] not in _TAGS else cell[7]
            refuse_file(_NAME, f"with the name {unknown!r} in line {k}", "the published tags and activities")
    if not cells:
        refuse_file(_NAME, "which is empty", "lines of 8 entries")
    names, tags, ticks, _, *xyz, labels = zip(*cells, strict=True)
    try:
        times, places = np.array(ticks).astype(np.int64), np.array(xyz).astype(np.float64).T
    except ValueError as error:
        refuse_file(_NAME, f"with an entry that is no number ({error})", "ticks and coordinates")
    order = {name: k for k, name in enumerate(dict.fromkeys(names))}
    sequence = np.array([order[name] for name in names])
    label = np.array([ACTIVITIES[name] for name in labels])
    return _checked(_NAME, Lines(sequence, np.array([_TAGS[tag] for tag in tags]), times, places, label))


def _fragment(path: Path) -> Lines:
    try:
        with np.load(path, allow_pickle=False) as file:
            tags, classes = ([table[name] for name in file[key].tolist()] for key, table in _NAMES.items())
            tag, label = np.array(tags)[file["tag"]], np.array(classes)[file["label"]]
            lines = Lines(file["sequence"].astype(np.int64), tag, file["ticks"], file["xyz"], label)
    except Exception as error:  # whatever zipfile and numpy say of a file that is not what it should be
        refuse_file(path.name, f"which can't be read ({error})", "sequence, tag, ticks, xyz, label and names")
    return _checked(path.name, lines)


_NAMES: dict[str, dict[str, int]] = {"tag_names": _TAGS, "label_names": ACTIVITIES}


def _checked(name: str, lines: Lines) -> Lines:
    if len({len(array) for array in lines}) != 1:
        refuse_file(name, f"with arrays of {sorted({len(array) for array in lines})} lines", "one entry per line")
    if not np.isfinite(lines.xyz).all():
        refuse_file(name, "with coordinates that are not finite", "finite numbers")
    back = (np.diff(lines.sequence) == 0) & (np.diff(lines.ticks.astype(np.int64)) < -_JITTER)
    if back.any():
        refuse_file(name, f"whose time goes back in line {int(np.argmax(back)) + 2}", "times that rise but for jitter")
    return lines


def activity_windows(lines: Lines) -> Activity:
    """Return windows of all recordings, one after the other."""
    windows: list[tuple[Array, Array, Array]] = []
    for number in dict.fromkeys(lines.sequence.tolist()):
        own = Lines(*(array[lines.sequence == number] for array in lines))
        x, y, units = _rows(own)
        for k in range(0, len(x) - ROWS, STRIDE):
            part = slice(k, k + ROWS)
            windows.append((x[part], y[part], np.diff(units[part], prepend=units[k])))
    if not windows:
        refuse_file(_NAME, f"with no recording of more than {ROWS} rows", "longer ones")
    x, y, timespans = (np.stack(parts) for parts in zip(*windows, strict=True))
    return Activity(x, y, timespans.astype(np.float32))


def _rows(lines: Lines) -> tuple[Array, Array, Array]:
    """Return the inputs, the classes and the times of a recording's rows, one per unit of time that has a line."""
    units = np.round((lines.ticks - lines.ticks[0]) / _TICKS).astype(np.int64)
    starts, first, row = np.unique(units, return_index=True, return_inverse=True)
    column = 3 * lines.tag[:, None] + np.arange(3)
    table, observed = row_means(np.repeat(row, 3), column.ravel(), lines.xyz.ravel(), (len(starts), 12))
    x = np.concatenate([last_seen(table, observed), observed.astype(np.float32)], axis=1)
    return x, lines.label[first], starts


def download_person(folder: str | Path) -> Path:
    """Download the published file, 21 MB."""
    return download_missing(folder, [_FILE])
