"""The input checks, and the errors that they raise.

Every message has three parts: what was got, what is expected, and what to do. Public functions call these checks before
they compute or write anything; kernels and underscored functions do not check their arguments.
"""

from __future__ import annotations

import importlib.util
import numbers
from collections.abc import Iterable
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from cfc_ref.arrays import Array

__all__ = [
    "MissingFileError",
    "as_dtype",
    "choice",
    "compare",
    "count",
    "f_range",
    "finite",
    "first",
    "flag",
    "float_dtype",
    "installed",
    "need",
    "number",
    "numeric",
    "real",
    "refuse",
    "shape",
    "times",
    "together",
    "unreadable",
]


def refuse(name: str, got: object, expected: str, do: str, error: type[Exception] = ValueError) -> NoReturn:
    """Raise `error` with the message in three parts."""
    text = got if isinstance(got, str) else repr(got)
    text = " ".join(text.split())  # one line
    if len(text) > 200:
        text = text[:197] + "..."
    raise error(f"{name}: got {text}; expected {expected}; {do}.")


def installed(package: str) -> bool:
    """Return whether a package can be imported, without importing it."""
    try:
        return importlib.util.find_spec(package) is not None
    except (ImportError, ValueError):  # an import hook that hides it; a stub without a specification
        return False


def need(package: str, purpose: str, otherwise: str = "") -> None:
    """Raise an error if a package is not installed."""
    if not installed(package):
        do = f"run python -m pip install {package}{otherwise}"
        refuse(purpose, f"an installation without {package}", f"{package} installed", do, ModuleNotFoundError)


class MissingFileError(FileNotFoundError, ValueError):
    """The error of a missing file: FileNotFoundError like Python's, and ValueError like every other refusal."""


def unreadable(name: str, path: object, error: OSError, expected: str, do: str = "check the path") -> NoReturn:
    """Refuse a file that the system cannot read."""
    kind = MissingFileError if isinstance(error, FileNotFoundError) else ValueError
    refuse(name, f"{str(path)!r} ({error.strerror or error})", expected, do, kind)


def numeric(name: str, value: npt.ArrayLike, *, expected: str = "finite real numbers") -> Array:
    """Return `value` as an array of finite floats: float32 stays float32, everything else becomes float64."""
    array = real(name, value, expected=expected)
    finite(name, array, expected=expected)
    return array


def real(name: str, value: npt.ArrayLike, *, expected: str = "real numbers") -> Array:
    """Return `value` as an array of floats, NaN and infinity included: :func:`numeric` without its last check."""
    do = f"pass numbers or an array of numbers as {name}"
    if hasattr(value, "filled"):  # numpy.ma is not loaded just to ask
        refuse(name, "a masked array", expected, "pass its unmasked values", TypeError)
    try:
        array = np.asarray(value)
    except Exception:  # whatever an __array__ method raises
        refuse(name, "a ragged sequence" if isinstance(value, (list, tuple)) else type(value).__name__, expected, do)
    if array.dtype.kind not in "iuf":
        kind = type(value).__name__ if array.ndim == 0 else f"an array of dtype {array.dtype}"
        refuse(name, kind, expected, do, TypeError)
    if array.dtype.kind == "f" and array.dtype.itemsize in (4, 8) and array.dtype.isnative:
        return array
    with np.errstate(over="ignore"):  # a long double that float64 does not hold is infinite, and refused
        return array.astype(np.float64)


def finite(name: str, array: Array, *, expected: str = "finite real numbers") -> None:
    """Refuse an array of floats that holds NaN or infinity, with the index of the first."""
    compare(name, array, np.isfinite(array), expected, "remove or replace NaN and infinite entries first")


def number(name: str, value: npt.ArrayLike, *, positive: bool = False) -> float:
    """Return `value` as one finite float."""
    array = numeric(name, value, expected="a number")
    if array.ndim:
        refuse(name, f"shape {array.shape}", "a number", "pass one number")
    if positive:
        compare(name, array, array > 0, "a number > 0", "pass a larger one")
    return float(array)


def as_dtype(name: str, array: Array, dtype: np.dtype[Any], *, do: str = "use a neuron of float64") -> Array:
    """Return a copy of finite numbers in a dtype; refuse those that it cannot hold."""
    if array.dtype == dtype:
        return array.astype(dtype)
    with np.errstate(over="ignore", under="ignore"):
        cast = array.astype(dtype)
    compare(name, array, np.isfinite(cast), f"numbers that {dtype} holds", do)
    return cast


