"""The backward against central differences, in float64."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.differences import assert_gradient
from tests.layers.strategies import FEW, Inputs, cases, cotangents, inputs_for, make, map_state, parts, run


def assert_gradients(layer, inputs, rng):
    d_output, d_hx = cotangents(layer, inputs, rng)

    def loss():
        output, hx = layer(*inputs)
        return np.sum(output * d_output) + sum(np.sum(a * d) for a, d in zip(parts(hx), parts(d_hx), strict=True))

    g = run(layer, inputs, d_output, d_hx).gradients
    assert_gradient(g.x, loss, inputs.x)
    for got, array in zip(parts(g.hx), parts(inputs.hx), strict=True):
        assert_gradient(got, loss, array)
    if inputs.timespans is None:
        assert g.timespans is None
    else:
        assert isinstance(g.timespans, np.ndarray if inputs.timespans.ndim else float)
        assert_gradient(g.timespans, loss, inputs.timespans)
    assert g.parameters.keys() == layer.parameters.keys()
    for key, array in layer.parameters.items():
        assert_gradient(g.parameters[key], loss, array)


@pytest.mark.parametrize("config", FEW, ids=str)
def test_every_entry_of_every_gradient(config):
    layer = make(config)
    assert_gradients(layer, inputs_for(layer, config.rng, B=2, T=2), config.rng)


TIMESPANS = {
    "none": lambda t: None,
    "number": lambda t: t[0, 0],
    "one a step": lambda t: t[0],
    "one a sample and step": lambda t: t,
    "with a last axis": lambda t: t[:, :, None],
}


@pytest.mark.parametrize("timespans", TIMESPANS)
@settings(max_examples=10)
@given(case=cases(masked=True, return_sequences=st.booleans(), batch_first=st.booleans()), unbatched=st.booleans())
def test_whatever_the_layout_mask_and_timespans(timespans, case, unbatched):
    layer, (x, hx, t, mask), rng = case
    t = TIMESPANS[timespans](t)
    t = None if t is None else np.array(t)
    if unbatched:
        x, hx, mask = x[0], map_state(lambda part: part[0], hx), mask[0]
        t = t[0] if np.ndim(t) > 1 else t
    elif not layer.batch_first:
        x, mask = x.swapaxes(0, 1).copy(), mask.T
        t = t.swapaxes(0, 1) if np.ndim(t) > 1 else t
    assert_gradients(layer, Inputs(x, hx, t, mask), rng)
