r"""The frozen solvers: the sums G and Q of some states are held for a while, and what is left is solved exactly.

.. math:: C\,\dot x = Q - G\,x

:func:`frozen` takes the sums of the part's start (order 1), :func:`frozen_midpoint` those of its middle (order 2), and
:func:`cf4` makes five half steps with sums of four states (order 4). A part is called as :mod:`cfc_ref.cells.solvers`
says.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from cfc_ref.arrays import Array
from cfc_ref.cells.ode import Balance, Equation
from cfc_ref.cells.tree import add

__all__ = [
    "cf4",
    "cf4_estimate",
    "clip_to_box",
    "d_cf4",
    "d_frozen",
    "d_frozen_midpoint",
    "d_half_step",
    "d_phi_1",
    "frozen",
    "frozen_midpoint",
    "half_step",
    "mix",
    "phi_1",
]

Gradient = tuple[Any, Any, Array, Array]  # of params, held, x and h

_SERIES_BELOW = 1e-2
_ROUNDING = 16  # units in the last place that a clip may cut and still count as none


def _over(C: Array, value: Array) -> Array:
    """Return a value over C, cut where that is infinite: long before, what it multiplies is 0."""
    with np.errstate(over="ignore"):
        return np.minimum(value / C, np.finfo(C.dtype).max)


def _relax(balance: Balance, x: Array, h: Array) -> Array:
    r"""Return the exact solution for constant sums, :math:`e^{-u} x + (1 - e^{-u})\,Q/G` with :math:`u = h G/C`."""
    C, G, Q = balance
    u = _over(C, h * G)
    return np.exp(-u) * x - np.expm1(-u) * (Q / G)


def _d_relax(balance: Balance, x: Array, h: Array, d_new: Array) -> tuple[Balance, Array, Array]:
    r"""Return the gradients of the sums, x and h, with :math:`x_\infty = Q/G`.

    .. math:: \bar x_\infty = (1 - e^{-u})\,\bar x^+, \quad \bar u = -e^{-u}(x - x_\infty)\,\bar x^+
    """
    C, G, Q = balance
    u = _over(C, h * G)
    e = np.exp(-u)
    d_Q = -np.expm1(-u) / G * d_new
    d_u = -e * (x - Q / G) * d_new
    d_G = _over(C, h) * d_u - Q / G * d_Q
    d_C = -(u * d_u) / C
    d_h = (_over(C, G) * d_u).sum(axis=1, keepdims=True)
    return Balance(d_C, d_G, d_Q), e * d_new, d_h


def frozen(equation: Equation, params: Any, held: Any, x: Array, h: Array) -> Array:
    r"""Exponential Euler: the conductances of the part's start, everything else exactly.

    .. math:: x^+ = x_\infty + (x - x_\infty)\,e^{-h\,G/C}, \qquad x_\infty = Q/G
    """
    # Rush & Larsen 1978: the frozen closed form of a network
    return _relax(equation.balance(params, held, x)[0], x, h)


def d_frozen(equation: Equation, params: Any, held: Any, x: Array, h: Array, d_new: Array) -> Gradient:
    r"""Backward of :func:`frozen`.

    .. math:: \bar x_\infty = (1 - e^{-u})\,\bar x^+, \quad \bar u = -e^{-u}(x - x_\infty)\,\bar x^+, \quad
              \bar x = e^{-u}\,\bar x^+ + \ldots, \qquad u = h\,G/C
    """
    balance, kept = equation.balance(params, held, x)
    d_balance, d_x, d_h = _d_relax(balance, x, h, d_new)
    d_params, d_held, d_x_sums = equation.d_balance(params, x, kept, d_balance)
    return d_params, d_held, d_x + d_x_sums, d_h


def frozen_midpoint(equation: Equation, params: Any, held: Any, x: Array, h: Array) -> Array:
    r"""Frozen midpoint: half a frozen part gives :math:`x_{1/2}`, whose conductances drive the whole one from x."""
    half = frozen(equation, params, held, x, h / 2)
    return _relax(equation.balance(params, held, half)[0], x, h)


def d_frozen_midpoint(equation: Equation, params: Any, held: Any, x: Array, h: Array, d_new: Array) -> Gradient:
    r"""Backward of :func:`frozen_midpoint`: that of the whole part, then that of the half."""
    half = frozen(equation, params, held, x, h / 2)
    balance, kept = equation.balance(params, held, half)
    d_balance, d_x, d_h = _d_relax(balance, x, h, d_new)
    d_params, d_held, d_half = equation.d_balance(params, half, kept, d_balance)
    d_params_half, d_held_half, d_x_half, d_h_half = d_frozen(equation, params, held, x, h / 2, d_half)
    return add(d_params, d_params_half), add(d_held, d_held_half), d_x + d_x_half, d_h + d_h_half / 2


# --- CF4: half steps whose sums are mixtures, so that G may be 0 or below, and nothing is divided by it


def phi_1(u: Array) -> Array:
    r"""Return :math:`\varphi_1(u) = (1 - e^{-u})/u` for u >= 0; 1 at u = 0."""
    return np.where(u > 0, -np.expm1(-u) / np.where(u > 0, u, 1), 1)


def d_phi_1(u: Array) -> Array:
    r"""Return :math:`\varphi_1'(u) = (e^{-u} - \varphi_1(u))/u` for u >= 0, by its series where that cancels."""
    small, large = np.minimum(u, _SERIES_BELOW), np.maximum(u, _SERIES_BELOW)
    series = -1 / 2 + small * (1 / 3 - small * (1 / 8 - small * (1 / 30 - small / 144)))
    return np.where(u < _SERIES_BELOW, series, (np.exp(-large) - phi_1(large)) / large)


def _rate(C: Array, h: Array) -> Array:
    """Return h/2C, cut where products with it would overflow: long before, only Q/G counts."""
    return np.minimum(h / (2 * C), np.finfo(h.dtype).max ** 0.25)


def half_step(balance: Balance, x: Array, h: Array) -> Array:
    r"""Return the states half a part later, while the sums stay: the exact solution, with no division by G.

    .. math:: R_{1/2}(B; x) = e^{-u} x + q\,\varphi_1(u), \qquad u = \max\Big(\frac{hG}{2C}, 0\Big), \quad
              q = \frac{hQ}{2C}
    """
    r = _rate(balance.C, h)
    u, q = np.maximum(r * balance.G, 0), r * balance.Q
    # THEORY 5.8, R½(B; x)
    return np.exp(-u) * x + q * phi_1(u)


def d_half_step(balance: Balance, x: Array, h: Array, d_new: Array) -> tuple[Balance, Array, Array]:
    r"""Return the gradients of the sums, x and h: backward of :func:`half_step`.

    .. math:: \bar q = \varphi_1 \bar x^+, \quad \bar u = (q\,\varphi_1' - e^{-u} x)\,\bar x^+, \quad
              \bar G = \tfrac{h}{2C} \bar u \;(0 \text{ where u was cut}), \quad \bar Q = \tfrac{h}{2C} \bar q

    .. math:: \bar C = -\tfrac{u \bar u + q \bar q}{C} = -\tfrac{1}{C}\, e^{-u} (q - u x)\,\bar x^+, \qquad
              \bar h = \sum \tfrac{G \bar u + Q \bar q}{2C} = \sum \tfrac{1}{2C}\, e^{-u} (Q - G x)\,\bar x^+
    """
    C, G, Q = balance
    r = _rate(C, h)
    u, q = np.maximum(r * G, 0), r * Q
    e = np.exp(-u)
    d_G = np.where(G < 0, 0, r * (q * d_phi_1(u) - e * x) * d_new)
    d_Q = r * phi_1(u) * d_new
    d_C = -e * (q - u * x) / C * d_new
    d_h = (e * (Q - np.maximum(G, 0) * x) / (2 * C) * d_new).sum(axis=1, keepdims=True)
    return Balance(d_C, d_G, d_Q), e * d_new, d_h


def mix(*terms: tuple[float, Balance]) -> Balance:
    """Return a weighted sum of sums."""
    return Balance(*(sum(weight * getattr(of, name) for weight, of in terms) for name in Balance._fields))


def clip_to_box(new: Array, x: Array, box: tuple[Array, Array]) -> tuple[Array, Array]:
    """Return states moved into the box, widened to hold the part's start x, and which moved by rounding at most."""
    # No trajectory from x leaves the widened box, so that no state moves away from the truth
    low, high = np.minimum(box[0], x), np.maximum(box[1], x)
    inside = np.clip(new, low, high)
    rounding = _ROUNDING * np.finfo(x.dtype).eps * np.maximum(np.abs(low), np.abs(high))
    return inside, np.abs(new - inside) <= rounding


class Stages(NamedTuple):
    """The stages of a part of CF4, in the names of THEORY 5.8."""

    x: list[Array]  # x, x₂, x₃, x₄: the states at which the sums are taken
    x_m: Array
    new: Array  # x⁺
    looks: list[tuple[Balance, Any]]  # B₁ … B₄, each with what its backward needs
    mixed: list[Balance]  # the mixtures that lead to x₄, x_m and x⁺
    free: list[Array]  # where x₄ and x⁺ were not clipped


def _last_two(B1: Balance, B2: Balance, B3: Balance, B4: Balance) -> tuple[Balance, Balance]:
    """Return the mixtures of the last two half steps, which lead to x_m and to x⁺."""
    return (
        mix((3 / 6, B1), (2 / 6, B2), (2 / 6, B3), (-1 / 6, B4)),
        mix((-1 / 6, B1), (2 / 6, B2), (2 / 6, B3), (3 / 6, B4)),
    )


def _stages(equation: Equation, params: Any, held: Any, x: Array, h: Array) -> Stages:
    """Return the stages of a part of CF4."""
    box = equation.box(params)
    # THEORY 5.8: one line per stage
    B1, kept1 = equation.balance(params, held, x)
    x2 = half_step(B1, x, h)
    B2, kept2 = equation.balance(params, held, x2)
    x3 = half_step(B2, x, h)
    B3, kept3 = equation.balance(params, held, x3)
    to_x4 = mix((2, B3), (-1, B1))
    x4, free4 = clip_to_box(half_step(to_x4, x2, h), x, box)
    B4, kept4 = equation.balance(params, held, x4)
    to_xm, to_new = _last_two(B1, B2, B3, B4)
    x_m = half_step(to_xm, x, h)
    new, free = clip_to_box(half_step(to_new, x_m, h), x, box)
    looks = [(B1, kept1), (B2, kept2), (B3, kept3), (B4, kept4)]
    return Stages([x, x2, x3, x4], x_m, new, looks, [to_x4, to_xm, to_new], [free4, free])


def cf4(equation: Equation, params: Any, held: Any, x: Array, h: Array) -> Array:
    r"""CF4: five frozen half steps of four looks, of order 4; :math:`B_k` are the sums (G, Q) at :math:`x_k`.

    .. math:: x_2 &= R_{1/2}(B_1; x), \qquad x_3 = R_{1/2}(B_2; x), \qquad x_4 = R_{1/2}(2 B_3 - B_1; x_2), \\
              x_m &= R_{1/2}\big(\tfrac16(3 B_1 + 2 B_2 + 2 B_3 - B_4);\, x\big), \\
              x^+ &= R_{1/2}\big(\tfrac16(-B_1 + 2 B_2 + 2 B_3 + 3 B_4);\, x_m\big)

    with :math:`x_4` and :math:`x^+` clipped to the box of the equation, which costs nothing, as the truth is inside.
    Exact where the sums are constant; it keeps equilibria for every h; where :math:`h\,G/C` is large it forgets x.
    THEORY 5.8: the commutator-free method of Celledoni, Marthinsen and Owren (FGCS 19, 341, 2003) on RK4's tableau.

    Departure: the box is widened to hold the part's start, so that a start outside of it comes back as the ODE's does;
    and h/2C is cut where products with it would overflow.
    """
    # Not in the paper: CF4, a closed form of order 4 for networks
    return _stages(equation, params, held, x, h).new


def cf4_estimate(equation: Equation, params: Any, held: Any, x: Array, h: Array) -> Array:
    r"""Return :math:`x^+ - \hat x`, an estimate of the error of one part of :func:`cf4`: an indication, no bound.

    :math:`\hat x`, of order 3, has the sums :math:`B_5` at :math:`x^+` in the place of :math:`B_4`; the next part needs
    them in any case.
    """
    stages = _stages(equation, params, held, x, h)
    B1, B2, B3, _ = (balance for balance, _ in stages.looks)
    to_xm, to_new = _last_two(B1, B2, B3, equation.balance(params, held, stages.new)[0])
    third, _ = clip_to_box(half_step(to_new, half_step(to_xm, x, h), h), x, equation.box(params))
    return stages.new - third


def d_cf4(equation: Equation, params: Any, held: Any, x: Array, h: Array, d_new: Array) -> Gradient:
    r"""Backward of :func:`cf4`, from the last half step to the first; 0 where a state was clipped."""
    # The gradient of each B_k collects those of the mixtures in which it is, with its weight there
    (x, x2, x3, x4), x_m, _, ((B1, kept1), (B2, kept2), (_, kept3), (_, kept4)), mixed, free = _stages(
        equation, params, held, x, h
    )
    to_x4, to_xm, to_new = mixed
    d_to_new, d_xm, d_h5 = d_half_step(to_new, x_m, h, np.where(free[1], d_new, 0))
    d_to_xm, d_x, d_h4 = d_half_step(to_xm, x, h, d_xm)
    d_B4 = mix((3 / 6, d_to_new), (-1 / 6, d_to_xm))
    d_params4, d_held4, d_x4 = equation.d_balance(params, x4, kept4, d_B4)
    d_to_x4, d_x2, d_h3 = d_half_step(to_x4, x2, h, np.where(free[0], d_x4, 0))
    d_B3 = mix((2 / 6, d_to_new), (2 / 6, d_to_xm), (2, d_to_x4))
    d_params3, d_held3, d_x3 = equation.d_balance(params, x3, kept3, d_B3)
    d_to_x3, d_x_3, d_h2 = d_half_step(B2, x, h, d_x3)
    d_B2 = mix((2 / 6, d_to_new), (2 / 6, d_to_xm), (1, d_to_x3))
    d_params2, d_held2, d_x2_sums = equation.d_balance(params, x2, kept2, d_B2)
    d_to_x2, d_x_2, d_h1 = d_half_step(B1, x, h, d_x2 + d_x2_sums)
    d_B1 = mix((-1 / 6, d_to_new), (3 / 6, d_to_xm), (-1, d_to_x4), (1, d_to_x2))
    d_params1, d_held1, d_x1 = equation.d_balance(params, x, kept1, d_B1)
    return (
        add(d_params1, d_params2, d_params3, d_params4),
        add(d_held1, d_held2, d_held3, d_held4),
        d_x + d_x_3 + d_x_2 + d_x1,
        d_h1 + d_h2 + d_h3 + d_h4 + d_h5,
    )
