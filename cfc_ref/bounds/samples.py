"""The sharp enclosure of the LTC as stated for an input that is known at samples only: :mod:`cfc_ref.bounds.paths`."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cfc_ref import checks, signals
from cfc_ref.activations import logit, sigmoid
from cfc_ref.arrays import Array
from cfc_ref.bounds.checked import Interval, fits
from cfc_ref.bounds.flow import SATURATED
from cfc_ref.bounds.paths import Neurons, Track, along
from cfc_ref.neuron.model import FORMS, LTCNeuron, neuron_and_start

__all__ = ["SampleStream", "extremal_input", "from_samples"]

OF = ("input", "release")
_SLACK = 1e-12  # relative: a constant that was computed from the samples themselves is large enough
_OFF = 1e-15  # of 0 and 1, for a release that is played by an input


def _pose(
    neuron: Any, x0: Any, lipschitz: Any, of: Any, f_range: Any, form: Any, values: tuple[int, ...] = ()
) -> Neurons:
    """Check everything but the samples; `values` is the shape of the neurons that they bring along."""
    neuron, start, shape = neuron_and_start(neuron, x0)
    shape = checks.together("values", neuron=np.broadcast_to(0.0, shape), values=np.broadcast_to(0.0, values))
    of, form = checks.choice("of", of, OF), checks.choice("form", form, FORMS)
    constant = checks.numeric("lipschitz", lipschitz)
    checks.compare("lipschitz", constant, constant >= 0, "constants >= 0", "pass its absolute value")
    a, b = checks.f_range("f_range", f_range)
    for name, array in (("lipschitz", constant), ("f_range", a)):
        if not fits(array.shape, shape):
            expected = f"a shape that broadcasts to N = {shape}"
            checks.refuse(name, f"shape {array.shape}", expected, "pass a number or one value per neuron")

    def flat(array: Any) -> Array:
        return np.broadcast_to(np.asarray(array, np.float64), shape).reshape(-1, 1)

    w, A, mu, sigma, K, a, b = map(flat, (*neuron.parameters, constant, a, b))
    logistic = of == "input"
    if logistic:
        low, high = np.maximum(logit(a), -SATURATED), np.minimum(logit(b), SATURATED)
    else:
        low, high, sigma, mu = a, b, np.ones_like(sigma), np.zeros_like(mu)
    mirror = np.where(A < 0, -1.0, 1.0)
    drive = np.abs(A) * w if form == "ltc" else np.zeros_like(w)
    c = mirror * (flat(start) - A)
    speed = np.abs(sigma) * K
    return Neurons(shape, neuron.dtype, w, drive, A, mirror, c, speed, K, low, high, sigma, mu, logistic)


def _slack(*given: Any) -> float:
    """Return the relative slack of a constant that was computed from samples of these dtypes."""
    rough = any(np.asarray(one).dtype == np.float32 for one in given)
    return 4 * float(np.finfo(np.float32).eps) if rough else _SLACK


def _check_samples(posed: Neurons, times: Array, values: Array, name: str, slack: float, row: int = 0) -> None:
    """Refuse samples outside of the known range, and pairs that no admissible input passes through."""
    # `values` is flat, `row` the number of its first column, and `slack` that of the constant
    y, a, b = (sigmoid(p) if posed.logistic else p for p in (posed.position(values), posed.low, posed.high))
    inside = (y >= a - _SLACK) & (y <= b + _SLACK)
    if not inside.all():
        i, k = checks.first(~inside)
        got = f"{values[i, k]} at row {row + k}{posed.whose(i)}, where f(I) is {y[i, k]}"
        checks.refuse(name, got, f"f(I) in the f_range ({a[i, 0]}, {b[i, 0]})", "correct the row, or widen f_range")
    rounding = _SLACK * np.maximum(np.abs(values[:, 1:]), np.abs(values[:, :-1]))
    with np.errstate(over="ignore"):
        rises, spans = np.abs(np.diff(values)), np.diff(times)
        slopes = rises / spans
        excess = np.maximum(rises - rounding, 0) / spans - posed.lipschitz * (1 + slack)
    if (excess > 0).any():
        i, k = (int(n) for n in np.unravel_index(np.argmax(excess), excess.shape))
        first, second = (f"{values[i, n]} at row {row + n}, t = {times[n]}" for n in (k, k + 1))
        expected = f"a slope of at most lipschitz = {posed.lipschitz[i, 0]}"
        least = float(slopes.max())
        do = f"correct a row, or pass lipschitz >= {least!r}, the least constant that would do"
        do = do if np.isfinite(least) else "correct a row"
        checks.refuse(name, f"{first}, and {second}{posed.whose(i)}", expected, do)


# --- public


def from_samples(
    neuron: LTCNeuron,
    x0: npt.ArrayLike,
    t: npt.ArrayLike,
    times: npt.ArrayLike,
    values: npt.ArrayLike,
    lipschitz: npt.ArrayLike,
    of: str = "input",
    f_range: Any = (0, 1),
    plain: bool = False,
    form: str = "ltc",
) -> Interval:
    r"""Smallest and largest state over all inputs that pass through samples and are Lipschitz in time: sharp.

    .. math:: |I(s) - I(s')| \le K\,|s - s'|, \qquad I(t_k) = I_k

    Both ends are attained (by :func:`extremal_input`), and all states between them are reached.

    Parameters
    ----------
    neuron : LTCNeuron
        Parameters of shape N.
    x0 : array_like
        State at t = 0, broadcasts with N.
    t : array_like, any shape
        Times >= 0 in any order: at samples, between, before and after them.
    times : array_like, shape (K,)
        Strictly increasing times >= 0 of the samples.
    values : array_like, shape N + (K,)
        The samples; with leading axes one recording per neuron.
    lipschitz : array_like
        The constant K >= 0, of the input or of the release f(I) *in time*; broadcasts to N.
    of : {"input", "release"}
        Whether samples and constant are of the input I or of the release y = f(I).
    f_range : (a, b)
        A known range of f(I); each end broadcasts to N.
    plain : bool
        Let the release jump between the envelopes as x passes A, which needs no search: sound, and wider than the sharp
        interval by at most :math:`0.02493\,|A|\,w\,L h^3`, h the length of the interval in which that happens and
        :math:`L \le |\sigma| K/4` the constant of the release.
    form : {"ltc", "symmetric"}
        Which of the two ODEs.

    Returns
    -------
    low, high : ndarray, shape N + t.shape
        States, not errors.

    Raises
    ------
    ValueError, TypeError
        In three parts: for samples that contradict each other or the range, with the rows and the least constant that
        would do.

    Examples
    --------
    >>> neuron = LTCNeuron(w_tau=0.7, A=1.5)
    >>> low, high = from_samples(neuron, 2.3, [0.5, 2.5], [0, 0.5, 1.2, 2], [0.3, 0.5, 0.35, 0.6], 1.0, of="release")
    >>> low.round(4), high.round(4)
    (array([1.548, 0.611]), array([1.5778, 0.836 ]))
    """
    run, t = _run(neuron, x0, t, times, values, lipschitz, of, f_range, form, checks.flag("plain", plain))
    ends = run.query(t.reshape(-1))
    # Not in the paper: the sharp enclosure from samples
    return run.track.posed.states((ends[-1][0], ends[1][0]), t.shape)


class _Run(NamedTuple):
    """A recording with the extremes of z at its samples."""

    track: Track
    values: Array  # flat
    z: dict[int, Array]  # side → z at the samples
    share: dict[int, Array]  # side → shares of the paths that end at the samples (the first: before it)
    plain: bool

    def query(self, t: Array) -> dict[int, tuple[Array, Array]]:
        """Return the extremes of z at some times by side, each with the shares of the last paths."""
        times = self.track.times
        k = np.searchsorted(times, t, side="right") - 1
        cut = np.where(k < 0, t, t - times[np.maximum(k, 0)])
        fresh = np.flatnonzero(cut > 0)
        moves = self.track.moves(k[fresh], cut[fresh], plain=self.plain)
        result = {}
        for side, at_samples in self.z.items():
            z = np.where(k < 0, self.track.posed.c, at_samples[:, np.maximum(k, 0)])
            share = np.zeros_like(z)
            z[:, fresh], share[:, fresh] = moves.extreme(z[:, fresh], side)
            result[side] = z, share
        return result


def _run(
    neuron: Any, x0: Any, t: Any, times: Any, values: Any, lipschitz: Any, of: Any, f_range: Any, form: Any, plain: bool
) -> tuple[_Run, Array]:
    """Check everything, and follow both extremes along the samples."""
    t, at = checks.times("t", t), checks.times("times", times, increasing=True)
    recorded = checks.numeric("values", values).astype(np.float64)
    if at.ndim != 1 or not at.size:
        checks.refuse("times", f"shape {at.shape}", "one axis of times, at least one", "pass an array of shape (K,)")
    if recorded.shape[-1:] != at.shape:
        expected = f"shape N + {at.shape}, one sample per time"
        checks.refuse("values", f"shape {recorded.shape}", expected, "pass one sample per time")
    posed = _pose(neuron, x0, lipschitz, of, f_range, form, recorded.shape[:-1])
    slack, values = _slack(times, values, lipschitz), posed.flat(recorded)
    _check_samples(posed, at, values, "values", slack)
    track = Track(posed, at, posed.position(values))
    first = 0 if at[0] > 0 else 1  # without time before the first sample, no path leads to it
    moves = track.moves(np.arange(-1, at.size - 1)[first:], np.diff(at, prepend=0.0)[first:], plain=plain)
    z, share = {}, {}
    for side in (1, -1):
        z[side], share[side] = along(moves, posed.c, side)
        if first:
            share[side] = np.pad(share[side], ((0, 0), (1, 0)))
        else:
            z[side] = z[side][:, 1:]
    return _Run(track, values, z, share, plain), t


class SampleStream:
    """The enclosure of :func:`from_samples` at each sample as it comes in, for the same work per sample.

    Parameters
    ----------
    neuron : LTCNeuron
        Parameters of shape N.
    x0, lipschitz, of, f_range, form
        As in :func:`from_samples`; all broadcast to N.

    Raises
    ------
    ValueError, TypeError
        In three parts.

    Examples
    --------
    >>> stream = SampleStream(LTCNeuron(w_tau=0.7, A=1.5), x0=2.3, lipschitz=1.0, of="release")
    >>> for time, value in ((0.0, 0.3), (0.5, 0.5), (1.2, 0.35)):
    ...     low, high = stream.push(time, value)
    >>> round(float(low), 4), round(float(high), 4)
    (0.9829, 1.0405)
    """

    def __init__(
        self,
        neuron: LTCNeuron,
        x0: npt.ArrayLike,
        lipschitz: npt.ArrayLike,
        of: str = "input",
        f_range: Any = (0, 1),
        form: str = "ltc",
    ) -> None:
        self._posed = _pose(neuron, x0, lipschitz, of, f_range, form)
        self._z, self._slack = {1: self._posed.c, -1: self._posed.c}, _slack(lipschitz)
        self._times, self._values = np.empty(0), np.empty((len(self._posed.c), 0))  # of the last sample
        self._count = 0

    def push(self, time: float, value: npt.ArrayLike) -> Interval:
        """Return (low, high) of the state at the time of a new sample, shape N.

        Parameters
        ----------
        time : float
            Later than that of the last sample, >= 0.
        value : array_like
            The sample, a number or one per neuron.
        """
        posed, at = self._posed, checks.number("time", time)
        if not at >= 0 or (self._times.size and at <= self._times[0]):
            expected = f"a time after {self._times[0]}" if self._times.size else "a time >= 0"
            checks.refuse("time", f"{at}", expected, "push samples in the order of their times")
        sample = checks.numeric("value", value).astype(np.float64)
        if not fits(sample.shape, posed.shape):
            expected = f"a shape that broadcasts to N = {posed.shape}"
            checks.refuse("value", f"shape {sample.shape}", expected, "pass a number or one value per neuron")
        times = np.append(self._times, at)
        values = np.hstack([self._values, posed.flat(sample[..., None])])
        self._slack = max(self._slack, _slack(time, value))
        _check_samples(posed, times, values, "value", self._slack, max(0, self._count - 1))
        first = self._count == 0
        if at > 0:
            track = Track(posed, times, posed.position(values))
            moves = track.moves(np.array([-1 if first else 0]), np.diff(times, prepend=0.0)[-1:], plain=False)
            self._z = {side: moves.extreme(z, side)[0] for side, z in self._z.items()}
        self._times, self._values, self._count = times[-1:], values[:, -1:], self._count + 1
        return posed.states((self._z[-1], self._z[1]), ())


def extremal_input(
    neuron: LTCNeuron,
    x0: npt.ArrayLike,
    t: float,
    times: npt.ArrayLike,
    values: npt.ArrayLike,
    lipschitz: npt.ArrayLike,
    of: str = "input",
    f_range: Any = (0, 1),
    form: str = "ltc",
) -> tuple[signals.Signal, signals.Signal]:
    """Inputs that reach the ends of :func:`from_samples` at one time.

    Parameters
    ----------
    neuron, x0, times, values, lipschitz, of, f_range, form
        As in :func:`from_samples`. With ``of="release"`` the gain of the neuron must not be 0.
    t : float
        The time, >= 0.

    Returns
    -------
    lowest, highest : Signal
        They pass through all samples, with straight lines between the corners of the input (of the release with
        ``of="release"``; there releases of 0 and 1, which no input has, are 1e-15 off).

    Raises
    ------
    ValueError, TypeError
        In three parts.

    Examples
    --------
    >>> neuron = LTCNeuron(w_tau=1.0, A=1.0)
    >>> lowest, highest = extremal_input(neuron, 1.6, 1.0, [0.0, 1.0], [0.4, 0.6], 0.5, of="release")
    >>> neuron.f(highest([0.0, 0.05, 0.75, 1.0])).round(3)
    array([0.4  , 0.375, 0.723, 0.6  ])
    """
    end = checks.times("t", t)
    if end.ndim:
        checks.refuse("t", f"shape {end.shape}", "one time", "pass a number")
    run, _ = _run(neuron, x0, end, times, values, lipschitz, of, f_range, form, plain=False)
    if of == "release":
        ok, do = neuron.sigma != 0, "pass of='input', as its release is 1/2 for every input"
        checks.compare("neuron", np.asarray(neuron.sigma), ok, "a gain other than 0", do)
    return _played(neuron, run, float(end), -1), _played(neuron, run, float(end), 1)


def extremal_corners(
    sides: Array, neuron: LTCNeuron, x0: Array, t: float, times: Array, values: Array, lipschitz: Array, of: str
) -> list[tuple[Array, Array]]:
    """Return the corners, times and positions, of the inputs that lead to the lower (side -1) or the upper end (1)."""
    run, _ = _run(neuron, x0, t, times, values, lipschitz, of, (0, 1), "ltc", plain=False)
    return _paths(run, t, sides)


def _paths(run: _Run, end: float, sides: Any) -> list[tuple[Array, Array]]:
    """Return the corners of each neuron's path to one end at the time `end`, held between the limits."""
    posed, last = run.track.posed, run.query(np.array([end]))
    low = np.where(posed.logistic & (posed.low <= -SATURATED), -np.inf, posed.low)[:, 0]
    high = np.where(posed.logistic & (posed.high >= SATURATED), np.inf, posed.high)[:, 0]
    mirrored = np.where(posed.mirror[:, 0] < 0, -1, 1) * sides
    corners = [_corners(run, i, int(side), end, last) for i, side in enumerate(mirrored)]
    return [(t, np.clip(p, low[i], high[i])) for i, (t, p) in enumerate(corners)]


def _played(neuron: LTCNeuron, run: _Run, end: float, side: int) -> signals.Signal:
    """Return the input that reaches one end, the lower (-1) or the upper (1), at the time `end`."""
    posed, corners = run.track.posed, _paths(run, end, side)
    grid = np.unique(np.concatenate([*(t for t, _ in corners), [0.0]]))
    p = np.stack([np.interp(grid, *corner) for corner in corners]) if corners else np.empty((0, grid.size))
    if posed.logistic:
        straight = np.stack([np.interp(grid, run.track.times, row) for row in run.values]) if corners else p
        flat = np.where(posed.gain == 0, straight, posed.mu + p / np.where(posed.gain == 0, 1, posed.gain))
        return signals.sampled(grid, flat.reshape(*posed.shape, grid.size))

    def played(t: Array) -> Array:
        y = np.stack([np.interp(t, grid, row) for row in p]).reshape(posed.shape + t.shape)
        over = neuron.over(t)
        return over.mu + logit(np.clip(y, _OFF, 1 - _OFF)) / over.sigma

    return signals.smooth(played, grid)


def _corners(run: _Run, i: int, side: int, end: float, last: dict[int, tuple[Array, Array]]) -> tuple[Array, Array]:
    """Return the times and positions of the corners of neuron i's path, those at the limits too."""
    track, row = run.track, np.array([i])
    times, n = track.times, int(np.searchsorted(track.times, end, side="right"))  # samples until then
    t: list[float] = []
    p: list[float] = []
    for k in range(-1 if times[0] > 0 else 0, n):
        until = times[k + 1] if k + 1 < len(times) else max(end, times[-1])
        share = run.share[side][i, k + 1] if k + 1 < n else last[side][1][i, 0]
        begin = times[k] if k >= 0 else 0.0
        family = track.family(np.array([k]), np.array([until - begin]), side, row)
        start, lengths, slopes = family.pieces(share)
        steps = np.concatenate(lengths)
        t.extend(begin + np.cumsum([0.0, *steps]))
        p.extend(start[0] + np.cumsum([0.0, *steps * np.concatenate(slopes)]))
    t.extend(times[n:])
    p.extend(track.p[i, n:])
    for limit in (track.posed.low[i, 0], track.posed.high[i, 0]):
        above = np.array(p) - limit
        for k in np.flatnonzero(above[:-1] * above[1:] < 0)[::-1]:
            t.insert(k + 1, t[k] + (t[k + 1] - t[k]) * above[k] / (above[k] - above[k + 1]))
            p.insert(k + 1, limit)
    return np.array(t), np.array(p)
