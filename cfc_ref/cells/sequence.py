r"""A network over a sequence, and backpropagation through time.

Any step will do: ``step(params, x, state, dt)`` returns (state, kept), ``d_step(params, kept, d_state)`` returns the
gradients of its four arguments. A state is a tuple of arrays, None for a missing one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from cfc_ref.arrays import Array
from cfc_ref.cells.tree import tree_map

__all__ = ["d_over_time", "d_run", "over_time", "run"]


def over_time(
    step: Callable[..., Any], params: Any, x: Array, state: Any, dt: Array, mask: Array | None = None, *, keep: bool
) -> tuple[list[Any], list[Any]]:
    r"""Run a network over a sequence, :math:`s_k = \mathrm{step}(x_k, s_{k-1}, t_k)`; a masked step holds the state.

    Shapes: `x` (batch, time, inputs), `state` arrays (batch, units), `dt` and `mask` (batch, time), dt[:, k] the time
    from sample k - 1 to sample k. Returns time + 1 states, the given one first, and with `keep` what each step kept.
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
    r"""Backpropagate through time: return the gradients of params, x, the first state and dt.

    .. math:: \bar s_{k-1} \mathrel{+}= \Big(\frac{\partial s_k}{\partial s_{k-1}}\Big)^{\!\top} \bar s_k, \qquad
              \bar\theta = \sum_k \Big(\frac{\partial s_k}{\partial \theta}\Big)^{\!\top} \bar s_k

    `d_states` are the gradients of the loss by each of the forward's time + 1 states directly; a leaf may be 0. At a
    masked step the gradient passes to the state that was held, and nothing else gets any.
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


def run(
    step: Callable[..., Any], params: Any, x: Array, state: Any, dt: Array, mask: Array | None, *, keep: bool
) -> tuple[list[Array], Any, list[Any]]:
    """Run a network over a sequence; return h, the first array, of each state, the last state, and what is kept."""
    states, kept = over_time(step, params, x, state, dt, mask, keep=keep)
    return [h for h, *_ in states[1:]], states[-1], kept


def d_run(
    d_step: Callable[..., Any], params: Any, kept: list[Any], d_h: Sequence[Array] | Array, d_state: Any, mask: Any
) -> tuple[Any, Array, Any, Array]:
    """Backward of :func:`run`: `d_h` are the gradients of the last states h, and `d_state` adds to that of the last."""
    nothing = [None if d is None else 0 for d in d_state[1:]]
    d_states: list[Any] = [(d, *nothing) for d in [*[0] * (len(kept) + 1 - len(d_h)), *d_h]]
    d_states[-1] = tree_map(np.add, d_state, d_states[-1])
    return d_over_time(d_step, params, kept, d_states, mask)


def _choose(real: Array) -> Callable[[Array, Array], Array]:
    return lambda new, held: np.where(real, new, held)
