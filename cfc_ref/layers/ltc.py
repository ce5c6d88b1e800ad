r"""The LTC layers over sequences: with synapses, called like ncps's, and the papers' Eq. 1 with a neural f."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cfc_ref import backend as backends
from cfc_ref.arrays import Array
from cfc_ref.cells.ltc.network import LTCSettings, NetworkKept, ODENetwork, Scaling
from cfc_ref.cells.ltc.neural import NEURAL, NeuralLTCParams, trace_neural_ltc
from cfc_ref.cells.ltc.synapses import LTCParams, synaptic, trace_ltc
from cfc_ref.cells.solvers import SOLVERS
from cfc_ref.layers.base import units_or_wiring
from cfc_ref.layers.initial import glorot
from cfc_ref.layers.ode_layer import ODELayer
from cfc_ref.layers.settings import UNFOLDS, LTCLayerSettings, NeuralLTCLayerSettings

if TYPE_CHECKING:
    import numpy.typing as npt

    from cfc_ref.cells.ode import Equation
    from cfc_ref.wirings import Wiring

__all__ = ["LTC", "NeuralLTC"]

_CELL = "rnn_cell."
_SYNAPSES = ("w", "sigma", "mu", "erev")
_INITIAL = {  # as in ncps
    "gleak": (0.001, 1.0),
    "vleak": (-0.2, 0.2),
    "cm": (0.4, 0.6),
    "w": (0.001, 1.0),
    "sigma": (3.0, 8.0),
    "mu": (0.3, 0.8),
}
_INVERSE_SOFTPLUS_OF_1 = float(np.log(np.expm1(1)))


class _SequenceLayer(ODELayer):
    """A layer whose sequences are those of :mod:`cfc_ref.cells.ltc.network`, or of its kernels."""

    @property
    def _live(self) -> tuple[str, ...]:
        return *super()._live, "implicit_param_constraints"

    epsilon = 0.0

    @property
    def _has_kernels(self) -> bool:  # type: ignore[override]
        return SOLVERS[self.solver].kernel

    @property
    def _no_kernels(self) -> str:  # type: ignore[override]
        return f"only the solvers {' and '.join(repr(name) for name, s in SOLVERS.items() if s.kernel)} have kernels"

    @property
    def _compute(self) -> backends.Compute:
        return backends.ltc(self._backend, self.solver) if self._has_kernels else super()._compute

    @property
    def settings(self) -> LTCSettings:
        """The settings that its cells take."""
        neural, watch = self.equation is NEURAL, self._watch if self._watch.on else None
        return LTCSettings(self.solver, self._scheme.parts, self.epsilon, self.step, neural, watch)


class LTC(_SequenceLayer):
    r"""A liquid time-constant network of synapses that are conductances, as in ncps and the LTC repository.

    .. math:: C_i\,\dot x_i = g_i\,(V_i - x_i) + \sum_j w_{ij}\,\sigma\big(\sigma_{ij}(x_j - \mu_{ij})\big)\,
              (E_{ij} - x_i) + \text{the same sum over the inputs}

    Called like ``ncps.torch.LTC``: ``output, hx = layer(x, hx=None, timespans=None, mask=None)``. It is not the papers'
    Eq. 1, which is :class:`NeuralLTC`.

    Parameters
    ----------
    units : int or Wiring
        Neurons, all connected with each other; or a wiring (:mod:`cfc_ref.wirings`), whose first ``output_dim`` neurons
        are the output.
    input_size, return_sequences, batch_first, mixed_memory, dtype, seed
        As in :class:`cfc_ref.CfC`.
    input_mapping, output_mapping : {"affine", "linear", "none"} or None
        Map of each feature, and of each motor neuron: a factor and a shift, a factor, none.
    ode_unfolds : int
        Equal parts of a time step; not used by scipy.
    epsilon : float
        One more conductance of every neuron, on the value 0, >= 0.
    implicit_param_constraints : bool
        Whether softplus makes w, sensory_w, cm and gleak positive; else they must be >= 0: call :meth:`project` after
        each step of an optimiser.
    backend : {"auto", "numpy", "numba"}
        As in :class:`cfc_ref.CfC`; kernels exist for every solver but scipy's.
    solver : {"fused", "euler", "rk4", "frozen", "frozen_midpoint", "cf4", "scipy"}
        Of the ODE: ncps's semi-implicit one; explicit Euler and Runge-Kutta; exponential Euler with the conductances of
        the part's start or middle; the closed form of order 4 (:func:`cfc_ref.cells.exponential.cf4`); scipy's DOP853
        with tolerances 1e-10 and 1e-12.
    proj_size : int, optional
        Features of the output, by a linear map after the output's mapping.
    step : float, optional
        The longest part, > 0, instead of `ode_unfolds`: each time step is cut into the fewest equal parts that are not
        longer, in each row of a batch; at most a million.

    Attributes
    ----------
    wiring : Wiring
        The built wiring.
    synapse_count, sensory_synapse_count : int
        Synapses between neurons, and from inputs.

    Raises
    ------
    ValueError, TypeError
        For an argument that does not fit.

    Warns
    -----
    RuntimeWarning
        Once per layer, if an explicit solver leaves its stability region.

    Notes
    -----
    :meth:`trace` returns the quantities at the end of every time step: "state", "time_constant", "equilibrium",
    "current", "leak_current", shape (B, T, units); "release" and "synaptic_current", shape (B, T, units, units), from
    the neuron of the third axis to that of the last; "sensory_release" and "sensory_current", shape (B, T, inputs,
    units); 0 without a synapse (:func:`cfc_ref.cells.ltc.synapses.trace_ltc`). At a masked step they are those of a
    step of no length with input 0.

    Examples
    --------
    >>> from cfc_ref import wirings
    >>> layer = LTC(3, wirings.AutoNCP(8, 2), seed=0)
    >>> output, hx = layer(np.ones((4, 5, 3)), timespans=np.full((4, 5), 0.5))
    >>> output.shape, hx.shape
    ((4, 5, 2), (4, 8))
    """

    wiring: Wiring
    input_mapping: str
    output_mapping: str
    epsilon: float
    _Settings = LTCLayerSettings

    def __init__(
        self,
        input_size: int,
        units: int | Wiring,
        return_sequences: bool = True,
        batch_first: bool = True,
        mixed_memory: bool = False,
        input_mapping: str | None = "affine",
        output_mapping: str | None = "affine",
        ode_unfolds: int | None = UNFOLDS,
        epsilon: float = 1e-8,
        implicit_param_constraints: bool = True,
        *,
        dtype: npt.DTypeLike = "float32",
        seed: int | np.random.Generator | None = None,
        backend: str = "auto",
        solver: str = "fused",
        proj_size: int | None = None,
        step: float | None = None,
    ) -> None:
        super().__init__(LTCLayerSettings.of(locals()), units, seed, backend)

    def _set_units(self, units: Any) -> None:
        """Take a wiring, or a number of neurons that are all connected with each other."""
        from cfc_ref.wirings import FullyConnected

        count, wiring = units_or_wiring(units)
        self.wiring = (FullyConnected(count) if wiring is None else wiring).build(self.input_size)
        self.state_size = count

    # --- weights by ncps's PyTorch names

    def _allocate_cell(self) -> tuple[LTCParams, Scaling | None, Scaling | None]:
        cell, input_map = self._cell(), self._map("input", self.input_mapping, self.input_size)
        return cell, input_map, self._map("output", self.output_mapping, self._read.stop)

    def _cell(self) -> LTCParams:
        """Allocate the arrays of the cell, and return their names."""
        units, sensory, names = self.state_size, self._sensory_adjacency, {}
        for name in ("gleak", "vleak", "cm"):
            names[name] = self._array(name, (units,))
        for kind, pre, adjacency in (
            ("", units, self.wiring.adjacency_matrix),
            ("sensory_", self.input_size, sensory),
        ):
            for name in _SYNAPSES:
                names[kind + name] = self._array(kind + name, (pre, units))
            mask = self._array(f"{kind}sparsity_mask", (pre, units))
            self._arrays[mask][...] = np.abs(adjacency)
            self._masks[names[f"{kind}w"]] = self._arrays[mask]
        self._positive = frozenset(names[name] for name in ("gleak", "cm", "w", "sensory_w"))
        return LTCParams(**names)

    def _array(self, name: str, shape: tuple[int, ...]) -> str:
        self._arrays[_CELL + name] = np.zeros(shape, self.dtype)
        return _CELL + name

    def _map(self, end: str, mapping: str, features: int) -> Scaling | None:
        if mapping == "none":
            return None
        w = self._array(f"{end}_w", (features,))
        return Scaling(w, self._array(f"{end}_b", (features,)) if mapping == "affine" else None)

    def _draw_cell(self, rng: np.random.Generator) -> None:
        """Write fresh weights as ncps does; reversal potentials are the signs of the wiring's synapses."""
        for key, array in self._arrays.items():
            name = key.removeprefix(_CELL).removeprefix("sensory_")
            if name in _INITIAL:
                array[...] = rng.uniform(*_INITIAL[name], array.shape)
            elif name in ("input_w", "output_w"):
                array[...] = 1
        self._arrays[f"{_CELL}erev"][...] = self.wiring.adjacency_matrix
        self._arrays[f"{_CELL}sensory_erev"][...] = self._sensory_adjacency

    @property
    def equation(self) -> Equation:
        """The ODE in the form that the solvers take."""
        return synaptic(self.epsilon)

    def _trace(self, params: ODENetwork, kept: NetworkKept) -> dict[str, Array]:
        trace = trace_ltc(params.cell, kept.solver.I, kept.solver.states[-1], self.epsilon)
        for name, key in (("release", "w"), ("sensory_release", "sensory_w")):
            trace[name] = trace[name] * self._masks[_CELL + key]
        return trace

    @property
    def synapse_count(self) -> int:
        """Synapses between neurons."""
        return self.wiring.synapse_count

    @property
    def sensory_synapse_count(self) -> int:
        """Synapses from inputs to neurons."""
        return int(np.count_nonzero(self._sensory_adjacency))

    @property
    def _sensory_adjacency(self) -> Any:
        return self.wiring.sensory_adjacency_matrix


