"""The LTC gives what ncps 1.0.1 gives with the same weights on PyTorch: outputs, states and gradients."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.golden import assert_gradients, assert_values, cases, layer_of, read

pytestmark = pytest.mark.filterwarnings("ignore:no path of synapses")  # sparse wirings may have none
sizes = st.integers(1, 20)
mappings = st.sampled_from(["affine", "linear", None])


@pytest.fixture(scope="module")
def oracle():
    pytest.importorskip("torch")
    pytest.importorskip("ncps")
    from tests.golden import oracle

    return oracle


@st.composite
def wirings(draw):
    seed = draw(st.integers(0, 2**32 - 1))
    kind = draw(st.sampled_from(["AutoNCP", "NCP", "Random", "FullyConnected"]))
    if kind == "NCP":
        inter, command, motor = (draw(st.integers(1, 6)) for _ in range(3))
        arguments = {
            "inter_neurons": inter,
            "command_neurons": command,
            "motor_neurons": motor,
            "sensory_fanout": draw(st.integers(1, inter)),
            "inter_fanout": draw(st.integers(1, command)),
            "recurrent_command_synapses": draw(st.integers(0, 2 * command)),
            "motor_fanin": draw(st.integers(1, command)),
            "seed": seed,
        }
        return {"class": kind, "arguments": arguments}
    units = draw(st.integers(4, 20))
    outputs = draw(st.integers(1, units - 3))
    arguments = {
        "AutoNCP": {"output_size": outputs, "sparsity_level": draw(st.floats(0.1, 0.9)), "seed": seed},
        "Random": {"output_dim": outputs, "sparsity_level": draw(st.floats(0, 0.9)), "random_seed": seed},
        "FullyConnected": {
            "output_dim": outputs,
            "erev_init_seed": seed,
            "self_connections": draw(st.booleans()),
        },
    }
    return {"class": kind, "arguments": {"units": units, **arguments[kind]}}


@st.composite
def problems(draw):
    """A setup as golden cases have it, and keyword arguments that say how a call of it is drawn."""
    arguments = {
        "input_size": draw(sizes),
        "mixed_memory": draw(st.booleans()),
        "return_sequences": draw(st.booleans()),
        "batch_first": draw(st.booleans()),
        "input_mapping": draw(mappings),
        "output_mapping": draw(mappings),
        "ode_unfolds": draw(st.integers(1, 12)),
        "implicit_param_constraints": draw(st.booleans()),
        "epsilon": draw(st.sampled_from([1e-8, 0.1])),
    }
    wiring = draw(st.none() | wirings())
    if wiring is None:
        arguments["units"] = draw(sizes)
    batch = draw(st.just(min(arguments.get("units", 20), 9)) | st.integers(1, 9))
    # ncps loses an axis of a last output without a batch where time comes first
    if arguments["batch_first"] or arguments["return_sequences"]:
        batch = draw(st.just(batch) | st.none())
    return {"layer": "LTC", "variant": "torch", "arguments": arguments, "wiring": wiring}, {
        "seed": draw(st.integers(0, 2**31)),
        "batch": batch,
        "steps": draw(st.integers(1, 12)),
        "state": draw(st.booleans()),
        "timespans": draw(st.sampled_from([None, "number", "step", "sample", "axis"])),
    }


@given(problems())
def test_in_float64_values_and_gradients_are_those_of_ncps(oracle, problem):
    setup, drawn = problem
    case = oracle.run(setup, oracle.Drawn(**drawn))
    layer = layer_of(case)
    tape = assert_values(layer, case, 1e-12)
    assert_gradients(layer, case, tape, 1e-10)


@given(problems())
@settings(max_examples=50)
def test_in_float32_values_are_those_of_ncps(oracle, problem):
    setup, drawn = problem
    case = oracle.run(setup, oracle.Drawn(**drawn), "float32")
    assert_values(layer_of(case, "float32"), case, 2e-5)


@pytest.mark.parametrize("path", cases("ltc"), ids=lambda path: path.stem)
def test_a_golden_case_is_what_ncps_computed(path):
    case = read(path)
    layer = layer_of(case)
    tape = assert_values(layer, case, 1e-12)
    assert_gradients(layer, case, tape, 1e-10)
    assert_values(layer_of(case, "float32"), case, 1e-5)
