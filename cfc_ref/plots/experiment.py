"""Figures of an experiment: its training, and the figure of a network step by step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from cfc_ref.plots.style import COLOURS, dress
from cfc_ref.plots.training import plot_history

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from cfc_ref.learn.history import History

__all__ = ["experiment_pictures"]

Array = npt.NDArray[Any]


def experiment_pictures(
    history: History, loss: str, steps: Array, values: Array, name: str
) -> Iterator[tuple[str, Figure]]:
    """Yield file names and figures; `loss` and `name` are titles of axes."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 4.6), dpi=100, layout="constrained")
    plot_history(history, ax=figure.subplots(), loss=loss)
    yield "history.png", figure
    figure = Figure(figsize=(7.2, 4.6), dpi=100, layout="constrained")
    ax = figure.subplots()
    ax.plot(steps, values, "o-", color=COLOURS["blue"], linewidth=1.7, markersize=3)
    dress(ax, f"{name[0].upper()}{name[1:]}, step by step", "steps", name)
    yield "by_step.png", figure
