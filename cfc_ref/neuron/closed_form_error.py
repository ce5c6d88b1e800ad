r"""How far the paper's closed form can be from either ODE: formulas, element by element.

Every function here takes a neuron, :math:`c = x_0 - A`, times t and a range [a, b] of :math:`y = f(I)` that broadcast
with each other, trusts them, and returns an interval (low, high) of "truth − approximation".
:mod:`cfc_ref.bounds` is the checked face of this module, with a time axis; the derivations are named there.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from cfc_ref.neuron.model import LTCNeuron

__all__ = [
    "box_interval",
    "extremal_control",
    "floor_interval",
    "gap_interval",
    "gate",
    "lemma1_interval",
    "relax",
    "sharp_interval",
    "state_extremes",
    "two_term_radius",
]

Array = npt.NDArray[Any]


def _ordered(one: Array, other: Array) -> tuple[Array, Array]:
    """Sort the ends of an interval: they swap with the sign of c or A."""
    return np.minimum(one, other), np.maximum(one, other)


def gate(neuron: LTCNeuron, t: Array, y: Array) -> Array:
    r"""Return :math:`g_t(y) = e^{-y t}\,r(y)`, which falls from 1 at y = 0 to 0 at y = 1.

    Parameters
    ----------
    neuron : LTCNeuron
        Its reflection is used.
    t, y : ndarray
        Time and release.
    """
    return np.exp(-y * t) * neuron.reflect(y)


def lemma1_interval(neuron: LTCNeuron, c: Array, t: Array, a: Array, b: Array) -> tuple[Array, Array]:
    r"""Lemma 1 for a known range: :math:`c\,e^{-wt}\,[\,e^{-bt} - g_t(a),\; e^{-at} - g_t(b)\,]`.

    Parameters
    ----------
    neuron : LTCNeuron
        The neuron.
    c, t, a, b : ndarray
        Start minus A, time, range of the release.
    """
    decay = c * np.exp(-neuron.w_tau * t)
    return _ordered(
        decay * (np.exp(-b * t) - gate(neuron, t, a)),
        decay * (np.exp(-a * t) - gate(neuron, t, b)),
    )


def relax(rate: Array, t: Array) -> Array:
    r"""Return :math:`(1 - e^{-k t})/k`, the time that is left of t when it fades at the rate k.

    Parameters
    ----------
    rate, t : ndarray
        k > 0 and t >= 0.
    """
    return -np.expm1(-rate * t) / rate


def gap_interval(neuron: LTCNeuron, t: Array, a: Array, b: Array) -> tuple[Array, Array]:
    r"""Gap of the two ODEs, :math:`x_{sym} - x_{LTC}`.

    .. math:: A\,w\,\Big[\frac{1-e^{-(w+b)t}}{w+b},\; \frac{1-e^{-(w+a)t}}{w+a}\Big]

    Parameters
    ----------
    neuron : LTCNeuron
        The neuron.
    t, a, b : ndarray
        Time, range of the release.
    """
    w, A = neuron.w_tau, neuron.A
    return _ordered(A * w * relax(w + b, t), A * w * relax(w + a, t))


def extremal_control(neuron: LTCNeuron, c: Array, a: Array, b: Array, *, largest: bool) -> tuple[Array, Array, Array]:
    r"""Return the bang-bang release that makes z = x − A of the LTC as stated as large (or small) as it can be.

    By the comparison principle the largest z wants y = a while z > 0 and y = b while z < 0 (the smallest: the
    reverse). z changes sign if and only if c and A have the same strict sign, once, at

    .. math:: t^* = \frac{1}{w + y_1}\,\log\Big(1 + \frac{c\,(w+y_1)}{A\,w}\Big).

    Parameters
    ----------
    neuron : LTCNeuron
        The neuron.
    c, a, b : ndarray
        Start minus A, range of the release.
    largest : bool
        For the largest z, else for the smallest.

    Returns
    -------
    first, second, switch : ndarray
        The release before and after the time of the switch (infinity where there is none).
    """
    w, A = neuron.w_tau, neuron.A
    c, a, b, w, A = np.broadcast_arrays(c, a, b, w, A)
    starts_above = np.where(c == 0, A < 0, c > 0)
    wants_a = starts_above if largest else ~starts_above
    first, second = np.where(wants_a, a, b), np.where(wants_a, b, a)
    crosses = c * np.sign(A) > 0
    with np.errstate(over="ignore", divide="ignore"):
        ratio = np.divide(c * (w + first), A * w, out=np.zeros_like(c), where=crosses)
    switch = np.where(crosses, np.log1p(ratio) / (w + first), np.inf)
    return first, second, switch


def state_extremes(neuron: LTCNeuron, c: Array, t: Array, a: Array, b: Array) -> tuple[Array, Array]:
    r"""Return the smallest and the largest z(t) = x(t) − A of the LTC as stated over all inputs with y in [a, b].

    Parameters
    ----------
    neuron : LTCNeuron
        The neuron.
    c, t, a, b : ndarray
        Start minus A, time, range of the release.
    """
    w, A = neuron.w_tau, neuron.A

    def extreme(largest: bool) -> Array:
        y1, y2, switch = extremal_control(neuron, c, a, b, largest=largest)
        before = c * np.exp(-(w + y1) * t) - A * w * relax(w + y1, t)
        after = -A * w * relax(w + y2, np.maximum(t - switch, 0))
        return np.where(t <= switch, before, after)

    return extreme(largest=False), extreme(largest=True)


def sharp_interval(neuron: LTCNeuron, c: Array, t: Array, a: Array, b: Array) -> tuple[Array, Array]:
    r"""Closed form against the LTC as stated.

    .. math:: \big[\,z_{min} - \max_y c\,e^{-wt} g_t(y),\; z_{max} - \min_y c\,e^{-wt} g_t(y)\,\big]

    Parameters
    ----------
    neuron : LTCNeuron
        The neuron.
    c, t, a, b : ndarray
        Start minus A, time, range of the release.
    """
    z_min, z_max = state_extremes(neuron, c, t, a, b)
    decay = c * np.exp(-neuron.w_tau * t)
    smallest, largest = _ordered(decay * gate(neuron, t, b), decay * gate(neuron, t, a))
    return z_min - largest, z_max - smallest


def floor_interval(neuron: LTCNeuron, c: Array, t: Array, a: Array, b: Array) -> tuple[Array, Array]:
    r"""The floor that does not decay, :math:`-A w/(w+y)` for y in [a, b], widened by what has not decayed yet.

    z is drawn to the floor's interval at least as fast as :math:`e^{-(w+a)t}` (it is invariant, and any two solutions
    with one input approach like that); what the closed form adds is at most :math:`|c|\,r(a)\,e^{-(w+a)t}`.

    Parameters
    ----------
    neuron : LTCNeuron
        The neuron.
    c, t, a, b : ndarray
        Start minus A, time, range of the release.
    """
    w, A = neuron.w_tau, neuron.A
    low, high = _ordered(-A * w / (w + a), -A * w / (w + b))
    distance = np.maximum(0, np.maximum(low - c, c - high))
    left = (distance + np.abs(c) * neuron.reflect(a)) * np.exp(-(w + a) * t)
    return low - left, high + left


def two_term_radius(neuron: LTCNeuron, c: Array, t: Array, a: Array) -> Array:
    r"""Hand-checkable bound for the LTC as stated: :math:`|c|\,e^{-wt} + |A|\,w\,\frac{1-e^{-(w+a)t}}{w+a}`.

    Parameters
    ----------
    neuron : LTCNeuron
        The neuron.
    c, t, a : ndarray
        Start minus A, time, lower end of the release.
    """
    w, A = neuron.w_tau, neuron.A
    return np.abs(c) * np.exp(-w * t) + np.abs(A) * w * relax(w + a, t)


def box_interval(neuron: LTCNeuron, x0: Array, t: Array) -> tuple[Array, Array]:
    r"""The state's box [min(0, A), max(0, A)], and from outside what is left of the way there, :math:`e^{-wt}` of it.

    Parameters
    ----------
    neuron : LTCNeuron
        The neuron.
    x0, t : ndarray
        Start (not minus A), time.
    """
    low, high = np.minimum(0, neuron.A), np.maximum(0, neuron.A)
    left = np.exp(-neuron.w_tau * t)
    return low - np.maximum(0, low - x0) * left, high + np.maximum(0, x0 - high) * left
