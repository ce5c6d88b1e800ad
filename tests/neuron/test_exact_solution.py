import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cfc_ref import LTCNeuron, exact, signals
from cfc_ref.neuron.exact_solution import constant_piece, constant_pieces, eq6, linear_integral
from cfc_ref.neuron.quadrature import smooth_piece
from tests import bad, naive
from tests.compare import assert_close, assert_inside
from tests.strategies import cases, floats, forms, increasing_times, inputs, lines, piecewise, times


@given(cases(), times, floats(0, 10))
def test_eq6(case, t, F):
    assert_close(eq6(case.w, case.A, case.x0, t, F), naive.eq6(case.w, case.A, case.x0, t, F))


@given(cases(), piecewise, increasing_times(), forms)
def test_piecewise_constant_input(case, given_input, t, form):
    """Eq. 7 and 8, and the exact pieces of the LTC as stated."""
    got = exact(case.neuron, given_input.signal, case.x0, t, form)
    for k, end in enumerate(t):
        steps = [(case.f(I), h) for I, h in naive.pieces(end, *given_input.table)]
        assert_close(got[k], naive.chain(form, case.w, case.A, case.x0, steps), atol=1e-12 * case.scale)
        if form == "symmetric":
            F = math.fsum(y * h for y, h in steps)
            assert_close(got[k], naive.eq6(case.w, case.A, case.x0, end, F), atol=1e-12 * case.scale)


@settings(max_examples=20)
@given(cases(leaks=floats(0.01, 3)), inputs, floats(0.1, 3), forms)
def test_any_input_against_small_steps(case, given_input, t, form):
    """Both forms against Runge-Kutta steps from breakpoint to breakpoint."""
    x, begin = case.x0, 0.0
    for end in [*(s for s in given_input.signal.breakpoints if 0 < s < t), t]:
        last = math.nextafter(end, begin)
        x = naive.runge_kutta(
            form,
            case.w,
            case.A,
            x,
            end - begin,
            lambda s, a=begin, b=last: case.f(given_input.at(min(a + s, b))),
            n=400,
        )
        begin = end
    assert_close(exact(case.neuron, given_input.signal, case.x0, t, form), x, rtol=0, atol=1e-7 * case.scale)


@settings(max_examples=20)
@given(cases(leaks=floats(0.01, 3)), lines, floats(0.1, 3))
def test_eq6_for_straight_lines_against_brute_force(case, given_input, t):
    edges = [0.0, *(s for s in given_input.signal.breakpoints if 0 < s < t), t]
    F = sum(
        naive.simpson(lambda s, a=a: case.f(given_input.at(a + s)), b - a, n=400)
        for a, b in zip(edges[:-1], edges[1:], strict=True)
    )
    got = exact(case.neuron, given_input.signal, case.x0, t, "symmetric")
    assert_close(got, naive.eq6(case.w, case.A, case.x0, t, F), rtol=1e-9, atol=1e-9 * case.scale)


@given(cases(), floats(-3, 3), floats(-3, 3), floats(0, 5))
def test_integral_over_a_straight_line(case, I0, I1, h):
    z0, z1 = (case.sigma * (I - case.mu) for I in (I0, I1))
    above = (np.array([I - case.mu]) for I in (I0, I1))
    got = linear_integral(case.neuron.sigma, *above, np.array([h]))
    assert_close(got, np.array([h * naive.mean_f(z0, z1)]))


@given(cases(), floats(0, 1), floats(0, 5), floats(0, 1))
def test_a_piece_split_in_two_gives_the_same(case, y, h, part):
    halves = [(y, part * h), (y, (1 - part) * h)]
    whole = constant_piece(case.w, case.A, y, h, case.x0)
    assert_close(whole, naive.chain("ltc", case.w, case.A, case.x0, halves), atol=1e-12 * case.scale)
    ys, hs = np.array(halves).T
    assert_close(constant_pieces(case.w, case.A, ys, hs, case.x0)[-1], whole, atol=1e-12 * case.scale)


@given(cases(), inputs, increasing_times(), forms, floats(0.1, 0.9))
def test_more_asked_times_change_nothing(case, given_input, t, form, part):
    more = np.union1d(t, [part * t[-1]])
    got = exact(case.neuron, given_input.signal, case.x0, more, form)[np.isin(more, t)]
    assert_close(got, exact(case.neuron, given_input.signal, case.x0, t, form), atol=1e-11 * case.scale)


@given(cases(), inputs, floats(0.1, 3), floats(0.1, 3), forms)
def test_a_start_in_the_middle_gives_the_rest_of_the_way(case, given_input, first, second, form):
    signal = given_input.signal
    both = exact(case.neuron, signal, case.x0, [first, first + second], form)
    later = signals.smooth(lambda t: signal(t + first), breakpoints=signal.breakpoints - first)
    # an edge of the shifted signal that rounding moves costs as much as it moves
    assert_close(exact(case.neuron, later, both[0], second, form), both[1], rtol=1e-8, atol=1e-9 * case.scale)


@given(cases(), inputs, increasing_times())
def test_the_state_stays_in_its_box(case, given_input, t):
    x = exact(case.neuron, given_input.signal, case.x0, t)
    low, high = np.transpose([naive.state_box(case.w, case.A, case.x0, s) for s in t])
    assert_inside(low, x, high, atol=1e-11 * case.scale)


