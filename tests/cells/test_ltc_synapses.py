"""Both forms' sums and right-hand sides against the oracle, their backwards against central differences."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cfc_ref.cells.ltc.synapses import LTCParams, Synapses, d_synapse_sums, synapse_sums, synaptic, trace_ltc
from cfc_ref.cells.ode import Balance, d_positive, d_right_side, positive, right_side
from cfc_ref.cells.tree import leaves
from tests import naive_ltc
from tests.cells.networks import FORMS, draw
from tests.compare import assert_close
from tests.differences import assert_gradient

problems = st.tuples(
    st.sampled_from(FORMS),
    st.integers(0, 2**31).map(np.random.default_rng),
    st.integers(1, 4),
    st.integers(1, 5),
    st.integers(1, 3),
).map(lambda v: draw(*v, epsilon=0.1 if v[0] == "synaptic" else 0.0))


@given(problems)
def test_sums_and_right_side_are_those_of_the_oracle(p):
    held = p.equation.hold(p.params, p.I)
    (C, G, Q), _ = p.equation.balance(p.params, held, p.x)
    slope = right_side(p.equation, p.params, held, p.x)
    for b in range(len(p.x)):
        x = p.x[b].tolist()
        assert_close(np.stack([C, G[b], Q[b]], axis=1), p.sums(b)(x))
        assert_close(slope[b], naive_ltc.slopes(p.sums(b), x))


@given(problems)
@settings(max_examples=40)
def test_the_backward_of_the_right_side(p):
    d_slope = np.cos(np.arange(p.x.size)).reshape(p.x.shape)

    def loss():
        return np.sum(right_side(p.equation, p.params, p.equation.hold(p.params, p.I), p.x) * d_slope)

    held = p.equation.hold(p.params, p.I)
    d_params, d_held, d_x = d_right_side(p.equation, p.params, held, p.x, d_slope)
    d_params_held, d_I = p.equation.d_hold(p.params, p.I, d_held)
    assert_gradient(d_x, loss, p.x)
    assert_gradient(d_I, loss, p.I)
    for here, through_held, array in zip(leaves(d_params), leaves(d_params_held), leaves(p.params), strict=True):
        assert_gradient(here + through_held, loss, array)


@pytest.mark.parametrize("kind", FORMS)
def test_the_backward_of_the_sums_takes_each_sum_by_itself(kind):
    p = draw(kind, np.random.default_rng(0))
    held = p.equation.hold(p.params, p.I)
    (_, G, _), kept = p.equation.balance(p.params, held, p.x)
    weights = np.random.default_rng(1).normal(size=(3, *G.shape))
    for only in range(3):
        d = Balance(*(weights[k] if k == only else np.zeros_like(G) for k in range(3)))

        def loss(d=d):
            now = p.equation.balance(p.params, held, p.x)[0]
            return sum(np.sum(sums * part) for sums, part in zip(now, d, strict=True))

        d_params, _, d_x = p.equation.d_balance(p.params, p.x, kept, d)
        assert_gradient(d_x, loss, p.x)
        for got, array in zip(leaves(d_params), leaves(p.params), strict=True):
            if np.ndim(got):
                assert_gradient(got, loss, array)


def test_synapses_from_as_many_neurons_as_samples_as_targets():
    """Three axes of length 3: sums run over the presynaptic one."""
    rng = np.random.default_rng(0)
    w, sigma, mu, erev, pre = rng.uniform(0.5, 1, (5, 3, 3))
    G, Q, s = synapse_sums(Synapses(w, sigma, mu, erev), pre)
    for b, j, i in np.ndindex(3, 3, 3):
        assert_close(s[b, j, i], 1 / (1 + np.exp(-sigma[j, i] * (pre[b, j] - mu[j, i]))))
    assert_close(G, np.einsum("ji,bji->bi", w, s))
    assert_close(Q, np.einsum("ji,bji,ji->bi", w, s, erev))
    assert d_synapse_sums(Synapses(w, sigma, mu, erev), pre, s, G, Q)[1].shape == (3, 3)


@given(problems)
def test_no_rate_is_above_the_fastest(p):
    fastest = p.equation.fastest(p.params)
    for x in (p.x, p.x + 1e3, p.x - 1e3):
        for I in (p.I, p.I + 1e3, p.I - 1e3):
            (C, G, _), _ = p.equation.balance(p.params, p.equation.hold(p.params, I), x)
            assert (fastest * (1 + 1e-12) >= G / C).all()


def test_the_fastest_rate_is_met_with_every_synapse_open():
    p = draw("synaptic", np.random.default_rng(0), epsilon=0.2)
    (C, G, _), _ = p.equation.balance(p.params, p.equation.hold(p.params, p.I + 1e3), p.x + 1e3)
    assert_close(G / C, np.tile(p.equation.fastest(p.params), (2, 1)))


def test_epsilon_is_one_more_leak_on_the_value_0():
    p = draw("synaptic", np.random.default_rng(0), units=3)
    g, V = p.params.gleak, p.params.vleak
    more = p.params._replace(gleak=g + 0.3, vleak=g * V / (g + 0.3))
    plain, with_epsilon = synaptic(), synaptic(0.3)
    assert_close(
        right_side(with_epsilon, p.params, with_epsilon.hold(p.params, p.I), p.x),
        right_side(plain, more, plain.hold(more, p.I), p.x),
    )


def test_a_synapse_that_is_not_there_does_nothing_whatever_its_other_numbers():
    p = draw("synaptic", np.random.default_rng(0))
    missing = p.params.w == 0
    assert missing.any()
    other = p.params._replace(
        **{name: np.where(missing, 7.0, getattr(p.params, name)) for name in ("sigma", "mu", "erev")}
    )
    for params in (p.params, other):
        got = right_side(p.equation, params, p.equation.hold(params, p.I), p.x)
        assert_close(got, right_side(p.equation, p.params, p.equation.hold(p.params, p.I), p.x), 0, 0)


def test_the_currents_of_a_trace_add_up():
    p = draw("synaptic", np.random.default_rng(0), units=5)
    trace = trace_ltc(p.params, p.I, p.x, epsilon=0.1)
    parts = trace["synaptic_current"].sum(axis=1) + trace["sensory_current"].sum(axis=1) + trace["leak_current"]
    assert_close(trace["current"], parts - 0.1 * p.x)
    assert_close(trace["current"] * trace["time_constant"] / p.params.cm, trace["equilibrium"] - p.x)


# --- positive weights


@given(st.floats(-30, 30))
def test_positive_is_softplus_and_its_backward_is_its_derivative(z):
    array = np.array([z])
    y = positive(array)
    assert_close(y, [naive_ltc.softplus(z)])
    assert_close(d_positive(y, np.array([2.0])), [2 / (1 + np.exp(-z))], rtol=1e-10)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_explicit_weights_are_themselves_and_nothing_is_0(dtype):
    z = np.array([0.0, 1e-3, 2.0], dtype)
    y = positive(z, implicit=False)
    assert_close(y[1:], z[1:], 0, 0, dtype)
    assert_close(d_positive(y, z, implicit=False), z, 0, 0)
    tiny = positive(np.array([-1e6], dtype))
    assert 0 < y[0] == tiny[0] < 1e-18
    assert y[0] ** 2 > 0


def test_the_parameters_have_ncpss_names():
    names = ("gleak", "vleak", "cm", "w", "sigma", "mu", "erev")
    assert LTCParams._fields == (*names, *(f"sensory_{name}" for name in names[3:]))
