"""The figures of translations and tubes show the numbers that they are given."""

import numpy as np
import pytest
from matplotlib import pyplot
from matplotlib.figure import Figure

from cfc_ref import LTC, bounds, translate
from cfc_ref.plots.translation import plot_translation_error, plot_tube
from tests import bad
from tests.compare import assert_close

T = np.array([0.5, 1.0, 2.0])


@pytest.fixture
def ax():
    figure, axes = pyplot.subplots()
    yield axes
    pyplot.close(figure)
    assert not pyplot.get_fignums()


def comparison(*, batch_first=True, leak=0.0):
    network = LTC(1, 4, seed=0, dtype="float64", batch_first=batch_first)
    network.parameters["rnn_cell.gleak"][...] += leak
    x = np.random.default_rng(0).normal(size=(2, 3, 1))
    return translate.compare(network, x if batch_first else x.swapaxes(0, 1), np.diff(T, prepend=0))


def labelled(ax):
    return {line.get_label(): line for line in ax.lines if not line.get_label().startswith("_")}


@pytest.mark.parametrize("batch_first", [True, False])
def test_a_line_for_every_neuron_and_a_thick_one_for_their_mean(ax, batch_first):
    compared = comparison(batch_first=batch_first)
    assert plot_translation_error(compared, sequence=1, ax=ax) is ax
    assert len(ax.lines) == 3 * (4 + 1)
    for way, line in zip(compared.translations.values(), labelled(ax).values(), strict=True):
        error = way.error[1] if batch_first else way.error[:, 1]
        assert_close(line.get_xdata(), T)
        assert_close(line.get_ydata(), np.sqrt((error**2).mean(axis=1)))


def test_the_bound_is_drawn_where_there_is_one(ax):
    compared = comparison(leak=200.0)
    assert compared.certificate.certified
    plot_translation_error(compared, ax=ax)
    assert_close(labelled(ax)["bound of the frozen translation"].get_ydata(), compared.certificate.bound[0])


@pytest.mark.parametrize("size", [1e-15, 1e-3])
def test_rounding_does_not_stretch_the_axis(ax, size):
    """One translation is off by 0.1, the other by `size`: that is on the axis where it is more than rounding."""
    compared = comparison()
    errors = {"algorithm1": 0.1, "algorithm1_free": 0.1, "frozen": size}
    ways = {n: w._replace(error=np.full_like(w.error, errors[n])) for n, w in compared.translations.items()}
    plot_translation_error(compared._replace(translations=ways), ax=ax)
    bottom, top = ax.get_ylim()
    assert bottom < 0.1 < top < 1
    assert bottom == pytest.approx(1e-9) if size < 1e-9 else 1e-4 < bottom < size


def test_a_tube_is_an_area_with_the_range_of_its_trajectories(ax):
    network = LTC(1, 4, seed=0, dtype="float64")
    low, high = bounds.tube(network, -1, 1, T)
    states = network.solve(np.random.default_rng(0).uniform(-1, 1, (50, 3, 1)), timespans=np.diff(T, prepend=0))
    plot_tube(T, low, high, states, neuron=2, ax=ax)
    corners = ax.collections[0].get_paths()[0].vertices
    assert_close([corners[:, 1].min(), corners[:, 1].max()], [low[:, 2].min(), high[:, 2].max()])
    assert_close(labelled(ax)["range of 50 trajectories"].get_ydata(), states[:, :, 2].min(axis=0))
    assert_close(ax.lines[-1].get_ydata(), states[:, :, 2].max(axis=0))
    assert_close(ax.lines[2].get_ydata(), states[0, :, 2])
    assert len(ax.lines) == 2 + 40 + 2  # 40 trajectories are enough to look at


def test_one_trajectory_is_called_one_and_has_no_range(ax):
    plot_tube(T, np.zeros((3, 2)), np.ones((3, 2)), np.full((1, 3, 2), 0.5), ax=ax)
    assert_close(labelled(ax)["one trajectory"].get_ydata(), np.full(3, 0.5))
    assert len(ax.lines) == 2 + 1


def test_a_tube_alone_is_drawn_on_axes_of_its_own():
    axes = plot_tube(T, np.zeros((3, 2)), np.ones((3, 2)))
    assert len(axes.lines) == 2
    pyplot.close(axes.figure)


def test_what_does_not_fit_is_refused():
    whole = {"t": T, "low": np.zeros((3, 2)), "high": np.ones((3, 2)), "ax": Figure().subplots()}

    def refuses(argument, value):
        bad.refuses(plot_tube, argument, value, **{k: v for k, v in whole.items() if k != argument})

    for value in (*bad.INCREASING, 1.0, [1.0]):
        refuses("t", value)
    for value in (*bad.NUMBERS, np.zeros(3), np.zeros((2, 2))):
        refuses("low", value)
    for value in (*bad.NUMBERS, np.zeros(3), np.zeros((3, 1))):
        refuses("high", value)
    for value in (
        *[number for number in bad.NUMBERS if number is not None],
        np.zeros((3, 2)),
        np.zeros((0, 3, 2)),
        np.zeros((5, 3, 1)),
    ):
        refuses("states", value)
    for value in (-1, 2, 1.0, True, None):
        refuses("neuron", value)
    refuses("ax", 3)
    for value in (None, 3, "x"):
        bad.refuses(plot_translation_error, "comparison", value)
    for value in (-1, 2, 1.0, True, None):
        bad.refuses(plot_translation_error, "sequence", value, comparison=comparison())
