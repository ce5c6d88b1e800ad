r"""The ODE of every network here: neurons whose conductances depend on inputs and states.

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
from cfc_ref.arrays import Array
from cfc_ref.neuron.grid import fewest_parts

__all__ = [
    "Balance",
    "Equation",
    "Scheme",
    "SolverKept",
    "d_positive",
    "d_right_side",
    "parts_of",
    "positive",
    "right_side",
    "unbounded",
]


class Balance(NamedTuple):
    """The sums of one moment."""

    C: Array  # (units,): capacities, > 0
    G: Array  # (batch, units): conductances, > 0
    Q: Array  # (batch, units): currents at x = 0


def unbounded(params: Any) -> tuple[Array, Array]:
    """Return the whole line, the box of an equation that states none."""
    return np.array(-np.inf), np.array(np.inf)


class Equation(NamedTuple):
    """An ODE as the solvers take it: its sums, and their backward.

    Gradients of parameters that a function does not read are the number 0.
    """

    # (params, I) → held: what the input of shape (batch, inputs) contributes, constant while it is held
    hold: Callable[[Any, Array], Any]
    d_hold: Callable[[Any, Array, Any], tuple[Any, Array]]  # (params, I, d_held) → (d_params, d_I)
    # (params, held, x) → (:class:`Balance`, kept) for states x of shape (batch, units)
    balance: Callable[[Any, Any, Array], tuple[Balance, Any]]
    # (params, x, kept, d_balance) → (d_params, d_held, d_x). The gradient of C comes with a batch axis
    d_balance: Callable[[Any, Array, Any, Balance], tuple[Any, Any, Array]]
    fastest: Callable[[Any], Array]  # params → an upper bound of the rate G/C for every input and state, shape (units,)
    # params → (low, high): the box that no state leaves, for every input, shape (units,) each
    box: Callable[[Any], tuple[Array, Array]] = unbounded


class Scheme(NamedTuple):
    """An ODE and how to solve it."""

    equation: Equation
    solver: str = "fused"  # a key of :data:`cfc_ref.cells.solvers.SOLVERS`
    parts: int = 6  # Equal parts of a time step, where `step` is None; scipy chooses its own
    step: float | None = None  # the longest part: each time step is cut into the fewest equal ones
    method: str = "DOP853"  # scipy's solver, a name that :func:`scipy.integrate.solve_ivp` knows
    rtol: float = 1e-10  # rtol, atol: its tolerances for each neuron
    atol: float = 1e-12


def parts_of(scheme: Scheme, dt: Array) -> tuple[npt.NDArray[np.intp], Array]:
    """Return how many equal parts each row's time step has, and their length, of the shape of `dt`."""
    if scheme.step is None:
        return np.full(dt.shape, scheme.parts), dt / scheme.parts
    counts = fewest_parts(dt, scheme.step)
    return counts, dt / counts.astype(dt.dtype)


class SolverKept(NamedTuple):
    """The arrays of a time step that its backward needs."""

    I: Array  # (batch, inputs) or (2, batch, inputs): the input; two of them at the step's start and end
    dt: Array  # (batch, 1): the step's length
    held: Any  # what the held input contributes
    states: list[Array]  # (batch, units): the state before the step, and those at the parts' ends
    path: Callable[[float], Array] | None = None  # scipy's solution: from a share of the step to the states then, flat


def right_side(equation: Equation, params: Any, held: Any, x: Array) -> Array:
    r"""Return the right-hand side of the ODE, :math:`\dot x = (Q - G\,x)/C`, shape (batch, units)."""
    (C, G, Q), _ = equation.balance(params, held, x)
    return (Q - G * x) / C


def d_right_side(equation: Equation, params: Any, held: Any, x: Array, d_slope: Array) -> tuple[Any, Any, Array]:
    r"""Return the gradients of params, held and x, the backward of :func:`right_side`.

    .. math:: \bar Q = \bar{\dot x}/C, \qquad \bar G = -x\,\bar{\dot x}/C, \qquad \bar C = -\dot x\,\bar{\dot x}/C,
              \qquad \bar x = -G\,\bar{\dot x}/C + \text{what comes through } G \text{ and } Q
    """
    (C, G, Q), kept = equation.balance(params, held, x)
    d_Q = d_slope / C
    d_G = -x * d_Q
    d_C = -(Q - G * x) / C * d_Q
    d_params, d_held, d_x = equation.d_balance(params, x, kept, Balance(d_C, d_G, d_Q))
    return d_params, d_held, d_x - G * d_Q


def positive(z: Array, implicit: bool = True) -> Array:
    r"""Return the effective value of a parameter that has to be positive: :math:`\log(1 + e^z)`, or explicit z >= 0.

    A value of 0 becomes the square root of the smallest number of its dtype, so that a step of no length is the
    identity, and nothing divides 0 by 0, also without leak or capacity. PyTorch's softplus is its argument above 20,
    which differs by less than 2.1e-9.
    """
    return np.maximum(softplus(z) if implicit else z, np.sqrt(np.finfo(z.dtype).tiny))


def d_positive(y: Array, d_y: Array, implicit: bool = True) -> Array:
    r"""Return :math:`\bar z = \sigma(z)\,\bar y` from the effective value y, as :math:`\sigma(z) = 1 - e^{-y}`."""
    return d_y * -np.expm1(-y) if implicit else d_y
