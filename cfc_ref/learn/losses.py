r"""Losses, each with its gradient: ``loss(prediction, target, mask=None)`` returns (value, d_prediction).

A value is the mean over the entries that count: those where `mask` is True, or all without a mask. Elsewhere targets
are not read, and gradients are 0. Arguments that do not fit, and data of which nothing counts, raise ValueError or
TypeError.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cfc_ref import checks
from cfc_ref.activations import sigmoid, softplus
from cfc_ref.arrays import Array

__all__ = [
    "LOSSES", "CrossEntropy", "Loss", "balanced_class_weights", "binary_cross_entropy", "checked_class_weights",
    "cross_entropy", "mse", "softmax",
]  # fmt: skip

Loss = Callable[..., tuple[float, Array]]


class _Compared(NamedTuple):
    """A prediction and its target, checked; the target is 0 where `counts`, of its shape, is False."""

    prediction: Array
    target: Array
    counts: Array
    n: int


def mse(prediction: npt.ArrayLike, target: npt.ArrayLike, mask: npt.ArrayLike | None = None) -> tuple[float, Array]:
    r"""Mean squared error.

    .. math:: L = \frac1n \sum (p - y)^2, \qquad \frac{\partial L}{\partial p} = \frac2n (p - y)

    Parameters
    ----------
    prediction : array_like, any shape
        p.
    target : array_like, shape of `prediction`, or without its last axis if that has length 1
        y.
    mask : array_like of bool, optional
        True where an entry counts; shape of `prediction`, or of its first axes.

    Returns
    -------
    value : float
        In the target's unit, squared.
    d_prediction : ndarray, shape of `prediction`

    Examples
    --------
    >>> value, d_prediction = mse([[1.0], [2.0]], [0.0, 5.0], mask=[True, False])
    >>> value, d_prediction[:, 0]
    (1.0, array([2., 0.]))
    """
    p, y, counts, n = _numbers(prediction, target, mask)
    error = np.where(counts, p - y, 0)
    return _sum(error**2) / n, 2 / n * error


def binary_cross_entropy(
    prediction: npt.ArrayLike, target: npt.ArrayLike, mask: npt.ArrayLike | None = None
) -> tuple[float, Array]:
    r"""Binary cross-entropy of logits.

    .. math:: L = -\frac1n \sum y \log \sigma(z) + (1 - y) \log \sigma(-z), \qquad
              \frac{\partial L}{\partial z} = \frac1n (\sigma(z) - y)

    Written with :math:`-\log\sigma(z) = \mathrm{softplus}(-z)`, so that nothing overflows and small values keep their
    relative accuracy.

    Parameters
    ----------
    prediction : array_like, any shape
        Logits z, dimensionless.
    target : array_like, shape of `prediction`, or without its last axis if that has length 1
        Probabilities y in [0, 1], or booleans.
    mask : array_like of bool, optional
        As for :func:`mse`.

    Returns
    -------
    value, d_prediction
        As of :func:`mse`; the value in nats.

    Examples
    --------
    >>> value, d_prediction = binary_cross_entropy([0.0, 1000.0], [1, 0])
    >>> round(value, 4), d_prediction
    (500.3466, array([-0.25,  0.5 ]))
    """
    if getattr(target, "dtype", None) == np.bool_:
        target = np.asarray(target, dtype=np.float64)
    z, y, counts, n = _numbers(prediction, target, mask)
    checks.compare("target", y, (y >= 0) & (y <= 1), "probabilities in [0, 1]", "pass labels 0 and 1")
    loss = y * softplus(-z) + (1 - y) * softplus(z)
    d_z = (1 - y) * sigmoid(z) - y * sigmoid(-z)
    return _sum(np.where(counts, loss, 0)) / n, np.where(counts, d_z / n, 0)


def cross_entropy(
    prediction: npt.ArrayLike,
    target: npt.ArrayLike,
    mask: npt.ArrayLike | None = None,
    *,
    weights: npt.ArrayLike | None = None,
    ignore: int | None = None,
) -> tuple[float, Array]:
    r"""Cross-entropy of logits and classes, each with a weight w if `weights` are given (PyTorch's ``weight``).

    .. math:: L = \frac{1}{\sum w_y} \sum w_y \Big(\log \sum_k e^{z_k} - z_y\Big), \qquad
              \frac{\partial L}{\partial z_k} = \frac{w_y}{\sum w_y} \big(\mathrm{softmax}(z)_k - [k = y]\big)

    Parameters
    ----------
    prediction : array_like, shape (…, K)
        Logits z of K classes, dimensionless.
    target : array_like of int, shape (…)
        The class y, 0 … K - 1.
    mask : array_like of bool, optional
        True where an entry counts; shape of `target`, or of its first axes.
    weights : array_like, shape (K,), optional
        Weights of the classes, > 0; 1 by default.
    ignore : int, optional
        A target that does not count, such as -1 for "no label".

    Returns
    -------
    value, d_prediction
        As of :func:`mse`; the value in nats.

    Examples
    --------
    >>> value, d_prediction = cross_entropy([[0.0, 0.0], [1000.0, 0.0]], [0, 1])
    >>> round(value, 4), d_prediction
    (500.3466, array([[-0.25,  0.25],
                      [ 0.5 , -0.5 ]]))
    """
    z, y, counts, n = _classes(prediction, target, mask, ignore)
    w = counts if weights is None else np.where(counts, checked_class_weights("weights", weights, z.shape[-1])[y], 0)
    total = n if weights is None else _sum(w)
    z = z - z.max(axis=-1, keepdims=True)
    log_sum = np.log(np.exp(z).sum(axis=-1, keepdims=True))
    of_target = y[..., None] == np.arange(z.shape[-1])
    loss = log_sum[..., 0] - np.where(of_target, z, 0).sum(axis=-1)
    d_z = np.exp(z - log_sum) - of_target
    d_z = np.where(counts[..., None], w[..., None] * d_z / total, 0)
    return _sum(np.where(counts, w * loss, 0)) / total, d_z.astype(z.dtype)


@dataclass(frozen=True)
class CrossEntropy:
    """The loss :func:`cross_entropy` with weights of the classes, for :func:`cfc_ref.fit`.

    Parameters
    ----------
    weights : tuple of float, optional
        One per class, > 0.
    ignore : int, optional
        A target that does not count.

    Examples
    --------
    >>> CrossEntropy(weights=(1.0, 3.0))([[0.0, 0.0]], [1])[0] == cross_entropy([[0.0, 0.0]], [1])[0]
    True
    """

    weights: tuple[float, ...] | None = None
    ignore: int | None = None

    def __post_init__(self) -> None:
        if self.weights is not None:
            vars(self)["weights"] = tuple(checked_class_weights("weights", self.weights).tolist())
        if self.ignore is not None and (isinstance(self.ignore, bool) or not isinstance(self.ignore, int)):
            checks.refuse("ignore", repr(self.ignore), "a whole number, or None", "pass the label to ignore", TypeError)

    def __call__(self, prediction: Any, target: Any, mask: Any = None) -> tuple[float, Array]:
        """Return the loss and its gradient."""
        return cross_entropy(prediction, target, mask, weights=self.weights, ignore=self.ignore)


def checked_class_weights(name: str, weights: Any, K: int | None = None) -> Array:
    """Return weights of K classes, or of as many as are given; refuse what is not one number > 0 per class."""
    array = checks.numeric(name, weights)
    checks.shape(name, array, (array.size if K is None else K,), "one weight per class")
    checks.compare(name, array, array > 0, "weights > 0", "pass 1 for a class without a weight of its own")
    return array


def balanced_class_weights(counts: Array) -> tuple[float, ...]:
    """Return weights with which all classes count the same, N / (classes · count), as in scikit-learn."""
    return tuple((counts.sum() / (len(counts) * np.maximum(counts, 1))).tolist())


def softmax(z: Array) -> Array:
    r"""Probabilities of classes, :math:`e^{z_k} / \sum_j e^{z_j}`.

    Parameters
    ----------
    z : ndarray, shape (…, K)
        Logits.

    Examples
    --------
    >>> softmax(np.array([1000.0, 1000.0]))
    array([0.5, 0.5])
    """
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


LOSSES: dict[str, Loss] = {
    "mse": mse,
    "cross_entropy": cross_entropy,
    "binary_cross_entropy": binary_cross_entropy,
}


def _sum(terms: Array) -> float:
    return float(terms.sum(dtype=np.float64))


def _numbers(prediction: Any, target: Any, mask: Any) -> _Compared:
    """Check a prediction and a target of numbers."""
    p, y = checks.numeric("prediction", prediction), checks.real("target", target)
    if p.ndim and p.shape[-1] == 1 and y.shape == p.shape[:-1]:
        y = y[..., None]
    checks.shape("target", y, p.shape, "that of the prediction")
    counts, n = _counting(mask, p.shape)
    y = np.where(counts, y, 0)
    checks.finite("target", y)
    y = checks.as_dtype("target", y, p.dtype, do="scale the targets, or use a layer of float64")
    return _Compared(p, y, counts, n)


def _classes(prediction: Any, target: Any, mask: Any, ignore: int | None) -> _Compared:
    """Check logits and a target of classes."""
    z, y = checks.numeric("prediction", prediction), np.asarray(target)
    if z.ndim == 0 or z.shape[-1] == 0:
        checks.refuse("prediction", f"shape {z.shape}", "an axis of classes, the last", "pass one logit per class")
    if y.dtype.kind not in "iu":
        do = "number the classes from 0, as numpy.unique(y, return_inverse=True) does"
        checks.refuse("target", f"an array of dtype {y.dtype}", "whole numbers", do, TypeError)
    checks.shape("target", y, z.shape[:-1], "that of the prediction without its axis of classes")
    counts, n = _counting(mask, y.shape)
    if ignore is not None:
        counts, n = _counting(counts & (y != ignore), y.shape)
    y = np.where(counts, y, 0)
    K = z.shape[-1]
    checks.compare("target", y, (y >= 0) & (y < K), f"classes 0 to {K - 1}", "number the classes from 0")
    return _Compared(z, y, counts, n)


def _counting(mask: Any, shape: tuple[int, ...]) -> tuple[Array, int]:
    """Return where entries count, in the target's shape, and how many do."""
    counts = np.ones(shape, dtype=bool) if mask is None else np.asarray(mask)
    if counts.dtype != np.bool_:
        got = f"an array of dtype {counts.dtype}"
        checks.refuse("mask", got, "booleans, True = counts", "compare numbers with 0", TypeError)
    if counts.shape != shape[: counts.ndim]:
        expected = f"shape {shape}, or its first axes"
        checks.refuse("mask", f"shape {counts.shape}", expected, "pass one boolean per entry")
    counts = np.broadcast_to(counts.reshape(counts.shape + (1,) * (len(shape) - counts.ndim)), shape)
    n = int(np.count_nonzero(counts))
    if n == 0:
        checks.refuse("target", "nothing that counts", "at least one entry", "remove such samples")
    return counts, n
