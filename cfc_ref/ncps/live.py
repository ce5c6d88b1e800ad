"""Settings and arrays of a live ncps model, from its attributes; neither ncps nor PyTorch is imported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cfc_ref import checks
from cfc_ref.arrays import Array
from cfc_ref.ncps.tensors import named_arrays, numbers, unwrapped

if TYPE_CHECKING:
    from cfc_ref.wirings import Wiring

__all__ = ["described", "is_live"]

_CLASSES = {"LeCun": "lecun_tanh", "SiLU": "silu", "ReLU": "relu", "Tanh": "tanh", "GELU": "gelu"}
# class of a PyTorch module, or name of a Keras function -> name here
_ACTIVATIONS = _CLASSES | {name: name for name in _CLASSES.values()}


def is_live(source: Any) -> bool:
    """Say whether `source` is a layer of ncps on PyTorch or Keras."""
    return _is_torch(source) or hasattr(getattr(source, "cell", None), "get_config")


def _is_torch(source: Any) -> bool:
    return hasattr(source, "rnn_cell") and callable(getattr(source, "state_dict", None))


def described(source: Any) -> tuple[str, dict[str, Any], dict[str, Array]]:
    """Return the kind of a live model, the arguments that make its layer, and its arrays by name."""
    try:
        return _torch(source) if _is_torch(source) else _keras(source)
    except AttributeError as error:
        do = "pass its state_dict(), and its settings by name"
        checks.refuse("source", f"{type(source).__name__} ({error})", "an ncps CfC or LTC", do, TypeError)


def _torch(source: Any) -> tuple[str, dict[str, Any], dict[str, Array]]:
    arrays = named_arrays(source.state_dict())
    arguments = {
        "input_size": source.input_size,
        "return_sequences": source.return_sequences,
        "batch_first": source.batch_first,
        "mixed_memory": source.use_mixed,
    }
    if "rnn_cell.gleak" in arrays:
        return "LTC", {**arguments, **_torch_ltc(unwrapped(source.rnn_cell))}, arrays
    return "CfC", {**arguments, **_torch_cfc(source)}, arrays


def _torch_ltc(cell: Any) -> dict[str, Any]:
    return {
        "units": _wiring(cell._wiring),
        "input_mapping": cell._input_mapping,
        "output_mapping": cell._output_mapping,
        "ode_unfolds": cell._ode_unfolds,
        "epsilon": cell._epsilon,
        "implicit_param_constraints": cell._implicit_param_constraints,
    }


def _torch_cfc(source: Any) -> dict[str, Any]:
    cell = unwrapped(source.rnn_cell)
    arguments: dict[str, Any] = {"proj_size": source.proj_size}
    if hasattr(cell, "_wiring"):
        return {**arguments, "units": _wiring(cell._wiring), "mode": unwrapped(cell._layers[0]).mode}
    arguments |= {"units": cell.hidden_size, "mode": cell.mode, "backbone_layers": cell.backbone_layers}
    if cell.backbone_layers > 0:
        modules = [unwrapped(module) for module in unwrapped(cell.backbone)]
        dropped = [module.p for module in modules if type(module).__name__ == "Dropout"]
        arguments["backbone_units"] = modules[0].out_features
        arguments["activation"] = _activation(type(modules[1]).__name__)
        arguments["backbone_dropout"] = dropped[0] if dropped else 0.0
    return arguments


def _activation(name: str) -> str:
    if name not in _ACTIVATIONS:
        checks.refuse("source", f"the activation {name}", f"one of {', '.join(_ACTIVATIONS)}", "use one of them")
    return _ACTIVATIONS[name]


def _wiring(theirs: Any) -> Wiring:
    """Return a wiring of ncps as one of ours, without warnings."""
    from cfc_ref.wirings import Wiring

    layers = [list(theirs.get_neurons_of_layer(l)) for l in range(theirs.num_layers)]
    numbers = np.repeat(np.arange(len(layers)), [len(layer) for layer in layers])
    return Wiring.from_arrays(
        {
            "adjacency_matrix": theirs.adjacency_matrix,
            "sensory_adjacency_matrix": theirs.sensory_adjacency_matrix,
            "output_dim": np.array(theirs.output_dim),
            "layers": np.stack([np.concatenate(layers), numbers]),
        }
    )


# --- Keras: other names, and kernels of shape (inputs, outputs)


def _keras(source: Any) -> tuple[str, dict[str, Any], dict[str, Array]]:
    cell: Any = source.cell
    arrays: dict[str, Array] = {}
    arguments: dict[str, Any] = {"variant": "keras", "return_sequences": source.return_sequences}
    mixed = hasattr(cell, "rnn_cell")
    if mixed:
        arrays["lstm.input_map.weight"] = _numbers(cell.input_kernel).T
        arrays["lstm.input_map.bias"] = _numbers(cell.bias)
        arrays["lstm.recurrent_map.weight"] = _numbers(cell.recurrent_kernel).T
        arguments["forget_bias"] = float(cell.forget_gate_bias)
        cell = cell.rnn_cell
    wired = hasattr(cell, "_cfc_layers") and hasattr(cell, "wiring")
    if not wired and not hasattr(cell, "ff1_kernel"):
        checks.refuse("source", type(source).__name__, "a built ncps CfC", "call it once, or pass another", TypeError)
    if wired:
        for l, layer in enumerate(cell._cfc_layers):
            arrays |= _keras_cell(layer, f"rnn_cell.layer_{l}.")
        arguments |= {"units": _wiring(cell.wiring), "recurrence": "full", "mode": cell.mode}
        reads = cell.wiring.input_dim
    else:
        arrays |= _keras_cell(cell, "rnn_cell.")
        arguments |= {"units": cell.units, "mode": cell.mode, "backbone_layers": cell._backbone_layers}
        reads = arrays["rnn_cell.backbone.0.weight" if cell._backbone_layers else "rnn_cell.ff1.weight"].shape[1]
        reads -= cell.units
        if cell._backbone_layers:
            arguments["backbone_units"] = cell._backbone_units
            arguments["activation"] = _activation(cell._activation.__name__)
            arguments["backbone_dropout"] = float(cell._backbone_dropout)
    arguments["input_size"] = arrays["lstm.input_map.weight"].shape[1] if mixed else reads
    return "CfC", {**arguments, "mixed_memory": mixed}, arrays


def _keras_cell(cell: Any, prefix: str) -> dict[str, Array]:
    """Return the arrays of one cell by PyTorch's names."""
    arrays: dict[str, Array] = {}
    if cell._backbone_layers:
        step = 3 if cell._backbone_dropout else 2
        maps = [layer for layer in cell.backbone_fn.layers if hasattr(layer, "kernel")]
        for k, layer in enumerate(maps):
            arrays |= _keras_dense(layer.kernel, layer.bias, f"{prefix}backbone.{step * k}")
    arrays |= _keras_dense(cell.ff1_kernel, cell.ff1_bias, f"{prefix}ff1")
    if cell.mode == "pure":
        arrays |= {f"{prefix}{name}": _numbers(getattr(cell, name)) for name in ("w_tau", "A")}
    else:
        arrays |= _keras_dense(cell.ff2_kernel, cell.ff2_bias, f"{prefix}ff2")
        for gate in ("time_a", "time_b"):
            arrays |= _keras_dense(getattr(cell, gate).kernel, getattr(cell, gate).bias, f"{prefix}{gate}")
    if cell.sparsity_mask is not None:
        arrays[f"{prefix}sparsity_mask"] = numbers("source", cell.sparsity_mask, mask=True).T
    return arrays


def _keras_dense(kernel: Any, bias: Any, name: str) -> dict[str, Array]:
    return {f"{name}.weight": _numbers(kernel).T, f"{name}.bias": _numbers(bias)}


def _numbers(variable: Any) -> Array:
    """Return the numbers of a Keras variable, or of the backend's tensor."""
    return numbers("source", getattr(variable, "value", variable))
