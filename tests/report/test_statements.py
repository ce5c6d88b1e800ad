"""Each statement on its own, on evidence as it is and on evidence that was spoiled."""

import numpy as np
import pytest

from cfc_ref import verify
from cfc_ref.report.cases import draw
from cfc_ref.report.evidence import gather
from cfc_ref.report.judge import find
from cfc_ref.report.recording import recorded
from cfc_ref.report.statements import STATEMENTS
from tests.runs import short_recording

SHARED = [name for name, statement in STATEMENTS.items() if statement.judged]
OWN = [name for name, statement in STATEMENTS.items() if statement.trial]
EEG = recorded(short_recording(), {})
FAMILIES = ("piecewise constant", "smooth", "sampled", "recorded", "adversarial", "edge")


@pytest.fixture(scope="module", params=FAMILIES)
def evidence(request):
    return gather(draw(request.param, 24, np.random.default_rng(5), {}, EEG))


def test_a_statement_is_judged_on_the_shared_cases_or_on_its_own():
    assert sorted(SHARED + OWN) == sorted(STATEMENTS)


@pytest.mark.parametrize("name", SHARED)
def test_no_family_of_cases_refutes_what_should_hold(evidence, name):
    found = find(evidence.cases, STATEMENTS[name].judged(evidence))
    if STATEMENTS[name].expected == "holds":
        assert found.violations == 0
        assert found.unsettled == 0
    assert found.truths_differ <= 1e-9
    assert sum(found.agreement.values()) == found.cases + found.unsettled


@pytest.mark.parametrize("name", STATEMENTS)
def test_each_statement_has_its_verdict(report, name):
    (result,) = (s for s in report.statements if s.name == name)
    assert result.verdict == result.expected
    assert result.expected == ("fails" if name in ("S8", "S14") else "holds")
    assert result.cases >= 60 or name in ("S2", "S10")
    assert result.worst is not None
    assert np.isfinite(result.worst)
    if result.expected == "holds":
        assert result.worst < 0
    if STATEMENTS[name].ends:
        assert result.tightness >= 0.999
    else:
        assert result.tightness is None


def test_statements_alone_have_the_result_that_they_have_among_all(report):
    alone = verify(cases=60, seed=3, statements=["S2", "S4", "S13", "S19"])
    among = {s.name: s for s in report.statements}
    assert alone.statements == tuple(among[s.name] for s in alone.statements)


def test_the_orders_are_one_two_and_four(report):
    orders = {sample: order for result in report.statements for sample, order in result.orders.items()}
    assert orders == pytest.approx({"start": 1, "midpoint": 2, "gauss": 4, "halves": 4, "cf4": 4}, abs=0.1)


def _spoiled(evidence, name):
    """Move what the statement is about far outside: a wrong truth, a wrong formula, a range that is too narrow."""
    far = 10 * (1 + np.abs(evidence.c))
    if name in ("S1", "S2"):
        return evidence._replace(scipy_symmetric=evidence.scipy_symmetric + 1e-8 * (1 + np.abs(evidence.symmetric)))
    if name in ("S11", "S13"):
        frozen = {k: v._replace(error=v.error + far + 2 * v.radius) for k, v in evidence.frozen.items()}
        return evidence._replace(frozen=frozen)
    # both truths agree with each other, and are wrong
    return evidence._replace(
        ltc=evidence.ltc + 2 * far,
        scipy_ltc=evidence.scipy_ltc + 2 * far,
        symmetric=evidence.symmetric - far,
        scipy_symmetric=evidence.scipy_symmetric - far,
    )


@pytest.mark.parametrize("name", [name for name in SHARED if name != "S14"])
def test_spoiled_evidence_refutes_every_statement(name):
    evidence = gather(draw("piecewise constant", 24, np.random.default_rng(6), {"w_tau": 0.2}))
    found = find(evidence.cases, STATEMENTS[name].judged(_spoiled(evidence, name)))
    assert found.violations > 0
    assert found.worst > 0


def test_the_printed_hypotheses_fail_only_because_f_exceeds_one():
    evidence = gather(draw("piecewise constant", 60, np.random.default_rng(6), {}))
    checks = list(STATEMENTS["S14"].judged(evidence))
    inside = evidence._replace(y=evidence.y / 3)
    assert find(evidence.cases, checks).violations > 0
    error, *_, high, _, _, _, _ = next(STATEMENTS["S14"].judged(inside))
    assert np.isfinite(error).all()
    assert np.isfinite(high).all()


def test_a_case_whose_truths_differ_does_not_decide():
    evidence = gather(draw("piecewise constant", 24, np.random.default_rng(6), {}))
    apart = evidence._replace(scipy_ltc=evidence.ltc + 1e-6 * np.maximum(1, np.abs(evidence.ltc)))
    found = find(evidence.cases, STATEMENTS["S8"].judged(apart))
    assert found.cases == 0
    assert found.violations == 0
    assert found.unsettled >= 24


def test_an_error_within_the_truths_difference_of_its_bound_is_undecided():
    evidence = gather(draw("piecewise constant", 24, np.random.default_rng(6), {}))
    check = next(STATEMENTS["S9"].judged(evidence))
    error = check.high + 5e-10
    on_the_bound = check._replace(error=error, doubt=np.full(error.shape, 1e-10))
    found = find(evidence.cases, [on_the_bound])
    assert (found.violations, found.undecided) == (0, 24)
    found = find(evidence.cases, [on_the_bound._replace(error=check.high + 5e-9)])
    assert (found.violations, found.undecided) == (24, 0)


def test_the_worst_case_can_be_tried_again(report):
    from cfc_ref import LTCNeuron, closed_form, exact, signals

    (result,) = (s for s in report.statements if s.name == "S8")
    case = result.worst_case
    edges = np.concatenate([[0.0], np.cumsum(case["pieces"]["length"])])
    levels = [*case["pieces"]["level"], case["input_at_t"]]
    signal = signals.piecewise_constant(edges, levels)
    reflection = "release" if case["about"] == "r = 1 - f(I)" else "input"
    neuron = LTCNeuron(case["w_tau"], case["A"], case["mu"], case["sigma"], reflection)
    t = edges[-1]
    error = exact(neuron, signal, case["x0"], t) - closed_form(neuron, signal, case["x0"], t)
    assert case["input"] != "smooth"
    assert float(error) == pytest.approx(case["error"], abs=1e-9)
    assert abs(error) > case["high"]
