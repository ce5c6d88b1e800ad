"""The cases are what the report says they are."""

import numpy as np
import pytest

from cfc_ref import signals
from cfc_ref.activations import sigmoid
from cfc_ref.report.cases import FAMILIES, MOST_FOLDINGS, MOST_SAMPLES, draw
from cfc_ref.report.evidence import gather
from cfc_ref.report.recording import recorded
from tests.compare import assert_close
from tests.runs import short_recording

EEG = recorded(short_recording(), {})
ALL = [*FAMILIES, "recorded"]


def inputs(cases, drive):
    """The input I at a drive sigma (I - mu), shape (B, n)."""
    return cases.neuron.mu[:, None] + drive / cases.neuron.sigma[:, None]


def drawn(family, count=64, seed=1, fixed=None, recording=None):
    return draw(family, count, np.random.default_rng(seed), fixed or {}, recording or EEG)


@pytest.mark.parametrize("family", ALL)
def test_ranges_of_the_random_parameters(family):
    cases = drawn(family, 400)
    w, A, _, sigma = cases.neuron.parameters
    if family != "edge":
        assert w.min() >= 1e-2
        assert w.max() <= 10
    assert np.abs(A).max() <= 3
    assert np.abs(cases.x0).max() <= 3
    assert np.abs(sigma).max() <= (9 if family == "recorded" else 8)  # a recording has its own unit
    assert np.all(cases.h >= 0)
    assert np.all((w + 1) * cases.t <= MOST_FOLDINGS * (1 + 1e-12))
    if family not in ("edge", "recorded"):
        assert cases.t.min() >= 1e-2 * (1 - 1e-12)
        assert cases.t.max() <= 20 * (1 + 1e-12)


@pytest.mark.parametrize("family", ALL)
def test_the_same_seed_gives_the_same_cases_and_another_seed_others(family):
    one, same, other = drawn(family), drawn(family), drawn(family, seed=2)
    assert np.array_equal(one.h, same.h)
    assert np.array_equal(one.level, same.level)
    assert not np.array_equal(one.x0, other.x0)


@pytest.mark.parametrize("family", ALL)
@pytest.mark.parametrize("fixed", [{"w_tau": 0.5}, {"A": -1.0, "x0": 2.0}, {"mu": 0.25, "sigma": 0.0}])
def test_fixed_values_are_fixed_in_every_case(family, fixed):
    cases = drawn(family, fixed=fixed)
    for name, value in fixed.items():
        assert np.all((cases.x0 if name == "x0" else getattr(cases.neuron, name)) == value)
    assert np.isfinite(cases.level).all()


def test_edge_cases_hold_each_edge():
    cases = drawn("edge", 64)
    w, A = cases.neuron.w_tau, cases.neuron.A
    y = sigmoid(cases.level)
    for edge in (cases.x0 == A, A == 0, cases.t == 0, w < 1e-3, w > 90, np.all((y < 1e-9) | (y > 1 - 1e-9), axis=1)):
        assert edge.sum() >= 8
    assert (cases.last != cases.level[:, 1]).sum() >= 8  # a switch exactly at t


def test_recorded_cases_are_pieces_of_the_recording():
    times = np.cumsum(np.random.default_rng(0).uniform(0.01, 0.2, 300))
    cases = drawn("recorded", 50, recording=recorded(signals.sampled(times, np.sin(times)), {}), fixed={"w_tau": 1.0})
    levels, last = inputs(cases, cases.level), inputs(cases, cases.last[:, None])[:, 0]
    for i in range(50):
        real = np.flatnonzero(cases.h[i] > 0)
        assert np.array_equal(real, np.arange(real.size))
        first = np.abs(np.sin(times) - levels[i, 0]).argmin()
        assert_close(levels[i, real], np.sin(times[first : first + real.size]), atol=1e-12)
        assert times[first] + cases.t[i] <= times[-1] + 1e-9
        assert last[i] == pytest.approx(np.interp(times[first] + cases.t[i], times, np.sin(times)))
    assert cases.h.shape[1] <= MOST_SAMPLES


def test_a_held_recording_has_constant_pieces():
    values = np.random.default_rng(0).normal(size=(2, 30))
    cases = drawn("recorded", 20, recording=recorded(signals.sampled(np.arange(30.0), values, "previous"), {}))
    assert cases.constant
    last = inputs(cases, cases.last[:, None])
    assert np.abs(last[:, :, None] - values.ravel()).min(axis=2).max() < 1e-12


@pytest.fixture(scope="module", params=ALL)
def evidence(request):
    return gather(drawn(request.param, 20), frozen=False)


def test_the_range_of_f_holds_what_the_input_does(evidence):
    cases = evidence.cases
    for k in range(cases.h.shape[1]):
        s = cases.h[:, k, None] * np.linspace(0, 1, 21)
        y = cases.release(s, np.full(21, k))
        real = cases.h[:, k] > 0
        assert np.all(y[real] >= evidence.a[real, None] - 1e-9)
        assert np.all(y[real] <= evidence.b[real, None] + 1e-9)
    assert np.all((evidence.a <= evidence.y + 1e-12) & (evidence.y <= evidence.b + 1e-12))


