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