def first(bad: npt.NDArray[np.bool_]) -> tuple[int, ...]:
    """Return the index of the first True entry."""
    return tuple(int(i) for i in np.argwhere(bad)[0])


def compare(name: str, array: Array, ok: npt.NDArray[np.bool_], expected: str, do: str) -> None:
    """Refuse `array` where `ok` is False, naming the first such entry."""
    if not (ok.all() if type(ok) is np.ndarray else ok):
        where = first(~np.asarray(ok))
        index = where[0] if len(where) == 1 else where
        refuse(name, f"{array[where]} at index {index}" if array.ndim else f"{array}", expected, do)


def times(name: str, value: npt.ArrayLike, *, increasing: bool = False, nonnegative: bool = True) -> Array:
    """Return times as a float64 array: finite, by default >= 0, and strictly increasing where asked."""
    array = numeric(name, value, expected="finite times").astype(np.float64)
    if nonnegative:
        compare(name, array, array >= 0, "times >= 0", "count time from the start of the trajectory, t = 0")
    if increasing:
        if array.ndim > 1:
            refuse(name, f"shape {array.shape}", "a number or one axis of times", "pass a one-dimensional array")
        if array.ndim == 1 and not (later := np.diff(array) > 0).all():
            k = first(~later)[0] + 1
            got = f"{array[k]} after {array[k - 1]} at index {k}"
            refuse(name, got, "strictly increasing times", "sort them and drop duplicates")
    return array


def f_range(name: str, value: Any) -> tuple[Array, Array]:
    """Return the two ends of a range of y = f(I), with 0 <= a <= b <= 1."""
    expected, do = "0 <= a <= b <= 1", "pass the smallest and the largest f(I)"
    pair = isinstance(value, (tuple, list)) or (isinstance(value, np.ndarray) and value.ndim > 0)
    if not pair or len(value) != 2:
        refuse(name, type(value).__name__, f"a pair (a, b) with {expected}", do, TypeError)
    a, b = numeric(name, value[0]), numeric(name, value[1])
    together(name, a=a, b=b)
    a, b = np.broadcast_arrays(a, b)
    bad = ~((a >= 0) & (a <= b) & (b <= 1))
    if bad.any():
        where = first(bad)
        refuse(name, f"({a[where]}, {b[where]})", expected, do)
    return a, b


def together(name: str, **arrays: Array) -> tuple[int, ...]:
    """Return the shape to which `arrays` broadcast, or refuse them with all their shapes."""
    try:
        return np.broadcast_shapes(*(array.shape for array in arrays.values()))
    except ValueError:
        shapes = ", ".join(f"{key} {array.shape}" for key, array in arrays.items())
        expected = "shapes that broadcast with each other"
        refuse(name, f"shapes {shapes}", expected, "give each the same shape, or pass a number")


def choice(name: str, value: object, allowed: Iterable[str]) -> str:
    """Return `value` if it is one of `allowed`."""
    allowed = list(allowed)
    expected = "one of " + ", ".join(map(repr, allowed))
    if not isinstance(value, str):
        refuse(name, repr(value), expected, "choose one of them", TypeError)
    if value not in allowed:
        refuse(name, repr(value), expected, "choose one of them")
    return value


def count(name: str, value: object, *, at_least: int = 0) -> int:
    """Return `value` as an int not below `at_least`."""
    expected = f"a whole number >= {at_least}"
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        refuse(name, repr(value), expected, "pass an int", TypeError)
    if value < at_least:
        refuse(name, repr(value), expected, "pass a larger number")
    return int(value)


def flag(name: str, value: object) -> bool:
    """Return `value` if it is True or False."""
    if not isinstance(value, (bool, np.bool_)):
        refuse(name, repr(value), "True or False", "pass one of them", TypeError)
    return bool(value)


def shape(name: str, array: Array, expected: tuple[int, ...], axes: str) -> None:
    """Refuse an array of any other shape, also one that would broadcast."""
    if array.shape != expected:
        refuse(name, f"shape {array.shape}", f"shape {expected}, {axes}", "pass an array of that shape")


def float_dtype(name: str, value: Any) -> np.dtype[Any]:
    """Return float32 or float64 as a dtype."""
    try:
        dtype = np.dtype("float16" if value is None else value)  # numpy takes None for float64
    except Exception:  # numpy parses strings, and raises what its parser raises
        dtype = np.dtype("float16")
    if dtype not in (np.float32, np.float64):
        refuse(name, repr(value), "'float32' or 'float64'", "choose one of them")
    return dtype
