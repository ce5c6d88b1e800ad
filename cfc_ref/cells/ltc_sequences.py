r"""A synaptic LTC over sequences: what a layer calls, and what has kernels.

Everything is :mod:`cfc_ref.cells.ode_network`'s step, again and again, without mixed memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cfc_ref.cells.dense import Dense, affine
from cfc_ref.cells.ltc import synaptic
from cfc_ref.cells.ode_network import ODENetwork, Scaling, State, d_ode_step, ode_step, scaled
from cfc_ref.cells.sequence import d_over_time, over_time
from cfc_ref.cells.solvers import Scheme

__all__ = ["LTCForm", "d_ltc_sequence", "ltc_sequence", "ltc_stream"]

Array = npt.NDArray[Any]


class LTCForm(NamedTuple):
    """How a synaptic LTC is solved.

    Attributes
    ----------
    solver : str
        One of fixed steps (:data:`cfc_ref.cells.solvers.SOLVERS`); kernels know "fused" and "frozen".
    unfolds : int
        Equal parts of a time step.
    epsilon : float
        One more conductance of every neuron, on the value 0.
    """

    solver: str = "fused"
    unfolds: int = 6
    epsilon: float = 1e-8

    @property
    def scheme(self) -> Scheme:
        """The same, as the solvers take it."""
        return Scheme(synaptic(self.epsilon), self.solver, self.unfolds)


def ltc_sequence(
    params: ODENetwork, x: Array, state: State, dt: Array, mask: Array | None, form: LTCForm, *, keep: bool
) -> tuple[Sequence[Array] | Array, State, Any]:
    r"""Run an LTC over sequences, :math:`x_k = \mathrm{step}(I_k, x_{k-1}, t_k)`; a masked step holds the state.

    Parameters
    ----------
    params : ODENetwork
        Parameters of a synaptic LTC; w is 0 where there is no synapse.
    x : ndarray, shape (batch, time, inputs)
        Inputs.
    state : (h, None)
        The state before the first step, shape (batch, units).
    dt : ndarray, shape (batch, time)
        dt[:, k] is the time from sample k - 1 to sample k, >= 0.
    mask : ndarray of bool, shape (batch, time), or None
        True where a step is real.
    form : LTCForm
        Solver, parts of a step, and ε.
    keep : bool
        Whether to return what the backward needs.

    Returns
    -------
    h : list of ndarray, or ndarray of shape (time, batch, units)
        The state after each step.
    state : (h, None)
        The last state.
    kept
        For the backward alone.
    """
    step = partial(ode_step, scheme=form.scheme)
    states, kept = over_time(step, params, x, state, dt, mask, keep=keep)
    return [h for h, _ in states[1:]], states[-1], kept


def d_ltc_sequence(
    params: ODENetwork, kept: Any, d_h: Sequence[Array] | Array, d_state: State, mask: Array | None, form: LTCForm
) -> tuple[ODENetwork, Array, State, Array]:
    r"""Backward of :func:`ltc_sequence` over at least one step; a synapse that is not there gets no gradient.

    Parameters
    ----------
    params, mask, form
        As in the forward.
    kept
        As the forward returned it.
    d_h : sequence of ndarray, shapes (batch, units), or ndarray
        Gradients of the last states that the forward returned: of all of them, or of fewer.
    d_state : (d_h, None)
        What else there is of a gradient of the last state.

    Returns
    -------
    d_params : ODENetwork
    d_x : ndarray, shape (batch, time, inputs)
    d_state : (d_h, None)
        Gradient of the state before the first step.
    d_dt : ndarray, shape (batch, time)
    """
    d_states: list[Any] = [(0, None)] * (len(kept) + 1 - len(d_h)) + [(d, None) for d in d_h]
    d_last = d_states[-1][0] + d_state[0], None
    d_step = partial(d_ode_step, scheme=form.scheme)
    d_params, *others = d_over_time(d_step, params, kept, [*d_states[:-1], d_last], mask)
    cell, there = d_params.cell, (params.cell.w != 0, params.cell.sensory_w != 0)
    cell = cell._replace(w=cell.w * there[0], sensory_w=cell.sensory_w * there[1])
    return d_params._replace(cell=cell), *others


def ltc_stream(
    params: ODENetwork,
    readout: tuple[Scaling | None, Dense | None],
    read: slice,
    x: Array,
    state: State,
    dt: Array,
    mask: Array | None,
    form: LTCForm,
) -> tuple[Array, State]:
    r"""Run an LTC network over one sequence and read it out, :math:`y_k = W\,(w \odot x_k + b) + c`.

    Parameters
    ----------
    params : ODENetwork
        Parameters.
    readout : (Scaling or None, Dense or None)
        What the motor neurons go through: a map of each, and a linear map of them all.
    read : slice
        The motor neurons, the first ones.
    x : ndarray, shape (time, inputs)
        Inputs.
    state : (h, None)
        The state before the first step, shape (1, units).
    dt : ndarray, shape (time,)
        Times, >= 0.
    mask : ndarray of bool, shape (time,), or None
        True where a step is real.
    form : LTCForm
        As in :func:`ltc_sequence`.

    Returns
    -------
    y : ndarray, shape (time, outputs)
    state : (h, None)
        The last state.
    """
    whole = None if mask is None else mask[None]
    h, last, _ = ltc_sequence(params, x[None], state, dt[None], whole, form, keep=False)
    output_map, fc = readout
    y = scaled(output_map, np.concatenate([state[0][:0], *h])[:, read])
    return y if fc is None else affine(fc, y), last
