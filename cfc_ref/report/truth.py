r"""The truth, in two independent ways: scipy's solver, and the exact or quadrature solution.

Cases are integrated in batches. Every piece of every case runs over the same scaled time, from 0 to 1: with
:math:`s = h\,\theta` the ODE reads :math:`dx/d\theta = h\,\dot x`, so cases of all lengths share scipy's steps. Where a
way fails, it gives NaN, and the case decides nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cfc_ref import backend
from cfc_ref.arrays import Array
from cfc_ref.neuron.model import FORMS, ODES
from cfc_ref.neuron.quadrature import smooth_piece
from cfc_ref.report.cases import Cases

__all__ = ["RTOL", "Trajectories", "exactly", "with_scipy"]

RTOL, _ATOL = 1e-13, 1e-14  # scipy averages over a batch: a tenth of what every case is to reach, 1e-12
_GROUPS = 4  # cases of like stiffness are integrated together, so that the fast do not wait for the slow
_FEW = 50  # cases that one group takes
_MOST_STEPS = 2_000  # per piece: 250 e-foldings take some 100


class Trajectories(NamedTuple):
    """States at the edges of the pieces of B cases, each of shape (B, K + 1)."""

    ltc: Array
    symmetric: Array


def _start(cases: Cases) -> Trajectories:
    shape = (len(cases.x0), cases.h.shape[1] + 1)
    states = Trajectories(*(np.empty(shape) for _ in FORMS))
    drawn = np.isfinite(cases.level + cases.slope).all(axis=1)  # a slope overflows where time is that short
    for x in states:
        x[:, 0] = np.where(drawn, cases.x0, np.nan)
    return states


def _active(cases: Cases, states: Trajectories, k: int) -> npt.NDArray[np.intp]:
    """Carry the states over piece k, and return the cases in which it is not empty."""
    for x in states:
        x[:, k + 1] = x[:, k]
    return np.flatnonzero((cases.h[:, k] > 0) & np.isfinite(states.ltc[:, k] + states.symmetric[:, k]))


def with_scipy(cases: Cases, scale: float = 1.0) -> Trajectories:
    """Integrate both ODEs with scipy's DOP853 at rtol 1e-12 or less, restarted at every piece."""
    states = _start(cases)
    for k in range(cases.h.shape[1]):
        active = _active(cases, states, k)
        foldings = (cases.neuron.w_tau[active] + scale) * cases.h[active, k]
        groups = 1 if np.all(foldings < 1) else min(_GROUPS, 1 + active.size // _FEW)
        todo = [group for group in np.array_split(active[np.argsort(foldings)], groups) if group.size]
        while todo:
            group = todo.pop()
            end = _integrated(_scaled(cases.piece(group, k), scale), np.stack([x[group, k] for x in states]))
            if end is None and group.size > 1:  # find the case on which scipy stops
                todo += np.array_split(group, 2)
                continue
            for form, x in enumerate(states):
                x[group, k + 1] = np.nan if end is None else end[form]
    return states


def _integrated(right_side: Callable[[float, Array], Array], start: Array) -> Array | None:
    """Return the states after a scaled time of 1, or None where scipy stops."""
    from scipy.integrate import DOP853

    solver = DOP853(right_side, 0.0, start.reshape(-1), 1.0, rtol=RTOL, atol=_ATOL)
    for _ in range(_MOST_STEPS):
        if solver.step():
            return None
        if solver.status == "finished":
            return solver.y.reshape(start.shape)
    return None


def _scaled(piece: Cases, scale: float) -> Callable[[float, Array], Array]:
    """Return the right side of both ODEs on one piece in scaled time: w and y are multiplied by h."""
    A, h = piece.neuron.A, piece.h[:, 0]
    w, y_scale = piece.neuron.w_tau * h, scale * h
    held = y_scale * piece.release(np.zeros(1))[:, 0] if piece.constant else None

    def right_side(theta: float, x: Array) -> Array:
        y = y_scale * piece.release(theta * piece.h)[:, 0] if held is None else held
        return np.concatenate([ODES[form](w, A, row, y) for form, row in zip(FORMS, x.reshape(2, -1), strict=True)])

    return right_side


def exactly(cases: Cases) -> Trajectories:
    """Solve both ODEs piece by piece: elementary where the input is piecewise constant, by quadrature elsewhere."""
    neuron, h = cases.neuron, cases.h
    if cases.constant:
        y = cases.release(np.zeros(1), np.arange(h.shape[1]))
        ltc = backend.pieces().constant(neuron.w_tau, neuron.A, y, h, cases.x0)
        foldings = np.cumsum((neuron.w_tau[:, None] + y) * h, axis=1)
        c = (cases.x0 - neuron.A)[:, None]
        # Eq. (8): the sum over the pieces in the place of Eq. (6)'s integral
        symmetric = np.concatenate([cases.x0[:, None], neuron.A[:, None] + c * np.exp(-foldings)], axis=1)
        return Trajectories(ltc, symmetric)
    states = _start(cases)
    for k in range(h.shape[1]):
        active = _active(cases, states, k)
        if not active.size:
            continue
        piece = cases.piece(active, k)
        w, A, length = piece.neuron.w_tau, piece.neuron.A, piece.h[:, 0]
        for form, x in zip(FORMS, states, strict=True):
            try:
                x[active, k + 1] = smooth_piece(_release(piece), w, A, length, x[active, k], form)
            except ValueError:  # quadrature does not resolve the input
                x[active, k + 1] = np.nan
    return states


def _release(piece: Cases) -> Callable[[Array], Array]:
    """Return the function that takes fractions of one piece to f(I) there."""
    return lambda fraction: piece.release(piece.h * fraction)
