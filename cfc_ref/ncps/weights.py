"""Weights from ncps and back: live models, dicts of arrays, and safetensors files. Nothing here imports PyTorch.

A live model says everything about itself. A dict or a file holds numbers only: settings that their names and shapes do
not determine (mode, activation, wiring, …) are passed by name, and the error lists those that are missing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cfc_ref import checks
from cfc_ref.arrays import Array
from cfc_ref.layers.base import BACKENDS, UNDRAWN, Layer
from cfc_ref.layers.cfc import CfC
from cfc_ref.ncps.live import described, is_live
from cfc_ref.ncps.tensors import named_arrays, read_safetensors, unwrapped

if TYPE_CHECKING:
    from cfc_ref.wirings import Wiring

__all__ = ["from_ncps", "summary", "to_ncps_state_dict"]

_KINDS = ("CfC", "LTC")
_DEFAULTS = {  # ncps's, as `cfc-ref convert` takes them
    "mode": "default",
    "activation": "lecun_tanh",
    "ode_unfolds": 6,
    "implicit_param_constraints": "yes",
}


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
    backend: str = "auto",
) -> Any:
    """Return the layer with the weights of an ncps model.

    Parameters
    ----------
    source : ncps model, mapping, str or Path
        A live ``ncps.torch.CfC`` or ``LTC``, or ``ncps.keras.CfC``, which says everything about itself. Or its
        ``state_dict()``, or a .safetensors file of it, which is read without PyTorch; of a larger model pass the
        layer's part alone, without its prefix. Half precision (float16, bfloat16), tensors on a GPU or
        with gradients, and models inside ``torch.compile`` or ``DataParallel`` are converted. So are weights of
        PyTorch's quantised layers, to the floats that they mean; there PyTorch rounds its activations too.
    kind : {"CfC", "LTC"}, optional
        By default that of the names.
    mode : {"default", "no_gate", "pure"}, optional
        For a CfC; the names tell "pure" from the other two, but not those from each other.
    activation : str, optional
        For a CfC with a backbone.
    ode_unfolds : int, optional
        For an LTC.
    implicit_param_constraints : bool, optional
        For an LTC: whether its weights pass through a softplus.
    wiring : Wiring, optional
        For a wired CfC; its synapses must be those of the stored masks. For an LTC by default the stored masks, with
        the signs of the reversal potentials.
    variant : {"torch", "tensorflow", "keras"}
        Whose conventions the arrays of a mapping or file follow; their names are PyTorch's.
    backend : {"auto", "numpy", "numba"}
        For the layer.

    Returns
    -------
    CfC or LTC
        In float64 if any array is, else float32.

    Raises
    ------
    ValueError, TypeError, FileNotFoundError
        If a setting is missing, an array does not fit, or the source is no such model; nothing is unpickled.

    Examples
    --------
    >>> weights = CfC(3, 4, mode="no_gate", seed=0).state_dict()
    >>> from_ncps(weights, mode="no_gate", activation="lecun_tanh").mode
    'no_gate'
    >>> from_ncps(weights)
    Traceback (most recent call last):
    ValueError: source: got arrays that do not say mode ('default' or 'no_gate'), activation; expected a model whose \
settings are all known; pass them by name.

    A wired CfC needs its wiring instead of an activation, an LTC the settings of its solver:

    >>> from cfc_ref import LTC, wirings
    >>> wiring = wirings.AutoNCP(12, 2)
    >>> from_ncps(CfC(3, wiring, seed=0).state_dict(), mode="default", wiring=wiring).wiring.layer_sizes
    (6, 4, 2)
    >>> from_ncps(LTC(3, wiring, seed=0).state_dict(), ode_unfolds=6, implicit_param_constraints=True).state_size
    12
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
    checks.choice("backend", backend, BACKENDS)
    source = unwrapped(source)
    if is_live(source):
        if given:
            name, value = next(iter(given.items()))
            checks.refuse(name, repr(value), "no such setting, as a live model has its own", f"remove {name}")
        kind, arguments, arrays = described(source)
    else:
        checks.choice("variant", variant, ("torch", "tensorflow", "keras"))
        arrays = _arrays(source)
        kind, arguments, missing = _deduced(arrays, given, variant)
        if missing:
            got = f"arrays that do not say {', '.join(missing.values())}"
            checks.refuse("source", got, "a model whose settings are all known", "pass them by name")
    make: Any = CfC
    if kind == "LTC":
        from cfc_ref.layers.ltc import LTC

        make = LTC
    dtype = "float64" if any(array.dtype == np.float64 for array in arrays.values()) else "float32"
    layer: Layer = make(**arguments, dtype=dtype, seed=UNDRAWN, backend=backend)
    if wiring is not None:
        for key, mask in layer.state_dict().items():
            if key.endswith("sparsity_mask") and key in arrays and not np.array_equal(arrays[key], mask):
                do = "pass the wiring of the ncps model, with the same numbers and seed"
                checks.refuse("wiring", f"one with another mask than {key!r}", "the synapses of the arrays", do)
    layer.load_state_dict(arrays)
    return layer


