"""The event-based MNIST experiment: which digit it is, from the changes between dark and bright pixels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from cfc_ref.arrays import Array
from cfc_ref.datasets.mnist import SCALE, Digits, download_mnist, other_editions, read_mnist
from cfc_ref.datasets.publisher import refuse_file
from cfc_ref.experiments.hyperparameters import MODELS, UNPUBLISHED, Score, by_model
from cfc_ref.experiments.published import data_options, downloaded, hold_back, sample_count, validation_note
from cfc_ref.experiments.record import Experiment, Part, Task
from cfc_ref.learn.metrics import accuracy

__all__ = ["EXPERIMENT", "MNIST_RESULTS", "SETTINGS", "build_task"]

SETTINGS = by_model(  # one setting for all models
    activation=("gelu", "gelu", "gelu", "gelu", None, None),
    backbone_units=(128, 128, 128, 128, 0, 0),
    backbone_layers=(1, 1, 1, 1, 0, 0),
    note=("", "", "", "", UNPUBLISHED, UNPUBLISHED),
    optimizer="rmsprop",
    clipnorm=0.0,
    batch_size=128,
    units=64,
    epochs=200,
    learning_rate=0.0005,
    decay=1.0,
    forget_bias=(None, None, None, 3.0, None, None),
    unfolds=6,
)
"""Model -> its hyper-parameters."""

MNIST_RESULTS = {"CfC-noGate": Score(0.9699), "CfC-mmRNN": Score(0.9809)}
"""The paper's accuracies on the 10,000 test images, as far as its text gives them."""

_FOLDS = 6  # of the training images; one is held back where the test part lacks labels


def build_task(data: str | Path, *, samples: int | None = None, seed: int = 0, download: bool = False) -> Task:
    """Return the task: a test part where its images and labels are there, else a validation part."""
    folder, n = downloaded(data, download, download_mnist), sample_count(samples)
    digits = read_mnist(folder, "training")
    if digits.y is None:
        refuse_file("train-labels-idx1-ubyte", "which is missing", "the labels of the training images", "download it")
    total, notes = len(digits.y), []
    images = any((Path(folder) / f"t10k-images-idx3-ubyte{end}").is_file() for end in ("", ".gz"))
    test = read_mnist(folder, "test") if images else None
    if test is not None and test.y is not None:
        parts = {"training": _part(digits, slice(None)), "test": _part(test, slice(None))}
    else:
        rest, held_back = hold_back(np.arange(total), _FOLDS, seed)
        parts = {"training": _part(digits, rest), "validation": _part(digits, held_back)}
        notes.append(validation_note("Test labels are", min(n or len(held_back), len(held_back)), total, "images"))
    if others := other_editions(folder):
        notes.append(f"Another edition, not the published MNIST: {', '.join(others)}.")
    return Task(
        {"data": "mnist", "samples": n, "parts": {name: len(part.y) for name, part in parts.items()}},
        {name: part.first(n) for name, part in parts.items()},
        loss="cross_entropy",
        outputs=10,
        return_sequences=False,
        figure="accuracy",
        measure=accuracy,
        metric=accuracy,
        stop=None,
        by_step=None,
        judged="last",
        notes=tuple(notes),
    )


def _part(digits: Digits, which: Any) -> Part:
    labels: Array = np.asarray(digits.y)
    return Part(digits.x[which], labels[which], digits.elapsed[which] / np.float32(SCALE), digits.mask[which])


def _of_paper(model: str, **_: Any) -> str:
    score = MNIST_RESULTS.get(MODELS[model])
    return "" if score is None else score.told("accuracy")


EXPERIMENT = Experiment(
    help="event-based sequential MNIST",
    description="Tell a digit from the changes between dark and bright pixels, row by row. Where the test labels are "
    "missing, the figure is that of 10,000 training images that are held back.",
    options=data_options("train-images-idx3-ubyte.gz and its three companions, gzipped or not"),
    task=build_task,
    settings=SETTINGS,
    digits=4,
    paper=_of_paper,
    seeded=True,
)
