"""The record of an experiment: its options, its task, its models' settings, and the paper's figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from cfc_ref.arrays import Array
from cfc_ref.experiments.hyperparameters import Hyperparameters

if TYPE_CHECKING:
    from cfc_ref.learn.history import History

__all__ = ["Experiment", "Option", "Part", "Task"]


class Part(NamedTuple):
    """Sequences of a task, as data for :func:`cfc_ref.fit`."""

    x: Array  # (N, T, F)
    y: Array  # (N, T, O) or (N,)
    timespans: Array  # (N, T)
    mask: Array | None = None  # (N, T)

    def first(self, n: int | None) -> Part:
        """Return the first `n` sequences, or all."""
        return Part(self.x[:n], self.y[:n], self.timespans[:n], None if self.mask is None else self.mask[:n])


class Task(NamedTuple):
    """The data and the measure of an experiment; loss, metric and stop are arguments of :func:`cfc_ref.fit`."""

    settings: dict[str, Any]  # that identify the task; JSON
    parts: dict[str, Part]  # "training", "validation", and if there is one "test"
    loss: str
    outputs: int  # of a network
    return_sequences: bool  # whether there is one target per step
    figure: str  # by which networks are compared: "MSE" or "accuracy"
    measure: Callable[[Array, Array], float]  # (outputs, y) -> the figure
    metric: Callable[..., float] | None
    stop: Callable[[History], bool] | None
    by_step: Callable[[Array, Part], tuple[Array, Array]]  # (outputs, part) -> steps and their figures, for a picture


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
    task: Callable[..., Task]  # (samples=…, **options) -> the task
    settings: Mapping[str, Hyperparameters]  # by model
    digits: int  # of the printed figure
    paper: Callable[..., str]  # (model, **options) -> the paper's figure on the test part, or ""
