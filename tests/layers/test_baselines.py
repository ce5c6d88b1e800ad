"""LSTM and CTRNN: against loops, PyTorch and differences, in every layout, as streams; what they refuse."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cfc_ref import CTRNN, LSTM, fit, load, save, to_ncps_state_dict, wirings
from tests import bad, naive
from tests.compare import assert_close, refusal
from tests.layers.strategies import arrays_of, assert_same, cotangents, inputs_for, map_state, parts, run
from tests.layers.test_gradients import assert_gradients
from tests.layers.test_layouts import only_real, sample, stacked

FEATURES = 2
TOLERANCE = {"float64": 1e-12, "float32": 5e-6}
LAYERS: dict[str, tuple[Any, dict[str, Any]]] = {
    "lstm": (LSTM, {"units": 3}),
    "lstm projected": (LSTM, {"units": 2, "proj_size": 3, "forget_bias": -0.3}),
    "plain lstm": (LSTM, {"units": 3, "timed": False, "proj_size": 1}),
    "ctrnn": (CTRNN, {"units": 3}),
    "ctrnn projected": (CTRNN, {"units": 2, "proj_size": 3, "tau": 0.7, "solver": "euler", "ode_unfolds": 4}),
    "ctrnn fused": (CTRNN, {"units": 3, "tau": 2.5, "solver": "fused", "ode_unfolds": 2}),
}
SHAPES = [(1, 1), (2, 2), (3, 3), (1, 4), (2, 3), (3, 1)]
every = pytest.mark.parametrize("name", LAYERS)
both = pytest.mark.parametrize("kind", [LSTM, CTRNN])


def make(name, dtype="float64", **others):
    """A layer of the table with weights that leave nothing at 0."""
    kind, options = LAYERS[name]
    layer = kind(FEATURES, **{**options, **others}, dtype=dtype, seed=0)
    rng = np.random.default_rng(len(name))
    for array in layer.parameters.values():
        array[...] = rng.choice([-1.0, 1.0], array.shape) * rng.uniform(0.2, 1.0, array.shape)
    return layer


def twin(layer, **options):
    other = type(layer)(units=layer.state_size, **{**layer.config, **options})
    other.load_state_dict(layer.state_dict())
    return other


def inputs_of(layer, rng, B=2, T=3):
    inputs = inputs_for(layer, rng, B, T)
    return inputs if layer.timed else inputs._replace(timespans=None)


@st.composite
def cases(draw, masked=False, timed=False, **options):
    """A layer, a batch for it, and a generator for more; options are strategies."""
    names = [name for name in LAYERS if not timed or LAYERS[name][1].get("timed", True)]
    layer = make(draw(st.sampled_from(names)), **{name: draw(option) for name, option in options.items()})
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    B, T = draw(st.sampled_from(SHAPES))
    inputs = inputs_of(layer, rng, B, T)
    if masked:
        inputs = inputs._replace(mask=rng.random((B, T)) < draw(st.sampled_from([0.5, 0.8])) * (rng.random() < 0.9))
    return layer, inputs, rng


# --- values and gradients


def lstm_by_loops(layer, x, state, timespans):
    """The states of one sample, one number at a time."""
    h, c = (part.tolist() for part in state)
    weights = {key.replace("rnn_cell", "lstm"): array.tolist() for key, array in layer.state_dict().items()}
    states = []
    for k, x_k in enumerate(x.tolist()):
        h, c = naive.lstm(weights, x_k + ([timespans[k]] if layer.timed else []), h, c, layer.forget_bias)
        states.append(h)
    return states, (h, c)


def ctrnn_by_loops(layer, x, state, timespans):
    W, b, R, s = (layer.state_dict()[f"rnn_cell.{name}"].tolist() for name in CTRNN_NAMES)
    h, states = state.tolist(), []

    def slope(I, h):
        sums = [
            b_i + sum(w * v for w, v in zip(W_i, I, strict=True)) + sum(r * v for r, v in zip(R_i, h, strict=True))
            for W_i, b_i, R_i in zip(W, b, R, strict=True)
        ]
        return [s_i * math.tanh(z) - h_i / layer.tau for s_i, z, h_i in zip(s, sums, h, strict=True)]

    def moved(h, step, slopes):
        return [h_i + step * v for h_i, v in zip(h, slopes, strict=True)]

    for I, t in zip(x.tolist(), timespans.tolist(), strict=True):
        step = t / layer.ode_unfolds
        for _ in range(layer.ode_unfolds):
            k1 = slope(I, h)
            if layer.solver == "euler":
                h = moved(h, step, k1)
            elif layer.solver == "fused":  # the leak at the part's end: x⁺ = (x + h s tanh) / (1 + h/τ)
                h = [(v + step * (k + v / layer.tau)) / (1 + step / layer.tau) for v, k in zip(h, k1, strict=True)]
            else:
                k2 = slope(I, moved(h, step / 2, k1))
                k3 = slope(I, moved(h, step / 2, k2))
                k4 = slope(I, moved(h, step, k3))
                whole = [(p + 2 * q + 2 * r + v) / 6 for p, q, r, v in zip(k1, k2, k3, k4, strict=True)]
                h = moved(h, step, whole)
        states.append(h)
    return states, (h,)


CTRNN_NAMES = ("input_map.weight", "input_map.bias", "recurrent_map.weight", "scale")
BY_LOOPS = {LSTM: lstm_by_loops, CTRNN: ctrnn_by_loops}


@pytest.mark.parametrize("dtype", TOLERANCE)
@every
def test_states_and_outputs_are_those_of_plain_loops(name, dtype):
    layer = make(name, dtype)
    inputs = inputs_of(layer, np.random.default_rng(1))
    output, last = layer(*inputs)
    trace = layer.trace(*inputs)
    for b in range(2):
        one = sample(inputs, b) if layer.timed else sample(inputs._replace(timespans=np.ones((2, 3))), b)
        states, end = BY_LOOPS[type(layer)](layer, one.x, one.hx, one.timespans)
        y = np.array(states)
        if layer.proj_size is not None:
            y = y @ layer.state_dict()["fc.weight"].T.astype(float) + layer.state_dict()["fc.bias"]
        assert_close(output[b], y, TOLERANCE[dtype], TOLERANCE[dtype], layer.dtype)
        assert_close(trace["state"][b], states, TOLERANCE[dtype], TOLERANCE[dtype], layer.dtype)
        for part, ref in zip(parts(last), end, strict=True):
            assert_close(part[b], ref, TOLERANCE[dtype], TOLERANCE[dtype], layer.dtype)


@every
def test_every_entry_of_every_gradient(name):
    layer, rng = make(name), np.random.default_rng(2)
    assert_gradients(layer, inputs_of(layer, rng), rng)


@given(cases(masked=True, return_sequences=st.booleans()), st.sampled_from([0, 1, 2]))
@settings(max_examples=10)
def test_gradients_whatever_the_mask_and_the_shape_of_timespans(case, axes):
    layer, inputs, rng = case
    if layer.timed:
        inputs = inputs._replace(timespans=np.array(inputs.timespans[(0,) * (2 - axes)]))
    assert_gradients(layer, inputs, rng)


# --- PyTorch


def with_torch(layer, inputs, d_output, d_hx, forward):
    """Values and gradients of a layer by PyTorch's autograd, by the names of :func:`arrays_of`."""
    torch = pytest.importorskip("torch")

    def leaf(array):
        return torch.tensor(array, requires_grad=True)

    weights = {key: leaf(array) for key, array in layer.parameters.items()}
    x, state = leaf(inputs.x), [leaf(part) for part in parts(inputs.hx)]
    t = leaf(np.ones(x.shape[:2]) if inputs.timespans is None else inputs.timespans)
    states, last = forward(torch, weights, x, state, t[:, :, None])
    y = states if layer.proj_size is None else states @ weights["fc.weight"].T + weights["fc.bias"]
    loss = (y * torch.tensor(d_output)).sum()
    for part, d_part in zip(last, parts(d_hx), strict=True):
        loss = loss + (part * torch.tensor(d_part)).sum()
    loss.backward()
    got = {"output": y, "g.x": x.grad, **{key: weight.grad for key, weight in weights.items()}}
    for k, (part, first) in enumerate(zip(last, state, strict=True)):
        got |= {f"hx[{k}]": part, f"g.hx[{k}]": first.grad}
    if inputs.timespans is not None:
        got["g.timespans"] = t.grad
    return {key: array.detach().numpy() for key, array in got.items()}


