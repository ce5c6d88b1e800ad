"""What optimisers share: settings, what they remember of a run, and a step over all parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from cfc_ref import checks

__all__ = ["Optimizer"]

Array = npt.NDArray[Any]

_DEFAULTS = {  # of both libraries, where they differ or have None
    ("SGD", "torch"): {"learning_rate": 1e-3},
    ("SGD", "keras"): {"learning_rate": 1e-2},
    ("RMSprop", "torch"): {"learning_rate": 1e-2, "rho": 0.99, "epsilon": 1e-8},
    ("RMSprop", "keras"): {"learning_rate": 1e-3, "rho": 0.9, "epsilon": 1e-7},
    ("Adam", "torch"): {"epsilon": 1e-8},
    ("Adam", "keras"): {"epsilon": 1e-7},
    ("AdamW", "torch"): {"epsilon": 1e-8, "weight_decay": 1e-2},
    ("AdamW", "keras"): {"epsilon": 1e-7, "weight_decay": 4e-3},
}


def _checked(name: str, value: Any) -> float:
    number = checks.number(name, value, positive=name in ("learning_rate", "epsilon"))
    if number < 0:
        checks.refuse(name, repr(value), "a number >= 0", "pass 0 to do without")
    if name in ("momentum", "rho", "beta_1", "beta_2") and number >= 1:
        checks.refuse(name, repr(value), "a number in [0, 1)", "pass the share of the past that is kept")
    return number


class Optimizer:
    """What optimisers share: their state, and a step over all parameters.

    Attributes
    ----------
    variant : {"torch", "keras"}
        Whose update it is.
    learning_rate : float
        η.
    weight_decay : float
        λ.
    """

    variant: str
    learning_rate: float
    weight_decay: float
    _slots: tuple[str, ...]  # what it remembers of each parameter

    def _set(self, variant: str, **settings: float | None) -> None:
        """Take settings, those of the variant's library where one is None."""
        self.variant = checks.choice("variant", variant, ("torch", "keras"))
        default = _DEFAULTS[type(self).__name__, variant]
        for name, value in settings.items():
            setattr(self, name, _checked(name, default.get(name) if value is None else value))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in vars(self).items())})"

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and vars(other) == vars(self)

    def __hash__(self) -> int:
        return hash(repr(self))

    def start(self, parameters: Mapping[str, Array]) -> dict[str, Array]:
        """Return what is remembered before the first step."""
        slots = {f"{slot}.{name}": np.zeros_like(array) for slot in self._slots for name, array in parameters.items()}
        return {"step": np.zeros((), dtype=np.int64), **slots}

    def step(
        self,
        parameters: Mapping[str, Array],
        gradients: Mapping[str, Array],
        state: Mapping[str, Array],
        learning_rate: float | None = None,
    ) -> None:
        """Take one step; writes into `parameters` and `state`."""
        for name, theta in parameters.items():
            if name not in gradients:
                checks.refuse("gradients", f"no {name!r}", "one of each parameter", "pass what backward returned")
            checks.shape(f"gradients[{name!r}]", gradients[name], theta.shape, "that of the parameter")
        eta = self.learning_rate if learning_rate is None else learning_rate
        state["step"][...] += 1
        for name, theta in parameters.items():
            g = gradients[name]
            if self._decouples:
                theta *= 1 - eta * self.weight_decay
            elif self.weight_decay:
                g = g + self.weight_decay * theta
            self._update(theta, g, eta, int(state["step"]), *(state[f"{slot}.{name}"] for slot in self._slots))

    @property
    def _decouples(self) -> bool:
        return self.variant == "keras" and self.weight_decay > 0

    def _update(self, theta: Array, g: Array, eta: float, k: int, *remembered: Array) -> None:
        """Write step `k` into one parameter and what is remembered of it."""
        raise NotImplementedError
