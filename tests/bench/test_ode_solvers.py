"""The study of solvers: errors are against the truth, what takes too long is cut off, compiled solvers agree."""

import importlib.util

import numpy as np
import pytest

from cfc_ref.bench import ode_solvers
from cfc_ref.bench.compiled_solvers import with_diffrax, with_jax_rk4, with_numbalsoda, with_torchdiffeq
from cfc_ref.bench.equal_accuracy import findings
from cfc_ref.bench.processes import UnavailableError
from cfc_ref.bench.results import Row
from cfc_ref.bench.timing import Plan
from tests.compare import assert_close
from tests.layers.ltc_layers import twin


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
    layer = posed.layer
    ways = {
        "diffrax": (lambda: with_diffrax(layer, "Tsit5"), 1e-8),
        "numbalsoda": (lambda: with_numbalsoda(layer, "dop853"), 1e-8),
        "torchdiffeq": (lambda: with_torchdiffeq(layer, "dopri5"), 1e-8),
        "jax": (lambda: with_jax_rk4(layer), 60),
    }
    for package, (prepare, setting) in ways.items():
        if importlib.util.find_spec(package):
            states = prepare()(setting)(posed.x, posed.timespans, np.zeros(5))
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


def test_the_conductances_have_the_factor(posed):
    stiff = ode_solvers.pose(steps=2, units=5, conductances=30.0).layer.weights.network.cell
    plain = posed.layer.weights.network.cell
    for name in ("gleak", "w", "sensory_w"):
        assert_close(getattr(stiff, name), 30 * getattr(plain, name))
    assert_close(stiff.cm, plain.cm)


def test_cf4_is_compared_at_equal_errors():
    def row(way, error, seconds, **details):
        return Row(way, [seconds], {"way": way, "error": error, **details})

    rows = [
        Row("CfC", [1.0], {"way": "CfC"}),
        row("cf4", 5e-3, 1.0),
        row("cf4 by step", 5e-5, 2.0),
        row("diffrax Tsit5", 5e-3, 4.0, rtol=1e-2),
        row("diffrax Tsit5", 5e-5, 5.0, rtol=1e-4),
        row("scipy RK45", 5e-5, 90.0, rtol=1e-4),
    ]
    found = {finding.what: finding for finding in findings(rows, targets=True)}
    assert found["error 1e-02: fastest compiled solver (diffrax Tsit5) / cf4"].value == 4.0
    assert found["error 1e-02: fastest compiled solver (diffrax Tsit5) / cf4"].reached
    slow = found["error 1e-04: fastest compiled solver (diffrax Tsit5) / cf4 by step"]
    assert (slow.value, slow.reached, slow.verdict) == (2.5, False, "at least 3: not reached")
    assert found["error 1e-04: fastest scipy solver (scipy RK45) / cf4 by step"].value == 45.0
    assert not any(what.startswith("error 1e-05") for what in found)
    assert all(finding.target is None for finding in findings(rows, targets=False))


def _in_numpy(layer, **solver):
    """Compiles nothing."""
    other = twin(layer, **{"ode_unfolds": None, **solver})
    other.backend = "numpy"
    return other


def _unavailable(*_):
    raise UnavailableError("not installed")


def test_all_ways_are_measured_and_none_is_astray(posed, monkeypatch):
    monkeypatch.setattr(ode_solvers, "pose", lambda steps, conductances: posed)
    monkeypatch.setattr(ode_solvers, "RTOLS", (1e-3, 1e-6))
    monkeypatch.setattr(ode_solvers, "PARTS", (1, 6))
    for name in ("DIFFRAX", "NUMBALSODA", "STEPS_OF_CF4"):
        monkeypatch.setattr(ode_solvers, name, getattr(ode_solvers, name)[:1] if name == "STEPS_OF_CF4" else {})
    monkeypatch.setattr(ode_solvers, "FINE", {"cf4": (1, 4), "JAX RK4": ()})
    monkeypatch.setattr(ode_solvers, "with_torchdiffeq", _unavailable)
    monkeypatch.setattr(ode_solvers, "_same", _in_numpy)
    got = ode_solvers.measure(1, Plan(3, 0.03))
    ways = {row.details["way"] for row in got.rows}
    assert {"CfC", *ode_solvers.FORMS, *(f"scipy {method}" for method in ode_solvers.SCIPY)} <= ways
    assert set(got.skipped) <= {"numbalsoda LSODA", "numbalsoda DOP853", "torchdiffeq dopri5", "JAX RK4"}
    for row in got.rows:
        if "rtol" in row.details:
            assert row.details["error"] < 10 * row.details["rtol"], row.name
    assert got.findings[0].value < 1e-9
    assert [one.what for one in got.findings[-2:]] == [
        f"16 looks of CF4 / one frozen look, {what}" for what in ("forward", "training")
    ]
    assert all(one.value > 1 for one in got.findings[-2:])


def test_a_solver_that_gives_up_or_goes_astray_is_left_out_and_said(posed, monkeypatch):
    def gives_up(x, timespans, start):
        raise RuntimeError("stopped")

    def ways(posed):
        yield "CfC", {"way": "CfC"}, lambda: ode_solvers._called(posed.layer)
        yield "a, rtol 1e-03", {"way": "a", "rtol": 1e-3}, lambda: gives_up
        yield "b, rtol 1e-03", {"way": "b", "rtol": 1e-3}, lambda: lambda x, timespans, start: posed.truth[: len(x)] + 1
        yield "c, rtol 1e-03", {"way": "c", "rtol": 1e-3}, lambda: lambda x, timespans, start: posed.truth[: len(x)]

    monkeypatch.setattr(ode_solvers, "pose", lambda steps, conductances: posed)
    monkeypatch.setattr(ode_solvers, "_ways", ways)
    monkeypatch.setattr(ode_solvers, "of_one_look", lambda posed, plan: [])
    got = ode_solvers.measure(1, Plan(3, 0.03))
    assert got.skipped == {"a, rtol 1e-03": "stopped", "b, rtol 1e-03": "it is off by 1e+00"}
    assert [row.name for row in got.rows] == ["CfC", "c, rtol 1e-03"]
