r"""Metrics of a classifier, as :func:`cfc_ref.fit` calls them: ``metric(prediction, target, mask=None)``."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from cfc_ref import checks
from cfc_ref.arrays import Array

__all__ = ["METRICS", "accuracy", "auc"]


def accuracy(
    prediction: npt.ArrayLike, target: npt.ArrayLike, mask: npt.ArrayLike | None = None, *, ignore: int | None = None
) -> float:
    r"""Share of classes that are right: the largest logit, or the sign of a single one.

    Parameters
    ----------
    prediction : array_like, shape (…, K)
        Logits of K classes; with K = 1 that of class 1.
    target : array_like, shape (…)
        Classes, 0 … K - 1.
    mask : array_like of bool, optional
        True where an entry counts.
    ignore : int, optional
        A target that does not count.

    Returns
    -------
    float

    Raises
    ------
    ValueError, TypeError
        For shapes that do not fit, and if nothing counts.

    Examples
    --------
    >>> accuracy([[2.0, 1.0], [0.0, 3.0], [1.0, 0.0]], [0, 1, 1])
    0.6666666666666666
    """
    z, y, counts = _arranged(prediction, target, mask)
    if ignore is not None:
        counts = counts & (y != ignore)
    chosen = (z[..., 0] > 0) if z.shape[-1] == 1 else z.argmax(axis=-1)
    return float(np.mean((chosen == y)[_some(counts)]))


def auc(prediction: npt.ArrayLike, target: npt.ArrayLike, mask: npt.ArrayLike | None = None) -> float:
    r"""Area under the ROC curve: the probability that a sample of class 1 scores higher than one of class 0.

    .. math:: \mathrm{AUC} = \frac{1}{n_1 n_0} \sum_{i:\,y_i = 1}\ \sum_{j:\,y_j = 0}
              \big([s_i > s_j] + \tfrac12 [s_i = s_j]\big)

    computed from ranks (Mann and Whitney 1947).

    Parameters
    ----------
    prediction : array_like, shape (…, 2) or (…, 1)
        Logits: the score s is that of class 1 minus that of class 0, or the only one.
    target : array_like, shape (…)
        0 or 1.
    mask : array_like of bool, optional
        True where an entry counts.

    Returns
    -------
    float

    Raises
    ------
    ValueError, TypeError
        For shapes that do not fit, targets other than 0 and 1, and if a class is missing.

    Examples
    --------
    >>> auc([[0.1], [0.4], [0.35], [0.8]], [0, 0, 1, 1])
    0.75
    """
    z, y, counts = _arranged(prediction, target, mask)
    if z.shape[-1] > 2:
        checks.refuse("prediction", f"{z.shape[-1]} classes", "one or two", "compare one class with the others")
    score, y = (z[..., -1] - (z[..., 0] if z.shape[-1] == 2 else 0))[_some(counts)], y[counts]
    checks.compare("target", y, (y == 0) | (y == 1), "classes 0 and 1", "number them so")
    positive = y == 1
    n1, n0 = int(positive.sum()), int((~positive).sum())
    if not n1 or not n0:
        checks.refuse("target", f"{n1} samples of class 1 and {n0} of class 0", "some of both", "pass more samples")
    _, place, count = np.unique(score, return_inverse=True, return_counts=True)
    rank = (np.cumsum(count) - (count - 1) / 2)[place]  # the mean rank of equal scores
    return float((rank[positive].sum() - n1 * (n1 + 1) / 2) / (n1 * n0))


METRICS: dict[str, Callable[..., float]] = {"accuracy": accuracy, "auc": auc}


def _arranged(prediction: npt.ArrayLike, target: npt.ArrayLike, mask: npt.ArrayLike | None) -> tuple[Array, ...]:
    """Check logits, targets and a mask, and return them in matching shapes."""
    z, y = checks.numeric("prediction", prediction), np.asarray(target)
    if z.ndim == 0 or z.shape[-1] == 0:
        checks.refuse("prediction", f"shape {z.shape}", "an axis of classes, the last", "pass one logit per class")
    if y.dtype.kind not in "biuf":
        checks.refuse("target", f"an array of dtype {y.dtype}", "classes", "number the classes from 0", TypeError)
    checks.shape("target", y, z.shape[:-1], "that of the prediction without its axis of classes")
    counts = np.ones(y.shape, bool) if mask is None else np.asarray(mask)
    if counts.dtype != np.bool_ or counts.shape != y.shape:
        got = f"an array of dtype {counts.dtype} and shape {counts.shape}"
        checks.refuse("mask", got, f"booleans of shape {y.shape}", "pass one boolean per entry")
    return z, y, counts


def _some(counts: Array) -> Array:
    if not counts.any():
        checks.refuse("target", "nothing that counts", "at least one entry", "remove such samples")
    return counts
