r"""The LTC of the papers (Eq. 1), with a neural release f: one layer on input and state.

.. math:: \dot x = -\big(w_\tau + f(x, I)\big)\,x + A\,f(x, I), \qquad f(x, I) = \sigma\big(W\,[I, x] + b\big)

In terms of :mod:`cfc_ref.cells.ode`: C = 1, G = w_τ + f, and Q = A f. It is not the LTC of ncps
(:mod:`cfc_ref.cells.ltc.synapses`), where each synapse has its own conductance and reversal potential.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from cfc_ref.activations import d_sigmoid, sigmoid
from cfc_ref.arrays import Array
from cfc_ref.cells.dense import Dense
from cfc_ref.cells.ode import Balance, Equation

__all__ = ["NEURAL", "NeuralLTCParams", "neural_box", "trace_neural_ltc"]


class NeuralLTCParams(NamedTuple):
    """Effective parameters of Eq. 1."""

    f: Dense  # (units, inputs + units): w and b of the release
    w_tau: Any  # (units,): leak, > 0
    A: Any  # (units,): reversal potential


def _hold(params: NeuralLTCParams, I: Array) -> Array:
    """Return the input's share of the argument of f."""
    return I @ params.f.W[:, : I.shape[1]].T + params.f.b


def _d_hold(params: NeuralLTCParams, I: Array, d_held: Array) -> tuple[NeuralLTCParams, Array]:
    d_W = np.zeros_like(params.f.W)
    d_W[:, : I.shape[1]] = d_held.T @ I
    d_b = d_held.sum(axis=0)
    d_I = d_held @ params.f.W[:, : I.shape[1]]
    return NeuralLTCParams(Dense(d_W, d_b), 0, 0), d_I


def _balance(params: NeuralLTCParams, held: Array, x: Array) -> tuple[Balance, Array]:
    f = sigmoid(held + x @ params.f.W[:, -x.shape[1] :].T)
    # Eq. (1): with a neural f
    return Balance(np.ones_like(params.w_tau), params.w_tau + f, params.A * f), f


def _d_balance(params: NeuralLTCParams, x: Array, f: Array, d: Balance) -> tuple[NeuralLTCParams, Array, Array]:
    d_w_tau = d.G.sum(axis=0)
    d_A = (f * d.Q).sum(axis=0)
    d_f = d.G + params.A * d.Q
    d_z = d_f * d_sigmoid(f)
    d_W = np.zeros_like(params.f.W)
    d_W[:, -x.shape[1] :] = d_z.T @ x
    d_x = d_z @ params.f.W[:, -x.shape[1] :]
    untouched: Any = 0
    return NeuralLTCParams(Dense(d_W, untouched), d_w_tau, d_A), d_z, d_x


def _fastest(params: NeuralLTCParams) -> Array:
    """Return w_τ + 1, the rate with f = 1."""
    return params.w_tau + 1


def neural_box(params: NeuralLTCParams) -> tuple[Array, Array]:
    r"""Return the box that no state leaves: between 0 and :math:`A/(w_\tau + 1)`, the equilibria of all releases f."""
    end = params.A / (params.w_tau + 1)
    return np.minimum(end, 0), np.maximum(end, 0)


NEURAL = Equation(_hold, _d_hold, _balance, _d_balance, _fastest, neural_box)


def trace_neural_ltc(params: NeuralLTCParams, I: Array, x: Array) -> dict[str, Array]:
    r"""Return the neurons' quantities at states x with input I, by name, each of shape (batch, units).

    "release" f, "time_constant" :math:`1/(w_\tau + f)`, "equilibrium" :math:`A f/(w_\tau + f)`, "synaptic_current"
    :math:`f (A - x)`, "leak_current" :math:`-w_\tau x`, and "current", their sum, :math:`\dot x`.
    """
    (_, G, Q), f = _balance(params, _hold(params, I), x)
    return {
        "release": f,
        "time_constant": 1 / G,
        "equilibrium": Q / G,
        "current": Q - G * x,
        "synaptic_current": f * (params.A - x),
        "leak_current": -params.w_tau * x,
    }
