"""Certificates of whole networks: nothing leaves its tube, its box, its time constants, or its bound."""

import inspect
import math
import re

import numpy as np
import pytest

from cfc_ref import CTRNN, LSTM, LTC, CfC, LTCNeuron, NeuralLTC, bounds, wirings
from cfc_ref.report.networks.tube_study import measure
from tests import bad
from tests.compare import assert_close, assert_inside

CELL = "rnn_cell."


def one_neuron(w_tau, A, sigma, mu, input_w=1.0, input_b=0.0):
    """The LTC as stated with release σ(σ_(I - μ)), as a network: one input, one synapse, C = 1, V = 0."""
    wiring = wirings.Wiring([[0]], [[1]], 1)
    network = LTC(1, wiring, epsilon=0.0, implicit_param_constraints=False, dtype="float64", seed=0)
    values = {"gleak": w_tau, "vleak": 0.0, "cm": 1.0, "sensory_w": 1.0}
    values |= {"sensory_sigma": sigma, "sensory_mu": mu, "sensory_erev": A, "input_w": input_w, "input_b": input_b}
    for name, value in values.items():
        network.parameters[CELL + name][...] = value
    return network


def drawn(seed, units=9, inputs=3, **options):
    rng = np.random.default_rng(seed)
    wiring = wirings.Random(units, 2, 0.5, random_seed=seed)
    network = LTC(inputs, wiring, seed=rng, **{"dtype": "float64", **options})
    network.parameters[f"{CELL}input_w"][...] = rng.choice([-1, 1], inputs) * rng.uniform(0.5, 1.5, inputs)
    network.parameters[f"{CELL}input_b"][...] = rng.normal(size=inputs) / 4
    return rng, network


# --- the tube


@pytest.mark.parametrize("x0", [-1.0, 0.0, 0.4, 2.0])
@pytest.mark.parametrize("A", [-0.7, 1.0])
@pytest.mark.parametrize("sigma", [2.0, -2.0])
def test_of_one_neuron_the_tube_is_what_bang_bang_inputs_reach(x0, A, sigma):
    """Theorem of the one neuron: the exact set of states, its switch included."""
    w_tau, mu, low, high, t = 0.6, 0.2, -0.5, 0.8, [0.1, 0.5, 1.0, 3.0, 10.0]
    network = one_neuron(w_tau, A, sigma, mu, input_w=-2.0, input_b=0.1)
    releases = [1 / (1 + math.exp(-sigma * (-2 * end + 0.1 - mu))) for end in (low, high)]
    expected = bounds.reachable_states(LTCNeuron(w_tau, A), x0, t, (min(releases), max(releases)))
    for got, ref in zip(bounds.tube(network, low, high, t, hx=[x0]), expected, strict=True):
        assert_close(got[:, 0], ref, rtol=0, atol=1e-9)


def test_no_random_or_switching_input_leaves_the_tube_of_a_wired_network():
    """A sample of ``python -m cfc_ref.report.networks.tube_study``, which has 10,000 inputs for each of 20 networks."""
    for row in measure(networks=4, inputs=60, seed=1):
        assert row.ode_excess < 1e-9
        assert row.fused_excess < 1e-12
        assert 1 - 1e-9 < row.ode_width <= row.ode_widest < 20
        assert 1 - 1e-9 < row.fused_width <= row.fused_widest < 20


def test_the_tube_holds_for_inputs_that_run_along_lines_and_for_any_start_in_a_box():
    for seed in range(3):
        rng, network = drawn(seed)
        t = np.cumsum(rng.uniform(0.05, 0.6, 12))
        start = np.sort(rng.uniform(-1, 1, (2, 9)), axis=0)
        low, high = bounds.tube(network, -0.8, 0.5, t, hx=start)
        x = rng.uniform(-0.8, 0.5, (40, 12, 3))
        hx = rng.uniform(*start, (40, 9))
        for between in ("held", "linear"):
            assert_inside(low, network.solve(x, hx, np.diff(t, prepend=0), between=between), high, 1e-9)


