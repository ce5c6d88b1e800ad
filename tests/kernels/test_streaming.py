"""A stream through the kernels: the very bits of a sequence, whatever the sample comes as, and nothing allocated."""

import copy
import pickle
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cfc_ref import LTC, CfC, NeuralLTC
from cfc_ref.kernels.cfc import streaming
from cfc_ref.kernels.ltc import streaming as ltc_streaming
from cfc_ref.layers.stepper import CompiledStepper
from tests import bad
from tests.compare import assert_close
from tests.kernels import cfc_cases, ltc_cases
from tests.kernels.unjitted import compiled_only
from tests.layers.strategies import parts

layers = st.one_of(cfc_cases.layers(backend="numba"), ltc_cases.layers(backend="numba"))
KERNELS = {CfC: streaming._stream, LTC: ltc_streaming._stream, NeuralLTC: ltc_streaming._stream}
KINDS = pytest.mark.parametrize("kind", KERNELS)


def samples(layer, T=7, seed=0):
    rng, most = np.random.default_rng(seed), 2 if isinstance(layer, CfC) else ltc_cases.longest(layer)
    return rng.normal(size=(T, layer.input_size)).astype(layer.dtype), rng.uniform(0, most, T).astype(layer.dtype)


@given(layers, st.booleans())
@settings(max_examples=100)
def test_a_stream_equals_the_sequence_bit_for_bit(layer, batched):
    x, timespans = samples(layer)
    output, hx = layer(x[None], None, timespans[None]) if batched else layer(x, None, timespans)
    stepper = layer.stepper()
    got = np.array([stepper(x_k, float(t_k)) for x_k, t_k in zip(x, timespans, strict=True)])
    assert_close(got, output[0] if batched else output, 0, 0, layer.dtype)
    for part, ref in zip(parts(stepper.state), parts(hx), strict=True):
        assert_close(part, ref[0] if batched else ref, 0, 0)


@given(layers)
@settings(max_examples=60)
def test_keeping_a_tape_changes_no_more_than_rounding(layer):
    x, timespans = samples(layer)
    tolerance = 1e-12 if layer.dtype == np.float64 else 5e-6
    assert_close(layer.forward(x, None, timespans)[0], layer(x, None, timespans)[0], tolerance, tolerance)


@pytest.mark.parametrize(("kind", "memory"), [(CfC, False), (CfC, True), (LTC, False), (NeuralLTC, True)])
def test_a_masked_step_of_a_single_sequence_holds_the_state(kind, memory):
    layer = kind(2, 3, mixed_memory=memory, dtype="float64", seed=0, backend="numba")
    x, timespans = samples(layer)
    mask = np.array([False, True, True, False, True, False, False])
    x[~mask] = np.nan
    output, hx = layer(x, None, timespans, mask)
    ref, ref_hx = layer(x[mask], None, timespans[mask])
    assert_close(output, np.concatenate([np.zeros((1, 3)), ref[[0, 1, 1, 2, 2, 2]]]), 0, 0)
    for part, own in zip(parts(hx), parts(ref_hx), strict=True):
        assert_close(part, own, 0, 0)


FORMS = {
    "as it is": lambda x: x,
    "a list": lambda x: x.tolist(),
    "another dtype": lambda x: x.astype(np.float64),
    "strided": lambda x: np.repeat(x, 2)[::2],
    "reversed": lambda x: x[::-1].copy()[::-1],
    "read-only": lambda x: np.broadcast_to(x, x.shape),
    "another byte order": lambda x: x.astype(x.dtype.newbyteorder()),
    "unaligned": lambda x: np.frombuffer(b"0" + x.tobytes(), np.uint8)[1:].view(x.dtype),
}
TIMES = {"a float": 0.5, "a NumPy float": np.float64(0.5), "its own": np.float32(0.5), "an array": np.array(0.5)}


@compiled_only
@KINDS
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("time", TIMES)
def test_the_form_of_a_sample_changes_no_bit(kind, form, time):
    stepper, stream = kind(5, 3, seed=0, backend="numba").stepper(), KERNELS[kind]
    x = np.linspace(-1, 1, 5, dtype=np.float32)
    ref = stepper(x, 0.5)
    before = len(stream.signatures)
    stepper.reset()
    assert_close(stepper(FORMS[form](x), TIMES[time]), ref, 0, 0)
    assert len(stream.signatures) == before  # nothing is compiled for it


@KINDS
def test_a_whole_number_is_a_time_too(kind):
    one, other = (kind(2, 3, seed=0, backend="numba").stepper() for _ in range(2))
    assert_close(one([1.0, 2.0], 2), other([1.0, 2.0], 2.0), 0, 0)
    for wrong in (10**400, -1, True):
        bad.refuses(one, "dt", wrong, x=[1.0, 2.0])


@KINDS
@pytest.mark.parametrize("proj_size", [None, 5])
def test_an_output_may_be_strided_or_the_sample_itself(kind, proj_size):
    layer = kind(5, 5, proj_size=proj_size, seed=0, backend="numba")
    x = np.linspace(-1, 1, 5, dtype=np.float32)
    ref = layer.stepper()(x)
    strided, itself = np.zeros(10, np.float32)[::2], x.copy()
    for sample, out in ((x, strided), (itself, itself)):
        assert layer.stepper()(sample, out=out) is out
        assert_close(out, ref, 0, 0)


@compiled_only
@pytest.mark.parametrize(("kind", "options"), [(CfC, {"backbone_units": 4}), (LTC, {"ode_unfolds": 1})])
def test_the_steps_of_a_stream_allocate_nothing(kind, options):
    stepper = kind(17, 600, **options, seed=0, backend="numba").stepper()
    assert isinstance(stepper, CompiledStepper)
    x, y = np.ones(17, np.float32), np.empty(600, np.float32)

    def most(steps):
        """Most memory in use beyond that before."""
        for _ in range(steps):
            stepper(x, 0.5, out=y)
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(steps):
            stepper(x, 0.5, out=y)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak - before

    assert most(100) < 1000  # a state has 2400 bytes


@KINDS
@pytest.mark.parametrize("again", [copy.deepcopy, lambda stepper: pickle.loads(pickle.dumps(stepper))])
def test_a_copy_goes_on_by_itself(kind, again):
    stepper = kind(2, 3, mixed_memory=True, seed=0, backend="numba").stepper()
    stepper([1.0, 2.0])
    other = again(stepper)
    ref = stepper([0.5, 0.5])
    assert_close(other([0.5, 0.5]), ref, 0, 0)
    for part, own in zip(parts(other.state), parts(stepper.state), strict=True):
        assert_close(part, own, 0, 0)
    other.reset()
    assert parts(stepper.state)[0].any()


@KINDS
def test_a_sequence_of_no_steps(kind):
    layer = kind(2, 3, seed=0, backend="numba")
    output, hx = layer(np.empty((0, 2)), np.ones(3))
    assert output.shape == (0, 3)
    assert_close(hx, np.ones(3), 0, 0)
    layer.return_sequences = False
    bad.refuses(layer, "x", np.empty((0, 2)))


@KINDS
def test_the_last_output_alone(kind):
    layer = kind(2, 3, proj_size=2, seed=0, backend="numba")
    x, timespans = samples(layer)
    whole = layer(x, None, timespans)[0]
    layer.return_sequences = False
    assert_close(layer(x, None, timespans)[0], whole[-1], 0, 0)
    assert_close(layer(x[None], None, timespans)[0], whole[-1:], 0, 0)
