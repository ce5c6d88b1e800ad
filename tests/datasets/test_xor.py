"""Bit-stream XOR: the official samples to the bit, and what they mean."""

import hashlib

import numpy as np
import pytest

from cfc_ref.datasets.xor import PARTS, STEPS, draw_bit_streams, official_bit_streams
from tests import bad
from tests.compare import assert_close

# SHA-256 over bits, elapsed, mask and label of the official code's arrays, little-endian, in that order.
OFFICIAL = {
    ("training", True): "18b04cb60f40384d09f9492a8db2033d47a059273d2b7e31bb2aa7568f2a6f5c",
    ("training", False): "56781115c32dd0e58779847bfe8944c085dccd692e76cf05d8ec07cabce90bad",
    ("test", True): "a9c97927ca41cfe26cf926f3fbcdfef86b9033c32d447cf5b581d40941ae2ea5",
    ("test", False): "6621fd242e80739928ea50e4aca5eb55670b4fce82b1224df4c2878fb1797ab0",
}


@pytest.mark.parametrize(("part", "event_based"), OFFICIAL)
def test_the_samples_are_the_official_ones_to_the_bit(part, event_based):
    streams = official_bit_streams(part, event_based=event_based)
    state = hashlib.sha256()
    for array, dtype in zip(streams, ("<f4", "<f4", "u1", "<i8"), strict=True):
        state.update(array.astype(dtype).tobytes())
    assert state.hexdigest() == OFFICIAL[part, event_based]


def test_5089_of_the_10000_test_labels_are_1():
    """So the 49.11 % that the paper has for the LTC are the share of label 0."""
    parity = official_bit_streams("test", event_based=True).parity
    assert (len(parity), parity.sum()) == (10_000, 5089)


def one_by_one(n, seed):
    """Bits of each sample: a length, then bit by bit, each by a call of its own."""
    rng = np.random.RandomState(seed)
    return [[rng.randint(0, 2) for _ in range(rng.randint(2, STEPS))] for _ in range(n)]


def as_runs(bits):
    """(bit, elapsed) of each run's first bit, and of the last bit where a run goes on."""
    steps, counter, before = [], 0, None
    for bit in bits:
        counter += 1
        if bit != before:
            steps.append((bit, counter))
            counter = 0
        before = bit
    return [*steps, (bits[-1], counter)] if counter else steps


@pytest.mark.parametrize("event_based", [False, True])
@pytest.mark.parametrize("seed", [0, 7, 2**32 - 1])
def test_samples_are_those_of_a_loop_over_bits(seed, event_based):
    n = 60
    streams = draw_bit_streams(n, seed, event_based=event_based)
    assert [array.dtype.name for array in streams] == ["float32", "float32", "bool", "int64"]
    for k, bits in enumerate(one_by_one(n, seed)):
        steps = as_runs(bits) if event_based else [(bit, 1) for bit in bits]
        padded = np.zeros((STEPS, 2))
        padded[: len(steps)] = steps
        assert_close(streams.bits[k, :, 0], padded[:, 0].astype(np.float32))
        assert_close(streams.elapsed[k], padded[:, 1].astype(np.float32))
        assert streams.mask[k].tolist() == [True] * len(steps) + [False] * (STEPS - len(steps))
        assert streams.parity[k] == sum(bits) % 2


def test_both_forms_are_of_the_same_bits_and_take_as_long():
    single, runs = (draw_bit_streams(200, 3, event_based=event_based) for event_based in (False, True))
    assert_close(single.elapsed.sum(axis=1), runs.elapsed.sum(axis=1))
    assert np.array_equal(single.parity, runs.parity)
    assert runs.mask.sum() < single.mask.sum()


def test_what_fit_takes_has_times_divided_by_32():
    streams = draw_bit_streams(5, 0, event_based=True).take(slice(1, 4))
    x, y, timespans, mask = streams.data
    assert (x.shape, y.shape, timespans.shape, mask.shape) == ((3, STEPS, 1), (3,), (3, STEPS), (3, STEPS))
    assert_close(timespans * 32, streams.elapsed, dtype="float32")
    assert y.dtype == np.float32


def test_bad_arguments_are_refused():
    for n in (0, -1, 1.5, True, None):
        bad.refuses(draw_bit_streams, "n", n, seed=0, event_based=True)
    for seed in (-1, 2**32, 0.5, None):
        bad.refuses(draw_bit_streams, "seed", seed, n=1, event_based=True)
    bad.refuses(draw_bit_streams, "event_based", 1, n=1, seed=0)
    for part in bad.CHOICES:
        bad.refuses(official_bit_streams, "part", part, event_based=True)
    assert set(PARTS) == {"training", "test"}
