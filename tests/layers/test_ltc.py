"""LTC and NeuralLTC: against the oracle and differences, in every layout, as streams; positivity; what they refuse."""

import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cfc_ref import LTC, NeuralLTC, load, save, wirings
from tests import bad, naive_ltc
from tests.compare import assert_close, refusal
from tests.differences import assert_gradient
from tests.layers.ltc_layers import CONFIGS, FEW, FIXED, KINDS, Config, cases, make, oracle_of, twin
from tests.layers.strategies import arrays_of, assert_same, cotangents, inputs_for, map_state, parts, run
from tests.layers.test_gradients import assert_gradients
from tests.layers.test_layouts import only_real, sample, stacked

TOLERANCE = {"float64": 1e-12, "float32": 2e-5}  # relative to max(1, |value|)
SCIPY = [Config(kind, "scipy", structure) for kind in KINDS for structure in ("dense", "ncp", "memory")]
both = pytest.mark.parametrize("kind", KINDS.values())


# --- values and gradients


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_outputs_states_and_traces_are_those_of_the_oracle(config, dtype):
    def close(got, ref):
        assert_close(got, ref, TOLERANCE[dtype] / 2, TOLERANCE[dtype] / 2, layer.dtype)

    layer = make(config, dtype)
    inputs = inputs_for(layer, config.rng)
    output, hx = layer(*inputs)
    trace = layer.trace(*inputs)
    weights = {key: array.tolist() for key, array in layer.state_dict().items()}
    for b in range(len(inputs.x)):
        h, c = [*(part[b].tolist() for part in parts(inputs.hx)), None][:2]
        sample_b = inputs.x[b].tolist(), h, c, inputs.timespans[b].tolist()
        outputs, *state, steps = naive_ltc.sequence(oracle_of(config, layer), weights, *sample_b)
        close(output[b], outputs)
        for got, ref in zip(parts(hx), state, strict=False):
            close(got[b], ref)
        assert trace.keys() == steps[0].keys()
        for name in steps[0]:
            close(trace[name][b], [step[name] for step in steps])


@pytest.mark.parametrize("config", FEW, ids=str)
def test_every_entry_of_every_gradient(config):
    layer = make(config)
    assert_gradients(layer, inputs_for(layer, config.rng, B=2, T=2), config.rng)


@given(cases(masked=True, shapes=st.just((2, 2)), return_sequences=st.booleans()), st.sampled_from([0, 1, 2]))
@settings(max_examples=8)
def test_gradients_whatever_the_mask_and_the_shape_of_timespans(case, axes):
    layer, inputs, rng = case
    assert_gradients(layer, inputs._replace(timespans=np.array(inputs.timespans[(0,) * (2 - axes)])), rng)


@pytest.mark.parametrize("config", CONFIGS[::7], ids=str)
def test_a_time_of_0_holds_the_state_and_has_a_finite_gradient(config):
    layer = make(config)
    inputs = inputs_for(layer, config.rng)
    inputs.timespans[:, 1] = 0
    if not layer.mixed_memory:  # an LSTM's state moves without time
        states = layer.trace(*inputs)["state"]
        assert_close(states[:, 1], states[:, 0], 0, 0)
    outcome = run(layer, inputs, *cotangents(layer, inputs, config.rng))
    assert all(np.isfinite(array).all() for array in arrays_of(outcome).values())


# --- layouts


@given(cases(masked=True, return_sequences=st.booleans()))
@settings(max_examples=60)
def test_a_batch_is_its_samples(case):
    layer, inputs, rng = case
    d_output, d_hx = cotangents(layer, inputs, rng)
    each = [
        run(layer, sample(inputs, b), d_output[b], map_state(lambda part, b=b: part[b], d_hx))
        for b in range(len(inputs.x))
    ]
    assert_same(run(layer, inputs, d_output, d_hx), stacked(each))


