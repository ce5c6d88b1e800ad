r"""Figures of a CfC cell: its forward and its backward pass, and the weights that a wiring leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cfc_ref import checks
from cfc_ref.plots.style import COLOURS, axes_or_new

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_cell", "plot_masks"]


class _Node(NamedTuple):
    """A box of the diagram: its centre, its width and its text."""

    x: float
    y: float
    width: float
    text: str


class _Edge(NamedTuple):
    """An arrow of the diagram, with its text in the forward and in the backward pass."""

    start: str
    end: str
    forward: str
    backward: str
    shift: tuple[float, float]  # of the text from the arrow's middle


_HEIGHT = 0.9  # of a box
_GAP = 0.15  # between a box and the end of an arrow
_NODES = {
    "I": _Node(0.5, 4.7, 0.8, "$I$"),
    "x": _Node(0.5, 2.3, 0.8, "$x$"),
    "u": _Node(2.6, 3.5, 1.7, "backbone\n$u$"),
    "g": _Node(7.2, 6.2, 2.9, r"$g=\tanh(W_1u+b_1)$"),
    "p": _Node(7.2, 3.5, 2.9, r"$f=W_au+b_a$" + "\n" + r"$p=f\,t+W_bu+b_b$"),
    "h": _Node(7.2, 0.5, 2.9, r"$h=\tanh(W_2u+b_2)$"),
    "t": _Node(7.2, 2.0, 0.8, "$t$"),
    "s": _Node(10.5, 3.5, 1.6, r"$s=\sigma(p)$"),
    "+": _Node(13.6, 3.5, 0.8, "+"),
    "x+": _Node(15.4, 3.5, 0.9, "$x^+$"),
}
_EDGES = (
    _Edge("I", "u", "", r"$\bar I$", (0.15, 0.42)),
    _Edge("x", "u", "", r"$\bar x$", (0.15, -0.45)),
    _Edge("u", "g", "", r"$W_1^\top(1-g^2)\,\bar g$", (-1.15, 0.35)),
    _Edge("u", "p", "", r"$W_a^\top\bar f+W_b^\top\bar p$", (0.1, 0.33)),
    _Edge("u", "h", "", r"$W_2^\top(1-h^2)\,\bar h$", (-1.15, -0.35)),
    _Edge("t", "p", "", r"$\bar t=\sum f\,\bar p$", (1.45, -0.75)),
    _Edge("p", "s", "", r"$\bar p=s(1-s)\,\bar s$", (1.35, -0.8)),
    _Edge("g", "+", r"$\times\,(1-s)$", r"$\bar g=(1-s)\,\bar x^+$", (1.1, 0.5)),
    _Edge("s", "+", "", r"$\bar s=(h-g)\,\bar x^+$", (-1.6, 0.8)),
    _Edge("h", "+", r"$\times\,s$", r"$\bar h=s\,\bar x^+$", (0.95, -0.5)),
    _Edge("+", "x+", "", r"$\bar x^+$", (0.0, 0.42)),
)


def plot_cell(*, backward: bool = False, ax: Axes | None = None) -> Axes:
    r"""Draw the CfC cell of Eq. 4, :math:`x^+ = (1-s)\odot g + s\odot h` with :math:`s = \sigma(ft + W_b u + b_b)`."""
    backward = checks.flag("backward", backward)
    ax = axes_or_new(ax, height=3.7)
    colour = COLOURS["vermillion" if backward else "black"]
    for node in _NODES.values():
        box = {"boxstyle": "round,pad=0.1", "facecolor": "#EAF4FB", "edgecolor": COLOURS["black"], "linewidth": 0.9}
        _box(ax, node, box)
    for edge in _EDGES:
        start, end = _ends(_NODES[edge.start], _NODES[edge.end])
        tip, tail = (start, end) if backward else (end, start)
        arrow = {"arrowstyle": "-|>", "color": colour, "linewidth": 1.1, "shrinkA": 0, "shrinkB": 0}
        ax.annotate("", tip, tail, arrowprops=arrow)
        x, y = (np.array(start) + end) / 2 + edge.shift
        text = edge.backward if backward else edge.forward
        ax.text(x, y, text, ha="center", va="center", fontsize=8.5, color=colour)
    ax.set_xlim(-0.1, 16.0)
    ax.set_ylim(-0.1, 6.8)
    ax.set_axis_off()
    way = "its gradients, from right to left" if backward else "its values, from left to right"
    ax.set_title(f"A CfC cell (Eq. 4): {way}", loc="left", fontsize=11)
    return ax


def _box(ax: Axes, node: _Node, style: dict[str, Any]) -> None:
    from matplotlib.patches import FancyBboxPatch

    corner = (node.x - node.width / 2, node.y - _HEIGHT / 2)
    ax.add_patch(FancyBboxPatch(corner, node.width, _HEIGHT, **style))
    ax.text(node.x, node.y, node.text, ha="center", va="center", fontsize=9)


def _ends(start: _Node, end: _Node) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the two ends of an arrow: from the right side of a box to the left of another, or up to one above it."""
    if start.x == end.x:
        return (start.x, start.y + _HEIGHT / 2 + _GAP), (end.x, end.y - _HEIGHT / 2 - _GAP)
    off = float(np.clip((end.y - start.y) / 8, -0.3, 0.3))  # arrows at the same side stand apart
    return (start.x + start.width / 2 + _GAP, start.y + off), (end.x - end.width / 2 - _GAP, end.y - off)


def plot_masks(wired: npt.ArrayLike, full: npt.ArrayLike, *, ax: Axes | None = None) -> Axes:
    """Draw which weights the heads of a wired cell have: a row per neuron, a column per value that it reads."""
    from matplotlib.colors import ListedColormap

    own, whole = checks.real("wired", wired) != 0, checks.real("full", full) != 0
    if own.ndim != 2 or own.shape[1] < own.shape[0]:
        checks.refuse("wired", f"shape {own.shape}", "(units, inputs + units)", "pass a sparsity_mask of the layer")
    checks.shape("full", whole, own.shape, "that of wired")
    ax = axes_or_new(ax)
    units, columns = own.shape
    inputs = columns - units
    kind = np.where(own, 2, np.where(whole, 1, 0))
    colours = ListedColormap(["white", COLOURS["orange"], COLOURS["blue"]])
    ax.pcolormesh(kind, cmap=colours, vmin=0, vmax=2, edgecolors="#BBBBBB", linewidth=0.4)
    ax.axvline(inputs, color=COLOURS["black"], linewidth=2)
    ax.invert_yaxis()
    ax.set_aspect("equal")
    ax.set_xticks([inputs / 2, inputs + units / 2], ["before", "own"])
    ax.set_yticks([])
    ax.tick_params(length=0)
    ax.set_xlabel("layer read")
    ax.set_ylabel(f"{units} neurons")
    ax.set_title(f"wired: {own.sum()} of {whole.sum()}", loc="left", fontsize=11)
    return ax
