"""The models of the experiments, with the official code's fresh weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cfc_ref import checks
from cfc_ref.experiments.hyperparameters import MODELS, Hyperparameters

if TYPE_CHECKING:
    import numpy as np

    from cfc_ref.layers.base import Layer

__all__ = ["build_model"]

_MODES = {"cfc": "default", "no_gate": "no_gate", "pure": "pure", "mixed": "default"}


def build_model(
    name: str,
    chosen: Hyperparameters,
    input_size: int,
    outputs: int,
    return_sequences: bool,
    seed: int | np.random.Generator,
) -> Layer:
    """Return a model with fresh weights, in float32."""
    common = {
        "input_size": input_size,
        "units": chosen.units,
        "proj_size": outputs,
        "return_sequences": return_sequences,
    }
    if checks.choice("model", name, MODELS) == "ltc":
        return _ltc(chosen, common, seed)
    if name in _MODES:
        return _cfc(name, chosen, common, seed)
    return _baseline(name, chosen, common, seed)


def _cfc(name: str, chosen: Hyperparameters, common: dict[str, Any], seed: Any) -> Layer:
    from cfc_ref.layers.cfc import CfC

    return CfC(
        **common,
        mixed_memory=name == "mixed",
        mode=_MODES[name],
        activation=chosen.activation or "lecun_tanh",
        backbone_units=chosen.backbone_units,
        backbone_layers=chosen.backbone_layers,
        backbone_dropout=chosen.dropout,
        variant="tensorflow",
        forget_bias=1.0 if chosen.forget_bias is None else chosen.forget_bias,
        seed=seed,
    )


def _ltc(chosen: Hyperparameters, common: dict[str, Any], seed: Any) -> Layer:
    """Return an LTC whose neurons all excite or inhibit each other, which ncps's full wiring does less evenly."""
    from cfc_ref.layers.initial import generator, glorot
    from cfc_ref.layers.ltc import LTC

    rng = generator(seed)
    layer = LTC(**common, ode_unfolds=chosen.unfolds or 6, implicit_param_constraints=False, seed=rng)
    weights = layer.parameters
    for name in ("rnn_cell.erev", "rnn_cell.sensory_erev"):
        weights[name][...] = rng.choice([-1, 1], weights[name].shape)
    weights["fc.weight"][...] = glorot(rng, weights["fc.weight"].shape)
    weights["fc.bias"][...] = 0
    return layer


def _baseline(name: str, chosen: Hyperparameters, common: dict[str, Any], seed: Any) -> Layer:
    from cfc_ref.layers.baselines import CTRNN, LSTM

    if name == "lstm":
        return LSTM(**common, seed=seed)
    return CTRNN(**common, ode_unfolds=chosen.unfolds or 3, seed=seed)
