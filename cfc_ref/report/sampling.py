"""S16: the enclosure from samples, on random inputs, thinned recordings and the inputs that reach its ends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from cfc_ref.arrays import Array
from cfc_ref.bounds.samples import extremal_corners, from_samples
from cfc_ref.neuron.model import LTCNeuron
from cfc_ref.report import truth
from cfc_ref.report.cases import MOST_FOLDINGS, Cases, Start, filled, log_uniform, neurons, shares
from cfc_ref.report.judge import Check, Evaluation, find
from cfc_ref.report.recording import Recording

__all__ = ["enclosed"]

Generator = np.random.Generator

_GROUP = 250  # cases that share the times of their samples
_MOST_SAMPLES = 5
_PARTS = 3  # straight lines of a random input between two samples
_WINDOW = 24  # samples of a recording before it is thinned, at most
_LARGEST = 1e100  # drive
_KINDS = ("random", "random release", "recorded", "extremal", "extremal release")


class _Group(NamedTuple):
    """Inputs through samples at shared times; the position is the drive, or the release itself."""

    begin: Start
    t: float
    edges: list[Array]  # times of each input's corners, from 0 to t
    corners: list[Array]  # positions there
    times: Array  # of the samples, (K,)
    samples: Array  # positions, (B, K)
    speed: Array  # Lipschitz constant of the position, (B,)
    released: bool


def enclosed(count: int, rng: Generator, fixed: Mapping[str, float], recording: Recording) -> Evaluation:
    """Hold the states under inputs through samples against :func:`cfc_ref.bounds.from_samples`."""
    found, size = Evaluation(), min(_GROUP, -(-count // len(_KINDS)))
    drawn: dict[str, list[_Group]] = {kind: [] for kind in _KINDS}
    for k in range(-(-count // size)):
        kind = _KINDS[k % len(_KINDS)]
        if kind == "recorded" and recording.linear:
            drawn[kind].append(_recorded(size, rng, fixed, recording))
        else:
            group = _random(size, rng, fixed, released=kind.endswith("release"))
            drawn[kind].append(_extremal(group, rng) if kind.startswith("extremal") else group)
    for kind, groups in drawn.items():
        if groups:
            cases = _together(kind, groups)
            found.add(find(cases, _checks(cases, groups)))
    return found


def _random(count: int, rng: Generator, fixed: Mapping[str, float], *, released: bool) -> _Group:
    """Draw random walks of straight lines, and sample them; the last samples may lie after t."""
    begin = neurons(count, rng, fixed)
    w, seen = begin.neuron.w_tau, np.sign(np.abs(begin.neuron.sigma))
    t = float(np.minimum(log_uniform(rng, 0.05, 10, 1), MOST_FOLDINGS / (w.max() + 1))[0])
    many = int(rng.integers(1, _MOST_SAMPLES + 1))
    times = np.sort(rng.uniform(0, 1.2 * t, many))
    times[0] *= rng.random() < 0.7  # a sample at 0, more often than not
    parts = shares(rng, many + 1, _PARTS, _PARTS)
    spans = np.diff(times, prepend=0.0, append=max(1.3 * t, times[-1] + t))
    edges = np.concatenate([[0.0], np.cumsum((parts * spans[:, None]).ravel())])
    change = log_uniform(rng, 0.1, 10, count) if not released else log_uniform(rng, 0.02, 1, count)
    speed = change / t * (1 if released else seen)
    slopes = rng.uniform(-1, 1, (count, edges.size - 1))
    bang = rng.random((count, 1)) < 0.5
    slopes = speed[:, None] * np.where(bang, np.sign(slopes), slopes)
    first = rng.random(count) if released else seen * rng.normal(0, 1.5, count)
    walk = first[:, None] + np.concatenate([np.zeros((count, 1)), np.cumsum(slopes * np.diff(edges), axis=1)], axis=1)
    if released:
        walk = np.clip(walk, 0, 1)  # the samples' slopes only fall by it
    speed = speed * np.where(rng.random(count) < 0.5, 1, rng.uniform(1, 2, count))
    at = np.arange(many) * _PARTS + _PARTS  # the corners that are samples
    return _Group(begin, t, [edges] * count, list(walk), edges[at], walk[:, at], speed, released)


def _recorded(count: int, rng: Generator, fixed: Mapping[str, float], recording: Recording) -> _Group:
    """Thin a window of the recording to every k-th sample; the constant is its largest slope."""
    inside = recording.inside(fixed)
    begin = neurons(count, rng, inside, 1.0)
    length = int(rng.integers(1, min(_WINDOW, recording.times.size - 1) + 1))
    first = int(rng.integers(0, recording.times.size - length))
    edges = recording.times[first : first + length + 1] - recording.times[first]
    channel = rng.integers(0, len(recording.values), count)
    values = recording.values[channel, first : first + length + 1]
    drive = np.clip(begin.neuron.sigma[:, None] * (values - begin.neuron.mu[:, None]), -_LARGEST, _LARGEST)
    speed = np.abs(np.diff(drive, axis=1) / np.diff(edges)).max(axis=1)
    t = float(min(edges[-1] * rng.uniform(0.2, 1), MOST_FOLDINGS / (begin.neuron.w_tau.max() + 1)))
    thinned = slice(0, int(np.searchsorted(edges, t)) + (every := int(rng.integers(2, 9))), every)
    begin = begin._replace(neuron=recording.outside(begin.neuron, fixed))
    return _Group(begin, t, [edges] * count, list(drive), edges[thinned], drive[:, thinned], speed, released=False)


def _extremal(group: _Group, rng: Generator) -> _Group:
    """Replace the inputs by those that reach the lower or the upper end."""
    sides = rng.choice([-1, 1], len(group.begin.x0))
    corners = extremal_corners(sides, _plain(group), group.begin.x0, group.t, *_known(group))
    return group._replace(edges=[t for t, _ in corners], corners=[p for _, p in corners])


def _plain(group: _Group) -> LTCNeuron:
    """Return neurons whose input is the drive, so that no offset or gain costs a digit."""
    w, A, _, sigma = group.begin.neuron.parameters
    return LTCNeuron(w, A, 0.0, np.sign(np.abs(sigma)))


def _known(group: _Group) -> tuple[Any, ...]:
    return group.times, group.samples, group.speed, "release" if group.released else "input"


def _together(kind: str, groups: list[_Group]) -> Cases:
    """Return the inputs of all groups as cases, each up to its time t."""
    rows = [
        _until(group.t, edges, corners)
        for group in groups
        for edges, corners in zip(group.edges, group.corners, strict=True)
    ]
    most = max(h.size for h, _, _ in rows)
    h, level, slope = (np.stack([np.pad(row[k], (0, most - row[k].size)) for row in rows]) for k in range(3))
    parameters = zip(*(group.begin.neuron.parameters for group in groups), strict=True)
    w, A, mu, sigma = (np.concatenate(values) for values in parameters)
    x0, unit = (np.concatenate([getattr(group.begin, name) for group in groups]) for name in ("x0", "unit"))
    begin = Start(LTCNeuron(w, A, mu, sigma), x0, unit)
    last = level[:, 0] + (slope * h).sum(axis=1)
    return filled(kind, begin, h, level, slope=slope, last=last)._replace(released=groups[0].released)


def _until(t: float, edges: Array, corners: Array) -> tuple[Array, Array, Array]:
    """Return lengths, levels and slopes of the lines until t."""
    last = float(np.interp(t, edges, corners))
    inside = edges < t
    times, values = np.append(edges[inside], t), np.append(corners[inside], last)
    h = np.diff(times)
    slope = np.divide(np.diff(values), h, out=np.zeros_like(h), where=h > 0)
    return h, values[:-1], slope


def _checks(cases: Cases, groups: list[_Group]) -> Iterator[Check]:
    """Compare the states with the enclosures, by both truths."""
    exact, by_scipy = (solve(cases).ltc[:, -1] for solve in (truth.exactly, truth.with_scipy))
    intervals = [from_samples(_plain(group), group.begin.x0, group.t, *_known(group)) for group in groups]
    low, high = (np.concatenate(end) for end in zip(*intervals, strict=True))
    given = _given(cases, groups)
    ends: tuple[str, ...] = ("low", "high") if cases.family.startswith("extremal") else ()
    use = np.full(len(exact), True)
    yield Check(exact, np.abs(exact - by_scipy), np.abs(exact), low, high, use, ends, note="state", given=given)


def _given(cases: Cases, groups: list[_Group]) -> dict[str, Array]:
    """Return what the enclosures know: the samples and the constants."""
    K = max(group.times.size for group in groups)
    times, samples = [], []
    for group in groups:
        blank = ((0, 0), (0, K - group.times.size))
        times.append(np.pad(np.broadcast_to(group.times, group.samples.shape), blank, constant_values=np.nan))
        samples.append(np.pad(group.samples, blank, constant_values=np.nan))
    of = "release" if cases.released else "drive"
    speed = np.concatenate([group.speed for group in groups])
    return {"sample_times": np.concatenate(times), f"sampled_{of}": np.concatenate(samples), "lipschitz": speed}
