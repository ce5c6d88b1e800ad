r"""Bounds of the frozen closed forms against the *LTC as stated*.

Notation: :math:`k = w + a`; :math:`M = \max(|c|, |A| w/(w+a))` bounds \|x − A\| for all time; :math:`L_j` bounds the
j-th derivative of y(t) = f(I(t)) in time within each step; h is the longest step.
"""

from __future__ import annotations

import math

import numpy as np

from cfc_ref import checks
from cfc_ref.arrays import Array
from cfc_ref.bounds.checked import Given, Interval, bound
from cfc_ref.bounds.neuron import relax, z_extremes
from cfc_ref.neuron.exact_solution import constant_piece
from cfc_ref.neuron.model import LTCNeuron

__all__ = ["frozen_error", "frozen_step_error", "one_look", "release_derivatives"]

_SERIES_BELOW = 1e-2
_HALF = 0.5  # below it the series of J loses no digits
_DISTANCE = [(2 * (-1) ** n - (-2) ** n - n * (-2) ** (n - 1)) / math.factorial(n) / 4 for n in range(2, 24)]

# Largest absolute value of the logistic function's derivatives: with p = s (1 - s) they are p, p (1 - 2s),
# p (1 - 6p), p (1 - 2s)(1 - 12p); the last is largest where 120 p^2 - 30 p + 1 = 0.
_P4 = (15 + math.sqrt(105)) / 120
_LOGISTIC = (1 / 4, math.sqrt(3) / 18, 1 / 8, _P4 * math.sqrt(1 - 4 * _P4) * (12 * _P4 - 1))


def release_derivatives(U1: Given, U2: Given, U3: Given, U4: Given) -> tuple[Array, Array, Array, Array]:
    r"""Bound the first four derivatives in time of the logistic of u(t) from those of u = sigma (I(t) - mu).

    The chain rule (Faà di Bruno), with :math:`S_j = \max|\sigma^{(j)}|` = 1/4, √3/18, 1/8, 0.1277:

    .. math::
        L_1 &= S_1 U_1, \quad L_2 = S_2 U_1^2 + S_1 U_2, \quad L_3 = S_3 U_1^3 + 3 S_2 U_1 U_2 + S_1 U_3, \\
        L_4 &= S_4 U_1^4 + 6 S_3 U_1^2 U_2 + S_2 (3 U_2^2 + 4 U_1 U_3) + S_1 U_4

    Parameters
    ----------
    U1, U2, U3, U4 : ndarray
        Bounds of the absolute derivatives of u; not checked.

    Examples
    --------
    >>> [round(float(L), 4) for L in release_derivatives(1.0, 0.0, 0.0, 0.0)]
    [0.25, 0.0962, 0.125, 0.1277]
    """
    S1, S2, S3, S4 = _LOGISTIC
    return (
        S1 * U1,
        S2 * U1**2 + S1 * U2,
        S3 * U1**3 + 3 * S2 * U1 * U2 + S1 * U3,
        S4 * U1**4 + 6 * S3 * U1**2 * U2 + S2 * (3 * U2**2 + 4 * U1 * U3) + S1 * U4,
    )


