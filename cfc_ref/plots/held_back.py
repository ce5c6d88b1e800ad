"""Figures of a network trained on a table: its training, and its predictions of held-back rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from cfc_ref.plots.style import COLOURS, dress
from cfc_ref.plots.training import plot_history

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from cfc_ref.learn.history import History

__all__ = ["held_back_pictures"]

Array = npt.NDArray[Any]

_SHOWN = {  # prediction -> colour, line
    "persistence": ("sky", ":"),
    "linear autoregression": ("orange", "-."),
    "network": ("blue", "--"),
}


def held_back_pictures(
    history: History,
    y: Array,
    predicted: Mapping[str, Array],
    targets: tuple[str, ...],
    classes: tuple[str, ...] | None,
) -> Iterator[tuple[str, Figure]]:
    """Yield file names and figures."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 4.6), dpi=100, layout="constrained")
    plot_history(history, ax=figure.subplots())
    yield "history.png", figure
    figure = Figure(figsize=(7.2, 1.4 + 3 * len(targets)), dpi=100, layout="constrained")
    for k, ax in enumerate(figure.subplots(len(targets), squeeze=False)[:, 0]):
        _draw(ax, y[:, k], {name: rows[:, k] for name, rows in predicted.items()})
        last = k == len(targets) - 1
        dress(ax, "Held-back rows" if k == 0 else "", "row" if last else "", targets[k], columns=4 if last else 0)
        if classes is not None:
            ax.set_yticks(range(len(classes)), classes)
    yield "held_back.png", figure


def _draw(ax: Axes, y: Array, predicted: Mapping[str, Array]) -> None:
    rows = np.arange(1, len(y) + 1)
    ax.plot(rows, y, color=COLOURS["black"], linewidth=1.2, marker=".", markersize=3, label="recorded")
    for name, (colour, line) in _SHOWN.items():
        ax.plot(rows, predicted[name], color=COLOURS[colour], linestyle=line, linewidth=1.4, label=name)
