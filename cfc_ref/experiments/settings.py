"""The form of the tables of Hasani et al. 2022 (doi 10.1038/s42256-022-00556-7): a recipe, and a result of the paper.

The hyper-parameters are those of the published code, which produced the results; where the paper's table
differs, `note` says so. Each experiment's own tables are in its `…_task` module.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["MODELS", "NO_BACKBONE", "UNPUBLISHED", "Accuracy", "Error", "Recipe"]


class Recipe(NamedTuple):
    """How a model is made and trained.

    Attributes
    ----------
    optimizer : {"adam", "rmsprop"}
        With TensorFlow's defaults but for the learning rate.
    clipnorm : float
        The largest norm of an array's gradient.
    batch_size, units, epochs : int
        Sequences a step, neurons, and how often all data are seen.
    learning_rate, decay : float
        At the start, and its factor an epoch, continuous.
    activation : str or None
        Of the backbone; None where there is none.
    backbone_units, backbone_layers : int
        0 where there is none.
    dropout : float
        Share of the backbone's values that drop.
    l2 : float
        λ of the penalty λΣw² on the weights of the cell's linear maps.
    forget_bias : float or None
        Of a mixed memory.
    unfolds : int or None
        Parts of a time step of a model with a solver.
    note : str
        What there is to know.
    """

    optimizer: str
    clipnorm: float
    batch_size: int
    units: int
    epochs: int
    learning_rate: float
    decay: float
    activation: str | None = None
    backbone_units: int = 0
    backbone_layers: int = 0
    dropout: float = 0.0
    l2: float = 0.0
    forget_bias: float | None = None
    unfolds: int | None = None
    note: str = ""


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