def lstm_of_the_experiments(layer):
    """LSTMCell of mlech26l/ode-lstms, node_cell.py, which appends the elapsed time to the input."""

    def forward(torch, weights, x, state, t):
        h, c = state
        states = []
        for k in range(x.shape[1]):
            inputs = torch.cat([x[:, k], t[:, k]], dim=-1) if layer.timed else x[:, k]
            z = inputs @ weights["rnn_cell.input_map.weight"].T + h @ weights["rnn_cell.recurrent_map.weight"].T
            i, ig, fg, og = torch.split(z + weights["rnn_cell.input_map.bias"], layer.state_size, dim=-1)
            c = c * torch.sigmoid(fg + layer.forget_bias) + torch.tanh(i) * torch.sigmoid(ig)
            h = torch.tanh(c) * torch.sigmoid(og)
            states.append(h)
        return torch.stack(states, dim=1), (h, c)

    return forward


def ctrnn_of_the_experiments(layer):
    """CTRNNCell there, whose tau is a rate, with the methods "rk4" and "euler"."""

    def forward(torch, weights, x, state, t):
        W, b, R, scale = (weights[f"rnn_cell.{name}"] for name in CTRNN_NAMES)
        (h,), states = state, []

        def dfdt(I, h):
            return scale * torch.tanh(I @ W.T + h @ R.T + b) - h * (1 / layer.tau)

        for k in range(x.shape[1]):
            I, delta = x[:, k], t[:, k] / layer.ode_unfolds
            for _ in range(layer.ode_unfolds):
                k1 = dfdt(I, h)
                if layer.solver == "euler":
                    h = h + delta * k1
                    continue
                k2 = dfdt(I, h + k1 * delta * 0.5)
                k3 = dfdt(I, h + k2 * delta * 0.5)
                k4 = dfdt(I, h + k3 * delta)
                h = h + delta * (k1 + 2 * k2 + 2 * k3 + k4) / 6
            states.append(h)
        return torch.stack(states, dim=1), (h,)

    return forward