@pytest.mark.parametrize("form", ["ode", "fused"])
def test_a_wider_box_has_a_wider_tube_and_a_point_has_the_trajectory(form):
    rng, network = drawn(7)
    x, t = rng.normal(size=(8, 3)), np.cumsum(rng.uniform(0.1, 0.5, 8))
    hx, dt = rng.normal(size=9), np.diff(t, prepend=0)
    states = network.solve(x, hx, dt) if form == "ode" else network.trace(x, hx, dt)["state"]
    inner = low, high = bounds.tube(network, x, x, t, hx=hx, form=form)
    assert_close(low, states, rtol=0, atol=1e-8)
    assert_close(high, states, rtol=0, atol=1e-8)
    for width in (0.1, 0.5):
        outer = bounds.tube(network, x - width, x + width, t, hx=np.stack([hx - width, hx + width]), form=form)
        assert np.all(outer[0] < inner[0])
        assert np.all(outer[1] > inner[1])
        inner = outer


def test_the_box_of_a_time_step_is_in_force_up_to_its_time():
    _, network = drawn(2)
    t = np.array([0.4, 0.7, 1.5])
    low, high = np.full((3, 3), -1.0), np.array([[1.0] * 3, [0.0] * 3, [2.0] * 3])
    whole = bounds.tube(network, low, high, t)
    state = (np.zeros(9), np.zeros(9))
    for k, dt in enumerate(np.diff(t, prepend=0)):
        state = bounds.tube(network, low[k], high[k], dt, hx=np.stack(state))
        assert_close(state, [end[k] for end in whole], rtol=0, atol=1e-9)


def test_the_fused_tube_holds_what_the_layer_computes():
    """Also with exactly as many unfoldings, other weights, and float32."""
    for options in ({}, {"ode_unfolds": 1}, {"ode_unfolds": 12}, {"dtype": "float32"}, {"epsilon": 0.5}):
        rng, network = drawn(4, **options)
        t = np.cumsum(rng.uniform(0.1, 2.0, 10))
        hx = rng.uniform(-0.5, 0.5, 9).astype(network.dtype)
        low, high = bounds.tube(network, -1, 1, t, hx=hx, form="fused")
        x = np.where(rng.random((200, 10, 3)) < 0.5, -1.0, 1.0)
        states = network.trace(x, np.tile(hx, (200, 1)), np.diff(t, prepend=0))["state"]
        assert_inside(low, states, high, 1e-12 if network.dtype == "float64" else 1e-5)


@pytest.mark.parametrize("form", ["ode", "fused"])
def test_shapes_are_those_of_the_times_and_the_neurons(form):
    _, network = drawn(0)
    for t, shape in ((1.0, ()), ([], (0,)), ([1.0], (1,)), ([0.0, 1.0], (2,))):
        for low, high in (bounds.tube(network, 0, 1, t, form=form), bounds.box(network, t=t, form=form)):
            assert low.shape == high.shape == (*shape, 9)
            assert low.dtype == high.dtype == np.float64
    assert_close(bounds.tube(network, 0, 1, 0.0, hx=np.ones(9), form=form), np.ones((2, 9)))


# --- the box and the time constants


def test_the_box_holds_the_tube_and_the_layers_states():
    for form in ("ode", "fused"):
        rng, network = drawn(5)
        hx, t = rng.normal(size=9) * 5, np.array([0.2, 1.0, 4.0])
        box = bounds.box(network, hx, t, form)
        tube = bounds.tube(network, -9, 9, t, hx=hx, form=form)
        assert_inside(box[0], np.stack(tube), box[1], 1e-9)
    for solver in ("fused", "frozen", "frozen_midpoint"):
        _, network = drawn(5, solver=solver)
        low, high = bounds.box(network)
        assert_inside(low, network.trace(rng.normal(size=(9, 3)) * 9, timespans=99.0)["state"], high, 1e-12)


def test_time_constants_of_the_trace_lie_between_their_bounds():
    rng, network = drawn(6, epsilon=0.3)
    low, high = bounds.network_time_constant(network)
    tau = network.trace(rng.normal(size=(300, 3)) * 4)["time_constant"]
    assert_inside(low, tau, high, 1e-12)
    weights = {name: np.log1p(np.exp(network.parameters[CELL + name])) for name in ("gleak", "cm", "w", "sensory_w")}
    w = weights["w"] * np.abs(network.wiring.adjacency_matrix)
    sensory_w = weights["sensory_w"] * np.abs(network.wiring.sensory_adjacency_matrix)
    assert_close(high, weights["cm"] / (weights["gleak"] + 0.3))
    assert_close(low, weights["cm"] / (weights["gleak"] + 0.3 + w.sum(axis=0) + sensory_w.sum(axis=0)))


