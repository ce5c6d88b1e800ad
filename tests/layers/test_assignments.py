"""Assignments to a layer: each acts as if the layer had been made so, or is refused; none is without effect."""

import re

import numpy as np
import pytest

from cfc_ref import CTRNN, LSTM, LTC, CfC, Embedding, NeuralLTC
from cfc_ref.wirings import AutoNCP

LAYERS = {
    "CfC": lambda **new: CfC(**{"input_size": 2, "units": 4, "backbone_units": 3, "seed": 0} | new),
    "mixed CfC": lambda **new: CfC(
        **{"input_size": 2, "units": 4, "mixed_memory": True, "backbone_layers": 0, "seed": 0} | new
    ),
    "LTC": lambda **new: LTC(**{"input_size": 2, "units": AutoNCP(8, 2), "seed": 0} | new),
    "NeuralLTC": lambda **new: NeuralLTC(**{"input_size": 2, "units": 4, "seed": 0} | new),
    "LSTM": lambda **new: LSTM(**{"input_size": 2, "units": 4, "seed": 0} | new),
    "CTRNN": lambda **new: CTRNN(**{"input_size": 2, "units": 4, "seed": 0} | new),
}
VALUES = {
    "return_sequences": False, "batch_first": False, "implicit_param_constraints": False, "forget_bias": 3.0,
    "activation": "silu", "mode": "no_gate", "variant": "keras", "recurrence": "wired", "dtype": "float64",
    "input_size": 3, "proj_size": 2, "mixed_memory": True, "backbone_units": 7, "backbone_layers": 2,
    "backbone_dropout": 0.5, "solver": "frozen", "ode_unfolds": 2, "step": 0.25, "epsilon": 0.5, "tau": 2.0,
    "input_mapping": "linear", "output_mapping": "none", "timed": False, "units": 5, "seed": 1, "state_size": 5,
    "output_size": 2, "wiring": AutoNCP(8, 2), "trainable": False, "return_sequence": False,
}  # fmt: skip
LIVE = {
    "CfC": {"activation"},
    "mixed CfC": {"forget_bias"},
    "LTC": {"implicit_param_constraints"},
    "NeuralLTC": {"implicit_param_constraints"},
    "LSTM": {"forget_bias"},
    "CTRNN": set(),
}
X = np.random.default_rng(0).normal(size=(3, 5, 2))


def seen(layer):
    """All that tells whether a layer has changed: its settings, what a call returns, and a stream."""
    output, hx = layer(X)
    stream = layer.stepper()
    return [repr(layer), str(layer.config), output, *np.atleast_1d(*hx if isinstance(hx, tuple) else (hx,)),
            *(stream(x) for x in X[0])]  # fmt: skip


def same(ones, others):
    return len(ones) == len(others) and all(np.array_equal(one, other) for one, other in zip(ones, others, strict=True))


@pytest.mark.parametrize("backend", ["numpy", "auto"])
@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("name", VALUES)
def test_an_assignment_acts_as_in_the_constructor_or_is_refused(name, kind, backend):
    layer, value = LAYERS[kind](), VALUES[name]
    layer.backend = backend
    before = seen(layer)
    if name in LIVE[kind] | {"return_sequences", "batch_first"}:
        setattr(layer, name, value)
        made = LAYERS[kind](**{name: value})
        made.backend = backend
        made.load_state_dict(layer.state_dict())
        assert same(seen(layer), seen(made))
        assert not same(seen(layer), before)
    else:
        with pytest.raises((ValueError, TypeError), match=rf"\A{name}: got .+; expected .+; .+\.\Z"):
            setattr(layer, name, value)
        assert same(seen(layer), before)


def test_a_refusal_says_what_to_do():
    layer = CfC(2, 4, seed=0)
    for name, value, do in (
        ("mode", "no_gate", r"mode: got 'no_gate'; expected 'default', fixed .*make a new layer with mode='no_gate'\."),
        ("units", 5, r"make a new layer with units=5\."),
        ("dtype", "float64", r"make a new layer with dtype='float64', and load_state_dict\(layer\.state_dict\(\)\)\."),
        ("trainable", False, r"expected a setting that can change: backend, return_sequences, batch_first, activation"),
    ):
        with pytest.raises(ValueError, match=do):
            setattr(layer, name, value)


@pytest.mark.parametrize("name", ["return_sequences", "batch_first", "activation"])
def test_a_value_that_does_not_fit_is_refused_and_changes_nothing(name):
    layer = CfC(2, 4, seed=0)
    before = seen(layer)
    with pytest.raises((ValueError, TypeError), match=rf"\A{name}: got "):
        setattr(layer, name, "linear")
    assert same(seen(layer), before)


def test_what_has_no_setter_stays_and_methods_can_be_replaced():
    layer = CfC(2, 4, seed=0)
    for name in ("parameters", "weights", "config", "synapse_count"):
        with pytest.raises(AttributeError, match=name):
            setattr(layer, name, {})
    layer.trace = lambda x: "other"
    assert layer.trace(X) == "other"


def test_a_subclass_has_attributes_of_its_own():
    class Mine(CfC):
        """A layer with a name."""

    layer = Mine(2, 4)
    layer.title = "mine"
    assert layer.title == "mine"
    with pytest.raises(ValueError, match=re.escape("mode: got")):
        layer.mode = "pure"


def test_assignments_to_an_embedding():
    model = Embedding(5, CfC(3, 4, seed=0), dropout=0.5, seed=0)
    tokens = np.zeros((2, 6, 1))
    model.return_sequences = False
    assert model.layer.return_sequences is model.return_sequences is False
    assert model(tokens)[0].shape == (2, 4)
    model.layer.batch_first = False
    assert model.batch_first is False
    model.dropout = 0.0
    one, other = (model.forward(tokens, rng=np.random.default_rng(seed))[0] for seed in (0, 1))
    assert np.array_equal(one, other)
    fixed = {"dropout": 1.5, "tokens": 7, "layer": CfC(3, 4), "variant": "torch", "dtype": "float64", "state_size": 3}
    for name, value in {**fixed, "mode": "pure"}.items():
        with pytest.raises((ValueError, TypeError), match=rf"\A{name}: got "):
            setattr(model, name, value)
