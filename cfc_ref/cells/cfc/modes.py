r"""The equations of a CfC cell: the next state from the features u of its backbone and the elapsed time t.

Each equation is one function, its backward under it, and one record in :data:`MODES`, which is all that layers, bounds,
kernels and the command line know of a mode. Equation numbers are those of Hasani et al., Nat. Mach. Intell. 4, 992
(2022). Backward functions write :math:`\bar y` for the gradient of the loss with respect to y.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from cfc_ref import checks
from cfc_ref.activations import ACTIVATIONS, d_sigmoid, sigmoid
from cfc_ref.arrays import Array
from cfc_ref.cells.dense import Dense, affine, affine_interval, d_affine
from cfc_ref.cells.tree import tree_map

__all__ = [
    "MODES",
    "VARIANTS",
    "CfCParams",
    "Mode",
    "Read",
    "Variant",
    "d_eq3",
    "d_eq3_in_code",
    "d_eq4",
    "d_no_gate",
    "d_theorem1",
    "eq3",
    "eq3_in_code",
    "eq4",
    "gate_gain",
    "no_gate",
    "theorem1",
]

Interval = tuple[Array, Array]


class CfCParams(NamedTuple):
    """Weights of one CfC cell; what its mode does not have is None."""

    backbone: tuple[Dense, ...]  # from input and state side by side to the features u; empty: u = [I, x]
    ff1: Dense  # ff1, ff2: the two heads g and h of Eq. 4 (which is which depends on the gate's sign)
    ff2: Any = None
    time_a: Any = None  # time_a, time_b: the gate's rate f, and its value at t = 0
    time_b: Any = None
    w_tau: Any = None  # w_tau, A, B: (1, units): leak, reversal potential and amplitude of Eq. 3
    A: Any = None
    B: Any = None


class Variant(NamedTuple):
    """The differences between the official codes."""

    # the gate is σ(gate_sign · f t + …): with +1, ff1 is the g of Eq. 4 and ff2 its h; with -1 the other way round
    gate_sign: int
    heads: str  # the nonlinearity of ff1 and ff2 in "default" and "no_gate"
    memory: str  # mixed memory: the LSTM's output becomes the CfC cell's "state", or its "input"
    dropout_from: int  # the first backbone layer, counted from 0, after which dropout acts


VARIANTS = {
    "torch": Variant(+1, "tanh", "state", 1),  # ncps and the official code on PyTorch
    "tensorflow": Variant(-1, "lecun_tanh", "input", 0),  # the official code on TensorFlow
    "keras": Variant(-1, "linear", "input", 0),  # ncps on TensorFlow and Keras
}


class Read(NamedTuple):
    """Arguments of an equation besides its weights; a backward returns their gradients in the same places."""

    u: Any  # (batch, features): the backbone's features of [I, x]
    t: Any  # (batch, 1): time since the previous step, >= 0
    x: Any = None  # (batch, units): the state before the step; its gradient is None where the equation does not read it
    u_minus: Any = None  # (batch, features): the backbone's features of [-I, -x], for equations that need both signs


# --- Eq. 4, the CfC cell


class Gate(NamedTuple):
    """Values of both heads and of the gate, shape (batch, units)."""

    ff1: Array
    ff2: Array
    s: Array


def eq4(params: CfCParams, read: Read, variant: Variant) -> tuple[Array, Gate]:
    r"""Eq. 4, the CfC cell: :math:`x^+ = \sigma(-f t) \odot g + [1 - \sigma(-f t)] \odot h`.

    Departure: the code's gate has a second term, s = σ(± f t + W_b u + b_b), so that it is not ½ at t = 0; a time_b of
    zeros is Eq. 4. With the sign + (PyTorch) 1 − s = σ(−f t), so that ff1 is g and ff2 is h.
    """
    nonlinearity = ACTIVATIONS[variant.heads].value
    ff1 = nonlinearity(affine(params.ff1, read.u))
    ff2 = nonlinearity(affine(params.ff2, read.u))
    f = affine(params.time_a, read.u)
    # The gate σ(± f t) of Eq. 4, with a value of its own at t = 0
    s = sigmoid(variant.gate_sign * f * read.t + affine(params.time_b, read.u))
    # Eq. (4): the CfC cell
    return ff1 * (1 - s) + s * ff2, Gate(ff1, ff2, s)


def d_eq4(params: CfCParams, read: Read, kept: Gate, d_x: Array, variant: Variant) -> tuple[CfCParams, Read]:
    r"""Backward of :func:`eq4`.

    .. math:: \overline{\mathrm{ff}}_1 = (1-s)\,\bar x^+, \qquad \overline{\mathrm{ff}}_2 = s\,\bar x^+, \qquad
              \bar s = (\mathrm{ff}_2 - \mathrm{ff}_1)\,\bar x^+
    """
    d_ff1 = d_x * (1 - kept.s)
    d_ff2 = d_x * kept.s
    d_s = d_x * (kept.ff2 - kept.ff1)
    return _d_gate(params, read, kept, Gate(d_ff1, d_ff2, d_s), variant)


def _d_gate(params: CfCParams, read: Read, kept: Gate, d: Gate, variant: Variant) -> tuple[CfCParams, Read]:
    r"""Backward of both heads and the gate, from their gradients `d`; f is computed again rather than kept.

    .. math:: \bar p = s\,(1-s)\,\bar s, \qquad \bar f = \pm t\,\bar p, \qquad \bar t = \textstyle\sum \pm f\,\bar p,
              \qquad \bar z_k = g'(z_k)\,\overline{\mathrm{ff}}_k, \qquad
              \bar u = W_1^\top \bar z_1 + W_2^\top \bar z_2 + W_a^\top \bar f + W_b^\top \bar p

    with p = ± f t + W_b u + b_b the gate's argument and z_k = W_k u + b_k those of the heads.
    """
    derivative = ACTIVATIONS[variant.heads].derivative
    d_z1 = d.ff1 * derivative(kept.ff1)
    d_z2 = d.ff2 * derivative(kept.ff2)
    d_p = d.s * d_sigmoid(kept.s)
    d_f = variant.gate_sign * read.t * d_p
    d_t = (variant.gate_sign * affine(params.time_a, read.u) * d_p).sum(axis=1, keepdims=True)
    d_ff1, d_u1 = d_affine(params.ff1, read.u, d_z1)
    d_ff2, d_u2 = d_affine(params.ff2, read.u, d_z2)
    d_time_a, d_ua = d_affine(params.time_a, read.u, d_f)
    d_time_b, d_ub = d_affine(params.time_b, read.u, d_p)
    return CfCParams((), d_ff1, d_ff2, d_time_a, d_time_b), Read(d_u1 + d_u2 + d_ua + d_ub, d_t)


def _trace_gate(params: CfCParams, read: Read, kept: Gate) -> dict[str, Array]:
    return {"rate": affine(params.time_a, read.u), "gate": kept.s, "ff1": kept.ff1, "ff2": kept.ff2}


def _box_eq4(params: CfCParams, t: float, variant: Variant) -> tuple[Array, Array]:
    r"""Return the box :math:`|x^+| < G`, G the bound of the heads: 1 for tanh, 1.7159 for LeCun's, none for linear."""
    return _around(0, np.full(len(params.ff1.W), ACTIVATIONS[variant.heads].bound))