@given(cases(masked=True))
@settings(max_examples=60)
def test_masked_steps_might_as_well_not_be_there(case):
    layer, inputs, rng = case
    real = inputs.mask
    d_output, d_hx = cotangents(layer, inputs, rng)
    d_output[~real] = 0
    each = [
        run(layer, only_real(inputs, b), d_output[b, real[b]], map_state(lambda part, b=b: part[b], d_hx))
        for b in range(len(real))
    ]
    inputs.x[~real], inputs.timespans[~real] = np.nan, np.nan
    got = run(layer, inputs, d_output, d_hx)
    for b, one in enumerate(each):
        assert_close(got.output[b, real[b]], one.output)
        assert_close(got.gradients.x[b, real[b]], one.gradients.x)
        assert_close(got.gradients.timespans[b, real[b]], one.gradients.timespans)
        for whole, own in ((got.hx, one.hx), (got.gradients.hx, one.gradients.hx)):
            for part, ref in zip(parts(whole), parts(own), strict=True):
                assert_close(part[b], ref)
    for key, gradient in got.gradients.parameters.items():
        assert_close(gradient, sum(one.gradients.parameters[key] for one in each))
    assert not got.gradients.x[~real].any()
    assert not got.gradients.timespans[~real].any()


@given(cases())
@settings(max_examples=30)
def test_time_first_and_the_last_output_alone(case):
    layer, (x, hx, timespans, _), _ = case
    output, last = layer(x, hx, timespans)
    late = twin(layer, batch_first=False)
    assert_close(late(x.swapaxes(0, 1), hx, timespans.T)[0], output.swapaxes(0, 1), 0, 0)
    alone = twin(layer, return_sequences=False)
    assert_close(alone(x, hx, timespans)[0], output[:, -1])
    for part, ref in zip(parts(alone(x, hx, timespans)[1]), parts(last), strict=True):
        assert_close(part, ref, 0, 0)


@given(cases())
@settings(max_examples=30)
def test_a_stream_is_the_sequence(case):
    layer, inputs, _ = case
    outputs, last = layer(*sample(inputs, 0)[:3])
    stepper = layer.stepper()
    stepper.state = map_state(lambda part: part[0], inputs.hx)
    for k, (x, t) in enumerate(zip(inputs.x[0], inputs.timespans[0], strict=True)):
        assert_close(stepper(x, t), outputs[k], 1e-13, 1e-13)
    for part, ref in zip(parts(stepper.state), parts(last), strict=True):
        assert_close(part, ref, 1e-13, 1e-13)


@given(cases(masked=True))
@settings(max_examples=20)
def test_a_tape_is_good_for_two_whatever_was_written_since(case):
    layer, inputs, rng = case
    d = cotangents(layer, inputs, rng)
    ref = run(layer, inputs, *d)
    output, hx, tape = layer.forward(*inputs)
    for _ in range(2):
        assert_same(ref._replace(gradients=layer.backward(tape, *d)), ref, 0)
        for array in (inputs.x, *parts(inputs.hx), inputs.timespans, output, *parts(hx), *layer.parameters.values()):
            array[...] = np.nan


@pytest.mark.parametrize("config", CONFIGS[::11], ids=str)
@pytest.mark.parametrize(("B", "T"), [(2, 0), (0, 2), (0, 0)])
def test_no_steps_and_no_samples(config, B, T):
    layer = make(config)
    inputs = inputs_for(layer, config.rng, B, T)
    got = run(layer, inputs, *cotangents(layer, inputs, config.rng))
    assert got.output.shape == (B, T, layer.output_size)
    assert got.gradients.x.shape == (B, T, 2)
    assert not any(gradient.any() for gradient in got.gradients.parameters.values())


