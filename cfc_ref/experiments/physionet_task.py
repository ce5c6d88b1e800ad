"""The PhysioNet 2012 experiment: who dies in hospital, from 48 hours of measurements at irregular times."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cfc_ref.arrays import Array
from cfc_ref.datasets.irregular import eighty_twenty
from cfc_ref.datasets.physionet import (
    CLOCKS,
    Patients,
    download_physionet,
    patients_of,
    physionet_scale,
    read_physionet,
)
from cfc_ref.datasets.publisher import refuse_file
from cfc_ref.experiments.hyperparameters import NO_BACKBONE, UNPUBLISHED, Hyperparameters, Score, by_model
from cfc_ref.experiments.published import classes_task, data_options, downloaded, sample_count, scores, validation_fold
from cfc_ref.experiments.record import Experiment, Option, Part, Task
from cfc_ref.learn.metrics import auc

__all__ = ["EXPERIMENT", "PHYSIONET_RESULTS", "SETTINGS", "build_task"]

SETTINGS = by_model(
    units=(256, 64, 64, 64, 64, 256),
    epochs=(57, 58, 116, 65, 80, 57),
    class_weight=(11.69, 7.73, 18.25, 5.91, 8.0, 11.69),
    learning_rate=(0.002, 0.003, 0.003, 0.001, 0.05, 0.002),
    decay=(0.9, 0.73, 0.72, 0.9, 0.95, 0.9),
    activation=("silu", "relu", "tanh", "lecun_tanh", None, None),
    backbone_units=(64, 192, 64, 64, 0, 0),
    backbone_layers=(2, 2, 3, 2, 0, 0),
    dropout=(0.2, 0.0, 0.1, 0.3, 0.0, 0.0),
    weight_decay=(4e-6, 5e-5, 5e-5, 4e-6, 0.0, 4e-6),
    gain=(0.5, 0.55, 0.53, 0.6, 1.0, 1.0),
    batch_size=(128, 128, 128, 128, 64, 128),
    note=("", "", "", "", NO_BACKBONE, UNPUBLISHED),
    optimizer="torch.adamw",
    clipnorm=0.0,
    unfolds=6,
    variant="torch",
    per_epoch=True,
)
"""Model -> its hyper-parameters."""

PHYSIONET_RESULTS = {
    "RNN-Impute": Score(0.764, 0.016, 0.5),
    "RNN-Delta t": Score(0.787, 0.014, 0.5),
    "RNN-Decay": Score(0.807, 0.003, 0.7),
    "GRU-D": Score(0.818, 0.008, 0.7),
    "Phased-LSTM": Score(0.836, 0.003, 0.3),
    "IP-Nets": Score(0.819, 0.006, 1.3),
    "SeFT": Score(0.795, 0.015, 0.5),
    "RNN-VAE": Score(0.515, 0.040, 2.0),
    "ODE-RNN": Score(0.833, 0.009, 16.5),
    "Latent-ODE-RNN": Score(0.781, 0.018, 6.7),
    "Latent-ODE-ODE": Score(0.829, 0.004, 22.0),
    "LTC": Score(0.6477, 0.010, 0.5),
    "Cf-S": Score(0.643, 0.018, 0.1),
    "CfC-noGate": Score(0.840, 0.003, 0.1),
    "CfC": Score(0.839, 0.002, 0.1),
    "CfC-mmRNN": Score(0.834, 0.006, 0.2),
}
"""The paper's AUC on the 800 test records."""

_PUBLISHED = 4000  # records of a set
_FOLDS = 5  # of the training records; one is held back where the test part lacks labels


def build_task(
    data: str | Path, *, samples: int | None = None, seed: int = 0, download: bool = False, clock: str = "official"
) -> Task:
    """Return the task, with a test part where its outcomes are known, else a validation part; and set-b if known."""
    folder, n = downloaded(data, download, download_physionet), sample_count(samples)
    stays = read_physionet(folder)
    scale = physionet_scale(stays)
    patients = patients_of(stays, scale, clock)
    training, test = eighty_twenty(len(patients.y))
    known = training[patients.y[training] >= 0]
    if len(np.unique(patients.y[known])) < 2:
        got = "which is missing, or has no outcomes of training records"
        refuse_file("Outcomes-a.txt", got, "their outcomes", "download it")
    notes = ["Records are split in the order of their ids, as the order of the published split is not known."]
    if len(patients.y) != _PUBLISHED:
        notes.append(f"Another edition: set-a has {len(patients.y):,} records (published: {_PUBLISHED:,}).")
    if len(known) < len(training):
        notes.append(f"{len(training) - len(known)} training records have no outcome and are left out.")
    if (patients.y[test] >= 0).all():
        places = {"training": known, "test": test}
    else:
        places, note = validation_fold(known, _FOLDS, seed, n, "records", patients.y[known])
        notes.append(note)
    parts = {name: Part(*patients.take(which)) for name, which in places.items()}
    if (other := _set_b(folder, scale, clock)) is not None:
        parts["set-b"] = Part(*other)
    if clock == "official":
        notes.append("Clock: the official code's, one row late and negative; models with gates see absolute values.")
    return classes_task(
        "physionet", parts, n, auc, notes, {"clock": clock}, outputs=2, figure="AUC",
        for_model=_one_later if clock == "true" else lambda name, chosen, part: part, backward=clock == "official",
    )  # fmt: skip


def _set_b(folder: str | Path, scale: tuple[Array, Array], clock: str) -> Patients | None:
    """Return the records of set-b, prepared with the scale of set-a, where they and their outcomes are there."""
    path = Path(folder)
    if not (path / "Outcomes-b.txt").is_file() or not any((path / name).exists() for name in ("set-b.tar.gz", "set-b")):
        return None
    patients = patients_of(read_physionet(path, "b"), scale, clock)
    known = patients.take(patients.y >= 0)
    return known if len(np.unique(known.y)) == 2 else None


def _one_later(name: str, chosen: Hyperparameters, part: Part) -> Part:
    """Return a part with 1 added to the timespans of an LTC, as in the official PyTorch code."""
    return part._replace(timespans=part.timespans + np.float32(1)) if name == "ltc" else part


EXPERIMENT = Experiment(
    help="deaths in hospital (PhysioNet 2012)",
    description="Predict from 48 hours of measurements whether a patient dies in hospital. Where Outcomes-a.txt lacks "
    "the test records, the figure is that of a validation part; where set-b and Outcomes-b.txt are there, its AUC is "
    "printed too.",
    options=(
        *data_options("set-a.tar.gz and Outcomes-a.txt, and of set-b.tar.gz and Outcomes-b.txt if you have them"),
        Option(
            "--clock",
            {
                "choices": CLOCKS,
                "default": "official",
                "help": "timespans: the official code's (default), which are late by one row and negative, or true",
            },
        ),
    ),
    task=build_task,
    settings=SETTINGS,
    digits=4,
    paper=scores(PHYSIONET_RESULTS, "AUC"),
    seeded=True,
)
