"""Every solver, of both forms: against the oracle, against scipy at its order, and backwards against differences."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from cfc_ref.cells.adjoint import integrate
from cfc_ref.cells.ltc.neural import NEURAL
from cfc_ref.cells.ltc.synapses import LTCParams, synaptic
from cfc_ref.cells.ode import Scheme, right_side
from cfc_ref.cells.solvers import SOLVERS, d_solver_step, overstep, solver_step
from cfc_ref.cells.tree import leaves, tree_map
from tests import naive_ltc
from tests.cells.networks import FORMS, draw, draw_synaptic
from tests.compare import assert_close, refusal
from tests.differences import assert_gradient

FIXED = [name for name, solver in SOLVERS.items() if solver.part]
AVERAGING = ("fused", "frozen", "frozen_midpoint", "cf4")  # their steps are weighted means, or clipped to a box
kinds, fixed = st.sampled_from(FORMS), st.sampled_from(FIXED)
generators = st.integers(0, 2**31).map(np.random.default_rng)


def shorter(p, share):
    """The same problem with shorter steps, for explicit solvers."""
    return p._replace(dt=p.dt * share)


def step(p, solver, parts=1, **options):
    return solver_step(Scheme(p.equation, solver, parts, **options), p.params, p.I, p.x, p.dt)


def test_the_oracle_knows_them_all():
    assert set(FIXED) == set(naive_ltc.PARTS)
    assert set(SOLVERS) - set(FIXED) == {"scipy"}


@given(kinds, fixed, generators, st.integers(1, 12), st.integers(1, 4), st.sampled_from([1, 3, 4]))
def test_a_step_is_the_oracles(kind, solver, rng, parts, units, batch):
    p = draw(kind, rng, 2, units, batch, epsilon=1e-3 if kind == "synaptic" else 0.0)
    new, kept = step(p, solver, parts)
    assert len(kept.states) == parts + 1
    for b in range(batch):
        assert_close(new[b], naive_ltc.solver_step(solver, p.sums(b), p.x[b].tolist(), p.dt[b, 0], parts, p.box))


@pytest.mark.parametrize("parts", [1, 3])
@pytest.mark.parametrize("solver", FIXED)
@pytest.mark.parametrize("kind", FORMS)
def test_the_backward_by_central_differences(kind, solver, parts):
    p = draw(kind, np.random.default_rng(parts), units=4, batch=3, epsilon=0.1 if kind == "synaptic" else 0.0)
    scheme, d_new = Scheme(p.equation, solver, parts), np.random.default_rng(9).normal(size=p.x.shape)

    def loss():
        return np.sum(step(p, solver, parts)[0] * d_new)

    d_params, d_I, d_x, d_dt = d_solver_step(scheme, p.params, step(p, solver, parts)[1], d_new)
    for got, array in zip((d_I, d_x, d_dt), (p.I, p.x, p.dt), strict=True):
        assert_gradient(got, loss, array)
    for got, array in zip(leaves(d_params), leaves(p.params), strict=True):
        assert_gradient(got, loss, array)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("kind", FORMS)
def test_a_step_of_no_length_is_the_identity(kind, solver, dtype):
    p = shorter(draw(kind, np.random.default_rng(0), dtype=dtype), 0)
    assert_close(step(p, solver, 1 if solver == "scipy" else 6)[0], p.x, 0, 0, dtype)


@pytest.mark.parametrize("solver", FIXED)
@pytest.mark.parametrize("kind", FORMS)
def test_the_gradient_of_a_step_of_no_length(kind, solver):
    """It is that of the identity, and by the length the slope; nothing is divided by it."""
    p = shorter(draw(kind, np.random.default_rng(0)), 0)
    d_new = np.random.default_rng(9).normal(size=p.x.shape)
    d_params, d_I, d_x, d_dt = d_solver_step(Scheme(p.equation, solver, 3), p.params, step(p, solver, 3)[1], d_new)
    slope = right_side(p.equation, p.params, p.equation.hold(p.params, p.I), p.x)
    assert_close(d_x, d_new)
    assert_close(d_dt, (slope * d_new).sum(axis=1, keepdims=True))
    assert_close(d_I, np.zeros_like(p.I), 0, 1e-15)
    for gradient in leaves(d_params):
        assert_close(gradient, np.zeros(gradient.shape), 0, 1e-15)


@pytest.mark.parametrize("solver", FIXED)
@pytest.mark.parametrize("kind", FORMS)
def test_the_order_over_three_halvings(kind, solver):
    p = draw(kind, np.random.default_rng(4), inputs=3, units=6, batch=4)
    truth, _ = step(p, "scipy", rtol=1e-13, atol=1e-14)
    first = 20 if solver == "cf4" else {1: 64, 2: 24, 4: 30}[SOLVERS[solver].order]
    errors = [np.abs(step(p, solver, first * 2**k)[0] - truth).max() for k in range(4)]
    orders = np.log2(np.divide(errors[:-1], errors[1:]))
    assert np.abs(orders - SOLVERS[solver].order).max() < 0.1, f"orders {orders}, errors {errors}"
    assert errors[-1] > 1e-12  # above the truth's own error


# --- scipy


def by_scipy(p, b, I_of):
    """The oracle's ODE of one sample, with the input as a function of the share of the step."""

    def slope(share, x):
        sums = p.oracle(I_of(share).tolist(), x.tolist())
        return [p.dt[b, 0] * (Q - G * x_i) / C for (C, G, Q), x_i in zip(sums, x, strict=True)]

    return solve_ivp(slope, (0, 1), p.x[b], "DOP853", rtol=1e-12, atol=1e-13).y[:, -1]


