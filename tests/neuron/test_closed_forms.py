import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfc_ref import LTCNeuron, closed_form, exact, frozen, signals
from cfc_ref.activations import logit
from cfc_ref.neuron.closed_forms import SAMPLES, eq9, gauss_piece
from cfc_ref.neuron.grid import time_grid
from tests import naive
from tests.compare import assert_close, assert_inside
from tests.strategies import cases, floats, increasing_times, inputs, piecewise, times

WAVE = signals.smooth(lambda t: logit(0.5 + 0.4 * np.sin(2 * t)))  # y = 1/2 + 0.4 sin 2t


@given(cases(), inputs, st.lists(times, min_size=1, max_size=4))
def test_eq9(case, given_input, t):
    ref = [naive.eq9(case.w, case.A, case.x0, s, given_input.at(s), case.mu, case.sigma, case.reflection) for s in t]
    assert_close(closed_form(case.neuron, given_input.signal, case.x0, t), ref, rtol=1e-9, atol=1e-10 * case.scale)


@given(cases(), floats(0, 1), times)
def test_eq9_of_a_release(case, y, t):
    ref = case.A + (case.x0 - case.A) * math.exp(-(case.w + y) * t) * case.r(y)
    assert_close(eq9(case.neuron, np.float64(case.x0), np.float64(t), np.float64(y)), ref, atol=1e-9)


