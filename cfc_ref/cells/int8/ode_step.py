r"""The int8 time step of a synaptic LTC and of a NeuralLTC: the specification of what generated C computes.

Synapses and gates, where the work is, are integers: int8 parameters with a scale per row, 16-bit states, sums of 32
bits, functions by tables. A neuron's own part is computed in float32, as a short part moves a state by less than an
int16 tells apart.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from cfc_ref import checks
from cfc_ref.arrays import Array
from cfc_ref.cells.dense import Dense
from cfc_ref.cells.int8.lstm_step import Memory8, memory_step_8, quantise_memory
from cfc_ref.cells.int8.numbers import (
    MOST,
    ONE,
    UNIT,
    Grid,
    Rounder,
    Rows8,
    as_int,
    decay,
    fits,
    grid_of,
    moved_by,
    quantise_rows,
    rounded,
    rounder,
    sigmoid_8,
)
from cfc_ref.cells.ltc.network import ODENetwork, Readout, Scaling, scaled
from cfc_ref.cells.ltc.neural import NeuralLTCParams
from cfc_ref.cells.ltc.synapses import LTCParams, Synapses, recurrent_synapses, sensory_synapses

__all__ = ["ODE8", "Neural8", "Synapses8", "Synaptic8", "quantise_ode"]

SHORT = 32767
_SUM = 1 << 29  # of a neuron's leak, in the units of its sums
SHIFT = 6  # bits of a conductance that its current does not read


class Synapses8(NamedTuple):
    """One kind of synapses, shape (pre, post): its argument is z = scale · σ (pre - step · μ)."""

    w: Array  # int8; w, sigma, mu, E
    sigma: Array
    mu: Array
    E: Array
    step: Array  # integers, shape (post,): a threshold's unit, of those of `pre`
    scale: Array  # float32, shape (post,)
    fine: int  # units of 2^-fine of `pre`, which has 16 bits

    def sums(self, pre: Array) -> tuple[Array, Array]:
        """Return the sums of conductances and of currents, shape (batch, post)."""
        z = as_int(self.scale * (self.sigma * (pre[:, :, None] - self.mu * self.step)).astype(np.float32))
        ws = self.w * sigmoid_8(z)
        return ws.sum(axis=1), ((ws >> SHIFT) * self.E).sum(axis=1)


class Synaptic8(NamedTuple):
    """The neurons of ncps's LTC."""

    sensory: Synapses8
    recurrent: Synapses8
    input_map: Rounder  # from the network's inputs to units of 2^-fine
    C: Array  # float32, shape (units,)
    leak: tuple[Array, Array]  # integers, in the units of the sums
    G: Array  # float32, shape (units,): the unit of a sum of conductances
    Q: Array  # of a sum of currents

    def held(self, x: Array) -> tuple[Array, Array]:
        """Return the sums over leak and sensory synapses."""
        moved = as_int(self.input_map.factor * x) - self.input_map.offset
        G, Q = self.sensory.sums(np.clip(moved, -SHORT, SHORT))
        return G + self.leak[0], Q + self.leak[1]

    def balance(self, held: tuple[Array, Array], x: Array) -> tuple[Array, Array, Array]:
        """Return C, G and Q at states x in float32."""
        G, Q = self.recurrent.sums(as_int(np.float32(2.0**self.recurrent.fine) * x))
        G, Q = (self.G * (G + held[0]).astype(np.float32), self.Q * (Q + held[1]).astype(np.float32))
        # in integers: conductances and currents
        return self.C, G, Q


class Neural8(NamedTuple):
    """The neurons of Eq. 1 with a neural release."""

    inputs: Rows8
    states: Rows8
    input_round: Rounder
    state_round: Rounder
    input_grid: Grid
    state_grid: Grid
    w_tau: Array  # float32
    A: Array

    def held(self, x: Array) -> Array:
        """Return the input's share of the argument of f."""
        return self.inputs.argument(rounded(self.input_round, x))

    def balance(self, held: Array, x: Array) -> tuple[Array, Array, Array]:
        """Return C, G and Q at states x in float32."""
        z = self.states.argument(rounded(self.state_round, x)) + held
        f = np.float32(1 / ONE) * sigmoid_8(z).astype(np.float32)
        return np.ones_like(self.A), self.w_tau + f, self.A * f


