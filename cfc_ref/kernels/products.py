"""Products of small matrices inside a kernel: no call to BLAS, whose threads would get in the way of the kernel's own.

Weights lie in panels (:mod:`cfc_ref.kernels.tile`), which the tiles of all rows read from the first cache. A row's
result does not depend on other rows. Offsets and lengths are never literal numbers where these are called: Numba would
compile a version of its own for each.
"""

from __future__ import annotations

from numba import njit

from cfc_ref.kernels.compiled import INNER, inner
from cfc_ref.kernels.memory import LINE, PANEL_BYTES
from cfc_ref.kernels.tile import ROWS, WIDE, make_tile

__all__: list[str] = []

_wide, _narrow, _single = make_tile(ROWS, WIDE), make_tile(ROWS, 1), make_tile(1, 2)


@inner
def _panels(W, columns):
    """Return how many columns the panels have that hold so many."""
    panel = PANEL_BYTES // W.itemsize
    return (columns + panel - 1) // panel * panel


@inner
def _products(sign, left, right, weights, old, new):
    """Compute new = old + sign * [left, right] @ weights.

    `left`, `right` and `new` are an array, the first column in it and the number of columns; `weights` an array and
    where its panels begin; `old` an array, the first number in it and how many numbers lie between rows.
    """
    (A, a, K), (B, b, L), (W, w), (O, o, to_O), (C, c, N) = left, right, weights, old, new
    rows, inputs, panel = C.shape[0], K + L, PANEL_BYTES // W.itemsize
    to_A, to_B, to_C = A.shape[1], B.shape[1], C.shape[1]
    tiled = rows - 1 if rows % ROWS == 1 else rows  # by itself a row takes less time than a tile
    for j in range(0, N, WIDE * panel):
        of_W = W, w + j * inputs, panel, panel * inputs
        for i in range(0, tiled, ROWS):
            of_A, of_B = (A, i * to_A + a, to_A, 1, K), (B, i * to_B + b, to_B, 1, L)
            before, after = (O, i * to_O + o + j, to_O, panel), (C, i * to_C + c + j, to_C, panel)
            if N - j > panel:
                _wide(sign, of_A, of_B, of_W, before, after, (rows - i, N - j))
            else:
                _narrow(sign, of_A, of_B, of_W, before, after, (rows - i, N - j))
    for i in range(tiled, rows):
        of_A, of_B = (A, i * to_A + a, to_A, 1, K), (B, i * to_B + b, to_B, 1, L)
        for j in range(0, N, 2 * panel):
            of_W = W, w + j * inputs, panel, panel * inputs if N - j > panel else 0
            before, after = (O, i * to_O + o + j, to_O, panel), (C, i * to_C + c + j, to_C, panel)
            _single(sign, of_A, of_B, of_W, before, after, (1, N - j))


@inner
def _add_product(sign, A, a, K, W, w, C, c, N):
    """C[:, c : c + N] += sign * A[:, a : a + K] @ W, with W in panels from w on."""
    nothing = _nothing(K)
    _products(sign, (A, a, K), (A, nothing, nothing), (W, w), (C, c, C.shape[1]), (C, c, N))


@inner
def _add_outer(sign, A, a, K, G, g, N, D, d, inputs):
    """D += sign * A[:, a : a + K].T @ G[:, g : g + N]: the gradient of a map's weights from some rows.

    D is K rows of panels with so many inputs. Of the last row of G whole panels are read: ``aligned``.
    """
    rows, panel, to_A, to_G = G.shape[0], PANEL_BYTES // D.itemsize, A.shape[1], G.shape[1]
    for j in range(0, N, WIDE * panel):
        right = G, g + j, to_G, panel
        for k in range(0, K, ROWS):
            left, none, edge = (A, a + k, 1, to_A, rows), (A, a, 1, 1, 0), (K - k, N - j)
            result = D, d + j * inputs + k * panel, panel, panel * inputs
            if N - j > panel:
                _wide(sign, left, none, right, result, result, edge)
            else:
                _narrow(sign, left, none, right, result, result, edge)


@inner
def _d_linear(D, start, sign, A, a, K, B, b, L, G, g, N):
    """Backward of ``_linear`` for its weights, which are laid out alike: D[start:] += [sign * [A, B], 1].T @ G."""
    _add_outer(sign, A, a, K, G, g, N, D, start, K + L)
    _add_outer(sign, B, b, L, G, g, N, D, start + K * (PANEL_BYTES // D.itemsize), K + L)
    bias = D[start + (K + L) * _panels(D, N) :]
    for i in range(G.shape[0]):
        row = G[i, g : g + N]
        for j in range(N):
            bias[j] += row[j]


@inner
def _linear(W, start, sign, A, a, K, B, b, L, Z, z, N):
    """Z[:, z : z + N] = bias + sign * [A, B] @ W, for a map of K + L inputs that lies at W[start:]."""
    bias = W, start + (K + L) * _panels(W, N), _nothing(N)
    _products(sign, (A, a, K), (B, b, L), (W, start), bias, (Z, z, N))


@inner
def _clear(Z):
    """Z = 0."""
    zero = Z.dtype.type(0)
    for i in range(Z.shape[0]):
        out = Z[i]
        for j in range(out.shape[0]):
            out[j] = zero


@inner
def _clear_all(D):
    """Z = 0 for each matrix Z."""
    for k in range(D.shape[0]):
        _clear(D[k])


@inner
def _nothing(n):
    """Return a zero that is no literal: for a literal Numba would compile each function that takes it once more."""
    return n - n


@inner
def _whole_lines(size):
    """Return the place of the next map after one of this size."""
    return (size + LINE - 1) // LINE * LINE


@njit(inline="always", **INNER)
def _row(P, start, size):
    """A part of a flat array as one row of an array; `reshape` would take ten times as long.

    Without NRT no function may return an array, so that Numba has to write this one out where it is called.
    """
    return P[start : start + size][None, :]
