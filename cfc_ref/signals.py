r"""Inputs I(t) of a neuron.

Every function that takes a signal also takes a number (a constant input) or a function of t. A signal has

- ``signal(t)``: its values at times t, shape N + t.shape, right-continuous (at a jump: the value after it);
- ``signal.breakpoints``: the increasing times at which it is not smooth;
- ``signal.range(t)``: its smallest and its largest value on [0, t];
- ``signal.above(t, level)``: :math:`I(t)` − level, accurate also if both are large.

N is the signal's shape: ``()`` for one signal that all neurons share, otherwise one signal per neuron. Time has the
unit of :math:`1/w_\tau`, values have the unit of the input.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from cfc_ref import checks
from cfc_ref.arrays import Array
from cfc_ref.csv_table import column_of, number_columns, read_rows
from cfc_ref.csv_times import are_dates, increasing_times

__all__ = [
    "PiecewiseConstant",
    "Sampled",
    "Signal",
    "SignalLike",
    "Sine",
    "Smooth",
    "as_signal",
    "from_csv",
    "piecewise_constant",
    "sampled",
    "sine",
    "smooth",
]


class Signal:
    """An input I(t); the module's docstring describes its methods."""

    shape: tuple[int, ...] = ()  # n, the shape of signals
    breakpoints: Array = np.empty(0)  # increasing times at which the signal or one of its derivatives jumps

    def __call__(self, t: npt.ArrayLike) -> Array:
        """Return the values at times `t`, shape N + t.shape."""
        return self._values(checks.times("t", t, nonnegative=False))

    def range(self, t: npt.ArrayLike) -> tuple[Array, Array]:
        """Return the smallest and the largest value on [0, t], each of shape N + t.shape."""
        return self._range(checks.times("t", t))

    def above(self, t: Array, level: Array) -> Array:
        """Return I(t) - level for levels of shape N, if possible without the rounding of a large offset."""
        return self._values(t) - over_time(level, t)

    def rounding(self, t: Array) -> Array:
        """Return the rounding error of :meth:`above` for values as large as those at the times `t`, shape N."""
        return np.finfo(np.float64).eps * np.abs(self._values(t)).max(axis=-1, initial=0.0)

    def turning_points(self, end: float) -> Array:
        """Return the known times in (0, end) at which a smooth signal turns, increasing."""
        return np.empty(0)

    def _values(self, t: Array) -> Array:
        raise NotImplementedError

    def _range(self, t: Array) -> tuple[Array, Array]:
        raise NotImplementedError


SignalLike: TypeAlias = Signal | npt.ArrayLike | Callable[[Array], npt.ArrayLike]


def over_time(level: Array, t: Array) -> Array:
    """Return an array of shape N with one axis of length 1 appended per axis of `t`."""
    level = np.asarray(level)
    return level.reshape(level.shape + (1,) * t.ndim)


class _Exact(Signal):
    """A signal that subtracts a level before it rounds."""

    def _values(self, t: Array) -> Array:
        return self.above(t, np.zeros(()))

    def rounding(self, t: Array) -> Array:
        """Return 0."""
        return np.zeros(self.shape)


class _Table(_Exact):
    """A signal given by a table of times and values."""

    def __init__(self, times: npt.ArrayLike, values: npt.ArrayLike) -> None:
        self.times = checks.times("times", times, increasing=True, nonnegative=False)
        self.values = checks.numeric("values", values).astype(np.float64)
        if self.times.ndim != 1 or self.times.size == 0:
            checks.refuse("times", f"shape {self.times.shape}", "one axis of at least one time", "pass a list of times")
        if self.values.shape[-1:] != self.times.shape:
            got = f"shape {self.values.shape} for {self.times.size} times"
            expected = "as many values along the last axis as times"
            checks.refuse("values", got, expected, "pass one value per time")
        self.shape = self.values.shape[:-1]

    def _entry(self, k: npt.NDArray[np.intp], level: Array) -> Array:
        """Return the k-th values above `level`."""
        return self.values[..., k] - over_time(level, k)

    def __repr__(self) -> str:
        of = f", {self.shape} signals" if self.shape else ""
        return f"{type(self).__name__}({self.times.size} values from t = {self.times[0]:g} to {self.times[-1]:g}{of})"


class PiecewiseConstant(_Table):
    """Value k holds from times[k] to times[k+1]; see :func:`piecewise_constant`."""

    def __init__(self, times: npt.ArrayLike, values: npt.ArrayLike) -> None:
        super().__init__(times, values)
        self.breakpoints = self.times[1:]

    def _piece(self, t: Array) -> npt.NDArray[np.intp]:
        return np.searchsorted(self.breakpoints, t, side="right")

    def above(self, t: Array, level: Array) -> Array:
        """Return I(t) - level."""
        return self._entry(self._piece(t), level)

    def _range(self, t: Array) -> tuple[Array, Array]:
        first = int(self._piece(np.asarray(0.0)))
        upto = self._piece(t) - first
        seen = self.values[..., first:]
        return np.minimum.accumulate(seen, axis=-1)[..., upto], np.maximum.accumulate(seen, axis=-1)[..., upto]


