"""A network with the arguments of its bounds: checked, in float64, time first and neurons last.

Models are recognised by the weights that they offer, so that nothing here imports layers.
"""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np

from cfc_ref import checks
from cfc_ref.arrays import Array
from cfc_ref.bounds.checked import Interval
from cfc_ref.cells.ltc.network import ODENetwork, Scaling, scaled
from cfc_ref.cells.ltc.synapses import LTCParams
from cfc_ref.cells.tree import tree_map

__all__ = ["effective", "float64", "input_box", "ode_weights", "ordered", "start_box", "time_steps", "weights_of"]

W = TypeVar("W")


def effective(model: Any) -> Any:
    """Return the effective weights of a layer as its cells take them, or None for anything else."""
    return getattr(getattr(model, "weights", None), "network", None)


def ode_weights(model: Any, name: str, cells: tuple[type, ...], expected: str, do: str) -> ODENetwork:
    """Return the effective weights, in float64, of a network whose ODE has one of these kinds of cell."""
    weights = effective(model)
    if not isinstance(weights, ODENetwork) or not isinstance(weights.cell, cells):
        checks.refuse(name, type(model).__name__, expected, do, TypeError)
    if weights.lstm is not None:
        do = "pass a network without it"
        checks.refuse(name, "mixed memory", "a network whose states move by its ODE alone", do)
    return float64(weights)


def float64(weights: W) -> W:
    """Return weights in float64."""
    cast: W = tree_map(lambda array: array.astype(np.float64), weights)
    return cast


def weights_of(network: Any) -> ODENetwork:
    """Return the effective weights of a synaptic LTC network, in float64; refuse other kinds."""
    return ode_weights(network, "network", (LTCParams,), "an LTC with synapses", "pass a cfc_ref.LTC")


def input_box(input_map: Scaling | None, features: int, low: Any, high: Any, steps: tuple[int, ...]) -> Interval:
    """Return the ends of the inputs as they reach the cell, exchanged by factors below 0, shape steps + (features,)."""
    ends = []
    for name, value in (("input_low", low), ("input_high", high)):
        end = checks.numeric(name, value).astype(np.float64)
        if end.shape not in ((), (features,), (*steps, features)):
            more = f", or {(*steps, features)}, one box per time step" if steps else ""
            do = "pass a number, or one number per feature"
            checks.refuse(name, f"shape {end.shape}", f"a number or shape ({features},){more}", do)
        ends.append(np.broadcast_to(end, (*steps, features)))
    ordered("input_low", ends[0], ends[1], "exchange input_low and input_high")
    return scaled(input_map, ends[0]), scaled(input_map, ends[1])


def start_box(hx: Any, units: int) -> Interval:
    """Return the box of the first state, shape (units,)."""
    state = np.zeros(units) if hx is None else checks.numeric("hx", hx).astype(np.float64)
    if state.shape not in ((units,), (2, units)):
        expected = f"shape ({units},), or (2, {units}), the ends of a box"
        checks.refuse("hx", f"shape {state.shape}", expected, "pass one number per neuron")
    low, high = np.broadcast_to(state, (2, units))
    ordered("hx", low, high, "pass the lower end first")
    return low, high


def ordered(name: str, low: Array, high: Array, do: str) -> None:
    """Refuse ends of an interval that are in the wrong order."""
    checks.compare(name, low, low <= high, "a lower end not above the upper one", do)


def time_steps(t: Any) -> tuple[Array, tuple[int, ...]]:
    """Return the lengths of the time steps from 0 to each time, and the shape of t."""
    times = checks.times("t", t, increasing=True)
    return np.diff(times.reshape(-1), prepend=0.0), times.shape
