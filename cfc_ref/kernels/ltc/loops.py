r"""Loops over the time steps of a batch of an LTC network, forward and backward.

They know all solvers of :data:`cfc_ref.kernels.ltc.solvers.KERNELS` and both cells
(:mod:`cfc_ref.kernels.ltc.cells`). Forward, the sums G and Q of every stage go to the tape, so that each release is
computed once forward and once backward.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

from cfc_ref.kernels.compiled import dispatch, inner, kernel
from cfc_ref.kernels.elementwise import _copy
from cfc_ref.kernels.ltc.cells import _d_hold, _d_look, _hold, _look
from cfc_ref.kernels.ltc.mixed import _d_mix_memory, _mix_memory
from cfc_ref.kernels.ltc.packed import D_C, C, How
from cfc_ref.kernels.ltc.solvers import KERNELS
from cfc_ref.kernels.ltc.sums import _sum
from cfc_ref.kernels.products import _clear, _clear_all

__all__ = ["COMPILED", "BackRoom", "Room", "StageTape", "Steps", "Sums", "how"]

COMPILED = tuple(KERNELS)  # the solvers that the kernels know; the place of each is its number
_stage = dispatch([solver.stage for solver in KERNELS.values()], forceinline=True)
_d_stage = dispatch([solver.d_stage for solver in KERNELS.values()])


@cache
def how(solver: str) -> How:
    """Return the numbers of a solver."""
    kernel = KERNELS[solver]
    return How(COMPILED.index(solver), kernel.stages, kernel.boxed)


class Steps(NamedTuple):
    """All time steps, first axes (batch, time).

    Attributes
    ----------
    x : ndarray
        Inputs.
    h : ndarray
        The length of a part.
    counts : ndarray of int64
        The number of parts: 0 at a masked step.
    """

    x: Any
    h: Any
    counts: Any


class StageTape(NamedTuple):
    """States and sums of all parts, (parts, units, 3 · stages, rows), and the place of each block's first, by step.

    Where nothing is kept each block has one place, which its parts share.
    """

    parts: Any
    places: Any  # (blocks, time)
    all: bool  # whether each part has a place of its own


class Room(NamedTuple):
    """Working memory of the forward, for each block of rows: inputs, states, held sums, lengths, and rows to use.

    The rows of `lengths` are: the length of a part, the number of parts, and the length of the present part, which is
    0 where a row has had all of its own.
    """

    I: Any
    states: Any
    held: Any
    lengths: Any
    rows: Any


class BackRoom(NamedTuple):
    """Working memory of the backward, for each part of the batch; `D` is like the tape of a part."""

    I: Any
    held: Any
    d_inputs: Any
    d: Any
    D: Any
    d_held: Any
    d_c: Any
    lengths: Any
    d_h: Any  # the gradients of the length of all parts, and of the present one
    rows: Any


class Sums(NamedTuple):
    """Gradients of the tables, for each part of the batch."""

    neurons: Any
    synapses: Any
    sensory: Any
    maps: Any


@inner
def _load(steps, maps, t, first, I, lengths):
    """Write step t's inputs after their map, and lengths; a masked step has input 0 and no parts.

    Returns the largest number of parts.
    """
    zero, most = lengths.dtype.type(0), 0
    for r in range(lengths.shape[1]):
        row = first + r
        count = steps.counts[row, t] if row < steps.x.shape[0] else 0
        most = max(most, count)
        lengths[0, r] = steps.h[row, t] if count > 0 else zero
        lengths[1, r] = count
        for f in range(maps.shape[0]):
            I[f, 0, r] = maps[f, 0] * (steps.x[row, t, f] if count > 0 else zero) + maps[f, 1]
    return most


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
def _unload(steps, maps, t, first, room, d_inputs, D_maps):
    """Backward of ``_load``."""
    x, (d_x, d_dt), d_I, d_h = steps.x, d_inputs, room.d_inputs, room.d_h[0]
    for r in range(min(d_h.shape[0], x.shape[0] - first)):
        row = first + r
        real = steps.counts[row, t] > 0
        d_dt[row, t] = d_h[r] / room.lengths[1, r] if real else d_h.dtype.type(0)
        for f in range(D_maps.shape[0]):
            d_x[row, t, f] = maps[f, 0] * d_I[f, 0, r]
            if real:
                D_maps[f, 0] += x[row, t, f] * d_I[f, 0, r]
                D_maps[f, 1] += d_I[f, 0, r]


@inner
def _note(neurons, h, kept, rates, worst):
    """Write h and the rate of the row with the largest h G/C, if it is larger than that of the parts before."""
    for r in range(rates.shape[0]):
        rates[r] = kept[0, 1, r] / neurons[0, C]
    for i in range(1, neurons.shape[0]):
        G, c = kept[i, 1], neurons[i, C]
        for r in range(rates.shape[0]):
            rates[r] = max(rates[r], G[r] / c)
    for r in range(rates.shape[0]):
        if h[r] * rates[r] > worst[0] * worst[1]:
            worst[0], worst[1] = h[r], rates[r]


@kernel(registry=KERNELS)
def _forward(packed, how, steps, h, tape, room, memory, worst, first, last):
    """Run blocks of rows from `first` to `last`: h[t + 1] from h[t], shape (time + 1, batch, units).

    A mixed `memory` without weights is none. `worst`, shape (blocks, time, 2), takes the length and the rate of the
    part with the largest product of both; without columns nobody asks.
    """
    solver, stages, _ = how
    (B, T), U, neurons = steps.h.shape, h.shape[2], packed.neurons
    for block in range(first, last):
        I, state, held, lengths = room.I[block], room.states[block], room.held[block], room.lengths[block]
        row = block * state.shape[1]
        rows = min(state.shape[1], B - row)
        _clear(state)
        for r in range(rows):
            for i in range(U):
                state[i, r] = h[0, row + r, i]
        for t in range(T):
            parts = _load(steps, packed.maps, t, row, I, lengths)
            if memory.W.shape[0] > 0:
                _mix_memory(memory, parts, lengths[1], h[t], t, row, rows, state)
            if parts > 0:
                _hold(packed, I, held)
                for p in range(parts):
                    own = tape.parts[tape.places[block, t] + (p if tape.all else 0)]
                    _enter_part(p, lengths)
                    for i in range(U):
                        _copy(state[i], own[i, 0])
                    for k in range(stages):
                        _look(packed, held, own, k)
                        if k == 0 and worst.shape[1] > 0:
                            _note(neurons, lengths[2], own, room.rows[block, 0], worst[block, t])
                        for i in range(U):
                            out = state[i] if k == stages - 1 else own[i, 3 * k + 3]
                            _stage(solver, k, neurons[i], lengths[2], own[i], out, room.rows[block])
            for r in range(rows):
                for i in range(U):
                    h[t + 1, row + r, i] = state[i, r]


@inner
def _enter_block(room, d_state, row):
    """Load the gradients of the last states of a block's rows."""
    _clear(room.d)
    _clear(room.d_c)
    for r in range(min(room.d.shape[1], d_state.shape[0] - row)):
        for i in range(d_state.shape[1]):
            room.d[i, r] = d_state[row + r, i]


