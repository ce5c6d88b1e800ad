"""The study of solvers: errors are against the truth, what takes too long is cut off, compiled solvers agree."""

import numpy as np
import pytest

from cfc_ref.bench import ode_solvers
from cfc_ref.bench.compiled_solvers import with_diffrax, with_numbalsoda
from cfc_ref.bench.timing import Plan
from tests.compare import assert_close


@pytest.fixture(scope="module")
def posed():
    return ode_solvers.pose(steps=12, units=5)


def test_the_truth_is_also_radaus(posed):
    other = posed.layer.solve(posed.x, timespans=posed.timespans, method="Radau", rtol=1e-11, atol=1e-11)
    assert_close(other, posed.truth, atol=1e-9)


def test_what_fits_into_the_time_runs_through_and_has_its_error(posed):
    def off(x, timespans, start):
        return posed.truth[: len(x)] + 0.25

    row = ode_solvers._timed("a", {"way": "a"}, off, posed, seconds=1.0)
    assert_close(row.details["error"], 0.25)
    assert row.details["steps"] == 12


def test_what_does_not_is_cut_off_and_goes_on_from_its_own_states(posed):
    starts = []

    def advance(x, timespans, start):
        starts.append(start)
        return np.repeat(start[None] + 1, len(x), axis=0)

    row = ode_solvers._timed("a", {"way": "a"}, advance, posed, seconds=0.0)
    assert row.details["steps"] == 5
    states, samples = ode_solvers._in_blocks(advance, posed, seconds=60.0)
    assert_close(states[:, 0], [1.0] * 5 + [2.0] * 5 + [3.0] * 2)
    assert len(samples) == 3
    assert_close(starts[-1], np.full(5, 2.0))


def test_compiled_solvers_find_the_same_states(posed):
    ways = {"diffrax": lambda: with_diffrax(posed.layer, "Tsit5"), "numbalsoda": lambda: with_numbalsoda(posed.layer)}
    for package, prepare in ways.items():
        pytest.importorskip(package)
        states = prepare()(1e-8)(posed.x, posed.timespans, np.zeros(5))
        assert_close(states, posed.truth, rtol=0, atol=1e-6)


def test_the_right_hand_side_for_compiled_solvers_is_the_specifications(posed):
    """Called through its address, as LSODA does."""
    import ctypes

    from cfc_ref.bounds.posed import weights_of
    from cfc_ref.cells.ode import right_side
    from cfc_ref.kernels.ltc import slope as ltc_slope

    cell, form, rng = weights_of(posed.layer).cell, posed.layer.equation, np.random.default_rng(0)
    numbers, x, slope = ltc_slope.numbers_of(cell), rng.normal(size=(1, 5)), np.empty(5)
    held = form.hold(cell, rng.normal(size=(1, posed.layer.input_size)))
    numbers[6:11], numbers[11:16] = held[0][0], held[1][0]
    pointers = [array.ctypes.data for array in (x, slope, numbers)]
    kind = ctypes.CFUNCTYPE(None, ctypes.c_double, *[ctypes.c_void_p] * 3)
    kind(ltc_slope.address())(0.0, *pointers)
    assert_close(slope, right_side(form, cell, held, x)[0], rtol=1e-12)


def test_all_ways_are_measured_and_none_is_astray(posed, monkeypatch):
    monkeypatch.setattr(ode_solvers, "pose", lambda steps: posed)
    monkeypatch.setattr(ode_solvers, "RTOLS", (1e-3, 1e-6))
    monkeypatch.setattr(ode_solvers, "PARTS", (1, 6))
    monkeypatch.setattr(ode_solvers, "DIFFRAX", ())
    got = ode_solvers.measure(1, Plan(3, 0.03))
    ways = {row.details["way"] for row in got.rows}
    assert {"CfC", *ode_solvers.FORMS, *(f"scipy {method}" for method in ode_solvers.SCIPY)} <= ways
    assert set(got.skipped) <= {"numbalsoda LSODA"}
    for row in got.rows:
        if "rtol" in row.details:
            assert row.details["error"] < 10 * row.details["rtol"], row.name
    assert got.findings[0].value < 1e-9


def test_a_solver_that_gives_up_or_goes_astray_is_left_out_and_said(posed, monkeypatch):
    def gives_up(x, timespans, start):
        raise RuntimeError("stopped")

    def ways(posed):
        yield "CfC", {"way": "CfC"}, lambda: ode_solvers._called(posed.layer)
        yield "a, rtol 1e-03", {"way": "a", "rtol": 1e-3}, lambda: gives_up
        yield "b, rtol 1e-03", {"way": "b", "rtol": 1e-3}, lambda: lambda x, timespans, start: posed.truth[: len(x)] + 1
        yield "c, rtol 1e-03", {"way": "c", "rtol": 1e-3}, lambda: lambda x, timespans, start: posed.truth[: len(x)]

    monkeypatch.setattr(ode_solvers, "pose", lambda steps: posed)
    monkeypatch.setattr(ode_solvers, "_ways", ways)
    got = ode_solvers.measure(1, Plan(3, 0.03))
    assert got.skipped == {"a, rtol 1e-03": "stopped", "b, rtol 1e-03": "it is off by 1e+00"}
    assert [row.name for row in got.rows] == ["CfC", "c, rtol 1e-03"]
