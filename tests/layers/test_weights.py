"""Weights by name: the live ones, the copies, and taking over others'."""

import copy
import inspect
import pickle

import numpy as np
import pytest
from hypothesis import given, settings

from cfc_ref import CTRNN, LSTM, LTC, CfC, NeuralLTC, wirings
from tests import bad
from tests.compare import assert_close, refusal
from tests.layers.strategies import CONFIGS, MODES, VARIANTS, Config, cases, cotangents, inputs_for, make, run, twin

HEADS = {
    "default": ("ff1", "ff2", "time_a", "time_b"),
    "no_gate": ("ff1", "ff2", "time_a", "time_b"),
    "pure": ("ff1",),
    "paper_pure": ("ff1",),
    "from_x0": ("ff1",),
}
VECTORS = {"pure": ("w_tau", "A"), "paper_pure": ("w_tau", "A", "B"), "from_x0": ("w_tau", "A")}


def cell_shapes(prefix, mode, features, units):
    shapes = {f"{prefix}{name}.weight": (units, features) for name in HEADS[mode]}
    shapes |= {f"{prefix}{name}.bias": (units,) for name in HEADS[mode]}
    return shapes | {f"{prefix}{name}": (1, units) for name in VECTORS.get(mode, ())}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("variant", VARIANTS)
def test_the_names_and_shapes_of_one_cell(mode, variant):
    """Those of ncps's PyTorch modules, and three more for what has none there."""
    options = {"proj_size": 2, "mixed_memory": True, "backbone_units": 5, "backbone_layers": 2}
    layer = CfC(3, 4, mode=mode, variant=variant, **options)
    reads = (3 if variant == "torch" else 4) + 4
    assert {key: array.shape for key, array in layer.parameters.items()} == {
        "rnn_cell.backbone.0.weight": (5, reads),
        "rnn_cell.backbone.0.bias": (5,),
        "rnn_cell.backbone.2.weight": (5, 5),
        "rnn_cell.backbone.2.bias": (5,),
        **cell_shapes("rnn_cell.", mode, 5, 4),
        "lstm.input_map.weight": (16, 3),
        "lstm.input_map.bias": (16,),
        "lstm.recurrent_map.weight": (16, 4),
        "fc.weight": (2, 4),
        "fc.bias": (2,),
    }
    assert layer.state_dict().keys() == layer.parameters.keys()


@pytest.mark.parametrize("mode", MODES)
def test_the_names_and_shapes_of_a_wired_network(mode):
    layer = CfC(2, wirings.NCP(4, 3, 1, 2, 2, 3, 2), mode=mode)
    sizes = ((2, 4), (4, 3), (3, 1))
    shapes = {}
    for l, (inputs, units) in enumerate(sizes):
        shapes |= cell_shapes(f"rnn_cell.layer_{l}.", mode, inputs + units, units)
    assert {key: array.shape for key, array in layer.parameters.items()} == shapes
    masks = {f"rnn_cell.layer_{l}.sparsity_mask": (units, inputs + units) for l, (inputs, units) in enumerate(sizes)}
    assert {key: array.shape for key, array in layer.state_dict().items()} == shapes | masks


@pytest.mark.parametrize(
    ("variant", "layers", "dropout", "places"),
    [
        ("torch", 0, 0.0, []),
        ("torch", 4, 0.0, [0, 2, 4, 6]),
        ("torch", 4, 0.5, [0, 2, 5, 8]),  # linear, activation; then linear, activation, dropout
        ("keras", 3, 0.0, [0, 2, 4]),
        ("keras", 3, 0.5, [0, 3, 6]),
    ],
)
def test_the_places_of_a_backbone(variant, layers, dropout, places):
    layer = CfC(2, 3, variant=variant, backbone_layers=layers, backbone_dropout=dropout, backbone_units=2)
    assert [key for key in layer.parameters if "backbone" in key and "weight" in key] == [
        f"rnn_cell.backbone.{place}.weight" for place in places
    ]


@given(cases())
@settings(max_examples=40)
def test_writing_in_place_changes_the_layer(case):
    layer, inputs, _ = case
    other = twin(layer)
    for array in layer.parameters.values():
        array *= 0.5
    halved = layer(*inputs)[0]
    assert np.abs(halved - other(*inputs)[0]).max() > 1e-6
    for key, array in other.parameters.items():
        array[...] = layer.state_dict()[key]
    assert_close(other(*inputs)[0], halved, 0, 0)


@given(cases())
@settings(max_examples=40)
def test_the_state_dict_is_a_copy_and_is_taken_over_by_copy(case):
    layer, inputs, _ = case
    ref = layer(*inputs)[0]
    weights = layer.state_dict()
    other = twin(layer)
    other.load_state_dict(weights)
    for array in weights.values():
        array[...] = np.nan
    assert_close(layer(*inputs)[0], ref, 0, 0)
    assert_close(other(*inputs)[0], ref, 0, 0)
    live = other.parameters
    other.load_state_dict(layer.state_dict())
    assert all(live[key] is array for key, array in other.parameters.items())


