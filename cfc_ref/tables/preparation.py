r"""From the numbers of a table to those of a network and back: standardisation, timespans, missing values.

The means, standard deviations and the median timespan are those of the training part. They are stored with the model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from cfc_ref import checks
from cfc_ref.arrays import Array
from cfc_ref.learn.scaling import standardisation
from cfc_ref.tables.columns import Columns
from cfc_ref.tables.csv import Table
from cfc_ref.tables.missing import fill_rows, last_seen
from cfc_ref.tables.split import TRAIN

__all__ = ["Preparation", "ahead", "learn_preparation", "series_order"]


@dataclass(frozen=True)
class Preparation:
    """Numbers that turn a table into the network's inputs, and its outputs into predictions."""

    columns: Columns
    horizon: int  # rows ahead that targets are predicted
    missing: bool  # whether features may be missing: the network reads last seen value, time since, and mask
    timespan: float  # median time between two rows, the network's unit of time
    feature_mean: tuple[float, ...]
    feature_std: tuple[float, ...]
    change: tuple[bool, ...]  # whether a target is predicted as the change since its last seen value
    target_mean: tuple[float, ...]  # of the target, or of its change; 0 for classes
    target_std: tuple[float, ...]
    label_per_group: bool = False  # whether a target is one label of its group, predicted after the last row
    timespan_range: tuple[float, float] | None = None  # shortest and longest of the training part, in that unit

    @property
    def inputs(self) -> int:
        """The number of features that the network reads."""
        return len(self.columns.features) * (3 if self.missing else 1)

    @property
    def outputs(self) -> int:
        """The number of outputs of the network: one per target, or one per class."""
        return len(self.columns.classes or self.columns.targets)

    def timespans(self, step: Array) -> Array:
        """Return the time since the previous row over the median, 1 for the first row of a series."""
        return np.where(np.isnan(step), 1.0, step / self.timespan)

    def scaled(self, x: Array) -> Array:
        """Return standardised features, NaN where missing."""
        return (x - self.feature_mean) / self.feature_std

    def network_inputs(self, x: Array, timespans: Array, begins: Array) -> Array:
        """Return the inputs of the network; `begins` holds for each row the first row of its series."""
        x = self.scaled(x)
        return np.concatenate(fill_rows(x, ~np.isnan(x), np.cumsum(timespans), begins), axis=1) if self.missing else x

    def base(self, inputs: Array) -> Array:
        """Return the base of predictions: the last seen target if its change is predicted, else 0."""
        base = np.zeros((len(inputs), len(self.columns.targets)))
        for k, (name, change) in enumerate(zip(self.columns.targets, self.change, strict=True)):
            if change:
                j = self.columns.features.index(name)
                base[:, k] = inputs[:, j] * self.feature_std[j] + self.feature_mean[j]
        return base

    def network_targets(self, y: Array, base: Array) -> Array:
        """Return the targets of the network's outputs."""
        return (y - base - self.target_mean) / self.target_std

    def predictions(self, outputs: Array, base: Array) -> Array:
        """Return predicted numbers in the table's units, or the classes' probabilities."""
        if self.columns.classes is not None:
            from cfc_ref.learn.losses import softmax

            return softmax(outputs.astype(np.float64))
        return outputs * np.array(self.target_std) + self.target_mean + base

    def as_dict(self) -> dict[str, Any]:
        """Return everything as plain numbers, strings, lists and dicts."""
        return {**asdict(self), "columns": self.columns._asdict()}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Preparation:
        """Return the inverse of :meth:`as_dict`, also after JSON."""

        def tuples(part: Mapping[str, Any]) -> dict[str, Any]:
            return {name: tuple(value) if isinstance(value, list) else value for name, value in part.items()}

        return cls(**{**tuples(stored), "columns": Columns(**tuples(stored["columns"]))})


def ahead(values: Array, horizon: int, group: Array) -> Array:
    """Return values `horizon` rows later, NaN if the group ends before; rows of a group are contiguous."""
    later = np.full_like(values, np.nan)
    k = np.arange(max(0, len(values) - horizon))
    k = k[group[k] == group[k + horizon]]
    later[k] = values[k + horizon]
    return later


def series_order(group: Array) -> tuple[Array, Array]:
    """Return the rows of a table, series by series, and for each the position where its series begins."""
    order = np.argsort(group, kind="stable")
    first = np.diff(group[order], prepend=-1) != 0
    return order, np.maximum.accumulate(np.where(first, np.arange(len(order)), 0))


def learn_preparation(table: Table, columns: Columns, part: Array, *, horizon: int, missing: bool) -> Preparation:
    """Learn means, scales and the median timespan of the training part only.

    A target that is also a feature is predicted as its change since the last seen value if that varies less than the
    target.
    """
    order, begins = series_order(table.group)
    trains = part[order] == TRAIN
    steps = table.step[order][1:][trains[1:] & trains[:-1]]
    y = np.where(trains[:, None], table.y[order], np.nan)
    values = ahead(y, horizon, table.group[order])
    target_mean, target_std = _mean_scale(columns.targets, values)
    change = np.zeros(len(columns.targets), dtype=bool)
    if columns.classes is not None:
        target_mean, target_std = np.zeros(1), np.ones(1)
    elif horizon:
        change_mean, change_std = _mean_scale(columns.targets, values - last_seen(y, np.nan, begins))
        change = (change_std < target_std) & np.isin(columns.targets, columns.features)
        target_mean = np.where(change, change_mean, target_mean)
        target_std = np.where(change, change_std, target_std)
    feature_mean, feature_std = _mean_scale(columns.features, table.x[part == TRAIN])
    steps = steps[~np.isnan(steps)]
    timespan = _median(columns.time, steps)
    return Preparation(
        columns,
        horizon,
        missing,
        timespan,
        tuple(feature_mean.tolist()),
        tuple(feature_std.tolist()),
        tuple(change.tolist()),
        tuple(target_mean.tolist()),
        tuple(target_std.tolist()),
        timespan_range=(float(steps.min()) / timespan, float(steps.max()) / timespan),
    )


def _median(column: str, steps: Array) -> float:
    median = float(np.median(steps)) if len(steps) else 0.0
    if not 0 < median < np.inf:
        got = f"a median timespan of {median:g} in column {column!r}" if len(steps) else "no two rows of one group"
        do = "name another column of times or of groups, or add rows"
        checks.refuse("path", f"{got} of the training part", "increasing times", do)
    return median


def _mean_scale(columns: tuple[str, ...], values: Array) -> tuple[Array, Array]:
    """Return means and standard deviations of the known values."""
    for k in np.flatnonzero(np.isnan(values).all(axis=0)):
        got = f"no number in column {columns[k]!r} of the training part"
        checks.refuse("path", got, "at least one", "name other columns, or add rows")
    return standardisation(values)
