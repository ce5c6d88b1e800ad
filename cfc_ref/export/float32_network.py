"""A layer as exports need it: its weights in float32, and the settings of its cells."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from cfc_ref import checks
from cfc_ref.arrays import Array
from cfc_ref.cells.cfc import network as cfc_network
from cfc_ref.cells.cfc.network import CfCNetwork
from cfc_ref.cells.ltc import network as ltc_network
from cfc_ref.cells.ltc.network import ODENetwork
from cfc_ref.cells.ode import Scheme
from cfc_ref.cells.tree import leaves, tree_map
from cfc_ref.layers.base import Layer

__all__ = ["Network", "exported"]


class Network(NamedTuple):
    """A layer with its weights in float32."""

    layer: Any
    params: Any  # CfCNetwork or ODENetwork: of a time step
    readout: Any  # Dense, or a pair of Scaling and Dense: from the state to the output
    settings: Any  # CfCSettings, or the Scheme of an ODE

    @property
    def wired(self) -> bool:
        """True if a wiring selects the synapses."""
        return self.layer.wiring is not None

    def step(self, x: Array, state: Any, dt: Array) -> Any:
        """Return the state after a time step, by the specification: shapes (batch, inputs), pair of (batch, units)."""
        cells: Any = cfc_network if isinstance(self.params, CfCNetwork) else ltc_network
        return cells.step(self.params, x, state, dt, self.settings)[0]

    def read_out(self, h: Array) -> Array:
        """Return the outputs of states, shape (n, units)."""
        return self.layer.readout(self.readout, h)


def exported(model: Any) -> Network:
    """Return a CfC or a network with an ODE as a :class:`Network`; refuse other models."""
    expected = "a CfC, LTC, NeuralLTC or CTRNN"
    if not isinstance(model, Layer):
        do = "pass its attribute `model_`" if hasattr(model, "model_") else "pass the layer itself"
        checks.refuse("model", type(model).__name__, expected, do, TypeError)
    layer: Any = model
    params, readout = layer.weights
    if isinstance(params, CfCNetwork):
        settings: Any = layer.settings
    elif isinstance(params, ODENetwork):
        if layer.step is not None:
            do = "load the weights into a layer with ode_unfolds"
            checks.refuse("model", f"step={layer.step:g}", "a fixed number of parts per time step", do)
        settings = Scheme(layer.equation, layer.solver, layer.ode_unfolds)
    else:
        checks.refuse("model", type(model).__name__, expected, "export one of these", TypeError)
    for array in leaves((params, readout)):
        if not np.isfinite(array).all():
            checks.refuse("model", "weights that are NaN or infinite", "finite weights", "train the network again")
    with np.errstate(over="ignore"):
        params, readout = tree_map(lambda array: array.astype(np.float32), (params, readout))
    if not all(np.isfinite(array).all() for array in leaves((params, readout))):
        checks.refuse("model", "weights beyond the range of float32", "weights that float32 holds", "rescale them")
    return Network(layer, params, readout, settings)
