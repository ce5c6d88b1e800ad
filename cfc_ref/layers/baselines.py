r"""The networks with which the papers compare, called like :class:`cfc_ref.CfC`: an LSTM, and a CT-RNN.

They follow the code of the experiments whose figures the papers' tables repeat (Lechner & Hasani 2020,
github.com/mlech26l/ode-lstms, node_cell.py). Neither has a wiring, mixed memory, or kernels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cfc_ref.arrays import Array
from cfc_ref.cells.ctrnn import CTRNNParams, ctrnn_equation, trace_ctrnn
from cfc_ref.cells.lstm import LSTMKept, LSTMParams, LSTMSequenceKept, d_lstm_sequence, lstm_sequence, lstm_step
from cfc_ref.layers.base import Layer, Params
from cfc_ref.layers.initial import initialise_cfc, initialise_recurrent
from cfc_ref.layers.ode_layer import ODELayer
from cfc_ref.layers.settings import CTRNNLayerSettings, Default, LSTMLayerSettings

if TYPE_CHECKING:
    import numpy.typing as npt

    from cfc_ref.cells.ltc.network import NetworkKept, ODENetwork
    from cfc_ref.cells.ode import Equation

__all__ = ["CTRNN", "LSTM"]


class LSTM(Layer):
    r"""An LSTM over sequences, with the elapsed time as one more input: the papers' "augmented LSTM".

    .. math:: (z_a, z_i, z_f, z_o) = W\,[x, t] + b + R\,h, \qquad
              c^+ = \sigma(z_f + \beta) \odot c + \sigma(z_i) \odot \tanh z_a, \qquad
              h^+ = \sigma(z_o) \odot \tanh c^+

    Called like :class:`cfc_ref.CfC`; the state is a pair (h, c).

    Parameters
    ----------
    units : int
        Cells.
    input_size, proj_size, return_sequences, batch_first, dtype, seed
        As in :class:`cfc_ref.CfC`; the projection is that of the state h.
    forget_bias : float
        :math:`\beta` of the forget gate.
    timed : bool
        Whether the timespan t is one more feature, after those of x. Without it time changes nothing, and timespans
        are refused.
    backend : {"auto", "numpy"}
        Who computes.

    Raises
    ------
    ValueError, TypeError
        For an argument that does not fit.

    Notes
    -----
    Weights: ``rnn_cell.input_map.weight`` W, shape (4 units, features), with ``.bias`` b, and
    ``rnn_cell.recurrent_map.weight`` R, shape (4 units, units); blocks of rows a, i, f, o. ``fc.weight`` and
    ``fc.bias`` with `proj_size`, which is not that of ``torch.nn.LSTM``, whose projection goes back into its gates.

    :meth:`trace` returns "state" h, "candidate" a, "input_gate" i, "forget_gate" f (with its bias), and "output_gate"
    o, each of shape (B, T, units).

    The same network of ``torch.nn.LSTM(input_size + 1, units)``, where the timespan is the last feature, has the blocks
    i, f, a, o: ``weight_ih_l0`` is W and ``weight_hh_l0`` is R in that order, ``bias_ih_l0`` is b in that order with β
    added to the block f, and ``bias_hh_l0`` is 0. Where β is 0 its two biases add up to b.

    Examples
    --------
    >>> layer = LSTM(3, 8, proj_size=2, seed=0)
    >>> output, (h, c) = layer(np.ones((4, 5, 3)), timespans=np.full((4, 5), 0.5))
    >>> output.shape, h.shape, c.shape
    ((4, 5, 2), (4, 8), (4, 8))
    """

    mixed_memory = True  # the state is a pair
    forget_bias: float
    _Settings = LSTMLayerSettings

    def __init__(
        self,
        input_size: int,
        units: int,
        proj_size: int | None = None,
        return_sequences: bool = True,
        batch_first: bool = True,
        *,
        forget_bias: float = 1.0,
        timed: bool = True,
        dtype: npt.DTypeLike = "float32",
        seed: int | np.random.Generator | None = None,
        backend: str = "auto",
    ) -> None:
        super().__init__(LSTMLayerSettings.of(locals()), units, seed, backend)

    @property
    def _live(self) -> tuple[str, ...]:
        return *super()._live, "forget_bias"

    def _allocate(self) -> Params:
        cell = self._recurrent("rnn_cell", 4 * self.state_size, self.input_size + self.timed)
        return Params(LSTMParams(*cell), self._projection())

    def _draw(self, rng: np.random.Generator) -> None:
        _initialise(self._arrays, rng)

    # --- time steps

    def _features(self, x: Array, dt: Array) -> Array:
        """Return inputs with their timespans, both with any axes before the last one."""
        return np.concatenate([x, dt], axis=-1) if self.timed else x

    def _step(self, params: LSTMParams, x: Array, state: Any, dt: Array) -> tuple[Any, LSTMKept]:
        h, c, kept = lstm_step(params, self._features(x, dt), state[0], state[1], self.forget_bias)
        return (h, c), kept

    def _over_time(
        self, params: Any, x: Array, state: Any, dt: Array, mask: Array | None, settings: Any, *, keep: bool
    ) -> tuple[Any, Any, LSTMSequenceKept]:
        kept = lstm_sequence(params, self._features(x, dt[:, :, None]), state, mask, self.forget_bias, keep=keep)
        return kept.h[1:], (kept.h[-1], kept.c[-1]), kept

    def _d_over_time(
        self,
        params: Any,
        kept: LSTMSequenceKept,
        d_h: Array,
        d_state: Any,
        mask: Array | None,
        settings: Any,
        d_step: Any = None,
    ) -> tuple[Any, Array, Any, Array]:
        d_params, d_x, d_state = d_lstm_sequence(params, kept, d_h, d_state, mask)
        d_dt = d_x[:, :, -1] if self.timed else np.zeros(d_x.shape[:2], d_x.dtype)
        return d_params, d_x[:, :, : self.input_size], d_state, d_dt

    def _trace(self, params: LSTMParams, kept: LSTMKept) -> dict[str, Array]:
        return {"candidate": kept.a, "input_gate": kept.i, "forget_gate": kept.f, "output_gate": kept.o}

    def _about(self) -> str:
        return "" if self.timed else ", without the elapsed time"


class CTRNN(ODELayer):
    r"""A continuous-time recurrent network over sequences: neurons that all forget at one fixed rate.

    .. math:: \dot x = -\frac{x}{\tau} + s \odot \tanh(W I + R\,x + b)

    Called like :class:`cfc_ref.LTC`, from which it differs in its ODE alone.

    Parameters
    ----------
    units : int
        Neurons.
    input_size, proj_size, return_sequences, batch_first, dtype, seed
        As in :class:`cfc_ref.CfC`.
    tau : float
        Time constant τ of all neurons, > 0, in the unit of the timespans; it is not trained.
    ode_unfolds : int
        Equal parts of a timespan; not used by scipy.
    solver : {"rk4", "euler", "fused", "frozen", "frozen_midpoint", "cf4", "scipy"}
        Of the ODE, as in :class:`cfc_ref.LTC`.
    backend : {"auto", "numpy"}
        Who computes.
    step : float, optional
        The longest part, instead of `ode_unfolds`, as in :class:`cfc_ref.LTC`.

    Raises
    ------
    ValueError, TypeError
        For an argument that does not fit.

    Warns
    -----
    RuntimeWarning
        Once per layer, if an explicit solver leaves its stability region: Euler's parts longer than 2 τ, RK4's than
        2.785 τ.

    Notes
    -----
    As in the code of the experiments: three parts of RK4, a trained scale s, τ = 1, and the sample's timespan. In that
    code ``tau`` is the rate 1/τ, and 0 is a network that forgets nothing, which this layer does not offer.

    Weights: ``rnn_cell.input_map.weight`` W, shape (units, inputs), with ``.bias`` b; ``rnn_cell.recurrent_map.weight``
    R, shape (units, units); ``rnn_cell.scale`` s. ``fc.weight`` and ``fc.bias`` with `proj_size`.

    :meth:`trace` returns "state", "drive", "equilibrium", "leak_current" and "current" at the end of every time step
    (:func:`cfc_ref.cells.ctrnn.trace_ctrnn`), each of shape (B, T, units). At a masked step they are those of a step of
    no length with input 0.

    Examples
    --------
    >>> layer = CTRNN(3, 8, proj_size=2, seed=0)
    >>> output, hx = layer(np.ones((4, 5, 3)), timespans=np.full((4, 5), 0.5))
    >>> output.shape, hx.shape
    ((4, 5, 2), (4, 8))
    """

    mixed_memory = False
    implicit_param_constraints = True  # no weight must be positive
    _positive = frozenset()
    tau: float
    _unfolds = Default(3)
    _Settings = CTRNNLayerSettings

    def __init__(
        self,
        input_size: int,
        units: int,
        proj_size: int | None = None,
        return_sequences: bool = True,
        batch_first: bool = True,
        *,
        tau: float = 1.0,
        ode_unfolds: int | None = _unfolds,
        solver: str = "rk4",
        dtype: npt.DTypeLike = "float32",
        seed: int | np.random.Generator | None = None,
        backend: str = "auto",
        step: float | None = None,
    ) -> None:
        super().__init__(CTRNNLayerSettings.of(locals()), units, seed, backend)

    def _allocate_cell(self) -> tuple[CTRNNParams, None, None]:
        cell = self._recurrent("rnn_cell", self.state_size, self.input_size)
        self._arrays["rnn_cell.scale"] = np.zeros(self.state_size, self.dtype)
        return CTRNNParams(*cell, "rnn_cell.scale"), None, None

    def _draw(self, rng: np.random.Generator) -> None:
        _initialise(self._arrays, rng)

    @property
    def equation(self) -> Equation:
        """The ODE in the form that the solvers take."""
        return ctrnn_equation(self.tau)

    def _trace(self, params: ODENetwork, kept: NetworkKept) -> dict[str, Array]:
        return trace_ctrnn(params.cell, kept.solver.I, kept.solver.states[-1], self.tau)


def _initialise(arrays: dict[str, Array], rng: np.random.Generator) -> None:
    """Write fresh weights: those of the cell as in the experiments' code, those of the projection as in a CfC."""
    cell = {key: array for key, array in arrays.items() if key.startswith("rnn_cell.")}
    initialise_recurrent(cell, rng)
    initialise_cfc({key: array for key, array in arrays.items() if key not in cell}, "default", "torch", rng)
