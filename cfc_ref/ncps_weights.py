"""Weights from ncps and back: live models, dicts of arrays, and safetensors files. Nothing here imports PyTorch.

A live model says everything about itself. A dict or a file holds numbers only: what their names and shapes do not say
(which mode, which activation, which wiring, …) has to be given, and the error lists it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cfc_ref import checks
from cfc_ref.layers.base import UNDRAWN, Layer
from cfc_ref.layers.cfc import CfC
from cfc_ref.live_ncps import described, is_live

if TYPE_CHECKING:
    import numpy.typing as npt

    from cfc_ref.wirings import Wiring

    Array = npt.NDArray[Any]

__all__ = ["from_ncps", "to_ncps_state_dict"]

_PICKLES = (".pt", ".pth", ".ckpt", ".bin", ".pkl", ".pickle")
_KINDS = ("CfC", "LTC")


def from_ncps(
    source: Any,
    *,
    kind: str | None = None,
    mode: str | None = None,
    activation: str | None = None,
    ode_unfolds: int | None = None,
    implicit_param_constraints: bool | None = None,
    wiring: Wiring | None = None,
    variant: str = "torch",
) -> Any:
    """Return the layer with the weights of an ncps model.

    Parameters
    ----------
    source : ncps model, mapping, str or Path
        A live ``ncps.torch.CfC`` or ``LTC``, or ``ncps.keras.CfC``: everything is read off it. Or its ``state_dict()``,
        or a .safetensors file of it; of a larger model the layer's part alone, with its prefix taken off the names.
    kind : {"CfC", "LTC"}, optional
        By default what the names say.
    mode : {"default", "no_gate", "pure"}, optional
        Of a CfC; the names tell "pure" from the two others, but not those from each other.
    activation : str, optional
        Of a CfC's backbone, where it has one.
    ode_unfolds : int, optional
        Of an LTC.
    implicit_param_constraints : bool, optional
        Of an LTC: whether its weights pass through a softplus.
    wiring : Wiring, optional
        Of a wired CfC; its synapses have to be those of the stored masks. Of an LTC by default the stored masks, with
        the signs of the reversal potentials.
    variant : {"torch", "tensorflow", "keras"}
        Whose conventions the arrays of a mapping or file are in; their names are PyTorch's.

    Returns
    -------
    CfC or LTC
        In float64 if any array is, else float32.

    Raises
    ------
    ValueError, TypeError
        For what is missing, does not fit, or is no such model; nothing is unpickled.

    Examples
    --------
    >>> weights = CfC(3, 4, mode="no_gate", seed=0).state_dict()
    >>> from_ncps(weights, mode="no_gate", activation="lecun_tanh").mode
    'no_gate'
    >>> from_ncps(weights)
    Traceback (most recent call last):
    ValueError: source: got arrays that do not say mode ('default' or 'no_gate'), activation; expected a model that is \
