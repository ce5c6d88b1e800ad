"""Missing values: the last seen value, the time since, and the mask, against plain loops; row by row the same."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfc_ref.tables.missing import Filler, fill, last_seen
from tests import bad
from tests.compare import assert_close


def by_loops(x, present, dt, start=0.0):
    """One feature of one sequence: last seen, time since, mask."""
    rows, value, since = [], start, 0.0
    for k in range(len(x)):
        since = 0.0 if present[k] or k == 0 else since + dt[k]
        value = x[k] if present[k] else value
        rows.append((value, since, float(present[k])))
    return np.array(rows).reshape(-1, 3)


@st.composite
def sequences(draw):
    B, T, F = draw(st.integers(1, 3)), draw(st.integers(1, 9)), draw(st.integers(1, 3))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    present = rng.random((B, T, F)) < draw(st.sampled_from([0.0, 0.3, 0.7, 1.0]))
    return np.where(present, rng.normal(size=(B, T, F)), np.nan), present, rng.exponential(size=(B, T))


@given(sequences())
def test_it_is_what_loops_find(sequence):
    x, present, dt = sequence
    got = fill(x, present, dt)
    F = x.shape[2]
    for b in range(len(x)):
        for f in range(F):
            assert_close(got[b][:, [f, F + f, 2 * F + f]], by_loops(x[b, :, f], present[b, :, f], dt[b]))
    assert_close(fill(x, present, dt, with_time=False), np.delete(got, np.s_[F : 2 * F], axis=2))
    assert_close(fill(x[0], present[0], dt[0]), got[0], rtol=0, atol=0)


@given(sequences())
def test_row_by_row_it_is_the_same_to_the_last_bit(sequence):
    x, present, dt = (part[0] for part in sequence)
    filler = Filler(x.shape[1])
    rows = [filler(x[k], present[k], dt[k]) for k in range(len(x))]
    np.testing.assert_array_equal(rows, fill(x, present, dt))


@given(sequences(), st.floats(-2, 2))
def test_last_seen_values_begin_with_the_start(sequence, start):
    x, present, dt = (part[0] for part in sequence)
    for f in range(x.shape[1]):
        assert_close(last_seen(x, start)[:, f], by_loops(x[:, f], present[:, f], dt, start)[:, 0])


def test_a_present_sequence_has_no_time_since_and_stays_float32():
    x = np.ones((4, 2), np.float32)
    got = fill(x, np.ones((4, 2), bool), 1.0)
    assert_close(got, [[1, 1, 0, 0, 1, 1]] * 4, dtype=np.float32)


GOOD = {"x": np.ones((4, 2)), "present": np.ones((4, 2), bool), "timespans": np.ones(4)}


@pytest.mark.parametrize("value", [*bad.NUMBERS, np.ones(4), np.ones((1, 1, 4, 2))])
def test_x_is_refused(value):
    bad.refuses(fill, "x", value, **GOOD)


@pytest.mark.parametrize("value", [1, np.ones((4, 2)), np.ones((4, 1), bool), "yes", None])
def test_a_mask_that_is_none_is_refused(value):
    bad.refuses(fill, "present", value, **GOOD)


@pytest.mark.parametrize("value", [*bad.TIMES, np.ones(3), np.ones((4, 1)), np.ones((1, 4))])
def test_timespans_are_refused(value):
    bad.refuses(fill, "timespans", value, **GOOD)


@pytest.mark.parametrize("value", [0, None, "yes"])
def test_with_time_is_a_flag(value):
    bad.refuses(fill, "with_time", value, **GOOD)
