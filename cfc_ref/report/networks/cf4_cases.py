"""S21: CF4 on random networks: its order, its box, and the equilibria that it keeps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from cfc_ref.arrays import Array
from cfc_ref.cells.exponential import cf4
from cfc_ref.cells.ltc.synapses import LTCParams, synaptic
from cfc_ref.cells.ode import Scheme
from cfc_ref.cells.solvers import solver_step
from cfc_ref.report.judge import AGREEMENT, Check, Evaluation, find
from cfc_ref.report.recording import Recording

__all__ = ["order_box_and_equilibria"]

Generator = np.random.Generator

_UNITS, _INPUTS, _ROWS = 4, 2, 40
_ORDERED = 8  # networks whose order is measured
_RESTING = 4  # every so many networks are looked at in equilibrium
_HALVINGS = (8, 16, 32, 64)  # parts of their time step
_NOISE = 1e-13  # an error below this is rounding
_NEWTON = 8
_EQUATION = synaptic(0.0)


class NetworkCases(NamedTuple):
    """Cases as the judge sees them: rows of a network of known seed."""

    family: str
    seed: int
    x: Array  # (B, units)
    I: Array
    h: Array  # (B, 1)
    unit: Array  # (B,): 1, as potentials are of size 1
    largest: Array

    def describe(self, i: int) -> dict[str, Any]:
        """Return everything that is needed to try case i again."""
        return {"network": self.seed, "x": self.x[i].tolist(), "I": self.I[i].tolist(), "h": float(self.h[i, 0])}


def network_of(seed: int) -> LTCParams:
    """Return the weights of a random network, which the seed determines; some couple weakly and some very strongly."""
    rng = np.random.default_rng(seed)
    scale, gain = 10 ** rng.uniform(-1, 2), rng.choice([0.2, 1.0, 3.0])

    def synapses(pre: int) -> tuple[Array, ...]:
        w = scale * rng.uniform(0.1, 1, (pre, _UNITS)) * (rng.random((pre, _UNITS)) < 0.7)
        E = rng.choice([-1.0, 1.0], w.shape) * rng.uniform(0.5, 1.2, w.shape)
        return w, gain * rng.uniform(3, 8, w.shape), rng.uniform(0.3, 0.8, w.shape), E

    leak = rng.uniform(0.1, 1, _UNITS), rng.uniform(-0.2, 0.2, _UNITS), rng.uniform(0.4, 1.5, _UNITS)
    return LTCParams(*leak, *synapses(_UNITS), *synapses(_INPUTS))


def order_box_and_equilibria(
    count: int, rng: Generator, fixed: Mapping[str, float], recording: Recording
) -> Evaluation:
    """Judge CF4 on about `count` parts of random networks, and measure its order on a few of them."""
    found = Evaluation()
    for k in range(-(-count // _ROWS)):
        seed = int(rng.integers(2**31))
        params = network_of(seed)
        x, I = rng.uniform(*_EQUATION.box(params), (_ROWS, _UNITS)), rng.normal(size=(_ROWS, _INPUTS))
        h = 10 ** rng.uniform(-3, 3, (_ROWS, 1)) / _EQUATION.fastest(params).max()
        cases = NetworkCases("network", seed, x, I, h, np.ones(_ROWS), np.ones(_ROWS))
        found.add(find(cases, _in_the_box(params, cases)))
        if k % _RESTING == 0:
            cases = cases._replace(family="equilibrium", x=_equilibria(params, x, I))
            found.add(find(cases, _keeps(params, cases)))
    slopes = [_order(network_of(int(seed)), rng) for seed in rng.integers(2**31, size=_ORDERED)]
    clear = [slope for slope in slopes if np.isfinite(slope)]
    if clear:
        found.orders = {"cf4": float(np.median(clear))}
    return found


def _in_the_box(params: LTCParams, cases: NetworkCases) -> Iterator[Check]:
    """Yield one check per neuron: the state after a part of any length lies in the box."""
    low, high = _EQUATION.box(params)
    new = cf4(_EQUATION, params, _EQUATION.hold(params, cases.I), cases.x, cases.h)
    zero, use = np.zeros(len(new)), np.full(len(new), True)
    for i in range(_UNITS):
        yield Check(
            new[:, i], zero, np.abs(new[:, i]), zero + low[i], zero + high[i], use, note=f"neuron {i} in its box"
        )


def _equilibria(params: LTCParams, x: Array, I: Array) -> Array:
    """Return states to which frozen steps and then Newton's method lead."""
    held = _EQUATION.hold(params, I)
    x, _ = solver_step(Scheme(_EQUATION, "frozen", 50), params, I, x, np.full((len(x), 1), 1e6))
    for _ in range(_NEWTON):
        J = np.stack(
            [(_drift(params, held, x + 1e-7 * e) - _drift(params, held, x - 1e-7 * e)) / 2e-7 for e in np.eye(_UNITS)],
            2,
        )
        x = x - np.linalg.solve(J + 1e-14 * np.eye(_UNITS), _drift(params, held, x)[:, :, None])[:, :, 0]
    return x


def _drift(params: LTCParams, held: Any, x: Array) -> Array:
    """Return Q/G - x, which is 0 at an equilibrium."""
    (_, G, Q), _ = _EQUATION.balance(params, held, x)
    return Q / G - x


def _keeps(params: LTCParams, rest: NetworkCases) -> Iterator[Check]:
    """Yield one check per neuron: a part of any length leaves an equilibrium where it is, up to AGREEMENT."""
    held = _EQUATION.hold(params, rest.I)
    low, high = _EQUATION.box(params)
    moved = cf4(_EQUATION, params, held, rest.x, rest.h) - rest.x
    left = np.abs(_drift(params, held, rest.x)).max(axis=1)
    use = (left < 1e-12) & np.all((low <= rest.x) & (rest.x <= high), axis=1)
    for i in range(_UNITS):
        size = np.abs(rest.x[:, i])
        tolerance = AGREEMENT * np.maximum(1, size)
        yield Check(moved[:, i], left, size, -tolerance, tolerance, use, note=f"neuron {i} stays at its equilibrium")


def _order(params: LTCParams, rng: Generator) -> float:
    """Return the slope of log error by log part, over a time step of two of the fastest time constants."""
    x, I = rng.uniform(*_EQUATION.box(params), (8, _UNITS)), rng.normal(size=(8, _INPUTS))
    dt = np.full((len(x), 1), 2.0 / float(_EQUATION.fastest(params).max()))

    def end(solver: str, parts: int = 1) -> Array:
        return solver_step(Scheme(_EQUATION, solver, parts, rtol=1e-13, atol=1e-14), params, I, x, dt)[0]

    truth = end("scipy")
    errors = np.array([np.abs(end("cf4", parts) - truth).max() for parts in _HALVINGS])
    clear = errors > _NOISE
    if clear.sum() < 3:
        return np.nan
    return float(-np.polyfit(np.log(np.array(_HALVINGS)[clear]), np.log(errors[clear]), 1)[0])
