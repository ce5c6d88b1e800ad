"""An LTC as loops along neurons read it: one flat array of numbers, and a table that says where.

Streams read it, and the blocks of a batch whose neurons are nearly all connected, or whose release is neural.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cfc_ref.arrays import Array
from cfc_ref.cells.ltc.network import LTCSettings, ODENetwork, Readout
from cfc_ref.cells.solvers import SOLVERS
from cfc_ref.kernels.ltc.cells import packed_of
from cfc_ref.kernels.ltc.packed import (
    BIAS,
    GAIN,
    GROUP,
    SCRATCH,
    SHIFT,
    W_E,
    W_SIGMA,
    E,
    How,
    Packed,
    Places,
    W,
    factors,
)
from cfc_ref.kernels.memory import LINE, whole_lines
from cfc_ref.kernels.packed import FC, HEAD, INPUTS, OUTPUTS, READS, ROOM, STATE, UNITS, Weights
from cfc_ref.neuron.grid import forgiven

if TYPE_CHECKING:
    import numpy.typing as npt

__all__: list[str] = []

# Places in the table after those of a CfC's: the cell, the solver's index, the stages of a part; parts of a step or 0;
# the bits of three float64: the longest part, what forgives rounding, and the largest h · rate that nobody asks about;
# where arrays begin, and the sizes of what follows: the ends of each group of tiles, their neurons or inputs and its
# first postsynaptic neuron.
NEURAL, SOLVER, STAGES, PARTS, LONGEST, FORGIVEN, LIMIT = range(HEAD, HEAD + 7)
NEURONS, INPUT_MAP, OUTPUT_MAP, SYNAPSES, SENSORY, LSTM, TILES, SENSORY_TILES = range(HEAD + 7, HEAD + 15)
ENDS = HEAD + 15
_FORWARD, _BACKWARD = [GAIN, SHIFT, W, W_E], [GAIN, SHIFT, E, W_SIGMA]  # what a tile has of a synapse


def flat_sums(packed: Packed) -> tuple[Array, Array, npt.NDArray[np.int64], tuple[Places, ...]]:
    """Return what a batch reads: weights, those of the backward, the table, and where the sums of synapses are."""
    weights, backward, table = Weights(), Weights(backward=True), np.zeros(ENDS, np.int64)
    table[UNITS], dtype = len(packed.neurons), packed.maps.dtype
    ends, places = _place_sums(packed, weights, table, backward)
    table = np.concatenate([table, *(end.reshape(-1) for end in ends)])
    return weights.array(dtype), backward.array(dtype), table, places


def pack_stream(
    params: ODENetwork, readout: Readout, read: slice, settings: LTCSettings, how: How
) -> tuple[Array, npt.NDArray[np.int64]]:
    """Return a network's sums and its output's maps in one array, and their table."""
    packed, weights, table = packed_of(params, settings), Weights(), np.zeros(ENDS, np.int64)
    (output_map, fc), dtype, inputs, units = readout, packed.maps.dtype, len(packed.maps), len(packed.neurons)
    lanes, reads = whole_lines(units), read.stop - read.start
    _time(table, settings, how, dtype)
    table[INPUTS], table[UNITS], table[READS], table[OUTPUTS] = inputs, units, reads, reads
    table[NEURONS], table[INPUT_MAP] = weights.place(in_lanes(packed.neurons)), weights.place(packed.maps.T)
    table[OUTPUT_MAP] = weights.place(factors(output_map, reads, dtype).T)
    ends, _ = _place_sums(packed, weights, table)
    if fc is not None:
        table[OUTPUTS], table[FC] = len(fc.W), weights.linear(*fc)
    table[STATE], rows = lanes, 3 + 3 * how.stages + SCRATCH
    table[ROOM] = rows * lanes + whole_lines(inputs) + whole_lines(reads) + LINE
    if params.lstm is not None:
        table[LSTM] = weights.lstm(params.lstm, 1.0)
        table[STATE], table[ROOM] = whole_lines(2 * units), table[ROOM] + whole_lines(6 * units) + whole_lines(units)
    return weights.array(dtype), np.concatenate([table, *(end.reshape(-1) for end in ends)])


def in_lanes(neurons: Array) -> Array:
    """Return the table of neurons with one column per lane; those without a neuron have a leak and a capacity of 1."""
    table = np.ones((neurons.shape[1], whole_lines(len(neurons))), neurons.dtype)
    table[:, : len(neurons)] = neurons.T
    return table


def _time(table: npt.NDArray[np.int64], settings: LTCSettings, how: How, dtype: np.dtype[Any]) -> None:
    """Write the solver, the parts of a time step, and from which h · rate on somebody asks."""
    table[SOLVER], table[STAGES], table[PARTS] = how.solver, how.stages, settings.parts
    limit = np.inf if settings.watch is None else SOLVERS[settings.solver].limit
    table[[LONGEST, FORGIVEN, LIMIT]] = np.array([settings.step or 0.0, forgiven(dtype), limit]).view(np.int64)
    if settings.step is not None:
        table[PARTS] = 0


def _place_sums(
    packed: Packed, weights: Weights, table: npt.NDArray[np.int64], backward: Weights | None = None
) -> tuple[list[Any], tuple[Places, ...]]:
    """Place what the sums read; return the ends of groups of tiles, and the places of sums, of neurons and inputs."""
    table[NEURAL], all_weights = packed.neural, [weights] if backward is None else [weights, backward]
    if packed.neural:
        units = len(packed.neurons)
        both = np.zeros((whole_lines(units), packed.synapses.shape[1] + packed.sensory.shape[1] + 1), packed.maps.dtype)
        both[:units] = np.concatenate([packed.synapses, packed.sensory, packed.neurons[:, [BIAS]]], axis=1)
        for each in all_weights:
            table[SYNAPSES] = each.linear(both[:, :units], 0 * both[:, -1])
            table[SENSORY] = each.linear(both[:, units:-1], both[:, -1])
        return [], ()
    tiles, ends, places = _tiles(packed.synapses, packed.ends)
    sensory, sensory_ends, sensory_places = _tiles(packed.sensory, packed.sensory_ends)
    for each, columns in zip(all_weights, (_FORWARD, _BACKWARD), strict=False):
        table[SYNAPSES], table[SENSORY] = each.place(tiles[:, columns]), each.place(sensory[:, columns])
    table[TILES], table[SENSORY_TILES] = ends.size, sensory_ends.size
    return [ends, sensory_ends], (places, sensory_places)


def lanes(packed: Packed) -> int:
    """Return the releases of a look at the states, in whole tiles, whether or not there is a synapse."""
    counts = _connected(packed.ends).sum(axis=1)
    return int((-(-counts // GROUP) * GROUP).sum()) * LINE


def _connected(ends: Array) -> npt.NDArray[np.bool_]:
    """Return which lines of postsynaptic neurons have a synapse from which neuron or input."""
    pre, post = ends.T
    connected = np.zeros((post.max(initial=0) // LINE + 1, pre.max(initial=0) + 1), bool)
    connected[post // LINE, pre] = True
    return connected


def _tiles(synapses: Array, ends: Array) -> tuple[Array, npt.NDArray[np.int64], Places]:
    """Return synapses in tiles, shape (tiles, 6, LINE), the ends of each group of them, and the places of synapses.

    The ends are the presynaptic neuron of each tile and the first postsynaptic one. Zeros where there is no synapse.
    The groups of a line are whole: its last tile is repeated, with no conductance.
    """
    connected, (pre, post) = _connected(ends), ends.T
    line, place = np.divmod(post.astype(np.int64), LINE)
    counts, sources = connected.sum(axis=1), np.nonzero(connected)[1]
    slots = -(-counts // GROUP) * GROUP
    added = np.cumsum(slots - counts) - (slots - counts)  # tiles that are repeated in the lines before
    of_tile = np.cumsum(connected).reshape(connected.shape)[line, pre] - 1 + added[line]
    lines = np.repeat(np.arange(len(slots)), slots)
    last = np.cumsum(counts)[lines] - 1
    chosen = np.minimum(np.arange(len(lines)) - added[lines], last)
    tiles = np.zeros((len(lines), synapses.shape[1], LINE), synapses.dtype)
    tiles[of_tile, :, place] = synapses
    tiles[:, [GAIN, SHIFT]] = tiles[chosen + added[lines]][:, [GAIN, SHIFT]]
    groups = np.column_stack([sources[chosen].reshape(-1, GROUP), lines[::GROUP] * LINE])
    return tiles, groups, Places(4 * LINE * of_tile + place, LINE)
