r"""Reach tubes, and that of a synaptic LTC: an interval per neuron that holds its state for all inputs in a box.

Each release :math:`s_{ij}` ranges over an interval while its presynaptic value ranges over one. A neuron is driven up
the most where synapses that pull up (:math:`E_{ij} > x_i`) are open as wide as they can be, and the others as little.

.. math:: C_i\,\dot u_i = g_i\,(V_i - u_i) + \sum_j w_{ij}\,s^u_{ij}\,(E_{ij} - u_i), \qquad
          s^u_{ij} = s^{hi}_{ij} \text{ where } E_{ij} > u_i, \text{ else } s^{lo}_{ij}

and the mirror for l. By Müller's theorem every trajectory, for every measurable input in the box, stays within l and u:
the right side is the largest that neuron i can have at :math:`x_i = u_i` with the others in their intervals. A synapse
of a neuron on itself therefore sees :math:`u_i`. The tube is exact for one neuron whose inputs have a synapse each, and
sound otherwise. Parameters and ε are as in :mod:`cfc_ref.bounds.synaptic`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from cfc_ref.arrays import Array
from cfc_ref.bounds.checked import Interval
from cfc_ref.bounds.synaptic import release_range
from cfc_ref.cells.adjoint import integrate
from cfc_ref.cells.ltc.synapses import LTCParams, all_synapses, recurrent_synapses, sensory_synapses, synaptic
from cfc_ref.cells.ode import Balance, Equation, Scheme

__all__ = ["fused_part", "fused_tube", "ode_tube", "synaptic_tube"]

Part = Callable[[Any, Any, Array, Array, float], Interval]


# --- of the ODE


def _hold(params: LTCParams, ends: Array) -> Interval:
    """Return the range of the sensory releases, as the inputs' low and high ends, side by side, are held."""
    low, high = np.split(ends[:, :, None], 2, axis=1)
    return release_range(sensory_synapses(params), low, high)


def _extreme_sums(
    params: LTCParams, sensory: Interval, low: Array, high: Array, epsilon: float, *, up: bool
) -> tuple[Array, Array]:
    """Return G and Q of what drives every neuron up the most at x = high, or down at x = low."""
    x = (high if up else low)[:, None, :]
    own = np.eye(low.shape[1], dtype=bool)
    recurrent = recurrent_synapses(params)
    between = release_range(recurrent, *(np.where(own, x, end[:, :, None]) for end in (low, high)))
    G, Q = params.gleak + epsilon, params.gleak * params.vleak
    for synapses, (least, most) in ((recurrent, between), (sensory_synapses(params), sensory)):
        ws = synapses.w * np.where((synapses.erev > x) == up, most, least)
        G, Q = G + ws.sum(axis=1), Q + (ws * synapses.erev).sum(axis=1)
    return G, Q


def _balance(params: LTCParams, sensory: Interval, ends: Array, epsilon: float) -> tuple[Balance, None]:
    low, high = np.split(ends, 2, axis=1)
    G_low, Q_low = _extreme_sums(params, sensory, low, high, epsilon, up=False)
    G_high, Q_high = _extreme_sums(params, sensory, low, high, epsilon, up=True)
    G, Q = np.concatenate([G_low, G_high], axis=1), np.concatenate([Q_low, Q_high], axis=1)
    return Balance(np.tile(params.cm, 2), G, Q), None


def _no_way_back(*_: Any) -> Any:
    raise NotImplementedError("a tube has no gradient")


def synaptic_tube(epsilon: float = 0.0) -> Equation:
    """Return the tube as the solvers take it: twice as many neurons, l and then u, over twice as many inputs."""

    def fastest(params: LTCParams) -> Array:
        return np.tile(synaptic(epsilon).fastest(params), 2)

    return Equation(_hold, _no_way_back, partial(_balance, epsilon=epsilon), _no_way_back, fastest)


