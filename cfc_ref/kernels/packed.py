r"""A CfC network as a kernel takes it: all weights in one flat array, and a table of whole numbers that says where.

A kernel that is called with a row of arrays, or a NamedTuple of them, spends longer on being called than a step takes.
Each linear map lies with its inputs first, (inputs, outputs), so that the inner loop of a product runs along the
outputs, and its bias lies behind it; the heads of a cell are one map, side by side. For the backward the same maps lie
at the same places as (outputs, inputs), those that read two things, [I, x], in two blocks, one for each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cfc_ref.cells.cfc.cell import CfCSettings
from cfc_ref.cells.cfc.modes import VARIANTS, CfCParams
from cfc_ref.cells.cfc.network import CfCNetwork
from cfc_ref.cells.dense import Dense
from cfc_ref.cells.lstm import LSTMParams
from cfc_ref.kernels.memory import aligned, whole_lines

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]

__all__: list[str] = []

# What the numbers in the table mean
SILU, RELU, TANH, GELU, LECUN_TANH, LINEAR = range(6)
ACTIVATION_IDS = {"silu": SILU, "relu": RELU, "tanh": TANH, "gelu": GELU, "lecun_tanh": LECUN_TANH, "linear": LINEAR}
DEFAULT, NO_GATE, PURE, PAPER_PURE, FROM_X0 = range(5)
MODE_IDS = {"default": DEFAULT, "no_gate": NO_GATE, "pure": PURE, "paper_pure": PAPER_PURE, "from_x0": FROM_X0}
GATED = ("default", "no_gate")  # modes with a gate that is one map where there is one timespan
NO_MEMORY, MEMORY_TO_STATE, MEMORY_TO_INPUT = range(3)
MEMORY_IDS = {"state": MEMORY_TO_STATE, "input": MEMORY_TO_INPUT}

# Places in the table's head: what the network is, and columns of what is kept (backbone, heads, mixed memory), of the
# gradients of the heads' arguments, of the widest array in between; whether the backward asks for that of timespans.
MODE, ACTIVATION, HEADS, SIGN, MEMORY, INPUTS, UNITS, LAYERS, LSTM = range(9)
KEPT_BACKBONE, KEPT_HEADS, KEPT_MEMORY, GRADIENT_HEADS, WIDEST, TIMED = range(9, 15)
# For a stream: the neurons that are read, their number, that of the outputs and their map; and of its working memory
# the lengths of a state, h and c one behind the other, and of the room to work in.
READ, READS, OUTPUTS, FC, STATE, ROOM = range(15, 21)
HEAD = 21
# Places in a cell's record behind it: sizes, where its weights are, and its first column in each array.
N_IN, N, DEPTH, WIDTH, BACKBONE, HEAD_MAP, N_HEADS, VECTORS = range(8)
UNITS_AT, BACKBONE_AT, HEADS_AT, GRADIENT_AT = range(8, 12)
RECORD = 12


class Cell(NamedTuple):
    """A cell's record by name."""

    n_in: int
    n: int
    depth: int
    width: int
    backbone: int
    head_map: int
    n_heads: int
    vectors: int
    units_at: int
    backbone_at: int
    heads_at: int
    gradient_at: int


def cells(table: npt.NDArray[np.int64]) -> list[Cell]:
    """Return the records of a table."""
    return [Cell(*record) for record in table[HEAD:].reshape(-1, RECORD).tolist()]


class Weights:
    """A flat array in the making: arrays, each at a whole cache line."""

    def __init__(self, backward: bool = False) -> None:
        self._chunks: list[tuple[int, Array]] = []
        self._end = 0
        self._backward = backward

    def place(self, *arrays: Array) -> int:
        """Put arrays one behind the other, and return where."""
        start = self._end = whole_lines(self._end)
        for array in arrays:
            self._chunks.append((self._end, array.reshape(-1)))
            self._end += array.size
        return start

    def linear(self, W: Any, b: Any, first: int = 0) -> int:
        """Put a linear map; `first`: how many of its inputs are a block of their own."""
        return self.place(W[:, :first], W[:, first:], b) if self._backward else self.place(W.T, b)

    def array(self, dtype: np.dtype[Any]) -> Array:
        """Return them all."""
        weights = aligned((self._end,), dtype)
        weights[...] = 0  # equal weights are equal arrays, gaps included
        for start, chunk in self._chunks:
            weights[start : start + chunk.size] = chunk
        return weights


