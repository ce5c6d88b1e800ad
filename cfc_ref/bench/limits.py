"""What no program for the same work can fall below on this machine, measured in the same run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from cfc_ref.bench.workloads import Task
from cfc_ref.layers.cfc import CfC

__all__ = ["limits_of"]


def limits_of(task: Task) -> dict[str, Callable[[], Any]]:
    """Return what to time, by name: of a CfC's steps reading the weights, of its batches the matrix products.

    Parameters
    ----------
    task : Task
        What is to be done.

    Returns
    -------
    dict
        One callable; none for an LTC, whose time goes into its synapses' logistic functions, and none without numba.
    """
    from cfc_ref.backend import has_numba

    if not isinstance(task.layer, CfC):
        return {}
    if task.kind in ("batch", "train"):
        return {"limit: products": _products(task)}
    return {"limit: reading weights": _reading(task)} if has_numba() else {}


def _reading(task: Task) -> Callable[[], Any]:
    from cfc_ref.kernels.reading import _read

    weights = np.ones(sum(array.size for array in task.layer.parameters.values()), task.layer.dtype)
    times = len(task.x) if task.kind == "sequence" else 1
    _read(weights, times)
    return lambda: _read(weights, times)


def _products(task: Task) -> Callable[[], Any]:
    """All steps at once, as if none had to wait for the one before; with a backward two more for each of them."""
    rng, rows = np.random.default_rng(0), task.x.shape[0] * task.x.shape[1]
    weights = [W for W in task.layer.parameters.values() if W.ndim == 2]
    read = [rng.normal(size=(rows, W.shape[1])).astype(W.dtype) for W in weights]
    results = [np.empty((rows, len(W)), W.dtype) for W in weights]

    def forward() -> None:
        for X, W, Y in zip(read, weights, results, strict=True):
            np.matmul(X, W.T, out=Y)

    def both() -> None:
        forward()
        for X, W, Y in zip(read, weights, results, strict=True):
            np.matmul(Y, W, out=X)
            np.matmul(Y.T, X)
            X[...] = 1  # the numbers must not grow

    forward()
    return both if task.kind == "train" else forward
