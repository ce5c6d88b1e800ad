r"""Closed forms: the paper's (Eq. 2 = Eq. 9), and the frozen ones of order 1, 2 and 4.

The paper's form looks at the input at time t alone and approximates the *symmetric* form. The frozen forms step along:
they solve the LTC *as stated* exactly for an input that is frozen within a step, and converge as the step shrinks.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from cfc_ref import checks
from cfc_ref.arrays import Array
from cfc_ref.neuron.exact_solution import constant_pieces
from cfc_ref.neuron.grid import time_grid
from cfc_ref.neuron.model import LTCNeuron
from cfc_ref.neuron.problem import pose
from cfc_ref.signals import SignalLike

__all__ = ["SAMPLES", "closed_form", "eq9", "frozen", "gauss_piece", "gauss_pieces", "gauss_points", "halved_releases"]

SAMPLES = ("start", "midpoint", "gauss")  # of the report and the figures
_GAUSS_OFFSET = math.sqrt(3) / 6
_SERIES_BELOW = 0.3
_SERIES_TERMS = 14
_MOST_STEPS = 100_000_000


def closed_form(
    neuron: LTCNeuron,
    signal: SignalLike,
    x0: npt.ArrayLike,
    t: npt.ArrayLike,
) -> Array:
    r"""Return the paper's closed form, Eq. 2 = Eq. 9.

    .. math:: \tilde x(t) = A + (x_0 - A)\,e^{-(w_\tau + y(t))\,t}\;r\big(y(t)\big), \qquad y(t) = f(I(t))

    Parameters
    ----------
    neuron : LTCNeuron
        Parameters of shape N; its `reflection` chooses r.
    signal : Signal, number or function of t
        The input, one for all neurons or one a neuron.
    x0 : array_like
        State at t = 0, broadcasts with N.
    t : array_like, any shape
        Times >= 0 in any order.

    Returns
    -------
    ndarray, shape N + t.shape
        The approximation, in the neuron's dtype.

    Raises
    ------
    ValueError, TypeError
        For input that does not fit, as the message says.

    Notes
    -----
    Departure: the paper prints :math:`r = f(-I)` here and :math:`1-f` in Algorithm 1, which agree where
    :math:`\mu = 0` only; see :class:`LTCNeuron`. At t = 0 the form gives :math:`A + (x_0-A)\,r(y(0))`, not
    :math:`x_0`. It approximates the symmetric form; how far it is from the LTC as stated says
    :func:`cfc_ref.bounds.closed_form_error`.

    Examples
    --------
    >>> float(closed_form(LTCNeuron(w_tau=1.0, A=0.0), 0.0, x0=1.0, t=0.0))
    0.5
    """
    problem = pose(neuron, signal, x0, t, increasing=False)
    neuron, _, start, t, shape = problem
    over = neuron.over(t)
    above = np.broadcast_to(problem.above(t), shape + t.shape)
    start = start.reshape(shape + (1,) * t.ndim)
    return eq9(over, start, t.astype(neuron.dtype), over.release_above(above), over.reflected_above(above))


def eq9(neuron: LTCNeuron, x0: Array, t: Array, y: Array, r: Array | None = None) -> Array:
    r"""Eq. 9 for a release y = f(I(t)): :math:`A + (x_0 - A)\,e^{-(w_\tau + y)\,t}\,r(y)`.

    Parameters
    ----------
    neuron : LTCNeuron
        Its w_tau, A and reflection are used.
    x0, t, y : ndarray
        Start, time and release; broadcast with the neuron.
    r : ndarray, optional
        The reflected release, where it is known better than from y, which is rounded to 1 where f saturates.

    Returns
    -------
    ndarray
        The approximation, of the broadcast shape.
    """
    r = neuron.reflect(y) if r is None else r
    # Eq. (2), (9): the closed form
    return neuron.A + (x0 - neuron.A) * np.exp(-(neuron.w_tau + y) * t) * r


def frozen(
    neuron: LTCNeuron,
    signal: SignalLike,
    x0: npt.ArrayLike,
    t: npt.ArrayLike,
    sample: str = "start",
    step: float | None = None,
) -> Array:
    r"""Return the frozen closed form of the LTC as stated: exact for an input that is constant on each step.

    .. math:: x \leftarrow x_\infty + (x - x_\infty)\,e^{-(w_\tau + y^*)h}, \qquad
              x_\infty = \frac{A\,y^*}{w_\tau + y^*}

    Rush & Larsen, IEEE Trans. Biomed. Eng. 25, 389 (1978), an exponential Euler step. The steps run from 0 to t[0]
    to t[1] …, cut at the signal's breakpoints.

    Parameters
    ----------
    neuron : LTCNeuron
        Parameters of shape N.
    signal : Signal, number or function of t
        The input, one for all neurons or one a neuron.
    x0 : array_like
        State at t = 0, broadcasts with N.
    t : array_like, shape () or (T,)
        Strictly increasing times >= 0.
    sample : {"start", "midpoint", "ends", "gauss", "halves"}
        Where a step looks at the input: at its start (order 1), in its middle (order 2), at both ends, whose releases
        are averaged (order 2), at its two Gauss points, with the update of :func:`gauss_piece` (order 4), or at start,
        middle and end, for two frozen halves with the releases of :func:`halved_releases` (order 4).
    step : float, optional
        Divide the steps into the fewest equal parts not longer than this.

    Returns
    -------
    ndarray, shape N + t.shape
        The approximation, in the neuron's dtype.

    Raises
    ------
    ValueError, TypeError
        For input that does not fit, as the message says.

    Examples
    --------
    >>> neuron = LTCNeuron(w_tau=1.0, A=1.0)
    >>> round(float(frozen(neuron, 0.0, x0=0.0, t=10.0)), 6)
    0.333333
    """
    problem = pose(neuron, signal, x0, t)
    neuron, signal, start, t, _ = problem
    sample = checks.choice("sample", sample, (*SAMPLES, "ends", "halves"))
    if step is not None:
        step = checks.number("step", step, positive=True)
        steps = t.max(initial=0.0) / step
        if not steps <= _MOST_STEPS:
            checks.refuse(
                "step", f"{step}, which makes {steps:.1e} steps", f"at most {_MOST_STEPS:,}", "take longer steps"
            )

    edges, index = time_grid(t, signal.breakpoints, step)
    begin, h = edges[:-1], np.diff(edges)
    before_end = np.nextafter(edges[1:], begin)  # where a signal may jump
    if sample == "gauss":
        y1, y2 = (problem.release(s) for s in gauss_points(begin, h))
        x = gauss_pieces(neuron.w_tau, neuron.A, y1, y2, h.astype(neuron.dtype), start)
    elif sample == "halves":
        y = halved_releases(*(problem.release(s) for s in (begin, begin + h / 2, before_end)))
        half = np.repeat(h / 2, 2).astype(neuron.dtype)
        x = constant_pieces(neuron.w_tau, neuron.A, y, half, start)[..., ::2]
    else:
        if sample == "ends":
            y = (problem.release(begin) + problem.release(before_end)) / 2
        else:
            y = problem.release(begin if sample == "start" else begin + h / 2)
        x = constant_pieces(neuron.w_tau, neuron.A, y, h.astype(neuron.dtype), start)
    return x[..., index]


def halved_releases(y0: Array, y_mid: Array, y1: Array) -> Array:
    r"""Return the releases of the two frozen halves of each of S steps, in order, shape N + (2 S,).

    .. math:: y_a = \tfrac16 (3 y_0 + 4 y_{1/2} - y_1), \qquad y_b = \tfrac16 (-y_0 + 4 y_{1/2} + 3 y_1)

    Order 4 without the ψ of :func:`gauss_piece`; on steps long against :math:`1/w_\tau` the order falls to 1, that of
    :func:`gauss_piece` to 2.

    Departure: a release below 0, which a long step may have, counts as 0; so the state stays in its box.

    Parameters
    ----------
    y0, y_mid, y1 : ndarray, shape N + (S,)
        Release at the start, in the middle and at the end of each step.
    """
    # Not in the paper: a form of order 4 of two frozen halves
    halves = np.stack([3 * y0 + 4 * y_mid - y1, 3 * y1 + 4 * y_mid - y0], axis=-1) / 6
    return np.maximum(halves, 0).reshape(*halves.shape[:-2], -1)


def gauss_points(begin: Array, h: Array) -> tuple[Array, Array]:
    r"""Return the two Gauss points of a step, :math:`h(\tfrac12 \mp \tfrac{\sqrt3}{6})` after its beginning."""
    return begin + h * (0.5 - _GAUSS_OFFSET), begin + h * (0.5 + _GAUSS_OFFSET)


def _psi(u: Array, decay: Array) -> Array:
    r""":math:`\psi(u) = ((u-2) + (u+2)e^{-u})/u^3`, with decay = exp(-u); by its series where that cancels."""
    small = np.minimum(u, _SERIES_BELOW)
    series, term = np.zeros_like(small), np.full_like(small, 1)
    for n in range(_SERIES_TERMS):
        series = series + term / ((n + 2) * (n + 3))  # term = (-u)^n / n!
        term = term * -small / (n + 1)
    large = np.maximum(u, _SERIES_BELOW)
    return np.where(u < _SERIES_BELOW, series, ((large - 2) + (large + 2) * decay) / large / large / large)


def gauss_piece(w_tau: Array, A: Array, y1: Array, y2: Array, h: Array, x: Array) -> Array:
    r"""One step of order 4: two looks at the input, one exponential.

    .. math::
        z &\leftarrow e^{-u} z - A\,w_\tau h\,\big[\varphi_1(u) - \tfrac{\delta}{2}\,\psi(u)\big], \qquad z = x - A,\\
        u &= \big(w_\tau + \tfrac{y_1+y_2}{2}\big) h, \qquad \delta = \sqrt3\,h\,(y_2 - y_1),\\
        \varphi_1(u) &= \frac{1-e^{-u}}{u}, \qquad \psi(u) = \frac{(u-2) + (u+2)\,e^{-u}}{u^3}

    Exact for constant y. Order 4 on steps that are short against :math:`1/w_\tau`; on longer ones, where only y at the
    step's end counts, the order falls to 2. With :math:`\varphi_1/6` in place of :math:`\psi` it is the Magnus step of
    order 4, whose order falls likewise, with an error about :math:`w_\tau \max|y'|/\max|y''|` times larger there.

    Parameters
    ----------
    w_tau, A : ndarray
        Leak and reversal potential.
    y1, y2 : ndarray
        Release at the two :func:`gauss_points` of the step.
    h : ndarray
        Length of the step.
    x : ndarray
        State at its start.

    Returns
    -------
    ndarray
        State at its end.
    """
    u = (w_tau + (y1 + y2) / 2) * h
    delta = 6 * _GAUSS_OFFSET * h * (y2 - y1)
    decay = np.exp(-u)
    # h phi_1(u), written so that h = 0 is no division by zero
    h_phi = -np.expm1(-u) / (w_tau + (y1 + y2) / 2)
    # Not in the paper: a closed form of order 4 with one exponential
    return A + decay * (x - A) - A * w_tau * (h_phi - h * (delta / 2) * _psi(u, decay))


def gauss_pieces(w_tau: Array, A: Array, y1: Array, y2: Array, h: Array, x0: Array) -> Array:
    """Chain :func:`gauss_piece` over S steps; return the states at their edges, shape N + (S + 1,).

    Twin: :func:`cfc_ref.kernels.closed_forms.gauss_pieces`.
    """
    y1, y2, h = np.broadcast_arrays(y1, y2, h)
    shape = np.broadcast_shapes(np.shape(w_tau), np.shape(A), np.shape(x0), y1.shape[:-1])
    x = np.empty((*shape, y1.shape[-1] + 1), dtype=np.result_type(w_tau, A, y1, y2, h, x0))
    x[..., 0] = x0
    for k in range(y1.shape[-1]):
        x[..., k + 1] = gauss_piece(w_tau, A, y1[..., k], y2[..., k], h[..., k], x[..., k])
    return x
