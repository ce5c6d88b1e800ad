"""The ODE of an LTC network in compiled solvers: JAX with diffrax or fixed steps, numbalsoda, torchdiffeq.

Each loop over the time steps is compiled as well, where the package allows it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from cfc_ref.arrays import Array
from cfc_ref.bench.peers import package
from cfc_ref.bounds.posed import weights_of
from cfc_ref.cells.ltc.network import scaled

if TYPE_CHECKING:
    from cfc_ref.layers.ltc import LTC

    Advance = Callable[[Array, Array, Array], Array]

__all__ = ["with_diffrax", "with_jax_rk4", "with_numbalsoda", "with_torchdiffeq"]

_MOST_STEPS = 100_000


def _in_jax(layer: LTC, one_step: Callable[..., Any]) -> Callable[[Any], Advance]:
    """Compile the loop over the time steps around ``one_step(slope, x, held, dt, setting)``."""
    jax, jnp = package("jax"), package("jax.numpy")
    jax.config.update("jax_enable_x64", True)
    weights = weights_of(layer)
    cell = jax.tree.map(jnp.asarray, weights.cell)

    def sums(kind: str, pre: Any) -> tuple[Any, Any]:
        w, sigma, mu, E = (getattr(cell, kind + name) for name in ("w", "sigma", "mu", "erev"))
        ws = w * jax.nn.sigmoid(sigma * (pre[:, None] - mu))
        return ws.sum(axis=0), (ws * E).sum(axis=0)

    def slope(t: Any, x: Any, held: tuple[Any, Any]) -> Any:
        G, Q = sums("", x)
        return (held[1] + Q - (held[0] + G) * x) / cell.cm

    def over_steps(samples: Any, timespans: Any, start: Any, setting: Any) -> Any:
        def step(x: Any, sample: Any) -> Any:
            I, dt = sample
            G, Q = sums("sensory_", I)
            held = cell.gleak + layer.epsilon + G, cell.gleak * cell.vleak + Q
            new = one_step(slope, x, held, dt, setting)
            return new, new

        return jax.lax.scan(step, start, (samples, timespans))[1]

    run = jax.jit(over_steps)

    def at(setting: Any) -> Advance:
        def advance(x: Array, timespans: Array, start: Array) -> Array:
            return np.asarray(run(scaled(weights.input_map, x), timespans, start, setting))

        return advance

    return at


def with_diffrax(layer: LTC, method: str) -> Callable[[float], Advance]:
    """Return what gives, for a tolerance, the function from samples, timespans and the state before to the states."""
    # Settings that are fast: only the end is saved, a loop without a gradient, the whole time step as the first try
    diffrax = package("diffrax")
    solver = getattr(diffrax, method)()

    def one_step(slope: Any, x: Any, held: Any, dt: Any, tolerance: Any) -> Any:
        solution = diffrax.diffeqsolve(
            diffrax.ODETerm(slope),
            solver,
            0.0,
            dt,
            dt,
            x,
            held,
            saveat=diffrax.SaveAt(t1=True),
            stepsize_controller=diffrax.PIDController(rtol=tolerance, atol=tolerance),
            max_steps=_MOST_STEPS,
            adjoint=diffrax.ForwardMode(),
            throw=False,
        )
        return solution.ys[-1]

    return _in_jax(layer, one_step)


def with_jax_rk4(layer: LTC) -> Callable[[int], Advance]:
    """Return what gives, for a number of parts, the function from samples, timespans and the state before to states."""
    jax = package("jax")

    def one_step(slope: Any, x: Any, held: Any, dt: Any, parts: Any) -> Any:
        h = dt / parts

        def part(_: Any, x: Any) -> Any:
            k1 = slope(0.0, x, held)
            k2 = slope(0.0, x + h / 2 * k1, held)
            k3 = slope(0.0, x + h / 2 * k2, held)
            k4 = slope(0.0, x + h * k3, held)
            return x + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)

        return jax.lax.fori_loop(0, parts, part, x)

    return _in_jax(layer, one_step)


def with_numbalsoda(layer: LTC, method: str) -> Callable[[float], Advance]:
    """Return what gives, for a tolerance, the function from samples, timespans and the state before to the states."""
    solver = getattr(package("numbalsoda"), method)
    from cfc_ref.kernels.ltc import slope as kernel

    weights, n, slope = weights_of(layer), layer.state_size, kernel.address()
    numbers = kernel.numbers_of(weights.cell)

    def loop(G: Any, Q: Any, timespans: Any, start: Any, numbers: Any, rtol: Any) -> Any:
        states, state, span, done = np.empty((len(timespans), n)), start.copy(), np.zeros(2), True
        for k in range(len(timespans)):
            numbers[1 + n : 1 + 2 * n], numbers[1 + 2 * n : 1 + 3 * n] = G[k], Q[k]
            span[1] = timespans[k]
            solution, success = solver(slope, state, span, data=numbers, rtol=rtol, atol=rtol)
            done &= success
            state = solution[-1].copy()
            states[k] = state
        return states, done

    compiled = package("numba").njit(loop)

    def at(rtol: float) -> Advance:
        def advance(x: Array, timespans: Array, start: Array) -> Array:
            G, Q = layer.equation.hold(weights.cell, scaled(weights.input_map, x))
            states, done = compiled(G, Q, timespans, start, numbers, rtol)
            if not done:
                raise RuntimeError(f"{method} gave up at rtol {rtol:.0e}")
            return np.asarray(states)

        return advance

    return at


def with_torchdiffeq(layer: LTC, method: str) -> Callable[[float], Advance]:
    """Return what gives, for a tolerance, the function from samples, timespans and the state before to the states."""
    torch, odeint = package("torch"), package("torchdiffeq").odeint
    weights = weights_of(layer)
    w, sigma, mu, E, C = (torch.from_numpy(np.ascontiguousarray(getattr(weights.cell, name)))
                          for name in ("w", "sigma", "mu", "erev", "cm"))  # fmt: skip
    shift, w_E = sigma * mu, w * E

    def slope(held: tuple[Any, Any], t: Any, x: Any) -> Any:
        s = torch.sigmoid(sigma * x[:, None] - shift)
        return (held[1] + (w_E * s).sum(0) - (held[0] + (w * s).sum(0)) * x) / C

    def at(rtol: float) -> Advance:
        def advance(x: Array, timespans: Array, start: Array) -> Array:
            G, Q = (torch.from_numpy(a) for a in layer.equation.hold(weights.cell, scaled(weights.input_map, x)))
            states, state = np.empty((len(x), len(start))), torch.from_numpy(np.array(start))
            with torch.no_grad():
                for k, dt in enumerate(timespans.tolist()):
                    span = torch.tensor([0.0, dt], dtype=torch.float64)
                    state = odeint(partial(slope, (G[k], Q[k])), state, span, rtol=rtol, atol=rtol, method=method)[-1]
                    states[k] = state.numpy()
            return states

        return advance

    return at
