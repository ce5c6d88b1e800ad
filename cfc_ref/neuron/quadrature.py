r"""Both ODEs over a piece on which f(I) is smooth but not constant: one integral, by Lobatto's rule."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from cfc_ref import checks
from cfc_ref.arrays import Array

__all__ = ["QUADRATURE_TOLERANCE", "smooth_piece"]

QUADRATURE_TOLERANCE = 1e-12  # per part, relative to max(1, |x|, |A|)
_MOST_PARTS = 100_000
_NODES = 13
_FORGOTTEN = 60.0
_EASY = 1e-3  # of the tolerance: then the next part is twice as wide
_NARROWEST = 2.0**-46  # of what is left of the piece: rounding hides narrower parts
_STIFFEST = np.finfo(np.float64).max


@lru_cache(maxsize=1)
def _lobatto() -> tuple[Array, Array, Array]:
    r"""Return Lobatto's nodes s on [0, 1], their weights, and the matrix that takes values to :math:`\int_{s_i}^1`."""
    # The nodes are the ends and the roots of P'_{n-1}: a steep f that moves next to an end is seen at that end
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
    noise: Array | float = 0.0,
) -> Array:
    r"""Solve either ODE over a piece on which the release is smooth, to :data:`QUADRATURE_TOLERANCE`.

    .. math:: z(h) = e^{-Q(0)} z(0) - A\,w_\tau \int_0^h e^{-Q(s)}\,ds, \qquad
              Q(s) = \int_s^h \big(w_\tau + y(s')\big)\,ds', \qquad z = x - A

    and without the second term for the symmetric form. The piece is taken in parts with thirteen Lobatto points each,
    between which y is interpolated to get Q. A part is halved until its two halves give the same for all neurons, to
    the tolerance and to what `noise`, the rounding of the release, can change.

    `release` takes fractions of the piece, shape (n,), and returns y = f(I) there, shape N + (n,); at 1 its limit from
    the left. With fewer than `parts` parts, a pulse of the release narrower than a fifth of a part may be missed.
    """
    shape = np.broadcast_shapes(*map(np.shape, (w_tau, A, h, x)))
    w, A, h, x, noise = (np.broadcast_to(v, shape).reshape(-1).astype(np.float64) for v in (w_tau, A, h, x, noise))
    z = x - A
    # Neurons of like stiffness go together, so that the slow do not take the steps of the fast.
    with np.errstate(over="ignore"):
        foldings = np.minimum(w * h, _STIFFEST)
    stiffness = np.floor(np.log10(np.maximum(1, foldings / _FORGOTTEN)))
    for group in (np.flatnonzero(stiffness == value) for value in np.unique(stiffness)):

        def some(fraction: Array, group: Array = group) -> Array:
            return np.broadcast_to(release(fraction), (*shape, fraction.size)).reshape(w.size, -1)[group]

        # What lies more than 60 e-foldings back is forgotten (e^-60 < 1e-26): a stiff neuron needs the end only.
        kept = float(np.max(_FORGOTTEN / np.maximum(foldings[group], _FORGOTTEN)))
        some_z = _refined(some, w[group], A[group], h[group], z[group], form, kept, parts, noise[group])
        z[group] = some_z
    return (A + z).reshape(shape)


def _refined(
    release: Callable[[Array], Array],
    w_tau: Array,
    A: Array,
    h: Array,
    z: Array,
    form: str,
    left: float,
    parts: int,
    noise: Array,
) -> Array:
    """Carry z = x - A over the piece's last fraction `left` in parts of adapted width."""
    size = np.maximum(1, np.abs(A))
    # At most four e-foldings per part: thirteen points integrate that far below the tolerance.
    width = left / max(parts, np.ceil(np.max((w_tau + 1) * (left * h)) / 4))
    for _ in range(_MOST_PARTS):
        width = min(width, left)
        whole = _part(release, w_tau, A, h, z, form, left, width)
        half = _part(release, w_tau, A, h, z, form, left, width / 2)
        halves = _part(release, w_tau, A, h, half, form, left - width / 2, width / 2)
        tolerance = QUADRATURE_TOLERANCE + 4 * noise * np.minimum(h * width, 1 / w_tau)
        change = np.max(np.abs(halves - whole) / np.maximum(size, np.abs(A + halves)) / tolerance)
        if change > 1 and width > _NARROWEST * left:
            width /= 2
            continue
        left, z = left - width, halves
        if left <= 0:
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
    left: float,
    width: float,
) -> Array:
    """Carry z = x - A over a part of the piece: `left` before its end (as a fraction) the part begins, `width` wide."""
    nodes, weights, to_end = _lobatto()
    y, h = release(1 - (left - width * nodes)), h * width
    z = np.exp(-(w_tau + y @ weights) * h) * z
    if form == "symmetric":
        return z
    Q = (w_tau * h)[..., None] * (1 - nodes) + h[..., None] * (y @ to_end.T)
    return z - A * (w_tau * h) * (np.exp(-Q) @ weights)
