"""The tables of either cell, synapses or a neural release."""

from __future__ import annotations

from typing import Any

from cfc_ref.cells.ltc.network import LTCSettings, ODENetwork
from cfc_ref.cells.ltc.neural import NeuralLTCParams
from cfc_ref.cells.tree import made_once
from cfc_ref.kernels.ltc.neural import _pack_release
from cfc_ref.kernels.ltc.packed import Packed, pack
from cfc_ref.kernels.ltc.solvers import KERNELS

__all__: list[str] = []

_MADDS = 32  # multiplications that take as long as a release


def packed_of(params: ODENetwork, settings: LTCSettings) -> Any:
    """Return a network's tables, arranged once."""
    if isinstance(params.cell, NeuralLTCParams):
        return made_once(params, ("sequence",), lambda: _pack_release(params))
    epsilon, boxed = settings.epsilon, KERNELS[settings.solver].boxed
    return made_once(params, ("sequence", epsilon, boxed), lambda: pack(params, epsilon, boxed))


def releases(packed: Packed) -> tuple[int, int]:
    """Return the releases that take as long as a look, and as what the input contributes."""
    if packed.neural:
        return len(packed.neurons) + packed.synapses.size // _MADDS, packed.sensory.size // _MADDS
    return len(packed.ends), len(packed.sensory_ends)
