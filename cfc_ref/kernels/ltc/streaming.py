r"""An LTC network, output included, one sample after the other: the step of a stream.

As in :mod:`cfc_ref.kernels.cfc.streaming` all weights are one flat array, and nothing is allocated.
"""

from __future__ import annotations

import math

import numpy as np

from cfc_ref.arrays import Array
from cfc_ref.cells.ltc.network import LTCSettings, ODENetwork, Readout
from cfc_ref.cells.tree import made_once
from cfc_ref.kernels.compiled import inner, kernel
from cfc_ref.kernels.elementwise import _copy
from cfc_ref.kernels.lstm import _lstm
from cfc_ref.kernels.ltc.flat import (
    ENDS,
    FORGIVEN,
    INPUT_MAP,
    LIMIT,
    LONGEST,
    LSTM,
    NEURAL,
    NEURONS,
    OUTPUT_MAP,
    PARTS,
    SENSORY,
    SENSORY_TILES,
    SOLVER,
    STAGES,
    SYNAPSES,
    TILES,
    pack_stream,
)
from cfc_ref.kernels.ltc.looks import BY_SYNAPSE, kind_of
from cfc_ref.kernels.ltc.loops import _stage, how
from cfc_ref.kernels.ltc.neural import _hold_maps, _look_at_maps
from cfc_ref.kernels.ltc.packed import CURRENT, HIGH, LEAK, SCRATCH, C
from cfc_ref.kernels.ltc.solvers import KERNELS
from cfc_ref.kernels.ltc.sums import _add_tiles, grid
from cfc_ref.kernels.memory import LINE
from cfc_ref.kernels.packed import FC, INPUTS, OUTPUTS, READS, ROOM, STATE, UNITS
from cfc_ref.kernels.products import _linear, _nothing, _row, _whole_lines
from cfc_ref.kernels.streams import Stream

__all__ = ["as_streams", "start"]

_FEW = 8  # steps that take less time as streams than as blocks


def start(params: ODENetwork, readout: Readout, read: slice, settings: LTCSettings) -> Stream:
    """Return a network for streams, its weights packed."""

    def packed() -> Stream:
        arrays = pack_stream(params, readout, read, settings, how(settings.solver))
        return Stream(_stream, *arrays, params.lstm is not None, settings.watch)

    return made_once(params, ("stream", read.start, read.stop, settings), packed, readout)


def as_streams(params: ODENetwork, settings: LTCSettings, dt: Array) -> bool:
    """Say whether sequences run as streams: one, or a few steps of a network whose blocks have the same sums."""
    if len(dt) == 1 or settings.watch is not None:  # which asks for the fastest row of a step
        return len(dt) == 1
    return dt.size <= _FEW and kind_of(params, settings) != BY_SYNAPSE


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


@inner
def _fastest(C, G, units):
    """Return the largest rate G/C."""
    most = G[0] / C[0]
    for i in range(1, units):
        most = max(most, G[i] / C[i])
    return most


@inner
def _hold(P, table, neurons, I, held):
    """Write what the input contributes, constant while it is held."""
    if table[NEURAL] > 0:
        _hold_maps(P[table[SENSORY] :], I, held[:1])
    else:
        first = ENDS + table[TILES]
        _copy(neurons[LEAK], held[0])
        _copy(neurons[CURRENT], held[1])
        _add_tiles(P[table[SENSORY] :], table[first : first + table[SENSORY_TILES]], I[0], held[0], held[1])


@inner(forceinline=True)
def _look_at_tiles(tiles, ends, held, kept, k):
    """Write the sums at the states of stage k."""
    _copy(held[0], kept[3 * k + 1])
    _copy(held[1], kept[3 * k + 2])
    _add_tiles(tiles, ends, kept[3 * k], kept[3 * k + 1], kept[3 * k + 2])


@inner
def _solve(P, table, neurons, dt, held, kept, rows, worst):
    """Solve one time step from the states in the first row of `kept`, in place.

    `worst` takes the part's length and the rate of the first step that goes beyond the limit.
    """
    solver, stages, limit = table[SOLVER], table[STAGES], table[LIMIT : LIMIT + 1].view(np.float64)[0]
    sums, ends, neural = P[table[SYNAPSES] :], table[ENDS : ENDS + table[TILES]], table[NEURAL]
    parts = _count(table, dt)
    h, rate = dt / kept.dtype.type(parts), kept.dtype.type(0)
    for _ in range(parts):
        for k in range(stages):
            if neural > 0:
                _look_at_maps(sums, table[UNITS], neurons, held, kept, k, _nothing(k) + 1)
            else:
                _look_at_tiles(sums, ends, held, kept, k)
            if k == 0 and limit < np.inf:
                rate = max(rate, _fastest(neurons[C], kept[1], table[UNITS]))
            _stage(solver, k, neurons, h, kept, kept[3 * k + 3], rows)
        _copy(kept[3 * stages], kept[0])
    if h * rate > limit and worst[0] == 0:
        worst[0], worst[1] = h, rate


@kernel(registry=KERNELS)
def _stream(P, table, x, S, y):
    """Take the steps that x and S hold, like ``_stream`` of :mod:`cfc_ref.kernels.cfc.streaming`."""
    for j in range(x.shape[0]):
        if not math.isfinite(x[j]):
            return False
    F, O, U, reads, lanes = table[INPUTS], table[OUTPUTS], table[UNITS], table[READS], _whole_lines(table[UNITS])
    one, nothing, stages = P.dtype.type(1), _nothing(F), table[STAGES]
    neurons = grid(P, table[NEURONS], nothing + HIGH + 1, lanes)
    input_map, output_map = P[table[INPUT_MAP] :], P[table[OUTPUT_MAP] :]
    dt = S[S.shape[0] - x.shape[0] // F :]
    at = S.shape[0] - dt.shape[0] - table[ROOM]
    streams, room, worst = at // table[STATE], S[at:], S[at + table[ROOM] - LINE :]
    held, kept = grid(room, nothing, nothing + 2, lanes), grid(room, 2 * lanes, 3 * stages + 1, lanes)
    rows = grid(room, (3 + 3 * stages) * lanes, nothing + SCRATCH, lanes)
    at = (3 + 3 * stages + SCRATCH) * lanes
    I, motor, at = _row(room, at, F), _row(room, at + _whole_lines(F), reads), at + _whole_lines(F)
    for t in range(dt.shape[0]):
        own = t % streams * table[STATE]
        state = S[own : own + U]
        if dt[t] >= 0:
            _scale(input_map, x[t * F : (t + 1) * F], I[0])
            _copy(state, kept[0, :U])
            if table[LSTM] > 0:
                c, values = _row(S, own + U, U), _row(room, at + _whole_lines(reads), 6 * U)
                new_c = _row(room, at + _whole_lines(reads) + _whole_lines(6 * U), U)
                _lstm(P, table[LSTM], F, _row(x, t * F, F), _row(S, own, U), c, new_c, values)
                _copy(new_c[0], c[0])
                _copy(values[0, 5 * U :], kept[0, :U])
            _hold(P, table, neurons, I, held)
            _solve(P, table, neurons, dt[t], held, kept, rows, worst)
            _copy(kept[0, :U], state)
        out = _row(y, t * O, O)
        if table[FC] > 0:
            _scale(output_map, state, motor[0])
            _linear(P, table[FC], one, motor, nothing, reads, motor, nothing, nothing, out, nothing, O)
        else:
            _scale(output_map, state, out[0])
    return True
