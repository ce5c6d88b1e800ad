"""The orders of the frozen closed forms, measured by halving the step."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from cfc_ref.neuron.closed_forms import SAMPLES, frozen
from cfc_ref.neuron.exact_solution import exact
from cfc_ref.neuron.model import LTCNeuron
from cfc_ref.signals import sine

__all__ = ["measured_orders"]

_NEURONS = 8
_HALVINGS = (64, 128, 256, 512)  # steps of the run
_NOISE = 1e-13  # an error below this is rounding


def measured_orders(seed: int, fixed: Mapping[str, float]) -> dict[str, float]:
    """Return the order of each frozen form: the slope of log error by log step, the median over neurons under a sine.

    The error is the largest at 16 times over a run of ten time constants.
    """
    rng = np.random.default_rng(seed)
    slopes: dict[str, list[float]] = {sample: [] for sample in SAMPLES}
    for _ in range(_NEURONS):
        drawn = {
            "w_tau": rng.uniform(0.1, 3),
            "A": rng.uniform(1, 3),
            "mu": rng.uniform(-0.5, 0.5),
            "sigma": rng.uniform(1, 3),
            "x0": rng.uniform(-3, 3),
        } | dict(fixed)
        x0 = drawn.pop("x0")
        neuron = LTCNeuron(**drawn)  # type: ignore[arg-type]
        end = 10 / (float(neuron.w_tau) + 1)
        wide = rng.uniform(1, 3) / (abs(float(neuron.sigma)) or 1.0)
        signal = sine(wide, frequency=rng.uniform(1, 3) / end, phase=rng.uniform(0, 6), offset=float(neuron.mu))
        t = np.linspace(0, end, 17)
        truth = exact(neuron, signal, x0, t)
        for sample in SAMPLES:
            errors = [np.abs(frozen(neuron, signal, x0, t, sample, end / steps) - truth).max() for steps in _HALVINGS]
            real = [(np.log2(1 / steps), np.log2(e)) for steps, e in zip(_HALVINGS, errors, strict=True) if e > _NOISE]
            if len(real) > 1:
                log_step, log_error = np.transpose(real)
                slopes[sample].append(float(np.polyfit(log_step, log_error, 1)[0]))
    return {sample: float(np.median(found)) for sample, found in slopes.items() if found}
