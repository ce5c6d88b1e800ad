r"""Exact solutions: Eq. 6–8 for the symmetric form, and the exact pieces of the LTC as stated.

With :math:`y = f(I)` and :math:`F(t) = \int_0^t y\,ds` the symmetric form has the solution Eq. 6. On a piece with
constant input the LTC as stated is as solvable: it relaxes to :math:`x_\infty = A y/(w+y)` at the rate :math:`w+y`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cfc_ref import checks
from cfc_ref.activations import mean_sigmoid
from cfc_ref.arrays import Array
from cfc_ref.neuron.grid import time_grid
from cfc_ref.neuron.model import FORMS, LTCNeuron
from cfc_ref.neuron.problem import Problem, pose
from cfc_ref.neuron.quadrature import smooth_piece
from cfc_ref.signals import PiecewiseConstant, Sampled, SignalLike

__all__ = [
    "constant_piece",
    "constant_pieces",
    "eq6",
    "exact",
    "linear_integral",
]

_LOOKS = 64  # parts of the whole time at least, so that no narrow pulse of f(I) is missed
_LARGEST = 1e300  # of sigma (I - mu): infinities would leave no mean


def exact(
    neuron: LTCNeuron,
    signal: SignalLike,
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
    general. That one, and every other smooth signal, is done by Lobatto's quadrature, refined until no part changes by
    more than 1e-12 · max(1, \|x\|, \|A\|), or by what the rounding of a large input can change.

    Parameters
    ----------
    neuron : LTCNeuron
        Parameters of shape N.
    signal : Signal, number or function of t
        The input, one for all neurons or one per neuron.
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
        If an argument does not fit, naming it; if quadrature does not resolve the signal.

    Examples
    --------
    >>> round(float(exact(LTCNeuron(w_tau=1.0, A=1.0), 0.0, x0=0.0, t=10.0)), 6)
    0.333333
    >>> round(float(exact(LTCNeuron(w_tau=1.0, A=1.0), 0.0, x0=0.0, t=10.0, form="symmetric")), 6)
    1.0
    """
    problem = pose(neuron, signal, x0, t)
    neuron, signal, start, t, _ = problem
    form = checks.choice("form", form, FORMS)

    # Between its breaks and turns a signal is monotone, so that no pulse of f(I) is hidden between two looks at it.
    cuts = np.union1d(signal.breakpoints, signal.turning_points(t.max(initial=0.0)))
    edges, index = time_grid(t, cuts)
    if form == "symmetric" and isinstance(signal, (PiecewiseConstant, Sampled)):
        x = _by_eq6(problem, edges)
    elif isinstance(signal, PiecewiseConstant):
        y = problem.release(edges[:-1])
        x = constant_pieces(neuron.w_tau, neuron.A, y, np.diff(edges).astype(neuron.dtype), start)
    else:
        x = _smooth_pieces(problem, edges, form)
    return x[..., index].astype(neuron.dtype)


def _by_eq6(problem: Problem, edges: Array) -> Array:
    """Return the symmetric form's states at `edges`: Eq. 6 with F summed over the pieces, shape N + (S + 1,)."""
    h = np.diff(edges)
    if isinstance(problem.signal, PiecewiseConstant):
        pieces = problem.release(edges[:-1]) * h  # Eq. (7): the integral F as a sum over pieces
    else:
        pieces = linear_integral(problem.neuron.sigma, problem.above(edges[:-1]), problem.above(edges[1:]), h)
    F = np.pad(np.cumsum(pieces, axis=-1), [(0, 0)] * (pieces.ndim - 1) + [(1, 0)])
    over = problem.neuron.over(edges)
    return eq6(over.w_tau, over.A, problem.start[..., None], edges, F)  # Eq. (8): Eq. 6 for piecewise-constant input


def eq6(w_tau: npt.ArrayLike, A: npt.ArrayLike, x0: npt.ArrayLike, t: npt.ArrayLike, F: npt.ArrayLike) -> Array:
    r"""Return Eq. 6, the solution of the symmetric form: :math:`x(t) = A + (x_0 - A)\,e^{-w_\tau t - F(t)}`."""
    w_tau, A, x0, t, F = map(np.asarray, (w_tau, A, x0, t, F))
    # Eq. (6): the solution of the symmetric form
    return A + (x0 - A) * np.exp(-w_tau * t - F)


def linear_integral(sigma: Array, above0: Array, above1: Array, h: Array) -> Array:
    r"""Return the integrals of f(I) over S pieces on which I - mu runs straight from `above0` to `above1`.

    .. math:: \int_0^h f\big(I_0 + (I_1-I_0)\tfrac{s}{h}\big)\,ds
              = h\,\frac{\log(1+e^{u_1})-\log(1+e^{u_0})}{u_1-u_0},\qquad u = \sigma(I-\mu)
    """
    with np.errstate(over="ignore"):
        u0, u1 = sigma[..., None] * above0, sigma[..., None] * above1
    return h * mean_sigmoid(np.clip(u0, -_LARGEST, _LARGEST), np.clip(u1, -_LARGEST, _LARGEST))


def constant_piece(w_tau: Array, A: Array, y: Array, h: Array, x: Array) -> Array:
    r"""Solve the LTC as stated over a time h in which the release y is constant.

    .. math:: x(t+h) = x_\infty + (x(t) - x_\infty)\,e^{-(w_\tau+y)h}, \qquad x_\infty = \frac{A\,y}{w_\tau + y}

    The same line is the frozen closed form (Rush & Larsen 1978) where y is not constant but taken at one time.
    """
    rate = w_tau + y
    x_inf = A * y / rate
    # Not in the paper: the LTC as stated, solved exactly for constant input
    return x_inf + (x - x_inf) * np.exp(-rate * h)


def constant_pieces(w_tau: Array, A: Array, y: Array, h: Array, x0: Array) -> Array:
    """Chain :func:`constant_piece` over S pieces; return the states at their edges, shape N + (S + 1,).

    Twin: :func:`cfc_ref.kernels.exact_solution.constant_pieces`.
    """
    shape = np.broadcast_shapes(np.shape(w_tau), np.shape(A), np.shape(x0), np.shape(y)[:-1], np.shape(h)[:-1])
    y, h = np.broadcast_arrays(y, h)
    x = np.empty((*shape, y.shape[-1] + 1), dtype=np.result_type(w_tau, A, y, h, x0))
    x[..., 0] = x0
    for k in range(y.shape[-1]):
        x[..., k + 1] = constant_piece(w_tau, A, y[..., k], h[..., k], x[..., k])
    return x


def _smooth_pieces(problem: Problem, edges: Array, form: str) -> Array:
    """Return the states at `edges`, in float64; the input is smooth between them."""
    w, A, mu, sigma = (p.astype(np.float64) for p in problem.neuron.parameters)
    problem = problem._replace(neuron=LTCNeuron(w, A, mu, sigma))
    noise = problem.noise(edges)
    x = np.empty((*problem.shape, edges.size))
    x[..., 0] = problem.start
    for k, (begin, end) in enumerate(zip(edges[:-1], edges[1:], strict=True)):

        def release(fraction: Array, begin: float = begin, end: float = end) -> Array:
            # A signal is right-continuous: at the piece's end ask for the value just before it.
            s = np.minimum(begin + fraction * (end - begin), np.nextafter(end, begin))
            return problem.release(s)

        h = np.asarray(end - begin)
        parts = 1 if isinstance(problem.signal, Sampled) else int(np.ceil(_LOOKS * h / edges[-1]))
        x[..., k + 1] = smooth_piece(release, w, A, h, x[..., k], form, parts, noise)
    return x
