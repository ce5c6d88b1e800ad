r"""The int8 time step of a CfC network: the specification of what generated C computes, and how weights become int8.

The state is int8 in its box, inputs in their range, and the backbone's features in the range that follows from both.
Heads and gates are arguments of 32 bits, the equation is computed in integers, and its result is rounded to the state's
grid.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from cfc_ref import checks
from cfc_ref.activations import ACTIVATIONS
from cfc_ref.arrays import Array
from cfc_ref.cells.cfc.cell import CfCSettings
from cfc_ref.cells.cfc.modes import MODES, VARIANTS, CfCParams, Variant
from cfc_ref.cells.cfc.network import CfCNetwork
from cfc_ref.cells.dense import Dense, affine_interval
from cfc_ref.cells.int8.lstm_step import Memory8, memory_step_8, quantise_memory
from cfc_ref.cells.int8.numbers import (
    ACTIVATIONS_8,
    FINE,
    ONE,
    UNIT,
    Grid,
    Rounder,
    Rows8,
    as_int,
    decay,
    effective_rows,
    fits,
    grid_of,
    joined,
    over_time,
    quantise_rows,
    rounded,
    rounder,
    sigmoid_8,
    to_int8,
)

__all__ = [
    "MODES_8",
    "Cell8",
    "CfC8",
    "Features8",
    "Mode8",
    "Output8",
    "cfc_step_8",
    "quantise_cfc",
    "state_ranges",
]

Interval = tuple[Array, Array]


class Features8(NamedTuple):
    """One layer of a backbone: u = a(W v + b), rounded to its grid."""

    map: Rows8
    round: Rounder
    grid: Grid


class Cell8(NamedTuple):
    """One CfC cell."""

    inputs: Grid
    backbone: tuple[Features8, ...]
    heads: dict[str, Rows8]
    w_tau: Array  # in units of the arguments, shape (units,)
    grid: Grid  # of the state
    round: Rounder


class Output8(NamedTuple):
    """The map of the output, y = scale · (W q + b)."""

    map: Rows8

    def of(self, q: Array) -> Array:
        """Return outputs in float32."""
        q = q[:, : self.map.W.shape[1]]
        return self.map.scale * (q @ self.map.W.T + self.map.b).astype(np.float32)


class CfC8(NamedTuple):
    """A CfC network in int8."""

    inputs: Grid
    round: Rounder
    cells: tuple[Cell8, ...]
    memory: Memory8 | None
    output: Output8 | None  # None: the last cell's first neurons
    outputs: int
    settings: CfCSettings

    @property
    def grid(self) -> Grid:
        """The grid of the state."""
        return joined(*(cell.grid for cell in self.cells))

    def start(self, batch: int) -> tuple[Array, Array | None]:
        """Return the state before the first sample."""
        q = np.tile(self.grid.nearest(0.0), (batch, 1))
        return q, None if self.memory is None else np.zeros_like(q)

    def step(self, x: Array, state: Any, dt: Array) -> tuple[Any, Array]:
        """Return the state after a time step, and the output in float32."""
        q, c = cfc_step_8(self, x, state, dt)
        last = q[:, len(self.grid.step) - len(self.cells[-1].grid.step) :]
        if self.output is not None:
            return (q, c), self.output.of(last)
        grid = self.cells[-1].grid
        step, centre = (part[: self.outputs].astype(np.float32) for part in (grid.step, grid.centre))
        return (q, c), step * last[:, : self.outputs].astype(np.float32) + centre

    def real(self, state: Any) -> Array:
        """Return the state's real numbers."""
        return self.grid.real(state[0])


# --- a time step


def cfc_step_8(params: CfC8, x: Array, state: tuple[Array, Array | None], dt: Array) -> tuple[Array, Array | None]:
    """Return the state after a time step: shapes x (batch, inputs) in float32, dt (batch, 1), state (batch, units)."""
    q, c = state
    I = rounded(params.round, x)
    if params.memory is not None:
        out, c = memory_step_8(params.memory, np.concatenate([I, q], axis=1), c)
        out = rounded(params.memory.round, out)
        if VARIANTS[params.settings.variant].memory == "state":
            q = out
        else:
            I = out
    new = []
    for cell, q_l in zip(params.cells, _split(q, params.cells), strict=True):
        I = _cell(cell, I, q_l, dt.astype(np.float32), params.settings)
        new.append(I)
    return np.concatenate(new, axis=1), c


def _split(q: Array, cells: tuple[Cell8, ...]) -> list[Array]:
    return np.split(q, np.cumsum([len(cell.grid.step) for cell in cells])[:-1], axis=1)


def _cell(cell: Cell8, I: Array, q: Array, t: Array, settings: CfCSettings) -> Array:
    """Return the next state of one cell."""
    v, z = np.concatenate([I, q], axis=1), {}
    for minus in (False, True)[: 1 + MODES[settings.mode].both_signs]:
        u, first = v, minus
        for layer in cell.backbone:
            a = ACTIVATIONS_8[settings.activation].function(layer.map.argument(u, minus=first))
            u, first = rounded(layer.round, a), False
        for name, head in cell.heads.items():
            z[name + "_minus" * minus] = head.argument(u, minus=first)
    return MODES_8[settings.mode].next_state(cell, z, t, q, VARIANTS[settings.variant])


