r"""Bounds of one neuron: the paper's closed form against either ODE, the states that inputs reach, time constants.

Each returns a pair (low, high) of shape N + t.shape that encloses a signed error "truth − approximation" (or a state).
N is the shape of the neuron's parameters and of `x0`; neurons do not see each other. `f_range` = (a, b) is a known
range of :math:`y(s) = f(I(s))` on [0, t]: numbers, arrays that broadcast to N, or else to N + t.shape, one range per
time. Notation: :math:`w = w_\tau`, :math:`c = x_0 - A`, :math:`z = x - A`, :math:`g_t(y) = e^{-yt} r(y)`.
"""

from __future__ import annotations

import numpy as np

from cfc_ref import checks
from cfc_ref.arrays import Array
from cfc_ref.bounds.checked import Given, Interval, bound, formula
from cfc_ref.neuron.model import FORMS, LTCNeuron

__all__ = [
    "asymptotic_error",
    "closed_form_error",
    "extremal_control",
    "form_gap",
    "gate",
    "lemma1",
    "reachable_states",
    "relax",
    "state_box",
    "time_constant",
    "two_term",
    "z_extremes",
]


def _ordered(one: Array, other: Array) -> Interval:
    """Sort the ends of an interval: they swap with the sign of c or A."""
    return np.minimum(one, other), np.maximum(one, other)


def gate(neuron: LTCNeuron, t: Array, y: Array) -> Array:
    r"""Return :math:`g_t(y) = e^{-y t}\,r(y)`, which falls from 1 at y = 0 to 0 at y = 1."""
    return np.exp(-y * t) * neuron.reflect(y)


def relax(rate: Array, t: Array) -> Array:
    r"""Return :math:`(1 - e^{-k t})/k`, what is left of the time t when it fades at the rate k > 0."""
    return -np.expm1(-rate * t) / rate


@bound
def lemma1(neuron: LTCNeuron, x0: Given, t: Given, f_range: Given = (0, 1)) -> Interval:
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
        For arguments that do not fit.

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
    a, b = f_range
    decay = (x0 - neuron.A) * np.exp(-neuron.w_tau * t)
    # Lemma 1: the closed form against the symmetric form, f(I) in [a, b]
    return _ordered(decay * (np.exp(-b * t) - gate(neuron, t, a)), decay * (np.exp(-a * t) - gate(neuron, t, b)))


@bound
def form_gap(neuron: LTCNeuron, t: Given, f_range: Given = (0, 1)) -> Interval:
    r"""*Symmetric form* minus *LTC as stated*, for one start and one input; the start does not matter.

    .. math:: x_{sym} - x_{LTC} = A\,w \int_0^t e^{-\int_s^t (w+y)}\,ds
              \;\in\; A\,w\,\Big[\frac{1-e^{-(w+b)t}}{w+b},\; \frac{1-e^{-(w+a)t}}{w+a}\Big]

    It is at most \|A\| w t and at most \|A\| w/(w + a): as w → 0 the two ODEs agree on bounded times, and uniformly in
    time where a > 0. With a = 0 the supremum over time is \|A\| for every w > 0.

    Parameters
    ----------
    neuron, t, f_range
        As in :func:`cfc_ref.bounds.lemma1`.

    Returns
    -------
    low, high : ndarray, shape N + t.shape
        Attained by constant inputs with f(I) = b and f(I) = a.

    Raises
    ------
    ValueError, TypeError
        For arguments that do not fit.

    Examples
    --------
    >>> low, high = form_gap(LTCNeuron(w_tau=1.0, A=1.0), t=50.0, f_range=(0.5, 0.5))
    >>> round(float(high), 4)
    0.6667
    """
    (a, b), w, A = f_range, neuron.w_tau, neuron.A
    # THEORY 2, gap between the two ODEs
    # Not in the paper: the gap between the two ODEs
    return _ordered(A * w * relax(w + b, t), A * w * relax(w + a, t))


