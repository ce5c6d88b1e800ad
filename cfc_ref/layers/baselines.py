r"""The networks that the papers compare with, called like :class:`cfc_ref.CfC`: an LSTM, and a CT-RNN.

They follow the code of the experiments whose figures the papers' tables repeat (Lechner & Hasani 2020,
github.com/mlech26l/ode-lstms, node_cell.py). Neither has a wiring, mixed memory, or kernels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cfc_ref import checks
from cfc_ref.cells.ctrnn import CTRNNParams, ctrnn_equation, trace_ctrnn
from cfc_ref.cells.dense import Dense, affine, d_affine
from cfc_ref.cells.lstm import LSTMKept, LSTMParams, LSTMSequenceKept, d_lstm_sequence, lstm_sequence, lstm_step
from cfc_ref.layers.base import UNDRAWN, Layer, Params
from cfc_ref.layers.initial import generator, initialise_cfc, initialise_recurrent
from cfc_ref.layers.ode import ODELayer
from cfc_ref.layers.settings import CTRNNLayerSettings, LSTMLayerSettings

if TYPE_CHECKING:
    import numpy.typing as npt

    from cfc_ref.cells.ltc.network import NetworkKept, ODENetwork
    from cfc_ref.cells.ode import Equation

    Array = npt.NDArray[Any]

__all__ = ["CTRNN", "LSTM"]


class LSTM(Layer):
    r"""An LSTM over sequences, with the elapsed time as one more input: the papers' "augmented LSTM".

    .. math:: (z_a, z_i, z_f, z_o) = W\,[x, t] + b + R\,h, \qquad
              c^+ = \sigma(z_f + \beta) \odot c + \sigma(z_i) \odot \tanh z_a, \qquad
              h^+ = \sigma(z_o) \odot \tanh c^+

    Called like :class:`cfc_ref.CfC`; the state is a pair (h, c).

    Parameters
    ----------
    input_size : int
        Features of x.
    units : int
        Cells.
    proj_size : int, optional
        Features of the output, by a linear map of the state h; by default the output is the state.
    return_sequences : bool
        Every step's output, or the last one's.
    batch_first : bool
        (B, T, F) rather than (T, B, F).
    forget_bias : float
        :math:`\beta` of the forget gate.
    timed : bool
        Whether the timespan t is one more feature, behind those of x. Without it time changes nothing, and timespans
        are refused.
    dtype : {"float32", "float64"}
        In which it computes.
    seed : int or numpy Generator, optional
        Of the fresh weights.
    backend : {"auto", "numpy"}
        What computes.

    Raises
    ------
    ValueError, TypeError
        In three parts.

    Notes
    -----
    Weights: ``rnn_cell.input_map.weight`` W, shape (4 units, features), with ``.bias`` b, and
    ``rnn_cell.recurrent_map.weight`` R, shape (4 units, units); blocks of rows a, i, f, o. ``fc.weight`` and
    ``fc.bias`` with `proj_size`, which is not that of ``torch.nn.LSTM``, whose projection goes back into its gates.

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
    wiring = None
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
        self._adopt(LSTMLayerSettings.of(locals()), backend)
        self.state_size = checks.count("units", units, at_least=1)
        cell = self._recurrent("rnn_cell", 4 * self.state_size, self.input_size + self.timed)
        fc = None if self.proj_size is None else self._dense("fc", self.proj_size, self.state_size)
        self.output_size = self.state_size if self.proj_size is None else self.proj_size
        self._keys = Params(LSTMParams(*cell), fc)
        if seed is not UNDRAWN:
            _draw(self._arrays, generator(seed))

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

    def readout(self, params: Dense | None, h: Array) -> Array:
        """Return the outputs of states of shape (n, units)."""
        return h if params is None else affine(params, h)

    def _d_readout(self, params: Dense | None, h: Array, d_y: Array) -> tuple[Any, Array]:
        if params is None:
            return None, d_y
        rows = h.reshape(-1, self.state_size)
        d_params, d_rows = d_affine(params, rows, d_y.reshape(-1, self.output_size))
        return d_params, d_rows.reshape(h.shape)

    def _trace(self, params: LSTMParams, kept: LSTMKept) -> dict[str, Array]:
        return {"candidate": kept.a, "input_gate": kept.i, "forget_gate": kept.f, "output_gate": kept.o}

    def trace(self, x: Any, hx: Any = None, timespans: Any = None, mask: Any = None) -> dict[str, Array]:
        """Return what the network did at every step.

        Parameters
        ----------
        x, hx, timespans, mask
            As in a plain call.

        Returns
        -------
        dict of ndarray, shape (B, T, units) in the layout of `x`
            "state" h, "candidate" a, "input_gate" i, "forget_gate" f (with its bias), and "output_gate" o.
        """
        return super().trace(x, hx, timespans, mask)

    # --- what is known of it

    def __repr__(self) -> str:
        count = sum(array.size for array in self.parameters.values())
        time = " and the elapsed time" if self.timed else ""
        sizes = f"{self.input_size} inputs{time}, {self.state_size} units, {self.output_size} outputs"
        return f"LSTM({sizes}, {self.dtype.name}, {count:,} parameters)"


