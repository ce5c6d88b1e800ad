"""The adjoint gradient of scipy's solution: against differences and backprop; what is lost without the path."""

import numpy as np
import pytest

from cfc_ref.cells.adjoint import d_adjoint_step, d_reversed_step, integrate
from cfc_ref.cells.ctrnn import CTRNNParams, ctrnn_equation
from cfc_ref.cells.dense import Dense
from cfc_ref.cells.ltc.synapses import LTCParams, synaptic
from cfc_ref.cells.ode import Balance, Equation, Scheme, right_side
from cfc_ref.cells.solvers import d_solver_step, solver_step
from cfc_ref.cells.tree import leaves, tree_map
from tests.cells.networks import FORMS, draw, largest
from tests.compare import assert_close
from tests.differences import assert_gradient, central


def truth(p):
    return Scheme(p.equation, "scipy", rtol=1e-12, atol=1e-13)


def adjoint(p, d_new, by=d_adjoint_step):
    scheme = truth(p)
    return by(scheme, p.params, solver_step(scheme, p.params, p.I, p.x, p.dt)[1], d_new)


@pytest.mark.parametrize("by", [d_adjoint_step, d_reversed_step])
@pytest.mark.parametrize("line", [False, True])
@pytest.mark.parametrize("kind", FORMS)
def test_by_central_differences(kind, line, by):
    rng = np.random.default_rng(0)
    p = draw(kind, rng, inputs=2, units=2)
    if line:
        p = p._replace(I=np.stack([rng.normal(size=p.I.shape), p.I]))
    d_new = rng.normal(size=p.x.shape)

    def loss():
        return np.sum(solver_step(truth(p), p.params, p.I, p.x, p.dt)[0] * d_new)

    d_params, d_I, d_x, d_dt = adjoint(p, d_new, by)
    for got, array in zip((d_I, d_x, d_dt), (p.I, p.x, p.dt), strict=True):
        assert_gradient(got, loss, array, 1e-6)
    for got, array in zip(leaves(d_params), leaves(p.params), strict=True):
        assert_gradient(got, loss, array, 1e-6)


@pytest.mark.parametrize(("solver", "order", "first"), [("rk4", 4, 64), ("frozen_midpoint", 2, 16), ("fused", 1, 64)])
@pytest.mark.parametrize("kind", FORMS)
def test_backprop_comes_to_it_as_the_steps_shrink(kind, solver, order, first):
    p = draw(kind, np.random.default_rng(1))
    d_new = np.random.default_rng(9).normal(size=p.x.shape)
    ref, errors = adjoint(p, d_new), []
    for parts in (first, 2 * first, 4 * first):
        scheme = Scheme(p.equation, solver, parts)
        got = d_solver_step(scheme, p.params, solver_step(scheme, p.params, p.I, p.x, p.dt)[1], d_new)
        errors.append(largest(tree_map(np.subtract, got, ref)))
    orders = np.log2(np.divide(errors[:-1], errors[1:]))
    assert np.abs(orders - order).max() < 0.3, f"orders {orders}, errors {errors}"
    assert errors[-1] < 0.01


@pytest.mark.parametrize("kind", FORMS)
def test_a_step_of_no_length(kind):
    p = draw(kind, np.random.default_rng(0))
    p = p._replace(dt=0 * p.dt)
    d_new = np.random.default_rng(9).normal(size=p.x.shape)
    d_params, d_I, d_x, d_dt = adjoint(p, d_new)
    slope = right_side(p.equation, p.params, p.equation.hold(p.params, p.I), p.x)
    assert_close(d_x, d_new)
    assert_close(d_dt, (slope * d_new).sum(axis=1, keepdims=True))
    assert largest(d_params, d_I) == 0


def test_a_state_integrated_back_is_lost_where_a_neuron_forgets():
    """A fast neuron, of 40 time constants a step, drives a slow one, whose gradient needs all of its path."""
    w, sigma, mu, erev = (np.array([[0.0, v], [0.0, 0.0]]) for v in (1.0, 3.0, 0.2, 1.0))
    leak = np.array([40.0, 0.1]), np.array([0.37, 0.0]), np.ones(2)
    params = LTCParams(*leak, w, sigma, mu, erev, *[np.zeros((1, 2))] * 4)
    x, one, d_new = np.array([[-1.0, 0.0]]), np.ones((1, 1)), np.array([[0.0, 1.0]])
    scheme = Scheme(synaptic(), "scipy")
    _, kept = solver_step(scheme, params, one, x, one)

    def error(by):
        return np.abs(by(scheme, params, kept, d_new)[0].w[0, 1] - ref)

    def loss():
        return solver_step(scheme, params, one, x, one)[0][0, 1]

    ref = central(loss, w)[0, 1]
    assert error(d_adjoint_step) < 1e-7 * ref
    assert error(d_reversed_step) > 0.1 * ref


