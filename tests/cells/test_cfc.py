"""One CfC cell: the oracle's step, the paper's equations, and gradients."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfc_ref.activations import ACTIVATIONS
from cfc_ref.cells.cfc import cell, network
from cfc_ref.cells.cfc.cell import CfCSettings
from cfc_ref.cells.cfc.modes import MODES, VARIANTS, CfCParams
from cfc_ref.cells.cfc.network import CfCNetwork
from cfc_ref.cells.dense import Dense
from cfc_ref.cells.lstm import LSTMParams
from cfc_ref.cells.tree import leaves
from tests import naive
from tests.compare import assert_close
from tests.differences import assert_gradient
from tests.layers import strategies
from tests.layers.strategies import away_from_0

B, INPUTS, UNITS = 2, 2, 3


def weights(rng, mode, widths=(), inputs=INPUTS, units=UNITS):
    """Random parameters of a cell with backbone layers of the given widths."""

    def dense(outputs, inputs):
        return Dense(away_from_0(rng, (outputs, inputs)), away_from_0(rng, outputs))

    reads = [inputs + units, *widths]
    backbone = tuple(dense(n, m) for m, n in zip(reads[:-1], reads[1:], strict=True))
    heads = {name: dense(units, reads[-1]) for name in MODES[mode].heads}
    vectors = {name: away_from_0(rng, (1, units)) for name in MODES[mode].vectors}
    return CfCParams(backbone, **heads, **vectors)


def by_name(params):
    """The parameters as the oracle takes them."""
    weights = {}
    for k, layer in enumerate(params.backbone):
        weights |= {f"backbone.{k}.weight": layer.W.tolist(), f"backbone.{k}.bias": layer.b.tolist()}
    for name, part in params._asdict().items():
        if isinstance(part, Dense):
            weights |= {f"{name}.weight": part.W.tolist(), f"{name}.bias": part.b.tolist()}
        elif isinstance(part, np.ndarray):
            weights[name] = part.tolist()
    return weights


def batch(rng, inputs=INPUTS, units=UNITS):
    return rng.uniform(-1.5, 1.5, (B, inputs)), rng.uniform(-1, 1, (B, units)), rng.uniform(0.1, 2, (B, 1))


def test_the_modes_and_variants_are_those_that_are_tested():
    assert set(MODES) == set(strategies.MODES)
    assert set(VARIANTS) == set(strategies.VARIANTS)


@pytest.mark.parametrize("widths", [(), (2,), (2, 3)], ids=len)
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("mode", MODES)
def test_a_step_its_trace_and_its_gradients(mode, variant, widths):
    rng = np.random.default_rng(len(mode) + 10 * len(widths))
    params, (x, h, dt), d_new = weights(rng, mode, widths), batch(rng), rng.normal(size=(B, UNITS))
    settings, oracle = CfCSettings(mode, variant, "silu"), naive.Network(mode, variant, "silu")
    new_h, kept = cell.step(params, x, h, dt, settings)
    trace = cell.trace(params, kept, settings)
    for b in range(B):
        ref, did = naive.cfc_cell(oracle, by_name(params), "", x[b].tolist(), h[b].tolist(), dt[b, 0].item())
        assert_close(new_h[b], ref)
        for name, values in did.items():
            assert_close(trace[name][b], values)
    gradients = cell.d_step(params, kept, d_new, settings)
    for got, array in zip(leaves(gradients), leaves((params, x, h, dt)), strict=True):
        assert got.shape == array.shape
        assert_gradient(got, lambda: np.sum(cell.step(params, x, h, dt, settings)[0] * d_new), array)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("memory", [False, True])
def test_the_gradients_of_a_stack_with_and_without_memory(memory, variant):
    """Two cells of 2 and 1 neurons, the second reading the first's new state."""
    rng, settings = np.random.default_rng(3), CfCSettings("no_gate", variant, forget_bias=0.5)
    reads = 3 if memory and variant != "torch" else INPUTS
    layers = weights(rng, "no_gate", inputs=reads, units=2), weights(rng, "no_gate", inputs=2, units=1)
    lstm = LSTMParams(Dense(rng.normal(size=(12, INPUTS)), rng.normal(size=12)), Dense(rng.normal(size=(12, 3)), None))
    params, (x, h, dt) = CfCNetwork(layers, lstm if memory else None), batch(rng)
    state = h, rng.normal(size=(B, UNITS)) if memory else None
    d_state = rng.normal(size=(B, UNITS)), rng.normal(size=(B, UNITS)) if memory else None

    def loss():
        new, _ = network.step(params, x, state, dt, settings)
        return sum(np.sum(part * d) for part, d in zip(leaves(new), leaves(d_state), strict=True))

    gradients = network.d_step(params, network.step(params, x, state, dt, settings)[1], d_state, settings)
    for got, array in zip(leaves(gradients), leaves((params, x, state, dt)), strict=True):
        assert_gradient(got, loss, array)