@pytest.mark.parametrize("name", [name for name in LAYERS if name != "ctrnn fused"])
def test_values_and_gradients_are_those_of_the_experiments_cells_on_pytorch(name):
    layer, rng = make(name), np.random.default_rng(3)
    inputs = inputs_of(layer, rng, 3, 5)
    d = cotangents(layer, inputs, rng)
    forward = {LSTM: lstm_of_the_experiments, CTRNN: ctrnn_of_the_experiments}[type(layer)](layer)
    ref = with_torch(layer, inputs, *d, forward)
    got = arrays_of(run(layer, inputs, *d))
    assert got.keys() == ref.keys()
    for key in ref:
        assert_close(got[key], ref[key], 1e-12, 1e-12)


@pytest.mark.parametrize("forget_bias", [1.0, 0.0])
def test_the_same_network_of_torch_nn_lstm_by_the_documented_rule(forget_bias):
    torch = pytest.importorskip("torch")
    layer, rng = make("lstm", units=4, forget_bias=forget_bias), np.random.default_rng(4)
    theirs = torch.nn.LSTM(FEATURES + 1, 4, batch_first=True, dtype=torch.float64)

    def turned(array):
        a, i, f, o = np.split(array, 4)
        return np.concatenate([i, f, a, o])

    weights = {name: layer.state_dict()[f"rnn_cell.{name}"] for name in CTRNN_NAMES[:3]}
    bias = turned(weights["input_map.bias"])
    bias[4:8] += forget_bias
    ours = {
        "weight_ih_l0": turned(weights["input_map.weight"]),
        "weight_hh_l0": turned(weights["recurrent_map.weight"]),
        "bias_ih_l0": bias,
        "bias_hh_l0": np.zeros(16),
    }
    theirs.load_state_dict({key: torch.tensor(array) for key, array in ours.items()})
    inputs = inputs_of(layer, rng, 3, 7)
    x = torch.tensor(np.concatenate([inputs.x, inputs.timespans[:, :, None]], axis=2), requires_grad=True)
    y, (h, c) = theirs(x, tuple(torch.tensor(part)[None] for part in inputs.hx))
    d_output, d_hx = cotangents(layer, inputs, rng)
    loss = (y * torch.tensor(d_output)).sum()
    (loss + (h[0] * torch.tensor(d_hx[0])).sum() + (c[0] * torch.tensor(d_hx[1])).sum()).backward()
    got = run(layer, inputs, d_output, d_hx)
    assert_close(got.output, y.detach().numpy())
    for part, ref in zip(got.hx, (h, c), strict=True):
        assert_close(part, ref[0].detach().numpy())
    g = got.gradients
    assert_close(np.concatenate([g.x, g.timespans[:, :, None]], axis=2), x.grad.numpy())
    for name, key in zip(CTRNN_NAMES, ("weight_ih_l0", "bias_ih_l0", "weight_hh_l0"), strict=False):
        assert_close(turned(g.parameters[f"rnn_cell.{name}"]), getattr(theirs, key).grad.numpy())