# --- the frozen bound


def contracting(seed):
    """A network of flat releases and a strong leak."""
    rng, network = drawn(seed, solver="frozen")
    for name in ("sigma", "sensory_sigma"):
        network.parameters[CELL + name][...] = rng.uniform(-1, 1, network.parameters[CELL + name].shape)
    network.parameters[f"{CELL}gleak"][...] += 3
    return rng, network


def test_the_bound_of_the_frozen_form_holds_in_contracting_networks():
    tightest = 0.0
    for seed in range(6):
        rng, network = contracting(seed)
        x, hx, dt = rng.uniform(-2, 1, (30, 8, 3)), rng.uniform(-2, 2, 9), rng.uniform(0.02, 0.3, 8)
        certificate = bounds.network_frozen_error(network, -2, 1, np.cumsum(dt), dt.max() / 6, hx)
        assert certificate.certified
        starts = np.tile(hx, (30, 1))
        error = np.abs(network.trace(x, starts, dt)["state"] - network.solve(x, starts, dt)).max(axis=(0, 2))
        assert_inside(0, error, certificate.bound, 1e-9)
        tightest = max(tightest, float(np.max(error / certificate.bound)))
    assert tightest > 1e-3  # of the error's size, not of anything larger


def test_the_contraction_holds_for_trajectories_with_the_same_input():
    rng, network = contracting(1)
    starts, t = rng.uniform(-1, 1, (2, 9)), np.linspace(0.1, 2, 10)
    certificate = bounds.network_frozen_error(network, -1, 1, t, 1.0, np.sort(starts, axis=0))
    a, b = (network.solve(np.ones((10, 3)), start, np.diff(t, prepend=0)) for start in starts)
    distance = np.abs(a - b).max(axis=1)
    assert_inside(0, distance, np.abs(starts[0] - starts[1]).max() * np.exp(-certificate.contraction * t), 1e-9)


def test_the_bound_grows_with_the_step_and_the_time_to_a_limit():
    _, network = contracting(2)
    t = np.array([[0.0, 0.1], [1.0, 1e9]])
    one, two = (bounds.network_frozen_error(network, -1, 1, t, step) for step in (0.1, 0.2))
    assert_close(two.bound, 2 * one.bound)
    assert_close(one.bound[0, 0], 0)
    assert_close(one.bound[1, 1], 0.1 * one.defect / one.contraction)
    assert re.fullmatch(r"certified: λ = \S+, P = \S+, error at most \S+", str(one))


@pytest.mark.parametrize("implicit", [True, False])
def test_fresh_weights_of_ncps_have_no_certificate(implicit):
    contractions = []
    for seed in range(10):
        wiring = wirings.Random(12, 2, 0.5, random_seed=seed)
        network = LTC(4, wiring, seed=seed, implicit_param_constraints=implicit)
        certificate = bounds.network_frozen_error(network, -1, 1, [0.5, 1.0], 0.1)
        assert not certificate.certified
        assert np.all(np.isinf(certificate.bound))
        assert str(certificate).startswith("no certificate: λ = -")
        contractions.append(certificate.contraction)
    assert -45 < min(contractions) < max(contractions) < -15


# --- refusals

CALLS = {
    "tube": (bounds.tube, {"input_low": 0.0, "input_high": 1.0, "t": 1.0}),
    "box": (bounds.box, {}),
    "network_time_constant": (bounds.network_time_constant, {}),
    "network_frozen_error": (bounds.network_frozen_error, {"input_low": 0.0, "input_high": 1.0, "t": 1.0, "step": 0.1}),
    "lipschitz": (bounds.lipschitz, {}),
}
FIRST = {name: next(iter(inspect.signature(function).parameters)) for name, (function, _) in CALLS.items()}
VALUES = {
    "input_low": (*bad.NUMBERS, [0.0, 0.0], np.zeros((2, 3)), 1.5, [0.0, 0.0, 2.0]),
    "input_high": (*bad.NUMBERS, [0.0, 0.0], np.zeros((2, 3))),
    "hx": (
        *[value for value in bad.NUMBERS if value is not None],
        0.0,
        np.zeros(8),
        np.zeros((3, 9)),
        [[1.0] * 9, [0.0] * 9],
    ),
    "t": bad.TIMES,
    "step": (*bad.NUMBERS, 0.0, -1.0, [0.1]),
    "form": bad.CHOICES,
    "timespans": bad.TIMES,
    "norm": (*bad.CHOICES, "euclidean"),
}


