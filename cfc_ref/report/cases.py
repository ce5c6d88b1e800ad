r"""The cases on which the statements are tried: neurons, starts, times and inputs, many at once.

The input is held as what the release sees of it, the drive :math:`u = \sigma(I - \mu)`, :math:`f(I) = 1/(1+e^{-u})`, so
that no offset, gain or threshold costs a digit. A case's drive has K pieces; on piece k, a time s after its
beginning at T_k,

.. math:: u = \text{level}_k + \text{slope}_k\,s + \text{amplitude}\,\sin(\omega\,(T_k + s) + \phi).

With ``amplitude = slope = 0`` it is piecewise constant, with ``amplitude = 0`` piecewise linear. Pieces of length 0
fill the rows up. In *released* cases u is f(I) itself. The drive *at* the last time has a field of its own, because a
jump there changes the closed form and not the ODE. Both ODEs are linear in (x, A): states far from 1 are held in a unit
of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cfc_ref.activations import sigmoid
from cfc_ref.arrays import Array
from cfc_ref.bounds.neuron import extremal_control
from cfc_ref.neuron.model import LTCNeuron
from cfc_ref.report.recording import Recording

__all__ = [
    "FAMILIES",
    "FIXABLE",
    "MOST_FOLDINGS",
    "MOST_SAMPLES",
    "Cases",
    "Start",
    "draw",
    "filled",
    "log_uniform",
    "neurons",
    "shares",
    "start",
]

Generator = np.random.Generator

FIXABLE = ("w_tau", "A", "mu", "sigma", "x0")
MOST_FOLDINGS = 250.0  # (w + 1) t: later than that nothing of the start is left in double precision
MOST_SAMPLES = 1024  # of a recording in one case
_PIECES = 8
_SATURATED = 40.0  # logistic(-40) = 4e-18
_STEEP = 200.0  # a straight piece on which the drive changes by more is cut where f saturates
_MODERATE = (2.0**-10, 4.0)  # states of this size are held as they are
_LARGEST = 1e300
_ROUNDING = 64 * float(np.finfo(np.float64).eps)


class Cases(NamedTuple):
    """B cases of one family; every field from x0 to known_b has the shape (B,)."""

    family: str
    neuron: LTCNeuron  # A in the case's unit
    x0: Array  # in the case's unit
    unit: Array  # a power of two
    amplitude: Array
    omega: Array
    phase: Array
    last: Array  # the drive at the last time
    known_a: Array  # a range of f(I) that is known beforehand; NaN: the input's own
    known_b: Array
    h: Array  # (B, K)
    level: Array
    slope: Array
    released: bool = False

    @property
    def largest(self) -> Array:
        """The size of A and of the start, shape (B,)."""
        size: Array = np.maximum(np.abs(self.x0), np.abs(self.neuron.A))
        return size

    @property
    def t(self) -> Array:
        """The time at which a case ends, shape (B,)."""
        return self.h.sum(axis=1)

    @property
    def constant(self) -> bool:
        """True if every input is piecewise constant."""
        return not (self.slope.any() or self.amplitude.any())

    def take(self, index: npt.NDArray[Any]) -> Cases:
        """Return the cases at `index`."""
        w, A, mu, sigma = (parameter[index] for parameter in self.neuron.parameters)
        taken = Cases(self.family, LTCNeuron(w, A, mu, sigma), *(field[index] for field in self[2:-1]))
        return taken._replace(released=self.released)

    def piece(self, index: npt.NDArray[Any], k: int) -> Cases:
        """Return piece k alone of the cases at `index`."""
        since = self.h[index, :k].sum(axis=1) if self.amplitude.any() else 0.0
        alone = {name: getattr(self, name)[:, k : k + 1] for name in ("h", "level", "slope")}
        some = self._replace(**alone).take(index)
        return some._replace(phase=some.phase + some.omega * since)

    @property
    def pieces(self) -> npt.NDArray[np.intp]:
        """The number of pieces before a case's end, at least 1, shape (B,)."""
        return np.max(np.where(self.h > 0, np.arange(1, self.h.shape[1] + 1), 1), axis=1)

    def release(self, s: Array, piece: npt.NDArray[np.intp] | int = 0) -> Array:
        """Return y = f(I) a time s after the beginning of a piece."""
        columns = np.atleast_1d(piece)
        u = self.level[:, columns] + self.slope[:, columns] * s
        if self.amplitude.any():
            begin = (np.cumsum(self.h, axis=1) - self.h)[:, columns]
            u = u + self.amplitude[:, None] * np.sin(self.omega[:, None] * (begin + s) + self.phase[:, None])
        return u if self.released else sigmoid(u)

    def describe(self, i: int) -> dict[str, Any]:
        """Return everything that is needed to try case i again."""
        unit, real = float(self.unit[i]), self.h[i] > 0
        w, A, mu, sigma = (float(parameter[i]) for parameter in self.neuron.parameters)
        described: dict[str, Any] = {"w_tau": w, "A": A * unit}
        if not self.released:
            described |= {"mu": mu, "sigma": sigma}
        described |= {"x0": float(self.x0[i]) * unit, "t": float(self.t[i]), "input": self.family}
        offset, per_drive = (0.0, 1.0) if self.released else (mu, 1 / sigma if sigma else 0.0)
        level = "release" if self.released else "level"
        pieces = {"length": self.h[i][real], level: offset + self.level[i][real] * per_drive}
        if self.slope[i].any():
            pieces["slope"] = self.slope[i][real] * per_drive
        if not self.released and abs(sigma) * np.spacing(abs(mu)) > _ROUNDING:  # I says less than sigma (I - mu)
            pieces["drive"] = self.level[i][real]
        described["pieces"] = {name: values.tolist() for name, values in pieces.items()}
        if self.amplitude[i]:
            described["sine"] = {name: float(getattr(self, name)[i]) for name in ("amplitude", "omega", "phase")}
            described["sine"]["amplitude"] *= per_drive
        described[f"{'release' if self.released else 'input'}_at_t"] = offset + float(self.last[i]) * per_drive
        return described


