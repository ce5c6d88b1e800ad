import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cfc_ref.cells.dense import Dense
from cfc_ref.cells.lstm import LSTMParams, d_lstm_sequence, d_lstm_step, lstm_sequence, lstm_step
from cfc_ref.cells.sequence import d_over_time, over_time
from cfc_ref.cells.tree import leaves
from tests import naive
from tests.compare import assert_close
from tests.differences import assert_gradient


@given(st.integers(0, 99), st.integers(1, 3), st.integers(1, 3), st.integers(1, 3), st.floats(-3, 3))
def test_one_step_and_its_gradients(seed, batch, inputs, units, forget_bias):
    rng = np.random.default_rng(seed)
    input_map = Dense(rng.normal(size=(4 * units, inputs)), rng.normal(size=4 * units))
    params = LSTMParams(input_map, Dense(rng.normal(size=(4 * units, units)), None))
    x, h, c, d_h, d_c = (rng.normal(size=(batch, n)) for n in (inputs, units, units, units, units))
    new_h, new_c, kept = lstm_step(params, x, h, c, forget_bias)
    weights = {
        "lstm.input_map.weight": input_map.W.tolist(),
        "lstm.input_map.bias": input_map.b.tolist(),
        "lstm.recurrent_map.weight": params.recurrent_map.W.tolist(),
    }
    for b in range(batch):
        ref = naive.lstm(weights, x[b].tolist(), h[b].tolist(), c[b].tolist(), forget_bias)
        assert_close(np.stack([new_h[b], new_c[b]]), ref)

    def loss():
        new_h, new_c, _ = lstm_step(params, x, h, c, forget_bias)
        return np.sum(new_h * d_h) + np.sum(new_c * d_c)

    gradients = d_lstm_step(params, kept, d_h, d_c)
    for got, array in zip(leaves(gradients), leaves((params, x, h, c)), strict=True):
        assert_gradient(got, loss, array)


@given(st.integers(0, 99), st.integers(1, 3), st.integers(1, 4), st.integers(1, 3), st.booleans(), st.integers(0, 4))
def test_a_sequence_is_its_steps(seed, batch, time, units, masked, read):
    """Values and gradients, where only the last states are read."""
    rng = np.random.default_rng(seed)
    params = LSTMParams(
        Dense(rng.normal(size=(4 * units, 2)), rng.normal(size=4 * units)),
        Dense(rng.normal(size=(4 * units, units)), None),
    )
    x, mask = rng.normal(size=(batch, time, 2)), rng.random((batch, time)) < 0.6 if masked else None
    state = rng.normal(size=(batch, units)), rng.normal(size=(batch, units))
    d_state = rng.normal(size=(batch, units)), rng.normal(size=(batch, units))
    d_h = rng.normal(size=(min(read, time), batch, units))
    kept = lstm_sequence(params, x, state, mask, -0.5, keep=True)

    def step(params, x, state, dt):
        h, c, kept = lstm_step(params, x, *state, -0.5)
        return (h, c), kept

    def d_step(params, kept, d_state):
        d_params, d_x, *d_state = d_lstm_step(params, kept, *d_state)
        return d_params, d_x, tuple(d_state), np.zeros((batch, 1))

    states, kept_steps = over_time(step, params, x, state, np.ones((batch, time)), mask, keep=True)
    assert_close(kept.h, [h for h, _ in states])
    assert_close(kept.c, [c for _, c in states])
    plain = lstm_sequence(params, x, state, mask, -0.5, keep=False)
    assert not plain.values
    assert_close(plain.h, kept.h, 0, 0)
    d_states = [(0, 0)] * (time + 1 - len(d_h)) + [(d, 0) for d in d_h]
    d_states[-1] = d_states[-1][0] + d_state[0], d_state[1]
    d_params, d_x, d_start, _ = d_over_time(d_step, params, kept_steps, d_states, mask)
    got = d_lstm_sequence(params, kept, d_h, d_state, mask)
    for array, ref in zip(leaves(got), leaves((d_params, d_x, d_start)), strict=True):
        assert_close(array, ref)
