"""The arguments of a layer's call: checked, arranged as batch, time, features, and back in the caller's layout.

Libraries differ most in their treatment of time. The rule here: ``timespans[k]`` is the time from the previous sample
to sample k, in the unit of the weights' rates, by default 1. It is a number, one time per step, shape (T,), or one per
sequence and step in the layout of the batch, with or without a last axis of length 1. Every other shape is refused,
also one that would broadcast.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cfc_ref import checks
from cfc_ref.arrays import Array

if TYPE_CHECKING:
    State = tuple[Array, Array | None]

__all__ = ["MOST_PARTS", "OTHER_DTYPE", "UNTIMED", "Call", "Expected", "arrange", "arrange_gradients", "arrange_state"]

OTHER_DTYPE = "use a layer of float64"
MOST_PARTS = 1_000_000  # of a time step
UNTIMED = "as time changes nothing in this layer"


class Expected(NamedTuple):
    """The shapes and types that a layer expects."""

    inputs: int  # inputs, units: features, and neurons of the state
    units: int
    mixed_memory: bool  # whether a state is a pair (h, c)
    batch_first: bool  # (B, T, F) rather than (T, B, F)
    dtype: np.dtype[Any]  # float32 or float64
    timed: bool = True  # whether timespans change anything; where not, they are refused
    longest: float = math.inf  # the longest timespan: MOST_PARTS of a layer's `step`
    tokens: int | None = None  # rows of an embedding: inputs are whole numbers below it

    def check_tokens(self, name: str, x: Array) -> None:
        """Refuse inputs that are no rows of the embedding, if there is one."""
        if self.tokens is not None:
            good = (x >= 0) & (x < self.tokens) & (x == np.floor(x))
            do = "number the tokens from 0, or use a larger table"
            checks.compare(name, x, good, f"whole numbers 0 to {self.tokens - 1}", do)

    def check_longest(self, name: str, dt: Array) -> None:
        """Refuse timespans that would be cut into more than MOST_PARTS parts."""
        if self.longest < math.inf:
            expected = f"times <= {self.longest:g}, which are {MOST_PARTS:,} parts of the layer's step"
            checks.compare(name, dt, dt <= self.longest, expected, "make the layer with a longer step")


class Call(NamedTuple):
    """A call's arguments, arranged."""

    x: Array  # (batch, time, inputs): inputs; 0 at masked steps
    state: State  # the state before the first step, shapes (batch, units)
    dt: Array  # (batch, time): timespans; 0 at masked steps
    mask: Array | None  # (batch, time): true where a step is real
    batched: bool  # whether the caller's x had a batch axis
    time_axis: int  # where the caller's batched arrays have time
    # from a gradient of `dt` to one of the caller's timespans; None where the caller gave none
    spread: Callable[[Array], Any] | None

    def outward(self, array: Array) -> Array:
        """Return (batch, time, …) in the caller's layout."""
        if not self.batched:
            return array[0]
        return array if self.time_axis else array.swapaxes(0, 1)

    def outward_last(self, array: Array) -> Array:
        """Return (batch, …) in the caller's layout."""
        return array if self.batched else array[0]

    def outward_state(self, state: State) -> Any:
        """Return a state in the caller's layout: h, or with mixed memory the pair (h, c)."""
        h, c = state
        return self.outward_last(h) if c is None else (self.outward_last(h), self.outward_last(c))


def arrange(expected: Expected, x: Any, hx: Any = None, timespans: Any = None, mask: Any = None) -> Call:
    """Check a call's arguments together, and arrange them."""
    array = checks.real("x", x)
    if array.ndim not in (2, 3) or array.shape[-1] != expected.inputs:
        axes = "(B, T, F)" if expected.batch_first else "(T, B, F)"
        wanted = f"{axes} or (T, F) with F = {expected.inputs} features"
        checks.refuse("x", f"shape {array.shape}", wanted, "pass time and features as the last axes")
    batched = array.ndim == 3
    time_axis = 1 if expected.batch_first else 0
    whole = array[None] if not batched else array if time_axis else array.swapaxes(0, 1)
    B, T, _ = whole.shape
    real = None if mask is None else _mask(mask, batched, time_axis, B, T)
    if real is not None:
        whole = np.where(real[:, :, None], whole, 0)
    checks.finite("x", whole)
    expected.check_tokens("x", whole)
    if not expected.timed and timespans is not None:
        checks.refuse("timespans", type(timespans).__name__, f"None, {UNTIMED}", "remove timespans")
    dt, spread = _timespans(timespans, real, batched, time_axis, B, T, expected.dtype)
    expected.check_longest("timespans", dt)
    return Call(
        checks.as_dtype("x", whole, expected.dtype, do=OTHER_DTYPE),
        arrange_state(expected, "hx", hx, B if batched else None),
        dt,
        real,
        batched,
        time_axis,
        spread,
    )