@pytest.mark.parametrize(
    ("name", "argument"),
    [
        (name, argument)
        for name in CALLS
        for argument in VALUES
        if argument in inspect.signature(CALLS[name][0]).parameters
    ],
)
def test_what_does_not_fit_is_refused(name, argument):
    function, options = CALLS[name]
    _, network = drawn(0)
    values = VALUES[argument]
    if argument == "t" and name != "network_frozen_error":
        values = bad.INCREASING
    default = inspect.signature(function).parameters[argument].default
    for value in values:
        if value is not None or default is not None:
            bad.refuses(function, argument, value, **{FIRST[name]: network, **options, argument: value})


@pytest.mark.parametrize("name", CALLS)
def test_other_networks_are_refused(name):
    function, options = CALLS[name]
    others = [NeuralLTC(3, 4)] if name.startswith("network_") else [LSTM(3, 4)]
    for network in (None, 3, LTCNeuron(1.0, 1.0), *others, LTC(3, 4, mixed_memory=True)):
        bad.refuses(function, FIRST[name], network, **options)


def test_the_fused_tube_is_refused_for_other_solvers():
    _, network = drawn(0, solver="rk4")
    bad.refuses(bounds.tube, "model", network, input_low=0, input_high=1, t=1.0, form="fused")
    bad.refuses(bounds.box, "model", network, form="fused")
    assert np.all(np.isfinite(bounds.tube(network, 0, 1, 1.0)))


# --- Lipschitz constants


def test_trajectories_with_the_same_input_part_no_faster_than_the_constant():
    for seed in range(4):
        rng, network = contracting(seed) if seed % 2 else drawn(seed)
        low, high = bounds.box(network)
        one, other = rng.uniform(low, high, (2, 40, 9))
        x = rng.normal(size=(40, 1, 3)) * 10
        for t in (0.05, 0.5):
            ends = [network.solve(x, start, t)[:, 0] for start in (one, other)]
            ratio = np.abs(ends[0] - ends[1]).max(axis=1) / np.abs(one - other).max(axis=1)
            assert ratio.max() <= bounds.lipschitz(network, t) * (1 + 1e-9)
    assert_close(bounds.lipschitz(network, [[0.5, 0.05]]), max(bounds.lipschitz(network, t) for t in (0.5, 0.05)))
    assert bounds.lipschitz(contracting(1)[1], 0.5) < 1 < bounds.lipschitz(drawn(0)[1], 0.5)


# --- networks with one release per neuron


def one_release(kind, seed, **options):
    """A NeuralLTC, dense or wired, or a CTRNN, with weights of both signs and of some size."""
    rng, options = np.random.default_rng(seed), {"dtype": "float64", "seed": seed, **options}
    units = {"neural": 5, "wired": wirings.Random(5, 2, 0.5, random_seed=seed), "ctrnn": 5}[kind]
    network = CTRNN(3, units, tau=0.7, **options) if kind == "ctrnn" else NeuralLTC(3, units, **options)
    for key in ("scale", "A"):
        if f"{CELL}{key}" in network.parameters:
            network.parameters[CELL + key][...] = rng.normal(size=5) * 2
    for key in ("f.weight", "recurrent_map.weight"):
        if CELL + key in network.parameters:
            network.parameters[CELL + key][...] *= rng.uniform(1, 3)
    return rng, network


KINDS = ("neural", "wired", "ctrnn")


@pytest.mark.parametrize("kind", KINDS)
def test_no_input_leaves_the_tube_or_the_box(kind):
    for seed in range(3):
        rng, network = one_release(kind, seed, solver="fused")
        t = np.cumsum(rng.uniform(0.1, 0.8, 8))
        start = np.sort(rng.uniform(-3, 3, (2, 5)), axis=0)
        x = np.where(rng.random((60, 8, 3)) < 0.5, -1.0, 0.7)
        x[:30] = rng.uniform(-1, 0.7, (30, 8, 3))
        hx, dt = rng.uniform(*start, (60, 5)), np.diff(t, prepend=0)
        for form in ("ode", "fused"):
            states = network.solve(x, hx, dt) if form == "ode" else network.trace(x, hx, dt)["state"]
            low, high = bounds.tube(network, -1, 0.7, t, start, form)
            assert_inside(low, states, high, 1e-8)
            assert np.all((high - low)[-1] < 20 * np.ptp(states[:, -1], axis=0))
            box = bounds.box(network, start, t, form)
            assert_inside(box[0], states, box[1], 1e-8)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", ["ode", "fused"])
