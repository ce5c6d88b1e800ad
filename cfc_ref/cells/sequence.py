r"""A network over a sequence, and backpropagation through time.

Nothing here knows what a step computes: ``step(params, x, state, dt)`` returns (state, kept), ``d_step(params, kept,
d_state)`` returns the gradients of its four arguments. A state is a tuple of arrays, None for a part that is not there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from cfc_ref.cells.tree import tree_map

__all__ = ["d_over_time", "over_time"]

Array = npt.NDArray[Any]


def over_time(
    step: Callable[..., Any], params: Any, x: Array, state: Any, dt: Array, mask: Array | None = None, *, keep: bool
) -> tuple[list[Any], list[Any]]:
    r"""Run a network over a sequence, :math:`s_k = \mathrm{step}(x_k, s_{k-1}, t_k)`; a masked step holds the state.

    Parameters
    ----------
    step : callable
        One time step, of a batch.
    params : nested tuples of ndarray
        Its parameters.
    x : ndarray, shape (batch, time, inputs)
        Inputs.
    state : tuple of ndarray
        The state before the first step, shapes (batch, units).
    dt : ndarray, shape (batch, time)
        dt[:, k] is the time from sample k - 1 to sample k.
    mask : ndarray of bool, shape (batch, time), optional
        True where a step is real.
    keep : bool
        Whether to return what the backward needs.

    Returns
    -------
    states : list of time + 1 states
        The first is the given one.
    kept : list
        What each step kept; empty without `keep`.
    """
    states, kept = [state], []
    for k in range(x.shape[1]):
        new, kept_k = step(params, x[:, k], state, dt[:, k, None])
        state = new if mask is None else tree_map(_choose(mask[:, k, None]), new, state)
        states.append(state)
        if keep:
            kept.append(kept_k)
    return states, kept


def d_over_time(
    d_step: Callable[..., Any], params: Any, kept: list[Any], d_states: list[Any], mask: Array | None = None
) -> tuple[Any, Array, Any, Array]:
    r"""Backward of :func:`over_time`: backpropagation through time.

    .. math:: \bar s_{k-1} \mathrel{+}= \Big(\frac{\partial s_k}{\partial s_{k-1}}\Big)^{\!\top} \bar s_k, \qquad
              \bar\theta = \sum_k \Big(\frac{\partial s_k}{\partial \theta}\Big)^{\!\top} \bar s_k

    At a masked step the gradient passes to the state that was held, and nothing else gets any.

    Parameters
    ----------
    d_step : callable
        Backward of the step.
    params : nested tuples of ndarray
        As in the forward.
    kept : list
        What each step kept; at least one.
    d_states : list of time + 1 states
        Gradient of each of the forward's states by what was made of it directly; a leaf may be 0.
    mask : ndarray of bool, shape (batch, time), optional
        As in the forward.

    Returns
    -------
    d_params : nested tuples of ndarray
    d_x : ndarray, shape (batch, time, inputs)
    d_state : tuple of ndarray
        Gradient of the state before the first step.
    d_dt : ndarray, shape (batch, time)
    """
    d_params, d_x, d_dt = tree_map(np.zeros_like, params), [], []
    d_state = d_states[-1]
    for k in reversed(range(len(kept))):
        d_new, d_held = d_state, None
        if mask is not None:
            real = mask[:, k, None]
            d_new = tree_map(lambda d, real=real: np.where(real, d, 0), d_state)
            d_held = tree_map(lambda d, real=real: np.where(real, 0, d), d_state)
        d_params_k, d_x_k, d_state, d_dt_k = d_step(params, kept[k], d_new)
        if d_held is not None:
            d_state = tree_map(np.add, d_state, d_held)
        d_state = tree_map(np.add, d_state, d_states[k])
        d_params = tree_map(np.add, d_params, d_params_k)
        d_x.append(d_x_k)
        d_dt.append(d_dt_k[:, 0])
    return d_params, np.stack(d_x[::-1], axis=1), d_state, np.stack(d_dt[::-1], axis=1)


def _choose(real: Array) -> Callable[[Array, Array], Array]:
    return lambda new, held: np.where(real, new, held)
