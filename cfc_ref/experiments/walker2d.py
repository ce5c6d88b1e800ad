"""Walker2d as the paper has it: the next observation of a simulated walker, from recordings with gaps."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cfc_ref import checks
from cfc_ref.datasets.walker2d import COLUMNS, missing_files, read_walker2d
from cfc_ref.experiments.run import Part, Task

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]

__all__ = ["error_by_step", "squared_error", "walker2d_task"]


def walker2d_task(folder: str | Path, *, samples: int | None = None) -> Task:
    """Return the task, with a test part where all files of it are there."""
    n = None if samples is None else checks.count("samples", samples, at_least=1)
    windows = read_walker2d(folder, test=not missing_files(folder)["test"])
    return Task(
        {"data": "walker2d", "samples": n},
        {part: Part(*data).first(n) for part, data in windows.items()},
        loss="mse",
        outputs=COLUMNS,
        return_sequences=True,
        figure="MSE",
        measure=squared_error,
        metric=None,
        stop=None,
        by_step=error_by_step,
    )


def squared_error(outputs: Array, y: Array) -> float:
    """Return the mean squared error."""
    return float(np.square(outputs - y, dtype=np.float64).mean())


def error_by_step(outputs: Array, part: Part) -> tuple[Array, Array]:
    """Return the steps of a window, from 1, and the mean squared error of each."""
    return np.arange(1, part.y.shape[1] + 1), np.square(outputs - part.y, dtype=np.float64).mean(axis=(0, 2))
