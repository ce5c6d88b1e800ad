"""Predictions row by row, as rows come in: the same as of a whole table, with the state kept in between."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cfc_ref.csv_table import Rows
from cfc_ref.data.missing import Filler
from cfc_ref.tables.columns import check_header
from cfc_ref.tables.csv import refuse_going_back, table_of
from cfc_ref.tables.preparation import Preparation

if TYPE_CHECKING:
    import numpy.typing as npt

    from cfc_ref.layers.base import Layer

    Array = npt.NDArray[Any]

__all__ = ["RowPredictor"]


class RowPredictor:
    """A trained network that predicts from rows, one at a time; each group has a state of its own."""

    def __init__(self, model: Layer, preparation: Preparation, source: str, header: list[str]) -> None:
        check_header(source, header)
        self._model, self._preparation = model, preparation
        self._source, self._header = source, header
        self._series: dict[str | None, _Series] = {}

    def __call__(self, line: int, fields: list[str]) -> Array:
        """Return the predictions for a row."""
        columns, rows = self._preparation.columns, Rows(self._header, [line], [fields])
        table = table_of(self._source, rows, columns, targets=False, missing=self._preparation.missing)
        group = None if columns.group is None else fields[self._header.index(columns.group)].strip()
        written = fields[self._header.index(columns.time)].strip()
        if group not in self._series:
            self._series[group] = _Series(self._model, self._preparation)
        series = self._series[group]
        if series.time is not None and table.time[0] < series.time:
            refuse_going_back(self._source, columns, rows, 0, series.written)
        return series.predict(table.x[0], table.time[0], written)


class _Series:
    """Where a group is: its state, and its last time and values."""

    def __init__(self, model: Layer, preparation: Preparation) -> None:
        self._stepper = model.stepper()
        self._preparation = preparation
        self._filler = Filler(len(preparation.columns.features))
        self.time: float | None = None
        self.written = ""

    def predict(self, x: Array, time: float, written: str) -> Array:
        """Take a row, and return its predictions."""
        p = self._preparation
        dt = 1.0 if self.time is None else (time - self.time) / p.timespan
        self.time, self.written = time, written
        x = p.scaled(x)
        if p.missing:
            x = self._filler(x, ~np.isnan(x), dt)
        return p.predictions(self._stepper(x, dt)[None], p.base(x[None]))[0]