def test_other_kinds_of_numbers_are_taken_over():
    layer, other = CfC(2, 3, seed=0), CfC(2, 3, seed=1, dtype="float64")
    other.load_state_dict({key: array.astype(np.float64).tolist() for key, array in layer.state_dict().items()})
    for key, array in layer.state_dict().items():
        assert_close(other.state_dict()[key], array, 0, 0, np.float64)


@pytest.mark.parametrize("config", [config for config in CONFIGS if config.oracle.wires][::3], ids=str)
def test_masked_weights_have_no_effect_and_no_gradient(config):
    layer = make(config)
    inputs = inputs_for(layer, config.rng)
    d_output, d_hx = cotangents(layer, inputs, config.rng)
    ref = run(layer, inputs, d_output, d_hx)
    masks = {key: array for key, array in layer.state_dict().items() if key.endswith("sparsity_mask")}
    absent = 0
    for key, mask in masks.items():
        prefix = key.removesuffix("sparsity_mask")
        for head in ("ff1", "ff2"):
            if f"{prefix}{head}.weight" in layer.parameters:
                nothing = mask == 0
                absent += nothing.sum()
                assert not ref.gradients.parameters[f"{prefix}{head}.weight"][nothing].any()
                layer.parameters[f"{prefix}{head}.weight"][nothing] = 1e6
    assert absent or config.structure == "fully connected"
    got = run(layer, inputs, d_output, d_hx)
    assert_close(got.output, ref.output, 0, 0)
    assert_close(got.gradients.x, ref.gradients.x, 0, 0)


def test_assigning_to_a_name_writes_in_place():
    layer, other = CfC(2, 3, seed=0, backbone_units=4), CfC(2, 3, seed=1, backbone_units=4, dtype="float64")
    x, live = np.ones((5, 2)), layer.parameters
    for key, array in other.parameters.items():
        layer.parameters[key] = array
    assert_close(layer(x)[0], other(x)[0], 1e-5, 1e-5)
    layer.parameters.update(CfC(2, 3, seed=2, backbone_units=4).parameters)
    assert_close(layer(x)[0], CfC(2, 3, seed=2, backbone_units=4)(x)[0], 0, 0)
    layer.parameters["rnn_cell.ff1.bias"] += 1
    layer.parameters["rnn_cell.ff2.bias"] = (layer.parameters["rnn_cell.ff1.bias"] * 0).tolist()
    assert layer.parameters["rnn_cell.ff1.bias"].min() > 0.5
    layer.parameters["rnn_cell.ff1.bias"] = live["rnn_cell.ff2.bias"]
    assert not layer.state_dict()["rnn_cell.ff1.bias"].any()
    assert all(live[key] is array for key, array in layer.parameters.items())
    swapped = live | {"rnn_cell.ff1.bias": 7}
    assert type(swapped) is type(copy.deepcopy(live)) is type(pickle.loads(pickle.dumps(live))) is dict
    assert not layer.state_dict()["rnn_cell.ff1.bias"].any()


KEY = "rnn_cell.ff1.bias"


@pytest.mark.parametrize(
    ("named", "change"),
    [
        *[
            (f"parameters[{KEY!r}]", lambda p, value=value: p.update({"rnn_cell.ff2.bias": [1.0] * 3, KEY: value}))
            for value in ([1.0], np.ones((3, 1)), 1.0, [1.0, np.nan, 0.0], [1e39, 0, 0], np.ones(3, complex), None, "1")
        ],
        (f"parameters[{KEY!r}]", lambda p: p.__setitem__(KEY, np.full(3, np.inf))),
        ("parameters", lambda p: p.__setitem__("ff1.bias", np.ones(3))),
        ("parameters", lambda p: p.__delitem__(KEY)),
        ("parameters", lambda p: p.pop(KEY)),
        ("parameters", lambda p: p.popitem()),
        ("parameters", lambda p: p.clear()),
        ("parameters", lambda p: p.setdefault("more", np.ones(3))),
        ("parameters", lambda p: p.__ior__({"more": np.ones(3)})),
    ],
)
def test_other_changes_of_the_parameters_are_refused(named, change):
    layer = CfC(2, 3, seed=0, backbone_units=4)
    before = layer.state_dict()
    with pytest.raises((ValueError, TypeError), match=refusal(named)):
        change(layer.parameters)
    for key, array in layer.state_dict().items():
        assert_close(array, before[key], 0, 0)


def test_explicit_weights_below_0_are_refused_where_they_are_assigned():
    layer = LTC(2, 3, implicit_param_constraints=False, seed=0)
    with pytest.raises(ValueError, match=refusal("parameters['rnn_cell.gleak']")):
        layer.parameters["rnn_cell.gleak"] = [-1.0, 0.0, 1.0]
    layer.parameters["rnn_cell.gleak"] -= 100  # as an optimiser does before it projects
    layer.project()
    assert not layer.parameters["rnn_cell.gleak"].any()