class ODE8(NamedTuple):
    """A network with an ODE in int8."""

    cell: Any  # Synaptic8 or Neural8
    memory: Memory8 | None
    inputs: Rounder  # of the memory
    states: Rounder
    ends: tuple[Any, Any]  # float32: what holds all states
    solver: str
    parts: int
    readout: Readout  # float32
    motor: int  # neurons that are read out

    def start(self, batch: int) -> tuple[Array, Array | None]:
        """Return the state before the first sample."""
        x = np.zeros((batch, len(self.states.factor)), np.float32)
        return x, None if self.memory is None else np.zeros(x.shape, np.int64)

    def real(self, state: Any) -> Array:
        """Return the state's real numbers."""
        return state[0].astype(np.float64)

    def step(self, I: Array, state: Any, dt: Array) -> tuple[Any, Array]:
        """Return the state after a time step, and the output in float32."""
        x, c = state
        if self.memory is not None:
            v = np.concatenate([rounded(self.inputs, I), rounded(self.states, x)], axis=1)
            out, c = memory_step_8(self.memory, v, c)
            x = np.float32(1 / ONE**2) * out.astype(np.float32)
        held, h = self.cell.held(I), dt.astype(np.float32) / np.float32(self.parts)
        for _ in range(self.parts):
            x = np.clip(_part(self.solver, self.cell.balance(held, x), x, h), *self.ends)
        output_map, fc = self.readout
        y = scaled(output_map, x[:, : self.motor])
        return (x, c), y if fc is None else _in_order(fc, y)


def _part(solver: str, balance: tuple[Array, Array, Array], x: Array, h: Array) -> Array:
    """Return the states after one part, in float32."""
    C, G, Q = balance
    if solver == "fused":
        D = C + h * G
        # of sums in int8: the fused solver
        return C / D * x + h / D * Q
    return x + _share(h * G / C) * (Q / G - x)


def _in_order(params: Dense, u: Array) -> Array:
    """Return a linear map whose sums are made from left to right, as C makes them."""
    z = np.zeros((len(u), len(params.W)), np.float32)
    for W_j, u_j in zip(params.W.T, u.T, strict=True):
        z = z + W_j * u_j[:, None]
    return z if params.b is None else z + params.b


def _share(u: Array) -> Array:
    r"""Return :math:`1 - e^{-u}`: three terms of its series for small u, else by the table."""
    one, half, third = np.float32(1), np.float32(0.5), np.float32(1 / 3)
    far = np.float32(1 / ONE) * (ONE - decay(as_int(np.float32(UNIT) * u))).astype(np.float32)
    return np.where(u < np.float32(1 / 16), u * (one - half * u * (one - third * u)), far)


# --- from weights to int8


def quantise_ode(
    params: ODENetwork, readout: Readout, outputs: int, equation: tuple[str, int, float], ranges: tuple[Any, Any]
) -> ODE8:
    """Return a network in int8: `equation` is (solver, parts, epsilon), `ranges` are those of inputs and states."""
    (solver, parts, epsilon), (x, states) = equation, ranges
    if solver not in ("fused", "frozen"):
        do = "make the layer with one of them, and load the weights into it"
        checks.refuse("model", f"solver {solver!r}, which has no int8", "'fused' or 'frozen'", do)
    inputs, grid, memory = grid_of(*x), grid_of(*states), None
    if params.lstm is not None:
        memory = quantise_memory(params.lstm, inputs, grid, 1.0)
    mapped = np.sort(np.stack([scaled(params.input_map, end) for end in x]), axis=0)
    if isinstance(params.cell, LTCParams):
        cell: Any = _quantise_synaptic(params.cell, params.input_map, epsilon, (mapped, states))
    elif isinstance(params.cell, NeuralLTCParams):
        cell = _quantise_neural(params.cell, params.input_map, grid_of(*mapped), grid)
    else:
        got = type(params.cell).__name__.removesuffix("Params")
        checks.refuse("model", got, "a CfC, LTC or NeuralLTC, which have int8", "export it to ONNX", TypeError)
    ends = np.float32(states[0].min()), np.float32(states[1].max())
    motor = outputs if readout[1] is None else readout[1].W.shape[1]
    return ODE8(cell, memory, rounder(inputs), rounder(grid), ends, solver, parts, readout, motor)


