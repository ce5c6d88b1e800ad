r"""Bounds of a synaptic LTC from its weights alone: a box of its states, its time constants, its frozen form.

All of it holds for the weights as real numbers, with the conductance ε on the value 0 that a layer adds to the leak.
Parameters are those of :class:`cfc_ref.cells.ltc.synapses.LTCParams`, effective, indexed [presynaptic, postsynaptic].
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cfc_ref import checks
from cfc_ref.activations import sigmoid
from cfc_ref.arrays import Array
from cfc_ref.bounds.checked import Interval
from cfc_ref.bounds.posed import input_box, start_box, weights_of
from cfc_ref.cells.ltc.synapses import LTCParams, Synapses, all_synapses, ltc_box

__all__ = [
    "FrozenCertificate",
    "frozen_rates",
    "leak_decay",
    "network_frozen_error",
    "network_time_constant",
    "release_range",
    "with_start",
]


def with_start(low: Array, high: Array, start: Interval, decay: npt.ArrayLike = 1.0) -> Interval:
    r"""Widen a box by what is left of the distance of a start outside, :math:`[l - d(l - x_0)^+, u + d(x_0 - u)^+]`."""
    below, above = np.maximum(low - start[0], 0), np.maximum(start[1] - high, 0)
    return low - decay * below, high + decay * above


def leak_decay(rate: Array, timespans: Array, unfolds: npt.ArrayLike | None = None) -> Array:
    r"""Return a bound on the share of a distance from the box that a leak of this rate leaves, shape (T, units).

    .. math:: e^{-k t} \;\text{(ODE and frozen steps)}, \qquad
              \prod \frac{1}{1 + k h} \;\text{(fused steps, one factor per part of length } h)
    """
    t = timespans[:, None]
    if unfolds is None:
        return np.exp(-rate * np.cumsum(t, axis=0))
    parts = np.broadcast_to(np.asarray(unfolds, np.float64), timespans.shape)[:, None]
    return np.cumprod((1 + rate * t / parts) ** -parts, axis=0)


def release_range(synapses: Synapses, low: Array, high: Array) -> Interval:
    r"""Return the range of each synapse's release as its presynaptic value ranges over an interval.

    .. math:: \sigma\big(\sigma_{ij}(x_j - \mu_{ij})\big), \quad x_j \in [l_j, u_j]: \text{ the ends, which swap where }
              \sigma_{ij} < 0

    The ends may come in either order; they broadcast to (..., pre, post).
    """
    a, b = (sigmoid(synapses.sigma * (end - synapses.mu)) for end in (low, high))
    return np.minimum(a, b), np.maximum(a, b)


def network_time_constant(network: Any) -> Interval:
    r"""Range of every neuron's time constant (LTC, AAAI 2021, Theorem 1, for synapses).

    .. math:: \frac{C_i}{g_i + \varepsilon + \sum_j w_{ij}} \le \tau_i(t) = \frac{C_i}{G_i(x, I)}
              \le \frac{C_i}{g_i + \varepsilon} \qquad\text{(sums over neurons and inputs)}

    Parameters
    ----------
    network : LTC
        Without mixed memory.

    Returns
    -------
    low, high : ndarray of float64, shape (units,)
        In units of time; the "time_constant" of ``network.trace`` lies between them.

    Raises
    ------
    ValueError, TypeError
        For arguments that do not fit.

    Examples
    --------
    >>> from cfc_ref import LTC
    >>> network = LTC(2, 3, seed=0, dtype="float64")
    >>> low, high = network_time_constant(network)
    >>> tau = network.trace(np.ones((5, 2)))["time_constant"]
    >>> bool(np.all((low <= tau) & (tau <= high)))
    True
    """
    params = weights_of(network).cell
    leak = params.gleak + network.epsilon
    # LTC 2021, Theorem 1: for synapses
    return params.cm / (leak + all_synapses(params).w.sum(axis=0)), params.cm / leak


class FrozenCertificate(NamedTuple):
    """Bound of the distance between frozen steps and a network's ODE."""

    contraction: float  # λ, in 1/time: the rate at which errors, and any two trajectories with the same input, approach
    defect: float  # p, in 1/time²: the error that a frozen part of length 1 makes per unit of time
    bound: Array  # on the largest error of a neuron; infinite without certificate

    @property
    def certified(self) -> bool:
        """True if λ > 0."""
        return self.contraction > 0

    def __str__(self) -> str:
        if not self.certified:
            return f"no certificate: λ = {self.contraction:.3g} is not above 0"
        largest = f"{np.max(self.bound, initial=0):.3g}"
        return f"certified: λ = {self.contraction:.3g}, P = {self.defect:.3g}, error at most {largest}"


