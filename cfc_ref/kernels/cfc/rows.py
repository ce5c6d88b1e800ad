r"""One time step of a CfC network for some rows of a batch: what the kernels over sequences and streams are made of.

Rows are independent: threads share them out, and a row's bits do not depend on the rows next to it. The table of
:mod:`cfc_ref.kernels.cfc.weights` says where things are. Modes and activations are branches outside of the inner loops.
Every array is contiguous, so that there is one version of each function for each dtype.
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
    HEAD_MAP,
    HEADS,
    HEADS_AT,
    LAYERS,
    LSTM,
    MEMORY,
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
from cfc_ref.kernels.elementwise import _activate, _copy, _multiply
from cfc_ref.kernels.lstm import _lstm
from cfc_ref.kernels.packed import GELU, INPUTS, SILU, UNITS
from cfc_ref.kernels.products import _linear, _nothing

__all__ = ["COMPILED", "KeptRows", "Step"]

COMPILED = tuple(KERNELS)  # modes of which the kernels know; the place of each is its number in a table
_row = dispatch([kernel.row for kernel in KERNELS.values()])


class Step(NamedTuple):
    """Arguments of a time step, first axis the rows: inputs, states, memories, timespans, dropout factors."""

    x: Any
    h: Any
    c: Any
    dt: Any
    drop: Any  # no columns where nothing drops


class KeptRows(NamedTuple):
    """Values that the backward reads, of the backbone, the heads and the mixed memory."""

    backbone: Any
    heads: Any
    memory: Any


@inner
def _features(W, cell, activation, sign, reads, kept, place, drop, u, z, at):
    """From sign * [I, x] through the backbone to the arguments of a cell's heads, z[:, at:]; u is room to work in.

    `reads` is I and the column where it begins, x and the column where it begins.
    """
    X, x, H, h = reads
    n_in, n, width, one = cell[N_IN], cell[N], cell[WIDTH], sign * sign
    nothing = _nothing(n)
    if cell[DEPTH] == 0:
        _linear(W, cell[HEAD_MAP], sign, X, x, n_in, H, h, n, z, at, cell[N_HEADS] * n)
        return
    by_value = activation not in (SILU, GELU)
    for k in range(cell[DEPTH]):
        column = place + k * width
        if k == 0:
            _linear(W, cell[BACKBONE], sign, X, x, n_in, H, h, n, kept, column, width)
        else:
            start = cell[DEEPER] + (k - 1) * cell[DEEPER_SIZE]
            _linear(W, start, one, u, nothing, width, u, nothing, nothing, kept, column, width)
        for i in range(u.shape[0]):
            values, a = kept[i, column : column + width], u[i, :width]
            _activate(activation, values, a)
            if by_value:
                _copy(a, values)
            if drop.shape[1] > 0:
                _multiply(a, drop[i, k * width : (k + 1) * width])
    _linear(W, cell[HEAD_MAP], one, u, nothing, width, u, nothing, nothing, z, at, cell[N_HEADS] * n)


@inner
def _step_rows(W, table, step, new_h, new_c, kept, z, u):
    """One time step: twin of :func:`cfc_ref.cells.cfc.network.step`; z and u are room to work in."""
    kind, one, U = table[ACTIVATION], W.dtype.type(1), table[UNITS]
    nothing, sign, km = _nothing(U), W.dtype.type(table[SIGN]), kept.memory
    X, x_at, H, h_at = step.x, nothing, step.h, nothing
    if table[MEMORY] > 0:
        _lstm(W, table[LSTM], table[INPUTS], step.x, step.h, step.c, new_c, km)
        if table[MEMORY] == MEMORY_TO_STATE:
            H, h_at = km, 5 * U
        else:
            X, x_at = km, 5 * U
    for layer in range(table[LAYERS]):
        cell = table[CELLS + layer * RECORD : CELLS + (layer + 1) * RECORD]
        n, at, place, signed = cell[N], cell[UNITS_AT], cell[BACKBONE_AT], one
        for k in range(table[PASSES]):
            reads = X, x_at, H, h_at + at
            _features(W, cell, kind, signed, reads, kept.backbone, place, step.drop, u, z, k * cell[N_HEADS] * n)
            place, signed = place + cell[DEPTH] * cell[WIDTH], -one
        of, vectors = Of(table[HEADS], sign, table[TIMED], cell[N_HEADS]), W[cell[VECTORS] :]
        for i in range(new_h.shape[0]):
            x, new = H[i, h_at + at : h_at + at + n], new_h[i, at : at + n]
            _row(table[MODE], of, step.dt[i], z[i], vectors, x, kept.heads[i, cell[HEADS_AT] :], new)
        X, x_at = new_h, at
