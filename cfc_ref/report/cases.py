r"""The cases on which the statements are tried: neurons, starts, times and inputs, many at once.

A case's input has K pieces; on piece k, a time s after its beginning at T_k,

.. math:: I = \text{level}_k + \text{slope}_k\,s + \text{amplitude}\,\sin(\omega\,(T_k + s) + \phi).

With ``amplitude = slope = 0`` it is piecewise constant, with ``amplitude = 0`` piecewise linear. Pieces of length 0
fill the rows up. The input *at* the last time has a field of its own, because a jump there changes the closed form and
not the ODE.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cfc_ref.bounds.neuron import extremal_control
from cfc_ref.neuron.model import LTCNeuron
from cfc_ref.signals import PiecewiseConstant, Sampled, sampled

__all__ = ["FAMILIES", "FIXABLE", "MOST_FOLDINGS", "MOST_SAMPLES", "Cases", "Recording", "draw"]

Array = npt.NDArray[Any]
Generator = np.random.Generator

FIXABLE = ("w_tau", "A", "mu", "sigma", "x0")
MOST_FOLDINGS = 250.0  # (w + 1) t: later than that nothing of the start is left in double precision
MOST_SAMPLES = 1024  # of a recording in one case
_PIECES = 8
_SATURATED = 40.0  # logistic(-40) = 4e-18


class Cases(NamedTuple):
    """B cases of one family; every field but the last four has the shape (B,)."""

    family: str
    neuron: LTCNeuron
    x0: Array
    amplitude: Array
    omega: Array
    phase: Array
    last_input: Array
    known_a: Array  # a range of f(I) that is known beforehand; NaN: the input's own
    known_b: Array
    h: Array  # (B, K)
    level: Array
    slope: Array

    @property
    def t(self) -> Array:
        """The time at which a case ends, shape (B,)."""
        return self.h.sum(axis=1)

    @property
    def constant(self) -> bool:
        """Whether every input is piecewise constant."""
        return not (self.slope.any() or self.amplitude.any())

    def take(self, index: npt.NDArray[Any]) -> Cases:
        """Return the cases at `index`."""
        w, A, mu, sigma = (parameter[index] for parameter in self.neuron.parameters)
        return Cases(self.family, LTCNeuron(w, A, mu, sigma), *(field[index] for field in self[2:]))

    def piece(self, index: npt.NDArray[Any], k: int) -> Cases:
        """Return piece k alone of the cases at `index`."""
        since = self.h[index, :k].sum(axis=1) if self.amplitude.any() else 0.0
        alone = {name: getattr(self, name)[:, k : k + 1] for name in ("h", "level", "slope")}
        some = self._replace(**alone).take(index)
        return some._replace(phase=some.phase + some.omega * since)

    @property
    def pieces(self) -> npt.NDArray[np.intp]:
        """How many pieces come before a case's end, at least 1, shape (B,)."""
        return np.max(np.where(self.h > 0, np.arange(1, self.h.shape[1] + 1), 1), axis=1)

    def input(self, s: Array, piece: npt.NDArray[np.intp] | int = 0) -> Array:
        """Return the input a time s after the beginning of a piece."""
        columns = np.atleast_1d(piece)
        I = self.level[:, columns] + self.slope[:, columns] * s
        if not self.amplitude.any():
            return I
        begin = (np.cumsum(self.h, axis=1) - self.h)[:, columns]
        return I + self.amplitude[:, None] * np.sin(self.omega[:, None] * (begin + s) + self.phase[:, None])


class Recording(NamedTuple):
    """A recorded input: C channels of S samples."""

    name: str
    times: Array  # (S,)
    values: Array  # (C, S)
    linear: bool

    def channel(self, c: int) -> Sampled | PiecewiseConstant:
        """Return one channel as a signal."""
        return sampled(self.times, self.values[c], "linear" if self.linear else "previous")


def draw(
    family: str, count: int, rng: Generator, fixed: Mapping[str, float], recording: Recording | None = None
) -> Cases:
    """Draw cases of one family."""
    if family == "recorded":
        assert recording is not None
        return _recorded(count, rng, fixed, recording)
    return FAMILIES[family](count, rng, fixed)


def _log_uniform(rng: Generator, low: float, high: float, count: int) -> Array:
    return np.exp(rng.uniform(np.log(low), np.log(high), count))


def _neurons(
    count: int, rng: Generator, fixed: Mapping[str, float], center: float = 0.0, spread: float = 1.0, **given: Array
) -> tuple[LTCNeuron, Array]:
    """Draw neurons and starts: w from 1e-2 to 10, |A| and |x0| up to 3, gains up to 8, half of them with mu = 0."""
    drawn = {
        "w_tau": _log_uniform(rng, 1e-2, 10, count),
        "A": rng.uniform(-3, 3, count),
        "mu": center + spread * rng.uniform(-2, 2, count) * (rng.random(count) < 0.5),
        "sigma": rng.uniform(0.1, 8, count) * rng.choice([-1, 1], count) / spread,
        "x0": rng.uniform(-3, 3, count),
    }
    drawn |= given
    drawn |= {name: np.full(count, float(value)) for name, value in fixed.items()}
    x0 = drawn.pop("x0")
    return LTCNeuron(**drawn), x0


