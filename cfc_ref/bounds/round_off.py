r"""Proved bounds on what rounding does to a network: the specification runs on intervals that carry an error.

Options such as -ffast-math, which rewrite formulas, are outside of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple, cast

import numpy as np

from cfc_ref import checks
from cfc_ref.arrays import Array
from cfc_ref.bounds.certificates import box
from cfc_ref.bounds.checked import Interval
from cfc_ref.bounds.contraction import cell_lipschitz
from cfc_ref.bounds.int8_errors import Arithmetic, int8_cfc, int8_ode
from cfc_ref.bounds.posed import effective, float64, ordered
from cfc_ref.bounds.ranged import SINGLE, Ranged
from cfc_ref.cells.cfc import network as cfc_network
from cfc_ref.cells.cfc.network import CfCNetwork
from cfc_ref.cells.int8.cfc_step import CfC8, quantise_cfc, state_ranges
from cfc_ref.cells.int8.ode_step import ODE8, quantise_ode
from cfc_ref.cells.ltc.network import ODENetwork, scaled
from cfc_ref.cells.solvers import SOLVERS
from cfc_ref.cells.tree import tree_map

__all__ = ["RoundingCertificate", "checked_dt_range", "int8_network", "rounding"]

_SLACK = 1 + 1e-6  # for the rounding of the bounds themselves, in float64
_UNITS = {"float32": SINGLE, "float64": 2.0**-53}
_SINGLE = np.dtype(np.float32)
_WITHOUT_RULES = ("cf4",)  # it clips its states to the box
_WIDER = (1e-3, 1e-1)  # how far outside of the box states may be, of its size: the first that suffices


class RoundingCertificate(NamedTuple):
    """The largest effect of rounding on a network's states and outputs, for all inputs and times in given ranges.

    Attributes
    ----------
    step, output : float
        Of one time step from the same state: the largest error of a neuron, and of an output.
    lipschitz : float
        A Lipschitz constant ρ of the step in the state, for those inputs and times.
    norm : str
        Its norm, "max" or "euclidean".
    for_ever, output_for_ever : float
        Of whole runs with the same inputs: ε/(1 − ρ) where ρ < 1, ε being the error of a step in that norm; else
        infinite.
    """

    step: float
    output: float
    lipschitz: float
    norm: str
    for_ever: float
    output_for_ever: float

    def __str__(self) -> str:
        one = f"one step's rounding: state {self.step:.1e}, output {self.output:.1e}"
        rho = f"Lipschitz constant {self.lipschitz:.3g} in the {self.norm} norm"
        if math.isinf(self.for_ever):
            return f"{one}; no certificate beyond one step ({rho})"
        return f"{one}; for ever: state {self.for_ever:.1e}, output {self.output_for_ever:.1e} ({rho})"


def rounding(
    model: Any, x_range: tuple[Any, Any], dt_range: tuple[float, float], dtype: str = "float32"
) -> RoundingCertificate:
    r"""Bound what rounding does to a network, for every input and time in given ranges and every state in its box.

    One step's error :math:`\varepsilon = |\mathrm{fl}(s^+) - s^+|` by running error analysis over boxes, from the
    weights alone. Where the step contracts (THEORY.md 5.5: Lipschitz constant ρ < 1 for the times used), errors of
    whole runs stay below :math:`\varepsilon/(1 - \rho)`, for any inputs, for ever.

    Parameters
    ----------
    model : CfC, LTC, NeuralLTC or CTRNN
        Without mixed memory, whose memory has no box; a CfC whose heads are bounded (in int8: heads or features); an
        ODE with a solver that keeps the box: "fused", "frozen" or "frozen_midpoint" (in int8: "fused" or "frozen", and
        no CTRNN).
    x_range : pair of array_like, shape () or (features,)
        The lowest and the highest input.
    dt_range : pair of float
        The shortest and the longest time, >= 0; the mode "pure" needs one above 0.
    dtype : {"float32", "float64", "int8"}
        In which the network computes: in C (:func:`cfc_ref.export_c`) or in NumPy. In int8, states are those that int8
        has, and the error includes those of rounded weights, inputs and features, of tables, and of the new state; no
        bound is above the width of the states' range.

    Returns
    -------
    RoundingCertificate

    Raises
    ------
    ValueError, TypeError
        In three parts.

    Examples
    --------
    >>> from cfc_ref import CfC
    >>> certificate = rounding(CfC(2, 4, backbone_units=8, seed=0), (-1, 1), (0.1, 2))
    >>> certificate.step < 1e-4, certificate.for_ever
    (True, inf)
    """
    dtype = checks.choice("dtype", dtype, (*_UNITS, "int8"))
    x, dt = _x_range(model, x_range), checked_dt_range(dt_range)
    network, start = _posed(model, dt, boxed=dtype != "int8")
    readout = float64(model.weights.readout)
    if dtype == "int8":
        q = int8_network(model, x_range, dt_range)
        if isinstance(q, CfC8):
            how, states = int8_cfc(network, readout, q), q.grid.ends
        else:
            how = int8_ode(network, readout, q, getattr(model, "epsilon", 0.0))
            low, high = np.broadcast_to(np.asarray(q.ends, np.float64)[:, None], (2, model.state_size))
            states = low, high
        return _certificate(model, (network, readout), how, x, dt, states)
    size, how = np.maximum(1, np.maximum(*np.abs(start))), Arithmetic(network, readout, _UNITS[dtype])
    found = []
    for wider in _WIDER:
        states = start[0] - wider * size, start[1] + wider * size
        found.append(_certificate(model, (network, readout), how, x, dt, states))
        if found[-1].for_ever <= wider * size.min():
            return found[-1]
    return found[0]._replace(for_ever=math.inf, output_for_ever=math.inf)


def int8_network(model: Any, x_range: tuple[Any, Any], dt_range: tuple[float, float]) -> CfC8 | ODE8:
    """Return a network in int8, for inputs and times in given ranges, as :func:`cfc_ref.export_c` writes it."""
    x, dt = _x_range(model, x_range), checked_dt_range(dt_range)
    network, readout = float64(model.weights)
    if isinstance(network, CfCNetwork):
        ranges = state_ranges(network, x, model.settings, dt[0])
        return quantise_cfc(network, readout, model.output_size, model.settings, ranges)
    memory = float(network.lstm is not None)  # its output, between -1 and 1, is where the ODE starts
    low, high = model.equation.box(network.cell)
    states = np.minimum(low, -memory).astype(np.float64), np.maximum(high, memory).astype(np.float64)
    scheme = model.solver, model.ode_unfolds, getattr(model, "epsilon", 0.0)
    single = tree_map(lambda array: array.astype(np.float32), readout)
    ends = np.minimum(states[0], 0), np.maximum(states[1], 0)
    return quantise_ode(network, single, model.output_size, scheme, (x, ends))


def _certificate(
    model: Any, exact: tuple[Any, Any], how: Arithmetic, x: Interval, dt: tuple[float, float], states: Interval
) -> RoundingCertificate:
    """Return the certificate for states in an interval, valid if the bound for ever is not above its widening."""

    def of_step(how: Arithmetic, error: float) -> Array:
        unit = how.unit
        h = Ranged.of(*states, error, unit)
        new = _step(model, how.network, Ranged.of(*x, how.x_error, unit), h, Ranged.of(*dt, 0.0, unit))
        return np.minimum((new.error[0] + how.state_error) * _SLACK, how.widest)

    def of_output(error: Any) -> float:
        h = Ranged.of(*states, error, how.unit)
        return float(np.max(model.readout(how.readout, h).error)) * _SLACK

    network, of_state = exact[0], of_step(how, 0.0)
    moved = of_step(Arithmetic(*exact, 0.0), 1e-9).max() / 1e-9
    rho, norm, size = moved, "max", of_state.max()
    if isinstance(network, CfCNetwork) and model.mode == "default" and model.wiring is None:
        # convex in t: the largest is at an end
        euclidean = max(cell_lipschitz(network, t, model.settings, "euclidean") for t in dt)
        if euclidean < max(1, moved):
            rho, norm, size = euclidean, "euclidean", float(np.linalg.norm(of_state))
    for_ever = min(size / (1 - rho), float(np.max(how.widest))) if rho < 1 else math.inf
    last = of_output(for_ever) if math.isfinite(for_ever) else math.inf
    return RoundingCertificate(float(of_state.max()), of_output(of_state), float(rho), norm, float(for_ever), last)


def _step(model: Any, network: Any, x: Any, h: Any, dt: Any) -> Any:
    """Return the state after a time step."""
    if isinstance(network, CfCNetwork):
        return cfc_network.step(network, x, (h, None), dt, model.settings)[0][0]
    solver, equation = SOLVERS[model.solver], model.equation
    held = equation.hold(network.cell, scaled(network.input_map, x))
    new, part = h, cast("Callable[..., Any]", solver.part)
    # The parts of these solvers are weighted means, computed ones up to rounding too: exact and computed states stay in
    # the interval that they began in, so that no error is above its width
    for _ in range(model.ode_unfolds):
        new = part(equation, network.cell, held, new, dt / model.ode_unfolds).within(h.low, h.high)
    return new


def _posed(model: Any, dt: tuple[float, float], *, boxed: bool) -> tuple[Any, Interval]:
    """Return a model's weights in float64, and the box of its states, the first one, 0, included."""
    network = effective(model)
    if not isinstance(network, (CfCNetwork, ODENetwork)):
        expected = "a CfC, LTC, NeuralLTC or CTRNN"
        checks.refuse("model", type(model).__name__, expected, "pass such a layer", TypeError)
    if network.lstm is not None:
        checks.refuse("model", "mixed memory", "a network whose states have a box", "pass one without it")
    if isinstance(network, ODENetwork):
        _check_solver(model)
    low, high = box(model, timespans=dt[0]) if isinstance(network, CfCNetwork) else box(model)
    if boxed and not (np.isfinite(low).all() and np.isfinite(high).all()):
        expected = "bounded heads, and in mode 'pure' times above 0"
        checks.refuse("model", "a network whose states have no box", expected, "choose others")
    network = float64(network)
    return network, (np.minimum(low, 0).astype(np.float64), np.maximum(high, 0).astype(np.float64))