# --- layouts


@given(cases(masked=True, timed=True, return_sequences=st.booleans()))
@settings(max_examples=60)
def test_a_batch_is_its_samples(case):
    layer, inputs, rng = case
    d_output, d_hx = cotangents(layer, inputs, rng)
    each = [
        run(layer, sample(inputs, b), d_output[b], map_state(lambda part, b=b: part[b], d_hx))
        for b in range(len(inputs.x))
    ]
    assert_same(run(layer, inputs, d_output, d_hx), stacked(each))


@given(cases(masked=True, timed=True))
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


@given(cases(timed=True))
@settings(max_examples=30)
def test_time_first_and_the_last_output_alone(case):
    layer, (x, hx, timespans, _), rng = case
    output, last = layer(x, hx, timespans)
    late = twin(layer, batch_first=False)
    assert_close(late(x.swapaxes(0, 1), hx, timespans.T)[0], output.swapaxes(0, 1), 0, 0)
    alone = twin(layer, return_sequences=False)
    assert_close(alone(x, hx, timespans)[0], output[:, -1])
    for part, ref in zip(parts(alone(x, hx, timespans)[1]), parts(last), strict=True):
        assert_close(part, ref, 0, 0)
    d_last, d_hx = cotangents(alone, (x, hx, timespans), rng)
    d_output = np.zeros(output.shape)
    d_output[:, -1] = d_last
    whole = run(layer, (x, hx, timespans), d_output, d_hx)
    assert_same(run(alone, (x, hx, timespans), d_last, d_hx), whole._replace(output=output[:, -1]))


