"""The person activity experiment: what a person does, at every row, from the positions of four tags."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cfc_ref.arrays import Array
from cfc_ref.datasets.irregular import eighty_twenty
from cfc_ref.datasets.person import Activity, activity_windows, download_person, is_whole, read_person
from cfc_ref.experiments.hyperparameters import UNPUBLISHED, Hyperparameters, Score, by_model
from cfc_ref.experiments.published import classes_task, data_options, downloaded, sample_count, scores
from cfc_ref.experiments.record import Experiment, Part, Task
from cfc_ref.learn.losses import CrossEntropy
from cfc_ref.learn.metrics import accuracy

__all__ = ["EXPERIMENT", "PERSON_RESULTS", "SETTINGS", "build_task"]

SETTINGS = by_model(
    units=(448, 64, 64, 256, 64, 448),
    learning_rate=(0.002, 0.005, 0.004, 0.0005, 0.005, 0.002),
    decay=(0.97, 0.97, 0.97, 0.99, 0.97, 0.97),
    activation=("silu", "silu", "gelu", "gelu", None, None),
    backbone_units=(64, 192, 256, 128, 0, 0),
    backbone_layers=(1, 2, 3, 2, 0, 0),
    dropout=(0.0, 0.2, 0.4, 0.5, 0.0, 0.0),
    weight_decay=(1e-4, 2e-4, 3e-5, 4e-5, 0.0, 1e-4),
    time_scale=(10.0, 0.5, 0.1, 10.0, 0.1, 1.0),
    gain=(0.84, 0.78, 0.67, 1.35, 1.0, 1.0),
    note=("", "", "", "", UNPUBLISHED, UNPUBLISHED),
    optimizer="torch.adam",
    clipnorm=0.0,
    batch_size=64,
    epochs=100,
    unfolds=6,
    variant="torch",
    per_epoch=True,
)
"""Model -> its hyper-parameters."""

PERSON_RESULTS = {
    "RNN-Delta t": Score(0.797, 0.003),
    "RNN-Decay": Score(0.800, 0.010),
    "GRU-D": Score(0.806, 0.007),
    "RNN-VAE": Score(0.343, 0.040),
    "Latent ODE (RNN encoder)": Score(0.835, 0.010),
    "ODE-RNN": Score(0.829, 0.016),
    "Latent ODE (ODE encoder)": Score(0.846, 0.013),
    "LTC": Score(0.882, 0.005),
}
"""Accuracies that arXiv 2006.04439, table 5, quotes; the table of Hasani et al. 2022 could not be read."""

_NO_CLASS = -1
_SEED = 0  # of the resampling


def build_task(data: str | Path, *, samples: int | None = None, download: bool = False) -> Task:
    """Return the task: windows split at random, and each part resampled with replacement, as in the official code."""
    folder, n = downloaded(data, download, download_person), sample_count(samples)
    activity = activity_windows(read_person(folder))
    rng, parts = np.random.default_rng(_SEED), {}
    for name, places in zip(("training", "test"), eighty_twenty(len(activity.x)), strict=True):
        parts[name] = _part(activity, rng.choice(places, len(places)))
    notes = ["As in the official code windows overlap by half and are split at random: test windows share rows with "
             "training windows."]  # fmt: skip
    if not is_whole(folder):
        notes.append(f"This is not the published file: {len(activity.x):,} windows (published: 6,554), a smoke test.")
    return classes_task(
        "person", parts, n, _accuracy, notes, loss=CrossEntropy(ignore=_NO_CLASS), outputs=11, return_sequences=True,
        metric=None, by_step=_by_row, for_model=_scaled,
    )  # fmt: skip


def _part(activity: Activity, which: Array) -> Part:
    return Part(*(array[which] for array in activity))


def _accuracy(outputs: Array, y: Array) -> float:
    return accuracy(outputs, y, ignore=_NO_CLASS)


def _by_row(outputs: Array, part: Part) -> tuple[Array, Array]:
    """Return the rows of a window, from 1, and the accuracy of each; rows without a class anywhere have none."""
    rows = [k for k in range(part.y.shape[1]) if (part.y[:, k] != _NO_CLASS).any()]
    return np.array(rows) + 1, np.array([_accuracy(outputs[:, k], part.y[:, k]) for k in rows])


def _scaled(name: str, chosen: Hyperparameters, part: Part) -> Part:
    return part._replace(timespans=part.timespans * np.float32(chosen.time_scale))


EXPERIMENT = Experiment(
    help="what a person does (UCI 196)",
    description="Tell at every row what a person does, from the positions of four tags at irregular times.",
    options=data_options("ConfLongDemo_JSI.txt"),
    task=build_task,
    settings=SETTINGS,
    digits=4,
    paper=scores({}, "accuracy"),
)
