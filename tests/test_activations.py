import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfc_ref import activations
from tests import naive
from tests.compare import assert_close

anywhere = st.floats(-40, 40) | st.floats(-1e6, 1e6)


@given(anywhere)
def test_sigmoid_and_softplus(z):
    assert_close(activations.sigmoid(z), naive.f(z), rtol=1e-14, atol=0)
    assert_close(activations.softplus(z), max(z, 0.0) + math.log1p(math.exp(-abs(z))), rtol=1e-14, atol=0)


@given(st.floats(-30, 30))
def test_derivatives_against_central_differences(z):
    h = 1e-5
    got = activations.d_sigmoid(activations.sigmoid(z))
    assert_close(got, (naive.f(z + h) - naive.f(z - h)) / (2 * h), rtol=1e-6, atol=1e-10)
    assert_close(
        activations.sigmoid(z), (activations.softplus(z + h) - activations.softplus(z - h)) / (2 * h), 1e-6, 1e-9
    )


@given(st.floats(1e-300, 1 - 1e-9))
def test_logit_inverts_the_sigmoid(y):
    assert_close(activations.sigmoid(activations.logit(y)), y, rtol=1e-12, atol=0)


def test_logit_of_the_ends():
    assert activations.logit([0.0, 1.0]).tolist() == [-math.inf, math.inf]


@given(anywhere, st.floats(-60, 60) | st.floats(-0.2, 0.2) | st.sampled_from([0.0, 1e-9, 0.0999999, 0.1, -0.1, 1e6]))
def test_mean_sigmoid(z, rise):
    z1 = z + rise
    assert_close(activations.mean_sigmoid(z, z1), naive.mean_f(z, z1), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(
    "function", [activations.sigmoid, activations.d_sigmoid, activations.logit, activations.softplus]
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(), (3,), (2, 1, 3), (0,)])
def test_shape_and_dtype_stay(function, dtype, shape):
    z = np.full(shape, 0.3, dtype)
    assert_close(function(z), np.full(shape, function(0.3)), rtol=1e-6, dtype=dtype)
    assert_close(
        activations.mean_sigmoid(z, np.float32(1)),
        np.full(shape, activations.mean_sigmoid(0.3, 1.0)),
        1e-6,
        dtype=dtype,
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_no_argument_overflows(dtype):
    z = np.array([-1e30, -800, 0, 800, 1e30], dtype)
    assert_close(activations.sigmoid(z), np.array([0, 0, 0.5, 1, 1]), dtype=dtype)
    assert_close(activations.softplus(z), np.maximum(z, 0) + np.array([0, 0, math.log(2), 0, 0]), rtol=1e-6)
    assert_close(activations.mean_sigmoid(z, -z), np.full(5, 0.5), rtol=1e-6, dtype=dtype)


# --- the nonlinearities of networks

SMOOTH = sorted(set(naive.NONLINEARITIES) - {"relu"})
EACH = pytest.mark.parametrize("name", sorted(naive.NONLINEARITIES))


def derivative(name, z):
    """As a backward takes it: from the value, or from the argument."""
    entry = activations.ACTIVATIONS[name]
    return entry.derivative(entry.value(z) if entry.by_value else z)


@EACH
@given(z=anywhere)
def test_values(name, z):
    got = activations.ACTIVATIONS[name].value(z)
    assert_close(got, naive.NONLINEARITIES[name](z), rtol=1e-14, atol=1e-15 * max(1, abs(z)))
    assert_close(getattr(activations, name)(z), got, 0, 0)


@pytest.mark.parametrize("name", SMOOTH)
@given(z=st.floats(-40, 40))
def test_derivatives_of_the_nonlinearities(name, z):
    f, h = naive.NONLINEARITIES[name], 1e-4
    ref = (8 * (f(z + h) - f(z - h)) - (f(z + 2 * h) - f(z - 2 * h))) / (12 * h)
    assert_close(derivative(name, z), ref, rtol=0, atol=1e-9)


@given(anywhere)
def test_the_rectifiers_derivative_is_a_step_and_0_at_the_kink(z):
    assert derivative("relu", z) == (1.0 if z > 0 else 0.0)
    assert derivative("relu", 0.0) == derivative("relu", -0.0) == 0


@EACH
def test_slope_and_bound_are_the_smallest_that_hold(name):
    entry = activations.ACTIVATIONS[name]
    z = np.linspace(-40, 40, 800_001)
    assert_close(np.abs(derivative(name, z)).max(), entry.slope, rtol=1e-8, atol=0)
    assert np.abs(derivative(name, z)).max() <= entry.slope * (1 + 1e-15)
    if math.isfinite(entry.bound):
        assert_close(np.abs(entry.value(z)).max(), entry.bound, rtol=1e-14, atol=0)
        assert np.abs(entry.value(z)).max() <= entry.bound
    else:
        assert np.abs(entry.value(np.array([-1e6, 1e6]))).max() == 1e6


@EACH
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(), (3,), (2, 1, 3), (0,)])
def test_nonlinearities_keep_shape_and_dtype(name, dtype, shape):
    z = np.full(shape, 0.3, dtype)
    value = naive.NONLINEARITIES[name](0.3)
    assert_close(activations.ACTIVATIONS[name].value(z), np.full(shape, value), 1e-6, dtype=dtype)
    assert_close(derivative(name, z), np.full(shape, derivative(name, 0.3)), 1e-6, dtype=dtype)


@EACH
@pytest.mark.parametrize(("dtype", "largest"), [(np.float32, 1e30), (np.float64, 1e150)])
def test_nonlinearities_of_huge_arguments(name, dtype, largest):
    z = np.array([-largest, -1e9, 0, 1e9, largest], dtype)
    ref = [naive.NONLINEARITIES[name](max(value, -1e300)) for value in z.tolist()]
    assert_close(activations.ACTIVATIONS[name].value(z), ref, rtol=1e-6, dtype=dtype)
    assert np.isfinite(derivative(name, z)).all()
