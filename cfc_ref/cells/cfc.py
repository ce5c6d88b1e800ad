"""One step of a CfC cell: a backbone on input and state, then its mode's heads; the backward under the forward."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cfc_ref.activations import ACTIVATIONS
from cfc_ref.cells.cfc_heads import (
    CfCForm,
    CfCParams,
    GateKept,
    PureKept,
    d_default,
    d_no_gate,
    d_pure,
    default,
    no_gate,
    pure,
)
from cfc_ref.cells.cfc_printed import d_printed, printed
from cfc_ref.cells.dense import affine, backbone, backbone_value, d_backbone
from cfc_ref.cells.tree import tree_map

__all__ = ["MODES", "CfCKept", "cfc_step", "d_cfc_step", "trace_cfc"]

Array = npt.NDArray[Any]
Drop = tuple[Array | None, ...]

_HEADS: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "default": (default, d_default),
    "no_gate": (no_gate, d_no_gate),
    "pure": (pure, d_pure),
}
_PRINTED = ("paper_pure", "from_x0")
MODES = (*_HEADS, *_PRINTED)


class CfCKept(NamedTuple):
    """What the backward of a step needs: its arguments, and what backbone and heads kept (each mode's own tuple)."""

    x: Array
    h: Array
    dt: Array
    backbone: tuple[Array, ...]
    backbone_minus: tuple[Array, ...]
    heads: Any
    drop: Drop


def cfc_step(params: CfCParams, x: Array, h: Array, dt: Array, form: CfCForm, drop: Drop = ()) -> tuple[Array, CfCKept]:
    r"""One step of a CfC cell, :math:`u = \mathrm{backbone}([I, x])` and the heads of the form's mode on u.

    Parameters
    ----------
    params : CfCParams
        Parameters.
    x : ndarray, shape (batch, inputs)
        The input I.
    h : ndarray, shape (batch, units)
        The state x.
    dt : ndarray, shape (batch, 1)
        Time t since the previous step, >= 0.
    form : CfCForm
        Mode, variant and activation.
    drop : tuple of ndarray or None
        Dropout factors of each backbone layer, as :func:`cfc_ref.cells.dense.backbone` takes them.

    Returns
    -------
    h : ndarray, shape (batch, units)
        The next state.
    kept : CfCKept
    """
    activation = ACTIVATIONS[form.activation]
    v = np.concatenate([x, h], axis=1)
    u, kept = backbone(params.backbone, v, activation, drop)
    kept_minus: tuple[Array, ...] = ()
    if form.mode in _PRINTED:
        u_minus, kept_minus = backbone(params.backbone, -v, activation, drop)
        new_h, heads = printed(params, u, u_minus, _amplitude(params, h), dt)
    else:
        new_h, heads = _HEADS[form.mode][0](params, u, dt, form)
    return new_h, CfCKept(x, h, dt, kept, kept_minus, heads, drop)


def d_cfc_step(
    params: CfCParams, kept: CfCKept, d_new_h: Array, form: CfCForm
) -> tuple[CfCParams, Array, Array, Array]:
    r"""Backward of :func:`cfc_step`: heads, then backbone, then the two halves of v = [I, x].

    .. math:: \bar v = \mathrm{backbone}'(v)^\top\,\bar u, \qquad \bar I = \bar v_{1 \ldots m}, \qquad
              \bar x = \bar v_{m+1 \ldots}

    In the printed modes u₋ = backbone(-v) adds its own :math:`-\bar v_-`, and in "from_x0" the amplitude
    B = x - A adds :math:`\bar B` to the state's gradient and takes it from A's.

    Parameters
    ----------
    params, form
        As in the forward.
    kept : CfCKept
        As the forward returned it.
    d_new_h : ndarray, shape (batch, units)
        Gradient of the next state.

    Returns
    -------
    d_params : CfCParams
    d_x : ndarray, shape (batch, inputs)
    d_h : ndarray, shape (batch, units)
    d_dt : ndarray, shape (batch, 1)
    """
    activation = ACTIVATIONS[form.activation]
    v = np.concatenate([kept.x, kept.h], axis=1)
    u = _features(v, kept.backbone, form, kept.drop)
    if form.mode in _PRINTED:
        u_minus = _features(-v, kept.backbone_minus, form, kept.drop)
        B = _amplitude(params, kept.h)
        d_params, d_u, d_u_minus, d_B, d_dt = d_printed(params, u, u_minus, B, kept.dt, kept.heads, d_new_h)
        d_minus, d_v_minus = d_backbone(params.backbone, -v, kept.backbone_minus, d_u_minus, activation, kept.drop)
    else:
        d_params, d_u, d_dt = _HEADS[form.mode][1](params, u, kept.dt, kept.heads, d_new_h, form)
    d_layers, d_v = d_backbone(params.backbone, v, kept.backbone, d_u, activation, kept.drop)
    if form.mode in _PRINTED:
        d_layers = tree_map(np.add, d_layers, d_minus)
        d_v = d_v - d_v_minus
    d_x, d_h = d_v[:, : kept.x.shape[1]], d_v[:, kept.x.shape[1] :]
    if form.mode == "paper_pure":
        d_params = d_params._replace(B=d_B.sum(axis=0, keepdims=True))
    elif form.mode == "from_x0":
        d_h = d_h + d_B
        d_params = d_params._replace(A=d_params.A - d_B.sum(axis=0, keepdims=True))
    return d_params._replace(backbone=d_layers), d_x, d_h, d_dt


def _amplitude(params: CfCParams, h: Array) -> Array:
    """Return B: Eq. 3's parameter, or Theorem 1's x₀ - A."""
    return h - params.A if params.B is None else params.B


def _features(v: Array, kept: tuple[Array, ...], form: CfCForm, drop: Drop) -> Array:
    """Return the backbone's last value from what was kept of it."""
    return backbone_value(kept[-1], ACTIVATIONS[form.activation], drop[-1] if drop else None) if kept else v


def trace_cfc(params: CfCParams, kept: CfCKept, form: CfCForm) -> dict[str, Array]:
    """Return what a step did, by name: the rate f of Eq. 4 or of the exponential, its time constant, gate and heads.

    Parameters
    ----------
    params, form
        As in :func:`cfc_step`.
    kept : CfCKept
        As it returned it.

    Returns
    -------
    dict of ndarray, shape (batch, units)
        "rate", in 1/time, and "time_constant", one over its absolute value; "gate", "ff1" and "ff2" where there is a
        gate; "release", f(x, I) of the printed forms.
    """
    heads = kept.heads
    more: dict[str, Array]
    if isinstance(heads, GateKept):
        u = _features(np.concatenate([kept.x, kept.h], axis=1), kept.backbone, form, kept.drop)
        rate, more = affine(params.time_a, u), {"gate": heads.s, "ff1": heads.ff1, "ff2": heads.ff2}
    elif isinstance(heads, PureKept):
        rate, more = np.abs(params.w_tau) + np.abs(heads.f1), {}
    else:
        rate, more = np.abs(params.w_tau) + heads.f, {"release": heads.f}
    with np.errstate(divide="ignore", over="ignore"):  # a rate of 0, or one so small that its inverse overflows
        return {"rate": rate, "time_constant": 1 / np.abs(rate), **more}
