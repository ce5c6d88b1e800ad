r"""The equations of :mod:`cfc_ref.cells.cfc.modes` for one row of a batch, each with its backward, and their records.

A row function takes `of` (:class:`Of`), the timespan t, the arguments z of the heads side by side (for both signs, once
more for the other sign), the mode's vectors one after the other, and the state x before the step. It writes the next
state to `new`, and to `kept` the values that its backward reads, n = units of each.

A backward takes the gradient d_new, writes those of z to g, adds those of the vectors and of x to d_vectors and d_x,
and returns that of t; `room` is one row to work in.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from cfc_ref.kernels.compiled import inner
from cfc_ref.kernels.elementwise import _bounded, _copy, _d_bounded
from cfc_ref.kernels.mathfun import _exp, _open_of, _sigmoid

__all__ = ["KERNELS", "ModeKernel", "Of"]


class Of(NamedTuple):
    """Settings of a row, the same for all rows of a cell."""

    heads: Any  # the nonlinearity of ff1 and ff2: an id of cfc_ref.kernels.packed
    sign: Any  # of the gate
    timed: Any  # whether the backward is asked for the gradient of the timespans
    maps: Any  # linear maps of the features: with one timespan a gate has one fewer


class ModeKernel(NamedTuple):
    """The kernel of a mode, under the mode's name in :data:`KERNELS`."""

    row: Callable[..., Any]
    d_row: Callable[..., Any]
    kept: int  # values per unit that a row keeps for its backward
    kept_timed: int  # the same where it is asked for the gradient of the timespans
    one_span: bool = False  # whether time_a and time_b are one map where all timespans are the same


@inner
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


# --- Eq. 4, and without its second gate


@inner
def _gate(of, t, z, n, kept):
    """Write ff1, ff2 and the gate s; z holds their arguments, that of s as f and its value at t = 0, or as one map."""
    signed = of.sign * t
    _bounded(of.heads, z[: 2 * n], kept[: 2 * n])
    s, f, b = kept[2 * n : 3 * n], z[2 * n : 3 * n], z[3 * n : 4 * n]
    if of.maps == 3:
        for j in range(n):
            s[j] = _open_of(f[j])
    else:
        for j in range(n):
            s[j] = _open_of(signed * f[j] + b[j])
    if of.timed:
        _copy(f, kept[3 * n : 4 * n])


@inner
def _d_gate(of, t, kept, n, room, g):
    """Backward of ``_gate``, whose gradients of ff1, ff2 and s are in g, that of s in its last block."""
    one, signed = g.dtype.type(1), of.sign * t
    s, d_f, d_p = kept[2 * n : 3 * n], g[2 * n : 3 * n], g[(of.maps - 1) * n : of.maps * n]
    _d_bounded(of.heads, kept[: 2 * n], g[: 2 * n])
    for j in range(n):
        d_p[j] *= s[j] * (one - s[j])
    if of.maps == 4:
        for j in range(n):
            d_f[j] = signed * d_p[j]
    if not of.timed:
        return g.dtype.type(0)
    f = kept[3 * n : 4 * n]
    for j in range(n):
        room[j] = f[j] * d_p[j]
    return of.sign * _sum(room[:n])


@inner
def _eq4(of, t, z, vectors, x, kept, new):
    n, one = new.shape[0], z.dtype.type(1)
    _gate(of, t, z, n, kept)
    ff1, ff2, s = kept[:n], kept[n : 2 * n], kept[2 * n : 3 * n]
    for j in range(n):
        new[j] = ff1[j] * (one - s[j]) + s[j] * ff2[j]


@inner
def _d_eq4(of, t, vectors, x, kept, d_new, room, g, d_vectors, d_x):
    n, one = d_new.shape[0], g.dtype.type(1)
    ff1, ff2, s = kept[:n], kept[n : 2 * n], kept[2 * n : 3 * n]
    d_ff1, d_ff2, d_s = g[:n], g[n : 2 * n], g[(of.maps - 1) * n : of.maps * n]
    for j in range(n):
        d_ff1[j] = d_new[j] * (one - s[j])
    for j in range(n):
        d_s[j] = d_new[j] * (ff2[j] - ff1[j])
    for j in range(n):
        d_ff2[j] = d_new[j] * s[j]
    return _d_gate(of, t, kept, n, room, g)


@inner
def _no_gate(of, t, z, vectors, x, kept, new):
    n = new.shape[0]
    _gate(of, t, z, n, kept)
    ff1, ff2, s = kept[:n], kept[n : 2 * n], kept[2 * n : 3 * n]
    for j in range(n):
        new[j] = ff1[j] + s[j] * ff2[j]


@inner
def _d_no_gate(of, t, vectors, x, kept, d_new, room, g, d_vectors, d_x):
    n = d_new.shape[0]
    ff2, s = kept[n : 2 * n], kept[2 * n : 3 * n]
    d_ff1, d_ff2, d_s = g[:n], g[n : 2 * n], g[(of.maps - 1) * n : of.maps * n]
    _copy(d_new, d_ff1)
    for j in range(n):
        d_s[j] = d_new[j] * ff2[j]
    for j in range(n):
        d_ff2[j] = d_new[j] * s[j]
    return _d_gate(of, t, kept, n, room, g)


# --- Eq. 3 as in code


