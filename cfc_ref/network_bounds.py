r"""Certificates of a synaptic LTC network, from its weights, a box of its inputs, and the time.

They are reached as :mod:`cfc_ref.bounds`. `network` is a :class:`cfc_ref.LTC` without mixed memory, whose weights are
taken as real numbers, in float64 whatever its dtype. Time is the first axis and neurons the last, in the order of the
wiring's ids, as in a layer's states. The formulas are in :mod:`cfc_ref.cells.ltc_bounds` and
:mod:`cfc_ref.cells.ltc_tube`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cfc_ref import checks
from cfc_ref.cells import ltc_bounds, ltc_tube
from cfc_ref.cells.ltc.network import ODENetwork, scaled
from cfc_ref.cells.ltc.synapses import LTCParams
from cfc_ref.cells.tree import tree_map

__all__ = [
    "FrozenCertificate",
    "network_box",
    "network_frozen_error",
    "network_time_constant",
    "tube",
    "weights_of",
]

Array = npt.NDArray[Any]
Interval = tuple[Array, Array]

FORMS = ("ode", "fused")


def weights_of(network: Any) -> ODENetwork:
    """Return the effective weights of a synaptic LTC network, in float64; refuse other kinds.

    Parameters
    ----------
    network : LTC
        Without mixed memory.

    Raises
    ------
    ValueError, TypeError
        For other networks, and for explicit weights below 0.

    Examples
    --------
    >>> from cfc_ref import LTC
    >>> weights_of(LTC(2, 3, seed=0)).cell.sensory_w.shape
    (2, 3)
    """
    make = getattr(network, "_params", None)
    weights = make().network if make is not None else None
    if not isinstance(weights, ODENetwork) or not isinstance(weights.cell, LTCParams):
        checks.refuse("network", type(network).__name__, "an LTC with synapses", "pass a cfc_ref.LTC", TypeError)
    if weights.lstm is not None:
        do = "translate or bound a network without it"
        checks.refuse("network", "mixed memory", "an LTC whose states move by its ODE alone", do)
    weights64: ODENetwork = tree_map(lambda array: array.astype(np.float64), weights)
    return weights64


def _inputs(weights: ODENetwork, input_low: Any, input_high: Any, steps: tuple[int, ...]) -> Interval:
    """Return the ends of the inputs as they reach the synapses, shape steps + (inputs,).

    A factor below 0 in the input's map exchanges them, which releases do not mind.
    """
    features = weights.cell.sensory_w.shape[0]
    ends = []
    for name, value in (("input_low", input_low), ("input_high", input_high)):
        end = checks.numeric(name, value).astype(np.float64)
        if end.shape not in ((), (features,), (*steps, features)):
            more = f", or {(*steps, features)}, one box a time step" if steps else ""
            do = "give a number, or one a feature"
            checks.refuse(name, f"shape {end.shape}", f"a number or shape ({features},){more}", do)
        ends.append(np.broadcast_to(end, (*steps, features)))
    _ordered("input_low", ends[0], ends[1], "exchange input_low and input_high")
    return scaled(weights.input_map, ends[0]), scaled(weights.input_map, ends[1])


def _posed(network: Any, hx: Any) -> tuple[ODENetwork, Interval]:
    """Return the weights, and the box of the first state, shape (units,)."""
    weights = weights_of(network)
    units = weights.cell.gleak.size
    state = np.zeros(units) if hx is None else checks.numeric("hx", hx).astype(np.float64)
    if state.shape not in ((units,), (2, units)):
        expected = f"shape ({units},), or (2, {units}), the ends of a box"
        checks.refuse("hx", f"shape {state.shape}", expected, "pass one number a neuron")
    low, high = np.broadcast_to(state, (2, units))
    _ordered("hx", low, high, "pass the lower end first")
    return weights, (low, high)


def _ordered(name: str, low: Array, high: Array, do: str) -> None:
    checks.compare(name, low, low <= high, "a lower end not above the upper one", do)


def _steps(t: Any) -> tuple[Array, tuple[int, ...]]:
    """Return the lengths of the time steps from 0 to each time, and the shape of t."""
    times = checks.times("t", t, increasing=True)
    return np.diff(times.reshape(-1), prepend=0.0), times.shape


def _fused_unfolds(network: Any) -> int:
    if network.solver != "fused":
        do = "make it with solver='fused', or ask for form='ode'"
        checks.refuse("network", f"solver {network.solver!r}", "solver 'fused' for the bound of its step", do)
    return int(network.ode_unfolds)


def tube(
    network: Any,
    input_low: npt.ArrayLike,
    input_high: npt.ArrayLike,
    t: npt.ArrayLike,
    hx: npt.ArrayLike | None = None,
    form: str = "ode",
) -> Interval:
    r"""Interval of every neuron's state at times t, for all inputs that stay in a box.

    .. math:: C_i\,\dot u_i = g_i\,(V_i - u_i) + \sum_j w_{ij}\,s^u_{ij}\,(E_{ij} - u_i), \qquad
              s^u_{ij} = s^{hi}_{ij} \text{ where } E_{ij} > u_i, \text{ else } s^{lo}_{ij}

    and the mirror for the lower end, where :math:`s_{ij} \in [s^{lo}_{ij}, s^{hi}_{ij}]` as its presynaptic value
    ranges over its own interval (Müller's theorem).

    Parameters
    ----------
    network : LTC
        Without mixed memory.
    input_low, input_high : array_like, shape (), (inputs,) or (T, inputs)
        The box of the inputs, as the network is called with them; box k of (T, inputs) is in force up to t[k].
    t : array_like, shape () or (T,)
        Strictly increasing times >= 0.
    hx : array_like, shape (units,), or (2, units) for the ends of a box, or None
        The state at t = 0; 0 by default.
    form : {"ode", "fused"}
        Of what: the network's ODE, with every measurable input in the box, solved by scipy to 1e-10; or the states
        that the layer itself computes with solver "fused", when its samples come at the times t.

    Returns
    -------
    low, high : ndarray of float64, shape t.shape + (units,)
        Before the output's mapping.

    Raises
    ------
    ValueError, TypeError
        In three parts, before anything is computed.
    RuntimeError
        If scipy's solver gives up.

    Notes
    -----
    "ode" is exact for one neuron with a synapse on each input, and where all neurons excite each other. "fused" is the
    exact interval of every unfolding (but for synapses of a neuron on itself); over several it is sound.

    Examples
    --------
    >>> from cfc_ref import LTC
    >>> network = LTC(2, 3, seed=0, dtype="float64")
    >>> low, high = tube(network, -1.0, 1.0, [1.0, 2.0])
    >>> states = network.solve([[0.5, 0.5], [-0.5, 0.5]])
    >>> bool(np.all((low <= states) & (states <= high)))
    True
    """
    weights, start = _posed(network, hx)
    timespans, shape = _steps(t)
    form = checks.choice("form", form, FORMS)
    inputs = _inputs(weights, input_low, input_high, timespans.shape)
    if form == "ode":
        ends = ltc_tube.ode_tube(weights.cell, inputs, start, timespans, network.epsilon)
    else:
        unfolds = _fused_unfolds(network)
        ends = ltc_tube.fused_tube(weights.cell, inputs, start, timespans, unfolds, network.epsilon)
    low, high = (end.reshape((*shape, network.state_size)) for end in ends)
    return low, high


def network_box(network: Any, hx: npt.ArrayLike | None = None, t: npt.ArrayLike = 0.0, form: str = "ode") -> Interval:
    r"""Box of a network's states at times t, whatever the inputs (LTC, AAAI 2021, Theorem 2, for synapses).

    .. math:: \min(V_i, \min_j E_{ij}, 0) \le x_i \le \max(V_i, \max_j E_{ij}, 0)

    The 0 is there as ε > 0 is a conductance on it. A start inside stays inside; from outside the distance shrinks at
    least like :math:`e^{-t(g+\varepsilon)/C}` ("ode", and frozen steps of any length), or by
    :math:`C/(C + h(g + \varepsilon))` in each unfolding of length h ("fused").

    Parameters
    ----------
    network : LTC
        Without mixed memory.
    hx : array_like, shape (units,), or (2, units) for the ends of a box, or None
        The state at t = 0; 0 by default.
    t : array_like, shape () or (T,)
        Strictly increasing times >= 0; the box holds from each of them on.
    form : {"ode", "fused"}
        As in :func:`tube`.

    Returns
    -------
    low, high : ndarray of float64, shape t.shape + (units,)

    Raises
    ------
    ValueError, TypeError
        In three parts.

    Examples
    --------
    >>> from cfc_ref import LTC
    >>> low, high = network_box(LTC(2, 3, seed=1), hx=[0.0, 0.0, 3.0], t=[0.0, 50.0])
    >>> high.round(4)
    array([[1., 1., 3.],
           [1., 1., 1.]])
    """
    weights, start = _posed(network, hx)
    timespans, shape = _steps(t)
    unfolds = _fused_unfolds(network) if checks.choice("form", form, FORMS) == "fused" else None
    decay = ltc_bounds.leak_decay(weights.cell, timespans, unfolds, network.epsilon)
    ends = ltc_bounds.with_start(*ltc_bounds.ltc_box(weights.cell, network.epsilon), start, decay)
    low, high = (end.reshape((*shape, network.state_size)) for end in ends)
    return low, high


def network_time_constant(network: Any) -> Interval:
    r"""Range of every neuron's time constant (LTC, AAAI 2021, Theorem 1, for synapses).

    .. math:: \frac{C_i}{g_i + \varepsilon + \sum_j w_{ij}} \le \tau_i(t) = \frac{C_i}{G_i(x, I)}
              \le \frac{C_i}{g_i + \varepsilon}

    Parameters
    ----------
    network : LTC
        Without mixed memory.

    Returns
    -------
    low, high : ndarray of float64, shape (units,)
        In units of time; the "time_constant" of ``network.trace`` lies between them.

    Raises
    ------
    ValueError, TypeError
        In three parts.

    Examples
    --------
    >>> from cfc_ref import LTC
    >>> network = LTC(2, 3, seed=0, dtype="float64")
    >>> low, high = network_time_constant(network)
    >>> tau = network.trace(np.ones((5, 2)))["time_constant"]
    >>> bool(np.all((low <= tau) & (tau <= high)))
    True
    """
    return ltc_bounds.ltc_time_constant(weights_of(network).cell, network.epsilon)


class FrozenCertificate(NamedTuple):
    """How far frozen steps can be from a network's ODE.

    Attributes
    ----------
    contraction : float
        λ, in 1/time.
    defect : float
        P, in 1/time².
    bound : ndarray, shape t.shape
        On the largest error of a neuron; infinite without certificate.
    """

    contraction: float
    defect: float
    bound: Array

    @property
    def certified(self) -> bool:
        """Whether λ > 0: errors, and trajectories with the same input, approach each other."""
        return self.contraction > 0

    def __str__(self) -> str:
        if not self.certified:
            return f"no certificate: λ = {self.contraction:.3g} is not above 0"
        largest = f"{np.max(self.bound, initial=0):.3g}"
        return f"certified: λ = {self.contraction:.3g}, P = {self.defect:.3g}, error at most {largest}"


def network_frozen_error(
    network: Any,
    input_low: npt.ArrayLike,
    input_high: npt.ArrayLike,
    t: npt.ArrayLike,
    step: float,
    hx: npt.ArrayLike | None = None,
) -> FrozenCertificate:
    r"""Frozen steps against the ODE of a recurrent network, for inputs that are constant on each step.

    .. math:: |\hat x - x|_\infty \le h\,P\,\frac{1 - e^{-\lambda t}}{\lambda} \qquad\text{where } \lambda > 0

    with λ and P of :func:`cfc_ref.cells.ltc_bounds.frozen_rates` on the box of the states. Where λ <= 0 there is no
    certificate; with ncps's initial weights that is so.

    Parameters
    ----------
    network : LTC
        Without mixed memory; its own solver does not matter.
    input_low, input_high : array_like, shape () or (inputs,)
        The box of the inputs, as the network is called with them.
    t : array_like, any shape
        Times >= 0.
    step : float
        h, the longest part at whose start conductances are frozen.
    hx : array_like, shape (units,), or (2, units) for the ends of a box, or None
        The state at t = 0; 0 by default.

    Returns
    -------
    FrozenCertificate

    Raises
    ------
    ValueError, TypeError
        In three parts.

    Examples
    --------
    >>> from cfc_ref import LTC
    >>> print(network_frozen_error(LTC(2, 12, seed=0), -1.0, 1.0, t=1.0, step=0.1))
    no certificate: λ = -39.6 is not above 0
    """
    weights, start = _posed(network, hx)
    times, h = checks.times("t", t), checks.number("step", step, positive=True)
    inputs = _inputs(weights, input_low, input_high, ())
    box = ltc_bounds.with_start(*ltc_bounds.ltc_box(weights.cell, network.epsilon), start)
    rates = ltc_bounds.frozen_rates(weights.cell, *inputs, box, network.epsilon)
    if rates.contraction <= 0:
        return FrozenCertificate(*rates, np.full(times.shape, np.inf))
    grown = -np.expm1(-rates.contraction * times) / rates.contraction
    return FrozenCertificate(*rates, h * rates.defect * grown)
