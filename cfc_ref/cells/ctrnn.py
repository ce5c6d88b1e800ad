r"""The CT-RNN: neurons with a fixed time constant, driven through a tanh (Funahashi & Nakamura 1993).

.. math:: \dot x = -\frac{x}{\tau} + s \odot \tanh(W I + R\,x + b)

In terms of :mod:`cfc_ref.cells.ode`: C = 1, G = 1/τ, and Q = s ⊙ tanh(…). Unlike in the LTC, no input changes how fast
a neuron forgets.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import numpy as np

from cfc_ref.activations import d_tanh
from cfc_ref.arrays import Array
from cfc_ref.cells.dense import Dense, affine, d_affine
from cfc_ref.cells.ode import Balance, Equation

__all__ = ["CTRNNParams", "ctrnn_box", "ctrnn_equation", "trace_ctrnn"]

_UNTOUCHED: Any = 0  # the gradient of a parameter by a function that does not read it


class CTRNNParams(NamedTuple):
    """Parameters of a CT-RNN."""

    input_map: Dense  # (units, inputs): w and b
    recurrent_map: Dense  # (units, units): r
    scale: Any  # (units,): s, how strongly the tanh drives each neuron


def ctrnn_equation(tau: float) -> Equation:
    """Return the ODE of the CT-RNN; tau > 0 is in the unit of the timespans."""
    # unlike closures they can be pickled
    balance, fastest = partial(_balance, tau=tau), partial(_fastest, tau=tau)
    return Equation(_hold, _d_hold, balance, _d_balance, fastest, partial(ctrnn_box, tau=tau))


def ctrnn_box(params: CTRNNParams, tau: float) -> tuple[Array, Array]:
    r"""Return the box that no state leaves, :math:`|x| \le \tau |s|`."""
    end = tau * np.abs(params.scale)
    return -end, end


def _balance(params: CTRNNParams, held: Array, x: Array, tau: float) -> tuple[Balance, Array]:
    tanh_z = np.tanh(held + affine(params.recurrent_map, x))
    return Balance(np.ones_like(params.scale), np.full_like(x, 1 / tau), params.scale * tanh_z), tanh_z


def _fastest(params: CTRNNParams, tau: float) -> Array:
    return np.full_like(params.scale, 1 / tau)


def _hold(params: CTRNNParams, I: Array) -> Array:
    """Return the input's share of the argument of tanh."""
    return affine(params.input_map, I)


def _d_hold(params: CTRNNParams, I: Array, d_held: Array) -> tuple[CTRNNParams, Array]:
    d_input_map, d_I = d_affine(params.input_map, I, d_held)
    return CTRNNParams(d_input_map, Dense(_UNTOUCHED, None), _UNTOUCHED), d_I


def _d_balance(params: CTRNNParams, x: Array, tanh_z: Array, d: Balance) -> tuple[CTRNNParams, Array, Array]:
    d_scale = (tanh_z * d.Q).sum(axis=0)
    d_z = params.scale * d.Q * d_tanh(tanh_z)
    d_recurrent_map, d_x = d_affine(params.recurrent_map, x, d_z)
    return CTRNNParams(Dense(_UNTOUCHED, _UNTOUCHED), d_recurrent_map, d_scale), d_z, d_x


def trace_ctrnn(params: CTRNNParams, I: Array, x: Array, tau: float) -> dict[str, Array]:
    r"""Return the neurons' quantities at states x with input I, by name, each of shape (batch, units).

    "drive" :math:`s \tanh(\cdot)`, "equilibrium" :math:`\tau` times it, "leak_current" :math:`-x/\tau`, and "current",
    their sum, :math:`\dot x`.
    """
    (_, G, drive), _ = ctrnn_equation(tau).balance(params, _hold(params, I), x)
    return {"drive": drive, "equilibrium": drive / G, "leak_current": -G * x, "current": drive - G * x}
