r"""The sums of a synaptic LTC, G and Q of every neuron, and their backward.

.. math:: s_k = \frac1{1 + 2^{a_k x_j + b_k}}, \qquad a_k = -\sigma_k \log_2 e, \quad b_k = \sigma_k \mu_k \log_2 e

so that a synapse from j to i costs a multiply-add, an exponential and a division. Rows of states have two layouts:

- Where few neurons are connected, (units, rows): the inner loops run along the rows, over one synapse at a time. A
  block has :data:`ROWS` rows, a quarter or twice of them.
- Otherwise, and in a stream, which has one row, (rows, units), up to whole cache lines. The inner loops run along
  neurons: the synapses from one neuron to :data:`LINE` neighbours are a tile, whose numbers lie together, zeros where
  there is no synapse. Four tiles that end at the same neurons are a group.

A loop writes to one or two arrays and reads from few, as the compiler asks of each pair whether they overlap.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types
from numba.core import config
from numba.extending import intrinsic, overload
from numba.np.arrayobj import make_array, populate_array
from numpy.lib.stride_tricks import as_strided

from cfc_ref.kernels.compiled import inner
from cfc_ref.kernels.elementwise import _copy
from cfc_ref.kernels.ltc.packed import (
    GAIN,
    GROUP,
    POST,
    PRE,
    SHIFT,
    SUM_E,
    SUM_W,
    SUM_Z,
    SUM_ZX,
    SUMS,
    W_E,
    W_SIGMA,
    E,
    W,
)
from cfc_ref.kernels.mathfun import _opening_of
from cfc_ref.kernels.memory import LINE
from cfc_ref.kernels.products import _clear, _nothing

__all__ = ["ROWS", "at", "grid"]

ROWS = 32  # two registers of float32: a loop that sums takes two at a time, and leaves nothing over
_ANY_ORDER = {"contract", "reassoc"}  # sums over rows may be taken in any order: one per lane


def _grid(typing, numbers, start, rows, length):
    """Return rows that begin at `start` of a flat array, one directly after the other; nothing checks where they end.

    ``reshape`` would take a tenth of a stream's step.
    """
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
    return as_strided(numbers[start:], (rows, length), (length * numbers.itemsize, numbers.itemsize))


grid: Any = _unjitted if getattr(config, "DISABLE_JIT", False) else intrinsic(_grid)


def at(values: Any, i: int) -> Any:
    """Return entry i, or the number itself: the length of a part is one number in a stream."""
    return values[i] if isinstance(values, np.ndarray) else values


@overload(at)
def _at(values, i):
    return (lambda values, i: values[i]) if isinstance(values, types.Array) else (lambda values, i: values)


@inner
def _add_synapses(synapses, ends, x, G, Q):
    """G += w s and Q += w E s of every synapse, along the rows."""
    for k in range(ends.shape[0]):
        gain, shift, w, w_E = synapses[k, GAIN], synapses[k, SHIFT], synapses[k, W], synapses[k, W_E]
        u, g, q = x[ends[k, PRE]], G[ends[k, POST]], Q[ends[k, POST]]
        for r in range(u.shape[0]):
            s = _opening_of(gain * u[r] + shift)
            g[r] += w * s
            q[r] += w_E * s


@inner(fastmath=_ANY_ORDER)
def _d_synapses(synapses, ends, x, d_G, d_Q, d_x, sums):
    r"""Backward of ``_add_synapses``: adds to d_x and to four sums of each synapse.

    .. math:: a = \bar G + E \bar Q, \quad \bar z = a\,s(1 - s), \quad \bar x_j \mathrel{+}= w \sigma \bar z, \qquad
              \sum a s,\; \sum \bar Q s,\; \sum \bar z,\; \sum \bar z x_j
    """
    for k in range(ends.shape[0]):
        gain, shift, erev, w_sigma = synapses[k, GAIN], synapses[k, SHIFT], synapses[k, E], synapses[k, W_SIGMA]
        u, d, g, q = x[ends[k, PRE]], d_x[ends[k, PRE]], d_G[ends[k, POST]], d_Q[ends[k, POST]]
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
        own = sums[SUMS * k : SUMS * (k + 1)]
        own[SUM_W] += sum_w
        own[SUM_E] += sum_E
        own[SUM_Z] += sum_z
        own[SUM_ZX] += sum_zx


@inner(fastmath=_ANY_ORDER)
def _sum(values):
    total = values.dtype.type(0)
    for r in range(values.shape[0]):
        total += values[r]
    return total


# --- tiles


@inner
def _add_tiles(tiles, ends, x, G, Q):
    """G += w s and Q += w E s of every synapse, along the neurons of one row, one group of tiles at a time."""
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
def _d_tiles(tiles, ends, x, d_G, d_Q, d_x, sums, room):
    """Backward of ``_add_tiles``, like ``_d_synapses``, for four rows at once; their number is a multiple of four.

    A synapse's sums lie one line apart. In `room` are for four rows the gradients of a line of G and Q, and those of
    the presynaptic values, one per lane.
    """
    tile, zero = 4 * LINE, _nothing(x.shape[0])
    gq, d = grid(room, zero, zero + 8, zero + LINE), grid(room, zero + 8 * LINE, x.shape[1], zero + tile)
    for r in range(0, x.shape[0], 4):
        _clear(d)
        for group in range(ends.shape[0] // (GROUP + 1)):
            of = ends[(GROUP + 1) * group : (GROUP + 1) * (group + 1)]
            post = of[GROUP]
            if group == 0 or post != ends[(GROUP + 1) * group - 1]:
                for i in range(4):
                    _copy(d_G[r + i, post : post + LINE], gq[i])
                    _copy(d_Q[r + i, post : post + LINE], gq[4 + i])
            for m in range(GROUP):
                k, pre = tile * (GROUP * group + m), of[m]
                u = x[r, pre], x[r + 1, pre], x[r + 2, pre], x[r + 3, pre]
                _d_tile(tiles[k : k + tile], u, room, sums[k : k + tile], d[pre])
        for pre in range(d.shape[0]):
            for i in range(4):
                d_x[r + i, pre] += _sum(d[pre, i * LINE : (i + 1) * LINE])


@inner
def _d_tile(tile, u, gq, sums, d):
    """Backward of one tile for four rows; `gq` has the gradients of G of each row, then those of Q."""
    u0, u1, u2, u3 = u
    for j in range(LINE):
        gain, shift, erev, w_sigma = tile[j], tile[LINE + j], tile[2 * LINE + j], tile[3 * LINE + j]
        s0, s1 = _opening_of(gain * u0 + shift), _opening_of(gain * u1 + shift)
        s2, s3 = _opening_of(gain * u2 + shift), _opening_of(gain * u3 + shift)
        q0, q1, q2, q3 = gq[4 * LINE + j], gq[5 * LINE + j], gq[6 * LINE + j], gq[7 * LINE + j]
        a0, a1 = (gq[j] + erev * q0) * s0, (gq[LINE + j] + erev * q1) * s1
        a2, a3 = (gq[2 * LINE + j] + erev * q2) * s2, (gq[3 * LINE + j] + erev * q3) * s3
        z0, z1, z2, z3 = a0 - a0 * s0, a1 - a1 * s1, a2 - a2 * s2, a3 - a3 * s3
        sums[SUM_W * LINE + j] += (a0 + a1) + (a2 + a3)
        sums[SUM_E * LINE + j] += (q0 * s0 + q1 * s1) + (q2 * s2 + q3 * s3)
        sums[SUM_Z * LINE + j] += (z0 + z1) + (z2 + z3)
        sums[SUM_ZX * LINE + j] += (z0 * u0 + z1 * u1) + (z2 * u2 + z3 * u3)
        d[j] += w_sigma * z0
        d[LINE + j] += w_sigma * z1
        d[2 * LINE + j] += w_sigma * z2
        d[3 * LINE + j] += w_sigma * z3
