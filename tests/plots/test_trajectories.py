"""Figures of one neuron: they draw into the Axes given, finite numbers, within the bounds they show, and say what."""

import numpy as np
import numpy.testing as npt
import pytest
from matplotlib import pyplot
from matplotlib.axes import Axes

from cfc_ref import LTCNeuron, bounds, closed_form, exact, plots, signals
from cfc_ref.plots.style import COLOURS, LOOKS

NEURON = LTCNeuron(w_tau=1.0, A=1.0, sigma=3.0)
SIGNAL = signals.piecewise_constant([0.0, 1.0, 2.5], [-1.0, 1.5, 0.2])
SMOOTH = signals.sine(1.0, 0.3)
T = np.linspace(0.0, 5.0, 41)
LIPSCHITZ = (1.5, 6.0, 40.0, 300.0)
RECORDED = signals.sampled(np.linspace(0, 5, 26), np.sin(np.linspace(0, 5, 26)))
ROWS = plots.work_precision(NEURON, SMOOTH, 0.5, 4.0, tolerances=(1e-4, 1e-7), halvings=3, repeats=1)

FIGURES = {
    "signal": lambda ax: plots.plot_signal(SIGNAL, T, ax=ax),
    "time_constant": lambda ax: plots.plot_time_constant(NEURON, SIGNAL, T, ax=ax),
    "integral": lambda ax: plots.plot_integral(NEURON, SIGNAL, T, ax=ax),
    "closed_form_steps": lambda ax: plots.plot_closed_form_steps(NEURON, SIGNAL, -0.5, T, ax=ax),
    "forms": lambda ax: plots.plot_forms(NEURON, SIGNAL, -0.5, T, ax=ax),
    "forms_step": lambda ax: plots.plot_forms(NEURON, SMOOTH, -0.5, T, step=0.4, ax=ax),
    "error": lambda ax: plots.plot_error(NEURON, SIGNAL, -0.5, T, ax=ax),
    "error_step": lambda ax: plots.plot_error(NEURON, SMOOTH, -0.5, T, step=0.4, ax=ax),
    "error_zero": lambda ax: plots.plot_error(LTCNeuron(1.0, 0.0), 0.0, 0.0, T, ax=ax),
    "extremal": lambda ax: plots.plot_extremal(NEURON, 2.0, T, ax=ax),
    "lemma1_extremal": lambda ax: plots.plot_lemma1_extremal(NEURON, 2.0, T, f_range=(0, 1), ax=ax),
    "worst_error_leak": lambda ax: plots.plot_worst_error_leak(ax=ax),
    "worst_error_leak_flat": lambda ax: plots.plot_worst_error_leak(f_range=(0, 1), ax=ax),
    "worst_error_range": lambda ax: plots.plot_worst_error_range(NEURON, 0.0, ax=ax),
    "work": lambda ax: plots.plot_work_precision(NEURON, SMOOTH, 0.5, 4.0, rows=ROWS, ax=ax),
    "work_seconds": lambda ax: plots.plot_work_precision(NEURON, SMOOTH, 0.5, 4.0, rows=ROWS, against="seconds", ax=ax),
    "order": lambda ax: plots.plot_order(NEURON, SMOOTH, 0.5, 4.0, lipschitz=LIPSCHITZ, ax=ax),
    "samples": lambda ax: plots.plot_samples(NEURON, RECORDED, -0.5, T, 5, ax=ax),
    "samples_of_input": lambda ax: plots.plot_samples_of_input(RECORDED, T, 5, ax=ax),
    "radius_per_step": lambda ax: plots.plot_radius_per_step(step=[0.1, 0.5, 1.0], ax=ax),
    "ratio_of_eq9": lambda ax: plots.plot_ratio_of_eq9(ax=ax),
    "search": lambda ax: plots.plot_search([0.1, 0.3, 0.35], 0.36, "symmetric form", ax=ax),
}


@pytest.fixture
def ax():
    figure, axes = pyplot.subplots(figsize=(7, 4), layout="constrained")
    yield axes
    pyplot.close(figure)
    assert not pyplot.get_fignums()


def line(ax: Axes, label: str) -> tuple[np.ndarray, np.ndarray]:
    (found,) = [one for one in ax.lines if one.get_label() == label]
    return np.asarray(found.get_xdata()), np.asarray(found.get_ydata())


