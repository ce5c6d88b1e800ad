import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cfc_ref import LTCNeuron, exact, signals, solve
from cfc_ref.neuron.trajectory import METHODS
from tests import naive
from tests.compare import assert_close
from tests.strategies import cases, floats, forms, increasing_times, inputs

SIGNALS = {
    "constant": 0.7,
    "jumps": signals.piecewise_constant([0.3, 0.8, 1.5], [2.0, -2.0, 1.0]),
    "lines": signals.sampled([0.0, 0.5, 0.9, 2.5], [1.0, -2.0, 2.0, 0.0]),
    "sine": signals.sine(1.5, 0.5, offset=0.2),
    "function": lambda t: np.cos(3 * t),
}
TIMES = np.array([0.0, 0.3, 0.5, 1.1, 2.0])


@pytest.mark.parametrize("form", ["ltc", "symmetric"])
@pytest.mark.parametrize("signal", SIGNALS)
@pytest.mark.parametrize("method", METHODS)
def test_each_of_scipys_methods_against_the_exact_solution(method, signal, form):
    neuron = LTCNeuron([0.2, 1.0, 3.0], [1.0, -2.0, 0.5], mu=0.3, sigma=[2.0, -1.0, 1.0])
    got = solve(neuron, SIGNALS[signal], [0.0, 1.0, 3.0], TIMES, form, method, rtol=1e-7, atol=1e-9)
    assert_close(got, exact(neuron, SIGNALS[signal], [0.0, 1.0, 3.0], TIMES, form), rtol=0, atol=5e-6)


@settings(max_examples=25)
@given(cases(leaks=floats(0.01, 10)), inputs, increasing_times(), forms)
def test_against_the_exact_solution(case, given_input, t, form):
    got = solve(case.neuron, given_input.signal, case.x0, t, form)
    assert_close(got, exact(case.neuron, given_input.signal, case.x0, t, form), rtol=0, atol=2e-9 * case.scale)


@pytest.mark.parametrize("method", METHODS)
def test_jumps_are_met_where_they_are(method):
    """A pulse of a thousandth of the time, with the next asked time far away: no step may pass over it."""
    pulse = signals.piecewise_constant([0, 5.0, 5.01], [-30.0, 30.0, -30.0])
    got = solve(LTCNeuron(0.1, 1.0), pulse, 0.0, 10.0, method=method, rtol=1e-7, atol=1e-9)
    ref = naive.chain("ltc", 0.1, 1.0, 0.0, [(naive.f(v), h) for v, h in ((-30, 5.0), (30, 0.01), (-30, 4.99))])
    assert_close(got, ref, rtol=1e-4)


@pytest.mark.parametrize("method", METHODS)
def test_no_solver_looks_past_a_jump_before_it_is_there(method):
    asked = []

    def step(t):
        asked.extend(np.ravel(t))
        return np.where(t < 1, 1.0, -1.0)

    signal = signals.smooth(step, breakpoints=[1.0])
    asked.clear()
    solve(LTCNeuron(1.0, 1.0), signal, 0.0, [0.5, 1.0], method=method)
    assert 0.5 < max(asked) < 1


@pytest.mark.parametrize("method", ["RK23", "RK45", "DOP853", "Radau", "BDF"])
def test_each_of_many_neurons_meets_the_tolerance(method):
    """scipy averages its error over the system: 399 neurons at rest must not hide that of the one that moves."""
    x0 = np.zeros(400)
    x0[0] = 3.0
    neuron = LTCNeuron(1.0, 0.0)
    signal = signals.sine(3.0, 1.0)
    t = np.linspace(0.5, 4, 8)

    def error(start):
        return np.abs(
            solve(neuron, signal, start, t, method=method, rtol=1e-6, atol=1e-9) - exact(neuron, signal, start, t)
        ).max()

    assert error(x0) <= max(1.5 * error(3.0), 1e-8)


@pytest.mark.parametrize("method", ["Radau", "BDF", "LSODA"])
def test_stiff_neurons(method):
    neuron = LTCNeuron([1e-6, 1.0, 1e6], 1.0)
    t = [0.0, 1e-6, 1.0, 5.0]
    got = solve(neuron, signals.sine(), 2.0, t, method=method, rtol=1e-6, atol=1e-9)
    assert_close(got[0], exact(LTCNeuron(1e-6, 1.0), signals.sine(), 2.0, t), rtol=1e-4)
    assert_close(got[2], exact(LTCNeuron(1e6, 1.0), signals.sine(), 2.0, t), rtol=1e-3, atol=1e-6)


@given(st.floats(-420, -300))
@settings(max_examples=30)
def test_a_release_next_to_nothing_warns_of_nothing(I):
    """The square of DOP853's error estimate underflows, for example at I = -387."""
    assert_close(solve(LTCNeuron(1.0, 1.0), I, 0.0, 1.0), 0.0, atol=1e-12)
    assert_close(solve(LTCNeuron(1.0, 1.0), -387.0, 0.0, 1.0), 0.0, atol=1e-12)


def test_tolerances_below_scipys_floor_are_lifted_to_it():
    assert_close(solve(LTCNeuron(1.0, 1.0), 0.0, 0.0, 10.0, rtol=1e-30, atol=1e-30), 1 / 3, rtol=1e-6)


def test_the_result_is_float64_also_for_float32_neurons():
    got = solve(LTCNeuron(np.float32(1), np.float32(1)), 0.0, 0.0, [10.0])
    assert_close(got, np.array([1 / 3]), rtol=1e-6, dtype=np.float64)
