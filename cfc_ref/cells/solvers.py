r"""Solvers of an ODE over one time step. Each is a record of :data:`SOLVERS`, which is all that other modules read.

.. math:: C\,\dot x = Q(x, I) - G(x, I)\,x

A solver divides a time step into equal parts; each row of a batch has its own number of parts. The input is constant
during the step. One part takes the equation, its parameters, the contribution `held` of the input, the states x, shape
(batch, units), and the part's length h, shape (batch, 1). It returns the states at its end. Its backward takes their
gradient too, computes the sums again instead of keeping them, and returns the gradients of params, held, x and h. A
part of length 0 is the identity. Only scipy takes a step as a whole (:mod:`cfc_ref.cells.adjoint`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from cfc_ref import checks
from cfc_ref.arrays import Array
from cfc_ref.cells.adjoint import integrate
from cfc_ref.cells.exponential import cf4, cf4_estimate, d_cf4, d_frozen, d_frozen_midpoint, frozen, frozen_midpoint
from cfc_ref.cells.ode import Balance, Equation, Scheme, SolverKept, d_right_side, parts_of, right_side
from cfc_ref.cells.tree import add, tree_map

__all__ = ["SOLVERS", "Overstep", "Solver", "d_solver_step", "overstep", "solver_step", "step_estimate"]

Gradient = tuple[Any, Any, Array, Array]  # of params, held, x and h


def fused(equation: Equation, params: Any, held: Any, x: Array, h: Array) -> Array:
    r"""Semi-implicit Euler: conductances at the part's start, the states they act on at its end.

    .. math:: x^+ = x + \frac{h}{C}\,(Q - G\,x^+) \quad\Longleftrightarrow\quad x^+ = \frac{C\,x + h\,Q}{C + h\,G}
    """
    (C, G, Q), _ = equation.balance(params, held, x)
    D = C + h * G
    # LTC 2021, Algorithm 1: the fused solver
    return C / D * x + h / D * Q  # a weighted mean: it never leaves the box of the reversal potentials


def d_fused(equation: Equation, params: Any, held: Any, x: Array, h: Array, d_new: Array) -> Gradient:
    r"""Backward of :func:`fused`, with :math:`D = C + h G`.

    .. math:: \bar Q = \tfrac hD\,\bar x^+, \quad \bar G = -\tfrac hD\,x^+ \bar x^+, \quad
              \bar C = \tfrac{x - x^+}{D}\,\bar x^+, \quad \bar h = \tfrac{Q - G x^+}{D}\,\bar x^+, \quad
              \bar x = \tfrac CD\,\bar x^+ + \ldots
    """
    (C, G, Q), kept = equation.balance(params, held, x)
    D = C + h * G
    new = C / D * x + h / D * Q
    d_Q = h / D * d_new
    d_G = -new * d_Q
    d_C = (x - new) / D * d_new
    d_h = ((Q - G * new) / D * d_new).sum(axis=1, keepdims=True)
    d_params, d_held, d_x = equation.d_balance(params, x, kept, Balance(d_C, d_G, d_Q))
    return d_params, d_held, d_x + C / D * d_new, d_h


def euler(equation: Equation, params: Any, held: Any, x: Array, h: Array) -> Array:
    r"""Explicit Euler, :math:`x^+ = x + h\,(Q - G x)/C`."""
    return x + h * right_side(equation, params, held, x)


def d_euler(equation: Equation, params: Any, held: Any, x: Array, h: Array, d_new: Array) -> Gradient:
    r"""Backward of :func:`euler`: :math:`\bar k = h\,\bar x^+` of the slope k, and :math:`\bar h = k\,\bar x^+`."""
    k = right_side(equation, params, held, x)
    d_h = (k * d_new).sum(axis=1, keepdims=True)
    d_params, d_held, d_x = d_right_side(equation, params, held, x, h * d_new)
    return d_params, d_held, d_x + d_new, d_h


def _stages(equation: Equation, params: Any, held: Any, x: Array, h: Array) -> list[tuple[Array, Array]]:
    """Return the states and the slopes of the four stages of RK4."""
    k1 = right_side(equation, params, held, x)
    x2 = x + h / 2 * k1
    k2 = right_side(equation, params, held, x2)
    x3 = x + h / 2 * k2
    k3 = right_side(equation, params, held, x3)
    x4 = x + h * k3
    k4 = right_side(equation, params, held, x4)
    return [(x, k1), (x2, k2), (x3, k3), (x4, k4)]


def rk4(equation: Equation, params: Any, held: Any, x: Array, h: Array) -> Array:
    r"""Classical Runge–Kutta method.

    .. math:: k_1 = F(x), \quad k_2 = F(x + \tfrac h2 k_1), \quad k_3 = F(x + \tfrac h2 k_2), \quad k_4 = F(x + h k_3)

    .. math:: x^+ = x + \tfrac h6\,(k_1 + 2 k_2 + 2 k_3 + k_4)
    """
    (_, k1), (_, k2), (_, k3), (_, k4) = _stages(equation, params, held, x, h)
    return x + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)


def d_rk4(equation: Equation, params: Any, held: Any, x: Array, h: Array, d_new: Array) -> Gradient:
    r"""Backward of :func:`rk4`, from the last stage to the first.

    .. math:: \bar k_4 = \tfrac h6 \bar x^+, \; \bar k_3 = \tfrac h3 \bar x^+ + h\,\bar x_4, \;
              \bar k_2 = \tfrac h3 \bar x^+ + \tfrac h2 \bar x_3, \; \bar k_1 = \tfrac h6 \bar x^+ + \tfrac h2 \bar x_2
    """
    (_, k1), (x2, k2), (x3, k3), (x4, k4) = _stages(equation, params, held, x, h)
    d_params4, d_held4, d_x4 = d_right_side(equation, params, held, x4, h / 6 * d_new)
    d_params3, d_held3, d_x3 = d_right_side(equation, params, held, x3, h / 3 * d_new + h * d_x4)
    d_params2, d_held2, d_x2 = d_right_side(equation, params, held, x2, h / 3 * d_new + h / 2 * d_x3)
    d_params1, d_held1, d_x1 = d_right_side(equation, params, held, x, h / 6 * d_new + h / 2 * d_x2)
    d_h = (k1 + 2 * k2 + 2 * k3 + k4) / 6 * d_new + k1 / 2 * d_x2 + k2 / 2 * d_x3 + k3 * d_x4
    return (
        add(d_params1, d_params2, d_params3, d_params4),
        add(d_held1, d_held2, d_held3, d_held4),
        d_new + d_x1 + d_x2 + d_x3 + d_x4,
        d_h.sum(axis=1, keepdims=True),
    )


# --- records


class Solver(NamedTuple):
    """A solver: either parts, or the step as a whole."""

    order: int  # the power of h with which the error falls; 0 for a solver that holds a tolerance
    part: Callable[[Equation, Any, Any, Array, Array], Array] | None = None  # one part of a step
    d_part: Callable[[Equation, Any, Any, Array, Array, Array], Gradient] | None = None  # its backward
    # instead of parts, (scheme, params, I, x, dt) → (states at the step's end, path)
    whole: Callable[[Scheme, Any, Array, Array, Array], tuple[Array, Any]] | None = None
    limit: float = math.inf  # the largest h · rate at which it is stable, the rate of a neuron being G/C
    keeps_box: bool = False  # states never leave the box of the reversal potentials
    # (equation, params, held, x, h) → an estimate of the error of one part
    estimate: Callable[[Equation, Any, Any, Array, Array], Array] | None = None
    kernel: bool = False  # :data:`cfc_ref.kernels.ltc.solvers.KERNELS` has its twin


SOLVERS: dict[str, Solver] = {
    "fused": Solver(1, fused, d_fused, keeps_box=True, kernel=True),
    "euler": Solver(1, euler, d_euler, limit=2.0, kernel=True),
    # the limit is where 1 - z + z²/2 - z³/6 + z⁴/24 comes back to 1
    "rk4": Solver(4, rk4, d_rk4, limit=2.785293563405282, kernel=True),
    "frozen": Solver(1, frozen, d_frozen, keeps_box=True, kernel=True),
    "frozen_midpoint": Solver(2, frozen_midpoint, d_frozen_midpoint, keeps_box=True, kernel=True),
    "cf4": Solver(4, cf4, d_cf4, keeps_box=True, estimate=cf4_estimate, kernel=True),
    "scipy": Solver(0, whole=integrate),
}


# --- time steps


def solver_step(scheme: Scheme, params: Any, I: Array, x: Array, dt: Array) -> tuple[Array, SolverKept]:
    """Solve one time step; return the states at its end, and what the backward needs.

    The input I is held, shape (batch, inputs); a solver of whole steps also takes (2, batch, inputs), the ends of a
    line. x has the shape (batch, units), and dt >= 0 the shape (batch, 1).
    """
    solver = SOLVERS[scheme.solver]
    if solver.whole is not None:
        new, path = solver.whole(scheme, params, I, x, dt)
        return new, SolverKept(I, dt, None, [x, new], path)
    if solver.part is None:
        raise TypeError(f"the record of solver {scheme.solver!r} has neither `part` nor `whole`; give it one of them")
    held = scheme.equation.hold(params, I)
    counts, h = parts_of(scheme, dt)
    states = [x]
    for k in range(counts.max(initial=1)):
        # a row with fewer parts than others waits: a part of no length is the identity
        states.append(solver.part(scheme.equation, params, held, states[-1], np.where(k < counts, h, 0)))
    return states[-1], SolverKept(I, dt, held, states)


def step_estimate(scheme: Scheme, params: Any, kept: SolverKept) -> Array:
    """Return the sum of the estimated errors of a time step's parts, for a solver that has an estimate."""
    solver, (counts, h) = SOLVERS[scheme.solver], parts_of(scheme, kept.dt)
    assert solver.estimate is not None
    of_parts = (
        solver.estimate(scheme.equation, params, kept.held, x, np.where(k < counts, h, 0))
        for k, x in enumerate(kept.states[:-1])
    )
    return sum(of_parts, start=np.zeros_like(kept.states[0]))