def extremal_control(neuron: LTCNeuron, c: Array, a: Array, b: Array, *, largest: bool) -> tuple[Array, Array, Array]:
    r"""Return the bang-bang release that makes z of the LTC as stated largest (or smallest): before, after, switch.

    By the comparison principle the largest z wants y = a while z > 0 and y = b while z < 0 (the smallest: the
    reverse). z changes sign if and only if c and A have the same strict sign, once, at

    .. math:: t^* = \frac{1}{w + y_1}\,\log\Big(1 + \frac{c\,(w+y_1)}{A\,w}\Big);

    where it does not, the switch is at infinity.
    """
    c, a, b, w, A = np.broadcast_arrays(c, a, b, neuron.w_tau, neuron.A)
    starts_above = np.where(c == 0, A < 0, c > 0)
    wants_a = starts_above if largest else ~starts_above
    first, second = np.where(wants_a, a, b), np.where(wants_a, b, a)
    crosses = c * np.sign(A) > 0
    with np.errstate(over="ignore", divide="ignore"):
        ratio = np.divide(c * (w + first), A * w, out=np.zeros_like(c), where=crosses)
    return first, second, np.where(crosses, np.log1p(ratio) / (w + first), np.inf)


def z_extremes(neuron: LTCNeuron, c: Array, t: Array, a: Array, b: Array) -> Interval:
    r"""Return :math:`z_{min}(t), z_{max}(t)` of the LTC as stated over all inputs with y in [a, b]."""
    w, A = neuron.w_tau, neuron.A

    def extreme(largest: bool) -> Array:
        y1, y2, switch = extremal_control(neuron, c, a, b, largest=largest)
        before = c * np.exp(-(w + y1) * t) - A * w * relax(w + y1, t)
        after = -A * w * relax(w + y2, np.maximum(t - switch, 0))
        return np.where(t <= switch, before, after)

    return extreme(largest=False), extreme(largest=True)


