"""The speed of CF4 compared with each solver at equal accuracy."""

from __future__ import annotations

from collections.abc import Sequence

from cfc_ref.bench.results import Finding, Row

__all__ = ["findings"]

_LEVELS = tuple(10.0**-k for k in range(1, 10))
_OF_COMPILED = {1e-1: 1.0, 1e-2: 3.0, 1e-3: 3.0, 1e-4: 3.0, 1e-5: 1.0, 1e-6: 1.5}  # what was asked for
_OF_SCIPY = 20.0


def findings(rows: Sequence[Row], *, targets: bool) -> list[Finding]:
    """Return how many times faster the CfC is than each package, and CF4 at each error than the fastest solver."""
    found = []
    cfc = next(row for row in rows if row.details["way"] == "CfC")
    packages = {row.details["way"].split()[0] for row in rows if "rtol" in row.details}
    for package in sorted(packages):
        times = [row.median / cfc.median for row in rows if row.details["way"].startswith(package)]
        found += [Finding(f"{package}, fastest / CfC", min(times)), Finding(f"{package}, slowest / CfC", max(times))]
    compiled = [row for row in rows if row.details["way"].split()[0] in ("diffrax", "numbalsoda", "JAX")]
    scipy = [row for row in rows if row.details["way"].startswith("scipy")]
    ours = [row for row in rows if row.details["way"].startswith("cf4")]
    for level in _LEVELS:
        best = _fastest(ours, level)
        for who, others, least in (
            ("compiled solver", compiled, _OF_COMPILED.get(level)),
            ("scipy solver", scipy, _OF_SCIPY if level >= 1e-6 else None),
        ):
            other = _fastest(others, level)
            if best is None or other is None:
                continue
            what = f"error {level:.0e}: fastest {who} ({other.name}) / {best.name}"
            target = None if least is None or not targets else (least, None)
            found.append(Finding(what, other.median / best.median, target))
    return found


def _fastest(rows: Sequence[Row], level: float) -> Row | None:
    """Return the fastest of those whose error is at most a level."""
    exact = [row for row in rows if row.details["error"] <= level]
    return min(exact, key=lambda row: row.median, default=None)
