r"""A CfC network: one time step, sequences of them with backpropagation through time, and one sequence read out.

A wired network is a stack of cells: the state is the layers' states side by side (inter, command, motor), and layer l
reads the *new* state of layer l - 1. Masks are applied to the weights beforehand, so that nothing here knows of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from cfc_ref.arrays import Array
from cfc_ref.cells.cfc import cell
from cfc_ref.cells.cfc.cell import CfCKept, CfCSettings, Drop
from cfc_ref.cells.cfc.modes import VARIANTS, CfCParams
from cfc_ref.cells.dense import Dense, affine
from cfc_ref.cells.lstm import LSTMKept, LSTMParams, d_lstm_step, lstm_step
from cfc_ref.cells.sequence import d_run, run

__all__ = ["CfCNetwork", "CfCNetworkKept", "State", "d_sequence", "d_step", "sequence", "step", "stream"]

State = tuple[Array, Array | None]


class CfCNetwork(NamedTuple):
    """Parameters of a CfC network."""

    layers: tuple[CfCParams, ...]  # one cell, or one per layer of the wiring, from inputs to outputs
    lstm: LSTMParams | None = None  # the mixed memory


class CfCNetworkKept(NamedTuple):
    """Values that the backward of a time step needs."""

    layers: tuple[CfCKept, ...]
    lstm: LSTMKept | None


def step(
    params: CfCNetwork, x: Array, state: State, dt: Array, settings: CfCSettings, drop: Drop = ()
) -> tuple[State, CfCNetworkKept]:
    r"""Take one time step of a CfC network.

    .. math:: x^{(l)+} = \mathrm{cell}_l\big(x^{(l-1)+}, x^{(l)}, t\big), \qquad x^{(0)+} = I

    With mixed memory on PyTorch (CfC-mmRNN) an LSTM takes (I, (x, m)) to (x', m'), and the cells step on from x'; on
    TensorFlow the LSTM's output takes the place of I, and the cells step on from x. Shapes: `x` (batch, inputs),
    `state` (h, c), each (batch, units), c is None without mixed memory; `dt` (batch, 1).
    """
    h, c = state
    kept_lstm = None
    if params.lstm is not None and c is not None:
        out, c, kept_lstm = lstm_step(params.lstm, x, h, c, settings.forget_bias)
        if VARIANTS[settings.variant].memory == "state":
            h = out
        else:
            x = out
    new_h, kept = [], []
    for layer, h_l in zip(params.layers, _split(h, params.layers), strict=True):
        x, kept_l = cell.step(layer, x, h_l, dt, settings, drop)
        new_h.append(x)
        kept.append(kept_l)
    return (np.concatenate(new_h, axis=1), c), CfCNetworkKept(tuple(kept), kept_lstm)


def d_step(
    params: CfCNetwork, kept: CfCNetworkKept, d_state: State, settings: CfCSettings
) -> tuple[CfCNetwork, Array, State, Array]:
    r"""Backward of :func:`step`, from the last layer to the first, then the mixed memory.

    .. math:: \bar x^{(l-1)+} \mathrel{+}=
              \Big(\frac{\partial x^{(l)+}}{\partial x^{(l-1)+}}\Big)^{\!\top} \bar x^{(l)+}

    Returns the gradients of the parameters, x, the state before the step and dt.
    """
    d_new_h, d_c = d_state
    d_by_layer = _split(d_new_h, params.layers)
    d_layers, d_h_by_layer = [], []
    d_above: Any = 0  # what layer l + 1 adds to the gradient of layer l's new state
    d_dt: Any = 0
    for l in reversed(range(len(params.layers))):
        d_l, d_above, d_h_l, d_dt_l = cell.d_step(params.layers[l], kept.layers[l], d_by_layer[l] + d_above, settings)
        d_dt = d_dt + d_dt_l
        d_layers.append(d_l)
        d_h_by_layer.append(d_h_l)
    d_x, d_h = d_above, np.concatenate(d_h_by_layer[::-1], axis=1)
    d_lstm = None
    if params.lstm is not None and kept.lstm is not None and d_c is not None:
        if VARIANTS[settings.variant].memory == "state":
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


# --- whole sequences


def sequence(
    params: CfCNetwork,
    x: Array,
    state: State,
    dt: Array,
    mask: Array | None,
    settings: CfCSettings,
    drop: Sequence[Drop] = (),
    *,
    keep: bool,
    timed: bool = True,
) -> tuple[Sequence[Array] | Array, State, Any]:
    r"""Run a CfC network over sequences, :math:`s_k = \mathrm{step}(x_k, s_{k-1}, t_k)`; a masked step holds the state.

    Shapes: `x` (batch, time, inputs), `dt` and `mask` (batch, time), dt[:, k] the time from sample k - 1 to sample k.
    `drop` has the dropout factors of each time step, or none. `keep` asks for what the backward needs, and `timed` says
    that it will be asked for the gradient of `dt`, for which a kernel keeps more. Returns the states h after each step,
    time first, the last state, and what is kept.

    Twin: :func:`cfc_ref.kernels.cfc.network.sequence`.
    """
    factors = iter(drop)

    def one(params: CfCNetwork, x: Array, state: State, dt: Array) -> Any:
        return step(params, x, state, dt, settings, next(factors, ()))

    return run(one, params, x, state, dt, mask, keep=keep)


def d_sequence(
    params: CfCNetwork,
    kept: Any,
    d_h: Sequence[Array] | Array,
    d_state: State,
    mask: Array | None,
    settings: CfCSettings,
) -> tuple[CfCNetwork, Array, State, Array]:
    r"""Backward of :func:`sequence` over at least one step.

    .. math:: \bar s_{k-1} \mathrel{+}= \Big(\frac{\partial s_k}{\partial s_{k-1}}\Big)^{\!\top} \bar s_k, \qquad
              \bar\theta = \sum_k \Big(\frac{\partial s_k}{\partial \theta}\Big)^{\!\top} \bar s_k

    `d_h` are the gradients of the last states that the forward returned, of all of them or of fewer, and `d_state`
    is added to that of the last one. Returns the gradients of the parameters, x, the first state and dt; that of dt is
    0 where the forward was not `timed`.

    Twin: :func:`cfc_ref.kernels.cfc.network.d_sequence`.
    """
    return d_run(partial(d_step, settings=settings), params, kept, d_h, d_state, mask)


def stream(
    params: CfCNetwork,
    fc: Dense | None,
    read: slice,
    x: Array,
    state: State,
    dt: Array,
    mask: Array | None,
    settings: CfCSettings,
) -> tuple[Array, State]:
    r"""Run a CfC network over sequences and read the neurons `read` out, :math:`y_k = W h_k + b`.

    Shapes as in :func:`sequence`. Without `fc` the output is the state. Returns the outputs, shape (time · batch,
    outputs), and the last state.

    Twin: :func:`cfc_ref.kernels.cfc.network.stream`.
    """
    h, last, _ = sequence(params, x, state, dt, mask, settings, keep=False)
    out = np.concatenate([state[0][:0], *h])[:, read]
    return out if fc is None else affine(fc, out), last
