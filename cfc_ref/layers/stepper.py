"""A network as it runs in a control loop: one sample in, one output out, the state kept in between."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cfc_ref import checks
from cfc_ref.cells.tree import tree_map
from cfc_ref.layers.arguments import OTHER_DTYPE, UNTIMED, Expected, arrange

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    Array = npt.NDArray[Any]

__all__ = ["CompiledStepper", "Stepper"]


class Stepper:
    """A network with a state; made by ``layer.stepper()``, with the weights as they were then.

    Parameters
    ----------
    step : callable
        From (x, state, dt), a batch of one, to the next state.
    readout : callable
        From h, a batch of one, to the output.
    expected : Expected
        What the layer expects of its arguments.
    output_size : int
        Features out.

    Examples
    --------
    >>> from cfc_ref import CfC
    >>> s = CfC(3, 4, seed=0).stepper()
    >>> y = s(np.ones(3), dt=0.5)
    >>> y.shape, s.state.shape
    ((4,), (4,))
    """

    __slots__ = ("_expected", "_output_size", "_readout", "_state", "_step")

    def __init__(
        self, step: Callable[..., Any], readout: Callable[[Array], Array], expected: Expected, output_size: int
    ) -> None:
        self._step, self._readout = step, readout
        self._expected, self._output_size = expected, output_size
        self._state: Any
        self.reset()

    def __call__(self, x: Any, dt: float = 1.0, out: Array | None = None) -> Array:
        """Take one sample and return the output.

        Parameters
        ----------
        x : array_like, shape (F,)
            The sample.
        dt : float
            Time since the previous one, >= 0.
        out : ndarray, shape (outputs,), of the layer's dtype, optional
            Takes the output, and is returned; a new array by default.

        Raises
        ------
        ValueError, TypeError
            In three parts; the state is then as it was.
        """
        expected = self._expected
        sample = checks.numeric("x", x)
        checks.shape("x", sample, (expected.inputs,), "(features,)")
        sample = checks.as_dtype("x", sample, expected.dtype, do=OTHER_DTYPE)
        span = np.array([checks.number("dt", dt)])
        if span[0] < 0:
            checks.refuse("dt", str(span[0]), "a time >= 0", "pass the time since the last sample")
        if span[0] != 1 and not expected.timed:
            checks.refuse("dt", str(span[0]), f"1.0, {UNTIMED}", "leave it out")
        span = checks.as_dtype("dt", span, expected.dtype, do=OTHER_DTYPE)
        if out is not None:
            self._check_out(out)
        y = self._advance(sample, span)
        if out is None:
            return y
        out[...] = y
        return out

    def _advance(self, x: Array, dt: Array) -> Array:
        """Take a sample of shape (F,) and its timespan, shape (1,), and return the output in an array of its own."""
        self._state = self._step(x[None], self._state, dt[None])
        return self._readout(self._state[0])[0].copy()

    def _check_out(self, out: Any) -> None:
        expected, wanted = self._expected, f"a writeable array of shape ({self._output_size},), {self._expected.dtype}"
        if not isinstance(out, np.ndarray):
            checks.refuse("out", type(out).__name__, wanted, "make one with numpy.empty", TypeError)
        if out.shape != (self._output_size,) or out.dtype != expected.dtype or not out.flags.writeable:
            got = f"shape {out.shape}, {out.dtype}{'' if out.flags.writeable else ', read-only'}"
            checks.refuse("out", got, wanted, "make one with numpy.empty")

    @property
    def state(self) -> Any:
        """The state, a copy: shape (units,), or with mixed memory the pair (h, c)."""
        h, c = self._get()
        return h[0].copy() if c is None else (h[0].copy(), c[0].copy())

    @state.setter
    def state(self, value: Any) -> None:
        self._set(arrange(self._expected, np.zeros((0, self._expected.inputs)), value).state)

    def _get(self) -> Any:
        return self._state

    def _set(self, state: Any) -> None:
        self._state = state

    def reset(self) -> None:
        """Set the state to 0."""
        self.state = None


class CompiledStepper(Stepper):
    """A stepper whose step is one call of a kernel.

    What is as the kernel takes it, a contiguous array of the layer's dtype and a plain number, goes there at once; all
    else goes through the checks of :class:`Stepper`.

    Parameters
    ----------
    stream : Stream
        The kernel, and the arrays that it works on.
    expected : Expected
        What the layer expects of its arguments.
    output_size : int
        Features out.

    Examples
    --------
    >>> from cfc_ref import CfC
    >>> s = CfC(3, 4, seed=0, backend="numba").stepper()
    >>> type(s).__name__, s(np.ones(3), dt=0.5).shape
    ('CompiledStepper', (4,))
    """

    __slots__ = ("_dt", "_dtype", "_inputs", "_kernel", "_longest", "_outputs", "_packed", "_stream", "_table")

    def __init__(self, stream: Any, expected: Expected, output_size: int) -> None:
        self._expected, self._output_size = expected, output_size
        self._stream, self._kernel, self._packed, self._table = stream, stream.kernel, stream.packed, stream.table
        self._dtype, self._longest = expected.dtype, float(np.finfo(expected.dtype).max)
        self._dt, self._inputs, self._outputs = np.ones(1, expected.dtype), (expected.inputs,), (output_size,)

    def __call__(self, x: Any, dt: float = 1.0, out: Array | None = None) -> Array:
        """Take one sample and return the output, as :class:`Stepper` does.

        Parameters
        ----------
        x : array_like, shape (F,)
            The sample.
        dt : float
            Time since the previous one, >= 0.
        out : ndarray, shape (outputs,), of the layer's dtype, optional
            Takes the output, and is returned; a new array by default.

        Raises
        ------
        ValueError, TypeError
            In three parts; the state is then as it was.
        """
        dtype = self._dtype
        if (
            type(dt) in _NUMBERS
            and 0 <= dt <= self._longest
            and type(x) is _ARRAY
            and x.dtype is dtype
            and x.shape == self._inputs
            and x.flags.carray
        ):
            if out is None:
                y = _empty(self._outputs, dtype)
            elif type(out) is _ARRAY and out.dtype is dtype and out.shape == self._outputs and out.flags.carray:
                y = out
            else:
                return super().__call__(x, dt, out)
            self._dt[0] = dt
            if self._kernel(self._packed, self._table, x, self._dt, y):
                return y
        return super().__call__(x, dt, out)

    def _advance(self, x: Array, dt: Array) -> Array:
        y = np.empty(self._outputs, self._dtype)
        self._kernel(self._packed, self._table, np.ascontiguousarray(x), dt, y)
        return y

    def _get(self) -> Any:
        return self._stream.state

    def _set(self, state: Any) -> None:
        tree_map(np.copyto, self._stream.state, state)


_ARRAY, _empty = np.ndarray, np.empty  # a name less to look up
_NUMBERS = frozenset((float, int, np.float64, np.float32))
