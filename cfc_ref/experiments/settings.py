"""The tables of Hasani et al. 2022 (doi 10.1038/s42256-022-00556-7) as data: hyper-parameters, and what came out.

The paper's hyper-parameters are those of its published code; where the two differ, the code's stand here, which are
the ones that were run, and `note` says what the paper has.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["MODELS", "SETTINGS", "WALKER2D_RESULTS", "XOR_RESULTS", "Accuracy", "Error", "Recipe"]


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

_UNPUBLISHED = "the paper does not say how it was trained: the optimiser, the units and so on are those of its CfC here"
_NO_BACKBONE = "an LTC has no backbone, so that the code's settings of one, and its L2, act on nothing"

SETTINGS: dict[str, dict[str, Recipe]] = {
    "walker2d": {
        "cfc": Recipe("adam", 1, 256, 64, 50, 0.02, 0.95, "silu", 256, 1, 0.1, 1e-6),
        "no_gate": Recipe("adam", 1, 128, 256, 50, 0.008, 0.95, "lecun_tanh", 128, 1, 0.1, 3e-5),
        "pure": Recipe("adam", 10, 128, 256, 50, 0.006, 0.95, "silu", 192, 1, 0.0, 1e-6),
        "mixed": Recipe("adam", 10, 128, 128, 50, 0.005, 0.95, "lecun_tanh", 128, 2, 0.2, 6e-6, 2.1),
        "ltc": Recipe("adam", 10, 128, 128, 50, 0.05, 0.95, unfolds=3, note=_NO_BACKBONE),
        "lstm": Recipe("adam", 1, 256, 64, 50, 0.005, 0.95, note=_UNPUBLISHED),
        "ctrnn": Recipe("adam", 1, 256, 64, 50, 0.005, 0.95, unfolds=3, note=_UNPUBLISHED),
    },
    "xor": {
        "cfc": Recipe(
            "rmsprop", 1, 128, 192, 200, 0.05, 0.95, "relu", 128, 1, 0.0, 3e-6, note="the paper's table has decay 0.7"
        ),
        "no_gate": Recipe("rmsprop", 10, 128, 128, 200, 0.005, 0.95, "silu", 192, 1, 0.3, 5e-6),
        "pure": Recipe("adam", 5, 256, 64, 200, 0.005, 0.9, "silu", 64, 1, 0.0, 3e-5),
        "mixed": Recipe("rmsprop", 10, 128, 64, 200, 0.005, 0.95, "relu", 128, 1, 0.0, 2e-6, 0.6),
        "ltc": Recipe("adam", 5, 256, 64, 200, 0.005, 0.9, unfolds=6, note=_NO_BACKBONE),
        "lstm": Recipe("rmsprop", 1, 128, 192, 200, 0.005, 0.95, note=_UNPUBLISHED),
        "ctrnn": Recipe("rmsprop", 1, 128, 192, 200, 0.005, 0.95, unfolds=3, note=_UNPUBLISHED),
    },
}
"""Data set -> model -> its hyper-parameters."""

WALKER2D_RESULTS = {
    "Cf-S": Error(0.948, 0.009, 0.12),
    "CfC-noGate": Error(0.650, 0.008, 0.21),
    "CfC": Error(0.643, 0.006, 0.08),
    "CfC-mmRNN": Error(0.617, 0.006, 0.34),
    "LTC": Error(0.662, 0.013, 0.78),
    "ODE-LSTM": Error(0.883),
    "Transformer": Error(0.761),
    "GRU-ODE": Error(1.051),
    "LSTM": Error(1.065),
    "CT-GRU": Error(1.172),
    "CT-RNN": Error(1.198),
    "ODE-RNN": Error(1.904),
}
"""The paper's squared errors on Walker2d's test part."""

XOR_RESULTS = {
    "Cf-S": Accuracy(100, 85.42, 2.84),
    "CfC-noGate": Accuracy(100, 96.29, 1.61),
    "CfC": Accuracy(100, 99.42, 0.42),
    "CfC-mmRNN": Accuracy(100, 99.72, 0.08),
    "LTC": Accuracy(100, 49.11, 0.00),
    "ODE-RNN": Accuracy(50.47, 51.21),
    "CT-RNN": Accuracy(50.42, 50.79),
    "GRU-ODE": Accuracy(50.41, 52.52),
    "ODE-LSTM": Accuracy(100, 98.89),
    "LSTM": Accuracy(100, 89.71),
    "GRU-D": Accuracy(100, 97.90),
    "CT-GRU": Accuracy(100, 61.36),
    "RNN-decay": Accuracy(60.28, 75.53),
}
"""The paper's accuracies on the 10,000 test samples of bit-stream XOR; its LSTM there is one that sees the times."""
