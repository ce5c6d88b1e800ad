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
