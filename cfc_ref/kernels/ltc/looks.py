"""The sums G and Q of a block of a batch and their backward, by what the network is.

A block is some rows of a batch. Of a synaptic network with few synapses its arrays are (units, rows), else (rows,
lanes), where units fill whole cache lines; for the solvers each is one flat row of numbers.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from cfc_ref.cells.ltc.network import LTCSettings, ODENetwork, Scaling
from cfc_ref.cells.tree import made_once
from cfc_ref.kernels.compiled import inner
from cfc_ref.kernels.elementwise import _add, _copy
from cfc_ref.kernels.ltc.cells import packed_of
from cfc_ref.kernels.ltc.flat import ENDS, SENSORY, SYNAPSES, TILES, flat_sums, in_lanes, lanes
from cfc_ref.kernels.ltc.neural import _d_hold_maps, _d_look_at_maps, _hold_maps, _look_at_maps, _unpack_release
from cfc_ref.kernels.ltc.packed import CURRENT, D_G, D_Q, LEAK, SUMS, Packed, Places, places_of, unpack
from cfc_ref.kernels.ltc.sums import ROWS, _add_synapses, _add_tiles, _d_synapses, _d_tiles, grid
from cfc_ref.kernels.memory import LINE, whole_lines
from cfc_ref.kernels.packed import UNITS
from cfc_ref.kernels.products import _nothing

__all__ = ["Arranged", "Tables", "arranged_for", "kind_of", "room_for_tiles", "sizes_of_sums", "unpacked"]

BY_SYNAPSE, BY_TILE, BY_MAP = range(3)
_FEW = ROWS // 4  # rows of a batch up to which its blocks are no longer
_MANY = 4 * ROWS  # rows of a batch from which on its blocks are twice as long: a quarter less time for their sums


class Tables(NamedTuple):
    """The arrays of a network that the loops over a batch read.

    Attributes
    ----------
    kind : int
        How the sums are computed, and thereby the layout of a block.
    neurons : ndarray, shape (6, size of a block)
        The numbers of the neuron of each entry.
    synapses, ends, sensory, sensory_ends, maps : ndarray
        As in :class:`cfc_ref.kernels.ltc.packed.Packed`.
    weights, backward, table : ndarray
        Tiles or maps (:mod:`cfc_ref.kernels.ltc.flat`), and those of the backward.
    """

    kind: int
    neurons: Any
    synapses: Any
    ends: Any
    sensory: Any
    sensory_ends: Any
    maps: Any
    weights: Any
    backward: Any
    table: Any


class Arranged(NamedTuple):
    """A network arranged for blocks of some rows."""

    packed: Packed
    tables: Tables
    places: tuple[Places, ...]  # of the sums, of neurons and of inputs
    rows: int

    def shape(self, columns: int) -> tuple[int, int]:
        """Return the shape of a block with so many numbers per row."""
        return (columns, self.rows) if self.tables.kind == BY_SYNAPSE else (self.rows, columns)


def kind_of(params: ODENetwork, settings: LTCSettings) -> int:
    """Return how the sums of a batch are computed: by tiles where nearly all neurons are connected."""

    def decide() -> int:
        packed = packed_of(params, settings)
        if packed.neural:
            return BY_MAP
        return BY_TILE if 4 * lanes(packed) <= 5 * len(packed.ends) else BY_SYNAPSE

    return int(made_once(params, ("kind",), decide))


def _rows_of_block(kind: int, batch: int) -> int:
    """Return the rows of a block: whole vectors of them, or fours."""
    if kind != BY_SYNAPSE:
        return min(max(4 * -(-batch // 4), 4), ROWS)
    return _FEW if batch <= _FEW else ROWS if batch < _MANY else 2 * ROWS


def arranged_for(params: ODENetwork, settings: LTCSettings, batch: int) -> Arranged:
    """Return a network for the blocks of a batch, arranged once."""
    kind = kind_of(params, settings)
    rows = _rows_of_block(kind, batch)

    def arrange() -> Arranged:
        packed = packed_of(params, settings)
        flat: Any  # weights, those of the backward, and their table
        if kind == BY_SYNAPSE:
            none = np.empty(0, packed.maps.dtype)
            flat, places = (none, none, np.zeros(ENDS, np.int64)), places_of(packed)
            neurons = np.repeat(packed.neurons.T, rows, axis=1)
        else:
            *flat, places = flat_sums(packed)
            neurons = np.tile(in_lanes(packed.neurons), rows)
        return Arranged(packed, Tables(kind, neurons, *packed[2:], *flat), places, rows)

    return made_once(params, ("blocks", settings.epsilon, settings.solver, rows), arrange)


def sizes_of_sums(arranged: Arranged) -> list[int]:
    """Return how many sums the backward takes, of synapses or maps, those of inputs second."""
    tables = arranged.tables
    if tables.kind == BY_SYNAPSE:
        return [SUMS * len(ends) for ends in (tables.ends, tables.sensory_ends)]
    first, second = int(tables.table[SYNAPSES]), int(tables.table[SENSORY])
    return [second - first, len(tables.weights) - second]  # laid out as the weights are


def room_for_tiles(tables: Tables, units: int, inputs: int) -> int:
    """Return the size of the room for the backward of tiles."""
    return 4 * LINE * (2 + max(whole_lines(units), inputs)) if tables.kind == BY_TILE else 0


def unpacked(params: ODENetwork, arranged: Arranged, sums: Any) -> ODENetwork:
    """Return gradients by parameter from the sums of the backward."""
    packed, places, given, (d_w, d_b) = arranged.packed, arranged.places, params.input_map, sums.maps.T
    d_map = given and Scaling(d_w.copy(), None if given.b is None else d_b.copy())
    d_cell: Any = _unpack_release(packed, sums) if packed.neural else unpack(params.cell, packed, sums, places)
    return ODENetwork(d_cell, d_map)


@inner
def _shape(kind, size, rows):
    """Return the height and the width of a block."""
    return (size // rows, rows) if kind == BY_SYNAPSE else (rows, size // rows)


@inner
def _hold(tables, I, held, rows):
    """Write what the input contributes, constant while it is held; I is a matrix, a row of `held` is flat."""
    zero, (height, width) = _nothing(rows), _shape(tables.kind, held.shape[1], rows)
    weights, ends = tables.weights[tables.table[SENSORY] :], tables.table[ENDS + tables.table[TILES] :]
    G, Q = grid(held[0], zero, height, width), grid(held[1], zero, height, width)
    if tables.kind == BY_MAP:
        _hold_maps(weights, I, G)
        return
    _copy(tables.neurons[LEAK], held[0])
    _copy(tables.neurons[CURRENT], held[1])
    if tables.kind == BY_TILE:
        for r in range(rows):
            _add_tiles(weights, ends, I[r], G[r], Q[r])
    else:
        _add_synapses(tables.sensory, tables.sensory_ends, I, G, Q)


@inner
def _look(tables, held, kept, k, rows):
    """Write the sums at the states of stage k."""
    zero, (height, width) = _nothing(rows), _shape(tables.kind, kept.shape[1], rows)
    weights, ends = tables.weights[tables.table[SYNAPSES] :], tables.table[ENDS : ENDS + tables.table[TILES]]
    if tables.kind == BY_MAP:
        _look_at_maps(weights, tables.table[UNITS], tables.neurons, held, kept, k, rows)
        return
    _copy(held[0], kept[3 * k + 1])
    _copy(held[1], kept[3 * k + 2])
    x, G = grid(kept[3 * k], zero, height, width), grid(kept[3 * k + 1], zero, height, width)
    Q = grid(kept[3 * k + 2], zero, height, width)
    if tables.kind == BY_TILE:
        for r in range(rows):
            _add_tiles(weights, ends, x[r], G[r], Q[r])
    else:
        _add_synapses(tables.synapses, tables.ends, x, G, Q)


@inner
def _d_look(tables, kept, k, room, sums, rows):
    """Backward of ``_look``: adds to the gradients of states, of what is held, and of synapses or maps."""
    zero, (height, width), D, d_held = _nothing(rows), _shape(tables.kind, kept.shape[1], rows), room.D, room.d_held
    place, ends = tables.table[SYNAPSES], tables.table[ENDS : ENDS + tables.table[TILES]]
    if tables.kind == BY_MAP:
        weights, backward = tables.weights[place:], tables.backward[place:]
        _d_look_at_maps(weights, backward, tables.table[UNITS], tables.neurons, kept, k, room, sums.synapses, rows)
        return
    _add(D[3 * k + 1], d_held[0])
    _add(D[3 * k + 2], d_held[1])
    x, d_x = grid(kept[3 * k], zero, height, width), grid(D[3 * k], zero, height, width)
    d_G, d_Q = grid(D[3 * k + 1], zero, height, width), grid(D[3 * k + 2], zero, height, width)
    if tables.kind == BY_TILE:
        _d_tiles(tables.backward[place:], ends, x, d_G, d_Q, d_x, sums.synapses, room.tiles)
    else:
        _d_synapses(tables.synapses, tables.ends, x, d_G, d_Q, d_x, sums.synapses)


@inner
def _d_hold(tables, room, sums, rows):
    """Backward of ``_hold``: writes the gradients of inputs."""
    zero, (height, width), d_held = _nothing(rows), _shape(tables.kind, room.d.shape[0], rows), room.d_held
    backward, ends = tables.backward[tables.table[SENSORY] :], tables.table[ENDS + tables.table[TILES] :]
    if tables.kind == BY_MAP:
        _d_hold_maps(backward, room.I, d_held, room.d_inputs, sums.sensory, room.neurons)
        return
    _add(d_held[0], room.neurons[D_G])
    _add(d_held[1], room.neurons[D_Q])
    d_G, d_Q = grid(d_held[0], zero, height, width), grid(d_held[1], zero, height, width)
    if tables.kind == BY_TILE:
        _d_tiles(backward, ends, room.I, d_G, d_Q, room.d_inputs, sums.sensory, room.tiles)
    else:
        _d_synapses(tables.sensory, tables.sensory_ends, room.I, d_G, d_Q, room.d_inputs, sums.sensory)