def to_ncps_state_dict(model: Layer) -> dict[str, Array]:
    """Return a model's weights in the form that ``ncps.torch`` loads with ``load_state_dict``.

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
            do = "its heads differ: train a model of the variant 'torch'"
            checks.refuse("model", f"variant {model.variant!r}", "variant 'torch'", do)
        if model.mode not in ("default", "no_gate", "pure"):
            checks.refuse("model", f"mode {model.mode!r}", "a mode that ncps has", "save it with cfc_ref.save")
        if model.forget_bias != 1:
            units = model.state_size
            arrays["lstm.input_map.bias"][2 * units : 3 * units] += model.forget_bias - 1
    elif model.proj_size is not None:
        checks.refuse("model", "an LTC with a projection", "one without", "apply the projection in PyTorch")
    return arrays


def summary(path: str | Path) -> dict[str, Any]:
    """Return what a .safetensors file of ncps's weights says of its model, and the command that converts it."""
    arrays = _arrays(path)
    kind, arguments, missing = _deduced(arrays, {}, "torch")
    options = [f"--{name.replace('_', '-')} {_DEFAULTS.get(name, 'NAME:units=…')}" for name in missing]
    units = arguments.pop("units")
    return {
        "kind": f"{kind} of ncps, weights only",
        "neurons": getattr(units, "units", units),
        **{name: value for name, value in arguments.items() if name != "variant"},
        "dtype": ", ".join(sorted({array.dtype.name for array in arrays.values()})),
        "parameters": f"{sum(array.size for key, array in arrays.items() if not key.endswith('sparsity_mask')):,}",
        "not in the file": ", ".join(missing.values()) or None,
        "to convert": " ".join(["cfc-ref convert", str(path), *options, "--out FOLDER"]),
        "": "with the settings of the model in ncps; the ones above are its defaults" if missing else None,
    }


# --- reading arrays


def _arrays(source: Any) -> dict[str, Array]:
    """Return the arrays of a mapping or a file, by name."""
    if isinstance(source, (str, Path)):
        source = read_safetensors(Path(source))
    if not isinstance(source, Mapping):
        do = "pass one"
        if hasattr(source, "named_modules"):
            inside = [name for name, module in source.named_modules() if name and is_live(unwrapped(module))]
            do = f"pass its part, source.get_submodule({inside[0]!r})" if inside else "pass the layer of ncps in it"
        checks.refuse("source", type(source).__name__, "an ncps model, a dict of arrays or a file", do, TypeError)
    if not source:
        checks.refuse("source", "no arrays", "those of an ncps model", "pass its state_dict()")
    return named_arrays(source)


# --- settings in names and shapes


def _deduced(
    arrays: dict[str, Array], given: dict[str, Any], variant: str
) -> tuple[str, dict[str, Any], dict[str, str]]:
    """Return the kind of layer, the arguments that make it, and the settings that are missing."""
    kind = "LTC" if "rnn_cell.gleak" in arrays else "CfC" if any("ff1.weight" in key for key in arrays) else None
    if not any(key.startswith("rnn_cell.") for key in arrays):
        inner = next((key.partition("rnn_cell.")[0] for key in arrays if ".rnn_cell." in key), None)
        do = f"take the prefix {inner!r} off the names" if inner else "pass the state_dict() of an ncps CfC or LTC"
        checks.refuse("source", f"names such as {next(iter(arrays))!r}", "names that begin with 'rnn_cell.'", do)
    if kind is None:
        checks.refuse("source", f"names such as {next(iter(arrays))!r}", "those of a CfC or LTC", "check the model")
    if given.pop("kind", kind) != kind:
        checks.refuse("kind", "another kind than that of the names", repr(kind), "remove kind")
    for name in {"CfC": ("ode_unfolds", "implicit_param_constraints"), "LTC": ("mode", "activation")}[kind]:
        if name in given:
            expected = f"no such setting, as the arrays are those of a {kind}"
            checks.refuse(name, repr(given[name]), expected, f"remove {name}")
    return kind, *(_cfc(arrays, given, variant) if kind == "CfC" else _ltc(arrays, given))


