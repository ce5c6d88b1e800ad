"""The figures that ``cfc-ref bench --out`` saves: bars of times, and work over precision."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from cfc_ref.plots.style import COLOURS, dress, visible

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["bench_figures", "plot_bars", "plot_work_precision"]

_WAYS = {  # colour, line, marker; forms are drawn through, scipy dashed, compiled solvers dotted
    "fused": ("orange", "-", "o"),
    "frozen": ("green", "-", "s"),
    "frozen_midpoint": ("blue", "-", "^"),
    "cf4": ("vermillion", "-", "D"),
    "cf4 by step": ("purple", "-", "*"),
    "scipy RK45": ("black", "--", "x"),
    "scipy DOP853": ("purple", "--", "v"),
    "scipy LSODA": ("sky", "--", "P"),
    "scipy Radau": ("vermillion", "--", "d"),
    "diffrax Tsit5": ("black", ":", "o"),
    "diffrax Dopri5": ("blue", ":", "D"),
    "diffrax Dopri8": ("purple", ":", "s"),
    "diffrax Kvaerno5": ("vermillion", ":", "^"),
    "numbalsoda LSODA": ("sky", ":", "v"),
    "numbalsoda DOP853": ("green", ":", "x"),
    "torchdiffeq dopri5": ("orange", ":", "P"),
    "JAX RK4": ("orange", ":", "d"),
}


def bench_figures(results: Sequence[Any], title: Callable[[str], str]) -> Iterator[tuple[str, Figure]]:
    """Yield file names and figures that have something to show."""
    from matplotlib.figure import Figure

    compared = [
        result for result in results if not any("way" in row.details or "series" in row.details for row in result.rows)
    ]
    if compared:
        columns = min(2, len(compared))
        lines = -(-len(compared) // columns)
        figure = Figure(figsize=(6.2 * columns, 2.9 * lines), dpi=100, layout="constrained")
        axes = figure.subplots(lines, columns, squeeze=False).ravel()
        for ax, result in zip(axes, compared, strict=False):
            plot_bars(result, title, ax=ax)
        for ax in axes[len(compared) :]:
            ax.set_axis_off()
        yield "bench.png", figure
    for result in results:
        if any("error" in row.details for row in result.rows):
            figure = Figure(figsize=(7.2, 6.2), dpi=100, layout="constrained")
            plot_work_precision(result, ax=figure.subplots())
            yield f"work_precision{result.workload.removeprefix('solvers')}.png", figure


def plot_bars(result: Any, title: Callable[[str], str], *, ax: Axes) -> Axes:
    """Draw one workload's medians as bars on a logarithmic axis, with the quartiles."""
    from matplotlib.ticker import NullFormatter

    rows = sorted(result.rows, key=lambda row: row.median)
    size, unit = (1e6, "µs") if rows[0].median < 1e-3 else (1e3, "ms")
    low, middle, high = size * np.array([row.spread for row in rows]).T
    colours = [COLOURS[_colour(row.name)] for row in rows]
    at = np.arange(len(rows))
    ax.barh(at, middle, xerr=[middle - low, high - middle], color=colours, ecolor=COLOURS["black"], log=True)
    ax.set_yticks(at, [title(row.name) for row in rows])
    ax.invert_yaxis()
    ax.xaxis.set_minor_formatter(NullFormatter())  # where there is one power of ten they would cover each other
    ax.set_xlim(low.min() / 3, high.max() * 5)
    for k, value in enumerate(middle):
        text = f"{value:,.3g}" if value < 1000 else f"{value:,.0f}"
        ax.annotate(text, (high[k], k), (4, 0), textcoords="offset points", va="center", fontsize=8)
    dress(ax, result.workload, f"time of {result.unit} ({unit})", "")
    return ax


def _colour(name: str) -> str:
    if name.startswith("limit"):
        return "black"
    return {"numba": "blue", "numpy": "sky"}.get(name, "orange")


def plot_work_precision(result: Any, *, ax: Axes) -> Axes:
    """Draw the time per step over the largest error, both logarithmic, and the CfC's time as a line."""
    for way, (colour, line, marker) in _WAYS.items():
        rows = [row for row in result.rows if row.details["way"] == way]
        if rows:
            error = visible(np.array([row.details["error"] for row in rows], float))
            time = 1e6 * np.array([row.median for row in rows])
            ax.plot(error, time, color=COLOURS[colour], linestyle=line, marker=marker, markersize=5, label=way)
    for row in result.rows:
        if row.details["way"] == "CfC":
            ax.axhline(1e6 * row.median, color=COLOURS["black"], linewidth=1.2, label="CfC of the same size (no ODE)")
    ax.set(xscale="log", yscale="log")
    ax.invert_xaxis()
    dress(
        ax,
        f"LTC, C x' = Q − G x ({result.workload}): closed forms and solvers",
        "largest error (dimensionless)",
        "time of a step (µs)",
        columns=3,
    )
    return ax
