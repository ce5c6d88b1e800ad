"""A stream, one sample at a time, against the sequence."""

import copy
import pickle
import tracemalloc
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cfc_ref import CTRNN, LSTM, LTC, CfC, NeuralLTC, wirings
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


# --- copies, shared weights, threads

LAYERS = {
    "cfc": lambda: CfC(2, 3, proj_size=2, backbone_units=4, seed=0),
    "cfc, numpy, wired": lambda: CfC(2, wirings.AutoNCP(6, 2), seed=0, backend="numpy"),
    "cfc, mixed": lambda: CfC(2, 3, mixed_memory=True, backbone_units=4, dtype="float64", seed=0),
    "ltc": lambda: LTC(2, wirings.AutoNCP(6, 2), seed=0, dtype="float64"),
    "ltc, numpy, time first": lambda: LTC(2, 3, seed=0, backend="numpy", batch_first=False),
    "neural ltc": lambda: NeuralLTC(2, 3, seed=0),
    "lstm": lambda: LSTM(2, 3, seed=0),
    "lstm, untimed": lambda: LSTM(2, 3, timed=False, seed=0),
    "ctrnn": lambda: CTRNN(2, 3, seed=0),
}


@pytest.fixture(params=LAYERS)
def any_layer(request):
    return LAYERS[request.param]()


def flat(state):
    return np.concatenate([np.ravel(part) for part in parts(state)])


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda s: pickle.loads(pickle.dumps(s))])
@pytest.mark.parametrize("batch", [None, 2])
def test_a_copy_continues_from_the_state_independently(any_layer, again, batch):
    stepper = any_layer.stepper(batch)
    x = np.cos(np.arange(6)).reshape(3, 2) if batch is None else np.cos(np.arange(12)).reshape(3, 2, 2)
    stepper(x[0])
    other = again(stepper)
    assert repr(other) == repr(stepper)
    before = flat(other.state)
    ref = stepper(x[1])
    assert_close(flat(other.state), before, 0, 0)
    assert_close(other(x[1]), ref, 0, 0)
    assert_close(other(x[2]), stepper(x[2]), 0, 0)


def test_a_layer_can_be_pickled_and_copied(any_layer):
    x = np.cos(np.arange(8)).reshape(4, 2)
    for again in (copy.deepcopy(any_layer), pickle.loads(pickle.dumps(any_layer))):
        assert_close(again(x)[0], any_layer(x)[0], 0, 0)
        next(iter(again.parameters.values()))[...] += 1
    assert np.abs(again(x)[0] - any_layer(x)[0]).max() > 1e-3


def test_a_representation_names_the_layer_and_the_batch():
    layer = CfC(2, 3, seed=0)
    assert repr(layer.stepper()) == f"Stepper({layer!r})"
    assert repr(layer.stepper(batch=5)) == f"Stepper({layer!r}, batch=5)"


@BACKENDS
@pytest.mark.parametrize("kind", [CfC, LTC])
def test_steppers_share_the_weights_while_they_are_the_same(kind, backend):
    layer = kind(7, 32, seed=0, backend=backend)
    weights = sum(array.nbytes for array in layer.parameters.values())
    first = [layer.stepper() for _ in range(3)]
    tracemalloc.start()
    more = [layer.stepper() for _ in range(50)] + [copy.copy(first[0]) for _ in range(50)]
    used = tracemalloc.get_traced_memory()[0] / len(more)
    tracemalloc.stop()
    assert used < 4500 < weights
    ref = first[0](np.ones(7))
    next(iter(layer.parameters.values()))[...] += 0.25
    changed = layer.stepper()
    assert np.abs(changed(np.ones(7)) - ref).max() > 1e-4
    assert_close(more[0](np.ones(7)), ref, 0, 0)
    assert len(pickle.dumps(more)) < len(pickle.dumps(more[0])) + 60_000


def test_a_setting_that_is_written_is_seen_by_the_next_stepper():
    layer = LSTM(2, 3, seed=0)
    kept = layer.stepper()
    ref = kept(np.ones(2))
    layer.forget_bias = 5.0
    again = layer.stepper()
    again.state = ref, ref
    kept.state = ref, ref
    assert np.abs(again(np.ones(2)) - kept(np.ones(2))).max() > 1e-3


@BACKENDS
def test_threads_call_one_layer_and_step_steppers_of_their_own(backend):
    layer = CfC(3, 16, backbone_units=64, seed=0, backend=backend)
    x = np.random.default_rng(0).normal(size=(6, 40, 3)).astype("float32")

    def work(one):
        stepper = layer.stepper()
        return layer(one)[0], np.array([stepper(x_k) for x_k in one]), layer(x)[0]

    alone = [work(one) for one in x]
    with ThreadPoolExecutor(4) as pool:
        for got, ref in zip(pool.map(work, [*x] * 3), alone * 3, strict=True):
            for a, b in zip(got, ref, strict=True):
                assert_close(a, b, 0, 0)


