r"""The extreme inputs between samples, and where they lead z = x − A.

The input (or its release) is Lipschitz in time with a known constant. Between two samples the extreme inputs are one
path each of a family of three pieces at full speed, *down* (falls, rises, falls) or *up* (its mirror); the lower
and the upper envelope of all admissible inputs are the ends of either family (THEORY 5.6). A path of a family is given
by its *share*: 1 is the envelope that z wants before it changes its sign, 0 the one afterwards.

Everything is computed for the equation with A >= 0; A < 0 is its mirror image. Arrays have the axes (neuron, time).
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cfc_ref.arrays import Array
from cfc_ref.bounds.checked import Interval
from cfc_ref.bounds.flow import Map, after, line

__all__ = ["Moves", "Neurons", "Track", "along"]

_SHARES = np.linspace(0, 1, 12)  # the search looks at these first; there can be two local maxima
_GOLDEN = (math.sqrt(5) - 1) / 2
_NARROWED = 36  # steps of golden section: the share is known to 1e-8, its value to rounding
_HALVINGS = 60
_AT_ONCE = 1 << 14  # (neuron, time) pairs whose arrays fit into a cache


class Neurons(NamedTuple):
    """Checked neurons, flat: arrays of shape (neurons, 1)."""

    shape: tuple[int, ...]  # N
    dtype: np.dtype[Any]
    w: Array
    drive: Array  # |A| w, or 0 for the symmetric form
    A: Array
    mirror: Array  # -1 where A < 0
    c: Array  # x0 - A, mirrored
    speed: Array  # of the position, at most
    lipschitz: Array  # the same in the unit of the samples
    low: Array  # limits of the position
    high: Array
    gain: Array  # sigma, or 1 where the position is the release itself
    mu: Array
    logistic: bool

    def position(self, values: Array) -> Array:
        """Return σ(I − μ), or the release itself."""
        return self.gain * (values - self.mu)

    def flat(self, values: Array) -> Array:
        """Return samples of shape N + (K,), or one that broadcasts to it, with one axis of neurons."""
        K = values.shape[-1]
        return np.broadcast_to(values, (*self.shape, K)).reshape(-1, K)

    def whose(self, i: int) -> str:
        """Return the words that name one of several neurons."""
        return f", neuron {tuple(int(n) for n in np.unravel_index(i, self.shape))}" if self.shape else ""

    def states(self, z: Interval, shape: tuple[int, ...]) -> Interval:
        """Return the states for the smallest and the largest mirrored z, shape N + shape."""
        low, high = (self.A + self.mirror * end for end in z)
        swapped = self.mirror < 0
        ends = np.where(swapped, high, low), np.where(swapped, low, high)
        least, most = (end.astype(self.dtype).reshape(self.shape + shape) for end in ends)
        return least, most


# --- the paths of a family


class _Family(NamedTuple):
    """The paths of a family on some intervals; arrays broadcast to (neuron, time), or are flat."""

    low: Array  # limits of the position
    high: Array
    w: Array
    p: Array  # the position at the beginning; before the first sample, at the end
    slope: Array  # of the middle piece: the speed, or minus it for the family "up"
    first: Array  # the lengths of the pieces: share · first, middle + share · shift, (1 - share) · last
    middle: Array
    shift: Array
    last: Array
    ahead: Array  # before the first sample, its time
    logistic: bool

    def pieces(self, share: Any) -> tuple[Array, list[Array], list[Array]]:
        """Return the position at the beginning, and the lengths and slopes of the three pieces."""
        lengths = [share * self.first, self.middle + share * self.shift, (1 - share) * self.last]
        begin = self.p + self.slope * (self.ahead * (1 - 2 * share))
        return begin, lengths, [-self.slope, self.slope, -self.slope]

    def flow(self, share: Any, cut: Array, begin: Any = 0.0) -> Map:
        """Return E and G of the path of this share from the time `begin` to the time `cut` within the interval."""
        p, lengths, slopes = self.pieces(share)
        total: Map | None = None
        elapsed: Any = 0.0
        for length, slope in zip(lengths, slopes, strict=True):
            if length.any() or total is None:
                start = np.clip(begin - elapsed, 0, length)
                stop = np.maximum(np.clip(cut - elapsed, 0, length), start)
                ends = p + slope * start, p + slope * stop
                piece = line(self.w, *ends, stop - start, (self.low, self.high), logistic=self.logistic)
                total = piece if total is None else after(total, piece)
                p, elapsed = p + slope * length, elapsed + length
        assert total is not None
        return total


class Track(NamedTuple):
    """Neurons and the positions at their samples, shape (neuron, sample)."""

    posed: Neurons
    times: Array
    p: Array

    def family(self, k: npt.NDArray[np.intp], cut: Array, side: int, rows: Any = None) -> _Family:
        """Return the paths after sample k (-1: before the first) of "down" (side 1) or "up" (side -1)."""
        # `k` and `cut` have the shape (time,), and all neurons take part; or `rows` names a neuron for each of them
        posed, last = self.posed, len(self.times) - 1
        here, there = np.maximum(k, 0), np.minimum(k + 1, last)
        if rows is None:
            w, low, high, speed = posed.w, posed.low, posed.high, posed.speed
            p, rise = self.p[:, here], self.p[:, there] - self.p[:, here]
        else:
            w, low, high, speed = (array[rows, 0] for array in (posed.w, posed.low, posed.high, posed.speed))
            p, rise = self.p[rows, here], self.p[rows, there] - self.p[rows, here]
        before, behind = k < 0, k == last
        h = np.where(before, self.times[0], np.where(behind, cut, self.times[there] - self.times[here]))
        time = np.divide(rise, speed, out=np.zeros_like(rise), where=(speed > 0) & ~(before | behind))
        against = (h - side * np.clip(time, -h, h)) / 2  # time on the two outer pieces
        return _Family(
            low,
            high,
            w,
            p,
            side * speed,
            first=np.where(before, 0, np.where(behind, h, against)),
            middle=np.where(before, 0, np.where(behind, h, h - against)),
            shift=np.where(before, h, np.where(behind, -h, 0)),
            last=np.where(before, h, np.where(behind, 0, against)),
            ahead=np.where(before, h, 0),
            logistic=posed.logistic,
        )

    def envelopes(self, k: npt.NDArray[np.intp], cut: Array) -> dict[int, Map]:
        """Return the maps of the lower (1) and the upper (-1) envelope, shape (neuron, time)."""
        maps = {side: tuple(np.empty((k.size, len(self.p))).T for _ in range(2)) for side in (1, -1)}
        width = max(1, _AT_ONCE // max(1, len(self.p)))
        for begin in range(0, k.size, width):
            some = slice(begin, begin + width)
            down = self.family(k[some], cut[some], 1)
            for side, share in ((1, 1.0), (-1, 0.0)):
                for whole, part in zip(maps[side], down.flow(share, cut[some]), strict=True):
                    whole[:, some] = part
        return {1: (maps[1][0], maps[1][1]), -1: (maps[-1][0], maps[-1][1])}

    def moves(self, k: npt.NDArray[np.intp], cut: Array, *, plain: bool) -> Moves:
        """Return the moves of all neurons over some intervals."""
        return Moves(self, k, cut, self.envelopes(k, cut), plain)


def _search(family: _Family, drive: Array, z: Array, cut: Array, side: int) -> tuple[Array, Array]:
    """Return the largest side · z at the time `cut`, and the share of its path: a scan, then golden section."""

    def value(share: Array) -> Array:
        E, G = family.flow(share, cut)
        return side * (E * z - drive * G)

    seen = value(_SHARES[:, None])
    best = seen.argmax(axis=0)
    highest, share = seen.max(axis=0), _SHARES[best]
    low, high = _SHARES[np.maximum(best - 1, 0)], _SHARES[np.minimum(best + 1, len(_SHARES) - 1)]
    inner = [high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)]
    values = [value(inner[0]), value(inner[1])]
    for _ in range(_NARROWED):
        left = values[0] > values[1]
        low, high = np.where(left, low, inner[0]), np.where(left, inner[1], high)
        new = np.where(left, high - _GOLDEN * (high - low), low + _GOLDEN * (high - low))
        found = value(new)
        inner = [np.where(left, new, inner[1]), np.where(left, inner[0], new)]
        values = [np.where(left, found, values[1]), np.where(left, values[0], found)]
    for at, found in zip(inner, values, strict=True):
        share = np.where(found > highest, at, share)
        highest = np.maximum(found, highest)
    return side * highest, share


def _bang_bang(family: _Family, drive: Array, z: Array, cut: Array, side: int) -> tuple[Array, Array]:
    """Return z at the time `cut` where the release jumps from one envelope to the other as z passes 0."""
    low, high = np.zeros_like(cut), cut
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        E, G = family.flow(1.0, middle)
        above = E * z - drive * G > 0
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    # The largest z has to be late at 0, the smallest early: rounding must not make the interval too small.
    _, G = family.flow(0.0, cut, low if side < 0 else high)
    return -drive * G, np.full_like(z, np.nan)


class Moves(NamedTuple):
    """Moves over some intervals: from sample k, for the time `cut`; `rows` as in :meth:`Track.family`."""

    track: Track
    k: npt.NDArray[np.intp]
    cut: Array
    envelopes: dict[int, Map]
    plain: bool

    def extreme(self, z: Array, side: int) -> tuple[Array, Array]:
        """Return the largest (side 1) or smallest (side -1) z from that before, and the shares of the paths."""
        drive = self.track.posed.drive
        # As z' = −A w < 0 where z = 0, z passes 0 once at most. Where it does not pass it, an envelope is best
        wanted, other = (E * z - drive * G for E, G in (self.envelopes[side], self.envelopes[-side]))
        # Not in the paper: the extreme state between two samples
        moved, share = np.where(z > 0, wanted, other), np.where(z > 0, 1.0, 0.0)
        rows, columns = np.nonzero((z > 0) & (wanted < 0))
        if rows.size:
            passing = self.passing(rows, columns, z[rows, columns], side)
            moved[rows, columns], share[rows, columns] = passing
        return moved, share

    def passing(self, rows: Any, columns: Any, z: Array, side: int) -> tuple[Array, Array]:
        """Return the extreme z of some neurons, on one interval each, where it passes 0; and the shares."""
        cut = self.cut[columns]
        family = self.track.family(self.k[columns], cut, side, rows)
        find = _bang_bang if self.plain else _search
        return find(family, self.track.posed.drive[rows, 0], z, cut, side)


def along(moves: Moves, start: Array, side: int) -> tuple[Array, Array]:
    """Return z at the ends of all intervals, the start first, and the shares of their paths."""
    drive, count = moves.track.posed.drive[:, 0], moves.cut.size
    # A first run follows the envelope that z > 0 wants. Where that passes 0, in one interval per neuron, all neurons
    # are searched at once; a second run follows the other envelope from there on
    E, G = moves.envelopes[side]
    z = np.empty((count + 1, len(start))).T
    z[:, 0] = start[:, 0]
    for k in range(count):
        z[:, k + 1] = E[:, k] * z[:, k] - drive * G[:, k]
    above = z > 0
    first = np.where(above.all(axis=1), count + 1, above.argmin(axis=1))  # the first z that is not above 0
    share = np.where(np.arange(count) < first[:, None] - 1, 1.0, 0.0)
    rows = np.flatnonzero((first > 0) & (first <= count))
    if rows.size:
        columns = first[rows] - 1
        z[rows, columns + 1], share[rows, columns] = moves.passing(rows, columns, z[rows, columns], side)
    E, G = moves.envelopes[-side]
    for k in range(int(first.min(initial=count)), count):
        z[:, k + 1] = np.where(k >= first, E[:, k] * z[:, k] - drive * G[:, k], z[:, k + 1])
    return z, share
