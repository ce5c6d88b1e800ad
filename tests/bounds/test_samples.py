"""The enclosure from samples: the reference values, no admissible input outside, both ends attained, the stream."""

import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import dawsn, erfcx

from cfc_ref import LTCNeuron, bounds, exact, signals
from cfc_ref.bounds.flow import line
from tests import bad
from tests.compare import assert_close, assert_inside, refusal

# y = f(I): (mu, sigma), or None where the samples are of y itself; w, A, c; K, h, I_k, I_{k+1}; z_min, z_max, plain, v*
REFERENCE = [
    (None, 1, 1, 0.6, 0.5, 1, 0.4, 0.6, -0.3816415712, -0.3673493063, -0.3632318125, 0.0258),
    (None, 1, 1, 0.3, 0.5, 1, 0.4, 0.6, -0.4519004684, -0.4279415776, -0.4272447260, 0.0),
    (None, 1, 1, -0.5, 0.5, 1, 0.4, 0.6, -0.6497122405, -0.5886532216, -0.5886532216, 0.0),
    (None, 0.5, -2, -0.4, 0.3, 2, 0.5, 0.3, 0.8415860368, 0.9776689271, 0.9787115467, 0.0),
    (None, 1, 0, 1, 0.5, 1, 0.4, 0.6, 0.2008895549, 0.2478330364, 0.2478330364, 0.15),
    ((0, 2), 0.5, 2, 0.5, 1, 0.8, 0, 0.3, -0.3237217579, -0.3151509717, -0.3117792108, 0.1260),
    ((0.3, -4), 0.2, 1, 0.2, 2, 1, 0.1, -0.4, -0.0547470626, -0.0365314185, -0.0363079381, 0.75),
]
# 7e-10 of each is what the ten digits leave
ATOL = 1e-9


@pytest.mark.parametrize("row", REFERENCE, ids=range(len(REFERENCE)))
def test_reference_values_of_one_interval(row):
    f, w, A, c, K, h, I0, I1, z_min, z_max, plain, path = row
    neuron, of = LTCNeuron(w, A, *(f or ())), "input" if f else "release"
    given = neuron, A + c, h, [0, h], [I0, I1], K, of
    assert_close(np.subtract(bounds.from_samples(*given), A), [z_min, z_max], rtol=0, atol=ATOL)
    assert_close(bounds.from_samples(*given, plain=True)[1] - A, plain, rtol=0, atol=ATOL)
    # the table's path falls by v* first (rises by u* where A < 0, or where f falls)
    highest = bounds.extremal_input(*given)[1]
    t = np.linspace(0, h, 20001)
    moved = (highest(t) if f else neuron.f(highest(t))) - I0
    rises = A < 0 or (f and f[1] < 0)
    first = np.argmax(np.sign(np.diff(moved)) == (-1 if rises else 1)) if abs(moved[1]) > 0 else 0
    assert_close(abs(moved[first]) * (np.sign(moved[1]) == (1 if rises else -1)), path, rtol=0, atol=2e-4)


def test_reference_values_of_a_stream():
    neuron, samples = LTCNeuron(0.7, 1.5), [(0, 0.3), (0.5, 0.5), (1.2, 0.35), (2, 0.6)]
    t = [0.5, 1.2, 2, 2.5]
    low, high = bounds.from_samples(neuron, 2.3, t, *zip(*samples, strict=True), 1.0, "release")
    assert_close(low - 1.5, [0.0479882834, -0.5170831578, -0.7978704764, -0.8890062462], rtol=0, atol=ATOL)
    assert_close(high - 1.5, [0.0778394738, -0.4594558683, -0.6576165070, -0.6639976329], rtol=0, atol=ATOL)


def test_of_two_local_maxima_the_larger_one_is_found():
    high = bounds.from_samples(LTCNeuron(0.05, 1.0), 18.78, 35.0, [0, 35], [0.5, 0.5], 0.1, "release")[1]
    assert_close(high - 1, -0.0221, rtol=0, atol=1e-4)


# --- random recordings