def pack(
    params: CfCNetwork, form: CfCSettings, *, timed: bool = False, backward: bool = False, span: float | None = None
) -> tuple[Array, npt.NDArray[np.int64]]:
    """Return a network's weights in one array, and their table; `span` is the one timespan there is: :func:`gated`."""
    weights, variant = Weights(backward), VARIANTS[form.variant]
    ends = _Ends()
    records = []
    for layer in params.layers if span is None else [gated(layer, form, span) for layer in params.layers]:
        record, ends = _record(layer, form, timed, weights, ends)
        records.append(record)
    head = [0] * HEAD
    head[MODE], head[ACTIVATION], head[TIMED] = MODE_IDS[form.mode], ACTIVATION_IDS[form.activation], int(timed)
    head[HEADS], head[SIGN] = ACTIVATION_IDS[variant.heads], variant.gate_sign
    head[INPUTS], head[LAYERS], head[UNITS] = records[0].n_in, len(records), ends.units
    head[KEPT_BACKBONE], head[KEPT_HEADS], head[GRADIENT_HEADS] = ends.backbone, ends.heads, ends.gradient
    head[WIDEST] = ends.widest
    if params.lstm is not None:
        W, b = params.lstm.input_map
        head[MEMORY], head[INPUTS], head[KEPT_MEMORY] = MEMORY_IDS[variant.memory], W.shape[1], 6 * ends.units
        bias = b + np.repeat(np.array([0, 0, form.forget_bias, 0], W.dtype), ends.units)
        head[LSTM] = weights.linear(np.concatenate([W, params.lstm.recurrent_map.W], axis=1), bias, W.shape[1])
    table = np.array([*head, *(entry for record in records for entry in record)], np.int64)
    return weights.array(params.layers[0].ff1.W.dtype), table


def gated(layer: CfCParams, form: CfCSettings, span: float) -> CfCParams:
    r"""Return a cell's gate for one timespan, a single linear map: three heads for four.

    .. math:: \pm (W_a u + b_a)\,t + W_b u + b_b = (\pm t\,W_a + W_b)\,u \pm t\,b_a + b_b
    """
    factor = VARIANTS[form.variant].gate_sign * span
    rate, start = layer.time_a, layer.time_b
    return layer._replace(time_a=None, time_b=Dense(factor * rate.W + start.W, factor * rate.b + start.b))


def pack_stream(
    params: CfCNetwork, fc: Dense | None, read: slice, form: CfCSettings
) -> tuple[Array, npt.NDArray[np.int64]]:
    """Return a network's weights and its output's in one array, and their table.

    The table's second half is the one for steps with a timespan of 1, at which a gate is one map.
    """
    weights, table = pack(params, form)
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
    if form.mode in GATED:
        for layer, record in zip(params.layers, at_one[HEAD:].reshape(-1, RECORD), strict=True):
            heads = heads_of(gated(layer, form, 1))
            record[HEAD_MAP], record[N_HEADS] = more.linear(*_side_by_side(heads)), len(heads)
    return more.array(weights.dtype), np.concatenate([table, at_one])


class _Ends(NamedTuple):
    """How many columns the cells so far have in each array, and the widest array in between."""

    units: int = 0
    backbone: int = 0
    heads: int = 0
    gradient: int = 0
    widest: int = 0