known whole; pass them by name.
    """
    given = {
        "kind": kind,
        "mode": mode,
        "activation": activation,
        "ode_unfolds": ode_unfolds,
        "implicit_param_constraints": implicit_param_constraints,
        "wiring": wiring,
    }
    given = {name: value for name, value in given.items() if value is not None}
    if is_live(source):
        if given:
            name, value = next(iter(given.items()))
            checks.refuse(name, repr(value), "nothing, as a live model says it itself", "leave it out")
        kind, arguments, arrays = described(source)
    else:
        checks.choice("variant", variant, ("torch", "tensorflow", "keras"))
        arrays = _arrays(source)
        kind, arguments = _deduced(arrays, given, variant)
    make: Any = CfC
    if kind == "LTC":
        from cfc_ref.layers.ltc import LTC

        make = LTC
    dtype = "float64" if any(array.dtype == np.float64 for array in arrays.values()) else "float32"
    layer: Layer = make(**arguments, dtype=dtype, seed=UNDRAWN)
    layer.load_state_dict(arrays)
    return layer


def to_ncps_state_dict(model: Layer) -> dict[str, Array]:
    """Return a model's weights as ``ncps.torch`` loads them with ``load_state_dict``.

    Parameters
    ----------
    model : CfC or LTC
        Of the variant "torch" and of a mode that ncps has.

    Returns
    -------
    dict of ndarray
        By ncps's names. A forget bias other than ncps's 1 is added to the bias of the forget gate.

    Raises
    ------
    ValueError, TypeError
        For what ncps's PyTorch code can't express.

    Examples
    --------
    >>> sorted(to_ncps_state_dict(CfC(1, 2, backbone_layers=0, mode="pure", seed=0)))
    ['rnn_cell.A', 'rnn_cell.ff1.bias', 'rnn_cell.ff1.weight', 'rnn_cell.w_tau']
    """
    if not isinstance(model, Layer) or type(model).__name__ not in _KINDS:
        checks.refuse("model", type(model).__name__, "a CfC or an LTC", "ncps has no other layers", TypeError)
    arrays = model.state_dict()
    if isinstance(model, CfC):
        if model.variant != "torch":
            do = "its heads are others: train a model of the variant 'torch'"
            checks.refuse("model", f"variant {model.variant!r}", "variant 'torch'", do)
        if model.mode not in ("default", "no_gate", "pure"):
            checks.refuse("model", f"mode {model.mode!r}", "a mode that ncps has", "save it with cfc_ref.save")
        if model.forget_bias != 1:
            units = model.state_size
            arrays["lstm.input_map.bias"][2 * units : 3 * units] += model.forget_bias - 1
    elif model.proj_size is not None:
        checks.refuse("model", "an LTC with a projection", "one without", "apply the projection in PyTorch")
    return arrays


# --- reading arrays


def _arrays(source: Any) -> dict[str, Array]:
    """Return the arrays of a mapping or a file, by name."""
    if isinstance(source, Mapping):
        named: Mapping[Any, Any] = source
    elif isinstance(source, (str, Path)):
        named = _read(Path(source))
    else:
        checks.refuse(
            "source", type(source).__name__, "an ncps model, a dict of arrays or a file", "pass one", TypeError
        )
    if not named:
        checks.refuse("source", "no arrays", "those of an ncps model", "pass its state_dict()")
    return {str(key): checks.numeric(f"source[{key!r}]", value) for key, value in named.items()}


def _read(path: Path) -> Mapping[str, Any]:
    """Return the arrays of a .safetensors file."""
    if path.suffix.lower() in _PICKLES:
        checks.refuse(
            "source",
            f"{path.name!r}, a pickle, which can run code",
            "a .safetensors file",
            "in PyTorch: from safetensors.torch import save_file; "
            "save_file({k: v.contiguous() for k, v in model.state_dict().items()}, 'model.safetensors')",
        )
    if path.suffix.lower() != ".safetensors":
        checks.refuse("source", f"{path.name!r}", "a .safetensors file", "read others with cfc_ref.load")
    try:
        from safetensors.numpy import load_file
    except ImportError:
        checks.refuse(
            "source", f"{path.name!r}, without the package safetensors", "it installed", "pip install safetensors"
        )
    try:
        arrays: Mapping[str, Any] = load_file(path)
    except OSError as error:
        checks.refuse(
            "source", f"{str(path)!r} ({error.strerror or error})", "a file that can be read", "check the path"
        )
    except Exception as error:  # safetensors' own errors, and dtypes that NumPy has not
        checks.refuse("source", f"{path.name!r} ({error})", "a whole .safetensors file of floats", "save it again")
    return arrays


# --- what names and shapes say


def _deduced(arrays: Mapping[str, Array], given: dict[str, Any], variant: str) -> tuple[str, dict[str, Any]]:
    """Return the kind of layer, and the arguments that make it."""
    kind = "LTC" if "rnn_cell.gleak" in arrays else "CfC" if any("ff1.weight" in key for key in arrays) else None
    if not any(key.startswith("rnn_cell.") for key in arrays):
        inner = next((key.partition("rnn_cell.")[0] for key in arrays if ".rnn_cell." in key), None)
        do = f"take the prefix {inner!r} off the names" if inner else "pass the state_dict() of an ncps CfC or LTC"
        checks.refuse("source", f"names such as {next(iter(arrays))!r}", "names that begin with 'rnn_cell.'", do)
    if kind is None:
        checks.refuse("source", f"names such as {next(iter(arrays))!r}", "those of a CfC or LTC", "check the model")
    if given.pop("kind", kind) != kind:
        checks.refuse("kind", "another kind than the names say", repr(kind), "leave it out")
    for name in {"CfC": ("ode_unfolds", "implicit_param_constraints"), "LTC": ("mode", "activation")}[kind]:
        if name in given:
            checks.refuse(name, repr(given[name]), f"nothing, as the arrays are those of a {kind}", "leave it out")
    return kind, _cfc(arrays, given, variant) if kind == "CfC" else _ltc(arrays, given)


def _cfc(arrays: Mapping[str, Array], given: dict[str, Any], variant: str) -> dict[str, Any]:
    wired = any(key.startswith("rnn_cell.layer_") for key in arrays)
    backbone = _in_order(key for key in arrays if re.fullmatch(r"rnn_cell\.backbone\.\d+\.weight", key))
    pure = any(key.endswith(".w_tau") for key in arrays)
    missing = []
    if pure:
        if given.setdefault("mode", "pure") != "pure":
            checks.refuse("mode", repr(given["mode"]), "'pure', as there is a w_tau", "leave it out")
    elif "mode" not in given:
        missing.append("mode ('default' or 'no_gate')")
    if backbone and "activation" not in given:
        missing.append("activation")
    if wired and "wiring" not in given:
        missing.append("wiring")
    _ask_for(missing)
    if not wired and "wiring" in given:
        checks.refuse("wiring", "a wiring", "nothing, as the arrays are not those of a wired network", "leave it out")
    head = _named(arrays, "rnn_cell.layer_0.ff1.weight" if wired else "rnn_cell.ff1.weight", 2)
    units = given.pop("wiring", None) or head.shape[0]
    reads = _named(arrays, backbone[0], 2) if backbone else head
    mixed = "lstm.input_map.weight" in arrays
    inputs = _named(arrays, "lstm.input_map.weight", 2).shape[1] if mixed else reads.shape[1] - head.shape[0]
    arguments = {"input_size": inputs, "units": units, "mixed_memory": mixed, "variant": variant, **given}
    if not wired:
        arguments["backbone_layers"] = len(backbone)
        arguments["backbone_units"] = reads.shape[0] if backbone else None
    if "fc.weight" in arrays:
        arguments["proj_size"] = _named(arrays, "fc.weight", 2).shape[0]
    _renumber(arrays, backbone)
    return arguments


def _renumber(arrays: Any, backbone: list[str]) -> None:
    """Name the backbone's maps as without dropout, whose share no array says."""
    for k, key in enumerate(backbone):
        for name in ("weight", "bias"):
            old, new = key.removesuffix("weight") + name, f"rnn_cell.backbone.{2 * k}.{name}"
            if old in arrays and old != new:
                arrays[new] = arrays.pop(old)


