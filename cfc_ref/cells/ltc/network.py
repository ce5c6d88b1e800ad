r"""An LTC network: one time step, sequences of them, and one sequence read out.

A time step goes through the mixed memory, the inputs' map, and the cell's ODE. :func:`step` serves every equation of
:mod:`cfc_ref.cells.ode`; the functions over sequences are of both LTCs, which have kernels.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from cfc_ref.arrays import Array
from cfc_ref.cells.dense import Dense, affine
from cfc_ref.cells.lstm import LSTMKept, LSTMParams, d_lstm_step, lstm_step
from cfc_ref.cells.ltc.neural import NEURAL
from cfc_ref.cells.ltc.synapses import synaptic
from cfc_ref.cells.ode import Scheme, SolverKept
from cfc_ref.cells.sequence import d_run, run
from cfc_ref.cells.solvers import d_solver_step, overstep, solver_step

__all__ = [
    "LTCSettings",
    "NetworkKept",
    "ODENetwork",
    "Readout",
    "Scaling",
    "State",
    "d_scaled",
    "d_sequence",
    "d_step",
    "scaled",
    "sequence",
    "step",
    "stream",
]

State = tuple[Array, Array | None]


class Scaling(NamedTuple):
    """A factor and a shift for each feature, shape (features,); b is None for a linear map."""

    w: Any
    b: Any


class ODENetwork(NamedTuple):
    """Parameters of a network with an ODE."""

    cell: Any  # parameters of the ODE
    input_map: Scaling | None = None  # map of the inputs before they reach the cell
    lstm: LSTMParams | None = None  # the mixed memory


Readout = tuple[Scaling | None, Dense | None]  # of the motor neurons: a map of each, then a linear map of them all


class NetworkKept(NamedTuple):
    """Values that the backward of a time step needs."""

    x: Array
    solver: SolverKept
    lstm: LSTMKept | None


def scaled(params: Scaling | None, u: Array) -> Array:
    r"""Return :math:`y_i = w_i u_i + b_i`, a map of each feature by itself; without parameters y = u."""
    if params is None:
        return u
    return params.w * u if params.b is None else params.w * u + params.b


def d_scaled(params: Scaling | None, u: Array, d_y: Array) -> tuple[Scaling | None, Array]:
    r"""Return the gradients of the parameters and of u, the backward of :func:`scaled`.

    .. math:: \bar w_i = \sum u_i\,\bar y_i, \qquad \bar b_i = \sum \bar y_i, \qquad \bar u_i = w_i\,\bar y_i
    """
    if params is None:
        return None, d_y
    d_b = None if params.b is None else d_y.sum(axis=0)
    return Scaling((u * d_y).sum(axis=0), d_b), params.w * d_y


def step(
    params: ODENetwork, x: Array, state: State, dt: Array, scheme: Scheme, before: Array | None = None
) -> tuple[State, NetworkKept]:
    r"""Take one time step: with mixed memory an LSTM takes (I, (x, m)) to (x', m'), and the ODE starts at x'.

    Shapes: `x` (batch, inputs), `state` (h, c), each (batch, units), c is None without mixed memory; `dt` (batch, 1).
    The input is held, or runs along a line from the sample `before`, shape (batch, inputs).
    """
    h, c = state
    kept_lstm = None
    if params.lstm is not None and c is not None:
        h, c, kept_lstm = lstm_step(params.lstm, x, h, c)
    I = scaled(params.input_map, x if before is None else np.stack([before, x]))
    h, kept = solver_step(scheme, params.cell, I, h, dt)
    return (h, c), NetworkKept(x, kept, kept_lstm)


def d_step(
    params: ODENetwork,
    kept: NetworkKept,
    d_state: State,
    scheme: Scheme,
    d_solver: Callable[..., Any] = d_solver_step,  # or the adjoint (:mod:`cfc_ref.cells.adjoint`)
) -> tuple[ODENetwork, Array, State, Array]:
    r"""Return the gradients of params, x, state and dt: back through the ODE, the inputs' map, the mixed memory."""
    d_h, d_c = d_state
    d_cell, d_I, d_h, d_dt = d_solver(scheme, params.cell, kept.solver, d_h)
    d_input_map, d_x = d_scaled(params.input_map, kept.x, d_I)
    d_lstm = None
    if params.lstm is not None and kept.lstm is not None and d_c is not None:
        d_lstm, d_x_lstm, d_h, d_c = d_lstm_step(params.lstm, kept.lstm, d_h, d_c)
        d_x = d_x + d_x_lstm
    return ODENetwork(d_cell, d_input_map, d_lstm), d_x, (d_h, d_c), d_dt


