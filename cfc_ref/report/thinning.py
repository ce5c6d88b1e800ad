"""The uncertainty that samples leave: a recording is thinned, and the enclosure of one neuron's state measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from cfc_ref import bounds
from cfc_ref.neuron.closed_forms import closed_form
from cfc_ref.neuron.exact_solution import exact
from cfc_ref.neuron.example import recorded_example
from cfc_ref.neuron.model import FORMS
from cfc_ref.report.recording import Recording
from cfc_ref.signals import Sampled

__all__ = ["Thinned", "thinned"]

_EVERY = (2, 4, 8, 16, 32)
_MOST = 1024  # samples of the recording that are used
_POINTS = 200


@dataclass(frozen=True)
class Thinned:
    """One neuron under a recording: Eq. 9's errors, and how wide the samples leave its state."""

    neuron: dict[str, float]
    samples: int  # used
    of: int  # in the recording
    duration: float  # of those used
    largest_errors: dict[str, float]  # of Eq. 9 against each ODE
    lipschitz: float | None  # the largest slope; None for a recording that jumps
    range_of_state: tuple[float, float]
    widths: dict[int, float]  # k → the widest enclosure from every k-th sample
    inside: bool  # whether the state is inside of all of them


def thinned(recording: Recording, fixed: Mapping[str, float]) -> Thinned | None:
    """Thin the first channel to every second, fourth, … sample; None where its numbers overflow."""
    try:
        with np.errstate(over="raise", invalid="raise", divide="raise"):
            return _thinned(recording, fixed)
    except (ArithmeticError, ValueError):
        return None


def _thinned(recording: Recording, fixed: Mapping[str, float]) -> Thinned:
    whole = recording.channel(0)
    signal = type(whole)(whole.times[:_MOST] - whole.times[0], whole.values[:_MOST])
    neuron, _, x0, _ = recorded_example(signal, fixed)
    times, values = signal.times, signal.values
    t = np.linspace(0, float(times[-1]), _POINTS)
    x = {form: exact(neuron, signal, x0, t, form) for form in FORMS}
    said = closed_form(neuron, signal, x0, t)
    named = {name: float(getattr(neuron, name)) for name in ("w_tau", "A", "mu", "sigma")} | {"x0": x0}
    facts: dict[str, Any] = {
        "neuron": named,
        "samples": min(_MOST, whole.times.size),
        "of": whole.times.size,
        "duration": float(t[-1]),
        "largest_errors": {form: float(np.abs(state - said).max()) for form, state in x.items()},
        "range_of_state": (float(x["ltc"].min()), float(x["ltc"].max())),
    }
    if not isinstance(signal, Sampled):
        return Thinned(**facts, lipschitz=None, widths={}, inside=True)
    lipschitz = float(np.abs(np.diff(values) / np.diff(times)).max())
    widths, inside, slack = {}, True, 1e-9 * max(1.0, float(np.abs(x["ltc"]).max()))
    for every in _EVERY:
        if every < times.size:
            low, high = bounds.from_samples(neuron, x0, t, times[::every], values[::every], lipschitz)
            widths[every] = float((high - low).max())
            inside &= bool(np.all((low - slack <= x["ltc"]) & (x["ltc"] <= high + slack)))
    return Thinned(**facts, lipschitz=lipschitz, widths=widths, inside=inside)
