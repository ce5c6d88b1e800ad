"""Figures of networks: the wiring.

Both axes have equal units, so that neurons are round and heads of synapses end at the edge of a neuron in a figure of
any size.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cfc_ref import checks
from cfc_ref.arrays import Array
from cfc_ref.plots.style import COLOURS, axes_or_new
from cfc_ref.wirings import Wiring

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

__all__ = ["NEURON_COLOURS", "SYNAPSE_LOOKS", "SynapseLook", "plot_wiring"]


class SynapseLook(NamedTuple):
    """The look of the synapses of one polarity."""

    label: str  # their name in the legend
    colour: str  # a key of :data:`cfc_ref.plots.style.COLOURS`
    dashes: tuple[float, ...]  # lengths of dash and gap in points; empty for a solid line
    # (K, 2): corners of the head in radii of a neuron: first along the synapse, 0 where it ends, then across
    head: Array


NEURON_COLOURS = {"sensory": "sky", "inter": "green", "command": "purple", "motor": "orange"}
SYNAPSE_LOOKS = {
    1: SynapseLook("excitatory", "blue", (), np.array([(0.0, 0.0), (-0.7, 0.28), (-0.7, -0.28)])),
    -1: SynapseLook("inhibitory", "vermillion", (4.0, 2.0), np.array([(-0.15, 0.45), (-0.15, -0.45)])),
}

_WIDTH = 1.55  # from the first column to the last; the fullest column is 1 high or less
_WIDEST = 0.32  # distance of two neurons in a column
_RADIUS = 0.042  # of a neuron, where there is room
_MANY = 150  # synapses from one column to another, above which none has a head
_SMALL_PRINT = 5.0  # points; smaller numbers are left out


class _Columns(NamedTuple):
    """The places of the neurons: first the inputs, then the network's neurons by their ids."""

    headings: list[str]
    kinds: list[str]  # type of each neuron
    column: Array  # of each neuron
    places: Array  # its centre, shape (neurons, 2)
    radius: float


def plot_wiring(wiring: Wiring, *, ax: Axes | None = None) -> Axes:
    """Draw a built wiring: a column of inputs and one per layer, a dot per neuron, a line per synapse.

    The motor neurons of a network of one layer have a column after the others. Excitatory synapses are solid and end in
    an arrow, inhibitory ones are dashed and end in a bar; if there are many, lines are thin and have no heads. Synapses
    to the next column are straight. Those to the same or an earlier column bend to the left, so that two neurons that
    reach each other have two visible lines; those that skip a column pass between its neurons. Inputs are numbered from
    0, neurons by their ids, unless the numbers would be too small to read.
    """
    if not isinstance(wiring, Wiring):
        checks.refuse("wiring", type(wiring).__name__, "a wiring", "make one, as with AutoNCP(19, 1)", TypeError)
    if wiring.sensory_adjacency_matrix is None:
        checks.refuse("wiring", repr(wiring), "a built wiring", "draw what its build(input_size) returns")
    columns = _columns(wiring, len(wiring.sensory_adjacency_matrix))
    ax = axes_or_new(ax)
    _frame(ax, wiring, columns)
    synapses = _draw_synapses(ax, np.concatenate([wiring.sensory_adjacency_matrix, wiring.adjacency_matrix]), columns)
    entries = [*_draw_neurons(ax, columns), *synapses]
    place: dict[str, Any] = {"loc": "upper center", "bbox_to_anchor": (0.5, 0.0), "ncols": len(entries)}
    ax.legend(handles=entries, columnspacing=1.4, fontsize=9, frameon=False, **place)
    return ax