def d_solver_step(scheme: Scheme, params: Any, kept: SolverKept, d_new: Array) -> tuple[Any, Array, Array, Array]:
    """Return the gradients of params, I, x and dt, from the last part to the first: backward of :func:`solver_step`."""
    d_part = SOLVERS[scheme.solver].d_part
    if d_part is None:
        with_parts = ", ".join(repr(name) for name, solver in SOLVERS.items() if solver.d_part)
        do = "call adjoint(tape, …) instead of backward(tape, …), or use one of those solvers"
        checks.refuse("solver", repr(scheme.solver), f"a solver with parts for backprop: {with_parts}", do)
    equation, (counts, h) = scheme.equation, parts_of(scheme, kept.dt)
    d_params: Any = tree_map(lambda _: 0, params)
    d_held: Any = tree_map(lambda _: 0, kept.held)
    d_x, d_dt = d_new, np.zeros_like(kept.dt)
    for k, x in reversed(list(enumerate(kept.states[:-1]))):
        passes = k < counts
        d_params_part, d_held_part, d_x, d_h = d_part(equation, params, kept.held, x, np.where(passes, h, 0), d_x)
        d_params, d_held = add(d_params, d_params_part), add(d_held, d_held_part)
        d_dt = d_dt + np.where(passes, d_h / counts.astype(h.dtype), 0)
    d_params_held, d_I = equation.d_hold(params, kept.I, d_held)
    return add(d_params, d_params_held), d_I, d_x, d_dt


# --- stability


class Overstep(NamedTuple):
    """A part that left its solver's stability region: its length, the rate it met, and the largest h · rate allowed."""

    h: float
    rate: float
    limit: float


def overstep(scheme: Scheme, params: Any, kept: SolverKept) -> Overstep | None:
    r"""Return the part with the largest h · rate, if it left the stability region, :math:`h\,G/C >` the limit."""
    limit, (counts, h) = SOLVERS[scheme.solver].limit, parts_of(scheme, kept.dt)
    if np.all(h * scheme.equation.fastest(params) <= limit):  # spares the sums at every part
        return None
    worst = Overstep(0.0, 0.0, limit)
    for k, x in enumerate(kept.states[:-1]):
        (C, G, _), _ = scheme.equation.balance(params, kept.held, x)
        rate = np.max(G / C, axis=1)
        b = int(np.argmax(np.where(k < counts, h, 0)[:, 0] * rate))
        if h[b, 0] * rate[b] > worst.h * worst.rate:
            worst = Overstep(float(h[b, 0]), float(rate[b]), limit)
    return worst if worst.h * worst.rate > limit else None