@inner
def _enter_step(steps, maps, d_read, t, row, room):
    """Add the gradients of step t's states, and load the step, as forward."""
    at = t - steps.h.shape[1] + d_read.shape[0]
    if at >= 0:
        for r in range(min(room.d.shape[1], d_read.shape[1] - row)):
            for i in range(d_read.shape[2]):
                room.d[i, r] += d_read[at, row + r, i]
    _clear(room.d_h)
    _clear_all(room.d_held)
    _clear_all(room.d_inputs)
    return _load(steps, maps, t, row, room.I, room.lengths)


@inner
def _leave_block(room, d_state, row, D):
    """Write the gradients of the first states of a block's rows, and add those of the capacities."""
    for i in range(d_state.shape[1]):
        D.neurons[i, D_C] += _sum(room.d_c[i])
        for r in range(min(room.d.shape[1], d_state.shape[0] - row)):
            d_state[row + r, i] = room.d[i, r]


@inner
def _d_part(packed, solver, stages, kept, room, sums):
    """Take the gradients of the states after a part to those before it."""
    neurons, D, length = packed.neurons, room.D, room.lengths[2]
    _clear_all(D)
    for k in range(stages - 1, -1, -1):
        for i in range(neurons.shape[0]):
            d_out = room.d[i] if k == stages - 1 else D[i, 3 * k + 3]
            _d_stage(solver, k, neurons[i], length, kept[i], d_out, D[i], room.d_c[i], room.d_h[1], room.rows)
        _d_look(packed, room.held, kept, D, k, room.d_held, sums, room.rows[0])
    for i in range(neurons.shape[0]):
        _copy(D[i, 0], room.d[i])


@kernel(registry=KERNELS)
def _backward(packed, how, steps, tape, d_read, d_state, d_inputs, room, sums, memory, first, last):
    """Go back through the shares of a batch from `first` to `last`; d_state becomes that of the first state.

    `d_read`, shape (steps, batch, units), are the gradients of the last states by what was read of them;
    `d_inputs` takes those of x and dt. Shares depend on the batch and not on the threads.
    """
    solver, stages, _ = how
    shares, blocks = sums.neurons.shape[0], tape.places.shape[0]
    for share in range(first, last):
        own = BackRoom(
            room.I[share], room.held[share], room.d_inputs[share], room.d[share], room.D[share], room.d_held[share],
            room.d_c[share], room.lengths[share], room.d_h[share], room.rows[share],
        )  # fmt: skip
        all_sums = Sums(sums.neurons[share], sums.synapses[share], sums.sensory[share], sums.maps[share])
        for gradients in (all_sums.neurons, all_sums.synapses, all_sums.sensory, all_sums.maps):
            _clear(gradients)
        for block in range(blocks * share // shares, blocks * (share + 1) // shares):
            row = block * own.d.shape[1]
            _enter_block(own, d_state, row)
            for t in range(steps.h.shape[1] - 1, -1, -1):
                parts = _enter_step(steps, packed.maps, d_read, t, row, own)
                if parts > 0 and packed.neural:  # whose backward reads it
                    _hold(packed, own.I, own.held)
                for p in range(parts - 1, -1, -1):
                    _enter_part(p, own.lengths)
                    _d_part(packed, solver, stages, tape.parts[tape.places[block, t] + p], own, all_sums)
                    _leave_part(p, own.lengths, own.d_h)
                if parts > 0:
                    _d_hold(packed, own.I, own.d_held, own.d_inputs, all_sums)
                _unload(steps, packed.maps, t, row, own, d_inputs, all_sums.maps)
                if memory.W.shape[0] > 0:
                    _d_mix_memory(memory, share, own.lengths[1], t, row, own.d, d_inputs[0])
            _leave_block(own, d_state, row, all_sums)
