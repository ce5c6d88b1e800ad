"""Boxes and Lipschitz constants: nothing gets past them, and some inputs reach them."""

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cfc_ref import CfC, bounds
from cfc_ref.activations import ACTIVATIONS
from cfc_ref.cells.cfc.modes import MODES, Mode, gate_gain
from tests import bad
from tests.compare import assert_close, assert_inside
from tests.layers.strategies import CONFIGS, make

BOUND = {"torch": 1.0, "tensorflow": 1.7159, "keras": math.inf}
SLOPE = {"torch": 1.0, "tensorflow": 1.7159 * 0.666}
SIZES = (0.1, 1.0, 30.0, 1e6)  # of weights
PLAIN = [config for config in CONFIGS if not config.memory and config.bounded]
sizes = st.sampled_from([0.0, 1e-6, 1.0]) | st.floats(0.01, 100)


def cell(mode="default", variant="torch", **weights):
    """One neuron without input weights: entries of weight matrices are those of the state."""
    layer = CfC(1, 1, mode=mode, variant=variant, backbone_layers=0, dtype="float64")
    for array in layer.parameters.values():
        array[...] = 0
    for name, value in weights.items():
        owner, _, kind = name.rpartition("_")
        key = f"rnn_cell.{owner}.{kind}" if kind in ("weight", "bias") else f"rnn_cell.{name}"
        layer.parameters[key][..., -1] = value
    return layer


def step(layer, h, t=1.0, x=0.0):
    return layer(np.full((len(h), 1, layer.input_size), x), h, t)[1]


def slope(layer, t=1.0, h=1e-6):
    """Central difference of the next state of one neuron, at 0."""
    above, below = step(layer, np.array([[h], [-h]]), t)[:, 0]
    return (above - below) / (2 * h)


# --- boxes


def extremes(rng, shape, size):
    """Numbers of all sizes up to the given one, of both signs, 0 among them."""
    return rng.choice([-1.0, 0.0, 1.0], shape) * size * 10 ** rng.uniform(-8, 0, shape)


def with_weights(layer, rng, size):
    for array in layer.parameters.values():
        array[...] = rng.uniform(-size, size, array.shape)
    return layer


@pytest.mark.parametrize("config", [c for c in CONFIGS if c.mode != "from_x0" and c.bounded][::2], ids=str)
def test_no_state_leaves_the_box(config):
    rng, layer = config.rng, make(config)
    for size in SIZES:
        with_weights(layer, rng, size)
        for shortest in (1e-3, 1.0, 30.0):
            x = extremes(rng, (50, 3, layer.input_size), 1e6)
            hx = extremes(rng, (2, 50, layer.state_size), 1e6)
            timespans = shortest * (1 + rng.choice([0, 1e-3, 1, 1e3], (50, 3)))
            low, high = bounds.box(layer, timespans=shortest)
            states = layer.trace(x, tuple(hx) if layer.mixed_memory else hx[0], timespans)["state"]
            assert_inside(low, states, high, 1e-12 * np.maximum(np.abs(low), np.abs(high)).max())


@pytest.mark.parametrize("config", [c for c in CONFIGS if c.mode == "from_x0" and not c.memory][::2], ids=str)
def test_from_x0_does_not_leave_its_box_once_it_is_in(config):
    rng, layer = config.rng, make(config)
    for size in SIZES:
        with_weights(layer, rng, size)
        low, high = bounds.box(layer, timespans=0.0)
        A = np.concatenate([array[0] for key, array in layer.parameters.items() if key.endswith("A")])
        assert_close(low, A - np.abs(A))
        assert_close(high, A + np.abs(A))
        assert_inside(low, np.zeros(layer.state_size), high, 0)
        hx = rng.uniform(low, high, (50, layer.state_size))
        x, timespans = extremes(rng, (50, 3, layer.input_size), 1e6), rng.choice([0, 1e-3, 1, 1e3], (50, 3))
        assert_inside(low, layer.trace(x, hx, timespans)["state"], high, 1e-12 * size)


@pytest.mark.parametrize("variant", ["torch", "tensorflow"])
@pytest.mark.parametrize("mode", ["default", "no_gate"])
def test_gated_boxes_are_approached(mode, variant):
    layer = cell(mode, variant, ff1_bias=30, ff2_bias=30, time_b_bias=30)
    low, high = bounds.box(layer)
    assert_close(high, [BOUND[variant] * (1 if mode == "default" else 2)])
    assert_close(low, -high)
    assert_close(step(layer, np.zeros((1, 1)))[0], high)


@pytest.mark.parametrize("mode", ["default", "no_gate"])
def test_linear_heads_have_no_box(mode):
    low, high = bounds.box(cell(mode, "keras"))
    assert low == -math.inf
    assert high == math.inf


