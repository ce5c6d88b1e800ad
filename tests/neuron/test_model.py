import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfc_ref import LTCNeuron, bounds, closed_form, exact, signals
from cfc_ref.neuron.model import ltc_ode, neuron_and_start, symmetric_ode
from tests import bad, naive
from tests.compare import assert_close, assert_inside, refusal
from tests.strategies import cases, floats

VALUES = {"w_tau": 1.0, "A": 1.0, "mu": 0.5, "sigma": 2.0}


@given(cases(), floats(-5, 5))
def test_release_and_its_reflection(case, I):
    neuron = case.neuron
    assert_close(neuron.f(I), case.f(I))
    assert_close(neuron.r(neuron.f(I)), naive.r(I, case.mu, case.sigma, case.reflection), atol=1e-9)


@given(cases(), floats(0.001, 0.999))
def test_input_at_a_release(case, y):
    assert_close(case.neuron.f(case.neuron.f_inverse(y)), y, rtol=1e-9)
    assert_close(case.neuron.f_inverse(y), case.input(y), rtol=1e-9)


@given(cases(), floats(-5, 5), floats(0, 3))
def test_range_of_the_release(case, low, width):
    ends = case.f(low), case.f(low + width)
    assert_close(case.neuron.f_range(low, low + width), sorted(ends))


def test_reflections_fall_from_one_to_zero_and_agree_where_mu_is_zero():
    y = np.linspace(0, 1, 50)
    for mu in (-1e6, -0.7, 0.0, 0.7, 1e6):
        literal, release = (LTCNeuron(1.0, 0.0, mu, 3.0, reflection).r(y) for reflection in ("input", "release"))
        assert literal[0] == 1
        assert literal[-1] == 0
        assert (np.diff(literal) <= 0).all()
        assert_close(release, 1 - y)
        assert np.allclose(literal, release, rtol=1e-9, atol=1e-12) == (mu == 0)


@given(cases(), floats(-3, 3), floats(0, 1))
def test_right_sides(case, x, y):
    assert_close(ltc_ode(case.w, case.A, x, y), naive.slope("ltc", case.w, case.A, x, y), atol=1e-9)
    assert_close(symmetric_ode(case.w, case.A, x, y), naive.slope("symmetric", case.w, case.A, x, y), atol=1e-9)


def test_the_odes_are_one_where_A_is_zero():
    x, y = np.linspace(-2, 2, 9)[:, None], np.linspace(0, 1, 5)
    assert_close(ltc_ode(2.0, 0.0, x, y), symmetric_ode(2.0, 0.0, x, y))
    assert (ltc_ode(2.0, 1e-3, x, y) != symmetric_ode(2.0, 1e-3, x, y)).all()


@pytest.mark.parametrize(
    ("w_tau", "A", "dtype"),
    [
        (1, 2.0, np.float64),
        (np.float32(1), 2.0, np.float32),
        (np.ones(3, np.float32), np.float32(2), np.float32),
        (np.ones(3, np.float32), np.ones(3), np.float64),
        ([1.0], np.float32(2), np.float64),
        (np.array(1), 2, np.float64),
    ],
)
def test_dtype_is_that_of_the_arrays(w_tau, A, dtype):
    neuron = LTCNeuron(w_tau, A)
    assert neuron.dtype == dtype
    assert {array.dtype for array in neuron.parameters} == {np.dtype(dtype)}
    assert neuron.f(0.25).dtype == neuron.r(0.25).dtype == dtype


def test_shape_is_that_of_all_parameters():
    neuron = LTCNeuron(np.ones((2, 1, 1)), np.ones(3), mu=np.zeros((1, 3)))
    assert neuron.shape == (2, 1, 3)
    assert neuron.f(np.zeros((2, 1, 3, 5)), over_time=True).shape == (2, 1, 3, 5)
    assert neuron.over(np.zeros((4, 5))).shape == (2, 1, 3, 1, 1)
    assert neuron_and_start(neuron, np.zeros((4, 1, 1, 1)))[2] == (4, 2, 1, 3)


def test_repr_says_all_that_makes_a_neuron():
    neuron = LTCNeuron(**VALUES, reflection="input")
    assert repr(neuron) == "LTCNeuron(w_tau=1, A=1, mu=0.5, sigma=2, reflection='input')"


