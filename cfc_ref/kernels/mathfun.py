r"""exp, tanh and the logistic function as loops that vectorise, in float32 and float64, to 2 units in the last place.

What makes such a loop vectorise in Numba:

- No call: ``math.exp`` is one call a value. Here it is range reduction and a polynomial,
  :math:`e^x = 2^n e^r` with :math:`n = \mathrm{round}(x/\ln 2)` and :math:`|r| \le \ln(2)/2`.
- No branch: both sides are computed and one is selected; NaN passes through the comparisons that it fails.
- :math:`2^n` is made of integer bits, seen as a float by ``.view`` (which also runs unjitted). It is applied in two
  halves, so that neither overflows before the product does; integers have the width of the floats. To Numba the sum of
  two int32 is an int64: it is made narrow again before it becomes a float.
- In place: one array is read and written at the same index. With two the compiler asks first whether they overlap, and
  takes the slow loop where they are the same.
- ``error_model="numpy"``: a division that may raise does not vectorise.
- ``fastmath={"contract"}``: a product and a sum may be one instruction. It changes the last bit, not NaN or infinity.

The CfC's activations are ``_bend_of`` and ``_open_of``, in fewer instructions: 4 units in the last place, or one of 1.

LLVM inlines the scalar functions; Numba's own ``inline="always"`` makes the same code in ten times the time.
Coefficients are those of Cephes (S. L. Moshier), but for the float64 exponential, which is its Taylor series to r¹³,
and for 2^r, whose relative error is the least that a polynomial of degree 5 or 11 can have (Remez).
The table of errors and times is printed by ``python -m cfc_ref.bench.functions``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import types
from numba.extending import overload, register_jitable

from cfc_ref.kernels.compiled import kernel

__all__ = ["on_copy"]

_LOG2_E = 1.4426950408889634
_MAGIC32, _MAGIC64 = 12582912.0, 6755399441055744.0  # 1.5 · 2²³ and 1.5 · 2⁵²: adding one rounds to an integer
_MAGIC32_BITS, _MAGIC64_BITS = 0x4B400000, 0x4338000000000000  # the same two, their bits read as integers

f4, f8, i4, i8 = np.float32, np.float64, np.int32, np.int64


@register_jitable
def _exp32(x):
    """Exp of one float32."""
    c = min(max(f4(-104.0), x), f4(89.0))
    n = (c * f4(_LOG2_E) + f4(_MAGIC32)) - f4(_MAGIC32)
    high, low = c - n * f4(0.693359375), n * f4(-2.12194440e-4)
    r = high - low
    rest = (high - r) - low  # what rounding took from r
    p = f4(1.9875691500e-4)
    p = p * r + f4(1.3981999507e-3)
    p = p * r + f4(8.3334519073e-3)
    p = p * r + f4(4.1665795894e-2)
    p = p * r + f4(1.6666665459e-1)
    p = p * r + f4(5.0000001201e-1)
    p = (p * (r * r) + rest) + r + f4(1.0)
    k = i4(n)
    half = k >> i4(1)
    a = i4((half + i4(127)) << i4(23)).view(f4)
    b = i4((k - half + i4(127)) << i4(23)).view(f4)
    return p * a * b if x == x else x


@register_jitable
def _exp64(x):
    """Exp of one float64."""
    c = min(max(-746.0, x), 710.0)
    n = (c * _LOG2_E + _MAGIC64) - _MAGIC64
    high, low = c - n * 6.93145751953125e-1, n * 1.42860682030941723212e-6
    r = high - low
    rest = (high - r) - low
    p = 1.0 / 6227020800.0
    p = p * r + 1.0 / 479001600.0
    p = p * r + 1.0 / 39916800.0
    p = p * r + 1.0 / 3628800.0
    p = p * r + 1.0 / 362880.0
    p = p * r + 1.0 / 40320.0
    p = p * r + 1.0 / 5040.0
    p = p * r + 1.0 / 720.0
    p = p * r + 1.0 / 120.0
    p = p * r + 1.0 / 24.0
    p = p * r + 1.0 / 6.0
    p = p * r + 0.5
    p = (p * (r * r) + rest) + r + 1.0
    k = i8(n)
    half = k >> i8(1)
    a = i8((half + i8(1023)) << i8(52)).view(f8)
    b = i8((k - half + i8(1023)) << i8(52)).view(f8)
    return p * a * b if x == x else x


@register_jitable
def _tanh32(x):
    """Hyperbolic tangent of one float32: a polynomial near 0, elsewhere 1 - 2/(exp(2x) + 1)."""
    z = x * x
    p = f4(-5.70498872745e-3)
    p = p * z + f4(2.06390887954e-2)
    p = p * z + f4(-5.37397155531e-2)
    p = p * z + f4(1.33314422036e-1)
    p = p * z + f4(-3.33332819422e-1)
    near = p * z * x + x
    s = abs(x)
    far = f4(1.0) - f4(2.0) / (_exp32(s + s) + f4(1.0))
    far = far if x > f4(0.0) else -far
    return far if s > f4(0.625) else near


@register_jitable
def _tanh64(x):
    """Hyperbolic tangent of one float64."""
    z = x * x
    p = (-9.64399179425052238628e-1 * z - 9.92877231001918586564e1) * z - 1.61468768441708447952e3
    q = ((z + 1.12811678491632931402e2) * z + 2.23548839060100448583e3) * z + 4.84406305325125486048e3
    near = x + x * z * (p / q)
    s = abs(x)
    far = 1.0 - 2.0 / (_exp64(s + s) + 1.0)
    far = far if x > 0.0 else -far
    return far if s > 0.625 else near


@register_jitable
def _sigmoid32(x):
    """Logistic function of one float32, with exp(-|x|), so that small values keep their digits."""
    e = _exp32(-abs(x))
    d = f4(1.0) + e
    s = e / d
    s = s - s * (f4(1.0) - s) * (e - (d - f4(1.0)))  # what rounding took from d
    return f4(1.0) / d if x >= f4(0.0) else s


@register_jitable
def _sigmoid64(x):
    """Logistic function of one float64."""
    e = _exp64(-abs(x))
    d = 1.0 + e
    s = e / d
    s = s - s * (1.0 - s) * (e - (d - 1.0))
    return 1.0 / d if x >= 0.0 else s


@register_jitable
def _opening32(y):
    """Return 1/(1 + 2^y) of one float32: a logistic function in fewer instructions, exact to about 1e-7 of itself.

    2^y = 2^n 2^r, |r| <= 1/2, the latter to a relative error of 7.5e-8; n is read off the bits of y + 1.5 · 2²³, as
    that stays right where sums may be taken in any order. Beyond ±126 nothing changes. NaN passes both comparisons.
    """
    c = min(max(y, f4(-126.0)), f4(126.0))
    n = i4(f4(c + f4(_MAGIC32)).view(i4) - i4(_MAGIC32_BITS))
    r = c - f4(n)
    p = f4(1.327647263e-3)
    p = p * r + f4(9.675541343e-3)
    p = p * r + f4(5.550713272e-2)
    p = p * r + f4(2.402211972e-1)
    p = p * r + f4(6.931469671e-1)
    p = p * r + f4(1.000000072)
    e = p * i4((n + i4(127)) << i4(23)).view(f4)
    return f4(1.0) / (f4(1.0) + e)


@register_jitable
def _opening64(y):
    """Return 1/(1 + 2^y) of one float64, to about 4e-16 of itself; beyond ±1022 it no longer changes."""
    c = min(max(y, -1022.0), 1022.0)
    n = f8(c + _MAGIC64).view(i8) - i8(_MAGIC64_BITS)
    r = c - f8(n)
    p = 4.43528270695727715e-10
    p = p * r + 7.0741056135081428e-9
    p = p * r + 1.01781980216719308e-7
    p = p * r + 1.32154330896763992e-6
    p = p * r + 1.52527334899885256e-5
    p = p * r + 1.54035304625144321e-4
    p = p * r + 1.33335581467899217e-3
    p = p * r + 9.61812910758833524e-3
    p = p * r + 5.55041086648199216e-2
    p = p * r + 2.40226506959101562e-1
    p = p * r + 6.9314718055994533e-1
    p = p * r + 1.0
    e = p * i8((n + i8(1023)) << i8(52)).view(f8)
    return 1.0 / (1.0 + e)


@register_jitable
def _bend32(x):
    """Hyperbolic tangent of one float32, within [-1, 1], in a third of the instructions of ``_tanh32``.

    A quotient of polynomials in x² has the least relative error up to 8.9, where it is 1: 1.9e-8 (Remez); the rest is
    rounding. NaN passes the comparisons.
    """
    c = min(max(x, f4(-8.9)), f4(8.9))
    z = c * c
    p = f4(1.35337626e-08)
    p = p * z + f4(2.0737192e-05)
    p = p * z + f4(0.003503338)
    p = p * z + f4(0.13387543)
    p = p * z + f4(1.0)
    q = f4(7.849496e-07)
    q = q * z + f4(0.00032983313)
    q = q * z + f4(0.025906438)
    q = q * z + f4(0.4672086)
    q = q * z + f4(1.0)
    return min(max(c * p / q, f4(-1.0)), f4(1.0))


@register_jitable
def _open32(x):
    """Logistic function of one float32 to 1e-7, in half of the instructions of ``_sigmoid32``."""
    return _opening32(x * f4(-_LOG2_E))


@register_jitable
def _open64(x):
    """Logistic function of one float64 to 4e-16."""
    return _opening64(x * -_LOG2_E)


# One name for both widths: the dtype of the argument decides, when a kernel is compiled.


def _exp_of(x):
    """Exp of one number, in its dtype."""
    return _exp32(x) if isinstance(x, f4) else _exp64(x)


def _tanh_of(x):
    """Hyperbolic tangent of one number, in its dtype."""
    return _tanh32(x) if isinstance(x, f4) else _tanh64(x)


def _sigmoid_of(x):
    """Logistic function of one number, in its dtype."""
    return _sigmoid32(x) if isinstance(x, f4) else _sigmoid64(x)


def _opening_of(y):
    """1/(1 + 2^y) of one number, in its dtype."""
    return _opening32(y) if isinstance(y, f4) else _opening64(y)


def _bend_of(x):
    """Hyperbolic tangent of one number, in its dtype, for a layer's activations."""
    return _bend32(x) if isinstance(x, f4) else _tanh64(x)


