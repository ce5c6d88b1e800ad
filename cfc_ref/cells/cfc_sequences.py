r"""A CfC network over sequences, and one sequence with its outputs: what a layer calls, and what has kernels.

Everything is :mod:`cfc_ref.cells.cfc_network`'s step, again and again.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from cfc_ref.cells.cfc import Drop
from cfc_ref.cells.cfc_heads import CfCForm
from cfc_ref.cells.cfc_network import CfCNetwork, State, d_network_step, network_step
from cfc_ref.cells.dense import Dense, affine
from cfc_ref.cells.sequence import d_over_time, over_time

__all__ = ["cfc_sequence", "cfc_stream", "d_cfc_sequence"]

Array = npt.NDArray[Any]


def cfc_sequence(
    params: CfCNetwork,
    x: Array,
    state: State,
    dt: Array,
    mask: Array | None,
    form: CfCForm,
    drop: Sequence[Drop] = (),
    *,
    keep: bool,
    timed: bool = True,
) -> tuple[Sequence[Array] | Array, State, Any]:
    r"""Run a CfC network over sequences, :math:`s_k = \mathrm{step}(x_k, s_{k-1}, t_k)`; a masked step holds the state.

    Parameters
    ----------
    params : CfCNetwork
        Parameters.
    x : ndarray, shape (batch, time, inputs)
        Inputs.
    state : (h, c)
        The state before the first step, shapes (batch, units); c is None without mixed memory.
    dt : ndarray, shape (batch, time)
        dt[:, k] is the time from sample k - 1 to sample k, >= 0.
    mask : ndarray of bool, shape (batch, time), or None
        True where a step is real.
    form : CfCForm
        Mode, variant, activation and forget bias.
    drop : sequence of tuples of ndarray or None
        Dropout factors of the one cell's backbone, a tuple for each time step; empty where nothing drops.
    keep : bool
        Whether to return what the backward needs.
    timed : bool
        Whether the backward is asked for the gradient of `dt`: a kernel keeps more for it.

    Returns
    -------
    h : list of ndarray, or ndarray of shape (time, batch, units)
        The state after each step.
    state : (h, c)
        The last state.
    kept
        For the backward alone.
    """
    factors = iter(drop)

    def step(params: CfCNetwork, x: Array, state: State, dt: Array) -> Any:
        return network_step(params, x, state, dt, form, next(factors, ()))

    states, kept = over_time(step, params, x, state, dt, mask, keep=keep)
    return [h for h, _ in states[1:]], states[-1], kept


def d_cfc_sequence(
    params: CfCNetwork, kept: Any, d_h: Sequence[Array] | Array, d_state: State, mask: Array | None, form: CfCForm
) -> tuple[CfCNetwork, Array, State, Array]:
    r"""Backward of :func:`cfc_sequence` over at least one step.

    .. math:: \bar s_{k-1} \mathrel{+}= \Big(\frac{\partial s_k}{\partial s_{k-1}}\Big)^{\!\top} \bar s_k, \qquad
              \bar\theta = \sum_k \Big(\frac{\partial s_k}{\partial \theta}\Big)^{\!\top} \bar s_k

    Parameters
    ----------
    params, mask, form
        As in the forward.
    kept
        As the forward returned it.
    d_h : sequence of ndarray, shapes (batch, units), or ndarray
        Gradients of the last states that the forward returned: of all of them, or of fewer.
    d_state : (d_h, d_c)
        What else there is of a gradient of the last state.

    Returns
    -------
    d_params : CfCNetwork
    d_x : ndarray, shape (batch, time, inputs)
    d_state : (d_h, d_c)
        Gradient of the state before the first step.
    d_dt : ndarray, shape (batch, time)
        0 where the forward was not `timed`.
    """
    nothing = None if d_state[1] is None else 0
    d_states: list[Any] = [(0, nothing)] * (len(kept) + 1 - len(d_h)) + [(d, nothing) for d in d_h]
    d_last = d_states[-1][0] + d_state[0], d_state[1]
    return d_over_time(partial(d_network_step, form=form), params, kept, [*d_states[:-1], d_last], mask)


def cfc_stream(
    params: CfCNetwork,
    fc: Dense | None,
    read: slice,
    x: Array,
    state: State,
    dt: Array,
    mask: Array | None,
    form: CfCForm,
) -> tuple[Array, State]:
    r"""Run a CfC network over one sequence and read it out, :math:`y_k = W h_k + b`.

    Parameters
    ----------
    params : CfCNetwork
        Parameters.
    fc : Dense or None
        The output's linear map; without it the output is the state.
    read : slice
        The neurons that are read.
    x : ndarray, shape (time, inputs)
        Inputs.
    state : (h, c)
        The state before the first step, shapes (1, units).
    dt : ndarray, shape (time,)
        Times, >= 0.
    mask : ndarray of bool, shape (time,), or None
        True where a step is real.
    form : CfCForm
        As in :func:`cfc_sequence`.

    Returns
    -------
    y : ndarray, shape (time, outputs)
    state : (h, c)
        The last state.
    """
    whole = None if mask is None else mask[None]
    h, last, _ = cfc_sequence(params, x[None], state, dt[None], whole, form, keep=False)
    out = np.concatenate([state[0][:0], *h])[:, read]
    return out if fc is None else affine(fc, out), last