@given(cases())
@settings(max_examples=30)
def test_a_stream_is_the_sequence(case):
    layer, inputs, _ = case
    first = map_state(lambda part: part[0], inputs.hx)
    timespans = np.ones(inputs.x.shape[:2]) if inputs.timespans is None else inputs.timespans
    outputs, last = layer(inputs.x[0], first, timespans[0] if layer.timed else None)
    stepper = layer.stepper()
    stepper.state = first
    for k, (x, t) in enumerate(zip(inputs.x[0], timespans[0], strict=True)):
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
    written = [inputs.x, *parts(inputs.hx), output, *parts(hx), *layer.parameters.values()]
    if inputs.timespans is not None:
        written.append(inputs.timespans)
    for _ in range(2):
        assert_same(ref._replace(gradients=layer.backward(tape, *d)), ref, 0)
        for array in written:
            array[...] = np.nan


@every
@pytest.mark.parametrize(("B", "T"), [(2, 0), (0, 2), (0, 0)])
def test_no_steps_and_no_samples(name, B, T):
    layer, rng = make(name), np.random.default_rng(0)
    inputs = inputs_of(layer, rng, B, T)
    got = run(layer, inputs, *cotangents(layer, inputs, rng))
    assert got.output.shape == (B, T, layer.output_size)
    assert got.gradients.x.shape == (B, T, FEATURES)
    assert not any(gradient.any() for gradient in got.gradients.parameters.values())


# --- time


def test_a_timed_lstm_reads_the_timespan_as_its_last_feature_and_a_plain_one_refuses_it():
    timed, rng = make("lstm"), np.random.default_rng(0)
    x, t = rng.normal(size=(2, 4, FEATURES)), rng.uniform(0, 2, (2, 4))
    wider = LSTM(FEATURES + 1, 3, timed=False, dtype="float64")
    wider.load_state_dict(timed.state_dict())
    assert_close(timed(x, timespans=t)[0], wider(np.concatenate([x, t[:, :, None]], axis=2))[0], 0, 0)
    assert np.abs(timed(x)[0] - timed(x, timespans=t)[0]).max() > 1e-3
    assert_close(timed(x)[0], timed(x, timespans=1.0)[0], 0, 0)
    plain = make("plain lstm")
    for call in (plain, plain.forward, plain.trace):
        for value in (1.0, t):
            bad.refuses(call, "timespans", value, x=x)
    stepper = plain.stepper()
    bad.refuses(stepper, "dt", 0.5, x=np.ones(FEATURES))
    assert_close(stepper(np.ones(FEATURES)), plain.stepper()(np.ones(FEATURES), 1.0), 0, 0)
    g = run(plain, (x,), np.ones((2, 4, 1))).gradients
    assert g.timespans is None


def test_a_ctrnn_without_drive_forgets_with_its_time_constant():
    layer = CTRNN(1, 2, tau=3.0, solver="frozen", ode_unfolds=1, dtype="float64", seed=0)
    layer.parameters["rnn_cell.scale"][...] = 0
    got = layer([[0.5], [2.0]], [1.0, -2.0], [0.3, 1.2])[0]
    assert_close(got, np.exp(-np.array([[0.3], [1.5]]) / 3) * [1.0, -2.0])


def test_every_solver_of_a_ctrnn_comes_to_the_solution_and_the_adjoint_to_its_gradient():
    rng = np.random.default_rng(0)
    scipys = CTRNN(2, 3, solver="scipy", dtype="float64", seed=0)
    inputs = inputs_of(scipys, rng)
    states = scipys.solve(*inputs[:3])
    errors = {}
    for solver in ("euler", "fused", "frozen", "frozen_midpoint", "cf4", "rk4", "scipy"):
        options = {} if solver == "scipy" else {"ode_unfolds": 50}
        trace = twin(scipys, solver=solver, **options).trace(*inputs)
        errors[solver] = np.abs(trace["state"] - states).max()
        assert_close(trace["current"], trace["drive"] + trace["leak_current"])
        assert_close(trace["equilibrium"] - trace["state"], trace["current"])  # τ = 1
    assert max(errors.values()) < 3e-2
    assert errors["frozen_midpoint"] < 1e-4
    assert max(errors["rk4"], errors["scipy"]) < 1e-8
    output, _, tape = scipys.forward(*inputs)
    fine = run(twin(scipys, solver="rk4", ode_unfolds=60), inputs, output)
    ref = fine._replace(gradients=scipys.adjoint(tape, output))
    assert_same(ref, fine, 1e-6)


