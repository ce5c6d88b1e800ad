"""Weights, inputs, states and timespans of up to 1e6: everything stays finite, and nothing warns."""

import numpy as np
import pytest

from cfc_ref import CfC
from tests.layers.strategies import (
    CONFIGS,
    MODES,
    VARIANTS,
    Inputs,
    cotangents,
    inputs_for,
    make,
    map_state,
    parts,
    run,
)

SIZES = np.array([1e6, -1e6, 1.0, -1.0, 1e-6, 0.0])
# What float32 does not hold is reached where no head bounds the state: by the linear heads of ncps on TensorFlow and
# Keras, and by the pure form where no time passes.
HELD_BY_FLOAT32 = [config for config in CONFIGS if config.bounded and config.mode != "pure"]


def huge(layer, rng, times, sizes=SIZES):
    """Write huge weights, and return arguments as huge."""
    for array in layer.parameters.values():
        array[...] = rng.choice(sizes, array.shape)
    like = inputs_for(layer, rng, 3, 3)
    hx = map_state(lambda part: rng.choice(SIZES, part.shape), like.hx)
    return Inputs(rng.choice(SIZES, like.x.shape), hx, rng.choice(times, like.timespans.shape))


def assert_finite(layer, inputs, rng):
    output, hx, g = run(layer, inputs, *cotangents(layer, inputs, rng))
    trace = layer.trace(*inputs)
    inverse = trace.pop("time_constant")
    assert np.isfinite(inverse[trace["rate"] != 0]).all()
    for array in (output, *parts(hx), g.x, *parts(g.hx), g.timespans, *g.parameters.values(), *trace.values()):
        assert np.isfinite(array).all()


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_in_float64(config):
    layer, rng = make(config), config.rng
    for sizes in (SIZES, SIZES[:2]):
        assert_finite(layer, huge(layer, rng, [0.0, 1e-6, 1.0, 1e6], sizes), rng)


@pytest.mark.parametrize("config", HELD_BY_FLOAT32, ids=str)
def test_in_float32(config):
    layer, rng = make(config, "float32"), config.rng
    for sizes in (SIZES, SIZES[:2]):
        assert_finite(layer, huge(layer, rng, [0.0, 1e-6, 1.0, 1e6], sizes), rng)


@pytest.mark.parametrize("activation", ["silu", "relu", "tanh", "gelu", "lecun_tanh"])
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("mode", MODES)
def test_backbones_of_the_default_size(mode, variant, activation):
    layer, rng = (
        CfC(8, 32, mode=mode, variant=variant, activation=activation, dtype="float64", seed=0),
        np.random.default_rng(0),
    )
    assert_finite(layer, huge(layer, rng, [1.0, 1e6]), rng)


@pytest.mark.parametrize("mode", MODES)
def test_no_weights_at_all(mode):
    layer = CfC(2, 3, mode=mode, dtype="float64")
    for array in layer.parameters.values():
        array[...] = 0
    assert_finite(layer, Inputs(np.ones((1, 2, 2)), np.zeros((1, 3)), np.ones((1, 2))), np.random.default_rng(0))
