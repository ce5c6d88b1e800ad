r"""Bounds of networks with one release per neuron: :class:`cfc_ref.NeuralLTC` (Eq. 1) and :class:`cfc_ref.CTRNN`.

.. math:: \dot x_i = Q_i - G_i\,x_i, \qquad Q_i = A_i\,r_i, \qquad G_i = w_i + g\,r_i, \qquad
          r_i = \rho\Big(b_i + \sum_j W_{ij} I_j + \sum_j R_{ij} x_j\Big)

with ρ the logistic function and g = 1 for Eq. 1, ρ = tanh and g = 0 for the CT-RNN. A neuron is driven up the most at
the end of its release's range at which :math:`A_i - g\,x_i` times the release is largest.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from cfc_ref.activations import sigmoid
from cfc_ref.arrays import Array
from cfc_ref.bounds.checked import Interval
from cfc_ref.cells.ctrnn import CTRNNParams
from cfc_ref.cells.dense import Dense, affine_interval
from cfc_ref.cells.ltc.neural import NeuralLTCParams
from cfc_ref.cells.ode import Balance, Equation

__all__ = [
    "OF_CTRNN",
    "OF_EQ_1",
    "Driven",
    "Release",
    "driven_contraction",
    "driven_part",
    "driven_tube",
    "of_ctrnn",
    "of_neural_ltc",
]


class Release(NamedTuple):
    """ρ and g: what distinguishes the two networks; `least` is the smallest release, `slope` the largest slope of ρ."""

    value: Callable[[Any], Array]
    least: float
    slope: float
    g: float


OF_EQ_1 = Release(sigmoid, 0.0, 0.25, 1.0)
OF_CTRNN = Release(np.tanh, -1.0, 1.0, 0.0)


class Driven(NamedTuple):
    """Weights of such a network: W and b of the inputs, R, w and A."""

    inputs: Dense
    R: Array
    w: Array
    A: Array


def of_neural_ltc(cell: NeuralLTCParams) -> Driven:
    """Return the weights of Eq. 1."""
    features = cell.f.W.shape[1] - len(cell.f.W)
    return Driven(Dense(cell.f.W[:, :features], cell.f.b), cell.f.W[:, features:], cell.w_tau, cell.A)


def of_ctrnn(cell: CTRNNParams, tau: float) -> Driven:
    """Return the weights of a CT-RNN."""
    return Driven(cell.input_map, cell.recurrent_map.W, np.full_like(cell.scale, 1 / tau), cell.scale)


def driven_contraction(release: Release, network: Driven, box: Interval) -> float:
    r"""Return :math:`\lambda = \min_i [w_i + g\,r_{min} - \rho'_{max} \sum_j |R_{ij}| \max_{x_i} |A_i - g\,x_i|]`."""
    # Two trajectories in the box with the same input approach like exp(-λ t), as those of synaptic networks do
    reach = np.maximum(*(np.abs(network.A - release.g * end) for end in box))
    coupling = release.slope * np.abs(network.R).sum(axis=1) * reach
    return float((network.w + release.g * release.least - coupling).min())


def driven_tube(release: Release) -> Equation:
    """Return the tube as the solvers take it: twice as many neurons, l and then u, over twice as many inputs."""
    balance, fastest = partial(_balance, release), partial(_fastest, release)
    return Equation(_hold, _no_way_back, balance, _no_way_back, fastest)


def _hold(network: Driven, ends: Array) -> Interval:
    """Return the range of the inputs' share of the argument of ρ."""
    low, high = np.split(ends, 2, axis=1)
    return affine_interval(network.inputs, (low, high))


def _releases(release: Release, network: Driven, held: Interval, low: Array, high: Array, own: Interval) -> Interval:
    """Return the range of the releases, where neurons are in their intervals and contribute `own` to themselves."""
    others = Dense(network.R - np.diag(np.diagonal(network.R)), None)
    shares = zip(held, affine_interval(others, (low, high)), own, strict=True)
    a, b = (release.value(of_inputs + of_others + of_itself) for of_inputs, of_others, of_itself in shares)
    return a, b


def _balance(release: Release, network: Driven, held: Interval, ends: Array) -> tuple[Balance, None]:
    low, high = np.split(ends, 2, axis=1)
    extremes = []
    for x, up in ((low, False), (high, True)):
        own = np.diagonal(network.R) * x
        least, most = _releases(release, network, held, low, high, (own, own))
        extremes.append(np.where((network.A - release.g * x > 0) == up, most, least))
    r = np.concatenate(extremes, axis=1)
    C, w, A = (np.tile(array, 2) for array in (np.ones_like(network.w), network.w, network.A))
    return Balance(C, w + release.g * r, A * r), None


def _no_way_back(*_: Any) -> Any:
    raise NotImplementedError("a tube has no gradient")


def _fastest(release: Release, network: Driven) -> Array:
    return np.tile(network.w + release.g, 2)


def driven_part(release: Release, network: Driven, held: Interval, low: Array, high: Array, h: float) -> Interval:
    """Return the interval of one part of the fused step, :math:`(x + h Q)/(1 + h G)`, at the ends of x and r."""
    own = np.diagonal(network.R) * low, np.diagonal(network.R) * high
    releases = _releases(release, network, held, low, high, (np.minimum(*own), np.maximum(*own)))
    r = [end[0] for end in releases]  # without the axis of the batch
    ends = [[(x + h * network.A * end) / (1 + h * (network.w + release.g * end)) for end in r] for x in (low, high)]
    return np.minimum(*ends[0]), np.maximum(*ends[1])
