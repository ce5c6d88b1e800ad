"""The course of a training run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from cfc_ref.facade import figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["History"]


@dataclass
class History:
    """The course of a run.

    Attributes
    ----------
    loss : list of float
        Mean training loss of each epoch, while its weights changed and with dropout; without the L2 penalty.
    validation_loss : list of float
        Loss on the validation data after each epoch; empty without them.
    metric : list of float
        The metric of :func:`cfc_ref.fit` after each epoch.
    seconds : list of float
        Wall time of each epoch.
    best_epoch : int
        Index into these lists of the epoch whose weights the model has: the first with the lowest validation loss,
        without validation data the last.
    last_weights : dict of ndarray
        ``state_dict()`` after the last epoch.

    Examples
    --------
    >>> History(loss=[0.5, 0.25], validation_loss=[0.3, 0.4], best_epoch=0)
    History(2 epochs, loss 0.25, validation loss 0.4, best 0.3 at index 0)
    """

    loss: list[float] = field(default_factory=list)
    validation_loss: list[float] = field(default_factory=list)
    metric: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    best_epoch: int = -1
    last_weights: dict[str, npt.NDArray[Any]] = field(default_factory=dict)

    def __repr__(self) -> str:
        parts = [f"{len(self.loss)} epochs"]
        if self.loss:
            parts.append(f"loss {self.loss[-1]:.4g}")
        if self.validation_loss:
            parts.append(f"validation loss {self.validation_loss[-1]:.4g}")
            parts.append(f"best {self.validation_loss[self.best_epoch]:.4g} at index {self.best_epoch}")
        return f"History({', '.join(parts)})"

    def plot(self, *, ax: Axes | None = None) -> Axes:
        """Draw the losses with :func:`cfc_ref.plots.plot_history`."""
        axes: Axes = figure("plot_history")(self, ax=ax)
        return axes
