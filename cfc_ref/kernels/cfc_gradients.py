"""Gradients of a CfC network's weights: for each linear map one product over all rows and time steps, by BLAS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cfc_ref.cells.cfc_heads import CfCParams
from cfc_ref.cells.cfc_network import CfCNetwork
from cfc_ref.cells.dense import Dense
from cfc_ref.cells.lstm import LSTMParams
from cfc_ref.kernels.packed import (
    MEMORY,
    MEMORY_TO_INPUT,
    MEMORY_TO_STATE,
    MODE,
    PAPER_PURE,
    UNITS,
    Cell,
    cells,
    heads_of,
)

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]

__all__: list[str] = []


class Arrays(NamedTuple):
    """What all time steps left, shapes (time, batch, …); time + 1 states; vectors (batch, …), summed over time."""

    x: Array  # inputs
    h: Array  # states
    km: Array  # what the mixed memory kept
    u: Array  # values of the backbone
    gb: Array  # gradients of the arguments of the backbone's activations,
    gh: Array  # of the heads,
    gm: Array  # of the mixed memory's gates
    d_vectors: Array  # gradients of |w_tau|, A and B of each cell


def weight_gradients(params: CfCNetwork, table: Any, arrays: Arrays) -> tuple[CfCNetwork, Array]:
    """Return the gradients of all weights, and of the inputs, shape (time, batch, inputs)."""
    before, after, y = arrays.h[:-1], arrays.h[1:], arrays.km[..., 5 * table[UNITS] :]
    state = y if table[MEMORY] == MEMORY_TO_STATE else before
    below = y if table[MEMORY] == MEMORY_TO_INPUT else arrays.x
    layers: list[CfCParams] = []
    d_below: list[Array] = []
    for layer, cell in zip(params.layers, cells(table), strict=True):
        passes = 2 if table[MODE] >= PAPER_PURE else 1
        own = slice(cell.units_at, cell.units_at + cell.n)
        d_backbone, d_heads, g = _maps(cell, passes, below, state[..., own], arrays)
        layers.append(CfCParams(d_backbone, *d_heads)._replace(**_vectors(layer, cell, arrays.d_vectors)))
        if not d_below:
            W = layer.backbone[0].W if layer.backbone else np.concatenate([head.W for head in heads_of(layer)])
            d_below.append(_through(g, W[:, : cell.n_in]))
        below = after[..., own]
    if params.lstm is None:
        return CfCNetwork(tuple(layers)), d_below[0]
    d_input_map = Dense(_product(arrays.gm, arrays.x), _total([arrays.gm]))
    d_lstm = LSTMParams(d_input_map, Dense(_product(arrays.gm, before), None))
    d_x = _through(arrays.gm, params.lstm.input_map.W)
    if table[MEMORY] == MEMORY_TO_STATE:
        d_x += d_below[0]
    return CfCNetwork(tuple(layers), d_lstm), d_x


def _maps(cell: Cell, passes: int, x: Array, h: Array, arrays: Arrays) -> tuple[tuple[Dense, ...], list[Dense], Array]:
    """Return the gradients of the backbone's maps and of the heads, and that of the first map's result."""

    def columns(array: Array, start: int, size: int) -> list[Array]:
        """Return a map's columns of each pass: [I, x], and in the printed modes [-I, -x]."""
        step = cell.depth * cell.width if array is not arrays.gh else size
        return [array[..., start + p * step : start + p * step + size] for p in range(passes)]

    places = [cell.backbone_at + k * cell.width for k in range(cell.depth)]
    g = [columns(arrays.gb, place, cell.width) for place in places]
    g.append(columns(arrays.gh, cell.gradient_at, cell.n_heads * cell.n))
    u = [columns(arrays.u, place, cell.width) for place in places]
    first = g[0][0] if passes == 1 else g[0][0] - g[0][1]
    maps: list[Any] = [Dense(np.concatenate([_product(first, x), _product(first, h)], axis=1), _total(g[0]))]
    for g_k, u_k in zip(g[1:], u, strict=True):
        d_W: Any = sum(_product(a, b) for a, b in zip(g_k, u_k, strict=True))
        maps.append(Dense(d_W, _total(g_k)))
    *backbone, heads = maps
    split = zip(*(np.split(part, cell.n_heads) for part in heads), strict=True)
    return tuple(backbone), [Dense(W, b) for W, b in split], first


def _product(g: Array, u: Array) -> Array:
    """Return the sum over rows and time steps of the outer products."""
    return g.reshape(-1, g.shape[-1]).T @ u.reshape(-1, u.shape[-1])


def _through(g: Array, W: Array) -> Array:
    """Return the gradient of a map's argument: one product for all time steps."""
    return (g.reshape(-1, g.shape[-1]) @ W).reshape(*g.shape[:-1], W.shape[1])


def _total(g: list[Array]) -> Array:
    """Return the sum over rows, then over time steps."""
    total: Any = sum(part.sum(axis=1).sum(axis=0) for part in g)
    return total


def _vectors(layer: CfCParams, cell: Cell, d_vectors: Array) -> dict[str, Any]:
    """Return the gradients of w_tau, A and B where the mode has them."""
    sums = d_vectors[:, 3 * cell.units_at :].sum(axis=0, keepdims=True)
    by_name = {name: sums[:, k * cell.n : (k + 1) * cell.n] for k, name in enumerate(("w_tau", "A", "B"))}
    if layer.w_tau is not None:
        by_name["w_tau"] = by_name["w_tau"] * np.sign(layer.w_tau)
    return {name: d for name, d in by_name.items() if getattr(layer, name) is not None}
