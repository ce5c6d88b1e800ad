r"""One part of a time step, by solvers of fixed steps, each written once for every conductance form.

.. math:: C\,\dot x = Q(x, I) - G(x, I)\,x

Forwards take the form, its parameters, what the held input contributes, states x (batch, units) and the part's length
h (batch, 1), and return the states at its end. Backwards take the gradient of those besides, compute the sums again
rather than keep them, and return the gradients of params, held, x and h. At h = 0 each is the identity.
"""

from __future__ import annotations

import operator
from functools import reduce
from typing import Any

import numpy as np
import numpy.typing as npt

from cfc_ref.cells.conductance import Balance, ConductanceForm, d_right_side, right_side
from cfc_ref.cells.tree import tree_map

__all__ = [
    "add",
    "d_euler",
    "d_frozen",
    "d_frozen_midpoint",
    "d_fused",
    "d_rk4",
    "euler",
    "frozen",
    "frozen_midpoint",
    "fused",
    "rk4",
]

Array = npt.NDArray[Any]
Gradient = tuple[Any, Any, Array, Array]  # of params, held, x and h


def add(*trees: Any) -> Any:
    """Sum of trees of the same structure.

    Parameters
    ----------
    *trees : nested tuples
        Gradients of the same thing.
    """
    return reduce(lambda a, b: tree_map(operator.add, a, b), trees)  # 0 + float32 is float32, unlike NumPy's int64


def fused(form: ConductanceForm, params: Any, held: Any, x: Array, h: Array) -> Array:
    r"""Semi-implicit Euler: conductances at the part's start, the states they act on at its end.

    .. math:: x^+ = x + \frac{h}{C}\,(Q - G\,x^+) \quad\Longleftrightarrow\quad x^+ = \frac{C\,x + h\,Q}{C + h\,G}

    Parameters
    ----------
    form, params, held, x, h
        See the module.
    """
    (C, G, Q), _ = form.balance(params, held, x)
    D = C + h * G
    return C / D * x + h / D * Q  # a weighted mean: it never leaves the box of the reversal potentials


def d_fused(form: ConductanceForm, params: Any, held: Any, x: Array, h: Array, d_new: Array) -> Gradient:
    r"""Backward of :func:`fused`, with :math:`D = C + h G`.

    .. math:: \bar Q = \tfrac hD\,\bar x^+, \quad \bar G = -\tfrac hD\,x^+ \bar x^+, \quad
              \bar C = \tfrac{x - x^+}{D}\,\bar x^+, \quad \bar h = \tfrac{Q - G x^+}{D}\,\bar x^+, \quad
              \bar x = \tfrac CD\,\bar x^+ + \ldots

    Parameters
    ----------
    form, params, held, x, h
        As in the forward.
    d_new : ndarray, shape (batch, units)
        Gradient of its result.
    """
    (C, G, Q), kept = form.balance(params, held, x)
    D = C + h * G
    new = C / D * x + h / D * Q
    d_Q = h / D * d_new
    d_G = -new * d_Q
    d_C = (x - new) / D * d_new
    d_h = ((Q - G * new) / D * d_new).sum(axis=1, keepdims=True)
    d_params, d_held, d_x = form.d_balance(params, x, kept, Balance(d_C, d_G, d_Q))
    return d_params, d_held, d_x + C / D * d_new, d_h


def euler(form: ConductanceForm, params: Any, held: Any, x: Array, h: Array) -> Array:
    r"""Explicit Euler, :math:`x^+ = x + h\,(Q - G x)/C`.

    Parameters
    ----------
    form, params, held, x, h
        See the module.
    """
    return x + h * right_side(form, params, held, x)


