import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cfc_ref import LTCNeuron, bounds, closed_form, exact, frozen, signals
from cfc_ref.activations import logit
from cfc_ref.bounds.frozen import release_derivatives
from cfc_ref.bounds.neuron import extremal_control
from tests import naive
from tests.compare import assert_close, assert_inside
from tests.strategies import cases, floats, increasing_times, inputs, leaks, ranges, times

inner_ranges = ranges(0.02, 0.98)  # ends at which an input has the release


# --- against the oracle


@given(cases(), times, ranges())
def test_every_formula(case, t, f_range):
    neuron, (w, A, x0), (a, b) = case.neuron, case[:3], f_range
    start, span = {"x0": x0, "t": t}, {"f_range": f_range}
    y = (a + b) / 2
    pairs = [
        (bounds.lemma1(neuron, **start, **span), naive.lemma1(w, A, x0, t, a, b, case.r)),
        (bounds.form_gap(neuron, t, **span), naive.form_gap(w, A, t, a, b)),
        (bounds.closed_form_error(neuron, **start, **span), naive.closed_form_error(w, A, x0, t, a, b, case.r)),
        (bounds.two_term(neuron, **start, **span), naive.two_term(w, A, x0, t, a)),
        (bounds.asymptotic_error(neuron, **start, **span), naive.asymptotic_error(w, A, x0, t, a, b, case.r)),
        (bounds.reachable_states(neuron, **start, **span), naive.reachable(w, A, x0, t, a, b)),
        (bounds.state_box(neuron, **start), naive.state_box(w, A, x0, t)),
        (bounds.time_constant(neuron, **span), naive.time_constant(w, a, b)),
        (bounds.frozen_step_error(neuron, **start, y=y, **span), naive.frozen_step_error(w, A, x0, t, y, a, b)),
    ]
    for got, ref in pairs:
        # an input of f(-I) far out recovers r from f with nine digits or so
        assert_close(got, ref, rtol=1e-9, atol=1e-10 * case.scale)
        assert got[0] <= got[1]
    symmetric = bounds.closed_form_error(neuron, **start, **span, form="symmetric")
    assert_close(symmetric, bounds.lemma1(neuron, **start, **span), rtol=0, atol=0)


@pytest.mark.parametrize(
    ("sample", "constants"),
    [("start", 1), ("midpoint", 1), ("midpoint", 2), ("ends", 1), ("ends", 2), ("gauss", 4)],
)
@given(cases(), times, ranges(), floats(1e-4, 10), st.tuples(*[st.just(0.0) | floats(1e-3, 10)] * 4))
def test_frozen_formulas(sample, constants, case, t, f_range, step, L):
    got = bounds.frozen_error(case.neuron, case.x0, t, step, L[:constants], f_range, sample)
    ref = naive.frozen_error(case.w, case.A, case.x0, t, step, L[:constants], *f_range, sample)
    assert_close(got, ref, rtol=1e-8, atol=1e-12)
    if constants == 1:
        assert_close(bounds.frozen_error(case.neuron, case.x0, t, step, L[0], f_range, sample), got, rtol=0, atol=0)


@pytest.mark.parametrize(("k", "h"), [(1e-6, 1.0), (0.3, 2.0), (1.5, 0.7), (4.0, 3.0)])
def test_the_bound_of_ends_is_the_largest_weighted_distance_on_a_circle(k, h):
    """After one step, with M = L = 1: y has the mean of its ends at some time, and is within its distance to it."""
    (s, ds), looks = (np.arange(20_000) + 0.5, h / 20_000), np.linspace(0, h, 301)
    far = np.abs(s * ds - looks[:, None])
    weighted = (np.minimum(far, h - far) * np.exp(-k * (h - s * ds))).sum(axis=1) * ds
    _, bound = bounds.frozen_error(LTCNeuron(k, 0.0), 1.0, h, h, 1.0, sample="ends")
    assert_close(weighted.max(), bound, rtol=1e-4, atol=0)


