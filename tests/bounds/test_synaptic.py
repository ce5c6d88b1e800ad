"""Certificates of a synaptic LTC against plain loops, brute force, and steps taken inside of their boxes."""

import functools
import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cfc_ref.bounds import synaptic as ltc
from cfc_ref.bounds import tubes
from cfc_ref.cells.ltc.synapses import LTCParams, Synapses, all_synapses, synaptic
from cfc_ref.cells.ode import Scheme
from cfc_ref.cells.solvers import solver_step
from tests.cells.networks import draw_synaptic
from tests.compare import assert_close, assert_inside
from tests.naive import f

EPSILON = 0.03  # large, so that forgetting it shows
SEEDS = st.integers(0, 2**32 - 1)


def draw(seed, inputs=2, units=3, missing=0.3):
    """A network with gains of both signs, reversal potentials of many sizes, and a box of its states and inputs."""
    rng = np.random.default_rng(seed)
    params = draw_synaptic(rng, inputs, units, missing)
    signs = {name: getattr(params, name) * rng.choice([-1, 1], np.shape(getattr(params, name))) for name in GAINS}
    varied = {name: rng.normal(size=np.shape(getattr(params, name))) for name in ("erev", "sensory_erev")}
    low, width = rng.uniform(-1, 0.5, inputs + units), rng.uniform(0, 1, inputs + units)
    return rng, params._replace(**signs, **varied), np.split(low, [inputs]), np.split(low + width, [inputs])


GAINS = ("sigma", "sensory_sigma")


def no_self_synapses(params):
    return params._replace(w=np.where(np.eye(len(params.w), dtype=bool), 0, params.w))


def synapses_of(params, i):
    """(w, sigma, mu, E, index of what it reads: inputs first) of neuron i's synapses, absent ones left out."""
    found = []
    for prefix, shift in (("sensory_", 0), ("", len(params.sensory_w))):
        arrays = [getattr(params, prefix + name) for name in ("w", "sigma", "mu", "erev")]
        found += [(*(float(a[j, i]) for a in arrays), j + shift) for j in range(len(arrays[0])) if arrays[0][j, i] > 0]
    return found


def run(params, I, x, dt, solver, unfolds=1, epsilon=EPSILON):
    return solver_step(Scheme(synaptic(epsilon), solver, unfolds), params, I, x, np.full((len(x), 1), dt))[0]


def leak(params, epsilon=EPSILON):
    return (params.gleak + epsilon) / params.cm


def fused_tube(params, inputs, start, dt, unfolds):
    part = functools.partial(tubes.fused_part, epsilon=EPSILON)
    return tubes.fused_tube(tubes.synaptic_tube(EPSILON), part, params, inputs, start, dt, unfolds)


# --- the box


@given(SEEDS)
@settings(max_examples=30)
def test_the_box_is_the_range_of_the_potentials_of_the_synapses_that_are_there(seed):
    _, params, _, _ = draw(seed, missing=0.6)
    for epsilon, more in ((0.0, []), (EPSILON, [0.0])):
        low, high = ltc.ltc_box(params, epsilon)
        for i in range(3):
            values = [float(params.vleak[i]), *(synapse[3] for synapse in synapses_of(params, i)), *more]
            assert (low[i], high[i]) == (min(values), max(values))


@pytest.mark.parametrize("solver", ["fused", "frozen", "frozen_midpoint", "cf4", "scipy"])
@pytest.mark.parametrize("dt", [0.01, 1.0, 1e6])
def test_no_step_leaves_the_box(solver, dt):
    for seed in range(5):
        rng, params, _, _ = draw(seed)
        low, high = ltc.ltc_box(params, EPSILON)
        dt = min(dt, 30.0) if solver == "scipy" else dt
        corners = np.where(rng.random((64, 3)) < 0.5, low, high)
        x = run(params, rng.normal(size=(64, 2)) * 10, corners, dt, solver)
        assert_inside(low, x, high, 1e-9)


@pytest.mark.parametrize(("solver", "unfolds"), [("fused", 4), ("frozen", 4), ("scipy", 1)])
def test_from_outside_the_distance_shrinks_as_the_leak_says(solver, unfolds):
    for seed in range(5):
        rng, params, _, _ = draw(seed)
        box = ltc.ltc_box(params, EPSILON)
        start, I = rng.normal(size=(50, 3)) * 20, rng.normal(size=(50, 2))
        decay = ltc.leak_decay(leak(params), np.array([0.7]), unfolds if solver == "fused" else None)
        low, high = ltc.with_start(*box, (start, start), decay)
        assert_inside(low, run(params, I, start, 0.7, solver, unfolds), high, 1e-9)


