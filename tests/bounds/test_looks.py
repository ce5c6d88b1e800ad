"""What any form with one look can know: the reference values, inputs that no look tells apart, the best look."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfc_ref import LTCNeuron, bounds, closed_form, exact, signals
from tests import bad
from tests.compare import assert_close
from tests.strategies import cases, floats, ranges, times

# w, A, c, t, a, b; R, middle - A, E9/R as stated, symmetric
MEASURABLE = [
    (1, 1, -1, 1, 0, 1, 0.2161661792, -0.7838338208, 4.626070571, 3.163953414),
    (1, 1, 1, 1, 0, 1, 0.0667423417, -0.2960717752, 10.947976051, 3.163953414),
    (0.1, 1, -1, 10, 0, 1, 0.4545378629, -0.5454621371, 2.200036744, 2.000090804),
    (0.1, 2, 1, 2, 0.2, 0.7, 0.1228243730, 0.1251950205, 3.555309510, 2.814767390),
    (3, -1, 2, 0.5, 0.2, 0.7, 0.0771097506, 1.074905300, 13.716459230, 6.929136330),
    (1, 1, -1, 1, 0.4, 0.6, 0.0420153977, -0.7427265920, 16.755366380, 7.419986679),
]
# w, A, c, t, eta; tau*, R(t)/L, R(tau*)/L
SLOW = [
    (1, 1, -2 / 3, 1, 0.5, 0.6721773983, 0.1310146962, 0.0790398005),
    (1, 1, -2 / 3, 5, 0.5, 4.538270501, 0.2949033431, 0.2040975346),
    (1, 0, 1, 2, 0.5, 1.0, 0.0995741367, 0.0497870684),
    (1, 1, -1, 2, 0.5, 1.543982169, 0.2704807794, 0.1779796106),
    (0.1, 1, -1, 5, 0.5, 3.419910822, 0.8893799837, 0.5588132121),
    (1, 1, 0, 2, 0.5, 1.627285575, 0.1709066426, 0.1111518238),
]


@pytest.mark.parametrize("row", MEASURABLE, ids=range(6))
def test_reference_values_of_one_look_at_t(row):
    w, A, c, t, a, b, R, middle, *ratios = row
    posed = LTCNeuron(w, A), A + c, t, (a, b)
    assert_close(bounds.radius(*posed), [A + middle, R], rtol=0, atol=1e-9)
    got = [bounds.ratio_of_eq9(*posed, form) for form in ("ltc", "symmetric")]
    assert_close(got, ratios, rtol=1e-9, atol=0)


@pytest.mark.parametrize("row", SLOW, ids=range(6))
def test_reference_values_of_the_best_look(row):
    """And that of a look at t, which is the enclosure from one sample with a small constant."""
    w, A, c, t, eta, tau, at_t, best = row
    neuron, L = LTCNeuron(w, A), 1e-4
    assert_close(bounds.best_look(neuron, A + c, t, eta, 0.5), [tau, 0.5 * best], rtol=0, atol=1e-9)
    for look, expected in ((t, at_t), (tau, best)):
        low, high = bounds.from_samples(neuron, A + c, t, [look], [eta], L, "release")
        assert_close((high - low) / 2 / L, expected, rtol=0, atol=1e-6)


def test_one_example_with_constants_that_are_not_small():
    neuron, x0 = LTCNeuron(1.0, 1.0), 1 / 3
    for L, expected in ((0.1, 0.030181), (1.0, 0.17443)):
        low, high = bounds.from_samples(neuron, x0, 5.0, [5.0], [0.5], L, "release")
        assert_close((high - low) / 2, expected, rtol=0, atol=5e-6)
    low, high = bounds.from_samples(neuron, x0, 5.0, [4.531], [0.5], 0.1, "release")
    assert_close((high - low) / 2, 0.020733, rtol=0, atol=5e-7)


@given(cases(), floats(0.05, 20), ranges(0.02, 0.98))
def test_two_inputs_that_no_look_at_t_tells_apart_end_two_radii_apart(case, t, f_range):
    """The bang-bang inputs of the extremes, with a jump at t to one value: every form says the same of both."""
    a, b = f_range
    for form in ("ltc", "symmetric"):
        centre, R = bounds.radius(case.neuron, case.x0, t, f_range, form)
        states = []
        for first, second in ((a, b), (b, a)):
            c, k = case.x0 - case.A, case.w + first
            crosses = form == "ltc" and c * case.A > 0
            switch = np.log1p(c * k / (case.A * case.w)) / k if crosses else t
            switch = min(switch, t)
            moments = [0.0, switch, t] if 0 < switch < t else [0.0, t]
            releases = [first, second] if len(moments) == 3 else [first]
            signal = signals.piecewise_constant(moments, [case.input(y) for y in (*releases, 0.5 * (a + b))])
            state = float(exact(case.neuron, signal, case.x0, t, form))
            states.append((state, float(closed_form(case.neuron, signal, case.x0, t))))
        (one, said), (other, said_too) = states
        assert said == said_too
        assert_close(abs(one - other), 2 * R, rtol=0, atol=1e-9 * case.scale)
        assert_close((one + other) / 2, centre, rtol=0, atol=1e-9 * case.scale)


@given(cases(), times, ranges())
def test_eq_9_is_at_least_as_wrong_as_the_best_form(case, t, f_range):
    posed = case.neuron, case.x0, t, f_range
    slack = 1e-12 * case.scale
    for form in ("ltc", "symmetric"):
        _, R = bounds.radius(*posed, form)
        worst = np.abs(bounds.closed_form_error(*posed, form)).max()
        twice = form == "symmetric" or (case.x0 - case.A) * case.A <= 0
        assert worst >= (2 if twice else 1) * R - slack
        if 1e-6 * case.scale < R:
            assert_close(bounds.ratio_of_eq9(*posed, form), worst / R, rtol=1e-12, atol=0)


def test_ratios_without_a_radius():
    neuron = LTCNeuron(1.0, [0.0, 1.0])
    assert_close(bounds.ratio_of_eq9(neuron, 0.0, 1.0, (0.5, 0.5))[0], 1.0)
    assert bounds.ratio_of_eq9(neuron, 0.0, 1.0, (0.5, 0.5))[1] == np.inf


def test_ratios_of_radii_that_underflow():
    for neuron, x0, t, form in (
        (LTCNeuron(1000.0, 1.0), 0.0, 1.0, "symmetric"),
        (LTCNeuron(1000.0, 0.0), 1.0, 1.0, "ltc"),
    ):
        assert_close(bounds.ratio_of_eq9(neuron, x0, t, form=form), 2 * (1 + 1 / np.expm1(1)), rtol=1e-14, atol=0)
    assert_close(bounds.ratio_of_eq9(LTCNeuron(1.0, 1.0), 0.0, [745.0, 2000.0], form="symmetric"), [2.0, 2.0])


def test_the_best_look_where_the_state_underflows():
    assert_close(
        bounds.best_look(LTCNeuron(1.0, 0.0), 1.0, [2.0, 1000.0], 0.5, 1.0)[0], [1.0, 500.0], rtol=1e-12, atol=0
    )


def test_float32_neurons_have_float32_looks():
    neuron = LTCNeuron(np.float32(1), np.float32(1))
    assert {end.dtype for end in bounds.best_look(neuron, 0.0, 2.0, 0.5, 1.0)} == {np.dtype("f4")}
    assert bounds.ratio_of_eq9(neuron, 0.0, 2.0, form="symmetric").dtype == np.float32


@given(cases(), floats(0.0, 50), floats(0, 1), st.floats(0, 1))
def test_no_other_look_leaves_less(case, t, eta, share):
    """To leading order: by quadrature."""
    tau, R = bounds.best_look(case.neuron, case.x0, t, eta, 1.0)
    k, z_inf = case.w + eta, -case.A * case.w / (case.w + eta)
    edges = np.linspace(0, t, 4001)
    s = (edges[1:] + edges[:-1]) / 2
    weight = (case.x0 - case.A - z_inf) * np.exp(-k * t) + z_inf * np.exp(-k * (t - s))
    until = np.cumsum(weight) * t / 4000

    def left(look):
        return np.abs(np.where(s < look, until, until[-1] - until)).sum() * t / 4000

    assert 0 <= tau <= t
    coarse = 2e-3 * (1 + k * t) ** 2 * t * t * np.abs(weight).max(initial=0) / 4000 + 1e-12 * case.scale
    assert_close(R, left(tau), rtol=1e-3, atol=coarse)
    assert left(share * t) + coarse + 1e-3 * R >= R


@pytest.mark.parametrize(("w", "A", "c", "t", "eta"), [(1, 1, 2, 2, 0.5), (0.5, -1, -0.7, 3, 0.4), (1, 2, 1, 2, 0.3)])
def test_where_x_passes_A_the_sharp_enclosure_is_least_at_the_best_look(w, A, c, t, eta):
    neuron, L = LTCNeuron(w, A), 1e-4
    tau, R = bounds.best_look(neuron, A + c, t, eta, L)

    def left(look):
        low, high = bounds.from_samples(neuron, A + c, t, [look], [eta], L, "release")
        return (high - low) / 2

    assert_close(R, left(float(tau)), rtol=1e-6, atol=0)
    assert all(left(look) >= R * (1 - 1e-6) for look in np.linspace(0, t, 41))


def test_reference_values_of_one_look_per_step():
    neuron, posed = LTCNeuron(1.0, 1.0), (1 / 6, [5.0, 5.05], 0.1, 0.225, 0.5, (0.2, 1))
    low, high = bounds.radius_per_step(neuron, *posed)
    assert_close([low[0], high[0]], [0.0081501576, 0.0086616354], rtol=0, atol=1e-9)
    assert_close(low[1], low[0] * np.exp(-(1 + 0.25) * 0.05), rtol=1e-12, atol=0)
    assert_close(bounds.radius_per_step(LTCNeuron(1.0, 1.0), 2.0, 5.0, 0.1, 0.225, 0.5)[0], 0.0, rtol=0, atol=0)


@given(cases(), floats(1e-3, 2), st.integers(1, 5), floats(0, 1), floats(0, 1))
def test_two_inputs_that_no_midpoint_tells_apart(case, h, steps, share, at):
    """They end at least twice the lower bound apart, and no further than twice the upper one."""
    L = share * 0.9 / h
    far = L * h / 2
    eta = far + at * (1 - 2 * far)
    t = steps * h
    low, high = bounds.radius_per_step(case.neuron, case.x0, t, h, eta, L)
    edges = np.arange(2 * steps + 1) * h / 2
    middles = np.arange(2 * steps + 1) % 2 == 1
    ends = []
    for sign in (1, -1):
        y = np.where(middles, eta, eta + sign * far)
        ends.append(float(bounds.from_samples(case.neuron, case.x0, t, edges, y, L * (1 + 1e-9) + 1e-9, "release")[0]))
    distance = abs(ends[0] - ends[1])
    slack = 1e-8 * case.scale * (1 + t)
    assert 2 * low - slack <= distance <= 2 * high + slack


def test_far_from_the_start_the_best_look_is_ln_2_time_constants_ago():
    w = np.array([0.3, 1.0, 4.0])
    tau, _ = bounds.best_look(LTCNeuron(w, 1.0), [0.0, 2.0, -1.0], 100.0, 0.5, 1.0)
    assert_close(100 - tau, np.log(2) / (w + 0.5), rtol=1e-9, atol=0)


def test_shapes_and_refusals_of_looks():
    neuron, t = LTCNeuron(np.ones((2, 1)), np.ones(3)), np.linspace(0, 2, 5)
    for pair in (bounds.radius(neuron, 0.0, t), bounds.best_look(neuron, 0.0, t, 0.5, [[1.0], [2.0]])):
        for got in pair:
            assert got.shape == (2, 3, 5)
            assert np.isfinite(got).all()
    assert bounds.ratio_of_eq9(neuron, 0.0, t).shape == (2, 3, 5)
    for value in (*bad.NUMBERS, -0.1, 1.1, [0.5] * 7):
        bad.refuses(bounds.best_look, "release", value, neuron=neuron, x0=0.0, t=1.0, lipschitz=1.0)
    for value in (*bad.NUMBERS, -1.0, [1.0] * 7, (), (0.5, 1.0)):
        bad.refuses(bounds.best_look, "lipschitz", value, neuron=neuron, x0=0.0, t=1.0, release=0.5)
    for value in (*bad.NUMBERS, 1.1, 0.01, [0.5] * 7):
        bad.refuses(bounds.radius_per_step, "release", value, neuron=neuron, x0=0.0, t=1.0, step=0.1, lipschitz=1.0)
    for function in (bounds.radius, bounds.ratio_of_eq9):
        for value in bad.CHOICES:
            bad.refuses(function, "form", value, neuron=neuron, x0=0.0, t=1.0)
        for value in bad.TIMES:
            bad.refuses(function, "t", value, neuron=neuron, x0=0.0)
