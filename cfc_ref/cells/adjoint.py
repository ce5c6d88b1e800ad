r"""A time step by scipy's solvers, which control their own error, and its gradient by the adjoint ODE.

With F the right-hand side, t the step's length, τ the share of it that has passed, and L a loss of the state x(1) at
the step's end:

.. math:: \frac{dx}{d\tau} = t\,F(x, I(\tau)), \qquad a(\tau) = \frac{\partial L}{\partial x(\tau)}, \qquad
          \frac{da}{d\tau} = -t\,\Big(\frac{\partial F}{\partial x}\Big)^{\!\top} a

.. math:: \frac{\partial L}{\partial\theta} = \int_0^1 t\,\Big(\frac{\partial F}{\partial\theta}\Big)^{\!\top} a\,d\tau,
          \qquad \frac{\partial L}{\partial t} = \int_0^1 a^\top F\,d\tau

The adjoint is solved from τ = 1 to 0 and needs x(τ) on the way. :func:`d_adjoint_step` reads it off the forward
solution; :func:`d_reversed_step` keeps nothing and integrates x back as well (as Chen et al., NeurIPS 2018, do). Over a
sequence both take the place of :func:`cfc_ref.cells.solvers.d_solver_step`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from cfc_ref import checks
from cfc_ref.arrays import Array
from cfc_ref.cells.ode import Scheme, SolverKept, d_right_side, right_side
from cfc_ref.cells.tree import add, leaves, tree_map

__all__ = ["d_adjoint_step", "d_reversed_step", "input_at", "integrate"]

Slope = Callable[[float, Array], Array]
Jacobian = Callable[[float, Array], Any]

_SMALLEST_RTOL = 100 * np.finfo(np.float64).eps  # scipy's floor
_EXPLICIT = ("RK23", "RK45", "DOP853")
_TURN, _MOST = 300, 200_000  # steps until another method is tried, and in all


def input_at(I: Array, share: float) -> Array:
    """Return the input at a share of the step: held, or on the line between I[0] and I[1]."""
    return I if I.ndim == 2 else (1 - share) * I[0] + share * I[1]


def integrate(
    scheme: Scheme, params: Any, I: Array, x: Array, dt: Array
) -> tuple[Array, Callable[[float], Array] | None]:
    r"""Solve a time step in float64; return the states at its end, and the path τ → flat states; None for no sample."""
    # I is held, or of shape (2, batch, inputs): the ends of a line. Samples of other lengths t share one system in τ
    checks.need("scipy", "solver", ", or choose another solver")
    if not x.size:
        return x, None
    params, I, dt = tree_map(lambda array: np.asarray(array, np.float64), (params, I, dt))
    equation = scheme.equation
    always = equation.hold(params, I) if I.ndim == 2 else None

    def held_at(share: float) -> Any:
        return always if always is not None else equation.hold(params, input_at(I, share))

    def slope(share: float, flat: Array) -> Array:
        return (dt * right_side(equation, params, held_at(share), flat.reshape(x.shape))).reshape(-1)

    def jacobian(share: float, flat: Array) -> Any:
        held = held_at(share)
        return _block_diagonal(
            dt[:, :, None] * _jacobians(lambda x: right_side(equation, params, held, x), flat.reshape(x.shape))
        )

    end, path = _solve(scheme, slope, jacobian, (0, 1), x.astype(np.float64).reshape(-1), dense=True)
    return end.reshape(x.shape).astype(x.dtype), path


def _solve(
    scheme: Scheme, slope: Slope, jacobian: Jacobian, span: tuple[float, float], start: Array, *, dense: bool
) -> tuple[Array, Callable[[float], Array] | None]:
    """Solve an ODE over a span with the scheme's method and tolerances; return its end, and its path if it is dense.

    Where the state has come to rest, an explicit method is limited by stability alone, and takes a number of steps in
    proportion to the span. After some steps it gives way to an implicit one; from then on, the one that got further in
    its last turn continues.
    """
    from scipy import integrate as scipy

    size = math.sqrt(start.size)  # scipy averages its error over the system; every variable shall hold the tolerances
    tolerances = {"rtol": max(scheme.rtol / size, _SMALLEST_RTOL), "atol": scheme.atol / size}
    ways = {scheme.method: math.inf, **({"Radau": math.inf} if scheme.method in _EXPLICIT else {})}
    times, pieces, state, way = [span[0]], [], start, ""
    solver: Any = None
    for step in range(_MOST):
        if step % _TURN == 0:
            if solver is not None:
                ways[way] = abs(times[-1] - times[-1 - _TURN])
            untried = [name for name, progress in ways.items() if progress == math.inf]
            chosen = untried[0] if untried else max(ways, key=lambda name: ways[name])
            if chosen != way:
                way, options = chosen, {"jac": jacobian} if chosen == "Radau" else {}
                solver = getattr(scipy, way)(slope, times[-1], state, span[1], **tolerances, **options)
        message = solver.step()
        if solver.status == "failed":
            raise RuntimeError(f"{way} stopped at {solver.t:.3g} of a time step: {message}")
        times.append(solver.t)
        if dense:
            pieces.append(solver.dense_output())
        state = solver.y
        if solver.status == "finished":
            return state, scipy.OdeSolution(times, pieces, alt_segment=way in ("BDF", "LSODA")) if dense else None
    raise RuntimeError(
        f"{way} stopped at {times[-1]:.3g} of a time step after {_MOST:,} steps, as the state does not come to rest; "
        f"pass shorter timespans, or use a solver with fixed parts, such as 'fused'"
    )


def _jacobians(F: Callable[[Array], Array], x: Array) -> Array:
    """Return the Jacobian of each sample by differences, shape (batch, units, units)."""
    at_x, columns = F(x), []
    for j in range(x.shape[1]):
        nudged = x.copy()
        nudged[:, j] += math.sqrt(np.finfo(np.float64).eps) * np.maximum(1, np.abs(x[:, j]))
        columns.append((F(nudged) - at_x) / (nudged[:, j] - x[:, j])[:, None])
    return np.stack(columns, axis=2)


def _block_diagonal(blocks: Array, before: int = 0, after: int = 0) -> Any:
    """Return a sparse matrix with the blocks on its diagonal, between so many rows and columns of zeros."""
    from scipy import sparse

    zeros = [sparse.csc_matrix((n, n)) for n in (before, after)]
    return sparse.block_diag([zeros[0], *blocks, zeros[1]], format="csc")


def d_adjoint_step(scheme: Scheme, params: Any, kept: SolverKept, d_new: Array) -> tuple[Any, Array, Array, Array]:
    r"""Return the gradients of params, I, x and dt for a step of scipy, by the adjoint ODE along the solution."""
    return _adjoint(scheme, params, kept, d_new, kept.path)


def d_reversed_step(scheme: Scheme, params: Any, kept: SolverKept, d_new: Array) -> tuple[Any, Array, Array, Array]:
    r"""Do as :func:`d_adjoint_step`, but integrate the state back from the step's end: a lesson.

    What a neuron forgets forwards like :math:`e^{-t G/C}` comes back like :math:`e^{t G/C}`, and so does every error of
    the state.
    """
    return _adjoint(scheme, params, kept, d_new, None)


def _adjoint(
    scheme: Scheme, params: Any, kept: SolverKept, d_new: Array, path: Callable[[float], Array] | None
) -> tuple[Any, Array, Array, Array]:
    """Integrate [x without a path, a, and the gradients of params, the input's two ends and t] from τ = 1 to 0."""
    checks.need("scipy", "adjoint", ", or choose another gradient")
    dtype, equation = d_new.dtype, scheme.equation
    params, I, dt, x1, a1 = tree_map(
        lambda array: np.asarray(array, np.float64), (params, kept.I, kept.dt, kept.states[-1], d_new)
    )
    whole = x1, a1, tree_map(np.zeros_like, (params, input_at(I, 0), input_at(I, 1), dt))

    def now(share: float, flat: Array) -> tuple[Array, Array, Array, Any]:
        x, a, _ = _split(flat, whole)
        I_now = input_at(I, share)
        return x if path is None else path(share).reshape(x.shape), a, I_now, equation.hold(params, I_now)

    def slope(share: float, flat: Array) -> Array:
        x, a, I_now, held = now(share, flat)
        F = right_side(equation, params, held, x)
        d_params, d_held, d_x = d_right_side(equation, params, held, x, dt * a)
        d_params_held, d_I = equation.d_hold(params, I_now, d_held)
        d_t = (a * F).sum(axis=1, keepdims=True)
        back = (add(d_params, d_params_held), (1 - share) * d_I, share * d_I, d_t)
        # The forward's path is known, so its x need not be solved for again.
        return -_flat((-dt * F if path is None else 0 * F, d_x, back))

    def jacobian(share: float, flat: Array) -> Any:
        """Of a alone: the gradients follow it, and Newton's method finds them in one more iteration."""
        x, _, _, held = now(share, flat)
        J = -dt[:, :, None] * _jacobians(lambda x: right_side(equation, params, held, x), x)
        return _block_diagonal(J.transpose(0, 2, 1), x.size, flat.size - 2 * x.size)

    flat = _flat(whole)
    if d_new.size:
        flat, _ = _solve(scheme, slope, jacobian, (1, 0), flat, dense=False)
    _, a0, gradients = _split(flat, whole)
    d_params, d_start, d_end, d_t = tree_map(lambda array: array.astype(dtype), gradients)
    return d_params, d_start + d_end if I.ndim == 2 else np.stack([d_start, d_end]), a0.astype(dtype), d_t


def _flat(tree: Any) -> Array:
    """Return the leaves of a tree, one after the other."""
    return np.concatenate([leaf.reshape(-1) for leaf in leaves(tree)])


def _split(flat: Array, tree: Any) -> Any:
    """Return a flat array as a tree like the given one."""
    ends = np.cumsum([leaf.size for leaf in leaves(tree)])
    parts = iter(np.split(flat, ends[:-1]))
    return tree_map(lambda leaf: next(parts).reshape(leaf.shape), tree)
