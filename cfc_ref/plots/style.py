r"""Shared by all figures: colours and lines, axes, labels, and checks of arguments that are drawn as one curve.

The colours are those of Okabe and Ito (2008), which people with any colour vision tell apart; curves differ also in
line or marker. matplotlib is imported only where a figure is made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cfc_ref import checks
from cfc_ref.arrays import Array
from cfc_ref.neuron.model import LTCNeuron, neuron_and_start
from cfc_ref.signals import Signal, SignalLike, as_signal

if TYPE_CHECKING:
    from matplotlib.axes import Axes

checks.need("matplotlib", "figures")  # every figure's module imports this one

__all__ = [
    "COLOURS",
    "ERROR_FLOOR",
    "LOOKS",
    "STATE_LABEL",
    "TIME_LABEL",
    "Look",
    "axes_or_new",
    "curve",
    "curve_times",
    "dress",
    "known_range",
    "one_neuron",
    "one_range",
    "one_signal",
    "plain_text",
    "radius",
    "visible",
]

TIME_LABEL = "time t (units of time)"
STATE_LABEL = "state x (dimensionless)"
ERROR_FLOOR = 1e-16  # smaller errors are drawn here: a logarithmic axis has no 0

COLOURS = {
    "black": "#000000",
    "orange": "#E69F00",
    "sky": "#56B4E9",
    "green": "#009E73",
    "blue": "#0072B2",
    "vermillion": "#D55E00",
    "purple": "#CC79A7",
}


class Look(NamedTuple):
    """The look of one kind of curve in every figure."""

    label: str  # in a legend
    colour: str  # a key of :data:`COLOURS`
    line: str = "-"  # in matplotlib's notation
    marker: str = ""


LOOKS = {
    "ltc": Look("LTC as stated (exact)", "vermillion", "-"),
    "symmetric": Look("symmetric form (exact, Eq. 6)", "blue", "--"),
    "closed": Look("closed form (Eq. 9)", "black", "-."),
    "start": Look("frozen at the start (order 1)", "orange", "-", "o"),
    "midpoint": Look("frozen midpoint (order 2)", "green", "-", "s"),
    "gauss": Look("frozen gauss (order 4)", "purple", "-", "^"),
    "halves": Look("frozen halves (order 4)", "sky", "-", "D"),
    "RK45": Look("scipy RK45", "black", "--", "x"),
    "DOP853": Look("scipy DOP853", "blue", "--", "v"),
    "Radau": Look("scipy Radau", "vermillion", ":", "d"),
    "LSODA": Look("scipy LSODA", "sky", "-.", "P"),
}


def axes_or_new(ax: object, *, height: float = 4.4) -> Axes:
    """Return `ax`, or the Axes of a new figure, 7 inches wide, whose layout makes room for the legend."""
    from matplotlib.axes import Axes

    if ax is None:
        from matplotlib import pyplot

        return pyplot.subplots(figsize=(7.0, height), dpi=100, layout="constrained")[1]
    if not isinstance(ax, Axes):
        do = "remove ax to get a new figure"
        checks.refuse("ax", type(ax).__name__, "matplotlib Axes or None", do, TypeError)
    return ax


def curve(ax: Axes, key: str, x: Array, y: Array, **changes: Any) -> None:
    """Draw a curve with the look of :data:`LOOKS`."""
    look = LOOKS[key]
    given = {"label": look.label, "color": COLOURS[look.colour], "linestyle": look.line, "marker": look.marker}
    ax.plot(x, y, **{"markersize": 5, "linewidth": 1.7, **given, **changes})


def dress(ax: Axes, title: str, x: str, y: str, *, columns: int = 0) -> None:
    """Write the title and the labels, and with `columns` the legend under the axes."""
    ax.set_title(title, loc="left", fontsize=11)
    ax.set_xlabel(x)
    ax.set_ylabel(y)
    if columns:
        ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.17), ncols=columns, fontsize=9, frameon=False)


def plain_text(text: str, longest: int = 40) -> str:
    """Return any text as a label: one line, shortened, without mathematics between dollar signs."""
    line = " ".join(text.split())
    return (line if len(line) <= longest else f"{line[: longest - 1]}…").replace("$", r"\$")


def visible(error: Array) -> Array:
    """Return the size of errors, at least :data:`ERROR_FLOOR`, for a logarithmic axis."""
    return np.maximum(np.abs(error), ERROR_FLOOR)


def radius(interval: tuple[Array, Array]) -> Array:
    """Return the largest absolute error in an interval."""
    return np.maximum(np.abs(interval[0]), np.abs(interval[1]))


def one_neuron(neuron: LTCNeuron, x0: npt.ArrayLike) -> float:
    """Check that `neuron` and `x0` describe one neuron, and return the start."""
    _, start, shape = neuron_and_start(neuron, x0)
    if shape:
        checks.refuse("neuron", f"shape {shape} with x0", "one neuron and one start, shape ()", "draw one at a time")
    return float(start)


def one_signal(signal: SignalLike) -> Signal:
    """Return `signal` as one :class:`cfc_ref.signals.Signal`."""
    signal = as_signal(signal)
    if signal.shape:
        checks.refuse("signal", f"shape {signal.shape}", "one signal, shape ()", "draw one at a time")
    return signal


def curve_times(t: npt.ArrayLike, signal: Signal | None = None, *, name: str = "t") -> Array:
    """Return the times of a curve; where `signal` jumps also the time just before, so that jumps are vertical."""
    times = checks.times(name, t, increasing=True)
    if times.ndim != 1 or times.size < 2:
        checks.refuse(name, f"shape {times.shape}", "one axis of at least two values", "pass a finer grid")
    if signal is None:
        return times
    inside = signal.breakpoints[(signal.breakpoints > times[0]) & (signal.breakpoints <= times[-1])]
    return np.unique(np.concatenate([times, inside, np.nextafter(inside, -np.inf)]))


def known_range(neuron: LTCNeuron, signal: Signal, end: float) -> tuple[float, float]:
    """Return the range [a, b] of f(I) on [0, end]."""
    a, b = neuron.f_range(*signal.range(end))
    return float(a), float(b)


def one_range(f_range: tuple[npt.ArrayLike, npt.ArrayLike]) -> tuple[float, float]:
    """Check a range of f(I) whose ends are numbers, and return it."""
    a, b = checks.f_range("f_range", f_range)
    if a.ndim:
        checks.refuse("f_range", f"ends of shape {a.shape}", "two numbers", "draw one range at a time")
    return float(a), float(b)