def d_euler(form: ConductanceForm, params: Any, held: Any, x: Array, h: Array, d_new: Array) -> Gradient:
    r"""Backward of :func:`euler`: :math:`\bar k = h\,\bar x^+` of the slope k, and :math:`\bar h = k\,\bar x^+`.

    Parameters
    ----------
    form, params, held, x, h
        As in the forward.
    d_new : ndarray, shape (batch, units)
        Gradient of its result.
    """
    k = right_side(form, params, held, x)
    d_h = (k * d_new).sum(axis=1, keepdims=True)
    d_params, d_held, d_x = d_right_side(form, params, held, x, h * d_new)
    return d_params, d_held, d_x + d_new, d_h


def _stages(form: ConductanceForm, params: Any, held: Any, x: Array, h: Array) -> list[tuple[Array, Array]]:
    """Return where the four stages of RK4 look, and the slopes there."""
    k1 = right_side(form, params, held, x)
    x2 = x + h / 2 * k1
    k2 = right_side(form, params, held, x2)
    x3 = x + h / 2 * k2
    k3 = right_side(form, params, held, x3)
    x4 = x + h * k3
    k4 = right_side(form, params, held, x4)
    return [(x, k1), (x2, k2), (x3, k3), (x4, k4)]


def rk4(form: ConductanceForm, params: Any, held: Any, x: Array, h: Array) -> Array:
    r"""Classical Runge–Kutta method.

    .. math:: k_1 = F(x), \quad k_2 = F(x + \tfrac h2 k_1), \quad k_3 = F(x + \tfrac h2 k_2), \quad k_4 = F(x + h k_3)

    .. math:: x^+ = x + \tfrac h6\,(k_1 + 2 k_2 + 2 k_3 + k_4)

    Parameters
    ----------
    form, params, held, x, h
        See the module.
    """
    (_, k1), (_, k2), (_, k3), (_, k4) = _stages(form, params, held, x, h)
    return x + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)


def d_rk4(form: ConductanceForm, params: Any, held: Any, x: Array, h: Array, d_new: Array) -> Gradient:
    r"""Backward of :func:`rk4`, from the last stage to the first.

    .. math:: \bar k_4 = \tfrac h6 \bar x^+, \; \bar k_3 = \tfrac h3 \bar x^+ + h\,\bar x_4, \;
              \bar k_2 = \tfrac h3 \bar x^+ + \tfrac h2 \bar x_3, \; \bar k_1 = \tfrac h6 \bar x^+ + \tfrac h2 \bar x_2

    Parameters
    ----------
    form, params, held, x, h
        As in the forward.
    d_new : ndarray, shape (batch, units)
        Gradient of its result.
    """
    (_, k1), (x2, k2), (x3, k3), (x4, k4) = _stages(form, params, held, x, h)
    d_params4, d_held4, d_x4 = d_right_side(form, params, held, x4, h / 6 * d_new)
    d_params3, d_held3, d_x3 = d_right_side(form, params, held, x3, h / 3 * d_new + h * d_x4)
    d_params2, d_held2, d_x2 = d_right_side(form, params, held, x2, h / 3 * d_new + h / 2 * d_x3)
    d_params1, d_held1, d_x1 = d_right_side(form, params, held, x, h / 6 * d_new + h / 2 * d_x2)
    d_h = (k1 + 2 * k2 + 2 * k3 + k4) / 6 * d_new + k1 / 2 * d_x2 + k2 / 2 * d_x3 + k3 * d_x4
    return (
        add(d_params1, d_params2, d_params3, d_params4),
        add(d_held1, d_held2, d_held3, d_held4),
        d_new + d_x1 + d_x2 + d_x3 + d_x4,
        d_h.sum(axis=1, keepdims=True),
    )


def _relax(balance: Balance, x: Array, h: Array) -> Array:
    r"""Exact solution while the sums stay as they are, :math:`e^{-u} x + (1 - e^{-u})\,Q/G` with :math:`u = h G/C`."""
    C, G, Q = balance
    u = h * G / C
    return np.exp(-u) * x - np.expm1(-u) * (Q / G)


