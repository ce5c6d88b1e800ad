r"""The stages of the exponential solvers: frozen steps and CF4, twins of :mod:`cfc_ref.cells.exponential`.

They are stages as :class:`cfc_ref.kernels.ltc.solvers.SolverKernel` describes them.
"""

from __future__ import annotations

import numpy as np

from cfc_ref.kernels.compiled import inner
from cfc_ref.kernels.elementwise import _add, _copy
from cfc_ref.kernels.ltc.packed import HIGH, LOW, C
from cfc_ref.kernels.ltc.sums import at
from cfc_ref.kernels.mathfun import _tanh_of

__all__: list[str] = []


@inner
def _frozen_of(c, h, G):
    r"""Return e and f of :math:`x^+ = e\,x + f\,Q/G`, :math:`e = e^{-u},\; f = 1 - e^{-u},\; u = hG/C`.

    By :math:`T = \tanh\frac u2`: :math:`e = (1 - T)/(1 + T),\; f = 2T/(1 + T)`, so that a small f keeps its digits.
    """
    one, two = type(c)(1), type(c)(2)
    T = _tanh_of(h * G / c / two)
    return (one - T) / (one + T), two * T / (one + T)


@inner(forceinline=True)
def _relax(c, h, share, x, G, Q, out):
    """Write the states after a share of a part."""
    for r in range(out.shape[0]):
        e, f = _frozen_of(c[r], share * at(h, r), G[r])
        out[r] = e * x[r] + f * (Q[r] / G[r])


@inner
def _d_relax(c, h, share, x, sums, d_out, d_x, d_sums, d_C, d_h, room):
    """Backward of ``_relax``; `sums` are G and Q."""
    G, Q, d_G, d_Q, e, f, d_u = sums[0], sums[1], d_sums[0], d_sums[1], room[0], room[1], room[2]
    most = x.dtype.type(np.finfo(x.dtype).max)  # h G/C may be infinite, where d_u is 0
    for r in range(d_out.shape[0]):
        e[r], f[r] = _frozen_of(c[r], share * h[r], G[r])
    for r in range(d_out.shape[0]):
        f[r] *= d_out[r] / G[r]
    for r in range(d_out.shape[0]):
        e[r] *= d_out[r]
    for r in range(d_out.shape[0]):
        d_u[r] = share * (Q[r] / G[r] - x[r]) / c[r] * e[r]
    for r in range(d_out.shape[0]):
        d_Q[r] += f[r]
    for r in range(d_out.shape[0]):
        d_x[r] += e[r]
    for r in range(d_out.shape[0]):
        d_G[r] += h[r] * d_u[r] - Q[r] / G[r] * f[r]
    for r in range(d_out.shape[0]):
        d_C[r] -= min(h[r] * G[r] / c[r], most) * d_u[r]
    for r in range(d_out.shape[0]):
        d_h[r] += G[r] * d_u[r]


@inner(forceinline=True)
def _frozen(k, neuron, h, kept, out, room):
    """Twin of :func:`cfc_ref.cells.exponential.frozen`."""
    _relax(neuron[C], h, kept.dtype.type(1), kept[0], kept[1], kept[2], out)


@inner
def _d_frozen(k, neuron, h, kept, d_out, D, d_C, d_h, room):
    """Twin of :func:`cfc_ref.cells.exponential.d_frozen`."""
    _d_relax(neuron[C], h, kept.dtype.type(1), kept[0], kept[1:3], d_out, D[0], D[1:3], d_C, d_h, room)


@inner(forceinline=True)
def _frozen_midpoint(k, neuron, h, kept, out, room):
    """Twin of :func:`cfc_ref.cells.exponential.frozen_midpoint`: half a part, then all of it."""
    _relax(neuron[C], h, kept.dtype.type(0.5 * (k + 1)), kept[0], kept[3 * k + 1], kept[3 * k + 2], out)


@inner
def _d_frozen_midpoint(k, neuron, h, kept, d_out, D, d_C, d_h, room):
    """Twin of :func:`cfc_ref.cells.exponential.d_frozen_midpoint`."""
    share, sums, d_sums = kept.dtype.type(0.5 * (k + 1)), kept[3 * k + 1 : 3 * k + 3], D[3 * k + 1 : 3 * k + 3]
    _d_relax(neuron[C], h, share, kept[0], sums, d_out, D[0], d_sums, d_C, d_h, room)


# --- CF4


@inner
def _rate_of(c, h, most):
    """Return h/2C, cut where products with it would overflow."""
    return min(h * (type(c)(0.5) / c), most)


