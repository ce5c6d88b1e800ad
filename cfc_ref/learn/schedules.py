r"""Schedules of the learning rate: ``schedule(epoch, epochs)`` returns the factor of the optimiser's rate.

`epoch` counts in fractions, and is 0 at the first update; `epochs` is the number of epochs of the run. Any function of
these two is a schedule.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from cfc_ref import checks

__all__ = ["SCHEDULES", "Constant", "Cosine", "Exponential", "PerEpoch", "Schedule"]

Schedule = Callable[[float, int], float]


@dataclass(frozen=True)
class Constant:
    """The factor is 1.

    Examples
    --------
    >>> Constant()(3.5, 10)
    1.0
    """

    def __call__(self, epoch: float, epochs: int) -> float:
        """Return the factor."""
        return 1.0


@dataclass(frozen=True)
class Exponential:
    r"""The factor is :math:`d^{\,\mathrm{epoch}}`, continuous within an epoch.

    Keras's ``ExponentialDecay`` with as many ``decay_steps`` as an epoch has batches; at whole epochs PyTorch's
    ``ExponentialLR``.

    Parameters
    ----------
    decay : float
        d, the factor of one epoch, above 0.

    Examples
    --------
    >>> Exponential(0.5)(2.0, 10)
    0.25
    """

    decay: float = 0.95

    def __post_init__(self) -> None:
        object.__setattr__(self, "decay", checks.number("decay", self.decay, positive=True))

    def __call__(self, epoch: float, epochs: int) -> float:
        """Return the factor."""
        return self.decay**epoch


@dataclass(frozen=True)
class Cosine:
    r"""The factor falls from 1 to `last` as half a cosine, :math:`l + (1 - l)\,[1 + \cos(\pi\,e/E)]/2`.

    Keras's ``CosineDecay`` with alpha = l over the run's batches; at whole epochs PyTorch's ``CosineAnnealingLR``.

    Parameters
    ----------
    last : float
        l, the factor at the end of the run, in [0, 1].

    Examples
    --------
    >>> Cosine()(0.0, 10), Cosine()(5.0, 10), Cosine(last=0.1)(10.0, 10)
    (1.0, 0.5, 0.1)
    """

    last: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "last", checks.number("last", self.last))
        if not 0 <= self.last <= 1:
            checks.refuse("last", repr(self.last), "a factor in [0, 1]", "pass a share of the learning rate")

    def __call__(self, epoch: float, epochs: int) -> float:
        """Return the factor."""
        return self.last + (1 - self.last) * (1 + math.cos(math.pi * epoch / epochs)) / 2


@dataclass(frozen=True)
class PerEpoch:
    """The factor of another schedule at the last whole epoch: PyTorch's schedulers, stepped once per epoch.

    Parameters
    ----------
    schedule : callable
        The other schedule.

    Examples
    --------
    >>> PerEpoch(Exponential(0.5))(2.9, 10)
    0.25
    """

    schedule: Schedule

    def __post_init__(self) -> None:
        if not callable(self.schedule) or isinstance(self.schedule, type):
            got = type(self.schedule).__name__
            checks.refuse("schedule", got, "a schedule", "pass one such as Exponential(0.9)", TypeError)

    def __call__(self, epoch: float, epochs: int) -> float:
        """Return the factor."""
        return self.schedule(float(math.floor(epoch)), epochs)


SCHEDULES: dict[str, type[Constant | Exponential | Cosine]] = {
    "constant": Constant,
    "exponential": Exponential,
    "cosine": Cosine,
}