@pytest.mark.parametrize("reflection", ["release", "input"])
def test_every_formula_for_many_neurons(reflection):
    """In one call each, of 1,500 neurons with ranges, steps and constants of their own."""
    rng = np.random.default_rng(7)
    w, h, *L = 10 ** rng.uniform([[-4], [-4], *[[-2]] * 4], [[4], [0], *[[2]] * 4], (6, 1500))
    A, x0, mu = rng.normal(size=(3, 1500)) * [[2], [2], [0.5]]
    a, b = np.sort(rng.random((2, 1500)), axis=0)
    neuron, f_range, y = LTCNeuron(w, A, mu, sigma=1.5, reflection=reflection), (a, b), (a + b) / 2
    got = {
        "lemma1": bounds.lemma1(neuron, x0, 2.0, f_range),
        "form_gap": bounds.form_gap(neuron, 2.0, f_range),
        "closed_form_error": bounds.closed_form_error(neuron, x0, 2.0, f_range),
        "asymptotic_error": bounds.asymptotic_error(neuron, x0, 2.0, f_range),
        "frozen_step_error": bounds.frozen_step_error(neuron, x0, 2.0, y, f_range),
        "start": bounds.frozen_error(neuron, x0, 2.0, h, L[0], f_range),
        "midpoint": bounds.frozen_error(neuron, x0, 2.0, h, tuple(L[:2]), f_range, "midpoint"),
        "gauss": bounds.frozen_error(neuron, x0, 2.0, h, tuple(L), f_range, "gauss"),
    }
    for k, (wk, Ak, xk, mk, ak, bk, hk, yk, *Lk) in enumerate(zip(w, A, x0, mu, a, b, h, y, *L, strict=True)):

        def r(v, mk=mk):
            return naive.r_of_release(v, mk, 1.5, reflection)

        refs = {
            "lemma1": naive.lemma1(wk, Ak, xk, 2.0, ak, bk, r),
            "form_gap": naive.form_gap(wk, Ak, 2.0, ak, bk),
            "closed_form_error": naive.closed_form_error(wk, Ak, xk, 2.0, ak, bk, r, points=1),
            "asymptotic_error": naive.asymptotic_error(wk, Ak, xk, 2.0, ak, bk, r),
            "frozen_step_error": naive.frozen_step_error(wk, Ak, xk, 2.0, yk, ak, bk),
            "start": naive.frozen_error(wk, Ak, xk, 2.0, hk, Lk[:1], ak, bk, "start"),
            "midpoint": naive.frozen_error(wk, Ak, xk, 2.0, hk, Lk[:2], ak, bk, "midpoint"),
            "gauss": naive.frozen_error(wk, Ak, xk, 2.0, hk, Lk, ak, bk, "gauss"),
        }
        for name, ref in refs.items():
            assert_close([end[k] for end in got[name]], ref, rtol=1e-8, atol=1e-11)


@settings(max_examples=40)
@given(cases(), times, ranges())
def test_extremal_control_against_a_search_over_bang_bang_controls(case, t, f_range):
    got = bounds.reachable_states(case.neuron, case.x0, t, f_range)
    searched = naive.reachable_by_search(case.w, case.A, case.x0, t, *f_range)
    assert_close(got, searched, rtol=1e-9, atol=1e-9 * case.scale)


@given(cases(), times, ranges(), st.lists(st.tuples(floats(0, 1), floats(0, 1)), min_size=1, max_size=5))
def test_no_other_control_reaches_further(case, t, f_range, drawn):
    """Any number of pieces with any release in the range."""
    a, b = f_range
    total = sum(part for _, part in drawn) or 1.0
    x = naive.chain("ltc", case.w, case.A, case.x0, [(a + (b - a) * y, t * part / total) for y, part in drawn])
    if any(part for _, part in drawn):
        low, high = bounds.reachable_states(case.neuron, case.x0, t, f_range)
        assert_inside(low, x, high, atol=1e-11 * case.scale)


# --- against the true errors


def assert_true_errors_lie_inside(neuron, signal, x0, t, f_range, atol):
    ltc, symmetric = (exact(neuron, signal, x0, t, form) for form in ("ltc", "symmetric"))
    approximation = closed_form(neuron, signal, x0, t)
    for value, interval in (
        (symmetric - approximation, bounds.lemma1(neuron, x0, t, f_range)),
        (symmetric - ltc, bounds.form_gap(neuron, t, f_range)),
        (ltc - approximation, bounds.closed_form_error(neuron, x0, t, f_range)),
        (ltc - approximation, bounds.two_term(neuron, x0, t, f_range)),
        (ltc - approximation, bounds.asymptotic_error(neuron, x0, t, f_range)),
        (ltc, bounds.reachable_states(neuron, x0, t, f_range)),
        (ltc, bounds.state_box(neuron, x0, t)),
    ):
        assert_inside(interval[0], value, interval[1], atol)
    y, last = neuron.f(signal(0.0)), [end[..., -1] for end in f_range]
    step = bounds.frozen_step_error(neuron, x0, t[-1], y, last)
    frozen_state = frozen(neuron, signals.as_signal(signal(0.0)), x0, t[-1])
    assert_inside(step[0], ltc[..., -1] - frozen_state, step[1], atol)
    tau = bounds.time_constant(neuron, last)
    assert_inside(tau[0], 1 / (neuron.w_tau + y), tau[1] * (1 + 1e-12), atol=0)


