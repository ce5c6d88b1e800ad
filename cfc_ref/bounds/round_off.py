r"""Proved bounds on what rounding does to a network: the specification runs on intervals that carry an error.

Arithmetic is that of IEEE 754 with unit roundoff u: each operation errs by at most u of its result, a sum of n terms in
any order by :math:`\gamma_n = n u/(1 - n u)` of the sum of their sizes, exp, tanh, expm1 and the logistic function by a
few units in the last place (:data:`FUNCTION`), erf in float32 by :data:`ERF`; constants are rounded once. Options such
as -ffast-math, which rewrite formulas, are outside of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple, NoReturn, cast

import numpy as np

from cfc_ref import checks
from cfc_ref.arrays import Array
from cfc_ref.bounds.certificates import box
from cfc_ref.bounds.checked import Interval
from cfc_ref.bounds.contraction import cell_lipschitz
from cfc_ref.bounds.posed import effective, float64, ordered
from cfc_ref.cells.cfc import network as cfc_network
from cfc_ref.cells.cfc.network import CfCNetwork
from cfc_ref.cells.ltc.network import ODENetwork, scaled
from cfc_ref.cells.solvers import SOLVERS

__all__ = ["Ranged", "RoundingCertificate", "checked_dt_range", "rounding"]

FUNCTION = 8  # unit roundoffs: four units in the last place
ERF = 6e-7  # absolute, also of a polynomial
_TINY = 1e-37  # underflow, and what exp loses where it is flushed to 0
_SLACK = 1 + 1e-6  # for the rounding of the bounds themselves, in float64
_UNITS = {"float32": 2.0**-24, "float64": 2.0**-53}
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
        Without mixed memory, whose memory has no box; a CfC whose heads are bounded; an ODE with a solver that keeps
        the box: "fused", "frozen" or "frozen_midpoint".
    x_range : pair of array_like, shape () or (features,)
        The lowest and the highest input.
    dt_range : pair of float
        The shortest and the longest time, >= 0; the mode "pure" needs one above 0.
    dtype : {"float32", "float64"}
        In which the network computes: in C (:func:`cfc_ref.export_c`) or in NumPy. There is no "int8" yet.

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
    if isinstance(dtype, str) and dtype == "int8":
        checks.refuse("dtype", "'int8', which is not there yet", "'float32' or 'float64'", "export in float32")
    unit = _UNITS[checks.choice("dtype", dtype, _UNITS)]
    x, dt = _x_range(model, x_range), checked_dt_range(dt_range)
    network, start = _posed(model, dt)
    size = np.maximum(1, np.maximum(*np.abs(start)))
    found = []
    for wider in _WIDER:
        states = start[0] - wider * size, start[1] + wider * size
        found.append(_certificate(model, network, x, dt, states, unit))
        if found[-1].for_ever <= wider * size.min():
            return found[-1]
    return found[0]._replace(for_ever=math.inf, output_for_ever=math.inf)


def _certificate(
    model: Any, network: Any, x: Interval, dt: tuple[float, float], states: Interval, unit: float
) -> RoundingCertificate:
    """Return the certificate for states in an interval, valid if the bound for ever is not above its widening."""

    def of_step(unit: float, error: float) -> Array:
        h = Ranged.of(*states, error, unit)
        return _step(model, network, Ranged.of(*x, 0.0, unit), h, Ranged.of(*dt, 0.0, unit)).error[0] * _SLACK

    def of_output(error: Any) -> float:
        h = Ranged.of(*states, error, unit)
        return float(np.max(model.readout(float64(model.weights.readout), h).error)) * _SLACK

    of_state = of_step(unit, 0.0)
    moved = of_step(0.0, 1e-9).max() / 1e-9
    rho, norm, size = moved, "max", of_state.max()
    if isinstance(network, CfCNetwork) and model.mode == "default" and model.wiring is None:
        # convex in t: the largest is at an end
        euclidean = max(cell_lipschitz(network, t, model.settings, "euclidean") for t in dt)
        if euclidean < max(1, moved):
            rho, norm, size = euclidean, "euclidean", float(np.linalg.norm(of_state))
    for_ever = size / (1 - rho) if rho < 1 else math.inf
    last = of_output(for_ever) if math.isfinite(for_ever) else math.inf
    return RoundingCertificate(float(of_state.max()), of_output(of_state), float(rho), norm, float(for_ever), last)


def _step(model: Any, network: Any, x: Any, h: Any, dt: Any) -> Any:
    """Return the state after a time step.

    The parts of these solvers are weighted means, computed ones up to rounding too: exact and computed states stay in
    the interval that they began in, so that no error is above its width.
    """
    if isinstance(network, CfCNetwork):
        return cfc_network.step(network, x, (h, None), dt, model.settings)[0][0]
    solver, equation = SOLVERS[model.solver], model.equation
    held = equation.hold(network.cell, scaled(network.input_map, x))
    new, part = h, cast("Callable[..., Any]", solver.part)
    for _ in range(model.ode_unfolds):
        new = part(equation, network.cell, held, new, dt / model.ode_unfolds).within(h.low, h.high)
    return new


def _posed(model: Any, dt: tuple[float, float]) -> tuple[Any, Interval]:
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
    if not (np.isfinite(low).all() and np.isfinite(high).all()):
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


# --- intervals that carry an error


class Ranged(np.ndarray):
    """Intervals of exact values, and by how much computed ones may differ; the array itself holds the lower ends."""

    high: Array
    error: Array
    unit: float

    @classmethod
    def of(cls, low: Any, high: Any, error: Any, unit: float) -> Ranged:
        """Return intervals; without a batch axis they get one."""
        low, high, error = (np.atleast_2d(np.asarray(end, np.float64)) for end in (low, high, error))
        return _made(low, high, error, unit)

    @property
    def low(self) -> Array:
        """The lower ends."""
        return self.view(np.ndarray)

    @property
    def largest(self) -> Any:
        """The largest absolute value."""
        return np.maximum(np.abs(self.low), np.abs(self.high))

    def within(self, low: Array, high: Array) -> Ranged:
        """Return the intervals cut to others, which are known to hold the exact values and the computed ones."""
        error = np.minimum(self.error, high - low)
        return _made(np.clip(self.low, low, high), np.clip(self.high, low, high), error, self.unit)

    def sigmoid(self) -> Ranged:
        """Return the logistic function."""
        return _smooth(
            self, lambda z: 1 / (1 + np.exp(-np.clip(z, -700, 700))), lambda s: s * (1 - s), 2 * FUNCTION + 4
        )

    def astype(self, *_: Any, **__: Any) -> Any:
        """Return the intervals themselves."""
        return self

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        """Return the interval and the error of an operation's result."""
        if method == "reduce" and ufunc is np.add:
            return _sum(inputs[0], options.get("axis", 0), bool(options.get("keepdims", False)))
        rule = _RULES.get(ufunc.__name__)
        if method != "__call__" or rule is None:
            _refuse(f"numpy.{ufunc.__name__}")
        return rule(*(_as_ranged(value, self.unit) for value in inputs))

    def __array_function__(self, function: Any, types: Any, arguments: Any, options: Any) -> Any:
        """Arrange intervals and errors alike."""
        if function is np.concatenate:
            arrays = [_as_ranged(value, self.unit) for value in arguments[0]]
            return _each(lambda *ends: np.concatenate(ends, *arguments[1:], **options), self.unit, *arrays)
        if function is np.split:
            count = len(np.split(np.arange(arguments[0].shape[options.get("axis", 0)]), arguments[1]))
            return [
                _each(lambda a, k=k: np.split(a, *arguments[1:], **options)[k], self.unit, self) for k in range(count)
            ]
        if function is np.full_like:
            return np.full(arguments[0].shape, arguments[1])
        return _refuse(f"numpy.{function.__name__}")

    def __getitem__(self, key: Any) -> Any:
        """Return parts of intervals and errors."""
        return _each(lambda a: a[key], self.unit, self)


