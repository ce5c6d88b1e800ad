"""The report as a table for the terminal, and as a page."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from cfc_ref.report.result import Outcome, StatementResult

__all__ = ["markdown", "table"]

_HEAD = ("", "statement", "verdict", "expected", "cases", "outside by", "tightness")
_LEFT = 4  # columns of words; the numbers after them are aligned to the right


def table(report: Outcome) -> str:
    """Return one line per statement, then the remarks."""
    rows = [_HEAD]
    for s in report.statements:
        numbers = f"{s.cases:,}", _number(s.worst), _number(s.tightness)
        rows.append((s.name, s.title, s.verdict, s.expected, *numbers))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(
            f"{text:{'<' if k < _LEFT else '>'}{width}}"
            for k, (text, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
    lines.insert(1, "-" * len(lines[0]))
    return "\n".join([*(line.rstrip() for line in lines), "", *_remarks(report)])


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.6f}" if 0.9 < value <= 1 else f"{value:.2e}"


def _remarks(report: Outcome) -> Iterator[str]:
    """Yield the orders, the refutations, how far the truths differ, the input."""
    for s in report.statements:
        if s.orders:
            yield f"{s.name}: " + ", ".join(f"form {form!r}: order {v:.3f}" for form, v in s.orders.items())
        if s.violations and s.worst_case:
            yield _refutation(s, s.worst_case)
        elif s.verdict == "fails":
            yield f"{s.name} fails: no case is outside, but an order is not met or an end is not approached"
    differ = max((s.truths_differ for s in report.statements), default=0.0)
    unsettled = sum(s.unsettled for s in report.statements)
    yield f"The two truths (scipy, exact) differ by at most {differ:.1e} max(1, |x|) where a verdict rests on them;"
    yield f"{unsettled:,} comparisons were left out because they differ by more, or a number overflows."
    if missing := [s.name for s in report.statements if s.verdict == "not tested"]:
        yield f"Not tested, because no case decides: {', '.join(missing)}."
    yield '"outside by": largest distance outside of the bound (negative: inside) where the truths decide.'
    yield '"cases": comparisons; a case with mu != 0 is compared with both reflections, r = 1 - f(I) and r = f(-I).'
    fixed = "".join(f", {name}={value:g}" for name, value in report.fixed.items())
    yield f"{report.cases:,} random cases, seed {report.seed}{fixed}; recorded input: {report.recording.name}."
    yield "Nothing that should hold was violated." if report.ok else "A statement that should hold was VIOLATED."


def _refutation(s: StatementResult, case: dict[str, Any]) -> str:
    say = {name: f"{value:.4g}" for name, value in case.items() if isinstance(value, float)}
    neuron = ", ".join(f"{name}={say.get(name, 'overflow')}" for name in ("w_tau", "A", "mu", "sigma", "x0", "t"))
    error, low, high = (say.get(name, "overflow") for name in ("error", "low", "high"))
    about = f", {case['about']}" if "about" in case else ""
    return (
        f"{s.name} is refuted by {s.violations:,} cases; the worst: {neuron}{about}:\n"
        f"    error {error} outside of [{low}, {high}]"
    )


def markdown(report: Outcome, figures: Mapping[str, str]) -> str:
    """Return the report as a page in Markdown."""
    lines = ["# Statements about the closed form, checked", "", "```text", str(report), "```", ""]
    for s in report.statements:
        lines += [*_section(s), ""]
    for name, caption in figures.items():
        lines += [f"![{caption}]({name})", "", caption, ""]
    return "\n".join(lines)


def _section(s: StatementResult) -> Iterator[str]:
    yield from (f"## {s.name}: {s.title}", "", f"**{s.verdict}** (expected: {s.expected})", "")
    yield f"- Statement: `{s.equation}`"
    yield f"- About: {s.form}"
    yield f"- Assumptions: {s.assumptions}"
    yield f"- Checked: {s.how}"
    yield f"- {s.cases:,} cases: {s.violations:,} outside, {s.undecided:,} too near to the bound to be decided"
    yield f"- Truths differ by at most {s.truths_differ:.1e}; {s.unsettled:,} left out: more, or an overflow"
    agreement = ", ".join(f"{digits}: {many:,}" for digits, many in s.agreement.items())
    yield f"- Cases by how well their truths agree, relative to max(1, |x|): {agreement}"
    for family, ends in s.tightness_by_input.items():
        reached = [f"{end} end {v:.6f}" for end, v in zip(("lower", "upper"), ends, strict=True) if v is not None]
        if reached:
            yield f"- Approached by {family} input: {', '.join(reached)}"
    for form, order in s.orders.items():
        yield f"- Form {form!r}: observed order {order:.3f}"
    if s.worst_case:
        yield "- The case that refutes it most clearly, or comes nearest to that:"
        yield from ("", "```json", json.dumps(_shortened(s.worst_case), indent=1), "```")


def _shortened(case: dict[str, Any]) -> dict[str, Any]:
    """Leave long lists of pieces to report.json."""
    pieces = {k: v if len(v) <= 8 else f"{len(v)} values, see report.json" for k, v in case["pieces"].items()}
    return case | {"pieces": pieces}