# --- a batch of streams


@given(st.integers(0, 2**32 - 1), st.sampled_from(sorted(LAYERS)), st.integers(1, 5), st.booleans())
@settings(max_examples=30)
def test_a_batch_of_streams_is_so_many_streams(seed, name, B, one_time):
    layer, rng = LAYERS[name](), np.random.default_rng(seed)
    timed = getattr(layer, "timed", True)
    many, single = layer.stepper(batch=B), [layer.stepper() for _ in range(B)]
    many.state = hx = map_state(lambda part: rng.normal(size=(B, *part.shape)), single[0].state)
    for b, stepper in enumerate(single):
        stepper.state = map_state(lambda part, b=b: part[b], hx)
    tolerance = 1e-12 if layer.dtype == np.float64 else 2e-6
    for _ in range(3):
        x, dt = rng.normal(size=(B, 2)), rng.uniform(0, 2, B)
        dt = 1.0 if not timed else float(dt[0]) if one_time else dt
        form = [lambda a: a, lambda a: a.astype(layer.dtype), lambda a: a.tolist()][seed % 3]
        out = np.empty((B, layer.output_size), layer.dtype) if seed % 2 else None
        y = many(form(x), dt, out)
        ref = [s(form(x_b), np.broadcast_to(dt, B)[b]) for b, (s, x_b) in enumerate(zip(single, x, strict=True))]
        assert_close(y, ref, tolerance, tolerance, layer.dtype)
    for b, stepper in enumerate(single):
        assert_close(flat(map_state(lambda part, b=b: part[b], many.state)), flat(stepper.state), tolerance, tolerance)
    many.reset()
    assert not flat(many.state).any()


BATCH_REFUSED = {
    "x": (*bad.NUMBERS, [1.0, 2.0], np.ones((3, 2)), np.ones((2, 2, 1)), np.full((2, 2), np.inf)),
    "dt": (*bad.NUMBERS, -1.0, [1.0], [1.0, -1.0], [np.nan, 1.0], [[1.0], [1.0]], [1.0] * 3, [1.0, 1e300]),
    "out": (1.0, np.zeros(2), np.zeros((2, 2)), np.zeros((2, 3), int)),
}


@BACKENDS
def test_a_batch_refuses_bad_input_and_leaves_the_state_unchanged(backend):
    layer = CfC(2, 3, backbone_units=4, seed=0, backend=backend)
    stepper = layer.stepper(batch=2)
    stepper(np.ones((2, 2)))
    before = stepper.state
    assert before.shape == (2, 3)
    for argument, values in BATCH_REFUSED.items():
        for value in values:
            bad.refuses(stepper, argument, value, **({} if argument == "x" else {"x": np.ones((2, 2), "float32")}))
            assert_close(stepper.state, before, 0, 0)
    for value in (np.zeros(3), np.zeros((3, 2)), np.full((2, 3), np.nan), (before, before)):
        bad.refuses(lambda hx: setattr(stepper, "state", hx), "hx", value)
        assert_close(stepper.state, before, 0, 0)
    for value in (0, -1, 1.5, "2", True):
        bad.refuses(layer.stepper, "batch", value)


NUMBER_TYPES = ("float16", "float32", "float64", "longdouble", "int8", "uint16", "int64")


@BACKENDS
@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("batch", [None, 2])
def test_numbers_of_any_type_are_silent(dtype, batch, backend):
    stepper = CfC(2, 3, backbone_units=4, seed=0, dtype=dtype, backend=backend).stepper(batch)
    lead = () if batch is None else (batch,)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name in NUMBER_TYPES:
            kind = np.dtype(name).type
            for dt in (kind(1), np.array(1, name), np.full(lead, 1, name)):
                assert np.isfinite(stepper(np.ones((*lead, 2), name), dt)).all()
        for dt in (np.float32(3e38), np.longdouble("1e300"), np.float64(1e300)):
            if dt < np.finfo(dtype).max:
                assert np.isfinite(stepper(np.ones((*lead, 2)), dt)).all()
            else:
                bad.refuses(stepper, "dt", dt, x=np.ones((*lead, 2)))
        if np.isfinite(more := np.longdouble("1e4000")):
            bad.refuses(stepper, "dt", more, x=np.ones((*lead, 2)))
            bad.refuses(stepper, "x", np.full((*lead, 2), more))
