"""The report as a table for the terminal, and as a page that can be read by itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

import cfc_ref
from cfc_ref.report.legend import CITATION, EQUATIONS, METHOD, SYMBOLS
from cfc_ref.report.result import Outcome, StatementResult, versions
from cfc_ref.report.thinning import Thinned

__all__ = ["OWN_FIGURE", "markdown", "table"]

OWN_FIGURE = "samples.png"
_HEAD = ("", "statement", "verdict", "expected", "cases", "error/bound", "tightness")
_LEFT = 4  # columns of words; the numbers after them are aligned to the right


def table(report: Outcome) -> str:
    """Return one line per statement, then the remarks."""
    rows = [_HEAD]
    for s in report.statements:
        numbers = f"{s.cases:,}", _number(s.nearest), _number(s.tightness)
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
            yield f"{s.name} is refuted by {s.violations:,} cases; the worst: {_case(s.worst_case)}"
        elif s.verdict == "fails":
            yield f"{s.name} fails: no case is outside, but an order is not met or an end is not approached"
    yield _agreement(report)
    if missing := [s.name for s in report.statements if s.verdict == "not tested"]:
        yield f"Not tested, because no case decides: {', '.join(missing)}."
    yield '"error/bound": of the case that is shown, the farthest outside or the nearest to its bound; 1 is an end.'
    yield '"cases": comparisons; a case with mu != 0 is compared with both reflections, r = 1 - f(I) and r = f(-I).'
    fixed = "".join(f", {name}={value:g}" for name, value in report.fixed.items())
    yield f"{report.cases:,} random cases, seed {report.seed}{fixed}; recorded input: {report.recording.name}."
    yield from _widths(report)
    yield "Nothing that should hold was violated." if report.ok else "A statement that should hold was VIOLATED."


def _agreement(report: Outcome) -> str:
    differ = max((s.truths_differ for s in report.statements), default=0.0)
    unsettled = sum(s.unsettled for s in report.statements)
    return (
        f"The two truths (scipy, exact) differ by at most {differ:.1e} max(1, |x|) where a verdict rests on them;\n"
        f"comparisons left out because they differ by more, or a number overflows: {unsettled:,}."
    )


def _widths(report: Outcome) -> Iterator[str]:
    """Yield how wide the recording's samples leave the state, or why that is not known."""
    thin = report.thinned
    if thin is None or not thin.widths:
        yield f"What samples of the recording leave open is not given: {_not_thinned(thin)}."
        return
    widths = ", ".join(f"every {k}: {width:.3g}" for k, width in thin.widths.items())
    spread = thin.range_of_state[1] - thin.range_of_state[0]
    yield f"What samples of the recording leave open, at most (the state moves over {spread:.3g}): {widths};"
    yield f"assumed is that its slope is at most {thin.lipschitz:.4g}, the largest in the recording."


def _not_thinned(thin: Thinned | None) -> str:
    """Return why no widths are given."""
    if thin is None:
        return "its numbers overflow for the one neuron that is tried on it"
    if thin.lipschitz is None:
        return "the recording jumps, so that no Lipschitz constant bounds what lies between its samples (S16)"
    return "too few samples to thin (3 are needed)"


def _case(case: dict[str, Any]) -> str:
    """Return a case in one line; everything else about it is in report.json."""
    say = {name: f"{value:.4g}" for name, value in case.items() if isinstance(value, (int, float))}
    names = [name for name in ("w_tau", "A", "mu", "sigma", "x0", "t", "lipschitz", "step") if name in case]
    neuron = ", ".join(f"{name}={say.get(name, 'overflow')}" for name in names)
    error, low, high = (say.get(name, "overflow") for name in ("error", "low", "high"))
    about = f", {case['about']}" if "about" in case else ""
    where = "inside" if _inside(case) else "outside"
    return f"{neuron}{about}, {case.get('input', '')} input:\n    error {error} {where} of [{low}, {high}]"


def _inside(case: dict[str, Any]) -> bool:
    error, low, high = (np.nan if case[name] is None else case[name] for name in ("error", "low", "high"))
    return bool(low <= error <= high)


# --- the page


def markdown(report: Outcome, figures: Mapping[str, str], when: Mapping[str, str]) -> str:
    """Return the report as a page in Markdown; `figures` are file names with captions."""
    lines = ["# Closed-form liquid networks: the statements, checked", "", *_head(report, when), ""]
    lines += [*_summary(report), "", EQUATIONS, "", "| Symbol | Meaning |", "|---|---|"]
    lines += [f"| {symbol} | {meaning} |" for symbol, meaning in SYMBOLS.items()]
    lines += ["", METHOD, "", _agreement(report).replace("\n", " "), "", *_recording(report, figures), ""]
    shown: dict[str, str] = {OWN_FIGURE: "the recorded input"} if OWN_FIGURE in figures else {}
    for s in report.statements:
        lines += [*_section(s), "", *_pictures(s, figures, shown)]
    lines += [CITATION.format(version=cfc_ref.__version__), ""]
    return "\n".join(lines)