@inner
def _half_of(r, G):
    r"""Return u, :math:`e^{-u}` and :math:`\varphi_1(u) = (1 - e^{-u})/u`, with :math:`u = \max(r G, 0)`."""
    zero, one, u = type(r)(0), type(r)(1), r * G
    u = zero if u < zero else u
    T = _tanh_of(u * type(r)(0.5))
    e, f = (one - T) / (one + T), (T + T) / (one + T)
    return u, e, one if u == zero else f / u


@inner
def _d_phi_of(u, e, phi):
    r"""Return :math:`\varphi_1'(u) = (e^{-u} - \varphi_1(u))/u`, by its series where that cancels."""
    p = type(u)(-1 / 30) + u * type(u)(1 / 144)
    p = type(u)(1 / 8) + u * p
    p = type(u)(-1 / 3) + u * p
    p = type(u)(-1 / 2) - u * p
    return p if u < type(u)(1e-2) else (e - phi) / u


@inner(forceinline=True)
def _half_step(c, h, most, x, G, Q, out):
    """Twin of :func:`cfc_ref.cells.exponential.half_step`."""
    for r in range(out.shape[0]):
        rate = _rate_of(c[r], at(h, r), most)
        _, e, phi = _half_of(rate, G[r])
        out[r] = e * x[r] + rate * Q[r] * phi


@inner
def _d_half_step(c, h, most, x, G, Q, d_out, d_C, d_h, to):
    """Backward of ``_half_step``: writes the gradients of G, Q and x to the first rows of `to`, adds to d_C and d_h."""
    d_G, d_Q, e, phi, d_phi = to[0], to[1], to[2], to[3], to[4]  # that of x is e d_out
    zero, half = x.dtype.type(0), x.dtype.type(0.5)
    for r in range(d_out.shape[0]):
        _, e[r], phi[r] = _half_of(_rate_of(c[r], h[r], most), G[r])
    for r in range(d_out.shape[0]):
        rate = _rate_of(c[r], h[r], most)
        d_phi[r] = _d_phi_of(zero if G[r] < zero else rate * G[r], e[r], phi[r])
    for r in range(d_out.shape[0]):
        d_Q[r] = _rate_of(c[r], h[r], most) * phi[r] * d_out[r]
    for r in range(d_out.shape[0]):
        e[r] *= d_out[r]
    for r in range(d_out.shape[0]):
        rate = _rate_of(c[r], h[r], most)
        d_G[r] = rate * (rate * Q[r] * d_phi[r] * d_out[r] - e[r] * x[r])
    for r in range(d_out.shape[0]):
        d_G[r] = zero if G[r] < zero else d_G[r]
    for r in range(d_out.shape[0]):
        rate = _rate_of(c[r], h[r], most)
        u = zero if G[r] < zero else rate * G[r]
        d_C[r] -= e[r] / c[r] * (rate * Q[r] - u * x[r])
    for r in range(d_out.shape[0]):
        d_h[r] += half / c[r] * e[r] * (Q[r] - (zero if G[r] < zero else G[r]) * x[r])


@inner(forceinline=True)
def _mix(first, two, last, kept, row, out):
    """Write first · B₁ + two · (B₂ + B₃) + last · B₄; `row` is that of B₁, which is 1 for G and 2 for Q."""
    B1, B2, B3, B4 = kept[row], kept[row + 3], kept[row + 6], kept[row + 9]
    for r in range(out.shape[0]):
        out[r] = first * B1[r] + two * (B2[r] + B3[r]) + last * B4[r]


@inner
def _d_mix(first, two, last, d, row, D):
    """Backward of ``_mix``."""
    B1, B2, B3, B4 = D[row], D[row + 3], D[row + 6], D[row + 9]
    for r in range(d.shape[0]):
        B1[r] += first * d[r]
    for r in range(d.shape[0]):
        B2[r] += two * d[r]
    for r in range(d.shape[0]):
        B3[r] += two * d[r]
    for r in range(d.shape[0]):
        B4[r] += last * d[r]


@inner(forceinline=True)
def _mix_to_x4(kept, row, out):
    """Write 2 B₃ - B₁."""
    B1, B3 = kept[row], kept[row + 6]
    for r in range(out.shape[0]):
        out[r] = (B3[r] + B3[r]) - B1[r]


@inner
def _d_mix_to_x4(d, row, D):
    """Backward of ``_mix_to_x4``."""
    B1, B3 = D[row], D[row + 6]
    for r in range(d.shape[0]):
        B1[r] -= d[r]
    for r in range(d.shape[0]):
        B3[r] += d[r] + d[r]


