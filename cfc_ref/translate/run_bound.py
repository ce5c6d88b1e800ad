"""Bound the error of the CF4 translation along its own run, by what the parts err and how fast errors die out."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cfc_ref.arrays import Array
from cfc_ref.bounds.checked import Interval
from cfc_ref.bounds.run_contraction import error_after, jacobian_lipschitz, logarithmic_norm
from cfc_ref.cells.exponential import cf4_estimate
from cfc_ref.cells.ltc.synapses import synaptic
from cfc_ref.cells.ode import Scheme
from cfc_ref.cells.solvers import solver_step
from cfc_ref.cells.tree import tree_map
from cfc_ref.translate.translations import Posed

__all__ = ["RunBound", "bound_along_the_run"]

_RTOL, _ATOL = 1e-12, 1e-14
_QUARTERS = np.linspace(0, 1, 5).tolist()


class RunBound(NamedTuple):
    """Bounds of the CF4 translation's error, its Euclidean norm over the neurons, at the samples' times.

    Attributes
    ----------
    bound : ndarray, shape (B, T) in the layout of x
        From the errors of single parts, by scipy. Rigorous up to the logarithmic norm, which is taken at five points of
        each part, and up to scipy's tolerance.
    indication : ndarray, shape (B, T)
        The same with the solver's own estimates of these errors: no bound.
    norm : ndarray, shape (B, T)
        The largest logarithmic norm met in each time step, in 1/time; below 0, errors die out.
    """

    bound: Array
    indication: Array
    norm: Array

    def __str__(self) -> str:
        largest, said = (f"{np.max(values):.3g}" for values in (self.bound, self.indication))
        norms = f"largest norm {np.max(self.norm):.3g}, mean {np.mean(self.norm):.3g}"
        return (
            f"Euclidean error at most {largest}, rigorous up to the logarithmic norm at five points of each part and "
            f"scipy's tolerance ({norms}); with estimated errors of the parts {said}, an indication"
        )


def bound_along_the_run(posed: Posed, epsilon: float, box: Interval, parts: int) -> RunBound:
    """Run CF4 with so many parts per time step from the start of a call, and bound its error part by part."""
    equation, cell = synaptic(epsilon), posed.weights.cell
    L, (B, T) = jacobian_lipschitz(cell, box), posed.dt.shape
    numeric, exact = Scheme(equation, "cf4", parts), Scheme(equation, "scipy", rtol=_RTOL, atol=_ATOL)
    x, errors, found = posed.x0, np.zeros((2, B)), []
    for k in range(T):
        x, kept = solver_step(numeric, cell, posed.I[:, k], x, posed.dt[:, k, None])
        # The parts of a time step are rows of one batch.
        starts, h = np.concatenate(kept.states[:-1]), np.tile(posed.dt[:, k, None] / parts, (parts, 1))
        held = tree_map(lambda array: np.tile(array, (parts, 1)), kept.held)
        ends, by_scipy = solver_step(exact, cell, np.tile(posed.I[:, k], (parts, 1)), starts, h)
        assert by_scipy.path is not None
        runs = [by_scipy.path(share).reshape(starts.shape) for share in _QUARTERS]
        norms = np.stack([logarithmic_norm(equation, cell, held, run) for run in runs]).reshape(-1, parts, B)
        local = [np.concatenate(kept.states[1:]) - ends, cf4_estimate(equation, cell, held, starts, h)]
        lengths = np.linalg.norm(local, axis=2).reshape(2, parts, B)
        for part in range(parts):
            grown = [error_after(E, norms[:, part], posed.dt[:, k] / parts, L) for E in errors]
            errors = np.stack(grown) + lengths[:, part]
        found.append([*errors, norms.max(axis=(0, 1))])
    return RunBound(*(posed.call.outward(values.T) for values in np.stack(found, axis=1)))
