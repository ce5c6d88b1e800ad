r"""The closed form as the paper prints it, as a cell: Eq. 3, and Theorem 1 with the state as x₀.

.. math:: x^+ = B \odot e^{-[w_\tau + f(x, I)]\,t} \odot f(-x, -I) + A

f is one network, evaluated twice: at [I, x] and at [-I, -x]. Its last nonlinearity is the logistic function, as the
theorem's hypotheses (0 <= f <= 1) ask. "paper_pure" learns the amplitude B (Eq. 3); "from_x0" is Theorem 1 with
B = x₀ - A, x₀ being the state before the step.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cfc_ref.activations import d_sigmoid, sigmoid
from cfc_ref.cells.cfc_heads import CfCParams
from cfc_ref.cells.dense import affine, d_affine
from cfc_ref.cells.tree import tree_map

__all__ = ["PrintedKept", "d_printed", "printed"]

Array = npt.NDArray[Any]


class PrintedKept(NamedTuple):
    """What the backward needs: f(x, I), f(-x, -I) and the exponential, shape (batch, units)."""

    f: Array
    r: Array
    decay: Array


def printed(params: CfCParams, u: Array, u_minus: Array, B: Array, dt: Array) -> tuple[Array, PrintedKept]:
    r"""Eq. 3 as printed, :math:`x^+ = B \odot e^{-[w_\tau + f(x,I)]\,t} \odot f(-x,-I) + A`.

    Parameters
    ----------
    params : CfCParams
        Its ff1, w_tau and A.
    u, u_minus : ndarray, shape (batch, features)
        The backbone's features of [I, x] and of [-I, -x].
    B : ndarray, shape (1, units) or (batch, units)
        Amplitude: a parameter in Eq. 3, x₀ - A in Theorem 1.
    dt : ndarray, shape (batch, 1)
        Time t since the previous step, >= 0.

    Returns
    -------
    x : ndarray, shape (batch, units)
        The next state.
    kept : PrintedKept

    Notes
    -----
    Departure: the leak is the absolute value of the parameter w_τ, so that training can't make it negative. At t = 0
    the step gives A + B f(-x, -I), not x₀: see :func:`cfc_ref.closed_form`.
    """
    f = sigmoid(affine(params.ff1, u))
    r = sigmoid(affine(params.ff1, u_minus))
    decay = np.exp(-(np.abs(params.w_tau) + f) * dt)
    # Eq. (3)
    return B * decay * r + params.A, PrintedKept(f, r, decay)


def d_printed(
    params: CfCParams, u: Array, u_minus: Array, B: Array, dt: Array, kept: PrintedKept, d_x: Array
) -> tuple[CfCParams, Array, Array, Array, Array]:
    r"""Backward of :func:`printed`, with e the exponential, r = f(-x, -I) and ρ = abs w_τ + f the rate.

    .. math:: \bar A = \bar x^+, \quad \bar B = e\,r\,\bar x^+, \quad \bar r = B\,e\,\bar x^+, \quad
              \bar e = B\,r\,\bar x^+, \quad \bar\rho = -t\,e\,\bar e, \quad \bar t = \textstyle\sum -\rho\,e\,\bar e

    .. math:: \bar w_\tau = \operatorname{sign}(w_\tau)\,\bar\rho, \quad \bar z = f\,(1-f)\,\bar\rho, \quad
              \bar z_- = r\,(1-r)\,\bar r

    Parameters
    ----------
    params, u, u_minus, B, dt
        As in the forward.
    kept : PrintedKept
        As the forward returned it.
    d_x : ndarray, shape (batch, units)
        Gradient of the next state.

    Returns
    -------
    d_params : CfCParams
        Gradients of ff1, w_tau and A.
    d_u, d_u_minus : ndarray, shape (batch, features)
    d_B : ndarray, shape (batch, units)
    d_dt : ndarray, shape (batch, 1)
    """
    rate = np.abs(params.w_tau) + kept.f
    d_A = d_x
    d_B = d_x * kept.decay * kept.r
    d_r = d_x * B * kept.decay
    d_decay = d_x * B * kept.r
    d_rate = -dt * kept.decay * d_decay
    d_dt = (-rate * kept.decay * d_decay).sum(axis=1, keepdims=True)
    d_w_tau = np.sign(params.w_tau) * d_rate
    d_plus, d_u = d_affine(params.ff1, u, d_rate * d_sigmoid(kept.f))
    d_minus, d_u_minus = d_affine(params.ff1, u_minus, d_r * d_sigmoid(kept.r))
    d_ff1 = tree_map(np.add, d_plus, d_minus)
    d_params = CfCParams((), d_ff1, w_tau=d_w_tau.sum(axis=0, keepdims=True), A=d_A.sum(axis=0, keepdims=True))
    return d_params, d_u, d_u_minus, d_B, d_dt
