"""Every CfC against the oracle, which computes one neuron at a time."""

import numpy as np
import pytest

from tests import naive
from tests.compare import assert_close
from tests.layers.strategies import CONFIGS, inputs_for, make, parts

TOLERANCE = {"float64": 1e-12, "float32": 1e-5}  # relative to max(1, |value|)


def by_oracle(config, layer, inputs, b):
    """Outputs, last (h, c) and steps of one sample, from the layer's weights."""
    weights = {key: array.tolist() for key, array in layer.parameters.items()}
    h, c = [*(part[b].tolist() for part in parts(inputs.hx)), None][:2]
    return naive.cfc_sequence(config.oracle, weights, inputs.x[b].tolist(), h, c, inputs.timespans[b].tolist())


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_outputs_states_and_traces_are_those_of_the_oracle(config, dtype):
    def close(got, ref):
        assert_close(got, ref, TOLERANCE[dtype] / 2, TOLERANCE[dtype] / 2, layer.dtype)

    layer = make(config, dtype)
    inputs = inputs_for(layer, config.rng)
    output, hx = layer(*inputs)
    trace = layer.trace(*inputs)
    for b in range(len(inputs.x)):
        outputs, *state, steps = by_oracle(config, layer, inputs, b)
        close(output[b], outputs)
        for got, ref in zip(parts(hx), state, strict=False):
            close(got[b], ref)
        assert set(trace) == {*steps[0], "time_constant"}
        for name in steps[0]:
            close(trace[name][b], [step[name] for step in steps])
        close(trace["time_constant"][b], 1 / np.abs(trace["rate"][b]))
