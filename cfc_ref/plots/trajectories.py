r"""Figures of one neuron over time under one input: its forms, their errors, and the bounds on them.

Every function draws into the given `ax`, or into a new figure, and returns the Axes. State and input are dimensionless;
time is in the unit in which w_tau is one over time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from cfc_ref import bounds, checks
from cfc_ref.arrays import Array
from cfc_ref.neuron.closed_forms import SAMPLES, closed_form, frozen
from cfc_ref.neuron.exact_solution import eq6, exact
from cfc_ref.neuron.model import LTCNeuron
from cfc_ref.plots.style import (
    COLOURS,
    ERROR_FLOOR,
    LOOKS,
    STATE_LABEL,
    TIME_LABEL,
    axes_or_new,
    curve,
    curve_times,
    dress,
    known_range,
    one_neuron,
    one_signal,
    radius,
    visible,
)
from cfc_ref.signals import Signal, SignalLike

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "plot_closed_form_steps",
    "plot_error",
    "plot_forms",
    "plot_integral",
    "plot_signal",
    "plot_time_constant",
]

_NODES = 12  # Gauss points between two times of a curve, for F


def plot_signal(signal: SignalLike, t: npt.ArrayLike, *, ax: Axes | None = None) -> Axes:
    """Draw the input I(t), with vertical jumps."""
    signal = one_signal(signal)
    t = curve_times(t, signal)
    values = signal(t)
    ax = axes_or_new(ax, height=2.6)
    ax.plot(t, values, color=COLOURS["black"])
    dress(ax, "Input I(t)", TIME_LABEL, "input I (dimensionless)")
    return ax


def plot_time_constant(neuron: LTCNeuron, signal: SignalLike, t: npt.ArrayLike, *, ax: Axes | None = None) -> Axes:
    r"""Draw the system's time constant, the same for both ODEs, with its bounds.

    .. math:: \frac{\tau}{1+\tau} \le \frac{1}{w_\tau+b} \le \tau_{sys}(t) = \frac{1}{w_\tau + f(I(t))}
              \le \frac{1}{w_\tau+a} \le \tau = \frac{1}{w_\tau}
    """
    one_neuron(neuron, 0.0)
    signal = one_signal(signal)
    t = curve_times(t, signal)
    tau = 1 / (neuron.w_tau + neuron.release(signal(t)))
    a, b = known_range(neuron, signal, t[-1])
    inner, outer = bounds.time_constant(neuron, (a, b)), bounds.time_constant(neuron)
    ax = axes_or_new(ax)
    ax.plot(t, tau, color=COLOURS["black"], label=r"$\tau_{sys}(t) = 1/(w_\tau + f(I(t)))$")
    ax.axhspan(float(inner[0]), float(inner[1]), color=COLOURS["sky"], alpha=0.25, label=_for_range("bounds", a, b))
    for end, line, name in zip(outer, (":", "--"), (r"$\tau/(1+\tau)$", r"$\tau = 1/w_\tau$"), strict=True):
        ax.axhline(float(end), color=COLOURS["vermillion"], linestyle=line, label=f"{name}, any input")
    title = "Time constant of the LTC as stated and of the symmetric form"
    dress(ax, title, TIME_LABEL, "time constant τ_sys (units of time)", columns=2)
    return ax


def plot_integral(neuron: LTCNeuron, signal: SignalLike, t: npt.ArrayLike, *, ax: Axes | None = None) -> Axes:
    r"""Draw the exponent of Eq. 6 and its replacement in Eq. 9.

    .. math:: F(t) = \int_0^t f(I(s))\,ds \;\text{(the whole past)}, \qquad f(I(t))\,t \;\text{(one look at time t)}

    Both lie between a t and b t for f(I) in [a, b].
    """
    one_neuron(neuron, 0.0)
    signal = one_signal(signal)
    t = curve_times(t, signal)
    F, y = _integral(neuron, signal, t), neuron.release(signal(t))
    a, b = known_range(neuron, signal, t[-1])
    ax = axes_or_new(ax)
    curve(ax, "symmetric", t, F, label=r"$F(t) = \int_0^t\, f(I(s))\,ds$ (Eq. 6)")
    curve(ax, "closed", t, y * t, label=r"$f(I(t))\,t$ (Eq. 9)")
    ax.fill_between(t, a * t, b * t, color=COLOURS["sky"], alpha=0.2, label=_for_range("between a t and b t", a, b))
    title = "The exponent of the symmetric form and its replacement"
    dress(ax, title, TIME_LABEL, "exponent (dimensionless)", columns=2)
    return ax


def _integral(neuron: LTCNeuron, signal: Signal, t: Array) -> Array:
    """Return F at the times `t`, by Gauss's rule between them (and between them and the signal's breakpoints)."""
    edges = np.unique(np.concatenate([[0.0], t, signal.breakpoints[signal.breakpoints > 0]]))
    edges = edges[edges <= t[-1]]
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    h = np.diff(edges)
    y = neuron.release(signal(edges[:-1, None] + h[:, None] * (nodes + 1) / 2))
    F = np.concatenate([[0.0], np.cumsum(h * (y @ weights) / 2)])
    return F[np.searchsorted(edges, t)]


def plot_closed_form_steps(
    neuron: LTCNeuron, signal: SignalLike, x0: float, t: npt.ArrayLike, *, ax: Axes | None = None
) -> Axes:
    r"""Draw the steps from Eq. 6 to Eq. 9, for the symmetric form.

    .. math::
        \text{Eq. 6, exact:}\quad & A + (x_0-A)\,e^{-w_\tau t - F(t)} \\
        \text{one look at the input:}\quad & A + (x_0-A)\,e^{-w_\tau t - f(I(t))\,t} \\
        \text{Eq. 9, with the factor r:}\quad & A + (x_0-A)\,e^{-w_\tau t - f(I(t))\,t}\; r\big(f(I(t))\big)

    The factor makes the closed form begin at A + (x0 − A) r(f(I(0))), the open circle, not at x0.
    """
    x0, signal = one_neuron(neuron, x0), one_signal(signal)
    t = curve_times(t, signal)
    truth = exact(neuron, signal, x0, t, form="symmetric")
    one_look = eq6(neuron.w_tau, neuron.A, x0, t, neuron.release(signal(t)) * t)
    approximation = closed_form(neuron, signal, x0, t)
    begin = float(closed_form(neuron, signal, x0, 0.0))
    ax = axes_or_new(ax)
    curve(ax, "symmetric", t, truth)
    ax.plot(t, one_look, color=COLOURS["green"], linestyle=":", linewidth=2, label="Eq. 6 with F(t) → f(I(t)) t")
    curve(ax, "closed", t, approximation)
    if t[0] == 0:
        ax.plot([0.0], [x0], "o", color=COLOURS["black"], markersize=6, label=r"start $x_0$")
        name = r"closed form at t = 0: $A + (x_0 - A)\,r$"
        ax.plot([0.0], [begin], "o", color=COLOURS["black"], markersize=6, markerfacecolor="white", label=name)
        ax.annotate("", (0.0, begin), (0.0, x0), arrowprops={"arrowstyle": "->", "color": COLOURS["vermillion"]})
    dress(ax, "Symmetric form: from the exact Eq. 6 to the closed form Eq. 9", TIME_LABEL, STATE_LABEL, columns=2)
    return ax


def plot_forms(
    neuron: LTCNeuron,
    signal: SignalLike,
    x0: float,
    t: npt.ArrayLike,
    *,
    step: float | None = None,
    ax: Axes | None = None,
) -> Axes:
    r"""Draw both ODEs, the closed form and the frozen forms under one input, with the bands around the closed form.

    .. math:: x_{sym} \in \tilde x + c\,e^{-wt}\,[\,e^{-bt} - g_t(a),\; e^{-at} - g_t(b)\,] \;\text{(Lemma 1)}, \qquad
              x_{LTC} \in \tilde x + \text{the sharp interval}

    [a, b] is the range of f(I) over the whole time drawn; see :func:`cfc_ref.bounds.lemma1` and
    :func:`cfc_ref.bounds.closed_form_error`.
    """
    x0, signal = one_neuron(neuron, x0), one_signal(signal)
    t = curve_times(t, signal)
    states = {form: exact(neuron, signal, x0, t, form=form) for form in ("ltc", "symmetric")}
    states["closed"] = closed_form(neuron, signal, x0, t)
    a, b = known_range(neuron, signal, t[-1])
    bands = {form: bounds.closed_form_error(neuron, x0, t, (a, b), form) for form in ("ltc", "symmetric")}
    steps = _step_times(step, t)
    frozen_states = {sample: frozen(neuron, signal, x0, steps, sample) for sample in SAMPLES if steps.size}
    ax = axes_or_new(ax, height=4.8)
    for form, name in (("ltc", "the LTC must lie here (sharp)"), ("symmetric", "symmetric must lie here (Lemma 1)")):
        low, high = (states["closed"] + end for end in bands[form])
        ax.fill_between(t, low, high, color=COLOURS[LOOKS[form].colour], alpha=0.18, linewidth=0, label=name)
    for key, x in states.items():
        curve(ax, key, t, x)
    for sample, x in frozen_states.items():
        curve(ax, sample, steps, x, linewidth=0.8)
    title = f"LTC as stated, symmetric form, closed form; f(I) in [{a:.3g}, {b:.3g}]"
    dress(ax, title, TIME_LABEL, STATE_LABEL, columns=2)
    return ax


def _step_times(step: float | None, t: Array) -> Array:
    """Return the visible ends of the equal steps of the frozen forms; none without `step`."""
    if step is None:
        return np.empty(0)
    array = checks.numeric("step", step)
    checks.compare("step", array, array > 0, "a step > 0", "remove step to draw no frozen forms")
    parts = int(np.ceil(t[-1] / float(array) * (1 - 1e-12)))
    ends = np.linspace(0.0, t[-1], parts + 1)
    return ends[ends >= t[0]]


def plot_error(
    neuron: LTCNeuron,
    signal: SignalLike,
    x0: float,
    t: npt.ArrayLike,
    *,
    step: float | None = None,
    ax: Axes | None = None,
) -> Axes:
    r"""Draw the error of the closed form against either ODE, each under its bounds, on a logarithmic axis.

    .. math:: |x_{sym} - \tilde x| \le |c|\,e^{-wt}, \qquad
              |x_{LTC} - \tilde x| \le |c|\,e^{-wt} + |A|\,w\,\frac{1-e^{-(w+a)t}}{w+a}, \qquad
              |x_{LTC} - \tilde x| \;\text{late}\; \ge \frac{|A|\,w}{w+b}

    Dotted: the sharp bound of each for f(I) in [a, b], its range over the whole time drawn. If the wide and the sharp
    bound look the same, one of them is drawn. Errors below 1e-16 are drawn at 1e-16.
    """
    x0, signal = one_neuron(neuron, x0), one_signal(signal)
    t = curve_times(t, signal)
    known = known_range(neuron, signal, t[-1])
    approximation = closed_form(neuron, signal, x0, t)
    errors = {form: exact(neuron, signal, x0, t, form=form) - approximation for form in ("symmetric", "ltc")}
    limits = {
        "symmetric": (bounds.lemma1(neuron, x0, t), bounds.lemma1(neuron, x0, t, known)),
        "ltc": (bounds.two_term(neuron, x0, t, known), bounds.closed_form_error(neuron, x0, t, known)),
    }
    steps = _step_times(step, t)
    steps = steps[steps > 0]
    ends = exact(neuron, signal, x0, steps) if steps.size else steps
    late = {sample: frozen(neuron, signal, x0, steps, sample) - ends for sample in SAMPLES if steps.size}
    ax = axes_or_new(ax, height=4.8)
    for form, name in (("symmetric", "symmetric"), ("ltc", "LTC")):
        curve(ax, form, t, visible(errors[form]), linestyle="-", label=f"|{name} − closed form|")
        for interval, (line, label, colour) in _distinct(form, limits[form]):
            curve(ax, form, t, visible(radius(interval)), linestyle=line, label=label, color=COLOURS[colour])
    for sample, error in late.items():
        curve(ax, sample, steps, visible(error), linewidth=0.8, label=f"|LTC − {LOOKS[sample].label}|")
    if neuron.A != 0:
        floor = abs(float(neuron.A)) * float(neuron.w_tau) / (float(neuron.w_tau) + known[1])
        ax.axhline(floor, color=COLOURS["black"], linestyle="-.", linewidth=1, label=r"late floor $|A|\,w/(w+b)$")
    _limit_below(ax, [radius(interval) for pair in limits.values() for interval in pair] + list(late.values()))
    title = f"Error of the closed form against both ODEs; f(I) in [{known[0]:.3g}, {known[1]:.3g}]"
    dress(ax, title, TIME_LABEL, "|error| (dimensionless)", columns=2 if late else 3)
    return ax


_BOUND_LOOKS = {  # line, label and colour of the wide bound (dashed) and of the sharp one (dotted)
    "symmetric": (("--", r"Lemma 1: $|c|\,e^{-wt}$", "blue"), (":", "Lemma 1 for the range", "green")),
    "ltc": (("--", "two-term bound", "vermillion"), (":", "sharp bound for the range", "black")),
}
_KEPT = {"symmetric": 0, "ltc": 1}  # the bound that is drawn where both look the same
_SAME = 0.2  # relative difference that nobody sees on a logarithmic axis


def _distinct(form: str, intervals: tuple[tuple[Array, Array], ...]) -> list[tuple[tuple[Array, Array], Any]]:
    """Return the bounds to draw with their looks: one of them if the curves would lie on one another."""
    both = list(zip(intervals, _BOUND_LOOKS[form], strict=True))
    wide, sharp = map(radius, intervals)
    return [both[_KEPT[form]]] if np.allclose(sharp, wide, rtol=_SAME, atol=0) else both


def _limit_below(ax: Axes, curves: list[Array]) -> None:
    """Make the axis logarithmic; its lower end ignores the dips where an error changes its sign."""
    ax.set_yscale("log")
    sizes = np.concatenate([visible(y) for y in curves])
    sizes = sizes[sizes > ERROR_FLOOR]
    bottom = float(sizes.min()) / 30 if sizes.size else ERROR_FLOOR
    ax.set_ylim(bottom=bottom, top=3 * max(float(sizes.max(initial=0.0)), 10 * bottom))


def _for_range(name: str, a: float, b: float) -> str:
    return f"{name}, f(I) in [{a:.3g}, {b:.3g}]"
