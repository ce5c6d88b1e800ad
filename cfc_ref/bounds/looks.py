r"""The best that any closed form can do which looks at the input once (THEORY 5.7 a and b).

A form sees the neuron, its start and its look. The states that these leave possible have a smallest and a largest
value; half their distance, the *radius* R, is the least worst error of any form, and the middle has it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cfc_ref import checks
from cfc_ref.bounds.checked import Given, Interval, bound
from cfc_ref.bounds.neuron import closed_form_error, relax, z_extremes
from cfc_ref.neuron.model import FORMS, LTCNeuron

__all__ = ["best_look", "radius", "ratio_of_eq9"]

Array = npt.NDArray[Any]

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
    return np.where((worst == 0) & (best == 0), 1, ratio)


@bound
def best_look(neuron: LTCNeuron, x0: Given, t: Given, release: Given, lipschitz: Given) -> Interval:
    r"""When to look once at a release that changes slowly, and the radius that is left, to leading order in L.

    .. math:: R(\tau) = L \int_0^t \omega(s)\,|s - \tau|\,ds + O(L^3), \qquad
              \omega(s) = \big|(c - z_\infty)\,e^{-kt} + z_\infty\,e^{-k(t-s)}\big|

    with :math:`k = w + \eta`, :math:`z_\infty = -A w/k` and η the release seen. The best time is the weighted median of
    ω, not t: for large t it is (ln 2)/k before t. With a finite L the exact enclosure is that of
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
    k = neuron.w_tau + release
    c, z_inf = x0 - neuron.A, -neuron.A * neuron.w_tau / k
    crosses = c * z_inf < 0  # ω has a zero, that of z
    ratio = np.divide(-c, z_inf, out=np.zeros(np.broadcast_shapes(c.shape, z_inf.shape)), where=crosses)
    weight = _Weight(c - z_inf, z_inf, k, t, np.where(crosses, np.minimum(np.log1p(ratio) / k, t), 0))
    low, high, half = np.zeros_like(weight.zero), t + 0 * weight.zero, weight.total(0, t) / 2
    for _ in range(_HALVINGS):
        tau = (low + high) / 2
        late = weight.total(0, tau) > half
        low, high = np.where(late, low, tau), np.where(late, tau, high)
    # Not in the paper: the best time for one look
    tau = (low + high) / 2
    return tau, lipschitz[0] * (weight.total(0, tau, tau) + weight.total(tau, t, tau))


class _Weight(NamedTuple):
    r"""ω of :func:`best_look`: :math:`|c' e^{-kt} + z_\infty e^{-k(t-s)}|`, which is 0 at `zero`, if anywhere."""

    c: Array  # less z_inf
    z_inf: Array
    k: Array
    t: Array
    zero: Array

    def total(self, begin: Any, end: Array, about: Array | None = None) -> Array:
        """Return the integral of ω from `begin` to `end`, or of ω times the distance from `about`, one of them."""
        middle = np.clip(self.zero, begin, end)
        return np.abs(self._signed(begin, middle, about)) + np.abs(self._signed(middle, end, about))

    def _signed(self, begin: Any, end: Array, about: Array | None) -> Array:
        """Return the same integral without absolute values."""
        h, left = end - begin, self.c * np.exp(-self.k * self.t)
        fading = self.z_inf * np.exp(-self.k * (self.t - end))
        if about is None:
            return left * h + fading * relax(self.k, h)
        # with r = end - s: the integrals of (end - about - r), and of the same times exp(-k r)
        faded = (end - about) * relax(self.k, h) - h**2 * _first_moment(self.k * h)
        return left * h * ((begin + end) / 2 - about) + fading * faded


def _first_moment(u: Array) -> Array:
    r"""Return :math:`(1 - (1 + u)\,e^{-u})/u^2`, the integral of r exp(-u r) over [0, 1]; by its series for small u."""
    small, large = np.minimum(u, _SERIES_BELOW), np.maximum(u, _SERIES_BELOW)
    series, term = np.zeros_like(small), np.ones_like(small)
    for n in range(9):
        series = series + term / (n + 2)  # term = (-u)^n / n!
        term = term * -small / (n + 1)
    return np.where(u < _SERIES_BELOW, series, (-np.expm1(-large) - large * np.exp(-large)) / large / large)
