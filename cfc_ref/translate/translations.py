r"""Translate an LTC network into closed form.

There are two translations of any :class:`cfc_ref.LTC` without mixed memory, dense or wired, sensory synapses included:

- **Algorithm 1 of the paper, as printed** (:func:`algorithm1`). It reads the states that the ODE recorded as an input:
  it is teacher-forced. :func:`algorithm1_free` feeds its own states back instead.
- **The frozen translation** (:func:`frozen_translation`): the closed form of the whole neuron while its conductances
  are constant; with ``kind="cf4"`` that of order 4. It feeds its own states back.

:func:`cfc_ref.translate.compare` compares them with the ODE, solved by scipy. All compute in float64. The state at
time k is the one at the end of time step k, during which the input is sample k.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cfc_ref import checks
from cfc_ref.activations import sigmoid
from cfc_ref.arrays import Array
from cfc_ref.bounds.posed import weights_of
from cfc_ref.cells.ltc import network as ltc
from cfc_ref.cells.ltc.network import ODENetwork, scaled
from cfc_ref.cells.ltc.synapses import LTCParams, all_synapses, synaptic
from cfc_ref.cells.ode import Scheme
from cfc_ref.cells.sequence import over_time
from cfc_ref.cells.tree import tree_map
from cfc_ref.layers.arguments import Call, arrange

__all__ = ["KINDS", "Posed", "algorithm1", "algorithm1_free", "algorithm1_states", "frozen_translation", "pose"]


KINDS = ("frozen", "frozen_midpoint", "cf4")


class Posed(NamedTuple):
    """A network and a call of it, in float64, batch first."""

    weights: ODENetwork
    call: Call
    I: Array  # as it reaches the synapses, shape (B, T, inputs)
    x0: Array  # (B, units)
    dt: Array  # (B, T)

    @property
    def times(self) -> Array:
        """Time of each sample since the start, shape (B, T, 1)."""
        return np.cumsum(self.dt, axis=1)[:, :, None]

    def stacked(self, states: list[Array]) -> Array:
        """Return states of all steps as (B, T, units) in the caller's layout."""
        B, units = self.x0.shape
        return self.call.outward(np.stack(states, axis=1) if states else np.empty((B, 0, units)))


def pose(network: Any, x: Any, timespans: Any, hx: Any) -> Posed:
    """Check the arguments of a translation and return them in float64."""
    weights = weights_of(network)
    call = arrange(network.expected, x, hx, timespans)
    samples, (x0, _), dt = tree_map(lambda array: array.astype(np.float64), (call.x, call.state, call.dt))
    return Posed(weights, call, scaled(weights.input_map, samples), x0, dt)


def algorithm1_states(params: LTCParams, pre: Array, x0: Array, t: Array) -> Array:
    r"""Algorithm 1 as printed: every synapse brings its own closed form (Eq. 2), and a neuron adds them up.

    .. math:: \hat x_i(t) = \sum_j \Big[ A_{ij} + (x_{0,i} - A_{ij})\, e^{-t\,(1/\tau_i + s_{ij})}\,(1 - s_{ij}) \Big],
              \qquad s_{ij} = \sigma\big(\sigma_{ij}(x^{pre}_{ij} - \mu_{ij})\big), \qquad \tau_i = C_i/g_i

    A is the reversal potential E. Neither w nor V occurs, and C only in τ. At t = 0 it is
    :math:`\sum_j [x_{0,i} + s_{ij}(A_{ij} - x_{0,i})]`, not :math:`x_{0,i}`; late it is :math:`\sum_j A_{ij}`, where
    the ODE's equilibrium is a mean of the A's and V.

    Shapes: `pre` (batch, inputs + units); `x0` (batch, units); `t` (batch, 1).
    """
    synapses = all_synapses(params)
    A, s = synapses.erev, sigmoid(synapses.sigma * (pre[:, :, None] - synapses.mu))
    decay = np.exp(-t[:, :, None] * (params.gleak / params.cm + s))
    closed = A + (x0[:, None, :] - A) * decay * (1 - s)
    # Algorithm 1: as printed
    return np.where(synapses.w > 0, closed, 0).sum(axis=1)