@pytest.mark.parametrize("kind", FORMS)
def test_a_held_input(kind):
    p = draw(kind, np.random.default_rng(0), batch=3)
    new, kept = step(p, "scipy")
    for b in range(3):
        assert_close(new[b], by_scipy(p, b, lambda share, b=b: p.I[b]), rtol=0, atol=1e-9)
    assert_close(kept.path(0.0), p.x.reshape(-1), 0, 1e-15)
    half, _ = step(shorter(p, 0.5), "scipy")
    assert_close(kept.path(0.5), half.reshape(-1), rtol=0, atol=1e-8)


@pytest.mark.parametrize("kind", FORMS)
def test_an_input_that_runs_along_a_line(kind):
    p = draw(kind, np.random.default_rng(0), batch=3)
    was = np.random.default_rng(1).normal(size=p.I.shape)
    new, _ = integrate(Scheme(p.equation, "scipy"), p.params, np.stack([was, p.I]), p.x, p.dt)
    for b in range(3):
        line = by_scipy(p, b, lambda share, b=b: (1 - share) * was[b] + share * p.I[b])
        assert_close(new[b], line, rtol=0, atol=1e-9)


@pytest.mark.parametrize("method", ["RK23", "RK45", "Radau", "BDF", "LSODA"])
def test_any_of_scipys_methods(method):
    p = draw("synaptic", np.random.default_rng(0))
    assert_close(step(p, "scipy", method=method, rtol=1e-9)[0], step(p, "scipy")[0], rtol=0, atol=1e-6)


def test_a_network_without_synapses_decays_like_an_exponential():
    rng = np.random.default_rng(0)
    g, V, C = rng.uniform(0.5, 2, (3, 4))
    params = LTCParams(g, V, C, *[np.zeros((4, 4))] * 4, *[np.zeros((2, 4))] * 4)
    x, dt = rng.normal(size=(3, 4)), rng.uniform(0.1, 2, (3, 1))
    ref = V + (x - V) * np.exp(-g / C * dt)
    for solver, tolerance in (
        ("scipy", 1e-9),
        ("frozen", 1e-14),
        ("frozen_midpoint", 1e-14),
        ("cf4", 1e-14),
        ("rk4", 1e-6),
    ):
        new, _ = solver_step(Scheme(synaptic(), solver, 1 if solver == "scipy" else 20), params, np.ones((3, 2)), x, dt)
        assert_close(new, ref, rtol=0, atol=tolerance)