@inner(forceinline=True)
def _clip(neuron, x, out):
    """Move states into the box, widened to hold the part's start x; NaN stays."""
    low, high = neuron[LOW], neuron[HIGH]
    for r in range(out.shape[0]):
        a, b, new = low[r], high[r], out[r]
        a, b = (x[r] if x[r] < a else a), (x[r] if x[r] > b else b)
        new = a if new < a else new
        out[r] = b if new > b else new


@inner
def _d_clip(neuron, x, new, d_out, d):
    """Write d_out where states moved into the box by rounding at most, and 0 elsewhere."""
    zero, rounding = x.dtype.type(0), x.dtype.type(16 * np.finfo(x.dtype).eps)
    low, high = neuron[LOW], neuron[HIGH]
    for r in range(d.shape[0]):
        a, b = (x[r] if x[r] < low[r] else low[r]), (x[r] if x[r] > high[r] else high[r])
        over = max(a - new[r], new[r] - b)
        d[r] = zero if over > rounding * max(abs(a), abs(b)) else d_out[r]


@inner(forceinline=True)
def _numbers(kept):
    """Return the largest rate, and the weights of the mixtures: sixths of -1, 2 and 3."""
    number = kept.dtype.type
    return number(np.finfo(kept.dtype).max ** 0.25), number(-1 / 6), number(2 / 6), number(3 / 6)


@inner(forceinline=True)
def _cf4(k, neuron, h, kept, out, room):
    """Twin of :func:`cfc_ref.cells.exponential.cf4`: a half step per stage, and two in the last."""
    (most, minus, two, three), c, x, G, Q, x_m = _numbers(kept), neuron[C], kept[0], room[0], room[1], room[2]
    if k < 2:
        _half_step(c, h, most, x, kept[3 * k + 1], kept[3 * k + 2], out)
        return
    start = kept[3]
    if k == 2:
        _mix_to_x4(kept, 1, G)
        _mix_to_x4(kept, 2, Q)
    else:
        start = x_m
        _mix(three, two, minus, kept, 1, G)
        _mix(three, two, minus, kept, 2, Q)
        _half_step(c, h, most, x, G, Q, x_m)
        _mix(minus, two, three, kept, 1, G)
        _mix(minus, two, three, kept, 2, Q)
    _half_step(c, h, most, start, G, Q, out)
    _clip(neuron, x, out)


@inner
def _d_cf4(k, neuron, h, kept, d_out, D, d_C, d_h, room):
    """Twin of :func:`cfc_ref.cells.exponential.d_cf4`."""
    (most, minus, two, three), c, x, G, Q, x_m = _numbers(kept), neuron[C], kept[0], room[0], room[1], room[2]
    new, d, to = room[3], room[4], room[5:]
    if k < 2:
        _d_half_step(c, h, most, x, kept[3 * k + 1], kept[3 * k + 2], d_out, d_C, d_h, to)
        _add(to[0], D[3 * k + 1])
        _add(to[1], D[3 * k + 2])
    elif k == 2:
        _mix_to_x4(kept, 1, G)
        _mix_to_x4(kept, 2, Q)
        _half_step(c, h, most, kept[3], G, Q, new)
        _d_clip(neuron, x, new, d_out, d)
        _d_half_step(c, h, most, kept[3], G, Q, d, d_C, d_h, to)
        _d_mix_to_x4(to[0], 1, D)
        _d_mix_to_x4(to[1], 2, D)
    else:
        _mix(three, two, minus, kept, 1, G)
        _mix(three, two, minus, kept, 2, Q)
        _half_step(c, h, most, x, G, Q, x_m)
        _mix(minus, two, three, kept, 1, G)
        _mix(minus, two, three, kept, 2, Q)
        _half_step(c, h, most, x_m, G, Q, new)
        _d_clip(neuron, x, new, d_out, d)
        _d_half_step(c, h, most, x_m, G, Q, d, d_C, d_h, to)
        _d_mix(minus, two, three, to[0], 1, D)
        _d_mix(minus, two, three, to[1], 2, D)
        _copy(to[2], d)
        _mix(three, two, minus, kept, 1, G)
        _mix(three, two, minus, kept, 2, Q)
        _d_half_step(c, h, most, x, G, Q, d, d_C, d_h, to)
        _d_mix(three, two, minus, to[0], 1, D)
        _d_mix(three, two, minus, to[1], 2, D)
    _add(to[2], D[3] if k == 2 else D[0])
