r"""Loops over the time steps of a batch of a synaptic LTC network, forward and backward.

They know all solvers of :data:`cfc_ref.kernels.ltc.solvers.KERNELS`. Forward, the sums G and Q of
every stage go to the tape, so that each synapse's release is computed once forward and once backward.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from cfc_ref.cells.ltc.network import LTCSettings
from cfc_ref.kernels.compiled import dispatch, inner, kernel
from cfc_ref.kernels.elementwise import _copy
from cfc_ref.kernels.ltc.packed import (
    CURRENT,
    D_C,
    D_G,
    D_Q,
    LEAK,
)
from cfc_ref.kernels.ltc.solvers import KERNELS
from cfc_ref.kernels.ltc.sums import (
    _add_synapses,
    _d_look,
    _d_synapses,
    _look,
    _sum,
)
from cfc_ref.kernels.products import _clear

__all__ = ["COMPILED", "BackRoom", "How", "Room", "Steps", "Sums", "how"]

COMPILED = tuple(KERNELS)  # the solvers that the kernels know; the place of each is its number
_stage = dispatch([solver.stage for solver in KERNELS.values()], forceinline=True)
_d_stage = dispatch([solver.d_stage for solver in KERNELS.values()])


class How(NamedTuple):
    """A solver's number, the stages of a part, and the parts of a time step."""

    solver: int
    stages: int
    parts: int


def how(settings: LTCSettings) -> How:
    """Return the numbers of a solver."""
    return How(COMPILED.index(settings.solver), KERNELS[settings.solver].stages, settings.parts)


class Steps(NamedTuple):
    """Inputs of all time steps, shapes (batch, time, …); `mask` has no rows where every step is real."""

    x: Any
    dt: Any
    mask: Any


class Room(NamedTuple):
    """Working memory of the forward, for each block of rows: inputs, states, held sums, lengths of a part."""

    I: Any
    states: Any
    held: Any
    h: Any


class BackRoom(NamedTuple):
    """Working memory of the backward, for each part of the batch; `D` is like `kept` of a part."""

    I: Any
    d_inputs: Any
    d: Any
    D: Any
    d_held: Any
    d_c: Any
    h: Any
    d_h: Any
    rows: Any


class Sums(NamedTuple):
    """Gradients of the tables, for each part of the batch."""

    neurons: Any
    synapses: Any
    sensory: Any
    maps: Any


@inner
def _load(steps, maps, parts, t, first, I, h):
    """Write step t's inputs after their map, and the length of a part; a masked step has input 0 and no length.

    Returns whether any row has a step.
    """
    x, dt, mask = steps
    zero, some = h.dtype.type(0), False
    for r in range(h.shape[0]):
        row = first + r
        real = row < x.shape[0] and (mask.shape[0] == 0 or mask[row, t])
        some |= real
        h[r] = dt[row, t] / h.dtype.type(parts) if real else zero
        for f in range(maps.shape[0]):
            I[f, 0, r] = maps[f, 0] * (x[row, t, f] if real else zero) + maps[f, 1]
    return some


@inner
def _unload(steps, maps, parts, t, first, room, d_inputs, D_maps):
    """Backward of ``_load``."""
    (x, mask), (d_x, d_dt), d_I, d_h = (steps.x, steps.mask), d_inputs, room.d_inputs, room.d_h[0]
    for r in range(min(d_h.shape[0], x.shape[0] - first)):
        row = first + r
        real = mask.shape[0] == 0 or mask[row, t]
        d_dt[row, t] = d_h[r] / d_h.dtype.type(parts) if real else d_h.dtype.type(0)
        for f in range(D_maps.shape[0]):
            d_x[row, t, f] = maps[f, 0] * d_I[f, 0, r]
            if real:
                D_maps[f, 0] += x[row, t, f] * d_I[f, 0, r]
                D_maps[f, 1] += d_I[f, 0, r]


@inner
def _leak(neurons, held):
    """Write the conductance and the current of the leak."""
    for i in range(neurons.shape[0]):
        g, q = held[i, 1], held[i, 2]
        conductance, current = neurons[i, LEAK], neurons[i, CURRENT]
        for r in range(g.shape[0]):
            g[r] = conductance
        for r in range(g.shape[0]):
            q[r] = current


