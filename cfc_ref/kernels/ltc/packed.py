r"""A synaptic LTC in the form that its kernels read: tables with one row per neuron, synapse and input.

Missing synapses have no row, so that dense and wired networks are alike. A table's columns have the names below.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cfc_ref.arrays import Array
from cfc_ref.cells.ltc.network import LTCSettings, ODENetwork, Readout, Scaling
from cfc_ref.cells.ltc.synapses import LTCParams, Synapses, ltc_box, recurrent_synapses, sensory_synapses
from cfc_ref.kernels.memory import LINE, aligned, whole_lines
from cfc_ref.kernels.packed import FC, HEAD, INPUTS, OUTPUTS, READS, ROOM, STATE, UNITS, Weights
from cfc_ref.neuron.grid import forgiven

if TYPE_CHECKING:
    import numpy.typing as npt

__all__: list[str] = []

# Columns of a neuron: conductance and current of its leak, its capacity, and the ends of its box, which are read by
# solvers that clip to it; and of the sums of its gradients
LEAK, CURRENT, C, LOW, HIGH = range(5)
D_G, D_Q, D_C = range(3)
# Of a synapse: s = 1/(1 + 2^(gain x + shift)), w, w E, E, w sigma; its ends; and of the sums of its gradients
GAIN, SHIFT, W, W_E, E, W_SIGMA = range(6)
PRE, POST = range(2)
SUM_W, SUM_E, SUM_Z, SUM_ZX = range(4)
# Places in the table of a stream, after those of a CfC's: the solver's index, the stages of a part; the parts of a time
# step, or 0 and the bits of two float64: the longest part, and what forgives rounding; where arrays begin, and the
# sizes of what follows: the ends of each group of tiles, their neurons or inputs and its first postsynaptic neuron.
SOLVER, STAGES, PARTS, LONGEST, FORGIVEN = range(HEAD, HEAD + 5)
NEURONS, INPUT_MAP, OUTPUT_MAP, SYNAPSES, SENSORY, TILES, SENSORY_TILES = range(HEAD + 5, HEAD + 12)
ENDS = HEAD + 12
GROUP = 4  # tiles that a stream adds to the sums at once
SCRATCH = 10  # rows that a stage of a solver may use

_LOG2_E = 1.4426950408889634


class How(NamedTuple):
    """A solver's number, the stages of a part, and whether they clip to the box."""

    solver: int
    stages: int
    boxed: bool


class Packed(NamedTuple):
    """A network's tables.

    Attributes
    ----------
    neurons : ndarray, shape (units, 5)
    synapses, sensory : ndarray, shape (synapses, 6)
    ends, sensory_ends : ndarray of uint32, shape (synapses, 2)
        Sorted by the postsynaptic neuron.
    maps : ndarray, shape (inputs, 2)
        Factor and shift of each input.
    """

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
    neurons = np.stack([cell.gleak + dtype.type(epsilon), cell.gleak * cell.vleak, cell.cm, *box], axis=1)
    maps = _factors(params.input_map, len(cell.sensory_w), dtype)
    recurrent, sensory = (_list(synapses) for synapses in (recurrent_synapses(cell), sensory_synapses(cell)))
    return Packed(np.ascontiguousarray(neurons), *recurrent, *sensory, maps)


def _factors(scaling: Scaling | None, features: int, dtype: np.dtype[Any]) -> Array:
    """Return the factor and the shift of each feature, shape (features, 2)."""
    factors = np.zeros((features, 2), dtype)
    factors[:, 0] = 1
    for column, values in enumerate(scaling or ()):
        if values is not None:
            factors[:, column] = values
    return factors


def _there(w: Array) -> tuple[Array, Array]:
    """Return the ends (pre, post) of the existing synapses, sorted by the second."""
    post, pre = np.nonzero(w.T)
    return pre, post


def _list(synapses: Synapses) -> tuple[Array, Array]:
    """Return the table of the existing synapses, and their ends."""
    pre, post = _there(synapses.w)
    w, sigma, mu, erev = (values[pre, post] for values in synapses)
    table = aligned((len(w), 6), w.dtype)
    slope = sigma * w.dtype.type(_LOG2_E)
    for column, values in enumerate((-slope, slope * mu, w, w * erev, erev, w * sigma)):
        table[:, column] = values
    return table, np.stack([pre, post], axis=1).astype(np.uint32)


def unpack(params: ODENetwork, d_neurons: Array, d_synapses: Array, d_sensory: Array, d_maps: Array) -> ODENetwork:
    """Return gradients by parameter from the sums of the backward."""
    cell: LTCParams = params.cell
    d_G, d_Q, d_C = d_neurons.T
    recurrent = _d_list(recurrent_synapses(cell), d_synapses)
    sensory = _d_list(sensory_synapses(cell), d_sensory)
    d_cell = LTCParams(d_G + cell.vleak * d_Q, cell.gleak * d_Q, d_C.copy(), *recurrent, *sensory)
    given = params.input_map
    d_map = given and Scaling(d_maps[:, 0].copy(), None if given.b is None else d_maps[:, 1].copy())
    return ODENetwork(d_cell, d_map)