def _around(centre: Array | int, radius: Array) -> tuple[Array, Array]:
    return centre - radius, centre + radius


def _gain_eq4(params: CfCParams, d_u: Array, d_x: Array, t: float, variant: Variant) -> Array:
    r"""Return :math:`G\,\Lambda(\kappa m/G, \gamma)`: see :func:`gate_gain`; κ is the slope of the heads."""
    heads = ACTIVATIONS[variant.heads]
    if math.isinf(heads.bound):
        return np.full(len(params.ff1.W), math.inf)
    m, gamma = _moves_gate(params, d_u, t, variant)
    return heads.bound * gate_gain(heads.slope * m / heads.bound, gamma)


def _interval_eq4(params: CfCParams, read: Read, variant: Variant) -> Interval:
    """Return the range of x⁺, whose extremes are at an end of the gate."""
    ff1, ff2, s = _gate_interval(params, read, variant)
    values = [[(1 - gate) * g + gate * h for gate in s] for g, h in zip(ff1, ff2, strict=True)]
    return np.minimum(*values[0]), np.maximum(*values[1])


def _gate_interval(params: CfCParams, read: Read, variant: Variant) -> tuple[Interval, Interval, Interval]:
    """Return the ranges of both heads and of the gate."""
    heads = ACTIVATIONS[variant.heads]
    ff1, ff2 = (heads.interval(*affine_interval(head, read.u)) for head in (params.ff1, params.ff2))
    rate, at_0 = params.time_a, params.time_b
    gate = Dense(*(variant.gate_sign * read.t * a + b for a, b in zip(rate, at_0, strict=True)))
    low, high = affine_interval(gate, read.u)
    return ff1, ff2, (sigmoid(low), sigmoid(high))


