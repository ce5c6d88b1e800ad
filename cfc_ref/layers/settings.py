"""Settings of the layers: a frozen dataclass per kind, whose fields carry the checks of the constructor's arguments."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

from cfc_ref import checks
from cfc_ref.activations import ACTIVATIONS
from cfc_ref.cells.cfc.modes import MODES, VARIANTS
from cfc_ref.cells.solvers import SOLVERS

__all__ = [
    "UNFOLDS",
    "CTRNNLayerSettings",
    "CfCLayerSettings",
    "Default",
    "LSTMLayerSettings",
    "LTCLayerSettings",
    "LayerSettings",
    "NeuralLTCLayerSettings",
    "SolverSettings",
    "share",
]

S = TypeVar("S", bound="LayerSettings")


def _checked(check: Callable[..., Any], *choices: Any, **options: Any) -> Any:
    """Return a field whose value is that of ``check(name, value, *choices, **options)``."""
    return field(metadata={"check": lambda name, value: check(name, value, *choices, **options)})


def _optional(check: Callable[..., Any], **options: Any) -> Any:
    return _checked(lambda name, value: None if value is None else check(name, value, **options))


def share(name: str, value: Any) -> float:
    """Return a share that drops."""
    number = checks.number(name, value)
    if not 0 <= number < 1:
        checks.refuse(name, repr(value), "a share in [0, 1)", "pass the share that drops")
    return number


def _at_least_0(name: str, value: Any) -> float:
    number = checks.number(name, value)
    if number < 0:
        checks.refuse(name, repr(value), "a number >= 0", f"remove {name}")
    return number


def _mapping(name: str, value: Any) -> str:
    return checks.choice(name, "none" if value is None else value, ("affine", "linear", "none"))


@dataclass(frozen=True)
class LayerSettings:
    """The settings that every layer has; making one checks them all."""

    input_size: int = _checked(checks.count, at_least=1)
    proj_size: int | None = _optional(checks.count, at_least=1)
    return_sequences: bool = _checked(checks.flag)
    batch_first: bool = _checked(checks.flag)
    dtype: Any = _checked(checks.float_dtype)  # noqa: RUF009 (a field)

    def __post_init__(self) -> None:
        for name in self.names():
            object.__setattr__(self, name, self.checked(name, getattr(self, name)))

    @classmethod
    def checked(cls, name: str, value: Any) -> Any:
        """Return the checked value of a setting."""
        return cls.__dataclass_fields__[name].metadata["check"](name, value)

    @classmethod
    def of(cls: type[S], arguments: Mapping[str, Any]) -> S:
        """Return the settings among a constructor's arguments."""
        return cls(**{name: arguments[name] for name in cls.names()})

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Return the names of the settings."""
        return tuple(one.name for one in fields(cls))


@dataclass(frozen=True)
class CfCLayerSettings(LayerSettings):
    """The settings of a CfC."""

    mixed_memory: bool = _checked(checks.flag)
    mode: str = _checked(checks.choice, MODES)
    activation: str = _checked(checks.choice, [name for name in ACTIVATIONS if name != "linear"])
    backbone_units: int | None = _optional(checks.count, at_least=1)
    backbone_layers: int | None = _optional(checks.count)
    backbone_dropout: float | None = _optional(share)
    variant: str = _checked(checks.choice, VARIANTS)
    forget_bias: float = _checked(checks.number)
    recurrence: str = _checked(checks.choice, ("full", "wired"))


class Default(int):
    """A default number, which differs from the same number passed by a caller."""


UNFOLDS = Default(6)  # ncps's


@dataclass(frozen=True)
class SolverSettings(LayerSettings):
    """The settings of a layer with an ODE: the number of parts of a time step, or their longest length."""

    ode_unfolds: int | None = _optional(checks.count, at_least=1)
    step: float | None = _optional(checks.number, positive=True)
    solver: str = _checked(checks.choice, SOLVERS)

    def __post_init__(self) -> None:
        given = self.ode_unfolds
        if self.step is None and given is None:
            checks.refuse("ode_unfolds", "None", "a count >= 1, or a step", "pass ode_unfolds or step", TypeError)
        elif self.step is None:
            checks.count("ode_unfolds", given, at_least=1)
        elif given is None or isinstance(given, Default):
            object.__setattr__(self, "ode_unfolds", None)
        else:
            checks.refuse("step", f"{self.step!r} with ode_unfolds={given!r}", "one of both", "remove one of them")
        super().__post_init__()


@dataclass(frozen=True)
class NeuralLTCLayerSettings(SolverSettings):
    """The settings of a NeuralLTC."""

    mixed_memory: bool = _checked(checks.flag)
    implicit_param_constraints: bool = _checked(checks.flag)


@dataclass(frozen=True)
class LTCLayerSettings(NeuralLTCLayerSettings):
    """The settings of an LTC."""

    input_mapping: str = _checked(_mapping)
    output_mapping: str = _checked(_mapping)
    epsilon: float = _checked(_at_least_0)


@dataclass(frozen=True)
class CTRNNLayerSettings(SolverSettings):
    """The settings of a CTRNN."""

    tau: float = _checked(checks.number, positive=True)


@dataclass(frozen=True)
class LSTMLayerSettings(LayerSettings):
    """The settings of an LSTM."""

    forget_bias: float = _checked(checks.number)
    timed: bool = _checked(checks.flag)
