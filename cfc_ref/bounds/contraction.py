r"""Lipschitz constants of a CfC cell as a map, from its weights alone, and its reach tube.

The constants are not in the paper. A constant ρ < 1 for all timespans used means that runs with equal inputs forget
their start like ρⁿ, and that an error ε per step never grows past ε/(1 - ρ). It is sufficient only: fresh weights are
far from it.
"""

from __future__ import annotations

import math

import numpy as np

from cfc_ref.activations import ACTIVATIONS
from cfc_ref.arrays import Array
from cfc_ref.bounds.checked import Interval
from cfc_ref.cells.cfc.cell import CfCSettings
from cfc_ref.cells.cfc.modes import MODES, VARIANTS, CfCParams, Read
from cfc_ref.cells.cfc.network import CfCNetwork
from cfc_ref.cells.dense import affine_interval

__all__ = ["cell_lipschitz", "cfc_tube", "contract", "gain"]


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


def contract(params: CfCNetwork, times: tuple[float, float], settings: CfCSettings, most: float) -> None:
    r"""Change a network in place so that the Euclidean constant is at most `most` for all timespans between two.

    The constant is convex in t, so that the largest is at an end. It is proportional to the norm of the first map's
    columns that read the state: those of the backbone lose what their singular values have above the allowed norm (the
    nearest matrix of that norm), those of the heads, where there is no backbone, are scaled together.
    """
    cell = params.layers[0]
    share = most / max(*(_euclidean(cell, t, settings) for t in times), 1e-30) * (1 - 1e-5)  # for rounding to float32
    if share >= 1:
        return
    columns = slice(_inputs(cell), None)
    if not cell.backbone:
        for head in (cell.ff1, cell.ff2, cell.time_a, cell.time_b):
            head.W[:, columns] *= share
        return
    W = cell.backbone[0].W[:, columns]
    left, values, right = np.linalg.svd(W, full_matrices=False)
    W[...] = left * np.minimum(values, share * values[0]) @ right


def _inputs(params: CfCParams) -> int:
    """Return the number of features that a cell reads besides its state."""
    first = params.backbone[0] if params.backbone else params.ff1
    return int(first.W.shape[1] - params.ff1.W.shape[0])


# --- the reach tube


def cfc_tube(
    params: CfCNetwork, inputs: Interval, start: Interval, timespans: Array, settings: CfCSettings
) -> Interval:
    """Return the tube of a network's states after each time step, shape (T, units) each, by interval arithmetic."""
    # Each step's interval holds every next state; it forgets what heads and neurons have in common
    low, high = start
    ends = np.cumsum([len(layer.ff1.W) for layer in params.layers])[:-1]
    tube = [np.empty((2, 0, low.size))]
    for I_low, I_high, t in zip(*inputs, timespans, strict=True):
        x, new = (I_low, I_high), []
        for layer, h in zip(params.layers, zip(np.split(low, ends), np.split(high, ends), strict=True), strict=True):
            x = _cell_interval(layer, x, h, float(t), settings)
            new.append(x)
        low, high = (np.concatenate(end) for end in zip(*new, strict=True))
        tube.append(np.stack([low, high])[:, None])
    low, high = np.concatenate(tube, axis=1)
    return low, high


def _cell_interval(params: CfCParams, x: Interval, h: Interval, t: float, settings: CfCSettings) -> Interval:
    """Return the range of a cell's next state, for inputs and states between their ends."""
    mode = MODES[settings.mode]
    low, high = (np.concatenate(both) for both in zip(x, h, strict=True))
    u = _features(params, (low, high), settings)
    u_minus = _features(params, (-high, -low), settings) if mode.both_signs else None
    return mode.interval(params, Read(u, t, h, u_minus), VARIANTS[settings.variant])


def _features(params: CfCParams, v: Interval, settings: CfCSettings) -> Interval:
    """Return the range of the backbone's features."""
    for layer in params.backbone:
        v = ACTIVATIONS[settings.activation].interval(*affine_interval(layer, v))
    return v
