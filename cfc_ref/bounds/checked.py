"""The decorator of a neuron's bounds: it checks and broadcasts the arguments, so that the body is the formula alone."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import numpy as np

from cfc_ref import checks
from cfc_ref.arrays import Array
from cfc_ref.neuron.model import LTCNeuron, neuron_and_start

__all__ = ["Given", "Interval", "appended", "bound", "fits", "formula"]

Interval = tuple[Array, Array]
Given = Any  # array_like where a bound is called; within its formula an array that broadcasts with the others
P = ParamSpec("P")
R = TypeVar("R")


def bound(function: Callable[P, Interval]) -> Callable[P, Interval]:
    """Check and broadcast a bound's arguments before its formula sees them, and its ends to N + t.shape afterwards."""
    signature = inspect.signature(function)

    @functools.wraps(function)
    def checked(*args: P.args, **kwargs: P.kwargs) -> Interval:
        call = signature.bind(*args, **kwargs)
        call.apply_defaults()
        shape, ready = _ready(call.arguments)
        call.arguments.update({name: value for name, value in ready.items() if name in call.arguments})
        low, high = (np.broadcast_to(end, shape).copy() for end in function(*call.args, **call.kwargs))
        return low, high

    return checked


def formula(function: Callable[P, R]) -> Callable[P, R]:
    """Return a bound's formula, element by element: its arguments are trusted and broadcast with each other."""
    unchecked: Callable[P, R] = inspect.unwrap(function)
    return unchecked


def _ready(given: dict[str, Any]) -> tuple[tuple[int, ...], dict[str, Any]]:
    """Return the shape N + t.shape, and the arguments of a bound with the axes of t appended."""
    neuron, start, shape = neuron_and_start(given["neuron"], given.get("x0", 0.0))
    t = checks.as_dtype("t", checks.times("t", given.get("t", 0.0)), neuron.dtype)
    a, b = (end.astype(neuron.dtype) for end in checks.f_range("f_range", given.get("f_range", (0, 1))))
    if neuron.reflection == "input":
        # f(-I) may vary between y = 0.99… and the 1 to which it is rounded: enclose what the ends mean.
        a, b = np.nextafter(a, a.dtype.type(0)), np.nextafter(b, b.dtype.type(1))
    a, b = (appended("f_range", end, shape, t, per_time=True) for end in (a, b))
    ready = {"neuron": neuron.over(t), "x0": appended("x0", start, shape, t), "t": t, "f_range": (a, b)}
    if "y" in given:
        release = checks.numeric("y", given["y"]).astype(neuron.dtype)
        y, low, high = np.broadcast_arrays(appended("y", release, shape, t, per_time=True), a, b)
        checks.compare("y", y, (low <= y) & (y <= high), "a release in f_range", "pass f(I) of the sample")
        ready["y"] = y
    if "release" in given:
        release = checks.numeric("release", given["release"]).astype(neuron.dtype)
        inside = (release >= 0) & (release <= 1)
        checks.compare("release", release, inside, "values in [0, 1]", "pass f(I) of the look")
        ready["release"] = appended("release", release, shape, t)
    if "step" in given:
        ready["step"] = _parameter("step", given["step"], neuron, shape, t)
    if "lipschitz" in given:
        constants = given["lipschitz"] if isinstance(given["lipschitz"], tuple) else (given["lipschitz"],)
        if constants is given["lipschitz"] and "sample" not in given:
            checks.refuse("lipschitz", f"a tuple of {len(constants)}", "one constant", "pass one number", TypeError)
        ready["lipschitz"] = tuple(_parameter("lipschitz", L, neuron, shape, t) for L in constants)
    return shape + t.shape, ready


def _parameter(name: str, value: Any, neuron: LTCNeuron, shape: tuple[int, ...], t: Array) -> Array:
    """Return a step or a Lipschitz constant, of shape N with the axes of t appended."""
    array = checks.numeric(name, value)
    ok, expected = (array > 0, "a step > 0") if name == "step" else (array >= 0, "constants >= 0")
    checks.compare(name, array, ok, expected, "pass its absolute value")
    return appended(name, array.astype(neuron.dtype), shape, t)


def appended(name: str, array: Array, shape: tuple[int, ...], t: Array, *, per_time: bool = False) -> Array:
    """Return an argument of shape N with the axes of t appended; one of shape N + t.shape is left where allowed."""
    if fits(array.shape, shape):
        return np.broadcast_to(array, shape).reshape(shape + (1,) * t.ndim)
    if per_time and fits(array.shape, shape + t.shape):
        return array
    expected = f"a shape that broadcasts to N = {shape}" + f" or to N + t.shape = {shape + t.shape}" * per_time
    return checks.refuse(name, f"shape {array.shape}", expected, "pass a number or one value per neuron")


def fits(shape: tuple[int, ...], into: tuple[int, ...]) -> bool:
    """Return whether an array of `shape` broadcasts to the shape `into` without enlarging it."""
    try:
        return np.broadcast_shapes(shape, into) == into
    except ValueError:
        return False
