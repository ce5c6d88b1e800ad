r"""The CfC layer: closed-form continuous-time networks over sequences, called like ncps's."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from cfc_ref import backend as backends
from cfc_ref import checks
from cfc_ref.arrays import Array
from cfc_ref.cells.cfc import cell, network
from cfc_ref.cells.cfc.cell import CfCSettings
from cfc_ref.cells.cfc.modes import MODES, VARIANTS, CfCParams
from cfc_ref.cells.cfc.network import CfCNetwork
from cfc_ref.layers.base import Layer, Params, units_or_wiring
from cfc_ref.layers.initial import initialise_cfc
from cfc_ref.layers.settings import CfCLayerSettings

if TYPE_CHECKING:
    import numpy.typing as npt

    from cfc_ref.layers.arguments import Call
    from cfc_ref.wirings import Wiring

__all__ = ["CfC"]


class CfC(Layer):
    r"""A closed-form continuous-time network (Hasani et al. 2022) over sequences with timespans.

    .. math:: x^+ = \sigma(-f t) \odot g + [1 - \sigma(-f t)] \odot h, \qquad
              f, g, h \text{ heads of one backbone on } [I, x] \qquad \text{(Eq. 4)}

    Called like ``ncps.torch.CfC``: ``output, hx = layer(x, hx=None, timespans=None, mask=None)``.

    Parameters
    ----------
    input_size : int
        Features of x.
    units : int or Wiring
        Neurons; or a wiring (:mod:`cfc_ref.wirings`), with one cell per layer and no backbone.
    proj_size : int, optional
        Features of the output, by a linear map of the state; by default the output is the state, of a wired network
        its last layer's.
    return_sequences : bool
        Every step's output, or the last one's.
    batch_first : bool
        (B, T, F) rather than (T, B, F).
    mixed_memory : bool
        Whether to add an LSTM memory (CfC-mmRNN); the state is then a pair (h, c).
    mode : {"default", "no_gate", "pure", "paper_pure", "from_x0"}
        Eq. 4; without its second gate; Eq. 3 as the official code has it; Eq. 3 as printed; Theorem 1 with the state
        as x₀. See :mod:`cfc_ref.cells.cfc.modes`.
    activation : {"silu", "relu", "tanh", "gelu", "lecun_tanh"}
        Of the backbone; not used without one.
    backbone_units, backbone_layers : int, optional
        128 and 1; with 0 layers the heads read [I, x].
    backbone_dropout : float, optional
        Share of the backbone's values that drop, 0 by default: in the variant "torch" after every layer but the first,
        else after every layer. Acts in :meth:`forward` if it gets a generator.
    dtype : {"float32", "float64"}
        Of weights, states and outputs.
    seed : int or numpy Generator, optional
        Of the fresh weights.
    backend : {"auto", "numpy", "numba"}
        Who computes: NumPy, compiled kernels, or the kernels where numba is installed ("auto").
    variant : {"torch", "tensorflow", "keras"}
        Whose conventions: ncps and the official code on PyTorch; the official code on TensorFlow; ncps on TensorFlow
        and Keras. It decides the gate's sign, the heads' nonlinearity, where mixed memory and dropout act, and fresh
        weights.
    forget_bias : float
        Of the mixed memory's forget gate.
    recurrence : {"full", "wired"}
        Connections within a layer of a wired network: all to all, as ncps's weights mean, or those of the wiring.

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

    Examples
    --------
    >>> layer = CfC(input_size=3, units=8, proj_size=2, seed=0)
    >>> output, hx = layer(np.ones((4, 5, 3)), timespans=np.full((4, 5), 0.5))
    >>> output.shape, hx.shape
    ((4, 5, 2), (4, 8))
    """

    mode: str
    activation: str
    variant: str
    forget_bias: float
    recurrence: str
    _Settings = CfCLayerSettings
    _has_kernels = True

    def __init__(
        self,
        input_size: int,
        units: int | Wiring,
        proj_size: int | None = None,
        return_sequences: bool = True,
        batch_first: bool = True,
        mixed_memory: bool = False,
        mode: str = "default",
        activation: str = "lecun_tanh",
        backbone_units: int | None = None,
        backbone_layers: int | None = None,
        backbone_dropout: float | None = None,
        *,
        dtype: npt.DTypeLike = "float32",
        seed: int | np.random.Generator | None = None,
        backend: str = "auto",
        variant: str = "torch",
        forget_bias: float = 1.0,
        recurrence: str = "full",
    ) -> None:
        super().__init__(CfCLayerSettings.of(locals()), units, seed, backend)

    def _set_units(self, units: Any) -> None:
        """Take a number of neurons and a backbone, or a wiring, which is built for the first cell's inputs."""
        self.state_size, wiring = units_or_wiring(units)
        self.wiring = None if wiring is None else wiring.build(self._cell_inputs)
        self._set_backbone(self.backbone_units, self.backbone_layers, self.backbone_dropout)
        if self.forget_bias != 1 and not self.mixed_memory:
            expected = "1.0, as the layer has no mixed memory"
            checks.refuse("forget_bias", repr(self.forget_bias), expected, "remove forget_bias")
        if self.recurrence != "full" and self.wiring is None:
            expected = "'full', as the layer has no wiring"
            checks.refuse("recurrence", repr(self.recurrence), expected, "remove recurrence")

    @property
    def _live(self) -> tuple[str, ...]:
        memory, backbone = ("forget_bias",) * self.mixed_memory, ("activation",) * (self.backbone_layers > 0)
        return *super()._live, *memory, *backbone

    @property
    def _cell_inputs(self) -> int:
        """The number of inputs of the first cell, its state apart: of x, or of the mixed memory's output."""
        reads_memory = self.mixed_memory and VARIANTS[self.variant].memory == "input"
        return self.state_size if reads_memory else self.input_size

    def _set_backbone(self, units: int | None, layers: int | None, dropout: float | None) -> None:
        """Fill in the backbone's defaults; refuse one next to a wiring, and dropout that would act nowhere."""
        if self.wiring is not None:
            given = {"backbone_units": units, "backbone_layers": layers, "backbone_dropout": dropout}
            for name, value in given.items():
                if value is not None:
                    checks.refuse(name, repr(value), "None, as a wired network has no backbone", f"remove {name}")
            layers = 0
        self.backbone_units: int = 128 if units is None else units
        self.backbone_layers: int = 1 if layers is None else layers
        self.backbone_dropout: float = dropout or 0.0
        undropped = VARIANTS[self.variant].dropout_from
        if self.backbone_dropout > 0 and self.backbone_layers <= undropped:
            got = f"{self.backbone_dropout} with {self.backbone_layers} backbone layers"
            expected = f"0.0, as in the variant {self.variant!r} dropout needs {undropped + 1} layers or more"
            checks.refuse("backbone_dropout", got, expected, "remove backbone_dropout or add backbone layers")

    # --- weights by ncps's PyTorch names

    def _neurons_read(self) -> slice:
        if self.wiring is None:
            return super()._neurons_read()
        last = len(self.wiring.get_neurons_of_layer(self.wiring.num_layers - 1))
        read = last if self.variant == "torch" else min(last, self.wiring.output_dim)
        return slice(self.state_size - last, self.state_size - last + read)

    def _allocate(self) -> Params:
        if self.wiring is None:
            layers = (self._cell("rnn_cell.", self._cell_inputs, self.state_size),)
        else:
            layers = self._wired_cells(self.wiring)
        lstm = self._lstm() if self.mixed_memory else None
        return Params(CfCNetwork(layers, lstm), self._projection())

    def _draw(self, rng: np.random.Generator) -> None:
        initialise_cfc(self._arrays, self.mode, self.variant, rng)

    def _wired_cells(self, wiring: Wiring) -> tuple[Any, ...]:
        """Allocate the cells of a wiring, one per layer, and return their names."""
        cells: list[Any] = []
        before: list[int] | None = None
        for l in range(wiring.num_layers):
            own = list(wiring.get_neurons_of_layer(l))
            incoming: Any = wiring.sensory_adjacency_matrix if before is None else wiring.adjacency_matrix[before]
            within = wiring.adjacency_matrix[np.ix_(own, own)]
            if self.recurrence == "full":
                within = np.ones_like(within)
            mask = np.concatenate([incoming[:, own], within]).T.astype(self.dtype)
            prefix = f"rnn_cell.layer_{l}."
            # PyTorch drops the synapses' signs, TensorFlow and Keras multiply them to the weights.
            self._arrays[f"{prefix}sparsity_mask"] = np.abs(mask) if self.variant == "torch" else mask
            cells.append(self._cell(prefix, len(incoming), len(own)))
            for head in ("ff1", "ff2"):
                if f"{prefix}{head}.weight" in self._arrays:
                    self._masks[f"{prefix}{head}.weight"] = self._arrays[f"{prefix}sparsity_mask"]
            before = own
        return tuple(cells)

    def _cell(self, prefix: str, inputs: int, units: int) -> Any:
        """Allocate the arrays of a cell, and return their names."""
        backbone, features = [], inputs + units
        for k in range(self.backbone_layers):
            backbone.append(self._dense(f"{prefix}backbone.{self._place(k)}", self.backbone_units, features))
            features = self.backbone_units
        mode = MODES[self.mode]
        weights = {name: self._dense(f"{prefix}{name}", units, features) for name in mode.heads}
        for name in mode.vectors:
            self._arrays[f"{prefix}{name}"] = np.zeros((1, units), self.dtype)
            weights[name] = f"{prefix}{name}"
        return CfCParams(tuple(backbone), **weights)

    def _place(self, k: int) -> int:
        """Return the index of the k-th linear map in PyTorch's backbone of maps, activations and dropouts."""
        dropouts = max(0, k - VARIANTS[self.variant].dropout_from) if self.backbone_dropout > 0 else 0
        return 2 * k + dropouts

    # --- one time step

    def _step(self, params: CfCNetwork, x: Array, state: Any, dt: Array) -> tuple[Any, Any]:
        return network.step(params, x, state, dt, self.settings)

    def _d_step(self, params: CfCNetwork, kept: Any, d_state: Any) -> tuple[Any, Array, Any, Array]:
        return network.d_step(params, kept, d_state, self.settings)

    # --- whole sequences: the specification, or its kernel

    @property
    def _compute(self) -> backends.Compute:
        return backends.cfc(self._backend, self.mode)

    @property
    def settings(self) -> CfCSettings:
        """The settings that its cells take."""
        return CfCSettings(self.mode, self.variant, self.activation, self.forget_bias)

    def _options(self, call: Call, rng: np.random.Generator | None) -> dict[str, Any]:
        drop = [] if rng is None or self.backbone_dropout == 0 else self._drop_factors(rng, *call.dt.shape)
        return {"drop": drop, "timed": call.spread is not None}

    def _drop_factors(self, rng: np.random.Generator, batch: int, time: int) -> list[tuple[Array | None, ...]]:
        """Draw the backbone's dropout factors of every time step."""
        undropped, stays = VARIANTS[self.variant].dropout_from, np.float32(1 - self.backbone_dropout)
        shape, factor = (batch, self.backbone_units), self.dtype.type(1 / (1 - self.backbone_dropout))
        return [
            tuple(
                None if k < undropped else (rng.random(shape, np.float32) < stays) * factor
                for k in range(self.backbone_layers)
            )
            for _ in range(time)
        ]

    def _trace(self, params: CfCNetwork, kept: Any) -> dict[str, Array]:
        layers = [cell.trace(p, k, self.settings) for p, k in zip(params.layers, kept.layers, strict=True)]
        return {name: np.concatenate([layer[name] for layer in layers], axis=1) for name in layers[0]}

    @property
    def synapse_count(self) -> int:
        """Synapses between neurons: those of the wiring, or units² through a backbone."""
        return self.state_size**2 if self.wiring is None else self.wiring.synapse_count

    def box(self, timespan: float = 1.0) -> tuple[Array, Array]:
        """Return :func:`cfc_ref.bounds.box` of this layer: the old name, until the next version."""
        from cfc_ref.bounds.certificates import box

        warnings.warn("CfC.box is deprecated; call bounds.box(layer, timespans=…)", DeprecationWarning, stacklevel=2)
        return box(self, timespans=timespan)

    def lipschitz(self, timespan: float = 1.0, norm: str = "max") -> float:
        """Return :func:`cfc_ref.bounds.lipschitz` of this layer: the old name, until the next version."""
        from cfc_ref.bounds.certificates import lipschitz

        warnings.warn("CfC.lipschitz is deprecated; call bounds.lipschitz(layer, …)", DeprecationWarning, stacklevel=2)
        return lipschitz(self, timespan, norm)

    @property
    def config(self) -> dict[str, Any]:
        """The arguments that make a layer like this one, but for `units`, `seed` and `backend`."""
        none = {} if self.wiring is None else dict.fromkeys(("backbone_units", "backbone_layers", "backbone_dropout"))
        return {**super().config, **none}

    def _about(self) -> str:
        backbone = f", backbone {self.backbone_units} x {self.backbone_layers} {self.activation}"
        shown = backbone if self.backbone_layers else ""
        return f", mode {self.mode!r}, variant {self.variant!r}{shown}{super()._about()}"
