"""Training on a table: split it, prepare it, cut it into windows, and fit a network."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cfc_ref import checks
from cfc_ref.arrays import Array
from cfc_ref.learn.losses import CrossEntropy, Loss, balanced_class_weights, checked_class_weights, mse
from cfc_ref.learn.optimizers import AdamW
from cfc_ref.learn.recipe import Recipe
from cfc_ref.learn.training_loop import train
from cfc_ref.tables.columns import Columns
from cfc_ref.tables.csv import Table
from cfc_ref.tables.labels import are_labels_of_groups, label_last_rows
from cfc_ref.tables.preparation import Preparation, learn_preparation
from cfc_ref.tables.series import RowWindows, Series, cut_windows, prepare
from cfc_ref.tables.split import (
    PARTS,
    TRAIN,
    VALIDATION,
    enough_groups,
    split_by_group,
    split_by_time,
    split_within_groups,
)

if TYPE_CHECKING:
    from cfc_ref.layers.base import Layer
    from cfc_ref.learn.history import History

__all__ = ["TableSettings", "class_weights", "fit_network", "known_mse", "new_network", "notes", "prepare_table"]

_SPLITS = ("time", "group", "within")
_UNKNOWN = -1  # the number of a class that is not known
_PADDED = 2.5e8  # numbers, 2 GB


@dataclass(frozen=True)
class TableSettings:
    """The settings of a training on a table.

    Attributes
    ----------
    horizon : int
        Rows ahead that targets are predicted.
    split : {"time", "group", "within"}, optional
        Rows that are held back: the latest of the table, whole groups, or the latest of each group; by default groups
        if there are enough of them, else the latest of each.
    validation, test : float
        Shares that are held back.
    missing : bool
        Whether features may be missing, also where none is.
    label_per_group : bool
        Whether a target is the label of its whole group, predicted after the last row.
    window, stride, warm_up : int
        Rows of a training window; rows from one window to the next; rows that the network reads before a window.
    model : {"cfc", "ltc"}
        The network.
    units : int
        Its neurons.
    mode : str, optional
        Of a CfC; by default "default".
    backbone : int, optional
        Neurons of a CfC's backbone; by default 32.
    mixed_memory : bool
        Whether to add an LSTM memory.
    epochs, batch_size, patience : int
        As for :func:`cfc_ref.fit`.
    learning_rate, weight_decay : float
        Of AdamW; the rate falls as a cosine.
    contraction : float, optional
        As for :func:`cfc_ref.fit`.
    class_weights : "balanced" or tuple of float, optional
        Weights of the classes in the loss: "balanced", so that all count the same, or one per class in their order.
    seed : int
        Of the weights, the order of windows and the draw of groups.
    """

    horizon: int = 0
    split: str | None = None
    validation: float = 0.15
    test: float = 0.15
    missing: bool = False
    label_per_group: bool = False
    window: int = 32
    stride: int = 16
    warm_up: int = 16
    model: str = "cfc"
    units: int = 96
    mode: str | None = None
    backbone: int | None = None
    mixed_memory: bool = False
    epochs: int = 60
    batch_size: int = 32
    patience: int = 20
    learning_rate: float = 8e-3
    weight_decay: float = 1.0
    seed: int = 0
    contraction: float | None = None
    class_weights: str | tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        for name, least in (("window", 1), ("stride", 1), ("units", 1), ("horizon", 0), ("warm_up", 0)):
            checks.count(name, getattr(self, name), at_least=least)
        if self.split is not None:
            checks.choice("split", self.split, _SPLITS)
        if self.label_per_group and (self.horizon or self.split not in (None, "group")):
            got = f"horizon {self.horizon}" if self.horizon else f"split {self.split!r}"
            checks.refuse("label_per_group", got, "a label of whole groups, which are held back whole", "remove it")
        if checks.choice("model", self.model, ("cfc", "ltc")) == "ltc":
            for name in ("mode", "backbone"):
                if getattr(self, name) is not None:
                    checks.refuse(name, repr(getattr(self, name)), "nothing, as an LTC has none", f"remove {name}")
        self.recipe(known_mse)
        if self.contraction is not None and (
            self.model == "ltc" or self.mode not in (None, "default") or self.mixed_memory
        ):
            expected = "nothing, unless the network is a CfC of mode 'default' without mixed memory"
            checks.refuse("contraction", self.contraction, expected, "remove contraction")
        if isinstance(self.class_weights, str):
            checks.choice("class_weights", self.class_weights, ("balanced",))
        elif self.class_weights is not None:
            weights = checked_class_weights("class_weights", self.class_weights)
            vars(self)["class_weights"] = tuple(weights.astype(float).tolist())

    def recipe(self, loss: Loss) -> Recipe:
        """Return the recipe of the training."""
        optimizer = AdamW(self.learning_rate, weight_decay=self.weight_decay)
        same = {name: getattr(self, name) for name in ("epochs", "batch_size", "patience", "seed", "contraction")}
        return Recipe(loss, optimizer, schedule="cosine", clip=1.0, **same)

    def chosen(self, columns: Columns, table: Table) -> TableSettings:
        """Return these settings with a split that the table allows, unless one was chosen."""
        if self.split is not None or self.label_per_group:
            return replace(self, split=self.split or "group")
        if columns.group is None:
            return replace(self, split="time")
        several = enough_groups(int(table.group.max()) + 1, self.validation, self.test)
        return replace(self, split="group" if several else "within")


def notes(columns: Columns, table: Table, settings: TableSettings, asked: str | None) -> list[str]:
    """Return notes for the user on the use of the table."""
    said = []
    if settings.split == "within" and asked is None:
        groups = int(table.group.max()) + 1
        said.append(
            f"{groups} group{'s are' if groups > 1 else ' is'} too few to hold whole ones back: the latest rows of "
            "each are held back instead (--split within)"
        )
    if not settings.label_per_group and columns.group is not None and are_labels_of_groups(table):
        targets = " and ".join(map(repr, columns.targets))
        said.append(
            f"{targets} is constant within each group of {columns.group!r}; if it is the label of the whole group, "
            "pass --label-per-group: the network then reads a group to its end and predicts its label there"
        )
    return said


def prepare_table(columns: Columns, table: Table, settings: TableSettings) -> tuple[Preparation, list[Series]]:
    """Split a table, and prepare it with what its training part says."""
    settings = settings.chosen(columns, table)
    _check_class_weights(columns, settings.class_weights)
    if settings.label_per_group:
        table = label_last_rows(columns, table)
    part = _split(columns, table, settings)
    _check_horizon(table, part, settings.horizon)
    missing = settings.missing or bool(np.isnan(table.x).any())
    preparation = learn_preparation(table, columns, part, horizon=settings.horizon, missing=missing)
    preparation = replace(preparation, label_per_group=settings.label_per_group)
    return preparation, prepare(preparation, table, part)


def _check_class_weights(columns: Columns, weights: str | tuple[float, ...] | None) -> None:
    """Refuse weights for a target of numbers, and another number of them than there are classes."""
    if weights is not None and columns.classes is None:
        targets = ", ".join(map(repr, columns.targets))
        do = "remove it, or train with the task 'classification'"
        checks.refuse("class_weights", f"{weights!r} for numbers in {targets}", "a target of classes", do)
    if weights is not None and not isinstance(weights, str) and len(weights) != len(columns.classes or ()):
        classes = ", ".join(map(repr, columns.classes or ()))
        checks.refuse("class_weights", f"{len(weights)} weights", f"one per class, in the order {classes}", "pass each")


def class_weights(
    preparation: Preparation, series: list[Series], weights: str | tuple[float, ...] | None
) -> tuple[float, ...] | None:
    """Return one weight per class; what is "balanced" is the training part."""
    if weights != "balanced":
        return None if weights is None else tuple(map(float, weights))
    y = np.concatenate([one.y[one.part == TRAIN, 0] for one in series])
    return balanced_class_weights(np.bincount(y[~np.isnan(y)].astype(np.int64), minlength=preparation.outputs))


def _split(columns: Columns, table: Table, settings: TableSettings) -> Array:
    shares = settings.validation, settings.test
    if settings.split == "time":
        return split_by_time(table.time, *shares)
    if columns.group is None:
        do = "name the column of groups with --group"
        checks.refuse("split", repr(settings.split), "'time', as no column has groups", do)
    if settings.split == "within":
        return split_within_groups(table.time, table.group, *shares)
    return split_by_group(table.group, *shares, settings.seed)


def _check_horizon(table: Table, part: Array, horizon: int) -> None:
    """Refuse a horizon that is longer than the groups, as nothing is then left to predict."""
    order = np.argsort(table.group, kind="stable")
    group = table.group[order]
    later = order[horizon:][group[horizon:] == group[: len(group) - horizon]] if horizon < len(order) else order[:0]
    longest = int(np.bincount(table.group).max())
    for k, name in enumerate(PARTS):
        if horizon and not (part[later] == k).any():
            got = f"{horizon}, with which no row of the {name} part is left to predict"
            expected = f"less than {longest}, the rows of the longest series" if horizon >= longest else "a smaller one"
            checks.refuse("horizon", got, expected, "predict fewer rows ahead, or add rows")


def new_network(preparation: Preparation, settings: TableSettings) -> Any:
    """Return a network with fresh weights."""
    common: dict[str, Any] = {
        "input_size": preparation.inputs,
        "units": settings.units,
        "proj_size": preparation.outputs,
        "mixed_memory": settings.mixed_memory,
        "seed": settings.seed,
    }
    if settings.model == "ltc":
        from cfc_ref.layers.ltc import LTC

        return LTC(**common)
    from cfc_ref.layers.cfc import CfC

    backbone = 32 if settings.backbone is None else settings.backbone
    return CfC(**common, mode=settings.mode or "default", backbone_units=backbone)


def fit_network(
    model: Layer,
    preparation: Preparation,
    series: list[Series],
    settings: TableSettings,
    *,
    checkpoint: Path | None = None,
    progress: bool = True,
) -> History:
    """Train a network on the training part; the weights with the lowest loss on the validation part are kept."""
    are_classes = preparation.columns.classes is not None
    if settings.label_per_group:
        # Learned at every row of a group: from its last row alone, 200 groups of 40 rows teach nothing.
        taught = [one._replace(y=np.repeat(one.y[-1:], len(one.y), axis=0)) for one in series]
        training, validation = _whole_groups(taught, TRAIN), _whole_groups(series, VALIDATION)
    else:
        training = cut_windows(series, TRAIN, settings.window, settings.stride, before=settings.warm_up)
        length = _validation_length(series, settings.window)
        validation = cut_windows(series, VALIDATION, length, length, before=settings.window)
    weights = class_weights(preparation, series, settings.class_weights)
    recipe = settings.recipe(CrossEntropy(weights, ignore=_UNKNOWN) if are_classes else known_mse)
    data, held_back = _data(training, are_classes), _data(validation, are_classes)
    return train(recipe, model, data, held_back, checkpoint, progress)


def _whole_groups(series: list[Series], part: int) -> RowWindows:
    """Return the groups of a part, each in one window."""
    lengths = [len(one.part) for one in series if (one.part == part).any()]
    if len(lengths) * max(lengths) * series[0].x.shape[1] > _PADDED:
        got = f"{len(lengths):,} groups of up to {max(lengths):,} rows, too many numbers once all are equally long"
        do = "cut long groups into shorter ones, or leave columns out"
        checks.refuse("label_per_group", got, f"at most {_PADDED:g} numbers", do)
    return cut_windows(series, part, max(lengths), max(lengths))


def _validation_length(series: list[Series], window: int) -> int:
    """Return the rows of the longest run of the validation part, or fewer where most runs are much shorter."""
    runs = [count for one in series if (count := int(np.count_nonzero(one.part == VALIDATION)))]
    return min(max(runs), max(window, 4 * sum(runs) // len(runs)))


def _data(windows: RowWindows, are_classes: bool) -> tuple[Array, Array, Array, Array]:
    """Return windows in the form of data for :func:`cfc_ref.fit`."""
    y = np.nan_to_num(windows.y[..., 0], nan=_UNKNOWN).astype(np.int64) if are_classes else windows.y
    return windows.x, y, windows.dt, windows.mask


def known_mse(prediction: Array, target: Array, mask: Array) -> tuple[float, Array]:
    """Return the mean squared error where a target is known, and its gradient."""
    return mse(prediction, target, mask[..., None] & ~np.isnan(target))