def ode_tube(equation: Equation, params: Any, inputs: Interval, start: Interval, timespans: Array) -> Interval:
    """Return the tube of an ODE after each time step, by scipy with the tolerances of Scheme, shape (T, units) each."""
    # `equation` is that of the tube itself, l and then u; the ends of the inputs have shape (T, inputs) each
    scheme, ends = Scheme(equation, "scipy"), np.concatenate(start)[None]
    tube = []
    for I, dt in zip(np.concatenate(inputs, axis=1), timespans, strict=True):
        ends, _ = integrate(scheme, params, I[None], ends, dt.reshape(1, 1))
        tube.append(ends[0])
    low, high = np.split(np.reshape(tube, (len(tube), ends.size)), 2, axis=1)
    return low, high


# --- of the fused step


def fused_part(
    params: LTCParams, sensory: Interval, low: Array, high: Array, h: float, epsilon: float = 0.0
) -> Interval:
    r"""Return the interval of one part of the fused step, as states and sensory releases range over theirs.

    .. math:: x_i^+ = \frac{C_i\,x_i + h\,\big(g_i V_i + \sum_j w_{ij} s_{ij} E_{ij}\big)}
              {C_i + h\,\big(g_i + \varepsilon + \sum_j w_{ij} s_{ij}\big)}

    It is a weighted mean of :math:`x_i`, :math:`V_i`, 0 and :math:`E_{ij}`. Its maximum is at :math:`x_i = u_i`, and
    with the synapses sorted by :math:`E_{ij}` at the least release of the first p and the largest of the others, for
    some p: all are tried, in O(m log m) for m synapses. It is exact where no neuron has a synapse on itself, and holds
    where one has.
    """
    sensory = sensory[0][0], sensory[1][0]  # without the axis of the batch
    between = release_range(recurrent_synapses(params), low[:, None], high[:, None])
    synapses = all_synapses(params)
    order = np.argsort(synapses.erev, axis=0)
    E = np.take_along_axis(synapses.erev, order, axis=0)
    weights = (h * synapses.w * np.concatenate(both) for both in zip(sensory, between, strict=True))
    least, most = (np.take_along_axis(weight, order, axis=0) for weight in weights)
    D, N = params.cm + h * (params.gleak + epsilon), h * params.gleak * params.vleak
    lowest = _split_means(D, N + params.cm * low, most, least, E).min(axis=0)
    highest = _split_means(D, N + params.cm * high, least, most, E).max(axis=0)
    return lowest, highest


def _split_means(D: Array, N: Array, first: Array, others: Array, E: Array) -> Array:
    """Return the weighted means with weights `first` of the first p values and `others` of the rest, p = 0 … m."""

    def sums(a: Array, b: Array) -> Array:
        none = np.zeros_like(a[:1])
        head = np.concatenate([none, np.cumsum(a, axis=0)])
        tail = np.concatenate([np.cumsum(b[::-1], axis=0)[::-1], none])
        return head + tail

    return (N + sums(first * E, others * E)) / (D + sums(first, others))


def fused_tube(
    equation: Equation,
    part: Part,
    params: Any,
    inputs: Interval,
    start: Interval,
    timespans: Array,
    unfolds: npt.ArrayLike,
) -> Interval:
    """Return the tube of a network that runs by fused steps, part by part, shape (T, units) each."""
    # Over several parts it is sound, as it forgets what neurons have in common, and that an input is held
    low, high = start
    tube = [np.empty((2, 0, low.size))]
    parts = np.broadcast_to(unfolds, timespans.shape)
    for I, dt, count in zip(np.concatenate(inputs, axis=1), timespans, parts, strict=True):
        held = equation.hold(params, I[None])
        for _ in range(count):
            low, high = part(params, held, low, high, dt / count)
        tube.append(np.stack([low, high])[:, None])
    low, high = np.concatenate(tube, axis=1)
    return low, high
