import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cfc_ref.cells.dense import Dense
from cfc_ref.cells.lstm import LSTMParams, d_lstm_step, lstm_step
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
