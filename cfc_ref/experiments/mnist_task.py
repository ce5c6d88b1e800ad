"""The event-based MNIST experiment: which digit it is, from the changes between dark and bright pixels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from cfc_ref.arrays import Array
from cfc_ref.datasets.mnist import SCALE, Digits, download_mnist, other_editions, read_mnist
from cfc_ref.datasets.publisher import refuse_file
from cfc_ref.experiments.hyperparameters import UNPUBLISHED, Score, by_model
from cfc_ref.experiments.published import classes_task, data_options, downloaded, sample_count, scores, validation_fold
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
    notes = []
    images = any((Path(folder) / f"t10k-images-idx3-ubyte{end}").is_file() for end in ("", ".gz"))
    test = read_mnist(folder, "test") if images else None
    if test is not None and test.y is not None:
        parts = {"training": _part(digits, slice(None)), "test": _part(test, slice(None))}
    else:
        places, note = validation_fold(np.arange(len(digits.y)), _FOLDS, seed, n, "images")
        parts = {name: _part(digits, which) for name, which in places.items()}
        notes.append(note)
    if others := other_editions(folder):
        notes.append(f"Another edition, not the published MNIST: {', '.join(others)}.")
    return classes_task("mnist", parts, n, accuracy, notes, outputs=10)


def _part(digits: Digits, which: Any) -> Part:
    labels: Array = np.asarray(digits.y)
    return Part(digits.x[which], labels[which], digits.elapsed[which] / np.float32(SCALE), digits.mask[which])


EXPERIMENT = Experiment(
    help="event-based sequential MNIST",
    description="Tell a digit from the changes between dark and bright pixels, row by row. Where the test labels are "
    "missing, the figure is that of 10,000 training images that are held back.",
    options=data_options("train-images-idx3-ubyte.gz and its three companions, gzipped or not"),
    task=build_task,
    settings=SETTINGS,
    digits=4,
    paper=scores(MNIST_RESULTS, "accuracy"),
    seeded=True,
)
