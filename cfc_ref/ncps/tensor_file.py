"""The .safetensors format, read and written with NumPy only: a length, a header of JSON, and the bytes of arrays."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping

import numpy as np

from cfc_ref import checks
from cfc_ref.arrays import Array

__all__ = ["BrokenFileError", "packed_tensors", "unpacked_tensors"]

_FORMATS = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "BOOL": "?"} | {
    f"{sign}{8 * size}": f"<{sign.lower()}{size}" for sign in "IU" for size in (1, 2, 4, 8)
}


class BrokenFileError(Exception):
    """The error of a file that is truncated or has another format."""


def unpacked_tensors(content: bytes) -> dict[str, Array]:
    """Return the arrays of a file by name, those of bfloat16 in float32; nothing is unpickled."""
    start = 8 + int.from_bytes(content[:8], "little")
    if len(content) < start:
        raise BrokenFileError("it is shorter than its header")
    data = memoryview(content)[start:]
    try:
        header = json.loads(content[8:start])
        header.pop("__metadata__", None)
        unknown = {name: about["dtype"] for name, about in header.items() if about["dtype"] not in _FORMATS}
        arrays = {} if unknown else {name: _array(data, **about) for name, about in header.items()}
    except (AttributeError, TypeError, KeyError, ValueError, RecursionError) as error:
        raise BrokenFileError(f"its header can't be read: {error}") from None
    for name, kind in unknown.items():
        floats = "{k: v.float().contiguous() for k, v in model.state_dict().items()}"
        do = f"in PyTorch: save_file({floats}, 'f.safetensors')"
        checks.refuse(f"source[{name!r}]", f"numbers of type {kind}", "float32 or another of PyTorch's floats", do)
    return arrays


def _array(data: memoryview, dtype: str, shape: list[int], data_offsets: list[int]) -> Array:
    """Return one array, if the header's shape and places fit the data."""
    kind, size, (begin, end) = np.dtype(_FORMATS[dtype]), math.prod(shape), data_offsets
    if min(shape, default=0) < 0 or not 0 <= begin <= end <= len(data) or size * kind.itemsize != end - begin:
        raise ValueError("shapes and places do not fit the file's length")
    flat = np.frombuffer(data[begin:end], kind)
    if dtype == "BF16":  # the upper half of a float32
        flat = (flat.astype("<u4") << 16).view("<f4")
    return flat.reshape(shape)


def packed_tensors(arrays: Mapping[str, Array]) -> bytes:
    """Return the bytes of a file that holds these arrays."""
    names = {np.dtype(code): name for name, code in _FORMATS.items() if name != "BF16"}
    header, parts, end = {}, [], 0
    for name, array in arrays.items():
        kind = array.dtype.newbyteorder("<")
        parts.append(array.astype(kind).tobytes())
        begin, end = end, end + len(parts[-1])
        header[name] = {"dtype": names[kind], "shape": array.shape, "data_offsets": [begin, end]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)  # so that numbers lie at multiples of 8
    return b"".join([len(text).to_bytes(8, "little"), text, *parts])
