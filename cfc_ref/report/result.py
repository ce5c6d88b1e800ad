"""What ``verify`` returns: statements with their verdicts, a table, and files."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

import cfc_ref
from cfc_ref import checks
from cfc_ref.io import output_folder, write_atomically
from cfc_ref.report import render
from cfc_ref.report.cases import Recording
from cfc_ref.report.judge import Finding
from cfc_ref.report.statements import APPROACH, ORDER_WITHIN, STATEMENTS, Statement

__all__ = ["Report", "Result"]


@dataclass(frozen=True)
class Result:
    """One statement with what came out of its cases.

    `worst` is the largest distance of an error outside of its interval among the cases that decide (negative:
    inside), in units of the state; `tightness` how near the ends of the interval were approached, the smaller of both.
    Each is None where there is nothing to say.
    """

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
    worst: float | None
    tightness: float | None
    tightness_by_input: dict[str, list[float | None]]
    orders: dict[str, float]
    worst_case: dict[str, Any] | None

    @classmethod
    def of(cls, statement: Statement, finding: Finding) -> Result:
        """Judge a statement by its finding."""
        reached = {
            end: max((ends[k] for ends in finding.reached.values()), default=-np.inf)
            for k, end in enumerate(("low", "high"))
            if end in statement.ends
        }
        tightness = min(reached.values(), default=-np.inf)
        return cls(
            **{name: getattr(statement, name) for name in
               ("name", "title", "equation", "form", "assumptions", "how", "expected")},
            **{name: getattr(finding, name) for name in
               ("cases", "violations", "undecided", "unsettled", "truths_differ", "worst_case")},
            verdict=_verdict(statement, finding, tightness),
            agreement=dict(sorted(finding.agreement.items(), key=lambda item: float(item[0]))),
            worst=_finite(finding.worst),
            tightness=_finite(tightness),
            tightness_by_input={family: [_finite(v) for v in ends] for family, ends in finding.reached.items()},
            orders=finding.orders,
        )  # fmt: skip


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _verdict(statement: Statement, finding: Finding, tightness: float) -> str:
    """One decided case outside refutes; an end that is not approached, or an order that is not met, as well."""
    if finding.violations:
        return "fails"
    if not finding.cases or (statement.ends and tightness == -np.inf):
        return "not tested"
    if statement.ends and tightness < APPROACH:
        return "fails"
    missed = [abs(finding.orders[s] - order) > ORDER_WITHIN for s, order in statement.orders if s in finding.orders]
    return "fails" if any(missed) else "holds"


@dataclass(frozen=True)
class Report:
    """The statements' results, and what they were tried with."""

    statements: tuple[Result, ...]
    cases: int
    seed: int
    fixed: dict[str, float]
    recording: Recording

    @classmethod
    def of(
        cls, findings: Mapping[str, Finding], cases: int, seed: int, fixed: dict[str, float], recording: Recording
    ) -> Report:
        """Judge every statement."""
        results = tuple(Result.of(STATEMENTS[name], finding) for name, finding in findings.items())
        return cls(results, cases, seed, fixed, recording)

    @property
    def ok(self) -> bool:
        """Whether nothing that should hold was violated."""
        return not any(s.verdict == "fails" and s.expected == "holds" for s in self.statements)

    def __str__(self) -> str:
        return render.table(self)

    def as_dict(self) -> dict[str, Any]:
        """Return everything as plain numbers, strings, lists and dicts."""
        return {
            "cfc_ref": cfc_ref.__version__,
            "cases": self.cases,
            "seed": self.seed,
            "neuron": self.fixed,
            "recording": self.recording.name,
            "ok": self.ok,
            "statements": [asdict(s) for s in self.statements],
        }

    def save(self, folder: str | Path) -> None:
        """Write report.json, report.md and, where matplotlib is installed, the figures (PNG) into a folder.

        Parameters
        ----------
        folder : str or Path
            Made where it is missing.

        Raises
        ------
        ValueError, TypeError
            If it can't be written to.
        """
        path, captions = output_folder("folder", folder), dict[str, str]()
        if checks.installed("matplotlib"):
            from cfc_ref.plots import report as pictures

            captions = pictures.CAPTIONS
            for name, figure in pictures.report_figures(self.recording.channel(0), self.fixed):
                buffer = io.BytesIO()
                figure.savefig(buffer, format="png", dpi=100, metadata={"Software": None})
                write_atomically(path / name, buffer.getvalue())
        write_atomically(path / "report.md", render.page(self, captions).encode())
        text = json.dumps(self.as_dict(), indent=1, allow_nan=False)
        write_atomically(path / "report.json", f"{text}\n".encode())
