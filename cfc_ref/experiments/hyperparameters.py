"""The tables of Hasani et al. 2022 (doi 10.1038/s42256-022-00556-7) as data: hyper-parameters, and results.

The hyper-parameters are those of the published code, which produced the results; where the paper's table
differs, `note` says so. Each experiment's own tables are in its `…_task` module.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from cfc_ref import checks
from cfc_ref.learn.gradients import TensorNorm
from cfc_ref.learn.optimizers import Adam, RMSprop
from cfc_ref.learn.recipe import Recipe
from cfc_ref.learn.schedules import Exponential

__all__ = ["MODELS", "NO_BACKBONE", "UNPUBLISHED", "Accuracy", "Error", "Hyperparameters"]


class Hyperparameters(NamedTuple):
    """The hyper-parameters of a model and of its training."""

    optimizer: str  # "adam" or "rmsprop", with TensorFlow's defaults except for the learning rate
    clipnorm: float  # the largest norm of an array's gradient
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

    def recipe(self, sequences: int, seed: int, **task: Any) -> Recipe:
        """Return the recipe for a number of training sequences; `task` holds the loss, the metric and the stop."""
        if checks.choice("optimizer", self.optimizer, ("adam", "rmsprop")) == "adam":
            optimizer: Any = Adam(self.learning_rate, variant="keras")
        else:  # TensorFlow 2, with which the official code ran, divides by √s + ε like PyTorch; Keras 3 by √(s + ε)
            optimizer = RMSprop(self.learning_rate, rho=0.9, epsilon=1e-7, variant="torch")
        # an epoch of the official code has whole batches only
        batches = -(-sequences // self.batch_size) / max(1, sequences // self.batch_size)
        return Recipe(
            optimizer=optimizer,
            epochs=self.epochs,
            batch_size=self.batch_size,
            schedule=Exponential(self.decay**batches),
            clip=TensorNorm(self.clipnorm),
            l2=self.l2,
            seed=seed,
            **task,
        )


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
