"""The steps between 0 and the requested times that solvers, exact pieces and frozen forms share."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from cfc_ref.arrays import Array

__all__ = ["fewest_parts", "forgiven", "time_grid"]


def forgiven(dtype: np.dtype[Any]) -> float:
    """Return a factor that forgives the rounding of lengths and of their division: 0.6 / 0.2 is 3, and no more."""
    return 1 - max(1e-12, 4 * float(np.finfo(dtype).eps))


def fewest_parts(lengths: Array, step: float) -> npt.NDArray[np.intp]:
    """Return into how many equal parts, at least 1, to cut each length so that none is longer than `step`."""
    return np.maximum(np.ceil(lengths.astype(np.float64) / step * forgiven(lengths.dtype)), 1).astype(np.intp)


def time_grid(t: Array, breakpoints: Array, step: float | None = None) -> tuple[Array, npt.NDArray[np.intp]]:
    """Return increasing edges from 0 on, cut at breakpoints and into the fewest parts <= `step`, and where t is."""
    end = t.max() if t.size else 0.0
    inside = breakpoints[(breakpoints > 0) & (breakpoints < end)]
    edges = np.unique(np.concatenate([[0.0], t.reshape(-1), inside]))
    if step is not None:
        parts = fewest_parts(np.diff(edges), step)
        cuts = [np.linspace(a, b, n, endpoint=False) for a, b, n in zip(edges[:-1], edges[1:], parts, strict=True)]
        edges = np.concatenate([*cuts, edges[-1:]])
    return edges, np.searchsorted(edges, t)
