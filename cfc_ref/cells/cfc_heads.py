r"""What a CfC cell makes of its backbone's features u and the elapsed time t, in the modes of the official code.

With :math:`\mathrm{ff}_k = g(W_k u + b_k)` and :math:`f = W_a u + b_a`:

- "default", Eq. 4 (CfC):         x⁺ = ff1 (1 − s) + s ff2,   s = σ(± f t + W_b u + b_b)
- "no_gate" (CfC-noGate):         x⁺ = ff1 + s ff2
- "pure", Eq. 3 in code (Cf-S):   x⁺ = A − A exp(−t (|w_τ| + |f1|)) f1,   f1 = W_1 u + b_1

The official codes differ in the sign of the gate, the heads' nonlinearity g and more: :data:`VARIANTS`. Equation
numbers are those of Hasani et al., Nat. Mach. Intell. 4, 992 (2022). Backward functions write :math:`\bar y` for the
gradient of the loss by y.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cfc_ref.activations import ACTIVATIONS, d_sigmoid, sigmoid
from cfc_ref.cells.dense import Dense, affine, d_affine

__all__ = [
    "VARIANTS",
    "CfCForm",
    "CfCParams",
    "GateKept",
    "PureKept",
    "Variant",
    "d_default",
    "d_no_gate",
    "d_pure",
    "default",
    "no_gate",
    "pure",
]

Array = npt.NDArray[Any]


class CfCParams(NamedTuple):
    """Parameters of one CfC cell; a mode's parts that it does not have are None.

    Attributes
    ----------
    backbone : tuple of Dense
        From input and state side by side to the features u; empty: u = [I, x].
    ff1, ff2 : Dense
        The two heads g and h of Eq. 4 (which is which depends on the gate's sign).
    time_a, time_b : Dense
        The gate's rate f, and its value at t = 0.
    w_tau, A, B : ndarray, shape (1, units)
        Leak, reversal potential and amplitude of Eq. 3.
    """

    backbone: tuple[Dense, ...]
    ff1: Dense
    ff2: Any = None
    time_a: Any = None
    time_b: Any = None
    w_tau: Any = None
    A: Any = None
    B: Any = None


class Variant(NamedTuple):
    """In what the official codes differ.

    Attributes
    ----------
    gate_sign : int
        The gate is σ(gate_sign · f t + …): with +1, ff1 is the g of Eq. 4 and ff2 its h; with -1 the other way round.
    heads : str
        The nonlinearity of ff1 and ff2 in "default" and "no_gate".
    memory : str
        Mixed memory: the LSTM's output becomes the CfC cell's "state", or its "input".
    dropout_from : int
        The first backbone layer, counted from 0, behind which dropout acts.
    """

    gate_sign: int
    heads: str
    memory: str
    dropout_from: int


VARIANTS = {
    "torch": Variant(+1, "tanh", "state", 1),  # ncps and the official code on PyTorch
    "tensorflow": Variant(-1, "lecun_tanh", "input", 0),  # the official code on TensorFlow
    "keras": Variant(-1, "linear", "input", 0),  # ncps on TensorFlow and Keras
}


class CfCForm(NamedTuple):
    """What is fixed about a CfC network besides its numbers.

    Attributes
    ----------
    mode : str
        "default", "no_gate", "pure", "paper_pure" or "from_x0".
    variant : str
        A key of :data:`VARIANTS`.
    activation : str
        Of the backbone, a key of :data:`cfc_ref.activations.ACTIVATIONS`.
    forget_bias : float
        Of the mixed memory's forget gate.
    """

    mode: str = "default"
    variant: str = "torch"
    activation: str = "lecun_tanh"
    forget_bias: float = 1.0


class GateKept(NamedTuple):
    """What the backward of a gated head needs: the values of both heads and of the gate, shape (batch, units)."""

    ff1: Array
    ff2: Array
    s: Array


class PureKept(NamedTuple):
    """What the backward of the pure form needs: f1 and the exponential, shape (batch, units)."""

    f1: Array
    decay: Array


def _gate(params: CfCParams, u: Array, dt: Array, form: CfCForm) -> GateKept:
    """Return the two heads and the gate between them."""
    sign, heads = VARIANTS[form.variant].gate_sign, ACTIVATIONS[VARIANTS[form.variant].heads]
    ff1 = heads.value(affine(params.ff1, u))
    ff2 = heads.value(affine(params.ff2, u))
    f = affine(params.time_a, u)
    s = sigmoid(sign * f * dt + affine(params.time_b, u))
    return GateKept(ff1, ff2, s)


def _d_gate(
    params: CfCParams, u: Array, dt: Array, kept: GateKept, d: GateKept, form: CfCForm
) -> tuple[CfCParams, Array, Array]:
    r"""Backward of the gate from the gradients `d` of ff1, ff2 and s; f is computed again rather than kept.

    .. math:: \bar p = s\,(1-s)\,\bar s, \qquad \bar f = \pm t\,\bar p, \qquad \bar t = \textstyle\sum \pm f\,\bar p,
              \qquad \bar z_k = g'(z_k)\,\overline{\mathrm{ff}}_k
    """
    sign, heads = VARIANTS[form.variant].gate_sign, ACTIVATIONS[VARIANTS[form.variant].heads]
    d_z1 = d.ff1 * heads.derivative(kept.ff1)
    d_z2 = d.ff2 * heads.derivative(kept.ff2)
    d_p = d.s * d_sigmoid(kept.s)
    d_f = sign * dt * d_p
    d_dt = (sign * affine(params.time_a, u) * d_p).sum(axis=1, keepdims=True)
    d_ff1, d_u1 = d_affine(params.ff1, u, d_z1)
    d_ff2, d_u2 = d_affine(params.ff2, u, d_z2)
    d_time_a, d_ua = d_affine(params.time_a, u, d_f)
    d_time_b, d_ub = d_affine(params.time_b, u, d_p)
    return CfCParams((), d_ff1, d_ff2, d_time_a, d_time_b), d_u1 + d_u2 + d_ua + d_ub, d_dt


def default(params: CfCParams, u: Array, dt: Array, form: CfCForm) -> tuple[Array, GateKept]:
    r"""Eq. 4, the CfC cell.

    .. math:: x^+ = \sigma(-f t) \odot g + [1 - \sigma(-f t)] \odot h

    Parameters
    ----------
    params : CfCParams
        Its ff1, ff2, time_a and time_b.
    u : ndarray, shape (batch, features)
        The backbone's features.
    dt : ndarray, shape (batch, 1)
        Time t since the previous step, >= 0.
    form : CfCForm
        Its variant decides the gate's sign and the heads.

    Returns
    -------
    x : ndarray, shape (batch, units)
        The next state, dimensionless.
    kept : GateKept

    Notes
    -----
    Departure: the code's gate has a second term, s = σ(± f t + W_b u + b_b), so that it is not ½ at t = 0; a time_b of
    zeros is Eq. 4. With the sign + (PyTorch) 1 − s = σ(−f t), so that ff1 is g and ff2 is h.
    """
    kept = _gate(params, u, dt, form)
    # Eq. (4)
    return kept.ff1 * (1 - kept.s) + kept.s * kept.ff2, kept


def d_default(
    params: CfCParams, u: Array, dt: Array, kept: GateKept, d_x: Array, form: CfCForm
) -> tuple[CfCParams, Array, Array]:
    r"""Backward of :func:`default`.

    .. math:: \overline{\mathrm{ff}}_1 = (1-s)\,\bar x^+, \qquad \overline{\mathrm{ff}}_2 = s\,\bar x^+, \qquad
              \bar s = (\mathrm{ff}_2 - \mathrm{ff}_1)\,\bar x^+

    and then, with p = ± f t + W_b u + b_b the gate's argument and z_k = W_k u + b_k those of the heads,

    .. math:: \bar p = s\,(1-s)\,\bar s, \qquad \bar f = \pm t\,\bar p, \qquad \bar t = \textstyle\sum \pm f\,\bar p,
              \qquad \bar z_k = g'(z_k)\,\overline{\mathrm{ff}}_k, \qquad
              \bar u = W_1^\top \bar z_1 + W_2^\top \bar z_2 + W_a^\top \bar f + W_b^\top \bar p

    Parameters
    ----------
    params, u, dt, form
        As in the forward.
    kept : GateKept
        As the forward returned it.
    d_x : ndarray, shape (batch, units)
        Gradient of the next state.

    Returns
    -------
    d_params : CfCParams
        Gradients of the four heads.
    d_u : ndarray, shape (batch, features)
    d_dt : ndarray, shape (batch, 1)
    """
    d_ff1 = d_x * (1 - kept.s)
    d_ff2 = d_x * kept.s
    d_s = d_x * (kept.ff2 - kept.ff1)
    return _d_gate(params, u, dt, kept, GateKept(d_ff1, d_ff2, d_s), form)


def no_gate(params: CfCParams, u: Array, dt: Array, form: CfCForm) -> tuple[Array, GateKept]:
    r"""CfC without the second gate, :math:`x^+ = \mathrm{ff}_1 + s \odot \mathrm{ff}_2` (the paper's CfC-noGate).

    Parameters
    ----------
    params, u, dt, form
        As in :func:`default`.

    Returns
    -------
    x : ndarray, shape (batch, units)
        The next state, dimensionless.
    kept : GateKept
    """
    kept = _gate(params, u, dt, form)
    return kept.ff1 + kept.s * kept.ff2, kept


def d_no_gate(
    params: CfCParams, u: Array, dt: Array, kept: GateKept, d_x: Array, form: CfCForm
) -> tuple[CfCParams, Array, Array]:
    r"""Backward of :func:`no_gate`; from the gate on as in :func:`d_default`.

    .. math:: \overline{\mathrm{ff}}_1 = \bar x^+, \qquad \overline{\mathrm{ff}}_2 = s\,\bar x^+, \qquad
              \bar s = \mathrm{ff}_2\,\bar x^+

    Parameters
    ----------
    params, u, dt, kept, d_x, form
        As in :func:`d_default`.

    Returns
    -------
    d_params, d_u, d_dt
        As in :func:`d_default`.
    """
    d_ff1 = d_x
    d_ff2 = d_x * kept.s
    d_s = d_x * kept.ff2
    return _d_gate(params, u, dt, kept, GateKept(d_ff1, d_ff2, d_s), form)


def pure(params: CfCParams, u: Array, dt: Array, form: CfCForm) -> tuple[Array, PureKept]:
    r"""Eq. 3 as the official code has it (Cf-S), :math:`x^+ = A - A \odot e^{-t\,(|w_\tau| + |f_1|)} \odot f_1`.

    Parameters
    ----------
    params : CfCParams
        Its ff1, w_tau and A.
    u, dt, form
        As in :func:`default`.

    Returns
    -------
    x : ndarray, shape (batch, units)
        The next state.
    kept : PureKept

    Notes
    -----
    Departure: Eq. 3 prints :math:`B \odot e^{-(w_\tau + f)\,t} \odot f(-x, -I) + A`. In code B is tied to -A, f(-x, -I)
    became +f_1, f_1 is a linear head of either sign, and the rate takes absolute values. The state enters through the
    backbone only: at t = 0 the step gives A (1 - f_1), and A for large t. The printed form is
    :func:`cfc_ref.cells.cfc_printed.printed`.
    """
    f1 = affine(params.ff1, u)
    decay = np.exp(-dt * (np.abs(params.w_tau) + np.abs(f1)))
    # Eq. (3), as in code
    return params.A - params.A * decay * f1, PureKept(f1, decay)


def d_pure(
    params: CfCParams, u: Array, dt: Array, kept: PureKept, d_x: Array, form: CfCForm
) -> tuple[CfCParams, Array, Array]:
    r"""Backward of :func:`pure`, with e the exponential and ρ = abs w_τ + abs f_1 the rate.

    .. math:: \bar A = (1 - e f_1)\,\bar x^+, \qquad \bar e = -A f_1\,\bar x^+, \qquad \bar\rho = -t\,e\,\bar e, \qquad
              \bar t = \textstyle\sum -\rho\,e\,\bar e

    .. math:: \bar w_\tau = \operatorname{sign}(w_\tau)\,\bar\rho, \qquad
              \bar f_1 = -A\,e\,\bar x^+ + \operatorname{sign}(f_1)\,\bar\rho

    The derivative of the absolute value at 0 is taken as 0, as PyTorch and TensorFlow do: a leak that starts at
    exactly 0 (variants "tensorflow" and "keras") never moves.

    Parameters
    ----------
    params, u, dt, form
        As in the forward.
    kept : PureKept
        As the forward returned it.
    d_x : ndarray, shape (batch, units)
        Gradient of the next state.

    Returns
    -------
    d_params, d_u, d_dt
        As in :func:`d_default`.
    """
    rate = np.abs(params.w_tau) + np.abs(kept.f1)
    d_A = d_x * (1 - kept.decay * kept.f1)
    d_decay = -d_x * params.A * kept.f1
    d_rate = -dt * kept.decay * d_decay
    d_dt = (-rate * kept.decay * d_decay).sum(axis=1, keepdims=True)
    d_w_tau = np.sign(params.w_tau) * d_rate
    d_f1 = -d_x * params.A * kept.decay + np.sign(kept.f1) * d_rate
    d_ff1, d_u = d_affine(params.ff1, u, d_f1)
    d_params = CfCParams((), d_ff1, w_tau=d_w_tau.sum(axis=0, keepdims=True), A=d_A.sum(axis=0, keepdims=True))
    return d_params, d_u, d_dt