def test_scipy_has_no_backprop():
    p = draw("synaptic", np.random.default_rng(0))
    with pytest.raises(ValueError, match=refusal("solver")) as refused:
        d_solver_step(Scheme(p.equation, "scipy"), p.params, step(p, "scipy")[1], p.x)
    assert "adjoint" in str(refused.value)


def test_scipy_that_gives_up_says_so():
    p = draw("neural", np.random.default_rng(0))
    broken = p.equation._replace(
        balance=lambda *arguments: (p.equation.balance(*arguments)[0]._replace(Q=p.x * np.nan), None)
    )
    with pytest.raises((RuntimeError, ValueError)):
        solver_step(Scheme(broken, "scipy", method="BDF"), p.params, p.I, p.x, p.dt)


@pytest.mark.parametrize("solver", SOLVERS)
def test_no_samples(solver):
    p = draw("synaptic", np.random.default_rng(0), batch=0)
    new, kept = step(p, solver)
    assert new.shape == (0, 4)
    assert overstep(Scheme(p.equation, solver, 1), p.params, kept) is None


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("kind", FORMS)
def test_float32_stays_float32(kind, solver):
    p = draw(kind, np.random.default_rng(0))
    single = p._replace(**{name: tree_map(np.float32, getattr(p, name)) for name in ("params", "I", "x", "dt")})
    new, kept = step(single, solver)
    assert_close(new, step(p, solver)[0], 1e-5, 1e-5, np.float32)
    if solver in FIXED:
        gradients = d_solver_step(Scheme(p.equation, solver, 1), single.params, kept, new)
        assert {leaf.dtype for leaf in leaves(gradients)} == {np.dtype("float32")}


# --- stability, boxes, extremes


def decay(rate, batch=1):
    """The network x' = -rate x, and x = 1."""
    none = np.zeros((batch, 1))
    return LTCParams(np.full(1, rate), np.zeros(1), np.ones(1), *[np.zeros((1, 1))] * 8), none, none + 1


@pytest.mark.parametrize("solver", ["euler", "rk4"])
def test_the_limit_is_where_steps_begin_to_grow(solver):
    limit = SOLVERS[solver].limit
    for share, grows in ((0.999, False), (1.001, True)):
        params, I, x = decay(limit * share)
        scheme = Scheme(synaptic(), solver, 2000)
        new, kept = solver_step(scheme, params, I, x, np.full((1, 1), 2000.0))
        assert (abs(new.item()) > 1) == grows
        assert (overstep(scheme, params, kept) is not None) == grows


@pytest.mark.parametrize("solver", AVERAGING)
def test_the_others_have_no_limit(solver):
    params, I, x = decay(1e6)
    new, kept = solver_step(Scheme(synaptic(), solver, 3), params, I, x, x)
    assert abs(new.item()) < 1e-5
    assert overstep(Scheme(synaptic(), solver, 3), params, kept) is None


def test_an_overstep_is_that_of_the_worst_sample_and_rate():
    rng = np.random.default_rng(0)
    p = draw("synaptic", rng, units=5, batch=4)
    scheme = Scheme(p.equation, "euler", 2)
    params = p.params._replace(cm=p.params.cm / 50)
    _, kept = solver_step(scheme, params, p.I, p.x, p.dt)
    products = []
    for b in range(4):
        for x in kept.states[:-1]:
            sums, _ = p.equation.balance(params, p.equation.hold(params, p.I), x)
            products += [(p.dt[b, 0] / 2 * rate, p.dt[b, 0] / 2, rate) for rate in (sums.G / sums.C)[b]]
    worst = overstep(scheme, params, kept)
    assert_close([worst.h * worst.rate, worst.h, worst.rate], max(products))
    assert worst.limit == 2