# --- the equations: each returns the next state in int8


class Mode8(NamedTuple):
    """The equation of a mode in int8, and how its result X is brought to the state's grid: x = shift + unit · X."""

    next_state: Callable[[Cell8, dict[str, Array], Array, Array, Variant], Array]
    result: Callable[[CfCParams, Variant], tuple[Any, Any]]  # unit and shift


def _gate(z: dict[str, Array], t: Array, variant: Variant) -> tuple[Array, Array, Array]:
    """Return s and the heads that it mixes, x = s g + (1 - s) h as Eq. 4 has it."""
    heads, g, h = ACTIVATIONS_8[variant.heads].function, *(("ff1", "ff2") if variant.gate_sign > 0 else ("ff2", "ff1"))
    s = sigmoid_8(over_time(-z["time_a"], t) - variant.gate_sign * z["time_b"])
    return s, heads(z[g]), heads(z[h])


def _eq4(cell: Cell8, z: dict[str, Array], t: Array, q: Array, variant: Variant) -> Array:
    s, g, h = _gate(z, t, variant)
    # in integers: s g + (1 - s) h
    return rounded(cell.round, s * g + (ONE - s) * h)


def _no_gate(cell: Cell8, z: dict[str, Array], t: Array, q: Array, variant: Variant) -> Array:
    s, g, h = _gate(z, t, variant)
    if variant.gate_sign > 0:  # x = ff1 + (1 - s) ff2, as s is 1 minus the gate of ff2
        return rounded(cell.round, ONE * g + (ONE - s) * h)
    return rounded(cell.round, ONE * h + s * g)


def _eq3_in_code(cell: Cell8, z: dict[str, Array], t: Array, q: Array, variant: Variant) -> Array:
    f = z["ff1"]
    return rounded(cell.round, decay(over_time(cell.w_tau + np.abs(f), t)) * f)


def _printed(cell: Cell8, z: dict[str, Array], t: Array) -> Array:
    """Return e^(-(w_tau + f) t) f(-x, -I); f, a value, is brought to the units of arguments."""
    rate = 4 * cell.w_tau + sigmoid_8(z["ff1"])
    return decay(over_time(rate, np.float32(0.25) * t)) * sigmoid_8(z["ff1_minus"])


def _eq3(cell: Cell8, z: dict[str, Array], t: Array, q: Array, variant: Variant) -> Array:
    return rounded(cell.round, _printed(cell, z, t))


def _theorem1(cell: Cell8, z: dict[str, Array], t: Array, q: Array, variant: Variant) -> Array:
    share = np.float32(1 / ONE**2) * _printed(cell, z, t).astype(np.float32)
    from_A = (FINE * q + cell.round.offset).astype(np.float32)
    return to_int8(as_int(share * from_A) - cell.round.offset)


def _of_heads(params: CfCParams, variant: Variant) -> tuple[float, float]:
    return ACTIVATIONS_8[variant.heads].unit / ONE, 0.0


MODES_8 = {
    "default": Mode8(_eq4, _of_heads),
    "no_gate": Mode8(_no_gate, _of_heads),
    "pure": Mode8(_eq3_in_code, lambda params, variant: (-params.A[0] / (UNIT * ONE), params.A[0])),
    "paper_pure": Mode8(_eq3, lambda params, variant: (params.B[0] / ONE**2, params.A[0])),
    "from_x0": Mode8(_theorem1, lambda params, variant: (np.ones_like(params.A[0]), params.A[0])),
}


# --- from weights to int8


