r"""Algorithm 1 of the paper, at one time: a synaptic LTC's states as sums of closed forms, one for each synapse."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from cfc_ref.activations import sigmoid
from cfc_ref.cells.ltc.synapses import LTCParams, all_synapses

__all__ = ["algorithm1_states"]

Array = npt.NDArray[Any]


def algorithm1_states(params: LTCParams, pre: Array, x0: Array, t: Array) -> Array:
    r"""Algorithm 1 as printed: every synapse brings its own closed form (Eq. 2), and a neuron adds them up.

    .. math:: \hat x_i(t) = \sum_j \Big[ A_{ij} + (x_{0,i} - A_{ij})\, e^{-t\,(1/\tau_i + s_{ij})}\,(1 - s_{ij}) \Big],
              \qquad s_{ij} = \sigma\big(\sigma_{ij}(x^{pre}_{ij} - \mu_{ij})\big), \qquad \tau_i = C_i/g_i

    A is the reversal potential E. Neither w nor V occurs, and C only in τ. At t = 0 it is
    :math:`\sum_j [x_{0,i} + s_{ij}(A_{ij} - x_{0,i})]`, not :math:`x_{0,i}`; late it is :math:`\sum_j A_{ij}`, where
    the ODE's equilibrium is a mean of the A's and V.

    Shapes: `pre` (batch, inputs + units); `x0` (batch, units); `t` (batch, 1).
    """
    synapses = all_synapses(params)
    A, s = synapses.erev, sigmoid(synapses.sigma * (pre[:, :, None] - synapses.mu))
    decay = np.exp(-t[:, :, None] * (params.gleak / params.cm + s))
    closed = A + (x0[:, None, :] - A) * decay * (1 - s)
    # Algorithm 1: as printed
    return np.where(synapses.w > 0, closed, 0).sum(axis=1)