def _each(arrange: Callable[..., Array], unit: float, *arrays: Ranged) -> Ranged:
    low, high, error = (arrange(*(getattr(array, name) for array in arrays)) for name in ("low", "high", "error"))
    return _made(low, high, error, unit)


def _as_ranged(value: Any, unit: float) -> Ranged:
    """Return a constant, which is rounded once, as an interval."""
    if isinstance(value, Ranged):
        return value
    constant = np.array(value, np.float64)
    rounds = (constant != constant.astype(np.float32)) & (unit == _UNITS["float32"])
    return _made(constant, constant, unit * np.abs(constant) * rounds, unit)


def _made(low: Any, high: Any, error: Any, unit: float) -> Ranged:
    array = np.array(low, np.float64).view(Ranged)
    error = np.where(np.isnan(error), math.inf, error)  # 0 times an infinite error
    array.high, array.error, array.unit = np.asarray(high), np.broadcast_to(error, array.shape), unit
    return array


def _rounded(low: Any, high: Any, error: Any, unit: float) -> Ranged:
    """Return the result of an operation that rounds once."""
    largest = np.maximum(np.abs(low), np.abs(high)) + error
    return _made(low, high, error + (unit * largest + _TINY if unit else 0), unit)


def _products(a: Ranged, b: Any, b_high: Any) -> tuple[Array, Array]:
    four = [x * y for x in (a.low, a.high) for y in (b, b_high)]
    return np.minimum.reduce(four), np.maximum.reduce(four)


def _multiply(a: Ranged, b: Ranged) -> Ranged:
    with np.errstate(invalid="ignore"):
        error = a.largest * b.error + b.largest * a.error + a.error * b.error
    return _rounded(*_products(a, b.low, b.high), error, a.unit)