def _moves_gate(params: CfCParams, d_u: Array, t: float, variant: Variant) -> tuple[Array, Array]:
    r"""Return :math:`m = \max(|W_1| \bar u, |W_2| \bar u)` and :math:`\gamma = |\pm t W_a + W_b| \bar u`."""
    m = np.maximum(np.abs(params.ff1.W) @ d_u, np.abs(params.ff2.W) @ d_u)
    return m, np.abs(variant.gate_sign * t * params.time_a.W + params.time_b.W) @ d_u


def gate_gain(m: Array, gamma: Array) -> Array:
    r"""Supremum of the row expression of Eq. 4's Jacobian, for heads of tanh.

    .. math:: \Lambda(m, \gamma) = \sup_{s, a, b}\; (1-s)(1-a^2)\,m + s\,(1-b^2)\,m + s\,(1-s)\,|b-a|\,\gamma
              = \begin{cases} m + \gamma^2/(16\,m) & \gamma \le 4m \\ \gamma/2 & \text{else} \end{cases}

    m and γ bound the change of the heads' arguments, and of the gate's.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(gamma <= 4 * m, m + np.where(m > 0, gamma**2 / (16 * m), 0), gamma / 2)


# --- without the second gate


def no_gate(params: CfCParams, read: Read, variant: Variant) -> tuple[Array, Gate]:
    r"""CfC without the second gate (CfC-noGate), :math:`x^+ = \mathrm{ff}_1 + s \odot \mathrm{ff}_2`."""
    _, kept = eq4(params, read, variant)  # the same heads, the same gate
    # Eq. 4 without the factor 1 − s: CfC-noGate
    return kept.ff1 + kept.s * kept.ff2, kept


def d_no_gate(params: CfCParams, read: Read, kept: Gate, d_x: Array, variant: Variant) -> tuple[CfCParams, Read]:
    r"""Backward of :func:`no_gate`; from the gate on as in :func:`d_eq4`.

    .. math:: \overline{\mathrm{ff}}_1 = \bar x^+, \qquad \overline{\mathrm{ff}}_2 = s\,\bar x^+, \qquad
              \bar s = \mathrm{ff}_2\,\bar x^+
    """
    d_ff1 = d_x
    d_ff2 = d_x * kept.s
    d_s = d_x * kept.ff2
    return _d_gate(params, read, kept, Gate(d_ff1, d_ff2, d_s), variant)


def _box_no_gate(params: CfCParams, t: float, variant: Variant) -> tuple[Array, Array]:
    r"""Return the box :math:`|x^+| < 2G`."""
    low, high = _box_eq4(params, t, variant)
    return 2 * low, 2 * high


def _gain_no_gate(params: CfCParams, d_u: Array, d_x: Array, t: float, variant: Variant) -> Array:
    r"""Return :math:`2 \kappa m + G \gamma / 4`, infinite for linear heads."""
    heads = ACTIVATIONS[variant.heads]
    if math.isinf(heads.bound):
        return np.full(len(params.ff1.W), math.inf)
    m, gamma = _moves_gate(params, d_u, t, variant)
    return 2 * heads.slope * m + heads.bound * gamma / 4


def _interval_no_gate(params: CfCParams, read: Read, variant: Variant) -> Interval:
    """Return the range of x⁺, whose extremes are at an end of the gate."""
    ff1, ff2, s = _gate_interval(params, read, variant)
    values = [[g + gate * h for gate in s] for g, h in zip(ff1, ff2, strict=True)]
    return np.minimum(*values[0]), np.maximum(*values[1])


# --- Eq. 3 as the official code has it


class Decay(NamedTuple):
    """Values of f1 and of the exponential, shape (batch, units)."""

    f1: Array
    decay: Array


def eq3_in_code(params: CfCParams, read: Read, variant: Variant) -> tuple[Array, Decay]:
    r"""Eq. 3 as the official code has it (Cf-S), :math:`x^+ = A - A \odot e^{-t\,(|w_\tau| + |f_1|)} \odot f_1`.

    Departure: Eq. 3 prints :math:`B \odot e^{-(w_\tau + f)\,t} \odot f(-x, -I) + A`. In code B is tied to -A, f(-x, -I)
    became +f_1, f_1 is a linear head of either sign, and the rate takes absolute values. The state enters through the
    backbone only: at t = 0 the step gives A (1 - f_1), and A for large t. The printed equation is :func:`eq3`.
    """
    f1 = affine(params.ff1, read.u)
    decay = np.exp(-read.t * (np.abs(params.w_tau) + np.abs(f1)))
    # Eq. (3): as in the official code (Cf-S)
    return params.A - params.A * decay * f1, Decay(f1, decay)


def d_eq3_in_code(params: CfCParams, read: Read, kept: Decay, d_x: Array, variant: Variant) -> tuple[CfCParams, Read]:
    r"""Backward of :func:`eq3_in_code`, with e the exponential and ρ = abs w_τ + abs f_1 the rate.

    .. math:: \bar A = (1 - e f_1)\,\bar x^+, \qquad \bar e = -A f_1\,\bar x^+, \qquad \bar\rho = -t\,e\,\bar e, \qquad
              \bar t = \textstyle\sum -\rho\,e\,\bar e

    .. math:: \bar w_\tau = \operatorname{sign}(w_\tau)\,\bar\rho, \qquad
              \bar f_1 = -A\,e\,\bar x^+ + \operatorname{sign}(f_1)\,\bar\rho

    The derivative of the absolute value at 0 is taken as 0, as PyTorch and TensorFlow do: a leak that starts at
    exactly 0 (variants "tensorflow" and "keras") never moves.
    """
    rate = np.abs(params.w_tau) + np.abs(kept.f1)
    d_A = d_x * (1 - kept.decay * kept.f1)
    d_decay = -d_x * params.A * kept.f1
    d_rate = -read.t * kept.decay * d_decay
    d_t = (-rate * kept.decay * d_decay).sum(axis=1, keepdims=True)
    d_w_tau = np.sign(params.w_tau) * d_rate
    d_f1 = -d_x * params.A * kept.decay + np.sign(kept.f1) * d_rate
    d_ff1, d_u = d_affine(params.ff1, read.u, d_f1)
    d_params = CfCParams((), d_ff1, w_tau=d_w_tau.sum(axis=0, keepdims=True), A=d_A.sum(axis=0, keepdims=True))
    return d_params, Read(d_u, d_t)


def _trace_eq3_in_code(params: CfCParams, read: Read, kept: Decay) -> dict[str, Array]:
    return {"rate": np.abs(params.w_tau) + np.abs(kept.f1)}


def _box_eq3_in_code(params: CfCParams, t: float, variant: Variant) -> tuple[Array, Array]:
    r"""Return the box :math:`|x^+ - A| \le |A|\,e^{-t |w_\tau|}/(e\,t)`; there is none at t = 0."""
    A, decay = params.A[0], np.exp(-t * np.abs(params.w_tau[0]))
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):  # t = 0
        return _around(A, np.where(A == 0, 0, np.abs(A) * decay / (math.e * t)))


def _gain_eq3_in_code(params: CfCParams, d_u: Array, d_x: Array, t: float, variant: Variant) -> Array:
    r"""Return :math:`|A|\,e^{-t |w_\tau|}\,|W_1| \bar u`, as abs((1 - u) e^{-u}) <= 1."""
    return np.abs(params.A[0]) * np.exp(-t * np.abs(params.w_tau[0])) * (np.abs(params.ff1.W) @ d_u)


def _interval_eq3_in_code(params: CfCParams, read: Read, variant: Variant) -> Interval:
    """Return the range of x⁺, whose extremes are at an end of f1 or at ± 1/t."""
    low, high = affine_interval(params.ff1, read.u)
    with np.errstate(divide="ignore"):
        turns = np.clip(np.divide([[-1.0], [1.0]], read.t), low, high)
    f1 = np.stack([low, high, *turns])
    values = params.A[0] - params.A[0] * np.exp(-read.t * (np.abs(params.w_tau[0]) + np.abs(f1))) * f1
    return values.min(axis=0), values.max(axis=0)


# --- Eq. 3 as printed, and Theorem 1


class Printed(NamedTuple):
    """Values of f(x, I), of f(-x, -I) and of the exponential, shape (batch, units)."""

    f: Array
    r: Array
    decay: Array


def eq3(params: CfCParams, read: Read, variant: Variant) -> tuple[Array, Printed]:
    r"""Eq. 3 as printed, :math:`x^+ = B \odot e^{-[w_\tau + f(x,I)]\,t} \odot f(-x,-I) + A`.

    f is one network, evaluated at [I, x] and at [-I, -x]. Its last nonlinearity is the logistic function, as the
    hypothesis 0 <= f <= 1 of Theorem 1 asks.

    Departure: the leak is the absolute value of the parameter w_τ, so that training can't make it negative. At t = 0
    the step gives A + B f(-x, -I), not x₀: see :func:`cfc_ref.closed_form`.
    """
    f = sigmoid(affine(params.ff1, read.u))
    r = sigmoid(affine(params.ff1, read.u_minus))
    decay = np.exp(-(np.abs(params.w_tau) + f) * read.t)
    # Eq. (3): as printed
    return params.B * decay * r + params.A, Printed(f, r, decay)


def d_eq3(params: CfCParams, read: Read, kept: Printed, d_x: Array, variant: Variant) -> tuple[CfCParams, Read]:
    r"""Backward of :func:`eq3`, with e the exponential, r = f(-x, -I) and ρ = abs w_τ + f the rate.

    .. math:: \bar A = \bar x^+, \quad \bar B = e\,r\,\bar x^+, \quad \bar r = B\,e\,\bar x^+, \quad
              \bar e = B\,r\,\bar x^+, \quad \bar\rho = -t\,e\,\bar e, \quad \bar t = \textstyle\sum -\rho\,e\,\bar e

    .. math:: \bar w_\tau = \operatorname{sign}(w_\tau)\,\bar\rho, \quad \bar z = f\,(1-f)\,\bar\rho, \quad
              \bar z_- = r\,(1-r)\,\bar r
    """
    rate = np.abs(params.w_tau) + kept.f
    d_B = d_x * kept.decay * kept.r
    d_r = d_x * params.B * kept.decay
    d_decay = d_x * params.B * kept.r
    d_rate = -read.t * kept.decay * d_decay
    d_t = (-rate * kept.decay * d_decay).sum(axis=1, keepdims=True)
    d_w_tau = np.sign(params.w_tau) * d_rate
    d_plus, d_u = d_affine(params.ff1, read.u, d_rate * d_sigmoid(kept.f))
    d_minus, d_u_minus = d_affine(params.ff1, read.u_minus, d_r * d_sigmoid(kept.r))
    d_vectors = {name: d.sum(axis=0, keepdims=True) for name, d in (("w_tau", d_w_tau), ("A", d_x), ("B", d_B))}
    return CfCParams((), tree_map(np.add, d_plus, d_minus), **d_vectors), Read(d_u, d_t, u_minus=d_u_minus)


def theorem1(params: CfCParams, read: Read, variant: Variant) -> tuple[Array, Printed]:
    """Theorem 1 with the state as x₀: Eq. 3 with the amplitude B = x₀ - A."""
    # Theorem 1: Eq. 3 with the amplitude x₀ − A
    return eq3(params._replace(B=read.x - params.A), read, variant)


def d_theorem1(params: CfCParams, read: Read, kept: Printed, d_x: Array, variant: Variant) -> tuple[CfCParams, Read]:
    r"""Backward of :func:`theorem1`: :math:`\bar x_0 = \bar B, \; \bar A = \bar A_{\text{Eq. 3}} - \sum \bar B`."""
    d_params, d_read = d_eq3(params._replace(B=read.x - params.A), read, kept, d_x, variant)
    d_B = d_x * kept.decay * kept.r
    return d_params._replace(A=d_params.A - d_params.B, B=None), d_read._replace(x=d_B)


def _trace_eq3(params: CfCParams, read: Read, kept: Printed) -> dict[str, Array]:
    return {"rate": np.abs(params.w_tau) + kept.f, "release": kept.f}


def _box_eq3(params: CfCParams, t: float, variant: Variant) -> tuple[Array, Array]:
    r"""Return the box :math:`|x^+ - A| \le |B|\,e^{-t |w_\tau|}`."""
    return _around(params.A[0], np.abs(params.B[0]) * np.exp(-t * np.abs(params.w_tau[0])))


def _box_theorem1(params: CfCParams, t: float, variant: Variant) -> tuple[Array, Array]:
    r"""Return the box :math:`|x - A| \le |A|` of runs that begin in it, as at 0: a step brings x closer to A."""
    return _around(params.A[0], np.abs(params.A[0]))


def _gain_eq3(params: CfCParams, d_u: Array, d_x: Array, t: float, variant: Variant) -> Array:
    r"""Return :math:`|B|\,e^{-t |w_\tau|}\,(1 + t)/4\,|W_1| \bar u`, as σ' <= 1/4."""
    moved = np.abs(params.B[0]) * (1 + t) / 4 * (np.abs(params.ff1.W) @ d_u)
    return np.exp(-t * np.abs(params.w_tau[0])) * moved