@pytest.mark.parametrize("config", CONFIGS[::5], ids=str)
def test_configuration_file_and_representation(config, tmp_path):
    layer = make(config, "float32")
    save(tmp_path / "model.npz", layer)
    same = load(tmp_path / "model.npz", backend=layer.backend)
    assert type(same) is type(layer)
    assert same.config == layer.config
    x = config.rng.normal(size=(2, 3, 2))
    assert_close(same(x)[0], layer(x)[0], 0, 0)
    assert repr(same).startswith(f"{config.kind}(2 inputs, ")
    assert f"solver {config.solver!r} x {layer.ode_unfolds}" in repr(layer)
    assert ("explicit" in repr(layer)) == (not layer.implicit_param_constraints)


# --- weights


def test_the_names_and_shapes_of_ncps():
    layer = LTC(3, wirings.NCP(2, 2, 1, 2, 2, 2, 2), mixed_memory=True, proj_size=4)
    cell = {
        "gleak": (5,),
        "vleak": (5,),
        "cm": (5,),
        "input_w": (3,),
        "input_b": (3,),
        "output_w": (1,),
        "output_b": (1,),
    }
    for name in ("w", "sigma", "mu", "erev", "sparsity_mask"):
        cell |= {name: (5, 5), f"sensory_{name}": (3, 5)}
    lstm = {"input_map.weight": (20, 3), "input_map.bias": (20,), "recurrent_map.weight": (20, 5)}
    assert {key: array.shape for key, array in layer.state_dict().items()} == {
        **{f"rnn_cell.{name}": shape for name, shape in cell.items()},
        **{f"lstm.{name}": shape for name, shape in lstm.items()},
        "fc.weight": (4, 1),
        "fc.bias": (4,),
    }
    assert layer.state_dict().keys() - layer.parameters.keys() == {
        "rnn_cell.sparsity_mask",
        "rnn_cell.sensory_sparsity_mask",
    }


def test_fresh_weights_are_in_ncpss_ranges_and_follow_the_seed():
    wiring = wirings.Random(30, sparsity_level=0.5)
    weights = LTC(20, wiring, seed=3, dtype="float64").state_dict()
    ranges = {"gleak": (0.001, 1), "vleak": (-0.2, 0.2), "cm": (0.4, 0.6)}
    for prefix in ("", "sensory_"):
        ranges |= {f"{prefix}w": (0.001, 1), f"{prefix}sigma": (3, 8), f"{prefix}mu": (0.3, 0.8)}
    for name, (low, high) in ranges.items():
        array, width = weights[f"rnn_cell.{name}"], high - low
        assert low <= array.min() < low + width / 4
        assert high - width / 4 < array.max() <= high
    built = wiring.build(20)
    assert_close(weights["rnn_cell.erev"], built.adjacency_matrix, 0, 0)
    assert_close(weights["rnn_cell.sensory_erev"], built.sensory_adjacency_matrix, 0, 0)
    for name, value in (("input_w", 1), ("input_b", 0), ("output_w", 1), ("output_b", 0)):
        assert (weights[f"rnn_cell.{name}"] == value).all()
    again = LTC(20, wiring, seed=3, dtype="float64").state_dict()
    other = LTC(20, wiring, seed=4, dtype="float64").state_dict()
    assert all(np.array_equal(weights[key], again[key]) for key in weights)
    assert not np.array_equal(weights["rnn_cell.w"], other["rnn_cell.w"])


def test_fresh_weights_of_the_neural_form():
    for implicit in (True, False):
        layer = NeuralLTC(3, 50, implicit_param_constraints=implicit, seed=0, dtype="float64")
        weights = layer.state_dict()
        assert not weights["rnn_cell.f.bias"].any()
        assert 0.9 < np.abs(weights["rnn_cell.A"]).max() <= 1
        release = layer.trace(np.ones((1, 3)))
        assert_close(1 / release["time_constant"] - release["release"], np.ones((1, 50)))  # w_tau


