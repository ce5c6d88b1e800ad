r"""Exact solutions: Eq. 6–8 for the symmetric form, and the exact pieces of the LTC as stated.

With :math:`y = f(I)` and :math:`F(t) = \int_0^t y\,ds` the symmetric form has the solution Eq. 6. On a piece with
constant input the LTC as stated is as solvable: it relaxes to :math:`x_\infty = A y/(w+y)` at the rate :math:`w+y`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from cfc_ref import checks
from cfc_ref.activations import mean_sigmoid
from cfc_ref.neuron.model import FORMS, LTCNeuron, neuron_and_start
from cfc_ref.neuron.time_grid import time_grid
from cfc_ref.signals import PiecewiseConstant, Sampled, Signal, as_signal

__all__ = [
    "QUADRATURE_TOLERANCE",
    "constant_piece",
    "constant_pieces",
    "eq6",
    "exact",
    "linear_integral",
    "smooth_piece",
]

Array = npt.NDArray[Any]

QUADRATURE_TOLERANCE = 1e-12  # relative to max(1, |x|), a piece
_MOST_PARTS = 2**14
_NODES = 12
_FORGOTTEN = 60.0


def exact(
    neuron: LTCNeuron,
    signal: Signal | float | Callable[[Array], npt.ArrayLike],
    x0: npt.ArrayLike,
    t: npt.ArrayLike,
    form: str = "ltc",
) -> Array:
    r"""Return the exact solution of a neuron's ODE.

    .. math::
        \text{symmetric (Eq. 6):}\quad & x(t) = A + (x_0 - A)\,e^{-w_\tau t - F(t)},\qquad F(t)=\int_0^t f(I(s))\,ds \\
        \text{ltc, a piece with constant } y:\quad & x(t+h) = x_\infty + (x(t)-x_\infty)\,e^{-(w_\tau+y)h},\qquad
        x_\infty = \tfrac{A\,y}{w_\tau+y}

    Elementary where the signal is piecewise constant (Eq. 7, 8). Where it is piecewise linear, F and with it the
    symmetric form are elementary; the LTC as stated keeps one integral, which is an incomplete beta function in
    general. That one, and every other smooth signal, is done by Gauss's quadrature, refined until a piece changes by
    less than 1e-12 · max(1, \|x\|).

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
    form : {"ltc", "symmetric"}
        Which of the two ODEs.

    Returns
    -------
    ndarray, shape N + t.shape
        The states, in the neuron's dtype.

    Raises
    ------
    ValueError, TypeError
        For input that does not fit, as the message says; for a signal that jumps where no breakpoint is named, so
        that the quadrature can't reach its tolerance.

    Examples
    --------
    >>> round(float(exact(LTCNeuron(w_tau=1.0, A=1.0), 0.0, x0=0.0, t=10.0)), 6)
    0.333333
    >>> round(float(exact(LTCNeuron(w_tau=1.0, A=1.0), 0.0, x0=0.0, t=10.0, form="symmetric")), 6)
    1.0
    """
    neuron, start, shape = neuron_and_start(neuron, x0)
    signal = as_signal(signal)
    shape = checks.together("signal", neuron=np.empty(shape), signal=np.empty(signal.shape))
    t = checks.times("t", t, increasing=True)
    form = checks.choice("form", form, FORMS)

    edges, index = time_grid(t, signal.breakpoints)
    start = np.broadcast_to(start, shape)
    if isinstance(signal, PiecewiseConstant):
        y = neuron.f(signal(edges[:-1]), over_time=True)
        h = np.diff(edges).astype(neuron.dtype)
        if form == "ltc":
            return constant_pieces(neuron.w_tau, neuron.A, y, h, start)[..., index]
        F = _sum_of_pieces(y * h)  # Eq. (7)
    elif isinstance(signal, Sampled) and form == "symmetric":
        F = _sum_of_pieces(linear_integral(neuron, signal(edges[:-1]), signal(edges[1:]), np.diff(edges)))
    else:
        return _smooth_pieces(neuron, signal, start, edges, form)[..., index].astype(neuron.dtype)
    over = neuron.over(edges)
    return np.broadcast_to(eq6(over.w_tau, over.A, start[..., None], edges, F), (*shape, edges.size))[
        ..., index
    ].astype(neuron.dtype)


def eq6(w_tau: npt.ArrayLike, A: npt.ArrayLike, x0: npt.ArrayLike, t: npt.ArrayLike, F: npt.ArrayLike) -> Array:
    r"""Eq. 6, the solution of the symmetric form: :math:`x(t) = A + (x_0 - A)\,e^{-w_\tau t - F(t)}`.

    Parameters
    ----------
    w_tau, A, x0 : array_like
        Leak, reversal potential, start.
    t, F : array_like
        Time, and the integral of f(I) from 0 to t.

    Returns
    -------
    ndarray
        The state, of the broadcast shape.

    Examples
    --------
    >>> float(eq6(1.0, 2.0, 2.0, 5.0, 2.5))
    2.0
    """
    w_tau, A, x0, t, F = map(np.asarray, (w_tau, A, x0, t, F))
    # Eq. (6)
    return A + (x0 - A) * np.exp(-w_tau * t - F)


def _sum_of_pieces(integrals: Array) -> Array:
    """Return the running sum along the last axis, beginning with 0: F at every edge (Eq. 7)."""
    return np.pad(np.cumsum(integrals, axis=-1), [(0, 0)] * (integrals.ndim - 1) + [(1, 0)])


def linear_integral(neuron: LTCNeuron, I0: Array, I1: Array, h: Array) -> Array:
    r"""Integral of f(I) over pieces on which I runs straight from `I0` to `I1`.

    .. math:: \int_0^h f\big(I_0 + (I_1-I_0)\tfrac{s}{h}\big)\,ds
              = h\,\frac{\log(1+e^{u_1})-\log(1+e^{u_0})}{u_1-u_0},\qquad u = \sigma(I-\mu)

    Parameters
    ----------
    neuron : LTCNeuron
        Parameters of shape N.
    I0, I1 : ndarray, shape N + (S,)
        Input at the start and at the end of each piece.
    h : ndarray, shape (S,)
        Lengths of the pieces.

    Returns
    -------
    ndarray, shape N + (S,)
        The integrals.

    Examples
    --------
    >>> float(linear_integral(LTCNeuron(1.0, 0.0), np.array([-3.0]), np.array([3.0]), np.array([2.0]))[0])
    1.0
    """
    mu, sigma = neuron.mu[..., None], neuron.sigma[..., None]
    return h * mean_sigmoid(sigma * (I0 - mu), sigma * (I1 - mu))


def constant_piece(w_tau: Array, A: Array, y: Array, h: Array, x: Array) -> Array:
    r"""Solve the LTC as stated over a time h in which the release y is constant.

    .. math:: x(t+h) = x_\infty + (x(t) - x_\infty)\,e^{-(w_\tau+y)h}, \qquad x_\infty = \frac{A\,y}{w_\tau + y}

    The same line is the frozen closed form (Rush & Larsen 1978) where y is not constant but taken at one time.

    Parameters
    ----------
    w_tau, A : ndarray
        Leak and reversal potential.
    y, h : ndarray
        Release and length of the piece.
    x : ndarray
        State at the start of the piece.

    Returns
    -------
    ndarray
        State at the end of the piece.

    Examples
    --------
    >>> float(constant_piece(1.0, 3.0, 0.5, np.inf, 7.0))
    1.0
    """
    rate = w_tau + y
    x_inf = A * y / rate
    return x_inf + (x - x_inf) * np.exp(-rate * h)


def constant_pieces(w_tau: Array, A: Array, y: Array, h: Array, x0: Array) -> Array:
    """Chain :func:`constant_piece` over S pieces.

    Parameters
    ----------
    w_tau, A, x0 : ndarray, shapes that broadcast to N
        Leak, reversal potential, start.
    y, h : ndarray, shapes that broadcast to N + (S,)
        Release and length of each piece.

    Returns
    -------
    ndarray, shape N + (S + 1,)
        The states at the edges of the pieces, the start first.

    Examples
    --------
    >>> constant_pieces(np.array(1.0), np.array(0.0), np.zeros(2), np.log([2.0, 4.0]), np.array(8.0))
    array([8., 4., 1.])
    """
    shape = np.broadcast_shapes(np.shape(w_tau), np.shape(A), np.shape(x0), np.shape(y)[:-1], np.shape(h)[:-1])
    y, h = np.broadcast_arrays(y, h)
    x = np.empty((*shape, y.shape[-1] + 1), dtype=np.result_type(w_tau, A, y, h, x0))
    x[..., 0] = x0
    for k in range(y.shape[-1]):
        x[..., k + 1] = constant_piece(w_tau, A, y[..., k], h[..., k], x[..., k])
    return x


@lru_cache(maxsize=1)
def _gauss() -> tuple[Array, Array, Array]:
    r"""Return Gauss's nodes s on (0, 1), their weights, and the matrix that takes values to :math:`\int_{s_i}^1`."""
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    powers = np.polynomial.legendre.legvander(nodes, _NODES - 1)
    antiderivatives = np.polynomial.legendre.legint(np.eye(_NODES))  # column j: that of the j-th Legendre polynomial
    at_end, at_node = (np.polynomial.legendre.legval(s, antiderivatives) for s in (1.0, nodes))
    to_end = (at_end[:, None] - at_node).T @ np.linalg.inv(powers) / 2
    return (nodes + 1) / 2, weights / 2, to_end