def _gain_theorem1(params: CfCParams, d_u: Array, d_x: Array, t: float, variant: Variant) -> Array:
    r"""Return the gain of Eq. 3 with abs(A) for abs(B), plus the change of x itself, for abs(x - A) <= abs(A)."""
    moved = np.abs(params.A[0]) * (1 + t) / 4 * (np.abs(params.ff1.W) @ d_u)
    return np.exp(-t * np.abs(params.w_tau[0])) * (moved + d_x)


def _interval_eq3(params: CfCParams, read: Read, variant: Variant) -> Interval:
    """Return the range of x⁺, f(x, I) and f(-x, -I) taken for independent."""
    return _around_A(params, read, (params.B[0], params.B[0]))


def _interval_theorem1(params: CfCParams, read: Read, variant: Variant) -> Interval:
    """Return the range of x⁺, f(x, I), f(-x, -I) and x taken for independent."""
    low, high = read.x
    return _around_A(params, read, (low - params.A[0], high - params.A[0]))


def _around_A(params: CfCParams, read: Read, B: Interval) -> Interval:
    """Return the range of A + B exp(-(w_τ + f) t) r over those of B, f and r."""
    low, high = (sigmoid(end) for end in affine_interval(params.ff1, read.u))
    r_low, r_high = (sigmoid(end) for end in affine_interval(params.ff1, read.u_minus))
    leak = np.abs(params.w_tau[0])
    left = np.exp(-(leak + high) * read.t) * r_low, np.exp(-(leak + low) * read.t) * r_high
    A = params.A[0]
    return A + np.minimum(B[0] * left[0], B[0] * left[1]), A + np.maximum(B[1] * left[0], B[1] * left[1])