def draw(
    family: str, count: int, rng: Generator, fixed: Mapping[str, float], recording: Recording | None = None
) -> Cases:
    """Draw cases of one family."""
    if family == "recorded":
        assert recording is not None
        return _recorded(count, rng, fixed, recording)
    return FAMILIES[family](count, rng, fixed)


class Start(NamedTuple):
    """Neurons, starts and the units of both."""

    neuron: LTCNeuron
    x0: Array
    unit: Array


def log_uniform(rng: Generator, low: float, high: float, count: int) -> Array:
    """Draw numbers whose logarithm is uniform."""
    return np.exp(rng.uniform(np.log(low), np.log(high), count))


def neurons(
    count: int, rng: Generator, fixed: Mapping[str, float], spread: float | None = None, **given: Array
) -> Start:
    """Draw neurons and starts: w from 1e-2 to 10, |A| and |x0| up to 3, gains up to 8, half of them with mu = 0."""
    if spread is None:
        spread = 8 / max(8.0, abs(fixed.get("sigma", 0.0)))
    drawn = {
        "w_tau": log_uniform(rng, 1e-2, 10, count),
        "A": rng.uniform(-3, 3, count),
        "mu": spread * rng.uniform(-2, 2, count) * (rng.random(count) < 0.5) + 0.0,  # no -0
        "sigma": rng.uniform(0.1, 8, count) * rng.choice([-1, 1], count),
        "x0": rng.uniform(-3, 3, count),
    }
    drawn |= given
    drawn |= {name: np.full(count, float(value)) for name, value in fixed.items()}
    return start(**drawn)


