r"""What is known of a CfC cell as a map, from its weights alone: a box that holds its states, and Lipschitz constants.

Neither is in the paper. A Lipschitz constant below 1 for all timespans used means that runs with equal inputs forget
their start like ρⁿ, and that an error ε a step never grows past ε/(1 - ρ). It is sufficient only: fresh weights are far
from it.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from cfc_ref.activations import ACTIVATIONS
from cfc_ref.cells.cfc_heads import VARIANTS, CfCForm, CfCParams
from cfc_ref.cells.cfc_network import CfCNetwork

__all__ = ["cell_box", "cell_lipschitz", "gain", "gate_gain"]

Array = npt.NDArray[Any]


def cell_box(params: CfCParams, t: float, form: CfCForm) -> tuple[Array, Array]:
    r"""Box of a cell's next state, whatever its input and state.

    .. math:: |x^+| < G \;\text{("default")}, \qquad |x^+| < 2G \;\text{("no_gate")}, \qquad
              |x^+ - A| \le \frac{|A|\,e^{-t |w_\tau|}}{e\,t} \;\text{("pure")}, \qquad
              |x^+ - A| \le |B|\,e^{-t |w_\tau|} \;\text{("paper_pure")}

    G is the heads' bound: 1 for tanh, 1.7159 for LeCun's, none for linear heads. In "from_x0" the step brings x closer
    to A, so a run that begins at 0 stays in abs(x - A) <= abs(A).

    Parameters
    ----------
    params : CfCParams
        Weights.
    t : float
        The shortest timespan used, >= 0. At t = 0 "pure" has no box.
    form : CfCForm
        Mode and variant.

    Returns
    -------
    low, high : ndarray, shape (units,)
    """
    units = params.ff1.W.shape[0]
    if form.mode in ("default", "no_gate"):
        G = ACTIVATIONS[VARIANTS[form.variant].heads].bound
        radius = np.full(units, G if form.mode == "default" else 2 * G)
        return -radius, radius
    A, decay = params.A[0], np.exp(-t * np.abs(params.w_tau[0]))
    if form.mode == "pure":
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):  # t = 0
            radius = np.where(A == 0, 0, np.abs(A) * decay / (math.e * t))
    else:
        radius = np.abs(A) if form.mode == "from_x0" else np.abs(params.B[0]) * decay
    return A - radius, A + radius


def gate_gain(m: Array, gamma: Array) -> Array:
    r"""Supremum of the row expression of Eq. 4's Jacobian, for heads of tanh.

    .. math:: \Lambda(m, \gamma) = \sup_{s, a, b}\; (1-s)(1-a^2)\,m + s\,(1-b^2)\,m + s\,(1-s)\,|b-a|\,\gamma
              = \begin{cases} m + \gamma^2/(16\,m) & \gamma \le 4m \\ \gamma/2 & \text{else} \end{cases}

    Parameters
    ----------
    m, gamma : ndarray
        Bounds on the change of the heads' arguments, and of the gate's argument.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(gamma <= 4 * m, m + np.where(m > 0, gamma**2 / (16 * m), 0), gamma / 2)


