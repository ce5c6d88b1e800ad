r"""Every bound on the distance between an ODE and a closed form, and the certificates of networks.

Those of a network, :func:`tube` and what begins with "network", are described in :mod:`cfc_ref.network_bounds`; what
follows is about neurons that do not see each other.

Each function returns a pair (low, high) that encloses a signed error "truth − approximation", of shape N + t.shape. N
is the shape of the neuron's parameters and of `x0`. `f_range` = (a, b) is a known range of :math:`y(s) = f(I(s))` on
[0, t]: numbers, arrays that broadcast to N, or (where that does not fit) to N + t.shape, one range for each time.

Which ODE a bound is about stands in its first line. Notation: :math:`w = w_\tau`, :math:`c = x_0 - A`,
:math:`g_t(y) = e^{-yt} r(y)`. The formulas themselves, element by element, are in
:mod:`cfc_ref.neuron.closed_form_error` and :mod:`cfc_ref.neuron.frozen_error`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cfc_ref import checks
from cfc_ref.network_bounds import network_box, network_frozen_error, network_time_constant, tube
from cfc_ref.neuron import closed_form_error as formulas
from cfc_ref.neuron import frozen_error as frozen_formulas
from cfc_ref.neuron.closed_forms import SAMPLES
from cfc_ref.neuron.model import FORMS, LTCNeuron, neuron_and_start

__all__ = [
    "asymptotic_error",
    "closed_form_error",
    "form_gap",
    "frozen_error",
    "frozen_step_error",
    "lemma1",
    "network_box",
    "network_frozen_error",
    "network_time_constant",
    "reachable_states",
    "state_box",
    "time_constant",
    "tube",
    "two_term",
]

Array = npt.NDArray[Any]
Interval = tuple[Array, Array]
Range = tuple[npt.ArrayLike, npt.ArrayLike]


class _Over(NamedTuple):
    """Arguments with the time axes behind, ready for the element-wise formulas."""

    neuron: LTCNeuron
    c: Array
    t: Array
    a: Array
    b: Array
    shape: tuple[int, ...]  # N

    def full(self, *arrays: Array) -> tuple[Array, ...]:
        return tuple(np.broadcast_to(array, self.shape + self.t.shape).copy() for array in arrays)


def _over_time(neuron: LTCNeuron, x0: npt.ArrayLike, t: npt.ArrayLike, f_range: Range) -> _Over:
    neuron, start, shape = neuron_and_start(neuron, x0)
    t = checks.as_dtype("t", checks.times("t", t), neuron.dtype)
    a, b = (end.astype(neuron.dtype) for end in checks.f_range("f_range", f_range))
    if neuron.reflection == "input":
        # f(-I) may vary between y = 0.99… and the 1 to which it is rounded: enclose what the ends stand for.
        a, b = np.nextafter(a, a.dtype.type(0)), np.nextafter(b, b.dtype.type(1))
    a, b = (_behind("f_range", end, shape, t, per_time=True) for end in (a, b))
    return _Over(neuron.over(t), _behind("x0", start - neuron.A, shape, t), t, a, b, shape)


def _behind(name: str, array: Array, shape: tuple[int, ...], t: Array, *, per_time: bool = False) -> Array:
    """Return an argument of shape N with the time axes behind, or as it is where it may have the shape N + t.shape."""
    if _fits(array.shape, shape):
        return np.broadcast_to(array, shape).reshape(shape + (1,) * t.ndim)
    if per_time and _fits(array.shape, shape + t.shape):
        return array
    expected = f"a shape that broadcasts to N = {shape}" + f" or to N + t.shape = {shape + t.shape}" * per_time
    return checks.refuse(name, f"shape {array.shape}", expected, "give a number or one a neuron")


def _fits(shape: tuple[int, ...], into: tuple[int, ...]) -> bool:
    """Whether an array of `shape` broadcasts to the shape `into` without enlarging it."""
    try:
        return np.broadcast_shapes(shape, into) == into
    except ValueError:
        return False


def lemma1(neuron: LTCNeuron, x0: npt.ArrayLike, t: npt.ArrayLike, f_range: Range = (0, 1)) -> Interval:
    r"""Closed form against the *symmetric form*: Lemma 1, and its version for a known range of f(I).

    .. math:: x - \tilde x \in c\,e^{-wt}\,\big[\,e^{-bt} - g_t(a),\; e^{-at} - g_t(b)\,\big]

    With (a, b) = (0, 1) this is the paper's :math:`c\,e^{-wt}[e^{-t}-1,\,1]`: :math:`|x-\tilde x| \le |c| e^{-wt}`.

    Parameters
    ----------
    neuron : LTCNeuron
        Parameters of shape N; its `reflection` is used.
    x0 : array_like
        State at t = 0.
    t : array_like, any shape
        Times >= 0 in any order.
    f_range : (a, b)
        Known range of f(I), 0 <= a <= b <= 1.

    Returns
    -------
    low, high : ndarray, shape N + t.shape
        The sharp interval: a jump of the input at t attains an end, continuous inputs approach it.

    Raises
    ------
    ValueError, TypeError
        For input that does not fit, as the message says.

    Notes
    -----
    Needed: f measurable with values in [a, b]; for the ends to be approached also that f comes close to a and b.
    The hypotheses printed in the paper (Lipschitz, positive, monotone, bounded) are neither enough nor needed. For
    f: R → (0, 1) the paper's ends are approached, never attained.

    Examples
    --------
    >>> low, high = lemma1(LTCNeuron(w_tau=1.0, A=0.0), x0=1.0, t=[0.0, 1.0])
    >>> low.round(4), high.round(4)
    (array([ 0.    , -0.2325]), array([1.    , 0.3679]))
    """
    over = _over_time(neuron, x0, t, f_range)
    low, high = over.full(*formulas.lemma1_interval(over.neuron, over.c, over.t, over.a, over.b))
    return low, high


def form_gap(neuron: LTCNeuron, t: npt.ArrayLike, f_range: Range = (0, 1)) -> Interval:
    r"""*Symmetric form* minus *LTC as stated*, for one start and one input, whatever the start.

    .. math:: x_{sym} - x_{LTC} = A\,w \int_0^t e^{-\int_s^t (w+y)}\,ds
              \;\in\; A\,w\,\Big[\frac{1-e^{-(w+b)t}}{w+b},\; \frac{1-e^{-(w+a)t}}{w+a}\Big]

    It is at most \|A\| w t and at most \|A\| w/(w + a): as w → 0 the two ODEs agree on bounded times, and uniformly in
    time where a > 0. With a = 0 the supremum over time is \|A\| for every w > 0.

    Parameters
    ----------
    neuron : LTCNeuron
        Parameters of shape N.
    t : array_like, any shape
        Times >= 0 in any order.
    f_range : (a, b)
        Known range of f(I), 0 <= a <= b <= 1.

    Returns
    -------
    low, high : ndarray, shape N + t.shape
        Attained by constant inputs with f(I) = b and f(I) = a.

    Raises
    ------
    ValueError, TypeError
        For input that does not fit, as the message says.

    Examples
    --------
    >>> low, high = form_gap(LTCNeuron(w_tau=1.0, A=1.0), t=50.0, f_range=(0.5, 0.5))
    >>> round(float(high), 4)
    0.6667
    """
    over = _over_time(neuron, 0.0, t, f_range)
    low, high = over.full(*formulas.gap_interval(over.neuron, over.t, over.a, over.b))
    return low, high


def closed_form_error(
    neuron: LTCNeuron, x0: npt.ArrayLike, t: npt.ArrayLike, f_range: Range = (0, 1), form: str = "ltc"
) -> Interval:
    r"""Closed form against the *LTC as stated* (or, with ``form="symmetric"``, :func:`lemma1`): the sharp interval.

    .. math:: x_{LTC} - \tilde x \in \Big[ z_{min}(t) - \max_{y\in[a,b]} c\,e^{-wt} g_t(y),\;
              z_{max}(t) - \min_{y\in[a,b]} c\,e^{-wt} g_t(y) \Big]

    z_min and z_max are the extremes of x(t) − A over all inputs (see :func:`reachable_states`). The value y(t) at the
    single time t does not change the integral, so both parts move independently.

    Parameters
    ----------
    neuron : LTCNeuron
        Parameters of shape N; its `reflection` is used.
    x0 : array_like
        State at t = 0.
    t : array_like, any shape
        Times >= 0 in any order.
    f_range : (a, b)
        Known range of f(I), 0 <= a <= b <= 1.
    form : {"ltc", "symmetric"}
        Which ODE is the truth.

    Returns
    -------
    low, high : ndarray, shape N + t.shape
        Every value between them is reached by a continuous input.

    Raises
    ------
    ValueError, TypeError
        For input that does not fit, as the message says.

    Notes
    -----
    For A ≠ 0 the interval excludes 0 from some time on: against the LTC as stated the error of the closed form does
    not decay. With x0 = 0, A = w = 1, f ≡ ½ it is −2/3 at t = 10, where Lemma 1 says 4.5e-5.

    Examples
    --------
    >>> low, high = closed_form_error(LTCNeuron(w_tau=1.0, A=1.0), x0=0.0, t=10.0, f_range=(0.5, 0.5))
    >>> round(float(low), 4), round(float(high), 4)
    (-0.6667, -0.6667)
    """
    form = checks.choice("form", form, FORMS)
    if form == "symmetric":
        return lemma1(neuron, x0, t, f_range)
    over = _over_time(neuron, x0, t, f_range)
    low, high = over.full(*formulas.sharp_interval(over.neuron, over.c, over.t, over.a, over.b))
    return low, high


def two_term(neuron: LTCNeuron, x0: npt.ArrayLike, t: npt.ArrayLike, f_range: Range = (0, 1)) -> Interval:
    r"""Closed form against the *LTC as stated*: the bound one can check by hand, Lemma 1 plus the gap.

    .. math:: |x_{LTC} - \tilde x| \le |c|\,e^{-wt} + |A|\,w\,\frac{1-e^{-(w+a)t}}{w+a}

    Parameters
    ----------
    neuron : LTCNeuron
        Parameters of shape N.
    x0 : array_like
        State at t = 0.
    t : array_like, any shape
        Times >= 0 in any order.
    f_range : (a, b)
        Known range of f(I); only a matters.

    Returns
    -------
    low, high : ndarray, shape N + t.shape
        Minus and plus the bound.

    Raises
    ------
    ValueError, TypeError
        For input that does not fit, as the message says.

    Examples
    --------
    >>> low, high = two_term(LTCNeuron(w_tau=1.0, A=1.0), x0=0.0, t=10.0)
    >>> round(float(high), 4)
    1.0
    """
    over = _over_time(neuron, x0, t, f_range)
    (radius,) = over.full(formulas.two_term_radius(over.neuron, over.c, over.t, over.a))
    return -radius, radius


def asymptotic_error(neuron: LTCNeuron, x0: npt.ArrayLike, t: npt.ArrayLike, f_range: Range = (0, 1)) -> Interval:
    r"""Closed form against the *LTC as stated*, late: the floor that does not decay, and what is left above it.

    .. math:: x_{LTC} - \tilde x \in \Big\{-\tfrac{A\,w}{w+y} : y \in [a,b]\Big\}
              \pm \big(\mathrm{dist}(c) + |c|\,r(a)\big)\,e^{-(w+a)t}

    dist(c) is the distance of c from the set in braces. For A ≠ 0 that set does not hold 0.

    Parameters
    ----------
    neuron : LTCNeuron
        Parameters of shape N; its `reflection` is used.
    x0 : array_like
        State at t = 0.
    t : array_like, any shape
        Times >= 0 in any order.
    f_range : (a, b)
        Known range of f(I), 0 <= a <= b <= 1.

    Returns
    -------
    low, high : ndarray, shape N + t.shape
        An interval around the error for every t; as t → ∞ it closes in on the floor.

    Raises
    ------
    ValueError, TypeError
        For input that does not fit, as the message says.

    Examples
    --------
    >>> low, high = asymptotic_error(LTCNeuron(w_tau=1.0, A=1.0), x0=0.0, t=40.0)
    >>> round(float(low), 4), round(float(high), 4)
    (-1.0, -0.5)
    """
    over = _over_time(neuron, x0, t, f_range)
    low, high = over.full(*formulas.floor_interval(over.neuron, over.c, over.t, over.a, over.b))
    return low, high


def reachable_states(neuron: LTCNeuron, x0: npt.ArrayLike, t: npt.ArrayLike, f_range: Range = (0, 1)) -> Interval:
    r"""Smallest and largest state of the *LTC as stated* over all inputs with f(I) in [a, b].

    By the comparison principle the extremal inputs are bang-bang with at most one switch; see
    :func:`cfc_ref.neuron.closed_form_error.extremal_control`.

    Parameters
    ----------
    neuron : LTCNeuron
        Parameters of shape N.
    x0 : array_like
        State at t = 0.
    t : array_like, any shape
        Times >= 0 in any order.
    f_range : (a, b)
        Known range of f(I), 0 <= a <= b <= 1.

    Returns
    -------
    low, high : ndarray, shape N + t.shape
        States, not errors.

    Raises
    ------
    ValueError, TypeError
        For input that does not fit, as the message says.

    Examples
    --------
    >>> low, high = reachable_states(LTCNeuron(w_tau=1.0, A=1.0), x0=0.0, t=100.0)
    >>> float(low), float(high)
    (0.0, 0.5)
    """
    over = _over_time(neuron, x0, t, f_range)
    z_min, z_max = formulas.state_extremes(over.neuron, over.c, over.t, over.a, over.b)
    low, high = over.full(over.neuron.A + z_min, over.neuron.A + z_max)
    return low, high


def state_box(neuron: LTCNeuron, x0: npt.ArrayLike, t: npt.ArrayLike) -> Interval:
    r"""Box of the state of the *LTC as stated* (LTC, AAAI 2021, Theorem 2): min(0, A) ≤ x ≤ max(0, A).

    A start inside stays inside; from outside the distance shrinks at least like :math:`e^{-wt}`.

    Parameters
    ----------
    neuron : LTCNeuron
        Parameters of shape N.
    x0 : array_like
        State at t = 0.
    t : array_like, any shape
        Times >= 0 in any order.

    Returns
    -------
    low, high : ndarray, shape N + t.shape
        States, not errors.

    Raises
    ------
    ValueError, TypeError
        For input that does not fit, as the message says.

    Examples
    --------
    >>> low, high = state_box(LTCNeuron(w_tau=1.0, A=1.0), x0=3.0, t=[0.0, 50.0])
    >>> high.round(4)
    array([3., 1.])
    """
    over = _over_time(neuron, x0, t, (0, 1))
    low, high = over.full(*formulas.box_interval(over.neuron, over.c + over.neuron.A, over.t))
    return low, high


def time_constant(neuron: LTCNeuron, f_range: Range = (0, 1)) -> Interval:
    r"""Range of the system's time constant of *either form* (LTC, AAAI 2021, Theorem 1, with one synapse of weight 1).

    .. math:: \frac{\tau}{1+\tau} \le \frac1{w+b} \le \tau_{sys} = \frac{1}{w + f(I)} \le \frac1{w+a} \le \tau = \frac1w

    Parameters
    ----------
    neuron : LTCNeuron
        Parameters of shape N.
    f_range : (a, b)
        Known range of f(I); numbers or arrays that broadcast to N.

    Returns
    -------
    low, high : ndarray, shape N
        Time constants, in units of time.

    Raises
    ------
    ValueError, TypeError
        For input that does not fit, as the message says.

    Examples
    --------
    >>> [float(end) for end in time_constant(LTCNeuron(w_tau=1.0, A=0.0))]
    [0.5, 1.0]
    """
    over = _over_time(neuron, 0.0, 0.0, f_range)
    low, high = over.full(1 / (over.neuron.w_tau + over.b), 1 / (over.neuron.w_tau + over.a))
    return low, high


def frozen_step_error(
    neuron: LTCNeuron, x0: npt.ArrayLike, t: npt.ArrayLike, y: npt.ArrayLike, f_range: Range = (0, 1)
) -> Interval:
    r"""One step of the frozen closed form against the *LTC as stated*: sharp for the frozen release y.

    .. math:: x_{LTC}(t) - x_{frozen}(t) \in [\, z_{min}(t) - z_{frozen}(t),\; z_{max}(t) - z_{frozen}(t) \,]

    Parameters
    ----------
    neuron : LTCNeuron
        Parameters of shape N.
    x0 : array_like
        State at the start of the step.
    t : array_like, any shape
        Length of the step.
    y : array_like
        The release at which the step is frozen, in the range; broadcasts like its ends.
    f_range : (a, b)
        Known range of f(I) within the step.

    Returns
    -------
    low, high : ndarray, shape N + t.shape
        low <= 0 <= high.

    Raises
    ------
    ValueError, TypeError
        For input that does not fit, as the message says.

    Notes
    -----
    z_frozen is not monotone in y where z changes sign: the ends of a range of y do not give its extremes.

    Examples
    --------
    >>> low, high = frozen_step_error(LTCNeuron(w_tau=1.0, A=1.0), 0.0, 1.0, 0.5, f_range=(0.4, 0.6))
    >>> round(float(low), 4), round(float(high), 4)
    (-0.0437, 0.0403)
    """
    over = _over_time(neuron, x0, t, f_range)
    release = _behind("y", checks.numeric("y", y).astype(neuron.dtype), over.shape, over.t, per_time=True)
    release, a, b = np.broadcast_arrays(release, over.a, over.b)
    checks.compare("y", release, (a <= release) & (release <= b), "a release in f_range", "pass f(I) of the sample")
    low, high = over.full(*frozen_formulas.one_step_interval(over.neuron, over.c, over.t, release, over.a, over.b))
    return low, high


def frozen_error(
    neuron: LTCNeuron,
    x0: npt.ArrayLike,
    t: npt.ArrayLike,
    step: npt.ArrayLike,
    lipschitz: npt.ArrayLike | tuple[npt.ArrayLike, ...],
    f_range: Range = (0, 1),
    sample: str = "start",
) -> Interval:
    r"""Frozen closed forms against the *LTC as stated*, uniformly in time and over any steps not longer than `step`.

    With :math:`k = w + a`, :math:`M = \max(|c|, |A|w/(w+a))`:

    .. math::
        \text{start:}\quad & M L_1 \min\Big(h\,\frac{1-e^{-kt}}{k},\; \frac{h}{k(1-e^{-kh})}-\frac1{k^2}\Big) \\
        \text{midpoint:}\quad & \frac{M L_1 h}{2}\,\frac{1-e^{-kt}}{k}, \text{ and with } L_2 \text{ also }
            \frac{C_2 h^3}{1-e^{-kh}},\quad C_2 = \frac{L_1(|A|w + M L_1 h/2)}{12} + \frac{M L_2}{24} \\
        \text{gauss:}\quad & \frac{C_4 h^5}{1-e^{-kh}},\quad C_4 = |A|w\Big[\frac{(w+b)L_2}{720} + \frac{7L_3}{576}
            + \frac{L_1^2}{120} + \frac{L_2^2h^2}{960}\Big] + \frac{M L_4}{4320}

    Where two bounds apply the smaller one is returned.

    Parameters
    ----------
    neuron : LTCNeuron
        Parameters of shape N.
    x0 : array_like
        State at t = 0.
    t : array_like, any shape
        Times >= 0 in any order. No step is longer than t, so h is the smaller of `step` and t.
    step : array_like
        The longest step h > 0; broadcasts to N.
    lipschitz : array_like, or tuple of them
        :math:`L_1`, or a tuple :math:`(L_1, L_2)` or :math:`(L_1, …, L_4)`: bounds of the first, second, …
        derivative *in time* of y(s) = f(I(s)) within the steps; each broadcasts to N. For the logistic f,
        :math:`L_1 \le |\sigma|\,\mathrm{Lip}(I)/4`.
    f_range : (a, b)
        Known range of f(I), 0 <= a <= b <= 1.
    sample : {"start", "midpoint", "gauss"}
        As in :func:`cfc_ref.frozen`; "gauss" needs all four constants.

    Returns
    -------
    low, high : ndarray, shape N + t.shape
        Minus and plus the bound; 0 for an input that is constant on each step.

    Raises
    ------
    ValueError, TypeError
        For input that does not fit, as the message says.

    Examples
    --------
    >>> neuron = LTCNeuron(w_tau=1.0, A=1.0)
    >>> low, high = frozen_error(neuron, x0=0.0, t=10.0, step=0.1, lipschitz=0.5)
    >>> round(float(high), 4)
    0.0254
    >>> low, high = frozen_error(neuron, x0=0.0, t=10.0, step=0.1, lipschitz=(0.5, 1.0), sample="midpoint")
    >>> round(float(high), 6)
    0.000887
    """
    sample = checks.choice("sample", sample, SAMPLES)
    constants = lipschitz if isinstance(lipschitz, tuple) else (lipschitz,)
    needed, which = (4, "four, (L1, L2, L3, L4), for sample='gauss'") if sample == "gauss" else (1, "one to four")
    if not needed <= len(constants) <= 4:
        do = "bound the derivatives of f(I(t)) in time"
        checks.refuse("lipschitz", f"{len(constants)} constants", which, do)
    over = _over_time(neuron, x0, t, f_range)
    h = np.minimum(_parameter("step", step, over), over.t)
    L = tuple(_parameter("lipschitz", constant, over) for constant in constants)
    if sample == "start":
        radius = frozen_formulas.start_radius(over.neuron, over.c, over.t, h, L[0], over.a)
    elif sample == "midpoint":
        radius = frozen_formulas.midpoint_radius(over.neuron, over.c, over.t, h, L[0], over.a, L[1] if L[1:] else None)
    else:
        radius = frozen_formulas.gauss_radius(over.neuron, over.c, h, (L[0], L[1], L[2], L[3]), over.a, over.b)
    (radius,) = over.full(radius)
    return -radius, radius


def _parameter(name: str, value: npt.ArrayLike, over: _Over) -> Array:
    """Return a step or a Lipschitz constant, of shape N with the time axes behind."""
    array = checks.numeric(name, value)
    ok = array > 0 if name == "step" else array >= 0
    checks.compare(name, array, ok, "a step > 0" if name == "step" else "constants >= 0", "pass its absolute value")
    return _behind(name, array.astype(over.neuron.dtype), over.shape, over.t)
