"""Show the results of a benchmark: lines on the terminal, a page of Markdown, and files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cfc_ref import checks
from cfc_ref.bench.peers import PEERS
from cfc_ref.bench.results import Finding, Result, Row, to_json

__all__ = ["heading", "lines", "markdown", "write"]

_UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (0.0, "ns"))


def _time(seconds: float) -> str:
    """Return a time in the unit that suits it, to three digits."""
    size, unit = next(pair for pair in _UNITS if seconds >= pair[0])
    return f"{seconds / (size or 1e-9):.3g} {unit}" if seconds < 1000 else f"{seconds:,.0f} s"


def _title(name: str) -> str:
    return PEERS[name].title if name in PEERS else name


def heading(about: dict[str, Any]) -> list[str]:
    """Return the machine and the versions, and a warning where the machine was busy."""
    machine, threads, versions = about["machine"], about["threads"], about["versions"]
    told = [
        f"{machine['processor']}, {machine['cores']} cores; everyone uses {threads} thread{'s' * (threads > 1)}",
        ", ".join(f"{name} {version}" for name, version in versions.items()),
    ]
    if about["load"] is not None and about["load"] > 0.5:
        told.append(f"Other programs are running (load {about['load']:.1f}): these times are not to be relied on.")
    return told


def _cells(row: Row) -> list[str]:
    low, middle, high = row.spread
    cells = [_title(row.name), _time(middle), f"{_time(low)} to {_time(high)}"]
    if "error" in row.details:
        cells.append(f"error {row.details['error']:.1e}, {row.details['steps']:,} steps")
    elif "megabytes" in row.details:
        cells.append(f"{row.details['megabytes']:.0f} MB")
    else:
        cells.append("")
    return cells


def _told(finding: Finding) -> list[str]:
    return [" / ".join(map(_title, finding.what.split(" / "))), f"{finding.value:.3g}", finding.verdict]


def lines(result: Result) -> list[str]:
    """Return a result as a table for the terminal."""
    rows, findings = [_cells(row) for row in result.rows], [_told(finding) for finding in result.findings]
    wide = max(map(len, (cells[0] for cells in [*rows, *findings])))
    table = [f"{result.workload}: {result.description} (time of {result.unit}: median, quartiles)"]
    table += [f"  {name:{wide}}  {time:>8}  {spread:20}  {more}".rstrip() for name, time, spread, more in rows]
    table += [f"  {what:{wide}}  {value:>8}  {verdict}".rstrip() for what, value, verdict in findings]
    table += [f"  {_title(who)}: skipped, {reason}" for who, reason in result.skipped.items()]
    return table + [f"  {note}" for note in result.notes]


def markdown(about: dict[str, Any], results: list[Result]) -> str:
    """Return a page of Markdown."""
    parts = ["# Benchmark", "\n\n".join(heading(about)), f"{about['date']}. Times are medians."]
    asked = [[one.workload, *_told(finding)] for one in results for finding in one.findings if finding.target]
    if asked:
        rows = [f"| {' | '.join(cells)} |" for cells in asked]
        parts.append("\n".join(["| Workload | Figure | Value | Target |", "|---|---|---|---|", *rows]))
    for result in results:
        parts.append(f"## {result.workload}\n\n{result.description}.")
        rows = [f"| {' | '.join(_cells(row))} |" for row in result.rows]
        parts.append("\n".join([f"| Who | Time of {result.unit} | Quartiles | |", "|---|---|---|---|", *rows]))
        if result.findings:
            told = [f"| {' | '.join(_told(finding))} |" for finding in result.findings]
            parts.append("\n".join(["| Figure | Value | Target |", "|---|---|---|", *told]))
        said = [f"{_title(who)}: skipped, {reason}." for who, reason in result.skipped.items()]
        parts += [*said, *result.notes]
    return "\n\n".join(parts) + "\n"


def write(folder: Path, about: dict[str, Any], results: list[Result]) -> list[str]:
    """Write bench.json, bench.md and, where matplotlib is installed, the figures, and return their names."""
    from cfc_ref.io import write_atomically

    everything = {"format": "cfc_ref bench", "version": 1, **about, "workloads": [to_json(one) for one in results]}
    write_atomically(folder / "bench.json", json.dumps(everything, indent=1, allow_nan=False).encode())
    write_atomically(folder / "bench.md", markdown(about, results).encode())
    names = ["bench.json", "bench.md"]
    if not checks.installed("matplotlib"):
        return names
    from cfc_ref.plots.timings import bench_figures

    for name, figure in bench_figures(results, _title):
        write_atomically(folder / name, png(figure))
        names.append(name)
    return names


def png(figure: Any) -> bytes:
    """Return a figure as the bytes of a PNG file."""
    import io

    with io.BytesIO() as file:
        figure.savefig(file, format="png")
        return file.getvalue()