def algorithm1(
    network: Any, x: npt.ArrayLike, timespans: Any = None, hx: Any = None, *, activity: npt.ArrayLike | None = None
) -> Array:
    r"""Algorithm 1 as printed, teacher-forced: the presynaptic activity is a recording of the ODE.

    .. math:: \hat x_i(t) = \sum_j \Big[ A_{ij} + (x_{0,i} - A_{ij})\, e^{-t\,(1/\tau_i + s_{ij}(t))}\,(1 - s_{ij}(t))
              \Big], \qquad s_{ij}(t) = \sigma\big(\sigma_{ij}(x^{pre}_{ij}(t) - \mu_{ij})\big)

    with :math:`\tau_i = C_i/g_i`, :math:`A_{ij} = E_{ij}`, and t the time since the start of the sequence; see
    :func:`cfc_ref.translate.translations.algorithm1_states`.

    Parameters
    ----------
    network : LTC
        Without mixed memory.
    x, timespans, hx
        As in a call of the network (there `hx` comes before `timespans`).
    activity : array_like, shape (B, T, units) in the layout of `x`, optional
        The states at the samples' times; by default those of ``network.solve``.

    Returns
    -------
    ndarray of float64, shape of `activity`
        The states.

    Raises
    ------
    ValueError, TypeError
        For arguments that do not fit, before anything is computed.

    Notes
    -----
    The published script takes other times than those of the recording, chosen for each neuron. With `activity` given,
    `timespans` can be anything.

    Examples
    --------
    >>> from cfc_ref import LTC
    >>> network = LTC(1, 3, seed=0)
    >>> algorithm1(network, np.zeros((40, 1)))[-1]  # 4 synapses a neuron, all of reversal potential 1
    array([4., 4., 4.])
    """
    posed = pose(network, x, timespans, hx)
    states = network.solve(x, hx, timespans) if activity is None else _activity(posed, activity)
    recorded = np.moveaxis(states, posed.call.time_axis, 1) if posed.call.batched else states[None]  # (B, T, …)
    pre = np.concatenate([posed.I, recorded], axis=2)
    cell, times = posed.weights.cell, posed.times
    return posed.stacked([algorithm1_states(cell, pre[:, k], posed.x0, times[:, k]) for k in range(pre.shape[1])])


def _activity(posed: Posed, activity: npt.ArrayLike) -> Array:
    states = checks.numeric("activity", activity).astype(np.float64)
    expected = posed.stacked([posed.x0] * posed.dt.shape[1]).shape
    checks.shape("activity", states, expected, "states in the layout of x")
    return states


def algorithm1_free(network: Any, x: npt.ArrayLike, timespans: Any = None, hx: Any = None) -> Array:
    """Algorithm 1, free-running: its own states one sample earlier are the presynaptic activity.

    The paper does not have it; nothing else differs from :func:`algorithm1`.

    Parameters
    ----------
    network : LTC
        Without mixed memory.
    x, timespans, hx
        As in a call of the network (there `hx` comes before `timespans`).

    Returns
    -------
    ndarray of float64, shape (B, T, units) in the layout of `x`
        The states.

    Raises
    ------
    ValueError, TypeError
        For arguments that do not fit, before anything is computed.

    Examples
    --------
    >>> from cfc_ref import LTC
    >>> algorithm1_free(LTC(1, 3, seed=0), np.zeros((40, 1)))[-1]
    array([4., 4., 4.])
    """
    posed = pose(network, x, timespans, hx)
    state, states = posed.x0, []
    for k in range(posed.dt.shape[1]):
        pre = np.concatenate([posed.I[:, k], state], axis=1)
        state = algorithm1_states(posed.weights.cell, pre, posed.x0, posed.times[:, k])
        states.append(state)
    # Algorithm 1: free-running
    return posed.stacked(states)


def frozen_translation(
    network: Any, x: npt.ArrayLike, timespans: Any = None, hx: Any = None, *, parts: int = 1, kind: str = "frozen"
) -> Array:
    r"""Frozen closed form of every whole neuron, free-running: exponentials, and no tolerance.

    .. math:: \hat x_i \leftarrow x_{\infty,i} + (\hat x_i - x_{\infty,i})\,e^{-h\,k_i}, \qquad
              x_{\infty,i} = \frac{g_i V_i + \sum_j w_{ij} s_{ij} E_{ij}}{g_i + \sum_j w_{ij} s_{ij}}, \qquad
              k_i = \frac{g_i + \sum_j w_{ij} s_{ij}}{C_i}

    with :math:`s_{ij}` at the part's start ("frozen", order 1); at the part's middle ("frozen_midpoint", order 2); or
    five half steps with four looks per part ("cf4", order 4: :func:`cfc_ref.cells.exponential.cf4`). A layer made with
    ``solver=kind`` and ``ode_unfolds=parts`` computes the same, streams, and trains.

    Parameters
    ----------
    network : LTC
        Without mixed memory.
    x, timespans, hx
        As in a call of the network (there `hx` comes before `timespans`).
    parts : int
        Equal parts of a time step.
    kind : {"frozen", "frozen_midpoint", "cf4"}
        Which sums are frozen.

    Returns
    -------
    ndarray of float64, shape (B, T, units) in the layout of `x`
        The states.

    Raises
    ------
    ValueError, TypeError
        For arguments that do not fit, before anything is computed.

    Examples
    --------
    >>> from cfc_ref import LTC
    >>> network, x = LTC(1, 3, seed=0), np.zeros((40, 1))
    >>> bool(np.allclose(frozen_translation(network, x)[-1], network.solve(x)[-1]))
    True
    """
    parts = checks.count("parts", parts, at_least=1)
    checks.choice("kind", kind, KINDS)
    posed = pose(network, x, timespans, hx)
    scheme = Scheme(synaptic(network.epsilon), kind, parts)

    def step(weights: ODENetwork, I: Array, state: Any, dt: Array) -> Any:
        return ltc.step(weights, I, state, dt, scheme)

    mapped = posed.weights._replace(input_map=None)
    states, _ = over_time(step, mapped, posed.I, (posed.x0, None), posed.dt, keep=False)
    # Not in the paper: the frozen translation of a network
    return posed.stacked([state for state, _ in states[1:]])
