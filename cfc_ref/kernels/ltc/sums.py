r"""The sums of a synaptic LTC, G and Q of every neuron, and their backward.

.. math:: s_k = \frac1{1 + 2^{a_k x_j + b_k}}, \qquad a_k = -\sigma_k \log_2 e, \quad b_k = \sigma_k \mu_k \log_2 e

so that a synapse from j to i costs a multiply-add, an exponential and a division. What a part keeps has two layouts:

- A block of a batch, (units, 3 · stages, rows): stage k has its states in column 3 k, G and Q in the next two. The
  inner loops run along the rows, over one synapse or one neuron at a time. A block has :data:`ROWS` rows, a
  quarter or twice of them; rows beyond the batch have input 0, state 0 and steps of no length.
- A stream, (3 · stages, units), up to whole cache lines. The inner loops run along neurons: the synapses from one
  neuron to :data:`LINE` neighbours are a tile, whose numbers lie together, zeros where there is no synapse. A wiring's
  layers are neighbours, so that most of a tile is used. Four tiles that end at the same neurons are added at once.

A loop writes to one or two arrays and reads from few, as the compiler asks of each pair whether they overlap.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types
from numba.core import config
from numba.extending import intrinsic, overload
from numba.np.arrayobj import make_array, populate_array

from cfc_ref.kernels.compiled import inner
from cfc_ref.kernels.elementwise import _add, _copy
from cfc_ref.kernels.ltc.packed import (
    CURRENT,
    D_G,
    D_Q,
    GAIN,
    GROUP,
    LEAK,
    POST,
    PRE,
    SHIFT,
    SUM_E,
    SUM_W,
    SUM_Z,
    SUM_ZX,
    W_E,
    W_SIGMA,
    E,
    W,
)
from cfc_ref.kernels.mathfun import _opening_of
from cfc_ref.kernels.memory import LINE

__all__ = ["ROWS", "at", "grid"]

ROWS = 32  # two registers of float32: a loop that sums takes two at a time, and leaves nothing over
_ANY_ORDER = {"contract", "reassoc"}  # sums over rows may be taken in any order: one per lane


def _grid(typing, numbers, start, rows, length):
    """Return some rows of a flat array, from `start`; `reshape` would take a tenth of a stream's step."""
    kind = types.Array(numbers.dtype, 2, "C")

    def build(context, builder, signature, arguments):
        flat = make_array(signature.args[0])(context, builder, arguments[0])
        view, (start, rows, length) = make_array(kind)(context, builder), arguments[1:]
        strides = builder.mul(length, flat.itemsize), flat.itemsize
        populate_array(
            view, builder.gep(flat.data, [start]), (rows, length), strides, flat.itemsize, flat.meminfo, flat.parent
        )
        return view._getvalue()

    return kind(numbers, types.intp, types.intp, types.intp), build


def _unjitted(numbers: Any, start: int, rows: int, length: int) -> Any:
    return numbers[start : start + rows * length].reshape(rows, length)


grid: Any = _unjitted if getattr(config, "DISABLE_JIT", False) else intrinsic(_grid)


def at(values: Any, i: int) -> Any:
    """Return entry i, or the number itself: a capacity is one number for the rows of a block, h one for a stream."""
    return values[i] if isinstance(values, np.ndarray) else values


@overload(at)
def _at(values, i):
    return (lambda values, i: values[i]) if isinstance(values, types.Array) else (lambda values, i: values)


@inner
def _add_synapses(synapses, ends, first, x, sums):
    """Add w s and w E s of every synapse to the sums, for a block of rows.

    x[j, first] is the presynaptic value, sums[i, first + 1] and sums[i, first + 2] are G and Q.
    """
    for k in range(ends.shape[0]):
        gain, shift, w, w_E = synapses[k, GAIN], synapses[k, SHIFT], synapses[k, W], synapses[k, W_E]
        u, g, q = x[ends[k, PRE], first], sums[ends[k, POST], first + 1], sums[ends[k, POST], first + 2]
        for r in range(u.shape[0]):
            s = _opening_of(gain * u[r] + shift)
            g[r] += w * s
            q[r] += w_E * s


