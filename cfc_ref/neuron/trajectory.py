"""Trajectories solved with scipy: the truth that the closed forms are compared with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from cfc_ref import checks
from cfc_ref.arrays import Array
from cfc_ref.neuron.grid import time_grid
from cfc_ref.neuron.model import FORMS, ODES, LTCNeuron
from cfc_ref.neuron.problem import pose
from cfc_ref.signals import SignalLike

__all__ = ["METHODS", "solve", "solver_options"]

METHODS = ("RK23", "RK45", "DOP853", "Radau", "BDF", "LSODA")
_UNSEEN = 1e-150  # scipy squares its error estimate: what would underflow there is 0 here
_SMALLEST_RTOL = 100 * np.finfo(np.float64).eps  # scipy's floor
_SMALLEST_ATOL = 1e-30  # relative to the largest state: scipy squares errors over tolerances
_LARGEST = 2.0**32  # a larger state is solved in a unit of its own


def solve(
    neuron: LTCNeuron,
    signal: SignalLike,
    x0: npt.ArrayLike,
    t: npt.ArrayLike,
    form: str = "ltc",
    method: str = "DOP853",
    rtol: float = 1e-10,
    atol: float = 1e-12,
) -> Array:
    r"""Solve a neuron's ODE numerically with :func:`scipy.integrate.solve_ivp`, restarted at the input's breakpoints.

    .. math:: \dot x = -(w_\tau + y)\,x + A\,y \;\text{("ltc", Eq. 1)}, \qquad
              \dot x = -(w_\tau + y)\,x + A\,(w_\tau + y) \;\text{("symmetric", after Eq. 5)}

    Parameters
    ----------
    neuron : LTCNeuron
        Parameters of shape N.
    signal : Signal, number or function of t
        The input, one for all neurons or one per neuron.
    x0 : array_like
        State at t = 0, broadcasts with N.
    t : array_like, shape () or (T,)
        Strictly increasing times >= 0.
    form : {"ltc", "symmetric"}
        Which of the two ODEs.
    method : {"RK23", "RK45", "DOP853", "Radau", "BDF", "LSODA"}
        scipy's solver; the last three are for stiff neurons (large :math:`w_\tau`).
    rtol, atol : float
        Local tolerances. scipy averages its error over the system (except LSODA); they are divided by
        :math:`\sqrt{N}`, down to scipy's floor of 2.2e-14, so that they hold for every neuron. Where the input's values
        are so large that their rounding moves f(I) by more, `atol` is raised to what that rounding changes.

    Returns
    -------
    ndarray, shape N + t.shape
        The states, in float64.

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit, naming it.
    RuntimeError
        If scipy's solver gives up.

    Examples
    --------
    >>> x = solve(LTCNeuron(w_tau=1.0, A=1.0), 0.0, x0=0.0, t=10.0)
    >>> round(float(x), 6)
    0.333333
    """
    problem = pose(neuron, signal, x0, t)
    neuron, signal, start, t, shape = problem
    form = checks.choice("form", form, FORMS)
    method = checks.choice("method", method, METHODS)
    rtol, atol = checks.number("rtol", rtol, positive=True), checks.number("atol", atol, positive=True)

    w, A, mu, sigma = (np.broadcast_to(p, shape).reshape(-1).astype(np.float64) for p in neuron.parameters)
    states = start.astype(np.float64).reshape(-1)
    unit = _unit(A, states)
    A, states = A / unit, states / unit
    wide = LTCNeuron(w, A, mu, sigma)
    share = np.sqrt(max(w.size, 1))

    def release(s: float) -> Array:
        y = wide.release_above(np.broadcast_to(problem.above(np.asarray(s)), shape).reshape(-1))
        return np.where(y < _UNSEEN, 0, y)

    flat_t = t.reshape(-1)
    result = np.empty((w.size, flat_t.size))
    result[:, flat_t == 0] = states[:, None]
    edges, _ = time_grid(flat_t[-1:], signal.breakpoints)
    noise = np.broadcast_to(problem.noise(edges), shape).reshape(-1)
    for begin, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        here = (flat_t > begin) & (flat_t <= end)
        asked = np.union1d(flat_t[here], [end])
        # A step h errs by noise * h: a tolerance below that of h = 1/10, or 10/w, would make scipy resolve rounding.
        rough = noise * np.maximum(np.abs(A), np.abs(states)) * np.minimum(min(end - begin, 0.1), 10 / w)
        lowest = np.maximum(atol / unit / share, _SMALLEST_ATOL)
        tolerances = {"rtol": max(rtol / share, _SMALLEST_RTOL), "atol": np.maximum(lowest, rough)}
        solution = _solve_piece(ODES[form], wide, release, begin, asked, states, method, tolerances)
        result[:, here], states = solution[:, : here.sum()], solution[:, -1]
    return (result * unit[:, None]).reshape(shape + t.shape)


def _unit(A: Array, x0: Array) -> Array:
    """Return the power of two in which each neuron is solved: both ODEs are linear in (x, A), and scipy squares."""
    largest = np.maximum(np.abs(A), np.abs(x0))
    return np.where(largest > _LARGEST, np.exp2(np.floor(np.log2(np.maximum(largest, 1)))), 1.0)


def _solve_piece(
    ode: Callable[..., Array],
    neuron: LTCNeuron,
    release: Callable[[float], Array],
    begin: float,
    asked: Array,
    states: Array,
    method: str,
    tolerances: dict[str, Any],
) -> Array:
    """Return the states at the times `asked`, the last of which is the end of the piece."""
    checks.need("scipy", "solve", ", or use exact or frozen")
    from scipy.integrate import solve_ivp

    if not states.size:
        return np.empty((0, asked.size))
    # A signal is right-continuous: at the piece's end ask for the value just before it.
    last = float(np.nextafter(asked[-1], begin))

    def right_side(s: float, x: Array) -> Array:
        return ode(neuron.w_tau, neuron.A, x, release(min(s, last)))

    def slope(s: float) -> Array:
        return -(neuron.w_tau + release(min(s, last)))

    solution = solve_ivp(
        right_side, (begin, asked[-1]), states, method, t_eval=asked, **tolerances, **solver_options(method, slope)
    )
    if not solution.success:
        raise RuntimeError(f"{method} stopped at t = {solution.t[-1]:g}: {solution.message}")
    return solution.y


def solver_options(method: str, slope: Callable[[float], Array]) -> dict[str, Any]:
    """Return options that give scipy's implicit solvers the Jacobian: it is diagonal, `slope` = -(w + y)."""
    if method == "LSODA":
        return {"lband": 0, "uband": 0}
    if method in ("Radau", "BDF"):
        from scipy.sparse import diags

        return {"jac": lambda s, x: diags(slope(s), format="csc")}
    return {}