class CTRNN(ODELayer):
    r"""A continuous-time recurrent network over sequences: neurons that all forget at one fixed rate.

    .. math:: \dot x = -\frac{x}{\tau} + s \odot \tanh(W I + R\,x + b)

    Called like :class:`cfc_ref.LTC`, from which it differs in its ODE alone.

    Parameters
    ----------
    input_size : int
        Features of x.
    units : int
        Neurons.
    proj_size : int, optional
        Features of the output, by a linear map of the state; by default the output is the state.
    return_sequences : bool
        Every step's output, or the last one's.
    batch_first : bool
        (B, T, F) rather than (T, B, F).
    tau : float
        Time constant τ of all neurons, > 0, in the unit of the timespans; it is not trained.
    ode_unfolds : int
        Equal parts of a timespan; scipy does without.
    solver : {"rk4", "euler", "fused", "frozen", "frozen_midpoint", "scipy"}
        Of the ODE, as in :class:`cfc_ref.LTC`.
    dtype : {"float32", "float64"}
        In which it computes.
    seed : int or numpy Generator, optional
        Of the fresh weights.
    backend : {"auto", "numpy"}
        What computes.

    Raises
    ------
    ValueError, TypeError
        In three parts.

    Warns
    -----
    RuntimeWarning
        Once a layer, if an explicit solver leaves its stability region: Euler's parts longer than 2 τ, RK4's than
        2.785 τ.

    Notes
    -----
    As in the code of the experiments: three parts of RK4, a trained scale s, τ = 1, and the timespan that of the
    sample. There ``tau`` is the rate 1/τ, and 0 makes a network that forgets nothing, which this is not.

    Weights: ``rnn_cell.input_map.weight`` W, shape (units, inputs), with ``.bias`` b; ``rnn_cell.recurrent_map.weight``
    R, shape (units, units); ``rnn_cell.scale`` s. ``fc.weight`` and ``fc.bias`` with `proj_size`.

    Examples
    --------
    >>> layer = CTRNN(3, 8, proj_size=2, seed=0)
    >>> output, hx = layer(np.ones((4, 5, 3)), timespans=np.full((4, 5), 0.5))
    >>> output.shape, hx.shape
    ((4, 5, 2), (4, 8))
    """

    mixed_memory, wiring = False, None
    implicit_param_constraints = True  # none has to be positive
    tau: float
    _unfolds = 3
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
        ode_unfolds: int = _unfolds,
        solver: str = "rk4",
        dtype: npt.DTypeLike = "float32",
        seed: int | np.random.Generator | None = None,
        backend: str = "auto",
    ) -> None:
        super().__init__(CTRNNLayerSettings.of(locals()), backend)
        self.state_size = self._read = checks.count("units", units, at_least=1)
        cell = self._recurrent("rnn_cell", self.state_size, self.input_size)
        self._arrays["rnn_cell.scale"] = np.zeros(self.state_size, self.dtype)
        self._positive = frozenset()
        self._finish(CTRNNParams(*cell, "rnn_cell.scale"), None, None, seed)

    def _draw(self, rng: np.random.Generator) -> None:
        _draw(self._arrays, rng)

    @property
    def equation(self) -> Equation:
        """The ODE in the form that the solvers take."""
        return ctrnn_equation(self.tau)

    def _trace(self, params: ODENetwork, kept: NetworkKept) -> dict[str, Array]:
        return trace_ctrnn(params.cell, kept.solver.I, kept.solver.states[-1], self.tau)

    def trace(self, x: Any, hx: Any = None, timespans: Any = None, mask: Any = None) -> dict[str, Array]:
        """Return what the network did, at the end of every time step: see :func:`cfc_ref.cells.ctrnn.trace_ctrnn`.

        Parameters
        ----------
        x, hx, timespans, mask
            As in a plain call.

        Returns
        -------
        dict of ndarray, shape (B, T, units) in the layout of `x`
            "state", "drive", "equilibrium", "leak_current" and "current". At a masked step they are those of a step of
            no length with input 0.
        """
        return super().trace(x, hx, timespans, mask)


def _draw(arrays: dict[str, Array], rng: np.random.Generator) -> None:
    """Write fresh weights: the cell's as the experiments' code does, the projection's as all layers here do."""
    cell = {key: array for key, array in arrays.items() if key.startswith("rnn_cell.")}
    initialise_recurrent(cell, rng)
    initialise_cfc({key: array for key, array in arrays.items() if key not in cell}, "default", "torch", rng)