def start(w_tau: Array, A: Array, mu: Array, sigma: Array, x0: Array) -> Start:
    """Hold A and x0 in a unit of their own, where they are far from 1."""
    largest = np.maximum(np.abs(A), np.abs(x0))
    moderate = (largest == 0) | ((largest >= _MODERATE[0]) & (largest <= _MODERATE[1]))
    unit = np.exp2(np.where(moderate, 0, np.floor(np.log2(np.where(moderate, 1, largest)))))
    return Start(LTCNeuron(w_tau, A / unit, mu, sigma), x0 / unit, unit)


def _times(neuron: LTCNeuron, rng: Generator, count: int, most: float = 20.0) -> Array:
    return np.minimum(log_uniform(rng, 1e-2, most, count), MOST_FOLDINGS / (neuron.w_tau + 1))


def filled(family: str, begin: Start, h: Array, level: Array, **fields: Array) -> Cases:
    """Fill in what a family does not set: no slope, no sine, the last piece's value at the end, no known range."""
    zero, unknown = np.zeros(len(h)), np.full(len(h), np.nan)
    defaults: dict[str, Any] = {
        "amplitude": zero,
        "omega": zero,
        "phase": zero,
        "last": level[:, -1],
        "known_a": unknown,
        "known_b": unknown,
        "slope": np.zeros_like(level),
    }
    return Cases(family, *begin, h=h, level=level, **(defaults | fields))


def shares(rng: Generator, count: int, most: int, fewest: int = 1) -> Array:
    """Divide 1 into `fewest` to `most` random positive parts, followed by zeros; shape (count, most)."""
    parts = rng.exponential(size=(count, most)) + 1e-3
    parts[np.arange(most) >= rng.integers(fewest, most + 1, count)[:, None]] = 0
    return parts / parts.sum(axis=1, keepdims=True)


def _fill_forward(values: Array, h: Array) -> Array:
    """Repeat the last real piece's value on the pieces of length 0 that follow it."""
    real = np.maximum((h > 0).sum(axis=1), 1) - 1
    return np.where(np.arange(h.shape[1]) > real[:, None], values[np.arange(len(h)), real][:, None], values)


def _gains(rng: Generator, neuron: LTCNeuron, fixed: Mapping[str, float]) -> tuple[Array, Array]:
    """Return the drive at the middle of the inputs and the drive per unit of their width, each (count, 1)."""
    # Inputs lie about 0 and are 1 wide; where mu or sigma is fixed, about mu, and 1/sigma wide times a random gain
    sigma = neuron.sigma[:, None]
    gain = rng.uniform(0.1, 8, sigma.shape)
    wide = np.sign(sigma) * gain if fixed.get("sigma") else sigma
    return sigma * (fixed.get("mu", 0.0) - neuron.mu[:, None]), wide


def _levels(rng: Generator, neuron: LTCNeuron, many: int, fixed: Mapping[str, float]) -> Array:
    middle, wide = _gains(rng, neuron, fixed)
    shape = middle.shape
    level = rng.uniform(-2, 2, shape) + rng.uniform(0, 3, shape) * rng.uniform(-1, 1, (len(middle), many))
    return middle + wide * level


def _piecewise_constant(count: int, rng: Generator, fixed: Mapping[str, float]) -> Cases:
    begin = neurons(count, rng, fixed)
    h = _times(begin.neuron, rng, count)[:, None] * shares(rng, count, _PIECES)
    level = _levels(rng, begin.neuron, _PIECES, fixed)
    return filled("piecewise constant", begin, h, _fill_forward(level, h))


