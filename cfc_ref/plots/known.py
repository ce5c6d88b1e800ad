"""Figures of what samples tell, and of what any form can know (THEORY 5.6 and 5.7)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from cfc_ref import bounds, checks
from cfc_ref.arrays import Array
from cfc_ref.neuron.exact_solution import constant_pieces, exact
from cfc_ref.neuron.model import LTCNeuron
from cfc_ref.plots.style import (
    COLOURS,
    STATE_LABEL,
    TIME_LABEL,
    axes_or_new,
    curve,
    curve_times,
    dress,
    one_neuron,
    one_range,
)
from cfc_ref.signals import Sampled

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_radius_per_step", "plot_ratio_of_eq9", "plot_samples", "plot_samples_of_input"]


def _thin(signal: Sampled, every: int) -> tuple[Array, Array, float]:
    """Return the samples that are kept, and the largest slope of the signal."""
    if not isinstance(signal, Sampled) or signal.shape:
        checks.refuse("signal", repr(signal), "one recording", "pass signals.sampled(times, values)", TypeError)
    step = checks.count("every", every, at_least=1)
    slope = float(np.abs(np.diff(signal.values) / np.diff(signal.times)).max())
    return signal.times[::step], signal.values[::step], slope


def plot_samples_of_input(signal: Sampled, t: npt.ArrayLike, every: int = 8, *, ax: Axes | None = None) -> Axes:
    r"""Draw a recording, every k-th of its samples, and all inputs that these and its largest slope K allow.

    .. math:: \max_k (I_k - K\,|t - t_k|) \le I(t) \le \min_k (I_k + K\,|t - t_k|)
    """
    times, values, K = _thin(signal, every)
    t = curve_times(t)
    far = K * np.abs(t[:, None] - times)
    ax = axes_or_new(ax, height=2.6)
    low, high = (values - far).max(axis=1), (values + far).min(axis=1)
    ax.fill_between(t, low, high, color=COLOURS["sky"], alpha=0.35, linewidth=0, label=f"slopes up to {K:.3g}")
    ax.plot(t, signal(t), color=COLOURS["black"], linewidth=1.0, label="recording")
    shown = (times >= t[0]) & (times <= t[-1])
    ax.plot(times[shown], values[shown], "o", color=COLOURS["vermillion"], markersize=4, label="samples that are kept")
    dress(ax, "Input I(t)", TIME_LABEL, "input I", columns=0)
    return ax


def plot_samples(
    neuron: LTCNeuron, signal: Sampled, x0: float, t: npt.ArrayLike, every: int = 8, *, ax: Axes | None = None
) -> Axes:
    """Draw the sharp enclosure of the LTC as stated from every k-th sample of a recording, with the true state.

    The constant is the largest slope of the recording: an assumption about what lies between the samples that are kept.
    """
    x0, t = one_neuron(neuron, x0), curve_times(t)
    times, values, K = _thin(signal, every)
    low, high = bounds.from_samples(neuron, x0, t, times, values, K)
    ax = axes_or_new(ax)
    label = f"what every {every}th sample leaves open" if every > 3 else f"what 1 of {every} samples leaves open"
    ax.fill_between(t, low, high, color=COLOURS["sky"], alpha=0.5, linewidth=0, label=label)
    curve(ax, "ltc", t, exact(neuron, signal, x0, t))
    dress(ax, "The state that the samples allow", TIME_LABEL, STATE_LABEL, columns=2)
    return ax


def plot_radius_per_step(
    *,
    w_tau: float = 1.0,
    A: float = 1.0,
    a: float = 0.2,
    lipschitz: float = 0.2,
    t: float = 5.0,
    step: npt.ArrayLike | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the errors of frozen forms over the step, and the interval of the least error R of any form.

    The neuron starts where it rests under the release a. The midpoint's error is its largest on the two inputs that no
    look tells apart; the start's is its largest on a release that rises and falls at full speed.
    """
    steps = curve_times(
        np.sort(t / np.unique(np.round(np.geomspace(5, 250, 18)))) if step is None else step, name="step"
    )
    checks.compare("step", steps, steps > 0, "steps > 0", "its axis is logarithmic: leave out 0")
    neuron, x0 = LTCNeuron(w_tau, A), A - A * w_tau / (w_tau + a)
    low, high = (np.empty(len(steps)) for _ in range(2))
    midpoint, start = np.empty(len(steps)), np.empty(len(steps))
    for i, h in enumerate(steps):
        y0 = a + lipschitz * h / 2
        low[i], high[i] = bounds.radius_per_step(neuron, x0, t, h, y0, lipschitz, (a, 1))
        midpoint[i] = max(_sawtooth_error(neuron, x0, t, h, y0, sign * lipschitz * h / 2) for sign in (-1, 1))
        start[i] = _ramp_error(neuron, x0, t, h, a, lipschitz)
    ax = axes_or_new(ax)
    ax.fill_between(
        steps,
        low,
        high,
        color=COLOURS["sky"],
        alpha=0.5,
        label="here lies R, the least error of any form with these looks",
    )
    curve(ax, "midpoint", steps, midpoint, label="frozen midpoint, on two inputs that no look tells apart")
    curve(ax, "start", steps, start, label="frozen at the start, on a steady rise")
    ax.set_xscale("log")
    ax.set_yscale("log")
    title = f"One look per step: w = {w_tau:g}, A = {A:g}, a = {a:g}, L = {lipschitz:g}, t = {t:g}"
    dress(ax, title, "step h (units of time)", "largest error (dimensionless)", columns=1)
    return ax


