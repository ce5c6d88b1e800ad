"""The results of a benchmark, written to bench.json and read back."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from cfc_ref.bench.timing import quartiles

__all__ = ["Finding", "Result", "Row", "from_json", "ratio", "to_json"]


class Row(NamedTuple):
    """Who was measured, and how long it takes."""

    name: str  # who
    seconds: list[float]  # of one unit of the work, in each turn
    details: dict[str, Any] = {}  # noqa: RUF012 - never written to

    @property
    def spread(self) -> tuple[float, float, float]:
        """Lower quartile, median, upper quartile."""
        return quartiles(self.seconds)

    @property
    def median(self) -> float:
        """Seconds of one unit of the work."""
        return self.spread[1]


class Finding(NamedTuple):
    """A figure that is to lie in a range."""

    what: str  # what it is
    value: float  # the figure
    # the range that was asked for, without an upper end where that is None; None where the figure is told only
    target: tuple[float, float | None] | None = None

    @property
    def reached(self) -> bool | None:
        """Return whether the ratio is within its target."""
        if self.target is None:
            return None
        low, high = self.target
        return low <= self.value and (high is None or self.value <= high)

    @property
    def verdict(self) -> str:
        """The target, and whether it is reached, in words."""
        if self.target is None:
            return ""
        low, high = self.target
        wanted = (
            f"at least {low:.3g}" if high is None else f"at most {high:.3g}" if low == 0 else f"{low:.3g} to {high:.3g}"
        )
        return f"{wanted}: {'reached' if self.reached else 'not reached'}"


class Result(NamedTuple):
    """One workload's."""

    workload: str  # workload, description, unit: its name, what it runs, and what one unit of its work is
    description: str
    unit: str
    rows: list[Row]  # times
    findings: list[Finding]  # ratios, exponents, memory
    skipped: dict[str, str]  # who was left out, and why
    notes: list[str]  # what else there is to say


def ratio(rows: list[Row], ours: str, other: str, limit: float | None = None) -> list[Finding]:
    """Return our time over another's, where both were measured, as one finding or none."""
    medians = {row.name: row.median for row in rows}
    if ours not in medians or other not in medians or ours == other:
        return []
    target = None if limit is None else (0.0, limit)
    return [Finding(f"{ours} / {other}", medians[ours] / medians[other], target)]


def to_json(result: Result) -> dict[str, Any]:
    """Return a result as JSON holds it; medians and verdicts are there for who reads it."""
    rows = []
    for row in result.rows:
        low, middle, high = row.spread
        times = {"median": middle, "lower_quartile": low, "upper_quartile": high, "seconds": row.seconds}
        rows.append({"name": row.name, **times, "details": {key: _finite(value) for key, value in row.details.items()}})
    findings = [{**finding._asdict(), "reached": finding.reached} for finding in result.findings]
    return {**result._asdict(), "rows": rows, "findings": findings}


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def from_json(read: dict[str, Any]) -> Result:
    """Return the result that :func:`to_json` wrote."""
    rows = [Row(row["name"], row["seconds"], row["details"]) for row in read["rows"]]
    findings = [
        Finding(one["what"], one["value"], None if one["target"] is None else tuple(one["target"]))
        for one in read["findings"]
    ]
    rest = {key: read[key] for key in ("workload", "description", "unit", "skipped", "notes")}
    return Result(rows=rows, findings=findings, **rest)
