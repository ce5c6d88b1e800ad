r"""The recipe of a training: one record, checked once, that `fit`, the estimators and both training commands share.

A step is :math:`g \leftarrow \nabla L`, then L2, then clipping, then the optimiser, then the model's own projection (an
LTC's, which keeps its conductances >= 0), then that to a contraction.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cfc_ref import checks
from cfc_ref.activations import ACTIVATIONS
from cfc_ref.cells.cfc.modes import VARIANTS
from cfc_ref.learn.gradients import GlobalNorm, penalised
from cfc_ref.learn.losses import LOSSES
from cfc_ref.learn.metrics import METRICS
from cfc_ref.learn.optimizers import OPTIMIZERS, Optimizer
from cfc_ref.learn.schedules import SCHEDULES

if TYPE_CHECKING:
    from cfc_ref.layers.base import Layer

__all__ = ["Recipe"]


@dataclass(frozen=True)
class Recipe:
    """The arguments of :func:`cfc_ref.fit` that say how a model is trained; names become what they name."""

    loss: Any
    optimizer: Any
    epochs: int
    batch_size: int
    schedule: Any = None
    clip: Any = None
    l2: float = 0.0
    patience: int | None = None
    metric: Any = None
    stop: Any = None
    seed: int = 0
    contraction: float | None = None

    def __post_init__(self) -> None:
        checked = {
            "loss": _by_name("loss", self.loss, LOSSES),
            "optimizer": _by_name("optimizer", self.optimizer, OPTIMIZERS),
            "epochs": checks.count("epochs", self.epochs, at_least=1),
            "batch_size": checks.count("batch_size", self.batch_size, at_least=1),
            "schedule": _by_name("schedule", "constant" if self.schedule is None else self.schedule, SCHEDULES),
            "clip": _clip(self.clip),
            "l2": checks.number("l2", self.l2),
            "patience": None if self.patience is None else checks.count("patience", self.patience, at_least=1),
            "metric": None if self.metric is None else _by_name("metric", self.metric, METRICS),
            "stop": _callable("stop", self.stop),
            "seed": checks.count("seed", self.seed),
            "contraction": None
            if self.contraction is None
            else checks.number("contraction", self.contraction, positive=True),
        }
        vars(self).update(checked)
        if self.l2 < 0:
            checks.refuse("l2", repr(self.l2), "a number >= 0", "pass 0 for no penalty")

    def check_for(self, model: Layer, validation: Any) -> None:
        """Refuse what does not fit the model, or needs validation data."""
        if self.l2 > 0 and not penalised(model.parameters):
            checks.refuse("l2", repr(self.l2), "0.0, as the model has no linear maps in its cell", "remove l2")
        if self.contraction is not None:
            check_contraction(model, self.contraction)
        for name in ("patience", "metric"):
            if getattr(self, name) is not None and validation is None:
                got = repr(getattr(self, name))
                checks.refuse(name, got, "None without validation data", "pass validation as well")


def check_contraction(model: Any, contraction: float) -> None:
    """Refuse a model whose step has no Euclidean constant that a projection could lower."""
    heads = ACTIVATIONS[VARIANTS[model.variant].heads].bound if hasattr(model, "variant") else math.inf
    if math.isinf(heads) or model.mode != "default" or model.wiring is not None or model.mixed_memory:
        expected = "None, as the model is no single CfC cell of mode 'default' with bounded heads and no mixed memory"
        checks.refuse("contraction", repr(contraction), expected, "remove contraction, or train such a CfC")


def _by_name(name: str, value: Any, table: Mapping[str, Any]) -> Any:
    """Return an object that was given by name or as itself."""
    itself = isinstance(value, Optimizer) if name == "optimizer" else callable(value) and not isinstance(value, type)
    if itself:
        return value
    found = table[checks.choice(name, value, table)]
    return found() if isinstance(found, type) else found


def _clip(clip: Any) -> Any:
    if clip is None or (callable(clip) and not isinstance(clip, type)):
        return clip
    return GlobalNorm(checks.number("clip", clip, positive=True))


def _callable(name: str, value: Any) -> Any:
    if value is not None and not callable(value):
        checks.refuse(name, type(value).__name__, "a function, or None", "pass a function", TypeError)
    return value
