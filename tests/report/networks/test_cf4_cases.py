"""S21 is refuted by a solver that leaves the box, that moves an equilibrium, or that has another order."""

import numpy as np
import pytest

from cfc_ref import verify
from cfc_ref.cells.exponential import frozen_midpoint
from cfc_ref.cells.solvers import SOLVERS, euler
from cfc_ref.report.networks import cf4_cases
from tests.compare import assert_close


@pytest.fixture(scope="module")
def result():
    return verify(cases=100, seed=1, statements="S21").statements[0]


def test_it_holds_with_order_4(result):
    assert (result.verdict, result.violations) == ("holds", 0)
    assert result.orders["cf4"] == pytest.approx(4, abs=0.1)
    assert result.worst < 0


def test_a_solver_that_leaves_the_box_is_refuted(monkeypatch):
    monkeypatch.setattr(cf4_cases, "cf4", euler)
    (result,) = verify(cases=100, seed=1, statements="S21").statements
    assert result.verdict == "fails"
    assert result.violations > 0
    assert result.worst_case["about"].endswith("in its box")


def test_a_solver_that_moves_an_equilibrium_is_refuted(monkeypatch):
    monkeypatch.setattr(cf4_cases, "cf4", lambda equation, params, held, x, h: x * (1 - 1e-6))
    (result,) = verify(cases=100, seed=1, statements="S21").statements
    assert result.verdict == "fails"
    assert result.worst_case["about"].endswith("stays at its equilibrium")


def test_another_order_is_a_failure_without_a_violation(monkeypatch):
    monkeypatch.setitem(SOLVERS, "cf4", SOLVERS["cf4"]._replace(part=frozen_midpoint))
    (result,) = verify(cases=100, seed=1, statements="S21").statements
    assert (result.verdict, result.violations) == ("fails", 0)
    assert result.orders["cf4"] == pytest.approx(2, abs=0.2)


def test_a_shown_case_can_be_tried_again(result):
    case = result.worst_case
    params = cf4_cases.network_of(case["network"])
    equation = cf4_cases._EQUATION
    x, I, h = (np.atleast_2d(case[name]) for name in ("x", "I", "h"))
    new = cf4_cases.cf4(equation, params, equation.hold(params, I), x, h)
    i = int(case["about"].split()[1])
    assert_close(new[0, i] if "box" in case["about"] else (new - x)[0, i], case["error"], 1e-9, 1e-12)
