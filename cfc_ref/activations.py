"""Activations, each next to its derivative.

A derivative is written in terms of the activation's *value* if that is shorter, as a backward pass has the value:
``sigmoid' = s (1 - s)`` with ``s = sigmoid(z)``. Subclasses of arrays pass through the functions that cells call, and
may have a ``sigmoid`` of their own: an export records the operations on them (:mod:`cfc_ref.export.onnx_trace`), a
bound carries errors along (:mod:`cfc_ref.bounds.round_off`).
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cfc_ref.arrays import Array

__all__ = [
    "ACTIVATIONS",
    "Activation",
    "d_gelu",
    "d_lecun_tanh",
    "d_relu",
    "d_sigmoid",
    "d_silu",
    "d_tanh",
    "gelu",
    "lecun_tanh",
    "linear",
    "logit",
    "mean_sigmoid",
    "relu",
    "sigmoid",
    "silu",
    "softplus",
    "tanh",
]

_LECUN_SCALE, _LECUN_GAIN = 1.7159, 0.666  # as printed in the official code; LeCun's own gain is 2/3
_erf = np.frompyfunc(math.erf, 1, 1)  # NumPy has none, the C library's is exact to its last digit

_CLOSE = 0.1  # below this distance the difference quotient of mean_sigmoid loses digits and six Gauss points lose none


def sigmoid(z: npt.ArrayLike) -> Array:
    r"""Logistic function, :math:`\sigma(z) = 1/(1+e^{-z})`.

    Written with :math:`e^{-|z|}`, so that no argument overflows and small values keep their relative accuracy.

    Twin: :func:`cfc_ref.kernels.activations.sigmoid`.
    """
    z = np.asanyarray(z)
    if type(z) is not np.ndarray and hasattr(z, "sigmoid"):
        return z.sigmoid()
    e = np.exp(-np.abs(z))
    return np.where(z >= 0, 1, e) / (1 + e)


def d_sigmoid(s: npt.ArrayLike) -> Array:
    r"""Derivative of the logistic function by its value, :math:`\sigma' = s\,(1-s)`."""
    s = np.asarray(s)
    return s * (1 - s)


def logit(y: npt.ArrayLike) -> Array:
    r"""Inverse of the logistic function, :math:`\log(y/(1-y))`."""
    y = np.asarray(y)
    with np.errstate(divide="ignore"):
        return np.log(y) - np.log1p(-y)


def softplus(z: npt.ArrayLike) -> Array:
    r"""Antiderivative of the logistic function, :math:`\log(1+e^{z})`; its derivative is :func:`sigmoid`."""
    z = np.asarray(z)
    return np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))


def mean_sigmoid(z0: npt.ArrayLike, z1: npt.ArrayLike) -> Array:
    r"""Mean of the logistic function between two arguments.

    .. math:: \int_0^1 \sigma(z_0 + s\,(z_1 - z_0))\,ds = \frac{\log(1+e^{z_1}) - \log(1+e^{z_0})}{z_1 - z_0}

    This makes :math:`F(t)=\int_0^t f(I)\,ds` elementary for an input that is a straight line (Eq. 7's sum with one
    more kind of piece). If the ends are close, the quotient cancels, and Gauss's rule replaces it.
    """
    z0, z1 = np.broadcast_arrays(np.asarray(z0), np.asarray(z1))
    rise = z1 - z0
    close = np.abs(rise) < _CLOSE
    # log(1 + e^z) = max(z, 0) + log(1 + e^-|z|): the first part's difference is exact, the second's is bounded.
    ramp = np.maximum(z1, 0) - np.maximum(z0, 0)
    bend = np.log1p(np.exp(-np.abs(z1))) - np.log1p(np.exp(-np.abs(z0)))
    quotient = (ramp + bend) / np.where(close, 1, rise)
    if not close.any():
        return np.asarray(quotient)
    gauss = sum(weight * sigmoid(z0 + rise * node) for node, weight in _six_points())
    return np.where(close, gauss, quotient)


@functools.cache
def _six_points() -> list[tuple[float, float]]:
    """Return Gauss's nodes in (0, 1) with their weights."""
    nodes, weights = np.polynomial.legendre.leggauss(6)
    return list(zip(((nodes + 1) / 2).tolist(), (weights / 2).tolist(), strict=True))


def tanh(z: npt.ArrayLike) -> Array:
    """Hyperbolic tangent.

    Twin: :func:`cfc_ref.kernels.activations.tanh`.
    """
    return np.tanh(np.asanyarray(z))