@bound
def frozen_step_error(neuron: LTCNeuron, x0: Given, t: Given, y: Given, f_range: Given = (0, 1)) -> Interval:
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
        For arguments that do not fit.

    Notes
    -----
    z_frozen is not monotone in y where z changes sign: the ends of a range of y do not give its extremes.

    Examples
    --------
    >>> low, high = frozen_step_error(LTCNeuron(w_tau=1.0, A=1.0), 0.0, 1.0, 0.5, f_range=(0.4, 0.6))
    >>> round(float(low), 4), round(float(high), 4)
    (-0.0437, 0.0403)
    """
    c = x0 - neuron.A
    z_min, z_max = z_extremes(neuron, c, t, *f_range)
    z_frozen = constant_piece(neuron.w_tau, neuron.A, y, t, c + neuron.A) - neuron.A
    # The frozen step is one of the inputs that the extremes range over: rounding must not say otherwise.
    return np.minimum(z_min - z_frozen, 0), np.maximum(z_max - z_frozen, 0)


@bound
def frozen_error(
    neuron: LTCNeuron,
    x0: Given,
    t: Given,
    step: Given,
    lipschitz: Given,
    f_range: Given = (0, 1),
    sample: str = "start",
) -> Interval:
    r"""Frozen closed forms against the *LTC as stated*, uniformly in time and over any steps not longer than `step`.

    With :math:`k = w + a`, :math:`M = \max(|c|, |A|w/(w+a))`:

    .. math::
        \text{start:}\quad & M L_1 \min\Big(h\,\frac{1-e^{-kt}}{k},\; \frac{h}{k(1-e^{-kh})}-\frac1{k^2}\Big) \\
        \text{midpoint:}\quad & U = M L_1 J\,\frac{1-e^{-kt}}{1-e^{-kh}}, \quad
            J = \int_0^h e^{-k(h-s)} |s - h/2|\,ds, \text{ and with } L_2 \text{ also }
            \frac{C_2 h^3}{1-e^{-kh}},\quad C_2 = \frac{L_1(|A|w + M L_1 h/2)}{12} + \frac{M L_2}{24} \\
        \text{ends:}\quad & M L_1\,\frac{1-e^{-kt}}{k^2}\,\ln\frac{1+e^{kh/2}}{2},
            \text{ and the second with } L_2/12 \text{ for } L_2/24 \\
        \text{gauss:}\quad & \frac{C_4 h^5}{1-e^{-kh}},\quad C_4 = |A|w\Big[\frac{(w+b)L_2}{720} + \frac{7L_3}{576}
            + \frac{L_1^2}{120} + \frac{L_2^2h^2}{960}\Big] + \frac{M L_4}{4320}

    Where two bounds apply the smaller one is returned. U is asymptotically the best that any form with one look per
    step can have: about a quarter of :math:`M L_1 h/k` for small h.

    Parameters
    ----------
    neuron, x0, f_range
        As in :func:`cfc_ref.bounds.lemma1`.
    t : array_like, any shape
        Times >= 0 in any order. No step is longer than t, so h is the smaller of `step` and t.
    step : array_like
        The longest step h > 0; broadcasts to N.
    lipschitz : array_like, or tuple of them
        :math:`L_1`, or a tuple :math:`(L_1, L_2)` or :math:`(L_1, …, L_4)`: bounds of the first, second, …
        derivative *in time* of y(s) = f(I(s)) within the steps; each broadcasts to N. For the logistic f,
        :math:`L_1 \le |\sigma|\,\mathrm{Lip}(I)/4`.
    sample : {"start", "midpoint", "ends", "gauss"}
        As in :func:`cfc_ref.frozen`; "gauss" needs all four constants.

    Returns
    -------
    low, high : ndarray, shape N + t.shape
        Minus and plus the bound; 0 for an input that is constant on each step.

    Raises
    ------
    ValueError, TypeError
        For arguments that do not fit.

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
    if sample == "halves":
        do = "pass 'gauss', which has a bound and the same order"
        checks.refuse("sample", "'halves'", "a form with a known bound, " + ", ".join(map(repr, _RADIUS)), do)
    radius_of = _RADIUS[checks.choice("sample", sample, _RADIUS)]
    needed, which = (4, "four, (L1, L2, L3, L4), for sample='gauss'") if sample == "gauss" else (1, "one to four")
    if not needed <= len(lipschitz) <= 4:
        do = "pass bounds of the derivatives of f(I(t)) in time"
        checks.refuse("lipschitz", f"{len(lipschitz)} constants", which, do)
    (a, b), w, A = f_range, neuron.w_tau, neuron.A
    M = np.maximum(np.abs(x0 - A), np.abs(A) * w / (w + a))
    radius = radius_of(neuron, M, t, np.minimum(step, t), lipschitz, a, b)
    # Not in the paper: bounds of the frozen closed forms
    return -radius, radius


def _start(neuron: LTCNeuron, M: Array, t: Array, h: Array, L: tuple[Array, ...], a: Array, b: Array) -> Array:
    """Return the smaller of the two bounds of order 1."""
    k = neuron.w_tau + a
    q = k * h
    # (q/(1 - e^-q) - 1)/k^2, by its series where that cancels
    large = np.maximum(q, _SERIES_BELOW)
    steps = np.where(q < _SERIES_BELOW, q / 2 + q**2 / 12, large / -np.expm1(-large) - 1)
    return M * L[0] * np.minimum(h * relax(k, t), steps / k**2)