def test_an_int_is_a_fully_connected_wiring_and_counts_are_those_of_the_wiring():
    layer = LTC(3, 4, seed=0)
    assert layer.wiring == wirings.FullyConnected(4).build(3)
    assert (layer.synapse_count, layer.sensory_synapse_count) == (16, 12)
    wired = LTC(3, wirings.NCP(3, 2, 1, 2, 2, 2, 1))
    assert (wired.synapse_count, wired.sensory_synapse_count) == (
        wired.wiring.synapse_count,
        wired.wiring.sensory_synapse_count,
    )
    assert (wired.state_size, wired.output_size) == (6, 1)
    assert (NeuralLTC(3, 4).synapse_count, NeuralLTC(3, wired.wiring).synapse_count) == (16, wired.synapse_count)


@both
def test_masked_weights_change_nothing_and_get_no_gradient(kind):
    layer = kind(3, wirings.NCP(3, 2, 1, 2, 2, 2, 1), seed=0, dtype="float64")
    x = np.random.default_rng(0).normal(size=(2, 4, 3))
    before, (output, _, tape) = layer(x)[0], layer.forward(x)
    g = layer.backward(tape, np.ones_like(output)).parameters
    masks = {"rnn_cell.w": "rnn_cell.sparsity_mask", "rnn_cell.sensory_w": "rnn_cell.sensory_sparsity_mask"}
    if kind is NeuralLTC:
        masks = {"rnn_cell.f.weight": "rnn_cell.sparsity_mask"}
    for key, mask in masks.items():
        absent = layer.state_dict()[mask] == 0
        assert absent.any()
        assert not g[key][absent].any()
        layer.parameters[key][absent] = 5.0
    assert_close(layer(x)[0], before, 0, 0)


# --- positive weights


def explicit(kind, units=3):
    return kind(2, units, implicit_param_constraints=False, seed=0, dtype="float64")


POSITIVE = {
    LTC: ("rnn_cell.w", "rnn_cell.sensory_w", "rnn_cell.cm", "rnn_cell.gleak"),
    NeuralLTC: ("rnn_cell.w_tau",),
}
POSITIVE_KEYS = [(kind, key) for kind, keys in POSITIVE.items() for key in keys]


@pytest.mark.parametrize("value", [-1e-9, -3.0, math.nan])
@pytest.mark.parametrize(("kind", "key"), POSITIVE_KEYS)
def test_explicit_weights_below_0_are_refused_at_use_with_the_advice_to_project(kind, key, value):
    layer = explicit(kind)
    layer.parameters[key].flat[-1] = value
    for use in (layer, layer.forward, layer.trace, layer.solve, lambda x: layer.stepper()):
        with pytest.raises(ValueError, match=refusal(f"parameters[{key!r}]")) as refused:
            use(np.ones((1, 2)))
        assert "project()" in str(refused.value)


@pytest.mark.parametrize(("kind", "key"), POSITIVE_KEYS)
def test_explicit_weights_below_0_are_refused_at_load_and_nothing_changes(kind, key):
    layer, other = explicit(kind), explicit(kind)
    before, weights = layer.state_dict(), other.state_dict()
    for array in weights.values():
        array += 0.25 * (array != 1)
    weights[key].flat[0] = -0.5
    weights.update({name: array for name, array in before.items() if name.endswith("mask")})
    with pytest.raises(ValueError, match=refusal(f"state_dict[{key!r}]")) as refused:
        layer.load_state_dict(weights)
    assert "project" in str(refused.value)
    assert all(np.array_equal(array, before[name]) for name, array in layer.state_dict().items())


@both
def test_projection_clips_in_place_what_has_to_be_positive_and_nothing_else(kind):
    layer = explicit(kind)
    live = layer.parameters
    for array in live.values():
        array[...] = np.linspace(-1, 1, array.size).reshape(array.shape)
    before = layer.state_dict()
    layer.project()
    for key, array in live.items():
        ref = np.maximum(before[key], 0) if key in POSITIVE[kind] else before[key]
        assert_close(layer.parameters[key], ref, 0, 0)
        assert layer.parameters[key] is array
    assert np.isfinite(layer(np.ones((3, 2)), timespans=[0.0, 1.0, 1e6])[0]).all()  # also with cm = gleak = 0


