"""The cases are what the report says they are."""

import numpy as np
import pytest

from cfc_ref.report.cases import FAMILIES, MOST_FOLDINGS, MOST_SAMPLES, Recording, draw
from cfc_ref.report.evidence import gather
from cfc_ref.report.run import check_arguments
from tests.compare import assert_close

EEG = check_arguments(1, 0, None, None, None)[0].recording
ALL = [*FAMILIES, "recorded"]


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
    assert np.abs(sigma).max() <= 8.1
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
    y = cases.neuron.f(cases.level, over_time=True)
    for edge in (cases.x0 == A, A == 0, cases.t == 0, w < 1e-3, w > 90, np.all((y < 1e-9) | (y > 1 - 1e-9), axis=1)):
        assert edge.sum() >= 8
    assert (cases.last_input != cases.level[:, 1]).sum() >= 8  # a switch exactly at t


def test_recorded_cases_are_pieces_of_the_recording():
    times = np.cumsum(np.random.default_rng(0).uniform(0.01, 0.2, 300))
    recording = Recording("own", times, np.sin(times)[None], True)
    cases = drawn("recorded", 50, recording=recording, fixed={"w_tau": 1.0})
    for i in range(50):
        real = cases.h[i] > 0
        samples = np.flatnonzero(np.isin(recording.values[0], cases.level[i][real]))
        assert real.sum() == samples.size
        assert np.all(np.diff(samples) == 1)
        begin = times[samples[0]]
        assert begin + cases.t[i] <= times[-1] + 1e-9
        assert cases.last_input[i] == pytest.approx(np.interp(begin + cases.t[i], times, recording.values[0]))
    assert cases.h.shape[1] <= MOST_SAMPLES


def test_a_held_recording_has_constant_pieces():
    recording = Recording("held", np.arange(30.0), np.random.default_rng(0).normal(size=(2, 30)), False)
    cases = drawn("recorded", 20, recording=recording)
    assert cases.constant
    assert np.isin(cases.last_input, recording.values).all()


@pytest.mark.parametrize("family", ALL)
def test_the_range_of_f_holds_what_the_input_does(family):
    cases = drawn(family, 40)
    evidence = gather(cases, frozen=False)
    for k in range(cases.h.shape[1]):
        s = cases.h[:, k, None] * np.linspace(0, 1, 101)
        y = cases.neuron.f(cases.input(s, np.full(101, k)), over_time=True)
        real = cases.h[:, k] > 0
        assert np.all(y[real] >= evidence.a[real, None] - 1e-9)
        assert np.all(y[real] <= evidence.b[real, None] + 1e-9)
    assert np.all((evidence.a <= evidence.y + 1e-12) & (evidence.y <= evidence.b + 1e-12))


@pytest.mark.parametrize("family", ALL)
def test_the_two_truths_agree(family):
    evidence = gather(drawn(family, 40), frozen=False)
    assert_close(evidence.scipy_ltc, evidence.ltc, atol=1e-9, rtol=0)
    assert_close(evidence.scipy_symmetric, evidence.symmetric, atol=1e-9, rtol=0)


@pytest.mark.parametrize("family", ["piecewise constant", "smooth", "sampled"])
def test_the_batch_equals_the_public_functions_case_by_case(family):
    from cfc_ref import LTCNeuron, exact, frozen, signals

    cases = drawn(family, 9)
    evidence = gather(cases)
    for i in range(9):
        w, A, mu, sigma = (parameter[i] for parameter in cases.neuron.parameters)
        neuron, x0, t = LTCNeuron(w, A, mu, sigma), cases.x0[i], cases.t[i]
        edges = np.concatenate([[0.0], np.cumsum(cases.h[i])])
        real = np.flatnonzero(cases.h[i] > 0)
        if family == "smooth":
            frequency = cases.omega[i] / (2 * np.pi)
            signal = signals.sine(cases.amplitude[i], frequency, cases.phase[i], cases.level[i, 0])
        elif family == "sampled":
            times = edges[np.append(real, real[-1] + 1)]
            signal = signals.sampled(times, np.append(cases.level[i][real], cases.last_input[i]))
        else:
            signal = signals.piecewise_constant(edges[real], cases.level[i][real])
        assert float(exact(neuron, signal, x0, t)) == pytest.approx(evidence.ltc[i], abs=1e-9)
        symmetric = float(exact(neuron, signal, x0, t, form="symmetric"))
        assert symmetric == pytest.approx(evidence.symmetric[i], abs=1e-9)
        if family == "smooth":  # one piece: 1, 4 and 16 steps in turn
            step = t / (1, 4, 16)[i % 3]
            for sample, errors in evidence.frozen.items():
                error = evidence.ltc[i] - float(frozen(neuron, signal, x0, t, sample, step))
                assert errors.error[i] == pytest.approx(error, abs=1e-9)
