r"""One time step of a CfC network for some rows of a batch: what the kernels over sequences and streams are made of.

Rows are independent: threads share them out, and a row's bits do not depend on the rows beside it. Formulas are those
of :mod:`cfc_ref.cells.cfc.modes` and :mod:`cfc_ref.cells.lstm`. What the backward
needs is left in the arrays `kb` (backbone), `kh` (heads) and `km` (mixed memory), at the columns that the table of
:mod:`cfc_ref.kernels.packed` gives. Modes and activations are branches outside of the inner loops. Every array is
contiguous, so that there is one version of each function for each dtype.
"""

from __future__ import annotations

from numba import njit

from cfc_ref.kernels.elementwise import _activate, _copy, _multiply
from cfc_ref.kernels.mathfun import INNER, _exp, _sigmoid, _sigmoid_of, _tanh
from cfc_ref.kernels.packed import (
    ACTIVATION,
    BACKBONE,
    BACKBONE_AT,
    DEFAULT,
    DEPTH,
    GELU,
    HEAD,
    HEAD_MAP,
    HEADS,
    HEADS_AT,
    INPUTS,
    LAYERS,
    LSTM,
    MEMORY,
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
from cfc_ref.kernels.products import _linear, _whole_lines

__all__: list[str] = []


@njit(**INNER)
def _features(W, cell, activation, sign, X, x, H, h, kb, place, drop, u, z, at):
    """From sign * [I, x] through the backbone to the arguments of a cell's heads, z[:, at:]; u is room to work in."""
    n_in, n, width, one = cell[N_IN], cell[N], cell[WIDTH], sign * sign
    nothing = n - n
    if cell[DEPTH] == 0:
        _linear(W, cell[HEAD_MAP], sign, X, x, n_in, H, h, n, z, at, cell[N_HEADS] * n)
        return
    layer, by_value = cell[BACKBONE], activation not in (SILU, GELU)
    for k in range(cell[DEPTH]):
        column = place + k * width
        if k == 0:
            _linear(W, layer, sign, X, x, n_in, H, h, n, kb, column, width)
            layer += _whole_lines((n_in + n + 1) * width)
        else:
            _linear(W, layer, one, u, nothing, width, u, nothing, nothing, kb, column, width)
            layer += _whole_lines((width + 1) * width)
        for i in range(u.shape[0]):
            kept, a = kb[i, column : column + width], u[i, :width]
            _activate(activation, kept, a)
            if by_value:
                _copy(a, kept)
            if drop.shape[1] > 0:
                _multiply(a, drop[i, k * width : (k + 1) * width])
    _linear(W, cell[HEAD_MAP], one, u, nothing, width, u, nothing, nothing, z, at, cell[N_HEADS] * n)


@njit(**INNER)
def _gate(mode, heads, sign, timed, maps, n, z, t, kept, x):
    """Eq. 4, or without its gate, of one row.

    z holds the arguments of ff1 and ff2, then f and the gate's argument at t = 0, or with three maps the gate's at t.
    """
    one, signed = z.dtype.type(1), sign * t
    _activate(heads, z[: 2 * n], kept[: 2 * n])
    ff1, ff2, s, f, b = kept[:n], kept[n : 2 * n], kept[2 * n : 3 * n], z[2 * n : 3 * n], z[3 * n : 4 * n]
    if maps == 3:
        for j in range(n):
            s[j] = _sigmoid_of(f[j])
    else:
        for j in range(n):
            s[j] = _sigmoid_of(signed * f[j] + b[j])
    if timed:
        _copy(f, kept[3 * n : 4 * n])
    if mode == DEFAULT:
        for j in range(n):
            x[j] = ff1[j] * (one - s[j]) + s[j] * ff2[j]
    else:
        for j in range(n):
            x[j] = ff1[j] + s[j] * ff2[j]


@njit(**INNER)
def _pure(n, z, t, vectors, kept, x):
    """Eq. 3 as in code, of one row."""
    w_tau, A, f1, decay = vectors[:n], vectors[n : 2 * n], kept[:n], kept[n : 2 * n]
    _copy(z, f1)
    for j in range(n):
        decay[j] = -t * (w_tau[j] + abs(z[j]))
    _exp(decay)
    for j in range(n):
        x[j] = A[j] - A[j] * decay[j] * f1[j]


@njit(**INNER)
def _printed(mode, n, z, t, vectors, h, kept, x):
    """Eq. 3 as printed, or Theorem 1 from the state h, of one row: z holds the arguments of f(x, I) and f(-x, -I)."""
    w_tau, A, B = vectors[:n], vectors[n : 2 * n], vectors[2 * n : 3 * n]
    f, r, decay = kept[:n], kept[n : 2 * n], kept[2 * n : 3 * n]
    _copy(z, kept[: 2 * n])
    _sigmoid(kept[: 2 * n])
    for j in range(n):
        decay[j] = -(w_tau[j] + f[j]) * t
    _exp(decay)
    if mode == PAPER_PURE:
        _copy(B, x)
    else:
        for j in range(n):
            x[j] = h[j] - A[j]
    for j in range(n):
        x[j] = x[j] * decay[j] * r[j] + A[j]


@njit(**INNER)
def _lstm(W, table, x, h, c, new_c, km):
    """The mixed memory: a, i, f, o, tanh c and the output side by side in km, and the new memory in new_c."""
    U, nothing, one = table[UNITS], table[UNITS] - table[UNITS], W.dtype.type(1)
    _linear(W, table[LSTM], one, x, nothing, table[INPUTS], h, nothing, U, km, nothing, 4 * U)
    for i in range(x.shape[0]):
        k, old, new = km[i], c[i], new_c[i]
        _tanh(k[:U])
        _sigmoid(k[U : 4 * U])  # the forget bias is in the map's
        a, g, f, o, tanh_c, y = k[:U], k[U : 2 * U], k[2 * U : 3 * U], k[3 * U : 4 * U], k[4 * U : 5 * U], k[5 * U :]
        for j in range(U):
            new[j] = f[j] * old[j] + g[j] * a[j]
        _copy(new, tanh_c)
        _tanh(tanh_c)
        for j in range(U):
            y[j] = o[j] * tanh_c[j]


@njit(**INNER)
def _step_rows(W, table, x, h, c, t, drop, new_h, new_c, kb, kh, km, z, u):
    """One time step: twin of :func:`cfc_ref.cells.cfc.network.step`; z and u are room to work in."""
    mode, kind, one, U = table[MODE], table[ACTIVATION], W.dtype.type(1), table[UNITS]
    nothing, sign = U - U, W.dtype.type(table[SIGN])
    X, x_at, H, h_at = x, nothing, h, nothing
    if table[MEMORY] > 0:
        _lstm(W, table, x, h, c, new_c, km)
        if table[MEMORY] == MEMORY_TO_STATE:
            H, h_at = km, 5 * U
        else:
            X, x_at = km, 5 * U
    for layer in range(table[LAYERS]):
        cell = table[HEAD + layer * RECORD : HEAD + (layer + 1) * RECORD]
        n, at, place = cell[N], cell[UNITS_AT], cell[BACKBONE_AT]
        _features(W, cell, kind, one, X, x_at, H, h_at + at, kb, place, drop, u, z, nothing)
        if mode >= PAPER_PURE:
            place += cell[DEPTH] * cell[WIDTH]
            _features(W, cell, kind, -one, X, x_at, H, h_at + at, kb, place, drop, u, z, n)
        vectors = W[cell[VECTORS] :]
        for i in range(x.shape[0]):
            kept, new = kh[i, cell[HEADS_AT] :], new_h[i, at : at + n]
            if mode <= NO_GATE:
                _gate(mode, table[HEADS], sign, table[TIMED], cell[N_HEADS], n, z[i], t[i], kept, new)
            elif mode == PURE:
                _pure(n, z[i], t[i], vectors, kept, new)
            else:
                _printed(mode, n, z[i], t[i], vectors, H[i, h_at + at :], kept, new)
        X, x_at = new_h, at