@pytest.mark.parametrize(("solver", "limit"), [("euler", 2.0), ("rk4", 2.785)])
def test_an_explicit_solver_of_a_ctrnn_warns_once_where_its_parts_are_too_long(solver, limit):
    layer = CTRNN(1, 2, tau=0.5, solver=solver, ode_unfolds=2, seed=0)
    layer([[1.0]], timespans=0.99 * limit)  # parts of 0.99 limit τ: silent, as warnings are errors
    with pytest.warns(RuntimeWarning, match=rf"solver '{solver}' has left its stability region: .* steps of at most"):
        layer([[1.0]], timespans=1.01 * limit)
    layer([[1.0]], timespans=2 * limit)


# --- weights, files, training


def test_names_and_shapes():
    assert {key: array.shape for key, array in LSTM(3, 4, proj_size=2).state_dict().items()} == {
        "rnn_cell.input_map.weight": (16, 4),
        "rnn_cell.input_map.bias": (16,),
        "rnn_cell.recurrent_map.weight": (16, 4),
        "fc.weight": (2, 4),
        "fc.bias": (2,),
    }
    assert {key: array.shape for key, array in CTRNN(3, 4).state_dict().items()} == {
        "rnn_cell.input_map.weight": (4, 3),
        "rnn_cell.input_map.bias": (4,),
        "rnn_cell.recurrent_map.weight": (4, 4),
        "rnn_cell.scale": (4,),
    }


@both
def test_fresh_weights_are_as_the_experiments_draw_them_and_follow_the_seed(kind):
    layer = kind(30, 40, proj_size=5, seed=1, dtype="float64")
    state = layer.state_dict()
    W, R = state["rnn_cell.input_map.weight"], state["rnn_cell.recurrent_map.weight"]
    limit = math.sqrt(6 / sum(W.shape))
    assert 0.95 * limit < np.abs(W).max() <= limit
    assert_close(R.T @ R, np.eye(40), 0, 1e-12)
    assert not state["rnn_cell.input_map.bias"].any()
    assert (state.get("rnn_cell.scale", np.ones(1)) == 1).all()
    assert 0 < np.abs(state["fc.weight"]).max() <= 1 / math.sqrt(40)
    again, other = (kind(30, 40, proj_size=5, seed=seed, dtype="float64").state_dict() for seed in (1, 2))
    assert all(np.array_equal(state[key], again[key]) for key in state)
    assert not np.array_equal(W, other["rnn_cell.input_map.weight"])


@every
def test_file_configuration_and_representation(name, tmp_path):
    layer = make(name, "float32", return_sequences=False)
    save(tmp_path / "model.npz", layer)
    same = load(tmp_path / "model.npz")
    assert (type(same), same.config, repr(same)) == (type(layer), layer.config, repr(layer))
    x = np.random.default_rng(0).normal(size=(2, 3, FEATURES))
    assert_close(same(x)[0], layer(x)[0], 0, 0)
    assert repr(layer).startswith(f"{type(layer).__name__}({FEATURES} inputs")


