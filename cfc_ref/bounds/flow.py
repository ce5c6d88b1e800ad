r"""The flow of the LTC as stated while its release runs along a line, or follows an input that does.

With z = x − A the state moves as :math:`z \leftarrow E z - A w G`,

.. math:: E = e^{-\int_0^\ell (w + y)}, \qquad G = \int_0^\ell e^{-\int_s^\ell (w + y)}\,ds.

A *position* p is the release y itself, or :math:`u = \sigma (I - \mu)` with y the logistic of u; it is held between two
limits. Arrays broadcast, and are trusted. G has no elementary form for the logistic; all of it is Gauss's quadrature,
to rounding (THEORY 5.6 has the forms with Dawson's function, which NumPy has not).
"""

from __future__ import annotations

import numpy as np

from cfc_ref.activations import mean_sigmoid
from cfc_ref.arrays import Array
from cfc_ref.bounds.neuron import relax

__all__ = ["SATURATED", "after", "line"]

Map = tuple[Array, Array]  # E, G

SATURATED = 40.0  # beyond ± this u its logistic is 0 or 1 to rounding
_GONE = 64.0  # what fades by more e-foldings before the end is not seen
_NARROWED = 18  # halvings of a ratio


def _rule(n: int) -> tuple[Array, Array, Array]:
    """Return n Gauss points in (0, 1), their weights, and the matrix that integrates from each point to 1."""
    nodes, weights = np.polynomial.legendre.leggauss(n)
    powers = np.vander(nodes, n, increasing=True)
    degree = np.arange(1, n + 1)
    upward = (1 - nodes[:, None] ** degree) / degree  # of the powers, from each node to 1
    return (nodes + 1) / 2, weights / 2, np.linalg.solve(powers.T, upward.T).T / 2


# Five points suffice where (w + y) times the length is below the first number, and u changes by less than the second;
# other lines are divided into parts below the next two, with twelve points each.
_FEW, _MANY = _rule(5), _rule(12)
_SHORT, _PART = (0.3, 0.4), (2.0, 2.5)


def after(one: Map, then: Map) -> Map:
    """Return the map of two pieces, the first of which is `one`."""
    return one[0] * then[0], then[0] * one[1] + then[1]


def _logistic(u: Array) -> Array:
    return 1 / (1 + np.exp(-u))  # of SATURATED at most


def _held(w: Array, y: Array, length: Array) -> Map:
    """Return the map of a constant release."""
    return np.exp(-(w + y) * length), relax(w + y, length)


def line(w: Array, start: Array, end: Array, length: Array, limits: Map, *, logistic: bool) -> Map:
    """Return E and G where the position runs from `start` to `end`, held between the limits, in the time `length`."""
    w, start, end, length = np.broadcast_arrays(w, start, end, length)
    a, b = np.clip(start, *limits), np.clip(end, *limits)
    if np.array_equal(a, start) and np.array_equal(b, end) and length.all() and not np.any(a == b):
        E, G = _moving(w.reshape(-1), a.reshape(-1), b.reshape(-1), length.reshape(-1), logistic)
        return E.reshape(a.shape), G.reshape(a.shape)
    release = _logistic if logistic else np.asarray
    constant = a == b
    way = np.where(constant, 1, np.abs(end - start))
    before = np.where(constant, length, length * (np.abs(a - start) / way))
    behind = np.where(constant, 0, length * (np.abs(end - b) / way))
    total = _held(w, release(a), before)
    moves = ~constant & (length > 0)
    E, G = np.ones_like(a), np.zeros_like(a)
    moving = np.maximum(length - before - behind, 0)[moves]
    E[moves], G[moves] = _moving(w[moves], a[moves], b[moves], moving, logistic)
    return after(after(total, (E, G)), _held(w, release(b), behind))


def _moving(w: Array, a: Array, b: Array, length: Array, logistic: bool) -> Map:
    """Return E and G of flat arrays of lines within the limits."""
    ends = (_logistic(a), _logistic(b)) if logistic else (a, b)
    fades = (w + np.maximum(*ends)) * length  # at most
    far, E_far = np.flatnonzero(fades > _GONE), np.empty(0)
    if far.size:
        of = w[far], a[far], b[far], length[far]
        faded = _faded(*of, logistic)
        rest = np.where(faded > _GONE, _shorter(*of, logistic), length[far])
        E_far, a, length = np.exp(-faded), a.copy(), length.copy()
        a[far], length[far] = b[far] + (a[far] - b[far]) * (rest / length[far]), rest
        fades[far] *= rest / of[3]
    way = np.abs(b - a) if logistic else np.zeros_like(a)
    short = (fades < _SHORT[0]) & (way < _SHORT[1])
    if short.all():
        return _quadrature(_FEW, 1, w, a, b, length, logistic)
    E, G = np.empty_like(a), np.empty_like(a)
    least = np.maximum(np.maximum(fades / _PART[0], way / _PART[1]), 1)
    parts = np.where(short, 0, np.exp2(np.ceil(np.log2(least))))
    for count in np.unique(parts):
        some, rule = np.flatnonzero(parts == count), _MANY if count else _FEW
        E[some], G[some] = _quadrature(rule, max(1, int(count)), w[some], a[some], b[some], length[some], logistic)
    if far.size:
        E[far] = E_far
    return E, G


def _quadrature(
    rule: tuple[Array, ...], parts: int, w: Array, a: Array, b: Array, length: Array, logistic: bool
) -> Map:
    """Return E and G of lines that are divided into so many equal parts."""
    nodes, weights, to_end = rule
    h, total = length / parts, (np.ones_like(a), np.zeros_like(a))
    for k in range(parts):
        p = a[:, None] + ((b - a) / parts)[:, None] * (k + nodes)
        y = _logistic(p) if logistic else p
        # the integral of w + y from each node to the part's end
        left = y @ to_end.T + w[:, None] * (1 - nodes)
        left *= -h[:, None]
        piece = np.exp(-h * (w + y @ weights)), h * (np.exp(left, out=left) @ weights)
        total = piece if parts == 1 else after(total, piece)
    return total


def _faded(w: Array, a: Array, b: Array, length: Array, logistic: bool) -> Array:
    """Return the integral of w + y over whole lines."""
    return length * (w + (mean_sigmoid(a, b) if logistic else (a + b) / 2))


def _shorter(w: Array, a: Array, b: Array, length: Array, logistic: bool) -> Array:
    """Return how long before its end a line has faded by _GONE, to a few digits."""
    low, high = np.minimum(_GONE / (w + 1), length), length.copy()
    for _ in range(_NARROWED):
        middle = np.sqrt(low) * np.sqrt(high)
        enough = _faded(w, b + (a - b) * (middle / length), b, middle, logistic) > _GONE
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    return high
