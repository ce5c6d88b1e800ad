"""Bit-stream XOR: the parity of random bits that come one by one, or as runs of equal bits.

The samples are, to the bit, those of the official code of Lechner & Hasani (arXiv 2006.04418), which Hasani et al. use
too.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from cfc_ref import checks
from cfc_ref.arrays import Array

__all__ = ["PARTS", "STEPS", "BitStreams", "draw_bit_streams", "official_bit_streams"]

STEPS = 32
"""Time steps of a sample, padding included; the longest has 31 bits."""

PARTS = {"training": (100_000, 1234984), "test": (10_000, 48736)}
"""Part of the official data -> how many samples, and the seed that draws them."""

_SHORTEST = 2  # bits
_LENGTHS = STEPS - _SHORTEST  # how many lengths there are


class BitStreams(NamedTuple):
    """Samples of bits, and their parities."""

    bits: Array  # (N, STEPS, 1): 0 or 1; 0 behind the end
    elapsed: Array  # (N, STEPS): time since the step before, a bit taking 1; 0 behind the end
    mask: Array  # (N, STEPS): true = a real step
    parity: Array  # (N,): 1 where the number of ones is odd

    def take(self, which: Any) -> BitStreams:
        """Return some of them."""
        return BitStreams(*(array[which] for array in self))

    @property
    def data(self) -> tuple[Array, Array, Array, Array]:
        """The tuple (x, y, timespans, mask) that :func:`cfc_ref.fit` takes; timespans are divided by STEPS."""
        return self.bits, self.parity.astype(np.float32), self.elapsed / np.float32(STEPS), self.mask


def official_bit_streams(part: str, *, event_based: bool) -> BitStreams:
    """Return the official samples."""
    n, seed = PARTS[checks.choice("part", part, PARTS)]
    return draw_bit_streams(n, seed, event_based=event_based)


def draw_bit_streams(n: int, seed: int, *, event_based: bool) -> BitStreams:
    """Draw samples of 2 to 31 random bits as the official code does; each length is equally likely.

    In the equidistant form each bit is one time step, of length 1. In the event-based form there is a step at the first
    bit, at each bit that differs from the one before, and at the last bit; `elapsed` is the time since the previous
    step. Both forms have the same bits.
    """
    n, seed = checks.count("n", n, at_least=1), checks.count("seed", seed)
    if seed >= 2**32:
        checks.refuse("seed", repr(seed), "a whole number below 2**32", "pass a smaller one")
    bits, real = _draws(n, seed)
    parity = (bits & real).sum(axis=1) % 2
    written = _events(bits, real) if checks.flag("event_based", event_based) else real
    # A step's elapsed time is its place minus that of the step before; the first has place 1.
    row, place = np.nonzero(written)
    step = (np.cumsum(written, axis=1) - 1)[row, place]
    since = np.diff(place, prepend=0)
    streams = BitStreams(
        np.zeros((n, STEPS, 1), np.float32), np.zeros((n, STEPS), np.float32), np.zeros((n, STEPS), bool), parity
    )
    streams.bits[row, step, 0] = bits[row, place]
    streams.elapsed[row, step] = np.where(step == 0, 1, since)
    streams.mask[row, step] = True
    return streams


def _draws(n: int, seed: int) -> tuple[Array, Array]:
    """Return bits, shape (n, STEPS), and which of them are real.

    The official code calls ``randint`` once for a length and once for each bit. ``randint`` takes the lowest bits of a
    32-bit word, and another word where they are too large: so the words can be drawn at once.
    """
    enough = 40 * n + 1000  # a sample takes 32 at most, and seldom one more
    words = np.random.RandomState(seed).randint(0, 2**32, enough, dtype=np.uint32)
    at, low, starts = 0, (words & 31).tolist(), []
    for _ in range(n):
        while low[at] >= _LENGTHS:
            at += 1
        starts.append(at)
        at += 1 + _SHORTEST + low[at]
    start = np.array(starts)
    lengths = _SHORTEST + (words[start] & 31).astype(np.int64)
    place = np.arange(STEPS)
    return (words[start[:, None] + 1 + place] & 1).astype(bool), place < lengths[:, None]


def _events(bits: Array, real: Array) -> Array:
    """Return at which bits there is a step: where one differs from the one before, and at the last."""
    differs, last = real.copy(), real.copy()
    differs[:, 1:] &= bits[:, 1:] != bits[:, :-1]
    last[:, :-1] &= ~real[:, 1:]
    events: Array = differs | last
    return events
