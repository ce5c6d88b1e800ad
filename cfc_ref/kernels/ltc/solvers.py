r"""The stages of a part of a time step, by each solver that has a kernel.

They are the twins of :mod:`cfc_ref.cells.solvers`; those of the exponential solvers have their own room
(:mod:`cfc_ref.kernels.ltc.exponential`). A solver is one record of :data:`KERNELS`, under its name in
:data:`cfc_ref.cells.solvers.SOLVERS`, whose field `kernel` is then True. A part has one or more stages, each of which
reads the states and sums of the stages so far and writes the states of the next one, for all entries of a flat row: a
number per neuron of a stream, or per neuron and row of a block (:mod:`cfc_ref.kernels.ltc.looks`).

Loops are short: one that writes to one array and reads from at most six vectorises, as the compiler asks of each pair
whether they overlap, and gives up on more than eight.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from cfc_ref.kernels.compiled import inner
from cfc_ref.kernels.elementwise import _add, _copy
from cfc_ref.kernels.ltc.exponential import _cf4, _d_cf4, _d_frozen, _d_frozen_midpoint, _frozen, _frozen_midpoint
from cfc_ref.kernels.ltc.packed import C
from cfc_ref.kernels.ltc.sums import at

__all__ = ["KERNELS", "SolverKernel"]


class SolverKernel(NamedTuple):
    """The twin of a solver; stage k has its states, G and Q in rows 3 k, 3 k + 1 and 3 k + 2 of `kept`.

    Attributes
    ----------
    stages : int
        How often a part needs the sums.
    stage : compiled function
        (k, neuron, h, kept, out, room): write the states of stage k + 1, or after the part, to `out`. A row of `neuron`
        has a number of each entry's neuron (:mod:`cfc_ref.kernels.ltc.packed`), h is the part's length, in a stream one
        number. The rows of `room` are free for use.
    d_stage : compiled function
        (k, neuron, h, kept, d_out, D, d_C, d_h, room): add the gradients to D, whose rows are like those of `kept`,
        d_C and d_h.
    boxed : bool
        Whether they read the ends of the neuron's box.
    """

    stages: int
    stage: Callable[..., None]
    d_stage: Callable[..., None]
    boxed: bool = False


@inner
def _fused_of(c, h, G):
    r"""Return e and f of :math:`x^+ = e\,x + f\,Q`, :math:`e = C/(C + hG),\; f = h/(C + hG)`, of one neuron."""
    D = c + h * G
    return c / D, h / D


@inner(forceinline=True)
def _fused(k, neuron, h, kept, out, room):
    """Twin of :func:`cfc_ref.cells.solvers.fused`."""
    x, G, Q, c = kept[0], kept[1], kept[2], neuron[C]
    for r in range(out.shape[0]):
        e, f = _fused_of(c[r], at(h, r), G[r])
        out[r] = e * x[r] + f * Q[r]


@inner
def _d_fused(k, neuron, h, kept, d_out, D, d_C, d_h, room):
    """Twin of :func:`cfc_ref.cells.solvers.d_fused`."""
    x, G, Q, c = kept[0], kept[1], kept[2], neuron[C]
    d_x, d_G, d_Q, e, f, new = D[0], D[1], D[2], room[0], room[1], room[2]
    for r in range(d_out.shape[0]):
        e[r], f[r] = _fused_of(c[r], h[r], G[r])
    for r in range(d_out.shape[0]):
        new[r] = e[r] * x[r] + f[r] * Q[r]
    for r in range(d_out.shape[0]):
        d_Q[r] += f[r] * d_out[r]
    for r in range(d_out.shape[0]):
        d_G[r] -= new[r] * (f[r] * d_out[r])
    for r in range(d_out.shape[0]):
        e[r] *= d_out[r]
    for r in range(d_out.shape[0]):
        d_x[r] += e[r]
    for r in range(d_out.shape[0]):
        d_C[r] += (x[r] - new[r]) / c[r] * e[r]
    for r in range(d_out.shape[0]):
        d_h[r] += (Q[r] - G[r] * new[r]) / c[r] * e[r]


# --- explicit solvers


@inner
def _advance(c, h, share, start, x, G, Q, out):
    """Write `start` plus a share of a part with the slope (Q - G x)/C."""
    for r in range(out.shape[0]):
        out[r] = start[r] + share * at(h, r) * ((Q[r] - G[r] * x[r]) / c[r])


@inner
def _d_slope(c, h, share, x, sums, d_out, d_x, d_sums, d_C, d_h):
    """Backward of what ``_advance`` adds; `sums` are G and Q."""
    G, Q, d_G, d_Q = sums[0], sums[1], d_sums[0], d_sums[1]
    for r in range(d_out.shape[0]):
        d_Q[r] += share * h[r] / c[r] * d_out[r]
    for r in range(d_out.shape[0]):
        d_G[r] -= x[r] * (share * h[r] / c[r] * d_out[r])
    for r in range(d_out.shape[0]):
        d_x[r] -= G[r] * (share * h[r] / c[r] * d_out[r])
    for r in range(d_out.shape[0]):
        d_C[r] -= (Q[r] - G[r] * x[r]) / c[r] * (share * h[r] / c[r] * d_out[r])
    for r in range(d_out.shape[0]):
        d_h[r] += share * (Q[r] - G[r] * x[r]) / c[r] * d_out[r]


@inner
def _euler(k, neuron, h, kept, out, room):
    """Twin of :func:`cfc_ref.cells.solvers.euler`."""
    _advance(neuron[C], h, kept.dtype.type(1), kept[0], kept[0], kept[1], kept[2], out)


@inner
def _d_euler(k, neuron, h, kept, d_out, D, d_C, d_h, room):
    """Twin of :func:`cfc_ref.cells.solvers.d_euler`."""
    _d_slope(neuron[C], h, kept.dtype.type(1), kept[0], kept[1:3], d_out, D[0], D[1:3], d_C, d_h)
    _add(d_out, D[0])


@inner
def _rk4(k, neuron, h, kept, out, room):
    """Twin of :func:`cfc_ref.cells.solvers.rk4`: half a part, half a part, a whole one, and the mean of the slopes."""
    c, share = neuron[C], kept.dtype.type(1 if k == 2 else 0.5)
    if k < 3:
        _advance(c, h, share, kept[0], kept[3 * k], kept[3 * k + 1], kept[3 * k + 2], out)
    else:
        _copy(kept[0], out)
        for m in range(4):
            share = kept.dtype.type(2 / 6 if 0 < m < 3 else 1 / 6)
            _advance(c, h, share, out, kept[3 * m], kept[3 * m + 1], kept[3 * m + 2], out)


@inner
def _d_rk4(k, neuron, h, kept, d_out, D, d_C, d_h, room):
    """Twin of :func:`cfc_ref.cells.solvers.d_rk4`."""
    for m in range(0 if k == 3 else k, k + 1):
        share = (1.0 if k == 2 else 0.5) if k < 3 else (2 / 6 if 0 < m < 3 else 1 / 6)
        sums, d_sums = kept[3 * m + 1 : 3 * m + 3], D[3 * m + 1 : 3 * m + 3]
        _d_slope(neuron[C], h, kept.dtype.type(share), kept[3 * m], sums, d_out, D[3 * m], d_sums, d_C, d_h)
    _add(d_out, D[0])


KERNELS: dict[str, SolverKernel] = {
    "fused": SolverKernel(1, _fused, _d_fused),
    "euler": SolverKernel(1, _euler, _d_euler),
    "rk4": SolverKernel(4, _rk4, _d_rk4),
    "frozen": SolverKernel(1, _frozen, _d_frozen),
    "frozen_midpoint": SolverKernel(2, _frozen_midpoint, _d_frozen_midpoint),
    "cf4": SolverKernel(4, _cf4, _d_cf4, boxed=True),
}