@kernel(registry=KERNELS)
def _forward(packed, how, steps, start, h, kept, room, first, last):
    """Run blocks of rows from `first` to `last`; h[t] is the state after step t, shape (time, batch, units).

    `kept`, shape (blocks, time, parts, units, 3 · stages, rows), takes states and sums for the backward; with one
    time step and part in it, it is room to work in.
    """
    solver, stages, parts = how
    (B, T), U, neurons = steps.dt.shape, start.shape[1], packed.neurons
    for block in range(first, last):
        I, state, held, length = room.I[block], room.states[block], room.held[block], room.h[block]
        row = block * state.shape[1]
        rows = min(state.shape[1], B - row)
        _clear(state)
        for r in range(rows):
            for i in range(U):
                state[i, r] = start[row + r, i]
        for t in range(T):
            if _load(steps, packed.maps, parts, t, row, I, length):
                _leak(neurons, held)
                _add_synapses(packed.sensory, packed.sensory_ends, 0, I, held)
                for p in range(parts):
                    own = kept[block, min(t, kept.shape[1] - 1), min(p, kept.shape[2] - 1)]
                    for i in range(U):
                        _copy(state[i], own[i, 0])
                    for k in range(stages):
                        _look(packed.synapses, packed.ends, held, own, k)
                        for i in range(U):
                            out = state[i] if k == stages - 1 else own[i, 3 * k + 3]
                            _stage(solver, k, neurons[i], length, own[i], out)
            for r in range(rows):
                for i in range(U):
                    h[t, row + r, i] = state[i, r]


@inner
def _enter_block(room, d_state, row):
    """Load the gradients of the last states of a block's rows."""
    _clear(room.d)
    _clear(room.d_c)
    for r in range(min(room.d.shape[1], d_state.shape[0] - row)):
        for i in range(d_state.shape[1]):
            room.d[i, r] = d_state[row + r, i]


@inner
def _enter_step(steps, maps, parts, d_read, t, row, room):
    """Add the gradients of step t's states, and load the step, as forward."""
    at = t - steps.dt.shape[1] + d_read.shape[0]
    if at >= 0:
        for r in range(min(room.d.shape[1], d_read.shape[1] - row)):
            for i in range(d_read.shape[2]):
                room.d[i, r] += d_read[at, row + r, i]
    _clear(room.d_h)
    _clear_all(room.d_held)
    _clear_all(room.d_inputs)
    return _load(steps, maps, parts, t, row, room.I, room.h)


@inner
def _d_held(packed, room, D):
    """Take the gradients of the held sums to the inputs, the sensory synapses and the leak."""
    d_held = room.d_held
    _d_synapses(packed.sensory, packed.sensory_ends, 0, room.I, d_held, room.d_inputs, D.sensory)
    for i in range(d_held.shape[0]):
        D.neurons[i, D_G] += _sum(d_held[i, 1])
        D.neurons[i, D_Q] += _sum(d_held[i, 2])


@inner
def _leave_block(room, d_state, row, D):
    """Write the gradients of the first states of a block's rows, and add those of the capacities."""
    for i in range(d_state.shape[1]):
        D.neurons[i, D_C] += _sum(room.d_c[i])
        for r in range(min(room.d.shape[1], d_state.shape[0] - row)):
            d_state[row + r, i] = room.d[i, r]


@kernel(registry=KERNELS)
def _backward(packed, how, steps, kept, d_read, d_state, d_inputs, room, sums, first, last):
    """Go back through the shares of a batch from `first` to `last`; d_state becomes that of the first state.

    `d_read`, shape (steps, batch, units), are the gradients of the last states by what was read of them;
    `d_inputs` takes those of x and dt. Shares depend on the batch and not on the threads.
    """
    solver, stages, parts = how
    neurons, shares, blocks = packed.neurons, sums.neurons.shape[0], kept.shape[0]
    for share in range(first, last):
        own = BackRoom(
            room.I[share], room.d_inputs[share], room.d[share], room.D[share], room.d_held[share], room.d_c[share],
            room.h[share], room.d_h[share], room.rows[share],
        )  # fmt: skip
        all_sums = Sums(sums.neurons[share], sums.synapses[share], sums.sensory[share], sums.maps[share])
        for gradients in (all_sums.neurons, all_sums.synapses, all_sums.sensory, all_sums.maps):
            _clear(gradients)
        for block in range(blocks * share // shares, blocks * (share + 1) // shares):
            row = block * own.d.shape[1]
            _enter_block(own, d_state, row)
            for t in range(steps.dt.shape[1] - 1, -1, -1):
                if _enter_step(steps, packed.maps, parts, d_read, t, row, own):
                    for p in range(parts - 1, -1, -1):
                        _clear_all(own.D)
                        tape = kept[block, t, p]
                        for k in range(stages - 1, -1, -1):
                            for i in range(neurons.shape[0]):
                                d_out = own.d[i] if k == stages - 1 else own.D[i, 3 * k + 3]
                                _d_stage(
                                    solver, k, neurons[i], own.h, tape[i], d_out, own.D[i], own.d_c[i], own.d_h[0],
                                    own.rows,
                                )  # fmt: skip
                            _d_look(
                                packed.synapses, packed.ends, tape, own.D, k, own.d_held, all_sums.synapses
                            )  # fmt: skip
                        for i in range(neurons.shape[0]):
                            _copy(own.D[i, 0], own.d[i])
                    _d_held(packed, own, all_sums)
                _unload(steps, packed.maps, parts, t, row, own, d_inputs, all_sums.maps)
            _leave_block(own, d_state, row, all_sums)


@inner
def _clear_all(D):
    for k in range(D.shape[0]):
        _clear(D[k])
