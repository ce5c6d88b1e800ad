r"""The backward of one time step of a CfC network for some rows of a batch: :mod:`cfc_ref.kernels.cfc.rows` reversed.

The gradients of the results of all linear maps are left in :class:`Back`; ``_d_weights`` computes from them the
gradients of the weights, for many rows at once. W holds the maps as (outputs, inputs).
"""

from __future__ import annotations

from typing import Any, NamedTuple

from cfc_ref.kernels.cfc.modes import KERNELS, Of
from cfc_ref.kernels.cfc.weights import (
    ACTIVATION,
    BACKBONE,
    BACKBONE_AT,
    CELLS,
    DEEPER,
    DEEPER_SIZE,
    DEPTH,
    GRADIENT_AT,
    HEAD_MAP,
    HEADS,
    HEADS_AT,
    LAYERS,
    LSTM,
    MEMORY,
    MEMORY_TO_INPUT,
    MEMORY_TO_STATE,
    MODE,
    N_HEADS,
    N_IN,
    PASSES,
    RECORD,
    SIGN,
    TIMED,
    UNITS_AT,
    VECTORS,
    WIDTH,
    N,
)
from cfc_ref.kernels.compiled import dispatch, inner
from cfc_ref.kernels.elementwise import _activate, _copy, _d_activate, _multiply
from cfc_ref.kernels.lstm import _d_gates, _d_lstm
from cfc_ref.kernels.packed import GELU, INPUTS, LINEAR, SILU, UNITS
from cfc_ref.kernels.products import _add_product, _clear, _d_linear, _nothing, _panels

__all__ = ["Back", "StepGradients"]

_d_row = dispatch([kernel.d_row for kernel in KERNELS.values()])


class StepGradients(NamedTuple):
    """Gradients of a time step, first axis the rows."""

    new_h: Any  # of the next state; it is used up
    h: Any
    c: Any  # from the new memory's to the old one's, in place
    y: Any  # of the mixed memory's output
    x: Any
    dt: Any  # added to


class Back(NamedTuple):
    """Gradients of the results of the linear maps, and values of the backbone, at the columns of the forward."""

    backbone: Any
    heads: Any
    memory: Any
    u: Any


@inner
def _d_features(W, cell, activation, sign, at, place, kept, drop, back, room, into):
    """Backward of ``_features``: adds to the gradients of both things that the cell reads, `into`.

    `room` is room for the features' gradients, and one row.
    """
    du, row = room
    d_X, d_x, d_H, d_h = into
    n, width, depth, one = cell[N], cell[WIDTH], cell[DEPTH], sign * sign
    K, nothing = cell[N_HEADS] * n, _nothing(n)
    G, g, start = back.heads, at, cell[HEAD_MAP]
    for k in range(depth - 1, -1, -1):
        _clear(du)
        _add_product(one, G, g, K, W, start, du, nothing, width)
        G, g, K = back.backbone, place + k * width, width
        start = cell[DEEPER] + (k - 1) * cell[DEEPER_SIZE] if k > 0 else cell[BACKBONE]
        for i in range(G.shape[0]):
            values, d = kept[i, g : g + width], G[i, g : g + width]
            _copy(du[i], d)
            _d_activate(activation, values, row, d)
            if drop.shape[1] > 0:
                _multiply(d, drop[i, k * width : (k + 1) * width])
            u = back.u[i, g : g + width]
            _activate(activation if activation in (SILU, GELU) else LINEAR, values, u)
            if drop.shape[1] > 0:
                _multiply(u, drop[i, k * width : (k + 1) * width])
    _add_product(sign, G, g, K, W, start, d_X, d_x, cell[N_IN])
    _add_product(sign, G, g, K, W, start + K * _panels(W, cell[N_IN]), d_H, d_h, n)


