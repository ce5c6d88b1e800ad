r"""Networks in int8 as :mod:`.round_off` bounds them: exact weights with the errors that int8 puts into them.

A rounded weight, a cut argument, and the rounding of what a map reads are errors of that map's weights and bias; tables
are errors of functions. So the specification itself, run on intervals that carry errors, bounds an int8 step.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from cfc_ref.arrays import Array
from cfc_ref.bounds.ranged import Ranged, TableUnit
from cfc_ref.cells.cfc.cell import CfCSettings
from cfc_ref.cells.cfc.modes import MODES, VARIANTS, CfCParams
from cfc_ref.cells.cfc.network import CfCNetwork
from cfc_ref.cells.dense import Dense
from cfc_ref.cells.int8.cfc_step import Cell8, CfC8
from cfc_ref.cells.int8.numbers import ACTIVATIONS_8, FINE, MOST, ONE, UNIT, Grid, Rows8, effective_rows, joined
from cfc_ref.cells.int8.ode_step import ODE8, SHIFT, SHORT, Neural8, Synaptic8
from cfc_ref.cells.ltc.network import ODENetwork, Scaling
from cfc_ref.cells.ltc.neural import NeuralLTCParams
from cfc_ref.cells.ltc.synapses import LTCParams, Synapses, recurrent_synapses, sensory_synapses

__all__ = ["Arithmetic", "int8_cfc", "int8_ode"]

INT8 = TableUnit(2.0**-24)
_ROUNDED = 0.5 + 2 / FINE  # of a step: what is rounded to a grid errs by at most


class Arithmetic(NamedTuple):
    """A network's weights with their errors, for one step of the specification, and the errors at its ends."""

    network: Any
    readout: Any
    unit: float
    x_error: Any = 0.0  # of the inputs that the step reads
    state_error: Any = 0.0  # added to the states after the step
    widest: Any = math.inf  # the width of the range that holds exact and computed states


def on_grid(grid: Grid) -> Array:
    """Return by how much rounding to a grid errs, in int8 and in the float that leads to it."""
    return _ROUNDED * grid.step + 4 * INT8 * np.maximum(*np.abs(grid.ends))


class _Read(NamedTuple):
    """The grid of what a map reads, and the error of its numbers that the specification does not know of."""

    grid: Grid
    error: Array


def _errors(
    params: Dense, rows: Rows8, read: _Read, unit: Any, *, both: bool = False, cut: float = 1.0
) -> tuple[Array, Array]:
    """Return the errors of a map's weights and of its bias; `both` if it also maps the negatives of what it reads."""
    bias = np.zeros(len(params.W)) if params.b is None else params.b
    maps = [effective_rows(rows, read.grid, unit, minus=minus) for minus in (False, True)[: 1 + both]]
    of_W = np.abs(maps[0].W - params.W)
    largest = np.abs(rows.scale * (MOST * np.abs(rows.W).sum(axis=1) + np.maximum(*np.abs([rows.b, rows.b_minus]))))
    of_b = np.max([np.abs(np.asarray(one.b) - bias) for one in maps], axis=0)
    return of_W, of_b + (cut + 4 * INT8 * largest) / unit + (np.abs(params.W) + of_W) @ read.error


def _with_errors(params: Dense, rows: Rows8, read: _Read, unit: Any, *, both: bool = False, cut: float = 1.0) -> Dense:
    """Return a map's exact weights with their errors."""
    of_W, of_b = _errors(params, rows, read, unit, both=both, cut=cut)
    return Dense(_ranged(params.W, of_W), _ranged(np.zeros(len(of_b)) if params.b is None else params.b, of_b))


def _ranged(exact: Any, error: Any) -> Ranged:
    return Ranged.made(exact, exact, error, INT8)


def int8_cfc(network: CfCNetwork, readout: Dense | None, params: CfC8) -> Arithmetic:
    """Return a CfC in int8 for its bound."""
    read = _Read(params.inputs, np.zeros(len(params.inputs.step)))  # x_error holds it
    cells = []
    for exact, cell in zip(network.layers, params.cells, strict=True):
        cells.append(_cell(exact, cell, read, params.settings))
        read = _Read(cell.grid, on_grid(cell.grid))
    output = None
    if readout is not None and params.output is not None:
        grid = Grid(*(part[: readout.W.shape[1]] for part in read.grid))
        output = _with_errors(readout, params.output.map, _Read(grid, 0 * grid.step), 1.0, cut=0.0)
    errors = np.concatenate([on_grid(cell.grid) for cell in params.cells])
    low, high = params.grid.ends
    with_errors = network._replace(layers=tuple(cells))
    return Arithmetic(with_errors, output, INT8, on_grid(params.inputs), errors, high - low)


