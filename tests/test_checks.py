import math

import numpy as np
import pytest

from cfc_ref import checks
from tests import bad
from tests.compare import assert_close, refusal


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        (1, np.float64),
        (1.5, np.float64),
        ([1, 2], np.float64),
        ([], np.float64),
        (np.float32(1.5), np.float32),
        (np.ones(2, np.float32), np.float32),
        (np.ones(2, np.float16), np.float64),
        (np.ones(2, np.uint8), np.float64),
    ],
)
def test_numeric_keeps_float32_and_makes_float64_of_everything_else(value, dtype):
    assert_close(checks.numeric("A", value), np.asarray(value, dtype), dtype=dtype)


@pytest.mark.parametrize("value", bad.NOT_NUMBERS)
def test_numeric_refuses_what_is_no_number(value):
    bad.refuses(checks.numeric, "value", value, named="A", name="A")


@pytest.mark.parametrize("value", bad.NOT_FINITE)
def test_numeric_refuses_nan_and_infinity_with_a_value_error(value):
    with pytest.raises(ValueError, match=refusal("A")):
        checks.numeric("A", value)


@pytest.mark.parametrize(
    ("value", "index"), [([1.0, np.nan], "1"), ([[1.0, 2.0], [np.inf, np.nan]], r"\(1, 0\)"), (np.nan, None)]
)
def test_numeric_says_where(value, index):
    with pytest.raises(ValueError, match=f"at index {index};" if index else "got nan;"):
        checks.numeric("A", value)


@pytest.mark.parametrize("value", bad.INCREASING)
def test_increasing_times_are_demanded(value):
    bad.refuses(checks.times, "value", value, named="t", name="t", increasing=True)


def test_times_in_any_order_where_nothing_is_said():
    assert_close(checks.times("t", [[3, 1], [2, 2]]), np.array([[3.0, 1.0], [2.0, 2.0]]), dtype=np.float64)
    assert_close(checks.times("t", -1.0, nonnegative=False), np.array(-1.0))


@pytest.mark.parametrize(
    "value",
    [
        *((x, 1.0) for x in bad.NUMBERS),
        (0.6, 0.4),
        (-0.1, 0.5),
        (0.5, 1.1),
        ([0.1, 0.6], [0.5, 0.5]),
        ([0.1, 0.2], [0.3, 0.4, 0.5]),
        (0.1,),
        (0.1, 0.2, 0.3),
        0.5,
        None,
        "01",
        {0.1, 0.2},
        np.array(0.5),
    ],
)
def test_f_range_refuses(value):
    bad.refuses(checks.f_range, "value", value, named="f_range", name="f_range")


def test_f_range_broadcasts_its_ends():
    a, b = checks.f_range("f_range", (0, [0.5, 1]))
    assert_close(a, np.zeros(2))
    assert_close(b, np.array([0.5, 1]))


def test_compare_names_the_first_that_is_not_accepted():
    array = np.array([[1.0, 2.0], [-3.0, -4.0]])
    with pytest.raises(ValueError, match=r"w: got -3\.0 at index \(1, 0\); expected > 0; pass more\."):
        checks.compare("w", array, array > 0, "> 0", "pass more")
    checks.compare("w", array, array > -9, "> -9", "pass more")


def test_together():
    assert checks.together("x", a=np.ones(3), b=np.ones((2, 1))) == (2, 3)
    with pytest.raises(ValueError, match=r"x: got shapes a \(3,\), b \(2,\);"):
        checks.together("x", a=np.ones(3), b=np.ones(2))


@pytest.mark.parametrize("value", bad.CHOICES)
def test_choice_lists_what_is_accepted(value):
    with pytest.raises((ValueError, TypeError), match=r"form: got .*; expected one of 'ltc', 'symmetric'; "):
        checks.choice("form", value, ["ltc", "symmetric"])
    assert checks.choice("form", "ltc", iter(["ltc"])) == "ltc"


