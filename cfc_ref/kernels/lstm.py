"""The mixed memory inside kernels: the step of :mod:`cfc_ref.cells.lstm` over some rows, and its backward."""

from __future__ import annotations

from cfc_ref.kernels.compiled import inner
from cfc_ref.kernels.elementwise import _copy, _multiply
from cfc_ref.kernels.mathfun import _sigmoid, _tanh
from cfc_ref.kernels.products import _add_product, _linear, _nothing, _panels

__all__: list[str] = []


@inner
def _lstm(W, start, inputs, x, h, c, new_c, kept):
    """Write a, i, f, o, tanh c and the output side by side to `kept`, and the new memory; the map is at W[start:]."""
    U, one = c.shape[1], W.dtype.type(1)
    nothing = _nothing(U)
    _linear(W, start, one, x, nothing, inputs, h, nothing, U, kept, nothing, 4 * U)
    for r in range(x.shape[0]):
        k, old, new = kept[r], c[r], new_c[r]
        _tanh(k[:U])
        _sigmoid(k[U : 4 * U])  # the forget bias is in the map's
        a, i, f, o, tanh_c, y = k[:U], k[U : 2 * U], k[2 * U : 3 * U], k[3 * U : 4 * U], k[4 * U : 5 * U], k[5 * U :]
        for j in range(U):
            new[j] = f[j] * old[j] + i[j] * a[j]
        _copy(new, tanh_c)
        _tanh(tanh_c)
        for j in range(U):
            y[j] = o[j] * tanh_c[j]


@inner
def _d_gates(kept, c, d_y, d_c, g):
    """Write the gradients of a row's gates; d_c goes from the new memory's gradient to the old one's."""
    n, one = d_c.shape[0], g.dtype.type(1)
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


@inner
def _d_lstm(W, start, inputs, G, d_x, d_h):
    """Add to the gradients of x and h from those of the gates, G; W is packed for the backward."""
    U, one = G.shape[1] // 4, W.dtype.type(1)
    nothing = _nothing(U)
    _add_product(one, G, nothing, 4 * U, W, start, d_x, nothing, inputs)
    _add_product(one, G, nothing, 4 * U, W, start + 4 * U * _panels(W, inputs), d_h, nothing, U)