@given(cases(), inputs, increasing_times())
def test_the_forms_agree_where_A_is_zero(case, given_input, t):
    neuron = LTCNeuron(case.w, 0.0, case.mu, case.sigma)
    ltc, symmetric = (exact(neuron, given_input.signal, case.x0, t, form) for form in ("ltc", "symmetric"))
    assert_close(ltc, symmetric, atol=1e-11 * case.scale)


@given(cases(), floats(0, 1), floats(0, 20), forms)
def test_smooth_piece_of_a_constant(case, y, h, form):
    got = smooth_piece(lambda s: np.full(s.shape, y), *map(np.asarray, (case.w, case.A, h, case.x0)), form)
    assert_close(got, naive.constant_piece(form, case.w, case.A, case.x0, y, h), rtol=1e-11, atol=1e-11 * case.scale)


@pytest.mark.parametrize("form", ["ltc", "symmetric"])
@pytest.mark.parametrize("sigma", [1e2, 1e3, 1e4, 1e6])
@pytest.mark.parametrize("signal", [signals.sine(), signals.sampled([0, 0.5, 1], [0, 1, 0])], ids=["sine", "lines"])
def test_steep_releases(signal, sigma, form):
    """Both signals are at the threshold at 0 and leave it at once; the reference is told so by breakpoints."""
    widths = np.array([0.5, 1, 2, 4, 8, 16, 32]) / (2 * sigma)
    marks = np.unique((np.arange(0, 1.6, 0.5)[:, None] + [*-widths, 0, *widths]).round(15))
    told = signals.smooth(signal, breakpoints=marks)
    neuron = LTCNeuron(1.0, 1.0, sigma=sigma)
    t = [0.5, 0.8, 1.0]
    assert_close(exact(neuron, signal, 0.0, t, form), exact(neuron, told, 0.0, t, form), atol=1e-10)


@pytest.mark.parametrize("form", ["ltc", "symmetric"])
@pytest.mark.parametrize("phase", [0.3, 1.0])
@pytest.mark.parametrize(("mu", "sigma"), [(0.999, 1e3), (0.999, 1e4), (0.999, 1e6), (0.99999, 1e6)])
def test_crests_just_above_the_threshold(mu, sigma, phase, form):
    """Of 25 periods, in pulses of 1.4 hundredths or thousandths of a period; the reference is told where they are."""
    crests = np.arange(25) + (math.pi / 2 - phase) / (2 * math.pi)
    half = math.acos(mu) / (2 * math.pi)
    marks = crests[:, None] + half * np.array([-1.1, -1.01, -1, -0.99, -0.9, 0, 0.9, 0.99, 1, 1.01, 1.1])
    told = signals.smooth(signals.sine(phase=phase), breakpoints=marks.ravel())
    neuron = LTCNeuron(0.01, 1.0, mu=mu, sigma=sigma)
    got = exact(neuron, signals.sine(phase=phase), 0.0, 25.0, form)
    assert_close(got, exact(neuron, told, 0.0, 25.0, form), atol=1e-9)


def test_slow_and_fast_neurons_together():
    """The slow must not be made to take the steps of the fast."""
    got = exact(LTCNeuron([1e-2, 1e6], 1.0), signals.sine(), 0.0, 10.0)
    assert_close(got, np.stack([exact(LTCNeuron(w, 1.0), signals.sine(), 0.0, 10.0) for w in (1e-2, 1e6)]), rtol=1e-10)


def test_a_jump_that_is_not_named_is_found_or_refused():
    ref = exact(LTCNeuron(1.0, 1.0), signals.piecewise_constant([0, 0.3], [1.0, -1.0]), 0.0, 1.0)
    named = signals.smooth(lambda t: np.where(t < 0.3, 1.0, -1.0), breakpoints=[0.3])
    assert_close(exact(LTCNeuron(1.0, 1.0), named, 0.0, 1.0), ref)
    with bad.may_refuse("signal"):
        assert_close(exact(LTCNeuron(1.0, 1.0), lambda t: np.where(t < 0.3, 1.0, -1.0), 0.0, 1.0), ref, atol=1e-10)


def test_the_quadrature_does_not_look_past_a_jump_that_is_named():
    asked = []

    def step(t):
        asked.extend(np.ravel(t))
        return np.where(t < 1, 1.0, -1.0)

    signal = signals.smooth(step, breakpoints=[1.0])
    asked.clear()
    exact(LTCNeuron(1.0, 1.0), signal, 0.0, [0.5, 1.0])
    assert 0.5 < max(asked) < 1


@given(st.integers(0, 10**6), st.integers(1, 12))
def test_pieces_of_several_neurons_are_those_of_each(seed, S):
    rng = np.random.default_rng(seed)
    w, A, x0 = rng.uniform(0.1, 3, (2, 1)), rng.normal(size=3), rng.normal(size=(2, 3))
    y, h = rng.random((2, 1, S)), rng.random(S)
    got = constant_pieces(w, A, y, h, x0)
    for i, j in np.ndindex(2, 3):
        states = [
            naive.chain("ltc", w[i, 0], A[j], x0[i, j], zip(y[i, 0, :k], h[:k], strict=True)) for k in range(S + 1)
        ]
        assert_close(got[i, j], states)
