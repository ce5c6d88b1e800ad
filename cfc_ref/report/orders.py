"""The orders of the frozen closed forms, measured by halving the step."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from cfc_ref.neuron.closed_forms import SAMPLES, frozen
from cfc_ref.neuron.exact_solution import exact
from cfc_ref.neuron.model import LTCNeuron
from cfc_ref.report.cases import start
from cfc_ref.signals import sine

__all__ = ["measured_orders"]

FORMS = (*SAMPLES, "halves")
_HALVINGS = (64, 128, 256, 512)  # steps of the run
_NOISE = 1e-13  # an error below this is rounding
_FEWEST = 3  # errors above it: fewer leave the order undecided


def measured_orders(count: int, seed: int, fixed: Mapping[str, float]) -> dict[str, float]:
    """Return the order of each frozen form: the slope of log error by log step, the median over neurons under a sine.

    The error is the largest at 16 times over a run of ten time constants. An order that rounding or overflow would
    decide is left out.
    """
    rng = np.random.default_rng(seed)
    slopes: dict[str, list[float]] = {sample: [] for sample in FORMS}
    for _ in range(count):
        drawn = {
            "w_tau": rng.uniform(0.1, 3),
            "A": rng.uniform(1, 3),
            "mu": rng.uniform(-0.5, 0.5),
            "sigma": rng.uniform(1, 3),
            "x0": rng.uniform(-3, 3),
        } | dict(fixed)
        begin = start(**{name: np.asarray(value) for name, value in drawn.items()})
        w, A, _, sigma = begin.neuron.parameters
        # The sine is drawn as what the release sees of it: mu = 0, sigma = 1.
        neuron, x0 = LTCNeuron(w, A, 0.0, np.sign(sigma)), float(begin.x0)
        end = 10 / (float(w) + 1)
        wide = rng.uniform(1, 3)
        frequency = rng.uniform(1, 3) / end
        if not np.isfinite(2 * np.pi * frequency):
            continue
        signal = sine(wide, frequency, phase=rng.uniform(0, 6))
        t = np.linspace(0, end, 17)
        truth = exact(neuron, signal, x0, t)
        for sample in FORMS:
            errors = [np.abs(frozen(neuron, signal, x0, t, sample, end / steps) - truth).max() for steps in _HALVINGS]
            clear = [(1 / steps, e) for steps, e in zip(_HALVINGS, errors, strict=True) if _NOISE < e < np.inf]
            if len(clear) >= _FEWEST:
                log_step, log_error = np.log2(clear).T
                slopes[sample].append(float(np.polyfit(log_step, log_error, 1)[0]))
    return {sample: float(np.median(found)) for sample, found in slopes.items() if found}
