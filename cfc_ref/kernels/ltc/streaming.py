r"""A synaptic LTC network, output included, one sample after the other: the step of a stream, and every batch of one.

As in :mod:`cfc_ref.kernels.cfc.streaming` all weights are one flat array, and nothing is allocated.
"""

from __future__ import annotations

import math

import numpy as np

from cfc_ref.cells.ltc.network import LTCSettings, ODENetwork, Readout
from cfc_ref.cells.tree import made_once
from cfc_ref.kernels.compiled import inner, kernel
from cfc_ref.kernels.elementwise import _copy
from cfc_ref.kernels.ltc.loops import _stage, how
from cfc_ref.kernels.ltc.packed import (
    CURRENT,
    ENDS,
    FORGIVEN,
    HIGH,
    INPUT_MAP,
    LEAK,
    LONGEST,
    NEURONS,
    OUTPUT_MAP,
    PARTS,
    SCRATCH,
    SENSORY,
    SENSORY_TILES,
    SOLVER,
    STAGES,
    SYNAPSES,
    TILES,
    pack_stream,
)
from cfc_ref.kernels.ltc.solvers import KERNELS
from cfc_ref.kernels.ltc.sums import _add_tiles, _look_stream, grid
from cfc_ref.kernels.packed import FC, INPUTS, OUTPUTS, READS, ROOM, STATE, UNITS
from cfc_ref.kernels.products import _linear, _row, _whole_lines
from cfc_ref.kernels.streams import Stream

__all__ = ["start"]


def start(params: ODENetwork, readout: Readout, read: slice, settings: LTCSettings) -> Stream:
    """Return a network for streams, its weights packed."""

    def packed() -> Stream:
        return Stream(_stream, *pack_stream(params, readout, read, settings, how(settings)), paired=False)

    return made_once(params, ("stream", id(readout), read.start, read.stop, settings), packed)


@inner
def _count(table, dt):
    """Return the number of parts of a time step: twin of :func:`cfc_ref.neuron.grid.fewest_parts`."""
    if table[PARTS] > 0:
        return table[PARTS]
    of_step = table[LONGEST : FORGIVEN + 1].view(np.float64)
    return max(math.ceil(dt / of_step[0] * of_step[1]), 1)


@inner
def _scale(maps, u, y):
    """Map each feature by itself: y = w u + b, all w before all b."""
    n = y.shape[0]
    for j in range(n):
        y[j] = maps[j] * u[j] + maps[n + j]


@kernel(registry=KERNELS)
def _stream(P, table, x, S, y):
    """Take the steps that x and S hold, like ``_stream`` of :mod:`cfc_ref.kernels.cfc.streaming`."""
    for j in range(x.shape[0]):
        if not math.isfinite(x[j]):
            return False
    F, O, reads, lanes = table[INPUTS], table[OUTPUTS], table[READS], _whole_lines(table[UNITS])
    one = P.dtype.type(1)
    nothing, solver, stages = F - F, table[SOLVER], table[STAGES]
    neurons = grid(P, table[NEURONS], nothing + HIGH + 1, lanes)
    input_map, output_map = P[table[INPUT_MAP] :], P[table[OUTPUT_MAP] :]
    tiles, sensory, last = P[table[SYNAPSES] :], P[table[SENSORY] :], ENDS + table[TILES]
    ends, sensory_ends = table[ENDS:last], table[last : last + table[SENSORY_TILES]]
    dt = S[S.shape[0] - x.shape[0] // F :]
    at = S.shape[0] - dt.shape[0] - table[ROOM]
    streams, room = at // table[STATE], S[at:]
    size = (3 + 3 * stages + SCRATCH) * lanes
    held, kept = grid(room, nothing, nothing + 2, lanes), grid(room, 2 * lanes, 3 * stages + 1, lanes)
    rows = grid(room, (3 + 3 * stages) * lanes, nothing + SCRATCH, lanes)
    I, motor = room[size : size + F], _row(room, size + _whole_lines(F), reads)
    for t in range(dt.shape[0]):
        at = t % streams * lanes
        state = S[at : at + lanes]
        if dt[t] >= 0:
            _scale(input_map, x[t * F : (t + 1) * F], I)
            _copy(neurons[LEAK], held[0])
            _copy(neurons[CURRENT], held[1])
            _add_tiles(sensory, sensory_ends, I, held[0], held[1])
            parts = _count(table, dt[t])
            h = dt[t] / P.dtype.type(parts)
            _copy(state, kept[0])
            for _ in range(parts):
                for k in range(stages):
                    _look_stream(tiles, ends, held, kept, k)
                    _stage(solver, k, neurons, h, kept, kept[3 * k + 3], rows)
                _copy(kept[3 * stages], kept[0])
            _copy(kept[0], state)
        out = _row(y, t * O, O)
        if table[FC] > 0:
            _scale(output_map, state, motor[0])
            _linear(P, table[FC], one, motor, nothing, reads, motor, nothing, nothing, out, nothing, O)
        else:
            _scale(output_map, state, out[0])
    return True
