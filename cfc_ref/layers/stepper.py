"""A network in a control loop: one sample in, one output out, the state kept in between."""

from __future__ import annotations

import copy
import weakref
from typing import Any, NamedTuple, Protocol

import numpy as np

from cfc_ref import checks
from cfc_ref.arrays import Array
from cfc_ref.cells.tree import tree_map
from cfc_ref.layers.arguments import OTHER_DTYPE, UNTIMED, Expected, arrange_state

__all__ = ["Cells", "CompiledStepper", "Frozen", "Steppable", "Stepper", "make_stepper"]


class Steppable(Protocol):
    """The part of a :class:`cfc_ref.layers.base.Layer` that steppers use."""

    output_size: int
    dtype: np.dtype[Any]
    _arrays: dict[str, Array]
    _masks: dict[str, Array]

    @property
    def expected(self) -> Expected: ...  # noqa: D102

    @property
    def config(self) -> dict[str, Any]: ...  # noqa: D102

    def _step(self, params: Any, x: Array, state: Any, dt: Array) -> tuple[Any, Any]: ...

    def readout(self, params: Any, h: Array) -> Array: ...  # noqa: D102


class Cells(NamedTuple):
    """The NumPy computation of a step: a layer without arrays, for its settings, and weights that do not change."""

    layer: Steppable
    params: Any

    @classmethod
    def of(cls, layer: Steppable, params: Any) -> Cells:
        """Return the cells of a layer with some weights."""
        bare = copy.copy(layer)
        bare._arrays, bare._masks = {}, {}
        return cls(bare, params)


class Frozen:
    """The part that the steppers of one layer share: its settings and weights at the time when they were made."""

    __slots__ = ("__weakref__", "computation", "expected", "longest", "output_size", "settings", "title")

    def __init__(self, layer: Steppable, computation: Any) -> None:
        self.computation, self.expected, self.output_size = computation, layer.expected, layer.output_size
        self.settings, self.title = layer.config, repr(layer)
        self.longest = min(float(np.finfo(layer.dtype).max), layer.expected.longest)

    def __deepcopy__(self, memo: dict[int, Any]) -> Frozen:
        return self

    def equals(self, layer: Steppable, computation: Any) -> bool:
        """Return whether a layer still computes this: the same settings, and the same arrays."""
        ours, both = self.computation, (self.computation, computation)
        same = ours.params is computation.params if all(isinstance(one, Cells) for one in both) else ours is computation
        return same and self.settings == layer.config


_LAST: weakref.WeakKeyDictionary[Steppable, weakref.ref[Frozen]] = weakref.WeakKeyDictionary()


def make_stepper(layer: Steppable, computation: Any, batch: int | None) -> Stepper:
    """Return a stepper; it shares the weights of the layer's last one if they are in use and have not changed."""
    if batch is not None:
        batch = checks.count("batch", batch, at_least=1)
    last = _LAST.get(layer)
    frozen = None if last is None else last()
    if frozen is None or not frozen.equals(layer, computation):
        frozen = Frozen(layer, computation)
        _LAST[layer] = weakref.ref(frozen)
    return (Stepper if isinstance(computation, Cells) else CompiledStepper)(frozen, batch)


