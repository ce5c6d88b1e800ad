"""Measure the machine's lower limits for each workload, in the same run.

With a timespan of 1 at every step the gate of a CfC is one linear map: :func:`cfc_ref.kernels.cfc.weights.gated`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from cfc_ref.bench.peers import Runner, package
from cfc_ref.bench.workloads import TrainingTask

__all__ = ["limit"]


def limit(task: TrainingTask) -> Runner:
    """Make ready the work that the time can't fall below: a batch's matrix products; reading the weights for a step."""
    call = _products(task) if task.kind in ("batch", "train") else _reading(task)
    return Runner(call, lambda _: {})


def _needed(task: TrainingTask) -> list[Any]:
    """Return the arrays that take part."""
    one_gate = task.timespans is None
    return [array for key, array in task.layer.parameters.items() if not (one_gate and "time_a" in key)]


def _reading(task: TrainingTask) -> Callable[[], Any]:
    package("numba")
    from cfc_ref.kernels.reading import _read

    weights = np.ones(sum(array.size for array in _needed(task)), task.layer.dtype)
    times = len(task.x) if task.kind == "sequence" else 1
    return lambda: _read(weights, times)


def _products(task: TrainingTask) -> Callable[[], Any]:
    """All steps at once, as if none had to wait for the one before; with a backward two more for each of them."""
    rng, rows = np.random.default_rng(0), task.x.shape[0] * task.x.shape[1]
    weights = [W for W in _needed(task) if W.ndim == 2]
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

    return both if task.kind == "train" else forward
