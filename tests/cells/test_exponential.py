"""CF4: the reference values, its order, what it keeps, and its backward where a state is clipped."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cfc_ref.cells.exponential import _stages, cf4, cf4_estimate, d_cf4, d_phi_1, half_step, mix, phi_1
from cfc_ref.cells.ltc.synapses import LTCParams, synaptic
from cfc_ref.cells.ode import Balance, Scheme
from cfc_ref.cells.solvers import solver_step
from cfc_ref.cells.tree import leaves
from tests.cells.networks import draw, draw_synaptic
from tests.compare import assert_close, assert_inside
from tests.differences import assert_gradient, central

NO_INPUT = np.zeros((0, 2))
TWO = LTCParams(  # the network of THEORY 5.8
    *np.array([[0.4, 0.9], [0.1, -0.2], [1, 0.5]]),
    *np.array([[[0.6, 1.2], [0.8, 0.3]], [[3, 5], [4, 6]], [[0.3, 0.5], [0.4, 0.6]], [[1, -1], [-1, 1]]]),
    *[NO_INPUT] * 4,
)
START = np.array([[0.7, -0.4]])
REFERENCE = {
    0.5: {
        "x2": [0.6652839428506815, -0.5143825178492472],
        "x3": [0.6687026258741322, -0.5070744449156495],
        "x4": [0.6437968261806973, -0.5500407253746077],
        "x_m": [0.6668683097072591, -0.5118067592157892],
        "new": [0.6427495518141688, -0.5510477017135597],
        "estimate": [1.4116913076289705e-06, -9.010948348231462e-05],
    },
    4.0: {
        "x2": [0.5555307247066071, -0.5940606380365443],
        "x3": [0.5607382582766771, -0.5446158640323064],
        "x4": [0.5268177366432987, -0.4875324665901215],
        "x_m": [0.55938179959238, -0.5732335517958171],
        "new": [0.524353717729068, -0.529720938992543],
        "estimate": [-0.002183392065373768, -0.0005146235284817502],
    },
}


def of_one_step(params, x, h, I=None, epsilon=0.0):
    """The arguments of a part."""
    equation = synaptic(epsilon)
    I = np.zeros((len(x), len(params.sensory_w))) if I is None else I
    return equation, params, equation.hold(params, I), x, np.broadcast_to(np.asarray(h, float), (len(x), 1))


@pytest.mark.parametrize("h", REFERENCE)
def test_the_reference_values(h):
    stages = _stages(*of_one_step(TWO, START, h))
    estimate = cf4_estimate(*of_one_step(TWO, START, h))
    got = {
        "estimate": estimate,
        "x2": stages.x[1],
        "x3": stages.x[2],
        "x4": stages.x[3],
        "x_m": stages.x_m,
        "new": stages.new,
    }
    for name, ref in REFERENCE[h].items():
        assert_close(got[name], [ref], rtol=0, atol=1e-14)
    assert_close(synaptic().box(TWO), [[-1, -1], [1, 1]])


def test_the_order_on_random_networks():
    for seed in range(20):
        p = draw("synaptic", np.random.default_rng(seed), units=6)
        p = p._replace(dt=p.dt / 2)
        truth, _ = solver_step(Scheme(p.equation, "scipy", rtol=1e-13, atol=1e-14), p.params, p.I, p.x, p.dt)
        ends = [solver_step(Scheme(p.equation, "cf4", n), p.params, p.I, p.x, p.dt)[0] for n in (16, 32, 64, 128)]
        errors = [np.abs(end - truth).max() for end in ends]
        orders = np.log2(np.divide(errors[:-1], errors[1:]))
        assert np.abs(orders - 4).max() < 0.1, f"network {seed}: orders {orders}, errors {errors}"


@given(st.integers(0, 2**31).map(np.random.default_rng), st.floats(-3, 9).map(lambda e: 10.0**e))
@settings(max_examples=40)
def test_an_equilibrium_is_kept_at_every_step(rng, h):
    params = draw_synaptic(rng, 2, 4)
    params = params._replace(sigma=params.sigma / 10)  # weak coupling: frozen steps converge
    I, x = np.repeat(rng.normal(size=(1, 2)), 1, axis=0), np.zeros((1, 4))
    x, _ = solver_step(Scheme(synaptic(1e-3), "frozen", 200), params, I, x, np.full((1, 1), 1e6))
    assert_close(cf4(*of_one_step(params, x, h, I, 1e-3)), x, 0, 1e-14)


@given(st.integers(0, 2**31).map(np.random.default_rng), st.floats(-3, 6).map(lambda e: 10.0**e))
@settings(max_examples=40)
def test_constant_sums_are_solved_exactly(rng, h):
    params = draw_synaptic(rng, 2, 4)
    params = params._replace(sigma=0 * params.sigma)  # every release between neurons is 1/2
    arguments = of_one_step(params, rng.uniform(-2, 2, (3, 4)), h, rng.normal(size=(3, 2)))
    equation, _, held, x, _ = arguments
    C, G, Q = equation.balance(params, held, x)[0]
    assert_close(cf4(*arguments), Q / G + (x - Q / G) * np.exp(-h * G / C), 1e-13, 1e-13)


def test_a_million_hard_parts_stay_in_the_box():
    rng, parts = np.random.default_rng(0), 0
    for _ in range(50):
        params = draw_synaptic(rng, 1, 3)
        scale = 10 ** rng.uniform(-1, 2)
        params = params._replace(w=params.w * scale, sensory_w=params.sensory_w * scale, sigma=params.sigma * 3)
        low, high = synaptic().box(params)
        fastest = synaptic().fastest(params).max()
        x, I = rng.uniform(low, high, (2000, 3)), rng.normal(size=(2000, 1))
        h = 10 ** rng.uniform(-3, 3, (2000, 1)) / fastest
        equation, _, held, _, _ = of_one_step(params, x, h, I)
        for _ in range(10):
            x = cf4(equation, params, held, x, h)
            assert_inside(low, x, high, 0)
            parts += len(x)
    assert parts == 1_000_000


@given(st.integers(0, 2**31).map(np.random.default_rng), st.floats(-2, 3).map(lambda e: 10.0**e))
@settings(max_examples=40)
def test_a_start_outside_comes_back_and_never_goes_further_out(rng, h):
    params = draw_synaptic(rng, 2, 4)
    low, high = synaptic().box(params)
    arguments = of_one_step(params, rng.normal(scale=20, size=(5, 4)), h, rng.normal(size=(5, 2)))
    x = arguments[3]
    new = cf4(*arguments)
    assert_inside(np.minimum(low, x), new, np.maximum(high, x), 0)


def test_a_start_far_outside_is_followed():
    p = draw("synaptic", np.random.default_rng(0))
    x = p.x * 30
    truth, _ = solver_step(Scheme(p.equation, "scipy"), p.params, p.I, x, p.dt)
    assert_close(solver_step(Scheme(p.equation, "cf4", 100), p.params, p.I, x, p.dt)[0], truth, 0, 1e-6)


# --- the half step


def test_phi_1_and_its_derivative():
    u = np.array([0.0, 1e-300, 1e-8, 9.9e-3, 1.01e-2, 0.3, 2.0, 50.0, 1e30])
    assert_close(phi_1(u[3:7]), [(1 - np.exp(-v)) / v for v in u[3:7]], 1e-13)
    assert_close(phi_1(u[[0, 1, 2, 8]]), [1, 1, 1 - 0.5e-8, 1e-30], 1e-15)
    ref = [(np.exp(-v) * (1 + v) - 1) / v**2 for v in (0.3, 2.0, 50.0)]
    assert_close(d_phi_1(u[5:8]), ref, 1e-13)
    assert_close(d_phi_1(u[:3]), [-0.5, -0.5, -0.5 + 1e-8 / 3], 1e-15)
    assert_close(d_phi_1(np.float64(1e-2 * (1 - 1e-12))), d_phi_1(np.float64(1e-2)), 0, 1e-12)
    probe = u[3:8].copy()
    assert_gradient(d_phi_1(probe), lambda: phi_1(probe).sum(), probe)


def test_a_conductance_below_0_counts_as_0():
    C, x, h = np.ones(2), np.array([[0.3, -2.0]]), np.array([[0.8]])
    below = Balance(C, np.array([[-0.5, -3.0]]), np.array([[0.4, -0.7]]))
    assert_close(half_step(below, x, h), x + h / 2 * below.Q)
    assert_close(mix((2.0, below), (-1.0, below)).G, below.G)


# --- backward where something is cut


def test_the_backward_where_states_are_clipped_and_conductances_cut():
    """No gradient passes a clip; everything else agrees with differences, as does the rest of a clipped part."""
    rng, clipped, cut = np.random.default_rng(3), 0, 0
    for _ in range(12):
        params = draw_synaptic(rng, 1, 3)
        params = params._replace(w=params.w * 30, sigma=params.sigma * 4)
        low, high = synaptic().box(params)
        x, I, h = rng.uniform(low, high, (2, 3)), rng.normal(size=(2, 1)), np.full((2, 1), 0.3)
        equation, d_new = synaptic(), rng.normal(size=(2, 3))

        def part(params=params, I=I, x=x, h=h, equation=equation):
            return _stages(equation, params, equation.hold(params, I), x, h)

        stages = part()
        clipped += sum(int((~free).sum()) for free in stages.free)
        cut += sum(int((balance.G < 0).sum()) for balance in stages.mixed)
        d_params, _, d_x, d_h = d_cf4(equation, params, equation.hold(params, I), x, h, d_new)
        loss = lambda part=part, d_new=d_new: np.sum(part().new * d_new)  # noqa: E731
        assert_gradient(d_x, loss, x)
        assert_gradient(d_h, loss, h)
        assert_gradient(d_params.w, loss, params.w)
        assert_gradient(d_params.mu, loss, params.mu)
    assert clipped >= 3
    assert cut >= 3


def test_a_neuron_whose_box_is_a_point_still_learns_its_potential():
    """At rest on its only potential, a clip that rounding causes is none."""
    none = np.zeros((1, 1))
    params = LTCParams(np.ones(1) * 0.7, np.ones(1) * 0.3, np.ones(1), *[none] * 4, *[np.zeros((0, 1))] * 4)
    equation, held, x, h = synaptic(), None, params.vleak[None].copy(), np.full((1, 1), 0.9)
    for _ in range(20):
        held = equation.hold(params, np.zeros((1, 0)))
        gradients = d_cf4(equation, params, held, x, h, np.ones((1, 1)))
        assert_close(gradients[2], np.exp(-0.7 * h), 1e-12)
        assert_close(gradients[1][1] * params.gleak, 1 - np.exp(-0.7 * h), 1e-12)
        x = cf4(equation, params, held, x, h)


def test_every_parameter_gets_its_gradient():
    p = draw("synaptic", np.random.default_rng(5), inputs=2, units=5, batch=2)
    d_new = np.random.default_rng(6).normal(size=p.x.shape)

    def loss():
        return np.sum(cf4(p.equation, p.params, p.equation.hold(p.params, p.I), p.x, p.dt) * d_new)

    d_params, d_held, _, _ = d_cf4(p.equation, p.params, p.equation.hold(p.params, p.I), p.x, p.dt, d_new)
    d_params_held, d_I = p.equation.d_hold(p.params, p.I, d_held)
    for got, more, array in zip(leaves(d_params), leaves(d_params_held), leaves(p.params), strict=True):
        assert_close(got + more, central(loss, array), 0, 1e-7)
    assert_gradient(d_I, loss, p.I)