def _columns(wiring: Wiring, inputs: int) -> _Columns:
    """Place every neuron: columns from left to right, each centred, its first neuron on top."""
    layers = [list(layer) for layer in wiring.layers]
    if len(layers) == 1 and wiring.output_dim < wiring.units:
        layers = [list(range(wiring.output_dim, wiring.units)), list(range(wiring.output_dim))]
    kinds = ["sensory"] * inputs + [wiring.get_type_of_neuron(neuron) for neuron in range(wiring.units)]
    groups = [np.arange(inputs), *(inputs + np.array(layer) for layer in layers)]
    fullest = max(map(len, groups))
    column, places = np.empty(len(kinds), dtype=int), np.empty((len(kinds), 2))
    for k, group in enumerate(groups):
        spacing = min(1 / fullest + 0.5 * (1 / len(group) - 1 / fullest), _WIDEST)
        column[group] = k
        places[group, 0] = _WIDTH * k / (len(groups) - 1)
        places[group, 1] = 0.5 + spacing * ((len(group) - 1) / 2 - np.arange(len(group)))
    headings = [f"{len(group)} {'/'.join(dict.fromkeys(kinds[one] for one in group))}" for group in groups]
    return _Columns(headings, kinds, column, places, min(_RADIUS, 0.42 / fullest))


def _frame(ax: Axes, wiring: Wiring, columns: _Columns) -> None:
    """Set limits, title, and the headings under the columns."""
    bottom, top = columns.places[:, 1].min() - 3 * columns.radius, columns.places[:, 1].max() + 1.3 * columns.radius
    ax.update_datalim([(-0.13, bottom - 0.08), (_WIDTH + 0.13, top)])
    ax.margins(0)
    ax.set_aspect("equal", adjustable="datalim")
    ax.set_axis_off()
    for x, heading in zip(np.linspace(0, _WIDTH, len(columns.headings)), columns.headings, strict=True):
        ax.text(x, bottom, heading, ha="center", va="top", fontsize=10)
    synapses = f"synapses: {wiring.sensory_synapse_count} from inputs, {wiring.synapse_count} between neurons"
    ax.set_title(f"{type(wiring).__name__}, {synapses}", loc="left", fontsize=11)


def _draw_neurons(ax: Axes, columns: _Columns) -> list[Line2D]:
    """Draw dots, with numbers where there is room, and return the legend's entries."""
    from matplotlib.collections import EllipseCollection
    from matplotlib.lines import Line2D

    entries = []
    size = 2 * columns.radius
    points = columns.radius * _points_per_unit(ax)
    print_size = min(1.2 * points, 9.0)
    for kind, colour in NEURON_COLOURS.items():
        places = columns.places[[one for one, its in enumerate(columns.kinds) if its == kind]]
        if len(places):
            dots = EllipseCollection(size, size, 0, units="xy", offsets=places, offset_transform=ax.transData)
            dots.set(facecolor=COLOURS[colour], edgecolor="black", linewidth=min(0.8, points / 8), label=kind, zorder=3)
            ax.add_collection(dots)
            entry = Line2D([], [], linestyle="", marker="o", color=COLOURS[colour], label=kind)
            entry.set_markeredgecolor("black")
            entries.append(entry)
    if print_size >= _SMALL_PRINT:
        inputs = columns.kinds.count("sensory")
        for one, (x, y) in enumerate(columns.places):
            name = str(one if one < inputs else one - inputs)
            ax.text(x, y, name, ha="center", va="center_baseline", fontsize=print_size, zorder=4)
    return entries


def _points_per_unit(ax: Axes) -> float:
    """Return the points of print per unit of the axes."""
    pixels = min(ax.bbox.width / np.ptp(ax.get_xlim()), ax.bbox.height / np.ptp(ax.get_ylim()))
    return float(pixels * 72 / ax.figure.dpi)