def test_the_two_truths_agree(evidence):
    assert_close(evidence.scipy_ltc, evidence.ltc, atol=1e-9, rtol=0)
    assert_close(evidence.scipy_symmetric, evidence.symmetric, atol=1e-9, rtol=0)


@pytest.mark.parametrize("family", ["piecewise constant", "smooth", "sampled"])
def test_the_batch_equals_the_public_functions_case_by_case(family):
    from cfc_ref import LTCNeuron, exact, frozen

    cases = drawn(family, 9)
    evidence = gather(cases)
    for i in range(9):
        w, A, mu, sigma = (parameter[i] for parameter in cases.neuron.parameters)
        neuron, x0, t = LTCNeuron(w, A, mu, sigma), cases.x0[i], cases.t[i]
        edges = np.concatenate([[0.0], np.cumsum(cases.h[i])])
        real = np.flatnonzero(cases.h[i] > 0)
        if family == "smooth":
            frequency = cases.omega[i] / (2 * np.pi)
            signal = signals.sine(cases.amplitude[i] / sigma, frequency, cases.phase[i], mu + cases.level[i, 0] / sigma)
        elif family == "sampled":
            times = edges[np.append(real, real[-1] + 1)]
            signal = signals.sampled(times, mu + np.append(cases.level[i][real], cases.last[i]) / sigma)
        else:
            signal = signals.piecewise_constant(edges[real], mu + cases.level[i][real] / sigma)
        assert float(exact(neuron, signal, x0, t)) == pytest.approx(evidence.ltc[i], abs=1e-9)
        symmetric = float(exact(neuron, signal, x0, t, form="symmetric"))
        assert symmetric == pytest.approx(evidence.symmetric[i], abs=1e-9)
        if family == "smooth":  # one piece: 1, 4 and 16 steps in turn
            step = t / (1, 4, 16)[i % 3]
            for sample, errors in evidence.frozen.items():
                error = evidence.ltc[i] - float(frozen(neuron, signal, x0, t, sample, step))
                assert errors.error[i] == pytest.approx(error, abs=1e-9)


def test_states_far_from_one_are_held_in_a_unit_of_their_own():
    cases = drawn("piecewise constant", fixed={"A": 1e200, "x0": -3e5})
    assert np.all(cases.neuron.A * cases.unit == 1e200)
    assert np.all(cases.x0 * cases.unit == -3e5)
    assert np.all((np.abs(cases.neuron.A) >= 1) & (np.abs(cases.neuron.A) < 2))
    assert np.all(drawn("smooth").unit == 1)


@pytest.mark.parametrize(("offset", "scale", "begin", "step"), [(1e9, 1, 1.7e9, 0.25), (-3e12, 1e6, 0, 2**20)])
def test_an_offset_or_a_unit_of_a_recording_changes_nothing(offset, scale, begin, step):
    values = np.round(np.random.default_rng(0).normal(size=200) * 64) / 64
    own = signals.sampled(begin + np.arange(200) * step, offset + scale * values)
    plain = signals.sampled(np.arange(200) * step, values)
    one, ref = (drawn("recorded", 30, recording=recorded(signal, {})) for signal in (own, plain))
    for field in ("slope", "h"):
        assert_close(getattr(one, field), getattr(ref, field), rtol=1e-9)
    shift = (one.level - ref.level)[:, :1]  # the mean, from which mu is drawn, is rounded
    assert np.abs(shift).max() < 20 * np.spacing(abs(offset)) / scale
    assert_close(one.level, ref.level + shift, rtol=1e-11)
    assert_close(one.last, ref.last + shift[:, 0], rtol=1e-11)
    assert_close(one.neuron.mu, offset + scale * ref.neuron.mu, rtol=1e-12)
    assert_close(one.neuron.sigma * scale, ref.neuron.sigma, rtol=1e-12)


def test_steep_straight_pieces_are_cut_where_f_saturates():
    recording = recorded(signals.sampled(np.arange(40.0), np.random.default_rng(0).normal(size=40)), {})
    fixed = {"sigma": 1e7, "mu": 0.1, "w_tau": 0.5}
    cases = drawn("recorded", 12, fixed=fixed, recording=recording)
    ends = cases.level + cases.slope * cases.h
    steep = (np.abs(cases.slope * cases.h) > 200) & (cases.h > 0)
    assert steep.any()
    assert np.all(np.minimum(np.abs(cases.level), np.abs(ends))[steep] >= 40 * (1 - 1e-6))
    assert np.all((cases.level * ends)[steep] > 0)
    evidence = gather(cases, frozen=False)
    assert_close(evidence.scipy_ltc, evidence.ltc, atol=1e-9, rtol=0)
