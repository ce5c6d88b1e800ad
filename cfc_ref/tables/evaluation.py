"""A network's predictions for prepared series, and how good they are on held-back rows beside others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cfc_ref.tables.baselines import baseline_predictions, truth
from cfc_ref.tables.columns import Columns
from cfc_ref.tables.csv import Table
from cfc_ref.tables.parts import TEST
from cfc_ref.tables.preparation import Preparation
from cfc_ref.tables.series import Series

if TYPE_CHECKING:
    import numpy.typing as npt

    from cfc_ref.layers.base import Layer

    Array = npt.NDArray[Any]

_BATCH = 1 << 16  # rows that a network runs over at once

__all__ = ["HeldBack", "held_back_figures", "predict_held_back", "series_predictions"]


def series_predictions(model: Layer, preparation: Preparation, series: list[Series]) -> list[Array]:
    """Return a network's predictions for each series, run those of one length at once."""
    predicted: list[Array] = [np.empty(0)] * len(series)
    lengths = np.array([len(one.dt) for one in series])
    for length in np.unique(lengths):
        (same,) = np.nonzero(lengths == length)
        for batch in np.array_split(same, -(-len(same) * int(length) // _BATCH)):
            x, dt = (np.stack([getattr(series[k], name) for k in batch]) for name in ("x", "dt"))
            for k, outputs in zip(batch, model(x, timespans=dt)[0], strict=True):
                predicted[k] = preparation.predictions(outputs, series[k].base)
    return predicted


class HeldBack(NamedTuple):
    """The targets of the test part, and predictions of them, shapes (rows, targets)."""

    y: Array  # in the table's units, or of a class the place of its name; NaN where unknown
    predicted: dict[str, Array]  # by the network, and by what it is compared with


def predict_held_back(
    model: Layer, preparation: Preparation, series: list[Series], table: Table, length: int
) -> HeldBack:
    """Predict the test part, by the network and by what it has to beat."""
    of_network = np.concatenate(series_predictions(model, preparation, series))
    if preparation.columns.classes is not None:
        of_network = np.argmax(of_network, axis=1)[:, None].astype(np.float64)
    tested = np.concatenate([one.part for one in series]) == TEST
    predicted = {"network": of_network, **baseline_predictions(preparation, series, table, length)}
    y = truth(preparation, series)
    return HeldBack(y[tested], {name: rows[tested] for name, rows in predicted.items()})


def held_back_figures(held_back: HeldBack, columns: Columns) -> dict[str, Any]:
    """Return how good predictions are, a number a target."""
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