def draw(seed, of, neurons=40, inputs=8):
    """Neurons, a recording of each, and inputs through it: random walks at up to full speed, held between envelopes."""
    rng = np.random.default_rng(seed)
    n = rng.integers(1, 6)
    times = np.cumsum(rng.uniform(0.05, 1.5, n)) * rng.choice([0.3, 1])
    times -= times[0] * (seed % 2)
    t = [rng.uniform(0, times[-1] + 0.1), times[rng.integers(n)], times[-1] + 0.7, times[0] / 2][seed % 4]
    A, mu = rng.normal(size=(2, neurons)) * [[2], [0.3]]
    A[::9] = 0
    c = rng.choice([-1, 0, 1], neurons, p=[0.4, 0.1, 0.5]) * 10 ** rng.uniform(-2, 1, neurons)
    neuron = LTCNeuron(10 ** rng.uniform(-2, 1, neurons), A, mu, rng.normal(size=neurons) * 3)
    K, end = 10 ** rng.uniform(-1.5, 1, (neurons, 1, 1)), max(t, times[-1])
    grid = np.unique(np.concatenate([np.linspace(0, end, 40), times, [t]]))

    def walk(m):
        steps = rng.choice([-1, 1, 0.3], (neurons, m, grid.size - 1))
        held = np.arange(grid.size - 1) // rng.integers(1, 12, (neurons, m, 1))
        steps = np.take_along_axis(steps, held, axis=2)
        return K * np.concatenate([np.zeros((neurons, m, 1)), np.cumsum(steps * np.diff(grid), axis=2)], axis=2)

    truth, limits = walk(1) + rng.random((neurons, 1, 1)), (-np.inf, np.inf)
    if of == "release":
        limits = [(0.0, 1.0), (0.2, 0.7)][seed % 3 == 0]
        truth = np.clip(truth, *limits)
    samples = truth[:, 0, np.searchsorted(grid, times)]
    reach = K * np.abs(grid - times[:, None])
    low = np.clip((samples[:, :, None] - reach).max(axis=1, keepdims=True), *limits)
    high = np.clip((samples[:, :, None] + reach).min(axis=1, keepdims=True), *limits)
    paths = walk(inputs)
    paths += (
        truth.mean(axis=2, keepdims=True) - paths.mean(axis=2, keepdims=True) + rng.normal(size=(neurons, inputs, 1))
    )
    f_range = limits if of == "release" else (0, 1)
    return neuron, A + c, t, times, samples, K[:, 0, 0], f_range, grid, np.clip(paths, low, high)


@pytest.mark.parametrize("of", ["input", "release"])
@pytest.mark.parametrize("form", ["ltc", "symmetric"])
def test_no_admissible_input_leaves_the_enclosure_and_the_stream_says_the_same(of, form):
    for seed in range(8):
        neuron, x0, t, times, samples, K, f_range, grid, paths = draw(seed, of)
        given = neuron, x0, t, times, samples, K, of, f_range
        low, high = bounds.from_samples(*given, form=form)
        w, scale = neuron.w_tau[:, None], np.maximum(1, np.abs(x0) + np.abs(neuron.A))
        drive = (neuron.A * neuron.w_tau)[:, None] if form == "ltc" else 0.0
        u = neuron.sigma[:, None, None] * (paths - neuron.mu[:, None, None])
        p, limits = (paths, (0.0, 1.0)) if of == "release" else (u, (-40.0, 40.0))
        z = np.repeat((x0 - neuron.A)[:, None], paths.shape[1], axis=1)
        for k in range(np.searchsorted(grid, t)):
            E, G = line(w, p[:, :, k], p[:, :, k + 1], grid[k + 1] - grid[k], limits, logistic=of == "input")
            z = E * z - drive * G
        assert_inside(low / scale, (z.T + neuron.A) / scale, high / scale, 1e-12)
        plain = bounds.from_samples(*given, plain=True, form=form)
        assert_inside(plain[0] / scale, np.stack([low, high]) / scale, plain[1] / scale, 1e-12)
        if t <= times[-1] and times[0] == 0:
            L = K if of == "release" else np.abs(neuron.sigma) * K / 4
            h = np.diff(times, prepend=0.0).max()
            excess = 0.0249266 * np.abs(neuron.A) * neuron.w_tau * L * h**3
            assert_inside((low - excess) / scale, np.stack(plain) / scale, (high + excess) / scale, 1e-12)
        stream = bounds.SampleStream(neuron, x0, K, of, f_range, form)
        whole = bounds.from_samples(neuron, x0, times, times, samples, K, of, f_range, form=form)
        for k, moment in enumerate(times):
            ends = stream.push(moment, samples[:, k])
            assert_close(ends, [end[:, k] for end in whole], rtol=0, atol=1e-12 * scale.max())


@pytest.mark.parametrize("of", ["input", "release"])
def test_both_ends_are_attained_by_admissible_inputs(of):
    for seed in range(16):
        neuron, x0, t, times, samples, K, f_range, *_ = draw(seed, of, neurons=2)
        form = ("ltc", "symmetric")[seed % 5 == 0]
        given = neuron, x0, t, times, samples, K, of, f_range
        ends = bounds.from_samples(*given, form=form)
        played = bounds.extremal_input(*given, form=form)
        for signal, end in zip(played, ends, strict=True):
            assert_close(exact(neuron, signal, x0, t, form), end, rtol=0, atol=1e-9 * np.maximum(1, np.abs(x0)).max())
            at = np.linspace(0, max(t, times[-1]), 400)
            path, through = signal(at), signal(times)
            if of == "release":
                path, through = neuron.f(path, over_time=True), neuron.f(through, over_time=True)
            assert np.all(np.abs(np.diff(path)) <= K[:, None] * np.diff(at) + 1e-9)
            assert_close(through, samples, rtol=1e-9, atol=1e-9)