def _open_of(x):
    """Logistic function of one number, in its dtype, for a layer's gates."""
    return _open32(x) if isinstance(x, f4) else _open64(x)


def _by_width(name, single, double):
    @overload(name)
    def choose(x):
        if x == types.float32:
            return lambda x: single(x)
        return lambda x: double(x)


_by_width(_exp_of, _exp32, _exp64)
_by_width(_tanh_of, _tanh32, _tanh64)
_by_width(_sigmoid_of, _sigmoid32, _sigmoid64)
_by_width(_opening_of, _opening32, _opening64)
_by_width(_bend_of, _bend32, _tanh64)
_by_width(_open_of, _open32, _open64)


# In place, over one contiguous axis


@kernel
def _exp(values):
    for i in range(values.shape[0]):
        values[i] = _exp_of(values[i])


@kernel
def _tanh(values):
    for i in range(values.shape[0]):
        values[i] = _tanh_of(values[i])


@kernel
def _sigmoid(values):
    for i in range(values.shape[0]):
        values[i] = _sigmoid_of(values[i])


def on_copy(in_place: Callable[[Any], None], x: npt.ArrayLike) -> npt.NDArray[Any]:
    """Return a copy of an array of any shape on which a function has worked in place."""
    values = np.array(x, order="C")
    in_place(values.reshape(-1))
    return values
