"""Products of small matrices inside a kernel: no call to BLAS, whose threads would get in the way of the kernel's own.

The inner loop runs along a row of the result and adds eight rows of W at once: nine loads and one store for eight
multiply-adds of a whole vector register. A tile of rows of A uses each group of W's rows from the first cache. A row's
result does not depend on the rows beside it. Offsets and lengths are never literal numbers where these are called:
Numba would compile a version of its own for each.
"""

from __future__ import annotations

from numba import njit

from cfc_ref.kernels.mathfun import INNER
from cfc_ref.kernels.memory import LINE

__all__: list[str] = []


@njit(**INNER)
def _add_product(sign, A, a, K, W, C, c, N):
    """C[:, c : c + N] += sign * A[:, a : a + K] @ W, with W (K, N) flat."""
    rows = C.shape[0]
    whole = K - K % 8
    for k in range(0, whole, 8):
        w0, w1, w2, w3 = W[k * N :], W[(k + 1) * N :], W[(k + 2) * N :], W[(k + 3) * N :]
        w4, w5, w6, w7 = W[(k + 4) * N :], W[(k + 5) * N :], W[(k + 6) * N :], W[(k + 7) * N :]
        for i in range(rows):
            v = A[i, a + k : a + k + 8]
            a0, a1, a2, a3 = sign * v[0], sign * v[1], sign * v[2], sign * v[3]
            a4, a5, a6, a7 = sign * v[4], sign * v[5], sign * v[6], sign * v[7]
            out = C[i, c : c + N]
            for j in range(N):
                # one after the other: eight multiply-adds, where a sum in pairs would be twelve instructions
                s = out[j] + a0 * w0[j] + a1 * w1[j] + a2 * w2[j] + a3 * w3[j]
                out[j] = s + a4 * w4[j] + a5 * w5[j] + a6 * w6[j] + a7 * w7[j]
    for k in range(whole, K):
        w = W[k * N :]
        for i in range(rows):
            a0, out = sign * A[i, a + k], C[i, c : c + N]
            for j in range(N):
                out[j] += a0 * w[j]


@njit(**INNER)
def _add_outer(sign, A, a, K, G, g, N, D):
    """D += sign * A[:, a : a + K].T @ G[:, g : g + N], with D (K, N) flat: what a map's weights get from some rows."""
    rows = G.shape[0]
    whole = rows - rows % 8
    for i in range(0, whole, 8):
        g0, g1, g2, g3 = G[i, g : g + N], G[i + 1, g : g + N], G[i + 2, g : g + N], G[i + 3, g : g + N]
        g4, g5, g6, g7 = G[i + 4, g : g + N], G[i + 5, g : g + N], G[i + 6, g : g + N], G[i + 7, g : g + N]
        for k in range(K):
            v = a + k
            a0, a1, a2, a3 = sign * A[i, v], sign * A[i + 1, v], sign * A[i + 2, v], sign * A[i + 3, v]
            a4, a5, a6, a7 = sign * A[i + 4, v], sign * A[i + 5, v], sign * A[i + 6, v], sign * A[i + 7, v]
            out = D[k * N : (k + 1) * N]
            for j in range(N):
                s = out[j] + a0 * g0[j] + a1 * g1[j] + a2 * g2[j] + a3 * g3[j]
                out[j] = s + a4 * g4[j] + a5 * g5[j] + a6 * g6[j] + a7 * g7[j]
    for i in range(whole, rows):
        g0 = G[i, g : g + N]
        for k in range(K):
            a0, out = sign * A[i, a + k], D[k * N : (k + 1) * N]
            for j in range(N):
                out[j] += a0 * g0[j]


@njit(**INNER)
def _d_linear(D, start, sign, A, a, K, B, b, L, G, g, N):
    """Backward of ``_linear`` for its weights, which are laid out alike: D[start:] += [sign * [A, B], 1].T @ G."""
    _add_outer(sign, A, a, K, G, g, N, D[start:])
    _add_outer(sign, B, b, L, G, g, N, D[start + K * N :])
    bias = D[start + (K + L) * N : start + (K + L + 1) * N]
    for i in range(G.shape[0]):
        row = G[i, g : g + N]
        for j in range(N):
            bias[j] += row[j]


@njit(**INNER)
def _linear(W, start, sign, A, a, K, B, b, L, Z, z, N):
    """Z[:, z : z + N] = bias + sign * [A, B] @ W, for a map of K + L inputs that lies at W[start:]."""
    bias = W[start + (K + L) * N :]
    for i in range(Z.shape[0]):
        out = Z[i, z : z + N]
        for j in range(N):
            out[j] = bias[j]
    _add_product(sign, A, a, K, W[start:], Z, z, N)
    _add_product(sign, B, b, L, W[start + K * N :], Z, z, N)


@njit(**INNER)
def _clear(Z):
    """Z = 0."""
    zero = Z.dtype.type(0)
    for i in range(Z.shape[0]):
        out = Z[i]
        for j in range(out.shape[0]):
            out[j] = zero


@njit(**INNER)
def _whole_lines(size):
    """Where the next map lies behind one of this size."""
    return (size + LINE - 1) // LINE * LINE


@njit(**INNER)
def _row(P, start, size):
    """A part of a flat array as one row of an array; `reshape` would take ten times as long."""
    return P[start : start + size][None, :]
