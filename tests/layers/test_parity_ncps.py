"""Layers give what ncps 1.0.1 gives with the same weights, on PyTorch and on Keras: outputs, states and gradients."""

import importlib.util

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.compare import assert_close
from tests.golden import GROUPS, HERE, assert_gradients, assert_values, layer_of, read

pytestmark = pytest.mark.filterwarnings("ignore:no path of synapses")  # sparse wirings may have none
sizes = st.integers(1, 70)


@pytest.fixture(scope="module")
def oracle():
    pytest.importorskip("torch")
    pytest.importorskip("ncps")
    from tests.golden import oracle

    return oracle


@pytest.fixture(scope="module")
def keras_oracle(oracle):
    if importlib.util.find_spec("keras") is None:  # importing it here would choose its backend
        pytest.skip("Keras is not installed")
    if oracle.import_keras().config.backend() != "torch":
        pytest.skip("Keras runs on another backend than PyTorch")
    return oracle


@st.composite
def wirings(draw):
    seed, units = draw(st.integers(0, 2**32 - 1)), draw(st.integers(4, 70))
    outputs = draw(st.integers(1, units - 3))
    return draw(
        st.sampled_from(
            [
                {"class": "AutoNCP", "arguments": {"units": units, "output_size": outputs, "seed": seed}},
                {"class": "Random", "arguments": {"units": units, "sparsity_level": 0.5, "random_seed": seed}},
                {"class": "FullyConnected", "arguments": {"units": units, "erev_init_seed": seed}},
            ]
        )
    )


@st.composite
def networks(draw, variant):
    """A setup as golden cases have it."""
    arguments = {
        "input_size": draw(sizes),
        "mode": draw(st.sampled_from(["default", "no_gate", "pure"])),
        "mixed_memory": draw(st.booleans()),
        "return_sequences": draw(st.booleans()),
    }
    if variant == "torch":
        arguments["proj_size"] = draw(st.none() | sizes)
        arguments["batch_first"] = draw(st.booleans())
    wiring = draw(st.none() | wirings())
    if wiring is None:
        arguments["units"] = draw(sizes)
        arguments["backbone_layers"] = draw(st.integers(0, 3))
        arguments["backbone_units"] = draw(sizes)
        arguments["activation"] = draw(st.sampled_from(["silu", "relu", "tanh", "gelu", "lecun_tanh"]))
    return {"layer": "CfC", "variant": variant, "arguments": arguments, "wiring": wiring}


@st.composite
def problems(draw, variant):
    """A network, and keyword arguments that say how a call of it is drawn."""
    setup = draw(networks(variant))
    arguments = setup["arguments"]
    units = arguments.get("units", 70)
    batch = draw(st.just(min(units, 9)) | st.integers(1, 9))
    # ncps loses an axis of a last output without a batch where time comes first, and there is no batchless Keras
    if variant == "torch" and (arguments["batch_first"] or arguments["return_sequences"]):
        batch = draw(st.just(batch) | st.none())
    # on Keras, ncps's mixed memory fails with timespans, and its linear heads let states and rounding grow every step
    takes_times = variant == "torch" or not arguments["mixed_memory"]
    return setup, {
        "seed": draw(st.integers(0, 2**31)),
        "batch": batch,
        "steps": draw(st.integers(1, 40 if variant == "torch" else 5)),
        "state": draw(st.booleans()),
        "timespans": draw(st.sampled_from([None, "number", "step", "sample", "axis"])) if takes_times else None,
    }


def check_float64(oracle, problem):
    setup, drawn = problem
    case = oracle.run(setup, oracle.Drawn(**drawn))
    layer = layer_of(case)
    tape = assert_values(layer, case, 1e-12)
    assert_gradients(layer, case, tape, 1e-10)


def check_float32(oracle, problem):
    setup, drawn = problem
    case = oracle.run(setup, oracle.Drawn(**drawn), "float32")
    assert_values(layer_of(case, "float32"), case, 1e-5)


@settings(max_examples=200)
@given(problems("torch"))
def test_in_float64_values_and_gradients_are_those_of_ncps_on_pytorch(oracle, problem):
    check_float64(oracle, problem)


@settings(max_examples=200)
@given(problems("torch"))
def test_in_float32_values_are_those_of_ncps_on_pytorch(oracle, problem):
    check_float32(oracle, problem)


@settings(max_examples=25)
@given(problems("keras"))
def test_in_float64_values_and_gradients_are_those_of_ncps_on_keras(keras_oracle, problem):
    check_float64(keras_oracle, problem)


@settings(max_examples=25)
@given(problems("keras"))
def test_in_float32_values_are_those_of_ncps_on_keras(keras_oracle, problem):
    check_float32(keras_oracle, problem)


@pytest.mark.parametrize("path", sorted(HERE.glob("*.npz")), ids=lambda path: path.stem)
def test_a_golden_case_is_what_its_recipe_makes(keras_oracle, path):
    from tests.golden.make import make

    made, stored = make(path.stem), read(path)
    assert stored.setup == {**made.setup, "made_with": stored.setup["made_with"]}
    for group in GROUPS:
        for name, array in getattr(stored, group).items():
            assert_close(getattr(made, group)[name], array, dtype=np.float64)
