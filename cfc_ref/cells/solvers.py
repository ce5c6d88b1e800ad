r"""One time step of an LTC network, by the solver of one's choice.

A step of length t is cut into equal parts (:mod:`cfc_ref.cells.solver_parts`), the input held; scipy alone takes the
step as a whole, with an error control of its own, and can let the input run along a line.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cfc_ref import checks
from cfc_ref.cells import solver_parts as parts
from cfc_ref.cells.conductance import ConductanceForm, right_side
from cfc_ref.cells.tree import tree_map

__all__ = [
    "SOLVERS",
    "Overstep",
    "Scheme",
    "Solver",
    "SolverKept",
    "d_solver_step",
    "input_at",
    "integrate",
    "overstep",
    "solver_step",
    "tolerances",
]

Array = npt.NDArray[Any]

_RK4_LIMIT = 2.785293563405282  # where 1 - z + z²/2 - z³/6 + z⁴/24 comes back to 1
_SMALLEST_RTOL = 100 * np.finfo(np.float64).eps  # scipy's floor


class Solver(NamedTuple):
    """A solver.

    Attributes
    ----------
    part, d_part : callable
        One part of a step, and its backward; None for scipy's, which take a step as a whole.
    order : int
        The power of h with which the error falls; 0 for those that hold a tolerance.
    limit : float
        The largest h · rate at which it is stable, the rate of a neuron being G/C.
    """

    part: Callable[[ConductanceForm, Any, Any, Array, Array], Array] | None
    d_part: Callable[[ConductanceForm, Any, Any, Array, Array, Array], parts.Gradient] | None
    order: int
    limit: float = math.inf


SOLVERS = {
    "fused": Solver(parts.fused, parts.d_fused, 1),
    "euler": Solver(parts.euler, parts.d_euler, 1, limit=2.0),
    "rk4": Solver(parts.rk4, parts.d_rk4, 4, limit=_RK4_LIMIT),
    "frozen": Solver(parts.frozen, parts.d_frozen, 1),
    "frozen_midpoint": Solver(parts.frozen_midpoint, parts.d_frozen_midpoint, 2),
    "scipy": Solver(None, None, 0),
}


class Scheme(NamedTuple):
    """How a network's ODE is solved.

    Attributes
    ----------
    form : ConductanceForm
        The network's.
    solver : str
        A key of :data:`SOLVERS`.
    unfolds : int
        Equal parts of a time step; scipy does without.
    method : str
        scipy's solver, a name that :func:`scipy.integrate.solve_ivp` knows.
    rtol, atol : float
        Its tolerances for a neuron.
    """

    form: ConductanceForm
    solver: str = "fused"
    unfolds: int = 6
    method: str = "DOP853"
    rtol: float = 1e-10
    atol: float = 1e-12


class SolverKept(NamedTuple):
    """What the backward of a step needs.

    Attributes
    ----------
    I : ndarray, shape (batch, inputs) or (2, batch, inputs)
        The input; two of them at the step's start and end.
    dt : ndarray, shape (batch, 1)
        Its length.
    held : nested tuples
        What the held input contributes.
    states : list of ndarray, shape (batch, units)
        The states at the parts' ends, the first one that before the step.
    path : callable or None
        scipy's: from a share of the step to the states then, flat.
    """

    I: Array
    dt: Array
    held: Any
    states: list[Array]
    path: Callable[[float], Array] | None = None


def solver_step(scheme: Scheme, params: Any, I: Array, x: Array, dt: Array) -> tuple[Array, SolverKept]:
    r"""One time step.

    Parameters
    ----------
    scheme : Scheme
        The network's form and how to solve it.
    params : NamedTuple
        Its parameters.
    I : ndarray, shape (batch, inputs)
        The input, held; for scipy also (2, batch, inputs), the ends of a line.
    x : ndarray, shape (batch, units)
        States at the step's start.
    dt : ndarray, shape (batch, 1)
        Its length, >= 0.

    Returns
    -------
    x : ndarray, shape (batch, units)
        States at its end.
    kept : SolverKept
    """
    part = SOLVERS[scheme.solver].part
    if part is None:
        new, path = integrate(scheme, params, I, x, dt)
        return new, SolverKept(I, dt, None, [x, new], path)
    held = scheme.form.hold(params, I)
    h = dt / scheme.unfolds
    states = [x]
    for _ in range(scheme.unfolds):
        states.append(part(scheme.form, params, held, states[-1], h))
    return states[-1], SolverKept(I, dt, held, states)


def d_solver_step(scheme: Scheme, params: Any, kept: SolverKept, d_new: Array) -> tuple[Any, Array, Array, Array]:
    r"""Backward of :func:`solver_step`, from the last part to the first.

    Parameters
    ----------
    scheme, params
        As in the forward.
    kept : SolverKept
        As the forward returned it.
    d_new : ndarray, shape (batch, units)
        Gradient of the states at the step's end.

    Returns
    -------
    d_params : NamedTuple
    d_I : ndarray, shape (batch, inputs)
    d_x : ndarray, shape (batch, units)
    d_dt : ndarray, shape (batch, 1)
    """
    d_part = SOLVERS[scheme.solver].d_part
    if d_part is None:
        fixed = ", ".join(repr(name) for name, solver in SOLVERS.items() if solver.d_part)
        do = "ask for the adjoint gradient, or choose one of them"
        checks.refuse("solver", repr(scheme.solver), f"a solver of fixed steps for backprop: {fixed}", do)
    form, h = scheme.form, kept.dt / scheme.unfolds
    d_params: Any = tree_map(lambda _: 0, params)
    d_held: Any = tree_map(lambda _: 0, kept.held)
    d_x, d_dt = d_new, np.zeros_like(kept.dt)
    for x in reversed(kept.states[:-1]):
        d_params_part, d_held_part, d_x, d_h = d_part(form, params, kept.held, x, h, d_x)
        d_params, d_held = parts.add(d_params, d_params_part), parts.add(d_held, d_held_part)
        d_dt = d_dt + d_h / scheme.unfolds
    d_params_held, d_I = form.d_hold(params, kept.I, d_held)
    return parts.add(d_params, d_params_held), d_I, d_x, d_dt


# --- scipy


def input_at(I: Array, share: float) -> Array:
    """Return the input at a share of the step: held, or on a line between two.

    Parameters
    ----------
    I : ndarray, shape (batch, inputs) or (2, batch, inputs)
        The input, or its values at the step's start and end.
    share : float
        From 0 at the start to 1 at the end.
    """
    return I if I.ndim == 2 else (1 - share) * I[0] + share * I[1]


def integrate(
    scheme: Scheme, params: Any, I: Array, x: Array, dt: Array
) -> tuple[Array, Callable[[float], Array] | None]:
    r"""Solve a time step with :func:`scipy.integrate.solve_ivp`, in the share τ of the step, in float64.

    .. math:: \frac{dx}{d\tau} = t\,F(x, I(\tau)), \qquad 0 \le \tau \le 1

    Samples with other lengths t so share one system. Its tolerances are divided by the root of its size, down to
    scipy's floor of 2.2e-14, as scipy averages its error over the system.

    Parameters
    ----------
    scheme, params, I, x, dt
        As in :func:`solver_step`.

    Returns
    -------
    x : ndarray, shape (batch, units)
        States at the step's end, in the dtype they were given.
    path : callable or None
        From τ to the states then, flat and in float64; None for no samples.
    """
    checks.need("scipy", "solver", ", or choose another solver")
    from scipy.integrate import solve_ivp

    if not x.size:
        return x, None
    params, I, dt = tree_map(lambda array: np.asarray(array, np.float64), (params, I, dt))
    always = scheme.form.hold(params, I) if I.ndim == 2 else None

    def slope(share: float, flat: Array) -> Array:
        held = always if always is not None else scheme.form.hold(params, input_at(I, share))
        return (dt * right_side(scheme.form, params, held, flat.reshape(x.shape))).reshape(-1)

    start = x.astype(np.float64).reshape(-1)
    solution = solve_ivp(slope, (0, 1), start, scheme.method, dense_output=True, **tolerances(scheme, x.size))
    if not solution.success:
        raise RuntimeError(f"{scheme.method} stopped at {solution.t[-1]:.3g} of a time step: {solution.message}")
    return solution.y[:, -1].reshape(x.shape).astype(x.dtype), solution.sol


def tolerances(scheme: Scheme, size: int) -> dict[str, float]:
    """Return what scipy is asked for, so that every variable of a system holds the scheme's tolerances.

    Parameters
    ----------
    scheme : Scheme
        Its rtol and atol.
    size : int
        Number of variables, over which scipy averages its error.
    """
    return {"rtol": max(scheme.rtol / math.sqrt(size), _SMALLEST_RTOL), "atol": scheme.atol / math.sqrt(size)}


# --- stability


class Overstep(NamedTuple):
    """A part that left its solver's stability region: its length, the rate it met, and the largest h · rate allowed."""

    h: float
    rate: float
    limit: float


def overstep(scheme: Scheme, params: Any, kept: SolverKept) -> Overstep | None:
    r"""Return where an explicit solver left its stability region, :math:`h\,G/C > 2` (Euler) or 2.785 (RK4).

    Parameters
    ----------
    scheme, params
        As in :func:`solver_step`.
    kept : SolverKept
        As it returned it.

    Returns
    -------
    Overstep or None
        The part with the largest h · rate, where that is above the limit.
    """
    limit, h = SOLVERS[scheme.solver].limit, kept.dt / scheme.unfolds
    if np.all(h * scheme.form.fastest(params) <= limit):  # spares the sums at every part
        return None
    worst = Overstep(0.0, 0.0, limit)
    for x in kept.states[:-1]:
        (C, G, _), _ = scheme.form.balance(params, kept.held, x)
        rate = np.max(G / C, axis=1)
        b = int(np.argmax(h[:, 0] * rate))
        if h[b, 0] * rate[b] > worst.h * worst.rate:
            worst = Overstep(float(h[b, 0]), float(rate[b]), limit)
    return worst if worst.h * worst.rate > limit else None
