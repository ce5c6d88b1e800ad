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


@pytest.mark.parametrize("data", list(EXPERIMENTS))
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