def _mask(mask: Any, batched: bool, time_axis: int, B: int, T: int) -> Array:
    """Return a mask as (batch, time)."""
    try:
        array = np.array(mask)  # a copy: a tape is not changed by what the caller writes later
    except ValueError:
        array = np.empty(0)  # a ragged sequence
    if array.dtype != np.bool_:
        got = f"an array of dtype {array.dtype}"
        checks.refuse("mask", got, "booleans, True = a real step", "compare numbers with 0", TypeError)
    per_sample = (B, T) if time_axis else (T, B)
    if array.shape == (T,):
        return np.broadcast_to(array, (B, T))
    if not batched or array.shape != per_sample:
        wanted = f"{per_sample} or ({T},)" if batched else f"({T},)"
        checks.refuse("mask", f"shape {array.shape}", f"shape {wanted}", "pass one boolean per step")
    return array if time_axis else array.T


def _timespans(
    timespans: Any, mask: Array | None, batched: bool, time_axis: int, B: int, T: int, dtype: np.dtype[Any]
) -> tuple[Array, Callable[[Array], Any] | None]:
    """Return timespans as (batch, time), and a function that returns their gradient in the caller's shape."""
    if timespans is None:
        return np.ones((B, T), dtype) if mask is None else mask.astype(dtype), None
    array = checks.real("timespans", timespans, expected="times >= 0")
    given, per_sample = array.shape, (B, T) if time_axis else (T, B)
    if batched and given in (per_sample, (*per_sample, 1)):
        own = array.reshape(per_sample)
        dt = own if time_axis else own.T
    elif given in ((), (T,)) or (not batched and given == (T, 1)):
        dt = np.broadcast_to(array.reshape(given[:1]), (B, T))
    else:
        wanted = f"a number, ({T},), {per_sample} or {(*per_sample, 1)}" if batched else f"a number, ({T},) or ({T}, 1)"
        checks.refuse("timespans", f"shape {given}", wanted, "pass one time per step, or one per sequence and step")

    def spread(d_dt: Array) -> Any:
        if given == ():
            return float(d_dt.sum())
        if batched and given != (T,):
            return (d_dt if time_axis else d_dt.T).reshape(given)
        return d_dt.sum(axis=0).reshape(given)

    if mask is not None:
        dt = np.where(mask, dt, 0)
    checks.compare("timespans", dt, np.isfinite(dt) & (dt >= 0), "times >= 0", "pass the time since the last sample")
    return checks.as_dtype("timespans", dt, dtype, do=OTHER_DTYPE), spread


def arrange_state(expected: Expected, name: str, hx: Any, batch: int | None) -> State:
    """Return a state as arrays of shape (batch, units): (h, c), or h and None; by default 0."""
    inner = (1 if batch is None else batch, expected.units)
    if hx is None:
        return np.zeros(inner, expected.dtype), np.zeros(inner, expected.dtype) if expected.mixed_memory else None
    shape = (expected.units,) if batch is None else (batch, expected.units)
    axes = "(units,)" if batch is None else "(batch, units)"
    parts: tuple[Any, ...] = (hx,)
    if expected.mixed_memory:
        if not isinstance(hx, (tuple, list)) or len(hx) != 2:
            got = f"{len(hx)} parts" if isinstance(hx, (tuple, list)) else type(hx).__name__
            checks.refuse(name, got, "a pair (h, c), as the layer has a memory", "pass both", TypeError)
        parts = tuple(hx)
    elif isinstance(hx, tuple):
        checks.refuse(name, "a tuple", "one array, as the layer has no memory", "pass h alone", TypeError)
    arrays = []
    for part in parts:
        array = checks.numeric(name, part)
        checks.shape(name, array, shape, axes)
        arrays.append(checks.as_dtype(name, array, expected.dtype, do=OTHER_DTYPE).reshape(inner))
    return arrays[0], arrays[1] if expected.mixed_memory else None


def arrange_gradients(
    expected: Expected, call: Call, d_output: Any, d_hx: Any, output_shape: tuple[int, ...]
) -> tuple[Array, State]:
    """Check the gradients that a backward is called with, and arrange them."""
    array = checks.numeric("d_output", d_output)
    checks.shape("d_output", array, output_shape, "that of the output")
    if array.dtype != expected.dtype:
        array = checks.as_dtype("d_output", array, expected.dtype, do=OTHER_DTYPE)
    if not call.batched:
        array = array[None]
    elif array.ndim == 3 and not call.time_axis:
        array = array.swapaxes(0, 1)
    return array, arrange_state(expected, "d_hx", d_hx, call.state[0].shape[0] if call.batched else None)