class Sampled(_Table):
    """Straight lines between samples; see :func:`sampled`."""

    def __init__(self, times: npt.ArrayLike, values: npt.ArrayLike) -> None:
        super().__init__(times, values)
        self.breakpoints = self.times

    def above(self, t: Array, level: Array) -> Array:
        """Return I(t) - level: each sample less the level, then the straight line between two of them."""
        if self.times.size == 1:
            return self._entry(np.zeros(t.shape, dtype=np.intp), level)
        k = np.clip(np.searchsorted(self.times, t, side="right") - 1, 0, self.times.size - 2)
        fraction = np.clip((t - self.times[k]) / (self.times[k + 1] - self.times[k]), 0, 1)
        return self._entry(k, level) * (1 - fraction) + self._entry(k + 1, level) * fraction

    def _range(self, t: Array) -> tuple[Array, Array]:
        # The extremes of straight lines lie at their ends: at 0, at t and at the samples between.
        first = int(np.searchsorted(self.times, 0.0, side="right"))
        start = self._values(np.asarray(0.0))[..., None]
        seen = np.concatenate([start, self.values[..., first:]], axis=-1)
        upto = np.searchsorted(self.times, t, side="right") - first
        end = self._values(t)
        low = np.minimum(np.minimum.accumulate(seen, axis=-1)[..., upto], end)
        return low, np.maximum(np.maximum.accumulate(seen, axis=-1)[..., upto], end)


class Sine(_Exact):
    """A sine wave; see :func:`sine`."""

    _FEW = 16  # of at most so many signals the turning points are computed

    def __init__(
        self, amplitude: npt.ArrayLike, frequency: npt.ArrayLike, phase: npt.ArrayLike, offset: npt.ArrayLike
    ) -> None:
        given = {"amplitude": amplitude, "frequency": frequency, "phase": phase, "offset": offset}
        arrays = {name: checks.numeric(name, value).astype(np.float64) for name, value in given.items()}
        self.shape = checks.together("sine", **arrays)
        self.amplitude, self.frequency, self.phase, self.offset = np.broadcast_arrays(*arrays.values())

    def _parameters(self, t: Array) -> Iterator[Array]:
        for parameter in (self.amplitude, self.frequency, self.phase, self.offset):
            yield over_time(parameter, t)

    def above(self, t: Array, level: Array) -> Array:
        """Return I(t) - level: the offset less the level, then the wave."""
        amplitude, frequency, phase, offset = self._parameters(t)
        return (offset - over_time(level, t)) + amplitude * np.sin(2 * np.pi * frequency * t + phase)

    def turning_points(self, end: float) -> Array:
        """Return the times of the crests and troughs in (0, end); none for many signals, to keep the times few."""
        times: set[float] = set()
        if self.phase.size > self._FEW:
            return np.empty(0)
        for frequency, phase in zip(self.frequency.flat, self.phase.flat, strict=True):
            turns = np.sort([phase, phase + 2 * np.pi * frequency * end]) / np.pi - 0.5
            halves = np.arange(np.ceil(turns[0]), np.floor(turns[1]) + 1)  # sin = ±1 at (k + 1/2) π
            if frequency:
                times.update((((halves + 0.5) * np.pi - phase) / (2 * np.pi * frequency)).tolist())
        return np.array(sorted(time for time in times if 0 < time < end))

    def _range(self, t: Array) -> tuple[Array, Array]:
        amplitude, frequency, phase, offset = self._parameters(t)
        ends = np.sort(np.stack(np.broadcast_arrays(phase, phase + 2 * np.pi * frequency * t)), axis=0)
        low, high = np.sort(np.sin(ends), axis=0)
        turns = ends / (2 * np.pi)
        crest = np.floor(turns[1] - 0.25) >= np.ceil(turns[0] - 0.25)  # sin = 1 somewhere between the ends
        trough = np.floor(turns[1] + 0.25) >= np.ceil(turns[0] + 0.25)
        values = offset + amplitude * np.stack([np.where(trough, -1, low), np.where(crest, 1, high)])
        return values.min(axis=0), values.max(axis=0)

    def __repr__(self) -> str:
        return f"Sine(amplitude={self.amplitude}, frequency={self.frequency}, phase={self.phase}, offset={self.offset})"


