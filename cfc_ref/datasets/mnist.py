"""Event-based MNIST: the pixels of a digit row by row, as the changes between dark and bright.

As in the official code of Hasani et al.: a pixel is bright above 128. Each change of value, the first pixel included,
writes an event: the new value, and the number of pixels since the event before. What follows the last change is not
written. Events are padded to the longest sequence, where the official code pads to 256.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NamedTuple

import numpy as np

from cfc_ref import checks
from cfc_ref.arrays import Array
from cfc_ref.datasets.publisher import PublishedFile, download_missing, refuse_file, source_folder, unzipped

__all__ = ["SCALE", "Digits", "digit_events", "download_mnist", "other_editions", "read_idx", "read_mnist"]

SCALE = 256
"""By which the official code divides the elapsed pixels."""

_URL = "https://ossci-datasets.s3.amazonaws.com/mnist/"
_MD5 = {
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}
_FILES = tuple(PublishedFile(f"{name}.gz", f"{_URL}{name}.gz", md5=md5) for name, md5 in _MD5.items())
_STEMS = {"training": "train", "test": "t10k"}
_BRIGHT = 128


class Digits(NamedTuple):
    """Digits as events."""

    x: Array  # (N, T, 1): 1 where the pixels become bright, 0 where dark
    elapsed: Array  # (N, T): pixels since the event before
    mask: Array  # (N, T): true = an event
    y: Array | None  # (N,): 0 to 9; None where the labels are missing


def read_mnist(folder: str | Path, part: str) -> Digits:
    """Read the images of a part, "training" or "test", and its labels where they are there."""
    stem = _STEMS[checks.choice("part", part, _STEMS)]
    path = source_folder(folder, "train-images-idx3-ubyte.gz and its companions")
    images = read_idx(path, f"{stem}-images-idx3-ubyte", 3)
    assert images is not None
    labels = read_idx(path, f"{stem}-labels-idx1-ubyte", 1, required=False)
    if labels is not None and len(labels) != len(images):
        got = f"of which there are {len(labels)}, with {len(images)} images"
        refuse_file(f"{stem}-labels-idx1-ubyte", got, "one label per image")
    if labels is not None and labels.max(initial=0) > 9:
        refuse_file(f"{stem}-labels-idx1-ubyte", f"with the label {labels.max()}", "labels 0 to 9")
    return digit_events(images.reshape(len(images), -1))._replace(y=None if labels is None else labels.astype(np.int64))


def digit_events(pixels: Array) -> Digits:
    """Return images, shape (N, pixels), as events without labels."""
    bright = pixels > _BRIGHT
    changes = np.ones_like(bright)
    changes[:, 1:] = bright[:, 1:] != bright[:, :-1]
    image, place = np.nonzero(changes)
    lengths = changes.sum(axis=1)
    step = np.arange(len(image)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    shape = len(pixels), int(lengths.max(initial=0))
    x, elapsed, mask = np.zeros((*shape, 1), np.float32), np.zeros(shape, np.float32), np.zeros(shape, bool)
    x[image, step, 0] = bright[image, place]
    elapsed[image, step] = np.where(step == 0, 1, np.diff(place, prepend=0))
    mask[image, step] = True
    return Digits(x, elapsed, mask, None)


def read_idx(folder: Path, name: str, axes: int, *, required: bool = True) -> Array | None:
    """Read an IDX file of unsigned bytes, gzipped or not; None where it is missing and not required."""
    content = _content(folder, name)
    if content is None and required:
        refuse_file(name, "which is missing", f"{name}.gz or {name}", "download it")
    return None if content is None else _idx(name, content, axes)


def _content(folder: Path, name: str) -> bytes | None:
    """Return the contents of a file, gzipped or not, or None where it is missing."""
    for file in (folder / f"{name}.gz", folder / name):
        if file.is_file():
            content = file.read_bytes()
            return unzipped(file.name, content) if file.suffix == ".gz" else content
    return None


def _idx(name: str, content: bytes, axes: int) -> Array:
    """Return the array of an IDX file: 0, 0, the type (8: bytes), the number of axes, their lengths, the numbers."""
    start = 4 + 4 * axes
    if len(content) < start or content[:4] != bytes([0, 0, 8, axes]):
        refuse_file(name, "which does not begin as an IDX file of bytes does", f"{axes} axes of unsigned bytes")
    shape = tuple(np.frombuffer(content, ">u4", axes, 4).tolist())
    if len(content) - start != np.prod(shape, dtype=object):
        refuse_file(name, f"which holds {len(content) - start} numbers", f"{shape}, as its beginning says")
    array: Array = np.frombuffer(content, np.uint8, offset=start).reshape(shape)
    return array


def other_editions(folder: str | Path) -> list[str]:
    """Return the names of the files that are not the published ones to the byte, such as those of Fashion-MNIST."""
    contents = ((name, _content(Path(folder), name)) for name in _MD5)
    return [
        name
        for name, content in contents
        if content is not None and hashlib.md5(content, usedforsecurity=False).hexdigest() != _MD5[name]
    ]


def download_mnist(folder: str | Path) -> Path:
    """Download images and labels, 12 MB, from the copy that PyTorch maintains; the first publisher's page is closed."""
    return download_missing(folder, _FILES)
