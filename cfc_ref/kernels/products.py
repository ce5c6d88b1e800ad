"""Products of small matrices inside a kernel: no call to BLAS, whose threads would get in the way of the kernel's own.

The inner loop runs along a row of the result and adds four rows of W to two rows at once: eight multiply-adds of a
whole vector register for six loads and two stores. The four are one slice: before the loop the compiler checks each
array that is written against each that is read, and one slice is one check. A tile of rows of A uses each group of W's
rows from the first cache. A row's result does not depend on other rows. Offsets and lengths are never literal
numbers where these are called: Numba would compile a version of its own for each.
"""

from __future__ import annotations

from numba import njit

from cfc_ref.kernels.compiled import INNER, inner
from cfc_ref.kernels.memory import LINE

__all__: list[str] = []


@inner
def _add_product(sign, A, a, K, W, C, c, N):
    """C[:, c : c + N] += sign * A[:, a : a + K] @ W, with W (K, N) flat."""
    rows = C.shape[0]
    pairs, whole = rows - rows % 2, K - K % 4
    N2, N3 = 2 * N, 3 * N
    for k in range(0, whole, 4):
        w = W[k * N : (k + 4) * N]
        for i in range(0, pairs, 2):
            u, v = A[i, a + k : a + k + 4], A[i + 1, a + k : a + k + 4]
            u0, u1, u2, u3 = sign * u[0], sign * u[1], sign * u[2], sign * u[3]
            v0, v1, v2, v3 = sign * v[0], sign * v[1], sign * v[2], sign * v[3]
            out, below = C[i, c : c + N], C[i + 1, c : c + N]
            for j in range(N):
                w0, w1, w2, w3 = w[j], w[N + j], w[N2 + j], w[N3 + j]
                # one after the other: four multiply-adds, where a sum in pairs would be six instructions
                out[j] = out[j] + u0 * w0 + u1 * w1 + u2 * w2 + u3 * w3
                below[j] = below[j] + v0 * w0 + v1 * w1 + v2 * w2 + v3 * w3
        for i in range(pairs, rows):
            u, out = A[i, a + k : a + k + 4], C[i, c : c + N]
            u0, u1, u2, u3 = sign * u[0], sign * u[1], sign * u[2], sign * u[3]
            for j in range(N):
                out[j] = out[j] + u0 * w[j] + u1 * w[N + j] + u2 * w[N2 + j] + u3 * w[N3 + j]
    for k in range(whole, K):
        w = W[k * N :]
        for i in range(rows):
            a0, out = sign * A[i, a + k], C[i, c : c + N]
            for j in range(N):
                out[j] += a0 * w[j]


@inner
def _add_outer(sign, A, a, K, G, g, N, D):
    """D += sign * A[:, a : a + K].T @ G[:, g : g + N], with D (K, N) flat: what a map's weights get from some rows."""
    rows = G.shape[0]
    pairs, whole = K - K % 2, rows - rows % 4
    for i in range(0, whole, 4):
        w0, w1, w2, w3 = G[i, g : g + N], G[i + 1, g : g + N], G[i + 2, g : g + N], G[i + 3, g : g + N]
        for k in range(0, pairs, 2):
            p = a + k
            u0, u1, u2, u3 = sign * A[i, p], sign * A[i + 1, p], sign * A[i + 2, p], sign * A[i + 3, p]
            p += 1
            v0, v1, v2, v3 = sign * A[i, p], sign * A[i + 1, p], sign * A[i + 2, p], sign * A[i + 3, p]
            out = D[k * N : (k + 2) * N]
            for j in range(N):
                g0, g1, g2, g3 = w0[j], w1[j], w2[j], w3[j]
                out[j] = out[j] + u0 * g0 + u1 * g1 + u2 * g2 + u3 * g3
                out[N + j] = out[N + j] + v0 * g0 + v1 * g1 + v2 * g2 + v3 * g3
        for k in range(pairs, K):
            p, out = a + k, D[k * N : (k + 1) * N]
            u0, u1, u2, u3 = sign * A[i, p], sign * A[i + 1, p], sign * A[i + 2, p], sign * A[i + 3, p]
            for j in range(N):
                out[j] = out[j] + u0 * w0[j] + u1 * w1[j] + u2 * w2[j] + u3 * w3[j]
    for i in range(whole, rows):
        g0 = G[i, g : g + N]
        for k in range(K):
            a0, out = sign * A[i, a + k], D[k * N : (k + 1) * N]
            for j in range(N):
                out[j] += a0 * g0[j]


@inner
def _d_linear(D, start, sign, A, a, K, B, b, L, G, g, N):
    """Backward of ``_linear`` for its weights, which are laid out alike: D[start:] += [sign * [A, B], 1].T @ G."""
    _add_outer(sign, A, a, K, G, g, N, D[start:])
    _add_outer(sign, B, b, L, G, g, N, D[start + K * N :])
    bias = D[start + (K + L) * N : start + (K + L + 1) * N]
    for i in range(G.shape[0]):
        row = G[i, g : g + N]
        for j in range(N):
            bias[j] += row[j]


@inner
def _linear(W, start, sign, A, a, K, B, b, L, Z, z, N):
    """Z[:, z : z + N] = bias + sign * [A, B] @ W, for a map of K + L inputs that lies at W[start:]."""
    bias = W[start + (K + L) * N :]
    for i in range(Z.shape[0]):
        out = Z[i, z : z + N]
        for j in range(N):
            out[j] = bias[j]
    _add_product(sign, A, a, K, W[start:], Z, z, N)
    _add_product(sign, B, b, L, W[start + K * N :], Z, z, N)


@inner
def _clear(Z):
    """Z = 0."""
    zero = Z.dtype.type(0)
    for i in range(Z.shape[0]):
        out = Z[i]
        for j in range(out.shape[0]):
            out[j] = zero


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
