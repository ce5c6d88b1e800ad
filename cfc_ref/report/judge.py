"""Judge a statement: errors against intervals, case by case."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from cfc_ref.arrays import Array

__all__ = ["AGREEMENT", "Check", "Evaluation", "Tried", "find"]

AGREEMENT = 1e-9  # the truths have to agree to this times max(1, |x|)
_FAR_BELOW = 10.0  # a case decides where the truths' difference times this is below its margin
_ROUNDING = 64 * float(np.finfo(np.float64).eps)
_ENDS = ("low", "high")
_SMALLEST_POWER = 1e-16


class Tried(Protocol):
    """A batch of B cases of one family, as the judge sees it; arrays of shape (B,)."""

    @property
    def family(self) -> str:
        """The kind of input."""

    @property
    def unit(self) -> Array:
        """The unit of a case's states and errors."""

    @property
    def largest(self) -> Array:
        """The size of what a case's states come from."""

    def describe(self, i: int) -> dict[str, Any]:
        """Return everything that is needed to try case i again."""


class Check(NamedTuple):
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
    given: Mapping[str, Array] = {}  # what is known of each case beforehand, such as its samples


@dataclass
class Evaluation:
    """The summary of one statement's cases; summaries of different blocks add up."""

    cases: int = 0
    undecided: int = 0  # nearer to the bound than the truths and rounding can tell
    unsettled: int = 0  # left out: the truths differ by more than AGREEMENT, or something overflows
    violations: int = 0
    worst: float = -np.inf  # largest distance outside of the interval where a case decides; negative: inside
    nearest: float = -np.inf  # of these, the largest distance from the interval's middle over half its width
    worst_case: dict[str, Any] | None = None
    truths_differ: float = 0.0  # at most, relative to max(1, |x|), where a case was used
    agreement: dict[str, int] = field(default_factory=dict)  # cases whose truths agree to 1e-16, 1e-15, …
    reached: dict[str, list[float]] = field(default_factory=dict)  # family -> share of the way to the low and high end
    orders: dict[str, float] = field(default_factory=dict)

    def _urgency(self) -> tuple[bool, float]:
        """Return what decides which case is shown: the farthest outside, or else the nearest by ratio."""
        return self.worst > 0, self.worst if self.worst > 0 else self.nearest

    def add(self, other: Evaluation) -> None:
        """Add another block's summary."""
        self.cases += other.cases
        self.undecided += other.undecided
        self.unsettled += other.unsettled
        self.violations += other.violations
        if other._urgency() > self._urgency():
            self.nearest, self.worst_case = other.nearest, other.worst_case
        self.worst = max(self.worst, other.worst)
        self.truths_differ = max(self.truths_differ, other.truths_differ)
        for digits, many in other.agreement.items():
            self.agreement[digits] = self.agreement.get(digits, 0) + many
        for family, ends in other.reached.items():
            mine = self.reached.setdefault(family, [-np.inf, -np.inf])
            self.reached[family] = [max(pair) for pair in zip(mine, ends, strict=True)]
        self.orders |= other.orders


def find(cases: Tried, checks: Iterable[Check]) -> Evaluation:
    """Judge one family of cases."""
    found = Evaluation()
    for check in checks:
        found.add(_find(cases, check))
    return found


def _find(cases: Tried, check: Check) -> Evaluation:
    error, doubt, size, low, high, use, ends, scale, *_ = check
    relative = doubt / np.maximum(1, size)
    finite = np.isfinite(error) & np.isfinite(low) & np.isfinite(high) & np.isfinite(relative)
    settled = use & finite & (relative <= AGREEMENT)
    found = Evaluation(cases=int(settled.sum()), unsettled=int((use & ~settled).sum()))
    found.agreement = _agreement(relative[use & finite])
    if not settled.any():
        return found
    largest, unit = cases.largest[: len(error)], cases.unit[: len(error)]
    uncertain = _FAR_BELOW * doubt + _ROUNDING * np.maximum(np.maximum(1, size), largest)
    excess = np.maximum(low - error, error - high)
    clear = settled & (np.abs(excess) > uncertain)
    # An interval that is a point says "equal": as for S1, equality far below AGREEMENT decides.
    equal = settled & ~clear & (low == high) & (_FAR_BELOW * uncertain <= AGREEMENT * np.maximum(1, size))
    found.undecided = int((settled & ~clear & ~equal).sum())
    found.violations = int((clear & (excess > 0)).sum())
    found.truths_differ = float(relative[settled].max())
    if clear.any():
        outside = np.where(clear, excess * unit, -np.inf)
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):  # an interval may be a point
            ratio = np.nan_to_num(np.abs(error - low / 2 - high / 2) / (high / 2 - low / 2))
        found.worst = float(outside.max())
        shown = int((outside if found.worst > 0 else np.where(clear, ratio, -np.inf)).argmax())
        found.nearest, found.worst_case = float(ratio[shown]), _describe(cases, check, shown)
    if ends:
        scale = high - low if scale is None else scale
        near = settled & (uncertain <= 1e-4 * scale)
        left = {"low": error - low, "high": high - error}
        reached = [
            min(1.0, float((1 - left[end][near] / scale[near]).max())) if end in ends and near.any() else -np.inf
            for end in _ENDS
        ]
        found.reached[cases.family] = reached
    return found


def _agreement(relative: Array) -> dict[str, int]:
    """Count the cases by the power of ten to which their truths agree."""
    powers = np.ceil(np.log10(np.clip(relative, _SMALLEST_POWER, 1.0))).astype(int)
    return {f"1e{power:+03d}": int(many) for power, many in zip(*np.unique(powers, return_counts=True), strict=True)}


def _describe(cases: Tried, check: Check, i: int) -> dict[str, Any]:
    """Return everything that is needed to try case i again; null for what overflows outside of the case's unit."""
    unit, described = float(cases.unit[i]), cases.describe(i)
    described |= {name: float(getattr(check, name)[i]) * unit for name in ("error", "low", "high")}
    described["truths_differ"] = float(check.doubt[i]) * unit
    described |= {name: values[i].tolist() for name, values in check.given.items()}
    if check.note:
        described["about"] = check.note
    return _finite(described)


def _finite(value: Any) -> Any:
    """Replace numbers that are not finite by None, in dicts and lists too."""
    if isinstance(value, dict):
        return {name: _finite(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value