@given(cases(), inputs, increasing_times(), st.booleans())
def test_true_errors_lie_inside(case, given_input, t, full):
    """For random pieces, sines and samples, with the range of the input on [0, t] and with the full one."""
    known = case.neuron.f_range(*given_input.signal.range(t))
    f_range = (np.zeros(t.shape), np.ones(t.shape)) if full else known
    assert_true_errors_lie_inside(case.neuron, given_input.signal, case.x0, t, f_range, 1e-10 * case.scale)


@pytest.mark.parametrize("seed", range(4))
def test_true_errors_of_many_neurons_lie_inside(seed):
    """5,000 neurons with leaks from 1e-6 to 1e6, A and x0 of both signs, and pieces of their own."""
    rng = np.random.default_rng(seed)

    def weights(low, high):
        return rng.choice([-1, 1], 5000) * 10 ** rng.uniform(low, high, 5000)

    w, A, x0 = np.abs(weights(-6, 6)), weights(-3, 3), weights(-3, 3)
    A[::7], x0[::5] = 0, A[::5]
    neuron = LTCNeuron(
        w, A, mu=rng.normal(size=5000) / 3, sigma=weights(-1, 0.3), reflection=["release", "input"][seed % 2]
    )
    signal = signals.piecewise_constant(np.sort(rng.uniform(0, 8, 5)), rng.normal(size=(5000, 5)) * 3)
    t = np.array([0.0, 1e-3, 1.0, 10.0])
    # per neuron and time; neuron.f_range would take the last axis for neurons
    y = neuron.f(np.concatenate(signal.range(t), axis=-1), over_time=True)
    f_range = np.minimum(y[:, :4], y[:, 4:]), np.maximum(y[:, :4], y[:, 4:])
    assert_true_errors_lie_inside(neuron, signal, x0, t, f_range, atol=1e-9)


@given(cases(), floats(0, 0.45), floats(0.1, 5), floats(0, 6), floats(0.02, 1), increasing_times(), st.booleans())
def test_true_errors_of_the_frozen_forms_lie_inside(case, size, omega, phase, step, t, full):
    """A release whose derivatives are known: y = 1/2 + size sin(omega t + phase)."""
    neuron = case.neuron
    signal = signals.smooth(lambda s: neuron.f_inverse(0.5 + size * np.sin(omega * s + phase)))
    truth = exact(neuron, signal, case.x0, t)
    L = tuple(size * omega**j for j in (1, 2, 3, 4))
    f_range = (0, 1) if full else (0.5 - size, 0.5 + size)
    forms = [("start", L[0]), ("midpoint", L[0]), ("midpoint", L[:2]), ("ends", L[0]), ("ends", L[:2]), ("gauss", L)]
    for sample, constants in forms:
        error = truth - frozen(neuron, signal, case.x0, t, sample, step)
        low, high = bounds.frozen_error(neuron, case.x0, t, step, constants, f_range, sample)
        assert_inside(low, error, high, atol=1e-10 * case.scale)


@given(cases(), inputs, increasing_times(), floats(0.02, 1))
def test_true_errors_of_the_frozen_forms_for_inputs_with_a_slope(case, given_input, t, step):
    """|f'| <= |sigma| Lip(I)/4, with jumps where steps end."""
    neuron, signal = case.neuron, given_input.signal
    if isinstance(signal, signals.Sine):
        slope = float(2 * math.pi * abs(signal.frequency * signal.amplitude))
    elif isinstance(signal, signals.Sampled) and signal.times.size > 1:
        slope = float(np.abs(np.diff(signal.values) / np.diff(signal.times)).max())
    else:
        slope = 0.0
    truth = exact(neuron, signal, case.x0, t)
    for sample in ("start", "midpoint", "ends"):
        error = truth - frozen(neuron, signal, case.x0, t, sample, step)
        low, high = bounds.frozen_error(neuron, case.x0, t, step, abs(case.sigma) * slope / 4, sample=sample)
        assert_inside(low, error, high, atol=1e-10 * case.scale)


