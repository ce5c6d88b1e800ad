"""How many threads the kernels use."""

from __future__ import annotations

import numba

__all__ = ["MOST", "use"]

MOST: int = numba.get_num_threads()


def use(n: int) -> None:
    """Let the kernels use `n` threads, from 1 to :data:`MOST`."""
    numba.set_num_threads(n)
