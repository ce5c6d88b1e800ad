"""Activations and their derivatives over one contiguous row: loops that vectorise, with the branch outside of them.

Formulas are those of :mod:`cfc_ref.activations`. A loop writes to one row and reads from few, as the compiler asks of
each pair whether they overlap, and gives up on many.
"""

from __future__ import annotations

import math

from cfc_ref.kernels.compiled import inner
from cfc_ref.kernels.mathfun import _bend_of, _exp, _open_of, _sigmoid
from cfc_ref.kernels.packed import GELU, LECUN_TANH, RELU, SILU, TANH

__all__: list[str] = []

_SQRT_HALF, _DENSITY_AT_0 = math.sqrt(0.5), 1 / math.sqrt(2 * math.pi)
_SCALE, _GAIN = 1.7159, 0.666
_LEAST = -1000  # silu is 0 below; a gate is at least 1e-38, which times a large number is not


@inner
def _copy(z, a):
    for j in range(a.shape[0]):
        a[j] = z[j]


@inner
def _add(b, a):
    for j in range(a.shape[0]):
        a[j] += b[j]


@inner
def _multiply(a, factors):
    for j in range(a.shape[0]):
        a[j] *= factors[j]


@inner
def _bounded(kind, z, a):
    """A = activation(z) of a head of Eq. 4; the two are different rows."""
    if kind == LECUN_TANH:
        scale, gain = a.dtype.type(_SCALE), a.dtype.type(_GAIN)
        for j in range(a.shape[0]):
            a[j] = scale * _bend_of(gain * z[j])
    elif kind == TANH:
        for j in range(a.shape[0]):
            a[j] = _bend_of(z[j])
    else:
        _copy(z, a)


@inner
def _d_bounded(kind, kept, d):
    """D *= activation', from the activation's value."""
    if kind == LECUN_TANH:
        scale, bend = d.dtype.type(_SCALE), d.dtype.type(_GAIN / _SCALE)
        for j in range(d.shape[0]):
            d[j] *= bend * ((scale - kept[j]) * (scale + kept[j]))  # exactly 0 at the ends, where weights may be huge
    elif kind == TANH:
        one = d.dtype.type(1)
        for j in range(d.shape[0]):
            d[j] *= one - kept[j] * kept[j]


@inner
def _activate(kind, z, a):
    """A = activation(z); the two are different rows."""
    zero = a.dtype.type(0)
    half, one, sqrt_half = a.dtype.type(0.5), a.dtype.type(1), a.dtype.type(_SQRT_HALF)
    if kind == SILU:
        least = a.dtype.type(_LEAST)
        for j in range(a.shape[0]):
            a[j] = max(z[j], least) * _open_of(z[j])
    elif kind == RELU:
        for j in range(a.shape[0]):
            a[j] = z[j] if not z[j] <= zero else zero
    elif kind == GELU:
        for j in range(a.shape[0]):
            a[j] = z[j] * (half * (one + math.erf(z[j] * sqrt_half)))
    else:
        _bounded(kind, z, a)


@inner
def _d_activate(kind, kept, room, d):
    """D *= activation', from the activation's value or from its argument, whichever is kept."""
    zero, one, half = d.dtype.type(0), d.dtype.type(1), d.dtype.type(0.5)
    if kind == SILU:
        _copy(kept, room[: d.shape[0]])
        _sigmoid(room[: d.shape[0]])
        for j in range(d.shape[0]):
            d[j] *= room[j] * (one + kept[j] * (one - room[j]))
    elif kind == RELU:
        for j in range(d.shape[0]):
            d[j] = d[j] if kept[j] > zero else zero * d[j]
    elif kind == GELU:
        for j in range(d.shape[0]):
            near = min(abs(kept[j]), d.dtype.type(40))  # beyond, the density is 0 and the square might overflow
            room[j] = -half * near * near
        _exp(room[: d.shape[0]])
        density, sqrt_half = d.dtype.type(_DENSITY_AT_0), d.dtype.type(_SQRT_HALF)
        for j in range(d.shape[0]):
            d[j] *= half * (one + math.erf(kept[j] * sqrt_half)) + kept[j] * density * room[j]
    else:
        _d_bounded(kind, kept, d)
