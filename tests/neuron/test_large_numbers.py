"""Offsets of the input, and extreme states and leaks, cost neither digits nor time."""

import time

import numpy as np
import pytest

from cfc_ref import LTCNeuron, closed_form, exact, frozen, signals, solve
from tests.compare import assert_close

T = np.linspace(0.5, 8, 6)
KNOTS = np.linspace(-1, 9, 41)
WAVES = {  # the same input on any offset, all of whose numbers are exact in float64
    "sampled": lambda offset: signals.sampled(KNOTS, offset + np.round(np.sin(KNOTS) * 64) / 64),
    "held": lambda offset: signals.piecewise_constant(KNOTS, offset + np.round(np.sin(KNOTS) * 64) / 64),
    "sine": lambda offset: signals.sine(1.0, 0.2, 0.3, offset),
}
WAYS = {
    "exact": exact,
    "solve": solve,
    "closed_form": closed_form,
    "frozen": lambda *given: frozen(*given, sample="gauss", step=0.1),
}


@pytest.mark.parametrize("offset", [1e5, -3e9, 2.0**45])
@pytest.mark.parametrize("wave", WAVES)
@pytest.mark.parametrize("way", WAYS)
def test_an_offset_of_input_and_threshold_changes_nothing(way, wave, offset):
    low, high = (LTCNeuron(0.7, [1.0, -2.0], mu=mu, sigma=[5.0, -0.3]) for mu in (0.25, offset + 0.25))
    got, ref = (WAYS[way](n, WAVES[wave](o), 0.3, T) for n, o in ((high, offset), (low, 0.0)))
    assert_close(got, ref, atol=1e-11)


@pytest.mark.parametrize("offset", [3e5, 1e9, -2e11])
@pytest.mark.parametrize("form", ["ltc", "symmetric"])
def test_a_function_with_an_offset_is_solved_to_its_rounding_in_the_time_of_one_without(offset, form):
    neurons = [LTCNeuron(0.7, 1.0, mu=mu, sigma=4.0) for mu in (0.25, offset + 0.25)]
    ref = exact(neurons[0], np.sin, 0.3, T, form)
    begin = time.process_time()
    for way in (exact, solve):
        got = way(neurons[1], lambda t: offset + np.sin(t), 0.3, T, form)
        assert_close(got, ref, rtol=0, atol=1e-10 + 20 * np.spacing(abs(offset)))
    assert time.process_time() - begin < 5  # it took minutes


@pytest.mark.parametrize("sigma", [1e9, 1e200, -1e308])
def test_steep_gains_at_an_offset(sigma):
    neuron, signal = LTCNeuron(1.0, 1.0, mu=1e9 + 0.5, sigma=sigma), signals.sampled([0, 1, 2], [1e9, 1e9 + 1, 1e9])
    y = [0.0, 1.0, 0.0] if sigma > 0 else [1.0, 0.0, 1.0]
    ref = exact(LTCNeuron(1.0, 1.0), signals.piecewise_constant([0, 0.5, 1.5], (np.array(y) - 0.5) * 2e3), 0.0, T)
    assert_close(exact(neuron, signal, 0.0, T), ref, atol=1e-8)
    assert_close(solve(neuron, signal, 0.0, T), ref, atol=1e-8)


@pytest.mark.parametrize("form", ["ltc", "symmetric"])
@pytest.mark.parametrize("scale", [2.0**40, 2.0**660, 2.0**1000])
def test_states_scale(scale, form):
    """Both ODEs are linear in (x, A)."""
    small, large = (LTCNeuron(1.0, 0.5 * unit) for unit in (1.0, scale))
    for way in (exact, solve):
        got = way(large, np.sin, 0.25 * scale, T, form)
        assert_close(got / scale, way(small, np.sin, 0.25, T, form), rtol=1e-8)
    assert_close(solve(large, np.sin, 0.25, T, form) / scale, solve(small, np.sin, 0.0, T, form), rtol=1e-8)


@pytest.mark.parametrize("w_tau", [1e17, 1e30, 1e300, 1e308])
def test_leaks_beyond_all_time(w_tau):
    """The state follows the input: A y/(w + y) of the LTC as stated, A of the symmetric form."""
    neuron = LTCNeuron(w_tau, 2.0)
    assert_close(exact(neuron, signals.sine(), 3.0, T), np.zeros(T.shape))
    assert_close(exact(neuron, signals.sine(), 3.0, T, "symmetric"), np.full(T.shape, 2.0))
