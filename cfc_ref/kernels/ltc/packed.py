r"""A synaptic LTC in the form that its kernels read: tables with one row per neuron, synapse and input.

Missing synapses have no row, so that dense and wired networks are alike. A table's columns have the names below.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from cfc_ref.arrays import Array
from cfc_ref.cells.ltc.network import ODENetwork, Scaling
from cfc_ref.cells.ltc.synapses import LTCParams, Synapses, ltc_box, recurrent_synapses, sensory_synapses
from cfc_ref.kernels.compiled import kernel
from cfc_ref.kernels.memory import aligned

__all__: list[str] = []

# Columns of a neuron: conductance and current of its leak, its capacity, the ends of its box, which are read by solvers
# that clip to it, and the shift of a neural release; and of the sums of its gradients
LEAK, CURRENT, C, LOW, HIGH, BIAS = range(6)
D_G, D_Q, D_C, D_B = range(4)
# Of a synapse: s = 1/(1 + 2^(gain x + shift)), w, w E, E, w sigma; its ends; and of the sums of its gradients
GAIN, SHIFT, W, W_E, E, W_SIGMA = range(6)
PRE, POST = range(2)
SUM_W, SUM_E, SUM_Z, SUM_ZX = range(4)
SUMS = 4
SCRATCH = 10  # rows that a stage of a solver may use
GROUP = 4  # tiles that a stream adds to the sums at once

_LOG2_E = 1.4426950408889634


class How(NamedTuple):
    """A solver's number, the stages of a part, and whether they clip to the box."""

    solver: int
    stages: int
    boxed: bool


class Places(NamedTuple):
    """The place of each synapse's first sum, and the distance to its next one."""

    first: Any
    step: int


class Packed(NamedTuple):
    """A network's tables.

    Attributes
    ----------
    neural : bool
        Whether the release is neural (:mod:`cfc_ref.kernels.ltc.neural`); else each synapse has its own.
    neurons : ndarray, shape (units, 6)
        Of a neural cell w_τ and A instead of the leak's conductance and current.
    synapses, sensory : ndarray, shape (synapses, 6)
        Of a neural cell the map of states, shape (units, units), and of inputs, (units, inputs).
    ends, sensory_ends : ndarray of uint32, shape (synapses, 2)
        Sorted by the presynaptic neuron; none of a neural cell.
    maps : ndarray, shape (inputs, 2)
        Factor and shift of each input.
    """

    neural: bool
    neurons: Array
    synapses: Array
    ends: Array
    sensory: Array
    sensory_ends: Array
    maps: Array


def pack(params: ODENetwork, epsilon: float, boxed: bool) -> Packed:
    """Return a network's tables; `epsilon` is one more conductance of each neuron, `boxed` adds the neurons' box."""
    cell: LTCParams = params.cell
    dtype = cell.w.dtype
    box = ltc_box(cell, epsilon) if boxed else (cell.cm, cell.cm)
    neurons = aligned((len(cell.cm), BIAS + 1), dtype)
    columns = cell.gleak + dtype.type(epsilon), cell.gleak * cell.vleak, cell.cm, *box, cell.cm
    for column, values in enumerate(columns):
        neurons[:, column] = values
    maps = factors(params.input_map, len(cell.sensory_w), dtype)
    recurrent, sensory = (_list(synapses) for synapses in (recurrent_synapses(cell), sensory_synapses(cell)))
    return Packed(False, neurons, *recurrent, *sensory, maps)


def factors(scaling: Scaling | None, features: int, dtype: np.dtype[Any]) -> Array:
    """Return the factor and the shift of each feature, shape (features, 2)."""
    factors = np.zeros((features, 2), dtype)
    factors[:, 0] = 1
    for column, values in enumerate(scaling or ()):
        if values is not None:
            factors[:, column] = values
    return factors


def _list(synapses: Synapses) -> tuple[Array, Array]:
    """Return the table of the existing synapses, and their ends."""
    pre, post = np.nonzero(synapses.w)
    w, sigma, mu, erev = (values[pre, post] for values in synapses)
    table = aligned((len(w), 6), w.dtype)
    slope = sigma * w.dtype.type(_LOG2_E)
    for column, values in enumerate((-slope, slope * mu, w, w * erev, erev, w * sigma)):
        table[:, column] = values
    return table, np.stack([pre, post], axis=1).astype(np.uint32)


def places_of(packed: Packed) -> tuple[Places, ...]:
    """Return where sums are that follow each other."""
    return tuple(Places(SUMS * np.arange(len(ends)), 1) for ends in (packed.ends, packed.sensory_ends))


def unpack(cell: LTCParams, packed: Packed, sums: Any, places: tuple[Places, ...]) -> LTCParams:
    """Return gradients by parameter from the sums of the backward."""
    d_G, d_Q, d_C, _ = sums.neurons
    recurrent, sensory = (np.zeros((4, *w.shape), w.dtype) for w in (cell.w, cell.sensory_w))
    _unpack_synapses(packed.synapses, packed.ends, cell.mu, sums.synapses, *places[0], recurrent)
    _unpack_synapses(packed.sensory, packed.sensory_ends, cell.sensory_mu, sums.sensory, *places[1], sensory)
    return LTCParams(d_G + cell.vleak * d_Q, cell.gleak * d_Q, d_C.copy(), *recurrent, *sensory)


@kernel
def _unpack_synapses(synapses, ends, mu, sums, first, step, d):
    r"""Write the gradients of the synapses' w, σ, μ and E, shape (4, pre, post).

    The sums of synapse k lie at sums[first[k]], with a distance of `step`.

    .. math:: \bar w = \sum a s, \quad \bar\sigma = w \sum (x - \mu)\,\bar z, \quad \bar\mu = -\sigma w \sum \bar z,
              \quad \bar E = w \sum \bar Q s \qquad (a = \bar G + E \bar Q,\; \bar z = a\,s(1 - s))
    """
    for k in range(ends.shape[0]):
        j, i, w, own = ends[k, PRE], ends[k, POST], synapses[k, W], sums[first[k] :]
        d[0, j, i] = own[SUM_W * step]
        d[1, j, i] = w * (own[SUM_ZX * step] - mu[j, i] * own[SUM_Z * step])
        d[2, j, i] = -synapses[k, W_SIGMA] * own[SUM_Z * step]
        d[3, j, i] = w * own[SUM_E * step]