@pytest.mark.parametrize("value", [0, -1, 1.0, True, "1", None, np.nan, [1]])
def test_count_refuses(value):
    bad.refuses(checks.count, "value", value, named="n", name="n", at_least=1)


def test_count_takes_numpy_integers():
    assert checks.count("n", np.int64(3), at_least=3) == 3


def test_a_message_is_one_line_of_bounded_length():
    with pytest.raises(KeyError) as caught:
        checks.refuse("A", "one\ntwo " * 1000, "less", "shorten it", KeyError)
    message = caught.value.args[0]
    assert "\n" not in message
    assert len(message) < 300
    assert message.startswith("A: got one two one")
    assert message.endswith("...; expected less; shorten it.")


# --- what networks ask for


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int8])
def test_real_takes_what_is_not_finite(dtype):
    array = np.array([1, 2], dtype)
    assert_close(checks.real("x", array), array, dtype=np.float32 if dtype == np.float32 else np.float64)
    got = checks.real("x", [1.0, math.nan, -math.inf])
    assert (got[0], math.isnan(got[1]), got[2]) == (1, True, -math.inf)


@pytest.mark.parametrize("value", [*bad.NOT_NUMBERS, np.ma.ones(2), "x", [object()], np.array("2020", "datetime64[Y]")])
def test_real_refuses_what_is_no_number(value):
    bad.refuses(checks.real, "value", value, named="x", name="x")


def test_what_an_array_method_raises_is_a_refusal():
    class Broken:
        def __array__(self, dtype=None, copy=None):
            raise RuntimeError("no")

    bad.refuses(checks.real, "value", Broken(), named="x", name="x")


@pytest.mark.parametrize("value", [[np.nan], [[1.0, 2.0], [np.inf, 0.0]], [-np.inf]])
def test_finite_refuses(value):
    with pytest.raises(ValueError, match=r"x: got (nan|inf|-inf) at index "):
        checks.finite("x", np.array(value))


def test_finite_accepts_everything_else():
    for array in (np.empty(0), np.array(0.0), np.array([-1e308, 5e-324])):
        checks.finite("x", array)


@pytest.mark.parametrize("value", [0, 1, 1.0, "True", None, [True], np.array([True]), np.array(True), object()])
def test_flag_refuses_what_is_neither_true_nor_false(value):
    bad.refuses(checks.flag, "value", value, named="mixed_memory", name="mixed_memory")


@pytest.mark.parametrize("value", [True, False])
def test_flag_takes_those_of_python_and_numpy(value):
    assert checks.flag("f", value) is value
    assert checks.flag("f", np.bool_(value)) is value


@pytest.mark.parametrize(
    "given_shape", [(), (3,), (3, 2), (1, 3), (2, 1), (1, 1), (2, 3, 1), (1, 2, 3), (0, 3), (2, 4)]
)
def test_shape_refuses_all_but_one_also_what_would_broadcast(given_shape):
    checks.shape("hx", np.empty((2, 3)), (2, 3), "(batch, units)")
    with pytest.raises(ValueError, match=refusal("hx")):
        checks.shape("hx", np.empty(given_shape), (2, 3), "(batch, units)")


@pytest.mark.parametrize("value", ["float16", "int32", "complex64", "f4,f8", "no", "", None, 32, {}, [], object(), int])
def test_float_dtype_refuses(value):
    bad.refuses(checks.float_dtype, "value", value, named="dtype", name="dtype")


@pytest.mark.parametrize("value", ["float32", "float64", np.float32, np.float64, np.dtype("f4"), "f8"])
def test_float_dtype_takes_names_types_and_dtypes(value):
    assert checks.float_dtype("dtype", value) in (np.dtype("float32"), np.dtype("float64"))
    assert checks.float_dtype("dtype", value).itemsize == (4 if "4" in np.dtype(value).str else 8)
