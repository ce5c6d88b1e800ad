r"""Certificates of a network from its weights, for any model: a box of its states, a Lipschitz constant, a reach tube.

Weights are taken as real numbers. Time is the first axis and neurons the last, in the order of a layer's states.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cfc_ref import checks
from cfc_ref.arrays import Array
from cfc_ref.bounds.checked import Interval
from cfc_ref.bounds.contraction import cell_lipschitz, cfc_tube
from cfc_ref.bounds.driven import (
    OF_CTRNN,
    OF_EQ_1,
    Driven,
    Release,
    driven_contraction,
    driven_part,
    driven_tube,
    of_ctrnn,
    of_neural_ltc,
)
from cfc_ref.bounds.posed import effective, float64, input_box, ode_weights, start_box, time_steps
from cfc_ref.bounds.synaptic import frozen_rates, leak_decay, with_start
from cfc_ref.bounds.tubes import Part, fused_part, fused_tube, ode_tube, synaptic_tube
from cfc_ref.cells.cfc.modes import MODES, VARIANTS
from cfc_ref.cells.cfc.network import CfCNetwork
from cfc_ref.cells.ctrnn import CTRNNParams, ctrnn_box
from cfc_ref.cells.ltc.network import Scaling
from cfc_ref.cells.ltc.neural import NeuralLTCParams, neural_box
from cfc_ref.cells.ltc.synapses import LTCParams, ltc_box
from cfc_ref.cells.ode import Equation, Scheme, parts_of

__all__ = ["box", "lipschitz", "network_box", "tube"]

FORMS = ("ode", "fused")


class ODEBounds(NamedTuple):
    """The bounds of a network with an ODE."""

    box: Interval  # that no state leaves, for every input, shape (units,) each
    leak: Array  # (units,): the smallest rate of each neuron, at which a state outside of the box comes back
    # box → λ; two trajectories in the box with the same input approach like exp(-λ t)
    contraction: Callable[[Interval], float]
    equation: Equation  # equation, params: the tube's ODE, and its parameters
    params: Any
    part: Part  # (params, held, low, high, h) → interval of a part of the fused step
    input_map: Scaling | None  # map of the inputs


def _of_synaptic(model: Any, cell: LTCParams, input_map: Scaling | None) -> ODEBounds:
    epsilon = model.epsilon
    any_input = np.full(model.input_size, 1e290)  # not infinite, as a gain may be 0

    def contraction(box: Interval) -> float:
        with np.errstate(over="ignore"):
            return frozen_rates(cell, -any_input, any_input, box, epsilon)[0]

    leak, part = (cell.gleak + epsilon) / cell.cm, partial(fused_part, epsilon=epsilon)
    return ODEBounds(ltc_box(cell, epsilon), leak, contraction, synaptic_tube(epsilon), cell, part, input_map)


def _of_driven(release: Release, network: Driven, box: Interval, input_map: Scaling | None) -> ODEBounds:
    contraction, part = partial(driven_contraction, release, network), partial(driven_part, release)
    return ODEBounds(box, network.w, contraction, driven_tube(release), network, part, input_map)


_ODES: dict[type, Callable[[Any, Any, Scaling | None], ODEBounds]] = {
    LTCParams: _of_synaptic,
    NeuralLTCParams: lambda model, cell, input_map: _of_driven(
        OF_EQ_1, of_neural_ltc(cell), neural_box(cell), input_map
    ),
    CTRNNParams: lambda model, cell, input_map: _of_driven(
        OF_CTRNN, of_ctrnn(cell, model.tau), ctrnn_box(cell, model.tau), input_map
    ),
}


def box(
    model: Any,
    hx: npt.ArrayLike | None = None,
    t: npt.ArrayLike | None = None,
    form: str | None = None,
    *,
    timespans: npt.ArrayLike | None = None,
) -> Interval:
    r"""Box that holds a network's states, whatever the inputs: those of its ODE, or of a CfC's steps.

    Of an LTC (AAAI 2021, Theorem 2, for synapses), where the 0 is there as ε > 0 is a conductance on it:

    .. math:: \min(V_i, \min_j E_{ij}, 0) \le x_i \le \max(V_i, \max_j E_{ij}, 0)

    Of a NeuralLTC the x between 0 and A/(w + 1), of a CTRNN those with :math:`|x| \le \tau |s|`. A start inside stays
    inside; from outside the distance shrinks at least like :math:`e^{-kt}` ("ode", and frozen steps of any length), or
    by :math:`1/(1 + hk)` in each part of length h ("fused"), with k the rate of the leak. It bounds the ODE and the
    solvers that keep it ("fused", "frozen", "frozen_midpoint", "cf4"); "euler" and "rk4" may leave it. Of a CfC, every
    state but the first, G being the heads' bound:

    .. math:: |x^+| < G \;\text{("default")}, \qquad |x^+| < 2G \;\text{("no\_gate")}, \qquad
              |x^+ - A| \le \frac{|A|\,e^{-t |w_\tau|}}{e\,t} \;\text{("pure")}, \qquad
              |x^+ - A| \le |B|\,e^{-t |w_\tau|} \;\text{("paper\_pure")}

    and in mode "from_x0" :math:`|x - A| \le |A|` for runs that begin there, as at 0.

    Parameters
    ----------
    model : LTC, NeuralLTC, CTRNN or CfC
        Without mixed memory, unless it is a CfC.
    hx : array_like, shape (units,), or (2, units) for the ends of a box, or None
        The state at t = 0, 0 by default; not of a CfC.
    t : array_like, shape () or (T,)
        Strictly increasing times >= 0, 0 by default; the box holds from each of them on. Not of a CfC.
    form : {"ode", "fused"}
        As in :func:`tube`; not of a CfC.
    timespans : array_like
        Of a CfC, the timespans used, of which the shortest matters; 1 by default.

    Returns
    -------
    low, high : ndarray, shape t.shape + (units,)

    Raises
    ------
    ValueError, TypeError
        For arguments that do not fit.

    Examples
    --------
    >>> from cfc_ref import LTC, CfC
    >>> low, high = box(LTC(2, 3, seed=1), hx=[0.0, 0.0, 3.0], t=[0.0, 50.0])
    >>> high.round(4)
    array([[1., 1., 3.],
           [1., 1., 1.]])
    >>> box(CfC(2, 3, seed=1))[1]
    array([1., 1., 1.])
    """
    weights = effective(model)
    if isinstance(weights, CfCNetwork):
        _no_option(hx=hx, t=t, form=form)
        if model.mode == "from_x0" and model.mixed_memory:
            got, expected = "mode 'from_x0' with mixed memory", "another mode, or no mixed memory"
            checks.refuse("model", got, expected, "pass a layer whose steps begin at its own state")
        shortest = float(_timespans(model, 1.0 if timespans is None else timespans).min())
        mode, variant = MODES[model.mode], VARIANTS[model.variant]
        ends = [mode.box(layer, shortest, variant) for layer in weights.layers]
        return np.concatenate([low for low, _ in ends]), np.concatenate([high for _, high in ends])
    ode = _ode(model)
    if timespans is not None:
        checks.refuse("timespans", timespans, "None, as this network has an ODE", "pass the times `t`")
    start = start_box(hx, model.state_size)
    steps, shape = time_steps(0.0 if t is None else t)
    unfolds = _unfolds(model, steps) if _equation(form) == "fused" else None
    low, high = with_start(*ode.box, start, leak_decay(ode.leak, steps, unfolds))
    return low.reshape((*shape, model.state_size)), high.reshape((*shape, model.state_size))


def lipschitz(model: Any, timespans: npt.ArrayLike = 1.0, norm: str = "max") -> float:
    r"""Lipschitz constant of a time step in the state: :math:`\|x^+ - x'^+\| \le L\,\|x - x'\|` for equal inputs.

    Of a CfC from bounds on the change of its features (:func:`cfc_ref.bounds.contraction.cell_lipschitz`). Of a network
    with an ODE it is :math:`e^{-\lambda t}`, for its ODE, states in :func:`box` and any inputs; of an LTC with

    .. math:: \lambda = \min_i\; \frac{1}{C_i}\Big[g_i + \varepsilon + \sum_j w_{ij}\,s_{ij}^{min} -
              \sum_j \frac{w_{ij}\,|\sigma_{ij}|}{4} \max_{x_i} |x_i - E_{ij}|\Big]

    Below 1 for all timespans used, runs with equal inputs forget their start. It is sufficient only: fresh weights are
    far from it.

    Parameters
    ----------
    model : CfC, LTC, NeuralLTC or CTRNN
        Without mixed memory.
    timespans : array_like, any shape
        Those of the time steps, >= 0: the constant holds for each of them.
    norm : {"max", "euclidean"}
        Of a state; "euclidean" for one CfC cell of mode "default".

    Returns
    -------
    float
        Infinite where nothing is known, as for linear heads with a gate.

    Raises
    ------
    ValueError, TypeError
        For arguments that do not fit.

    Examples
    --------
    >>> from cfc_ref import CfC
    >>> round(lipschitz(CfC(3, 32, seed=0), 1.0, norm="euclidean"), 1)
    5.7
    """
    weights = effective(model)
    checks.choice("norm", norm, ("max", "euclidean"))
    if isinstance(weights, CfCNetwork):
        t = _timespans(model, timespans)
        _no_memory(model)
        if norm == "euclidean" and (model.wiring is not None or model.mode != "default"):
            got = f"'euclidean' with {'a wiring' if model.wiring is not None else f'mode {model.mode!r}'}"
            checks.refuse("norm", got, "'max'; 'euclidean' is for one cell of mode 'default'", "pass 'max'")
        return max(cell_lipschitz(weights, float(span), model.settings, norm) for span in np.unique(t))
    ode, t = _ode(model), _timespans(model, timespans)
    if norm != "max":
        checks.refuse("norm", repr(norm), "'max'; 'euclidean' is for one CfC cell of mode 'default'", "pass 'max'")
    with np.errstate(over="ignore"):
        return float(np.exp(-ode.contraction(ode.box) * t).max())


def tube(
    model: Any,
    input_low: npt.ArrayLike,
    input_high: npt.ArrayLike,
    t: npt.ArrayLike,
    hx: npt.ArrayLike | None = None,
    form: str | None = None,
) -> Interval:
    r"""Interval of every neuron's state at times t, for all inputs that stay in a box.

    Of an LTC, with :math:`s_{ij} \in [s^{lo}_{ij}, s^{hi}_{ij}]` as its presynaptic value ranges over its own interval,

    .. math:: C_i\,\dot u_i = g_i\,(V_i - u_i) + \sum_j w_{ij}\,s^u_{ij}\,(E_{ij} - u_i), \qquad
              s^u_{ij} = s^{hi}_{ij} \text{ where } E_{ij} > u_i, \text{ else } s^{lo}_{ij}

    and the mirror for the lower end (Müller's theorem); NeuralLTC and CTRNN likewise. Of a CfC, the steps that the
    layer computes when its samples come at the times t, by interval arithmetic.

    Parameters
    ----------
    model : LTC, NeuralLTC, CTRNN or CfC
        Without mixed memory.
    input_low, input_high : array_like, shape (), (inputs,) or (T, inputs)
        The box of the inputs, as the network is called with them; box k of (T, inputs) is in force up to t[k].
    t : array_like, shape () or (T,)
        Strictly increasing times >= 0.
    hx : array_like, shape (units,), or (2, units) for the ends of a box, or None
        The state at t = 0; 0 by default.
    form : {"ode", "fused"}
        The network's ODE (the default), with every measurable input in the box, solved by scipy to 1e-10; or the
        states that the layer itself computes with solver "fused", when its samples come at the times t. A CfC has none.

    Returns
    -------
    low, high : ndarray of float64, shape t.shape + (units,)
        Before the output's mapping.

    Raises
    ------
    ValueError, TypeError
        For arguments that do not fit, before anything is computed.
    RuntimeError
        If scipy's solver gives up.

    Notes
    -----
    "ode" is exact for one neuron with a synapse on each input, and where all neurons excite each other. "fused" is the
    exact interval of every part (but for synapses of a neuron on itself); over several it is sound. The CfC's holds
    every state, and is wider than their range, as interval arithmetic forgets what heads and neurons have in common.

    Examples
    --------
    >>> from cfc_ref import LTC
    >>> network = LTC(2, 3, seed=0, dtype="float64")
    >>> low, high = tube(network, -1.0, 1.0, [1.0, 2.0])
    >>> states = network.solve([[0.5, 0.5], [-0.5, 0.5]])
    >>> bool(np.all((low <= states) & (states <= high)))
    True
    """
    weights = effective(model)
    ode = None if isinstance(weights, CfCNetwork) else _ode(model)
    start = start_box(hx, model.state_size)
    steps, shape = time_steps(t)
    inputs = input_box(ode.input_map if ode else None, model.input_size, input_low, input_high, steps.shape)
    if ode is None:
        if form is not None:
            checks.refuse("form", form, "None, as a CfC has no ODE", "remove `form`")
        _no_memory(model)
        low, high = cfc_tube(float64(weights), inputs, start, steps, model.settings)
    elif _equation(form) == "ode":
        low, high = ode_tube(ode.equation, ode.params, inputs, start, steps)
    else:
        low, high = fused_tube(ode.equation, ode.part, ode.params, inputs, start, steps, _unfolds(model, steps))
    # Not in the paper: the reach tube of a network
    return low.reshape((*shape, model.state_size)), high.reshape((*shape, model.state_size))


def network_box(network: Any, hx: npt.ArrayLike | None = None, t: npt.ArrayLike = 0.0, form: str = "ode") -> Interval:
    """Return :func:`box` of an LTC: the old name, until the next version.

    Parameters
    ----------
    network, hx, t, form
        As in :func:`box`.

    Examples
    --------
    >>> from cfc_ref import LTC
    >>> import pytest
    >>> with pytest.warns(DeprecationWarning, match="bounds.box"):
    ...     low, high = network_box(LTC(2, 3, seed=1))
    """
    warnings.warn("bounds.network_box is deprecated; call bounds.box", DeprecationWarning, stacklevel=2)
    return box(network, hx, t, form)


# --- what the arguments mean


def _ode(model: Any) -> ODEBounds:
    """Return the bounds of a network with an ODE; refuse other models."""
    expected = "a CfC, LTC, NeuralLTC or CTRNN"
    weights = ode_weights(model, "model", tuple(_ODES), expected, "pass such a layer")
    return _ODES[type(weights.cell)](model, weights.cell, weights.input_map)


def _no_memory(model: Any) -> None:
    if model.mixed_memory:
        checks.refuse("model", "mixed memory", "a network without it, whose state is bounded", "pass one without it")


def _equation(form: str | None) -> str:
    return checks.choice("form", "ode" if form is None else form, FORMS)


def _unfolds(model: Any, steps: Array) -> npt.NDArray[np.intp]:
    """Return into how many fused parts the model cuts each time step; refuse other solvers."""
    if model.solver != "fused":
        do = "make it with solver='fused', or pass form='ode'"
        checks.refuse("model", f"solver {model.solver!r}", "solver 'fused' for the bound of its step", do)
    return parts_of(Scheme(model.equation, "fused", model.ode_unfolds or 1, model.step), steps)[0]


def _no_option(**options: Any) -> None:
    """Refuse the options of networks with an ODE."""
    for name, value in options.items():
        if value is not None:
            checks.refuse(name, value, "None, as a CfC's box does not depend on it", f"remove `{name}`")


def _timespans(model: Any, value: Any) -> Array:
    """Return timespans >= 0 in the model's dtype."""
    t = checks.numeric("timespans", value)
    t = checks.as_dtype("timespans", t, model.dtype, do="use a layer of float64")
    checks.compare("timespans", t, t >= 0, "times >= 0", "pass the times between samples")
    if not t.size:
        checks.refuse("timespans", "no timespans", "at least one", "pass the shortest one used")
    return t
