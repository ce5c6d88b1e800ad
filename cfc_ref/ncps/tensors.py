"""Tensors and arrays of any library as NumPy arrays of float32 or float64; PyTorch and others are not imported."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from cfc_ref import checks
from cfc_ref.arrays import Array
from cfc_ref.ncps.tensor_file import BrokenFileError, unpacked_tensors

__all__ = ["named_arrays", "numbers", "read_safetensors", "unwrapped"]

_WRAPPERS = ("_orig_mod", "module", "_fsdp_wrapped_module", "_checkpoint_wrapped_module")
_PREFIX = re.compile(rf"(?:(?<=\.)|^)(?:{'|'.join(_WRAPPERS)})\.")
_PICKLES = (".pt", ".pth", ".ckpt", ".bin", ".pkl", ".pickle")
_PACKED = "._packed_params._packed_params"  # of a quantised linear map in PyTorch: weight and bias
_REWRITTEN = {  # names of the parts from which PyTorch computes a weight -> the function that makes it one again
    r"(?P<module>.+)\.parametrizations\.(?P<name>\w+)\.": "torch.nn.utils.parametrize.remove_parametrizations",
    r"(?P<module>.+)\.(?P<name>weight|bias)_mask$": "torch.nn.utils.prune.remove",
    r"(?P<module>.+)\.(?P<name>weight)_g$": "torch.nn.utils.remove_weight_norm",
    r"(?P<module>.+)\.(?P<name>weight)_u$": "torch.nn.utils.remove_spectral_norm",
}


def unwrapped(module: Any) -> Any:
    """Return the model inside wrappers such as ``torch.compile`` and ``DataParallel``."""
    for _ in range(8):  # nested wrappers end somewhere
        inner = [getattr(module, name) for name in _WRAPPERS if hasattr(module, name)]
        module = inner[0] if inner else module
    return module


def named_arrays(source: Mapping[Any, Any]) -> dict[str, Array]:
    """Return the arrays of a state_dict by ncps's names: no wrappers' prefixes, no half precision, no quantisation."""
    arrays: dict[str, Array] = {}
    for key, value in _dequantised(source).items():
        name = _PREFIX.sub("", key)
        for pattern, function in _REWRITTEN.items():
            if found := re.match(pattern, name):
                line = f"{function}(model.get_submodule({found['module']!r}), {found['name']!r})"
                checks.refuse("source", repr(key), "the weights themselves", f"in PyTorch, for each such layer: {line}")
        if name in arrays:
            checks.refuse("source", f"{name!r} twice, also as {key!r}", "one model", "pass its state_dict() alone")
        arrays[name] = numbers(f"source[{key!r}]", value, mask=name.endswith("sparsity_mask"))
    return arrays


def _dequantised(source: Mapping[Any, Any]) -> dict[str, Any]:
    """Return a state_dict with the weights of PyTorch's quantised linear maps as floats."""
    named = {str(key): value for key, value in source.items()}
    for key in [key for key in named if key.endswith(_PACKED)]:
        name, (weight, bias) = key.removesuffix(_PACKED), named.pop(key)
        for other in ("scale", "zero_point", "_packed_params.dtype"):
            named.pop(f"{name}.{other}", None)
        named[f"{name}.weight"] = weight
        if bias is not None:
            named[f"{name}.bias"] = bias
    return named


def numbers(name: str, value: Any, *, mask: bool = False) -> Array:
    """Return the numbers of a tensor, in float64 if that is its dtype, else in float32."""
    try:
        if hasattr(value, "detach"):  # of PyTorch, on any device
            value = value.detach().cpu()
            value = value.dequantize() if getattr(value, "is_quantized", False) else value
            half = "float" in str(value.dtype) and str(value.dtype)[-2:] not in ("32", "64")
            value = (value.float() if half else value).numpy()
        elif hasattr(value, "get") and hasattr(value, "dtype"):  # of CuPy
            value = value.get()
        array = np.asarray(value)
    except Exception as error:  # of any library
        got = f"{type(value).__name__} ({error})"
        checks.refuse(name, got, "an array of numbers", "pass tensor.detach().cpu().float().numpy()")
    if array.dtype.kind in "iu" and array.dtype.itemsize == 1 and not mask:
        do = "pass floats, (numbers - zero_point) * scale"
        checks.refuse(name, f"{array.dtype}, numbers of a quantised model", "floats", do)
    extension = array.dtype.kind == "V" and "float" in array.dtype.name  # bfloat16 of ml_dtypes and JAX
    if extension or array.dtype.kind in "iu" or array.dtype == np.float16 or (mask and array.dtype == bool):
        array = array.astype(np.float32)
    return checks.numeric(name, array)


def read_safetensors(path: Path) -> dict[str, Any]:
    """Return the arrays of a .safetensors file."""
    if path.suffix.lower() in _PICKLES:
        save = "save_file({k: v.contiguous() for k, v in model.state_dict().items()}, 'model.safetensors')"
        do = f"in PyTorch: from safetensors.torch import save_file; {save}"
        checks.refuse("source", f"{path.name!r}, a pickle, which can run code", "a .safetensors file", do)
    if path.suffix.lower() != ".safetensors":
        checks.refuse("source", f"{path.name!r}", "a .safetensors file", "read others with cfc_ref.load")
    try:
        content = path.read_bytes()
    except OSError as error:
        checks.unreadable("source", path, error, "a file that can be read")
    try:
        return unpacked_tensors(content)
    except BrokenFileError as error:
        checks.refuse("source", f"{path.name!r} ({error})", "a whole .safetensors file of floats", "save it again")