# --- not vacuous: the ends are attained


def played(case, control, last):
    """The signal that has the releases of `control`, [(y, length), ...], and jumps to the release `last` at its end."""
    control = [(y, h) for y, h in control if h > 0]
    ends = np.cumsum([h for _, h in control])
    releases = [y for y, _ in control] + [last]
    return signals.piecewise_constant([0.0, *ends], [case.input(y) for y in releases]), ends[-1]


@given(cases(), floats(0.05, 20), inner_ranges)
def test_a_jump_at_t_attains_lemma_1(case, t, f_range):
    (a, b), got = f_range, []
    for constant, last in ((a, b), (b, a)):
        signal, end = played(case, [(constant, t)], last)
        got.append(
            float(
                exact(case.neuron, signal, case.x0, end, "symmetric") - closed_form(case.neuron, signal, case.x0, end)
            )
        )
    assert_close(sorted(got), bounds.lemma1(case.neuron, case.x0, t, f_range), rtol=0, atol=1e-9 * case.scale)


@given(cases(), floats(0.05, 20), inner_ranges)
def test_constant_inputs_attain_the_gap(case, t, f_range):
    got = [
        float(
            exact(case.neuron, case.input(y), case.x0, t, "symmetric") - exact(case.neuron, case.input(y), case.x0, t)
        )
        for y in f_range
    ]
    assert_close(sorted(got), bounds.form_gap(case.neuron, t, f_range), rtol=0, atol=1e-9 * case.scale)


@given(cases(), floats(0.05, 20), inner_ranges)
def test_bang_bang_controls_attain_the_sharp_intervals(case, t, f_range):
    """With a jump at t to the release that is worst for the closed form."""
    neuron, x0, (a, b) = case.neuron, case.x0, f_range
    y = min(max(0.3 * a + 0.7 * b, a), b)
    states, errors = [], []
    for largest in (False, True):
        control = naive.extreme_control(case.w, case.A, x0, t, a, b, largest)
        last = a if (x0 > case.A) != largest else b
        signal, end = played(case, control, last)
        states.append(float(exact(neuron, signal, x0, end)))
        errors.append(states[-1] - float(closed_form(neuron, signal, x0, end)))
    atol = 1e-9 * case.scale
    assert_close(bounds.reachable_states(neuron, x0, t, f_range), states, rtol=0, atol=atol)
    assert_close(bounds.closed_form_error(neuron, x0, t, f_range), errors, rtol=0, atol=atol)
    frozen_state = naive.constant_piece("ltc", case.w, case.A, x0, y, t)
    assert_close(
        bounds.frozen_step_error(neuron, x0, t, y, f_range), np.array(states) - frozen_state, rtol=0, atol=atol
    )


@given(cases(), floats(0.05, 20), ranges())
def test_extremal_control_is_the_oracles(case, t, f_range):
    for largest in (False, True):
        arrays = map(np.float64, (case.x0 - case.A, *f_range))
        first, second, switch = map(float, extremal_control(case.neuron, *arrays, largest=largest))
        got = naive.chain("ltc", case.w, case.A, case.x0, [(first, min(t, switch)), (second, max(0, t - switch))])
        ref = naive.reachable(case.w, case.A, case.x0, t, *f_range)[largest]
        assert_close(got, ref, atol=1e-11 * case.scale)


@pytest.mark.parametrize(
    ("sample", "constants", "share"), [("start", 1, 0.3), ("midpoint", 2, 0.1), ("ends", 2, 0.1), ("gauss", 4, 0.02)]
)
def test_frozen_bounds_are_of_the_size_of_the_error(sample, constants, share):
    """y = 1/2 + 0.4 sin 2t, whose derivatives are as large as they may be at different times only."""
    neuron = LTCNeuron(1.0, 1.0)
    signal = signals.smooth(lambda t: logit(0.5 + 0.4 * np.sin(2 * t)))
    t = np.linspace(0.5, 10, 20)
    error = np.abs(exact(neuron, signal, 2.0, t) - frozen(neuron, signal, 2.0, t, sample, 0.1)).max()
    L = tuple(0.4 * 2**j for j in (1, 2, 3, 4))[:constants]
    assert error > share * bounds.frozen_error(neuron, 2.0, 10.0, 0.1, L, (0.1, 0.9), sample)[1]


