"""The IMDB experiment: whether a review is positive, from the numbers of its last 200 words."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cfc_ref.arrays import Array
from cfc_ref.datasets.imdb import download_imdb, last_words, read_imdb
from cfc_ref.datasets.publisher import refuse_file
from cfc_ref.experiments.hyperparameters import NO_BACKBONE, UNPUBLISHED, Hyperparameters, Score, by_model
from cfc_ref.experiments.published import classes_task, data_options, downloaded, sample_count, scores, validation_fold
from cfc_ref.experiments.record import Experiment, Part, Task
from cfc_ref.learn.metrics import accuracy

__all__ = ["EXPERIMENT", "IMDB_RESULTS", "SETTINGS", "build_task"]

SETTINGS = by_model(
    clipnorm=(10.0, 5.0, 1.0, 10.0, 10.0, 10.0),
    optimizer=("rmsprop", "rmsprop", "adam", "rmsprop", "adam", "rmsprop"),
    units=(192, 224, 320, 64, 128, 192),
    embedding=(192, 192, 64, 32, 64, 192),
    embedding_dropout=(0.0, 0.2, 0.0, 0.3, 0.0, 0.0),
    epochs=(47, 37, 27, 20, 50, 47),
    learning_rate=(0.0005, 0.0005, 0.0005, 0.0005, 0.05, 0.0005),
    decay=(0.7, 0.8, 0.8, 0.8, 0.95, 0.7),
    activation=("silu", "silu", "relu", "lecun_tanh", None, None),
    backbone_units=(64, 128, 64, 64, 0, 0),
    backbone_layers=(2, 1, 1, 1, 0, 0),
    dropout=(0.0, 0.1, 0.0, 0.0, 0.0, 0.0),
    l2=(3.6e-5, 2.7e-5, 4.8e-4, 2.9e-4, 0.0, 0.0),
    note=("", "", "", "", NO_BACKBONE, UNPUBLISHED),
    batch_size=128,
    unfolds=6,
)
"""Model -> its hyper-parameters; the official code's LTC does not run."""

IMDB_RESULTS = {
    "HiPPO-LagT": Score(0.880, 0.002),
    "HiPPO-LegS": Score(0.880, 0.002),
    "LMU": Score(0.877, 0.001),
    "LSTM": Score(0.873, 0.004),
    "GRU": Score(0.862),
    "ReLU GRU": Score(0.848),
    "Skip LSTM": Score(0.866),
    "expRNN": Score(0.843, 0.003),
    "Vanilla RNN": Score(0.674, 0.077),
    "coRNN": Score(0.867, 0.003),
    "LTC": Score(0.618, 0.061),
    "Cf-S": Score(0.817, 0.005),
    "CfC-noGate": Score(0.875, 0.001),
    "CfC": Score(0.859, 0.009),
    "CfC-mmRNN": Score(0.883, 0.001),
}
"""The paper's accuracies on the 25,000 test reviews."""

VOCABULARY, WORDS = 20_000, 200
_FOLDS = 5  # of the training reviews; one is held back where the test part lacks labels


def build_task(data: str | Path, *, samples: int | None = None, seed: int = 0, download: bool = False) -> Task:
    """Return the task: a test part where it is there with labels, else a validation part."""
    folder, n = downloaded(data, download, download_imdb), sample_count(samples)
    reviews = read_imdb(folder)
    training, test = reviews["training"], reviews.get("test")
    if training.labels is None:
        refuse_file("train.npz", "which has no labels", "the labels of the training reviews", "remove it")
    tokens, labels = last_words(training, VOCABULARY, WORDS), training.labels.astype(np.int64)
    notes = []
    if test is not None and test.labels is not None:
        ends = last_words(test, VOCABULARY, WORDS)
        parts = {"training": _part(tokens, labels), "test": _part(ends, test.labels.astype(np.int64))}
    else:
        places, note = validation_fold(np.arange(len(labels)), _FOLDS, seed, n, "reviews")
        parts = {name: _part(tokens[which], labels[which]) for name, which in places.items()}
        notes.append(note)
    if len(labels) != 25_000:
        notes.append(f"Another edition: {len(labels):,} training reviews (published: 25,000).")
    return classes_task("imdb", parts, n, accuracy, notes, outputs=10, tokens=VOCABULARY, for_model=_no_time)


def _part(tokens: Array, labels: Array) -> Part:
    return Part(tokens[:, :, None].astype(np.float32), labels, np.ones(tokens.shape, np.float32))


def _no_time(name: str, chosen: Hyperparameters, part: Part) -> Part:
    """Return a part with timespans of 0 for mixed memory: all that the official code's CfC sees there."""
    return part._replace(timespans=np.zeros_like(part.timespans)) if name == "mixed" else part


EXPERIMENT = Experiment(
    help="sentiment of film reviews (IMDB)",
    description="Tell whether a review is positive from its last 200 words, of which the 20,000 most frequent have "
    "numbers of their own. Where the test labels are missing, the figure is that of 5,000 training reviews that are "
    "held back.",
    options=data_options("aclImdb_v1.tar.gz or its folder aclImdb, and of Keras's imdb_word_index.json"),
    task=build_task,
    settings=SETTINGS,
    digits=4,
    paper=scores(IMDB_RESULTS, "accuracy"),
    seeded=True,
)
