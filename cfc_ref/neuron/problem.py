"""What `solve`, `exact`, `closed_form` and `frozen` are asked: a neuron, its input, its start and times, checked."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cfc_ref import checks
from cfc_ref.neuron.model import LTCNeuron, neuron_and_start
from cfc_ref.signals import Signal, SignalLike, as_signal

__all__ = ["Problem", "pose"]

Array = npt.NDArray[Any]


class Problem(NamedTuple):
    """Arguments that fit together."""

    neuron: LTCNeuron
    signal: Signal
    start: Array  # x0, of shape N
    t: Array  # float64
    shape: tuple[int, ...]  # N


def pose(
    neuron: LTCNeuron, signal: SignalLike, x0: npt.ArrayLike, t: npt.ArrayLike, *, increasing: bool = True
) -> Problem:
    """Check the arguments and broadcast them to N.

    Parameters
    ----------
    neuron : LTCNeuron
        The parameters.
    signal : Signal, number or function of t
        The input, one for all neurons or one a neuron.
    x0 : array_like
        State at t = 0.
    t : array_like
        Times >= 0.
    increasing : bool
        Whether the times have to be a number or one axis that increases strictly.
    """
    neuron, start, shape = neuron_and_start(neuron, x0)
    signal = as_signal(signal)
    shape = checks.together("signal", neuron=np.broadcast_to(0.0, shape), signal=np.broadcast_to(0.0, signal.shape))
    t = checks.times("t", t, increasing=increasing)
    checks.as_dtype("t", t, neuron.dtype)
    return Problem(neuron, signal, np.broadcast_to(start, shape), t, shape)
