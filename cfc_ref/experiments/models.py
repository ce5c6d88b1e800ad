"""The models of the experiments, with the official code's fresh weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cfc_ref import checks
from cfc_ref.experiments.hyperparameters import MODELS, Hyperparameters
from cfc_ref.layers.initial import generator, glorot

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
    *,
    tokens: int | None = None,
    backward: bool = False,
) -> Layer:
    """Return a model with fresh weights, in float32; with `tokens` their embedding comes first.

    With `backward` time runs backwards where that is not the same network: with gates it is, with other weights.
    """
    rng = generator(seed)
    common = {
        "input_size": chosen.embedding or input_size,
        "units": chosen.units,
        "proj_size": outputs,
        "return_sequences": return_sequences,
    }
    if checks.choice("model", name, MODELS) == "ltc":
        layer = _ltc(chosen, common, rng, backward)
    elif name in _MODES:
        layer = _cfc(name, chosen, common, rng, backward)
    else:
        layer = _baseline(name, chosen, common, rng)
    if tokens is None:
        return layer
    from cfc_ref.layers.embedding import Embedding

    return Embedding(tokens, layer, chosen.embedding_dropout, seed=rng)


def _cfc(name: str, chosen: Hyperparameters, common: dict[str, Any], rng: np.random.Generator, backward: bool) -> Layer:
    from cfc_ref.layers.backward_clock import BackwardCfC
    from cfc_ref.layers.cfc import CfC

    layer = (BackwardCfC if backward and name == "pure" else CfC)(
        **common,
        mixed_memory=name == "mixed",
        mode=_MODES[name],
        activation=chosen.activation or "lecun_tanh",
        backbone_units=chosen.backbone_units,
        backbone_layers=chosen.backbone_layers,
        backbone_dropout=chosen.dropout,
        variant=chosen.variant,
        forget_bias=1.0 if chosen.forget_bias is None else chosen.forget_bias,
        seed=rng,
    )
    for key, array in layer.parameters.items():
        if key.startswith("rnn_cell.") and array.ndim == 2:
            array *= array.dtype.type(chosen.gain)
    return layer


def _ltc(chosen: Hyperparameters, common: dict[str, Any], rng: np.random.Generator, backward: bool) -> Layer:
    """Return an LTC whose neurons all excite or inhibit each other, which ncps's full wiring does less evenly."""
    from cfc_ref.layers.backward_clock import BackwardLTC
    from cfc_ref.layers.ltc import LTC

    layer = (BackwardLTC if backward else LTC)(
        **common,
        output_mapping="none" if chosen.variant == "torch" else "affine",
        ode_unfolds=chosen.unfolds or 6,
        implicit_param_constraints=False,
        seed=rng,
    )
    weights = layer.parameters
    for name in ("rnn_cell.erev", "rnn_cell.sensory_erev"):
        weights[name][...] = rng.choice([-1, 1], weights[name].shape)
    weights["fc.weight"][...] = glorot(rng, weights["fc.weight"].shape)
    weights["fc.bias"][...] = 0
    return layer


def _baseline(name: str, chosen: Hyperparameters, common: dict[str, Any], rng: np.random.Generator) -> Layer:
    from cfc_ref.layers.baselines import CTRNN, LSTM

    if name == "lstm":
        return LSTM(**common, seed=rng)
    return CTRNN(**common, ode_unfolds=chosen.unfolds or 3, seed=rng)
