r"""The backward of one time step of a CfC network for some rows of a batch: :mod:`cfc_ref.kernels.cfc_rows` reversed.

The gradients of the results of all linear maps are left in `gb` (backbone), `gh` (heads) and `gm` (mixed memory), at
the columns of `kb`, of the heads and of the four blocks, and the backbone's values in `ub`; ``_d_weights`` makes of
them what the weights get, for many rows at once. W holds the maps as (outputs, inputs). `room` is one row to work in.
"""

from __future__ import annotations

from numba import njit

from cfc_ref.kernels.elementwise import _activate, _copy, _d_activate, _multiply
from cfc_ref.kernels.mathfun import INNER
from cfc_ref.kernels.packed import (
    ACTIVATION,
    BACKBONE,
    BACKBONE_AT,
    DEFAULT,
    DEPTH,
    GELU,
    GRADIENT_AT,
    HEAD,
    HEAD_MAP,
    HEADS,
    HEADS_AT,
    INPUTS,
    LAYERS,
    LINEAR,
    LSTM,
    MEMORY,
    MEMORY_TO_INPUT,
    MEMORY_TO_STATE,
    MODE,
    N_HEADS,
    N_IN,
    NO_GATE,
    PAPER_PURE,
    PURE,
    RECORD,
    SIGN,
    SILU,
    TIMED,
    UNITS,
    UNITS_AT,
    VECTORS,
    WIDTH,
    N,
)
from cfc_ref.kernels.products import _add_product, _clear, _d_linear, _whole_lines

__all__: list[str] = []


@njit(**INNER)
def _sum(values):
    """Sum in eight parts, which do not wait for each other."""
    a = b = c = d = e = f = g = h = values.dtype.type(0)
    whole = values.shape[0] - values.shape[0] % 8
    for j in range(0, whole, 8):
        v = values[j : j + 8]
        a, b, c, d = a + v[0], b + v[1], c + v[2], d + v[3]
        e, f, g, h = e + v[4], f + v[5], g + v[6], h + v[7]
    for j in range(whole, values.shape[0]):
        a += values[j]
    return ((a + b) + (c + d)) + ((e + f) + (g + h))


@njit(**INNER)
def _d_gate(mode, heads, sign, timed, maps, n, t, kept, d_x, room, g):
    """Backward of ``_gate``: the gradients of z in g, and that of the timespan, 0 where it is not asked for."""
    one, signed = g.dtype.type(1), sign * t
    ff1, ff2, s = kept[:n], kept[n : 2 * n], kept[2 * n : 3 * n]
    d_ff1, d_ff2, d_f, d_p = g[:n], g[n : 2 * n], g[2 * n : 3 * n], g[(maps - 1) * n : maps * n]
    if mode == DEFAULT:
        for j in range(n):
            d_ff1[j] = d_x[j] * (one - s[j])
        for j in range(n):
            d_p[j] = d_x[j] * (ff2[j] - ff1[j])
    else:
        _copy(d_x, d_ff1)
        for j in range(n):
            d_p[j] = d_x[j] * ff2[j]
    for j in range(n):
        d_ff2[j] = d_x[j] * s[j]
    _d_activate(heads, kept[: 2 * n], room, g[: 2 * n])
    for j in range(n):
        d_p[j] *= s[j] * (one - s[j])
    if maps == 4:
        for j in range(n):
            d_f[j] = signed * d_p[j]
    if not timed:
        return g.dtype.type(0)
    f = kept[3 * n : 4 * n]
    for j in range(n):
        room[j] = f[j] * d_p[j]
    return sign * _sum(room[:n])


@njit(**INNER)
def _d_pure(n, t, vectors, kept, d_x, room, g, d_vectors):
    """Backward of ``_pure``: the gradient of f1 in g; those of |w_tau| and A are added to d_vectors."""
    one = g.dtype.type(1)
    w_tau, A, f1, decay = vectors[:n], vectors[n : 2 * n], kept[:n], kept[n : 2 * n]
    d_w_tau, d_A = d_vectors[:n], d_vectors[n : 2 * n]
    for j in range(n):
        d_A[j] += d_x[j] * (one - decay[j] * f1[j])
    for j in range(n):
        room[j] = d_x[j] * A[j] * decay[j]
    for j in range(n):
        d_w_tau[j] += t * room[j] * f1[j]
    for j in range(n):
        g[j] = t * room[j] * abs(f1[j]) - room[j]
    for j in range(n):
        room[j] *= (w_tau[j] + abs(f1[j])) * f1[j]
    return _sum(room[:n])