@given(cases(), floats(-3, 3))
def test_the_closed_form_does_not_begin_at_x0(case, I):
    ref = case.A + (case.x0 - case.A) * naive.r(I, case.mu, case.sigma, case.reflection)
    assert_close(closed_form(case.neuron, I, case.x0, 0.0), ref, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("sigma", [2.0, -2.0])
@pytest.mark.parametrize("mu", [-20.0, -15.0, -7.0, 7.0, 20.0])
def test_the_literal_reflection_far_from_mu_zero(mu, sigma):
    """f(-I) can't be recovered from y = f(I) where that is rounded to 1."""
    for I in (-mu, 0.0, 0.9 * mu, -1.1 * mu):
        got = closed_form(LTCNeuron(1.0, 0.0, mu, sigma, reflection="input"), I, 1.0, 0.0)
        assert_close(got, naive.f(-I, mu, sigma), rtol=1e-9)


def test_the_example_that_one_can_check_by_hand():
    """x0 = 0, A = w = 1, y = 1/2, t = 10: -0.6667 against the LTC as stated, 4.5e-5 against the symmetric form."""
    neuron = LTCNeuron(1.0, 1.0)
    approximation = closed_form(neuron, 0.0, 0.0, 10.0)
    assert round(float(exact(neuron, 0.0, 0.0, 10.0) - approximation), 4) == -0.6667
    assert abs(float(exact(neuron, 0.0, 0.0, 10.0, "symmetric") - approximation)) <= math.exp(-10) < 4.55e-5


# --- frozen

samples = st.sampled_from([*SAMPLES, "halves"])


@given(cases(), inputs, increasing_times(), samples, st.none() | floats(0.05, 2))
def test_frozen_steps(case, given_input, t, sample, step):
    ref = naive.frozen(
        case.w, case.A, case.x0, t.tolist(), lambda s: case.f(given_input.at(s)), sample,
        step or math.inf, given_input.signal.breakpoints.tolist(),
    )  # fmt: skip
    got = frozen(case.neuron, given_input.signal, case.x0, t, sample, step)
    assert_close(got, ref, rtol=1e-10, atol=1e-10 * case.scale)


@given(cases(), piecewise, increasing_times(), samples, st.none() | floats(0.05, 2))
def test_no_error_where_the_input_is_constant_on_each_step(case, given_input, t, sample, step):
    got = frozen(case.neuron, given_input.signal, case.x0, t, sample, step)
    assert_close(got, exact(case.neuron, given_input.signal, case.x0, t), rtol=0, atol=1e-11 * case.scale)


@given(cases(), inputs, increasing_times(), st.sampled_from(["start", "midpoint", "halves"]))
def test_frozen_stays_in_the_states_box_for_any_step(case, given_input, t, sample):
    low, high = np.transpose([naive.state_box(case.w, case.A, case.x0, s) for s in t])
    assert_inside(low, frozen(case.neuron, given_input.signal, case.x0, t, sample), high, atol=1e-12 * case.scale)


@given(cases(), floats(0, 1), floats(0, 1), st.just(0.0) | floats(1e-6, 50))
def test_one_gauss_step(case, y1, y2, h):
    got = gauss_piece(*map(np.float64, (case.w, case.A, y1, y2, h, case.x0)))
    # a long step of two very different looks leaves the box by |A| w h (y2 - y1)/2 psi
    assert_close(got, naive.gauss_step(case.w, case.A, case.x0, y1, y2, h), rtol=1e-10, atol=1e-10 * case.scale)
    assert_close(
        gauss_piece(*map(np.float64, (case.w, case.A, y1, y1, h, case.x0))),
        naive.constant_piece("ltc", case.w, case.A, case.x0, y1, h),
        atol=1e-11 * case.scale,
    )


@given(floats(1e-9, 20))
def test_psi_is_its_series(u):
    assert_close(naive.psi(u), naive.psi_series(u, terms=120), rtol=1e-7)


@given(floats(1e-6, 1e6), st.integers(1, 50))
def test_steps_are_the_fewest_equal_parts(step, parts):
    """Also where rounding would make one more of them, as 0.6/0.2 does."""
    for h, n in ((step * parts, parts), (step * (parts - 0.5), parts), (step * parts * (1 + 1e-9), parts + 1)):
        edges, index = time_grid(np.array([h]), np.empty(0), step)
        assert index.tolist() == [n]
        assert_close(edges, np.linspace(0, h, n + 1), rtol=1e-12)
    edges, _ = time_grid(np.array([0.6]), np.empty(0), 0.2)
    assert edges.size == 4


def test_steps_end_at_asked_times_and_breakpoints():
    edges, index = time_grid(np.array([0.0, 1.0, 2.0]), np.array([-1.0, 0.5, 2.0, 3.0]))
    assert edges.tolist() == [0, 0.5, 1, 2]
    assert index.tolist() == [0, 2, 3]
    edges, index = time_grid(np.array(0.0), np.array([1.0]), 0.1)
    assert edges.tolist() == [0]
    assert index == 0


@pytest.mark.parametrize(("sample", "order"), [("start", 1), ("midpoint", 2), ("gauss", 4), ("halves", 4)])
@pytest.mark.parametrize("w", [0.1, 1.0, 30.0])
def test_order(sample, order, w):
    """The slope of log error over log step, the error being the largest over all steps."""
    neuron = LTCNeuron(w, 1.0)
    t = np.arange(1, 11) * 0.4
    truth = exact(neuron, WAVE, 2.0, t)
    h = np.array([0.4, 0.2, 0.1, 0.05, 0.025]) / max(1, w / 5)
    errors = [np.abs(frozen(neuron, WAVE, 2.0, t, sample, step) - truth).max() for step in h]
    assert np.polyfit(np.log(h), np.log(errors), 1)[0] == pytest.approx(order, abs=0.1)


@pytest.mark.parametrize(
    ("sample", "w", "h", "stated"),
    [("gauss", 1.0, h, e) for h, e in ((0.2, 3.9e-6), (0.1, 2.4e-7), (0.05, 1.5e-8), (0.025, 9.5e-10))]
    + [("halves", 1.0, 0.2, 4.5e-6), ("gauss", 10.0, 0.2, 3.2e-5), ("halves", 10.0, 0.2, 5.7e-5)]
    + [("gauss", 1000.0, 0.2, 5.2e-6), ("halves", 1000.0, 0.2, 2.6e-5)],
)
def test_errors_of_order_4_as_they_are_stated(sample, w, h, stated):
    """A = c = 1, y = 1/2 + 0.4 sin 2t."""
    neuron, t = LTCNeuron(w, 1.0), np.arange(1, round(20 / h) + 1) * h
    error = np.abs(frozen(neuron, WAVE, 2.0, t, sample, h) - exact(neuron, WAVE, 2.0, t)).max()
    assert error == pytest.approx(stated, rel=0.05)


def test_one_step_of_order_4_is_the_reference():
    neuron = LTCNeuron(1.0, 1.0)
    assert_close(frozen(neuron, WAVE, 2.0, 1.0, "gauss"), 0.7166895442223493, 0, 1e-9)
    assert_close(frozen(neuron, WAVE, 2.0, 1.0, "halves"), 0.7145818647804575, 0, 1e-9)


def test_float32_of_large_arguments_warns_of_nothing():
    """u cubed would overflow in psi."""
    neuron = LTCNeuron(np.float32(1e6), np.float32(1))
    assert_close(frozen(neuron, signals.sine(), 0.0, 1e7, "gauss"), 0.0, atol=1e-5)


def _magnus(neuron, release, x, h, steps):
    """The Magnus step of order 4: phi_1/6 in the place of psi."""
    w, A = float(neuron.w_tau), float(neuron.A)
    for k in range(steps):
        y1, y2 = (release((k + 0.5 + side * math.sqrt(3) / 6) * h) for side in (-1, 1))
        u, delta = (w + (y1 + y2) / 2) * h, math.sqrt(3) * h * (y2 - y1)
        phi = -math.expm1(-u) / u
        x = A + math.exp(-u) * (x - A) - A * w * h * (phi - delta / 12 * phi)
    return x


def test_on_steps_long_against_the_leak_the_order_falls_to_two_and_psi_beats_magnus():
    """y = 1/2 + 0.4 sin 2t, w = 1000: order 2 for both, psi ahead by about w max|y'|/max|y''| = 500."""
    neuron = LTCNeuron(1000.0, 1.0)

    def release(t):
        return 0.5 + 0.4 * np.sin(2 * t)

    signal, t = signals.smooth(lambda t: neuron.f_inverse(release(t))), np.arange(1, 11) * 0.4
    truth = exact(neuron, signal, 2.0, t)
    errors = [np.abs(frozen(neuron, signal, 2.0, t, "gauss", h) - truth).max() for h in (0.4, 0.2, 0.1)]
    assert np.log2(np.divide(errors[:-1], errors[1:])) == pytest.approx([2, 2], abs=0.1)
    halves = [np.abs(frozen(neuron, signal, 2.0, t, "halves", h) - truth).max() for h in (0.4, 0.2, 0.1)]
    assert np.log2(np.divide(halves[:-1], halves[1:])) == pytest.approx([1, 1], abs=0.1)
    magnus = [abs(_magnus(neuron, release, 2.0, 0.4, k) - truth[k - 1]) for k in range(1, 11)]
    assert 300 < max(magnus) / errors[0] < 700