def test_ncpss_name_of_the_projection():
    layer = explicit(LTC)
    layer.parameters["rnn_cell.w"][...] = -1
    layer.apply_weight_constraints()
    assert not layer.parameters["rnn_cell.w"].any()


@both
def test_implicit_weights_may_have_any_sign_and_are_not_projected(kind):
    layer = kind(2, 3, seed=0, dtype="float64")
    for array in layer.parameters.values():
        array -= 2
    before = layer.state_dict()
    layer.project()
    assert all(np.array_equal(array, before[key]) for key, array in layer.state_dict().items())
    assert np.isfinite(layer(np.ones((3, 2)))[0]).all()


def test_an_absent_synapse_may_have_a_weight_below_0():
    layer = explicit(LTC, wirings.NCP(2, 2, 1, 1, 1, 1, 1))
    weights = layer.state_dict()
    weights["rnn_cell.w"][weights["rnn_cell.sparsity_mask"] == 0] = -1
    layer.load_state_dict(weights)
    assert np.isfinite(layer(np.ones((3, 2)))[0]).all()


@both
@pytest.mark.parametrize("implicit", [True, False])
@pytest.mark.parametrize("solver", ["fused", "frozen", "frozen_midpoint", "cf4"])
def test_weights_inputs_and_times_up_to_1e6_give_finite_results(kind, implicit, solver):
    rng = np.random.default_rng(0)
    for _ in range(20):
        layer = kind(2, 3, implicit_param_constraints=implicit, solver=solver, dtype="float64", seed=0)
        for array in layer.parameters.values():
            array[...] = rng.choice([-1e6, -1.0, 0.0, 1e-6, 1e6], array.shape)
        layer.project()
        arguments = rng.choice([-1e6, 0, 1e6], (2, 3, 2)), rng.choice([-1e6, 0, 1e6], (2, 3))
        output, hx, tape = layer.forward(*arguments, rng.choice([0, 1e-6, 1, 1e6], (2, 3)))
        g = layer.backward(tape, np.ones_like(output))
        for array in (output, hx, g.x, g.hx, g.timespans, *g.parameters.values()):
            assert np.isfinite(array).all()


@pytest.mark.parametrize("backend", ["numpy", "numba"])
@pytest.mark.parametrize("solver", ["frozen", "frozen_midpoint"])
def test_steps_so_long_that_their_foldings_overflow_have_finite_gradients(solver, backend):
    layer = LTC(2, 3, solver=solver, backend=backend, seed=0)
    rng = np.random.default_rng(0)
    for array in layer.parameters.values():
        array[...] = rng.choice([-100, 100], array.shape)
    output, _, tape = layer.forward(np.ones((4, 2)), timespans=1e30)
    g = layer.backward(tape, np.ones_like(output))
    assert all(np.isfinite(array).all() for array in (output, g.x, g.hx, *g.parameters.values()))


# --- the ODE itself


@pytest.mark.parametrize("solver", FIXED)
@both
def test_every_solver_comes_to_the_solution(kind, solver):
    layer = kind(3, wirings.NCP(3, 2, 1, 2, 2, 2, 1), solver=solver, ode_unfolds=400, seed=0, dtype="float64")
    rng = np.random.default_rng(0)
    arguments = rng.normal(size=(2, 4, 3)), rng.normal(size=(2, 6)), rng.uniform(0, 2, (2, 4))
    states = layer.solve(*arguments)
    assert states.dtype == np.float64
    worst = np.abs(layer.trace(*arguments)["state"] - states).max()
    assert worst < {"rk4": 1e-7, "frozen_midpoint": 1e-4}.get(solver, 2e-2)


