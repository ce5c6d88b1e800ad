"""The Walker2d experiment: predict the next observation of a simulated walker from recordings with gaps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from cfc_ref.arrays import Array
from cfc_ref.datasets.walker2d import COLUMNS, download_walker2d, missing_files, read_walker2d
from cfc_ref.experiments.hyperparameters import MODELS, NO_BACKBONE, UNPUBLISHED, Error, Hyperparameters
from cfc_ref.experiments.published import data_options, sample_count
from cfc_ref.experiments.record import Experiment, Part, Task

__all__ = ["EXPERIMENT", "SETTINGS", "WALKER2D_RESULTS", "build_task", "error_by_step", "squared_error"]

SETTINGS = {
    "cfc": Hyperparameters("adam", 1, 256, 64, 50, 0.02, 0.95, "silu", 256, 1, 0.1, 1e-6),
    "no_gate": Hyperparameters("adam", 1, 128, 256, 50, 0.008, 0.95, "lecun_tanh", 128, 1, 0.1, 3e-5),
    "pure": Hyperparameters("adam", 10, 128, 256, 50, 0.006, 0.95, "silu", 192, 1, 0.0, 1e-6),
    "mixed": Hyperparameters("adam", 10, 128, 128, 50, 0.005, 0.95, "lecun_tanh", 128, 2, 0.2, 6e-6, 2.1),
    "ltc": Hyperparameters("adam", 10, 128, 128, 50, 0.05, 0.95, unfolds=3, note=NO_BACKBONE),
    "lstm": Hyperparameters("adam", 1, 256, 64, 50, 0.005, 0.95, note=UNPUBLISHED),
    "ctrnn": Hyperparameters("adam", 1, 256, 64, 50, 0.005, 0.95, unfolds=3, note=UNPUBLISHED),
}
"""Model -> its hyper-parameters."""

WALKER2D_RESULTS = {
    "Cf-S": Error(0.948, 0.009, 0.12),
    "CfC-noGate": Error(0.650, 0.008, 0.21),
    "CfC": Error(0.643, 0.006, 0.08),
    "CfC-mmRNN": Error(0.617, 0.006, 0.34),
    "LTC": Error(0.662, 0.013, 0.78),
    "ODE-LSTM": Error(0.883),
    "Transformer": Error(0.761),
    "GRU-ODE": Error(1.051),
    "LSTM": Error(1.065),
    "CT-GRU": Error(1.172),
    "CT-RNN": Error(1.198),
    "ODE-RNN": Error(1.904),
}
"""The paper's squared errors on Walker2d's test part."""


def build_task(data: str | Path, *, samples: int | None = None, download: bool = False) -> Task:
    """Return the task, with a test part if all its files are in the folder `data`; download what is missing."""
    if download and (not Path(data).is_dir() or any(missing_files(data).values())):
        download_walker2d(data)
    n = sample_count(samples)
    windows = read_walker2d(data, test=not missing_files(data)["test"])
    return Task(
        {"data": "walker2d", "samples": n},
        {part: Part(*data).first(n) for part, data in windows.items()},
        loss="mse",
        outputs=COLUMNS,
        return_sequences=True,
        figure="MSE",
        measure=squared_error,
        by_step=error_by_step,
    )


def squared_error(outputs: Array, y: Array) -> float:
    """Return the mean squared error."""
    return float(np.square(outputs - y, dtype=np.float64).mean())


def error_by_step(outputs: Array, part: Part) -> tuple[Array, Array]:
    """Return the steps of a window, from 1, and the mean squared error of each."""
    return np.arange(1, part.y.shape[1] + 1), np.square(outputs - part.y, dtype=np.float64).mean(axis=(0, 2))


def _of_paper(model: str, **_: Any) -> str:
    error = WALKER2D_RESULTS[MODELS[model]]
    return f"test MSE {error.mean:.3f}" + ("" if error.std is None else f" ± {error.std:.3f}")


EXPERIMENT = Experiment(
    help="the next observation of a simulated walker",
    description="Predict the next observation of a simulated walker from recordings with gaps. If the folder of "
    "the data lacks files of the test part, the figure is that of the validation part.",
    options=data_options("rollout_000.npy to rollout_399.npy"),
    task=build_task,
    settings=SETTINGS,
    digits=3,
    paper=_of_paper,
)
