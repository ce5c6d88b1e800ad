"""Numba twin of the loop over pieces in :mod:`cfc_ref.neuron.exact_solution`."""

from __future__ import annotations

import math

from cfc_ref.arrays import Array
from cfc_ref.kernels.compiled import kernel
from cfc_ref.kernels.threads import over_neurons

__all__ = ["constant_pieces"]


def constant_pieces(w_tau: Array, A: Array, y: Array, h: Array, x0: Array) -> Array:
    """Twin of :func:`cfc_ref.neuron.exact_solution.constant_pieces`."""
    return over_neurons(_constant_pieces, w_tau, A, y, h, x0)


@kernel(fastmath=False)
def _constant_pieces(w_tau, A, x0, pieces, x, first, last):
    y, h = pieces
    for i in range(first, last):
        x[i, 0] = x0[i]
        for k in range(y.shape[1]):
            rate = w_tau[i] + y[i, k]
            x_inf = A[i] * y[i, k] / rate
            x[i, k + 1] = x_inf + (x[i, k] - x_inf) * math.exp(-rate * h[i, k])