# --- the paper's equations

numbers = st.floats(-3, 3)
times = st.floats(0, 10)


def one(value):
    return np.array([[value]])


def constant_head(value):
    """A head that says the same whatever it reads."""
    return Dense(np.zeros((1, 2)), np.array([value]))


@given(f=numbers, g=numbers, h=numbers, t=times)
def test_equation_4(f, g, h, t):
    """x = σ(-f t) g + (1 - σ(-f t)) h: on PyTorch ff1 is g, on TensorFlow it is h."""
    s = naive.f(-f * t)
    heads, zero = {"f": constant_head(f), "g": constant_head(g), "h": constant_head(h)}, constant_head(0.0)
    torch = CfCParams((), heads["g"], heads["h"], heads["f"], zero)
    other = CfCParams((), heads["h"], heads["g"], heads["f"], zero)
    for variant, params in (("torch", torch), ("tensorflow", other), ("keras", other)):
        value = naive.NONLINEARITIES[naive.HEADS[variant]]
        got = cell.step(params, one(0.3), one(0.2), one(t), CfCSettings("default", variant))[0]
        assert_close(got, one(s * value(g) + (1 - s) * value(h)))


@given(seed=st.integers(0, 99))
def test_the_sign_of_the_rate_is_all_that_gates_differ_in(seed):
    """With time_a negated, a gate of Keras is that of PyTorch; heads made linear by small weights show it."""
    rng = np.random.default_rng(seed)
    params, (x, h, dt) = weights(rng, "no_gate"), batch(rng)
    turned = params._replace(time_a=Dense(-params.time_a.W, -params.time_a.b))
    gates = [
        cell.step(p, x, h, dt, CfCSettings("no_gate", variant))[1].of_mode.s
        for p, variant in ((params, "torch"), (turned, "tensorflow"), (turned, "keras"))
    ]
    assert_close(gates[1], gates[0])
    assert_close(gates[2], gates[0])


@pytest.mark.parametrize("mode", ["paper_pure", "from_x0"])
@given(w=st.floats(0, 3), A=numbers, x0=numbers, t=times, I=numbers, mu=numbers, sigma=numbers)
def test_equation_3_of_one_neuron_is_equation_9(mode, w, A, x0, t, I, mu, sigma):
    """With f of the input alone, and B = x₀ - A."""
    head = Dense(np.array([[sigma, 0.0]]), np.array([-sigma * mu]))
    for leak in (w, -w):
        params = CfCParams((), head, w_tau=one(leak), A=one(A), B=one(x0 - A) if mode == "paper_pure" else None)
        got = cell.step(params, one(I), one(x0), one(t), CfCSettings(mode))[0]
        assert_close(got, one(naive.eq9(w, A, x0, t, I, mu, sigma, "input")))


@given(w=numbers, A=numbers, f1=numbers)
def test_the_pure_form_at_its_ends(w, A, f1):
    params = CfCParams((), constant_head(f1), w_tau=one(w), A=one(A))
    for t, ref in ((0.0, A * (1 - f1)), (1e4, A if abs(w) + abs(f1) > 0.01 else None)):
        if ref is not None:
            assert_close(cell.step(params, one(0.0), one(0.0), one(t), CfCSettings("pure"))[0], one(ref))


@pytest.mark.parametrize("mode", ["pure", "paper_pure", "from_x0"])
def test_the_slope_of_an_absolute_value_at_0_is_0(mode):
    params = CfCParams((), constant_head(0.0), w_tau=one(0.0), A=one(1.0), B=one(1.0) if mode == "paper_pure" else None)
    _, kept = cell.step(params, one(1.0), one(1.0), one(1.0), CfCSettings(mode))
    d_params, *_ = cell.d_step(params, kept, one(1.0), CfCSettings(mode))
    assert d_params.w_tau == 0
    if mode == "pure":
        assert_close(d_params.ff1.b, [-1.0])  # -A e^0, and nothing from the rate


def test_a_rate_of_0_has_an_infinite_time_constant_and_no_warning():
    for rate, ref in ((0.0, math.inf), (1e-310, math.inf), (-2.0, 0.5)):
        params = CfCParams((), constant_head(1.0), constant_head(1.0), constant_head(rate), constant_head(0.0))
        trace = cell.trace(params, cell.step(params, one(1.0), one(1.0), one(1.0), CfCSettings())[1], CfCSettings())
        assert trace["time_constant"] == ref
        assert trace["rate"] == rate


def test_every_activation_of_the_package_has_an_oracle():
    assert set(ACTIVATIONS) == set(naive.NONLINEARITIES)