class Stepper:
    """A network with a state, or with one state per stream of a batch; made by ``layer.stepper()``.

    Later changes of the layer do not reach its weights. Steppers made of one layer between two changes share them, so
    that each one only needs memory for its state. Copies and unpickled steppers continue from the state independently.

    Threads: a stepper belongs to one thread at a time; give each thread its own. A layer may be called, and asked for
    steppers, from several threads at once, while none of them writes to its parameters.

    Parameters
    ----------
    frozen : Frozen
        Settings and weights.
    batch : int or None
        The number of streams; None for one, without a batch axis.

    Examples
    --------
    >>> from cfc_ref import CfC
    >>> layer = CfC(3, 4, seed=0)
    >>> s = layer.stepper()
    >>> y = s(np.ones(3), dt=0.5)
    >>> y.shape, s.state.shape
    ((4,), (4,))
    >>> many = layer.stepper(batch=100)
    >>> many(np.ones((100, 3)), dt=np.linspace(0, 1, 100)).shape
    (100, 4)
    """

    __slots__ = ("_batch", "_frozen", "_outputs", "_state")

    def __init__(self, frozen: Frozen, batch: int | None = None) -> None:
        self._frozen, self._batch = frozen, batch
        self._outputs = (frozen.output_size,) if batch is None else (batch, frozen.output_size)
        self._state: Any
        self.reset()

    def __call__(self, x: Any, dt: Any = 1.0, out: Array | None = None) -> Array:
        """Take one sample, or one per stream, and return the output.

        Parameters
        ----------
        x : array_like, shape (F,) or (batch, F)
            The sample.
        dt : float, or array_like of shape (batch,)
            Time since the previous one, >= 0.
        out : ndarray, shape (outputs,) or (batch, outputs), of the layer's dtype, optional
            Takes the output, and is returned; a new array by default.

        Raises
        ------
        ValueError, TypeError
            For arguments that do not fit; the state is then unchanged.
        """
        expected, lead = self._frozen.expected, self._outputs[:-1]
        sample = checks.numeric("x", x)
        checks.shape("x", sample, (*lead, expected.inputs), "(batch, features)" if lead else "(features,)")
        sample = checks.as_dtype("x", sample, expected.dtype, do=OTHER_DTYPE)
        span = self._timespan(dt)
        if out is not None:
            self._check_out(out)
        y = self._advance(sample.reshape(-1, expected.inputs), span).reshape(self._outputs)
        if out is None:
            return y
        out[...] = y
        return out

    def _timespan(self, dt: Any) -> Array:
        """Return the timespan of each stream, shape (streams,)."""
        expected, span = self._frozen.expected, checks.numeric("dt", dt, expected="a time >= 0")
        if span.ndim:
            wanted = "a number" if self._batch is None else f"a number or shape ({self._batch},)"
            if span.shape != (self._batch,):
                checks.refuse("dt", f"shape {span.shape}", wanted, "pass one time per stream")
        checks.compare("dt", span, span >= 0, "a time >= 0", "pass the time since the last sample")
        expected.check_longest("dt", span)
        if not expected.timed:
            checks.compare("dt", span, span == 1, f"1.0, {UNTIMED}", "remove dt")
        return np.broadcast_to(checks.as_dtype("dt", span, expected.dtype, do=OTHER_DTYPE), (self._batch or 1,))

    def _advance(self, x: Array, dt: Array) -> Array:
        """Take samples of shape (streams, F) and their timespans, and return the outputs in a new array."""
        layer, params = self._frozen.computation
        self._state = layer._step(params.network, x, self._state, dt[:, None])[0]
        return np.array(layer.readout(params.readout, self._state[0]))

    def _check_out(self, out: Any) -> None:
        dtype = self._frozen.expected.dtype
        wanted = f"a writeable array of shape {self._outputs}, {dtype}"
        if not isinstance(out, np.ndarray):
            checks.refuse("out", type(out).__name__, wanted, "make one with numpy.empty", TypeError)
        if out.shape != self._outputs or out.dtype != dtype or not out.flags.writeable:
            got = f"shape {out.shape}, {out.dtype}{'' if out.flags.writeable else ', read-only'}"
            checks.refuse("out", got, wanted, "make one with numpy.empty")

    @property
    def state(self) -> Any:
        """The state, a copy: shape (units,) or (batch, units), or with mixed memory the pair (h, c)."""
        h, c = tree_map(lambda part: (part[0] if self._batch is None else part).copy(), self._get())
        return h if c is None else (h, c)

    @state.setter
    def state(self, value: Any) -> None:
        self._set(arrange_state(self._frozen.expected, "hx", value, self._batch))

    def _get(self) -> Any:
        return self._state

    def _set(self, state: Any) -> None:
        self._state = state

    def reset(self) -> None:
        """Set the state to 0."""
        self.state = None

    def __reduce__(self) -> tuple[Any, ...]:
        """Copy and pickle: the shared part, and the state."""
        return type(self), (self._frozen, self._batch), tree_map(np.array, self._get())

    def __setstate__(self, state: Any) -> None:
        self._set(state)

    def __repr__(self) -> str:
        streams = "" if self._batch is None else f", batch={self._batch}"
        return f"Stepper({self._frozen.title}{streams})"


class CompiledStepper(Stepper):
    """A stepper whose step is one call of a kernel.

    Arguments in the form that the kernel takes, contiguous arrays of the layer's dtype and a plain number, go there at
    once; others go through the checks of :class:`Stepper`.

    Examples
    --------
    >>> from cfc_ref import CfC
    >>> s = CfC(3, 4, seed=0, backend="numba").stepper()
    >>> type(s).__name__, s(np.ones(3), dt=0.5).shape
    ('CompiledStepper', (4,))
    """

    __slots__ = ("_dtype", "_inputs", "_kernel", "_longest", "_memory", "_packed", "_table", "_times", "_watched")

    def __init__(self, frozen: Frozen, batch: int | None = None) -> None:
        self._frozen, self._batch, stream, expected = frozen, batch, frozen.computation, frozen.expected
        self._kernel, self._packed, self._table = stream.kernel, stream.packed, stream.table
        self._dtype, self._longest, self._watched = expected.dtype, frozen.longest, stream.watch is not None
        lead, streams = ((), 1) if batch is None else ((batch,), batch)
        self._inputs, self._outputs = (*lead, expected.inputs), (*lead, frozen.output_size)
        self._memory = stream.memory(streams, streams)
        self._times = self._memory[-streams:]

    def __call__(self, x: Any, dt: Any = 1.0, out: Array | None = None) -> Array:
        """Take one sample, or one per stream, and return the output; arguments as in :class:`Stepper`."""
        dtype, kind = self._dtype, type(dt)
        if kind is not float and kind in _FLOATS:
            dt, kind = float(dt), float  # a float32 compares with a float64 in float32
        if (
            (kind is float or kind is int)
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
            if self._batch is None:
                self._memory[-1] = dt
                done = self._kernel(self._packed, self._table, x, self._memory, y)
            else:
                self._times.fill(dt)
                done = self._kernel(self._packed, self._table, x.reshape(-1), self._memory, y.reshape(-1))
            if done:
                if self._watched:
                    self._frozen.computation.tell(self._memory, len(self._times))
                return y
        return super().__call__(x, dt, out)

    def _advance(self, x: Array, dt: Array) -> Array:
        y = np.empty(self._outputs, self._dtype)
        self._times[...] = dt
        self._kernel(self._packed, self._table, np.ascontiguousarray(x).reshape(-1), self._memory, y.reshape(-1))
        self._frozen.computation.tell(self._memory, len(self._times))
        return y

    def _get(self) -> Any:
        return self._frozen.computation.state(self._memory, len(self._times))

    def _set(self, state: Any) -> None:
        tree_map(np.copyto, self._get(), state)


_ARRAY, _empty = np.ndarray, np.empty  # a name less to look up
_FLOATS = frozenset((np.float64, np.float32))
