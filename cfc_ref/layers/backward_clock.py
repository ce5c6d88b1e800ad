"""Layers whose time runs backwards, for one experiment: the official code of PhysioNet passes negative timespans.

Called with their absolute values, like any layer. A closed form of Eq. 3 then grows where it should decay; the LTC, to
whose timespans that code adds 1, divides by 1 - t, which is about 0 for a timespan of an hour.
"""

from __future__ import annotations

from typing import Any

from cfc_ref.arrays import Array
from cfc_ref.backend import Compute
from cfc_ref.layers.base import Layer
from cfc_ref.layers.cfc import CfC
from cfc_ref.layers.ltc import LTC

__all__ = ["BackwardCfC", "BackwardLTC"]


class _Backward(Layer):
    _added = 0.0  # to the negative timespan

    def _step(self, params: Any, x: Array, state: Any, dt: Array) -> tuple[Any, Any]:
        return super()._step(params, x, state, self._turned(dt))

    def _d_step(self, params: Any, kept: Any, d_state: Any) -> tuple[Any, Array, Any, Array]:
        *others, d_dt = super()._d_step(params, kept, d_state)
        return *others, -d_dt

    def _turned(self, dt: Array) -> Array:
        turned: Array = dt.dtype.type(self._added) - dt
        return turned

    @property
    def _compute(self) -> Compute:
        compute = super()._compute
        if compute.forward == self._over_time:  # which runs `_step`
            return compute

        def forward(params: Any, x: Array, state: Any, dt: Array, *others: Any, **options: Any) -> Any:
            return compute.forward(params, x, state, self._turned(dt), *others, **options)

        def backward(*arguments: Any) -> Any:
            *gradients, d_dt = compute.backward(*arguments)
            return *gradients, -d_dt

        return Compute(forward, backward)


class BackwardCfC(_Backward, CfC):
    """A CfC at the negative of its timespans."""


class BackwardLTC(_Backward, LTC):
    """An LTC at 1 minus its timespans."""

    _added = 1.0