@njit(**INNER)
def _d_printed(mode, n, t, vectors, h, kept, d_x, room, g, d_vectors, d_h):
    """Backward of ``_printed``: the gradients of both arguments in g; the vectors' and the state's are added."""
    one = g.dtype.type(1)
    w_tau, A, B = vectors[:n], vectors[n : 2 * n], vectors[2 * n : 3 * n]
    d_w_tau, d_A, d_B = d_vectors[:n], d_vectors[n : 2 * n], d_vectors[2 * n : 3 * n]
    f, r, decay, d_f, d_r = kept[:n], kept[n : 2 * n], kept[2 * n : 3 * n], g[:n], g[n : 2 * n]
    for j in range(n):
        room[j] = d_x[j] * decay[j]
    if mode == PAPER_PURE:
        for j in range(n):
            d_A[j] += d_x[j]
        for j in range(n):
            d_B[j] += room[j] * r[j]
        for j in range(n):
            room[j] *= B[j]
    else:  # the amplitude is h - A
        for j in range(n):
            d_A[j] += d_x[j] - room[j] * r[j]
        for j in range(n):
            d_h[j] += room[j] * r[j]
        for j in range(n):
            room[j] *= h[j] - A[j]
    for j in range(n):
        d_r[j] = room[j] * r[j] * (one - r[j])
    for j in range(n):
        room[j] *= -r[j]  # the gradient of rate * t
    for j in range(n):
        d_w_tau[j] += t * room[j]
    for j in range(n):
        d_f[j] = t * room[j] * f[j] * (one - f[j])
    for j in range(n):
        room[j] *= w_tau[j] + f[j]
    return _sum(room[:n])


@njit(**INNER)
def _d_lstm(n, kept, c, d_y, d_c, g):
    """Backward of ``_lstm``'s second half, of one row: d_c goes from the new memory's gradient to the old one's."""
    one = g.dtype.type(1)
    a, i, f = kept[:n], kept[n : 2 * n], kept[2 * n : 3 * n]
    o, tanh_c = kept[3 * n : 4 * n], kept[4 * n : 5 * n]
    d_a, d_i, d_f, d_o = g[:n], g[n : 2 * n], g[2 * n : 3 * n], g[3 * n : 4 * n]
    for j in range(n):
        d_o[j] = d_y[j] * tanh_c[j] * o[j] * (one - o[j])
    for j in range(n):
        d_c[j] += d_y[j] * o[j] * (one - tanh_c[j] * tanh_c[j])
    for j in range(n):
        d_a[j] = d_c[j] * i[j] * (one - a[j] * a[j])
    for j in range(n):
        d_i[j] = d_c[j] * a[j] * i[j] * (one - i[j])
    for j in range(n):
        d_f[j] = d_c[j] * c[j] * f[j] * (one - f[j])
    _multiply(d_c, f)


@njit(**INNER)
def _d_features(W, cell, activation, sign, gh, at, kb, place, drop, gb, ub, du, room, d_X, d_x, d_H, d_h):
    """Backward of ``_features``: adds to the gradients of both things that the cell reads."""
    n, width, depth, one = cell[N], cell[WIDTH], cell[DEPTH], sign * sign
    K, nothing, first = cell[N_HEADS] * n, n - n, _whole_lines((cell[N_IN] + n + 1) * width)
    G, g, start = gh, at, cell[HEAD_MAP]
    for k in range(depth - 1, -1, -1):
        _clear(du)
        _add_product(one, G, g, K, W[start:], du, nothing, width)
        G, g, K = gb, place + k * width, width
        start = cell[BACKBONE] + (first + (k - 1) * _whole_lines((width + 1) * width) if k > 0 else nothing)
        for i in range(gb.shape[0]):
            kept, d = kb[i, g : g + width], gb[i, g : g + width]
            _copy(du[i], d)
            _d_activate(activation, kept, room, d)
            if drop.shape[1] > 0:
                _multiply(d, drop[i, k * width : (k + 1) * width])
            u = ub[i, g : g + width]
            _activate(activation if activation in (SILU, GELU) else LINEAR, kept, u)
            if drop.shape[1] > 0:
                _multiply(u, drop[i, k * width : (k + 1) * width])
    _add_product(sign, G, g, K, W[start:], d_X, d_x, cell[N_IN])
    _add_product(sign, G, g, K, W[start + K * cell[N_IN] :], d_H, d_h, n)


