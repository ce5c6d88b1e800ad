r"""How far the frozen closed forms can be from the LTC as stated: formulas, element by element.

As in :mod:`cfc_ref.neuron.closed_form_error`: arguments broadcast and are trusted. :math:`k = w + a`,
:math:`M = \max(|c|, |A| w/(w+a))` bounds |x − A| for all time, :math:`L_j` bounds the j-th derivative of
y(t) = f(I(t)) in time within each step, h is the longest step.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from cfc_ref.neuron.closed_form_error import relax, state_extremes
from cfc_ref.neuron.exact_solution import constant_piece
from cfc_ref.neuron.model import LTCNeuron

__all__ = [
    "gauss_radius",
    "largest_deviation",
    "midpoint_radius",
    "one_step_interval",
    "release_derivatives",
    "start_radius",
]

Array = npt.NDArray[Any]

_SERIES_BELOW = 1e-2

# Largest absolute value of the logistic function's derivatives: with p = s (1 - s) they are p, p (1 - 2s),
# p (1 - 6p), p (1 - 2s)(1 - 12p); the last is largest where 120 p^2 - 30 p + 1 = 0.
_P4 = (15 + math.sqrt(105)) / 120
_LOGISTIC = (1 / 4, math.sqrt(3) / 18, 1 / 8, _P4 * math.sqrt(1 - 4 * _P4) * (12 * _P4 - 1))


def release_derivatives(U1: Array, U2: Array, U3: Array, U4: Array) -> tuple[Array, Array, Array, Array]:
    r"""Bound the first four derivatives in time of the logistic of u(t) from those of u = sigma (I(t) - mu).

    The chain rule (Faà di Bruno), with :math:`S_j = \max|\sigma^{(j)}|` = 1/4, √3/18, 1/8, 0.1277:

    .. math::
        L_1 &= S_1 U_1, \quad L_2 = S_2 U_1^2 + S_1 U_2, \quad L_3 = S_3 U_1^3 + 3 S_2 U_1 U_2 + S_1 U_3, \\
        L_4 &= S_4 U_1^4 + 6 S_3 U_1^2 U_2 + S_2 (3 U_2^2 + 4 U_1 U_3) + S_1 U_4

    Parameters
    ----------
    U1, U2, U3, U4 : ndarray
        Bounds of the absolute derivatives of u.

    Returns
    -------
    L1, L2, L3, L4 : ndarray
        Bounds of the absolute derivatives of y = f(I(t)).
    """
    S1, S2, S3, S4 = _LOGISTIC
    return (
        S1 * U1,
        S2 * U1**2 + S1 * U2,
        S3 * U1**3 + 3 * S2 * U1 * U2 + S1 * U3,
        S4 * U1**4 + 6 * S3 * U1**2 * U2 + S2 * (3 * U2**2 + 4 * U1 * U3) + S1 * U4,
    )


def largest_deviation(neuron: LTCNeuron, c: Array, a: Array) -> Array:
    r"""Return :math:`M = \max(|c|,\; |A|\,w/(w+a))`, which bounds \|x(t) − A\| for all time.

    Parameters
    ----------
    neuron : LTCNeuron
        The neuron.
    c, a : ndarray
        Start minus A, lower end of the release.
    """
    w = neuron.w_tau
    return np.maximum(np.abs(c), np.abs(neuron.A) * w / (w + a))


def one_step_interval(neuron: LTCNeuron, c: Array, h: Array, y: Array, a: Array, b: Array) -> tuple[Array, Array]:
    r"""One frozen step at the release y: :math:`[z_{min}(h) - z_{frozen},\; z_{max}(h) - z_{frozen}]`, sharp.

    Parameters
    ----------
    neuron : LTCNeuron
        The neuron.
    c, h : ndarray
        State at the start of the step minus A, length of the step.
    y, a, b : ndarray
        The frozen release, and the range in which the true one moves.
    """
    z_min, z_max = state_extremes(neuron, c, h, a, b)
    z_frozen = constant_piece(neuron.w_tau, neuron.A, y, h, c + neuron.A) - neuron.A
    # The frozen step is one of the inputs that the extremes range over: rounding must not say otherwise.
    return np.minimum(z_min - z_frozen, 0), np.maximum(z_max - z_frozen, 0)


def start_radius(neuron: LTCNeuron, c: Array, t: Array, h: Array, L1: Array, a: Array) -> Array:
    r"""Frozen at the start of each step: the smaller of the two bounds of order 1.

    .. math:: |e(t)| \le M\,L_1 h\,\frac{1-e^{-kt}}{k}, \qquad
              |e(t)| \le M\,L_1\Big(\frac{h}{k\,(1-e^{-kh})} - \frac1{k^2}\Big)

    Parameters
    ----------
    neuron : LTCNeuron
        The neuron.
    c, t, h, L1, a : ndarray
        Start minus A, time, longest step, Lipschitz constant of y in time, lower end of the release.
    """
    k, M = neuron.w_tau + a, largest_deviation(neuron, c, a)
    q = k * h
    # (q/(1 - e^-q) - 1)/k^2, by its series where that cancels
    large = np.maximum(q, _SERIES_BELOW)
    steps = np.where(q < _SERIES_BELOW, q / 2 + q**2 / 12, large / -np.expm1(-large) - 1)
    return M * L1 * np.minimum(h * relax(k, t), steps / k**2)


def midpoint_radius(
    neuron: LTCNeuron, c: Array, t: Array, h: Array, L1: Array, a: Array, L2: Array | None = None
) -> Array:
    r"""Frozen in the middle of each step: order 1 from L₁ alone, order 2 where L₂ is known too; the smaller of them.

    .. math:: |e(t)| \le M\,\frac{L_1 h}{2}\,\frac{1-e^{-kt}}{k}, \qquad
              |e(t)| \le \frac{C_2 h^3}{1-e^{-kh}}, \quad
              C_2 = \frac{L_1\,(|A| w + M L_1 h/2)}{12} + \frac{M L_2}{24}

    Parameters
    ----------
    neuron : LTCNeuron
        The neuron.
    c, t, h, L1, a : ndarray
        As for :func:`start_radius`.
    L2 : ndarray, optional
        Bound of the second derivative of y in time.
    """
    k, M = neuron.w_tau + a, largest_deviation(neuron, c, a)
    first = M * L1 * h / 2 * relax(k, t)
    if L2 is None:
        return first
    C2 = L1 * (np.abs(neuron.A) * neuron.w_tau + M * L1 * h / 2) / 12 + M * L2 / 24
    return np.minimum(first, C2 * h**2 * _geometric(k, h))


def gauss_radius(
    neuron: LTCNeuron, c: Array, h: Array, L: tuple[Array, Array, Array, Array], a: Array, b: Array
) -> Array:
    r"""Two Gauss points a step: order 4, for all time.

    .. math:: |e| \le \frac{C_4 h^5}{1-e^{-kh}}, \quad C_4 = |A| w\Big[\frac{(w+b) L_2}{720} + \frac{7 L_3}{576}
              + \frac{L_1^2}{120} + \frac{L_2^2 h^2}{960}\Big] + \frac{M L_4}{4320}

    Parameters
    ----------
    neuron : LTCNeuron
        The neuron.
    c, h : ndarray
        Start minus A, longest step.
    L : tuple of four ndarrays
        Bounds of the first to fourth derivative of y in time.
    a, b : ndarray
        Range of the release.
    """
    w, k, M = neuron.w_tau, neuron.w_tau + a, largest_deviation(neuron, c, a)
    L1, L2, L3, L4 = L
    bracket = (w + b) * L2 / 720 + 7 * L3 / 576 + L1**2 / 120 + L2**2 * h**2 / 960
    C4 = np.abs(neuron.A) * w * bracket + M * L4 / 4320
    return C4 * h**4 * _geometric(k, h)


def _geometric(k: Array, h: Array) -> Array:
    """Return h/(1 - e^{-kh}), the sum of the geometric series of one step's errors times h; 1/k at h = 0."""
    q = np.maximum(k * h, np.finfo(np.result_type(k, h)).tiny)
    return q / -np.expm1(-q) / k
