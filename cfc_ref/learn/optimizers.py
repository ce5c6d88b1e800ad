r"""Optimisers, each with the update of PyTorch or of Keras, selected by `variant`.

An optimiser is settings and a rule, without state. The state of a run is a dict of arrays, which ``start`` makes;
``step`` writes into it and into the parameters.

`weight_decay` has the meaning of the chosen library. PyTorch's SGD, RMSprop and Adam add λθ to the gradient (after
clipping); PyTorch's AdamW and all optimisers of Keras multiply θ by 1 - ηλ before the update.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from cfc_ref import checks
from cfc_ref.arrays import Array
from cfc_ref.layers.sparse_rows import SparseRows

__all__ = ["OPTIMIZERS", "SGD", "Adam", "AdamW", "Optimizer", "RMSprop"]

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
        checks.refuse(name, repr(value), "a number >= 0", "pass 0 to switch it off")
    if name in ("momentum", "rho", "beta_1", "beta_2") and number >= 1:
        checks.refuse(name, repr(value), "a number in [0, 1)", "pass the share of the past that is kept")
    return number


class Optimizer:
    """The common part of all optimisers: their state, and a step over all parameters."""

    variant: str  # the library with the same update
    learning_rate: float  # η
    weight_decay: float  # λ
    _slots: tuple[str, ...]  # names of the state's arrays per parameter

    def _set(self, variant: str, **settings: float | None) -> None:
        """Store settings; None means the default of the variant's library."""
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
        """Return the state before the first step."""
        slots = {f"{slot}.{name}": np.zeros_like(array) for slot in self._slots for name, array in parameters.items()}
        return {"step": np.zeros((), dtype=np.int64), **slots}

    def step(
        self,
        parameters: Mapping[str, Array],
        gradients: Mapping[str, Any],
        state: Mapping[str, Array],
        learning_rate: float | None = None,
    ) -> None:
        """Take one step; writes into `parameters` and `state`."""
        for name, theta in parameters.items():
            if name not in gradients:
                checks.refuse("gradients", f"no {name!r}", "one per parameter", "pass those that backward returned")
            checks.shape(f"gradients[{name!r}]", gradients[name], theta.shape, "that of the parameter")
        eta = self.learning_rate if learning_rate is None else learning_rate
        state["step"][...] += 1
        for name, theta in parameters.items():
            g, slots = gradients[name], [state[f"{slot}.{name}"] for slot in self._slots]
            if isinstance(g, SparseRows):
                if not self.weight_decay and self._update_rows(theta, g.summed(), eta, *slots):
                    continue
                g = g.dense()
            if self._decouples:
                theta *= 1 - eta * self.weight_decay
            elif self.weight_decay:
                g = g + self.weight_decay * theta
            self._update(theta, g, eta, int(state["step"]), *slots)

    @property
    def _decouples(self) -> bool:
        return self.variant == "keras" and self.weight_decay > 0

    def _update(self, theta: Array, g: Array, eta: float, k: int, *remembered: Array) -> None:
        """Write step `k` into one parameter and its state."""
        raise NotImplementedError

    def _update_rows(self, theta: Array, g: SparseRows, eta: float, *remembered: Array) -> bool:
        """Write the same step from a gradient of few rows, and return True, where other rows of theta do not move."""
        return False


class SGD(Optimizer):
    r"""Gradient descent, with momentum μ where it is not 0.

    .. math:: \text{PyTorch:}\quad v \leftarrow \mu v + g, \quad \theta \leftarrow \theta - \eta v \qquad
              \text{Keras:}\quad v \leftarrow \mu v - \eta g, \quad \theta \leftarrow \theta + v

    The two differ where the learning rate changes.

    Parameters
    ----------
    learning_rate : float, optional
        η; 0.001 as in PyTorch, 0.01 as in Keras.
    momentum : float
        μ in [0, 1).
    weight_decay : float
        λ; see the module.
    variant : {"torch", "keras"}
        The library whose update it has.

    Examples
    --------
    >>> sgd, theta = SGD(0.1, momentum=0.9), {"w": np.array([1.0])}
    >>> state = sgd.start(theta)
    >>> for _ in range(2):
    ...     sgd.step(theta, {"w": np.array([1.0])}, state)
    >>> theta["w"]
    array([0.71])
    """

    momentum: float

    def __init__(
        self,
        learning_rate: float | None = None,
        momentum: float = 0.0,
        weight_decay: float = 0.0,
        *,
        variant: str = "torch",
    ) -> None:
        self._set(variant, learning_rate=learning_rate, momentum=momentum, weight_decay=weight_decay)

    @property
    def _slots(self) -> tuple[str, ...]:  # type: ignore[override]
        return ("velocity",) if self.momentum else ()

    def _update(self, theta: Array, g: Array, eta: float, k: int, *remembered: Array) -> None:
        if not remembered:
            theta -= eta * g
            return
        (v,) = remembered
        if self.variant == "torch":
            v[...] = self.momentum * v + g
            theta -= eta * v
        else:
            v[...] = self.momentum * v - eta * g
            theta += v