def smooth_piece(
    release: Callable[[Array], Array], w_tau: Array, A: Array, h: Array, x: Array, form: str = "ltc"
) -> Array:
    r"""Solve either ODE over a piece on which the release is smooth, to :data:`QUADRATURE_TOLERANCE`.

    .. math:: z(h) = e^{-Q(0)} z(0) - A\,w_\tau \int_0^h e^{-Q(s)}\,ds, \qquad
              Q(s) = \int_s^h \big(w_\tau + y(s')\big)\,ds', \qquad z = x - A

    and without the second term for the symmetric form. The piece is cut into equal parts with twelve Gauss points
    each; y is interpolated there to get Q. The parts are doubled until nothing changes by more than the tolerance.

    Parameters
    ----------
    release : callable
        Takes fractions of the piece, shape (n,), and returns y = f(I) there, shape N + (n,).
    w_tau, A, h, x : ndarray, shapes that broadcast to N
        Leak, reversal potential, length of the piece, state at its start.
    form : {"ltc", "symmetric"}
        Which of the two ODEs.

    Returns
    -------
    ndarray, shape N
        The state at the end of the piece.

    Raises
    ------
    ValueError
        If the tolerance is out of reach.

    Examples
    --------
    >>> release = lambda s: np.full(s.shape, 0.5)
    >>> end = smooth_piece(release, np.array(1.0), np.array(1.0), np.array(10.0), np.array(0.0))
    >>> round(float(end), 6)
    0.333333
    """
    # What lies more than 60 e-foldings back is forgotten (e^-60 < 1e-26): a stiff neuron needs the piece's end only.
    kept = float(np.max(np.minimum(1, _FORGOTTEN / np.maximum(w_tau * h, _FORGOTTEN)), initial=0.0))
    h = h * kept

    def late(fraction: Array) -> Array:
        return release(1 - kept * (1 - fraction))

    # At most four e-foldings a part: twelve points integrate that far below the tolerance.
    parts = max(1, int(np.ceil(np.max((w_tau + 1) * h, initial=0.0) / 4)))
    coarse = _equal_parts(late, w_tau, A, h, x, form, parts)
    while True:
        fine = _equal_parts(late, w_tau, A, h, x, form, 2 * parts)
        change = np.abs(fine - coarse) / np.maximum(1, np.abs(fine))
        if np.max(change, initial=0.0) <= QUADRATURE_TOLERANCE:
            return fine
        parts, coarse = 2 * parts, fine
        if parts > _MOST_PARTS:
            checks.refuse(
                "signal",
                f"an input that quadrature resolves to {np.max(change):.1e} only",
                f"one that is smooth between its breakpoints (to reach {QUADRATURE_TOLERANCE:g})",
                "name its jumps, signals.smooth(function, breakpoints=...)",
            )