def _d_relax(balance: Balance, x: Array, h: Array, d_new: Array) -> tuple[Balance, Array, Array]:
    r"""Backward of :func:`_relax`: the gradients of the sums, x and h, with :math:`x_\infty = Q/G`.

    .. math:: \bar x_\infty = (1 - e^{-u})\,\bar x^+, \quad \bar u = -e^{-u}(x - x_\infty)\,\bar x^+
    """
    C, G, Q = balance
    u = h * G / C
    e = np.exp(-u)
    d_Q = -np.expm1(-u) / G * d_new
    d_u = -e * (x - Q / G) * d_new
    d_G = h / C * d_u - Q / G * d_Q
    d_C = -(u * d_u) / C
    d_h = (G / C * d_u).sum(axis=1, keepdims=True)
    return Balance(d_C, d_G, d_Q), e * d_new, d_h


def frozen(form: ConductanceForm, params: Any, held: Any, x: Array, h: Array) -> Array:
    r"""Exponential Euler: the conductances of the part's start, everything else exactly (order 1).

    .. math:: x^+ = x_\infty + (x - x_\infty)\,e^{-h\,G/C}, \qquad x_\infty = Q/G

    Parameters
    ----------
    form, params, held, x, h
        See the module.
    """
    return _relax(form.balance(params, held, x)[0], x, h)


def d_frozen(form: ConductanceForm, params: Any, held: Any, x: Array, h: Array, d_new: Array) -> Gradient:
    r"""Backward of :func:`frozen`.

    .. math:: \bar x_\infty = (1 - e^{-u})\,\bar x^+, \quad \bar u = -e^{-u}(x - x_\infty)\,\bar x^+, \quad
              \bar x = e^{-u}\,\bar x^+ + \ldots, \qquad u = h\,G/C

    Parameters
    ----------
    form, params, held, x, h
        As in the forward.
    d_new : ndarray, shape (batch, units)
        Gradient of its result.
    """
    balance, kept = form.balance(params, held, x)
    d_balance, d_x, d_h = _d_relax(balance, x, h, d_new)
    d_params, d_held, d_x_sums = form.d_balance(params, x, kept, d_balance)
    return d_params, d_held, d_x + d_x_sums, d_h


def frozen_midpoint(form: ConductanceForm, params: Any, held: Any, x: Array, h: Array) -> Array:
    r"""Half a frozen part gives :math:`x_{1/2}`, whose conductances drive the whole one from x (order 2).

    Parameters
    ----------
    form, params, held, x, h
        See the module.
    """
    half = frozen(form, params, held, x, h / 2)
    return _relax(form.balance(params, held, half)[0], x, h)


def d_frozen_midpoint(form: ConductanceForm, params: Any, held: Any, x: Array, h: Array, d_new: Array) -> Gradient:
    r"""Backward of :func:`frozen_midpoint`: that of the whole part, then that of the half.

    Parameters
    ----------
    form, params, held, x, h
        As in the forward.
    d_new : ndarray, shape (batch, units)
        Gradient of its result.
    """
    half = frozen(form, params, held, x, h / 2)
    balance, kept = form.balance(params, held, half)
    d_balance, d_x, d_h = _d_relax(balance, x, h, d_new)
    d_params, d_held, d_half = form.d_balance(params, half, kept, d_balance)
    d_params_half, d_held_half, d_x_half, d_h_half = d_frozen(form, params, held, x, h / 2, d_half)
    return add(d_params, d_params_half), add(d_held, d_held_half), d_x + d_x_half, d_h + d_h_half / 2


def _decay() -> tuple[ConductanceForm, Any, Any, Array]:
    """Return the network of the examples, x' = -x, and the number 1."""
    from cfc_ref.cells.ltc import LTCParams, synaptic

    form, one, none = synaptic(), np.ones(1), np.zeros((1, 1))
    params = LTCParams(one, 0 * one, one, *[none] * 8)
    return form, params, form.hold(params, none), none + 1
