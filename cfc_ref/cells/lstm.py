r"""The LSTM cell: a liquid network's mixed memory (Lechner & Hasani, arXiv 2006.04418), and a network of its own.

Over whole sequences (:func:`lstm_sequence`) it is the same step again and again, but for the products: what the input
adds to the gates is one product for all steps, and so is every gradient of a weight.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cfc_ref.activations import d_sigmoid, d_tanh, sigmoid
from cfc_ref.arrays import Array
from cfc_ref.cells.dense import Dense, affine, d_affine

__all__ = [
    "LSTMKept",
    "LSTMParams",
    "LSTMSequenceKept",
    "d_lstm_sequence",
    "d_lstm_step",
    "lstm_sequence",
    "lstm_step",
]


class LSTMParams(NamedTuple):
    """Parameters of an LSTM cell; the four blocks of rows are input, input gate, forget gate, output gate."""

    input_map: Dense  # (4 units, inputs): from the input
    recurrent_map: Dense  # (4 units, units): from the state


class LSTMKept(NamedTuple):
    """Values of one step for the backward: arguments, the gates, and tanh of the new memory."""

    x: Array
    h: Array
    c: Array
    a: Array
    i: Array
    f: Array
    o: Array
    tanh_c: Array


def lstm_step(
    params: LSTMParams, x: Array, h: Array, c: Array, forget_bias: float = 1.0
) -> tuple[Array, Array, LSTMKept]:
    r"""One step of an LSTM; `x` has the shape (batch, inputs), `h` and `c` have the shape (batch, units).

    .. math:: (z_a, z_i, z_f, z_o) = W x + b + R h, \qquad
              a = \tanh z_a,\; i = \sigma(z_i),\; f = \sigma(z_f + \beta),\; o = \sigma(z_o)

    .. math:: c^+ = f \odot c + i \odot a, \qquad h^+ = o \odot \tanh c^+
    """
    z = affine(params.input_map, x) + affine(params.recurrent_map, h)
    new_h, new_c, values = _advance(z, c, forget_bias)
    # Mixed memory 2020: the LSTM next to the CfC
    return new_h, new_c, LSTMKept(x, h, c, *values)


def _advance(z: Array, c: Array, forget_bias: float) -> tuple[Array, Array, tuple[Array, ...]]:
    """Return the new state and memory, and the values a, i, f, o and tanh c⁺, of the gates' arguments."""
    z_a, z_i, z_f, z_o = np.split(z, 4, axis=1)
    a = np.tanh(z_a)
    i = sigmoid(z_i)
    f = sigmoid(z_f + forget_bias)
    o = sigmoid(z_o)
    new_c = f * c + i * a
    tanh_c = np.tanh(new_c)
    return o * tanh_c, new_c, (a, i, f, o, tanh_c)


def d_lstm_step(params: LSTMParams, kept: LSTMKept, d_h: Array, d_c: Array) -> tuple[LSTMParams, Array, Array, Array]:
    r"""Backward of :func:`lstm_step`; `d_h` and `d_c` have the shape (batch, units).

    .. math:: \bar o = \bar h^+ \tanh c^+, \quad \bar c^+ \mathrel{+}= \bar h^+ o\,(1 - \tanh^2 c^+), \quad
              \bar f = \bar c^+ c, \quad \bar i = \bar c^+ a, \quad \bar a = \bar c^+ i, \quad \bar c = \bar c^+ f
    """
    d_z, d_c = _d_advance(kept.c, kept[3:], d_h, d_c)
    d_input_map, d_x = d_affine(params.input_map, kept.x, d_z)
    d_recurrent_map, d_h = d_affine(params.recurrent_map, kept.h, d_z)
    return LSTMParams(d_input_map, d_recurrent_map), d_x, d_h, d_c


def _d_advance(c: Array, values: tuple[Array, ...], d_h: Array, d_c: Array) -> tuple[Array, Array]:
    """Backward of :func:`_advance`: gradients of the gates' arguments, and of the memory."""
    a, i, f, o, tanh_c = values
    d_o = d_h * tanh_c
    d_new_c = d_c + d_h * o * d_tanh(tanh_c)
    d_f = d_new_c * c
    d_i = d_new_c * a
    d_a = d_new_c * i
    d_z_a = d_a * d_tanh(a)
    d_z_i = d_i * d_sigmoid(i)
    d_z_f = d_f * d_sigmoid(f)
    d_z_o = d_o * d_sigmoid(o)
    return np.concatenate([d_z_a, d_z_i, d_z_f, d_z_o], axis=1), d_new_c * f


# --- whole sequences


class LSTMSequenceKept(NamedTuple):
    """Values of a sequence for the backward."""

    x: Array  # (time, batch, inputs): inputs
    h: Array  # h, c: (time + 1, batch, units): states and memories, the first those before the first step
    c: Array
    values: list[tuple[Array, ...]]  # of each step a, i, f, o and tanh c⁺


def lstm_sequence(
    params: LSTMParams,
    x: Array,
    state: tuple[Array, Array],
    mask: Array | None = None,
    forget_bias: float = 1.0,
    *,
    keep: bool,
) -> LSTMSequenceKept:
    r"""Run :func:`lstm_step` over sequences (batch, time, inputs); a masked step holds state and memory."""
    x = np.ascontiguousarray(np.moveaxis(x, 1, 0))
    T, B, inputs = x.shape
    z = affine(params.input_map, x.reshape(T * B, inputs)).reshape(T, B, len(params.recurrent_map.W))
    h, c = (np.concatenate([part[None], np.empty((T, *part.shape), part.dtype)]) for part in state)
    values = []
    for k in range(T):
        h[k + 1], c[k + 1], values_k = _advance(z[k] + affine(params.recurrent_map, h[k]), c[k], forget_bias)
        if mask is not None:
            for part in (h, c):
                np.copyto(part[k + 1], part[k], where=~mask[:, k, None])
        if keep:
            values.append(values_k)
    return LSTMSequenceKept(x, h, c, values)


def d_lstm_sequence(
    params: LSTMParams, kept: LSTMSequenceKept, d_h: Array, d_state: tuple[Array, Array], mask: Array | None = None
) -> tuple[LSTMParams, Array, tuple[Array, Array]]:
    r"""Backward of :func:`lstm_sequence`, from the last step to the first; `d_h` is (steps, batch, units)."""
    T, B, inputs = kept.x.shape
    R = params.recurrent_map.W
    new_h, new_c = d_state
    d_z = np.empty((T, B, len(R)), new_h.dtype)
    for k in reversed(range(T)):
        if k >= T - len(d_h):
            new_h = new_h + d_h[k - T]
        held_h, held_c = np.zeros((2, 1, 1), new_h.dtype)
        if mask is not None:
            real = mask[:, k, None]
            held_h, held_c = np.where(real, 0, new_h), np.where(real, 0, new_c)
            new_h, new_c = np.where(real, new_h, 0), np.where(real, new_c, 0)
        d_z[k], before = _d_advance(kept.c[k], kept.values[k], new_h, new_c)
        new_h, new_c = d_z[k] @ R + held_h, before + held_c
    rows = d_z.reshape(T * B, len(R))
    d_input_map, d_x = d_affine(params.input_map, kept.x.reshape(T * B, inputs), rows)
    d_recurrent_map = Dense(rows.T @ kept.h[:-1].reshape(T * B, R.shape[1]), None)
    d_x = np.moveaxis(d_x.reshape(T, B, inputs), 0, 1)
    return LSTMParams(d_input_map, d_recurrent_map), d_x, (new_h, new_c)
