"""A network trained on a table: split, prepared, cut into windows, fitted."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cfc_ref import checks
from cfc_ref.learn.losses import cross_entropy, mse
from cfc_ref.learn.optimizers import AdamW
from cfc_ref.learn.training import fit
from cfc_ref.tables.columns import Columns
from cfc_ref.tables.csv import Table
from cfc_ref.tables.parts import TRAIN, VALIDATION, split_by_group, split_by_time
from cfc_ref.tables.preparation import Preparation, learn_preparation
from cfc_ref.tables.series import Series, Windows, cut_windows, prepare

if TYPE_CHECKING:
    import numpy.typing as npt

    from cfc_ref.layers.base import Layer
    from cfc_ref.learn.history import History

    Array = npt.NDArray[Any]

__all__ = ["Settings", "fit_network", "known_cross_entropy", "known_mse", "new_network", "prepare_table"]


@dataclass(frozen=True)
class Settings:
    """How a network is trained on a table.

    Attributes
    ----------
    horizon : int
        How many rows ahead targets are predicted.
    split : {"time", "group"}
        Whether the latest rows are held back, or whole groups.
    validation, test : float
        Shares that are held back.
    missing : bool
        Whether features may be missing, also where none is.
    window, stride, warm_up : int
        Rows of a training window that are learned from; rows from one window to the next; rows that the network sees
        before a window.
    model : {"cfc", "ltc"}
        Which network.
    units : int
        Its neurons.
    mode : str, optional
        Of a CfC: "default" where nothing is said.
    backbone : int, optional
        Neurons of a CfC's backbone: 32 where nothing is said.
    mixed_memory : bool
        Whether an LSTM goes along.
    epochs, batch_size, patience : int
        As :func:`cfc_ref.fit` takes them.
    learning_rate, weight_decay : float
        Of AdamW; the rate falls as a cosine.
    seed : int
        Of the weights, the order of windows and the draw of groups.
    """

    horizon: int = 0
    split: str = "time"
    validation: float = 0.15
    test: float = 0.15
    missing: bool = False
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

    def __post_init__(self) -> None:
        for name in ("window", "stride", "units", "epochs", "batch_size", "patience"):
            checks.count(name, getattr(self, name), at_least=1)
        for name in ("horizon", "warm_up", "seed"):
            checks.count(name, getattr(self, name))
        checks.choice("split", self.split, ("time", "group"))
        if checks.choice("model", self.model, ("cfc", "ltc")) == "ltc":
            for name in ("mode", "backbone"):
                if getattr(self, name) is not None:
                    checks.refuse(name, repr(getattr(self, name)), "nothing, as an LTC has none", "leave it out")
        self.optimizer()

    def optimizer(self) -> AdamW:
        """Return what makes the steps of the training."""
        return AdamW(self.learning_rate, weight_decay=self.weight_decay)


def prepare_table(columns: Columns, table: Table, settings: Settings) -> tuple[Preparation, list[Series]]:
    """Split a table, and prepare it with what its training part says."""
    if settings.split == "group":
        if columns.group is None:
            checks.refuse("split", "'group'", "'time', as no column has groups", "name the column of groups")
        part = split_by_group(table.group, settings.validation, settings.test, settings.seed)
    else:
        part = split_by_time(table.time, settings.validation, settings.test)
    missing = settings.missing or bool(np.isnan(table.x).any())
    preparation = learn_preparation(table, columns, part, horizon=settings.horizon, missing=missing)
    return preparation, prepare(preparation, table, part)


def new_network(preparation: Preparation, settings: Settings) -> Any:
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
    settings: Settings,
    *,
    checkpoint: Path | None = None,
    progress: bool = True,
) -> History:
    """Train a network on the training part; the weights with the lowest loss on the validation part are kept."""
    are_classes = preparation.columns.classes is not None
    training = cut_windows(series, TRAIN, settings.window, settings.stride, before=settings.warm_up)
    longest = max(int(np.count_nonzero(one.part == VALIDATION)) for one in series)
    validation = cut_windows(series, VALIDATION, longest, longest, before=settings.window)
    return fit(
        model,
        _data(training, are_classes),
        loss=known_cross_entropy if are_classes else known_mse,
        optimizer=settings.optimizer(),
        epochs=settings.epochs,
        batch_size=settings.batch_size,
        schedule="cosine",
        clip=1.0,
        validation=_data(validation, are_classes),
        seed=settings.seed,
        checkpoint=checkpoint,
        progress=progress,
        patience=settings.patience,
    )


def _data(windows: Windows, are_classes: bool) -> tuple[Array, Array, Array, Array]:
    """Return windows as :func:`cfc_ref.fit` takes them; a class that is unknown is -1."""
    y = np.nan_to_num(windows.y[..., 0], nan=-1).astype(np.int64) if are_classes else windows.y
    return windows.x, y, windows.dt, windows.mask


def known_mse(prediction: Array, target: Array, mask: Array) -> tuple[float, Array]:
    """Return the mean squared error where a target is known, and its gradient."""
    return mse(prediction, target, mask[..., None] & ~np.isnan(target))


def known_cross_entropy(prediction: Array, target: Array, mask: Array) -> tuple[float, Array]:
    """Return the cross-entropy where a class is known, and its gradient."""
    return cross_entropy(prediction, target, mask & (target >= 0))
