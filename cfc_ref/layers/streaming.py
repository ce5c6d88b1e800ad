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

    _stream: str  # the specification of its stream, a key of cfc_ref.backend.TWINS

    @property
    def _streamed(self) -> tuple[slice, Any]:
        """The neurons that are read, and the form: what a stream takes besides parameters and inputs."""
        raise NotImplementedError

    def _compiled_stream(self) -> Any:
        """Return the stream's kernel, or None where NumPy computes."""
        if self._lacks_kernels:
            return None
        (stream,) = self._functions(self._stream)
        return stream if hasattr(stream, "start") else None

    def _forward(self, call: Call, rng: np.random.Generator | None, *, keep: bool) -> tuple[Array, Any, Any]:
        """One sequence of which nothing is kept runs as a stream does."""
        stream = None if keep or len(call.x) != 1 else self._compiled_stream()
        if stream is None:
            return super()._forward(call, rng, keep=keep)
        self._check_steps(call)
        params, (read, form) = self._params(), self._streamed
        mask = None if call.mask is None else call.mask[0]
        one = call.x[0], call.state, call.dt[0], mask
        y, hx = stream(params.network, params.readout, read, *one, form)
        output = call.outward(y[None]) if self.return_sequences else call.outward_last(y[-1:])
        return output, call.outward_state(hx), None

    def stepper(self, batch: int | None = None) -> Stepper:
        """Return a :class:`cfc_ref.layers.stepper.Stepper`, compiled where kernels compute.

        Parameters
        ----------
        batch : int, optional
            The number of streams that are stepped at once; by default one, without a batch axis.
        """
        stream = self._compiled_stream()
        if stream is None:
            return super().stepper(batch)
        params, (read, form) = self._params(), self._streamed
        return make_stepper(self, stream.start(params.network, params.readout, read, form), batch)