def _quantise_synaptic(
    params: LTCParams, input_map: Scaling | None, epsilon: float, ranges: tuple[Any, Any]
) -> Synaptic8:
    """Return synapses with int8 parameters, a scale per neuron and parameter."""
    kinds = sensory_synapses(params), recurrent_synapses(params)
    w, E = (_per_neuron(*(getattr(kind, name) for kind in kinds)) for name in ("w", "erev"))
    leak = params.gleak + epsilon, params.gleak * params.vleak
    w = np.maximum(w, np.maximum(leak[0], np.abs(leak[1]) / E) / (_SUM * 2.0**-14))
    G, Q = w / ONE, w * E * 2.0 ** (SHIFT - 14)
    G, Q = G.astype(np.float32), Q.astype(np.float32)
    of_leak = tuple(np.rint(one / unit).astype(np.int64) for one, unit in zip(leak, (G, Q), strict=True))
    sensory, recurrent = (_quantise_synapses(kind, w, E, range_) for kind, range_ in zip(kinds, ranges, strict=True))
    factor, shift = _factor_and_shift(input_map)
    features, unit = params.sensory_w.shape[0], 2.0**sensory.fine
    of_input = moved_by(*(np.broadcast_to(unit * np.asarray(part), features) for part in (factor, np.negative(shift))))
    _check_sums(sensory, recurrent, of_leak)
    return Synaptic8(sensory, recurrent, of_input, params.cm.astype(np.float32), of_leak, G, Q)


def _factor_and_shift(input_map: Scaling | None) -> tuple[Any, Any]:
    """Return w and b of a map of inputs."""
    return (1.0, 0.0) if input_map is None else (input_map.w, 0.0 if input_map.b is None else input_map.b)


def _per_neuron(*parts: Array) -> Array:
    """Return the scale of each neuron's parameters."""
    largest = np.abs(np.concatenate(parts)).max(axis=0, initial=0)
    return np.where(largest > 0, largest, 1) / MOST


def _quantise_synapses(synapses: Synapses, w: Array, E: Array, ranges: Any) -> Synapses8:
    """Return one kind of synapses; the largest state or threshold has 16 bits."""
    there = synapses.w != 0
    sigma, mu = (np.where(there, part, 0) for part in (synapses.sigma, synapses.mu))
    largest = max(float(np.abs(ranges).max(initial=0)), float(np.abs(mu).max(initial=0)), 2.0**-10)
    fine = min(12, math.floor(math.log2(SHORT / largest)))
    step = np.maximum(np.ceil(np.abs(mu).max(axis=0, initial=0) * 2.0**fine / MOST), 1).astype(np.int64)
    of_sigma = _per_neuron(sigma)
    scale = (of_sigma * UNIT * 2.0**-fine).astype(np.float32)
    fits(scale * (MOST * 2 * (SHORT + step)))
    effective = scale.astype(np.float64) / UNIT * 2.0**fine
    return Synapses8(
        np.rint(synapses.w / w).astype(np.int64),
        np.clip(np.rint(sigma / effective), -MOST, MOST).astype(np.int64),
        np.rint(mu * 2.0**fine / step).astype(np.int64),
        np.where(there, np.clip(np.rint(synapses.erev / E), -MOST, MOST), 0).astype(np.int64),
        step, scale, fine,
    )  # fmt: skip


def _check_sums(sensory: Synapses8, recurrent: Synapses8, leak: Any) -> None:
    """Refuse sums that 32 bits may not hold."""
    of_G = sum((kind.w * ONE).sum(axis=0) for kind in (sensory, recurrent)) + leak[0]
    of_Q = sum((kind.w * (ONE >> SHIFT) * np.abs(kind.E)).sum(axis=0) for kind in (sensory, recurrent))
    if max(of_G.max(), (of_Q + np.abs(leak[1])).max()) >= 1 << 31:
        do = "export it in float32, or use fewer synapses per neuron"
        checks.refuse("model", "a neuron whose sums exceed 32 bits", "at most some 500 synapses per neuron", do)


def _quantise_neural(params: NeuralLTCParams, input_map: Scaling | None, inputs: Grid, states: Grid) -> Neural8:
    """Return a release whose weights are int8, those of inputs and of states apart."""
    features = len(inputs.step)
    of_inputs, of_states = (
        Dense(part, b) for part, b in zip(np.split(params.f.W, [features], axis=1), (params.f.b, None), strict=True)
    )
    factor, shift = _factor_and_shift(input_map)
    return Neural8(
        quantise_rows(of_inputs, inputs, UNIT), quantise_rows(of_states, states, UNIT),
        rounder(inputs, factor, shift), rounder(states), inputs, states,
        params.w_tau.astype(np.float32), params.A.astype(np.float32),
    )  # fmt: skip
