r"""One sequence through a synaptic LTC, output included: the step of a stream, and of every batch of one.

With one row the inner loops run along neurons: synapses from one neuron to some of :data:`LINE` neighbours are a tile,
whose numbers lie together, zeros where there is no synapse. A tile is computed whole. Nothing is looked up but where it
begins and ends; a wiring's layers are neighbours, so that most of a tile is there. As in
:mod:`cfc_ref.kernels.cfc_streaming` everything but input and output is one flat array, and nothing is allocated.
"""

from __future__ import annotations

import math

from numba import njit

from cfc_ref.kernels.elementwise import _copy
from cfc_ref.kernels.ltc_packed import (
    ENDS,
    FUSED,
    INPUT_MAP,
    NEURONS,
    OUTPUT_MAP,
    SENSORY,
    SENSORY_TILES,
    SOLVER,
    SYNAPSES,
    TILES,
    UNFOLDS,
)
from cfc_ref.kernels.ltc_rows import _frozen_of, _fused_of
from cfc_ref.kernels.mathfun import INNER, OPTIONS, _opening_of
from cfc_ref.kernels.memory import LINE
from cfc_ref.kernels.packed import FC, INPUTS, OUTPUTS, READS, ROOM, STATE, UNITS
from cfc_ref.kernels.products import _linear, _row, _whole_lines

__all__ = ["stream"]


@njit(**INNER)
def _scale(maps, u, y):
    """Map each feature by itself: y = w u + b, all w before all b."""
    n = y.shape[0]
    for j in range(n):
        y[j] = maps[j] * u[j] + maps[n + j]


@njit(**INNER)
def _add_tiles(tiles, ends, x, G, Q):
    """G += w s and Q += w E s of every synapse, a tile at a time."""
    for k in range(ends.shape[0] // 2):
        u, post, tile = x[ends[2 * k]], ends[2 * k + 1], tiles[4 * LINE * k : 4 * LINE * (k + 1)]
        g, q = G[post : post + LINE], Q[post : post + LINE]
        for j in range(LINE):
            s = _opening_of(tile[j] * u + tile[LINE + j])
            g[j] += tile[2 * LINE + j] * s
            q[j] += tile[3 * LINE + j] * s


@njit(**INNER)
def _advance(solver, C, h, G, Q, x):
    """Take the states over one part."""
    if solver == FUSED:
        for i in range(x.shape[0]):
            e, f = _fused_of(C[i], h, G[i])
            x[i] = e * x[i] + f * Q[i]
    else:
        for i in range(x.shape[0]):
            e, f = _frozen_of(C[i], h, G[i])
            x[i] = e * x[i] + f * (Q[i] / G[i])


@njit(**OPTIONS)
def stream(P, table, x, S, y):
    """Take the steps that x and S hold, like :func:`cfc_ref.kernels.cfc_streaming.stream`."""
    for j in range(x.shape[0]):
        if not math.isfinite(x[j]):
            return False
    F, O, reads, lanes, one = table[INPUTS], table[OUTPUTS], table[READS], _whole_lines(table[UNITS]), P.dtype.type(1)
    nothing, solver, unfolds = F - F, table[SOLVER], table[UNFOLDS]
    own = P[table[NEURONS] :]
    conductance, current, C = own[:lanes], own[lanes : 2 * lanes], own[2 * lanes : 3 * lanes]
    input_map, output_map = P[table[INPUT_MAP] :], P[table[OUTPUT_MAP] :]
    tiles, sensory = P[table[SYNAPSES] :], P[table[SENSORY] :]
    last = ENDS + 2 * table[TILES]
    ends, sensory_ends = table[ENDS:last], table[last : last + 2 * table[SENSORY_TILES]]
    dt = S[S.shape[0] - x.shape[0] // F :]
    at = S.shape[0] - dt.shape[0] - table[ROOM]
    streams, room = at // table[STATE], S[at:]
    held_G, held_Q, G, Q = (
        room[:lanes],
        room[lanes : 2 * lanes],
        room[2 * lanes : 3 * lanes],
        room[3 * lanes : 4 * lanes],
    )
    I, motor = room[4 * lanes : 4 * lanes + F], _row(room, 4 * lanes + _whole_lines(F), reads)
    for t in range(dt.shape[0]):
        at = t % streams * lanes
        state = S[at : at + lanes]
        if dt[t] >= 0:
            _scale(input_map, x[t * F : (t + 1) * F], I)
            _copy(conductance, held_G)
            _copy(current, held_Q)
            _add_tiles(sensory, sensory_ends, I, held_G, held_Q)
            h = dt[t] / P.dtype.type(unfolds)
            for _ in range(unfolds):
                _copy(held_G, G)
                _copy(held_Q, Q)
                _add_tiles(tiles, ends, state, G, Q)
                _advance(solver, C, h, G, Q, state)
        out = _row(y, t * O, O)
        if table[FC] > 0:
            _scale(output_map, state, motor[0])
            _linear(P, table[FC], one, motor, nothing, reads, motor, nothing, nothing, out, nothing, O)
        else:
            _scale(output_map, state, out[0])
    return True