# --- whole sequences of LTCs


class LTCSettings(NamedTuple):
    """Settings of an LTC."""

    solver: str = "fused"  # a solver with parts, a key of :data:`cfc_ref.cells.solvers.SOLVERS`
    parts: int = 6  # equal parts of a time step, where `step` is None
    epsilon: float = 1e-8  # one more conductance of every neuron, whose reversal potential is 0
    step: float | None = None  # the longest part
    neural: bool = False  # whether the ODE is the papers' Eq. 1, with a neural f
    # takes length and rate of the part with the largest product, of a step that left the solver's stability region
    watch: Callable[[float, float], None] | None = None

    @property
    def scheme(self) -> Scheme:
        """The same for the solvers."""
        return Scheme(NEURAL if self.neural else synaptic(self.epsilon), self.solver, self.parts, self.step)


def _watched_step(
    params: ODENetwork, x: Array, state: State, dt: Array, settings: LTCSettings
) -> tuple[State, NetworkKept]:
    """Take one time step, and report it if it left the solver's stability region."""
    new, kept = step(params, x, state, dt, settings.scheme)
    over = None if settings.watch is None else overstep(settings.scheme, params.cell, kept.solver)
    if over is not None and settings.watch is not None:
        settings.watch(over.h, over.rate)
    return new, kept


def sequence(
    params: ODENetwork, x: Array, state: State, dt: Array, mask: Array | None, settings: LTCSettings, *, keep: bool
) -> tuple[Sequence[Array] | Array, State, Any]:
    r"""Run an LTC over sequences, :math:`x_k = \mathrm{step}(I_k, x_{k-1}, t_k)`; a masked step holds the state.

    Shapes: `x` (batch, time, inputs), `dt` and `mask` (batch, time), dt[:, k] the time from sample k - 1 to sample k;
    `state` is (h, c), each (batch, units), c is None without mixed memory; w is 0 where there is no synapse. `keep`
    asks for what the backward needs. Returns the states h after each step, time first, the last state, what is kept.

    Twin: :func:`cfc_ref.kernels.ltc.network.sequence`.
    """
    return run(partial(_watched_step, settings=settings), params, x, state, dt, mask, keep=keep)


def d_sequence(
    params: ODENetwork,
    kept: Any,
    d_h: Sequence[Array] | Array,
    d_state: State,
    mask: Array | None,
    settings: LTCSettings,
) -> tuple[ODENetwork, Array, State, Array]:
    r"""Backward of :func:`sequence` over at least one step; a missing synapse gets no gradient.

    `d_h` are the gradients of the last states that the forward returned, of all of them or of fewer, and `d_state` is
    added to that of the last one. Returns the gradients of the parameters, x, the first state and dt.

    Twin: :func:`cfc_ref.kernels.ltc.network.d_sequence`.
    """
    d_params, *others = d_run(partial(d_step, scheme=settings.scheme), params, kept, d_h, d_state, mask)
    if settings.neural:
        return d_params, *others
    d_cell, cell = d_params.cell, params.cell
    d_cell = d_cell._replace(w=d_cell.w * (cell.w != 0), sensory_w=d_cell.sensory_w * (cell.sensory_w != 0))
    return d_params._replace(cell=d_cell), *others


def stream(
    params: ODENetwork,
    readout: Readout,
    read: slice,
    x: Array,
    state: State,
    dt: Array,
    mask: Array | None,
    settings: LTCSettings,
) -> tuple[Array, State]:
    r"""Run an LTC over sequences and read its motor neurons `read` out, :math:`y_k = W\,(w \odot x_k + b) + c`.

    Shapes as in :func:`sequence`. Returns the outputs, shape (time · batch, outputs), and the last state.

    Twin: :func:`cfc_ref.kernels.ltc.network.stream`.
    """
    h, last, _ = sequence(params, x, state, dt, mask, settings, keep=False)
    output_map, fc = readout
    y = scaled(output_map, np.concatenate([state[0][:0], *h])[:, read])
    return y if fc is None else affine(fc, y), last