def quantise_cfc(
    params: CfCNetwork, readout: Dense | None, outputs: int, settings: CfCSettings, ranges: list[Interval]
) -> CfC8:
    """Return a network in int8; `ranges` are those of the inputs and of each cell's states, proved."""
    if settings.mode not in MODES_8:
        do = "add its record to cfc_ref.cells.int8.cfc_step.MODES_8"
        checks.refuse("model", f"mode {settings.mode!r}, which has no int8", f"one of {tuple(MODES_8)}", do)
    inputs, *states = (grid_of(*ends) for ends in ranges)
    below, cells, memory = inputs, [], None
    if params.lstm is not None:
        memory = quantise_memory(params.lstm, inputs, joined(*states), settings.forget_bias)
        if VARIANTS[settings.variant].memory == "input":
            ones = np.ones(len(params.lstm.recurrent_map.W) // 4)
            below = grid_of(-ones, ones)
            memory = memory._replace(round=rounder(below, 1 / ONE**2), grid=below)
    for cell, grid in zip(params.layers, states, strict=True):
        cells.append(_quantise_cell(cell, below, grid, settings))
        below = grid
    output = None
    if readout is not None:
        output = Output8(quantise_rows(readout, Grid(*(part[: readout.W.shape[1]] for part in below)), 1.0))
    return CfC8(inputs, rounder(inputs), tuple(cells), memory, output, outputs, settings)


def _quantise_cell(params: CfCParams, inputs: Grid, grid: Grid, settings: CfCSettings) -> Cell8:
    activation, mode, variant = ACTIVATIONS_8[settings.activation], MODES[settings.mode], VARIANTS[settings.variant]
    u = joined(inputs, grid)
    backbone: list[Features8] = []
    for layer in params.backbone:
        unit = UNIT * activation.gain
        rows = quantise_rows(layer, u, unit)
        low, high = _feature_range(rows, u, settings.activation, both=mode.both_signs and not backbone)
        of_layer = grid_of(low, high)
        backbone.append(Features8(rows, rounder(of_layer, activation.unit), of_layer))
        u = of_layer
    gain = ACTIVATIONS_8[variant.heads].gain if "ff2" in mode.heads else 1.0
    heads = {
        name: quantise_rows(getattr(params, name), u, UNIT * (1.0 if name.startswith("time") else gain))
        for name in mode.heads
    }
    unit, shift = MODES_8[settings.mode].result(params, variant)
    leak = np.zeros(len(params.ff1.W)) if params.w_tau is None else np.abs(params.w_tau[0])
    fits(4 * UNIT * leak)
    w_tau = np.rint(UNIT * leak).astype(np.int64)
    return Cell8(inputs, tuple(backbone), heads, w_tau, grid, rounder(grid, unit, shift))


def _feature_range(rows: Rows8, u: Grid, activation: str, *, both: bool) -> Interval:
    """Return the range of each of a layer's values; that of a bounded function is its own."""
    function = ACTIVATIONS[activation]
    if math.isfinite(function.bound):
        bound = np.full(len(rows.W), function.bound)
        return -bound, bound
    unit = UNIT * ACTIVATIONS_8[activation].gain
    low, high = affine_interval(effective_rows(rows, u, unit), u.ends)
    if both:
        other = affine_interval(effective_rows(rows, u, unit, minus=True), (-u.ends[1], -u.ends[0]))
        low, high = np.minimum(low, other[0]), np.maximum(high, other[1])
    return function.interval(low - 1 / unit, high + 1 / unit)


def state_ranges(params: CfCNetwork, x: Interval, settings: CfCSettings, shortest: float) -> list[Interval]:
    r"""Return the ranges of the inputs and of each cell's states, 0 included, for times that are not shorter.

    They are the boxes of the mode, and what the ranges of features leave of them: the heads' arguments are at most
    :math:`|W| \bar u + |b|` where those of the features are at most :math:`\bar u`.
    """
    ranges, below, variant = [x], x, VARIANTS[settings.variant]
    if params.lstm is not None and variant.memory == "input":
        below = (-np.ones(len(params.lstm.recurrent_map.W) // 4), np.ones(len(params.lstm.recurrent_map.W) // 4))
    for cell in params.layers:
        low, high = MODES[settings.mode].box(cell, shortest, variant)
        low, high = _within(cell, below, (low, high), settings)
        if params.lstm is not None and variant.memory == "state":  # cells begin at the LSTM's output
            low, high = np.minimum(low, -1), np.maximum(high, 1)
        if not (np.isfinite(low).all() and np.isfinite(high).all()):
            expected = "bounded heads or features, or in mode 'pure' a dt_range above 0"
            checks.refuse("model", "a network whose states have no proved range", expected, "export it in float32")
        below = np.minimum(low, 0).astype(np.float64), np.maximum(high, 0).astype(np.float64)
        ranges.append(below)
    return ranges


def _within(params: CfCParams, x: Interval, box: Interval, settings: CfCSettings) -> Interval:
    """Return what the ranges of the features leave of a box of states."""
    variant, activation = VARIANTS[settings.variant], ACTIVATIONS[settings.activation]
    u = np.maximum(*(np.abs(np.concatenate([a, np.minimum(b, 0) if k == 0 else np.maximum(b, 0)]))
                     for k, (a, b) in enumerate(zip(x, box, strict=True))))  # fmt: skip
    with np.errstate(invalid="ignore"):
        for layer in params.backbone:
            u = _most(layer, u)
            ends = activation.interval(-u, u)
            u = np.minimum(np.maximum(*np.abs(ends)), activation.bound)
        reach = [_most(head, u) for head in (params.ff1, params.ff2) if head is not None]
    reach = [np.where(np.isnan(r), np.inf, r) for r in reach]
    if settings.mode == "pure":
        centre, radius = params.A[0], np.abs(params.A[0]) * reach[0]
    elif settings.mode in ("default", "no_gate"):
        first, second = (ACTIVATIONS[variant.heads].value(r) for r in reach)
        centre, radius = 0, np.maximum(first, second) if settings.mode == "default" else first + second
    else:
        return box
    radius = np.where(np.isnan(radius), np.inf, radius)
    return np.maximum(box[0], centre - radius), np.minimum(box[1], centre + radius)


def _most(params: Dense, u: Array) -> Array:
    """Return the largest absolute argument for features of at most `u`."""
    with np.errstate(invalid="ignore"):
        most = np.where(params.W == 0, 0, np.abs(params.W) * u).sum(axis=1)
    return most if params.b is None else most + np.abs(params.b)