@pytest.mark.parametrize("name", ["lstm", "plain lstm", "ctrnn"])
@pytest.mark.parametrize("l2", [0.0, 1e-4])
def test_they_learn_with_fit(name, l2):
    layer = make(name, "float32", units=8, proj_size=1)
    x = np.random.default_rng(0).normal(size=(64, 10, FEATURES))
    y = np.cumsum(x[:, :, :1], axis=1)
    data = (x, y, np.full((64, 10), 0.5)) if layer.timed else (x, y)
    history = fit(
        layer, data, loss="mse", optimizer="adam", epochs=4, batch_size=8, validation=data, progress=False, l2=l2
    )
    assert history.loss[-1] < 0.98 * history.loss[0]
    assert history.validation_loss[-1] < history.validation_loss[0]
    if not layer.timed:
        with pytest.raises(ValueError, match="timespans: got"):
            fit(layer, (x, y, 0.5), loss="mse", optimizer="adam", epochs=1, batch_size=8, progress=False)


# --- what they refuse

FLAGS = (*(v for v in bad.NOT_NUMBERS if not isinstance(v, bool)), 0, 1, 1.0, "True")
COUNTS = (*bad.NUMBERS, -1, 0, 1.0, 2.5, "3", [3])
NEW = {
    "input_size": COUNTS,
    "units": (*COUNTS, wirings.FullyConnected(3), np.float64(3)),
    "proj_size": (*(v for v in COUNTS if v is not None),),
    "return_sequences": FLAGS,
    "batch_first": FLAGS,
    "dtype": ("float16", "int64", None, int, "nonsense", ...),
    "seed": (-1, 1.0, True, "1", [1]),
    "backend": (*bad.CHOICES, "torch", "numba"),
}
OWN = {
    LSTM: {"forget_bias": (*bad.NUMBERS, [1.0]), "timed": FLAGS},
    CTRNN: {
        "tau": (*bad.NUMBERS, 0.0, -1.0, [1.0]),
        "ode_unfolds": COUNTS,
        "solver": (*bad.CHOICES, "heun", "RK4"),
    },
}


@pytest.mark.parametrize(
    ("kind", "argument", "value"),
    [
        pytest.param(kind, name, value, id=f"{kind.__name__}-{name}-{value!r:.30}")
        for kind in OWN
        for name, values in {**NEW, **OWN[kind]}.items()
        for value in values
    ],
)
def test_bad_arguments_of_the_constructor(kind, argument, value):
    bad.refuses(kind, argument, value, **{"input_size": 2, "units": 3, argument: value})


def test_unfoldings_that_scipy_would_not_use_are_refused():
    bad.refuses(CTRNN, "ode_unfolds", 6, input_size=2, units=3, solver="scipy")


CALLS = {
    "x": (*bad.NUMBERS, np.ones((4, 3)), np.ones(2), np.full((4, 2), np.nan), np.full((4, 2), 1e39)),
    "hx": (*(v for v in bad.NUMBERS if v is not None), np.ones(4), np.ones((2, 3))),
    "timespans": (*(v for v in bad.TIMES if v is not None), np.ones(3), np.ones((4, 2)), [1.0, 1.0, 1.0, -1.0]),
}


@pytest.mark.parametrize(
    ("argument", "value"),
    [pytest.param(name, value, id=f"{name}-{value!r:.30}") for name, values in CALLS.items() for value in values],
)
@both
def test_bad_arguments_of_a_call(kind, argument, value):
    layer = kind(2, 3, seed=0)
    for call in (layer, layer.forward, layer.trace):
        bad.refuses(call, argument, value, **{"x": np.ones((4, 2))} if argument != "x" else {})


def test_a_state_is_a_pair_for_an_lstm_alone():
    bad.refuses(LSTM(2, 3), "hx", np.ones(3), x=np.ones((4, 2)))
    bad.refuses(CTRNN(2, 3), "hx", (np.ones(3), np.ones(3)), x=np.ones((4, 2)))


@both
def test_weights_of_another_layer_and_ncpss_names_are_refused(kind):
    layer, other = kind(2, 3), kind(2, 4)
    with pytest.raises(ValueError, match=refusal("state_dict['rnn_cell.input_map.weight']")):
        layer.load_state_dict(other.state_dict())
    bad.refuses(to_ncps_state_dict, "model", layer)
