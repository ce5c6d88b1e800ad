r"""The best that any closed form can do which looks at the input once, or once per step (THEORY 5.7).

A form sees the neuron, its start and its looks. The states that these leave possible have a smallest and a largest
value; half their distance, the *radius* R, is the least worst error of any form, and the middle has it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cfc_ref import checks
from cfc_ref.arrays import Array
from cfc_ref.bounds.checked import Given, Interval, bound, formula
from cfc_ref.bounds.frozen import frozen_error, one_look
from cfc_ref.bounds.neuron import closed_form_error, relax, z_extremes
from cfc_ref.neuron.model import FORMS, LTCNeuron

__all__ = ["best_look", "radius", "radius_per_step", "ratio_of_eq9", "spread", "turns", "weight"]

_SERIES_BELOW = 0.1
_HALVINGS = 100


@bound
def radius(neuron: LTCNeuron, x0: Given, t: Given, f_range: Given = (0, 1), form: str = "ltc") -> Interval:
    r"""Best form with one look at time t, and its worst error R, over all inputs with f(I) in [a, b].

    .. math:: \text{ltc:}\quad & A + \frac{z_{max} + z_{min}}{2}, \quad R = \frac{z_{max} - z_{min}}{2} \\
              \text{symmetric:}\quad & A + c\,e^{-wt}\,\frac{e^{-at} + e^{-bt}}{2}, \quad
              R = |c|\,e^{-wt}\,\frac{e^{-at} - e^{-bt}}{2}

    The look is worthless: f(I(t)) does not change the integral, so a constant is best, and no form with one look at t
    has a worst error below R.

    Parameters
    ----------
    neuron, x0, t, f_range
        As in :func:`cfc_ref.bounds.lemma1`.
    form : {"ltc", "symmetric"}
        Which ODE is the truth.

    Returns
    -------
    centre, radius : ndarray, shape N + t.shape

    Raises
    ------
    ValueError, TypeError
        In three parts.

    Examples
    --------
    >>> centre, R = radius(LTCNeuron(w_tau=1.0, A=1.0), x0=0.0, t=1.0)
    >>> round(float(centre), 4), round(float(R), 4)
    (0.2162, 0.2162)
    """
    (a, b), w, A, c = f_range, neuron.w_tau, neuron.A, x0 - neuron.A
    if checks.choice("form", form, FORMS) == "symmetric":
        most = c * np.exp(-(w + a) * t)
        # Not in the paper: the radius of one look, symmetric form
        return A + most * (1 + np.exp(-(b - a) * t)) / 2, np.abs(most) * -np.expm1(-(b - a) * t) / 2
    z_min, z_max = z_extremes(neuron, c, t, a, b)
    # Not in the paper: the radius of one look, LTC as stated
    return A + (z_max + z_min) / 2, (z_max - z_min) / 2


def ratio_of_eq9(
    neuron: LTCNeuron, x0: npt.ArrayLike, t: npt.ArrayLike, f_range: Any = (0, 1), form: str = "ltc"
) -> Array:
    r"""Worst error of Eq. 9 over that of the best form with the same look, :math:`E_9/R` with R of :func:`radius`.

    It is at least 2 against the symmetric form, :math:`2\,\big(1 + \frac{1 - r(b)}{e^{(b-a)t} - 1}\big)`, and against
    the LTC as stated where c A <= 0. There it tends to :math:`2\,(w+b)/(b-a)` for A ≠ 0. Where c A > 0 it is 1 or more.

    Parameters
    ----------
    neuron : LTCNeuron
        Parameters of shape N; its `reflection` is used.
    x0, t, f_range, form
        As in :func:`radius`.

    Returns
    -------
    ndarray, shape N + t.shape
        Infinite where R = 0 and Eq. 9 is wrong; 1 where both are exact.

    Raises
    ------
    ValueError, TypeError
        In three parts.

    Examples
    --------
    >>> round(float(ratio_of_eq9(LTCNeuron(w_tau=1.0, A=1.0), x0=0.0, t=1.0)), 4)
    4.6261
    """
    worst = np.maximum(*map(np.abs, closed_form_error(neuron, x0, t, f_range, form)))
    _, best = radius(neuron, x0, t, f_range, form)
    with np.errstate(over="ignore"):
        ratio = np.divide(worst, best, out=np.full_like(worst, np.inf), where=best > 0)
        cancelled, applies = _ratio_of_symmetric(neuron, x0, t, f_range, form)
    return np.where(applies > 0, cancelled, np.where((worst == 0) & (best == 0), 1, ratio))


@bound
def _ratio_of_symmetric(neuron: LTCNeuron, x0: Given, t: Given, f_range: Given, form: str) -> Interval:
    """Return the ratio where w and c cancel out, so that neither underflows, and 1 where it applies."""
    a, b = f_range
    u = (b - a) * t
    applies = (u > 0) & (x0 != neuron.A) & ((form == "symmetric") | (neuron.A == 0))
    return 2 * (1 + (1 - neuron.reflect(b)) / np.expm1(np.where(u > 0, u, 1))), applies.astype(neuron.dtype)


@bound
def radius_per_step(
    neuron: LTCNeuron, x0: Given, t: Given, step: Given, release: Given, lipschitz: Given, f_range: Given = (0, 1)
) -> Interval:
    r"""Least worst error R of any form that looks once per step, in its middle: between two bounds (THEORY 5.7 c).

    .. math:: m L J_{k'}(h)\,\frac{1-e^{-k't}}{1-e^{-k'h}} \le R \le U = M L J_k(h)\,\frac{1-e^{-kt}}{1-e^{-kh}},
              \quad J_k(h) = \int_0^h e^{-k(h-s)} |s - h/2|\,ds

    with :math:`k = w + a`, :math:`k' = w + \eta + Lh/2`, :math:`M = \max(|c|, |A|w/k)`,
    :math:`m = \min(|c|, |A|w/(w+\eta))` and η the release at every look. The lower bound is half the distance at
    which two inputs end that no look tells apart, :math:`y = \eta \pm L\,\mathrm{dist}(s, \text{looks})`; U is the
    bound of the frozen midpoint. Their ratio tends to 1 for :math:`\eta = a + Lh/2`, c = −A w/(w + a) and small L h:
    no form with these looks is better than the frozen midpoint.

    Parameters
    ----------
    neuron, x0, f_range
        As in :func:`cfc_ref.bounds.lemma1`.
    t : array_like, any shape
        Times >= 0 in any order; what follows the last whole step only fades.
    step : array_like
        The length h > 0 of every step; broadcasts to N.
    release : array_like
        η, the release at every look, with η ± Lh/2 in the range; broadcasts to N.
    lipschitz : array_like
        L >= 0, the constant of the release in time; broadcasts to N.

    Returns
    -------
    low, high : ndarray, shape N + t.shape
        Of R, not of an error. `low` is 0 where c A > 0, about which nothing is proved, and before the end of the
        first step.

    Raises
    ------
    ValueError, TypeError
        In three parts.

    Examples
    --------
    >>> neuron = LTCNeuron(w_tau=1.0, A=1.0)
    >>> low, high = radius_per_step(neuron, 1 / 6, 5.0, 0.1, release=0.225, lipschitz=0.5, f_range=(0.2, 1))
    >>> round(float(low), 6), round(float(high), 6)
    (0.00815, 0.008662)
    """
    (a, b), w, A, L = f_range, neuron.w_tau, neuron.A, lipschitz[0]
    far, slack = L * step / 2, 8 * np.finfo(neuron.dtype).eps
    inside = (release - far >= a - slack) & (release + far <= b + slack)
    expected = "release ± lipschitz · step / 2 in f_range"
    checks.compare("release", release + 0 * inside, inside, expected, "pass a smaller step")
    c, k = x0 - A, w + release + far
    m = np.where(c * A > 0, 0, np.minimum(np.abs(c), np.abs(A) * w / (w + release)))
    whole = np.floor(t / step * (1 + slack)) * step
    # Not in the paper: a bound from below for every form with one look per step
    low = one_look(k, m, np.minimum(whole, t), step, L) * np.exp(-k * np.maximum(t - whole, 0))
    return low, formula(frozen_error)(neuron, x0, t, step, (L,), f_range, "midpoint")[1]


@bound
def best_look(neuron: LTCNeuron, x0: Given, t: Given, release: Given, lipschitz: Given) -> Interval:
    r"""When to look once at a release that changes slowly, and the radius that is left, to leading order in L.

    .. math:: R(\tau) = L \int_0^\tau \Big|\int_0^r \omega\Big|\,dr + L \int_\tau^t \Big|\int_r^t \omega\Big|\,dr
              + O(L^3), \qquad \omega(s) = (c - z_\infty)\,e^{-kt} + z_\infty\,e^{-k(t-s)}

    with :math:`k = w + \eta`, :math:`z_\infty = -A w/k` and η the release seen. The best time halves the integral of
    ω; it is not t: for large t it is (ln 2)/k before t. Where c A <= 0, ω keeps its sign, and the sum is
    :math:`L \int |\omega(s)|\,|s - \tau|\,ds`. With a finite L the exact enclosure is that of
    :func:`cfc_ref.bounds.from_samples` with this one sample.

    Parameters
    ----------
    neuron, x0
        As in :func:`cfc_ref.bounds.lemma1`.
    t : array_like, any shape
        Times >= 0 in any order, at which the state is asked for.
    release : array_like
        η = f(I), the release that the look finds; broadcasts to N.
    lipschitz : array_like
        L >= 0, the constant of the release in time; broadcasts to N.

    Returns
    -------
    time, radius : ndarray, shape N + t.shape

    Raises
    ------
    ValueError, TypeError
        In three parts.

    Examples
    --------
    >>> time, R = best_look(LTCNeuron(w_tau=1.0, A=1.0), x0=1 / 3, t=5.0, release=0.5, lipschitz=0.1)
    >>> round(float(time), 4), round(float(R), 5)
    (4.5383, 0.02041)
    """
    shaped = weight(neuron, x0 - neuron.A, t, release)
    end = shaped.t
    whole = shaped.integral(0 * end, end)
    # Not in the paper: the best time for one look
    tau = _last(0 * end, end, lambda r: shaped.sign * shaped.integral(0 * end, r) <= np.abs(whole) / 2)
    tau = np.where(shaped.z_inf == 0, end / 2, tau)  # there ω is constant, and may underflow
    return tau, lipschitz[0] * spread(shaped, tau, turns(shaped, tau))


def weight(neuron: LTCNeuron, c: Array, t: Array, release: Array) -> _Weight:
    """Return ω, whose product with a small change of the release, integrated, is the change of x(t)."""
    k = neuron.w_tau + release
    z_inf = -neuron.A * neuron.w_tau / k
    shaped = _Weight(c - z_inf, z_inf, k, t + 0 * (c + z_inf), np.ones(()))
    negative = shaped.integral(0 * shaped.t, shaped.t) < 0
    return shaped._replace(sign=np.where(negative, -1, 1).astype(shaped.t.dtype))


def turns(shaped: _Weight, tau: Array) -> tuple[Array, Array]:
    """Return where the integral of ω from 0, before τ, and that to t, after τ, change their sign; once at most."""
    end, sign = shaped.t, shaped.sign
    before = _last(0 * end, tau + 0 * end, lambda r: sign * shaped.integral(0 * end, r) <= 0)
    return before, _last(tau + 0 * end, end, lambda r: sign * shaped.integral(r, end) >= 0)


def spread(shaped: _Weight, tau: Array, turned: tuple[Array, Array]) -> Array:
    """Return R(τ)/L to leading order."""
    (before, after), start, end = turned, 0 * shaped.t, shaped.t
    early = shaped.moment(start, tau, tau) - 2 * shaped.moment(start, before, before)
    late = shaped.moment(tau, end, tau) - 2 * shaped.moment(after, end, after)
    return np.asarray(shaped.sign * (late - early))


def _last(low: Array, high: Array, holds: Callable[[Array], npt.NDArray[np.bool_]]) -> Array:
    """Return the last time between two at which a condition holds that holds up to some time only, by bisection."""
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        early = holds(middle)
        low, high = np.where(early, middle, low), np.where(early, high, middle)
    return (low + high) / 2


class _Weight(NamedTuple):
    r"""ω of :func:`best_look`: :math:`c' e^{-kt} + z_\infty e^{-k(t-s)}`."""

    c: Array  # less z_inf
    z_inf: Array
    k: Array
    t: Array
    sign: Array  # of its integral

    def _parts(self, end: Array) -> tuple[Array, Array]:
        """Return the constant part of ω, and the other at the time `end`."""
        return self.c * np.exp(-self.k * self.t), self.z_inf * np.exp(-self.k * (self.t - end))

    def integral(self, begin: Array, end: Array) -> Array:
        """Return the integral of ω."""
        constant, fading = self._parts(end)
        return constant * (end - begin) + fading * relax(self.k, end - begin)

    def moment(self, begin: Array, end: Array, about: Array) -> Array:
        """Return the integral of (s - about) ω(s)."""
        constant, fading = self._parts(end)
        h = end - begin
        # with r = end - s: the integrals of (end - about - r), and of the same times exp(-k r)
        faded = (end - about) * relax(self.k, h) - h**2 * _first_moment(self.k * h)
        return constant * h * ((begin + end) / 2 - about) + fading * faded


def _first_moment(u: Array) -> Array:
    r"""Return :math:`(1 - (1 + u)\,e^{-u})/u^2`, the integral of r exp(-u r) over [0, 1]; by its series for small u."""
    small, large = np.minimum(u, _SERIES_BELOW), np.maximum(u, _SERIES_BELOW)
    series, term = np.zeros_like(small), np.ones_like(small)
    for n in range(9):
        series = series + term / (n + 2)  # term = (-u)^n / n!
        term = term * -small / (n + 1)
    return np.where(u < _SERIES_BELOW, series, (-np.expm1(-large) - large * np.exp(-large)) / large / large)