# --- the records


def _no_interval(params: CfCParams, read: Read, variant: Variant) -> Interval:
    checks.refuse("model", "a mode without interval", "one whose record has an interval", "add it to its record")


class Mode(NamedTuple):
    """All that others know of a mode; its kernel is the record of the same name in :mod:`cfc_ref.kernels.cfc.modes`."""

    equation: str  # in words
    # (params, read, variant) → (next state, kept), and its backward: (…, kept, d_x, variant) → (d_params, d_read)
    forward: Callable[[CfCParams, Read, Variant], tuple[Array, Any]]
    backward: Callable[[CfCParams, Read, Any, Array, Variant], tuple[CfCParams, Read]]
    heads: tuple[str, ...]  # linear maps of the features, by their names in :class:`CfCParams`
    vectors: tuple[str, ...]  # vectors, by their names there
    both_signs: bool  # the equation reads the features of [-I, -x] as well
    # (params, read, kept) → "rate", in 1/time, and what else there is to see, shapes (batch, units)
    trace: Callable[[CfCParams, Read, Any], dict[str, Array]]
    # (params, t, variant) → (low, high) of the next state for every input, state and time >= t, shapes (units,)
    box: Callable[[CfCParams, float, Variant], tuple[Array, Array]]
    # (params, d_u, d_x, t, variant) → bound on the change of the next state, shape (units,), where the features
    # change by at most d_u and the state by at most d_x
    gain: Callable[[CfCParams, Array, Array, float, Variant], Array]
    initial: Mapping[str, float]  # vectors with a fixed initial value in all variants but "torch"
    # (params, read, variant) → (low, high) of the next state, where u, x and u_minus of `read` are pairs (low, high)
    # of shape (features,) or (units,), and t is a number
    interval: Callable[[CfCParams, Read, Variant], Interval] = _no_interval


