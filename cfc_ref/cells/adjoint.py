r"""Gradients of a time step that scipy solved: the adjoint ODE, and why the state is not integrated back with it.

With F the right-hand side, t the step's length, τ the share of it that has passed, and L a loss of the state x(1) at
the step's end:

.. math:: a(\tau) = \frac{\partial L}{\partial x(\tau)}, \qquad
          \frac{da}{d\tau} = -t\,\Big(\frac{\partial F}{\partial x}\Big)^{\!\top} a, \qquad
          \frac{\partial L}{\partial\theta} = \int_0^1 t\,\Big(\frac{\partial F}{\partial\theta}\Big)^{\!\top} a\,d\tau,
          \qquad \frac{\partial L}{\partial t} = \int_0^1 a^\top F\,d\tau

All of it is solved from τ = 1 to 0. It needs x(τ) on the way. :func:`d_adjoint_step` reads it off the forward solution;
:func:`d_reversed_step` keeps nothing and integrates x back as well (as Chen et al., NeurIPS 2018, do). Over a sequence
both take the place of :func:`cfc_ref.cells.solvers.d_solver_step`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from cfc_ref import checks
from cfc_ref.cells.conductance import d_right_side, right_side
from cfc_ref.cells.solver_parts import add
from cfc_ref.cells.solvers import Scheme, SolverKept, input_at, tolerances
from cfc_ref.cells.tree import leaves, tree_map

__all__ = ["d_adjoint_step", "d_reversed_step"]

Array = npt.NDArray[Any]


def d_adjoint_step(scheme: Scheme, params: Any, kept: SolverKept, d_new: Array) -> tuple[Any, Array, Array, Array]:
    r"""Gradient of a step of scipy by the adjoint ODE, along the forward solution.

    Parameters
    ----------
    scheme : Scheme
        As in :func:`cfc_ref.cells.solvers.solver_step`; its method and tolerances also solve the adjoint.
    params : NamedTuple
        As there.
    kept : SolverKept
        As it returned it.
    d_new : ndarray, shape (batch, units)
        Gradient of the states at the step's end.

    Returns
    -------
    d_params : NamedTuple
    d_I : ndarray, shape (batch, inputs) or (2, batch, inputs)
    d_x : ndarray, shape (batch, units)
    d_dt : ndarray, shape (batch, 1)
    """
    return _adjoint(scheme, params, kept, d_new, kept.path)


def d_reversed_step(scheme: Scheme, params: Any, kept: SolverKept, d_new: Array) -> tuple[Any, Array, Array, Array]:
    r"""Do as :func:`d_adjoint_step`, but from the state at the step's end alone, which is integrated back: a lesson.

    What a neuron forgets forwards like :math:`e^{-t G/C}` comes back like :math:`e^{t G/C}`, and so does every error of
    the state.

    Parameters
    ----------
    scheme, params, kept, d_new
        As there.

    Returns
    -------
    d_params, d_I, d_x, d_dt
        As there.
    """
    return _adjoint(scheme, params, kept, d_new, None)


def _adjoint(
    scheme: Scheme, params: Any, kept: SolverKept, d_new: Array, path: Callable[[float], Array] | None
) -> tuple[Any, Array, Array, Array]:
    """Integrate [x without a path, a, and the gradients of params, the input's two ends and t] from τ = 1 to 0."""
    checks.need("scipy", "adjoint", ", or choose another gradient")
    from scipy.integrate import solve_ivp

    dtype, form = d_new.dtype, scheme.form
    params, I, dt, x1, a1 = tree_map(
        lambda array: np.asarray(array, np.float64), (params, kept.I, kept.dt, kept.states[-1], d_new)
    )
    nothing = tree_map(np.zeros_like, (params, input_at(I, 0), input_at(I, 1), dt))
    if not d_new.size:
        gradients = nothing
    else:

        def slope(share: float, flat: Array) -> Array:
            x, a, _ = _split(flat, whole)
            if path is not None:
                x = path(share).reshape(x1.shape)
            I_now = input_at(I, share)
            held = form.hold(params, I_now)
            F = right_side(form, params, held, x)
            d_params, d_held, d_x = d_right_side(form, params, held, x, dt * a)
            d_params_held, d_I = form.d_hold(params, I_now, d_held)
            d_t = (a * F).sum(axis=1, keepdims=True)
            back = (add(d_params, d_params_held), (1 - share) * d_I, share * d_I, d_t)
            # The forward's path is there, so its x need not be solved for again.
            return -_flat((-dt * F if path is None else 0 * F, d_x, back))

        whole = (x1, a1, nothing)
        start = _flat(whole)
        solution = solve_ivp(slope, (1, 0), start, scheme.method, **tolerances(scheme, start.size))
        if not solution.success:
            raise RuntimeError(f"{scheme.method} stopped at {solution.t[-1]:.3g} of a time step: {solution.message}")
        _, a1, gradients = _split(solution.y[:, -1], whole)
    d_params, d_start, d_end, d_t = tree_map(lambda array: array.astype(dtype), gradients)
    d_I = d_start + d_end if I.ndim == 2 else np.stack([d_start, d_end])
    return d_params, d_I, a1.astype(dtype), d_t


def _flat(tree: Any) -> Array:
    """Return the leaves of a tree, end to end."""
    return np.concatenate([leaf.reshape(-1) for leaf in leaves(tree)])


def _split(flat: Array, tree: Any) -> Any:
    """Return the parts of a flat array as a tree like the one given."""
    ends = np.cumsum([leaf.size for leaf in leaves(tree)])
    parts = iter(np.split(flat, ends[:-1]))
    return tree_map(lambda leaf: next(parts).reshape(leaf.shape), tree)
