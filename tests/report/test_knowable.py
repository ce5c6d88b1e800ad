"""The statements about looks and samples: what they draw is what they say, and wrong bounds are found out."""

import numpy as np
import pytest

from cfc_ref import LTCNeuron, bounds, exact, signals, verify
from cfc_ref.bounds import checked
from cfc_ref.report import knowable, sampling
from cfc_ref.report.cases import neurons
from cfc_ref.report.recording import recorded
from tests.compare import assert_close
from tests.runs import short_recording

EEG = recorded(short_recording(), {})


def scaled(function, low, high):
    """A bound whose ends are moved towards, or away from, its middle."""

    def wrong(*args, **kwargs):
        ends = checked.formula(function)(*args, **kwargs)
        middle, half = (ends[0] + ends[1]) / 2, (ends[1] - ends[0]) / 2
        return middle - low * half, middle + high * half

    return wrong


@pytest.mark.parametrize("kind", ["random", "random release", "recorded", "extremal", "extremal release"])
def test_inputs_pass_through_their_samples_and_are_no_steeper_than_the_constant(kind):
    rng = np.random.default_rng(2)
    if kind == "recorded":
        group = sampling._recorded(9, rng, {}, EEG)
    else:
        group = sampling._random(9, rng, {}, released=kind.endswith("release"))
        group = sampling._extremal(group, rng) if kind.startswith("extremal") else group
    for i in range(9):
        t, p = group.edges[i], group.corners[i]
        assert t[0] == 0
        assert t[-1] >= group.t
        assert_close(np.interp(group.times, t, p), group.samples[i], atol=1e-9, rtol=1e-9)
        slopes = np.diff(p)[np.diff(t) > 1e-9] / np.diff(t)[np.diff(t) > 1e-9]
        assert np.all(np.abs(slopes) <= group.speed[i] * (1 + 1e-6) + 1e-9)
        if group.released:
            assert np.all((p >= 0) & (p <= 1))


@pytest.mark.parametrize("ends", [(0.9, 1.0), (1.0, 0.9), (1.1, 1.0), (1.0, 1.1)])
def test_an_enclosure_that_is_too_narrow_is_refuted_and_one_too_wide_is_not_sharp(ends, monkeypatch):
    monkeypatch.setattr(sampling, "from_samples", scaled(bounds.from_samples, *ends))
    result = verify(cases=1, statements="S16").statements[0]
    assert result.verdict == "fails"
    assert (result.violations > 0) == (min(ends) < 1)


WRONG = [
    ("S17", knowable.looks, "radius", lambda centre, R: (centre, 0.95 * R), True),
    ("S17", knowable.looks, "radius", lambda centre, R: (centre, 1.05 * R), True),  # Eq. 9 is not that bad
    ("S18", knowable, "frozen_error", lambda low, high: (0.99 * low, 0.99 * high), True),
    ("S18", knowable, "frozen_error", lambda low, high: (1.01 * low, 1.01 * high), False),
    ("S19", knowable.looks, "radius_per_step", lambda low, high: (1.2 * low, high), True),
    ("S20", knowable.looks, "best_look", lambda tau, R: (0.5 * tau, 1.01 * R), True),
]


@pytest.mark.parametrize(("name", "module", "function", "spoil", "refuted"), WRONG)
def test_wrong_bounds_fail(name, module, function, spoil, refuted, monkeypatch):
    right = checked.formula(getattr(module, function))
    monkeypatch.setattr(module, function, lambda *args: spoil(*right(*args)))
    result = verify(cases=60, statements=name).statements[0]
    assert result.verdict == "fails"
    assert (result.violations > 0) == refuted


def test_a_shown_case_can_be_tried_again():
    (result,) = verify(cases=1, statements="S16").statements
    case = result.worst_case
    edges = np.concatenate([[0.0], np.cumsum(case["pieces"]["length"])])
    level, slope = case["pieces"].get("release", case["pieces"].get("level")), case["pieces"]["slope"]
    end = level[-1] + slope[-1] * case["pieces"]["length"][-1]
    neuron = LTCNeuron(case["w_tau"], case["A"], case.get("mu", 0.0), case.get("sigma", 1.0))
    known = [k for k, time in enumerate(case["sample_times"]) if time is not None]
    times = np.array(case["sample_times"])[known].astype(float)
    if "sampled_release" in case:
        of, signal = "release", signals.smooth(lambda t: _logit(np.interp(t, edges, [*level, end])), edges)
        values, K = np.array(case["sampled_release"])[known].astype(float), case["lipschitz"]
    else:
        of, signal = "input", signals.sampled(edges, [*level, end])
        values = neuron.mu + np.array(case["sampled_drive"])[known].astype(float) / neuron.sigma
        K = case["lipschitz"] / abs(float(neuron.sigma))
    x = float(exact(neuron, signal, case["x0"], case["t"]))
    low, high = bounds.from_samples(neuron, case["x0"], case["t"], times, values, K * (1 + 1e-9), of)
    assert x == pytest.approx(case["error"], abs=1e-8)
    assert_close([low, high], [case["low"], case["high"]], atol=1e-8)


def _logit(y):
    y = np.clip(y, 1e-15, 1 - 1e-15)
    return np.log(y / (1 - y))


def test_neurons_start_where_they_rest():
    begin = knowable._at_equilibrium(5, np.random.default_rng(0), {}, np.full(5, 0.3))
    w, A = begin.neuron.w_tau, begin.neuron.A
    rest = exact(LTCNeuron(w, A, 0.0, 1.0), np.log(0.3 / 0.7), begin.x0, [3.0])[:, 0]
    assert_close(rest, begin.x0, rtol=1e-9)
    fixed = knowable._at_equilibrium(5, np.random.default_rng(0), {"x0": 2.0}, np.full(5, 0.3))
    assert np.all(fixed.x0 * fixed.unit == 2.0)
    assert neurons(5, np.random.default_rng(0), {"x0": 2.0}).x0.shape == (5,)
