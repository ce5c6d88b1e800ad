"""The number of threads of the kernels, and the distribution of work over them.

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
import numpy as np

from cfc_ref.arrays import Array
from cfc_ref.kernels.memory import own

__all__ = ["MOST", "over_neurons", "share", "total", "use"]

MOST: int = numba.config.NUMBA_NUM_THREADS  # type: ignore[attr-defined]

_NEURONS, _WORTH_A_THREAD = 256, 20_000  # neurons that a thread takes at once; pieces below which one does all

_used = MOST
_pool: ThreadPoolExecutor | None = None


def use(n: int) -> None:
    """Let the kernels use `n` threads, from 1 to :data:`MOST`."""
    global _used
    _used = n


def share(kernel: Callable[..., Any], arguments: tuple[Any, ...], rows: int, parts: int, grain: int) -> None:
    """Call ``kernel(*arguments, first, last)`` for all rows, by at most `parts` threads at once.

    Pieces are of about the same size, of at most `grain` rows, and as many for each thread; a thread that is done takes
    the next one, as some rows may take longer than others, or a core be busy. One thread takes all rows as one piece.
    """
    global _pool
    parts = min(parts, rows, _used)
    if parts <= 1:
        kernel(*arguments, 0, rows)
        return
    pieces, piece = min(rows, parts * -(-rows // (parts * grain))), itertools.count()

    def work() -> None:
        while (k := next(piece)) < pieces:
            kernel(*arguments, rows * k // pieces, rows * (k + 1) // pieces)

    if _pool is None:
        _pool = ThreadPoolExecutor(max(1, MOST - 1), "cfc_ref")
    others = [_pool.submit(work) for _ in range(1, parts)]
    work()
    for other in others:
        other.result()


def total(of_parts: Array) -> Array:
    """Return the sum over the first axis, of which there often is but one entry."""
    return of_parts[0] if len(of_parts) == 1 else of_parts.sum(axis=0)


def over_neurons(compiled: Any, w_tau: Array, A: Array, *pieces_and_x0: Array) -> Array:
    """Call ``compiled(w_tau, A, x0, pieces, x, first, last)`` for neurons in a row, shared out over the threads."""
    *pieces, x0 = pieces_and_x0
    vectors, (*lead, steps) = (w_tau, A, x0), np.broadcast_shapes(*map(np.shape, pieces))
    shape, dtype = np.broadcast_shapes(*map(np.shape, vectors), tuple(lead)), np.result_type(*vectors, *pieces)
    flat = [own(np.broadcast_to(v, shape), dtype).reshape(-1) for v in vectors]
    tables = tuple(own(np.broadcast_to(v, (*shape, steps)), dtype).reshape(flat[0].size, steps) for v in pieces)
    x = np.empty((flat[0].size, steps + 1), dtype)
    share(compiled, (*flat, tables, x), len(x), x.size // _WORTH_A_THREAD, _NEURONS)
    return x.reshape(*shape, steps + 1)


def _forget_pool() -> None:
    """A forked process has none of the threads."""
    global _pool
    _pool = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_pool)
