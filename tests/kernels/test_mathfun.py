"""exp, tanh and the logistic function of the kernels: their errors over the whole range, and their ends."""

import subprocess
import sys

import numpy as np
import pytest

from cfc_ref.bench.functions import kernel
from cfc_ref.kernels import mathfun
from cfc_ref.kernels.elementwise import _activate
from cfc_ref.kernels.packed import SILU
from tests.compare import assert_close
from tests.kernels.unjitted import scalars_warn

pytestmark = scalars_warn


def logistic(x):
    e = np.exp(-np.abs(x))
    return np.where(x < 0, e, 1) / (1 + e)


FUNCTIONS = {"exp": np.exp, "tanh": np.tanh, "sigmoid": logistic}
ENDS = {  # at minus infinity, plus infinity, 0
    "exp": [0, np.inf, 1],
    "tanh": [-1, 1, 0],
    "sigmoid": [0, 1, 0.5],
}
WIDER = {"float32": np.float64, "float64": np.longdouble}
needs_wider = pytest.mark.skipif(
    np.finfo(np.longdouble).eps == np.finfo(np.float64).eps, reason="float64 has no wider type here to compare with"
)
DTYPES = ["float32", pytest.param("float64", marks=needs_wider)]


def patterns(dtype, many=300_000):
    """Finite numbers of every magnitude and sign."""
    bits = np.dtype(f"uint{8 * np.dtype(dtype).itemsize}")
    spread = (np.arange(many, dtype=bits) * (np.iinfo(bits).max // many)).view(dtype)
    return spread[np.isfinite(spread)]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("spec", FUNCTIONS)
@pytest.mark.parametrize("where", ["every magnitude", "near 0", "where exp ends"])
def test_at_most_2_units_in_the_last_place(spec, dtype, where):
    ends = {"float32": 110, "float64": 750}[dtype]
    x = {
        "every magnitude": patterns(dtype),
        "near 0": np.linspace(-6, 6, 300_001),
        "where exp ends": np.linspace(-ends, ends, 300_001),
    }[where].astype(dtype)
    got = kernel(spec)(x)
    with np.errstate(over="ignore", under="ignore"):
        ref = FUNCTIONS[spec](x.astype(WIDER[dtype]))
        nearest = ref.astype(dtype)
    finite = np.isfinite(nearest)
    assert_close(got[~finite], nearest[~finite], 0, 0, dtype)
    distance = np.abs(got[finite].astype(ref.dtype) - ref[finite])
    assert np.max(distance / np.spacing(np.abs(nearest[finite])).astype(ref.dtype)) <= 2


@pytest.mark.parametrize("dtype", WIDER)
@pytest.mark.parametrize("spec", FUNCTIONS)
def test_exact_at_infinity_and_at_0(spec, dtype):
    for many in (1, 3, 64):  # in the vectorised loop and in what is left over
        x = np.repeat(np.array([-np.inf, np.inf, 0.0], dtype), many)
        assert_close(kernel(spec)(x), np.repeat(np.array(ENDS[spec], dtype), many), 0, 0, x.dtype)


@pytest.mark.parametrize("dtype", WIDER)
@pytest.mark.parametrize("spec", FUNCTIONS)
def test_nan_goes_in_and_comes_out_where_it_was(spec, dtype):
    x = np.linspace(-1, 1, 67).astype(dtype)
    x[::5] = np.nan
    assert (np.isnan(kernel(spec)(x)) == np.isnan(x)).all()


OPENINGS = {"float32": (mathfun._opening32, 126, 3e-7), "float64": (mathfun._opening64, 1022, 2e-15)}


@pytest.mark.parametrize("dtype", OPENINGS)
def test_the_opening_of_a_synapse(dtype):
    """1/(1 + 2^y), exact to a share of itself up to where a float's exponent ends, then constant; unjitted."""
    opening, end, tolerance = OPENINGS[dtype]
    y = np.concatenate([np.linspace(-end, end, 4001), np.linspace(-2, 2, 4001)]).astype(dtype)
    got = np.array([opening(each) for each in y])
    ref = 1 / (1 + np.exp2(y.astype(np.longdouble)))
    assert got.dtype == dtype
    assert np.max(np.abs(got / ref - 1)) < tolerance
    number = np.dtype(dtype).type
    assert opening(number(-np.inf)) == opening(number(-end)) == 1
    assert opening(number(np.inf)) == opening(number(end)) < 1e-37
    assert np.isnan(opening(number(np.nan)))


def test_the_activations_of_a_layer():
    """A tanh within [-1, 1] to four units in the last place, and a gate to one of 1; unjitted."""
    x = np.concatenate([np.linspace(-30, 30, 6001), np.geomspace(1e-30, 1, 500)]).astype(np.float32)
    tanh, gate = (np.array([f(each) for each in x]) for f in (mathfun._bend32, mathfun._open32))
    assert tanh.dtype == gate.dtype == np.float32
    ref = np.tanh(x.astype(float))
    assert_close(tanh[ref != 0] / ref[ref != 0], np.ones(np.sum(ref != 0)), rtol=0, atol=4 * 2.0**-23)
    assert np.max(np.abs(tanh)) == 1
    assert_close(gate, 1 / (1 + np.exp(-x.astype(float))), rtol=0, atol=2.0**-23)
    wide = np.linspace(-40, 40, 2001)
    assert_close([mathfun._open64(each) for each in wide], 1 / (1 + np.exp(-wide)), rtol=1e-14, atol=0)
    ends = np.array([-np.inf, np.inf, np.nan], np.float32)
    np.testing.assert_array_equal([mathfun._bend32(each) for each in ends], [-1, 1, np.nan])
    assert np.isnan(mathfun._open32(ends[2]))
    assert np.isnan(mathfun._open64(np.nan))


@pytest.mark.parametrize("dtype", WIDER)
def test_silu_far_below_0_is_0(dtype):
    """Its gate never is; unjitted."""
    z = np.array([-np.inf, np.finfo(dtype).min / 2, -1e20, -1000, -200, 0, 1e20, np.inf, np.nan], dtype)
    a = np.empty_like(z)
    getattr(_activate, "py_func", _activate)(SILU, z, a)
    assert_close(a[:-1], np.array([0, 0, 0, 0, 0, 0, 1e20, np.inf], dtype), 0, 1e-34, dtype)
    assert np.isnan(a[-1])


UNJITTED = """
import numpy as np
from cfc_ref.kernels import mathfun

for dtype in (np.float32, np.float64):
    x = np.array([-np.inf, -800, -90, -1, -0.01, 0, 0.5, 3, 90, 800, np.inf, np.nan], dtype)
    e = np.exp(-np.abs(x))
    for name, ref in {"exp": np.exp(x), "tanh": np.tanh(x), "sigmoid": np.where(x < 0, e, 1) / (1 + e)}.items():
        values = x.copy()
        getattr(mathfun, f"_{name}")(values)
        assert values.dtype == dtype
        np.testing.assert_allclose(values, ref, rtol=4 * np.finfo(dtype).eps, atol=0)
        assert type(getattr(mathfun, f"_{name}")).__name__ == "function"
"""


def test_they_run_unjitted(monkeypatch):
    """In a process of its own, as a reader steps through them with a debugger."""
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")
    done = subprocess.run([sys.executable, "-c", UNJITTED], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