@pytest.mark.parametrize("config", SCIPY, ids=str)
def test_a_layer_of_scipy_gives_the_solution_whatever_the_layout(config):
    layer = make(config)
    x, hx, timespans, _ = inputs_for(layer, config.rng, 2, 3)
    states = twin(layer, solver="rk4", ode_unfolds=6).solve(x, hx, timespans)
    assert_close(layer.trace(x, hx, timespans)["state"], states, 0, 1e-9)
    late = twin(layer, batch_first=False)
    assert_close(late.solve(x.swapaxes(0, 1), hx, timespans.T), states.swapaxes(0, 1), 0, 1e-9)
    first = map_state(lambda part: part[0], hx)
    assert_close(layer.solve(x[0], first, timespans[0]), states[0], 0, 1e-9)
    stepper = layer.stepper()
    stepper.state = first
    for k in range(3):
        assert_close(stepper(x[0, k], timespans[0, k]), layer(x[0], first, timespans[0])[0][k], 0, 1e-9)
    assert layer.solve(x[:, :0], hx).shape == (2, 0, layer.state_size)


@both
def test_a_line_between_samples_is_many_held_pieces_of_it(kind):
    layer = kind(1, 4, seed=0, dtype="float64")
    x, dt = np.array([[0.3], [1.5], [-1.0]]), np.array([0.5, 1.0, 0.7])
    got, n = layer.solve(x, timespans=dt, between="linear"), 400
    middles = (np.arange(n) + 0.5) / n
    pieces = [x[:1] + 0 * middles[:, None]]
    pieces += [x[k] + middles[:, None] * (x[k + 1] - x[k]) for k in range(2)]
    fine = twin(layer, solver="rk4", ode_unfolds=1)
    states = fine.trace(np.concatenate(pieces), timespans=np.repeat(dt / n, n))["state"]
    assert_close(got, states[n - 1 :: n], 0, 1e-5)
    assert np.abs(got - layer.solve(x, timespans=dt)).max() > 1e-3  # not the held input's


def test_a_float32_layer_is_solved_in_float64():
    layer = LTC(2, 3, seed=0)
    x = np.random.default_rng(0).normal(size=(4, 2)).astype(np.float32)
    double = LTC(2, 3, dtype="float64")
    double.load_state_dict(layer.state_dict())
    assert_close(layer.solve(x), double.solve(x), 0, 1e-6, np.float64)  # but for softplus in float32
    single = twin(layer, solver="scipy")
    assert_close(single.trace(x)["state"], double.solve(x), 0, 1e-6, np.float32)


@pytest.mark.parametrize("config", SCIPY, ids=str)
def test_the_adjoint_is_the_gradient_of_the_solution(config):
    layer = make(config)
    inputs = inputs_for(layer, config.rng, 2, 3)
    inputs = inputs._replace(mask=np.array([[True, False, True], [True, True, True]]))
    d_output, d_hx = cotangents(layer, inputs, config.rng)
    _, _, tape = layer.forward(*inputs)
    got = layer.adjoint(tape, d_output, d_hx)
    fine = twin(layer, solver="rk4", ode_unfolds=60)
    ref = run(fine, inputs, d_output, d_hx)
    assert_same(ref._replace(gradients=got), ref, 1e-6)
    back = layer.adjoint(tape, d_output, d_hx, reverse_state=True)  # mild neurons: nothing is lost yet
    assert_same(ref._replace(gradients=back), ref, 1e-5)

    def loss():
        output, hx = layer(*inputs)
        return np.sum(output * d_output) + sum(np.sum(a * d) for a, d in zip(parts(hx), parts(d_hx), strict=True))

    assert_gradient(got.timespans, loss, inputs.timespans, 1e-4)