def _record(layer: CfCParams, form: CfCSettings, timed: bool, weights: Weights, ends: _Ends) -> tuple[Cell, _Ends]:
    """Put a cell's weights, and return its record and what the next one begins behind."""
    passes = 2 if form.mode in ("paper_pure", "from_x0") else 1
    n, depth, heads = layer.ff1.W.shape[0], len(layer.backbone), heads_of(layer)
    maps: list[Any] = [*layer.backbone, _side_by_side(heads)]
    width, n_in = (maps[0].W.shape[0] if depth else 0), maps[0].W.shape[1] - n
    at = [weights.linear(W, b, n_in if k == 0 else 0) for k, (W, b) in enumerate(maps)]
    own = n_in, n, depth, width, at[0], at[-1], len(heads), weights.place(*_vectors(layer))
    kept = {"pure": 2, "paper_pure": 3, "from_x0": 3}.get(form.mode, 4 if timed else 3)
    outputs = len(heads) * passes * n
    return Cell(*own, *ends[:4]), _Ends(
        ends.units + n,
        ends.backbone + passes * depth * width,
        ends.heads + kept * n,
        ends.gradient + outputs,
        max(ends.widest, outputs, width),
    )


def heads_of(layer: CfCParams) -> list[Any]:
    """Return the linear heads that a cell has, in the order in which they lie side by side."""
    return [head for head in (layer.ff1, layer.ff2, layer.time_a, layer.time_b) if head is not None]


def _side_by_side(heads: list[Any]) -> Dense:
    return Dense(np.concatenate([head.W for head in heads]), np.concatenate([head.b for head in heads]))


def _vectors(layer: CfCParams) -> list[Array]:
    """Return |w_tau|, A and B, zeros for what is not there."""
    zeros = np.zeros(layer.ff1.W.shape[0], layer.ff1.W.dtype)
    w_tau, A, B = (zeros if v is None else v[0] for v in (layer.w_tau, layer.A, layer.B))
    return [np.abs(w_tau), A, B]


def unpack(
    params: CfCNetwork, table: npt.NDArray[np.int64], D: Array, form: CfCSettings, span: float | None
) -> CfCNetwork:
    """Return gradients by parameter from those of the weights as they are packed for the forward."""

    def linear(start: int, inputs: int, outputs: int) -> tuple[Array, Array]:
        end = start + inputs * outputs
        return np.array(D[start:end].reshape(inputs, outputs).T, order="C"), D[end : end + outputs].copy()

    layers = []
    for layer, cell in zip(params.layers, cells(table), strict=True):
        sizes = [cell.n_in + cell.n, *[cell.width] * cell.depth]
        backbone, start = [], cell.backbone
        for inputs in sizes[:-1]:
            backbone.append(Dense(*linear(start, inputs, cell.width)))
            start += whole_lines((inputs + 1) * cell.width)
        W, b = linear(cell.head_map, sizes[-1], cell.n_heads * cell.n)
        own = [slice(k * cell.n, (k + 1) * cell.n) for k in range(max(3, cell.n_heads))]
        heads: list[Any] = [Dense(W[rows], b[rows]) for rows in own[: cell.n_heads]]
        if span is not None:  # backward of `gated`
            factor = VARIANTS[form.variant].gate_sign * span
            heads.insert(2, Dense(*(factor * d for d in heads[2])))
        d_layer = CfCParams(tuple(backbone), *heads)
        vectors = D[cell.vectors : cell.vectors + 3 * cell.n][None]
        by_name: dict[str, Any] = {"A": vectors[:, own[1]], "B": vectors[:, own[2]]}
        if layer.w_tau is not None:
            by_name["w_tau"] = vectors[:, own[0]] * np.sign(layer.w_tau)
        layers.append(d_layer._replace(**{name: d for name, d in by_name.items() if getattr(layer, name) is not None}))
    if params.lstm is None:
        return CfCNetwork(tuple(layers))
    units, inputs = int(table[UNITS]), int(table[INPUTS])
    W, b = linear(int(table[LSTM]), inputs + units, 4 * units)
    return CfCNetwork(tuple(layers), LSTMParams(Dense(W[:, :inputs], b), Dense(W[:, inputs:], None)))