def band(ax: Axes, label: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return t, low and high of a band, as it was drawn."""
    (found,) = [one for one in ax.collections if one.get_label() == label]
    vertices = found.get_paths()[0].vertices
    half = (len(vertices) - 3) // 2
    low, high = vertices[1 : 1 + half], vertices[2 + half : 2 + 2 * half][::-1]
    npt.assert_array_equal(low[:, 0], high[:, 0])
    return low[:, 0], low[:, 1], high[:, 1]


@pytest.mark.parametrize("name", FIGURES)
def test_draws_finite_labelled_curves_into_the_axes_given(name, ax):
    assert FIGURES[name](ax) is ax
    assert ax.get_title(loc="left")
    assert ax.get_xlabel()
    assert ax.get_ylabel()
    for one in ax.lines:
        assert np.isfinite(np.asarray(one.get_ydata(), dtype=float)).all()
    for one in ax.collections:
        if one.get_array() is not None:
            assert np.isfinite(one.get_array()).all()
    assert ax.lines or ax.collections
    ax.figure.canvas.draw()  # every matplotlib warning is an error here


def test_legend_lies_within_a_new_figure():
    for draw in FIGURES.values():
        made = draw(None)
        made.figure.canvas.draw()
        if made.get_legend():
            box, figure = made.get_legend().get_window_extent(), made.figure.bbox
            assert figure.x0 <= box.x0
            assert box.x1 <= figure.x1
            assert figure.y0 <= box.y0
            assert box.y1 <= made.get_window_extent().y0  # it covers no data
        pyplot.close(made.figure)


def test_every_look_is_unlike_the_others():
    assert all(look.colour in COLOURS for look in LOOKS.values())
    assert len({(look.line, look.marker) for look in LOOKS.values()}) == len(LOOKS)


@pytest.mark.parametrize("signal", [SIGNAL, SMOOTH], ids=["jumps", "smooth"])
@pytest.mark.parametrize("neuron", [NEURON, LTCNeuron(0.3, -2.0, mu=0.4, reflection="input")], ids=["A=1", "A=-2"])
def test_forms_lie_within_their_bands(neuron, signal, ax):
    plots.plot_forms(neuron, signal, 0.7, T, ax=ax)
    for curve, name in (
        ("ltc", "the LTC must lie here (sharp)"),
        ("symmetric", "symmetric must lie here (Lemma 1)"),
    ):
        t, x = line(ax, LOOKS[curve].label)
        band_t, low, high = band(ax, name)
        npt.assert_array_equal(band_t, t)
        assert (low - 1e-9 <= x).all()
        assert (x <= high + 1e-9).all()
        npt.assert_allclose(x, exact(neuron, signal, 0.7, t, form=curve), atol=1e-12)


def test_frozen_forms_stand_at_the_ends_of_the_steps(ax):
    plots.plot_forms(NEURON, SMOOTH, 0.7, T, step=0.3, ax=ax)
    t, x = line(ax, LOOKS["gauss"].label)
    npt.assert_allclose(np.diff(t), 5.0 / 17)
    npt.assert_allclose(x, exact(NEURON, SMOOTH, 0.7, t), atol=1e-3)


def test_errors_lie_under_their_bounds(ax):
    plots.plot_error(NEURON, signals.sine(0.05, offset=-0.3), -0.5, T, ax=ax)
    for error, sharp, wide in (
        ("|symmetric − closed form|", "Lemma 1 for the range", r"Lemma 1: $|c|\,e^{-wt}$"),
        ("|LTC − closed form|", "sharp bound for the range", "two-term bound"),
    ):
        (_, e), (_, s), (_, w) = (line(ax, label) for label in (error, sharp, wide))
        assert (e <= s + 1e-9).all()
        assert (s <= w + 1e-9).all()
    assert line(ax, r"late floor $|A|\,w/(w+b)$")[1][0] <= line(ax, "|LTC − closed form|")[1][-1]


def test_of_two_bounds_that_look_the_same_one_is_drawn(ax):
    plots.plot_error(NEURON, signals.sine(3.0), -0.5, T, ax=ax)
    labels = [one.get_label() for one in ax.lines]
    assert r"Lemma 1: $|c|\,e^{-wt}$" in labels
    assert "sharp bound for the range" in labels
    assert not {"Lemma 1 for the range", "two-term bound"} & set(labels)


@pytest.mark.parametrize("form", ["ltc", "symmetric"])
@pytest.mark.parametrize("A", [-1.5, 0.0, 1.0])
@pytest.mark.parametrize("x0", [-2.0, 0.0, 1.0, 3.0])
def test_extremal_inputs_attain_the_ends(form, A, x0, ax):
    neuron = LTCNeuron(0.8, A, mu=0.2, reflection="input")
    draw = plots.plot_extremal if form == "ltc" else plots.plot_lemma1_extremal
    draw(neuron, x0, T, f_range=(0.2, 0.7), ax=ax)
    ends = bounds.closed_form_error(neuron, x0, T[-1], (0.2, 0.7), form)
    for one, end in zip(ax.lines[:2], ends, strict=True):
        t, error = np.asarray(one.get_xdata()), np.asarray(one.get_ydata())
        npt.assert_allclose(error[-1], end, atol=1e-12)
        low, high = bounds.closed_form_error(neuron, x0, t, (0.2, 0.7), form)
        assert (low - 1e-9 <= error).all()
        assert (error <= high + 1e-9).all()


def test_worst_error_maps_hold_the_bounds(ax):
    plots.plot_worst_error_leak(A=2.0, x0=0.5, w_tau=[0.1, 1.0], t=[1.0, 2.0, 3.0], f_range=(0.2, 0.6), ax=ax)
    low, high = bounds.closed_form_error(LTCNeuron([0.1, 1.0], 2.0), 0.5, [1.0, 2.0, 3.0], (0.2, 0.6))
    npt.assert_allclose(ax.collections[0].get_array().reshape(3, 2), np.maximum(-low, high).T)


def test_range_map_at_width_zero_is_the_error_of_a_constant_input(ax):
    t = np.array([0.5, 5.0])
    plots.plot_worst_error_range(NEURON, 0.3, t=t, width=[0.0, 0.5], ax=ax)
    error = exact(NEURON, 0.0, 0.3, t) - closed_form(NEURON, 0.0, 0.3, t)
    npt.assert_allclose(ax.collections[0].get_array().reshape(2, 2)[:, 0], np.abs(error))


def test_closed_form_jumps_at_the_start(ax):
    plots.plot_closed_form_steps(NEURON, 0.0, 3.0, T, ax=ax)
    assert line(ax, LOOKS["symmetric"].label)[1][0] == 3.0
    assert line(ax, LOOKS["closed"].label)[1][0] == 2.0


def test_integral_is_that_of_the_release(ax):
    signal = signals.sampled([0.0, 2.0, 3.0], [-1.0, 2.0, 0.0])
    plots.plot_integral(NEURON, signal, T, ax=ax)
    t, F = ax.lines[0].get_data()
    decayed = exact(LTCNeuron(1.0, 0.0, sigma=3.0), signal, 1.0, t, form="symmetric")
    npt.assert_allclose(F, -np.log(decayed) - t, atol=1e-9)


def test_jumps_of_the_input_stand_upright(ax):
    plots.plot_signal(SIGNAL, [0.0, 4.0], ax=ax)
    t, values = ax.lines[0].get_data()
    npt.assert_allclose(t, [0.0, 1.0, 1.0, 2.5, 2.5, 4.0])
    npt.assert_array_equal(values, [-1.0, -1.0, 1.5, 1.5, 0.2, 0.2])


def test_work_is_counted_the_same_each_time():
    options = {"tolerances": (1e-4,), "halvings": 2}
    one, other = (plots.work_precision(NEURON, SIGNAL, 0.5, 4.0, **options) for _ in range(2))
    assert one == other
    assert all(row.seconds is None for row in one)
    assert {row.method: row.evaluations for row in one}["midpoint"] == 40  # steps of 0.1; the jumps are on them
    assert all(row.error < 1e-12 for row in one if row.method in ("start", "midpoint", "gauss"))
    assert all(row.seconds > 0 for row in ROWS)


def test_orders_and_bounds(ax):
    plots.plot_order(NEURON, SMOOTH, 0.5, 4.0, lipschitz=LIPSCHITZ, ax=ax)
    slopes = [float(one.get_label().split("slope ")[1]) for one in ax.lines[::2]]
    npt.assert_allclose(slopes, [1, 2, 4], atol=0.25)
    for error, limit in zip(ax.lines[::2], ax.lines[1::2], strict=True):
        assert (error.get_ydata() <= limit.get_ydata()).all()


def test_searches_are_told_apart(ax):
    for label in ("symmetric form", "LTC as stated"):
        plots.plot_search([0.1, 0.2], 0.25, label, ax=ax)
    assert len({one.get_color() for one in ax.lines}) == 2
    assert ax.lines[2].get_label() == "LTC as stated: 80.000 % of the supremum"


REFUSED = {
    "ax": (lambda: plots.plot_signal(0.0, T, ax=3), TypeError, "ax: got int"),
    "neuron": (lambda: plots.plot_forms(LTCNeuron([1.0, 2.0], 1.0), 0.0, 0.0, T), ValueError, "neuron: got shape"),
    "signal": (lambda: plots.plot_forms(NEURON, [0.0, 1.0], 0.0, T), ValueError, "signal: got shape"),
    "t": (lambda: plots.plot_error(NEURON, 0.0, 0.0, [1.0]), ValueError, "t: got shape"),
    "backwards": (lambda: plots.plot_error(NEURON, 0.0, 0.0, [1.0, 0.0]), ValueError, "increasing"),
    "step": (lambda: plots.plot_forms(NEURON, 0.0, 0.0, T, step=0.0), ValueError, "step: got 0.0"),
    "f_range": (lambda: plots.plot_extremal(NEURON, 0.0, T, f_range=(0.9, 0.1)), ValueError, "f_range: got"),
    "ranges": (lambda: plots.plot_extremal(NEURON, 0.0, T, f_range=([0, 0], 1)), ValueError, "two numbers"),
    "w_tau": (lambda: plots.plot_worst_error_leak(w_tau=[0.0, 1.0]), ValueError, "w_tau: got 0.0"),
    "width": (lambda: plots.plot_worst_error_range(NEURON, 0.0, width=[0.0, 1.5]), ValueError, "width: got 1.5"),
    "against": (
        lambda: plots.plot_work_precision(NEURON, 0.0, 0.0, 1.0, against="hours"),
        ValueError,
        "against: got 'hours'",
    ),
    "untimed": (
        lambda: plots.plot_work_precision(
            NEURON, 0.0, 0.0, 1.0, against="seconds", rows=[r._replace(seconds=None) for r in ROWS]
        ),
        ValueError,
        "rows: got rows without seconds",
    ),
    "t_end": (lambda: plots.work_precision(NEURON, 0.0, 0.0, 0.0), ValueError, "t_end: got 0.0"),
    "t_ends": (lambda: plots.work_precision(NEURON, 0.0, 0.0, [1.0, 2.0]), ValueError, "t_end: got shape"),
    "steps": (
        lambda: plots.plot_order(NEURON, 0.0, 0.0, 1.0, lipschitz=LIPSCHITZ, steps=[2.0]),
        ValueError,
        "steps: got 2.0",
    ),
    "one step": (
        lambda: plots.plot_order(NEURON, 0.0, 0.0, 1.0, lipschitz=LIPSCHITZ, steps=[0.5]),
        ValueError,
        "steps: got 1 steps",
    ),
    "lipschitz": (
        lambda: plots.plot_order(NEURON, 0.0, 0.0, 1.0, lipschitz=(1.0, 1.0)),
        ValueError,
        "lipschitz: got 2 constants",
    ),
    "every": (lambda: plots.plot_samples(NEURON, RECORDED, 0.0, T, 0), ValueError, "every: got 0"),
    "recording": (lambda: plots.plot_samples_of_input(0.5, T), TypeError, "signal: got 0.5"),
    "zero step": (lambda: plots.plot_radius_per_step(step=[0.0, 0.1]), ValueError, "step: got 0.0"),
    "best": (lambda: plots.plot_search([0.1, 0.2], [0.3, 0.4]), ValueError, "best: got shape"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_bad_input_is_refused_before_a_figure_is_made(name):
    call, error, message = REFUSED[name]
    with pytest.raises(error, match=message):
        call()
    assert not pyplot.get_fignums()


def test_the_state_is_inside_of_what_its_samples_allow_and_the_midpoint_inside_of_R(ax):
    plots.plot_samples(NEURON, RECORDED, -0.5, T, 5, ax=ax)
    _, low, high = band(ax, "what every 5th sample leaves open")
    _, x = line(ax, plots.LOOKS["ltc"].label)
    assert np.all((low <= x + 1e-9) & (x <= high + 1e-9))
    ax.clear()
    plots.plot_radius_per_step(step=[0.1, 0.5, 1.0], ax=ax)
    _, low, high = band(ax, "here lies R, the least error of any form with these looks")
    _, midpoint = line(ax, "frozen midpoint, on two inputs that no look tells apart")
    _, start = line(ax, "frozen at the start, on a steady rise")
    assert np.all((low <= midpoint * 1.001) & (midpoint <= high * 1.001))
    assert np.all(start > midpoint)
