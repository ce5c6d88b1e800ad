"""A recorded input, shifted and scaled: what is drawn from it has no offset and no unit of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from cfc_ref import checks, signals
from cfc_ref.arrays import Array
from cfc_ref.neuron.model import LTCNeuron
from cfc_ref.signals import PiecewiseConstant, Sampled, Signal

__all__ = ["Recording", "recorded"]

_PACE = 1e-4, 10.0  # median steps of the recording, in units of time, that are left as they are
_LARGEST, _SMALLEST = 1e300, 1e-300


class Recording(NamedTuple):
    """A recorded input: C channels of S samples, as origin + scale · values at the times pace · times."""

    name: str
    times: Array  # (S,), from 0 on
    values: Array  # (C, S), about 0 and 1 wide
    linear: bool
    origin: float
    scale: float
    pace: float

    def channel(self, c: int) -> Sampled | PiecewiseConstant:
        """Return one channel as a signal, its values in their own unit."""
        values = self.origin + self.scale * self.values[c]
        return signals.sampled(self.times, values, "linear" if self.linear else "previous")

    def inside(self, fixed: Mapping[str, float]) -> dict[str, float]:
        """Return fixed values of a neuron for which the input is `values`."""
        inside = dict(fixed)
        with np.errstate(over="ignore"):
            if "mu" in fixed:
                inside["mu"] = float(np.clip((fixed["mu"] - self.origin) / self.scale, -_LARGEST, _LARGEST))
            if "sigma" in fixed:
                inside["sigma"] = float(np.clip(fixed["sigma"] * self.scale, -_LARGEST, _LARGEST))
        return inside

    def outside(self, neuron: LTCNeuron, fixed: Mapping[str, float]) -> LTCNeuron:
        """Return the neurons whose input is the recording itself."""
        w, A, mu, sigma = neuron.parameters
        with np.errstate(over="ignore"):
            mu, sigma = self.origin + self.scale * mu, sigma / self.scale
        mu, sigma = (np.full(w.shape, fixed[name]) if name in fixed else np.clip(v, -_LARGEST, _LARGEST)
                     for name, v in (("mu", mu), ("sigma", sigma)))  # fmt: skip
        return LTCNeuron(w, A, mu, sigma)


def recorded(signal: Signal, fixed: Mapping[str, float], name: str = "") -> Recording:
    """Shift and scale a recording; its unit of time stays where w_tau is fixed or its steps are moderate."""
    if not isinstance(signal, (Sampled, PiecewiseConstant)) or signal.times.size < 2:
        do = "pass signals.sampled(times, values) or signals.from_csv(…)"
        checks.refuse("signal", repr(signal), "a recording of at least two samples", do, TypeError)
    times = signal.times - signal.times[0]
    step = float(np.median(np.diff(times)))
    moderate = "w_tau" in fixed or _PACE[0] <= step <= _PACE[1]
    pace = 1.0 if moderate else float(10.0 ** np.floor(np.log10(step)))
    values = signal.values.reshape(-1, times.size)
    low, high = float(values.min()), float(values.max())
    middle = low / 2 + high / 2
    origin = middle + 2 * float((values / 2 - middle / 2).mean())
    values = values / 2 - origin / 2  # halved: the difference of two finite numbers may overflow
    widest = max(float(np.abs(values).max()), _SMALLEST) if high > low else 1.0
    spread = float((values / widest).std()) or 1.0
    name = name or f"{times.size} samples over {times[-1]:.6g}"
    if pace != 1:
        name += f", taken as {times[-1] / pace:.6g} units of time"
    return Recording(
        name, times / pace, values / widest / spread, isinstance(signal, Sampled), origin, 2 * widest * spread, pace
    )
