"""The warning of an explicit solver that leaves its stability region."""

from __future__ import annotations

import math
import warnings

from cfc_ref.cells.solvers import SOLVERS

__all__ = ["StabilityWatch"]


class StabilityWatch:
    """Warn once, for a layer and all its steppers."""

    def __init__(self, solver: str, ode_unfolds: int | None) -> None:
        self._solver, self._unfolds, self._limit = solver, ode_unfolds, SOLVERS[solver].limit
        self.on = self._limit < math.inf

    def __call__(self, h: float, rate: float) -> None:
        """Warn of a part of length h at a rate."""
        if not self.on:
            return
        self.on = False
        step = self._limit / rate
        enough = f"step={step:.3g}"
        if self._unfolds is not None:
            enough = f"ode_unfolds={math.ceil(self._unfolds * h / step)} at this timespan"
        warnings.warn(
            f"solver {self._solver!r} has left its stability region: a step of {h:.3g} times a rate of {rate:.3g} is "
            f"above {self._limit:.4g}; it needs steps of at most {step:.3g}, which is {enough}; or choose 'fused' or "
            "'frozen'",
            RuntimeWarning,
            stacklevel=2,
        )