def gain(params: CfCParams, d_v: Array, t: float, form: CfCForm) -> Array:
    r"""Bound on the change of a cell's next state when no entry j of v = [I, x] changes by more than `d_v[j]`.

    With δ = ℓ abs(W_L) … ℓ abs(W_1) d_v at the features, ℓ the activation's slope, G and κ bound and slope of the
    heads, m = max(abs(W₁) δ, abs(W₂) δ), γ = abs(± t W_a + W_b) δ:

    - "default": G Λ(κ m/G, γ), see :func:`gate_gain`; infinite for linear heads
    - "no_gate": 2 κ m + G γ/4
    - "pure": abs(A) e^{-t abs(w_τ)} abs(W₁) δ, as abs((1 - u) e^{-u}) <= 1
    - "paper_pure": abs(B) e^{-t abs(w_τ)} (1 + t)/4 abs(W₁) δ, as σ' <= 1/4
    - "from_x0": the same with abs(A) for abs(B), plus the change of x itself; for abs(x - A) <= abs(A)

    Parameters
    ----------
    params : CfCParams
        Weights.
    d_v : ndarray, shape (inputs + units,)
        Changes >= 0.
    t : float
        Timespan, >= 0.
    form : CfCForm
        Mode, variant and activation.

    Returns
    -------
    ndarray, shape (units,)
    """
    if form.mode in ("default", "no_gate") and math.isinf(ACTIVATIONS[VARIANTS[form.variant].heads].bound):
        return np.full(len(params.ff1.W), math.inf)
    delta = d_v
    for layer in params.backbone:
        delta = ACTIVATIONS[form.activation].slope * (np.abs(layer.W) @ delta)
    m = np.abs(params.ff1.W) @ delta
    if form.mode in ("default", "no_gate"):
        heads, sign = ACTIVATIONS[VARIANTS[form.variant].heads], VARIANTS[form.variant].gate_sign
        m = np.maximum(m, np.abs(params.ff2.W) @ delta)
        gamma = np.abs(sign * t * params.time_a.W + params.time_b.W) @ delta
        if form.mode == "no_gate":
            return 2 * heads.slope * m + heads.bound * gamma / 4
        return heads.bound * gate_gain(heads.slope * m / heads.bound, gamma)
    decay = np.exp(-t * np.abs(params.w_tau[0]))
    if form.mode == "pure":
        return np.abs(params.A[0]) * decay * m
    amplitude = np.abs(params.A[0] if params.B is None else params.B[0])
    own = d_v[-len(m) :] if form.mode == "from_x0" else 0
    return decay * (amplitude * (1 + t) / 4 * m + own)


def cell_lipschitz(params: CfCNetwork, t: float, form: CfCForm, norm: str = "max") -> float:
    r"""Lipschitz constant of a network's step in its state: :math:`\|x^+ - x'^+\| \le L\,\|x - x'\|` for equal inputs.

    In the norm of the largest entry, by :func:`gain`, layer by layer. In the Euclidean norm, for one gated cell,

    .. math:: L = G\,\Big\| \begin{pmatrix} \tfrac{\kappa}{G} W_1 \\ \tfrac{\kappa}{G} W_2 \\ \pm t W_a + W_b
              \end{pmatrix} \Big\|_2 \prod_k \ell\,\|W_k\|_2

    with the first backbone layer's columns that read the state.

    Parameters
    ----------
    params : CfCNetwork
        Weights; without mixed memory.
    t : float
        Timespan, >= 0.
    form : CfCForm
        Mode, variant and activation.
    norm : {"max", "euclidean"}
        The second for one cell of mode "default" only.

    Returns
    -------
    float
        Infinite for linear heads with a gate.
    """
    if norm == "euclidean":
        return _euclidean(params.layers[0], t, form)
    largest = 0.0
    d_x = np.zeros(_inputs(params.layers[0]))  # equal inputs
    for layer in params.layers:
        d_x = gain(layer, np.concatenate([d_x, np.ones(layer.ff1.W.shape[0])]), t, form)
        largest = max(largest, float(d_x.max()))
    return largest


def _euclidean(params: CfCParams, t: float, form: CfCForm) -> float:
    heads, sign = ACTIVATIONS[VARIANTS[form.variant].heads], VARIANTS[form.variant].gate_sign
    if math.isinf(heads.bound):
        return math.inf
    scaled = heads.slope / heads.bound
    stacked = np.concatenate(
        [scaled * params.ff1.W, scaled * params.ff2.W, sign * t * params.time_a.W + params.time_b.W]
    )
    maps = [*(layer.W for layer in params.backbone), stacked]
    maps[0] = maps[0][:, _inputs(params) :]
    slope = ACTIVATIONS[form.activation].slope ** len(params.backbone)
    return float(heads.bound * slope * np.prod([np.linalg.norm(W, 2) for W in maps]))


def _inputs(params: CfCParams) -> int:
    """Return the number of features that a cell reads besides its state."""
    first = params.backbone[0] if params.backbone else params.ff1
    return int(first.W.shape[1] - params.ff1.W.shape[0])
