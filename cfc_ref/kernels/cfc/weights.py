r"""A CfC network as its kernels take it: all weights in one flat array, and a table that says where.

The heads of a cell are one linear map, side by side.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cfc_ref.arrays import Array
from cfc_ref.cells.cfc.modes import MODES, VARIANTS, CfCParams
from cfc_ref.cells.cfc.network import CfCNetwork
from cfc_ref.cells.dense import Dense
from cfc_ref.cells.lstm import LSTMParams
from cfc_ref.kernels.cfc.modes import KERNELS
from cfc_ref.kernels.memory import whole_lines
from cfc_ref.kernels.packed import (
    ACTIVATION_IDS,
    FC,
    HEAD,
    INPUTS,
    OUTPUTS,
    READ,
    READS,
    ROOM,
    STATE,
    UNITS,
    Weights,
    linear_at,
)

if TYPE_CHECKING:
    import numpy.typing as npt

    from cfc_ref.cells.cfc.cell import CfCSettings

__all__: list[str] = []

NO_MEMORY, MEMORY_TO_STATE, MEMORY_TO_INPUT = range(3)
MEMORY_IDS = {"state": MEMORY_TO_STATE, "input": MEMORY_TO_INPUT}

# Places in the table after those of all networks: the network's settings, of which PASSES is how often a cell runs its
# backbone; columns of what is kept (backbone, heads, mixed memory), of the gradients of the heads' arguments, of the
# widest array in between; whether the backward asks for the gradient of timespans.
MODE, PASSES, ACTIVATION, HEADS, SIGN, MEMORY, LAYERS, LSTM = range(HEAD, HEAD + 8)
KEPT_BACKBONE, KEPT_HEADS, KEPT_MEMORY, GRADIENT_HEADS, WIDEST, TIMED = range(HEAD + 8, HEAD + 14)
CELLS = HEAD + 14
# Places in a cell's record after them: sizes, where its weights are, and its first column in each array.
# The backbone's first map is at BACKBONE, the second one at DEEPER, each other one DEEPER_SIZE after the one before.
N_IN, N, DEPTH, WIDTH, BACKBONE, DEEPER, DEEPER_SIZE, HEAD_MAP, N_HEADS, VECTORS = range(10)
UNITS_AT, BACKBONE_AT, HEADS_AT, GRADIENT_AT = range(10, 14)
RECORD = 14


class Cell(NamedTuple):
    """A cell's record by name."""

    n_in: int
    n: int
    depth: int
    width: int
    backbone: int
    deeper: int
    deeper_size: int
    head_map: int
    n_heads: int
    vectors: int
    units_at: int
    backbone_at: int
    heads_at: int
    gradient_at: int


def cells(table: npt.NDArray[np.int64]) -> list[Cell]:
    """Return the records of a table."""
    return [Cell(*record) for record in table[CELLS:].reshape(-1, RECORD).tolist()]


def pack(
    params: CfCNetwork, settings: CfCSettings, *, timed: bool = False, backward: bool = False, span: float | None = None
) -> tuple[Array, npt.NDArray[np.int64]]:
    """Return a network's weights in one array, and their table; `span` is the only timespan: :func:`gated`."""
    weights, variant, mode = Weights(backward), VARIANTS[settings.variant], MODES[settings.mode]
    ends = _Ends()
    records = []
    for layer in params.layers if span is None else [gated(layer, settings, span) for layer in params.layers]:
        record, ends = _record(layer, settings, timed, weights, ends)
        records.append(record)
    head = [0] * CELLS
    head[MODE], head[PASSES] = list(KERNELS).index(settings.mode), 1 + mode.both_signs
    head[ACTIVATION], head[TIMED] = ACTIVATION_IDS[settings.activation], int(timed)
    head[HEADS], head[SIGN] = ACTIVATION_IDS[variant.heads], variant.gate_sign
    head[INPUTS], head[LAYERS], head[UNITS] = records[0].n_in, len(records), ends.units
    head[KEPT_BACKBONE], head[KEPT_HEADS], head[GRADIENT_HEADS] = ends.backbone, ends.heads, ends.gradient
    head[WIDEST] = ends.widest
    if params.lstm is not None:
        head[MEMORY], head[KEPT_MEMORY] = MEMORY_IDS[variant.memory], 6 * ends.units
        head[INPUTS] = params.lstm.input_map.W.shape[1]
        head[LSTM] = weights.lstm(params.lstm, settings.forget_bias)
    table = np.array([*head, *(entry for record in records for entry in record)], np.int64)
    return weights.array(params.layers[0].ff1.W.dtype), table


def gated(layer: CfCParams, settings: CfCSettings, span: float) -> CfCParams:
    r"""Return a cell's gate for one timespan, a single linear map: three heads instead of four.

    .. math:: \pm (W_a u + b_a)\,t + W_b u + b_b = (\pm t\,W_a + W_b)\,u \pm t\,b_a + b_b
    """
    factor = VARIANTS[settings.variant].gate_sign * span
    rate, start = layer.time_a, layer.time_b
    return layer._replace(time_a=None, time_b=Dense(factor * rate.W + start.W, factor * rate.b + start.b))