@njit(**INNER)
def _d_step_rows(
    W, table, h, c, t, drop, kb, kh, km, d_new, d_c, d_h, d_y, d_x, d_dt, D, gb, gh, gm, ub, du, room
):  # fmt: skip
    """Backward of ``_step_rows``: from d_new, which it uses up, to d_h; d_c goes from the new memory's to the old's.

    To D, laid out as W is for the forward, it adds the gradients of the vectors.
    """
    mode, kind, one, U = table[MODE], table[ACTIVATION], W.dtype.type(1), table[UNITS]
    nothing, memory, sign = U - U, table[MEMORY], W.dtype.type(table[SIGN])
    _clear(d_h)
    _clear(d_y)
    _clear(d_x)
    H, h_at, P = h, nothing, d_h
    if memory == MEMORY_TO_STATE:
        H, h_at, P = km, 5 * U, d_y
    for layer in range(table[LAYERS] - 1, -1, -1):
        cell = table[HEAD + layer * RECORD : HEAD + (layer + 1) * RECORD]
        n, at, place, g_at = cell[N], cell[UNITS_AT], cell[BACKBONE_AT], cell[GRADIENT_AT]
        vectors = W[cell[VECTORS] :]
        for i in range(h.shape[0]):
            kept, d, g, d_v = kh[i, cell[HEADS_AT] :], d_new[i, at : at + n], gh[i, g_at:], D[cell[VECTORS] :]
            if mode <= NO_GATE:
                d_dt[i] += _d_gate(mode, table[HEADS], sign, table[TIMED], cell[N_HEADS], n, t[i], kept, d, room, g)
            elif mode == PURE:
                d_dt[i] += _d_pure(n, t[i], vectors, kept, d, room, g, d_v)
            else:
                d_dt[i] += _d_printed(
                    mode, n, t[i], vectors, H[i, h_at + at :], kept, d, room, g, d_v, P[i, at : at + n]
                )
        X, x_at = d_x, nothing  # what the cell reads besides its state: x, the memory's output, or the layer below
        if layer > 0:
            X, x_at = d_new, table[HEAD + (layer - 1) * RECORD + UNITS_AT]
        elif memory == MEMORY_TO_INPUT:
            X = d_y
        _d_features(W, cell, kind, one, gh, g_at, kb, place, drop, gb, ub, du, room, X, x_at, P, at)
        if mode >= PAPER_PURE:
            place += cell[DEPTH] * cell[WIDTH]
            _d_features(W, cell, kind, -one, gh, g_at + n, kb, place, drop, gb, ub, du, room, X, x_at, P, at)
    if memory > 0:
        for i in range(h.shape[0]):
            _d_lstm(U, km[i], c[i], d_y[i], d_c[i], gm[i])
        _add_product(one, gm, nothing, 4 * U, W[table[LSTM] :], d_x, nothing, table[INPUTS])
        _add_product(one, gm, nothing, 4 * U, W[table[LSTM] + 4 * U * table[INPUTS] :], d_h, nothing, U)


@njit(**INNER)
def _d_weights(table, x, h, y, new_h, ub, gb, gh, gm, D):
    """What the weights of all maps get from some rows; y is the mixed memory's output."""
    one, nothing, U = D.dtype.type(1), table[UNITS] - table[UNITS], table[UNITS]
    X, x_at, H = x, nothing, h
    if table[MEMORY] > 0:
        _d_linear(D, table[LSTM], one, x, nothing, table[INPUTS], h, nothing, U, gm, nothing, 4 * U)
    if table[MEMORY] == MEMORY_TO_STATE:
        H = y
    elif table[MEMORY] == MEMORY_TO_INPUT:
        X = y
    for layer in range(table[LAYERS]):
        cell = table[HEAD + layer * RECORD : HEAD + (layer + 1) * RECORD]
        n_in, n, at, width, depth = cell[N_IN], cell[N], cell[UNITS_AT], cell[WIDTH], cell[DEPTH]
        place, g, outputs, sign = cell[BACKBONE_AT], cell[GRADIENT_AT], cell[N_HEADS] * n, one
        for _ in range(2 if table[MODE] >= PAPER_PURE else 1):
            if depth == 0:
                _d_linear(D, cell[HEAD_MAP], sign, X, x_at, n_in, H, at, n, gh, g, outputs)
            else:
                start, k = cell[BACKBONE], place
                _d_linear(D, start, sign, X, x_at, n_in, H, at, n, gb, k, width)
                start += _whole_lines((n_in + n + 1) * width)
                for _ in range(depth - 1):
                    _d_linear(D, start, one, ub, k, width, ub, nothing, nothing, gb, k + width, width)
                    start, k = start + _whole_lines((width + 1) * width), k + width
                _d_linear(D, cell[HEAD_MAP], one, ub, k, width, ub, nothing, nothing, gh, g, outputs)
            place, g, sign = place + depth * width, g + outputs, -one
        X, x_at = new_h, at
