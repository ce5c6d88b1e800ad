"""Estimators with scikit-learn's conventions for sequences of any lengths, at any times; scikit-learn is optional."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from cfc_ref import checks
from cfc_ref.arrays import Array
from cfc_ref.learn.estimator_base import ANOTHER_UNIT, LARGEST, Estimator
from cfc_ref.learn.losses import CrossEntropy, balanced_class_weights, checked_class_weights, softmax
from cfc_ref.learn.scaling import ColumnScaling, is_constant, standardisation
from cfc_ref.learn.sequences import Sequences, pad, pad_like, unpad_like

__all__ = ["CfCClassifier", "CfCRegressor"]


@dataclass(eq=False, repr=False)
class CfCRegressor(Estimator):
    r"""A CfC network that predicts numbers per sequence or per step, with scikit-learn's conventions.

    Inputs and targets are standardised and timespans divided by their median, learned from the training sequences. It
    trains with Adam, a cosine schedule, gradients clipped to a global norm of 1, and the mean squared error.

    Parameters
    ----------
    units, mode, mixed_memory, activation, backbone_units, backbone_layers, backbone_dropout
        Settings of the network, as for :class:`cfc_ref.CfC`.
    learning_rate : float
        Of the first step. On four small data sets (40 to 300 sequences) the default's worst of five seeds scored at
        most 0.03 below their mean; from 0.01 on some trainings fail.
    epochs, batch_size, l2, patience, seed, progress
        As for :func:`cfc_ref.fit`; `seed` also draws the initial weights.
    validation_fraction : float
        Share of the sequences that is held back, to keep the weights of the epoch with the lowest loss on it.
    return_sequences : bool
        Whether there is one target per step rather than per sequence.

    Attributes
    ----------
    model_ : CfC
        The network.
    history_ : History
        The course of training; losses are those of standardised targets.
    n_features_in_ : int
        Features per step.
    x_scaling_, y_scaling_ : ColumnScaling
        Means and standard deviations.
    timespan_unit_ : float or None
        The median timespan; None if fit got none.

    Notes
    -----
    scikit-learn's searches and cross-validations pass `timespans` on only with metadata routing. Before
    ``GridSearchCV(model, grid).fit(X, y, timespans=dt)`` call ``sklearn.set_config(enable_metadata_routing=True)``.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = [rng.normal(size=(length, 1)) for length in rng.integers(5, 15, size=40)]
    >>> y = [x.sum() for x in X]
    >>> CfCRegressor(units=8, learning_rate=0.01, epochs=50).fit(X, y).score(X, y) > 0.9
    True
    """

    return_sequences: bool = False
    _kind = "regressor"

    def fit(self, X: Any, y: Any, timespans: Any = None) -> CfCRegressor:
        """Train on sequences, and return the estimator.

        Parameters
        ----------
        X : list of array_like of shape (T_i, F), or array of shape (N, T, F)
            Sequences of any lengths.
        y : array_like, shape (N,) or (N, O); with ``return_sequences`` as X, of shapes (T_i,) or (T_i, O)
            Targets.
        timespans : list of array_like of shape (T_i,), array of shape (N, T), number, or None
            Time since the previous sample, in any unit; 1 by default.

        Raises
        ------
        ValueError, TypeError
            If an argument or a setting does not fit; an earlier fit then remains.
        """
        sequences, per_step = pad("X", X), checks.flag("return_sequences", self.return_sequences)
        y = self._targets(y, sequences)
        flat = y.ndim == 1 + per_step
        if flat:
            y = y[..., None]
        split = self._split(len(y))
        trained = split[0]
        scaling = standardisation(y[trained][sequences.mask[trained]] if per_step else y[trained])
        task = {"loss": "mse", "outputs": y.shape[-1], "per_step": per_step}
        self._fit(sequences, scaling.apply(y), timespans, split, **task)
        self._flat: bool = flat
        self.y_scaling_: ColumnScaling = scaling
        return self

    def _targets(self, y: Any, sequences: Sequences) -> Array:
        N = len(sequences.x)
        array = pad_like("y", y, sequences) if self.return_sequences else checks.numeric("y", y).astype(np.float64)
        if not self.return_sequences and (array.ndim not in (1, 2) or len(array) != N or array.size == 0):
            checks.refuse("y", f"shape {array.shape}", f"shape ({N},) or ({N}, O)", "pass one target per sequence")
        checks.compare("y", array, np.abs(array) <= LARGEST, *ANOTHER_UNIT)
        return array

    def predict(self, X: Any, timespans: Any = None) -> Any:
        """Return predictions in the form of the targets of :meth:`fit`.

        Parameters
        ----------
        X, timespans
            As for :meth:`fit`; before it sklearn's NotFittedError is raised.

        Returns
        -------
        ndarray; with ``return_sequences`` a list of them where X is a list
        """
        outputs, sequences = self._run(X, timespans)
        values = self.y_scaling_.undo(outputs)
        if self._flat:
            values = values[..., 0]
        return unpad_like(values, sequences) if self.model_.return_sequences else values

    def score(self, X: Any, y: Any, timespans: Any = None) -> float:
        r"""Return the coefficient of determination, :math:`R^2 = 1 - \sum (y - p)^2 / \sum (y - \bar y)^2`.

        It runs over all steps if there is a target per step, and is the mean over several outputs. As in scikit-learn
        a constant target scores 1 if it is met exactly, else 0; constant up to rounding counts as constant.

        Parameters
        ----------
        X, y, timespans
            As for :meth:`fit`.
        """
        predicted, sequences = self.predict(X, timespans), pad("X", X)
        truth = self._targets(y, sequences)
        if self.model_.return_sequences:
            predicted, truth = np.concatenate(list(predicted)), truth[sequences.mask]
        checks.shape("y", truth, np.shape(predicted), "that of the predictions")
        missed = np.abs(truth - predicted)
        with np.errstate(over="ignore"):  # of a constant target, which has no unexplained part
            unexplained = np.square(missed / standardisation(truth).scale).mean(axis=0)
        return float(np.mean(np.where(is_constant(truth), missed.max(axis=0) == 0, 1 - unexplained)))


@dataclass(eq=False, repr=False)
class CfCClassifier(Estimator):
    r"""A CfC network that classifies sequences, with scikit-learn's conventions.

    Inputs are standardised and timespans divided by their median, learned from the training sequences. It trains with
    Adam, a cosine schedule, gradients clipped to a global norm of 1, and the cross-entropy.

    Parameters
    ----------
    units, mode, mixed_memory, activation, backbone_units, backbone_layers, backbone_dropout, learning_rate, epochs
        As for :class:`CfCRegressor`.
    batch_size, l2, patience, seed, progress, validation_fraction
        As for :class:`CfCRegressor`.
    class_weight : dict, "balanced" or None
        Weights of the labels in the loss, 1 by default; "balanced" makes every class count alike.

    Attributes
    ----------
    classes_ : ndarray
        The labels, sorted.
    model_ : CfC
        The network; its outputs are logits in the order of `classes_`.
    history_, n_features_in_, x_scaling_, timespan_unit_
        As of :class:`CfCRegressor`.

    Notes
    -----
    On searches of scikit-learn with `timespans` see :class:`CfCRegressor`.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = [rng.normal(size=(length, 1)) for length in rng.integers(5, 15, size=40)]
    >>> y = ["up" if x.sum() > 0 else "down" for x in X]
    >>> model = CfCClassifier(units=8, learning_rate=0.01, epochs=50).fit(X, y)
    >>> model.classes_, model.score(X, y) > 0.9
    (array(['down', 'up'], dtype='<U4'), True)
    """

    class_weight: Any = None
    _kind = "classifier"

    def fit(self, X: Any, y: Any, timespans: Any = None) -> CfCClassifier:
        """Train on sequences, and return the estimator.

        Parameters
        ----------
        X : list of array_like of shape (T_i, F), or array of shape (N, T, F)
            Sequences of any lengths.
        y : array_like, shape (N,)
            Labels: numbers or strings.
        timespans : list of array_like of shape (T_i,), array of shape (N, T), number, or None
            Time since the previous sample, in any unit; 1 by default.

        Raises
        ------
        ValueError, TypeError
            If an argument or a setting does not fit; an earlier fit then remains.
        """
        sequences = pad("X", X)
        classes, numbered = np.unique(_labels(y, len(sequences.x)), return_inverse=True)
        if len(classes) < 2:
            checks.refuse("y", f"the label {classes[0]!r} only", "two classes at least", "pass others as well")
        loss = CrossEntropy(_class_weights(self.class_weight, classes, numbered))
        task = {"loss": loss, "outputs": len(classes), "per_step": False}
        self._fit(sequences, numbered, timespans, self._split(len(numbered)), **task)
        self.classes_: Array = classes
        return self

    def predict_proba(self, X: Any, timespans: Any = None) -> Array:
        """Return probabilities of the classes, in the order of ``classes_``.

        Parameters
        ----------
        X, timespans
            As for :meth:`fit`.

        Returns
        -------
        ndarray, shape (N, classes)
        """
        return softmax(self._run(X, timespans)[0])

    def predict(self, X: Any, timespans: Any = None) -> Array:
        """Return the most probable label of each sequence.

        Parameters
        ----------
        X, timespans
            As for :meth:`fit`.

        Returns
        -------
        ndarray, shape (N,)
        """
        most_probable = self.predict_proba(X, timespans).argmax(axis=1)
        return self.classes_[most_probable]

    def score(self, X: Any, y: Any, timespans: Any = None) -> float:
        """Return the share of sequences whose label is predicted.

        Parameters
        ----------
        X, y, timespans
            As for :meth:`fit`.
        """
        predicted = self.predict(X, timespans)
        return float(np.mean(predicted == _labels(y, len(predicted))))


def _class_weights(weight: Any, classes: Array, numbered: Array) -> tuple[float, ...] | None:
    """Return one weight per class: "balanced", or those of a dict by label."""
    if weight is None:
        return None
    if isinstance(weight, str) and weight == "balanced":
        return balanced_class_weights(np.bincount(numbered))
    if not isinstance(weight, dict) or not set(weight) <= set(classes.tolist()):
        expected = "None, 'balanced', or a dict of labels and weights"
        checks.refuse("class_weight", repr(weight), expected, f"use the labels {classes.tolist()}")
    weights = [weight.get(label, 1.0) for label in classes.tolist()]
    return tuple(checked_class_weights("class_weight", weights).tolist())


def _labels(y: Any, N: int) -> Array:
    """Return labels as an array, checked."""
    try:
        labels = np.asarray(y)
    except ValueError:
        labels = np.empty((0, 0))  # a ragged sequence
    if labels.shape != (N,):
        checks.refuse("y", f"shape {labels.shape}", f"shape ({N},)", "pass one label per sequence")
    if labels.dtype.kind == "f":
        checks.finite("y", labels)
    if labels.dtype.kind == "O" and len({type(label) for label in labels.tolist()}) > 1:
        checks.refuse("y", "labels of several types", "numbers or strings", "pass labels of one type", TypeError)
    return labels
