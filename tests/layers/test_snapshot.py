"""Weights that are arranged once: right after every way to change a parameter, and nobody else's."""

import copy
import gc
import pickle
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cfc_ref import LTC, CfC, wirings
from cfc_ref.cells.tree import leaves
from cfc_ref.kernels.cfc import network as cfc_kernels
from cfc_ref.kernels.ltc import cells as ltc_kernels
from cfc_ref.layers.snapshot import present_weights

MAKERS = {
    "CfC": lambda backend: CfC(2, 3, backbone_units=4, seed=1, backend=backend),
    "wired CfC": lambda backend: CfC(2, wirings.NCP(2, 2, 1, 2, 2, 1, 2, seed=0), proj_size=2, seed=1, backend=backend),
    "LTC": lambda backend: LTC(2, 3, seed=1, backend=backend),
}
LAYERS = pytest.mark.parametrize(("kind", "backend"), [(k, b) for k in MAKERS for b in ("numpy", "numba")])
X = np.random.default_rng(0).normal(size=(2, 3, 2)).astype("float32")


def numbers(layer):
    """The bytes of all that a layer computes: sequences, one and several, gradients, a step."""
    output, _, tape = layer.forward(X)
    gradients = layer.backward(tape, np.ones_like(output)).parameters.values()
    arrays = [layer(X)[0], layer(X[0])[0], output, *gradients, layer.stepper()(X[0, 0])]
    return [array.tobytes() for array in arrays]


def whole(array, value):
    array[...] = value


def one_number(array, value):
    array.flat[-1] = value


def through_a_view(array, value):
    array.reshape(-1)[:1] += np.float32(value)


def as_output(array, value):
    np.multiply(array, np.float32(value), out=array)


WAYS = (whole, one_number, through_a_view, as_output)
VALUES = (0.0, -0.0, 0.5, 1e-30, np.nan)


@LAYERS
@given(data=st.data())
@settings(max_examples=8)
def test_every_change_of_a_parameter_counts(kind, backend, data):
    layer = MAKERS[kind](backend)
    numbers(layer)
    for _ in range(3):
        array = layer.parameters[data.draw(st.sampled_from(sorted(layer.parameters)))]
        data.draw(st.sampled_from(WAYS))(array, data.draw(st.sampled_from(VALUES)))
        fresh = MAKERS[kind](backend)
        for key, value in layer.parameters.items():
            fresh.parameters[key][...] = value
        with np.errstate(all="ignore"):
            assert numbers(layer) == numbers(fresh)


def test_a_change_of_the_constraints_counts():
    layer = LTC(2, 3, seed=0)
    before = numbers(layer)
    layer.implicit_param_constraints = False
    assert numbers(layer) == numbers(LTC(2, 3, seed=0, implicit_param_constraints=False)) != before


@pytest.mark.parametrize("value", [-0.0, np.float32(np.nan)])
def test_bits_are_compared(value):
    """0 equals -0, and NaN nothing: both must not decide."""
    layer = MAKERS["CfC"]("numpy")
    array = layer.parameters["rnn_cell.ff1.bias"]
    array[...] = 0.0
    before = present_weights(layer)
    assert present_weights(layer) is before
    array[...] = value
    after = present_weights(layer)
    assert after is not before
    assert present_weights(layer) is after


@pytest.mark.parametrize(("kind", "module"), [("CfC", cfc_kernels), ("LTC", ltc_kernels)])
def test_weights_are_arranged_once(kind, module, monkeypatch):
    layer, calls, pack = MAKERS[kind]("numba"), [], module.pack
    monkeypatch.setattr(module, "pack", lambda *args, **options: calls.append(1) or pack(*args, **options))
    layer(X), layer(X)
    assert len(calls) == 1
    layer.parameters[next(iter(layer.parameters))][...] += 1
    layer(X), layer(X)
    assert len(calls) == 2


@LAYERS
def test_copies_and_pickles_have_none(kind, backend):
    layer = MAKERS[kind](backend)
    size, ref = len(pickle.dumps(layer)), numbers(layer)
    assert len(pickle.dumps(layer)) == size
    for copied in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert numbers(copied) == ref
        next(iter(copied.parameters.values()))[...] = 0.25
        assert numbers(copied) != ref
    assert numbers(layer) == ref


@LAYERS
def test_weights_of_before_a_change_are_freed_at_once(kind, backend):
    """Not by the garbage collector, which may let a training pile them up: it counts objects, not bytes."""
    layer = MAKERS[kind](backend)
    numbers(layer)
    gc.collect()
    gc.disable()
    try:
        before = weakref.ref(leaves(present_weights(layer).network)[0])
        numbers(layer)
        next(iter(layer.parameters.values()))[...] += 1
        layer(X)
        assert before() is None
    finally:
        gc.enable()


def test_nobody_can_write_to_them():
    layer = MAKERS["LTC"]("numpy")
    for array in [layer.forward(X)[2].params.network.cell.w, present_weights(layer).network.cell.mu]:
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0


@pytest.mark.parametrize("kind", MAKERS)
def test_threads_that_call_one_layer_compute_the_same(kind):
    layer = MAKERS[kind]("numba")
    ref = numbers(copy.deepcopy(layer))
    with ThreadPoolExecutor(4) as pool:
        assert all(result == ref for result in pool.map(lambda _: numbers(layer), range(16)))
