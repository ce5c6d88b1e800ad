r"""What both forms of the LTC have in common: neurons whose conductances depend on inputs and states.

.. math:: C_i\,\dot x_i = Q_i(x, I) - G_i(x, I)\,x_i

G is the sum of all conductances of a neuron, Q the sum of the currents they would drive at x = 0 (each conductance
times its reversal potential), and C the capacity. C/G is the liquid time constant, Q/G the state towards which the
neuron moves. Solvers (:mod:`cfc_ref.cells.solvers`) know nothing else of a network. Backward functions write
:math:`\bar y` for the gradient of the loss by y.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cfc_ref.activations import softplus

__all__ = ["Balance", "ConductanceForm", "d_positive", "d_right_side", "positive", "right_side"]

Array = npt.NDArray[Any]


class Balance(NamedTuple):
    """The sums of one moment.

    Attributes
    ----------
    C : ndarray, shape (units,)
        Capacities, > 0.
    G : ndarray, shape (batch, units)
        Conductances, > 0.
    Q : ndarray, shape (batch, units)
        Currents at x = 0.
    """

    C: Array
    G: Array
    Q: Array


class ConductanceForm(NamedTuple):
    """A network as the solvers take it: how its sums are made, and the way back.

    Attributes
    ----------
    hold : callable
        (params, I) → held: what the input of shape (batch, inputs) contributes, constant while it is held.
    d_hold : callable
        (params, I, d_held) → (d_params, d_I).
    balance : callable
        (params, held, x) → (:class:`Balance`, kept) for states x of shape (batch, units).
    d_balance : callable
        (params, x, kept, d_balance) → (d_params, d_held, d_x). The gradient of C comes with a batch axis.
    fastest : callable
        params → the largest rate G/C that any input and state can bring about, shape (units,).

    Notes
    -----
    Gradients of parameters that a function does not touch are the number 0.
    """

    hold: Callable[[Any, Array], Any]
    d_hold: Callable[[Any, Array, Any], tuple[Any, Array]]
    balance: Callable[[Any, Any, Array], tuple[Balance, Any]]
    d_balance: Callable[[Any, Array, Any, Balance], tuple[Any, Any, Array]]
    fastest: Callable[[Any], Array]


def right_side(form: ConductanceForm, params: Any, held: Any, x: Array) -> Array:
    r"""Right-hand side of the ODE, :math:`\dot x = (Q - G\,x)/C`.

    Parameters
    ----------
    form : ConductanceForm
        The network's.
    params : NamedTuple
        Its parameters.
    held : nested tuples
        What the input contributes.
    x : ndarray, shape (batch, units)
        The states.

    Returns
    -------
    ndarray, shape (batch, units)
    """
    (C, G, Q), _ = form.balance(params, held, x)
    return (Q - G * x) / C


def d_right_side(form: ConductanceForm, params: Any, held: Any, x: Array, d_slope: Array) -> tuple[Any, Any, Array]:
    r"""Backward of :func:`right_side`.

    .. math:: \bar Q = \bar{\dot x}/C, \qquad \bar G = -x\,\bar{\dot x}/C, \qquad \bar C = -\dot x\,\bar{\dot x}/C,
              \qquad \bar x = -G\,\bar{\dot x}/C + \text{what comes through } G \text{ and } Q

    Parameters
    ----------
    form, params, held, x
        As in the forward.
    d_slope : ndarray, shape (batch, units)
        Gradient of the result.

    Returns
    -------
    d_params, d_held : nested tuples
    d_x : ndarray, shape (batch, units)
    """
    (C, G, Q), kept = form.balance(params, held, x)
    d_Q = d_slope / C
    d_G = -x * d_Q
    d_C = -(Q - G * x) / C * d_Q
    d_params, d_held, d_x = form.d_balance(params, x, kept, Balance(d_C, d_G, d_Q))
    return d_params, d_held, d_x - G * d_Q


def positive(z: Array, implicit: bool = True) -> Array:
    r"""Effective value of a parameter that has to be positive, :math:`\log(1 + e^z)`, or z itself.

    Parameters
    ----------
    z : ndarray, any shape
        The parameter; >= 0 where it is explicit.
    implicit : bool
        Whether softplus makes it positive.

    Returns
    -------
    ndarray, shape of `z`
        Values > 0: what would be 0 is the square root of the smallest number of its dtype, so that a step of no
        length is the identity, and nothing divides 0 by 0, also without leak or capacity.

    Notes
    -----
    PyTorch's softplus is its argument above 20, which differs by less than 2.1e-9.
    """
    return np.maximum(softplus(z) if implicit else z, np.sqrt(np.finfo(z.dtype).tiny))


def d_positive(y: Array, d_y: Array, implicit: bool = True) -> Array:
    r"""Backward of :func:`positive`: :math:`\bar z = \sigma(z)\,\bar y`, by the value :math:`\sigma(z) = 1 - e^{-y}`.

    Parameters
    ----------
    y : ndarray, any shape
        Effective values.
    d_y : ndarray, shape of `y`
        Their gradient.
    implicit : bool
        As in the forward.

    Returns
    -------
    ndarray, shape of `y`
    """
    return d_y * -np.expm1(-y) if implicit else d_y