@given(t=st.floats(1e-3, 100), w=st.floats(-2, 2), A=st.floats(-5, 5))
def test_the_pure_box_is_reached(t, w, A):
    """At |f1| = 1/t, the maximum of f e^(-t f)."""
    ends = [step(cell("pure", ff1_bias=f / t, w_tau=w, A=A), np.zeros((1, 1)), t)[0] for f in (-1, 1)]
    low, high = bounds.box(cell("pure", w_tau=w, A=A), timespans=t)
    assert_close(np.sort(ends, axis=0), [low, high], 1e-12, 1e-12)
    radius = abs(A) * math.exp(-t * abs(w)) / (math.e * t)
    assert_close(high, [A + radius])


def test_the_pure_box_at_no_time():
    low, high = bounds.box(cell("pure", A=2.0), timespans=0.0)
    assert (low, high) == (-math.inf, math.inf)
    low, high = bounds.box(cell("pure", A=2.0), timespans=5e-324)
    assert (low, high) == (-math.inf, math.inf)
    for t in (0.0, 5e-324, 1.0):
        assert_close(bounds.box(cell("pure", A=0.0), timespans=t), np.zeros((2, 1)), 0, 0)


@given(t=st.floats(0, 10), w=st.floats(-2, 2), A=st.floats(-5, 5), B=st.floats(-5, 5))
def test_the_printed_box_is_approached(t, w, A, B):
    """f(x, I) near 0 and f(-x, -I) near 1, by a large weight of the state."""
    layer = cell("paper_pure", ff1_weight=-50, w_tau=w, A=A, B=B)
    low, high = bounds.box(layer, timespans=t)
    assert_close((high - low) / 2, [abs(B) * math.exp(-t * abs(w))])
    assert_close(step(layer, np.ones((1, 1)), t)[0], high if B > 0 else low)


# --- the gate's gain


def brute_gain(m, gamma):
    """The largest value on a grid: for each s the best a and the best b, for either sign of b - a."""
    s, a = np.linspace(0, 1, 401)[:, None], np.linspace(-1, 1, 401)
    best = []
    for sign in (-1, 1):
        first = ((1 - s) * (1 - a**2) * m - sign * s * (1 - s) * a * gamma).max(axis=1)
        second = (s * (1 - a**2) * m + sign * s * (1 - s) * a * gamma).max(axis=1)
        best.append((first + second).max())
    return max(best)


@given(m=sizes, gamma=sizes)
@example(m=1.0, gamma=4.0)
@example(m=0.0, gamma=0.0)
def test_the_gates_gain_is_the_largest_value_of_its_expression(m, gamma):
    got, ref = float(gate_gain(np.array(m), np.array(gamma))), brute_gain(m, gamma)
    assert ref <= got * (1 + 1e-12)
    assert_close(got, ref, rtol=1e-4, atol=0)


@pytest.mark.parametrize("variant", ["torch", "tensorflow"])
@given(m=st.floats(0.1, 3), ratio=st.floats(0.01, 8), t=st.floats(0, 3))
def test_a_neuron_has_the_slope_of_its_constant(variant, m, ratio, t):
    """At s = 1/2, b = -a = min(1, γ/4m), in units of the heads' bound."""
    G, mu = BOUND[variant], SLOPE[variant] * m / BOUND[variant]
    gamma = ratio * mu
    b = math.atanh(min(gamma / (4 * mu), 1 - 1e-13)) * G / SLOPE[variant]  # where tanh has that value
    sign, rest = 1 if variant == "torch" else -1, 0.5
    rate, start = sign * gamma * rest, gamma * (1 - rest * t)
    weights = {"time_a_weight": rate, "time_b_weight": start}
    layer = cell("default", variant, ff1_weight=m, ff2_weight=m, ff1_bias=-b, ff2_bias=b, **weights)
    got = bounds.lipschitz(layer, t)
    assert_close(got, G * brute_gain(mu, gamma), 1e-4, 0)
    assert_close(slope(layer, t), got, 1e-6, 0)


# --- Lipschitz constants


def largest_ratio(layer, t, order, rng):
    """Of the changes after and before a step, over far and near pairs of states, the far ones also with huge inputs."""
    low, high = np.clip(bounds.box(layer, timespans=t), -3, 3) if layer.mode == "from_x0" else (-3, 3)
    one, far = rng.uniform(low, high, (2, 200, layer.state_size))
    near = np.clip(one + 1e-3 * rng.choice([-1, 1], one.shape), low, high)
    largest = 0.0
    for other, size in ((far, 1e6), (far, 1.0), (near, 1.0)):
        x = extremes(rng, (200, 1, layer.input_size), size)
        ends = [layer(x, start, t)[1] for start in (one, other)]
        rounding = 1e-14 * np.linalg.norm(ends, order, axis=2).max(axis=0)
        before = np.linalg.norm(one - other, order, axis=1)
        after = np.linalg.norm(ends[0] - ends[1], order, axis=1) - rounding
        largest = max(largest, np.max(after[before > 1e-5] / before[before > 1e-5], initial=0))
    return largest


