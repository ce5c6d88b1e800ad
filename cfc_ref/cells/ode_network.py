r"""One time step of a whole LTC network: mixed memory, the inputs' map, and the cell's ODE."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cfc_ref.cells.lstm import LSTMKept, LSTMParams, d_lstm_step, lstm_step
from cfc_ref.cells.solvers import Scheme, SolverKept, d_solver_step, solver_step

__all__ = ["ODEKept", "ODENetwork", "Scaling", "State", "d_ode_step", "d_scaled", "ode_step", "scaled"]

Array = npt.NDArray[Any]
State = tuple[Array, Array | None]


class Scaling(NamedTuple):
    """A factor and a shift for each feature, shape (features,); b is None for a linear map."""

    w: Any
    b: Any


class ODENetwork(NamedTuple):
    """Parameters of an LTC network.

    Attributes
    ----------
    cell : NamedTuple
        Of the ODE.
    input_map : Scaling or None
        What the inputs go through before they reach the cell.
    lstm : LSTMParams or None
        The mixed memory.
    """

    cell: Any
    input_map: Scaling | None = None
    lstm: LSTMParams | None = None


class ODEKept(NamedTuple):
    """What the backward of a time step needs."""

    x: Array
    solver: SolverKept
    lstm: LSTMKept | None


def scaled(params: Scaling | None, u: Array) -> Array:
    r"""Map each feature by itself, :math:`y_i = w_i u_i + b_i`; without parameters y = u.

    Parameters
    ----------
    params : Scaling or None
        Factors and shifts.
    u : ndarray, shape (..., features)
        Argument.
    """
    if params is None:
        return u
    return params.w * u if params.b is None else params.w * u + params.b


def d_scaled(params: Scaling | None, u: Array, d_y: Array) -> tuple[Scaling | None, Array]:
    r"""Backward of :func:`scaled`.

    .. math:: \bar w_i = \sum u_i\,\bar y_i, \qquad \bar b_i = \sum \bar y_i, \qquad \bar u_i = w_i\,\bar y_i

    Parameters
    ----------
    params : Scaling or None
        As in the forward.
    u : ndarray, shape (batch, features)
        As in the forward.
    d_y : ndarray, shape (batch, features)
        Gradient of the result.
    """
    if params is None:
        return None, d_y
    d_b = None if params.b is None else d_y.sum(axis=0)
    return Scaling((u * d_y).sum(axis=0), d_b), params.w * d_y


def ode_step(
    params: ODENetwork, x: Array, state: State, dt: Array, scheme: Scheme, before: Array | None = None
) -> tuple[State, ODEKept]:
    r"""One time step of an LTC network.

    With mixed memory an LSTM takes (I, (x, m)) to (x', m'), and the ODE starts at x'.

    Parameters
    ----------
    params : ODENetwork
        Parameters.
    x : ndarray, shape (batch, inputs)
        The sample.
    state : (h, c)
        Two ndarrays of shape (batch, units); c is None without mixed memory.
    dt : ndarray, shape (batch, 1)
        Time since the previous sample, >= 0.
    scheme : Scheme
        How to solve the ODE.
    before : ndarray, shape (batch, inputs), optional
        The previous sample, from which the input runs along a line; by default it is held.

    Returns
    -------
    state : (h, c)
        The next state.
    kept : ODEKept
    """
    h, c = state
    kept_lstm = None
    if params.lstm is not None and c is not None:
        h, c, kept_lstm = lstm_step(params.lstm, x, h, c)
    I = scaled(params.input_map, x if before is None else np.stack([before, x]))
    h, kept = solver_step(scheme, params.cell, I, h, dt)
    return (h, c), ODEKept(x, kept, kept_lstm)


def d_ode_step(
    params: ODENetwork, kept: ODEKept, d_state: State, scheme: Scheme, d_step: Callable[..., Any] = d_solver_step
) -> tuple[ODENetwork, Array, State, Array]:
    r"""Backward of :func:`ode_step`: the ODE, the inputs' map, the mixed memory.

    Parameters
    ----------
    params, scheme
        As in the forward.
    kept : ODEKept
        As the forward returned it, of a held input.
    d_state : (d_h, d_c)
        Gradients of the next state; d_c is None without mixed memory.
    d_step : callable
        The ODE's backward: that of its solver, or the adjoint (:mod:`cfc_ref.cells.adjoint`).

    Returns
    -------
    d_params : ODENetwork
    d_x : ndarray, shape (batch, inputs)
    d_state : (d_h, d_c)
        Gradients of the state before the step.
    d_dt : ndarray, shape (batch, 1)
    """
    d_h, d_c = d_state
    d_cell, d_I, d_h, d_dt = d_step(scheme, params.cell, kept.solver, d_h)
    d_input_map, d_x = d_scaled(params.input_map, kept.x, d_I)
    d_lstm = None
    if params.lstm is not None and kept.lstm is not None and d_c is not None:
        d_lstm, d_x_lstm, d_h, d_c = d_lstm_step(params.lstm, kept.lstm, d_h, d_c)
        d_x = d_x + d_x_lstm
    return ODENetwork(d_cell, d_input_map, d_lstm), d_x, (d_h, d_c), d_dt
