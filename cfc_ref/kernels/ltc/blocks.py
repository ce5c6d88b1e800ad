"""Blocks of a batch: time steps and states of some rows, written as :mod:`cfc_ref.kernels.ltc.looks` lays them out.

Rows of a block beyond the batch have input 0, state 0 and steps of no length.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from cfc_ref.kernels.compiled import inner
from cfc_ref.kernels.elementwise import _add, _copy
from cfc_ref.kernels.ltc.looks import BY_SYNAPSE
from cfc_ref.kernels.ltc.sums import _sum
from cfc_ref.kernels.products import _clear

__all__ = ["Steps"]


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


@inner
def _load(kind, steps, maps, t, first, I, of_rows):
    """Write step t's inputs after their map, and lengths and counts of parts; return the largest count.

    A masked step has input 0 and no parts.
    """
    zero, most = of_rows.dtype.type(0), 0
    for r in range(of_rows.shape[1]):
        row = first + r
        count = steps.counts[row, t] if row < steps.x.shape[0] else 0
        most = max(most, count)
        of_rows[0, r] = steps.h[row, t] if count > 0 else zero
        of_rows[1, r] = count
        for f in range(maps.shape[0]):
            value = maps[f, 0] * (steps.x[row, t, f] if count > 0 else zero) + maps[f, 1]
            if kind == BY_SYNAPSE:
                I[f, r] = value
            else:
                I[r, f] = value
    return most


@inner
def _unload(kind, steps, maps, t, first, of_rows, d_h, d_I, d_inputs, D_maps):
    """Backward of ``_load``, from the gradients of lengths, `d_h`, a number per row, and of inputs."""
    x, (d_x, d_dt) = steps.x, d_inputs
    for r in range(min(d_h.shape[0], x.shape[0] - first)):
        row = first + r
        real = steps.counts[row, t] > 0
        d_dt[row, t] = d_h[r] / of_rows[1, r] if real else d_h.dtype.type(0)
        for f in range(D_maps.shape[0]):
            d = d_I[f, r] if kind == BY_SYNAPSE else d_I[r, f]
            d_x[row, t, f] = maps[f, 0] * d
            if real:
                D_maps[f, 0] += x[row, t, f] * d
                D_maps[f, 1] += d


@inner
def _spread(kind, of_rows, block):
    """Write the number of each row to all of its neurons."""
    for i in range(block.shape[0]):
        if kind == BY_SYNAPSE:
            _copy(of_rows, block[i])
        else:
            for j in range(block.shape[1]):
                block[i, j] = of_rows[i]


@inner
def _d_spread(kind, block, of_rows):
    """Write the sum over the neurons of each row."""
    if kind == BY_SYNAPSE:
        _copy(block[0], of_rows)
        for i in range(1, block.shape[0]):
            _add(block[i], of_rows)
    else:
        for r in range(block.shape[0]):
            of_rows[r] = _sum(block[r])


@inner
def _sum_rows(kind, block, of_neurons):
    """Write the sum over the rows of each neuron."""
    for i in range(of_neurons.shape[0]):
        if kind == BY_SYNAPSE:
            of_neurons[i] = _sum(block[i])
        else:
            total = of_neurons.dtype.type(0)
            for r in range(block.shape[0]):
                total += block[r, i]
            of_neurons[i] = total


@inner
def _read_row(kind, block, r, states):
    """Write row r of a block to `states`."""
    for i in range(states.shape[0]):
        states[i] = block[i, r] if kind == BY_SYNAPSE else block[r, i]


@inner
def _write_row(kind, states, r, block):
    """Write states to row r of a block."""
    for i in range(states.shape[0]):
        if kind == BY_SYNAPSE:
            block[i, r] = states[i]
        else:
            block[r, i] = states[i]


@inner
def _read_states(kind, states, first, rows, block):
    """Write states, shape (batch, units), to the rows of a block; rows beyond the batch get 0."""
    _clear(block)
    for r in range(rows):
        _write_row(kind, states[first + r], r, block)


@inner
def _add_states(kind, states, first, rows, block):
    """Add states to the rows of a block."""
    for r in range(rows):
        if kind == BY_SYNAPSE:
            for i in range(states.shape[1]):
                block[i, r] += states[first + r, i]
        else:
            _add(states[first + r], block[r, : states.shape[1]])


@inner
def _write_states(kind, block, first, rows, states):
    """Write a block's states to their rows of a batch."""
    for r in range(rows):
        _read_row(kind, block, r, states[first + r])