@bound
def closed_form_error(neuron: LTCNeuron, x0: Given, t: Given, f_range: Given = (0, 1), form: str = "ltc") -> Interval:
    r"""Closed form against the *LTC as stated* (or, with ``form="symmetric"``, :func:`lemma1`): the sharp interval.

    .. math:: x_{LTC} - \tilde x \in \Big[ z_{min}(t) - \max_{y\in[a,b]} c\,e^{-wt} g_t(y),\;
              z_{max}(t) - \min_{y\in[a,b]} c\,e^{-wt} g_t(y) \Big]

    z_min and z_max are the extremes of x(t) − A over all inputs (see :func:`reachable_states`). The value y(t) at the
    single time t does not change the integral, so both parts move independently.

    Parameters
    ----------
    neuron, x0, t, f_range
        As in :func:`cfc_ref.bounds.lemma1`.
    form : {"ltc", "symmetric"}
        Which ODE is the truth.

    Returns
    -------
    low, high : ndarray, shape N + t.shape
        Every value between them is reached by a continuous input.

    Raises
    ------
    ValueError, TypeError
        For arguments that do not fit.

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
    if checks.choice("form", form, FORMS) == "symmetric":
        return formula(lemma1)(neuron, x0, t, f_range)
    (a, b), c = f_range, x0 - neuron.A
    z_min, z_max = z_extremes(neuron, c, t, a, b)
    decay = c * np.exp(-neuron.w_tau * t)
    smallest, largest = _ordered(decay * gate(neuron, t, b), decay * gate(neuron, t, a))
    # THEORY 2, sharp error interval
    # Not in the paper: the sharp error against the LTC as stated
    return z_min - largest, z_max - smallest


@bound
def two_term(neuron: LTCNeuron, x0: Given, t: Given, f_range: Given = (0, 1)) -> Interval:
    r"""Closed form against the *LTC as stated*: the bound that can be checked by hand, Lemma 1 plus the gap.

    .. math:: |x_{LTC} - \tilde x| \le |c|\,e^{-wt} + |A|\,w\,\frac{1-e^{-(w+a)t}}{w+a}

    Parameters
    ----------
    neuron, x0, t
        As in :func:`cfc_ref.bounds.lemma1`.
    f_range : (a, b)
        Known range of f(I); only a matters.

    Returns
    -------
    low, high : ndarray, shape N + t.shape
        Minus and plus the bound.

    Raises
    ------
    ValueError, TypeError
        For arguments that do not fit.

    Examples
    --------
    >>> low, high = two_term(LTCNeuron(w_tau=1.0, A=1.0), x0=0.0, t=10.0)
    >>> round(float(high), 4)
    1.0
    """
    (a, _), w, A = f_range, neuron.w_tau, neuron.A
    radius = np.abs(x0 - A) * np.exp(-w * t) + np.abs(A) * w * relax(w + a, t)
    # Not in the paper: the two-term bound, checked by hand
    return -radius, radius


@bound
def asymptotic_error(neuron: LTCNeuron, x0: Given, t: Given, f_range: Given = (0, 1)) -> Interval:
    r"""Closed form against the *LTC as stated*, late: the floor that does not decay, and what is left above it.

    .. math:: x_{LTC} - \tilde x \in \Big\{-\tfrac{A\,w}{w+y} : y \in [a,b]\Big\}
              \pm \big(\mathrm{dist}(c) + |c|\,r(a)\big)\,e^{-(w+a)t}

    dist(c) is the distance of c from the set in braces, which for A ≠ 0 does not hold 0. z is drawn to that set at
    least as fast as :math:`e^{-(w+a)t}`; the closed form adds at most :math:`|c|\,r(a)\,e^{-(w+a)t}`.

    Parameters
    ----------
    neuron, x0, t, f_range
        As in :func:`cfc_ref.bounds.lemma1`.

    Returns
    -------
    low, high : ndarray, shape N + t.shape
        An interval around the error for every t; as t → ∞ it closes in on the floor.

    Raises
    ------
    ValueError, TypeError
        For arguments that do not fit.

    Examples
    --------
    >>> low, high = asymptotic_error(LTCNeuron(w_tau=1.0, A=1.0), x0=0.0, t=40.0)
    >>> round(float(low), 4), round(float(high), 4)
    (-1.0, -0.5)
    """
    (a, b), w, c = f_range, neuron.w_tau, x0 - neuron.A
    low, high = _ordered(-neuron.A * w / (w + a), -neuron.A * w / (w + b))
    distance = np.maximum(0, np.maximum(low - c, c - high))
    left = (distance + np.abs(c) * neuron.reflect(a)) * np.exp(-(w + a) * t)
    # Not in the paper: the floor on which the error settles
    return low - left, high + left


@bound
def reachable_states(neuron: LTCNeuron, x0: Given, t: Given, f_range: Given = (0, 1)) -> Interval:
    r"""Smallest and largest state of the *LTC as stated* over all inputs with f(I) in [a, b].

    By the comparison principle the extremal inputs are bang-bang with at most one switch: see
    :func:`cfc_ref.bounds.neuron.extremal_control`.

    Parameters
    ----------
    neuron, x0, t, f_range
        As in :func:`cfc_ref.bounds.lemma1`.

    Returns
    -------
    low, high : ndarray, shape N + t.shape
        States, not errors.

    Raises
    ------
    ValueError, TypeError
        For arguments that do not fit.

    Examples
    --------
    >>> low, high = reachable_states(LTCNeuron(w_tau=1.0, A=1.0), x0=0.0, t=100.0)
    >>> float(low), float(high)
    (0.0, 0.5)
    """
    z_min, z_max = z_extremes(neuron, x0 - neuron.A, t, *f_range)
    return neuron.A + z_min, neuron.A + z_max


@bound
def state_box(neuron: LTCNeuron, x0: Given, t: Given) -> Interval:
    r"""Box of the state of the *LTC as stated* (LTC, AAAI 2021, Theorem 2): min(0, A) ≤ x ≤ max(0, A).

    A start inside stays inside; from outside the distance shrinks at least like :math:`e^{-wt}`.

    Parameters
    ----------
    neuron, x0, t
        As in :func:`cfc_ref.bounds.lemma1`.

    Returns
    -------
    low, high : ndarray, shape N + t.shape
        States, not errors.

    Raises
    ------
    ValueError, TypeError
        For arguments that do not fit.

    Examples
    --------
    >>> low, high = state_box(LTCNeuron(w_tau=1.0, A=1.0), x0=3.0, t=[0.0, 50.0])
    >>> high.round(4)
    array([3., 1.])
    """
    low, high = np.minimum(0, neuron.A), np.maximum(0, neuron.A)
    left = np.exp(-neuron.w_tau * t)
    # LTC 2021, Theorem 2: bounds of the state
    return low - np.maximum(0, low - x0) * left, high + np.maximum(0, x0 - high) * left


@bound
def time_constant(neuron: LTCNeuron, f_range: Given = (0, 1)) -> Interval:
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
        For arguments that do not fit.

    Examples
    --------
    >>> [float(end) for end in time_constant(LTCNeuron(w_tau=1.0, A=0.0))]
    [0.5, 1.0]
    """
    a, b = f_range
    # LTC 2021, Theorem 1: bounds of the time constant
    return 1 / (neuron.w_tau + b), 1 / (neuron.w_tau + a)
