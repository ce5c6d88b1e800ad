r"""Figures of the worst inputs, which attain the bounds of the closed form, and of the size of these bounds.

Notation: :math:`w = w_\tau`, :math:`c = x_0 - A`, :math:`y = f(I)` in a known range [a, b].
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cfc_ref import bounds, checks
from cfc_ref.arrays import Array
from cfc_ref.bounds.neuron import extremal_control
from cfc_ref.neuron.closed_forms import eq9
from cfc_ref.neuron.exact_solution import constant_pieces, eq6
from cfc_ref.neuron.model import LTCNeuron
from cfc_ref.plots.style import (
    COLOURS,
    LOOKS,
    TIME_LABEL,
    axes_or_new,
    curve_times,
    dress,
    one_neuron,
    one_range,
    radius,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "plot_extremal",
    "plot_lemma1_extremal",
    "plot_search",
    "plot_worst_error_leak",
    "plot_worst_error_range",
]


class _Control(NamedTuple):
    """A release over time: `first` until `switch`, then `second`, and `last` at the final time only."""

    first: float
    second: float
    switch: float
    last: float

    def __str__(self) -> str:
        switches = np.isfinite(self.switch)
        then = f", {self.second:.3g} from t = {self.switch:.3g}" if switches else ""
        jumps = self.last != (self.second if switches else self.first)
        return f"f(I) = {self.first:.3g}{then}" + (f", {self.last:.3g} at the end" if jumps else "")


def plot_extremal(
    neuron: LTCNeuron,
    x0: float,
    t: npt.ArrayLike,
    *,
    f_range: tuple[float, float] = (0.1, 0.9),
    ax: Axes | None = None,
) -> Axes:
    r"""Draw the sharp interval of the closed form's error against the LTC as stated, and the inputs that attain it.

    .. math:: x_{LTC} - \tilde x \in \Big[ z_{min}(t) - \max_{y\in[a,b]} c\,e^{-wt} g_t(y),\;
              z_{max}(t) - \min_{y\in[a,b]} c\,e^{-wt} g_t(y) \Big]

    Each curve is the error under one input: its release y = f(I) is a or b, switches at most once (bang-bang), and
    jumps at the final time, which changes the closed form but not the state. There the error is the end of the
    interval, which is marked.
    """
    return _draw_extremal(neuron, x0, t, f_range, "ltc", ax)


def plot_lemma1_extremal(
    neuron: LTCNeuron,
    x0: float,
    t: npt.ArrayLike,
    *,
    f_range: tuple[float, float] = (0.1, 0.9),
    ax: Axes | None = None,
) -> Axes:
    r"""Draw Lemma 1's interval for the symmetric form, and the two switching inputs that reach its ends.

    .. math:: x_{sym} - \tilde x \in c\,e^{-wt}\,\big[\,e^{-bt} - g_t(a),\; e^{-at} - g_t(b)\,\big]

    Each curve is the error under an input that keeps f(I) at one end of the range and jumps to the other end at the
    last time; continuous inputs that switch just before come arbitrarily close.
    """
    return _draw_extremal(neuron, x0, t, f_range, "symmetric", ax)


def _draw_extremal(
    neuron: LTCNeuron, x0: float, t: npt.ArrayLike, f_range: tuple[float, float], form: str, ax: Axes | None
) -> Axes:
    x0, t, (a, b) = one_neuron(neuron, x0), curve_times(t), one_range(f_range)
    low, high = bounds.closed_form_error(neuron, x0, t, (a, b), form)
    controls = [_worst_control(neuron, x0, float(t[-1]), a, b, form, largest=largest) for largest in (False, True)]
    curves = [_error_under(neuron, x0, t, control, form) for control in controls]
    name = "LTC as stated" if form == "ltc" else "symmetric form"
    ax = axes_or_new(ax, height=5.0)
    band = "sharp interval" if form == "ltc" else "Lemma 1 for the range"
    ax.fill_between(t, low, high, color=COLOURS[LOOKS[form].colour], alpha=0.2, linewidth=0, label=band)
    looks = (("smallest", "blue", "--"), ("largest", "vermillion", "-"))
    for control, (times, error), (which, colour, line) in zip(controls, curves, looks, strict=True):
        ax.plot(times, error, color=COLOURS[colour], linestyle=line, label=f"{which} error: {control}")
    ends = [low[-1], high[-1]]
    ax.plot([t[-1]] * 2, ends, "o", color=COLOURS["black"], label="ends of the interval at the final time")
    ax.axhline(0.0, color=COLOURS["black"], linewidth=0.6)
    title = f"Closed form against the {name}, worst inputs, f(I) in [{a:.3g}, {b:.3g}]"
    dress(ax, title, TIME_LABEL, f"error: {name} − closed form\n(dimensionless)", columns=1)
    return ax


def _worst_control(
    neuron: LTCNeuron, x0: float, end: float, a: float, b: float, form: str, *, largest: bool
) -> _Control:
    """Return the release that makes "truth − closed form" largest (or smallest) at the time `end`."""
    c = np.asarray(x0 - neuron.A)
    # "Truth − closed form" is largest where c g(y) is smallest, and g falls with y.
    last = b if (c > 0) == largest else a
    if form == "symmetric":
        first = a + b - last
        return _Control(first, first, np.inf, last)
    first, second, switch = (
        float(v) for v in extremal_control(neuron, c, np.asarray(a), np.asarray(b), largest=largest)
    )
    return _Control(first, second, switch if switch < end else np.inf, last)


def _error_under(neuron: LTCNeuron, x0: float, t: Array, control: _Control, form: str) -> tuple[Array, Array]:
    """Return times and "truth − closed form" under a control, with two points where the control jumps."""
    edges = np.unique(np.concatenate([[0.0], t, [control.switch] if np.isfinite(control.switch) else []]))
    h = np.diff(edges)
    y = np.where(edges[:-1] < control.switch, control.first, control.second)
    if form == "ltc":
        x = constant_pieces(neuron.w_tau, neuron.A, y, h, np.asarray(x0))
    else:
        x = eq6(neuron.w_tau, neuron.A, x0, edges, np.concatenate([[0.0], np.cumsum(y * h)]))
    # Each edge twice, before and after a jump; the first has nothing before it.
    times, x = np.repeat(edges, 2)[1:], np.repeat(x, 2)[1:]
    error = x - eq9(neuron, np.asarray(x0), times, np.append(np.repeat(y, 2), control.last))
    shown = times >= t[0]
    return times[shown], error[shown]


def plot_worst_error_leak(
    *,
    A: float = 1.0,
    x0: float = 0.0,
    w_tau: npt.ArrayLike | None = None,
    t: npt.ArrayLike | None = None,
    f_range: tuple[float, float] = (0.1, 0.9),
    ax: Axes | None = None,
) -> Axes:
    r"""Map the largest possible error of the closed form against the LTC as stated, over leak and time.

    .. math:: \max_{f(I(\cdot)) \in [a,b]} |x_{LTC}(t) - \tilde x(t)|

    Both axes are logarithmic. f ≤ 1 sets the unit of time.
    """
    leaks = _positive("w_tau", np.geomspace(1e-3, 10, 121) if w_tau is None else w_tau)
    times = _positive("t", np.geomspace(1e-2, 1e3, 121) if t is None else t)
    one_neuron(LTCNeuron(1.0, A), x0)
    known = one_range(f_range)
    worst = radius(bounds.closed_form_error(LTCNeuron(leaks, A), x0, times, known)).T
    ax = axes_or_new(ax)
    ax.set_xscale("log")
    _heat_map(ax, leaks, times, worst)
    title = f"Closed form against the LTC as stated, A = {A:g}, x₀ = {x0:g}, f(I) in [{known[0]:.3g}, {known[1]:.3g}]"
    dress(ax, title, "leak w_τ (unit of f)", "time t (unit of 1/f)")
    return ax


def plot_worst_error_range(
    neuron: LTCNeuron,
    x0: float,
    *,
    t: npt.ArrayLike | None = None,
    width: npt.ArrayLike | None = None,
    ax: Axes | None = None,
) -> Axes:
    r"""Map the largest possible error of the closed form against the LTC as stated, over range of f(I) and time.

    .. math:: \max_{f(I(\cdot)) \in [\frac12 - \frac d2,\, \frac12 + \frac d2]} |x_{LTC}(t) - \tilde x(t)|

    At width d = 0 the input is constant and known, and the error that remains is that of the closed form itself.
    """
    x0 = one_neuron(neuron, x0)
    times = _positive("t", np.geomspace(1e-2, 1e2, 121) / neuron.w_tau if t is None else t)
    widths = curve_times(np.linspace(0, 1, 101) if width is None else width, name="width")
    checks.compare("width", widths, widths <= 1, "widths in [0, 1]", "pass b - a, f(I) lies in (0, 1)")
    t_grid, d_grid = np.meshgrid(times, widths, indexing="ij")
    worst = radius(bounds.closed_form_error(neuron, x0, t_grid, (0.5 - d_grid / 2, 0.5 + d_grid / 2)))
    ax = axes_or_new(ax)
    _heat_map(ax, widths, times, worst)
    w, A = float(neuron.w_tau), float(neuron.A)
    title = f"Closed form against the LTC as stated, w_τ = {w:.3g}, A = {A:.3g}, x₀ = {x0:.3g}"
    dress(ax, title, "width of the range of f(I) around ½ (dimensionless)", TIME_LABEL)
    return ax


def _positive(name: str, value: npt.ArrayLike) -> Array:
    """Check one axis of a map: increasing values > 0."""
    values = curve_times(value, name=name)
    checks.compare(name, values, values > 0, "values > 0", "remove 0, as the axis is logarithmic")
    return values


def _heat_map(ax: Axes, x: Array, t: Array, worst: Array) -> None:
    """Draw `worst`, shape (T, X), with lines of equal error and a colour bar."""
    ax.set_yscale("log")
    mesh = ax.pcolormesh(x, t, worst, shading="gouraud", cmap="viridis", rasterized=True)
    if np.ptp(worst) > 1e-6 * worst.max():
        lines = ax.contour(x, t, worst, levels=5, colors="white", linewidths=0.8)
        ax.clabel(lines, fontsize=9)
    ax.figure.colorbar(mesh, ax=ax, label="largest |error| over all inputs (dimensionless)")


def plot_search(
    best: npt.ArrayLike,
    supremum: float,
    label: str = "blind search",
    *,
    iterations: npt.ArrayLike | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the best value found by a search without theory over its iterations, and the proven supremum.

    Call it again with the same `ax` to compare searches.
    """
    values, limit = checks.numeric("best", best), checks.numeric("supremum", supremum)
    numbers = curve_times(np.arange(1.0, values.size + 1) if iterations is None else iterations, name="iterations")
    if values.shape != numbers.shape or limit.ndim:
        got = f"shape {values.shape} for {numbers.size} iterations, supremum of shape {limit.shape}"
        checks.refuse("best", got, "one value per iteration and one number", "pass one search at a time")
    share = f": {100 * values[-1] / limit:.3f} % of the supremum" if limit else ""
    ax = axes_or_new(ax)
    colours: list[Any] = [COLOURS[name] for name in ("blue", "vermillion", "green", "purple", "orange")]
    which = len(ax.lines) // 2
    line = ("-", "-.", ":")[which % 3]
    colour = colours[which % len(colours)]
    ax.plot(numbers, values, line, color=colour, drawstyle="steps-post", label=f"{label}{share}")
    ax.axhline(float(limit), color=colour, linestyle="--", label=f"proven supremum {float(limit):.6g}")
    dress(ax, "Blind search against the proven supremum", "iteration", "value found (dimensionless)", columns=2)
    return ax
