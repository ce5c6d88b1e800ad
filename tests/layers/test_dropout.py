"""Dropout: only where a generator is given, only the backbone layers that the variant drops, and its gradient."""

import numpy as np
import pytest

from cfc_ref import CfC
from tests.compare import assert_close
from tests.differences import assert_gradient
from tests.layers.strategies import MODES, VARIANTS, inputs_for, parts, run

DROPS_FROM = {"torch": 1, "tensorflow": 0, "keras": 0}  # the first layer, of those with numbers 0, 1, 2, that drops


def layer_with(mode="default", variant="torch", units=3, backbone_units=6, **others):
    options = {"backbone_layers": 3, "backbone_dropout": 0.4, "backbone_units": backbone_units, "backend": "numpy"}
    options |= others
    return CfC(2, units, mode=mode, variant=variant, **options, dtype="float64", seed=1)


@pytest.fixture(params=VARIANTS)
def variant(request):
    return request.param


def factors(layer, inputs, seed=0):
    """Dropout factors of every step."""
    tape = layer.forward(*inputs, rng=np.random.default_rng(seed))[2]
    return [kept.layers[0].drop for kept in tape.kept]


def test_nothing_drops_without_a_generator(variant):
    layer, plain = layer_with(variant=variant), layer_with(variant=variant, backbone_dropout=0.0)
    for own, other in zip(plain.parameters.values(), layer.parameters.values(), strict=True):
        own[...] = other
    inputs = inputs_for(layer, np.random.default_rng(0))
    ref = plain(*inputs)[0]
    stepper = layer.stepper()
    stepper.state = inputs.hx[0]
    for output in (layer(*inputs)[0], layer.forward(*inputs)[0]):
        assert_close(output, ref, 0, 0)
    assert_close(stepper(inputs.x[0, 0], inputs.timespans[0, 0]), ref[0, 0])
    assert np.abs(layer.forward(*inputs, rng=np.random.default_rng(0))[0] - ref).max() > 1e-3
    assert_close(plain.forward(*inputs, rng=np.random.default_rng(0))[0], ref, 0, 0)


def test_the_share_that_drops_and_where(variant):
    layer = layer_with(variant=variant, backbone_units=50)
    drawn = factors(layer, inputs_for(layer, np.random.default_rng(0), B=20, T=10))
    for k in range(3):
        if k < DROPS_FROM[variant]:
            assert all(step[k] is None for step in drawn)
            continue
        m = np.array([step[k] for step in drawn])
        assert m.shape == (10, 20, 50)  # another draw for each step, sample and feature
        assert set(np.unique(m).round(12)) == {0, round(1 / 0.6, 12)}
        assert abs(np.mean(m == 0) - 0.4) < 0.02
        for axis in range(3):
            assert np.ptp(m.mean(axis=axis), axis=None) > 0
        assert abs(m.mean() - 1) < 0.03


def test_a_seed_decides_every_bit(variant):
    layer = layer_with(variant=variant)
    inputs = inputs_for(layer, np.random.default_rng(0))
    one, again, other = (layer.forward(*inputs, rng=np.random.default_rng(seed))[0] for seed in (0, 0, 1))
    assert_close(one, again, 0, 0)
    assert np.abs(one - other).max() > 1e-3


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_dtype_stays(dtype):
    layer = CfC(2, 3, backbone_layers=2, backbone_dropout=0.5, dtype=dtype, seed=0)
    output, hx, tape = layer.forward(np.ones((2, 2)), rng=np.random.default_rng(0))
    g = layer.backward(tape, np.ones((2, 3)))
    assert {array.dtype for array in (output, hx, g.x, g.hx, *g.parameters.values())} == {np.dtype(dtype)}