def _check_solver(model: Any) -> None:
    """Refuse solvers that leave the box, whose parts have no rule, or that choose the number of their parts."""
    known = [name for name, solver in SOLVERS.items() if solver.keeps_box and name not in _WITHOUT_RULES]
    if model.solver not in known:
        expected = f"one of {', '.join(map(repr, known))}"
        checks.refuse("model", f"solver {model.solver!r}", expected, "make the layer with one of these")
    if model.step is not None:
        expected = "a fixed number of parts per time step"
        checks.refuse("model", f"step={model.step:g}", expected, "make the layer with ode_unfolds")


def _x_range(model: Any, value: Any) -> Interval:
    low, high = (checks.numeric("x_range", end).astype(np.float64) for end in _pair("x_range", value))
    features = getattr(model, "input_size", 1)
    for end in (low, high):
        if end.shape not in ((), (features,)):
            checks.refuse("x_range", f"shape {end.shape}", f"numbers or shape ({features},)", "pass one per feature")
        checks.as_dtype("x_range", end, _SINGLE, do="scale the inputs")
    low, high = np.broadcast_to(low, features), np.broadcast_to(high, features)
    ordered("x_range", low, high, "pass the lower end first")
    return low, high


def checked_dt_range(value: Any) -> tuple[float, float]:
    """Return the shortest and the longest time; refuse others than two in order, which float32 holds."""
    low, high = (checks.number("dt_range", end) for end in _pair("dt_range", value))
    if not 0 <= low <= high:
        checks.refuse("dt_range", f"({low}, {high})", "0 <= shortest <= longest", "pass the times between samples")
    checks.as_dtype("dt_range", np.asarray(high), _SINGLE, do="choose a longer unit of time")
    return low, high


def _pair(name: str, value: Any) -> Any:
    several = isinstance(value, (tuple, list)) or (isinstance(value, np.ndarray) and value.ndim > 0)
    if not several or len(value) != 2:
        got = f"{type(value).__name__} of {len(value)}" if several else type(value).__name__
        checks.refuse(name, got, "a pair (lowest, highest)", "pass both ends", TypeError)
    return value
