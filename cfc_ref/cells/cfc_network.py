r"""One time step of a whole CfC network: mixed memory, and one cell or one a layer of a wiring.

A wired network is a stack of cells: the state is the layers' states side by side (inter, command, motor), and layer l
reads the *new* state of layer l - 1. Masks are applied to the weights beforehand, so that nothing here knows of them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cfc_ref.cells.cfc import CfCKept, Drop, cfc_step, d_cfc_step
from cfc_ref.cells.cfc_heads import VARIANTS, CfCForm, CfCParams
from cfc_ref.cells.lstm import LSTMKept, LSTMParams, d_lstm_step, lstm_step

__all__ = ["CfCNetwork", "NetworkKept", "State", "d_network_step", "network_step"]

Array = npt.NDArray[Any]
State = tuple[Array, Array | None]


class CfCNetwork(NamedTuple):
    """Parameters of a CfC network.

    Attributes
    ----------
    layers : tuple of CfCParams
        One cell, or one a layer of the wiring, from inputs to outputs.
    lstm : LSTMParams or None
        The mixed memory.
    """

    layers: tuple[CfCParams, ...]
    lstm: LSTMParams | None = None


class NetworkKept(NamedTuple):
    """What the backward of a time step needs."""

    layers: tuple[CfCKept, ...]
    lstm: LSTMKept | None


def network_step(
    params: CfCNetwork, x: Array, state: State, dt: Array, form: CfCForm, drop: Drop = ()
) -> tuple[State, NetworkKept]:
    r"""One time step of a CfC network.

    .. math:: x^{(l)+} = \mathrm{cell}_l\big(x^{(l-1)+}, x^{(l)}, t\big), \qquad x^{(0)+} = I

    With mixed memory on PyTorch (CfC-mmRNN) an LSTM takes (I, (x, m)) to (x', m'), and the cells step on from x'; on
    TensorFlow the LSTM's output takes the place of I, and the cells step on from x.

    Parameters
    ----------
    params : CfCNetwork
        Parameters.
    x : ndarray, shape (batch, inputs)
        The input I.
    state : (h, c)
        Two ndarrays of shape (batch, units); c is None without mixed memory.
    dt : ndarray, shape (batch, 1)
        Time t since the previous step, >= 0.
    form : CfCForm
        Mode, variant, activation and forget bias.
    drop : tuple of ndarray or None
        Dropout factors of the one cell's backbone.

    Returns
    -------
    state : (h, c)
        The next state.
    kept : NetworkKept
    """
    h, c = state
    kept_lstm = None
    if params.lstm is not None and c is not None:
        out, c, kept_lstm = lstm_step(params.lstm, x, h, c, form.forget_bias)
        if VARIANTS[form.variant].memory == "state":
            h = out
        else:
            x = out
    new_h, kept = [], []
    for layer, h_l in zip(params.layers, _split(h, params.layers), strict=True):
        x, kept_l = cfc_step(layer, x, h_l, dt, form, drop)
        new_h.append(x)
        kept.append(kept_l)
    return (np.concatenate(new_h, axis=1), c), NetworkKept(tuple(kept), kept_lstm)


def d_network_step(
    params: CfCNetwork, kept: NetworkKept, d_state: State, form: CfCForm
) -> tuple[CfCNetwork, Array, State, Array]:
    r"""Backward of :func:`network_step`, from the last layer to the first, then the mixed memory.

    .. math:: \bar x^{(l-1)+} \mathrel{+}=
              \Big(\frac{\partial x^{(l)+}}{\partial x^{(l-1)+}}\Big)^{\!\top} \bar x^{(l)+}

    Parameters
    ----------
    params, form
        As in the forward.
    kept : NetworkKept
        As the forward returned it.
    d_state : (d_h, d_c)
        Gradients of the next state; d_c is None without mixed memory.

    Returns
    -------
    d_params : CfCNetwork
    d_x : ndarray, shape (batch, inputs)
    d_state : (d_h, d_c)
        Gradients of the state before the step.
    d_dt : ndarray, shape (batch, 1)
    """
    d_new_h, d_c = d_state
    d_by_layer = _split(d_new_h, params.layers)
    d_layers, d_h_by_layer = [], []
    d_above: Any = 0  # what layer l + 1 adds to the gradient of layer l's new state
    d_dt: Any = 0
    for l in reversed(range(len(params.layers))):
        d_l, d_above, d_h_l, d_dt_l = d_cfc_step(params.layers[l], kept.layers[l], d_by_layer[l] + d_above, form)
        d_dt = d_dt + d_dt_l
        d_layers.append(d_l)
        d_h_by_layer.append(d_h_l)
    d_x, d_h = d_above, np.concatenate(d_h_by_layer[::-1], axis=1)
    d_lstm = None
    if params.lstm is not None and kept.lstm is not None and d_c is not None:
        if VARIANTS[form.variant].memory == "state":
            d_lstm, d_I, d_h, d_c = d_lstm_step(params.lstm, kept.lstm, d_h, d_c)
            d_x = d_x + d_I
        else:
            d_lstm, d_x, d_x_state, d_c = d_lstm_step(params.lstm, kept.lstm, d_x, d_c)
            d_h = d_h + d_x_state
    return CfCNetwork(tuple(d_layers[::-1]), d_lstm), d_x, (d_h, d_c), d_dt


def _split(h: Array, layers: tuple[CfCParams, ...]) -> list[Array]:
    """Return the layers' parts of a state."""
    ends = np.cumsum([layer.ff1.W.shape[0] for layer in layers])
    return np.split(h, ends[:-1], axis=1)
