r"""The stages of a part of a time step, by each solver that has a kernel: twins of :mod:`cfc_ref.cells.solvers`.

A solver is one record of :data:`KERNELS`, under its name in :data:`cfc_ref.cells.solvers.SOLVERS`, whose field `kernel`
is then True. A part has one or more stages, each of which reads the states and sums of the stages so far and writes the
states of the next one, for one neuron of a block of rows, or all neurons of a stream (:mod:`cfc_ref.kernels.ltc.sums`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from numba.extending import register_jitable

from cfc_ref.kernels.compiled import inner
from cfc_ref.kernels.ltc.packed import C
from cfc_ref.kernels.ltc.sums import at
from cfc_ref.kernels.mathfun import _tanh_of

__all__ = ["KERNELS", "SolverKernel"]


class SolverKernel(NamedTuple):
    """The twin of a solver; stage k has its states, G and Q in rows 3 k, 3 k + 1 and 3 k + 2 of `kept`.

    Attributes
    ----------
    stages : int
        How often a part needs the sums.
    stage : compiled function
        (k, neuron, h, kept, out): write the states of stage k + 1, or after the part, to `out`. `neuron` has the
        neuron's numbers (:mod:`cfc_ref.kernels.ltc.packed`), h is the part's length.
    d_stage : compiled function
        (k, neuron, h, kept, d_out, D, d_C, d_h, room): add the gradients to D, whose rows are like those of `kept`,
        d_C and d_h. The rows of `room` are free for use.
    """

    stages: int
    stage: Callable[..., None]
    d_stage: Callable[..., None]


@register_jitable
def _fused_of(c, h, G):
    r"""Return e and f of :math:`x^+ = e\,x + f\,Q`, :math:`e = C/(C + hG),\; f = h/(C + hG)`, of one neuron."""
    D = c + h * G
    return c / D, h / D


@inner(forceinline=True)
def _fused(k, neuron, h, kept, out):
    """Twin of :func:`cfc_ref.cells.solvers.fused`."""
    x, G, Q, c = kept[0], kept[1], kept[2], neuron[C]
    for r in range(out.shape[0]):
        e, f = _fused_of(at(c, r), at(h, r), G[r])
        out[r] = e * x[r] + f * Q[r]


@inner
def _d_fused(k, neuron, h, kept, d_out, D, d_C, d_h, room):
    """Twin of :func:`cfc_ref.cells.solvers.d_fused`."""
    x, G, Q, c = kept[0], kept[1], kept[2], neuron[C]
    d_x, d_G, d_Q, e, f, new = D[0], D[1], D[2], room[0], room[1], room[2]
    inverse = type(c)(1) / c
    for r in range(d_out.shape[0]):
        e[r], f[r] = _fused_of(c, h[r], G[r])
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
        d_C[r] += (x[r] - new[r]) * inverse * e[r]
    for r in range(d_out.shape[0]):
        d_h[r] += (Q[r] - G[r] * new[r]) * inverse * e[r]


@register_jitable
def _frozen_of(c, h, G):
    r"""Return e and f of :math:`x^+ = e\,x + f\,Q/G`, :math:`e = e^{-u},\; f = 1 - e^{-u},\; u = hG/C`.

    By :math:`T = \tanh\frac u2`: :math:`e = (1 - T)/(1 + T),\; f = 2T/(1 + T)`, so that a small f keeps its digits.
    """
    one, two = type(c)(1), type(c)(2)
    T = _tanh_of(h * G / c / two)
    return (one - T) / (one + T), two * T / (one + T)


@inner(forceinline=True)
def _frozen(k, neuron, h, kept, out):
    """Twin of :func:`cfc_ref.cells.solvers.frozen`."""
    x, G, Q, c = kept[0], kept[1], kept[2], neuron[C]
    for r in range(out.shape[0]):
        e, f = _frozen_of(at(c, r), at(h, r), G[r])
        out[r] = e * x[r] + f * (Q[r] / G[r])


@inner
def _d_frozen(k, neuron, h, kept, d_out, D, d_C, d_h, room):
    """Twin of :func:`cfc_ref.cells.solvers.d_frozen`."""
    x, G, Q, c = kept[0], kept[1], kept[2], neuron[C]
    d_x, d_G, d_Q, e, f, d_u = D[0], D[1], D[2], room[0], room[1], room[2]
    inverse = type(c)(1) / c
    for r in range(d_out.shape[0]):
        e[r], f[r] = _frozen_of(c, h[r], G[r])
    for r in range(d_out.shape[0]):
        f[r] *= d_out[r] / G[r]
    for r in range(d_out.shape[0]):
        e[r] *= d_out[r]
    for r in range(d_out.shape[0]):
        d_u[r] = (Q[r] / G[r] - x[r]) * inverse * e[r]
    for r in range(d_out.shape[0]):
        d_Q[r] += f[r]
    for r in range(d_out.shape[0]):
        d_x[r] += e[r]
    for r in range(d_out.shape[0]):
        d_G[r] += h[r] * d_u[r] - Q[r] / G[r] * f[r]
    for r in range(d_out.shape[0]):
        d_C[r] -= h[r] * G[r] * inverse * d_u[r]
    for r in range(d_out.shape[0]):
        d_h[r] += G[r] * d_u[r]


KERNELS: dict[str, SolverKernel] = {
    "fused": SolverKernel(1, _fused, _d_fused),
    "frozen": SolverKernel(1, _frozen, _d_frozen),
}