@inner
def _add_tiles(tiles, ends, x, G, Q):
    """G += w s and Q += w E s of every synapse, for a stream, one group of tiles at a time."""
    size = 4 * LINE * GROUP
    for k in range(ends.shape[0] // (GROUP + 1)):
        of, tile = ends[(GROUP + 1) * k : (GROUP + 1) * (k + 1)], tiles[size * k : size * (k + 1)]
        u0, u1, u2, u3, post = x[of[0]], x[of[1]], x[of[2]], x[of[3]], of[GROUP]
        g, q = G[post : post + LINE], Q[post : post + LINE]
        for j in range(LINE):
            s0 = _opening_of(tile[j] * u0 + tile[LINE + j])
            s1 = _opening_of(tile[4 * LINE + j] * u1 + tile[5 * LINE + j])
            s2 = _opening_of(tile[8 * LINE + j] * u2 + tile[9 * LINE + j])
            s3 = _opening_of(tile[12 * LINE + j] * u3 + tile[13 * LINE + j])
            g01, q01 = (
                tile[2 * LINE + j] * s0 + tile[6 * LINE + j] * s1,
                tile[3 * LINE + j] * s0 + tile[7 * LINE + j] * s1,
            )
            g23 = tile[10 * LINE + j] * s2 + tile[14 * LINE + j] * s3
            q23 = tile[11 * LINE + j] * s2 + tile[15 * LINE + j] * s3
            g[j] += g01 + g23
            q[j] += q01 + q23


@inner
def _hold_synapses(packed, I, held):
    """Write the sums over the leak and the sensory synapses."""
    for i in range(held.shape[0]):
        g, q = held[i, 1], held[i, 2]
        conductance, current = packed.neurons[i, LEAK], packed.neurons[i, CURRENT]
        for r in range(g.shape[0]):
            g[r] = conductance
        for r in range(g.shape[0]):
            q[r] = current
    _add_synapses(packed.sensory, packed.sensory_ends, 0, I, held)


@inner
def _look_at_synapses(packed, held, kept, k):
    """Write the sums at the states of stage k, held ones included."""
    for i in range(kept.shape[0]):
        _copy(held[i, 1], kept[i, 3 * k + 1])
        _copy(held[i, 2], kept[i, 3 * k + 2])
    _add_synapses(packed.synapses, packed.ends, 3 * k, kept, kept)


@inner
def _d_look_at_synapses(packed, kept, D, k, d_held, sums):
    """Backward of ``_look_at_synapses``, from the gradients of the sums to those of states, held sums and synapses."""
    for i in range(D.shape[0]):
        _add(D[i, 3 * k + 1], d_held[i, 1])
        _add(D[i, 3 * k + 2], d_held[i, 2])
    _d_synapses(packed.synapses, packed.ends, 3 * k, kept, D, D, sums.synapses)


@inner
def _d_hold_synapses(packed, I, d_held, d_I, sums):
    """Take the gradients of the held sums to the inputs, the sensory synapses and the leak."""
    _d_synapses(packed.sensory, packed.sensory_ends, 0, I, d_held, d_I, sums.sensory)
    for i in range(d_held.shape[0]):
        sums.neurons[i, D_G] += _sum(d_held[i, 1])
        sums.neurons[i, D_Q] += _sum(d_held[i, 2])


@inner
def _hold_tiles(tiles, ends, neurons, I, held):
    """Write the sums over the leak and the sensory synapses, for a stream."""
    _copy(neurons[LEAK], held[0])
    _copy(neurons[CURRENT], held[1])
    _add_tiles(tiles, ends, I[0], held[0], held[1])


@inner(forceinline=True)
def _look_at_tiles(tiles, ends, held, kept, k):
    """Write the sums at the states of stage k, held ones included, for a stream."""
    x, G, Q = kept[3 * k], kept[3 * k + 1], kept[3 * k + 2]
    _copy(held[0], G)
    _copy(held[1], Q)
    _add_tiles(tiles, ends, x, G, Q)


@inner(fastmath=_ANY_ORDER)
def _d_synapses(synapses, ends, first, x, d_sums, d_x, D):
    r"""Backward of ``_add_synapses``: adds to d_x and to the synapses' sums.

    .. math:: a = \bar G + E \bar Q, \quad \bar z = a\,s(1 - s), \quad \bar x_j \mathrel{+}= w \sigma \bar z, \qquad
              \sum a s,\; \sum \bar Q s,\; \sum \bar z,\; \sum \bar z x_j
    """
    for k in range(ends.shape[0]):
        gain, shift, erev, w_sigma = synapses[k, GAIN], synapses[k, SHIFT], synapses[k, E], synapses[k, W_SIGMA]
        u, d = x[ends[k, PRE], first], d_x[ends[k, PRE], first]
        g, q = d_sums[ends[k, POST], first + 1], d_sums[ends[k, POST], first + 2]
        sum_w = sum_E = sum_z = sum_zx = x.dtype.type(0)
        for r in range(u.shape[0]):
            s = _opening_of(gain * u[r] + shift)
            a_s = (g[r] + erev * q[r]) * s
            z = a_s - a_s * s
            sum_w += a_s
            sum_E += q[r] * s
            sum_z += z
            sum_zx += z * u[r]
            d[r] += w_sigma * z
        D[k, SUM_W] += sum_w
        D[k, SUM_E] += sum_E
        D[k, SUM_Z] += sum_z
        D[k, SUM_ZX] += sum_zx


@inner(fastmath=_ANY_ORDER)
def _sum(values):
    total = values.dtype.type(0)
    for r in range(values.shape[0]):
        total += values[r]
    return total
