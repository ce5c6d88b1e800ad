import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfc_ref import signals
from tests import bad
from tests.compare import assert_close, assert_inside, refusal
from tests.strategies import inputs, lines, piecewise, tables

N_SHAPES = [(), (3,), (2, 1, 3)]
T_SHAPES = [(), (0,), (1,), (5,), (2, 4)]
SEVERAL = {
    "piecewise": lambda scale: signals.piecewise_constant([0, 1], np.multiply.outer(scale, [1.0, -2.0])),
    "one piece": lambda scale: signals.piecewise_constant([0], np.multiply.outer(scale, [1.0])),
    "sampled": lambda scale: signals.sampled([0, 1], np.multiply.outer(scale, [1.0, -2.0])),
    "one sample": lambda scale: signals.sampled([0], np.multiply.outer(scale, [1.0])),
    "sine": lambda scale: signals.sine(scale, offset=0.3),
    "smooth": lambda scale: signals.smooth(lambda t: np.multiply.outer(scale, np.cos(t))),
    "number": signals.as_signal,
}


@given(inputs, st.lists(st.floats(-5, 20), min_size=1, max_size=5))
def test_values(case, times):
    times += case.signal.breakpoints.tolist()
    assert_close(case.signal(times), np.array([case.at(t) for t in times]), atol=1e-11)


@given(inputs, st.floats(0, 12))
def test_range_is_that_of_a_dense_grid(case, t):
    """Nothing lies outside of the range, and its ends are attained (between two points of the grid at most)."""
    points = np.concatenate([np.linspace(0, t, 400), case.signal.breakpoints])
    values = [case.at(s) for s in points if 0 <= s <= t]
    low, high = case.signal.range(t)
    assert_inside(low, values, high, atol=1e-12)
    assert_close(
        [low, high], [min(values), max(values)], rtol=0, atol=2e-2 if isinstance(case.signal, signals.Sine) else 1e-9
    )


@given(st.floats(0.1, 9), st.floats(-4, 4), st.floats(0.1, 3))
def test_range_of_a_sine(t, phase, frequency):
    """The smooth signal looks for the range, the sine knows it."""
    sine = signals.sine(2.0, frequency, phase, 0.5)
    found = signals.smooth(sine, breakpoints=np.arange(0, t, 0.5)).range(t)
    assert_close(sine.range(t), found, atol=1e-7)


@given(piecewise)
def test_a_jump_is_right_continuous(case):
    for k, t in enumerate(case.table[0][1:]):
        assert case.signal(t) == case.table[1][k + 1]
        assert case.signal(np.nextafter(t, -np.inf)) == case.table[1][k]


@given(tables())
def test_breakpoints_are_where_it_jumps_or_bends(table):
    assert_close(signals.piecewise_constant(*table).breakpoints, np.array(table[0][1:]))
    assert_close(signals.sampled(*table).breakpoints, np.array(table[0]))
    assert_close(signals.sampled(*table, kind="previous")(table[0]), np.array(table[1]))


@given(lines)
def test_samples_are_met_exactly(case):
    assert case.signal(case.signal.times).tolist() == case.signal.values.tolist()


def test_smooth_is_its_function():
    signal = signals.smooth(np.cos, breakpoints=2.0)
    assert_close(signal([0.0, 2.0]), np.cos([0.0, 2.0]))
    assert_close(signal.breakpoints, np.array([2.0]))
    assert_close(signal.range([0.0, 1.0, 9.0]), np.array([[1, math.cos(1), -1], [1, 1, 1]]), atol=1e-9)
    assert_close(signals.smooth(lambda t: 1.5)([0.0, 2.0]), np.full(2, 1.5))


def test_what_is_taken_as_a_signal():
    sine = signals.sine()
    assert signals.as_signal(sine) is sine
    assert_close(signals.as_signal(2)([-1.0, 5.0]), np.full(2, 2.0))
    assert_close(signals.as_signal(np.sin)([1.0]), np.sin([1.0]))


