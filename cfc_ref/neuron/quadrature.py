r"""Both ODEs over a piece on which f(I) is smooth but not constant: one integral, by Lobatto's rule."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from cfc_ref import checks

__all__ = ["QUADRATURE_TOLERANCE", "smooth_piece"]

Array = npt.NDArray[Any]

QUADRATURE_TOLERANCE = 1e-12  # relative to max(1, |x|, |A|), a part
_MOST_PARTS = 100_000
_NODES = 13
_FORGOTTEN = 60.0
_EASY = 1e-3 * QUADRATURE_TOLERANCE
_NARROWEST = 2.0**-46  # of a piece; narrower parts are told apart by rounding only


@lru_cache(maxsize=1)
def _lobatto() -> tuple[Array, Array, Array]:
    r"""Return Lobatto's nodes s on [0, 1], their weights, and the matrix that takes values to :math:`\int_{s_i}^1`.

    The nodes are the ends and the roots of P'_{n-1}: a steep f that moves next to an end is seen at that end.
    """
    legendre = np.polynomial.legendre
    last = legendre.Legendre.basis(_NODES - 1)
    nodes = np.concatenate([[-1.0], np.sort(last.deriv().roots().real), [1.0]])
    weights = 2 / (_NODES * (_NODES - 1) * last(nodes) ** 2)
    powers = legendre.legvander(nodes, _NODES - 1)
    antiderivatives = legendre.legint(np.eye(_NODES))  # column j: that of the j-th Legendre polynomial
    at_end, at_node = (legendre.legval(s, antiderivatives) for s in (1.0, nodes))
    to_end = (at_end[:, None] - at_node).T @ np.linalg.inv(powers) / 2
    return (nodes + 1) / 2, weights / 2, to_end


def smooth_piece(
    release: Callable[[Array], Array],
    w_tau: Array,
    A: Array,
    h: Array,
    x: Array,
    form: str = "ltc",
    parts: int = 1,
) -> Array:
    r"""Solve either ODE over a piece on which the release is smooth, to :data:`QUADRATURE_TOLERANCE`.

    .. math:: z(h) = e^{-Q(0)} z(0) - A\,w_\tau \int_0^h e^{-Q(s)}\,ds, \qquad
              Q(s) = \int_s^h \big(w_\tau + y(s')\big)\,ds', \qquad z = x - A

    and without the second term for the symmetric form. The piece is taken in parts with thirteen Lobatto points each,
    between which y is interpolated to get Q. A part is halved until its two halves give the same to the tolerance, for
    all neurons.

    Parameters
    ----------
    release : callable
        Takes fractions of the piece, shape (n,), and returns y = f(I) there, shape N + (n,); at 1 what it tends to.
    w_tau, A, h, x : ndarray, shapes that broadcast to N
        Leak, reversal potential, length of the piece, state at its start.
    form : {"ltc", "symmetric"}
        Which of the two ODEs.
    parts : int
        Begin with at least so many parts: a pulse of the release that is narrower than a fifth of a part may be missed.

    Returns
    -------
    ndarray, shape N
        The state at the end of the piece.

    Raises
    ------
    ValueError
        If the tolerance is out of reach within 100,000 parts.
    """
    shape = np.broadcast_shapes(*map(np.shape, (w_tau, A, h, x)))
    w, A, h, x = (np.broadcast_to(v, shape).reshape(-1).astype(np.float64) for v in (w_tau, A, h, x))
    z = x - A
    # Neurons of like stiffness go together, so that the slow do not take the steps of the fast.
    stiffness = np.floor(np.log10(np.maximum(1, w * h / _FORGOTTEN)))
    for group in (np.flatnonzero(stiffness == value) for value in np.unique(stiffness)):

        def some(fraction: Array, group: Array = group) -> Array:
            return np.broadcast_to(release(fraction), (*shape, fraction.size)).reshape(w.size, -1)[group]

        z[group] = _refined(some, w[group], A[group], h[group], z[group], form, parts)
    return (A + z).reshape(shape)


def _refined(
    release: Callable[[Array], Array], w_tau: Array, A: Array, h: Array, z: Array, form: str, parts: int
) -> Array:
    """Carry z = x - A over the piece in parts of adapted width."""
    # What lies more than 60 e-foldings back is forgotten (e^-60 < 1e-26): a stiff neuron needs the piece's end only.
    kept = float(np.max(np.minimum(1, _FORGOTTEN / np.maximum(w_tau * h, _FORGOTTEN))))
    begin, size = 1 - kept, np.maximum(1, np.abs(A))
    # At most four e-foldings a part: thirteen points integrate that far below the tolerance.
    width = kept / max(parts, np.ceil(kept * np.max((w_tau + 1) * h) / 4))
    for _ in range(_MOST_PARTS):
        width = min(width, 1 - begin)
        whole = _part(release, w_tau, A, h, z, form, begin, width)
        half = _part(release, w_tau, A, h, z, form, begin, width / 2)
        halves = _part(release, w_tau, A, h, half, form, begin + width / 2, width / 2)
        change = np.max(np.abs(halves - whole) / np.maximum(size, np.abs(A + halves)))
        if change > QUADRATURE_TOLERANCE and width > _NARROWEST:
            width /= 2
            continue
        begin, z = begin + width, halves
        if begin >= 1:
            return z
        if change < _EASY:
            width *= 2
    got = f"an input for which {_MOST_PARTS:,} parts of a piece are not enough"
    expected = f"one that quadrature resolves to {QUADRATURE_TOLERANCE:g}"
    return checks.refuse("signal", got, expected, "name its jumps, signals.smooth(function, breakpoints=...)")


def _part(
    release: Callable[[Array], Array],
    w_tau: Array,
    A: Array,
    h: Array,
    z: Array,
    form: str,
    begin: float,
    width: float,
) -> Array:
    """Carry z = x - A over the part of the piece from the fraction `begin` on, `width` long."""
    nodes, weights, to_end = _lobatto()
    y, h = release(begin + width * nodes), np.asarray(h) * width
    z = np.exp(-(w_tau + y @ weights) * h) * z
    if form == "symmetric":
        return z
    Q = (w_tau * h)[..., None] * (1 - nodes) + h[..., None] * (y @ to_end.T)
    return z - A * w_tau * h * (np.exp(-Q) @ weights)
