"""How the kernels of a synaptic LTC are called like their specifications: tables, blocks of rows, threads.

Twins of :mod:`cfc_ref.cells.ltc.network`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cfc_ref.cells.ltc.network import LTCSettings, ODENetwork, State
from cfc_ref.kernels import threads
from cfc_ref.kernels.ltc_backward import backward
from cfc_ref.kernels.ltc_forward import forward
from cfc_ref.kernels.ltc_packed import SOLVER_IDS, Packed, pack, pack_stream, unpack
from cfc_ref.kernels.ltc_rows import ROWS
from cfc_ref.kernels.ltc_streaming import stream as stream_kernel
from cfc_ref.kernels.memory import aligned, own
from cfc_ref.kernels.streams import Stream, run

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]

__all__ = [
    "Kept",
    "backward_sequence",
    "forward_sequence",
]

_PARTS = 8  # into so many parts a batch is cut at most for the gradients of its parameters
_MANY = 4 * ROWS  # rows of a batch, from which on its blocks are twice as long: a quarter less time for their sums
_WORTH_A_THREAD = 20_000  # releases in a part: below, handing it over takes longer than doing it


class Kept(NamedTuple):
    """What the backward needs of a forward: its arguments, and x, G and Q of every part."""

    packed: Packed
    x: Array
    dt: Array
    mask: Array
    parts: Array


def forward_sequence(kernel: Callable[..., None]) -> Callable[..., tuple[Array, State, Kept | None]]:
    """Give the kernel the arguments of :func:`cfc_ref.cells.ltc.network.sequence`."""

    def twin(
        params: ODENetwork, x: Array, state: State, dt: Array, mask: Array | None, form: LTCSettings, *, keep: bool
    ) -> tuple[Array, State, Kept | None]:
        (B, T, F), U, dtype = x.shape, state[0].shape[1], params.cell.w.dtype
        packed = pack(params, form.epsilon)
        given = own(x), own(dt), np.empty((0, T), np.bool_) if mask is None else own(mask)
        rows = ROWS if B < _MANY else 2 * ROWS
        blocks = -(-B // rows)
        parts = aligned((blocks, *((T, form.parts) if keep else (1, 1)), 3, U, rows), dtype)
        h, start = aligned((T, B, U), dtype), own(state[0])
        buffers = tuple(aligned((blocks, *shape, rows), dtype) for shape in ((F,), (U,), (2, U), (), (2,)))
        arguments = (*packed, SOLVER_IDS[form.solver], form.parts, *given, start, h, parts, buffers)
        threads.share(kernel, arguments, blocks, _parts(packed, form, B * T), 1)
        return h, (h[-1] if T else start, None), Kept(packed, *given, parts) if keep else None

    return twin


def backward_sequence(kernel: Callable[..., None]) -> Callable[..., tuple[ODENetwork, Array, State, Array]]:
    """Give the kernel the arguments of :func:`cfc_ref.cells.ltc.network.d_sequence`."""

    def twin(
        params: ODENetwork,
        kept: Kept,
        d_h: Sequence[Array] | Array,
        d_state: State,
        mask: Array | None,
        form: LTCSettings,
    ) -> tuple[ODENetwork, Array, State, Array]:
        packed, (B, _, F), U, dtype = kept.packed, kept.x.shape, len(kept.packed.neurons), kept.x.dtype
        d_read = own(np.asarray(d_h, dtype).reshape(len(d_h), B, U))
        d_start, d_x, d_dt = np.array(d_state[0], dtype, order="C"), np.empty_like(kept.x), np.empty_like(kept.dt)
        parts, rows = min(len(kept.parts), _PARTS), kept.parts.shape[-1]
        buffers = tuple(aligned((parts, *shape, rows), dtype) for shape in ((F,), (F,), (U,), (5, U), (), (1,), (3,)))
        tables = packed.neurons, packed.synapses[:, :4], packed.sensory[:, :4], packed.maps
        sums = tuple(aligned((parts, *table.shape), dtype) for table in tables)
        arguments = (
            *packed, SOLVER_IDS[form.solver], form.parts, kept.x, kept.dt, kept.mask, kept.parts, d_read, d_start,
            d_x, d_dt, buffers, *sums,
        )  # fmt: skip
        threads.share(kernel, arguments, parts, _parts(packed, form, kept.dt.size), 1)
        d_params = unpack(params, *(of_parts.sum(axis=0) for of_parts in sums))
        return d_params, d_x, (d_start, None), d_dt

    return twin


def start(params: ODENetwork, readout: Any, read: slice, form: LTCSettings) -> Stream:
    """Return a network whose weights are packed for streams."""
    return Stream(stream_kernel, *pack_stream(params, readout, read, form), paired=False)


def stream(params: Any, readout: Any, read: slice, x: Any, state: Any, dt: Any, mask: Any, form: Any) -> Any:
    """Twin of :func:`cfc_ref.cells.ltc.network.stream`."""
    return run(start(params, readout, read, form), x, state, dt, mask)


def _parts(packed: Packed, form: LTCSettings, steps: int) -> int:
    """Return into how many parts a batch is worth to be cut."""
    return steps * (form.parts * len(packed.ends) + len(packed.sensory_ends)) // _WORTH_A_THREAD


sequence, d_sequence = forward_sequence(forward), backward_sequence(backward)
