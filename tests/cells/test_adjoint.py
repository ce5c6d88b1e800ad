"""The adjoint gradient of scipy's solution: against differences and backprop; what is lost without the path."""

import numpy as np
import pytest

from cfc_ref.cells.adjoint import d_adjoint_step, d_reversed_step
from cfc_ref.cells.conductance import right_side
from cfc_ref.cells.ltc import LTCParams, synaptic
from cfc_ref.cells.solvers import Scheme, d_solver_step, solver_step
from cfc_ref.cells.tree import leaves, tree_map
from tests.cells.networks import FORMS, draw, largest
from tests.compare import assert_close
from tests.differences import assert_gradient, central


def truth(p):
    return Scheme(p.form, "scipy", rtol=1e-12, atol=1e-13)


def adjoint(p, d_new, by=d_adjoint_step):
    scheme = truth(p)
    return by(scheme, p.params, solver_step(scheme, p.params, p.I, p.x, p.dt)[1], d_new)


@pytest.mark.parametrize("by", [d_adjoint_step, d_reversed_step])
@pytest.mark.parametrize("line", [False, True])
@pytest.mark.parametrize("kind", FORMS)
def test_by_central_differences(kind, line, by):
    rng = np.random.default_rng(0)
    p = draw(kind, rng, inputs=2, units=3)
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
    for unfolds in (first, 2 * first, 4 * first):
        scheme = Scheme(p.form, solver, unfolds)
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
    slope = right_side(p.form, p.params, p.form.hold(p.params, p.I), p.x)
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
