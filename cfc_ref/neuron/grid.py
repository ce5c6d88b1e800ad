"""The steps between 0 and the requested times that solvers, exact pieces and frozen forms share."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["time_grid"]

Array = npt.NDArray[Any]


def time_grid(t: Array, breakpoints: Array, step: float | None = None) -> tuple[Array, npt.NDArray[np.intp]]:
    """Return increasing edges from 0 on, cut at breakpoints and into the fewest parts <= `step`, and where t is."""
    end = t.max() if t.size else 0.0
    inside = breakpoints[(breakpoints > 0) & (breakpoints < end)]
    edges = np.unique(np.concatenate([[0.0], t.reshape(-1), inside]))
    if step is not None:
        # 0.6 / 0.2 is 3 and not "a little more than 3": forgive the division's rounding.
        parts = np.ceil(np.diff(edges) / step * (1 - 1e-12)).astype(int)
        cuts = [np.linspace(a, b, n, endpoint=False) for a, b, n in zip(edges[:-1], edges[1:], parts, strict=True)]
        edges = np.concatenate([*cuts, edges[-1:]])
    return edges, np.searchsorted(edges, t)