@inner
def _d_step_rows(W, table, step, kept, d, D, back, room):
    """Backward of ``_step_rows``; to D, laid out as W is for the forward, it adds the gradients of the vectors."""
    kind, one, U = table[ACTIVATION], W.dtype.type(1), table[UNITS]
    nothing, memory, sign = _nothing(U), table[MEMORY], W.dtype.type(table[SIGN])
    _clear(d.h)
    _clear(d.y)
    _clear(d.x)
    H, h_at, P = step.h, nothing, d.h
    if memory == MEMORY_TO_STATE:
        H, h_at, P = kept.memory, 5 * U, d.y
    for layer in range(table[LAYERS] - 1, -1, -1):
        cell = table[CELLS + layer * RECORD : CELLS + (layer + 1) * RECORD]
        n, at, place, g_at = cell[N], cell[UNITS_AT], cell[BACKBONE_AT], cell[GRADIENT_AT]
        of = Of(table[HEADS], sign, table[TIMED], cell[N_HEADS])
        vectors, d_vectors = W[cell[VECTORS] :], D[cell[VECTORS] :]
        for i in range(d.dt.shape[0]):
            x, values, g = H[i, h_at + at : h_at + at + n], kept.heads[i, cell[HEADS_AT] :], back.heads[i, g_at:]
            d_new, d_x = d.new_h[i, at : at + n], P[i, at : at + n]
            d.dt[i] += _d_row(table[MODE], of, step.dt[i], vectors, x, values, d_new, room[1], g, d_vectors, d_x)
        X, x_at = d.x, nothing  # what the cell reads besides its state: x, the memory's output, or the layer below
        if layer > 0:
            X, x_at = d.new_h, table[CELLS + (layer - 1) * RECORD + UNITS_AT]
        elif memory == MEMORY_TO_INPUT:
            X = d.y
        signed = one
        for _ in range(table[PASSES]):
            into = X, x_at, P, at
            _d_features(W, cell, kind, signed, g_at, place, kept.backbone, step.drop, back, room, into)
            place, g_at, signed = place + cell[DEPTH] * cell[WIDTH], g_at + cell[N_HEADS] * n, -one
    if memory > 0:
        for i in range(d.dt.shape[0]):
            _d_gates(kept.memory[i], step.c[i], d.y[i], d.c[i], back.memory[i])
        _d_lstm(W, table[LSTM], table[INPUTS], back.memory, d.x, d.h)


@inner
def _d_weights(table, x, h, y, new_h, back, D):
    """Add what the weights of all maps get from some rows; y is the mixed memory's output."""
    one, nothing, U = D.dtype.type(1), _nothing(table[UNITS]), table[UNITS]
    X, x_at, H, gh, gb, ub = x, nothing, h, back.heads, back.backbone, back.u
    if table[MEMORY] > 0:
        _d_linear(D, table[LSTM], one, x, nothing, table[INPUTS], h, nothing, U, back.memory, nothing, 4 * U)
    if table[MEMORY] == MEMORY_TO_STATE:
        H = y
    elif table[MEMORY] == MEMORY_TO_INPUT:
        X = y
    for layer in range(table[LAYERS]):
        cell = table[CELLS + layer * RECORD : CELLS + (layer + 1) * RECORD]
        n_in, n, at, width, depth = cell[N_IN], cell[N], cell[UNITS_AT], cell[WIDTH], cell[DEPTH]
        place, g, outputs, sign = cell[BACKBONE_AT], cell[GRADIENT_AT], cell[N_HEADS] * n, one
        for _ in range(table[PASSES]):
            if depth == 0:
                _d_linear(D, cell[HEAD_MAP], sign, X, x_at, n_in, H, at, n, gh, g, outputs)
            else:
                k = place
                _d_linear(D, cell[BACKBONE], sign, X, x_at, n_in, H, at, n, gb, k, width)
                for deeper in range(depth - 1):
                    start = cell[DEEPER] + deeper * cell[DEEPER_SIZE]
                    _d_linear(D, start, one, ub, k, width, ub, nothing, nothing, gb, k + width, width)
                    k += width
                _d_linear(D, cell[HEAD_MAP], one, ub, k, width, ub, nothing, nothing, gh, g, outputs)
            place, g, sign = place + depth * width, g + outputs, -one
        X, x_at = new_h, at
