r"""From a table's numbers to a network's and back: standardisation, timespans, missing values.

What is learned of the training part, means, standard deviations and the median timespan, is plain numbers that are
stored with the model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cfc_ref import checks
from cfc_ref.data.missing import fill, last_seen
from cfc_ref.tables.columns import Columns
from cfc_ref.tables.csv import Table, by_group
from cfc_ref.tables.parts import TRAIN

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]

__all__ = ["Preparation", "ahead", "learn_preparation"]


@dataclass(frozen=True)
class Preparation:
    """How a table becomes what a network reads, and its outputs predictions.

    Attributes
    ----------
    columns : Columns
        Of the table.
    horizon : int
        How many rows ahead targets are predicted.
    missing : bool
        Whether features may be missing, and go in as last seen value, time since, and mask.
    timespan : float
        Median time between two rows, the network's unit of time.
    feature_mean, feature_std : tuple of float
        Of the features.
    change : tuple of bool
        Which targets the network predicts as the change since the last seen value.
    target_mean, target_std : tuple of float
        Of the targets, or of their change; of classes 0 and 1.
    """

    columns: Columns
    horizon: int
    missing: bool
    timespan: float
    feature_mean: tuple[float, ...]
    feature_std: tuple[float, ...]
    change: tuple[bool, ...]
    target_mean: tuple[float, ...]
    target_std: tuple[float, ...]

    @property
    def inputs(self) -> int:
        """Features that the network reads."""
        return len(self.columns.features) * (3 if self.missing else 1)

    @property
    def outputs(self) -> int:
        """Numbers that the network gives: one a target, or one a class."""
        return len(self.columns.classes or self.columns.targets)

    def timespans(self, time: Array) -> Array:
        """Return the timespans of a series: time since the row before, over the median; of the first row 1."""
        return np.concatenate([[1.0], np.diff(time) / self.timespan])

    def scaled(self, x: Array) -> Array:
        """Return standardised features, NaN where missing."""
        return (x - self.feature_mean) / self.feature_std

    def network_inputs(self, x: Array, timespans: Array) -> Array:
        """Return what the network reads."""
        x = self.scaled(x)
        return fill(x, ~np.isnan(x), timespans) if self.missing else x

    def base(self, inputs: Array) -> Array:
        """Return what predictions are added to: the last seen target per changed column, 0 for the others."""
        base = np.zeros((len(inputs), len(self.columns.targets)))
        for k, (name, change) in enumerate(zip(self.columns.targets, self.change, strict=True)):
            if change:
                j = self.columns.features.index(name)
                base[:, k] = inputs[:, j] * self.feature_std[j] + self.feature_mean[j]
        return base

    def network_targets(self, y: Array, base: Array) -> Array:
        """Return what the network's outputs are compared with."""
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
        """Return what :meth:`as_dict` gave, also by way of JSON."""

        def tuples(part: Mapping[str, Any]) -> dict[str, Any]:
            return {name: tuple(value) if isinstance(value, list) else value for name, value in part.items()}

        return cls(**{**tuples(stored), "columns": Columns(**tuples(stored["columns"]))})


def ahead(values: Array, horizon: int) -> Array:
    """Return a series' values `horizon` rows later, NaN where it ends before."""
    later = np.full_like(values, np.nan)
    later[: max(0, len(values) - horizon)] = values[horizon:]
    return later


def learn_preparation(table: Table, columns: Columns, part: Array, *, horizon: int, missing: bool) -> Preparation:
    """Learn means, standard deviations and the median timespan of the training part, and of nothing else.

    A target that is a feature is predicted as its change since the last seen value where that varies less than the
    target itself.
    """
    steps, values, changes = [], [], []
    for rows in by_group(table.group):
        trains = part[rows] == TRAIN
        steps.append(np.diff(table.time[rows])[trains[1:] & trains[:-1]])
        y = np.where(trains[:, None], table.y[rows], np.nan)
        values.append(ahead(y, horizon))
        changes.append(values[-1] - last_seen(y, np.nan))
    target_mean, target_std = _mean_std(columns.targets, np.concatenate(values))
    change = np.zeros(len(columns.targets), dtype=bool)
    if columns.classes is not None:
        target_mean, target_std = np.zeros(1), np.ones(1)
    elif horizon:
        change_mean, change_std = _mean_std(columns.targets, np.concatenate(changes))
        change = (change_std < target_std) & np.isin(columns.targets, columns.features)
        target_mean = np.where(change, change_mean, target_mean)
        target_std = np.where(change, change_std, target_std)
    feature_mean, feature_std = _mean_std(columns.features, table.x[part == TRAIN])
    return Preparation(
        columns,
        horizon,
        missing,
        _median(columns.time, np.concatenate(steps)),
        tuple(feature_mean.tolist()),
        tuple(feature_std.tolist()),
        tuple(change.tolist()),
        tuple(target_mean.tolist()),
        tuple(target_std.tolist()),
    )


def _median(column: str, steps: Array) -> float:
    median = float(np.median(steps)) if len(steps) else 0.0
    if not 0 < median < np.inf:
        got = f"a median timespan of {median:g} in column {column!r}" if len(steps) else "no two rows of one series"
        checks.refuse("path", f"{got} of the training part", "times that go on", "name another column, or add rows")
    return median


def _mean_std(columns: tuple[str, ...], values: Array) -> tuple[Array, Array]:
    """Return means and standard deviations of what is known; 1 for a column that is constant."""
    known = ~np.isnan(values)
    count = known.sum(axis=0)
    for k in np.flatnonzero(count == 0):
        got = f"no number in column {columns[k]!r} of the training part"
        checks.refuse("path", got, "at least one", "leave the column out, or add rows")
    with np.errstate(over="ignore", invalid="ignore"):
        mean = np.where(known, values, 0).sum(axis=0) / count
        std = np.sqrt(np.where(known, (values - mean) ** 2, 0).sum(axis=0) / count)
    for k in np.flatnonzero(~np.isfinite(std)):
        got = f"numbers in column {columns[k]!r} whose variance overflows"
        checks.refuse("path", got, "numbers up to 1e150", "give the column another unit")
    return mean, np.where(std > 0, std, 1)
