r"""Loops over the time steps of a batch of an LTC network, forward and backward.

They know all solvers of :data:`cfc_ref.kernels.ltc.solvers.KERNELS` and all kinds of sums
(:mod:`cfc_ref.kernels.ltc.looks`). Forward, the sums G and Q of every stage go to the tape, so that each release is
computed once forward and once backward. A row of a block is flat: a number for each row of the batch and each neuron.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

from cfc_ref.kernels.compiled import dispatch, inner, kernel
from cfc_ref.kernels.elementwise import _copy
from cfc_ref.kernels.ltc.blocks import (
    _add_states,
    _d_spread,
    _load,
    _read_states,
    _spread,
    _sum_rows,
    _unload,
    _write_states,
)
from cfc_ref.kernels.ltc.looks import BY_MAP, BY_SYNAPSE, _d_hold, _d_look, _hold, _look, _shape
from cfc_ref.kernels.ltc.mixed import _d_mix_memory, _mix_memory
from cfc_ref.kernels.ltc.packed import D_C, C, How
from cfc_ref.kernels.ltc.solvers import KERNELS
from cfc_ref.kernels.ltc.sums import grid
from cfc_ref.kernels.products import _clear, _nothing

__all__ = ["COMPILED", "BackRoom", "Room", "StageTape", "Sums", "how"]

COMPILED = tuple(KERNELS)  # the solvers that the kernels know; the place of each is its number
_stage = dispatch([solver.stage for solver in KERNELS.values()], forceinline=True)
_d_stage = dispatch([solver.d_stage for solver in KERNELS.values()])


@cache
def how(solver: str) -> How:
    """Return the numbers of a solver."""
    kernel = KERNELS[solver]
    return How(COMPILED.index(solver), kernel.stages, kernel.boxed)


class StageTape(NamedTuple):
    """States and sums of all parts, (parts, 3 · stages, size of a block), and the place of each block's first, by step.

    Where nothing is kept each block has one place, which its parts share.
    """

    parts: Any
    places: Any  # (blocks, time)
    all: bool  # whether each part has a place of its own


class Room(NamedTuple):
    """Working memory of the forward, for each block: inputs, states, held sums, lengths, and rows to use.

    The rows of `lengths` are: the length of a part, the number of parts, and the length of the present part, which is
    0 where a row has had all of its own. `of_rows` has the first two, a number for each row of the batch.
    """

    I: Any
    state: Any
    held: Any
    lengths: Any
    of_rows: Any
    rows: Any


class BackRoom(NamedTuple):
    """Working memory of the backward, for each share of the batch; `D` is like the tape of a part."""

    I: Any
    d_inputs: Any
    held: Any
    d: Any
    D: Any
    d_held: Any
    lengths: Any
    d_h: Any  # the gradients of the length of all parts, and of the present one
    of_rows: Any
    rows: Any
    tiles: Any
    neurons: Any  # the sums of the gradients of the neurons' numbers


class Sums(NamedTuple):
    """Gradients of the tables, for each share of the batch; those of neurons have shape (4, units)."""

    neurons: Any
    synapses: Any
    sensory: Any
    maps: Any


@inner
def _enter_step(kind, of_rows, lengths, shape):
    """Write lengths and counts of parts to all neurons."""
    zero = _nothing(shape[0])
    for k in range(2):
        _spread(kind, of_rows[k], grid(lengths[k], zero, *shape))


@inner
def _enter_part(p, lengths):
    """Write the length of part p."""
    h, counts, now, number, zero = lengths[0], lengths[1], lengths[2], lengths.dtype.type(p), lengths.dtype.type(0)
    for r in range(now.shape[0]):
        now[r] = h[r] if number < counts[r] else zero


@inner
def _leave_part(p, lengths, d_h):
    """Add the gradient of the length of part p, of rows that have it; of the next one it is 0."""
    counts, whole, of_part, number, zero = lengths[1], d_h[0], d_h[1], lengths.dtype.type(p), lengths.dtype.type(0)
    for r in range(whole.shape[0]):
        whole[r] += of_part[r] if number < counts[r] else zero
    for r in range(whole.shape[0]):
        of_part[r] = zero


@inner
def _note(kind, units, width, capacities, h, G, worst):
    """Write h and the rate G/C of the neuron with the largest product, where it exceeds that of the parts before."""
    for i in range(h.shape[0]):
        if kind == BY_SYNAPSE or i % width < units:
            rate = G[i] / capacities[i]
            if h[i] * rate > worst[0] * worst[1]:
                worst[0], worst[1] = h[i], rate


@kernel(registry=KERNELS)
def _forward(tables, how, steps, h, tape, room, memory, worst, first, last):
    """Run blocks of rows from `first` to `last`: h[t + 1] from h[t], shape (time + 1, batch, units).

    A mixed `memory` without weights is none. `worst`, shape (blocks, time, 2), takes the length and the rate of the
    part with the largest product of both; without columns nobody asks.
    """
    solver, stages, _ = how
    kind, neurons, (B, T), units, rows = tables.kind, tables.neurons, steps.h.shape, h.shape[2], room.of_rows.shape[2]
    zero, shape = _nothing(rows), _shape(kind, neurons.shape[1], rows)
    for block in range(first, last):
        I, state, held, lengths = room.I[block], room.state[block], room.held[block], room.lengths[block]
        matrix, of_rows, row, free = grid(state, zero, *shape), room.of_rows[block], block * rows, room.rows[block]
        real = min(rows, B - row)
        _read_states(kind, h[0], row, real, matrix)
        for t in range(T):
            parts = _load(kind, steps, tables.maps, t, row, I, of_rows)
            if memory.W.shape[0] > 0:
                _mix_memory(kind, memory, parts, of_rows[1], h[t], t, row, real, matrix)
            if parts > 0:
                _enter_step(kind, of_rows, lengths, shape)
                _hold(tables, I, held, rows)
            for p in range(parts):
                own = tape.parts[tape.places[block, t] + (p if tape.all else 0)]
                _enter_part(p, lengths)
                _copy(state, own[0])
                for k in range(stages):
                    _look(tables, held, own, k, rows)
                    if k == 0 and worst.shape[1] > 0:
                        _note(kind, units, shape[1], neurons[C], lengths[2], own[1], worst[block, t])
                    _stage(solver, k, neurons, lengths[2], own, state if k == stages - 1 else own[3 * k + 3], free)
            _write_states(kind, matrix, row, real, h[t + 1])


@inner
def _d_part(tables, solver, stages, kept, room, sums):
    """Take the gradients of the states after a part to those before it."""
    D, rows = room.D, room.of_rows.shape[1]
    _clear(D)
    for k in range(stages - 1, -1, -1):
        d_out = room.d if k == stages - 1 else D[3 * k + 3]
        d_C, d_h = room.neurons[D_C], room.d_h[1]
        _d_stage(solver, k, tables.neurons, room.lengths[2], kept, d_out, D, d_C, d_h, room.rows)
        _d_look(tables, kept, k, room, sums, rows)
    _copy(D[0], room.d)


@inner
def _d_step(tables, how, steps, tape, block, t, room, d_inputs, sums):
    """Take the gradients of the states after a step to those before it, and to its inputs and length."""
    solver, stages, _ = how
    kind, rows, zero = tables.kind, room.of_rows.shape[1], _nothing(block)
    row, shape, d_h = block * rows, _shape(kind, room.d.shape[0], rows), room.rows[0]
    _clear(room.d_h)
    _clear(room.d_held)
    _clear(room.d_inputs)
    parts = _load(kind, steps, tables.maps, t, row, room.I, room.of_rows)
    if parts > 0:
        _enter_step(kind, room.of_rows, room.lengths, shape)
        if kind == BY_MAP:  # whose backward reads it
            _hold(tables, room.I, room.held, rows)
    for p in range(parts - 1, -1, -1):
        _enter_part(p, room.lengths)
        _d_part(tables, solver, stages, tape.parts[tape.places[block, t] + p], room, sums)
        _leave_part(p, room.lengths, room.d_h)
    if parts > 0:
        _d_hold(tables, room, sums, rows)
    _d_spread(kind, grid(room.d_h[0], zero, *shape), d_h[:rows])
    _unload(kind, steps, tables.maps, t, row, room.of_rows, d_h[:rows], room.d_inputs, d_inputs, sums.maps)


@kernel(registry=KERNELS)
def _backward(tables, how, steps, tape, d_read, d_state, d_inputs, room, sums, memory, first, last):
    """Go back through the shares of a batch from `first` to `last`; d_state becomes that of the first state.

    `d_read`, shape (steps, batch, units), are the gradients of the last states by what was read of them;
    `d_inputs` takes those of x and dt. Shares depend on the batch and not on the threads.
    """
    kind, shares, blocks, (B, T) = tables.kind, sums.neurons.shape[0], tape.places.shape[0], steps.h.shape
    rows = room.of_rows.shape[2]
    zero, shape = _nothing(rows), _shape(kind, tables.neurons.shape[1], rows)
    for share in range(first, last):
        own = BackRoom(
            room.I[share], room.d_inputs[share], room.held[share], room.d[share], room.D[share], room.d_held[share],
            room.lengths[share], room.d_h[share], room.of_rows[share], room.rows[share], room.tiles[share],
            room.neurons[share],
        )  # fmt: skip
        all_sums = Sums(sums.neurons[share], sums.synapses[share], sums.sensory[share], sums.maps[share])
        d = grid(own.d, zero, *shape)
        _clear(own.neurons)
        _clear(all_sums.maps)
        _clear(all_sums.synapses[None, :])
        _clear(all_sums.sensory[None, :])
        for block in range(blocks * share // shares, blocks * (share + 1) // shares):
            row = block * rows
            real = min(rows, B - row)
            _read_states(kind, d_state, row, real, d)
            for t in range(T - 1, -1, -1):
                at = t - T + d_read.shape[0]
                if at >= 0:
                    _add_states(kind, d_read[at], row, real, d)
                _d_step(tables, how, steps, tape, block, t, own, d_inputs, all_sums)
                if memory.W.shape[0] > 0:
                    _d_mix_memory(kind, memory, share, own.of_rows[1], t, row, d, d_inputs[0])
            _write_states(kind, d, row, real, d_state)
        for k in range(all_sums.neurons.shape[0]):
            _sum_rows(kind, grid(own.neurons[k], zero, *shape), all_sums.neurons[k])