@pytest.mark.parametrize(("h", "ratio"), [(1, 1.43), (0.5, 1.21), (0.25, 1.10), (0.1, 1.041), (0.05, 1.021)])
def test_the_frozen_midpoint_cannot_be_beaten(h, ratio):
    """All looks find one value: between them y may be a sawtooth above or below it, whose states end 2R apart."""
    neuron, (a, b, L), n = LTCNeuron(1.0, 1.0), (0.2, 1.0, 0.5), round(5 / h)
    x0, look, times = neuron.A - 5 / 6, a + L * h / 2, h * (np.arange(n) + 0.5)
    low, high = bounds.from_samples(neuron, x0, 5.0, times, np.full(n, look), L, "release", (a, b))
    best = (high - low) / 2
    x = frozen(neuron, neuron.f_inverse(look), x0, 5.0)  # of the midpoint, whatever the step
    error = max(high - x, x - low)
    U = bounds.frozen_error(neuron, x0, 5.0, h, L, (a, b), "midpoint")[1]
    k = 1 + a
    assert best <= error <= U <= (1 + L * h / k) * (1 + L * h / 2 / k) * math.exp(L * h * h) * best
    assert_close(U / best, ratio, rtol=0, atol=0.005)
    if h == 0.1:
        assert_close([U, error, best], [0.0086616354, 0.0084011426, 0.0083173835], rtol=0, atol=1e-9)


def test_distances_from_the_middle_of_a_step():
    for k, h, J in ((0.3, 2, 0.7575701605), (1.5, 0.7, 0.0775358495), (4, 3, 0.3128071559)):
        neuron = LTCNeuron(k, 0.0)
        one_step = bounds.frozen_error(neuron, 1.0, h, h, 1.0, sample="midpoint")[1]
        assert_close(one_step, J, rtol=0, atol=1e-9)


# --- what follows from them


def test_the_example_that_one_can_check_by_hand():
    neuron = LTCNeuron(1.0, 1.0)
    assert [f"{end:.4f}" for end in bounds.closed_form_error(neuron, 0.0, 10.0, (0.5, 0.5))] == ["-0.6667"] * 2
    assert f"{max(map(abs, bounds.lemma1(neuron, 0.0, 10.0))):.1e}" == "4.5e-05"


@given(cases(), ranges())
def test_the_error_settles_on_a_floor_that_is_not_zero(case, f_range):
    (a, b), w, A = f_range, case.w, case.A
    late = 1e3 / w
    for function in (bounds.closed_form_error, bounds.asymptotic_error):
        got = function(case.neuron, case.x0, late, f_range)
        assert_close(got, sorted([-A * w / (w + a), -A * w / (w + b)]), atol=1e-12 * case.scale)
        assert (A == 0) == (got[0] <= 0 <= got[1])


@given(cases(leaks=leaks | st.sampled_from([1e-9, 1e-12])), times, floats(0.01, 1))
def test_both_forms_agree_as_the_leak_vanishes(case, t, a):
    size = np.abs(bounds.form_gap(case.neuron, t, (a, 1))).max()
    assert size <= abs(case.A) * case.w * min(t, 1 / (case.w + a)) * (1 + 1e-12)
    full = np.abs(bounds.form_gap(case.neuron, 50 / case.w)).max()
    assert_close(full, abs(case.A))


@given(cases(), times, floats(0, 1), st.sampled_from(["closed_form_error", "lemma1", "reachable_states", "form_gap"]))
def test_a_smaller_range_gives_a_smaller_interval(case, t, a, name):
    function = getattr(bounds, name)
    start = {} if name == "form_gap" else {"x0": case.x0}
    outer, middle, point = (
        function(case.neuron, t=t, f_range=f_range, **start) for f_range in ((0, 1), (a / 2, (1 + a) / 2), (a, a))
    )
    for low, high in ((outer, middle), (middle, point)):
        assert_inside(low[0], high, low[1], atol=1e-12 * case.scale)
    assert point[1] - point[0] <= 1e-12 * case.scale


def test_nothing_has_happened_at_time_zero():
    neuron = LTCNeuron(2.0, 1.0)
    for interval in (
        bounds.form_gap(neuron, 0.0),
        bounds.frozen_step_error(neuron, 3.0, 0.0, 0.5),
        bounds.frozen_error(neuron, 3.0, 0.0, 0.1, (1.0, 1.0, 1.0, 1.0), sample="gauss"),
        np.subtract(bounds.reachable_states(neuron, 3.0, 0.0), 3.0),
        np.subtract(bounds.closed_form_error(neuron, 3.0, 0.0, (0.3, 0.3)), 2 - 2 * 0.7),
    ):
        assert_close(interval, (0.0, 0.0))