def _times(neuron: LTCNeuron, rng: Generator, count: int, most: float = 20.0) -> Array:
    return np.minimum(_log_uniform(rng, 1e-2, most, count), MOST_FOLDINGS / (neuron.w_tau + 1))


def _cases(family: str, neuron: LTCNeuron, x0: Array, h: Array, level: Array, **fields: Array) -> Cases:
    """Fill in what a family does not set: no slope, no sine, the last piece's value at the end, no known range."""
    zero, unknown = np.zeros(len(x0)), np.full(len(x0), np.nan)
    defaults = {
        "amplitude": zero,
        "omega": zero,
        "phase": zero,
        "last_input": level[:, -1],
        "known_a": unknown,
        "known_b": unknown,
        "slope": np.zeros_like(level),
    }
    return Cases(family=family, neuron=neuron, x0=x0, h=h, level=level, **(defaults | fields))


def _shares(rng: Generator, count: int, most: int, fewest: int = 1) -> Array:
    """Divide 1 into `fewest` to `most` random positive parts, zeros behind them; shape (count, most)."""
    parts = rng.exponential(size=(count, most)) + 1e-3
    parts[np.arange(most) >= rng.integers(fewest, most + 1, count)[:, None]] = 0
    return parts / parts.sum(axis=1, keepdims=True)


def _fill_forward(values: Array, h: Array) -> Array:
    """Repeat the last real piece's value on the pieces of length 0 behind it."""
    real = np.maximum((h > 0).sum(axis=1), 1) - 1
    return np.where(np.arange(h.shape[1]) > real[:, None], values[np.arange(len(h)), real][:, None], values)


def _unit(rng: Generator, count: int, fixed: Mapping[str, float]) -> tuple[Array, Array]:
    """Return where inputs lie and how wide they are, shape (count, 1): 0 and 1, or about a fixed mu and 1/sigma."""
    gain = rng.uniform(0.1, 8, (count, 1))
    wide = gain / abs(fixed["sigma"]) if fixed.get("sigma") else np.ones((count, 1))
    return np.full((count, 1), fixed.get("mu", 0.0)), wide


def _levels(rng: Generator, count: int, many: int, fixed: Mapping[str, float]) -> Array:
    center, wide = _unit(rng, count, fixed)
    level = rng.uniform(-2, 2, (count, 1)) + rng.uniform(0, 3, (count, 1)) * rng.uniform(-1, 1, (count, many))
    return center + wide * level


def _piecewise_constant(count: int, rng: Generator, fixed: Mapping[str, float]) -> Cases:
    neuron, x0 = _neurons(count, rng, fixed)
    h = _times(neuron, rng, count)[:, None] * _shares(rng, count, _PIECES)
    return _cases("piecewise constant", neuron, x0, h, _fill_forward(_levels(rng, count, _PIECES, fixed), h))


def _smooth(count: int, rng: Generator, fixed: Mapping[str, float]) -> Cases:
    neuron, x0 = _neurons(count, rng, fixed)
    t = _times(neuron, rng, count)
    center, wide = _unit(rng, count, fixed)
    level = center + wide * rng.uniform(-2, 2, (count, 1))
    amplitude, phase = wide[:, 0] * rng.uniform(0, 3, count), rng.uniform(0, 2 * np.pi, count)
    omega = np.minimum(_log_uniform(rng, 0.1, 10, count), 60 / t)
    last = level[:, 0] + amplitude * np.sin(omega * t + phase)
    return _cases(
        "smooth", neuron, x0, t[:, None], level, amplitude=amplitude, omega=omega, phase=phase, last_input=last
    )


def _sampled(count: int, rng: Generator, fixed: Mapping[str, float]) -> Cases:
    neuron, x0 = _neurons(count, rng, fixed)
    h = _times(neuron, rng, count)[:, None] * _shares(rng, count, 63)
    samples = _levels(rng, count, 64, fixed)
    rise = np.diff(samples, axis=1)
    slope = np.divide(rise, h, out=np.zeros_like(h), where=h > 0)
    real = (h > 0).sum(axis=1)
    return _cases("sampled", neuron, x0, h, samples[:, :-1], slope=slope, last_input=samples[np.arange(count), real])


