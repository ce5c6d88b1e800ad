"""Activations, each beside its derivative.

A derivative is written in terms of the activation's *value* where that is shorter, because a backward pass has the
value at hand: ``sigmoid' = s (1 - s)`` with ``s = sigmoid(z)``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["d_sigmoid", "logit", "mean_sigmoid", "sigmoid", "softplus"]

Array = npt.NDArray[Any]

_MEAN_NODES, _MEAN_WEIGHTS = np.polynomial.legendre.leggauss(6)
_CLOSE = 0.1  # below this distance the difference quotient of mean_sigmoid loses digits and six Gauss points lose none


def sigmoid(z: npt.ArrayLike) -> Array:
    r"""Logistic function, :math:`\sigma(z) = 1/(1+e^{-z})`.

    Written with :math:`e^{-|z|}`, so that no argument overflows and small values keep their relative accuracy.

    Parameters
    ----------
    z : array_like, any shape
        Argument, dimensionless.

    Returns
    -------
    ndarray, shape of `z`
        Values in [0, 1].

    Examples
    --------
    >>> float(sigmoid(0.0)), float(sigmoid(-800.0))
    (0.5, 0.0)
    """
    z = np.asarray(z)
    e = np.exp(-np.abs(z))
    return np.where(z >= 0, 1, e) / (1 + e)


def d_sigmoid(s: npt.ArrayLike) -> Array:
    r"""Derivative of the logistic function by its value, :math:`\sigma' = s\,(1-s)`.

    Parameters
    ----------
    s : array_like, any shape
        ``sigmoid(z)``.

    Returns
    -------
    ndarray, shape of `s`
        The derivative at `z`, at most 1/4.

    Examples
    --------
    >>> float(d_sigmoid(0.5))
    0.25
    """
    s = np.asarray(s)
    return s * (1 - s)


def logit(y: npt.ArrayLike) -> Array:
    r"""Inverse of the logistic function, :math:`\log(y/(1-y))`.

    Parameters
    ----------
    y : array_like, any shape
        Values in [0, 1]; 0 and 1 give minus and plus infinity.

    Returns
    -------
    ndarray, shape of `y`
        The argument at which ``sigmoid`` takes the value `y`.

    Examples
    --------
    >>> float(logit(0.5)), float(logit(1.0))
    (0.0, inf)
    """
    y = np.asarray(y)
    with np.errstate(divide="ignore"):
        return np.log(y) - np.log1p(-y)


def softplus(z: npt.ArrayLike) -> Array:
    r"""Antiderivative of the logistic function, :math:`\log(1+e^{z})`; its derivative is :func:`sigmoid`.

    Parameters
    ----------
    z : array_like, any shape
        Argument, dimensionless.

    Returns
    -------
    ndarray, shape of `z`
        Positive values.

    Examples
    --------
    >>> float(softplus(1000.0))
    1000.0
    """
    z = np.asarray(z)
    return np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))


def mean_sigmoid(z0: npt.ArrayLike, z1: npt.ArrayLike) -> Array:
    r"""Mean of the logistic function between two arguments.

    .. math:: \int_0^1 \sigma(z_0 + s\,(z_1 - z_0))\,ds = \frac{\log(1+e^{z_1}) - \log(1+e^{z_0})}{z_1 - z_0}

    This makes :math:`F(t)=\int_0^t f(I)\,ds` elementary where the input is a straight line (Eq. 7's sum with one
    more kind of piece). Where the ends are close the quotient cancels, and Gauss's rule takes its place.

    Parameters
    ----------
    z0, z1 : array_like, shapes that broadcast
        The two arguments, dimensionless.

    Returns
    -------
    ndarray, the broadcast shape
        Values between ``sigmoid(z0)`` and ``sigmoid(z1)``.

    Examples
    --------
    >>> float(mean_sigmoid(0.0, 0.0)), round(float(mean_sigmoid(-1.0, 3.0)), 6)
    (0.5, 0.683831)
    """
    z0, z1 = np.broadcast_arrays(np.asarray(z0), np.asarray(z1))
    rise = z1 - z0
    close = np.abs(rise) < _CLOSE
    # log(1 + e^z) = max(z, 0) + log(1 + e^-|z|): the first part's difference is exact, the second's is bounded.
    ramp = np.maximum(z1, 0) - np.maximum(z0, 0)
    bend = np.log1p(np.exp(-np.abs(z1))) - np.log1p(np.exp(-np.abs(z0)))
    quotient = (ramp + bend) / np.where(close, 1, rise)
    gauss = sum(
        weight / 2 * sigmoid(z0 + rise * ((node + 1) / 2))
        for node, weight in zip(_MEAN_NODES.tolist(), _MEAN_WEIGHTS.tolist(), strict=True)
    )
    return np.where(close, gauss, quotient)
