r"""Linear maps, and the backbone that is made of them: pairs of pure functions, the backward under the forward.

A backward function takes what its forward kept and the gradient of its result (``d_`` and the result's name), and
returns the gradients of what the forward took. Gradients of a batch are summed over it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cfc_ref.activations import Activation
from cfc_ref.arrays import Array

__all__ = ["Dense", "affine", "backbone", "d_affine", "d_backbone"]


class Dense(NamedTuple):
    """Parameters of a linear map."""

    W: Array  # (outputs, inputs): weights, stored as PyTorch does
    b: Array | None  # (outputs,): bias


def affine(params: Dense, u: Array) -> Array:
    r"""Linear map, :math:`z = u\,W^\top + b`, of `u` with the shape (batch, inputs)."""
    z = u @ params.W.T
    return z if params.b is None else z + params.b


def affine_interval(params: Dense, u: tuple[Array, Array]) -> tuple[Array, Array]:
    r"""Return the range of :func:`affine` for arguments between `u` = (low, high), :math:`W m + b \pm |W|\,r`."""
    low, high = u
    middle, radius = affine(params, (low + high) / 2), (high - low) / 2 @ np.abs(params.W).T
    return middle - radius, middle + radius


def d_affine(params: Dense, u: Array, d_z: Array) -> tuple[Dense, Array]:
    r"""Backward of :func:`affine`; `d_z` has the shape (batch, outputs).

    .. math:: \frac{\partial z_i}{\partial W_{ij}} = u_j, \qquad \frac{\partial z_i}{\partial b_i} = 1, \qquad
              \frac{\partial z_i}{\partial u_j} = W_{ij}
    """
    d_W = d_z.T @ u
    d_b = None if params.b is None else d_z.sum(axis=0)
    d_u = d_z @ params.W
    return Dense(d_W, d_b), d_u


def backbone(
    layers: tuple[Dense, ...], v: Array, activation: Activation, drop: tuple[Array | None, ...] = ()
) -> tuple[Array, tuple[Array, ...]]:
    r"""Backbone, :math:`u_k = m_k \odot a(W_k u_{k-1} + b_k)` with :math:`u_0 = v`, shape (batch, inputs)."""
    u, kept = v, []
    for layer, m in zip(layers, _factors(layers, drop), strict=True):
        z = affine(layer, u)
        a = activation.value(z)
        kept.append(a if activation.by_value else z)
        u = a if m is None else a * m
    return u, tuple(kept)


def d_backbone(
    layers: tuple[Dense, ...],
    v: Array,
    kept: tuple[Array, ...],
    d_u: Array,
    activation: Activation,
    drop: tuple[Array | None, ...] = (),
) -> tuple[tuple[Dense, ...], Array]:
    r"""Backward of :func:`backbone`, from the last layer to the first; `d_u` has the shape (batch, units).

    .. math:: \bar a_k = m_k \odot \bar u_k, \qquad \bar z_k = a'(z_k) \odot \bar a_k, \qquad
              \bar W_k = \bar z_k^\top u_{k-1}, \qquad \bar u_{k-1} = \bar z_k W_k
    """
    factors = _factors(layers, drop)
    d_layers: list[Dense] = []
    for k in reversed(range(len(layers))):
        d_a = d_u if factors[k] is None else d_u * factors[k]
        d_z = d_a * activation.derivative(kept[k])
        below = v if k == 0 else backbone_value(kept[k - 1], activation, factors[k - 1])
        d_layer, d_u = d_affine(layers[k], below, d_z)
        d_layers.append(d_layer)
    return tuple(reversed(d_layers)), d_u


def backbone_value(kept: Array, activation: Activation, m: Array | None) -> Array:
    """Return a layer's value from what was kept of it."""
    a = kept if activation.by_value else activation.value(kept)
    return a if m is None else a * m


def _factors(layers: tuple[Dense, ...], drop: tuple[Array | None, ...]) -> tuple[Array | None, ...]:
    return drop or (None,) * len(layers)
