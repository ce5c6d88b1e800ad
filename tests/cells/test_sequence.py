"""Sequences and backpropagation through time, of a step that knows nothing of networks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfc_ref.cells.sequence import d_over_time, over_time
from cfc_ref.cells.tree import leaves
from tests.compare import assert_close
from tests.differences import assert_gradient


def step(params, x, state, dt):
    """A state of two parts and one that is not there."""
    (a, _), (h, nothing, c) = params, state
    new_h = np.sin(a * h + x * dt)
    new_c = c * h + dt
    return (new_h, nothing, new_c), (x, h, c, dt)


def d_step(params, kept, d_state):
    (a, _), (x, h, c, dt), (d_h, nothing, d_c) = params, kept, d_state
    d_z = d_h * np.cos(a * h + x * dt)
    d_params = np.sum(d_z * h, axis=0), None
    return d_params, d_z * dt, (d_z * a + d_c * c, nothing, d_c * h), (d_z * x + d_c).sum(axis=1, keepdims=True)


@st.composite
def cases(draw):
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    B, T, n = draw(st.tuples(st.integers(1, 3), st.integers(1, 4), st.integers(1, 3)))
    state = rng.normal(size=(B, n)), None, rng.normal(size=(B, n))
    mask = rng.random((B, T)) < 0.6 if draw(st.booleans()) else None
    return rng, (rng.normal(size=n), None), rng.normal(size=(B, T, n)), state, rng.random((B, T)), mask


@given(cases())
def test_one_sample_and_one_step_at_a_time(case):
    _, params, x, state, dt, mask = case
    states, kept = over_time(step, params, x, state, dt, mask, keep=True)
    B, T, _ = x.shape
    assert (len(states), len(kept)) == (T + 1, T)
    for b in range(B):
        h, _, c = (part if part is None else part[b : b + 1] for part in state)
        for k in range(T):
            if mask is None or mask[b, k]:
                (h, _, c), _ = step(params, x[b : b + 1, k], (h, None, c), dt[b : b + 1, k, None])
            assert_close(states[k + 1][0][b : b + 1], h)
            assert_close(states[k + 1][2][b : b + 1], c)
            assert states[k + 1][1] is None
    assert over_time(step, params, x, state, dt, mask, keep=False)[1] == []


@given(cases())
def test_backpropagation_through_time(case):
    rng, params, x, state, dt, mask = case
    weights = [tuple(None if p is None else rng.normal(size=p.shape) for p in state) for _ in range(x.shape[1] + 1)]

    def loss():
        states, _ = over_time(step, params, x, state, dt, mask, keep=False)
        return sum(np.sum(p * w) for p, w in zip(leaves(tuple(states)), leaves(tuple(weights)), strict=True))

    kept = over_time(step, params, x, state, dt, mask, keep=True)[1]
    d_params, d_x, d_state, d_dt = d_over_time(d_step, params, kept, weights, mask)
    assert d_params[1] is None
    assert d_state[1] is None
    for got, array in ((d_params[0], params[0]), (d_x, x), (d_state[0], state[0]), (d_state[2], state[2]), (d_dt, dt)):
        assert_gradient(got, loss, array)


@pytest.mark.parametrize("masked", [False, True])
def test_a_gradient_may_be_a_plain_0(masked):
    x, dt, state = np.ones((2, 3, 1)), np.ones((2, 3)), (np.ones((2, 1)), None, np.ones((2, 1)))
    mask = np.array([[True, False, True], [True, True, False]]) if masked else None
    params, last = (np.ones(1), None), (np.ones((2, 1)), None, np.ones((2, 1)))
    kept = over_time(step, params, x, state, dt, mask, keep=True)[1]
    got = d_over_time(d_step, params, kept, [(0, None, 0)] * 3 + [last], mask)
    zero = np.zeros((2, 1))
    ref = d_over_time(d_step, params, kept, [(zero, None, zero)] * 3 + [last], mask)
    for one, other in zip(leaves(got), leaves(ref), strict=True):
        assert_close(one, other, 0, 0)
