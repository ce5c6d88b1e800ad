"""Recordings with an offset or a unit, and extreme neurons: no violation that is rounding, no false "holds"."""

import json

import numpy as np
import pytest

from cfc_ref import signals, verify
from cfc_ref.report.cases import draw
from cfc_ref.report.evidence import gather
from cfc_ref.report.judge import find
from cfc_ref.report.result import StatementResult
from cfc_ref.report.statements import STATEMENTS

BOUNDS = [name for name, s in STATEMENTS.items() if s.judged and not s.ends]  # those without a search
NEURONS = [
    {"A": -1e200},
    {"w_tau": 1e308},
    {"w_tau": 1e4},
    {"w_tau": 1e-6},
    {"sigma": -3e9},
    {"mu": -1e30},
    {"x0": 1e300},
    {"A": 5e-324, "x0": 1e-300},
    {"w_tau": 1e6, "A": 1e6, "mu": 1e6, "sigma": 1e6, "x0": 1e6},
    {"w_tau": 1e-300, "A": 1.7e308, "x0": -1.7e308, "sigma": 1e308, "mu": 1e308},
]


@pytest.mark.parametrize("neuron", NEURONS, ids=str)
def test_extreme_neurons_are_no_violation(neuron):
    report = verify(cases=6, neuron=neuron, statements=BOUNDS)
    assert report.ok
    json.dumps(report.as_dict(), allow_nan=False)
    for s in report.statements:
        assert (s.verdict == "not tested") == (s.cases == s.undecided), s.name
    assert str(report)


@pytest.mark.parametrize("neuron", [NEURONS[4], *NEURONS[-2:]], ids=str)
def test_extreme_neurons_violate_no_statement_about_looks_and_samples(neuron):
    report = verify(cases=1, neuron=neuron, statements=[name for name, s in STATEMENTS.items() if s.trial])
    assert not any(s.violations for s in report.statements)
    json.dumps(report.as_dict(), allow_nan=False)


@pytest.mark.parametrize(
    ("times", "values"),
    [
        (1.7e9 + np.arange(60) / 4, lambda k: 1e9 + np.sin(k)),
        (np.arange(60) * 3600.0, np.sin),
        (1.7e15 + np.arange(60) * 250_000, lambda k: -1e5 + 1e-3 * np.sin(k)),
        (np.arange(60) * 1e-6, lambda k: 1e6 * k + np.sin(k)),
    ],
    ids=["seconds", "hours", "microseconds", "trend"],
)
@pytest.mark.parametrize("neuron", [None, {"sigma": 1.0}], ids=str)
def test_recordings_with_an_offset_or_a_unit_of_their_own(times, values, neuron):
    recording = signals.sampled(times, values(np.arange(60)))
    report = verify(cases=20, neuron=neuron, signal=recording, statements=BOUNDS)
    assert report.ok
    assert sum(s.unsettled for s in report.statements) == 0


@pytest.mark.parametrize("field", ["error", "low", "high", "doubt"])
@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
def test_a_number_that_overflows_decides_nothing(field, value):
    evidence = gather(draw("piecewise constant", 8, np.random.default_rng(1), {}), frozen=False)
    (check,) = STATEMENTS["S7"].judged(evidence)
    found = find(evidence.cases, [check._replace(**{field: np.full(8, value)})])
    assert (found.cases, found.violations, found.unsettled) == (0, 0, 8)
    assert StatementResult.of(STATEMENTS["S7"], found).verdict == "not tested"


def test_a_statement_on_which_rounding_decides_every_case_is_not_tested():
    evidence = gather(draw("piecewise constant", 8, np.random.default_rng(1), {}), frozen=False)
    (check,) = STATEMENTS["S7"].judged(evidence)
    found = find(evidence.cases, [check._replace(low=check.error - 4e-15, high=check.error + 4e-15)])
    assert (found.cases, found.undecided) == (8, 8)
    assert StatementResult.of(STATEMENTS["S7"], found).verdict == "not tested"


def test_statements_are_named_in_any_case_and_in_lists():
    report = verify(cases=1, statements="s7, S2")
    assert [s.name for s in report.statements] == ["S2", "S7"]
