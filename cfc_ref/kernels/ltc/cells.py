"""The sums of either cell: synapses, or a neural release."""

from __future__ import annotations

from typing import Any

from cfc_ref.cells.ltc.network import LTCSettings, ODENetwork, Scaling
from cfc_ref.cells.ltc.neural import NeuralLTCParams
from cfc_ref.cells.tree import made_once
from cfc_ref.kernels.compiled import inner
from cfc_ref.kernels.ltc.neural import (
    _d_hold_release,
    _d_look_at_release,
    _hold_release,
    _look_at_release,
    _pack_release,
    _unpack_release,
)
from cfc_ref.kernels.ltc.packed import SUM_ZX, Packed, pack, unpack
from cfc_ref.kernels.ltc.solvers import KERNELS
from cfc_ref.kernels.ltc.sums import _d_hold_synapses, _d_look_at_synapses, _hold_synapses, _look_at_synapses

__all__: list[str] = []

_MADDS = 32  # multiplications that take as long as a release


def packed_of(params: ODENetwork, settings: LTCSettings) -> Any:
    """Return a network's tables, arranged once."""
    if isinstance(params.cell, NeuralLTCParams):
        return made_once(params, ("sequence",), lambda: _pack_release(params))
    epsilon, boxed = settings.epsilon, KERNELS[settings.solver].boxed
    return made_once(params, ("sequence", epsilon, boxed), lambda: pack(params, epsilon, boxed))


def unpacked(params: ODENetwork, packed: Packed, sums: Any) -> ODENetwork:
    """Return gradients by parameter from the sums of the backward."""
    given, (d_w, d_b) = params.input_map, sums.maps.T
    d_map = given and Scaling(d_w.copy(), None if given.b is None else d_b.copy())
    gradients: Any = _unpack_release(sums) if packed.neural else unpack(params.cell, packed, sums)
    return ODENetwork(gradients, d_map)


def summed(packed: Packed) -> list[tuple[int, ...]]:
    """Return the shapes of the gradients of synapses or maps, between neurons and from inputs."""
    return [table.shape if packed.neural else (len(table), SUM_ZX + 1) for table in (packed.synapses, packed.sensory)]


def looks(packed: Packed) -> tuple[int, int]:
    """Return the releases that take as long as a look, and as what the input contributes."""
    if packed.neural:
        return len(packed.neurons) + packed.synapses.size // _MADDS, packed.sensory.size // _MADDS
    return len(packed.ends), len(packed.sensory_ends)


@inner
def _hold(packed, I, held):
    """Write what the input contributes, constant while it is held."""
    if packed.neural:
        _hold_release(packed, I, held)
    else:
        _hold_synapses(packed, I, held)


@inner
def _look(packed, held, kept, k):
    """Write the sums at the states of stage k."""
    if packed.neural:
        _look_at_release(packed, held, kept, k)
    else:
        _look_at_synapses(packed, held, kept, k)


@inner
def _d_look(packed, held, kept, D, k, d_held, sums, room):
    """Backward of ``_look``."""
    if packed.neural:
        _d_look_at_release(packed, held, kept, D, k, d_held, sums, room)
    else:
        _d_look_at_synapses(packed, kept, D, k, d_held, sums)


@inner
def _d_hold(packed, I, d_held, d_I, sums):
    """Backward of ``_hold``."""
    if packed.neural:
        _d_hold_release(packed, I, d_held, d_I, sums)
    else:
        _d_hold_synapses(packed, I, d_held, d_I, sums)