def _smooth(count: int, rng: Generator, fixed: Mapping[str, float]) -> Cases:
    begin = neurons(count, rng, fixed)
    t = _times(begin.neuron, rng, count)
    middle, wide = _gains(rng, begin.neuron, fixed)
    level = middle + wide * rng.uniform(-2, 2, (count, 1))
    amplitude, phase = wide[:, 0] * rng.uniform(0, 3, count), rng.uniform(0, 2 * np.pi, count)
    omega = np.minimum(log_uniform(rng, 0.1, 10, count), 60 / t)
    last = level[:, 0] + amplitude * np.sin(omega * t + phase)
    return filled("smooth", begin, t[:, None], level, amplitude=amplitude, omega=omega, phase=phase, last=last)


def _sampled(count: int, rng: Generator, fixed: Mapping[str, float]) -> Cases:
    begin = neurons(count, rng, fixed)
    h = _times(begin.neuron, rng, count)[:, None] * shares(rng, count, 63)
    samples = _levels(rng, begin.neuron, 64, fixed)
    slope = np.divide(np.diff(samples, axis=1), h, out=np.zeros_like(h), where=h > 0)
    real = (h > 0).sum(axis=1)
    return filled("sampled", begin, h, samples[:, :-1], slope=slope, last=samples[np.arange(count), real])


def _recorded(count: int, rng: Generator, fixed: Mapping[str, float], recording: Recording) -> Cases:
    """Draw pieces of the recording: t = 0 at a random sample, up to a random share of the rest of the file."""
    inside = recording.inside(fixed)
    begin = neurons(count, rng, inside, 1.0)
    samples = recording.times.size
    first = rng.integers(0, samples - 1, count)
    final = np.minimum(first + MOST_SAMPLES, samples - 1)
    rest = recording.times[final] - recording.times[first]
    t = np.minimum(rest * rng.uniform(1e-3, 1, count), MOST_FOLDINGS / (begin.neuron.w_tau + 1))
    pieces = int((np.searchsorted(recording.times, recording.times[first] + t) - first).max(initial=1))
    k = np.minimum(first[:, None] + np.arange(pieces + 1), samples - 1)
    edges = np.minimum(recording.times[k] - recording.times[first, None], t[:, None])
    channel = rng.integers(0, len(recording.values), count)[:, None]
    mu, sigma = begin.neuron.mu[:, None], begin.neuron.sigma[:, None]
    drive = np.clip(sigma * (recording.values[channel, k] - mu), -_LARGEST, _LARGEST)
    begin = begin._replace(neuron=recording.outside(begin.neuron, fixed))
    h = np.diff(edges, axis=1)
    if not recording.linear:
        return filled("recorded", begin, h, _fill_forward(drive[:, :-1], h))
    slope = np.diff(drive, axis=1) / np.where(h > 0, np.diff(recording.times[k], axis=1), 1)
    slope = np.where(h > 0, np.clip(slope, -_LARGEST, _LARGEST), 0)
    real = np.maximum((h > 0).sum(axis=1), 1) - 1
    rows = np.arange(count)
    last = drive[rows, real] + slope[rows, real] * h[rows, real]
    h, level, slope = _cut_where_steep(h, drive[:, :-1], slope)
    return filled("recorded", begin, h, level, slope=slope, last=last)


def _cut_where_steep(h: Array, level: Array, slope: Array) -> tuple[Array, Array, Array]:
    """Cut straight pieces where their drive passes ±40, if any is steep: no solver then meets a jump of f."""
    change = slope * h
    if not (np.abs(change) > _STEEP).any():
        return h, level, slope
    limits = np.array([-_SATURATED, _SATURATED])[:, None, None] * np.sign(slope)  # in the order of passing
    with np.errstate(divide="ignore", invalid="ignore"):
        passed = np.nan_to_num((limits - level) / slope, nan=0.0, posinf=0.0, neginf=0.0)
    cuts = np.clip(passed, 0, h)
    parts = np.diff(np.stack([np.zeros_like(h), *cuts, h], axis=2), axis=2)
    levels = np.stack([level, *np.where(cuts > 0, limits, level)], axis=2)
    fields = [v.reshape(len(h), -1) for v in (parts, levels, np.broadcast_to(slope[:, :, None], parts.shape))]
    order = np.argsort(fields[0] <= 0, axis=1, kind="stable")
    order = order[:, : max(1, int((fields[0] > 0).sum(axis=1).max(initial=1)))]
    h, level, slope = (np.take_along_axis(field, order, axis=1) for field in fields)
    return h, level, np.where(h > 0, slope, 0)


