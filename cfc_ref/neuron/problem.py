"""The checked arguments of `solve`, `exact`, `closed_form` and `frozen`: neuron, input, start and times."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cfc_ref import checks
from cfc_ref.arrays import Array
from cfc_ref.neuron.model import LTCNeuron, neuron_and_start
from cfc_ref.signals import Signal, SignalLike, as_signal

__all__ = ["Problem", "pose"]


class Problem(NamedTuple):
    """Arguments that fit together."""

    neuron: LTCNeuron
    signal: Signal
    start: Array  # x0, of shape N
    t: Array  # float64
    shape: tuple[int, ...]  # N

    def above(self, t: Array) -> Array:
        """Return I(t) - mu, with all digits where both are large, shape N + t.shape."""
        return self.signal.above(t, self.neuron.mu)

    def release(self, t: Array) -> Array:
        """Return y(t) = f(I(t)) at one axis of times, shape N + t.shape."""
        return self.neuron.release_above(self.above(t), over_time=True)

    def noise(self, edges: Array) -> Array:
        """Return how far the rounding of the input moves f(I) between the edges of pieces, shape N."""
        begin, h = edges[:-1, None], np.diff(edges)[:, None]
        rounding = self.signal.rounding((begin + h * np.array([0, 0.25, 0.5, 0.75])).reshape(-1))
        with np.errstate(over="ignore"):
            return np.minimum(np.abs(self.neuron.sigma) / 4 * rounding, 1)


def pose(
    neuron: LTCNeuron, signal: SignalLike, x0: npt.ArrayLike, t: npt.ArrayLike, *, increasing: bool = True
) -> Problem:
    """Check the arguments and broadcast them to N; with `increasing`, `t` is a number or one increasing axis."""
    neuron, start, shape = neuron_and_start(neuron, x0)
    signal = as_signal(signal)
    shape = checks.together("signal", neuron=np.broadcast_to(0.0, shape), signal=np.broadcast_to(0.0, signal.shape))
    t = checks.times("t", t, increasing=increasing)
    checks.as_dtype("t", t, neuron.dtype)
    return Problem(neuron, signal, np.broadcast_to(start, shape), t, shape)