def _equal_parts(
    release: Callable[[Array], Array], w_tau: Array, A: Array, h: Array, x: Array, form: str, parts: int
) -> Array:
    nodes, weights, to_end = _gauss()
    h = np.asarray(h) / parts
    z = x - A
    for part in range(parts):
        y = release((part + nodes) / parts)
        whole = np.exp(-(w_tau + y @ weights) * h)
        z = whole * z
        if form == "ltc":
            rest = ((w_tau * h)[..., None] * (1 - nodes)) + h[..., None] * (y @ to_end.T)
            z = z - A * w_tau * h * (np.exp(-rest) @ weights)
    return A + z


def _smooth_pieces(neuron: LTCNeuron, signal: Signal, start: Array, edges: Array, form: str) -> Array:
    """Return the states at `edges`, in float64; the input is smooth between them."""
    w, A, mu, sigma = (p.astype(np.float64) for p in neuron.parameters)
    neuron = LTCNeuron(w, A, mu, sigma)
    x = np.empty((*start.shape, edges.size))
    x[..., 0] = start
    for k, (begin, end) in enumerate(zip(edges[:-1], edges[1:], strict=True)):
        h = end - begin

        def release(fraction: Array, begin: float = begin, h: float = h) -> Array:
            return neuron.f(signal(begin + fraction * h), over_time=True)

        x[..., k + 1] = smooth_piece(release, w, A, np.asarray(h), x[..., k], form)
    return x
