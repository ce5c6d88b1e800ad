"""One step of a CfC cell: a backbone on input and state, then the equation of its mode; the backward under it."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from cfc_ref.activations import ACTIVATIONS
from cfc_ref.arrays import Array
from cfc_ref.cells.cfc.modes import MODES, VARIANTS, CfCParams, Read
from cfc_ref.cells.dense import backbone, backbone_value, d_backbone
from cfc_ref.cells.tree import tree_map

__all__ = ["CfCKept", "CfCSettings", "d_step", "step", "trace"]

Drop = tuple[Array | None, ...]


class CfCSettings(NamedTuple):
    """Settings of a CfC network."""

    mode: str = "default"  # a key of :data:`cfc_ref.cells.cfc.modes.MODES`
    variant: str = "torch"  # a key of :data:`cfc_ref.cells.cfc.modes.VARIANTS`
    activation: str = "lecun_tanh"  # of the backbone, a key of :data:`cfc_ref.activations.ACTIVATIONS`
    forget_bias: float = 1.0  # of the mixed memory's forget gate


class CfCKept(NamedTuple):
    """Values that the backward of a step needs: its arguments, and those of backbone and equation."""

    x: Array
    h: Array
    dt: Array
    backbone: tuple[Array, ...]
    backbone_minus: tuple[Array, ...]
    of_mode: Any
    drop: Drop


def step(
    params: CfCParams, x: Array, h: Array, dt: Array, settings: CfCSettings, drop: Drop = ()
) -> tuple[Array, CfCKept]:
    r"""Take one step of a CfC cell: :math:`u = \mathrm{backbone}([I, x])`, then the equation of the mode.

    Shapes: `x` (batch, inputs), `h` (batch, units), `dt` (batch, 1); `drop` holds the dropout factors of each backbone
    layer, as :func:`cfc_ref.cells.dense.backbone` takes them.
    """
    mode, activation = MODES[settings.mode], ACTIVATIONS[settings.activation]
    v = np.concatenate([x, h], axis=1)
    u, kept = backbone(params.backbone, v, activation, drop)
    u_minus, kept_minus = backbone(params.backbone, -v, activation, drop) if mode.both_signs else (None, ())
    new_h, of_mode = mode.forward(params, Read(u, dt, h, u_minus), VARIANTS[settings.variant])
    return new_h, CfCKept(x, h, dt, kept, kept_minus, of_mode, drop)


def d_step(
    params: CfCParams, kept: CfCKept, d_new_h: Array, settings: CfCSettings
) -> tuple[CfCParams, Array, Array, Array]:
    r"""Backward of :func:`step`: the equation, the backbone, then the two halves of v = [I, x].

    .. math:: \bar v = \mathrm{backbone}'(v)^\top\,\bar u - \mathrm{backbone}'(-v)^\top\,\bar u_-, \qquad
              \bar I = \bar v_{1 \ldots m}, \qquad \bar x = \bar v_{m+1 \ldots} + \bar x_{\text{equation}}

    Returns the gradients of the parameters, x, h and dt.
    """
    mode, activation = MODES[settings.mode], ACTIVATIONS[settings.activation]
    v, read = np.concatenate([kept.x, kept.h], axis=1), _read(kept, settings)
    d_params, d_read = mode.backward(params, read, kept.of_mode, d_new_h, VARIANTS[settings.variant])
    d_layers, d_v = d_backbone(params.backbone, v, kept.backbone, d_read.u, activation, kept.drop)
    if mode.both_signs:
        minus = d_backbone(params.backbone, -v, kept.backbone_minus, d_read.u_minus, activation, kept.drop)
        d_layers, d_v = tree_map(np.add, d_layers, minus[0]), d_v - minus[1]
    d_x, d_h = d_v[:, : kept.x.shape[1]], d_v[:, kept.x.shape[1] :]
    d_h = d_h if d_read.x is None else d_h + d_read.x
    return d_params._replace(backbone=d_layers), d_x, d_h, d_read.t


def _read(kept: CfCKept, settings: CfCSettings) -> Read:
    """Return what the equation read, from what was kept of the backbone."""
    v = np.concatenate([kept.x, kept.h], axis=1)
    u_minus = _features(-v, kept.backbone_minus, kept, settings) if MODES[settings.mode].both_signs else None
    return Read(_features(v, kept.backbone, kept, settings), kept.dt, kept.h, u_minus)


def _features(v: Array, layers: tuple[Array, ...], kept: CfCKept, settings: CfCSettings) -> Array:
    m = kept.drop[-1] if kept.drop else None
    return backbone_value(layers[-1], ACTIVATIONS[settings.activation], m) if layers else v


def trace(params: CfCParams, kept: CfCKept, settings: CfCSettings) -> dict[str, Array]:
    """Return the rate of a step, its time constant, and what else its mode has to show, shapes (batch, units)."""
    # "rate", in 1/time, is f of Eq. 4 or that of the exponential; "time_constant" is one over its absolute value
    shown = MODES[settings.mode].trace(params, _read(kept, settings), kept.of_mode)
    with np.errstate(divide="ignore", over="ignore"):  # a rate of 0, or one so small that its inverse overflows
        return {"rate": shown["rate"], "time_constant": 1 / np.abs(shown["rate"]), **shown}
