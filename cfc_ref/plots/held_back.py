"""Figures of a network trained on a table: its training, and its predictions of held-back rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cfc_ref.arrays import Array
from cfc_ref.plots.style import COLOURS, dress, plain_text
from cfc_ref.plots.training import history_picture

if TYPE_CHECKING:
    from matplotlib.figure import Figure, SubFigure

    from cfc_ref.learn.history import History

__all__ = ["HeldBackRows", "held_back_pictures"]

_PANELS, _ROWS, _CLASSES = 8, 300, 12  # most panels of a figure, rows of a panel, classes of a matrix


class HeldBackRows(NamedTuple):
    """The held-back rows that the figures show."""

    y: Array  # (rows, targets): recorded; of a class its index
    predicted: Array  # (rows, targets): by the network
    time: Array  # (rows,): numbers or datetime64
    group: Array  # (rows,): indices of `groups`
    groups: tuple[str, ...]
    targets: tuple[str, ...]
    classes: tuple[str, ...] | None  # None if targets are numbers
    axis: str = "time"  # the title of the axis of times, which dates do not need


def held_back_pictures(history: History, shown: HeldBackRows) -> Iterator[tuple[str, Figure]]:
    """Yield file names and figures."""
    loss = "mean squared error of scaled targets" if shown.classes is None else "cross-entropy (nats)"
    yield history_picture(history, loss)
    yield "held_back.png", _panels(shown) if shown.classes is None else _confusion(shown, shown.classes)


def _panels(shown: HeldBackRows) -> Figure:
    """Draw the last rows of each group and target against time, recorded and predicted, with the errors below."""
    from matplotlib.figure import Figure

    groups = np.unique(shown.group)
    targets = range(min(len(shown.targets), _PANELS if len(groups) == 1 else _PANELS // 2))
    chosen = [(g, k) for g in groups[: _PANELS // len(targets)] for k in targets]
    columns = 1 if len(chosen) < 3 else 2
    rows = -(-len(chosen) // columns)
    figure = Figure(figsize=(7.2 if columns == 1 else 12, 0.8 + 2.9 * rows), dpi=100, layout="constrained")
    whole = [len(shown.targets) * len(groups), len(chosen)]
    title = f"Held-back rows{f', {whole[1]} of {whole[0]:,} series' if whole[0] > whole[1] else ''}"
    figure.suptitle(title, x=0.01, ha="left", fontsize=12)
    parts = list(np.asarray(figure.subfigures(rows, columns, squeeze=False), dtype=object).flat)
    for part, (g, k) in zip(parts, chosen, strict=False):
        of = np.flatnonzero(shown.group == g)
        name = shown.targets[k] + (f", {shown.groups[g]}" if shown.groups[g] else "")
        _panel(part, name, shown.axis, shown.time[of], shown.y[of, k], shown.predicted[of, k])
    handles, labels = parts[0].axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2, frameon=False, fontsize=9)
    return figure


def _panel(part: SubFigure, name: str, axis: str, time: Array, y: Array, predicted: Array) -> None:
    """Draw one series."""
    known = np.flatnonzero(~np.isnan(y))
    of = known[-_ROWS:]
    time, y, predicted = time[of], y[of], predicted[of]
    above, below = part.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    above.plot(time, y, color=COLOURS["black"], linewidth=1.2, marker=".", markersize=3, label="recorded")
    look = "--" if len(of) > 1 else "x"
    above.plot(time, predicted, look, color=COLOURS["blue"], linewidth=1.4, label="network")
    below.axhline(0, color=COLOURS["black"], linewidth=0.8)
    below.plot(time, predicted - y, color=COLOURS["vermillion"], linewidth=1.0)
    cut = f": the last {len(of)} of {len(known):,} rows" if len(of) < len(known) else ""
    dress(above, plain_text(name) + cut, "", "")
    are_dates = np.issubdtype(time.dtype, np.datetime64)
    dress(below, "", "" if are_dates else axis, "error")
    if are_dates:
        from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

        locator: Any = AutoDateLocator(maxticks=7)  # type: ignore[no-untyped-call]
        below.xaxis.set_major_locator(locator)
        below.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]


def _confusion(shown: HeldBackRows, classes: tuple[str, ...]) -> Figure:
    """Draw the confusion matrix; of many classes the most frequent ones."""
    from matplotlib.figure import Figure

    recorded, predicted = shown.y[:, 0].astype(np.int64), shown.predicted[:, 0].astype(np.int64)
    names = [plain_text(name) for name in classes]
    if len(classes) > _CLASSES:
        kept = np.argsort(-np.bincount(recorded, minlength=len(classes)), kind="stable")[: _CLASSES - 1]
        place = np.full(len(classes), _CLASSES - 1)
        place[kept] = np.arange(len(kept))
        recorded, predicted = place[recorded], place[predicted]
        names = [*(names[k] for k in kept), f"{len(classes) - len(kept)} others"]
    n = len(names)
    counts = np.bincount(recorded * n + predicted, minlength=n * n).reshape(n, n)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    size = 3.2 + 0.55 * n
    figure = Figure(figsize=(size + 0.8, size), dpi=100, layout="constrained")
    ax = figure.subplots()
    ax.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for i, j in np.ndindex(n, n):
        colour = "white" if shares[i, j] > 0.5 else COLOURS["black"]
        ax.text(j, i, f"{counts[i, j]:,}", ha="center", va="center", color=colour, fontsize=9)
    slanted: dict[str, Any] = (
        {"rotation": 45, "ha": "right", "rotation_mode": "anchor"} if max(map(len, names)) > 4 else {}
    )
    ax.set_xticks(range(n), names, **slanted)
    ax.set_yticks(range(n), names)
    right = np.mean(shown.y[:, 0] == shown.predicted[:, 0])
    dress(ax, f"Held back: {right:.1%} of {len(recorded):,} predicted right", "predicted by the network", "recorded")
    return figure
