"""A search for the worst input that knows nothing of the proofs.

scipy's differential evolution moves four levels of a piecewise-constant input, the three times at which it switches and
the value at the end; it sees nothing but the error that comes out.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cfc_ref import checks
from cfc_ref.arrays import Array
from cfc_ref.neuron.closed_forms import eq9
from cfc_ref.neuron.exact_solution import constant_pieces, eq6
from cfc_ref.neuron.model import FORMS, LTCNeuron, neuron_and_start

__all__ = ["Found", "search"]

_LEVELS = 4
_GENERATIONS = 250
_POPULATION = 10  # times the number of unknowns


class Found(NamedTuple):
    """The result of the search: the input, its error, and the best error after each generation."""

    h: Array  # lengths of the pieces, shape (4,)
    level: Array  # input on each piece
    last_input: float  # input at t
    error: float  # truth - closed form
    history: Array


def search(
    neuron: LTCNeuron,
    x0: float,
    t: float,
    I_range: tuple[float, float],
    form: str = "symmetric",
    largest: bool = True,
    seed: int = 0,
) -> Found:
    r"""Search the piecewise-constant input in `I_range` with the largest (or smallest) error x(t) − x̃(t)."""
    neuron, start, shape = neuron_and_start(neuron, x0)
    if shape:
        checks.refuse("neuron", f"{shape} neurons", "one neuron and one start", "search for each by itself")
    form = checks.choice("form", form, FORMS)
    end = float(checks.numeric("t", t))
    checks.compare("t", np.asarray(end), np.asarray(end > 0), "a time > 0", "at t = 0 there is nothing to search")
    low, high = sorted(float(I) for I in checks.numeric("I_range", I_range))

    checks.need("scipy", "search")
    from scipy.optimize import differential_evolution

    sign = 1.0 if largest else -1.0
    history: list[float] = []

    def objective(unknowns: Array) -> Array:
        h, level, last = _input(unknowns, end)
        return -sign * _error(neuron, start, h, level, last, form)

    result = differential_evolution(
        objective,
        [(low, high)] * (_LEVELS + 1) + [(0.0, end)] * (_LEVELS - 1),
        seed=seed,
        maxiter=_GENERATIONS,
        popsize=_POPULATION,
        tol=0.0,
        atol=0.0,
        polish=False,
        vectorized=True,
        updating="deferred",
        callback=lambda intermediate_result: history.append(-sign * float(intermediate_result.fun)),
    )
    h, level, last = _input(result.x, end)
    return Found(h, level, float(last), -sign * float(result.fun), np.array(history))


def _input(unknowns: Array, t: float) -> tuple[Array, Array, Array]:
    """Read the unknowns, shape (8,) or (8, S), as lengths and levels, time last, and the value at the end."""
    level, last, switches = np.split(unknowns, [_LEVELS, _LEVELS + 1])
    edges = np.sort(switches, axis=0)
    zero = np.zeros_like(edges[:1])
    return np.diff(np.concatenate([zero, edges, zero + t]), axis=0).T, level.T, last[0]


def _error(neuron: LTCNeuron, x0: Array, h: Array, level: Array, last_input: Array, form: str) -> Array:
    y, t = neuron.release(level), h.sum(axis=-1)
    if form == "ltc":
        x = constant_pieces(neuron.w_tau, neuron.A, y, h, x0)[..., -1]
    else:
        x = eq6(neuron.w_tau, neuron.A, x0, t, (y * h).sum(axis=-1))
    return x - eq9(neuron, x0, t, neuron.release(last_input))
