"""Translations against plain loops over neurons and synapses, and what THEORY says of the start and of late times."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib import pyplot

from cfc_ref import LTC, LTCNeuron, NeuralLTC, bounds, translate, wirings
from tests import bad, naive_ltc
from tests.compare import assert_close, assert_inside
from tests.naive import f

SEEDS = st.integers(0, 2**32 - 1)
CELL = "rnn_cell."


def drawn(seed, units=5, inputs=2, **options):
    """A dense or wired network with weights of many sizes, and sequences with times."""
    rng = np.random.default_rng(seed)
    wiring = [units, wirings.Random(units, 2, 0.4, random_seed=seed % 1000), wirings.AutoNCP(7, 2, seed=seed % 1000)]
    network = LTC(inputs, wiring[seed % 3], seed=rng, **{"dtype": "float64", **options})
    for name in ("erev", "sensory_erev", "vleak", "input_w", "input_b", "output_w", "output_b"):
        if CELL + name in network.parameters:
            array = network.parameters[CELL + name]
            array[...] = rng.normal(size=array.shape)
    x, dt = rng.normal(size=(2, 6, inputs)), rng.uniform(0.05, 0.8, (2, 6))
    return rng, network, x, dt, rng.normal(size=(2, network.state_size))


def loops(network, x, x0, dt, activity=None):
    """Algorithm 1 for one sequence; `activity` None: its own states one sample earlier."""
    weights = {key: array.astype(float).tolist() for key, array in network.state_dict().items()}
    p = naive_ltc.effective(naive_ltc.Network("LTC", "", 1, 0, network.implicit_param_constraints), weights)
    t, state, states = 0.0, list(x0), []
    for k, sample in enumerate(x.tolist()):
        t += dt[k]
        I = naive_ltc.scaled(weights, "input", sample)
        pre = state if activity is None else activity[k].tolist()
        new = []
        for i in range(len(x0)):
            total = 0.0
            for prefix, values in (("sensory_", I), ("", pre)):
                for j, value in enumerate(values):
                    if p[f"{prefix}sparsity_mask"][j][i]:
                        A, sigma, mu = (p[prefix + name][j][i] for name in ("erev", "sigma", "mu"))
                        s = f(value, mu, sigma)
                        rate = p["gleak"][i] / p["cm"][i] + s
                        total += A + (x0[i] - A) * math.exp(-t * rate) * (1 - s)
            new.append(total)
        state = new
        states.append(new)
    return states


# --- Algorithm 1


@given(SEEDS, st.booleans(), st.sampled_from(["affine", "linear", "none"]))
@settings(max_examples=25)
def test_algorithm_1_is_the_sum_over_synapses(seed, implicit, mapping):
    rng, network, x, dt, hx = drawn(seed, implicit_param_constraints=implicit, input_mapping=mapping)
    activity = rng.normal(size=(2, 6, network.state_size))
    teacher = translate.algorithm1(network, x, dt, hx, activity=activity)
    free = translate.algorithm1_free(network, x, dt, hx)
    for b in range(2):
        assert_close(teacher[b], loops(network, x[b], hx[b], dt[b], activity[b]), rtol=1e-10, atol=1e-10)
        assert_close(free[b], loops(network, x[b], hx[b], dt[b]), rtol=1e-10, atol=1e-10)


def test_without_activity_the_odes_own_recording_is_the_teacher():
    _, network, x, dt, hx = drawn(1)
    recorded = network.solve(x, hx, dt)
    with_it = translate.algorithm1(network, x, dt, hx, activity=recorded)
    assert_close(translate.algorithm1(network, x, dt, hx), with_it)
    assert not np.allclose(with_it, translate.algorithm1_free(network, x, dt, hx))


def test_at_the_start_it_is_not_the_state_but_the_sum_over_synapses_of_a_step_towards_each_potential():
    for seed in range(3):
        _, network, x, _, hx = drawn(seed)
        trace = network.trace(x[:, :1], hx, 0.0)
        got = translate.algorithm1(network, x[:, :1], 0.0, hx)[:, 0]
        expected = np.zeros_like(hx)
        for kind, key in (("release", ""), ("sensory_release", "sensory_")):
            s, A = trace[kind][:, 0], network.parameters[f"{CELL}{key}erev"]
            there = network.state_dict()[f"{CELL}{key}sparsity_mask"]
            expected += (there * (hx[:, None, :] + s * (A - hx[:, None, :]))).sum(axis=1)
        assert_close(got, expected)
        assert np.abs(got - hx).max() > 0.1
        assert_close(translate.frozen_translation(network, x[:, :1], 0.0, hx)[:, 0], hx)


def test_late_it_is_the_sum_of_all_potentials():
    for seed in range(3):
        _, network, x, _, hx = drawn(seed)
        held, long = np.repeat(x[:, :1], 6, axis=1), 1e3
        potentials = np.zeros(network.state_size)
        for key in ("", "sensory_"):
            mask = network.state_dict()[f"{CELL}{key}sparsity_mask"]
            potentials += (mask * network.parameters[f"{CELL}{key}erev"]).sum(axis=0)
        free = translate.algorithm1_free(network, held, long, hx)
        teacher = translate.algorithm1(network, held, long, hx, activity=free)
        for states in (free, teacher):
            assert_close(states[:, -1], np.tile(potentials, (2, 1)))


def test_neither_conductances_nor_the_leaks_potential_occur():
    rng, network, x, dt, hx = drawn(4)
    activity = rng.normal(size=(2, 6, network.state_size))
    before = translate.algorithm1(network, x, dt, hx, activity=activity)
    network.parameters[f"{CELL}w"][...] += 3
    network.parameters[f"{CELL}sensory_w"][...] += 3
    network.parameters[f"{CELL}vleak"][...] += 3
    assert_close(translate.algorithm1(network, x, dt, hx, activity=activity), before)
    network.parameters[f"{CELL}gleak"][...] += 3
    assert not np.allclose(translate.algorithm1(network, x, dt, hx, activity=activity), before)


def test_of_one_synapse_it_is_the_papers_closed_form():
    """Eq. 2 with w_τ = g/C, and the release of the sample."""
    network = LTC(1, wirings.Wiring([[0]], [[1]], 1), dtype="float64", seed=0, implicit_param_constraints=False)
    values = {"gleak": 0.6, "cm": 0.5, "sensory_sigma": 2.0, "sensory_mu": 0.3, "sensory_erev": -0.7}
    for name, value in values.items():
        network.parameters[CELL + name][...] = value
    from cfc_ref import closed_form, signals

    t, I = np.array([0.5, 0.8, 2.0]), np.array([0.1, -1.0, 2.0])
    got = translate.algorithm1(network, I[:, None], np.diff(t, prepend=0), [1.3])
    neuron = LTCNeuron(0.6 / 0.5, -0.7, mu=0.3, sigma=2.0)
    assert_close(got[:, 0], closed_form(neuron, signals.sampled(t, I), 1.3, t))


# --- the frozen translation


@given(SEEDS, st.integers(1, 4))
@settings(max_examples=20)
def test_the_frozen_translation_is_the_whole_neurons_closed_form(seed, parts):
    _, network, x, dt, hx = drawn(seed)
    got = translate.frozen_translation(network, x, dt, hx, parts=parts)
    weights = {key: array.tolist() for key, array in network.state_dict().items()}
    p = naive_ltc.effective(naive_ltc.Network("LTC", "frozen", parts, 2, implicit=True), weights)
    for b in range(2):
        state = hx[b].tolist()
        for k, sample in enumerate(x[b].tolist()):
            I = naive_ltc.scaled(weights, "input", sample)
            state = naive_ltc.solver_step(
                "frozen", lambda y, I=I: naive_ltc.synaptic(p, I, y, network.epsilon), state, dt[b, k], parts
            )
            assert_close(got[b, k], state, rtol=1e-10, atol=1e-10)


def test_a_layer_with_the_frozen_solver_computes_the_same():
    _, network, x, dt, hx = drawn(2)
    layer = LTC(2, network.wiring, dtype="float64", solver="frozen", ode_unfolds=3, seed=1)
    layer.load_state_dict(network.state_dict())
    assert_close(translate.frozen_translation(network, x, dt, hx, parts=3), layer.trace(x, hx, dt)["state"])


def test_with_a_held_input_the_frozen_translation_ends_where_the_ode_does():
    _, network, x, _, hx = drawn(0)
    held = np.repeat(x[:, :1], 60, axis=1)
    ends = [
        states[:, -1] for states in (translate.frozen_translation(network, held, 0.5, hx), network.solve(held, hx, 0.5))
    ]
    assert_close(*ends, rtol=0, atol=1e-5)


def test_its_error_falls_like_the_part():
    _, network, x, dt, hx = drawn(1)
    truth = network.solve(x, hx, dt)
    errors = [np.abs(translate.frozen_translation(network, x, dt, hx, parts=n) - truth).max() for n in (64, 128, 256)]
    assert_close(np.log2(np.divide(errors[:-1], errors[1:])), [1, 1], atol=0.1)


# --- layouts


@pytest.mark.parametrize(
    "function",
    [translate.algorithm1, translate.algorithm1_free, translate.frozen_translation],
    ids=lambda g: g.__name__,
)
def test_states_come_in_the_layout_of_x(function):
    _, network, x, dt, hx = drawn(3)
    whole = function(network, x, dt, hx)
    assert_close(function(network, x[1], dt[1], hx[1]), whole[1])
    time_first = LTC(2, network.wiring, dtype="float64", seed=1, batch_first=False)
    time_first.load_state_dict(network.state_dict())
    assert_close(function(time_first, x.swapaxes(0, 1), dt.T, hx), whole.swapaxes(0, 1))
    assert_close(function(network, x), function(network, x, 1.0, np.zeros_like(hx)))
    assert function(network, x[:, :0]).shape == (2, 0, network.state_size)


def test_float32_networks_are_translated_in_float64():
    _, network, x, dt, hx = drawn(5, dtype="float32")
    wide = LTC(2, network.wiring, dtype="float64", seed=1)
    wide.load_state_dict(network.state_dict())
    x, dt, hx = (array.astype(np.float32) for array in (x, dt, hx))
    for function in (translate.algorithm1_free, translate.frozen_translation):
        assert_close(function(network, x, dt, hx), function(wide, x, dt, hx), rtol=1e-6, atol=1e-6, dtype=np.float64)


# --- compare


@pytest.mark.parametrize("batched", [True, False])
def test_compare_holds_each_translation_against_the_ode(batched):
    _, network, x, dt, hx = drawn(4)
    if not batched:
        x, dt, hx = x[0], dt[0], hx[0]
    compared = translate.compare(network, x, dt, hx, parts=2)
    truth = network.solve(x, hx, dt)
    assert_close(compared.truth, truth)
    assert_close(compared.times, np.cumsum(dt, axis=-1))
    outputs = network.parameters[f"{CELL}output_w"] * truth[..., : network.output_size]
    assert_close(compared.outputs, outputs + network.parameters[f"{CELL}output_b"])
    ways = {
        "algorithm1": translate.algorithm1(network, x, dt, hx),
        "algorithm1_free": translate.algorithm1_free(network, x, dt, hx),
        "frozen": translate.frozen_translation(network, x, dt, hx, parts=2),
    }
    assert list(compared.translations) == list(ways)
    for name, states in ways.items():
        way = compared.translations[name]
        assert_close(way.states, states)
        assert_close(way.error, truth - states)
        assert_close(way.rms, np.sqrt(((truth - states) ** 2).reshape(-1, network.state_size).mean(axis=0)))
        read = network.parameters[f"{CELL}output_w"] * (truth - states)[..., : network.output_size]
        assert_close(way.output_error, read)
        assert_close(way.output_mse, np.mean(read**2))
    low, high = compared.box
    assert_inside(low, compared.truth, high, 1e-9)
    assert not compared.translations["frozen"].outside.any()
    beyond = (ways["algorithm1"] < low - 1e-9) | (ways["algorithm1"] > high + 1e-9)
    np.testing.assert_array_equal(compared.translations["algorithm1"].outside, beyond)
    assert beyond.any()


def test_compare_gives_the_bound_where_there_is_one():
    rng, network, x, dt, hx = drawn(6)
    for name in ("sigma", "sensory_sigma", "erev", "sensory_erev", "vleak"):
        network.parameters[CELL + name][...] = rng.uniform(-1, 1, network.parameters[CELL + name].shape)
    network.parameters[f"{CELL}gleak"][...] += 4
    compared = translate.compare(network, x, dt, hx, parts=2)
    assert compared.certificate.certified
    assert compared.certificate.bound.shape == dt.shape
    assert_inside(0, np.abs(compared.translations["frozen"].error).max(axis=-1), compared.certificate.bound, 1e-9)
    starts = np.sort(hx, axis=0)
    ends = x.min(axis=(0, 1)), x.max(axis=(0, 1))
    ref = bounds.network_frozen_error(network, *ends, np.cumsum(dt, axis=1), dt.max() / 2, starts)
    assert_close(compared.certificate.bound, ref.bound)
    assert "error at most" in str(compared)


def test_the_table_says_what_stands_against_what():
    _, network, x, dt, hx = drawn(4)
    lines = str(translate.compare(network, x, dt, hx, parts=2)).splitlines()
    assert lines[0] == (
        "Translations into closed form against the ODE: 5 neurons, 2 of them read, 12 steps, frozen in 2 parts each"
    )
    names = [line[:30].strip() for line in lines]
    assert names[3:8] == [
        "Algorithm 1 (teacher-forced)",
        "Algorithm 1, free-running",
        "frozen translation",
        "the paper, Algorithm 1",
        "variance of the output",
    ]
    assert float(lines[6][30:42]) == 0.006
    assert "no certificate: λ = -" in lines[8]
    for line, way in zip(lines[3:6], translate.compare(network, x, dt, hx, parts=2).translations.values(), strict=True):
        assert float(line[30:42]) == pytest.approx(way.output_mse, rel=0.01)


def test_a_translation_of_any_kind_is_the_layer_with_that_solver():
    _, network, x, dt, hx = drawn(2)
    for kind in ("frozen_midpoint", "cf4"):
        layer = LTC(2, network.wiring, dtype="float64", solver=kind, ode_unfolds=3, seed=1)
        layer.load_state_dict(network.state_dict())
        states = translate.frozen_translation(network, x, dt, hx, parts=3, kind=kind)
        assert_close(states, layer.trace(x, hx, dt)["state"])
    for value in (*bad.CHOICES, "fused", "scipy"):
        bad.refuses(translate.frozen_translation, "kind", value, network=network, x=x)
        bad.refuses(translate.compare, "kind", value, network=network, x=x)


@pytest.mark.parametrize("batched", [True, False])
def test_what_is_known_of_the_error_of_cf4(batched):
    _, network, x, dt, hx = drawn(4)
    if not batched:
        x, dt, hx = x[0], dt[0], hx[0]
    compared = translate.compare(network, x, dt, hx, parts=3, kind="cf4")
    assert list(compared.translations) == ["algorithm1", "algorithm1_free", "frozen", "cf4"]
    error = compared.translations["cf4"].error
    states = [translate.frozen_translation(network, x, dt, hx, parts=n, kind="cf4") for n in (3, 6)]
    assert_close(compared.estimate, 16 / 15 * (states[1] - states[0]))
    assert_close(np.linalg.norm(compared.estimate - error), 0, 0, 0.2 * np.linalg.norm(error))
    lengths = np.linalg.norm(error, axis=-1)
    assert compared.run.bound.shape == compared.run.indication.shape == compared.run.norm.shape == dt.shape
    assert (lengths <= compared.run.bound + 1e-9).all()
    assert (compared.run.bound <= 100 * lengths.max()).all()
    assert np.isfinite(compared.run.indication).all()
    text = str(compared)
    assert "rigorous up to the logarithmic norm at five points of each part" in text
    assert text.count("an indication") == 2
    assert translate.compare(network, x, dt, hx).run is None


def test_time_that_stands_still_is_no_error():
    _, network, x, _, hx = drawn(4)
    compared = translate.compare(network, x, 0.0, hx)
    assert_close(compared.translations["frozen"].error, np.zeros_like(compared.truth))


def test_a_comparison_is_drawn():
    _, network, x, dt, hx = drawn(4)
    ax = translate.compare(network, x, dt, hx).plot(sequence=1)
    assert ax.get_yscale() == "log"
    pyplot.close(ax.figure)


# --- refusals

FUNCTIONS = (translate.algorithm1, translate.algorithm1_free, translate.frozen_translation, translate.compare)


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda g: g.__name__)
def test_what_does_not_fit_is_refused(function):
    _, network, x, dt, hx = drawn(0)
    for other in (None, 3, LTCNeuron(1.0, 1.0), NeuralLTC(2, 4), LTC(2, 4, mixed_memory=True)):
        bad.refuses(function, "network", other, x=x)
    for value in (*bad.NUMBERS, x[0, 0], x[..., :1]):
        bad.refuses(function, "x", value, network=network)
    for value in (*[number for number in bad.NUMBERS if number is not None], -1.0, dt.T, dt[:, :3]):
        bad.refuses(function, "timespans", value, network=network, x=x)
    for value in (*[number for number in bad.NUMBERS if number is not None], hx[0], hx.T):
        bad.refuses(function, "hx", value, network=network, x=x)


def test_parts_activity_and_nothing_to_compare_are_refused():
    _, network, x, _, _ = drawn(0)
    for value in (0, -1, 1.0, True, None, "2"):
        bad.refuses(translate.frozen_translation, "parts", value, network=network, x=x)
        bad.refuses(translate.compare, "parts", value, network=network, x=x)
    for value in (*[number for number in bad.NUMBERS if number is not None], np.zeros((2, 6, 1)), np.zeros((6, 5))):
        bad.refuses(translate.algorithm1, "activity", value, network=network, x=x)
    bad.refuses(translate.compare, "x", x[:, :0], network=network)