@pytest.mark.parametrize("value", [1e6, -1e6])
@pytest.mark.parametrize("reflection", ["release", "input"])
def test_large_weights_saturate(value, reflection):
    for mu in (value, -value):
        neuron = LTCNeuron(1e6, 1e6, mu, value, reflection)
        y = neuron.f([-1e6, 0.0, 1e6])
        assert ((y >= 0) & (y <= 1)).all()
        assert ((neuron.r(y) >= 0) & (neuron.r(y) <= 1)).all()


@pytest.mark.parametrize("parameter", VALUES)
@pytest.mark.parametrize("value", bad.NUMBERS)
def test_bad_parameters_are_refused(parameter, value):
    bad.refuses(LTCNeuron, parameter, value, **VALUES)


@pytest.mark.parametrize("value", [0, 0.0, -1.0, [1.0, 0.0], -1e-300])
def test_a_leak_is_positive(value):
    bad.refuses(LTCNeuron, "w_tau", value, A=1.0)


@pytest.mark.parametrize("value", bad.CHOICES)
def test_unknown_reflections_are_refused(value):
    bad.refuses(LTCNeuron, "reflection", value, **VALUES)


def test_parameters_that_do_not_broadcast_are_refused():
    with pytest.raises(ValueError, match=refusal("neuron")):
        LTCNeuron([1.0, 2.0], [1.0, 2.0, 3.0])


@pytest.mark.parametrize(
    ("name", "value"), [("A", 1e39), ("mu", -1e39), ("sigma", 1e39), ("w_tau", 1e39), ("w_tau", 1e-50)]
)
def test_what_float32_does_not_hold_is_refused(name, value):
    bad.refuses(LTCNeuron, name, value, **{k: np.float32(v) for k, v in VALUES.items()})


@pytest.mark.parametrize("neuron", [None, 1.0, "LTCNeuron", (1.0, 1.0), LTCNeuron])
def test_what_is_no_neuron_is_refused(neuron):
    bad.refuses(neuron_and_start, "neuron", neuron, x0=0.0)


@given(st.floats(-700, 700))
def test_release_of_float32_is_that_of_float64(z):
    neuron = LTCNeuron(np.float32(1), 1.0)
    assert_close(neuron.f(z), naive.f(z), rtol=1e-6 * max(1, abs(z)), atol=1e-37)
    assert math.isfinite(neuron.r(neuron.f(z)))


def test_a_range_over_time_is_read_as_one_a_time():
    """With as many times as neurons the axes could be taken for each other."""
    neuron, t = LTCNeuron(np.linspace(1, 2, 5), 1.0, sigma=[1.0, 2.0, 3.0, 4.0, 5.0]), np.linspace(0, 0.2, 5)
    a, b = neuron.f_range(*signals.sine().range(t), over_time=True)
    assert a.shape == b.shape == (5, 5)
    low, high = bounds.closed_form_error(neuron, 0.0, t, (a, b))
    error = exact(neuron, signals.sine(), 0.0, t) - closed_form(neuron, signals.sine(), 0.0, t)
    assert_inside(low, error, high, atol=1e-12)


@pytest.mark.parametrize(("method", "name"), [("f", "I"), ("r", "y"), ("f_inverse", "y"), ("f_range", "I")])
@pytest.mark.parametrize(
    "value", [math.nan, math.inf, "a", None, 1j, np.ones(7), np.ma.masked_array([0.5], mask=[True])]
)
def test_methods_refuse_what_is_no_input(method, name, value):
    neuron = LTCNeuron(np.ones((2, 3)), 1.0)
    arguments = (value, value) if method == "f_range" else (value,)
    with pytest.raises((ValueError, TypeError), match=refusal(name)):
        getattr(neuron, method)(*arguments)


@pytest.mark.parametrize(("method", "value"), [("r", 1.1), ("r", -0.1), ("f_inverse", 0.0), ("f_inverse", 1.0)])
def test_a_release_outside_its_values_is_refused(method, value):
    with pytest.raises(ValueError, match=refusal("y")):
        getattr(LTCNeuron(1.0, 1.0), method)(value)


def test_the_inverse_of_a_release_that_sees_no_input_is_refused():
    with pytest.raises(ValueError, match=refusal("sigma")):
        LTCNeuron(1.0, 1.0, sigma=0.0).f_inverse(0.5)
