"""How many threads the kernels use, and work shared out over them.

Kernels release the interpreter's lock, so that Python's own threads do. Numba's ``prange`` takes half as long again to
compile, and ends a process that was forked after its first use.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numba

__all__ = ["MOST", "share", "use"]

MOST: int = numba.get_num_threads()

_used = MOST
_pool: ThreadPoolExecutor | None = None


def use(n: int) -> None:
    """Let the kernels use `n` threads, from 1 to :data:`MOST`."""
    global _used
    numba.set_num_threads(n)
    _used = n


def share(kernel: Callable[..., Any], arguments: tuple[Any, ...], rows: int, parts: int, grain: int) -> None:
    """Call ``kernel(*arguments, first, last)`` for all rows, by at most `parts` threads at once.

    Pieces are of about the same size, of at most `grain` rows, and as many for each thread; a thread that is done takes
    the next one, as some rows may take longer than others, or a core be busy. One thread takes all rows as one piece.
    """
    global _pool
    parts = max(1, min(parts, rows, _used))
    pieces = 1 if parts == 1 else min(rows, parts * -(-rows // (parts * grain)))
    piece = itertools.count()

    def work() -> None:
        while (k := next(piece)) < pieces:
            kernel(*arguments, rows * k // pieces, rows * (k + 1) // pieces)

    if parts > 1 and _pool is None:
        _pool = ThreadPoolExecutor(max(1, MOST - 1), "cfc_ref")
    others = [_pool.submit(work) for _ in range(1, parts)] if _pool else []
    work()
    for other in others:
        other.result()


def _forget_pool() -> None:
    """A forked process has none of the threads."""
    global _pool
    _pool = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_pool)