def test_a_bound_above_the_limit_is_no_overstep_while_the_rates_are_below():
    """Closed synapses: the fastest rate is not met."""
    p = draw("synaptic", np.random.default_rng(0), units=1)
    params = p.params._replace(w=p.params.w * 0 + 1e3, sigma=p.params.sigma * 0 + 10, mu=p.params.mu * 0 + 50)
    scheme = Scheme(p.equation, "euler", 4)
    _, kept = solver_step(scheme, params, p.I, p.x, p.dt)
    assert (p.dt / 4 * p.equation.fastest(params) > 2).all()
    assert overstep(scheme, params, kept) is None


@given(st.sampled_from(AVERAGING), generators, st.sampled_from([1e-6, 1.0, 1e3, 1e9]))
@settings(max_examples=60)
def test_averaging_solvers_keep_the_box_of_the_reversal_potentials(solver, rng, length):
    """Whatever the step's length (LTC bounds, Hasani et al. 2021, Theorem 2); ε pulls towards 0."""
    params = draw_synaptic(rng, 3, 5)
    present = [params.erev[params.w > 0], params.sensory_erev[params.sensory_w > 0]]
    potentials = np.concatenate([[0.0], params.vleak, *present])
    low, high = potentials.min(), potentials.max()
    x, I = rng.uniform(low, high, (20, 5)), rng.normal(scale=10, size=(20, 3))
    _, kept = solver_step(Scheme(synaptic(1e-8), solver, 4), params, I, x, np.full((20, 1), length))
    for states in kept.states:
        assert states.min() >= low - 1e-12
        assert states.max() <= high + 1e-12


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("solver", AVERAGING)
def test_weights_of_either_extreme_give_finite_values_and_gradients(solver, dtype):
    """Warnings are errors, here as everywhere: no overflow, nothing divided by 0."""
    rng = np.random.default_rng(0)
    smallest = np.sqrt(np.finfo(dtype).tiny)
    for _ in range(40):
        size = {"gleak": (4,), "cm": (4,), "w": (4, 4), "sensory_w": (2, 4)}
        size |= {"vleak": (4,), "sigma": (4, 4), "mu": (4, 4), "erev": (4, 4)}
        size |= {f"sensory_{name}": (2, 4) for name in ("sigma", "mu", "erev")}
        positive = {"gleak", "cm", "w", "sensory_w"}
        params = LTCParams(
            **{
                name: rng.choice([smallest, 1.0, 1e6] if name in positive else [-1e6, 0.0, 1.0, 1e6], shape).astype(
                    dtype
                )
                for name, shape in size.items()
            }
        )
        I, x = (rng.choice([-1e6, 0.0, 1e6], shape).astype(dtype) for shape in ((3, 2), (3, 4)))
        dt = rng.choice([0.0, 1e-6, 1.0, 1e6], (3, 1)).astype(dtype)
        scheme = Scheme(synaptic(1e-8), solver, 2)
        new, kept = solver_step(scheme, params, I, x, dt)
        assert np.isfinite(new).all()
        assert np.abs(new).max() <= 1.001e6
        if dtype == "float64":
            gradients = d_solver_step(scheme, params, kept, np.ones_like(x))
            assert all(np.isfinite(leaf).all() for leaf in leaves(gradients))


def test_the_neural_form_is_finite_too():
    p = draw("neural", np.random.default_rng(0), batch=3)
    wild = p._replace(params=tree_map(lambda array: array * 1e6, p.params), I=p.I * 1e6, x=p.x * 1e6, dt=p.dt * 1e6)
    for solver in AVERAGING:
        new, kept = step(wild, solver, 3)
        gradients = d_solver_step(Scheme(NEURAL, solver, 3), wild.params, kept, np.ones_like(new))
        assert all(np.isfinite(leaf).all() for leaf in leaves((new, *gradients)))