@given(floats(-20, 20), st.tuples(*[floats(0, 5)] * 4))
def test_derivatives_of_a_release_stay_below_their_bounds(u, U):
    """u(t) = u + U1 t + U2 t²/2 + U3 t³/6 + U4 t⁴/24: the fourth difference of f(u(t)) is its derivative nearly."""
    h = 1e-3
    at = [naive.f(u + U[0] * s + U[1] * s**2 / 2 + U[2] * s**3 / 6 + U[3] * s**4 / 24) for s in np.arange(-2, 3) * h]
    slopes = (at[3] - at[1]) / (2 * h), (at[3] - 2 * at[2] + at[1]) / h**2
    third = (at[4] - 2 * at[3] + 2 * at[1] - at[0]) / (2 * h**3)
    L = release_derivatives(*map(np.float64, U))
    assert_close(L, naive.release_derivatives(*U), rtol=1e-5)
    for slope, bound, error in zip((*slopes, third), L, (1e-3, 1e-3, 1e-2), strict=False):
        assert abs(slope) <= bound * (1 + error) + error


# --- ranges that differ between neurons and times


@pytest.mark.parametrize("shape", [(), (1,), (3,), (2, 1), (2, 3), (5,), (1, 5), (3, 5), (2, 1, 5), (2, 3, 5)])
@pytest.mark.parametrize(
    "function", [bounds.lemma1, bounds.form_gap, bounds.closed_form_error, bounds.asymptotic_error]
)
def test_a_range_for_each_neuron_or_for_each_neuron_and_time(function, shape):
    """Neurons (2, 3), five times: a range broadcasts to the neurons where it can, else to neurons and times."""
    neuron = LTCNeuron(np.linspace(0.5, 2, 6).reshape(2, 3), 1.0)
    t = np.linspace(0, 3, 5)
    a, b = (np.linspace(low, high, math.prod(shape)).reshape(shape) for low, high in ((0, 0.5), (0.5, 1)))
    start = {} if function is bounds.form_gap else {"x0": 0.5}
    got = function(neuron, t=t, f_range=(a, b), **start)
    per_neuron = shape in [(), (1,), (3,), (2, 1), (2, 3)]
    ends = [np.broadcast_to(end[..., None] if per_neuron else end, (2, 3, 5)) for end in (a, b)]
    for i, j, k in np.ndindex(2, 3, 5):
        one = function(LTCNeuron(neuron.w_tau[i, j], 1.0), t=t[k], f_range=tuple(end[i, j, k] for end in ends), **start)
        assert_close([got[0][i, j, k], got[1][i, j, k]], one)


@pytest.mark.parametrize("shape", [(4,), (2, 1, 1, 5), (3, 3)])
def test_a_range_of_a_shape_that_fits_neither_is_refused(shape):
    with pytest.raises(ValueError, match=r"f_range: got shape"):
        bounds.lemma1(LTCNeuron(np.ones((2, 3)), 1.0), 0.0, np.linspace(0, 1, 5), (np.zeros(shape), 1))


def test_too_few_constants_are_refused():
    with pytest.raises(ValueError, match=r"lipschitz: got 3 constants; expected four"):
        bounds.frozen_error(LTCNeuron(1.0, 1.0), 0.0, 1.0, 0.1, (1.0, 1.0, 1.0), sample="gauss")
    with pytest.raises(ValueError, match=r"lipschitz: got 0 constants; expected (?!.*gauss)"):
        bounds.frozen_error(LTCNeuron(1.0, 1.0), 0.0, 1.0, 0.1, ())
    with pytest.raises(ValueError, match=r"sample: got 'halves'; expected a form with a known bound, 'start', "):
        bounds.frozen_error(LTCNeuron(1.0, 1.0), 0.0, 1.0, 0.1, (1.0, 1.0, 1.0, 1.0), sample="halves")


@pytest.mark.parametrize("I", [-30.0, 0.0, 5.0])
def test_the_literal_reflection_far_from_mu_zero(I):
    neuron = LTCNeuron(1.0, 0.0, mu=-50.0, sigma=2.0, reflection="input")
    low, high = bounds.lemma1(neuron, 1.0, 0.0, neuron.f_range(I, I))
    assert_inside(low, 1.0 - naive.eq9(1.0, 0.0, 1.0, 0.0, I, -50.0, 2.0, "input"), high, atol=1e-9)
