r"""The LSTM cell that gives a liquid network a mixed memory (Lechner & Hasani, arXiv 2006.04418)."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cfc_ref.activations import d_sigmoid, d_tanh, sigmoid
from cfc_ref.cells.dense import Dense, affine, d_affine

__all__ = ["LSTMKept", "LSTMParams", "d_lstm_step", "lstm_step"]

Array = npt.NDArray[Any]


class LSTMParams(NamedTuple):
    """Parameters of an LSTM cell; the four blocks of rows are input, input gate, forget gate, output gate.

    Attributes
    ----------
    input_map : Dense, shapes (4 units, inputs) and (4 units,)
        From the input.
    recurrent_map : Dense, shape (4 units, units), without bias
        From the state.
    """

    input_map: Dense
    recurrent_map: Dense


class LSTMKept(NamedTuple):
    """What the backward needs of one step: arguments, the gates' values, and tanh of the new memory."""

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
    r"""One step of an LSTM.

    .. math:: (z_a, z_i, z_f, z_o) = W x + b + R h, \qquad
              a = \tanh z_a,\; i = \sigma(z_i),\; f = \sigma(z_f + \beta),\; o = \sigma(z_o)

    .. math:: c^+ = f \odot c + i \odot a, \qquad h^+ = o \odot \tanh c^+

    Parameters
    ----------
    params : LSTMParams
        Weights.
    x : ndarray, shape (batch, inputs)
        Input.
    h, c : ndarray, shape (batch, units)
        State and memory.
    forget_bias : float
        :math:`\beta`, 1 in ncps, a hyper-parameter in the official TensorFlow code.

    Returns
    -------
    h, c : ndarray, shape (batch, units)
        The new state and memory.
    kept : LSTMKept

    Examples
    --------
    >>> params = LSTMParams(Dense(np.zeros((4, 1)), np.zeros(4)), Dense(np.zeros((4, 1)), None))
    >>> h, c, _ = lstm_step(params, np.ones((1, 1)), np.ones((1, 1)), np.ones((1, 1)), forget_bias=0.0)
    >>> c, h.round(4)
    (array([[0.5]]), array([[0.2311]]))
    """
    z = affine(params.input_map, x) + affine(params.recurrent_map, h)
    z_a, z_i, z_f, z_o = np.split(z, 4, axis=1)
    a = np.tanh(z_a)
    i = sigmoid(z_i)
    f = sigmoid(z_f + forget_bias)
    o = sigmoid(z_o)
    new_c = f * c + i * a
    tanh_c = np.tanh(new_c)
    return o * tanh_c, new_c, LSTMKept(x, h, c, a, i, f, o, tanh_c)


def d_lstm_step(params: LSTMParams, kept: LSTMKept, d_h: Array, d_c: Array) -> tuple[LSTMParams, Array, Array, Array]:
    r"""Backward of :func:`lstm_step`.

    .. math:: \bar o = \bar h^+ \tanh c^+, \quad \bar c^+ \mathrel{+}= \bar h^+ o\,(1 - \tanh^2 c^+), \quad
              \bar f = \bar c^+ c, \quad \bar i = \bar c^+ a, \quad \bar a = \bar c^+ i, \quad \bar c = \bar c^+ f

    Parameters
    ----------
    params : LSTMParams
        As in the forward.
    kept : LSTMKept
        As the forward returned it.
    d_h, d_c : ndarray, shape (batch, units)
        Gradients of the new state and the new memory.

    Returns
    -------
    d_params : LSTMParams
    d_x, d_h, d_c : ndarray
        Gradients of the input, the state and the memory.

    Examples
    --------
    >>> params = LSTMParams(Dense(np.zeros((4, 1)), np.zeros(4)), Dense(np.zeros((4, 1)), None))
    >>> one = np.ones((1, 1))
    >>> *_, kept = lstm_step(params, one, one, one)
    >>> d_lstm_step(params, kept, 0 * one, one)[3].round(4)  # the forget gate, sigmoid(1)
    array([[0.7311]])
    """
    d_o = d_h * kept.tanh_c
    d_new_c = d_c + d_h * kept.o * d_tanh(kept.tanh_c)
    d_f = d_new_c * kept.c
    d_i = d_new_c * kept.a
    d_a = d_new_c * kept.i
    d_c = d_new_c * kept.f
    d_z_a = d_a * d_tanh(kept.a)
    d_z_i = d_i * d_sigmoid(kept.i)
    d_z_f = d_f * d_sigmoid(kept.f)
    d_z_o = d_o * d_sigmoid(kept.o)
    d_z = np.concatenate([d_z_a, d_z_i, d_z_f, d_z_o], axis=1)
    d_input_map, d_x = d_affine(params.input_map, kept.x, d_z)
    d_recurrent_map, d_h = d_affine(params.recurrent_map, kept.h, d_z)
    return LSTMParams(d_input_map, d_recurrent_map), d_x, d_h, d_c