@pytest.mark.parametrize("t_shape", T_SHAPES)
@pytest.mark.parametrize("shape", N_SHAPES)
@pytest.mark.parametrize("kind", SEVERAL)
def test_shape_is_that_of_the_signals_and_then_the_times(kind, shape, t_shape):
    """Each entry is what its own signal says."""
    scale = np.linspace(0.5, 1.5, math.prod(shape)).reshape(shape)
    t = np.linspace(0, 2, math.prod(t_shape)).reshape(t_shape)
    signal = SEVERAL[kind](scale)
    assert signal.shape == shape
    assert_close(signal(t), _one_by_one(lambda s: SEVERAL[kind](s)(t), scale, t_shape))
    for end in (0, 1):
        assert_close(
            signal.range(t)[end], _one_by_one(lambda s, end=end: SEVERAL[kind](s).range(t)[end], scale, t_shape)
        )


def _one_by_one(function, scale, t_shape):
    return np.array([function(s) for s in scale.ravel()]).reshape(scale.shape + t_shape)


def test_a_signal_keeps_its_own_copy():
    times, values = np.array([0.0, 1.0]), np.array([1.0, 2.0])
    made = [signals.piecewise_constant(times, values), signals.sampled(times, values), signals.as_signal(values)]
    before = [signal(0.5).copy() for signal in made]
    times[:], values[:] = 9, 9
    for signal, value in zip(made, before, strict=True):
        assert_close(signal(0.5), value)


@pytest.mark.parametrize("signal", [signals.sine(), signals.sampled([0, 1], [0, 1]), signals.smooth(np.sin)])
@pytest.mark.parametrize("value", bad.NUMBERS)
def test_bad_times_are_refused(signal, value):
    bad.refuses(signal, "t", value)
    bad.refuses(signal.range, "t", value)


def test_a_range_begins_at_zero():
    bad.refuses(signals.sine().range, "t", [1.0, -1.0])


@pytest.mark.parametrize("make", [signals.piecewise_constant, signals.sampled])
class TestTables:
    @pytest.mark.parametrize("times", [*bad.NUMBERS, 0.0, [], [[0.0, 1.0]], [1.0, 0.0], [1.0, 1.0]])
    def test_times(self, make, times):
        bad.refuses(make, "times", times, values=[1.0, 2.0])

    @pytest.mark.parametrize("values", [*bad.NUMBERS, 1.0, [], [1.0], [[1.0], [2.0]], [1.0, 2.0, 3.0]])
    def test_values(self, make, values):
        bad.refuses(make, "values", values, times=[0.0, 1.0])


@pytest.mark.parametrize("parameter", ["amplitude", "frequency", "phase", "offset"])
@pytest.mark.parametrize("value", bad.NUMBERS)
def test_sine_refuses(parameter, value):
    bad.refuses(signals.sine, parameter, value)


def test_sine_refuses_shapes_that_do_not_broadcast():
    with pytest.raises(ValueError, match=r"sine: got shapes amplitude \(2,\), frequency \(3,\)"):
        signals.sine([1.0, 2.0], [1.0, 2.0, 3.0])


@pytest.mark.parametrize("kind", bad.CHOICES)
def test_sampled_refuses_an_unknown_kind(kind, tmp_path):
    bad.refuses(signals.sampled, "kind", kind, times=[0.0], values=[0.0])
    bad.refuses(signals.from_csv, "kind", kind, path=tmp_path, time_column="t", value_column="v")


@pytest.mark.parametrize("value", [None, 1.0, "sin", [1.0]])
def test_smooth_refuses_what_is_no_function(value):
    bad.refuses(signals.smooth, "function", value)


@pytest.mark.parametrize("value", [*bad.NUMBERS, [1.0, 0.0], [[0.0, 1.0]]])
def test_smooth_refuses_breakpoints(value):
    bad.refuses(signals.smooth, "breakpoints", value, function=np.sin)


@pytest.mark.parametrize("value", bad.NUMBERS)
def test_what_is_no_signal_is_refused(value):
    bad.refuses(signals.as_signal, "signal", value)


