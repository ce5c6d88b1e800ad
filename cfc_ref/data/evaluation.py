"""A network's predictions for prepared series, and how good they are on held-back rows beside others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cfc_ref.data.baselines import baseline_predictions, truth
from cfc_ref.data.columns import Columns
from cfc_ref.data.csv import Table
from cfc_ref.data.parts import TEST
from cfc_ref.data.preparation import Preparation
from cfc_ref.data.series import Series

if TYPE_CHECKING:
    import numpy.typing as npt

    from cfc_ref.layers.base import Layer

    Array = npt.NDArray[Any]

__all__ = ["HeldBack", "held_back_figures", "predict_held_back", "series_predictions"]


def series_predictions(model: Layer, preparation: Preparation, series: list[Series]) -> list[Array]:
    """Return a network's predictions for each series, run from its first row to its last.

    Parameters
    ----------
    model : CfC, LTC or NeuralLTC
        Trained on data of this preparation.
    preparation : Preparation
        Of the series.
    series : list of Series
        With targets or without.

    Returns
    -------
    list of ndarray, shapes (T, targets) or (T, classes)
        In the table's units, or probabilities.

    Examples
    --------
    >>> from cfc_ref import CfC
    >>> columns = Columns("t", False, ("v",), ("w",), None, None)
    >>> preparation = Preparation(columns, 0, False, 1.0, (0.0,), (1.0,), (False,), (0.0,), (1.0,))
    >>> zero = np.zeros((4, 1))
    >>> series = [Series(np.arange(4), zero, zero[:, 0], zero, zero, zero[:, 0])]
    >>> series_predictions(CfC(1, 8, proj_size=1, seed=0), preparation, series)[0].shape
    (4, 1)
    """
    return [preparation.predictions(model(one.x, timespans=one.dt)[0], one.base) for one in series]


class HeldBack(NamedTuple):
    """What was to be predicted of the test part, and what was predicted.

    Attributes
    ----------
    y : ndarray, shape (rows, targets)
        In the table's units, or of a class the place of its name; NaN where unknown.
    predicted : dict of ndarray, shapes (rows, targets)
        By the network, and by what it has to beat.
    """

    y: Array
    predicted: dict[str, Array]


def predict_held_back(
    model: Layer, preparation: Preparation, series: list[Series], table: Table, length: int
) -> HeldBack:
    """Predict the test part, by the network and by what it has to beat.

    Parameters
    ----------
    model : CfC, LTC or NeuralLTC
        Trained on the training part.
    preparation : Preparation
        Of the series.
    series : list of Series
        Prepared with targets and parts.
    table : Table
        That they are of.
    length : int
        Rows of the linear autoregression's window.

    Examples
    --------
    >>> from cfc_ref import CfC
    >>> from cfc_ref.csv_table import Rows
    >>> from cfc_ref.data.series import prepare
    >>> columns = Columns("t", False, ("v",), ("w",), None, None)
    >>> preparation = Preparation(columns, 0, False, 1.0, (0.0,), (1.0,), (False,), (0.0,), (1.0,))
    >>> x = np.array([[1.0], [2.0], [3.0], [4.0]])
    >>> table = Table(Rows([], [], []), np.arange(4.0), x, 2 * x, np.zeros(4, int))
    >>> series = prepare(preparation, table, np.array([0, 0, 1, 2]))
    >>> held_back = predict_held_back(CfC(1, 8, proj_size=1, seed=0), preparation, series, table, 1)
    >>> held_back.y, held_back.predicted["persistence"]
    (array([[8.]]), array([[6.]]))
    """
    of_network = np.concatenate(series_predictions(model, preparation, series))
    if preparation.columns.classes is not None:
        of_network = np.argmax(of_network, axis=1)[:, None].astype(np.float64)
    tested = np.concatenate([one.part for one in series]) == TEST
    predicted = {"network": of_network, **baseline_predictions(preparation, series, table, length)}
    y = truth(preparation, series)
    return HeldBack(y[tested], {name: rows[tested] for name, rows in predicted.items()})


def held_back_figures(held_back: HeldBack, columns: Columns) -> dict[str, Any]:
    """Return how good predictions are, a number a target.

    Parameters
    ----------
    held_back : HeldBack
        The predictions.
    columns : Columns
        Of the table.

    Returns
    -------
    dict
        ``figure``, "mean squared error" or "accuracy"; ``rows``, how many are predicted; ``targets``; and the figures
        by who predicted.

    Examples
    --------
    >>> columns = Columns("t", False, ("v",), ("w",), None, None)
    >>> held_back_figures(HeldBack(np.array([[8.0]]), {"persistence": np.array([[6.0]])}), columns)
    {'figure': 'mean squared error', 'rows': 1, 'targets': ['w'], 'persistence': [4.0]}
    """
    y, are_classes = held_back.y, columns.classes is not None
    return {
        "figure": "accuracy" if are_classes else "mean squared error",
        "rows": int(np.count_nonzero(~np.isnan(y).all(axis=1))),
        "targets": list(columns.targets),
        **{name: _figures(rows, y, are_classes) for name, rows in held_back.predicted.items()},
    }


def _figures(predicted: Array, y: Array, are_classes: bool) -> list[float]:
    """Return the accuracy or the mean squared error of each column, over what is known."""
    how_good = np.where(np.isnan(y), np.nan, predicted == y) if are_classes else (predicted - y) ** 2
    return [float(figure) for figure in np.nanmean(how_good, axis=0)]