class RMSprop(Optimizer):
    r"""Gradients divided by the root of their running mean square (Tieleman & Hinton 2012).

    .. math:: s \leftarrow \rho s + (1 - \rho)\,g^2, \qquad
              \text{PyTorch:}\quad \theta \leftarrow \theta - \eta \frac{g}{\sqrt{s} + \epsilon} \qquad
              \text{Keras:}\quad \theta \leftarrow \theta - \eta \frac{g}{\sqrt{s + \epsilon}}

    Parameters
    ----------
    learning_rate : float, optional
        η; 0.01 as in PyTorch, 0.001 as in Keras.
    rho : float, optional
        ρ in [0, 1); 0.99 as in PyTorch (which calls it alpha), 0.9 as in Keras.
    epsilon : float, optional
        ε; 1e-8 as in PyTorch, 1e-7 as in Keras.
    weight_decay, variant
        As for :class:`SGD`.

    Examples
    --------
    >>> RMSprop(variant="keras")
    RMSprop(variant='keras', learning_rate=0.001, rho=0.9, epsilon=1e-07, weight_decay=0.0)
    """

    rho: float
    epsilon: float
    _slots = ("square",)

    def __init__(
        self,
        learning_rate: float | None = None,
        rho: float | None = None,
        epsilon: float | None = None,
        weight_decay: float = 0.0,
        *,
        variant: str = "torch",
    ) -> None:
        self._set(variant, learning_rate=learning_rate, rho=rho, epsilon=epsilon, weight_decay=weight_decay)

    def _update(self, theta: Array, g: Array, eta: float, k: int, *remembered: Array) -> None:
        (s,) = remembered
        s[...] = self.rho * s + (1 - self.rho) * g**2
        theta -= eta * g / self._root(s)

    def _root(self, s: Array) -> Array:
        root: Array = np.sqrt(s) + self.epsilon if self.variant == "torch" else np.sqrt(s + self.epsilon)
        return root

    def _update_rows(self, theta: Array, g: SparseRows, eta: float, *remembered: Array) -> bool:
        (s,) = remembered
        s *= self.rho
        s[g.rows] += (1 - self.rho) * g.values**2
        theta[g.rows] -= eta * g.values / self._root(s[g.rows])
        return True


class Adam(Optimizer):
    r"""Adam (Kingma & Ba, ICLR 2015), with the correction of its bias in step k.

    .. math:: m \leftarrow \beta_1 m + (1 - \beta_1)\,g, \qquad v \leftarrow \beta_2 v + (1 - \beta_2)\,g^2

    .. math:: \text{PyTorch:}\quad \theta \leftarrow \theta - \frac{\eta}{1 - \beta_1^k}\,
              \frac{m}{\sqrt{v / (1 - \beta_2^k)} + \epsilon} \qquad
              \text{Keras:}\quad \theta \leftarrow \theta - \eta\,\frac{\sqrt{1 - \beta_2^k}}{1 - \beta_1^k}\,
              \frac{m}{\sqrt{v} + \epsilon}

    Parameters
    ----------
    learning_rate : float
        η.
    beta_1, beta_2 : float
        β₁ and β₂ in [0, 1).
    epsilon : float, optional
        ε; 1e-8 as in PyTorch, 1e-7 as in Keras.
    weight_decay, variant
        As for :class:`SGD`.

    Examples
    --------
    >>> adam, theta = Adam(0.1), {"w": np.array([1.0])}
    >>> adam.step(theta, {"w": np.array([5.0])}, adam.start(theta))
    >>> theta["w"]
    array([0.9])
    """

    beta_1: float
    beta_2: float
    epsilon: float
    _slots = ("mean", "square")

    def __init__(
        self,
        learning_rate: float = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float | None = None,
        weight_decay: float = 0.0,
        *,
        variant: str = "torch",
    ) -> None:
        settings = {"learning_rate": learning_rate, "beta_1": beta_1, "beta_2": beta_2}
        self._set(variant, **settings, epsilon=epsilon, weight_decay=weight_decay)

    def _update(self, theta: Array, g: Array, eta: float, k: int, *remembered: Array) -> None:
        m, v = remembered
        m[...] = self.beta_1 * m + (1 - self.beta_1) * g
        v[...] = self.beta_2 * v + (1 - self.beta_2) * g**2
        unbiased_1, unbiased_2 = 1 - self.beta_1**k, 1 - self.beta_2**k
        if self.variant == "torch":
            theta -= eta / unbiased_1 * m / (np.sqrt(v / unbiased_2) + self.epsilon)
        else:
            theta -= eta * math.sqrt(unbiased_2) / unbiased_1 * m / (np.sqrt(v) + self.epsilon)


class AdamW(Adam):
    r"""Adam with decoupled weight decay (Loshchilov & Hutter, ICLR 2019).

    In both variants :math:`\theta \leftarrow \theta - \eta \lambda \theta` goes before the update of :class:`Adam`.

    Parameters
    ----------
    weight_decay : float, optional
        λ; 0.01 as in PyTorch, 0.004 as in Keras.
    learning_rate, beta_1, beta_2, epsilon, variant
        As for :class:`Adam`.

    Examples
    --------
    >>> adam, theta = AdamW(0.1, weight_decay=0.5), {"w": np.array([1.0])}
    >>> adam.step(theta, {"w": np.array([5.0])}, adam.start(theta))
    >>> theta["w"]
    array([0.85])
    """

    def __init__(
        self,
        learning_rate: float = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float | None = None,
        weight_decay: float | None = None,
        *,
        variant: str = "torch",
    ) -> None:
        settings = {"learning_rate": learning_rate, "beta_1": beta_1, "beta_2": beta_2}
        self._set(variant, **settings, epsilon=epsilon, weight_decay=weight_decay)

    @property
    def _decouples(self) -> bool:
        return True


OPTIMIZERS: dict[str, type[SGD | RMSprop | Adam | AdamW]] = {
    "sgd": SGD,
    "rmsprop": RMSprop,
    "adam": Adam,
    "adamw": AdamW,
}