class Smooth(Signal):
    """A function of time; see :func:`smooth`."""

    _GRID = 257  # points per smooth piece in the search for the range; three rounds zoom in on the best of them
    _ROUNDS = 4

    def __init__(self, function: Callable[[Array], npt.ArrayLike], breakpoints: npt.ArrayLike = ()) -> None:
        if not callable(function):
            checks.refuse("function", type(function).__name__, "a function of t", "pass one, such as np.sin", TypeError)
        self.function = function
        self.breakpoints = checks.times("breakpoints", breakpoints, increasing=True, nonnegative=False).reshape(-1)
        self.shape = self._call(np.zeros(1)).shape[:-1]

    def _call(self, t: Array) -> Array:
        """Return the values at one axis of times, shape N + (T,)."""
        do = "write the function with NumPy (np.sin, not math.sin) so that it takes an array of times"
        try:
            values = self.function(t)
        except (TypeError, ValueError) as error:
            got = f"a function that fails on an array of times ({error})"
            checks.refuse("signal", got, "a function of an array", do, TypeError)
        array = checks.numeric("signal", values, expected="finite values of the function").astype(np.float64)
        if not array.ndim:
            array = np.broadcast_to(array, t.shape)  # a function that does not depend on t
        if array.shape[-1:] != t.shape:
            got = f"values of shape {array.shape} for times of shape {t.shape}"
            checks.refuse("signal", got, "values of shape N + t.shape", do)
        return array

    def _values(self, t: Array) -> Array:
        return self._call(t.reshape(-1)).reshape(self.shape + t.shape)

    def _range(self, t: Array) -> tuple[Array, Array]:
        ranges = [self._range_until(float(end)) for end in t.reshape(-1)]
        low, high = (
            np.stack([pair[k] for pair in ranges], axis=-1) if ranges else np.empty((*self.shape, 0)) for k in (0, 1)
        )
        return low.reshape(self.shape + t.shape), high.reshape(self.shape + t.shape)

    def _range_until(self, end: float) -> tuple[Array, Array]:
        inside = self.breakpoints[(self.breakpoints > 0) & (self.breakpoints < end)]
        edges = np.concatenate([[0.0], inside, [end]])
        pieces = zip(edges[:-1], edges[1:], strict=True)
        extremes = [self._extreme(start, stop, sign) for start, stop in pieces for sign in (-1, 1)]
        at_end = self._call(np.asarray([end]))[..., 0]
        return np.minimum(np.min(extremes, axis=0), at_end), np.maximum(np.max(extremes, axis=0), at_end)

    def _extreme(self, start: float, stop: float, sign: int) -> Array:
        """Return the maximum of sign·I on [start, stop), times sign, for each signal."""
        last = float(np.nextafter(stop, start))
        best = np.empty(self.shape)
        for signal in np.ndindex(self.shape):
            low, high = start, last
            for _ in range(self._ROUNDS):
                grid = np.linspace(low, high, self._GRID)
                values = sign * self._call(grid)[signal]
                k = int(values.argmax())
                low, high = grid[max(k - 1, 0)], grid[min(k + 1, self._GRID - 1)]
            best[signal] = sign * values[k]
        return best

    def __repr__(self) -> str:
        return f"Smooth({getattr(self.function, '__name__', self.function)!s})"


def piecewise_constant(times: npt.ArrayLike, values: npt.ArrayLike) -> PiecewiseConstant:
    """Return a signal that is constant between times (the input of Eq. 7 and 8).

    Value k holds from times[k] to times[k+1], the last one for ever; before the first time the first value holds.

    Parameters
    ----------
    times : array_like, shape (K,)
        Strictly increasing times.
    values : array_like, shape N + (K,)
        The values; with leading axes one signal per neuron.

    Raises
    ------
    ValueError, TypeError
        For times that do not increase, values that are not finite, and shapes that do not fit.

    Examples
    --------
    >>> piecewise_constant([0.0, 1.0], [2.0, -1.0])([0.5, 1.0, 9.0])
    array([ 2., -1., -1.])
    """
    return PiecewiseConstant(times, values)


def sine(
    amplitude: npt.ArrayLike = 1.0,
    frequency: npt.ArrayLike = 1.0,
    phase: npt.ArrayLike = 0.0,
    offset: npt.ArrayLike = 0.0,
) -> Sine:
    r"""Return a sine wave, :math:`\text{offset} + \text{amplitude}\,\sin(2\pi\,\text{frequency}\,t + \text{phase})`.

    Parameters
    ----------
    amplitude, offset : array_like
        In the unit of the input.
    frequency : array_like
        Periods per unit of time.
    phase : array_like
        In radians.

    Raises
    ------
    ValueError, TypeError
        For numbers that are not finite and shapes that do not broadcast.

    Examples
    --------
    >>> low, high = sine(2.0, offset=1.0).range(1.0)
    >>> float(low), float(high)
    (-1.0, 3.0)
    """
    return Sine(amplitude, frequency, phase, offset)