def _d_list(synapses: Synapses, sums: Array) -> Synapses:
    r"""Return the gradients of the synapses' parameters.

    .. math:: \bar w = \sum a s, \quad \bar E = w \sum \bar Q s, \quad \bar\sigma = w \sum (x - \mu)\,\bar z, \quad
              \bar\mu = -\sigma w \sum \bar z \qquad (a = \bar G + E \bar Q,\; \bar z = a\,s(1 - s))
    """
    there = _there(synapses.w)
    w, sigma, mu, _ = (values[there] for values in synapses)
    sum_w, sum_E, sum_z, sum_zx = sums.T
    gradients = Synapses(sum_w, w * (sum_zx - mu * sum_z), -sigma * w * sum_z, w * sum_E)
    return Synapses(*(_spread(values, there, synapses.w) for values in gradients))


def _spread(values: Array, there: tuple[Array, Array], like: Array) -> Array:
    matrix = np.zeros_like(like)
    matrix[there] = values
    return matrix


def pack_stream(
    params: ODENetwork, readout: Readout, read: slice, settings: LTCSettings, how: How
) -> tuple[Array, npt.NDArray[np.int64]]:
    """Return a network's tiles and its output's maps in one array, and their table."""
    packed, weights, table = pack(params, settings.epsilon, how.boxed), Weights(), np.zeros(ENDS, np.int64)
    solver, stages, _ = how
    (output_map, fc), dtype, (inputs, units) = readout, packed.maps.dtype, params.cell.sensory_w.shape
    lanes, reads = whole_lines(units), read.stop - read.start
    neurons = np.ones((packed.neurons.shape[1], lanes), dtype)  # lanes without a neuron have a leak and a capacity
    neurons[:, :units] = packed.neurons.T
    table[SOLVER], table[STAGES], table[PARTS] = solver, stages, settings.parts
    if settings.step is not None:
        table[PARTS], table[[LONGEST, FORGIVEN]] = 0, np.array([settings.step, forgiven(dtype)]).view(np.int64)
    table[INPUTS], table[UNITS], table[READS], table[OUTPUTS] = inputs, units, reads, reads
    table[NEURONS], table[INPUT_MAP] = weights.place(neurons), weights.place(packed.maps.T)
    table[OUTPUT_MAP] = weights.place(_factors(output_map, reads, dtype).T)
    tiles, ends = _tiles(packed.synapses, packed.ends)
    sensory, sensory_ends = _tiles(packed.sensory, packed.sensory_ends)
    table[SYNAPSES], table[SENSORY] = weights.place(tiles), weights.place(sensory)
    table[TILES], table[SENSORY_TILES] = ends.size, sensory_ends.size
    if fc is not None:
        table[OUTPUTS], table[FC] = len(fc.W), weights.linear(*fc)
    table[STATE], table[ROOM] = lanes, (3 + 3 * stages + SCRATCH) * lanes + whole_lines(inputs) + whole_lines(reads)
    return weights.array(dtype), np.concatenate([table, ends.reshape(-1), sensory_ends.reshape(-1)])


def _tiles(synapses: Array, ends: Array) -> tuple[Array, npt.NDArray[np.int64]]:
    """Return synapses in tiles, shape (tiles, 4, LINE), and for each group of them where they begin and where it ends.

    Zeros where there is no synapse. The groups of a line are whole: its last tile is repeated, with no conductance.
    """
    pre, post = ends.T.astype(np.int64)
    line, place = np.divmod(post, LINE)
    sources = pre.max(initial=0) + 1
    keys, of_tile = np.unique(line * sources + pre, return_inverse=True)  # pairs, with axis=0, are slow to sort
    tiles = np.zeros((len(keys), 4, LINE), synapses.dtype)
    tiles[of_tile, :, place] = synapses[:, [GAIN, SHIFT, W, W_E]]
    counts = np.bincount(keys // sources)
    slots = -(-counts // GROUP) * GROUP
    lines, last = np.repeat(np.arange(len(slots)), slots), np.cumsum(counts) - 1
    chosen = np.arange(len(lines)) - np.repeat(np.cumsum(slots - counts) - (slots - counts), slots)
    repeated = chosen > last[lines]
    chosen[repeated] = last[lines[repeated]]
    tiles = tiles[chosen]
    tiles[repeated, 2:] = 0
    return tiles, np.column_stack([(keys[chosen] % sources).reshape(-1, GROUP), lines[::GROUP] * LINE])