def _draw_synapses(ax: Axes, polarity: Array, columns: _Columns) -> list[Line2D]:
    """Draw a curve for each synapse, and return the legend's entries; rows of `polarity` are inputs, then neurons."""
    from matplotlib.collections import PathCollection, PolyCollection
    from matplotlib.lines import Line2D
    from matplotlib.path import Path

    source, target = np.nonzero(polarity)
    signs = polarity[source, target]
    target = target + len(polarity) - polarity.shape[1]  # counted like the rows
    routes = np.unique(columns.column[[source, target]], axis=1, return_counts=True)[1]
    crowd = max(routes, default=0)
    thin = 9 / np.sqrt(crowd + 1)
    width, opacity = float(np.clip(thin, 0.3, 1.2)), float(np.clip(thin, 0.2, 0.9))
    curves = _curves(columns, source, target)
    codes = [Path.MOVETO, Path.CURVE4, Path.CURVE4, Path.CURVE4]
    entries = []
    for sign, look in SYNAPSE_LOOKS.items():
        these = curves[signs == sign]
        if not len(these):
            continue
        colour = COLOURS[look.colour]
        lines = PathCollection([Path(curve, codes) for curve in these], label=look.label, zorder=1)
        lines.set(facecolor="none", edgecolor=colour, linewidth=width, alpha=opacity, linestyle=[_dashes(look, width)])
        ax.add_collection(lines)
        if crowd <= _MANY:
            heads = PolyCollection([*_heads(these, look.head * columns.radius)], zorder=2)
            heads.set(facecolor=colour, edgecolor=colour, linewidth=1.2)
            ax.add_collection(heads)
        entries.append(Line2D([], [], color=colour, linestyle=_dashes(look, 1.5), label=look.label))
    return entries


def _dashes(look: SynapseLook, width: float) -> Any:
    """Return a line style whose dashes have the same length for every width of the line."""
    return (0, [length / width for length in look.dashes]) if look.dashes else "-"


def _curves(columns: _Columns, source: Array, target: Array) -> Array:
    """Return the Bezier curve of each synapse: start, two control points, end, shape (synapses, 4, 2)."""
    a, b = columns.places[source], columns.places[target]
    way = b - a
    length = np.hypot(*way.T)[:, None]
    left = np.stack([-way[:, 1], way[:, 0]], axis=1) / np.where(length, length, 1)
    step = (columns.column[target] - columns.column[source])[:, None]
    bend = np.select([step == 1, step == 0], [0, 1.5 * columns.radius + 0.4 * length], 0.2 * length)
    middle = (a + b) / 2 + bend * left
    for one in np.flatnonzero(np.abs(step) == 2):
        middle[one] = _between(columns, columns.column[[source[one], target[one]]].mean(), a[one], b[one])
    start, end = (point + columns.radius * _direction(middle - point) for point in (a, b))
    curves = np.stack([start, start + 2 / 3 * (middle - start), end + 2 / 3 * (middle - end), end], axis=1)
    loop = columns.radius * np.array([(0.8, 0.6), (2.9, 2.2), (2.9, -2.2), (0.8, -0.6)])  # of a neuron to itself
    return np.where(length[:, None] > 0, curves, a[:, None] + loop)


def _between(columns: _Columns, column: float, a: Array, b: Array) -> Array:
    """Return the middle control point with which a curve from `a` to `b` passes between two neurons of a column."""
    heights = np.sort(columns.places[columns.column == column, 1])
    edge = 3 * columns.radius
    gaps = np.concatenate([heights[:1] - edge, (heights[1:] + heights[:-1]) / 2, heights[-1:] + edge])
    middle = (a + b) / 2
    gap = gaps[np.abs(gaps - middle[1]).argmin()]
    through = gap + 0.3 * (middle[1] - gap)  # not all through the same point
    return np.array([middle[0], 2 * through - middle[1]])


def _heads(curves: Array, head: Array) -> Array:
    """Return the corners of the head at the end of each curve, shape (synapses, K, 2)."""
    along = _direction(curves[:, 3] - curves[:, 2])
    across = np.stack([-along[:, 1], along[:, 0]], axis=1)
    return curves[:, 3, None] + head[:, :1] * along[:, None] + head[:, 1:] * across[:, None]


def _direction(vectors: Array) -> Array:
    """Return vectors of length 1; those of length 0 stay."""
    length = np.hypot(*vectors.T)[:, None]
    return vectors / np.where(length, length, 1)