def _midpoint(neuron: LTCNeuron, M: Array, t: Array, h: Array, L: tuple[Array, ...], a: Array, b: Array) -> Array:
    """Return U, or the smaller of it and the bound of order 2 where L₂ is known."""
    k = neuron.w_tau + a
    return _smaller(one_look(k, M, t, h, L[0]), neuron, k, M, h, L, 24)


def _ends(neuron: LTCNeuron, M: Array, t: Array, h: Array, L: tuple[Array, ...], a: Array, b: Array) -> Array:
    """Return the bound from the largest distance of y from the mean of its ends, or the smaller one of order 2.

    y has that mean at some τ, and its ends are both as far from it, L min(τ, h - τ) at most. So y is within L times
    the distance of s to τ on the circle of circumference h. Call the integral of that with the weight e^{-k(h-s)} W(τ).
    W(0) = (1 - e^{-p})²/k² with p = kh/2; W' is the weight of the half circle before τ less that after it, and changes
    its sign from + to - only where e^{kτ} = (1 + e^p)/2. There W = (1 - e^{-kh}) ln((1 + e^p)/2)/k²; add the steps up.
    """
    k = neuron.w_tau + a
    p = np.maximum(k * h / 2, np.finfo(np.result_type(k, h)).tiny)
    # Not in the paper: the bound of the frozen mean of both ends from L₁ alone
    first = M * L[0] * h / 2 * (1 + np.log1p(np.expm1(-p) / 2) / p) * relax(k, t)
    return _smaller(first, neuron, k, M, h, L, 12)


def one_look(k: Array, M: Array, t: Array, h: Array, L1: Array) -> Array:
    r"""Return :math:`M L_1 J_k(h)\,(1-e^{-kt})/(1-e^{-kh})`: one look in the middle of each step."""
    # Not in the paper: the bound of the frozen midpoint from L₁ alone
    return M * L1 * _distance(k * h / 2) * h * _geometric(k, h) * -np.expm1(-k * t)


def _distance(p: Array) -> Array:
    r"""Return :math:`J/h^2 = (p - 1 + 2e^{-p} - (1 + p)\,e^{-2p})/4p^2`, p = kh/2; by its series for small p."""
    small, large = np.minimum(p, _HALF), np.maximum(p, _HALF)
    series = sum(a * small**n for n, a in enumerate(_DISTANCE))
    closed = (large - 1 + 2 * np.exp(-large) - (1 + large) * np.exp(-2 * large)) / (4 * large * large)
    return np.where(p < _HALF, series, closed)


def _smaller(
    first: Array, neuron: LTCNeuron, k: Array, M: Array, h: Array, L: tuple[Array, ...], share: float
) -> Array:
    """Return the bound of order 1, or the smaller of it and that of order 2 where L₂ is known."""
    if len(L) == 1:
        return first
    # Not in the paper: a bound of order 2; the linear part of y meets the change of the weight alone
    C2 = L[0] * (np.abs(neuron.A) * neuron.w_tau + M * L[0] * h / 2) / 12 + M * L[1] / share
    return np.minimum(first, C2 * h**2 * _geometric(k, h))


def _gauss(neuron: LTCNeuron, M: Array, t: Array, h: Array, L: tuple[Array, ...], a: Array, b: Array) -> Array:
    """Return the bound of order 4, for all time."""
    w, (L1, L2, L3, L4) = neuron.w_tau, L
    # THEORY 5.2
    bracket = (w + b) * L2 / 720 + 7 * L3 / 576 + L1**2 / 120 + L2**2 * h**2 / 960
    C4 = np.abs(neuron.A) * w * bracket + M * L4 / 4320
    return C4 * h**4 * _geometric(w + a, h)


_RADIUS = {"start": _start, "midpoint": _midpoint, "ends": _ends, "gauss": _gauss}


def _geometric(k: Array, h: Array) -> Array:
    """Return h/(1 - e^{-kh}), the sum of the geometric series of one step's errors times h; 1/k at h = 0."""
    q = np.maximum(k * h, np.finfo(np.result_type(k, h)).tiny)
    return q / -np.expm1(-q) / k
