"""The tables: what the official code has, and a result of the paper for each model."""

import pytest

from cfc_ref.experiments import EXPERIMENTS, MODELS, WALKER2D_RESULTS, XOR_RESULTS

SETTINGS = {name: experiment.settings for name, experiment in EXPERIMENTS.items()}

# clipnorm, optimiser, batch, units, epochs, learning rate, decay, activation, dropout, forget bias, backbone units and
# layers, L2: what the official train_walker.py and train_xor.py have, where it acts
OFFICIAL = {
    ("walker2d", "cfc"): (1, "adam", 256, 64, 50, 0.02, 0.95, "silu", 0.1, None, 256, 1, 1e-6),
    ("walker2d", "mixed"): (10, "adam", 128, 128, 50, 0.005, 0.95, "lecun_tanh", 0.2, 2.1, 128, 2, 6e-6),
    ("walker2d", "no_gate"): (1, "adam", 128, 256, 50, 0.008, 0.95, "lecun_tanh", 0.1, None, 128, 1, 3e-5),
    ("walker2d", "pure"): (10, "adam", 128, 256, 50, 0.006, 0.95, "silu", 0.0, None, 192, 1, 1e-6),
    ("walker2d", "ltc"): (10, "adam", 128, 128, 50, 0.05, 0.95, None, 0.0, None, 0, 0, 0.0),
    ("xor", "mixed"): (10, "rmsprop", 128, 64, 200, 0.005, 0.95, "relu", 0.0, 0.6, 128, 1, 2e-6),
    ("xor", "cfc"): (1, "rmsprop", 128, 192, 200, 0.05, 0.95, "relu", 0.0, None, 128, 1, 3e-6),
    ("xor", "no_gate"): (10, "rmsprop", 128, 128, 200, 0.005, 0.95, "silu", 0.3, None, 192, 1, 5e-6),
    ("xor", "pure"): (5, "adam", 256, 64, 200, 0.005, 0.9, "silu", 0.0, None, 64, 1, 3e-5),
    ("xor", "ltc"): (5, "adam", 256, 64, 200, 0.005, 0.9, None, 0.0, None, 0, 0, 0.0),
}
NAMES = (
    *("clipnorm", "optimizer", "batch_size", "units", "epochs", "learning_rate", "decay", "activation", "dropout"),
    *("forget_bias", "backbone_units", "backbone_layers", "l2"),
)


@pytest.mark.parametrize(("data", "model"), OFFICIAL)
def test_hyper_parameters_are_those_of_the_official_code(data, model):
    recipe = SETTINGS[data][model]
    assert tuple(getattr(recipe, name) for name in NAMES) == OFFICIAL[data, model]


def test_unfoldings_are_those_of_the_official_code():
    assert SETTINGS["walker2d"]["ltc"].unfolds == 3
    assert SETTINGS["xor"]["ltc"].unfolds == 6


def test_each_model_has_settings_and_a_result_for_each_data_set():
    assert list(SETTINGS) == ["walker2d", "xor"]
    for recipes in SETTINGS.values():
        assert set(recipes) == set(MODELS)
    for results in (WALKER2D_RESULTS, XOR_RESULTS):
        assert set(MODELS.values()) <= set(results)


def test_what_the_paper_does_not_say_is_said():
    for recipes in SETTINGS.values():
        for model in ("lstm", "ctrnn"):
            assert "does not say" in recipes[model].note
            assert (recipes[model].optimizer, recipes[model].units) == (recipes["cfc"].optimizer, recipes["cfc"].units)
    assert "0.7" in SETTINGS["xor"]["cfc"].note


def test_results_are_of_the_right_kind():
    assert all(0.6 < error.mean < 2 for error in WALKER2D_RESULTS.values())
    for accuracy in XOR_RESULTS.values():
        assert 49 < accuracy.equidistant <= 100
        assert 49 < accuracy.event_based <= 100
