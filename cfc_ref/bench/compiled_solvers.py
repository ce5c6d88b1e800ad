"""The ODE of an LTC network in compiled solvers: diffrax on JAX, and LSODA through numbalsoda."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from cfc_ref.arrays import Array
from cfc_ref.bench.peers import package
from cfc_ref.bounds.posed import weights_of
from cfc_ref.cells.ltc.network import scaled

if TYPE_CHECKING:
    from cfc_ref.layers.ltc import LTC

    Advance = Callable[[Array, Array, Array], Array]

__all__ = ["with_diffrax", "with_numbalsoda"]

_MOST_STEPS = 100_000


def with_diffrax(layer: LTC, method: str) -> Callable[[float], Advance]:
    """Return what gives, for a tolerance, the function from samples, timespans and the state before to the states."""
    jax, diffrax = package("jax"), package("diffrax")
    jax.config.update("jax_enable_x64", True)
    jnp, sigmoid = package("jax.numpy"), jax.nn.sigmoid
    weights = weights_of(layer)
    cell = jax.tree.map(jnp.asarray, weights.cell)
    solver = getattr(diffrax, method)()

    def sums(kind: str, pre: Any) -> tuple[Any, Any]:
        w, sigma, mu, E = (getattr(cell, kind + name) for name in ("w", "sigma", "mu", "erev"))
        ws = w * sigmoid(sigma * (pre[:, None] - mu))
        return ws.sum(axis=0), (ws * E).sum(axis=0)

    def slope(t: Any, x: Any, held: tuple[Any, Any]) -> Any:
        G, Q = sums("", x)
        return (held[1] + Q - (held[0] + G) * x) / cell.cm

    def over_steps(samples: Any, timespans: Any, start: Any, tolerance: Any) -> Any:
        control = diffrax.PIDController(rtol=tolerance, atol=tolerance)

        def step(x: Any, sample: Any) -> Any:
            I, dt = sample
            G, Q = sums("sensory_", I)
            held = cell.gleak + layer.epsilon + G, cell.gleak * cell.vleak + Q
            solution = diffrax.diffeqsolve(
                diffrax.ODETerm(slope),
                solver,
                0.0,
                dt,
                None,
                x,
                held,
                stepsize_controller=control,
                max_steps=_MOST_STEPS,
                adjoint=diffrax.ForwardMode(),
                throw=False,
            )
            new = solution.ys[-1]
            return new, new

        return jax.lax.scan(step, start, (samples, timespans))[1]

    run = jax.jit(over_steps)

    def at(rtol: float) -> Advance:
        def advance(x: Array, timespans: Array, start: Array) -> Array:
            return np.asarray(run(scaled(weights.input_map, x), timespans, start, rtol))

        return advance

    return at


def with_numbalsoda(layer: LTC) -> Callable[[float], Advance]:
    """Return what gives, for a tolerance, the function from samples, timespans and the state before to the states."""
    lsoda = package("numbalsoda").lsoda
    from cfc_ref.kernels.ltc import slope as kernel

    weights, n, slope = weights_of(layer), layer.state_size, kernel.address()
    numbers = kernel.numbers_of(weights.cell)
    G0, Q0 = numbers[1 + n : 1 + 2 * n], numbers[1 + 2 * n : 1 + 3 * n]

    def at(rtol: float) -> Advance:
        def advance(x: Array, timespans: Array, start: Array) -> Array:
            states, state = np.empty((len(x), n)), start
            G, Q = layer.equation.hold(weights.cell, scaled(weights.input_map, x))
            for k, dt in enumerate(timespans):
                G0[:], Q0[:] = G[k], Q[k]
                solution, success = lsoda(slope, state, np.array([0.0, dt]), data=numbers, rtol=rtol, atol=rtol)
                if not success:
                    raise RuntimeError(f"LSODA gave up at rtol {rtol:.0e}")
                states[k] = state = solution[-1]
            return states

        return advance

    return at
