"""The tape: all that the backward needs, and no more; nobody's later writes reach it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cfc_ref import CfC
from tests import bad
from tests.compare import assert_close
from tests.layers.strategies import CONFIGS, assert_same, cases, cotangents, inputs_for, make, map_state, parts, run


@given(cases(masked=True, return_sequences=st.booleans()))
@settings(max_examples=40)
def test_it_can_be_used_twice_whatever_was_written_since(case):
    layer, inputs, rng = case
    d = cotangents(layer, inputs, rng)
    ref = run(layer, inputs, *d)
    output, hx, tape = layer.forward(*inputs)
    for _ in range(2):
        assert_same(ref._replace(gradients=layer.backward(tape, *d)), ref, 0)
        for array in (inputs.x, *parts(inputs.hx), inputs.timespans, output, *parts(hx), *layer.parameters.values()):
            array[...] = np.nan
        inputs.mask[...] = ~inputs.mask


@given(cases(masked=True))
@settings(max_examples=20)
def test_the_backward_writes_to_nothing_it_is_given(case):
    layer, inputs, rng = case
    d_output, d_hx = cotangents(layer, inputs, rng)
    given_arrays = [inputs.x, *parts(inputs.hx), inputs.timespans, d_output, *parts(d_hx), *layer.parameters.values()]
    before = [array.copy() for array in given_arrays]
    run(layer, inputs, d_output, d_hx)
    for array, was in zip(given_arrays, before, strict=True):
        assert_close(array, was, 0, 0)


@given(cases(masked=True))
@settings(max_examples=20)
def test_the_gradients_are_the_callers_own(case):
    """Clipping them in place changes neither a second backward nor each other."""
    layer, inputs, rng = case
    d = cotangents(layer, inputs, rng)
    _, _, tape = layer.forward(*inputs)
    ref = run(layer, inputs, *d)
    g = layer.backward(tape, *d)
    arrays = [*g.parameters.values(), g.x, *parts(g.hx), g.timespans]
    for k, array in enumerate(arrays):
        assert not any(np.shares_memory(array, other) for other in arrays[:k])
        array *= 2
    assert_same(ref._replace(gradients=layer.backward(tape, *d)), ref, 0)


def test_a_forward_gives_what_a_call_gives():
    for config in CONFIGS[::11]:
        layer = make(config)
        inputs = inputs_for(layer, config.rng)
        output, hx, _ = layer.forward(*inputs)
        ref, ref_hx = layer(*inputs)
        assert_close(output, ref, 0, 0)
        for part, ref_part in zip(parts(hx), parts(ref_hx), strict=True):
            assert_close(part, ref_part, 0, 0)


def test_no_gradient_of_the_last_state_is_0():
    layer = make(CONFIGS[0])
    inputs = inputs_for(layer, CONFIGS[0].rng)
    d_output, d_hx = cotangents(layer, inputs, CONFIGS[0].rng)
    assert_same(run(layer, inputs, d_output), run(layer, inputs, d_output, map_state(np.zeros_like, d_hx)), 0)


# --- what it holds


def arrays_in(tree):
    """Yield every array in nested tuples and lists."""
    if isinstance(tree, np.ndarray):
        yield tree
    elif isinstance(tree, (tuple, list)):
        for branch in tree:
            yield from arrays_in(branch)


def owned_bytes(tree):
    """Bytes of the distinct pieces of memory that the arrays are views of."""
    owners = {}
    for array in arrays_in(tree):
        while isinstance(array.base, np.ndarray):
            array = array.base
        owners[id(array)] = array.nbytes
    return sum(owners.values())


def needed_numbers(layer, B, T):
    """Numbers of the arguments, and then of each step what the backward can't do without.

    That is the state; each backbone layer, in the printed forms twice; three values a neuron (two in the pure form);
    with mixed memory seven more (a, i, f, o, tanh c, c, and the output); in a wired network what one layer handed to
    the next.
    """
    units, memory = layer.state_size, layer.mixed_memory
    arguments = B * T * (layer.input_size + 1) + B * units * (1 + memory)
    backbone = layer.backbone_layers * layer.backbone_units * (2 if layer.mode in ("paper_pure", "from_x0") else 1)
    handed_on = sum(layer.wiring.layer_sizes[:-1]) if layer.wiring else 0
    values = units * ((2 if layer.mode == "pure" else 3) + 7 * memory)
    return arguments + B * T * (units + backbone + values + handed_on)


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_it_keeps_what_the_backward_needs(config):
    layer = make(config, backend="numpy")
    tape = layer.forward(*inputs_for(layer, config.rng, 3, 20))[2]
    assert owned_bytes([tape.kept, tape.states, tape.call[:4]]) <= 8 * needed_numbers(layer, 3, 20)
    assert owned_bytes(tape.params) == 8 * sum(array.size for array in layer.parameters.values())


@pytest.mark.parametrize("timespans", [None, 0.5])
@pytest.mark.parametrize("config", CONFIGS[::7], ids=str)
def test_a_kernel_keeps_little_more(config, timespans):
    """The gate's rate f where the gradient of the timespans is asked for; the first state twice; a table; alignment."""
    layer = make(config, backend="numba")
    tape = layer.forward(*inputs_for(layer, config.rng, 3, 20)._replace(timespans=timespans))[2]
    more = 3 * 20 * layer.state_size * (timespans is not None and layer.mode in ("default", "no_gate"))
    more += 3 * layer.state_size * 2 + tape.kept.table.size + 16 * len(tape.kept)
    assert owned_bytes([tape.kept, tape.states, tape.call[:4]]) <= 8 * (needed_numbers(layer, 3, 20) + more)


def test_dropout_adds_its_factors_only():
    options = {"backbone_units": 8, "backbone_layers": 3, "backbone_dropout": 0.5, "backend": "numpy"}
    layer = CfC(2, 3, **options, dtype="float64", seed=0)
    inputs = inputs_for(layer, np.random.default_rng(0), 2, 10)
    plain = layer.forward(*inputs)[2]
    dropped = layer.forward(*inputs, rng=np.random.default_rng(0))[2]
    assert owned_bytes(dropped.kept) == owned_bytes(plain.kept) + 8 * 2 * 10 * 2 * 8


def test_what_is_no_tape_of_this_layer_is_refused():
    layer, other = (CfC(2, 3, seed=0) for _ in range(2))
    tape = layer.forward(np.ones((2, 2)))[2]
    for wrong in (None, 1, (), tuple(tape), other.forward(np.ones((2, 2)))[2]):
        bad.refuses(layer.backward, "tape", wrong, d_output=np.ones((2, 3)))
