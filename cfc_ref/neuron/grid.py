"""The steps between 0 and the asked times that solvers, exact pieces and frozen forms share."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["time_grid"]

Array = npt.NDArray[Any]


def time_grid(t: Array, breakpoints: Array, step: float | None = None) -> tuple[Array, npt.NDArray[np.intp]]:
    """Return the edges of the steps from 0 to t[0] to t[1] …, cut at breakpoints, and where t stands among them.

    Parameters
    ----------
    t : ndarray, shape () or (T,)
        Increasing times >= 0.
    breakpoints : ndarray, shape (K,)
        Increasing times at which a step has to end; those outside of (0, t[-1]) do not matter.
    step : float, optional
        Divide every step into the fewest equal parts not longer than this.

    Returns
    -------
    edges : ndarray, shape (S + 1,)
        Increasing, beginning with 0.
    index : ndarray of int, shape of `t`
        ``edges[index] == t``.
    """
    end = t.max() if t.size else 0.0
    inside = breakpoints[(breakpoints > 0) & (breakpoints < end)]
    edges = np.unique(np.concatenate([[0.0], t.reshape(-1), inside]))
    if step is not None:
        # 0.6 / 0.2 is 3 and not "a little more than 3": forgive the division's rounding.
        parts = np.ceil(np.diff(edges) / step * (1 - 1e-12)).astype(int)
        cuts = [np.linspace(a, b, n, endpoint=False) for a, b, n in zip(edges[:-1], edges[1:], parts, strict=True)]
        edges = np.concatenate([*cuts, edges[-1:]])
    return edges, np.searchsorted(edges, t)
