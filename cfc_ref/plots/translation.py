"""Figures of LTC networks: errors of their translations, and reach tubes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from cfc_ref import checks
from cfc_ref.arrays import Array
from cfc_ref.plots.style import COLOURS, STATE_LABEL, TIME_LABEL, Look, axes_or_new, dress, visible
from cfc_ref.translate.comparison import LABELS, Comparison

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_translation_error", "plot_tube"]

_ROUNDING = 1e-8  # of the largest error: smaller errors would only stretch the axis

_LOOKS = {
    "algorithm1": Look(LABELS["algorithm1"], "vermillion", "-"),
    "algorithm1_free": Look(LABELS["algorithm1_free"], "orange", "--"),
    "frozen": Look(LABELS["frozen"], "blue", "-"),
    "cf4": Look(LABELS["cf4"], "purple", "-"),
}


def plot_translation_error(comparison: Any, *, sequence: int = 0, ax: Axes | None = None) -> Axes:
    """Draw the error of each translation against the ODE over time, on a logarithmic axis of eight decades.

    A thin line is a neuron, the thick one the root mean square over them. If the frozen translation has a certificate,
    its bound is drawn.
    """
    if not isinstance(comparison, Comparison):
        do = "pass what translate.compare returned"
        checks.refuse("comparison", type(comparison).__name__, "a Comparison", do, TypeError)
    sequences = 1 if comparison.times.ndim == 1 else comparison.times.shape[0 if comparison.network.batch_first else 1]
    if checks.count("sequence", sequence) >= sequences:
        checks.refuse("sequence", repr(sequence), f"a number below {sequences}", "count from 0")
    ax = axes_or_new(ax)
    times = _one(comparison, comparison.times, sequence)
    for name, way in comparison.translations.items():
        look, error = _LOOKS[name], _one(comparison, way.error, sequence)
        ax.plot(times, visible(error), color=COLOURS[look.colour], linewidth=0.5, alpha=0.35, linestyle=look.line)
        rms = np.sqrt(np.mean(error**2, axis=1))
        ax.plot(times, visible(rms), color=COLOURS[look.colour], linewidth=2.2, linestyle=look.line, label=look.label)
    if comparison.certificate.certified:
        bound = _one(comparison, comparison.certificate.bound, sequence)
        ax.plot(times, visible(bound), color=COLOURS["black"], linestyle=":", label="bound of the frozen translation")
    ax.set_yscale("log")
    largest = max(float(np.abs(way.error).max()) for way in comparison.translations.values())
    ax.set_ylim(bottom=max(ax.get_ylim()[0], largest * _ROUNDING))
    units = comparison.truth.shape[-1]
    dress(
        ax,
        f"Translations of an LTC of {units} neurons: distance from its ODE\n(thin: a neuron; thick: root mean square)",
        TIME_LABEL,
        "error of the state (dimensionless)",
        columns=2,
    )
    return ax


def _one(comparison: Comparison, array: Array, sequence: int) -> Array:
    """Return one sequence of (T, …), (B, T, …) or (T, B, …)."""
    if comparison.times.ndim == 1:
        return array
    return array[sequence] if comparison.network.batch_first else array[:, sequence]


def plot_tube(
    t: npt.ArrayLike,
    low: npt.ArrayLike,
    high: npt.ArrayLike,
    states: npt.ArrayLike | None = None,
    *,
    neuron: int = 0,
    ax: Axes | None = None,
) -> Axes:
    """Draw one neuron's reach tube, and trajectories of inputs in its box."""
    times = checks.times("t", t, increasing=True)
    ends = [checks.numeric(name, end) for name, end in (("low", low), ("high", high))]
    if times.ndim != 1 or times.size < 2:
        checks.refuse("t", f"shape {times.shape}", "one axis of at least two times", "pass those of the tube")
    for name, end in zip(("low", "high"), ends, strict=True):
        if end.ndim != 2 or end.shape != ends[0].shape or len(end) != times.size:
            checks.refuse(name, f"shape {end.shape}", f"({times.size}, units)", "pass the tube at the times t")
    units = ends[0].shape[1]
    if checks.count("neuron", neuron) >= units:
        checks.refuse("neuron", repr(neuron), f"a number below {units}", "count from 0")
    ax = axes_or_new(ax)
    look: dict[str, Any] = {"color": COLOURS["sky"], "alpha": 0.3, "linewidth": 0, "label": "reach tube"}
    ax.fill_between(times, ends[0][:, neuron], ends[1][:, neuron], **look)
    for end in ends:
        ax.plot(times, end[:, neuron], color=COLOURS["blue"], linewidth=1.4)
    if states is not None:
        _draw_trajectories(ax, times, checks.numeric("states", states), neuron, units)
    dress(ax, f"Neuron {neuron}: every input in the box keeps it inside", TIME_LABEL, STATE_LABEL, columns=3)
    return ax


def _draw_trajectories(ax: Axes, times: Array, states: Array, neuron: int, units: int) -> None:
    """Draw trajectories thin, and the range they cover."""
    if states.ndim != 3 or not len(states):
        checks.refuse("states", f"shape {states.shape}", "(B, T, units)", "pass at least one trajectory")
    checks.shape("states", states, (len(states), times.size, units), "(B, T, units)")
    curves = states[:, :, neuron]
    lines = ax.plot(times, curves[:40].T, color=COLOURS["black"], linewidth=0.5, alpha=0.35)
    if len(curves) == 1:
        lines[0].set_label("one trajectory")
        return
    lines[0].set_label("trajectories")
    for k, end in enumerate((curves.min(axis=0), curves.max(axis=0))):
        label = f"range of {len(curves):,} trajectories" if k == 0 else None
        ax.plot(times, end, color=COLOURS["vermillion"], linewidth=1.2, linestyle="--", label=label)