def test_many_samples_leave_the_true_state_alone():
    """A sine thinned to every n-th sample."""
    neuron, signal, t = (
        LTCNeuron([0.5, 2.0], [1.0, -1.0], sigma=2.0),
        signals.sine(frequency=0.3),
        np.linspace(0, 10, 60),
    )
    truth, widths = exact(neuron, signal, 1.0, t), []
    for n in (10, 20, 40, 80):
        times = np.linspace(0, 10, n + 1)
        low, high = bounds.from_samples(neuron, 1.0, t, times, signal(times), 0.6 * math.pi)
        assert_inside(low, truth, high, 1e-11)
        widths.append((high - low).max())
    assert widths[0] > 1.9 * widths[1] > 3.6 * widths[2] > 6.9 * widths[3]


def test_no_look_at_all_but_one_far_away_leaves_the_reachable_states():
    """With a large constant the envelopes are 0 and 1 almost everywhere."""
    neuron = LTCNeuron([0.6, 1.0, 2.0], [1.0, -2.0, 0.5])
    got = bounds.from_samples(neuron, 1.5, 3.0, [9.0], [0.5], 1e9, "release")
    assert_close(got, bounds.reachable_states(neuron, 1.5, 3.0), rtol=0, atol=1e-8)


def test_a_constant_of_zero_is_a_known_input():
    neuron = LTCNeuron([0.6, 1.0], [1.0, -2.0], sigma=[2.0, 0.0])
    t = np.array([0.0, 0.3, 2.0])
    ends = bounds.from_samples(neuron, 1.5, t, [0.5, 1.0], [0.4, 0.4], 0.0)
    for end in ends:
        assert_close(end, exact(neuron, 0.4, 1.5, t), rtol=0, atol=1e-12)


def test_a_thousand_samples_of_a_thousand_neurons_take_under_two_seconds():
    rng = np.random.default_rng(0)
    neuron = LTCNeuron(10 ** rng.uniform(-1, 1, 1000), rng.normal(size=1000), sigma=rng.normal(size=1000) * 3)
    t = np.cumsum(rng.uniform(0.01, 0.2, 1000))
    values = np.cumsum(rng.uniform(-1, 1, (1000, 1000)) * np.diff(t, prepend=0), axis=1)
    begin = time.process_time()  # of this process: other programs may be running
    bounds.from_samples(neuron, rng.normal(size=1000), t, t, values, 1.0)
    assert time.process_time() - begin < 2


# --- one line of the release


@given(st.floats(0, 1), st.floats(0, 1), st.floats(1e-3, 1e3), st.floats(1e-4, 30))
@settings(max_examples=60)
def test_a_line_of_the_release_has_dawsons_and_the_error_function(y0, y1, w, h):
    """THEORY 5.6, formulas, where they lose no digits."""
    m, k = (y1 - y0) / h, w + y1
    q, E = math.sqrt(abs(2 * m)), math.exp(-(w + (y0 + y1) / 2) * h)
    got = line(np.float64(w), np.float64(y0), np.float64(y1), np.float64(h), (0.0, 1.0), logistic=False)
    assert_close(got[0], E, rtol=1e-12, atol=1e-300)
    if abs(m) * h * h > 1e-2 and k < 1e3 * q:
        if m < 0:
            G = math.sqrt(math.pi) / q * (erfcx(k / q) - E * erfcx((k - m * h) / q))
        else:
            G = 2 / q * (dawsn(k / q) - E * dawsn((k - m * h) / q))
        assert_close(got[1], G, rtol=1e-9, atol=1e-13)


@given(st.floats(-60, 60), st.floats(-60, 60), st.floats(1e-3, 1e3), st.floats(1e-3, 30))
@settings(max_examples=30, deadline=None)
def test_a_line_of_the_input_is_what_exact_solves(u0, u1, w, h):
    E, G = line(np.float64(w), np.float64(u0), np.float64(u1), np.float64(h), (-40.0, 40.0), logistic=True)
    got = 1 + E * 0.5 - w * G  # A = 1, c = 0.5
    assert_close(got, exact(LTCNeuron(w, 1.0), signals.sampled([0, h], [u0, u1]), 1.5, h), rtol=0, atol=2e-12)


# --- refusals

NEURON = LTCNeuron(1.0, [1.0, 2.0])


