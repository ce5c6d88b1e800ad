"""How a statement is judged: errors against intervals, case by case, and what is kept of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cfc_ref.report.cases import Cases

__all__ = ["AGREEMENT", "Comparison", "Finding", "find"]

Array = npt.NDArray[Any]

AGREEMENT = 1e-9  # the truths have to agree to this times max(1, |x|)
_FAR_BELOW = 10.0  # a case decides where the truths' difference times this is below its margin
_ROUNDING = 64 * float(np.finfo(np.float64).eps)
_ENDS = ("low", "high")
_SMALLEST_POWER = 1e-16


class Comparison(NamedTuple):
    """An error that has to lie in [low, high], case by case; arrays of shape (B,), or of the first of the B cases."""

    error: Array
    doubt: Array  # how far the two truths are apart
    size: Array  # the size of the states that the error is the difference of
    low: Array
    high: Array
    use: npt.NDArray[np.bool_]
    ends: tuple[str, ...] = ()  # the ends that are to be approached
    scale: Array | None = None  # what is left of an end is measured against this; the interval's width if None
    note: str = ""


@dataclass
class Finding:
    """What is kept of the cases of one statement; findings of different blocks add up."""

    cases: int = 0
    undecided: int = 0  # on the bound, as near as the truths can tell
    unsettled: int = 0  # the truths differ by more than AGREEMENT: left out
    violations: int = 0
    worst: float = -np.inf  # largest distance outside of the interval where a case decides; negative: inside
    worst_case: dict[str, Any] | None = None
    truths_differ: float = 0.0  # at most, relative to max(1, |x|), where a case was used
    agreement: dict[str, int] = field(default_factory=dict)  # cases whose truths agree to 1e-16, 1e-15, …
    reached: dict[str, list[float]] = field(default_factory=dict)  # family -> share of the way to the low and high end
    orders: dict[str, float] = field(default_factory=dict)

    def add(self, other: Finding) -> None:
        """Take another block's finding in."""
        self.cases += other.cases
        self.undecided += other.undecided
        self.unsettled += other.unsettled
        self.violations += other.violations
        if other.worst > self.worst:
            self.worst, self.worst_case = other.worst, other.worst_case
        self.truths_differ = max(self.truths_differ, other.truths_differ)
        for digits, many in other.agreement.items():
            self.agreement[digits] = self.agreement.get(digits, 0) + many
        for family, ends in other.reached.items():
            mine = self.reached.setdefault(family, [-np.inf, -np.inf])
            self.reached[family] = [max(pair) for pair in zip(mine, ends, strict=True)]
        self.orders |= other.orders


def find(cases: Cases, comparisons: Iterable[Comparison]) -> Finding:
    """Judge one family of cases."""
    finding = Finding()
    for comparison in comparisons:
        finding.add(_find(cases, comparison))
    return finding


def _find(cases: Cases, comparison: Comparison) -> Finding:
    error, doubt, size, low, high, use, ends, scale, _ = comparison
    relative = doubt / np.maximum(1, size)
    settled = use & (relative <= AGREEMENT)
    finding = Finding(cases=int(settled.sum()), unsettled=int((use & ~settled).sum()))
    finding.agreement = _agreement(relative[use])
    if not settled.any():
        return finding
    largest = np.maximum(np.abs(cases.x0), np.abs(cases.neuron.A))[: len(error)]
    uncertain = _FAR_BELOW * doubt + _ROUNDING * np.maximum(np.maximum(1, size), largest)
    excess = np.maximum(low - error, error - high)
    decided = settled & (np.abs(excess) > uncertain)
    finding.undecided = int((settled & ~decided).sum())
    finding.violations = int((decided & (excess > 0)).sum())
    finding.truths_differ = float(relative[settled].max())
    if decided.any():
        worst = int(np.where(decided, excess, -np.inf).argmax())
        finding.worst, finding.worst_case = float(excess[worst]), _describe(cases, comparison, worst)
    if ends:
        scale = high - low if scale is None else scale
        clear = settled & (uncertain <= 1e-4 * scale)
        left = {"low": error - low, "high": high - error}
        reached = [
            min(1.0, float((1 - left[end][clear] / scale[clear]).max())) if end in ends and clear.any() else -np.inf
            for end in _ENDS
        ]
        finding.reached[cases.family] = reached
    return finding


def _agreement(relative: Array) -> dict[str, int]:
    """Count the cases by the power of ten to which their truths agree."""
    powers = np.ceil(np.log10(np.clip(relative, _SMALLEST_POWER, 1.0))).astype(int)
    return {f"1e{power:+03d}": int(many) for power, many in zip(*np.unique(powers, return_counts=True), strict=True)}


def _describe(cases: Cases, comparison: Comparison, i: int) -> dict[str, Any]:
    """Return everything that is needed to try case i again."""
    real = cases.h[i] > 0
    described: dict[str, Any] = {
        name: float(parameter[i])
        for name, parameter in zip(("w_tau", "A", "mu", "sigma"), cases.neuron.parameters, strict=True)
    }
    described |= {"x0": float(cases.x0[i]), "t": float(cases.t[i]), "input": cases.family}
    described |= {name: float(getattr(comparison, name)[i]) for name in ("error", "low", "high")}
    described["truths_differ"] = float(comparison.doubt[i])
    if comparison.note:
        described["about"] = comparison.note
    pieces = {"length": cases.h[i][real], "level": cases.level[i][real], "slope": cases.slope[i][real]}
    described["pieces"] = {name: values.tolist() for name, values in pieces.items() if name != "slope" or values.any()}
    if cases.amplitude[i]:
        described["sine"] = {name: float(getattr(cases, name)[i]) for name in ("amplitude", "omega", "phase")}
    described["input_at_t"] = float(cases.last_input[i])
    return described
