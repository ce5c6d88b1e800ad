"""The study of scaling: what is too long is left out, and a stream's memory does not grow."""

import numpy as np
import pytest

from cfc_ref.bench import growth
from cfc_ref.bench.timing import Plan
from tests.compare import assert_close

pytestmark = pytest.mark.usefixtures("all_threads")


def test_four_series_from_one_step_on(monkeypatch):
    monkeypatch.setattr(growth, "_LONGEST", 60.0)
    got = growth.measure(1, Plan(1, 0.0), steps=(50, 100))
    assert [row.details["steps"] for row in got.rows] == [1, 50, 100, 2, 50, 100] * 2
    assert got.notes == []


def test_exponents_of_a_call_that_costs_something_by_itself():
    whole, beyond = growth._exponents("s", [1, 100, 10_000], [5.0, 5.0 + 0.1, 5.0 + 10.0])
    assert_close(whole.value, np.log10(15 / 5.1) / 2)
    assert whole.target is None
    assert_close(beyond.value, 1.0, atol=1e-12)
    assert beyond.target == (0.95, 1.05)


def test_no_exponents_of_what_is_not_there():
    assert growth._exponents("s", [1, 100], [1.0, 2.0]) == []
    assert growth._exponents("s", [1, 100, 200], [1.0, 1.0, 2.0]) == []


def test_what_would_take_too_long_is_left_out_and_said(monkeypatch):
    monkeypatch.setattr(growth, "_LONGEST", 0.0)
    got = growth.measure(1, Plan(1, 0.0), steps=(50, 100))
    assert [row.details["steps"] for row in got.rows] == [1, 2] * 2
    assert len(got.notes) == 4
    assert got.notes[0].startswith("CfC, one sequence: 50, 100 steps are left out")


def test_the_memory_of_a_stream_does_not_grow():
    growth.stream_memory(10)
    assert growth.stream_memory(2000) < 1.05 * growth.stream_memory(100)