def _divide(a: Ranged, b: Ranged) -> Ranged:
    smallest = np.where((b.low <= 0) & (b.high >= 0), 0, np.minimum(np.abs(b.low), np.abs(b.high)))
    if not (smallest > 0).all():
        _refuse("a quotient whose divisor may be 0")
    low, high = _products(a, 1 / b.low, 1 / b.high)
    with np.errstate(divide="ignore", invalid="ignore"):
        error = (a.error + np.maximum(np.abs(low), np.abs(high)) * b.error) / (smallest - b.error)
    return _rounded(low, high, np.where(smallest > b.error, error, math.inf), a.unit)


def _matmul(a: Ranged, b: Ranged) -> Ranged:
    """Return the product with a matrix of constants, summed in any order."""
    W, middle, radius = b.low, (a.low + a.high) / 2, (a.high - a.low) / 2
    centre, around = middle @ W, radius @ np.abs(W)
    error = a.error @ np.abs(W) + (a.largest + a.error) @ b.error
    terms = len(W) * a.unit
    grown = terms / (1 - terms) * ((a.largest + a.error) @ (np.abs(W) + b.error))
    return _made(centre - around, centre + around, error + grown, a.unit)


def _sum(a: Ranged, axis: Any, keepdims: bool) -> Ranged:
    low, high, error, size = (
        np.sum(end, axis=axis, keepdims=keepdims) for end in (a.low, a.high, a.error, a.largest + a.error)
    )
    terms = a.shape[axis] * a.unit
    return _made(low, high, error + terms / (1 - terms) * size, a.unit)


def _smooth(
    z: Ranged, function: Callable[[Array], Array], slope: Callable[[Array], Array], roundoffs: float, least: float = 0
) -> Ranged:
    """Return an increasing function, whose slope by its value is largest where the argument is nearest to 0."""
    low, high = function(z.low), function(z.high)
    nearest = np.clip(0, z.low - z.error, z.high + z.error)
    with np.errstate(invalid="ignore"):
        moved = np.fmin(slope(function(nearest)) * z.error, 2)  # no two values of these functions are further apart
    largest = np.maximum(np.abs(low), np.abs(high)) + moved
    return _made(
        low, high, moved + np.maximum(roundoffs * z.unit * largest, least * (z.unit == _UNITS["float32"])), z.unit
    )


def _growing(z: Ranged, function: Callable[[Array], Array]) -> Ranged:
    """Return exp or expm1, of the slope exp."""
    low, high = function(z.low), function(z.high)
    with np.errstate(over="ignore"):
        moved = np.exp(z.high) * np.expm1(z.error)
    own = FUNCTION * z.unit * (np.maximum(np.abs(low), np.abs(high)) + moved) + _TINY * bool(z.unit)
    return _made(low, high, moved + own, z.unit)


def _larger(a: Ranged, b: Ranged) -> Ranged:
    return _made(np.maximum(a.low, b.low), np.maximum(a.high, b.high), np.maximum(a.error, b.error), a.unit)


def _smaller(a: Ranged, b: Ranged) -> Ranged:
    return _made(np.minimum(a.low, b.low), np.minimum(a.high, b.high), np.maximum(a.error, b.error), a.unit)


def _absolute(a: Ranged) -> Ranged:
    low = np.where((a.low <= 0) & (a.high >= 0), 0, np.minimum(np.abs(a.low), np.abs(a.high)))
    return _made(low, a.largest, a.error, a.unit)


def _erf(z: Array) -> Array:
    return np.array([*map(math.erf, z.ravel())]).reshape(z.shape)


_RULES: dict[str, Callable[..., Ranged]] = {
    "add": lambda a, b: _rounded(a.low + b.low, a.high + b.high, a.error + b.error, a.unit),
    "subtract": lambda a, b: _rounded(a.low - b.high, a.high - b.low, a.error + b.error, a.unit),
    "negative": lambda a: _made(-a.high, -a.low, a.error, a.unit),
    "multiply": _multiply,
    "divide": _divide,
    "matmul": _matmul,
    "absolute": _absolute,
    "maximum": _larger,
    "minimum": _smaller,
    "exp": lambda z: _growing(z, np.exp),
    "expm1": lambda z: _growing(z, np.expm1),
    "tanh": lambda z: _smooth(z, np.tanh, lambda a: 1 - a * a, FUNCTION),
    "erf (vectorized)": lambda z: _smooth(
        z, _erf, lambda value: np.full(value.shape, 2 / math.sqrt(math.pi)), FUNCTION, ERF
    ),
}


def _refuse(what: str) -> NoReturn:
    do = "add its rule to cfc_ref.bounds.round_off"
    checks.refuse("model", f"a network that computes {what}", f"operations with a rule: {', '.join(_RULES)}", do)
