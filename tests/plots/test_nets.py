"""The figure of a wiring shows every neuron and every synapse once, where they belong, and tells the kinds apart."""

import time

import numpy as np
import numpy.testing as npt
import pytest
from matplotlib import pyplot
from matplotlib.collections import EllipseCollection, PathCollection, PolyCollection
from matplotlib.colors import to_rgba

from cfc_ref.plots.nets import NEURON_COLOURS, SYNAPSE_LOOKS, plot_wiring
from cfc_ref.plots.style import COLOURS
from cfc_ref.wirings import NCP, AutoNCP, FullyConnected, Random, Wiring
from tests import bad

SKIPS = np.zeros((5, 5))
SKIPS[[4, 4, 0, 0, 3, 1], [3, 0, 4, 0, 1, 2]] = [1, -1, 1, -1, 1, -1]
WIRINGS = {
    "AutoNCP": AutoNCP(19, 1).build(17),
    "NCP": NCP(5, 3, 2, 2, 2, 6, 2).build(3),
    "FullyConnected": FullyConnected(5, 2).build(3),
    "all are motor": FullyConnected(4).build(2),
    "one neuron": FullyConnected(1).build(1),
    "Random": Random(12, 3, 0.7).build(4),
    "own": Wiring(SKIPS, [[1, 0, 0, -1, 1]], 2, layers=[[4], [2, 3], [1], [0]]),
    "inhibitory only": Wiring([[0, -1], [-1, 0]], [[-1, 0]], 1),
}
LARGE = {
    "AutoNCP": AutoNCP(64, 8).build(20),
    "FullyConnected": FullyConnected(64, 8).build(20),
    "Random": Random(64, 8, 0.8).build(20),
}


@pytest.fixture
def ax():
    figure, axes = pyplot.subplots(figsize=(7, 4.4), layout="constrained")
    yield axes
    pyplot.close(figure)
    assert not pyplot.get_fignums()


def of_kind(ax, kind, label=None):
    return [one for one in ax.collections if type(one) is kind and label in (None, one.get_label())]


def dots(ax):
    """Return {type: centres} and the radius."""
    found = of_kind(ax, EllipseCollection)
    radii = np.concatenate([np.ravel([one.get_widths(), one.get_heights()]) for one in found]) / 2
    npt.assert_allclose(radii, radii[0])
    return {one.get_label(): np.asarray(one.get_offsets()) for one in found}, radii[0]


def numbered(ax):
    """Return {("input" or "neuron", number): centre}, as the figure's text says; inputs stand on the left."""
    texts = [one for one in ax.texts if one.get_text().isdigit()]
    left = min(one.get_position()[0] for one in texts)
    return {
        ("input" if one.get_position()[0] == left else "neuron", int(one.get_text())): np.array(one.get_position())
        for one in texts
    }


def synapses(ax, sign):
    """Return the (from, to) of each curve of a polarity, by the neurons on whose edge it starts and ends."""
    places, (_, radius) = numbered(ax), dots(ax)
    names, centres = list(places), np.array(list(places.values()))
    pairs = []
    for collection in of_kind(ax, PathCollection, SYNAPSE_LOOKS[sign].label):
        for path in collection.get_paths():
            ends = []
            for point in (path.vertices[0], path.vertices[-1]):
                distance = np.hypot(*(centres - point).T)
                npt.assert_allclose(distance.min(), radius, rtol=1e-9)
                ends.append(names[distance.argmin()])
            pairs.append(tuple(ends))
    return pairs


