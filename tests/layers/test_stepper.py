"""A stream, one sample at a time, against the sequence."""

import numpy as np
import pytest
from hypothesis import given, settings

from cfc_ref import CfC
from tests import bad
from tests.compare import assert_close
from tests.layers.strategies import CONFIGS, cases, map_state, parts

TOLERANCE = {"float64": 1e-13, "float32": 2e-6}  # relative to max(1, |value|)


BACKENDS = pytest.mark.parametrize("backend", ["numpy", "numba"])


@pytest.fixture(params=[(m, b) for m in (False, True) for b in ("numpy", "numba")], ids=str)
def layer(request):
    memory, backend = request.param
    options = {"mixed_memory": memory, "backend": backend}
    return CfC(2, 3, proj_size=2, **options, backbone_units=4, dtype="float64", seed=1)


def assert_stream_is_sequence(layer, x, timespans, hx, tolerance):
    outputs, last = layer(x, hx, timespans)
    stepper = layer.stepper()
    stepper.state = hx
    for k, (x_k, t_k) in enumerate(zip(x, timespans, strict=True)):
        assert_close(stepper(x_k, t_k), outputs[k], tolerance / 2, tolerance / 2, layer.dtype)
    for part, ref in zip(parts(stepper.state), parts(last), strict=True):
        assert_close(part, ref, tolerance / 2, tolerance / 2, layer.dtype)


@BACKENDS
@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("config", CONFIGS[::5], ids=str)
def test_a_hundred_samples_through_fresh_weights(config, dtype, backend):
    layer, rng = CfC(**config.arguments, dtype=dtype, backend=backend, seed=3), config.rng
    x, timespans = rng.normal(size=(100, layer.input_size)), rng.uniform(0, 2, 100)
    assert_stream_is_sequence(layer, x.astype(dtype), timespans.astype(dtype), None, TOLERANCE[dtype])


@BACKENDS
@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("arguments", [{}, {"mixed_memory": True}, {"proj_size": 3}, {"mode": "pure"}], ids=str)
def test_a_hundred_samples_through_a_network_of_the_default_size(arguments, dtype, backend):
    layer, rng = CfC(7, 32, **arguments, dtype=dtype, backend=backend, seed=3), np.random.default_rng(0)
    x, timespans = rng.normal(size=(100, 7)).astype(dtype), rng.uniform(0, 2, 100).astype(dtype)
    assert_stream_is_sequence(layer, x, timespans, None, TOLERANCE[dtype])


@given(cases())
@settings(max_examples=40)
def test_from_any_state(case):
    layer, inputs, _ = case
    hx = map_state(lambda part: part[0], inputs.hx)
    assert_stream_is_sequence(layer, inputs.x[0], inputs.timespans[0], hx, TOLERANCE["float64"])


def test_a_timespan_of_1_by_default(layer):
    assert_close(layer.stepper()([0.5, 1.0]), layer([[0.5, 1.0]])[0][0])


def test_out_takes_the_output_and_is_returned(layer):
    out = np.full(2, np.nan)
    got = layer.stepper()(np.ones(2), 0.5, out=out)
    assert got is out
    assert_close(out, layer.stepper()(np.ones(2), 0.5), 0, 0)


@BACKENDS
def test_an_output_is_the_callers_own(backend):
    """Without a projection it is the state: writing to it must not change the stream."""
    layer = CfC(2, 3, seed=0, backend=backend)
    one, other = layer.stepper(), layer.stepper()
    for _ in range(3):
        y = one(np.ones(2))
        assert_close(y, other(np.ones(2)), 0, 0)
        y[...] = np.nan


def test_the_state_is_set_and_given_by_copy(layer):
    stepper = layer.stepper()
    hx = map_state(lambda part: part + 0.5, stepper.state)
    stepper.state = hx
    before = stepper.state
    for part in (*parts(hx), *parts(stepper.state)):
        part[...] = np.nan
    for part, ref in zip(parts(stepper.state), parts(before), strict=True):
        assert_close(part, np.full(3, 0.5), 0, 0)
        assert_close(ref, np.full(3, 0.5), 0, 0)


def test_reset(layer):
    stepper = layer.stepper()
    first = stepper(np.ones(2))
    assert np.abs(stepper(np.ones(2)) - first).max() > 1e-3
    assert all(part.any() for part in parts(stepper.state))
    stepper.reset()
    assert not any(part.any() for part in parts(stepper.state))
    assert_close(stepper(np.ones(2)), first, 0, 0)


def test_it_keeps_the_weights_that_it_was_made_with(layer):
    stepper, ref = layer.stepper(), layer.stepper()([1.0, 2.0], 0.5)
    for array in layer.parameters.values():
        array += 1
    assert_close(stepper([1.0, 2.0], 0.5), ref, 0, 0)
    assert np.abs(layer.stepper()([1.0, 2.0], 0.5) - ref).max() > 1e-3


def test_steppers_of_one_layer_do_not_meet(layer):
    one, other = layer.stepper(), layer.stepper()
    one(np.ones(2))
    assert not any(part.any() for part in parts(other.state))


READ_ONLY = np.zeros(2)
READ_ONLY.setflags(write=False)
REFUSED = {
    "x": (*bad.NUMBERS, [], [1.0], [1.0] * 3, [[1.0, 2.0]], np.ma.array([1.0, 2.0], mask=[0, 1])),
    "dt": (*bad.NUMBERS, -1.0, -1e-300, [1.0], [[1.0]]),
    "out": (
        1.0,
        [0.0, 0.0],
        "out",
        np.zeros(3),
        np.zeros((1, 2)),
        np.zeros(2, np.float32),
        np.zeros(2, int),
        READ_ONLY,
    ),
}


@pytest.mark.parametrize(("argument", "value"), [(a, v) for a, values in REFUSED.items() for v in values])
def test_bad_input_is_refused_and_leaves_the_state_as_it_is(layer, argument, value):
    stepper = layer.stepper()
    stepper(np.ones(2))
    before = stepper.state
    bad.refuses(stepper, argument, value, **({} if argument == "x" else {"x": [1.0, 2.0]}))
    for part, ref in zip(parts(stepper.state), parts(before), strict=True):
        assert_close(part, ref, 0, 0)


@BACKENDS
@pytest.mark.parametrize("arguments", [{"x": [1e39, 0.0]}, {"x": [1.0, 0.0], "dt": 1e39}])
def test_what_float32_does_not_hold_is_refused(arguments, backend):
    stepper = CfC(2, 3, seed=0, backend=backend).stepper()
    *others, name = arguments
    bad.refuses(stepper, name, arguments[name], **{other: arguments[other] for other in others})
    assert not stepper.state.any()


@pytest.mark.parametrize(
    "value", [*(v for v in bad.NUMBERS if v is not None), [0.0] * 2, [[0.0] * 3], np.zeros((1, 3)), ([0.0] * 3,)]
)
def test_bad_states_are_refused_and_leave_the_state_as_it_is(layer, value):
    stepper = layer.stepper()
    stepper(np.ones(2))
    before = stepper.state
    values = [value]
    if layer.mixed_memory:
        values += [(np.zeros(3), value), (value, np.zeros(3)), (np.zeros(3),) * 3, [np.zeros(3)]]
    else:
        values.append((np.zeros(3), np.zeros(3)))
    for bad_state in values:
        bad.refuses(lambda hx: setattr(stepper, "state", hx), "hx", bad_state)
        for part, ref in zip(parts(stepper.state), parts(before), strict=True):
            assert_close(part, ref, 0, 0)