def _adversarial(count: int, rng: Generator, fixed: Mapping[str, float]) -> Cases:
    """Build the inputs of the proofs: f(I) switches at t, or just before it, or is the bang-bang control."""
    # Half of them saturate f, half stay in a random known range
    begin = neurons(count, rng, fixed)
    neuron, x0, _ = begin
    t = _times(neuron, rng, count)
    a, b = np.sort(rng.uniform(0.01, 0.99, (2, count)), axis=0)
    seen = neuron.sigma != 0
    saturated = rng.random(count) < 0.5
    u_a = np.where(saturated, -_SATURATED, np.log(a / (1 - a))) * seen
    u_b = np.where(saturated, _SATURATED, np.log(b / (1 - b))) * seen
    a, b = sigmoid(u_a), sigmoid(u_b)
    kind = np.arange(count) % 6
    rising = kind % 2 == 0  # low, then high at the end; or the reverse
    before, after = np.where(rising, u_a, u_b), np.where(rising, u_b, u_a)
    early = t * (1 - np.where(kind < 2, 0, 10 ** rng.uniform(-8, -4, count)))
    h = np.stack([early, t - early, np.zeros(count)], axis=1)
    level = np.stack([before, after, after], axis=1)
    c = x0 - neuron.A
    for largest in (True, False):  # the extremal z, then the value at t that adds most to the error
        mine = kind == (4 if largest else 5)
        y1, y2, switch = extremal_control(neuron, c, a, b, largest=largest)
        switch = np.clip(switch, 0, t)
        last = (c > 0) == largest
        levels = np.stack([np.where(y, u_a, u_b) for y in (y1 == a, y2 == a, ~last)], axis=1)
        h[mine] = np.stack([switch, t - switch, np.zeros(count)], axis=1)[mine]
        level[mine] = levels[mine]
    return filled("adversarial", begin, h, level, last=level[:, -1])


def _edge(count: int, rng: Generator, fixed: Mapping[str, float]) -> Cases:
    """Take values at the edge: c = 0, A = 0, A < 0, t = 0, saturated f, w tiny and huge, a switch exactly at t."""
    which = np.arange(count) % 8
    w, A, x0 = log_uniform(rng, 1e-2, 10, count), rng.uniform(-3, 3, count), rng.uniform(-3, 3, count)
    w = np.select([which == 5, which == 6], [log_uniform(rng, 1e-6, 1e-4, count), log_uniform(rng, 1e2, 1e3, count)], w)
    A = np.select([which == 1, which == 2], [np.zeros(count), -np.abs(A)], A)
    x0 = np.where(which == 0, A, x0)
    begin = neurons(count, rng, fixed, w_tau=w, A=A, x0=x0)
    t = np.where(which == 3, 0.0, _times(begin.neuron, rng, count))
    h = np.stack([t / 2, t / 2, np.zeros(count)], axis=1)
    level = _levels(rng, begin.neuron, 3, fixed)
    saturation = rng.choice([-1, 1], (count, 3)) * _SATURATED * (begin.neuron.sigma != 0)[:, None]
    level = np.where((which == 4)[:, None], saturation, level)
    level[:, 2] = np.where(which == 7, level[:, 2], level[:, 1])
    return filled("edge", begin, h, level)


FAMILIES: dict[str, Callable[[int, Generator, Mapping[str, float]], Cases]] = {
    "piecewise constant": _piecewise_constant,
    "smooth": _smooth,
    "sampled": _sampled,
    "adversarial": _adversarial,
    "edge": _edge,
}