def sampled(times: npt.ArrayLike, values: npt.ArrayLike, kind: str = "linear") -> Sampled | PiecewiseConstant:
    """Return a signal through samples: straight lines between them, or each held until the next.

    Outside of the samples the first and the last value hold.

    Parameters
    ----------
    times : array_like, shape (K,)
        Strictly increasing times, of any spacing.
    values : array_like, shape N + (K,)
        The samples; with leading axes one signal per neuron.
    kind : {"linear", "previous"}
        Straight lines between samples, or each sample held until the next.

    Raises
    ------
    ValueError, TypeError
        As :func:`piecewise_constant`, and for an unknown `kind`.

    Examples
    --------
    >>> sampled([0.0, 2.0], [0.0, 1.0])([1.0, 5.0])
    array([0.5, 1. ])
    """
    kind = checks.choice("kind", kind, ["linear", "previous"])
    return Sampled(times, values) if kind == "linear" else PiecewiseConstant(times, values)


def smooth(function: Callable[[Array], npt.ArrayLike], breakpoints: npt.ArrayLike = ()) -> Smooth:
    """Return a function of time as a signal.

    Parameters
    ----------
    function : callable
        Takes an array of times and returns values of shape N + t.shape; smooth between `breakpoints`.
    breakpoints : array_like, shape (K,)
        Times at which it jumps or bends. Solvers and quadratures restart there; a missing one costs accuracy.

    Notes
    -----
    ``range`` evaluates 257 points per piece and zooms in on the best of them: an estimate from inside, exact to about
    1e-9 of the range for a function that does not oscillate faster than that. A function whose values are large, such
    as 1e9 + sin t, is accurate to the rounding of these values only, which the solvers' tolerances respect;
    ``sine(offset=1e9)`` loses no digit.

    Raises
    ------
    ValueError, TypeError
        If `function` can't be called, or its values are not finite or have a wrong shape.

    Examples
    --------
    >>> low, high = smooth(np.cos).range(3.0)
    >>> round(float(low), 6), float(high)
    (-0.989992, 1.0)
    """
    return Smooth(function, breakpoints)


def as_signal(signal: SignalLike) -> Signal:
    """Return `signal` as a :class:`Signal`: a number becomes a constant one, a function of t a smooth one.

    Parameters
    ----------
    signal : Signal, array_like or callable
        An array of shape N gives one constant per neuron.

    Raises
    ------
    ValueError, TypeError
        For anything else, and for values that are not finite.

    Examples
    --------
    >>> as_signal(0.5)([0.0, 7.0])
    array([0.5, 0.5])
    """
    if isinstance(signal, Signal):
        return signal
    if callable(signal):
        return Smooth(signal)
    value = checks.numeric("signal", signal, expected="a number, a function of t or a signal of cfc_ref.signals")
    return PiecewiseConstant([0.0], value[..., None])


def from_csv(
    path: str | Path, time_column: str, value_column: str, kind: str = "linear", *, dates: bool | None = None
) -> Sampled | PiecewiseConstant:
    r"""Read a signal from a table with a header: one column of times, of any spacing, and one of values.

    Parameters
    ----------
    path : str or Path
        A text file in UTF-8, comma-separated, with the names of the columns in the first line.
    time_column, value_column : str
        The names of the columns. Times are numbers of any unit or ISO dates. Numbers are kept as written where float64
        holds their steps to nine digits; otherwise (nanoseconds since 1970), and for dates, time is counted from the
        first row, for dates in seconds.
    kind : {"linear", "previous"}
        As in :func:`sampled`.
    dates : bool, optional
        Whether the times are dates, if they can be read as both.

    Raises
    ------
    ValueError
        For a file that is missing, empty, binary or without rows, a column that is missing or occurs twice, a row of
        another length, a field that is no finite number, times that do not increase; with line and column.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> folder = tempfile.TemporaryDirectory()
    >>> file = pathlib.Path(folder.name) / "recording.csv"
    >>> _ = file.write_text("t,v\n0,1\n2.5,3\n")
    >>> from_csv(file, "t", "v")
    Sampled(2 values from t = 0 to 2.5)
    >>> folder.cleanup()
    """
    kind = checks.choice("kind", kind, ["linear", "previous"])
    if not isinstance(path, (str, Path)):
        checks.refuse("path", type(path).__name__, "the path of a file", "pass a string or a Path", TypeError)
    columns = {"time_column": time_column, "value_column": value_column}
    for argument, column in columns.items():
        if not isinstance(column, str):
            checks.refuse(argument, repr(column), "the name of a column", "pass a string", TypeError)
    rows = read_rows(path)
    _, place = (column_of(argument, column, rows.header) for argument, column in columns.items())
    times = increasing_times("path", rows, time_column, dates=are_dates(rows, time_column, dates))
    return sampled(times, number_columns("path", rows, [place])[0], kind)