def test_float32_stays_float32_and_no_samples_have_no_gradient():
    p = draw("neural", np.random.default_rng(0))
    single = p._replace(**{name: tree_map(np.float32, getattr(p, name)) for name in ("params", "I", "x", "dt")})
    got, ref = adjoint(single, single.x), adjoint(p, p.x)
    for a, b in zip(leaves(got), leaves(ref), strict=True):
        assert_close(a, b, 1e-4, 1e-5, np.float32)
    nobody = draw("neural", np.random.default_rng(0), batch=0)
    d_params, d_I, d_x, d_dt = adjoint(nobody, nobody.x)
    assert (d_I.shape, d_x.shape, d_dt.shape) == ((0, 3), (0, 4), (0, 1))
    assert largest(d_params) == 0


# --- long and stiff steps, which an explicit method alone would cut into as many parts as its stability asks for


def with_ctrnn(kind, rng):
    if kind != "ctrnn":
        return draw(kind, rng, batch=1)
    params = CTRNNParams(
        Dense(*(rng.normal(size=s) for s in ((4, 3), 4))), Dense(rng.normal(size=(4, 4)), None), np.ones(4)
    )
    return draw("neural", rng, batch=1)._replace(equation=ctrnn_equation(1.5), params=params)


@pytest.mark.parametrize(("kind", "length"), [("synaptic", 1e6), ("neural", 1e12), ("ctrnn", 1e4)])
def test_a_long_step_ends_where_the_state_rests(kind, length):
    p = with_ctrnn(kind, np.random.default_rng(0))
    ends = [solver_step(Scheme(p.equation, "scipy"), p.params, p.I, p.x, p.dt * share)[0] for share in (400, length)]
    assert_close(ends[1], ends[0], 0, 1e-9)
    assert largest(right_side(p.equation, p.params, p.equation.hold(p.params, p.I), ends[1])) < 1e-9


@pytest.mark.parametrize("kind", ["neural", "ctrnn"])
def test_the_gradient_of_a_long_step_is_that_of_the_state_of_rest(kind):
    p = with_ctrnn(kind, np.random.default_rng(0))
    short, long = (adjoint(p._replace(dt=p.dt * 0 + length), p.x) for length in (100, 1e6))
    for got, ref in zip(leaves(long), leaves(short), strict=True):
        assert_close(got, ref, 0, 1e-8)
    assert max(largest(d) for d in long[2:]) < 1e-8  # the start is forgotten, and more time changes nothing


def test_a_step_of_stiff_weights_and_one_whose_input_runs_along_a_line():
    p = draw("synaptic", np.random.default_rng(0))
    stiff = p.params._replace(w=p.params.w * [[1e5], [1], [1e3], [1]])
    lines = np.stack([p.I, p.I[::-1]])
    for params, I, dt in ((stiff, p.I, p.dt), (p.params, lines, p.dt * 1e4)):
        got, ref = (
            integrate(Scheme(p.equation, "scipy", method=method, rtol=1e-9), params, I, p.x, dt)[0]
            for method in ("DOP853", "LSODA")
        )
        assert_close(got, ref, 0, 1e-6)


def rotation(rate):
    """Return the ODE x' = rate (-x₁, x₀): it never comes to rest."""
    one = np.ones(2)
    return Equation(
        lambda params, I: None,
        None,
        lambda params, held, x: (Balance(one, 0 * x, rate * x[:, ::-1] * [-1, 1]), None),
        None,
        None,
    )


def test_a_state_that_never_rests_is_followed_all_the_same():
    x, turns = np.array([[1.0, 0.0]]), 80
    end, path = integrate(Scheme(rotation(2 * np.pi), "scipy"), (), np.ones((1, 1)), x, np.full((1, 1), turns + 0.25))
    assert_close(end, [[0.0, 1.0]], 0, 1e-6)
    assert len(path.ts) > 900  # two turns of the other method, and the rest
    assert_close(path(40 / (turns + 0.25)), x[0], 0, 1e-6)


def test_what_takes_too_many_steps_ends_with_an_error(monkeypatch):
    monkeypatch.setattr("cfc_ref.cells.adjoint._MOST", 400)
    x = np.array([[1.0, 0.0]])
    with pytest.raises(RuntimeError, match=r"after 400 steps.*shorter timespans"):
        integrate(Scheme(rotation(1.0), "scipy"), (), x, x, np.full((1, 1), 1e6))