def _ltc(arrays: Mapping[str, Array], given: dict[str, Any]) -> dict[str, Any]:
    mappings = {}
    for end in ("input", "output"):
        maps = (f"rnn_cell.{end}_w" in arrays, f"rnn_cell.{end}_b" in arrays)
        mappings[f"{end}_mapping"] = {(True, True): "affine", (True, False): "linear"}.get(maps, "none")
    missing = [name for name in ("ode_unfolds", "implicit_param_constraints") if name not in given]
    if "wiring" not in given and mappings["output_mapping"] == "none":
        missing.append("wiring (without an output map nothing says how many motor neurons there are)")
    _ask_for(missing)
    wiring = given.pop("wiring", None) or _wiring_of(arrays)
    inputs = _named(arrays, "rnn_cell.sensory_w", 2).shape[0]
    return {
        "input_size": inputs,
        "units": wiring,
        "mixed_memory": "lstm.input_map.weight" in arrays,
        **mappings,
        **given,
    }


def _wiring_of(arrays: Mapping[str, Array]) -> Wiring:
    """Return an LTC's wiring from its masks, with the signs of the reversal potentials."""
    from cfc_ref.wirings import Wiring

    def synapses(prefix: str) -> Array:
        mask, erev = _named(arrays, f"{prefix}sparsity_mask", 2), _named(arrays, f"{prefix}erev", 2)
        checks.shape(f"source[{prefix + 'erev'!r}]", erev, mask.shape, "that of its mask")
        return np.where(erev < 0, -1, 1) * (mask != 0)

    outputs = _named(arrays, "rnn_cell.output_w", 1).shape[0]
    return Wiring(synapses("rnn_cell."), synapses("rnn_cell.sensory_"), outputs)


def _named(arrays: Mapping[str, Array], key: str, axes: int) -> Array:
    if key not in arrays or arrays[key].ndim != axes:
        got = f"shape {arrays[key].shape}" if key in arrays else "nothing"
        checks.refuse(f"source[{key!r}]", got, f"an array of {axes} axes", "pass the whole state_dict()")
    return arrays[key]


def _in_order(keys: Any) -> list[str]:
    return sorted(keys, key=lambda key: int(re.findall(r"\d+", key)[0]))


def _ask_for(missing: list[str]) -> None:
    if missing:
        got = f"arrays that do not say {', '.join(missing)}"
        checks.refuse("source", got, "a model that is known whole", "pass them by name")
