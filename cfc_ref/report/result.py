"""The outcome of ``verify`` as data: the statements with their verdicts."""

from __future__ import annotations

import platform
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

import cfc_ref
from cfc_ref.report.judge import Evaluation
from cfc_ref.report.recording import Recording
from cfc_ref.report.statements import APPROACH, ORDER_WITHIN, Statement
from cfc_ref.report.thinning import Thinned

__all__ = ["Outcome", "StatementResult", "versions"]


@dataclass(frozen=True)
class StatementResult:
    """One statement with the outcome of its cases; figures are None where no case says anything."""

    name: str
    title: str
    equation: str
    form: str
    assumptions: str
    how: str
    expected: str
    verdict: str
    cases: int
    violations: int
    undecided: int
    unsettled: int
    truths_differ: float
    agreement: dict[str, int]
    # the largest distance of an error outside of its interval (negative: inside) among deciding cases, like the state
    worst: float | None
    nearest: float | None  # to its bound by ratio: 0 in the middle of the interval, 1 at an end
    tightness: float | None  # how near the ends of the interval were approached, the smaller of both
    tightness_by_input: dict[str, list[float | None]]
    orders: dict[str, float]
    worst_case: dict[str, Any] | None  # the one farthest outside, or else nearest to its bound by ratio
    figures: tuple[str, ...]

    @classmethod
    def of(cls, statement: Statement, finding: Evaluation) -> StatementResult:
        """Judge a statement by its finding."""
        reached = {
            end: max((ends[k] for ends in finding.reached.values()), default=-np.inf)
            for k, end in enumerate(("low", "high"))
            if end in statement.ends
        }
        tightness = min(reached.values(), default=-np.inf)
        return cls(
            **{name: getattr(statement, name) for name in
               ("name", "title", "equation", "form", "assumptions", "how", "expected", "figures")},
            **{name: getattr(finding, name) for name in
               ("cases", "violations", "undecided", "unsettled", "truths_differ", "worst_case")},
            verdict=_verdict(statement, finding, tightness),
            agreement=dict(sorted(finding.agreement.items(), key=lambda item: float(item[0]))),
            worst=_finite(finding.worst),
            nearest=_finite(finding.nearest),
            tightness=_finite(tightness),
            tightness_by_input={family: [_finite(v) for v in ends] for family, ends in finding.reached.items()},
            orders=finding.orders,
        )  # fmt: skip


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _verdict(statement: Statement, finding: Evaluation, tightness: float) -> str:
    """Return "fails" for one decided case outside, an end not approached or an order not met; else "holds"."""
    # Where rounding or overflow leave no case decided, the statement is "not tested"
    if finding.violations:
        return "fails"
    if finding.cases == finding.undecided or (statement.ends and tightness == -np.inf):
        return "not tested"
    if statement.ends and tightness < APPROACH:
        return "fails"
    missed = [abs(finding.orders[s] - order) > ORDER_WITHIN for s, order in statement.orders if s in finding.orders]
    return "fails" if any(missed) else "holds"


def versions() -> dict[str, str]:
    """Return the versions of what the numbers were computed with."""
    import scipy

    return {
        "cfc_ref": cfc_ref.__version__,
        "Python": platform.python_version(),
        "NumPy": np.__version__,
        "SciPy": scipy.__version__,
    }


@dataclass(frozen=True)
class Outcome:
    """The statements' results, with the cases, seed, fixed values and recording they were tried with."""

    statements: tuple[StatementResult, ...]
    cases: int
    seed: int
    fixed: dict[str, float]
    recording: Recording
    thinned: Thinned | None = None  # what the recording's samples leave open

    @property
    def ok(self) -> bool:
        """True if nothing that should hold was violated."""
        return not any(s.verdict == "fails" and s.expected == "holds" for s in self.statements)

    def as_dict(self) -> dict[str, Any]:
        """Return everything as plain numbers, strings, lists and dicts."""
        return {
            "cases": self.cases,
            "seed": self.seed,
            "neuron": self.fixed,
            "recording": self.recording.name,
            "thinned": None if self.thinned is None else asdict(self.thinned),
            "versions": versions(),
            "ok": self.ok,
            "statements": [asdict(s) for s in self.statements],
        }