def pack_stream(
    params: CfCNetwork, fc: Dense | None, read: slice, settings: CfCSettings
) -> tuple[Array, npt.NDArray[np.int64]]:
    """Return a network's weights and its output's in one array, and their table.

    The table's second half is the one for steps with a timespan of 1, at which a gate is one map.
    """
    weights, table = pack(params, settings)
    more = Weights()
    more.place(weights)
    table[READ], table[READS] = read.start, read.stop - read.start
    table[OUTPUTS] = table[READS]
    if fc is not None:
        table[OUTPUTS], table[FC] = fc.W.shape[0], more.linear(*fc)
    table[STATE] = whole_lines(2 * table[UNITS])
    widths = table[[UNITS, UNITS, KEPT_BACKBONE, KEPT_HEADS, KEPT_MEMORY, WIDEST, WIDEST]]
    table[ROOM] = sum(whole_lines(width) for width in widths)
    at_one = table.copy()
    if KERNELS[settings.mode].one_span:
        for layer, record in zip(params.layers, at_one[CELLS:].reshape(-1, RECORD), strict=True):
            heads = _heads(gated(layer, settings, 1), settings)
            record[HEAD_MAP], record[N_HEADS] = more.linear(*_side_by_side(heads)), len(heads)
    return more.array(weights.dtype), np.concatenate([table, at_one])


class _Ends(NamedTuple):
    """Columns that the cells so far have in each array, and the widest array in between."""

    units: int = 0
    backbone: int = 0
    heads: int = 0
    gradient: int = 0
    widest: int = 0


def _record(layer: CfCParams, settings: CfCSettings, timed: bool, weights: Weights, ends: _Ends) -> tuple[Cell, _Ends]:
    """Place a cell's weights, and return its record and the first columns of the next one."""
    mode, kernel, heads = MODES[settings.mode], KERNELS[settings.mode], _heads(layer, settings)
    n, depth, passes = layer.ff1.W.shape[0], len(layer.backbone), 1 + mode.both_signs
    maps: list[Any] = [*layer.backbone, _side_by_side(heads)]
    width, n_in = (maps[0].W.shape[0] if depth else 0), maps[0].W.shape[1] - n
    at = [weights.linear(W, b, n_in if k == 0 else 0) for k, (W, b) in enumerate(maps)]
    vectors = weights.place(*(getattr(layer, name) for name in mode.vectors))
    outputs = len(heads) * passes * n
    deeper = (at[1], at[2] - at[1]) if depth > 1 else (0, 0)
    return Cell(n_in, n, depth, width, at[0], *deeper, at[-1], len(heads), vectors, *ends[:4]), _Ends(
        ends.units + n,
        ends.backbone + passes * depth * width,
        ends.heads + (kernel.kept_timed if timed else kernel.kept) * n,
        ends.gradient + outputs,
        max(ends.widest, outputs, width),
    )


def _heads(layer: CfCParams, settings: CfCSettings) -> list[Any]:
    """Return the linear heads of a cell, in the order in which they are side by side."""
    heads = (getattr(layer, name) for name in MODES[settings.mode].heads)
    return [head for head in heads if head is not None]


def _side_by_side(heads: list[Any]) -> Dense:
    return Dense(np.concatenate([head.W for head in heads]), np.concatenate([head.b for head in heads]))


def unpack(
    params: CfCNetwork, table: npt.NDArray[np.int64], D: Array, settings: CfCSettings, span: float | None
) -> CfCNetwork:
    """Return gradients by parameter from those of the weights as they are packed for the forward."""
    layers = tuple(_unpack_cell(cell, D, settings, span) for cell in cells(table))
    if params.lstm is None:
        return CfCNetwork(layers)
    units, inputs = int(table[UNITS]), int(table[INPUTS])
    W, b = linear_at(D, int(table[LSTM]), inputs + units, 4 * units)
    return CfCNetwork(layers, LSTMParams(Dense(W[:, :inputs], b), Dense(W[:, inputs:], None)))


def _unpack_cell(cell: Cell, D: Array, settings: CfCSettings, span: float | None) -> CfCParams:
    mode, sizes = MODES[settings.mode], [cell.n_in + cell.n, *[cell.width] * cell.depth]
    backbone, start = [], cell.backbone
    for inputs in sizes[:-1]:
        backbone.append(Dense(*linear_at(D, start, inputs, cell.width)))
        start = cell.deeper + len(backbone[1:]) * cell.deeper_size
    W, b = linear_at(D, cell.head_map, sizes[-1], cell.n_heads * cell.n)
    parts: Any = zip(W.reshape(cell.n_heads, cell.n, W.shape[1]), b.reshape(cell.n_heads, cell.n), strict=True)
    names = [name for name in mode.heads if span is None or name != "time_a"]
    found: dict[str, Any] = {name: Dense(*part) for name, part in zip(names, parts, strict=True)}
    if span is not None:  # backward of `gated`
        factor = VARIANTS[settings.variant].gate_sign * span
        found["time_a"] = Dense(*(factor * d for d in found["time_b"]))
    for k, name in enumerate(mode.vectors):
        found[name] = D[None, cell.vectors + k * cell.n : cell.vectors + (k + 1) * cell.n].copy()
    return CfCParams(tuple(backbone), **found)
