"""Every kernel called once on as little as possible, which loads or compiles it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from cfc_ref.cells.cfc.cell import CfCSettings
from cfc_ref.cells.cfc.modes import CfCParams
from cfc_ref.cells.cfc.network import CfCNetwork
from cfc_ref.cells.dense import Dense
from cfc_ref.cells.ltc.network import LTCSettings, ODENetwork
from cfc_ref.cells.ltc.synapses import LTCParams
from cfc_ref.kernels import activations, closed_forms, exact_solution
from cfc_ref.kernels.cfc import network
from cfc_ref.kernels.ltc import network as ltc

__all__ = ["CALLS"]


def _neuron(one: Any) -> None:
    exact_solution.constant_pieces(one[0], one[0], one, one, one[0])
    closed_forms.gauss_pieces(one[0], one[0], one, one, one, one[0])
    activations.tanh(one)
    activations.sigmoid(one)


def _cfc(one: Any) -> tuple[Any, ...]:
    head = Dense(np.zeros((1, 2), one.dtype), one)
    return CfCNetwork((CfCParams((), head, head, head, head),)), one.reshape(1, 1, 1), CfCSettings()


def _ltc(one: Any) -> tuple[Any, ...]:
    return ODENetwork(LTCParams(*[one] * 3, *[one[None]] * 8)), one.reshape(1, 1, 1), LTCSettings()


def _batch(twins: Any, params: Any, x: Any, settings: Any) -> None:
    state = x[0], None
    _, _, kept = twins.sequence(params, x, state, x[0], None, settings, keep=True)
    twins.d_sequence(params, kept, x, state, None, settings)


def _stream(twins: Any, readout: Any, params: Any, x: Any, settings: Any) -> None:
    twins.stream(params, readout, slice(0, 1), x, (x[0], None), x[0], None, settings)


CALLS: tuple[Callable[[Any], None], ...] = (  # of an array [1]
    _neuron,
    lambda one: _batch(network, *_cfc(one)),
    lambda one: _stream(network, None, *_cfc(one)),
    lambda one: _batch(ltc, *_ltc(one)),
    lambda one: _stream(ltc, (None, None), *_ltc(one)),
)
