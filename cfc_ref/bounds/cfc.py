r"""Lipschitz constants of a CfC cell as a map, from its weights alone.

They are not in the paper. A constant ρ < 1 for all timespans used means that runs with equal inputs forget their start
like ρⁿ, and that an error ε per step never grows past ε/(1 - ρ). It is sufficient only: fresh weights are far from it.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from cfc_ref.activations import ACTIVATIONS
from cfc_ref.cells.cfc.cell import CfCSettings
from cfc_ref.cells.cfc.modes import MODES, VARIANTS, CfCParams
from cfc_ref.cells.cfc.network import CfCNetwork

__all__ = ["cell_lipschitz", "gain"]

Array = npt.NDArray[Any]


def gain(params: CfCParams, d_v: Array, t: float, settings: CfCSettings) -> Array:
    r"""Return a bound on the change of a cell's next state when no entry j of v = [I, x] changes by more than `d_v[j]`.

    The features change by at most :math:`\bar u = \ell\,|W_L| \cdots \ell\,|W_1|\,\bar v`, ℓ the activation's slope;
    the rest is ``Mode.gain`` of the cell's mode.
    """
    d_u = d_v
    for layer in params.backbone:
        d_u = ACTIVATIONS[settings.activation].slope * (np.abs(layer.W) @ d_u)
    return MODES[settings.mode].gain(params, d_u, d_v[-len(params.ff1.W) :], t, VARIANTS[settings.variant])


def cell_lipschitz(params: CfCNetwork, t: float, settings: CfCSettings, norm: str = "max") -> float:
    r"""Return a Lipschitz constant of a network's step in its state, :math:`\|x^+ - x'^+\| \le L\,\|x - x'\|`.

    In the norm of the largest entry, by :func:`gain`, layer by layer. In the Euclidean norm, for one cell of mode
    "default",

    .. math:: L = G\,\Big\| \begin{pmatrix} \tfrac{\kappa}{G} W_1 \\ \tfrac{\kappa}{G} W_2 \\ \pm t W_a + W_b
              \end{pmatrix} \Big\|_2 \prod_k \ell\,\|W_k\|_2

    with the first backbone layer's columns that read the state. Infinite for linear heads with a gate.
    """
    if norm == "euclidean":
        return _euclidean(params.layers[0], t, settings)
    largest = 0.0
    d_x = np.zeros(_inputs(params.layers[0]))  # equal inputs
    for layer in params.layers:
        d_x = gain(layer, np.concatenate([d_x, np.ones(layer.ff1.W.shape[0])]), t, settings)
        largest = max(largest, float(d_x.max()))
    # Not in the paper: the Lipschitz constant of a CfC step
    return largest


def _euclidean(params: CfCParams, t: float, settings: CfCSettings) -> float:
    heads, sign = ACTIVATIONS[VARIANTS[settings.variant].heads], VARIANTS[settings.variant].gate_sign
    if math.isinf(heads.bound):
        return math.inf
    scaled = heads.slope / heads.bound
    stacked = np.concatenate(
        [scaled * params.ff1.W, scaled * params.ff2.W, sign * t * params.time_a.W + params.time_b.W]
    )
    maps = [*(layer.W for layer in params.backbone), stacked]
    maps[0] = maps[0][:, _inputs(params) :]
    slope = ACTIVATIONS[settings.activation].slope ** len(params.backbone)
    return float(heads.bound * slope * np.prod([np.linalg.norm(W, 2) for W in maps]))


def _inputs(params: CfCParams) -> int:
    """Return the number of features that a cell reads besides its state."""
    first = params.backbone[0] if params.backbone else params.ff1
    return int(first.W.shape[1] - params.ff1.W.shape[0])