def _head(report: Outcome, when: Mapping[str, str]) -> Iterator[str]:
    built = ", ".join(f"{name} {version}" for name, version in versions().items())
    fixed = ", ".join(f"{name} = {value:g}" for name, value in report.fixed.items()) or "none"
    yield f"- Date: {when['date']}"
    yield f"- Command: `{when['command']}`"
    yield f"- Random cases: {report.cases:,}; seed: {report.seed}; values that are fixed in all of them: {fixed}"
    yield f"- Recorded input: {report.recording.name}"
    yield f"- Versions: {built}"


def _summary(report: Outcome) -> Iterator[str]:
    yield from ("## In short", "")
    failed = [s.name for s in report.statements if s.verdict == "fails" and s.expected == "fails"]
    expected = f" That {' and '.join(failed)} fail{'s' if len(failed) == 1 else ''} is expected." if failed else ""
    ok = "Nothing that should hold was violated." if report.ok else "**A statement that should hold was violated.**"
    yield from (ok + expected, "")
    yield "| | Statement | About | Verdict | Cases | Error over bound | Tightness |"
    yield "|---|---|---|---|---:|---:|---:|"
    for s in report.statements:
        verdict = s.verdict if s.verdict == s.expected else f"**{s.verdict}** (expected: {s.expected})"
        cells = s.name, s.title, s.form, verdict, f"{s.cases:,}", _number(s.nearest), _number(s.tightness)
        yield f"| {' | '.join(cells)} |"


def _recording(report: Outcome, figures: Mapping[str, str]) -> Iterator[str]:
    """Yield what the recording itself gave."""
    yield from ("## The recorded input", "")
    thin = report.thinned
    if thin is None:
        yield f"{report.recording.name}. Nothing is given: {_not_thinned(thin)}."
        return
    neuron = ", ".join(f"{name} = {value:.4g}" for name, value in thin.neuron.items())
    used = "all of it" if thin.samples == thin.of else f"its first {thin.samples:,} of {thin.of:,} samples"
    yield (
        f"{report.recording.name}; used in this section: {used}, the first channel, over {thin.duration:.6g} units of "
        f"time. One neuron: {neuron}. The largest error of Eq. 9 is {thin.largest_errors['symmetric']:.4g} against the "
        f"symmetric form and {thin.largest_errors['ltc']:.4g} against the LTC as stated, whose state moves from "
        f"{thin.range_of_state[0]:.4g} to {thin.range_of_state[1]:.4g}. The statements below are tried on random "
        "pieces of the recording, of at most 1,024 samples, with random neurons."
    )
    yield ""
    if not thin.widths:
        yield f"What samples leave open is not given: {_not_thinned(thin)}."
        return
    yield (
        "Suppose that only every k-th sample is known, and that the slope of the input is at most "
        f"K = {thin.lipschitz:.6g}, the largest slope in the recording. This K is an assumption: a faster input "
        "between the samples that are kept would not be covered. Then the state is known up to an interval (S16), "
        "at its widest:"
    )
    yield from ("", "| every k-th sample | widest interval | of the state's range |", "|---:|---:|---:|")
    spread = max(thin.range_of_state[1] - thin.range_of_state[0], 1e-300)
    yield from (f"| {k} | {width:.4g} | {100 * width / spread:.3g} % |" for k, width in thin.widths.items())
    yield ""
    yield "The state under the whole recording is inside of all of them." if thin.inside else "**A state is outside.**"
    if OWN_FIGURE in figures:
        yield from ("", f"![The samples and what they leave open]({OWN_FIGURE})", "", f"*{figures[OWN_FIGURE]}*")


def _section(s: StatementResult) -> Iterator[str]:
    yield from (f"## {s.name}: {s.title}", "", f"**{s.verdict}** (expected: {s.expected})", "")
    yield f"- Statement: `{s.equation}`"
    yield f"- About: {s.form}"
    yield f"- Assumptions: {s.assumptions}"
    yield f"- Checked: {s.how}"
    decided = s.cases - s.undecided
    yield (
        f"- Comparisons: {s.cases:,}; decided {decided:,}, outside {s.violations:,}; undecided {s.undecided:,};"
        f" left out {s.unsettled:,}. The two truths differ by at most {s.truths_differ:.1e}."
    )
    for family, ends in s.tightness_by_input.items():
        reached = [f"{end} end {v:.6f}" for end, v in zip(("lower", "upper"), ends, strict=True) if v is not None]
        if reached:
            yield f"- Approached by {family} input: {', '.join(reached)}"
    for form, order in s.orders.items():
        yield f"- Form {form!r}: observed order {order:.3f}"
    if s.worst_case:
        kind = "Farthest outside" if s.violations else f"Nearest to its bound ({_number(s.nearest)} of the way)"
        yield f"- {kind}: {_case(s.worst_case)}".replace("\n    ", " ") + "; the whole case is in report.json"


def _pictures(s: StatementResult, figures: Mapping[str, str], shown: dict[str, str]) -> Iterator[str]:
    """Yield the figures of a statement, those of an earlier one by reference."""
    for name in s.figures:
        if name in shown:
            yield from (f"Figure: see {shown[name]} (`{name}`).", "")
        elif name in figures:
            shown[name] = s.name
            yield from (f"![{s.name}: {s.title}]({name})", "", f"*{figures[name]}*", "")