def _cfc(arrays: dict[str, Array], given: dict[str, Any], variant: str) -> tuple[dict[str, Any], dict[str, str]]:
    backbone = _in_order(key for key in arrays if re.fullmatch(r"rnn_cell\.backbone\.\d+\.weight", key))
    wired = _in_order(key for key in arrays if re.fullmatch(r"rnn_cell\.layer_\d+\.ff1\.weight", key))
    missing = {}
    if any(key.endswith(".w_tau") for key in arrays):
        if given.setdefault("mode", "pure") != "pure":
            checks.refuse("mode", repr(given["mode"]), "'pure', as there is a w_tau", "remove mode")
    elif "mode" not in given:
        missing["mode"] = "mode ('default' or 'no_gate')"
    if backbone and "activation" not in given:
        missing["activation"] = "activation"
    if wired and "wiring" not in given:
        missing["wiring"] = "wiring"
    if not wired and "wiring" in given:
        checks.refuse("wiring", "a wiring", "none, as the arrays are those of a dense network", "remove wiring")
    head = _named(arrays, wired[0] if wired else "rnn_cell.ff1.weight", 2)
    sizes = tuple(len(_named(arrays, key, 2)) for key in wired)
    wiring = _checked(given.pop("wiring", None), sizes)
    reads = _named(arrays, backbone[0], 2) if backbone else head
    mixed = "lstm.input_map.weight" in arrays
    inputs = _named(arrays, "lstm.input_map.weight", 2).shape[1] if mixed else reads.shape[1] - head.shape[0]
    arguments = {"input_size": inputs, "units": wiring or sum(sizes) or len(head), "mixed_memory": mixed, **given}
    arguments["variant"] = variant
    if not wired:
        arguments["backbone_layers"] = len(backbone)
        arguments["backbone_units"] = reads.shape[0] if backbone else None
    if "fc.weight" in arrays:
        arguments["proj_size"] = _named(arrays, "fc.weight", 2).shape[0]
    for k, key in enumerate(backbone):  # names are those without dropout, whose share no array says
        for name in ("weight", "bias"):
            old, new = key.removesuffix("weight") + name, f"rnn_cell.backbone.{2 * k}.{name}"
            if old in arrays and old != new:
                arrays[new] = arrays.pop(old)
    return arguments, missing


def _checked(wiring: Any, sizes: tuple[int, ...]) -> Any:
    """Return a wiring, if one is given, whose layers have as many neurons as the arrays."""
    if wiring is None:
        return None
    from cfc_ref.wirings import Wiring

    if not isinstance(wiring, Wiring):
        checks.refuse("wiring", type(wiring).__name__, "a Wiring", "see cfc_ref.wirings", TypeError)
    found = wiring.layer_sizes if len(sizes) > 1 else (wiring.units,)
    if found != sizes:
        got, expected = (" + ".join(map(str, each)) for each in (found, sizes))
        do = "pass the wiring of the ncps model, with the same numbers and seed"
        checks.refuse("wiring", f"one of {got} neurons", f"one of {expected} neurons, as in the arrays", do)
    return wiring


def _ltc(arrays: Mapping[str, Array], given: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    mappings = {}
    for end in ("input", "output"):
        maps = (f"rnn_cell.{end}_w" in arrays, f"rnn_cell.{end}_b" in arrays)
        mappings[f"{end}_mapping"] = {(True, True): "affine", (True, False): "linear"}.get(maps, "none")
    missing = {name: name for name in ("ode_unfolds", "implicit_param_constraints") if name not in given}
    if "wiring" not in given and mappings["output_mapping"] == "none":
        missing["wiring"] = "wiring (without an output map nothing says how many motor neurons there are)"
    units = len(_named(arrays, "rnn_cell.gleak", 1))
    wiring = _checked(given.pop("wiring", None), (units,))
    return {
        "input_size": len(_named(arrays, "rnn_cell.sensory_w", 2)),
        "units": units if "wiring" in missing else wiring or _wiring_of(arrays),
        "mixed_memory": "lstm.input_map.weight" in arrays,
        **mappings,
        **given,
    }, missing


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