@pytest.mark.parametrize(("solver", "unfolds"), [("fused", 4), ("frozen", 4), ("scipy", 1)])
def test_with_the_leak_alone_the_distance_is_attained(solver, unfolds):
    rng, params, _, _ = draw(0)
    params = params._replace(w=0 * params.w, sensory_w=0 * params.sensory_w)
    start = rng.normal(size=(50, 3)) * 20
    decay = ltc.leak_decay(leak(params, 0.0), np.array([0.7]), unfolds if solver == "fused" else None)
    low, high = ltc.with_start(*ltc.ltc_box(params), (start, start), decay)
    x = run(params, np.zeros((50, 2)), start, 0.7, solver, unfolds, epsilon=0.0)
    assert_close(x, np.where(start < params.vleak, low, high), rtol=1e-8, atol=1e-9)


def test_the_decay_is_that_of_the_leak_step_by_step():
    _, params, _, _ = draw(0)
    dt, left, held = np.array([0.5, 0.0, 2.0]), np.ones(3), np.ones(3)
    exact, fused = ltc.leak_decay(leak(params), dt), ltc.leak_decay(leak(params), dt, 3)
    for k, t in enumerate(dt):
        left = left * [math.exp(-t * (g + EPSILON) / C) for g, C in zip(params.gleak, params.cm, strict=True)]
        for _ in range(3):
            held = held * [C / (C + t / 3 * (g + EPSILON)) for g, C in zip(params.gleak, params.cm, strict=True)]
        assert_close(exact[k], left)
        assert_close(fused[k], held)


# --- the tube


@given(SEEDS)
@settings(max_examples=60)
def test_the_fused_interval_is_exact(seed):
    """Brute force over all corners of the releases' ranges, which independent inputs and states reach."""
    _, params, lows, highs = draw(seed)
    params = no_self_synapses(params)
    h = 0.4
    sensory_synapses = Synapses(*(array[:2] for array in all_synapses(params)))
    sensory = ltc.release_range(sensory_synapses, lows[0][:, None], highs[0][:, None])
    low, high = tubes.fused_part(params, [end[None] for end in sensory], lows[1], highs[1], h, EPSILON)
    values = [(float(a), float(b)) for a, b in zip(np.concatenate(lows), np.concatenate(highs), strict=True)]
    for i in range(3):
        reached = []
        mine = synapses_of(params, i)
        for x_i in (lows[1][i], highs[1][i]):
            for ends in itertools.product((0, 1), repeat=len(mine)):
                N = params.cm[i] * x_i + h * params.gleak[i] * params.vleak[i]
                D = params.cm[i] + h * (params.gleak[i] + EPSILON)
                for (w, sigma, mu, E, j), end in zip(mine, ends, strict=True):
                    s = f(values[j][end], mu, sigma)
                    N, D = N + h * w * s * E, D + h * w * s
                reached.append(N / D)
        assert_close(low[i], min(reached))
        assert_close(high[i], max(reached))


@given(SEEDS)
@settings(max_examples=30)
def test_one_fused_unfolding_attains_its_interval_and_never_leaves_it(seed):
    """All corners of inputs and states reach the ends, and no other passes them, synapses on oneself excepted."""
    rng, params, lows, highs = draw(seed)
    low_all, high_all = np.concatenate(lows), np.concatenate(highs)
    corners = np.array(list(itertools.product((0, 1), repeat=5)))
    for own, network in ((True, params), (False, no_self_synapses(params))):
        I_box = tuple(end[None] for end in (lows[0], highs[0]))
        low, high = fused_tube(network, I_box, (lows[1], highs[1]), np.array([0.3]), 1)
        at = np.where(corners, high_all, low_all)
        x = run(network, at[:, :2], at[:, 2:], 0.3, "fused")
        inner = rng.uniform(low_all, high_all, (300, 5))
        assert_inside(low, run(network, inner[:, :2], inner[:, 2:], 0.3, "fused"), high, 1e-12)
        assert_inside(low, x, high, 1e-12)
        if not own:
            assert_close(x.min(axis=0), low[0])
            assert_close(x.max(axis=0), high[0])