@pytest.mark.parametrize("config", PLAIN[::2], ids=str)
def test_no_pair_of_states_moves_apart_faster(config):
    rng, layer = config.rng, make(config)
    for size in SIZES:
        with_weights(layer, rng, size)
        for t in (0.0, 0.1, 1.0, 10.0):
            assert largest_ratio(layer, t, math.inf, rng) <= bounds.lipschitz(layer, t) * (1 + 1e-6)
            if config.mode == "default" and not config.oracle.wires:
                assert largest_ratio(layer, t, 2, rng) <= bounds.lipschitz(layer, t, "euclidean") * (1 + 1e-6)


@pytest.mark.parametrize("config", [c for c in CONFIGS if not c.bounded and not c.memory], ids=str)
def test_linear_heads_have_no_constant(config):
    layer = make(config)
    assert bounds.lipschitz(layer) == math.inf
    if config.mode == "default" and not config.oracle.wires:
        assert bounds.lipschitz(layer, norm="euclidean") == math.inf


@pytest.mark.parametrize("norm", ["max", "euclidean"])
def test_the_constant_of_one_neuron_is_the_product_of_its_weights(norm):
    """Two backbone layers of one neuron each, by hand; the weight of the input plays no part."""
    layer = CfC(1, 1, backbone_units=1, backbone_layers=2, dtype="float64")
    for name, weight in (("backbone.0", [5, 2]), ("backbone.2", -3), ("ff1", 0.5), ("ff2", 0.5), ("time_a", 0)):
        layer.parameters[f"rnn_cell.{name}.weight"][...] = weight
    layer.parameters["rnn_cell.time_b.weight"][...] = 0
    heads = 0.5 if norm == "max" else math.hypot(0.5, 0.5)
    assert_close(bounds.lipschitz(layer, norm=norm), heads * (1.7159 * 0.666) ** 2 * 3 * 2)


def test_fresh_weights_are_far_from_contracting():
    """As for every layer of 32 units: about 53 in the norm of the largest entry, 6 in the Euclidean one."""
    layers = [CfC(3, 32, seed=seed) for seed in range(5)]
    assert all(50 < bounds.lipschitz(layer) < 57 for layer in layers)
    assert all(5.4 < bounds.lipschitz(layer, norm="euclidean") < 6.4 for layer in layers)


def test_no_box_from_x0_with_mixed_memory():
    """There a step begins at the LSTM's output, which the last step did not bring closer to A."""
    bad.refuses(bounds.box, "model", CfC(2, 3, mode="from_x0", mixed_memory=True, seed=0))


# --- tubes


@pytest.mark.parametrize("config", [c for c in CONFIGS if not c.memory][::2], ids=str)
def test_no_run_leaves_the_tube(config):
    rng, layer = config.rng, make(config)
    t, size = np.cumsum([0.5, 1e-3, 2.0]), 1.5
    for name, array in layer.parameters.items():
        array[...] = rng.uniform(-size, size, array.shape) / (array.shape[-1] if "weight" in name else 1)
    start = np.sort(rng.uniform(-1, 1, (2, layer.state_size)), axis=0)
    low, high = bounds.tube(layer, -1.0, 0.5, t, hx=start)
    x = np.where(rng.random((200, 3, layer.input_size)) < 0.5, -1.0, 0.5)
    states = layer.trace(x, rng.uniform(*start, (200, layer.state_size)), np.diff(t, prepend=0))["state"]
    assert_inside(low, states, high, 1e-12)
    assert np.median((high - low)[0] / np.ptp(states[:, 0], axis=0)) < 50
    run = layer.trace(x[:1], start[:1], np.diff(t, prepend=0))["state"][0]
    for end in bounds.tube(layer, x[0], x[0], t, hx=start[0]):
        assert_close(end, run, rtol=0, atol=1e-11)


@given(low=st.floats(-4, 4), width=st.floats(0, 4))
def test_an_activations_interval_is_the_range_of_its_values(low, width):
    for activation in ACTIVATIONS.values():
        got = activation.interval(np.float64(low), np.float64(low + width))
        values = activation.value(np.linspace(low, low + width, 2001))
        assert_close(got, [values.min(), values.max()], rtol=0, atol=1e-5)
        assert_inside(got[0], values, got[1], 1e-15)


def test_what_a_cfc_has_no_tube_for():
    bad.refuses(bounds.tube, "form", "ode", model=CfC(2, 3, seed=0), input_low=0, input_high=1, t=1.0)
    bad.refuses(bounds.tube, "model", CfC(2, 3, mixed_memory=True, seed=0), input_low=0, input_high=1, t=1.0)
    mode = MODES["default"]._replace(interval=Mode._field_defaults["interval"])
    with pytest.raises(ValueError, match="interval"):
        mode.interval(None, None, None)