def test_samples_that_contradict_each_other_are_refused_with_their_rows():
    times, values = [0, 0.5, 1.0], [[0.1, 0.2, 0.3], [0.1, 0.2, 0.9]]
    match = r"values: got 0\.2 at row 1, t = 0\.5, and 0\.9 at row 2, t = 1\.0, neuron \(1,\); expected a slope of at "
    match += r"most lipschitz = 1\.0; correct a row, or pass lipschitz >= 1\.4, the least constant that would do\.$"
    with pytest.raises(ValueError, match=match):
        bounds.from_samples(NEURON, 0.0, 1.0, times, values, 1.0, "release")
    least = np.abs(np.diff(values) / np.diff(times)).max()
    bounds.from_samples(NEURON, 0.0, 1.0, times, values, least, "release")
    with pytest.raises(ValueError, match=r"values: got 1\.2 at row 1, neuron \(0,\), where f\(I\) is 1\.2; "):
        bounds.from_samples(NEURON, 0.0, 1.0, [0, 1], [0.5, 1.2], 1.0, "release")
    for of, value in (("release", 0.5), ("input", 0.1)):
        with pytest.raises(ValueError, match=refusal("values")):
            bounds.from_samples(NEURON, 0.0, 1.0, [0, 1], [value, value], 1.0, of, f_range=(0.6, 0.9))


def test_a_recordings_own_largest_slope_is_enough():
    rng = np.random.default_rng(0)
    times = np.cumsum(rng.uniform(1e-3, 1, 500))
    for offset in (0, 1e6):
        values = offset + rng.normal(size=500)
        least = np.abs(np.diff(values) / np.diff(times)).max()
        low, high = bounds.from_samples(LTCNeuron(1.0, 1.0, mu=offset), 0.0, times, times, values, least)
        assert np.all(low <= high)


def test_a_stream_refuses_and_stays_as_it_is():
    stream, other = (bounds.SampleStream(NEURON, 0.0, 1.0, "release") for _ in range(2))
    for push in (stream.push, other.push):
        push(0.5, [0.3, 0.4])
    for value in (*bad.NUMBERS, 0.5, -1.0, [1.0]):
        bad.refuses(stream.push, "time", value, value=0.3)
    for value in (*bad.NUMBERS, 1.5, 0.9, [0.3] * 3):
        bad.refuses(stream.push, "value", value, time=0.6)
    assert_close(stream.push(1.0, 0.35), other.push(1.0, 0.35), 0, 0)
    for argument, values in {
        "x0": bad.NUMBERS,
        "lipschitz": (*bad.NUMBERS, -1.0, [1.0] * 3),
        "of": bad.CHOICES,
    }.items():
        for value in values:
            bad.refuses(bounds.SampleStream, argument, value, neuron=NEURON, x0=0.0, lipschitz=1.0)
    given = {"x0": 0, "times": [0], "values": [0.5], "lipschitz": 1.0}
    bad.refuses(bounds.extremal_input, "t", [1.0], neuron=NEURON, **given)
    flat = LTCNeuron(1.0, 1.0, sigma=0.0)
    bad.refuses(bounds.extremal_input, "neuron", flat, t=1.0, of="release", **given)


@given(st.integers(0, 1000))
def test_the_largest_slope_of_float32_samples_is_large_enough(seed):
    rng = np.random.default_rng(seed)
    times, values = np.cumsum(rng.uniform(0.1, 1, 30)).astype("f4"), rng.normal(size=30).astype("f4")
    K = np.abs(np.diff(values) / np.diff(times)).max()
    low, high = bounds.from_samples(NEURON, 0.0, 3.0, times, values, K)
    assert (low <= high).all()
    stream = bounds.SampleStream(NEURON, 0.0, K)
    for sample in zip(times, values, strict=True):
        stream.push(*sample)
    with pytest.raises(ValueError, match=refusal("values")):
        bounds.from_samples(NEURON, 0.0, 3.0, times, values, float(K) * (1 - 1e-6))


def test_slopes_that_overflow_are_refused():
    for times, values in (([0, 1], [1e308, -1e308]), ([0, 1e-320], [0, 1])):
        with pytest.raises(ValueError, match=r"lipschitz = 1\.0; correct a row\.$"):
            bounds.from_samples(NEURON, 0.0, 1.0, times, values, 1.0)


def test_refused_samples_keep_their_digits():
    """Times as seconds since 1970, next to each other."""
    times, values = [1.7e9, 1.7e9 + 1e-6], [0.1, 0.5]
    with pytest.raises(
        ValueError, match=r"0\.1 at row 0, t = 1700000000\.0, and 0\.5 at row 1, t = 1700000000\.000001; "
    ):
        bounds.from_samples(LTCNeuron(1.0, 1.0), 0.5, 2e9, times, values, 1.0, "release")
