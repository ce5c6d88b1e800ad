"""The Jacobian's logarithmic norm, its Lipschitz constant, and the growth of an error between two runs."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from cfc_ref.bounds.run_contraction import error_after, jacobian_lipschitz, logarithmic_norm
from cfc_ref.cells.ltc.synapses import synaptic
from cfc_ref.cells.ode import right_side
from tests.cells.networks import draw_synaptic
from tests.compare import assert_close

generators = st.integers(0, 2**31).map(np.random.default_rng)
EQUATION = synaptic(0.01)


def network(rng, units=4):
    params = draw_synaptic(rng, 2, units)
    return params, EQUATION.hold(params, rng.normal(size=(3, 2))), rng.uniform(*EQUATION.box(params), (3, units))


def jacobian(params, held, x, step=1e-6):
    """By central differences, [batch, of the slope, by the state]."""
    columns = []
    for j in range(x.shape[1]):
        nudge = step * (np.arange(x.shape[1]) == j)
        ends = [right_side(EQUATION, params, held, x + sign * nudge) for sign in (1, -1)]
        columns.append((ends[0] - ends[1]) / (2 * step))
    return np.stack(columns, axis=2)


@given(generators)
@settings(max_examples=20)
def test_the_logarithmic_norm_is_that_of_the_jacobian(rng):
    params, held, x = network(rng)
    J = jacobian(params, held, x)
    ref = [np.linalg.eigvalsh((one + one.T) / 2).max() for one in J]
    assert_close(logarithmic_norm(EQUATION, params, held, x), ref, 1e-6, 1e-6)


@given(generators)
@settings(max_examples=20)
def test_the_jacobian_changes_no_faster_than_its_constant(rng):
    params, held, x = network(rng)
    y = rng.uniform(*EQUATION.box(params), x.shape)
    change = np.linalg.norm(jacobian(params, held, x) - jacobian(params, held, y), ord=2, axis=(1, 2))
    assert (change <= jacobian_lipschitz(params, EQUATION.box(params)) * np.linalg.norm(x - y, axis=1) + 1e-6).all()


def test_the_growth_of_an_error():
    E, norms, h, L = np.array([0.1, 0.3]), np.array([[-1.0, 0.5]] * 5), np.array([0.7, 0.9]), 0.8
    ref = [
        solve_ivp(lambda t, e, m=m: m * e + L / 2 * e * e, (0, t), [e], rtol=1e-10, atol=1e-12).y[0, -1]
        for e, m, t in zip(E, norms[0], h, strict=True)
    ]
    assert_close(error_after(E, norms, h, L), ref, 1e-4)
    assert_close(error_after(0 * E, norms, h, L), [0, 0], 0, 0)
    beyond = error_after(np.array([1e3, np.inf]), norms, h, L)
    assert np.isposinf(beyond).all()