def _cell(exact: CfCParams, cell: Cell8, below: _Read, settings: CfCSettings) -> CfCParams:
    """Return one cell with its errors."""
    both, activation = MODES[settings.mode].both_signs, ACTIVATIONS_8[settings.activation]
    read = _Read(joined(below.grid, cell.grid), np.concatenate([below.error, 0 * cell.grid.step]))
    backbone: list[Dense] = []
    for layer, features in zip(exact.backbone, cell.backbone, strict=True):
        first = both and not backbone
        backbone.append(_with_errors(layer, features.map, read, UNIT * activation.gain, both=first))
        read = _Read(features.grid, on_grid(features.grid) + 1 / UNIT * (activation.unit == 1 / UNIT))
    gain = ACTIVATIONS_8[VARIANTS[settings.variant].heads].gain if exact.ff2 is not None else 1.0
    heads: dict[str, Any] = {
        name: _with_errors(
            getattr(exact, name), rows, read, UNIT * (1.0 if name.startswith("time") else gain),
            both=both and not backbone,
        )
        for name, rows in cell.heads.items()
    }  # fmt: skip
    leak: dict[str, Any] = {} if exact.w_tau is None else {"w_tau": _ranged(exact.w_tau, 0.5 / UNIT)}
    return exact._replace(backbone=tuple(backbone), **heads, **leak)


def int8_ode(network: ODENetwork, readout: Any, params: ODE8, epsilon: float) -> Arithmetic:
    """Return an LTC or NeuralLTC in int8 for its bound."""
    cell: Any = params.cell
    if isinstance(cell, Synaptic8):
        with_errors: Any = _synaptic(network.cell, cell, epsilon)
    else:
        with_errors = _neural(network.cell, cell, network.input_map)
    width = float(params.ends[1]) - float(params.ends[0])
    return Arithmetic(network._replace(cell=with_errors), readout, INT8, widest=width)


def _synaptic(exact: LTCParams, cell: Synaptic8, epsilon: float) -> LTCParams:
    """Return synapses with the errors of their parameters; what is cut is an error of thresholds and of the leak."""
    w_unit, arrays, of_current = cell.G.astype(np.float64) * ONE, {}, np.zeros(len(cell.C))
    Q_unit = cell.Q.astype(np.float64)
    largest = SHORT + np.abs(cell.input_map.offset).max(initial=0)  # of an input times its factor
    for prefix, of, q, cut in (
        ("sensory_", sensory_synapses(exact), cell.sensory, 1.5 + 4 * INT8 * largest),
        ("", recurrent_synapses(exact), cell.recurrent, 1.0),
    ):
        there, pre = of.w != 0, 2.0**-q.fine
        found = Synapses(
            q.w * w_unit,
            q.sigma * (q.scale.astype(np.float64) / (UNIT * pre)),
            q.mu * q.step * pre,
            q.E * (Q_unit / 2**SHIFT / cell.G),
        )
        for name, value, near in zip(Synapses._fields, of, found, strict=True):
            error = np.where(there, np.abs(near - value) + (cut * pre if name == "mu" else 0), 0)
            arrays[prefix + name] = _ranged(value, error)
        of_current += (np.abs(q.E) * there).sum(axis=0) * Q_unit
    G, Q = exact.gleak + epsilon, exact.gleak * exact.vleak
    of_G = np.abs(cell.leak[0] * cell.G.astype(np.float64) - G)
    of_Q = np.abs(cell.leak[1] * Q_unit - Q) + of_current
    arrays |= {"gleak": _ranged(exact.gleak, of_G), "vleak": _ranged(exact.vleak, of_Q / exact.gleak)}
    return exact._replace(**arrays)


def _neural(exact: NeuralLTCParams, cell: Neural8, input_map: Scaling | None) -> NeuralLTCParams:
    """Return a release with the errors of its weights."""
    shift = 0.0 if input_map is None or input_map.b is None else input_map.b
    features = len(cell.input_grid.step)
    reads = (
        (cell.inputs, cell.input_grid, on_grid(cell.input_grid) + 4 * INT8 * np.abs(shift), exact.f.b),
        (cell.states, cell.state_grid, on_grid(cell.state_grid), None),
    )
    halves = np.split(exact.f.W, [features], axis=1)
    errors = [
        _errors(Dense(W, b), rows, _Read(grid, error), float(UNIT))
        for W, (rows, grid, error, b) in zip(halves, reads, strict=True)
    ]
    of_W, of_b = np.concatenate([one[0] for one in errors], axis=1), errors[0][1] + errors[1][1]
    return exact._replace(f=Dense(_ranged(exact.f.W, of_W), _ranged(exact.f.b, of_b)))