def _sawtooth_error(neuron: LTCNeuron, x0: float, t: float, h: float, y0: float, height: float) -> float:
    """Return the frozen midpoint's error at t for the release y0 ± L dist(s, looks): parts of straight lines."""
    parts = 64
    s = (np.arange(2 * parts) + 0.5) / parts - 1  # from -1 to 1 about the look
    y = np.tile(y0 + height * np.abs(s), round(t / h))
    return _against(neuron, x0, t, y, np.full(round(t / h), y0))


def _ramp_error(neuron: LTCNeuron, x0: float, t: float, h: float, a: float, slope: float) -> float:
    """Return the largest error at t of the form frozen at the starts, for releases that rise from a during the end."""
    n, parts = round(t / h), 128
    edge, inside = np.arange(n) * h, (np.arange(n * parts) + 0.5) * h / parts
    begins = t - np.linspace(0.1, 1, 10) * min(t, (1 - a) / slope)
    rising = [[a + slope * np.maximum(s - begin, 0) for s in (inside, edge)] for begin in begins]
    return max(_against(neuron, x0, t, fine, looks) for fine, looks in rising)


def _against(neuron: LTCNeuron, x0: float, t: float, fine: Array, looks: Array) -> float:
    """Return the distance of the states under a release in fine pieces and under the looks, one per step."""
    ends = [
        constant_pieces(neuron.w_tau, neuron.A, y, np.full(y.size, t / y.size), np.asarray(x0))[-1]
        for y in (fine, looks)
    ]
    return float(abs(ends[0] - ends[1]))


def plot_ratio_of_eq9(
    *,
    A: float = 1.0,
    x0: float = 0.0,
    w_tau: npt.ArrayLike | None = None,
    t: npt.ArrayLike | None = None,
    f_range: tuple[float, float] = (0, 1),
    ax: Axes | None = None,
) -> Axes:
    """Map Eq. 9's worst error over that of the best form with the same look, over leak and time (LTC as stated)."""
    from matplotlib.colors import LogNorm

    one_neuron(LTCNeuron(1.0, A), x0)
    known: Any = one_range(f_range)
    leaks = curve_times(np.geomspace(1e-2, 10, 121) if w_tau is None else w_tau, name="w_tau")
    times = curve_times(np.geomspace(1e-2, 30, 121) if t is None else t)
    ratio = bounds.ratio_of_eq9(LTCNeuron(leaks, A), x0, times, known).T
    ax = axes_or_new(ax)
    ax.set_xscale("log")
    ax.set_yscale("log")
    mesh = ax.pcolormesh(leaks, times, ratio, norm=LogNorm(), shading="gouraud", cmap="viridis", rasterized=True)
    lines = ax.contour(leaks, times, ratio, levels=[2.2, 3, 5, 10, 20, 50], colors="white", linewidths=0.8)
    ax.clabel(lines, fontsize=9, fmt="%g")
    ax.figure.colorbar(mesh, ax=ax, label="worst error of Eq. 9 over R")
    title = (
        f"How far Eq. 9 is from the best use of its look: A = {A:g}, x₀ = {x0:g}, f(I) in [{known[0]:g}, {known[1]:g}]"
    )
    dress(ax, title, "leak w_τ (unit of f)", "time t (unit of 1/f)")
    return ax
