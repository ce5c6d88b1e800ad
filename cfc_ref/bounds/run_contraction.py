r"""Contraction along a run of a synaptic LTC, in the Euclidean norm.

The logarithmic norm of the Jacobian says how fast two runs with one input approach, where the run is:

.. math:: |u - v|_2 \le |u_0 - v_0|_2\, \exp \int \big(\mu_2(J(u)) + \tfrac12 L_J\,|u - v|_2\big)\,dt
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from cfc_ref.arrays import Array
from cfc_ref.bounds.checked import Interval
from cfc_ref.cells.ltc.synapses import LTCParams
from cfc_ref.cells.ode import Equation

__all__ = ["error_after", "jacobian_lipschitz", "logarithmic_norm"]

_SHARES = 4  # of a part, at whose ends the logarithmic norm is taken


def logarithmic_norm(equation: Equation, params: LTCParams, held: Any, x: Array) -> Array:
    r"""Return :math:`\mu_2(J) = \lambda_{max}\big((J + J^\top)/2\big)` at states x (batch, units), shape (batch,).

    .. math:: J_{ij} = \frac{w_{ij} \sigma_{ij}}{C_i}\, s_{ij} (1 - s_{ij}) (E_{ij} - x_i) - \delta_{ij} \frac{G_i}{C_i}
    """
    (C, G, _), s = equation.balance(params, held, x)
    J = params.w * params.sigma * s * (1 - s) * (params.erev - x[:, None, :]) / C  # [batch, pre, post]
    J[:, np.arange(x.shape[1]), np.arange(x.shape[1])] -= G / C
    return np.linalg.eigvalsh((J + J.transpose(0, 2, 1)) / 2)[:, -1]


def jacobian_lipschitz(params: LTCParams, box: Interval) -> float:
    r"""Return the Lipschitz constant of the Jacobian on a box of states, in the Euclidean norm.

    .. math:: L_J = \max_j \Big\| \frac{w_{ij} \sigma_{ij}^2 R_{ij} \sqrt 3}{18\,C_i} \Big\|_{2,\,i}
              + 2 \max_i \Big\| \frac{w_{ij} |\sigma_{ij}|}{4\,C_i} \Big\|_{2,\,j},
              \qquad R_{ij} = \max |x_i - E_{ij}|
    """
    low, high = box
    R = np.maximum(np.abs(low - params.erev), np.abs(high - params.erev))
    curved = params.w * params.sigma**2 * R * math.sqrt(3) / (18 * params.cm)
    coupled = params.w * np.abs(params.sigma) / (4 * params.cm)
    return float(np.linalg.norm(curved, axis=1).max() + 2 * np.linalg.norm(coupled, axis=0).max())


def error_after(E: Array, norms: Array, h: Array, L: float) -> Array:
    r"""Return the largest distance of two runs after a time h, from the distance E at its start, shape (batch,).

    .. math:: \dot E = \mu_2 E + \tfrac12 L_J E^2 \quad\Longrightarrow\quad
              E(h) = \frac{e^{M(h)} E}{1 - \tfrac12 L_J E \int_0^h e^{M}}, \qquad M(t) = \int_0^t \mu_2

    `norms` are the logarithmic norms at the ends of four quarters of the time, shape (5, batch). Infinite where the
    bound breaks down.
    """
    quarter = h / _SHARES
    M = np.concatenate([np.zeros((1, len(h))), np.cumsum((norms[:-1] + norms[1:]) / 2 * quarter, axis=0)])
    with np.errstate(over="ignore", invalid="ignore"):
        grown = np.exp(M)
        integral = quarter / 3 * (grown[0] + 4 * grown[1] + 2 * grown[2] + 4 * grown[3] + grown[4])
        left = 1 - L / 2 * E * integral
        # THEORY 5.8 (iii)
        # Not in the paper: the bound of an error along a run
        return np.where(left > 0, grown[-1] * E / left, np.inf)
