r"""Figures of steps and work: the convergence of the frozen forms to the LTC as stated, and the cost of accuracy.

Notation: :math:`y(s) = f(I(s))`, :math:`L_j` bounds its j-th derivative in time.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from cfc_ref import bounds, checks
from cfc_ref.arrays import Array
from cfc_ref.neuron.closed_forms import SAMPLES, frozen
from cfc_ref.neuron.exact_solution import exact
from cfc_ref.neuron.model import LTCNeuron
from cfc_ref.neuron.trajectory import solve
from cfc_ref.plots.style import (
    COLOURS,
    LOOKS,
    axes_or_new,
    curve,
    dress,
    known_range,
    one_neuron,
    one_signal,
    visible,
)
from cfc_ref.signals import Signal, SignalLike

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["SOLVERS", "WorkRow", "plot_order", "plot_work_precision", "work_precision"]

SOLVERS = ("RK45", "DOP853", "Radau", "LSODA")
_TOLERANCES = tuple(10.0**-k for k in range(3, 11))
_POINTS = 20  # times at which errors are measured
_HALVINGS = 8
_ROUNDING = 1e-12  # the truth is not known better: smaller errors do not count for a slope


class WorkRow(NamedTuple):
    r"""One run of one method; see :func:`work_precision`."""

    method: str  # scipy's name of the solver, or the sample of the frozen form
    setting: float  # its relative tolerance, or its step
    error: float  # largest \|error\| over the grid of times
    evaluations: int  # of f(I) by the method
    seconds: float | None  # median of the runs timed; None if none was


class _Counting(Signal):
    """A signal that counts the times at which it is evaluated."""

    def __init__(self, signal: Signal) -> None:
        self.signal, self.shape, self.breakpoints, self.asked = signal, signal.shape, signal.breakpoints, 0

    def _values(self, t: Array) -> Array:
        self.asked += t.size
        return self.signal(t)


def work_precision(
    neuron: LTCNeuron,
    signal: SignalLike,
    x0: float,
    t_end: float,
    *,
    tolerances: Sequence[float] = _TOLERANCES,
    halvings: int = _HALVINGS,
    repeats: int = 0,
) -> list[WorkRow]:
    r"""Measure error and work of scipy's solvers and of the frozen forms, on the LTC as stated.

    The error is taken against :func:`cfc_ref.exact` at 20 equally spaced times; work is the number of evaluations of
    :math:`f(I)`, the same on every machine with the same scipy.

    Notes
    -----
    The solvers' values between their own steps come from their interpolants, whose errors count too.
    """
    x0, signal = one_neuron(neuron, x0), one_signal(signal)
    times = _grid(t_end, _POINTS)
    for tolerance in tolerances:
        rtol = checks.numeric("tolerances", tolerance)
        checks.compare("tolerances", rtol, rtol > 0, "tolerances > 0", "try 1e-6")
    halvings, repeats = checks.count("halvings", halvings, at_least=1), checks.count("repeats", repeats)
    truth = exact(neuron, signal, x0, times)

    def row(method: str, setting: float, run: Callable[[Signal], Array]) -> WorkRow:
        counting = _Counting(signal)
        error = float(np.max(np.abs(run(counting) - truth)))
        return WorkRow(method, setting, error, counting.asked, _median_seconds(lambda: run(signal), repeats))

    def solver(method: str, rtol: float) -> Callable[[Signal], Array]:
        return lambda s: solve(neuron, s, x0, times, method=method, rtol=rtol, atol=rtol / 100)

    def frozen_form(sample: str, step: float) -> Callable[[Signal], Array]:
        return lambda s: frozen(neuron, s, x0, times, sample, step)

    steps = [float(times[0]) / 2**k for k in range(halvings)]
    rows = [row(method, rtol, solver(method, rtol)) for method in SOLVERS for rtol in tolerances]
    return rows + [row(sample, step, frozen_form(sample, step)) for sample in SAMPLES for step in steps]


def _grid(t_end: float, points: int) -> Array:
    end = checks.times("t_end", t_end)
    checks.compare("t_end", end, end > 0, "a time > 0", "pass the last time")
    if end.ndim:
        checks.refuse("t_end", f"shape {end.shape}", "one time", "pass a number")
    return np.linspace(0.0, float(end), points + 1)[1:]


def _median_seconds(run: Callable[[], Array], repeats: int) -> float | None:
    def seconds() -> float:
        start = time.perf_counter()
        run()
        return time.perf_counter() - start

    return statistics.median(seconds() for _ in range(repeats)) if repeats else None


def plot_work_precision(
    neuron: LTCNeuron,
    signal: SignalLike,
    x0: float,
    t_end: float,
    *,
    against: str = "evaluations",
    rows: list[WorkRow] | None = None,
    ax: Axes | None = None,
) -> Axes:
    r"""Draw the largest error of scipy's solvers and of the frozen forms over their work, on the LTC as stated.

    Both axes are logarithmic: further down and further left is better. Errors below 1e-16 are drawn at 1e-16; below
    about 1e-12 the truth itself is not known better.
    """
    against = checks.choice("against", against, ("evaluations", "seconds"))
    one_neuron(neuron, x0)
    if rows is None:
        rows = work_precision(neuron, signal, x0, t_end, repeats=5 if against == "seconds" else 0)
    if against == "seconds" and any(row.seconds is None for row in rows):
        checks.refuse("rows", "rows without seconds", "rows that were timed", "call work_precision with repeats=5")
    ax = axes_or_new(ax, height=4.8)
    for method in dict.fromkeys(row.method for row in rows):
        own = [row for row in rows if row.method == method]
        work = np.array([row.evaluations if against == "evaluations" else row.seconds for row in own], dtype=float)
        curve(ax, method, work, visible(np.array([row.error for row in own])), linewidth=1.2)
    ax.set_xscale("log")
    ax.set_yscale("log")
    x = "evaluations of f(I)" if against == "evaluations" else "time to solve (seconds)"
    title = f"LTC as stated: accuracy over work, up to t = {float(t_end):g}"
    dress(ax, title, x, "largest |error| (dimensionless)", columns=3)
    return ax


def plot_order(
    neuron: LTCNeuron,
    signal: SignalLike,
    x0: float,
    t_end: float,
    *,
    lipschitz: tuple[float, float, float, float],
    steps: npt.ArrayLike | None = None,
    ax: Axes | None = None,
) -> Axes:
    r"""Draw the error of the three frozen forms against the LTC as stated over their step, with slopes and bounds.

    .. math:: \max_t |x_{LTC}(t) - x_{frozen}(t)| \approx C\,h^p, \qquad p = 1, 2, 4

    The bounds (dashed) are those of :func:`cfc_ref.bounds.frozen_error`; the slopes in the legend are fitted to the
    measured errors above 1e-12.
    """
    x0, signal = one_neuron(neuron, x0), one_signal(signal)
    end = float(_grid(t_end, 1)[0])
    h = np.sort(checks.numeric("steps", end / 10 / 2.0 ** np.arange(7) if steps is None else steps).reshape(-1))[::-1]
    checks.compare("steps", h, (h > 0) & (h <= end), "steps in (0, t_end]", "pass shorter steps, all of them > 0")
    if h.size < 2:
        checks.refuse("steps", f"{h.size} steps", "at least two", "halve the step a few times")
    times = _grid(t_end, int(np.ceil(end / h[0] * (1 - 1e-12))))
    truth, known = exact(neuron, signal, x0, times), known_range(neuron, signal, end)
    errors, limits = {}, {}
    for sample in SAMPLES:
        runs = [frozen(neuron, signal, x0, times, sample, float(step)) - truth for step in h]
        errors[sample] = np.array([np.max(np.abs(run)) for run in runs])
        high = [bounds.frozen_error(neuron, x0, times, step, lipschitz, known, sample)[1] for step in h]
        limits[sample] = np.array([radius.max() for radius in high])
    ax = axes_or_new(ax, height=4.8)
    for sample in SAMPLES:
        name = LOOKS[sample].label
        curve(ax, sample, h, visible(errors[sample]), label=f"{name}{_slope(h, errors[sample])}")
        colour = COLOURS[LOOKS[sample].colour]
        ax.plot(h, visible(limits[sample]), color=colour, linestyle="--", label="its bound")
    ax.set_xscale("log")
    ax.set_yscale("log")
    title = f"LTC as stated: frozen forms over the step, up to t = {end:g}"
    dress(ax, title, "step h (units of time)", "largest |error| (dimensionless)", columns=2)
    return ax


def _slope(h: Array, error: Array) -> str:
    """Return the fitted order as text; "" if the errors are rounding."""
    above = error > _ROUNDING
    if above.sum() < 2:
        return ""
    return f": slope {np.polyfit(np.log(h[above]), np.log(error[above]), 1)[0]:.2f}"
