"""The record of an experiment: its options, its task, its models' settings, and the paper's figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cfc_ref.arrays import Array
from cfc_ref.experiments.hyperparameters import Hyperparameters

if TYPE_CHECKING:
    from cfc_ref.learn.history import History

__all__ = ["Experiment", "Option", "Part", "Task", "lengthened"]

_SHORT = 1e-3  # added to an LTC's timespans


class Part(NamedTuple):
    """Sequences of a task, as data for :func:`cfc_ref.fit`."""

    x: Array  # (N, T, F)
    y: Array  # (N, T, O) or (N,)
    timespans: Array  # (N, T)
    mask: Array | None = None  # (N, T)

    def first(self, n: int | None) -> Part:
        """Return the first `n` sequences, or all."""
        return Part(self.x[:n], self.y[:n], self.timespans[:n], None if self.mask is None else self.mask[:n])


def lengthened(name: str, chosen: Hyperparameters, part: Part) -> Part:
    """Return a part with longer timespans for an LTC, as in the official TensorFlow code."""
    return part._replace(timespans=part.timespans + np.float32(_SHORT)) if name == "ltc" else part


class Task(NamedTuple):
    """The data and the measure of an experiment; loss, metric and stop are arguments of :func:`cfc_ref.fit`."""

    settings: dict[str, Any]  # that identify the task; JSON
    parts: dict[str, Part]  # "training", "validation", and if there is one "test"
    loss: Any
    outputs: int  # of a network
    return_sequences: bool  # whether there is one target per step
    figure: str  # by which networks are compared: "MSE" or "accuracy"
    measure: Callable[[Array, Array], float]  # (outputs, y) -> the figure
    metric: Callable[..., float] | None = None
    stop: Callable[[History], bool] | None = None
    # (outputs, part) -> steps and their figures, for a picture
    by_step: Callable[[Array, Part], tuple[Array, Array]] | None = None
    judged: str = "best"  # the weights that count: "best" on the validation part, or the "last" epoch's
    tokens: int | None = None  # rows of an embedding in front of the model
    for_model: Callable[[str, Hyperparameters, Part], Part] = lengthened  # -> the part as the named model sees it
    backward: bool = False  # whether time runs backwards
    notes: tuple[str, ...] = ()  # lines to read with the result


class Option(NamedTuple):
    """An option of one experiment."""

    flag: str  # such as "--data"
    keywords: dict[str, Any]  # of argparse's ``add_argument``
    repeated: bool = True  # whether it is part of the command that is stored with the results


class Experiment(NamedTuple):
    """All that the command line, the run and the tests know of an experiment."""

    help: str  # for ``cfc-ref experiment --help``
    description: str
    options: tuple[Option, ...]  # besides those of all experiments, such as --model and --seed
    task: Callable[..., Task]  # (samples=…, **options), and seed=… if it is `seeded` -> the task
    settings: Mapping[str, Hyperparameters]  # by model
    digits: int  # of the printed figure
    paper: Callable[..., str]  # (model, **options) -> the paper's figure on the test part, or ""
    seeded: bool = False  # whether the seed chooses the validation part
