r"""Changes of gradients between the backward pass and the optimiser: L2 first, then clipping, as in Keras."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from cfc_ref import checks
from cfc_ref.arrays import Array
from cfc_ref.layers.sparse_rows import SparseRows

__all__ = ["GlobalNorm", "TensorNorm", "d_l2", "penalised"]

_ByName = dict[str, Any]


@dataclass(frozen=True)
class GlobalNorm:
    r"""Clip all gradients together: PyTorch's ``clip_grad_norm_``.

    .. math:: g \leftarrow g \cdot \min\!\Big(1, \frac{c}{\lVert g \rVert + 10^{-6}}\Big), \qquad
              \lVert g \rVert^2 = \sum_\theta \lVert g_\theta \rVert^2

    The gradient of an embedding counts as the whole table.
    """

    most: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "most", checks.number("most", self.most, positive=True))

    def __call__(self, gradients: _ByName) -> _ByName:
        """Return the gradients, clipped."""
        whole = (g.summed() if isinstance(g, SparseRows) else g for g in gradients.values())
        norm = math.sqrt(sum(_squares(g) for g in whole))
        factor = min(1.0, self.most / (norm + 1e-6))
        return {key: factor * g for key, g in gradients.items()}


@dataclass(frozen=True)
class TensorNorm:
    r"""Clip each array's gradient by itself: Keras's ``clipnorm``.

    .. math:: g_\theta \leftarrow g_\theta \cdot \frac{c}{\max(c, \lVert g_\theta \rVert)}

    Keras takes the norm of an embedding's gradient over its reads, before those of one token are summed.
    """

    most: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "most", checks.number("most", self.most, positive=True))

    def __call__(self, gradients: _ByName) -> _ByName:
        """Return the gradients, clipped."""
        return {key: self.most / max(self.most, math.sqrt(_squares(g))) * g for key, g in gradients.items()}


def _squares(g: Any) -> float:
    return float(np.square(g.values if isinstance(g, SparseRows) else g, dtype=np.float64).sum())


def penalised(names: Mapping[str, Array]) -> list[str]:
    """Return the names of the arrays on which L2 acts: weights of the cell's linear maps, as in the TensorFlow code."""
    # Biases, w_τ and A, the memory and the projection are not among them
    return [name for name in names if name.startswith("rnn_cell.") and name.endswith(".weight")]


def d_l2(strength: float, parameters: Mapping[str, Array], gradients: _ByName) -> _ByName:
    r"""Return the gradients of a loss with :math:`\lambda \sum w^2` added, :math:`g_w \leftarrow g_w + 2 \lambda w`."""
    # Keras's regularizers.L2(λ); PyTorch's weight_decay differs: see :mod:`cfc_ref.learn.optimizers`
    added = {name: gradients[name] + 2 * strength * parameters[name] for name in penalised(parameters)}
    return {**gradients, **added}