_GATED = ("ff1", "ff2", "time_a", "time_b")

MODES = {
    "default": Mode(
        "Eq. 4: the CfC cell", eq4, d_eq4, _GATED, (), both_signs=False,
        trace=_trace_gate, box=_box_eq4, gain=_gain_eq4, initial={},
        interval=_interval_eq4,
    ),
    "no_gate": Mode(
        "CfC without the second gate", no_gate, d_no_gate, _GATED, (), both_signs=False,
        trace=_trace_gate, box=_box_no_gate, gain=_gain_no_gate, initial={},
        interval=_interval_no_gate,
    ),
    "pure": Mode(
        "Eq. 3 as the official code has it", eq3_in_code, d_eq3_in_code, ("ff1",), ("w_tau", "A"), both_signs=False,
        trace=_trace_eq3_in_code, box=_box_eq3_in_code, gain=_gain_eq3_in_code, initial={"w_tau": 0, "A": 1},
        interval=_interval_eq3_in_code,
    ),
    "paper_pure": Mode(
        "Eq. 3 as printed", eq3, d_eq3, ("ff1",), ("w_tau", "A", "B"), both_signs=True,
        trace=_trace_eq3, box=_box_eq3, gain=_gain_eq3, initial={},
        interval=_interval_eq3,
    ),
    "from_x0": Mode(
        "Theorem 1 with the state as x₀", theorem1, d_theorem1, ("ff1",), ("w_tau", "A"), both_signs=True,
        trace=_trace_eq3, box=_box_theorem1, gain=_gain_theorem1, initial={},
        interval=_interval_theorem1,
    ),
}  # fmt: skip