def curves(ax, sign):
    """Return ((from, to), points along the curve) of each synapse of a polarity."""
    t = np.linspace(0, 1, 101)[:, None]
    weights = np.hstack([(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3])
    paths = [path for one in of_kind(ax, PathCollection, SYNAPSE_LOOKS[sign].label) for path in one.get_paths()]
    return [(pair, weights @ path.vertices) for pair, path in zip(synapses(ax, sign), paths, strict=True)]


@pytest.mark.parametrize("name", WIRINGS)
def test_every_synapse_is_drawn_once_from_neuron_to_neuron(name, ax):
    wiring = WIRINGS[name]
    assert plot_wiring(wiring, ax=ax) is ax
    for sign in (1, -1):
        expected = [
            (("input", int(k)), ("neuron", int(i)))
            for k, i in zip(*np.nonzero(wiring.sensory_adjacency_matrix == sign), strict=True)
        ] + [
            (("neuron", int(j)), ("neuron", int(i)))
            for j, i in zip(*np.nonzero(wiring.adjacency_matrix == sign), strict=True)
        ]
        assert sorted(synapses(ax, sign)) == sorted(expected)
    ax.figure.canvas.draw()  # every matplotlib warning is an error here


@pytest.mark.parametrize("name", WIRINGS)
def test_dots_have_the_colour_of_their_type_and_layers_their_column(name, ax):
    wiring = WIRINGS[name]
    plot_wiring(wiring, ax=ax)
    places, (centres, radius) = numbered(ax), dots(ax)
    for one in of_kind(ax, EllipseCollection):
        assert tuple(one.get_facecolor()[0]) == to_rgba(COLOURS[NEURON_COLOURS[one.get_label()]])
    assert len(centres["sensory"]) == wiring.input_dim
    for neuron in range(wiring.units):
        distance = np.abs(centres[wiring.get_type_of_neuron(neuron)] - places["neuron", neuron]).sum(axis=1)
        assert distance.min() == 0
    assert sum(map(len, centres.values())) == wiring.units + wiring.input_dim == len(places)
    everywhere = np.concatenate(list(centres.values()))
    apart = np.hypot(*(everywhere[:, None] - everywhere).T) + 10 * np.eye(len(everywhere))
    assert apart.min() > 2 * radius
    if wiring.num_layers > 1:
        columns = [{places["neuron", neuron][0] for neuron in layer} for layer in wiring.layers]
        assert all(len(column) == 1 for column in columns)
        across = [column.pop() for column in columns]
        assert across == sorted(across)


def test_of_one_layer_the_motor_neurons_stand_behind_the_others(ax):
    plot_wiring(WIRINGS["Random"], ax=ax)
    across = [numbered(ax)["neuron", neuron][0] for neuron in range(12)]
    assert len(set(across[:3])) == len(set(across[3:])) == 1
    assert across[0] > across[3]


def test_curves_that_skip_a_column_pass_between_its_neurons(ax):
    plot_wiring(WIRINGS["FullyConnected"], ax=ax)
    places, (_, radius) = numbered(ax), dots(ax)
    skipping = [points for (a, b), points in [*curves(ax, 1), *curves(ax, -1)] if a[0] == "input" and b[1] < 2]
    assert len(skipping) == 6
    for points in skipping:
        for one in (2, 3, 4):
            assert np.hypot(*(points - places["neuron", one]).T).min() > 1.5 * radius


@pytest.mark.parametrize("name", ["all are motor", "FullyConnected"])
def test_there_and_back_are_two_curves(name, ax):
    plot_wiring(WIRINGS[name], ax=ax)
    middle = {pair: points[50] for sign in (1, -1) for pair, points in curves(ax, sign)}
    pairs = [(a, b) for a, b in middle if a < b and (b, a) in middle]
    assert len(pairs) == {4: 6, 5: 10}[WIRINGS[name].units]
    for a, b in pairs:
        assert np.hypot(*(middle[a, b] - middle[b, a])) > 0.05


def test_arcs_within_a_column_keep_clear_of_the_neurons_between(ax):
    plot_wiring(WIRINGS["Random"], ax=ax)
    places, (_, radius) = numbered(ax), dots(ax)
    arcs = 0
    for (source, target), points in [*curves(ax, 1), *curves(ax, -1)]:
        if source[0] == "neuron" and source[1] != target[1] and min(source[1], target[1]) >= 3:
            arcs += 1
            for one in set(range(3, 12)) - {source[1], target[1]}:
                assert np.hypot(*(points - places["neuron", one]).T).min() > 1.2 * radius
    assert arcs > 10


def test_polarities_differ_in_colour_line_and_head(ax):
    plot_wiring(WIRINGS["Random"], ax=ax)
    excitatory, inhibitory = (of_kind(ax, PathCollection, SYNAPSE_LOOKS[sign].label)[0] for sign in (1, -1))
    for one, sign in ((excitatory, 1), (inhibitory, -1)):
        assert tuple(one.get_edgecolor()[0][:3]) == to_rgba(COLOURS[SYNAPSE_LOOKS[sign].colour])[:3]
    assert excitatory.get_linestyle()[0][1] is None
    assert inhibitory.get_linestyle()[0][1]
    arrows, bars = of_kind(ax, PolyCollection)
    assert len(arrows.get_paths()) == len(excitatory.get_paths())
    assert len(bars.get_paths()) == len(inhibitory.get_paths())
    assert len(arrows.get_paths()[0].vertices) != len(bars.get_paths()[0].vertices)


def test_heads_lie_where_their_synapse_ends(ax):
    plot_wiring(WIRINGS["Random"], ax=ax)
    (curves,) = of_kind(ax, PathCollection, SYNAPSE_LOOKS[1].label)
    arrows = of_kind(ax, PolyCollection)[0]
    for curve, arrow in zip(curves.get_paths(), arrows.get_paths(), strict=True):
        npt.assert_allclose(arrow.vertices[0], curve.vertices[-1], atol=1e-12)


@pytest.mark.parametrize("name", WIRINGS)
def test_the_legend_lists_what_is_there(name, ax):
    wiring = WIRINGS[name]
    plot_wiring(wiring, ax=ax)
    kinds = {wiring.get_type_of_neuron(neuron) for neuron in range(wiring.units)} | {"sensory"}
    signs = set(np.unique(wiring.adjacency_matrix)) | set(np.unique(wiring.sensory_adjacency_matrix))
    expected = kinds | {SYNAPSE_LOOKS[sign].label for sign in signs - {0}}
    assert {text.get_text() for text in ax.get_legend().get_texts()} == expected


@pytest.mark.parametrize("wiring", [*WIRINGS.values(), *LARGE.values()])
def test_everything_lies_within_a_new_figure(wiring):
    made = wiring.plot()
    figure = made.figure
    figure.canvas.draw()
    frame = figure.bbox.padded(1)
    boxes = [made.get_legend().get_window_extent(), *(text.get_window_extent() for text in made.texts)]
    for box in boxes:
        assert frame.x0 <= box.x0 <= box.x1 <= frame.x1
        assert frame.y0 <= box.y0 <= box.y1 <= frame.y1
    _, radius = dots(made)
    unit = made.transData.transform([(0, 0), (radius, radius)])
    npt.assert_allclose(*(unit[1] - unit[0]), rtol=1e-6)  # circles are round
    for centres in dots(made)[0].values():
        for corner in (-radius, radius):
            assert made.bbox.padded(0.5).count_contains(made.transData.transform(centres + corner)) == len(centres)
    pyplot.close(figure)


@pytest.mark.parametrize("name", LARGE)
def test_a_large_wiring_has_thin_lines_and_neither_heads_nor_numbers(name, ax):
    wiring = LARGE[name]
    start = time.perf_counter()
    plot_wiring(wiring, ax=ax)
    ax.figure.canvas.draw()
    assert time.perf_counter() - start < 5
    lines = of_kind(ax, PathCollection)
    assert sum(len(one.get_paths()) for one in lines) == wiring.synapse_count + wiring.sensory_synapse_count
    assert all(one.get_linewidth()[0] < 0.6 for one in lines)
    assert all(one.get_alpha() < 0.6 for one in lines)
    assert not of_kind(ax, PolyCollection)
    assert not any(text.get_text().isdigit() for text in ax.texts)


def test_small_axes_leave_numbers_out():
    figure, axes = pyplot.subplots(2, 3)
    plot_wiring(WIRINGS["AutoNCP"], ax=axes[0, 0])
    assert not any(text.get_text().isdigit() for text in axes[0, 0].texts)
    pyplot.close(figure)


@pytest.mark.filterwarnings("ignore:no path of synapses")
def test_a_wiring_without_synapses_shows_its_neurons(ax):
    plot_wiring(Wiring(np.zeros((3, 3)), np.zeros((2, 3)), 1), ax=ax)
    assert not of_kind(ax, PathCollection)
    assert len(numbered(ax)) == 5


def test_what_is_no_built_wiring_is_refused():
    for value in (AutoNCP(19, 1), Random(5), None, np.eye(3), "AutoNCP"):
        bad.refuses(plot_wiring, "wiring", value)
    bad.refuses(plot_wiring, "ax", "here", wiring=WIRINGS["NCP"])
    bad.refuses(AutoNCP(19, 1).plot, "ax", None, named="wiring")
    assert not pyplot.get_fignums()
