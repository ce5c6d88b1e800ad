r"""The right-hand side of a dense LTC for compiled solvers that take the address of a C function (numbalsoda).

.. math:: \dot x_i = \Big(Q^0_i + \sum_j w_{ij}\,s_{ij}\,E_{ij} - \big(G^0_i + \sum_j w_{ij}\,s_{ij}\big)\,x_i\Big)/C_i,
          \qquad s_{ij} = \sigma\big(\sigma_{ij}(x_j - \mu_{ij})\big)
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import carray, cfunc, types  # type: ignore[attr-defined]

from cfc_ref.kernels.compiled import inner
from cfc_ref.kernels.mathfun import _sigmoid64

__all__ = ["address", "numbers_of"]

_DOUBLES = types.CPointer(types.double)
_IN_PARTS = {"contract", "reassoc", "nsz"}  # partial sums, which do not wait for each other
_HEAD = 3  # vectors before the synapses: C, G⁰ and Q⁰


def numbers_of(cell: Any) -> npt.NDArray[np.float64]:
    """Return n, C, room for G⁰ and Q⁰, and by postsynaptic neuron w, w E, σ and μ: what the function takes.

    Parameters
    ----------
    cell : LTCParams
        Effective parameters.
    """
    synapses = [array.T.ravel() for array in (cell.w, cell.w * cell.erev, cell.sigma, cell.mu)]
    n = len(cell.cm)
    return np.concatenate([[n], cell.cm, np.zeros(2 * n), *synapses]).astype(np.float64)


def address() -> int:
    """Return the address of the function (t, x, slope, packed), all but t pointers to doubles."""
    return int(_slope.address or 0)


@inner(fastmath=_IN_PARTS)
def _dot(a, b):
    """Sum products; apart, as an exponential does not survive another order of its sums."""
    total = 0.0
    for j in range(a.shape[0]):
        total += a[j] * b[j]
    return total


@cfunc(types.void(types.double, _DOUBLES, _DOUBLES, _DOUBLES), error_model="numpy", fastmath={"contract"})
def _slope(t, x, slope, data):
    n = int(carray(data, 1)[0])
    x, slope, numbers = carray(x, n), carray(slope, n), carray(data, 1 + n * (_HEAD + 4 * n))
    C, G0, Q0 = numbers[1 : 1 + n], numbers[1 + n : 1 + 2 * n], numbers[1 + 2 * n : 1 + 3 * n]
    synapses = numbers[1 + _HEAD * n :]
    s = np.empty(n)
    for i in range(n):
        w = synapses[i * n : (i + 1) * n]
        wE = synapses[(n + i) * n : (n + i + 1) * n]
        sigma = synapses[(2 * n + i) * n : (2 * n + i + 1) * n]
        mu = synapses[(3 * n + i) * n : (3 * n + i + 1) * n]
        for j in range(n):
            s[j] = sigma[j] * (x[j] - mu[j])
        for j in range(n):
            s[j] = _sigmoid64(s[j])
        slope[i] = (Q0[i] + _dot(wE, s) - (G0[i] + _dot(w, s)) * x[i]) / C[i]
