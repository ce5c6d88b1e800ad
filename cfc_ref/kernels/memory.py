"""Memory for the kernels' arrays: it begins at a cache line, and is reused once no array refers to it.

The operating system provides fresh memory page by page, when it is first written to. For the tape of a batch of 128
sequences, 14 megabytes, that took half as long as the forward pass itself on the machine where it was measured.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import lru_cache
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import numpy as np

from cfc_ref.arrays import Array

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["LINE", "PANEL_BYTES", "aligned", "aligned_all", "own", "whole_lines"]

LINE = 16  # numbers in a cache line, or in two of float64
PANEL_BYTES = 128  # of one row of a panel of weights: cfc_ref.kernels.tile
_WORTH_KEEPING, _KEPT = 1 << 16, 1 << 26  # bytes of one array, and of all that wait for use

_waiting: dict[int, list[Array]] = {}  # bytes -> pieces of memory of that size


class _Lent:
    """A piece of memory that comes back when the last array on it is gone."""

    def __init__(self, size: int) -> None:
        waiting = _waiting.get(size)
        try:
            self._memory = waiting.pop() if waiting else np.empty(size, np.uint8)
        except IndexError:  # another thread was faster
            self._memory = np.empty(size, np.uint8)
        self.__array_interface__ = self._memory.__array_interface__

    def __del__(self, waiting: dict[int, list[Array]] = _waiting, most: int = _KEPT) -> None:
        size = self._memory.size
        if size + sum(each * len(pieces) for each, pieces in list(waiting.items())) > most:
            waiting.clear()
        if size <= most:
            waiting.setdefault(size, []).append(self._memory)


def whole_lines(numbers: int) -> int:
    """Return the size of the cache lines that hold so many numbers."""
    return -(-int(numbers) // LINE) * LINE


def aligned(shape: tuple[int, ...], dtype: npt.DTypeLike) -> Array:
    """Return an array that begins at a whole cache line: across two lines products take up to 1.4 times as long.

    Less than a panel beyond its end may be read, but not written: a row's last vectors.
    """
    return aligned_all([shape], dtype)[0]


def aligned_all(shapes: Iterable[tuple[int, ...]], dtype: npt.DTypeLike) -> list[Array]:
    """Return arrays that begin at a whole cache line in one piece of memory, which takes a third of the time."""
    shapes, dtype = tuple(shapes), np.dtype(dtype)
    *starts, size = _places(shapes, dtype.itemsize)
    room = size + 2 * PANEL_BYTES
    memory = np.asarray(_Lent(room)) if size >= _WORTH_KEEPING else np.empty(room, np.uint8)
    skip = -memory.__array_interface__["data"][0] % PANEL_BYTES
    return [np.ndarray(shape, dtype, memory, skip + start) for shape, start in zip(shapes, starts, strict=True)]


@lru_cache
def _places(shapes: tuple[tuple[int, ...], ...], itemsize: int) -> tuple[int, ...]:
    """Return the bytes at which arrays begin, and their end."""
    lines = (-(-math.prod(map(int, shape)) * itemsize // PANEL_BYTES) for shape in shapes)
    return tuple(accumulate((PANEL_BYTES * line for line in lines), initial=0))


def own(array: Any, dtype: npt.DTypeLike | None = None) -> Array:
    """Return it as kernels are compiled for: contiguous, aligned, writeable."""
    if type(array) is np.ndarray and array.flags.carray and (dtype is None or array.dtype == dtype):
        return array
    return np.require(array, dtype, ["C", "A", "W"])
