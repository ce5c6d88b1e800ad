r"""The LTC of ncps and of the LTC repository: neurons with a leak, and synapses that are conductances.

.. math:: C_i\,\dot x_i = g_i\,(V_i - x_i) + \sum_j w_{ij}\,\sigma\big(\sigma_{ij}(x_j - \mu_{ij})\big)\,(E_{ij} - x_i)
          + \text{the same sum over the inputs } I_j

It is not the paper's Eq. 1, which has one release and one reversal potential per neuron, and no capacity
(:mod:`cfc_ref.cells.ltc.neural`). Matrices are indexed [presynaptic, postsynaptic], so that :math:`w_{ij}` is
``w[j, i]``. Parameters are effective: positive where they have to be, and w is 0 where there is no synapse.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import numpy as np

from cfc_ref.activations import d_sigmoid, sigmoid
from cfc_ref.arrays import Array
from cfc_ref.cells.ode import Balance, Equation

__all__ = [
    "LTCParams",
    "Synapses",
    "all_synapses",
    "d_synapse_sums",
    "ltc_box",
    "recurrent_synapses",
    "sensory_synapses",
    "synapse_sums",
    "synaptic",
    "trace_ltc",
]

Sums = tuple[Array, Array]


class LTCParams(NamedTuple):
    """Effective parameters of a synaptic LTC."""

    gleak: Any  # gleak, vleak, cm: (units,): leak g > 0, its reversal potential V, capacity C > 0
    vleak: Any
    cm: Any
    # w, sigma, mu, erev: (units, units): the synapses between neurons: conductance w >= 0, gain σ, threshold μ,
    # reversal potential E
    w: Any
    sigma: Any
    mu: Any
    erev: Any
    # sensory_w, sensory_sigma, sensory_mu, sensory_erev: (inputs, units): the same for the synapses from inputs
    sensory_w: Any
    sensory_sigma: Any
    sensory_mu: Any
    sensory_erev: Any


class Synapses(NamedTuple):
    """One kind of synapses, shape (pre, post)."""

    w: Any
    sigma: Any
    mu: Any
    erev: Any


_UNTOUCHED = LTCParams(*(0,) * len(LTCParams._fields))  # gradients of what a function does not read


def recurrent_synapses(params: LTCParams) -> Synapses:
    """Return the synapses between neurons."""
    return Synapses(params.w, params.sigma, params.mu, params.erev)


def sensory_synapses(params: LTCParams) -> Synapses:
    """Return the synapses from inputs."""
    return Synapses(params.sensory_w, params.sensory_sigma, params.sensory_mu, params.sensory_erev)


def all_synapses(params: LTCParams) -> Synapses:
    """Return the synapses from inputs, then those between neurons, as one set of shape (inputs + units, units)."""
    return Synapses(
        *(np.concatenate(both) for both in zip(sensory_synapses(params), recurrent_synapses(params), strict=True))
    )


def synapse_sums(synapses: Synapses, pre: Array) -> tuple[Array, Array, Array]:
    r"""Return G and Q, shape (batch, post), and the release s of each synapse, shape (batch, pre, post).

    .. math:: s_{ij} = \sigma\big(\sigma_{ij}(x_j - \mu_{ij})\big), \qquad
              G_i = \sum_j w_{ij}\,s_{ij}, \qquad Q_i = \sum_j w_{ij}\,s_{ij}\,E_{ij}
    """
    s = sigmoid(synapses.sigma * (pre[:, :, None] - synapses.mu))
    ws = synapses.w * s
    # NCP 2020: synapses that are conductances
    return ws.sum(axis=1), (ws * synapses.erev).sum(axis=1), s


def d_synapse_sums(synapses: Synapses, pre: Array, s: Array, d_G: Array, d_Q: Array) -> tuple[Synapses, Array]:
    r"""Return the gradients of the synapses and of `pre`, with :math:`z = \sigma_{ij}(x_j - \mu_{ij})`.

    .. math:: \overline{ws} = \bar G_i + E_{ij} \bar Q_i, \quad \bar w = \overline{ws}\,s, \quad \bar E = \bar Q_i\,w s,
              \quad \bar z = \overline{ws}\,w\,s(1-s), \quad \bar\sigma = (x_j - \mu)\,\bar z, \quad
              \bar\mu = -\sigma \bar z, \quad \bar x_j = \textstyle\sum_i \sigma \bar z
    """
    d_G, d_Q = d_G[:, None, :], d_Q[:, None, :]
    d_ws = d_G + synapses.erev * d_Q
    d_w = (d_ws * s).sum(axis=0)
    d_erev = synapses.w * (d_Q * s).sum(axis=0)
    d_z = d_ws * synapses.w * d_sigmoid(s)
    d_sigma = (d_z * (pre[:, :, None] - synapses.mu)).sum(axis=0)
    d_mu = -synapses.sigma * d_z.sum(axis=0)
    d_pre = (d_z * synapses.sigma).sum(axis=2)
    return Synapses(d_w, d_sigma, d_mu, d_erev), d_pre


def _hold(params: LTCParams, I: Array, epsilon: float) -> Sums:
    """Return the sums over the leak, ε and the sensory synapses."""
    G, Q, _ = synapse_sums(sensory_synapses(params), I)
    return params.gleak + epsilon + G, params.gleak * params.vleak + Q


def _d_hold(params: LTCParams, I: Array, d_held: Sums) -> tuple[LTCParams, Array]:
    d_G, d_Q = d_held
    d_gleak = (d_G + params.vleak * d_Q).sum(axis=0)
    d_vleak = params.gleak * d_Q.sum(axis=0)
    s = synapse_sums(sensory_synapses(params), I)[2]
    d, d_I = d_synapse_sums(sensory_synapses(params), I, s, d_G, d_Q)
    sensory = {f"sensory_{name}": gradient for name, gradient in d._asdict().items()}
    return _UNTOUCHED._replace(gleak=d_gleak, vleak=d_vleak, **sensory), d_I


def _balance(params: LTCParams, held: Sums, x: Array) -> tuple[Balance, Array]:
    """Return the sums over the leak and all synapses, and the release of the synapses between neurons."""
    G, Q, s = synapse_sums(recurrent_synapses(params), x)
    return Balance(params.cm, held[0] + G, held[1] + Q), s


def _d_balance(params: LTCParams, x: Array, s: Array, d: Balance) -> tuple[LTCParams, Sums, Array]:
    d_synapses, d_x = d_synapse_sums(recurrent_synapses(params), x, s, d.G, d.Q)
    return _UNTOUCHED._replace(cm=d.C.sum(axis=0), **d_synapses._asdict()), (d.G, d.Q), d_x


def _fastest(params: LTCParams, epsilon: float) -> Array:
    r"""Return (g + ε + Σ w)/C: every synapse open (LTC bounds, Hasani et al. 2021, Theorem 1)."""
    return (params.gleak + epsilon + params.w.sum(axis=0) + params.sensory_w.sum(axis=0)) / params.cm


def ltc_box(params: LTCParams, epsilon: float = 0.0) -> tuple[Array, Array]:
    r"""Return the box that no state leaves, for every input (LTC, Hasani et al. 2021, Theorem 2, for synapses).

    .. math:: \min(V_i, \min_j E_{ij}) \le x_i \le \max(V_i, \max_j E_{ij}), \quad\text{and } \varepsilon > 0
              \text{ adds the value } 0

    The ODE's states stay in it, and so do those of the fused and the frozen steps of any length, which are weighted
    means of the state, V, E and 0, and those of CF4, which are clipped to it. A synapse is where w > 0.
    """
    synapses = all_synapses(params)
    there = synapses.w > 0
    rest = 0 * params.vleak if epsilon else params.vleak
    low = np.min(synapses.erev, axis=0, where=there, initial=np.inf)
    high = np.max(synapses.erev, axis=0, where=there, initial=-np.inf)
    # LTC 2021, Theorem 2: for synapses
    return np.minimum(low, np.minimum(params.vleak, rest)), np.maximum(high, np.maximum(params.vleak, rest))


def synaptic(epsilon: float = 0.0) -> Equation:
    r"""Return the ODE of the synaptic LTC.

    .. math:: G_i = g_i + \varepsilon + \sum_j w_{ij}\,s_{ij}, \qquad Q_i = g_i V_i + \sum_j w_{ij}\,s_{ij}\,E_{ij}
              \qquad \text{(sums over neurons and inputs)}

    ε is one more conductance of every neuron, whose reversal potential is 0: ncps adds it to a denominator, which is
    the same.
    """
    hold, fastest = partial(_hold, epsilon=epsilon), partial(_fastest, epsilon=epsilon)
    return Equation(hold, _d_hold, _balance, _d_balance, fastest, partial(ltc_box, epsilon=epsilon))


def trace_ltc(params: LTCParams, I: Array, x: Array, epsilon: float = 0.0) -> dict[str, Array]:
    r"""Return the neurons' quantities at states x with input I, as it reaches the synapses, by name.

    "time_constant", :math:`C/G`, and "equilibrium", :math:`Q/G`, shape (batch, units); "release" s and
    "synaptic_current" :math:`w s (E - x)` of each synapse between neurons, shape (batch, pre, post); "sensory_release"
    and "sensory_current", shape (batch, inputs, post); "leak_current" :math:`g (V - x)` and "current", the sum of all
    currents, :math:`C \dot x`, shape (batch, units).
    """
    held = _hold(params, I, epsilon)
    (C, G, Q), s = _balance(params, held, x)
    sensory_s = synapse_sums(sensory_synapses(params), I)[2]
    return {
        "time_constant": C / G,
        "equilibrium": Q / G,
        "current": Q - G * x,
        "leak_current": params.gleak * (params.vleak - x),
        "release": s,
        "synaptic_current": params.w * s * (params.erev - x[:, None, :]),
        "sensory_release": sensory_s,
        "sensory_current": params.sensory_w * sensory_s * (params.sensory_erev - x[:, None, :]),
    }
