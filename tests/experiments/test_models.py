"""Models of the experiments: their kind, and fresh weights as the official code draws them."""

import numpy as np
import pytest

from cfc_ref import LTC, CfC
from cfc_ref.experiments import EXPERIMENTS, MODELS
from cfc_ref.experiments.models import build_model
from tests import bad
from tests.compare import assert_close

INPUTS = {"walker2d": 17, "xor": 1}


def built(data, model, seed=0):
    return build_model(model, EXPERIMENTS[data].settings[model], INPUTS[data], INPUTS[data], data == "walker2d", seed)


@pytest.mark.parametrize("data", INPUTS)
@pytest.mark.parametrize("model", MODELS)
def test_every_model_is_built_and_runs(data, model):
    layer, units = built(data, model), EXPERIMENTS[data].settings[model].units
    assert (layer.state_size, layer.dtype) == (units, np.float32)
    output = layer(np.ones((2, 3, INPUTS[data])), timespans=0.5)[0]
    assert output.shape == ((2, 3, 17) if data == "walker2d" else (2, 1))
    assert np.isfinite(output).all()


@pytest.mark.parametrize("model", ["cfc", "no_gate", "pure", "mixed"])
def test_a_cfc_is_that_of_the_official_tensorflow_code(model):
    layer, recipe = built("walker2d", model), EXPERIMENTS["walker2d"].settings[model]
    assert isinstance(layer, CfC)
    assert layer.variant == "tensorflow"
    assert layer.mode == {"no_gate": "no_gate", "pure": "pure"}.get(model, "default")
    assert layer.mixed_memory == (model == "mixed")
    assert layer.forget_bias == (2.1 if model == "mixed" else 1.0)
    assert (layer.backbone_layers, layer.backbone_dropout) == (recipe.backbone_layers, recipe.dropout)
    weights = layer.parameters
    for name, array in weights.items():
        if name == "lstm.recurrent_map.weight":
            assert_close(array.T @ array, np.eye(recipe.units, dtype=np.float32), atol=1e-5)
        elif name.endswith(".weight"):
            limit = np.sqrt(6 / sum(array.shape))
            assert 0.99 * limit < np.abs(array).max() <= limit
            assert array.std() == pytest.approx(limit / np.sqrt(3), rel=0.1)
        else:
            assert (array == (1 if name == "rnn_cell.A" else 0)).all()


def test_an_ltc_is_that_of_the_official_code():
    layer = built("walker2d", "ltc")
    assert isinstance(layer, LTC)
    assert (layer.ode_unfolds, layer.solver, layer.implicit_param_constraints) == (3, "fused", False)
    assert layer.synapse_count == 128**2
    weights = layer.parameters
    for name in ("rnn_cell.erev", "rnn_cell.sensory_erev"):
        assert set(np.unique(weights[name])) == {-1, 1}
        assert abs(weights[name].mean()) < 0.1  # one in two, where ncps has two in three
    limit = np.sqrt(6 / (128 + 17))
    assert 0.99 * limit < np.abs(weights["fc.weight"]).max() <= limit
    assert not weights["fc.bias"].any()


@pytest.mark.parametrize("model", MODELS)
def test_the_seed_decides_the_weights(model):
    one, same, other = (built("xor", model, seed).state_dict() for seed in (1, 1, 2))
    assert all(np.array_equal(one[name], same[name]) for name in one)
    assert any(not np.array_equal(one[name], other[name]) for name in one)


def test_other_names_are_refused():
    for name in bad.CHOICES:
        common = {
            "chosen": EXPERIMENTS["xor"].settings["cfc"],
            "input_size": 1,
            "outputs": 1,
            "return_sequences": True,
            "seed": 0,
        }
        bad.refuses(build_model, "name", name, "model", **common)


# Trainable parameters, counted from the official classes (TensorFlow 2.15 and PyTorch), but for those without code.
COUNTS = {
    "physionet": {"cfc": 92_930, "no_gate": 114_818, "pure": 22_146, "mixed": 67_970, "ltc": 37_862},
    "mnist": {"cfc": 42_122, "no_gate": 42_122, "pure": 17_482, "mixed": 67_082},
    "imdb": {"cfc": 3_920_650, "no_gate": 4_011_210, "pure": 1_329_290, "mixed": 690_378},
    "person": {"cfc": 151_691, "no_gate": 104_267, "pure": 171_659, "mixed": 475_147},
}
SHAPES = {"physionet": (82, 2, False), "mnist": (1, 10, False), "imdb": (1, 10, False), "person": (24, 11, True)}


@pytest.mark.parametrize("data", COUNTS)
def test_published_models_have_the_official_numbers_of_parameters(data):
    tokens = 20_000 if data == "imdb" else None
    for model, count in COUNTS[data].items():
        layer = build_model(model, EXPERIMENTS[data].settings[model], *SHAPES[data], 0, tokens=tokens)
        assert sum(array.size for array in layer.parameters.values()) == count


def test_a_gain_scales_the_cells_arrays_of_two_axes_and_nothing_else():
    chosen = EXPERIMENTS["physionet"].settings["pure"]
    one, half = (build_model("pure", chosen._replace(gain=g), 82, 2, False, 0).parameters for g in (1.0, 0.5))
    for name, array in one.items():
        factor = 0.5 if name.startswith("rnn_cell.") and array.ndim == 2 else 1.0
        assert_close(half[name], array * np.float32(factor))
    assert np.abs(half["rnn_cell.w_tau"]).max() > 0.05  # Xavier there too, as in the official code