@pytest.mark.parametrize(
    "function",
    [
        lambda t: math.nan,
        lambda t: t / 0.5j,
        lambda t: "1",
        lambda t: None,
        lambda t: math.sin(t),
        lambda t: 1.0 if t < 1 else 0.0,
        lambda t: np.ones(3),
        lambda t: np.ones((*t.shape, 2)),
    ],
)
def test_functions_that_are_no_signal(function):
    with pytest.raises((ValueError, TypeError), match=refusal("signal")):
        signals.smooth(function)([0.0, 1.0, 2.0])


# --- CSV


def csv(folder, content):
    path = folder / "recording.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    "content",
    [
        "t,v\n0,1\n2.5,3\n",
        "t,v\r\n0,1\r\n2.5,3\r\n",
        "\ufefft,v\n0,1\n2.5,3",
        'note,v,"t"\nwarm,1,0\n"cold, wet",3,2.5\n',
        "\n t , v \n\n 0, 1\n\n2.5e0,3.0\n\n",
        "v,x,x,t\n1,,,0\n3,,,2.5\n",
    ],
)
def test_csv(tmp_path, content):
    path = csv(tmp_path, content)
    for kind in ("linear", "previous"):
        got, ref = signals.from_csv(str(path), "t", "v", kind), signals.sampled([0, 2.5], [1, 3], kind)
        assert type(got) is type(ref)
        assert_close(got([0.0, 1.0, 2.5]), ref([0.0, 1.0, 2.5]))


@pytest.mark.parametrize(
    ("content", "argument", "says"),
    [
        ("", "path", "empty"),
        ("\n\n", "path", "empty"),
        ("t,v\n", "path", "no rows"),
        ("x,v\n0,1\n", "time_column", "missing"),
        ("t,x\n0,1\n", "value_column", "missing"),
        ("t,v,t\n0,1,0\n", "time_column", "more than once"),
        ("t,v,v\n0,1,0\n", "value_column", "more than once"),
        ("t,v\n0,1\n2\n", "path", "1 fields in line 3"),
        ("t,v\n0,1,2\n", "path", "3 fields in line 2"),
        ("t,v\n0,one\n", "path", "'one' in line 2, column 'v'"),
        ("t,v\n0,\n", "path", "'' in line 2, column 'v'"),
        ("t,v\n0,1\n1,nan\n", "path", "'nan' in line 3, column 'v'"),
        ("t,v\n-inf,1\n", "path", "'-inf' in line 2, column 't'"),
        ("t,v\n0,1_0\n", "path", "'1_0' in line 2"),
        ("t,v\n1,1\n0,1\n", "path", "0 after 1 in line 3"),
        ("t,v\n1,1\n1,2\n", "path", "1 after 1 in line 3"),
        (b"t,v\n0,\xff\xfe\n", "path", "can't be read as text"),
        (b"\x89PNG\r\n\x1a\n\0\0", "path", "can't be read as text"),
        (b"t,v\n0,\0\n", "path", "NUL byte in line 2"),
        ('t,v\n0,"1\n', "path", "can't be read as text"),
    ],
)
def test_csv_that_is_refused(tmp_path, content, argument, says):
    with pytest.raises(ValueError, match=refusal(argument)) as caught:
        signals.from_csv(csv(tmp_path, content), "t", "v")
    assert says in str(caught.value)


@pytest.mark.parametrize("path", ["nowhere.csv", ".", "a\0b", None, 5, [b"a"]])
def test_a_path_that_is_no_file(path):
    bad.refuses(signals.from_csv, "path", path, time_column="t", value_column="v")


@pytest.mark.parametrize("column", ["time_column", "value_column"])
@pytest.mark.parametrize("value", [None, 0, b"t", ["t"]])
def test_a_column_that_is_no_string(tmp_path, column, value):
    names = {"time_column": "t", "value_column": "t", "path": csv(tmp_path, "t,v\n0,1\n")}
    bad.refuses(signals.from_csv, column, value, **names)