def d_tanh(a: npt.ArrayLike) -> Array:
    r"""Derivative of the hyperbolic tangent by its value, :math:`1 - a^2`."""
    a = np.asarray(a)
    return 1 - a * a


def lecun_tanh(z: npt.ArrayLike) -> Array:
    r"""LeCun's hyperbolic tangent, :math:`1.7159\,\tanh(0.666\,z)`."""
    return _LECUN_SCALE * np.tanh(_LECUN_GAIN * np.asanyarray(z))


def d_lecun_tanh(a: npt.ArrayLike) -> Array:
    r"""Derivative of LeCun's hyperbolic tangent by its value, :math:`0.666\,(1.7159 - a^2/1.7159)`."""
    a = np.asarray(a)
    return _LECUN_GAIN * (_LECUN_SCALE - a * a / _LECUN_SCALE)


def relu(z: npt.ArrayLike) -> Array:
    r"""Rectifier, :math:`\max(z, 0)`."""
    return np.maximum(np.asanyarray(z), 0)


def d_relu(a: npt.ArrayLike) -> Array:
    r"""Derivative of the rectifier by its value: 1 where it is positive, else 0, also at the kink."""
    a = np.asarray(a)
    return (a > 0).astype(a.dtype)


def silu(z: npt.ArrayLike) -> Array:
    r"""Sigmoid linear unit, :math:`z\,\sigma(z)`."""
    z = np.asanyarray(z)
    return z * sigmoid(z)


def d_silu(z: npt.ArrayLike) -> Array:
    r"""Derivative of the sigmoid linear unit by its argument, :math:`s\,(1 + z\,(1-s))` with :math:`s = \sigma(z)`."""
    z = np.asarray(z)
    s = sigmoid(z)
    return s * (1 + z * (1 - s))


def gelu(z: npt.ArrayLike) -> Array:
    r"""Gaussian error linear unit, :math:`z\,\Phi(z)` with the normal distribution function :math:`\Phi`."""
    z = np.asanyarray(z)
    return z * _normal_distribution(z)


def d_gelu(z: npt.ArrayLike) -> Array:
    r"""Derivative of the Gaussian error linear unit by its argument, :math:`\Phi(z) + z\,\varphi(z)`."""
    z = np.asarray(z)
    near = np.minimum(np.abs(z), 40)  # beyond, the density is 0 in any case and the square might overflow
    density = np.exp(-near * near / 2) / math.sqrt(2 * math.pi)
    return _normal_distribution(z) + z * density


def _normal_distribution(z: Array) -> Array:
    return (1 + np.asanyarray(_erf(z / math.sqrt(2))).astype(z.dtype)) / 2


def linear(z: npt.ArrayLike) -> Array:
    """Identity: the head of a network whose output has no bound."""
    return np.asanyarray(z)


class Activation(NamedTuple):
    """An activation of a network."""

    value: Callable[[npt.ArrayLike], Array]
    derivative: Callable[[npt.ArrayLike], Array]  # of the value or of the argument
    by_value: bool  # whether the derivative takes the value, which a backward pass then keeps
    slope: float  # the largest absolute derivative, a Lipschitz constant
    bound: float = math.inf  # the largest absolute value
    lowest: float = -math.inf  # the argument of the minimum; -∞ if the function only rises

    def interval(self, low: Array, high: Array) -> tuple[Array, Array]:
        """Return the range of the values for arguments between low and high."""
        ends = self.value(low), self.value(high)
        return self.value(np.clip(self.lowest, low, high).astype(low.dtype)), np.maximum(*ends)


ACTIVATIONS = {
    "silu": Activation(silu, d_silu, by_value=False, slope=1.0998393201288671, lowest=-1.2784645427610737),
    "relu": Activation(relu, d_relu, by_value=True, slope=1.0),
    "tanh": Activation(tanh, d_tanh, by_value=True, slope=1.0, bound=1.0),
    "gelu": Activation(gelu, d_gelu, by_value=False, slope=1.1289041451851551, lowest=-0.7517915246935645),
    "lecun_tanh": Activation(
        lecun_tanh, d_lecun_tanh, by_value=True, slope=_LECUN_SCALE * _LECUN_GAIN, bound=_LECUN_SCALE
    ),
    "linear": Activation(linear, np.ones_like, by_value=True, slope=1.0),
}