@pytest.mark.parametrize("kind", ["ode", "fused"])
def test_a_box_of_one_point_gives_the_trajectory(kind):
    rng, params, _, _ = draw(3, missing=0)
    I, x, dt = rng.normal(size=(4, 2)), rng.normal(size=3), np.array([0.2, 0.0, 1.0, 0.4])
    if kind == "ode":
        low, high = tubes.ode_tube(tubes.synaptic_tube(EPSILON), params, (I, I), (x, x), dt)
    else:
        low, high = fused_tube(params, (I, I), (x, x), dt, 3)
    state, states = x[None], []
    for I_k, t in zip(I, dt, strict=True):
        state = run(params, I_k[None], state, t, "scipy" if kind == "ode" else "fused", 1 if kind == "ode" else 3)
        states.append(state[0])
    assert_close(low, states, rtol=0, atol=1e-8)
    assert_close(high, states, rtol=0, atol=1e-8)


def test_the_tubes_right_side_is_the_largest_that_its_neuron_can_have():
    """Müller's condition, by plain loops over all corners of what the others can do at x_i = u_i (and l_i)."""
    for seed in range(8):
        _, params, lows, highs = draw(seed)
        form = tubes.synaptic_tube(EPSILON)
        held = form.hold(params, np.concatenate([lows[0], highs[0]])[None])
        (C, G, Q), _ = form.balance(params, held, np.concatenate([lows[1], highs[1]])[None])
        ends = np.concatenate([lows[1], highs[1]])
        slopes = (Q[0] - G[0] * ends) / C
        for i, upper in itertools.product(range(3), (False, True)):
            x_i = float(ends[i + 3 * upper])
            reached = []
            for corner in itertools.product((0, 1), repeat=5):
                values = [float((lows, highs)[end][j >= 2][j - 2 * (j >= 2)]) for j, end in enumerate(corner)]
                values[2 + i] = x_i
                current = float(params.gleak[i]) * (float(params.vleak[i]) - x_i) - EPSILON * x_i
                for w, sigma, mu, E, j in synapses_of(params, i):
                    current += w * f(values[j], mu, sigma) * (E - x_i)
                reached.append(current / float(params.cm[i]))
            assert_close(slopes[i + 3 * upper], (max if upper else min)(reached))


def test_a_tube_has_no_gradient():
    with pytest.raises(NotImplementedError, match="no gradient"):
        tubes.synaptic_tube().d_hold()


def test_the_tubes_form_knows_its_fastest_rate():
    rng, params, _, _ = draw(1)
    form = tubes.synaptic_tube(EPSILON)
    held = form.hold(params, rng.normal(size=(20, 4)))
    (C, G, _), _ = form.balance(params, held, rng.normal(size=(20, 6)))
    assert_inside(0, G / C, form.fastest(params), 1e-12)


# --- the frozen form


def test_rates_of_the_frozen_form_by_plain_loops():
    for seed in range(8):
        _, params, lows, highs = draw(seed)
        contraction_got, defect_got = ltc.frozen_rates(params, lows[0], highs[0], (lows[1], highs[1]), EPSILON)
        values = [(float(a), float(b)) for a, b in zip(np.concatenate(lows), np.concatenate(highs), strict=True)]
        speeds, contraction, defects = [], [], []
        for i, (low, high) in enumerate(values[2:]):
            far = {k: max(abs(low - E), abs(high - E)) for k, (*_, E, _) in enumerate(synapses_of(params, i))}
            current = params.gleak[i] * max(abs(params.vleak[i] - low), abs(params.vleak[i] - high))
            current += EPSILON * max(abs(low), abs(high))
            current += sum(synapse[0] * far[k] for k, synapse in enumerate(synapses_of(params, i)))
            speeds.append(current / params.cm[i])
        for i in range(3):
            low, high = values[2 + i]
            rate, defect = params.gleak[i] + EPSILON, 0.0
            for w, sigma, mu, E, j in synapses_of(params, i):
                rate += w * min(f(values[j][0], mu, sigma), f(values[j][1], mu, sigma))
                if j >= 2:
                    K = w * abs(sigma) * max(abs(low - E), abs(high - E)) / 4
                    rate, defect = rate - K, defect + K * speeds[j - 2]
            contraction.append(rate / params.cm[i])
            defects.append(defect / params.cm[i])
        assert_close(contraction_got, min(contraction))
        assert_close(defect_got, max(defects))


def test_all_synapses_have_the_inputs_first():
    params = LTCParams(*[np.ones(1)] * 3, *[np.full((1, 1), k) for k in range(8)])
    assert [array.ravel().tolist() for array in all_synapses(params)] == [[4, 0], [5, 1], [6, 2], [7, 3]]