def test_the_tube_of_a_point_is_the_trajectory(kind, form):
    rng, network = one_release(kind, 5, solver="fused")
    x, hx, dt = rng.normal(size=(6, 3)), rng.normal(size=5), rng.uniform(0.1, 0.5, 6)
    states = network.solve(x, hx, dt) if form == "ode" else network.trace(x, hx, dt)["state"]
    for end in bounds.tube(network, x, x, np.cumsum(dt), hx, form):
        assert_close(end, states, rtol=0, atol=1e-8)


@pytest.mark.parametrize("A", [-0.7, 1.0])
@pytest.mark.parametrize("x0", [-1.0, 0.4, 2.0])
def test_of_one_neuron_of_eq_1_the_tube_is_what_bang_bang_inputs_reach(x0, A):
    network = NeuralLTC(1, 1, dtype="float64", implicit_param_constraints=False, seed=0)
    for key, value in {"f.weight": [-2.0, 0.0], "f.bias": 0.2, "w_tau": 0.6, "A": A}.items():
        network.parameters[CELL + key][...] = value
    t, releases = [0.1, 1.0, 10.0], [1 / (1 + math.exp(-(0.2 - 2 * end))) for end in (0.8, -0.5)]
    expected = bounds.reachable_states(LTCNeuron(0.6, A), x0, t, releases)
    for got, ref in zip(bounds.tube(network, -0.5, 0.8, t, hx=[x0]), expected, strict=True):
        assert_close(got[:, 0], ref, rtol=0, atol=1e-9)
    low, high = bounds.box(network)
    assert_close([low[0], high[0]], sorted([0, A / 1.6]))


@pytest.mark.parametrize("kind", KINDS)
def test_trajectories_of_one_release_part_no_faster_than_the_constant(kind):
    rng, network = one_release(kind, 3)
    for scale in (1.0, 0.02):
        for key in ("f.weight", "recurrent_map.weight"):
            if CELL + key in network.parameters:
                network.parameters[CELL + key][...] *= scale
        one, other = rng.uniform(*bounds.box(network), (2, 40, 5))
        ends = [network.solve(np.ones((40, 1, 3)), start, 0.3)[:, 0] for start in (one, other)]
        ratio = np.abs(ends[0] - ends[1]).max(axis=1) / np.abs(one - other).max(axis=1)
        assert ratio.max() <= bounds.lipschitz(network, 0.3) * (1 + 1e-9)
    assert bounds.lipschitz(network, 0.3) < 1


# --- old names


def test_old_names_say_what_to_call_instead_and_give_the_same():
    _, network = drawn(0)
    with pytest.warns(DeprecationWarning, match=r"bounds\.box"):
        old = bounds.network_box(network, np.ones(9), [0.5, 1.0], "fused")
    assert_close(old, bounds.box(network, np.ones(9), [0.5, 1.0], "fused"), 0, 0)
    layer = CfC(2, 3, seed=0)
    with pytest.warns(DeprecationWarning, match=r"bounds\.box"):
        assert_close(layer.box(0.5), bounds.box(layer, timespans=0.5), 0, 0)
    with pytest.warns(DeprecationWarning, match=r"bounds\.lipschitz"):
        assert layer.lipschitz(0.5, "euclidean") == bounds.lipschitz(layer, 0.5, "euclidean")


def test_options_of_the_other_kind_of_network_are_refused():
    layer, (_, network) = CfC(2, 3, seed=0), drawn(0)
    for argument, value in (("hx", np.zeros(3)), ("t", 1.0), ("form", "ode")):
        bad.refuses(bounds.box, argument, value, model=layer)
    bad.refuses(bounds.box, "timespans", 0.5, model=network)
    for value in (bad.NOT_NUMBERS, -1.0, []):
        bad.refuses(bounds.lipschitz, "timespans", value, model=layer)
    bad.refuses(bounds.lipschitz, "model", CfC(2, 3, mixed_memory=True, seed=0))
    bad.refuses(bounds.tube, "model", LSTM(2, 3, seed=0), input_low=0, input_high=1, t=1.0)