def _recorded(count: int, rng: Generator, fixed: Mapping[str, float], recording: Recording) -> Cases:
    """Draw pieces of the recording: t = 0 at a random sample, up to a random share of the rest of the file."""
    values = recording.values
    spread = float(values.std()) or 1.0
    neuron, x0 = _neurons(count, rng, fixed, center=float(values.mean()), spread=spread)
    samples = recording.times.size
    first = rng.integers(0, samples - 1, count)
    final = np.minimum(first + MOST_SAMPLES, samples - 1)
    rest = recording.times[final] - recording.times[first]
    t = np.minimum(rest * rng.uniform(1e-3, 1, count), MOST_FOLDINGS / (neuron.w_tau + 1))
    end = recording.times[first] + t
    pieces = int((np.searchsorted(recording.times, end) - first).max(initial=1))
    k = np.minimum(first[:, None] + np.arange(pieces + 1), samples - 1)
    edges = np.minimum(recording.times[k], end[:, None])
    h = np.diff(edges, axis=1)
    at = values[rng.integers(0, len(values), count)[:, None], k]
    if not recording.linear:
        return _cases("recorded", neuron, x0, h, _fill_forward(at[:, :-1], h))
    slope = np.diff(at, axis=1) / np.where(h > 0, np.diff(recording.times[k], axis=1), 1)
    slope = np.where(h > 0, slope, 0)
    real = np.maximum((h > 0).sum(axis=1), 1) - 1
    rows = np.arange(count)
    last = at[rows, real] + slope[rows, real] * h[rows, real]
    return _cases("recorded", neuron, x0, h, at[:, :-1], slope=slope, last_input=last)


def _adversarial(count: int, rng: Generator, fixed: Mapping[str, float]) -> Cases:
    """Build the inputs of the proofs: f(I) switches at t, or just before it, or is the bang-bang control.

    Half of them saturate f, half stay in a random known range.
    """
    neuron, x0 = _neurons(count, rng, fixed)
    t = _times(neuron, rng, count)
    a, b = np.sort(rng.uniform(0.01, 0.99, (2, count)), axis=0)
    saturated = rng.random(count) < 0.5
    logits = np.where(saturated, -_SATURATED, np.log(a / (1 - a))), np.where(saturated, _SATURATED, np.log(b / (1 - b)))
    sigma = np.where(neuron.sigma == 0, 1, neuron.sigma)
    I_a, I_b = (neuron.mu + u / sigma for u in logits)
    a, b = neuron.release(I_a), neuron.release(I_b)
    kind = np.arange(count) % 6
    rising = kind % 2 == 0  # low, then high at the end; or the reverse
    before, after = np.where(rising, I_a, I_b), np.where(rising, I_b, I_a)
    early = t * (1 - np.where(kind < 2, 0, 10 ** rng.uniform(-8, -4, count)))
    h = np.stack([early, t - early, np.zeros(count)], axis=1)
    level = np.stack([before, after, after], axis=1)
    c = x0 - neuron.A
    for largest in (True, False):  # the extremal z, then the value at t that adds most to the error
        mine = kind == (4 if largest else 5)
        y1, y2, switch = extremal_control(neuron, c, a, b, largest=largest)
        switch = np.clip(switch, 0, t)
        last = (c > 0) == largest
        levels = np.stack([np.where(y, I_a, I_b) for y in (y1 == a, y2 == a, ~last)], axis=1)
        h[mine] = np.stack([switch, t - switch, np.zeros(count)], axis=1)[mine]
        level[mine] = levels[mine]
    return _cases("adversarial", neuron, x0, h, level, last_input=level[:, -1])


def _edge(count: int, rng: Generator, fixed: Mapping[str, float]) -> Cases:
    """Take values at the edge: c = 0, A = 0, A < 0, t = 0, saturated f, w tiny and huge, a switch exactly at t."""
    which = np.arange(count) % 8
    w, A, x0 = _log_uniform(rng, 1e-2, 10, count), rng.uniform(-3, 3, count), rng.uniform(-3, 3, count)
    w = np.select(
        [which == 5, which == 6], [_log_uniform(rng, 1e-6, 1e-4, count), _log_uniform(rng, 1e2, 1e3, count)], w
    )
    A = np.select([which == 1, which == 2], [np.zeros(count), -np.abs(A)], A)
    x0 = np.where(which == 0, A, x0)
    neuron, x0 = _neurons(count, rng, fixed, w_tau=w, A=A, x0=x0)
    t = np.where(which == 3, 0.0, _times(neuron, rng, count))
    h = np.stack([t / 2, t / 2, np.zeros(count)], axis=1)
    level = _levels(rng, count, 3, fixed)
    saturation = rng.choice([-1, 1], (count, 3)) * _SATURATED / np.where(neuron.sigma == 0, 1, neuron.sigma)[:, None]
    level = np.where((which == 4)[:, None], neuron.mu[:, None] + saturation, level)
    level[:, 2] = np.where(which == 7, level[:, 2], level[:, 1])
    return _cases("edge", neuron, x0, h, level)


FAMILIES: dict[str, Callable[[int, Generator, Mapping[str, float]], Cases]] = {
    "piecewise constant": _piecewise_constant,
    "smooth": _smooth,
    "sampled": _sampled,
    "adversarial": _adversarial,
    "edge": _edge,
}
