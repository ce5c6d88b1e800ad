"""Layers of which a single sequence runs through the compiled step of a stream, so that both have the same bits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cfc_ref.layers.base import Layer
from cfc_ref.layers.stepper import Stepper, make_stepper

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from cfc_ref.layers.arguments import Call

    Array = npt.NDArray[Any]

__all__ = ["StreamingLayer"]


class StreamingLayer(Layer):
    """A layer whose stream has a kernel; :class:`cfc_ref.CfC` is one."""

    @property
    def _streamed(self) -> slice:
        """The neurons that are read out."""
        raise NotImplementedError

    def _forward(self, call: Call, rng: np.random.Generator | None, *, keep: bool) -> tuple[Array, Any, Any]:
        """One sequence of which nothing is kept runs as a stream does."""
        stream = self._compute.stream
        if keep or len(call.x) != 1 or stream is None:
            return super()._forward(call, rng, keep=keep)
        self._check_steps(call)
        params, read, settings = self.weights, self._streamed, self.settings
        mask = None if call.mask is None else call.mask[0]
        one = call.x[0], call.state, call.dt[0], mask
        y, hx = stream(params.network, params.readout, read, *one, settings)
        output = call.outward(y[None]) if self.return_sequences else call.outward_last(y[-1:])
        return output, call.outward_state(hx), None

    def stepper(self, batch: int | None = None) -> Stepper:
        """Return a :class:`cfc_ref.layers.stepper.Stepper`, compiled where kernels compute.

        Parameters
        ----------
        batch : int, optional
            The number of streams that are stepped at once; by default one, without a batch axis.
        """
        params, start = self.weights, self._compute.start
        if start is None:
            return super().stepper(batch)
        return make_stepper(self, start(params.network, params.readout, self._streamed, self.settings), batch)