class NeuralLTC(_SequenceLayer):
    r"""The papers' liquid time-constant network (Hasani et al. 2021; Eq. 1 of 2022), with a neural f.

    .. math:: \dot x = -\big(w_\tau + f(x, I)\big)\,x + A\,f(x, I), \qquad f(x, I) = \sigma\big(W\,[I, x] + b\big)

    Called like :class:`LTC`. Unlike there, a neuron has one release, and one reversal potential A.

    Parameters
    ----------
    units : int or Wiring
        Neurons, each of which reads everything; or a wiring, which masks W (the signs are learnt), and whose first
        ``output_dim`` neurons are the output.
    implicit_param_constraints : bool
        Whether softplus makes w_tau positive; else it must be >= 0: call :meth:`project`.
    input_size, return_sequences, batch_first, mixed_memory, ode_unfolds, step, dtype, seed, backend, solver
        As in :class:`LTC`.
    proj_size : int, optional
        Features of the output, by a linear map.

    Attributes
    ----------
    wiring : Wiring or None
        The built wiring.
    synapse_count : int
        Of the wiring between neurons; without one units².

    Raises
    ------
    ValueError, TypeError
        For an argument that does not fit.

    Warns
    -----
    RuntimeWarning
        Once per layer, if an explicit solver leaves its stability region.

    Notes
    -----
    Fresh weights: W by Glorot's rule, b = 0, w_τ = 1, A uniform in ±1.

    Examples
    --------
    >>> layer = NeuralLTC(3, 8, seed=0, solver="frozen")
    >>> layer(np.ones((4, 5, 3)))[0].shape
    (4, 5, 8)
    """

    _Settings = NeuralLTCLayerSettings

    def __init__(
        self,
        input_size: int,
        units: int | Wiring,
        return_sequences: bool = True,
        batch_first: bool = True,
        mixed_memory: bool = False,
        ode_unfolds: int | None = UNFOLDS,
        implicit_param_constraints: bool = True,
        *,
        dtype: npt.DTypeLike = "float32",
        seed: int | np.random.Generator | None = None,
        backend: str = "auto",
        solver: str = "fused",
        proj_size: int | None = None,
        step: float | None = None,
    ) -> None:
        super().__init__(NeuralLTCLayerSettings.of(locals()), units, seed, backend)

    def _set_units(self, units: Any) -> None:
        self.state_size, wiring = units_or_wiring(units)
        self.wiring = None if wiring is None else wiring.build(self.input_size)

    def _allocate_cell(self) -> tuple[NeuralLTCParams, None, None]:
        f = self._dense(f"{_CELL}f", self.state_size, self.input_size + self.state_size)
        w_tau, A = f"{_CELL}w_tau", f"{_CELL}A"
        for key in (w_tau, A):
            self._arrays[key] = np.zeros(self.state_size, self.dtype)
        self._positive = frozenset([w_tau])
        if self.wiring is not None:
            pre = np.concatenate([self.wiring.sensory_adjacency_matrix, self.wiring.adjacency_matrix])
            self._arrays[f"{_CELL}sparsity_mask"] = np.abs(pre).T.astype(self.dtype)
            self._masks[f"{_CELL}f.weight"] = self._arrays[f"{_CELL}sparsity_mask"]
        return NeuralLTCParams(f, w_tau, A), None, None

    def _draw_cell(self, rng: np.random.Generator) -> None:
        W, A = self._arrays[f"{_CELL}f.weight"], self._arrays[f"{_CELL}A"]
        W[...] = glorot(rng, W.shape)
        A[...] = rng.uniform(-1, 1, A.shape)
        self._arrays[f"{_CELL}w_tau"][...] = _INVERSE_SOFTPLUS_OF_1 if self.implicit_param_constraints else 1

    @property
    def equation(self) -> Equation:
        """The ODE in the form that the solvers take."""
        return NEURAL

    def _trace(self, params: ODENetwork, kept: NetworkKept) -> dict[str, Array]:
        return trace_neural_ltc(params.cell, kept.solver.I, kept.solver.states[-1])

    @property
    def synapse_count(self) -> int:
        """Synapses between neurons: those of the wiring, or units²."""
        return self.state_size**2 if self.wiring is None else self.wiring.synapse_count