def test_scipy_has_no_backprop_and_the_others_no_adjoint():
    layer = LTC(2, 3, solver="scipy", seed=0)
    output, _, tape = layer.forward(np.ones((2, 2)))
    with pytest.raises(ValueError, match=refusal("solver")) as refused:
        layer.backward(tape, output)
    assert "adjoint" in str(refused.value)
    fused = LTC(2, 3, seed=0)
    output, _, tape = fused.forward(np.ones((2, 2)))
    bad.refuses(lambda solver: fused.adjoint(tape, output), "solver", None)
    bad.refuses(lambda reverse_state: layer.adjoint(tape, output, reverse_state=reverse_state), "reverse_state", 1)
    bad.refuses(lambda tape: layer.adjoint(tape, output), "tape", tape)


# --- stability


@pytest.mark.parametrize("solver", ["euler", "rk4"])
def test_an_explicit_solver_that_leaves_its_stability_region_says_so_once_with_the_step_it_needs(solver):
    def fast(unfolds):
        layer = LTC(2, 3, solver=solver, ode_unfolds=unfolds, implicit_param_constraints=False, seed=0)
        layer.parameters["rnn_cell.gleak"][...] = 20
        layer.parameters["rnn_cell.cm"][...] = 0.5
        return layer

    layer = fast(6)
    with pytest.warns(
        RuntimeWarning, match=rf"solver '{solver}' has left its stability region: .* steps of at most"
    ) as w:
        layer(np.ones((2, 2)))
    assert len(w) == 1
    layer(np.ones((2, 2)))  # silent: warnings are errors
    layer.stepper()(np.ones(2))
    layer.trace(np.ones((2, 2)))
    enough = int(str(w[0].message).partition("ode_unfolds=")[2].partition(" ")[0])
    assert 14 <= enough <= 60
    fast(2 * enough)(np.ones((2, 2)))
    with pytest.warns(RuntimeWarning):
        fast(enough * 2 // 3)(np.ones((2, 2)))


@pytest.mark.parametrize("solver", ["fused", "frozen", "frozen_midpoint", "cf4", "scipy"])
def test_the_others_have_nothing_to_say(solver):
    layer = LTC(2, 3, solver=solver, implicit_param_constraints=False, seed=0, dtype="float64")
    layer.parameters["rnn_cell.gleak"][...] = 1e3
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isfinite(layer(np.ones((2, 2)))[0]).all()


def test_a_masked_step_has_no_length_that_could_be_too_long():
    layer = LTC(2, 3, solver="euler", implicit_param_constraints=False, seed=0)
    layer.parameters["rnn_cell.gleak"][...] = 20
    layer(np.ones((3, 2)), timespans=[0.05, 9.0, 0.05], mask=[True, False, True])
    layer(np.ones((3, 2)), mask=[False, False, False])


# --- what they refuse

WIRING = wirings.NCP(3, 2, 1, 2, 2, 2, 2)
FLAGS = (*(v for v in bad.NOT_NUMBERS if not isinstance(v, bool)), 0, 1, 1.0, "True")
COUNTS = (*bad.NUMBERS, -1, 0, 1.0, 2.5, "3", [3])
NEW = {
    "input_size": COUNTS,
    "units": (*COUNTS, wirings.Wiring, np.float64(3), wirings.NCP(3, 2, 1, 2, 2, 2, 2).build(5)),
    "return_sequences": FLAGS,
    "batch_first": FLAGS,
    "mixed_memory": FLAGS,
    "input_mapping": ("", "Affine", 1, True, b"affine", ["affine"]),
    "output_mapping": ("", "Affine", 1, True, b"affine", ["affine"]),
    "ode_unfolds": COUNTS,
    "epsilon": (*bad.NUMBERS, -1e-8, [1e-8]),
    "implicit_param_constraints": FLAGS,
    "dtype": ("float16", "int64", None, int, "nonsense", ...),
    "seed": (-1, 1.0, True, "1", [1]),
    "backend": (*bad.CHOICES, "torch"),
    "solver": (*bad.CHOICES, "ode45", "Fused", "DOP853"),
    "proj_size": (*(v for v in COUNTS if v is not None),),
}


@pytest.mark.parametrize(
    ("argument", "value"),
    [pytest.param(name, value, id=f"{name}-{value!r:.30}") for name, values in NEW.items() for value in values],
)
def test_bad_arguments_of_the_constructor(argument, value):
    named = "input_size" if argument == "units" and isinstance(value, wirings.Wiring) else argument
    bad.refuses(LTC, argument, value, named=named, input_size=2, units=3)
    if argument not in ("input_mapping", "output_mapping", "epsilon"):
        bad.refuses(NeuralLTC, argument, value, named=named, input_size=2, units=3)
    if argument != "units":
        bad.refuses(LTC, argument, value, input_size=2, units=WIRING)


@both
def test_unfoldings_that_scipy_would_not_use_are_refused(kind):
    bad.refuses(kind, "ode_unfolds", 3, input_size=2, units=3, solver="scipy")


def test_a_layer_keeps_the_solver_that_it_was_made_with():
    layer = LTC(2, 3, seed=0)
    for name, value in (("solver", "cf4"), ("step", 0.1), ("ode_unfolds", 2), ("epsilon", 1.0)):
        with pytest.raises(ValueError, match=refusal(name)):
            setattr(layer, name, value)
    layer.backend, layer.return_sequences = "numpy", False
    assert layer.config == {**LTC(2, 3).config, "return_sequences": False}
    with pytest.raises(TypeError, match="pass ode_unfolds or step"):
        LTC(2, 3, ode_unfolds=None)


CALLS = {
    "x": (
        *bad.NUMBERS,
        np.ones((4, 3)),
        np.ones(2),
        np.ones((1, 4, 3)),
        np.full((4, 2), np.nan),
        np.full((4, 2), 1e39),
    ),
    "hx": (*(v for v in bad.NUMBERS if v is not None), np.ones(4), np.ones((2, 3)), (np.ones(3), np.ones(3))),
    "timespans": (*(v for v in bad.TIMES if v is not None), np.ones(3), np.ones((4, 2)), [1.0, 1.0, 1.0, -1.0]),
}


@pytest.mark.parametrize(
    ("argument", "value"),
    [pytest.param(name, value, id=f"{name}-{value!r:.30}") for name, values in CALLS.items() for value in values],
)
@both
def test_bad_arguments_of_a_call(kind, argument, value):
    layer = kind(2, 3, seed=0)
    for call in (layer, layer.forward, layer.trace, layer.solve):
        bad.refuses(call, argument, value, **{"x": np.ones((4, 2))} if argument != "x" else {})
    mixed = kind(2, 3, mixed_memory=True)
    if argument == "hx":
        bad.refuses(mixed, "hx", np.ones(3), x=np.ones((4, 2)))


@pytest.mark.parametrize(
    ("argument", "values"),
    [
        ("between", (*bad.CHOICES, "spline")),
        ("method", (*bad.CHOICES, "Euler")),
        ("rtol", (*bad.NUMBERS, 0.0, -1.0, [1e-8])),
        ("atol", (*bad.NUMBERS, 0.0, -1.0, [1e-8])),
    ],
)
def test_bad_options_of_the_solution(argument, values):
    layer = LTC(2, 3, seed=0)
    for value in values:
        bad.refuses(layer.solve, argument, value, x=np.ones((2, 2)))


def test_weights_of_another_wiring_are_refused():
    layer, other = LTC(2, WIRING), LTC(2, 6)
    with pytest.raises(ValueError, match=refusal("state_dict['rnn_cell.sparsity_mask']")):
        layer.load_state_dict({**other.state_dict(), "rnn_cell.output_w": np.ones(1), "rnn_cell.output_b": np.ones(1)})
