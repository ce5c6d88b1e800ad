"""Bit-stream XOR as the paper has it: is the number of ones odd? The answer is read at the last real step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cfc_ref import checks
from cfc_ref.datasets.xor import official_bit_streams
from cfc_ref.experiments.run import Part, Task

if TYPE_CHECKING:
    import numpy.typing as npt

    from cfc_ref.learn.history import History

    Array = npt.NDArray[Any]

__all__ = ["Solved", "accuracy", "accuracy_by_length", "xor_task"]

_HELD_BACK = 0.05  # of the training samples
_HELD_BACK_SEED = 0


@dataclass(frozen=True)
class Solved:
    """The rule that a training is over: the accuracy on validation samples is high, epoch after epoch.

    Attributes
    ----------
    accuracy : float
        The least that is enough.
    epochs : int
        For so many epochs.
    """

    accuracy: float = 0.999
    epochs: int = 3

    def __call__(self, history: History) -> bool:
        """Return whether it is over."""
        last = history.metric[-self.epochs :]
        return len(last) == self.epochs and min(last) >= self.accuracy


def xor_task(*, event_based: bool, samples: int | None = None) -> Task:
    """Return the task. Five in a hundred training samples are its validation part, always the same ones.

    The paper trains for all epochs without looking; here a training is over once it is :class:`Solved`.
    """
    n = None if samples is None else checks.count("samples", samples, at_least=1)
    streams = official_bit_streams("training", event_based=event_based)
    order = np.random.default_rng(_HELD_BACK_SEED).permutation(len(streams.parity))
    held_back, training = np.split(order, [round(_HELD_BACK * len(order))])
    parts = {
        "training": Part(*streams.take(np.sort(training)).data).first(n),
        "validation": Part(*streams.take(np.sort(held_back)).data).first(n),
        "test": Part(*official_bit_streams("test", event_based=event_based).data).first(n),
    }
    settings = {"data": "xor", "event_based": event_based, "samples": n}
    return Task(
        settings,
        parts,
        loss="binary_cross_entropy",
        outputs=1,
        return_sequences=False,
        figure="accuracy",
        measure=accuracy,
        metric=accuracy,
        stop=Solved(),
        by_step=accuracy_by_length,
    )


def accuracy(logits: Array, labels: Array, mask: Array | None = None) -> float:
    """Return the share of logits on the right side of 0."""
    return float(np.mean((logits[:, 0] > 0) == (labels > 0.5)))


def accuracy_by_length(logits: Array, part: Part) -> tuple[Array, Array]:
    """Return lengths of sequences in steps, and the accuracy of each."""
    right = (logits[:, 0] > 0) == (part.y > 0.5)
    length = np.ones(len(right), int) if part.mask is None else part.mask.sum(axis=1)
    lengths = np.unique(length)
    return lengths, np.array([right[length == steps].mean() for steps in lengths])
