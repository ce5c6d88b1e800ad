"""One neuron that shows what a recording does: the example of the report and of the tutorials."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from cfc_ref.neuron.model import LTCNeuron
from cfc_ref.signals import PiecewiseConstant, Sampled, Signal

__all__ = ["recorded_example"]

_FOLDINGS = 8.0  # length of the example in time constants 1/(w + 1)
_FLAT = 1e-300


def recorded_example(
    recording: Sampled | PiecewiseConstant, fixed: Mapping[str, float]
) -> tuple[LTCNeuron, Signal, float, float]:
    """Choose a neuron and a piece of a recording that show both ODEs apart."""
    values = recording.values
    unit = np.ldexp(1.0, max(int(np.frexp(np.abs(values).max())[1]) - 1, -1022))  # squares of huge values overflow
    mean, spread = (float(unit * (values / unit).mean()), float(unit * (values / unit).std()))
    given = {"w_tau": 1.0, "A": 1.0, "mu": mean, "sigma": 2 / spread if spread > _FLAT else 2.0, "x0": -1.0}
    w_tau, A, mu, sigma, x0 = (fixed.get(name, value) for name, value in given.items())
    neuron = LTCNeuron(w_tau, A, mu, sigma)
    signal = type(recording)(recording.times - recording.times[0], values)
    return neuron, signal, x0, min(float(signal.times[-1]), _FOLDINGS / (float(neuron.w_tau) + 1))
