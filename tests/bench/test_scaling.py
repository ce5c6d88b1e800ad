"""The study of scaling: what is too long is left out, and a stream's memory does not grow."""

from cfc_ref.bench import scaling
from cfc_ref.bench.timing import Plan


def test_four_series_with_an_exponent_each(monkeypatch):
    monkeypatch.setattr(scaling, "_LONGEST", 60.0)
    got = scaling.measure(1, Plan(1, 0.0), steps=(50, 100))
    assert [row.details["steps"] for row in got.rows] == [50, 100] * 4
    exponents = [finding for finding in got.findings if "exponent" in finding.what]
    assert len(exponents) == 4
    assert all(finding.target == (0.95, 1.05) for finding in exponents)
    assert got.notes == []


def test_what_would_take_too_long_is_left_out_and_said(monkeypatch):
    monkeypatch.setattr(scaling, "_LONGEST", 0.0)
    got = scaling.measure(1, Plan(1, 0.0), steps=(50, 100))
    assert [row.details["steps"] for row in got.rows] == [50] * 4
    assert len(got.notes) == 4
    assert got.notes[0].startswith("CfC, one sequence: 100 steps are left out")


def test_the_memory_of_a_stream_does_not_grow():
    scaling.stream_memory(10)
    assert scaling.stream_memory(2000) < 1.05 * scaling.stream_memory(100)