def network_frozen_error(
    network: Any,
    input_low: npt.ArrayLike,
    input_high: npt.ArrayLike,
    t: npt.ArrayLike,
    step: float,
    hx: npt.ArrayLike | None = None,
) -> FrozenCertificate:
    r"""Frozen steps against the ODE of a recurrent network, for inputs that are constant on each step.

    .. math:: |\hat x - x|_\infty \le h\,P\,\frac{1 - e^{-\lambda t}}{\lambda} \qquad\text{where } \lambda > 0

    with λ and P of :func:`cfc_ref.bounds.synaptic.frozen_rates` on the box of the states. Where λ <= 0 there is no
    certificate; with ncps's initial weights that is so.

    Parameters
    ----------
    network : LTC
        Without mixed memory; its own solver does not matter.
    input_low, input_high : array_like, shape () or (inputs,)
        The box of the inputs, as the network is called with them.
    t : array_like, any shape
        Times >= 0.
    step : float
        h, the longest part at whose start conductances are frozen.
    hx : array_like, shape (units,), or (2, units) for the ends of a box, or None
        The state at t = 0; 0 by default.

    Returns
    -------
    FrozenCertificate

    Raises
    ------
    ValueError, TypeError
        For arguments that do not fit.

    Examples
    --------
    >>> from cfc_ref import LTC
    >>> print(network_frozen_error(LTC(2, 12, seed=0), -1.0, 1.0, t=1.0, step=0.1))
    no certificate: λ = -39.6 is not above 0
    """
    weights = weights_of(network)
    start = start_box(hx, network.state_size)
    times, h = checks.times("t", t), checks.number("step", step, positive=True)
    inputs = input_box(weights.input_map, network.input_size, input_low, input_high, ())
    box = with_start(*ltc_box(weights.cell, network.epsilon), start)
    contraction, defect = frozen_rates(weights.cell, *inputs, box, network.epsilon)
    if contraction <= 0:
        return FrozenCertificate(contraction, defect, np.full(times.shape, np.inf))
    # THEORY 5.4
    # Not in the paper: the bound of the frozen translation of a network
    return FrozenCertificate(contraction, defect, h * defect * (-np.expm1(-contraction * times) / contraction))


def frozen_rates(
    params: LTCParams, input_low: Array, input_high: Array, box: Interval, epsilon: float
) -> tuple[float, float]:
    r"""Return λ and P of a network with frozen conductances, on a box that its states do not leave.

    .. math:: R_{ij} = \max |x_i - E_{ij}|, \qquad K_{ij} = w_{ij}\,|\sigma_{ij}|\,R_{ij}/4, \qquad
              \lambda = \min_i\; \frac{1}{C_i}\Big[g_i + \sum_j w_{ij}\,s_{ij}^{min} - \sum_j K_{ij}\Big]

    .. math:: \dot V_j = \frac{1}{C_j}\Big[g_j \max |V_j - x_j| + \sum_k w_{jk} R_{jk}\Big], \qquad
              P = \max_i\; \frac{1}{C_i} \sum_j K_{ij}\,\dot V_j

    K is summed over neurons, as inputs are the same; w s and w R over neurons and inputs. The inputs' ends are those
    that reach the synapses, in either order.
    """
    low, high = box
    synapses = all_synapses(params)
    least, _ = release_range(
        synapses, *(np.concatenate(ends)[:, None] for ends in ((input_low, low), (input_high, high)))
    )
    distance = np.maximum(np.abs(low - synapses.erev), np.abs(high - synapses.erev))
    K = (synapses.w * np.abs(synapses.sigma) * distance / 4)[len(input_low) :]
    leak = params.gleak + epsilon
    contraction = (leak + (synapses.w * least).sum(axis=0) - K.sum(axis=0)) / params.cm
    leak_current = params.gleak * np.maximum(np.abs(params.vleak - low), np.abs(params.vleak - high))
    rest_current = epsilon * np.maximum(np.abs(low), np.abs(high))
    speed = (leak_current + rest_current + (synapses.w * distance).sum(axis=0)) / params.cm
    return float(contraction.min()), float(((speed @ K) / params.cm).max())