def by_hand(layer, x, h, t, drop):
    """One step of mode "default" with given factors, plainly."""
    w = layer.parameters
    u = np.concatenate([x, h], axis=1)
    places = [key.removesuffix(".weight") for key in w if "backbone" in key and "weight" in key]
    for place, m in zip(places, drop, strict=True):
        u = 1.7159 * np.tanh(0.666 * (u @ w[f"{place}.weight"].T + w[f"{place}.bias"]))
        u = u if m is None else u * m
    ff1, ff2, a, b = (
        u @ w[f"rnn_cell.{name}.weight"].T + w[f"rnn_cell.{name}.bias"] for name in ("ff1", "ff2", "time_a", "time_b")
    )
    s = 1 / (1 + np.exp(-(a * t + b)))
    return np.tanh(ff1) * (1 - s) + s * np.tanh(ff2)


def test_the_factors_act_behind_their_layers():
    layer = layer_with()
    inputs = inputs_for(layer, np.random.default_rng(0))
    output = layer.forward(*inputs, rng=np.random.default_rng(3))[0]
    h = inputs.hx
    for k, drop in enumerate(factors(layer, inputs, 3)):
        h = by_hand(layer, inputs.x[:, k], h, inputs.timespans[:, k, None], drop)
        assert_close(output[:, k], h)


@pytest.mark.parametrize("memory", [False, True])
@pytest.mark.parametrize("mode", MODES)
def test_gradients_under_one_draw(mode, memory, variant):
    layer = layer_with(mode, variant, units=2, backbone_units=3, mixed_memory=memory, activation="silu")
    rng = np.random.default_rng(1)
    for array in layer.parameters.values():
        array[...] = rng.uniform(0.2, 1, array.shape) * rng.choice([-1, 1], array.shape)
    inputs = inputs_for(layer, rng, B=2, T=2)
    d_output = rng.normal(size=(2, 2, 2))

    def loss():
        return np.sum(layer.forward(*inputs, rng=np.random.default_rng(5))[0] * d_output)

    g = layer.backward(layer.forward(*inputs, rng=np.random.default_rng(5))[2], d_output)
    states = zip(parts(g.hx), parts(inputs.hx), strict=True)
    for got, array in ((g.x, inputs.x), (g.timespans, inputs.timespans), *states):
        assert_gradient(got, loss, array)
    for key, array in layer.parameters.items():
        assert_gradient(g.parameters[key], loss, array)


def test_masked_steps_draw_too_so_that_a_longer_padding_changes_nothing_before_it(variant):
    layer = layer_with(variant=variant)
    inputs = inputs_for(layer, np.random.default_rng(0), B=2, T=4)
    mask = np.array([[True, True, False, False]] * 2)
    long = layer.forward(*inputs._replace(mask=mask), rng=np.random.default_rng(0))
    short = layer.forward(inputs.x[:, :2], inputs.hx, inputs.timespans[:, :2], rng=np.random.default_rng(0))
    assert_close(long[0][:, :2], short[0], 0, 0)
    assert_close(long[1], short[1], 0, 0)


def test_a_tape_remembers_its_draw(variant):
    layer = layer_with(variant=variant)
    inputs = inputs_for(layer, np.random.default_rng(0))
    output, _, tape = layer.forward(*inputs, rng=np.random.default_rng(0))
    d = np.ones_like(output)
    ref = layer.backward(tape, d)
    run(layer, inputs, d)  # without dropout
    for key, gradient in layer.backward(tape, d).parameters.items():
        assert_close(gradient, ref.parameters[key], 0, 0)


def test_both_backends_drop_the_same(variant):
    layer = layer_with(variant=variant, activation="gelu")
    compiled = layer_with(variant=variant, activation="gelu", backend="numba")
    inputs = inputs_for(layer, np.random.default_rng(0), B=5, T=4)
    d = np.random.default_rng(1).normal(size=(5, 4, 3))
    output, _, tape = layer.forward(*inputs, rng=np.random.default_rng(7))
    got, _, own_tape = compiled.forward(*inputs, rng=np.random.default_rng(7))
    assert_close(got, output)
    g, own = layer.backward(tape, d), compiled.backward(own_tape, d)
    for key, gradient in g.parameters.items():
        assert_close(own.parameters[key], gradient)
    assert_close(own.x, g.x)