def test_weights_are_those_that_the_cells_take():
    layer = CfC(2, wirings.AutoNCP(6, 2), proj_size=3, seed=0)
    weights = layer.weights
    assert_close(weights.readout.W, layer.parameters["fc.weight"], 0, 0)
    for k, cell in enumerate(weights.network.layers):
        mask = layer.state_dict()[f"rnn_cell.layer_{k}.sparsity_mask"]
        assert_close(cell.ff1.W, layer.parameters[f"rnn_cell.layer_{k}.ff1.weight"] * mask, 0, 0)
    cell = LTC(2, 3, seed=0).weights.network.cell
    assert_close(cell.gleak, np.logaddexp(0, LTC(2, 3, seed=0).parameters["rnn_cell.gleak"]), 1e-6)


# --- what is not taken over

WIRED = Config("pure", "torch", False, "own")


LAST = "rnn_cell.layer_2.A"
MASK = "rnn_cell.layer_2.sparsity_mask"
NOT_TAKEN = {
    "missing": {LAST: None},
    "unused": {"rnn_cell.layer_3.A": np.ones((1, 2))},
    "no name": {3: np.ones(2)},
    "flat": {LAST: np.ones(2)},
    "turned": {LAST: np.ones((2, 1))},
    "nan": {LAST: np.array([[1.0, np.nan]])},
    "infinite": {LAST: np.array([[1.0, np.inf]])},
    "bool": {LAST: np.ones((1, 2), bool)},
    "complex": {LAST: np.ones((1, 2), complex)},
    "object": {LAST: np.ones((1, 2), object)},
    "text": {LAST: np.full((1, 2), "1")},
    "ragged": {LAST: [[1.0], [1.0, 2.0]]},
    "masked": {LAST: np.ma.ones((1, 2))},
    "too large": {LAST: np.array([[1e39, 0.0]])},
    "another mask": {MASK: np.zeros((2, 4))},
    "mis-shaped mask": {MASK: np.ones((4, 2))},
}


@pytest.mark.parametrize("wrong", NOT_TAKEN)
def test_what_is_wrong_is_refused_and_changes_nothing(wrong):
    layer = make(WIRED, "float32")
    before = layer.state_dict()
    weights = {key: array if "mask" in key else array + 1 for key, array in before.items()}
    weights = {key: value for key, value in {**weights, **NOT_TAKEN[wrong]}.items() if value is not None}
    (key,) = NOT_TAKEN[wrong]
    name = "state_dict" if wrong in ("missing", "unused", "no name") else f"state_dict[{key!r}]"
    with pytest.raises((ValueError, TypeError), match=refusal(name)):
        layer.load_state_dict(weights)
    for key, array in layer.state_dict().items():
        assert_close(array, before[key], 0, 0)


def test_every_missing_and_unused_key_is_listed():
    layer = CfC(1, 1, mode="pure", backbone_layers=0)
    got = r"no rnn_cell\.A, rnn_cell\.w_tau; also a, b"
    with pytest.raises(ValueError, match=rf"state_dict: got {got}; expected the 4 keys of this layer; "):
        layer.load_state_dict({"rnn_cell.ff1.weight": [[1, 2]], "rnn_cell.ff1.bias": [1], "a": 1, "b": 2})


@pytest.mark.parametrize("value", [None, 1, "weights", [1.0], np.ones(3)])
def test_what_is_no_dict_is_refused(value):
    bad.refuses(CfC(1, 1).load_state_dict, "state_dict", value)


# --- what it says of itself


@pytest.mark.parametrize("config", CONFIGS[::7], ids=str)
def test_a_layer_made_from_its_configuration_is_like_it(config):
    layer = make(config, "float32", return_sequences=False, batch_first=False)
    other = twin(layer)
    assert repr(other) == repr(layer)
    assert other.config == layer.config
    assert other.wiring == layer.wiring
    assert f"{sum(array.size for array in layer.parameters.values()):,} parameters" in repr(layer)


def test_sizes_and_synapses():
    plain = CfC(2, 3, proj_size=5)
    assert (plain.input_size, plain.state_size, plain.output_size, plain.synapse_count) == (2, 3, 5, 9)
    assert plain.wiring is None
    wiring = wirings.AutoNCP(9, 2)
    wired = CfC(2, wiring)
    assert (wired.state_size, wired.output_size) == (9, 2)
    assert wired.wiring == wiring.build(2)
    assert wired.synapse_count == np.count_nonzero(wiring.build(2).adjacency_matrix)


@pytest.mark.parametrize("layer", [CfC(2, 3), LTC(2, 3), NeuralLTC(2, 3), LSTM(2, 3), CTRNN(2, 3)], ids=repr)
def test_settings_are_the_arguments_of_the_constructor(layer):
    """A frozen record per kind of layer checks them; the configuration has the same names."""
    arguments = set(inspect.signature(type(layer)).parameters) - {"units", "seed", "backend"}
    settings = type(layer)._Settings
    assert arguments == set(settings.names()) == set(layer.config)
    record = settings.of(layer.config)
    assert {**vars(record), "dtype": record.dtype.name} == layer.config
    with pytest.raises(AttributeError):
        record.input_size = 4
    with pytest.raises(ValueError, match=refusal("input_size")):
        settings.of({**layer.config, "input_size": 0})
