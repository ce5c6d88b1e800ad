"""The tables of Hasani et al. 2022 (doi 10.1038/s42256-022-00556-7) as data: hyper-parameters, and results.

The hyper-parameters are those of the published code, which produced the results; where the paper's table
differs, `note` says so. Each experiment's own tables are in its `…_task` module.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from cfc_ref import checks
from cfc_ref.learn.gradients import TensorNorm
from cfc_ref.learn.losses import CrossEntropy
from cfc_ref.learn.optimizers import Adam, AdamW, Optimizer, RMSprop
from cfc_ref.learn.recipe import Recipe
from cfc_ref.learn.schedules import Exponential, PerEpoch

__all__ = ["MODELS", "NO_BACKBONE", "UNPUBLISHED", "Accuracy", "Error", "Hyperparameters", "Score", "by_model"]


class Hyperparameters(NamedTuple):
    """The hyper-parameters of a model and of its training."""

    optimizer: str  # of _OPTIMIZERS: with TensorFlow's or PyTorch's defaults except for the learning rate
    clipnorm: float  # the largest norm of an array's gradient; 0 for no clipping
    batch_size: int  # sequences per step
    units: int  # neurons
    epochs: int  # passes over the data
    learning_rate: float  # at the start
    decay: float  # factor of the learning rate per epoch, continuous
    activation: str | None = None  # of the backbone, None without one
    backbone_units: int = 0
    backbone_layers: int = 0
    dropout: float = 0.0  # share of the backbone's values that drop
    l2: float = 0.0  # λ of the penalty λΣw² on the weights of the cell's linear maps
    forget_bias: float | None = None  # of a mixed memory
    unfolds: int | None = None  # parts of a time step of a model with a solver
    note: str = ""  # a difference between the paper and its code
    variant: str = "tensorflow"  # of the CfC
    gain: float = 1.0  # factor of the initial two-dimensional arrays of a CfC's cell
    weight_decay: float = 0.0  # of PyTorch's optimisers
    class_weight: float | None = None  # of class 1 against class 0 in the loss
    per_epoch: bool = False  # whether the learning rate changes at whole epochs only
    embedding: int = 0  # features of a token, 0 without an embedding
    embedding_dropout: float = 0.0
    time_scale: float = 1.0  # factor of the timespans

    def settings(self) -> dict[str, Any]:
        """Return what makes a run another one; fields that later versions added are left out at their default."""
        added = self._fields[self._fields.index("note") + 1 :]
        usual = {name for name in added if getattr(self, name) == self._field_defaults[name]}
        return {name: value for name, value in self._asdict().items() if name != "note" and name not in usual}

    def recipe(self, sequences: int, seed: int, **task: Any) -> Recipe:
        """Return the recipe for a number of training sequences; `task` holds the loss, the metric and the stop."""
        optimizer = _OPTIMIZERS[checks.choice("optimizer", self.optimizer, _OPTIMIZERS)](self)
        if self.class_weight is not None:
            task["loss"] = CrossEntropy((1.0, self.class_weight))
        # an epoch of the official code has whole batches only
        batches = -(-sequences // self.batch_size) / max(1, sequences // self.batch_size)
        return Recipe(
            optimizer=optimizer,
            epochs=self.epochs,
            batch_size=self.batch_size,
            schedule=PerEpoch(Exponential(self.decay)) if self.per_epoch else Exponential(self.decay**batches),
            clip=TensorNorm(self.clipnorm) if self.clipnorm else None,
            l2=self.l2,
            seed=seed,
            **task,
        )


_OPTIMIZERS: dict[str, Callable[[Hyperparameters], Optimizer]] = {
    "adam": lambda chosen: Adam(chosen.learning_rate, variant="keras"),
    # TensorFlow 2, with which the official code ran, divides by √s + ε like PyTorch; Keras 3 by √(s + ε)
    "rmsprop": lambda chosen: RMSprop(chosen.learning_rate, rho=0.9, epsilon=1e-7, variant="torch"),
    "torch.adam": lambda chosen: Adam(chosen.learning_rate, weight_decay=chosen.weight_decay),
    "torch.adamw": lambda chosen: AdamW(chosen.learning_rate, weight_decay=chosen.weight_decay),
}


class Score(NamedTuple):
    """A share of the paper, an AUC or an accuracy: mean and standard deviation over runs, None where it gives none."""

    mean: float
    std: float | None = None
    minutes: float | None = None
    """An epoch took on a GPU."""

    def told(self, figure: str) -> str:
        """Return it in words."""
        return f"test {figure} {self.mean:.4g}" + ("" if self.std is None else f" ± {self.std:.3g}")


class Error(NamedTuple):
    """A squared error of the paper: mean and standard deviation over runs, None where it gives none."""

    mean: float
    std: float | None = None
    minutes: float | None = None
    """An epoch took on a GPU."""


class Accuracy(NamedTuple):
    """Accuracies of the paper in per cent: mean and standard deviation over runs, None where it gives none."""

    equidistant: float
    event_based: float
    std: float | None = None
    """Of the event-based one."""


def by_model(**columns: Any) -> dict[str, Hyperparameters]:
    """Return the hyper-parameters of six models from the rows of a table: one value per model, or one for all."""
    table = {name: value if isinstance(value, tuple) else (value,) * 6 for name, value in columns.items()}
    names = ("cfc", "no_gate", "pure", "mixed", "ltc", "lstm")
    return {name: Hyperparameters(**{key: row[k] for key, row in table.items()}) for k, name in enumerate(names)}


MODELS = {
    "cfc": "CfC",
    "no_gate": "CfC-noGate",
    "pure": "Cf-S",
    "mixed": "CfC-mmRNN",
    "ltc": "LTC",
    "lstm": "LSTM",
    "ctrnn": "CT-RNN",
}
"""Name of a model here -> the paper's."""

UNPUBLISHED = "the paper does not say how it was trained: the optimiser, the units and so on are those of its CfC here"
NO_BACKBONE = "an LTC has no backbone, so that the code's settings of one, and its L2, act on nothing"
