"""Walker2d: 400 recorded runs of a simulated walker; the task is to predict its next observation at irregular times.

The runs are split, thinned and cut as in the official code of Lechner & Hasani (arXiv 2006.04418). Random numbers are
drawn in the order training, validation, test, so that the first two parts do not depend on the test files.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from cfc_ref import checks
from cfc_ref.arrays import Array
from cfc_ref.datasets.publisher import fetch, source_folder
from cfc_ref.io import output_folder, write_atomically

__all__ = [
    "COLUMNS",
    "STEPS",
    "URL",
    "Windows",
    "download_walker2d",
    "missing_files",
    "official_split",
    "read_walker2d",
]

URL = "https://people.csail.mit.edu/mlechner/datasets/walker.zip"
COLUMNS = 17
"""Of an observation."""

STEPS = 64
"""Of a window."""

_STRIDE = 16  # from one window to the next
_KEPT = 0.9  # probability that an observation stays
_NAMES = tuple(f"rollout_{number:03d}.npy" for number in range(400))
_SPLIT_SEED, _THINNING_SEED = 125487, 891374
_LARGEST = 10_000_000  # bytes of a file in the archive; they have 0.14 million at most
_FILE = f"an array of numbers of shape (rows, {COLUMNS}), 2 rows or more"


class Windows(NamedTuple):
    """Windows of a part of the data."""

    x: Array  # (N, STEPS, COLUMNS): observations
    y: Array  # (N, STEPS, COLUMNS): the next observation of the recording, thinned out or not
    timespans: Array  # (N, STEPS): time since the observation before, in steps of the recording


def official_split() -> dict[str, tuple[str, ...]]:
    """Return the names of the files of each part: 300 for training, 40 for validation, 60 for test."""
    names = list(_NAMES)
    np.random.RandomState(_SPLIT_SEED).shuffle(names)
    return {"training": tuple(names[100:]), "validation": tuple(names[60:100]), "test": tuple(names[:60])}


def missing_files(folder: str | Path) -> dict[str, list[str]]:
    """Return which files of each part are not in a folder."""
    path = source_folder(folder, "rollout_*.npy")
    there = {file.name for file in path.iterdir()}
    return {part: sorted(set(names) - there) for part, names in official_split().items()}


def read_walker2d(folder: str | Path, *, test: bool = True) -> dict[str, Windows]:
    """Read the recordings, thin them out, and cut them into windows."""
    parts = ["training", "validation", "test"] if checks.flag("test", test) else ["training", "validation"]
    missing = missing_files(folder)
    for part in parts:
        _refuse_missing(part, missing[part])
    rng = np.random.RandomState(_THINNING_SEED)
    split = official_split()
    windows = {}
    for part in parts:
        thinned = [_thinned(_checked(name, (Path(folder) / name).read_bytes()), rng) for name in split[part]]
        windows[part] = _windows(part, thinned)
    return windows


def _refuse_missing(part: str, names: list[str]) -> None:
    if names:
        several = f" and {len(names) - 1} other files" if len(names) > 1 else ""
        do = "add them, or go without the test part" if part == "test" else "add them"
        checks.refuse("folder", f"no {names[0]}{several} of the {part} part", f"all files of the {part} part", do)


def _checked(name: str, content: bytes) -> Array:
    """Return the observations in a file."""
    try:
        array = checks.numeric(name, np.load(io.BytesIO(content), allow_pickle=False))
    except (ValueError, TypeError, EOFError, OSError) as error:
        checks.refuse("folder", f"{name}, which can't be read ({error})", _FILE, "put the official file in its place")
    if array.ndim != 2 or array.shape[1] != COLUMNS or len(array) < 2:
        checks.refuse("folder", f"{name} of shape {array.shape}", _FILE, "put the official file in its place")
    return array.astype(np.float32)


def _thinned(observations: Array, rng: np.random.RandomState) -> Windows:
    """Drop one time step in ten, and count how far apart those are that stay."""
    x, y = observations[:-1], observations[1:]
    kept = np.flatnonzero(rng.random_sample(len(x)) < _KEPT)
    return Windows(x[kept], y[kept], np.diff(kept, prepend=-1).astype(np.float32))


def _windows(part: str, sequences: list[Windows]) -> Windows:
    """Cut sequences into windows that overlap."""
    firsts = [(one, k) for one in sequences for k in range(0, len(one.x) - STEPS, _STRIDE)]
    if not firsts:
        got = f"no recording of the {part} part with more than {STEPS} observations that stay"
        checks.refuse("folder", got, "longer ones", "put the official files in their place")
    return Windows(*(np.stack([one[i][k : k + STEPS] for one, k in firsts]) for i in range(3)))


def download_walker2d(folder: str | Path, *, url: str = URL) -> Path:
    """Download the 400 recordings, about 40 MB, check them, and write them to a folder."""
    files = _unpacked(url, fetch(url))
    path = output_folder("folder", folder)
    for name, content in files.items():
        write_atomically(path / name, content)
    return path


def _unpacked(url: str, content: bytes) -> Mapping[str, bytes]:
    """Return the files of an archive by name, checked; its folders and other files are left alone."""
    from zipfile import BadZipFile, ZipFile

    files: dict[str, bytes] = {}
    try:
        with ZipFile(io.BytesIO(content)) as archive:
            for entry in archive.infolist():
                name = Path(entry.filename).name
                if name in _NAMES and entry.file_size <= _LARGEST:
                    files[name] = archive.read(entry)
    except (BadZipFile, OSError, RuntimeError, NotImplementedError) as error:
        checks.refuse("download", f"{url!r}, which can't be unpacked ({error})", "a zip archive", "try it again")
    if len(files) != len(_NAMES):
        got = f"an archive with {len(files)} of the {len(_NAMES)} files"
        checks.refuse("download", got, f"{_NAMES[0]} to {_NAMES[-1]}", "try it again, or unpack it by other means")
    for name, one in files.items():
        _checked(name, one)
    return files
