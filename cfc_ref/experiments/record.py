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
    """Sequences of a task, as :func:`cfc_ref.fit` takes them.

    Attributes
    ----------
    x : ndarray, shape (N, T, F)
    y : ndarray, shape (N, T, O) or (N,)
    timespans : ndarray, shape (N, T)
    mask : ndarray of bool, shape (N, T), or None
    """

    x: Array
    y: Array
    timespans: Array
    mask: Array | None = None

    def first(self, n: int | None) -> Part:
        """Return the first `n` of them, or all."""
        return Part(self.x[:n], self.y[:n], self.timespans[:n], None if self.mask is None else self.mask[:n])


class Task(NamedTuple):
    """What is to be learned.

    Attributes
    ----------
    settings : dict
        What makes it another task; JSON.
    parts : dict of Part
        "training", "validation", and where there is one "test".
    loss : str
        Of :func:`cfc_ref.fit`.
    outputs : int
        Of a network.
    return_sequences : bool
        Whether there is a target a step.
    figure : str
        What a network is judged by, "MSE" or "accuracy".
    measure : callable
        ``measure(outputs, y)`` returns it.
    metric : callable or None
        For :func:`cfc_ref.fit`.
    stop : callable or None
        For :func:`cfc_ref.fit`.
    by_step : callable
        ``by_step(outputs, part)`` returns what the second picture shows: steps, and the figure of each.
    """

    settings: dict[str, Any]
    parts: dict[str, Part]
    loss: str
    outputs: int
    return_sequences: bool
    figure: str
    measure: Callable[[Array, Array], float]
    metric: Callable[..., float] | None
    stop: Callable[[History], bool] | None
    by_step: Callable[[Array, Part], tuple[Array, Array]]


class Option(NamedTuple):
    """An option that only this experiment has, as argparse takes it.

    Attributes
    ----------
    flag : str
        "--data", for example.
    keywords : dict
        Of ``add_argument``.
    repeated : bool
        Whether it belongs to the command that is stored with the results.
    """

    flag: str
    keywords: dict[str, Any]
    repeated: bool = True


class Experiment(NamedTuple):
    """All that the command line, the run and the tests know of an experiment.

    Attributes
    ----------
    help, description : str
        For ``cfc-ref experiment --help``.
    options : tuple of Option
        Its own; `--model`, `--seed`, `--out`, `--epochs`, `--decay` and `--samples` are everyone's.
    task : callable
        ``task(samples=…, **options)`` returns the :class:`Task`.
    settings : dict
        Model -> its hyper-parameters.
    digits : int
        Of the figure when printed.
    paper : callable
        ``paper(model, **options)`` returns the paper's figure on the test part, as printed; "" where there is none.
    """

    help: str
    description: str
    options: tuple[Option, ...]
    task: Callable[..., Task]
    settings: Mapping[str, Hyperparameters]
    digits: int
    paper: Callable[..., str]
