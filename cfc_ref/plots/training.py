"""Figures of a training: losses over epochs, and an experiment's figure step by step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from cfc_ref import checks
from cfc_ref.arrays import Array
from cfc_ref.learn.history import History
from cfc_ref.plots.style import COLOURS, axes_or_new, dress

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["experiment_pictures", "history_picture", "plot_history"]


def plot_history(history: History, *, ax: Axes | None = None, loss: str = "loss, mean of an epoch") -> Axes:
    """Draw training and validation losses over epochs, counted from 1, and mark the epoch whose weights were kept.

    The axis of losses, whose title is `loss`, is logarithmic where they are above 0 and differ by more than a decade.
    """
    from matplotlib.ticker import MaxNLocator

    if not isinstance(history, History):
        checks.refuse("history", type(history).__name__, "a History", "pass what fit returned", TypeError)
    if not history.loss:
        checks.refuse("history", "one of no epochs", "at least one epoch", "train first")
    ax = axes_or_new(ax)
    epochs = np.arange(1, len(history.loss) + 1)
    mark = "o" if len(epochs) == 1 else ""  # a line of one point can't be seen
    ax.plot(epochs, history.loss, color=COLOURS["blue"], linewidth=1.7, marker=mark, label="training")
    if history.validation_loss:
        look, k = "--" + mark, history.best_epoch
        ax.plot(epochs, history.validation_loss, look, color=COLOURS["vermillion"], linewidth=1.7, label="validation")
        kept = f"weights kept (epoch {epochs[k]})"
        ax.plot(epochs[k], history.validation_loss[k], "D", color=COLOURS["black"], markersize=6, label=kept)
    losses = history.loss + history.validation_loss
    if 0 < 10 * min(losses) < max(losses):
        ax.set_yscale("log")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    dress(ax, "Training", "epoch", loss, columns=3)
    return ax


def history_picture(history: History, loss: str) -> tuple[str, Figure]:
    """Return the file name and the figure of a training; `loss` is the title of an axis."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 4.6), dpi=100, layout="constrained")
    plot_history(history, ax=figure.subplots(), loss=loss)
    return "history.png", figure


def experiment_pictures(
    history: History, loss: str, steps: Array, values: Array, name: str
) -> Iterator[tuple[str, Figure]]:
    """Yield file names and figures; `loss` and `name` are titles of axes."""
    from matplotlib.figure import Figure

    yield history_picture(history, loss)
    figure = Figure(figsize=(7.2, 4.6), dpi=100, layout="constrained")
    ax = figure.subplots()
    ax.plot(steps, values, "o-", color=COLOURS["blue"], linewidth=1.7, markersize=3)
    dress(ax, f"{name[0].upper()}{name[1:]}, step by step", "steps", name)
    yield "by_step.png", figure
