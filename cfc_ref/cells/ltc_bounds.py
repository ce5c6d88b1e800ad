r"""What is known of a synaptic LTC from its weights alone: a box of its states, its time constants, its frozen form.

All of it holds for the weights as real numbers, with the conductance ε on the value 0 that a layer adds to the leak.
Parameters are those of :class:`cfc_ref.cells.ltc.synapses.LTCParams`, effective, indexed [presynaptic, postsynaptic].
The reach tube, which knows the inputs and the time as well, is in :mod:`cfc_ref.cells.ltc_tube`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cfc_ref.activations import sigmoid
from cfc_ref.cells.ltc.synapses import LTCParams, Synapses, recurrent_synapses, sensory_synapses

__all__ = [
    "FrozenRates",
    "all_synapses",
    "frozen_rates",
    "leak_decay",
    "ltc_box",
    "ltc_time_constant",
    "release_range",
    "with_start",
]

Array = npt.NDArray[Any]
Interval = tuple[Array, Array]


def all_synapses(params: LTCParams) -> Synapses:
    """Return the synapses from inputs, and then those between neurons, as one set of shape (inputs + units, units).

    Parameters
    ----------
    params : LTCParams
        Parameters.
    """
    return Synapses(
        *(np.concatenate(both) for both in zip(sensory_synapses(params), recurrent_synapses(params), strict=True))
    )


def ltc_box(params: LTCParams, epsilon: float = 0.0) -> Interval:
    r"""Box that no state leaves, for every input (LTC, Hasani et al. 2021, Theorem 2, for synapses).

    .. math:: \min(V_i, \min_j E_{ij}) \le x_i \le \max(V_i, \max_j E_{ij}), \quad\text{and } \varepsilon > 0
              \text{ adds the value } 0

    The ODE's states stay in it, and so do those of the fused and the frozen steps of any length, which are weighted
    means of the state, V, E and 0.

    Parameters
    ----------
    params : LTCParams
        Parameters; a synapse is where w > 0.
    epsilon : float
        One more conductance, on the value 0.

    Returns
    -------
    low, high : ndarray, shape (units,)
    """
    synapses = all_synapses(params)
    there = synapses.w > 0
    rest = 0 * params.vleak if epsilon else params.vleak
    low = np.min(synapses.erev, axis=0, where=there, initial=np.inf)
    high = np.max(synapses.erev, axis=0, where=there, initial=-np.inf)
    return np.minimum(low, np.minimum(params.vleak, rest)), np.maximum(high, np.maximum(params.vleak, rest))


def with_start(low: Array, high: Array, start: Interval, decay: npt.ArrayLike = 1.0) -> Interval:
    r"""Widen a box by what a start outside of it still lies outside.

    .. math:: [\,l - d\,(l - x_0)^+,\; u + d\,(x_0 - u)^+\,]

    Parameters
    ----------
    low, high : ndarray, shape (units,)
        The box.
    start : (low, high)
        Box of the first state, shape (units,) each.
    decay : array_like
        d, by what the distance has shrunk; broadcasts to (..., units).
    """
    below, above = np.maximum(low - start[0], 0), np.maximum(start[1] - high, 0)
    return low - decay * below, high + decay * above


def leak_decay(params: LTCParams, timespans: Array, unfolds: int | None = None, epsilon: float = 0.0) -> Array:
    r"""Bound on how much of a distance from the box is left, as the leak alone brings the state back.

    .. math:: e^{-t\,(g + \varepsilon)/C} \;\text{(ODE and frozen steps)}, \qquad
              \prod \frac{C}{C + h\,(g + \varepsilon)} \;\text{(fused steps, one factor an unfolding of length } h)

    Parameters
    ----------
    params : LTCParams
        Parameters.
    timespans : ndarray, shape (T,)
        Lengths of the time steps, >= 0.
    unfolds : int, optional
        Parts of a fused step; None for the ODE.
    epsilon : float
        One more conductance, on the value 0.

    Returns
    -------
    ndarray, shape (T, units)
        After each time step.
    """
    rate, t = (params.gleak + epsilon) / params.cm, timespans[:, None]
    if unfolds is None:
        return np.exp(-rate * np.cumsum(t, axis=0))
    return np.cumprod((1 + rate * t / unfolds) ** -float(unfolds), axis=0)


def ltc_time_constant(params: LTCParams, epsilon: float = 0.0) -> Interval:
    r"""Range of each neuron's liquid time constant (LTC, Hasani et al. 2021, Theorem 1, for synapses).

    .. math:: \frac{C_i}{g_i + \varepsilon + \sum_j w_{ij}} \le \tau_i(t) = \frac{C_i}{G_i(x, I)}
              \le \frac{C_i}{g_i + \varepsilon} \qquad\text{(sums over neurons and inputs)}

    Parameters
    ----------
    params : LTCParams
        Parameters.
    epsilon : float
        One more conductance, on the value 0.

    Returns
    -------
    low, high : ndarray, shape (units,)
        In units of time.
    """
    leak = params.gleak + epsilon
    return params.cm / (leak + all_synapses(params).w.sum(axis=0)), params.cm / leak


def release_range(synapses: Synapses, low: Array, high: Array) -> Interval:
    r"""Range of each synapse's release as its presynaptic value ranges over an interval.

    .. math:: \sigma\big(\sigma_{ij}(x_j - \mu_{ij})\big), \quad x_j \in [l_j, u_j]: \text{ the ends, which swap where }
              \sigma_{ij} < 0

    Parameters
    ----------
    synapses : Synapses
        Parameters, shape (pre, post).
    low, high : ndarray
        Ends of the interval, in either order; broadcast to (..., pre, post).

    Returns
    -------
    low, high : ndarray, shape (..., pre, post)
    """
    a, b = (sigmoid(synapses.sigma * (end - synapses.mu)) for end in (low, high))
    return np.minimum(a, b), np.maximum(a, b)


class FrozenRates(NamedTuple):
    """What the bound of the frozen form in a recurrent network needs.

    Attributes
    ----------
    contraction : float
        λ, the rate at which errors, and any two trajectories with the same input, approach; none do if it is <= 0.
    defect : float
        P, the error that a frozen part of length 1 makes a unit of time.
    """

    contraction: float
    defect: float


def frozen_rates(params: LTCParams, input_low: Array, input_high: Array, box: Interval, epsilon: float) -> FrozenRates:
    r"""Rates of a network with frozen conductances on a box that its states do not leave.

    .. math:: R_{ij} = \max |x_i - E_{ij}|, \qquad K_{ij} = w_{ij}\,|\sigma_{ij}|\,R_{ij}/4, \qquad
              \lambda = \min_i\; \frac{1}{C_i}\Big[g_i + \sum_j w_{ij}\,s_{ij}^{min} - \sum_j K_{ij}\Big]

    .. math:: \dot V_j = \frac{1}{C_j}\Big[g_j \max |V_j - x_j| + \sum_k w_{jk} R_{jk}\Big], \qquad
              P = \max_i\; \frac{1}{C_i} \sum_j K_{ij}\,\dot V_j

    K is summed over neurons, as inputs are the same; w s and w R over neurons and inputs. With inputs constant on each
    part, :math:`|\hat x - x|_\infty \le h\,P\,(1 - e^{-\lambda t})/\lambda`.

    Parameters
    ----------
    params : LTCParams
        Parameters.
    input_low, input_high : ndarray, shape (inputs,)
        Ends of the inputs, as they reach the synapses, in either order.
    box : (low, high)
        Of the states, shape (units,) each.
    epsilon : float
        One more conductance, on the value 0.

    Returns
    -------
    FrozenRates
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
    defect = (speed @ K) / params.cm
    return FrozenRates(float(contraction.min()), float(defect.max()))