@inner
def _eq3_in_code(of, t, z, vectors, x, kept, new):
    n = new.shape[0]
    w_tau, A, f1, decay = vectors[:n], vectors[n : 2 * n], kept[:n], kept[n : 2 * n]
    _copy(z, f1)
    for j in range(n):
        decay[j] = -t * (abs(w_tau[j]) + abs(z[j]))
    _exp(decay)
    for j in range(n):
        new[j] = A[j] - A[j] * decay[j] * f1[j]


@inner
def _d_eq3_in_code(of, t, vectors, x, kept, d_new, room, g, d_vectors, d_x):
    n, one = d_new.shape[0], g.dtype.type(1)
    w_tau, A, f1, decay = vectors[:n], vectors[n : 2 * n], kept[:n], kept[n : 2 * n]
    d_w_tau, d_A = d_vectors[:n], d_vectors[n : 2 * n]
    for j in range(n):
        d_A[j] += d_new[j] * (one - decay[j] * f1[j])
    for j in range(n):
        room[j] = d_new[j] * A[j] * decay[j]
    for j in range(n):
        d_w_tau[j] += _with_sign(t * room[j] * f1[j], w_tau[j])
    for j in range(n):
        g[j] = t * room[j] * abs(f1[j]) - room[j]
    for j in range(n):
        room[j] *= (abs(w_tau[j]) + abs(f1[j])) * f1[j]
    return _sum(room[:n])


@inner
def _with_sign(d, w):
    """Return d times the sign of w: the backward of an absolute value."""
    zero = w - w
    return d if w > zero else (-d if w < zero else zero * d)


# --- Eq. 3 as printed, and Theorem 1


@inner
def _rates(t, z, w_tau, kept, n):
    """Write f(x, I), f(-x, -I), whose arguments z holds, and the exponential."""
    f, decay = kept[:n], kept[2 * n : 3 * n]
    _copy(z, kept[: 2 * n])
    _sigmoid(kept[: 2 * n])
    for j in range(n):
        decay[j] = -(abs(w_tau[j]) + f[j]) * t
    _exp(decay)


@inner
def _d_rates(t, w_tau, kept, n, room, g, d_w_tau):
    """Backward of ``_rates``; `room` holds the gradient of e r, e the exponential, times e."""
    one = g.dtype.type(1)
    f, r, d_f, d_r = kept[:n], kept[n : 2 * n], g[:n], g[n : 2 * n]
    for j in range(n):
        d_r[j] = room[j] * r[j] * (one - r[j])
    for j in range(n):
        room[j] *= -r[j]  # the gradient of rate * t
    for j in range(n):
        d_w_tau[j] += _with_sign(t * room[j], w_tau[j])
    for j in range(n):
        d_f[j] = t * room[j] * f[j] * (one - f[j])
    for j in range(n):
        room[j] *= abs(w_tau[j]) + f[j]
    return _sum(room[:n])


@inner
def _eq3(of, t, z, vectors, x, kept, new):
    n = new.shape[0]
    A, B, r, decay = vectors[n : 2 * n], vectors[2 * n : 3 * n], kept[n : 2 * n], kept[2 * n : 3 * n]
    _rates(t, z, vectors[:n], kept, n)
    for j in range(n):
        new[j] = B[j] * decay[j] * r[j] + A[j]


@inner
def _d_eq3(of, t, vectors, x, kept, d_new, room, g, d_vectors, d_x):
    n = d_new.shape[0]
    B, r, decay = vectors[2 * n : 3 * n], kept[n : 2 * n], kept[2 * n : 3 * n]
    d_A, d_B = d_vectors[n : 2 * n], d_vectors[2 * n : 3 * n]
    for j in range(n):
        d_A[j] += d_new[j]
    for j in range(n):
        room[j] = d_new[j] * decay[j]
    for j in range(n):
        d_B[j] += room[j] * r[j]
    for j in range(n):
        room[j] *= B[j]
    return _d_rates(t, vectors[:n], kept, n, room, g, d_vectors[:n])


@inner
def _theorem1(of, t, z, vectors, x, kept, new):
    n = new.shape[0]
    A, r, decay = vectors[n : 2 * n], kept[n : 2 * n], kept[2 * n : 3 * n]
    _rates(t, z, vectors[:n], kept, n)
    for j in range(n):
        new[j] = x[j] - A[j]
    for j in range(n):
        new[j] = new[j] * decay[j] * r[j] + A[j]


@inner
def _d_theorem1(of, t, vectors, x, kept, d_new, room, g, d_vectors, d_x):
    n = d_new.shape[0]
    A, r, decay, d_A = vectors[n : 2 * n], kept[n : 2 * n], kept[2 * n : 3 * n], d_vectors[n : 2 * n]
    for j in range(n):
        room[j] = d_new[j] * decay[j]
    for j in range(n):
        d_A[j] += d_new[j] - room[j] * r[j]
    for j in range(n):
        d_x[j] += room[j] * r[j]
    for j in range(n):
        room[j] *= x[j] - A[j]
    return _d_rates(t, vectors[:n], kept, n, room, g, d_vectors[:n])


KERNELS = {
    "default": ModeKernel(_eq4, _d_eq4, kept=3, kept_timed=4, one_span=True),
    "no_gate": ModeKernel(_no_gate, _d_no_gate, kept=3, kept_timed=4, one_span=True),
    "pure": ModeKernel(_eq3_in_code, _d_eq3_in_code, kept=2, kept_timed=2),
    "paper_pure": ModeKernel(_eq3, _d_eq3, kept=3, kept_timed=3),
    "from_x0": ModeKernel(_theorem1, _d_theorem1, kept=3, kept_timed=3),
}
