"""Atomic file writes, and the file format of models.

A model file is NumPy's npz without pickle: reading it cannot run code. Its entries are ``header``, JSON in UTF-8 as
bytes; ``weights.`` with the names of ``state_dict()``; and for a wired model ``wiring.`` with its matrices. The header
holds the format, the arguments that make the model, and a checksum of everything else (against accidents, not forgery).
"""

from __future__ import annotations

import contextlib
import importlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cfc_ref import checks
from cfc_ref.arrays import Array
from cfc_ref.layers.base import BACKENDS, UNDRAWN, Layer

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["load", "output_folder", "packed", "save", "unpacked", "write_atomically"]

_FORMAT, _VERSION = "cfc_ref model", 1
_KINDS = {
    "CfC": "cfc_ref.layers.cfc",
    "LTC": "cfc_ref.layers.ltc",
    "NeuralLTC": "cfc_ref.layers.ltc",
    "LSTM": "cfc_ref.layers.baselines",
    "CTRNN": "cfc_ref.layers.baselines",
    "Embedding": "cfc_ref.layers.embedding",
    "BackwardCfC": "cfc_ref.layers.backward_clock",
    "BackwardLTC": "cfc_ref.layers.backward_clock",
}


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file under a temporary name in the same folder, and rename it."""
    import tempfile

    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise


def output_folder(name: str, folder: str | Path) -> Path:
    """Return a folder to write to; make it if it does not exist."""
    import tempfile

    if not isinstance(folder, (str, Path)):
        checks.refuse(name, type(folder).__name__, "the path of a folder", "pass a string or a Path", TypeError)
    if not str(folder).strip():
        checks.refuse(name, repr(folder), "the path of a folder", "pass one, such as '.'")
    path = Path(folder)
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        got = f"{str(folder)!r} ({getattr(error, 'strerror', error)})"
        checks.refuse(name, got, "a folder that can be written to", "name another folder")
    return path


def packed(header: Mapping[str, Any], entries: Mapping[str, Array]) -> bytes:
    """Return the bytes of an npz file without pickle: arrays, and a header of JSON."""
    import io
    import json

    text = np.frombuffer(json.dumps(header, allow_nan=False).encode(), np.uint8)
    everything: dict[str, Any] = {"header": text, **entries}
    with io.BytesIO() as file:
        np.savez(file, **everything)
        return file.getvalue()


def unpacked(path: Path) -> tuple[Any, dict[str, Array]]:
    """Return the header and the arrays of a file that :func:`packed` made; nothing is unpickled."""
    import json

    with path.open("rb") as file:
        try:
            with np.load(file, allow_pickle=False) as opened:
                entries = {key: opened[key] for key in opened.files}
            return json.loads(bytes(entries.pop("header"))), entries
        except Exception as error:  # any error of zipfile, numpy and json
            raise ValueError(f"{path.name} cannot be read") from error


def save(path: str | Path, model: Layer) -> None:
    """Write a model to a file: weights, settings and wiring.

    Parameters
    ----------
    path : str or Path
        The file, usually ``.npz``; an existing file is replaced, completely or not at all.
    model : CfC, LTC, NeuralLTC, LSTM or CTRNN
        The model.

    Raises
    ------
    ValueError, TypeError
        If it is no model, or the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from cfc_ref import CfC
    >>> model = CfC(3, 4, seed=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(Path(folder) / "model.npz", model)
    ...     same = load(Path(folder) / "model.npz")
    >>> bool(np.array_equal(model(np.ones((5, 3)))[0], same(np.ones((5, 3)))[0]))
    True
    """
    path = _path(path)
    if not isinstance(model, Layer):
        checks.refuse("model", type(model).__name__, f"one of {', '.join(_KINDS)}", "pass the layer itself", TypeError)
    entries = {f"weights.{key}": array for key, array in model.state_dict().items()}
    wiring = model.wiring
    if wiring is not None:
        entries |= {f"wiring.{key}": array for key, array in wiring.to_arrays().items()}
    header = {"format": _FORMAT, "version": _VERSION, "kind": type(model).__name__, "config": model.config}
    if wiring is None:
        header["units"] = model.state_size
    try:
        write_atomically(path, packed({**header, "checksum": _checksum(header, entries)}, entries))
    except OSError as error:
        checks.refuse("path", f"{str(path)!r} ({error.strerror})", "a file that can be written", "name another file")


def load(path: str | Path, backend: str = "auto") -> Any:
    """Read a model from a file that :func:`save` wrote.

    Parameters
    ----------
    path : str or Path
        The file.
    backend : {"auto", "numpy", "numba"}
        Of the model; the file does not store it.

    Returns
    -------
    CfC, LTC, NeuralLTC, LSTM or CTRNN

    Raises
    ------
    FileNotFoundError
        If there is no such file; it is also a ValueError.
    ValueError, TypeError
        If the file was truncated or altered, has a newer format, or another content.

    Examples
    --------
    >>> import tempfile
    >>> from cfc_ref import CfC
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(f"{folder}/model.npz", CfC(3, 4, seed=0))
    ...     model = load(f"{folder}/model.npz", backend="numpy")
    >>> model.state_size, model.backend
    (4, 'numpy')
    """
    path = _path(path)
    checks.choice("backend", backend, BACKENDS)
    try:
        header, entries = unpacked(path)
    except OSError as error:
        checks.unreadable("path", path, error, "a model's file")
    except ValueError:
        if path.suffix == ".safetensors":
            checks.refuse("path", f"{path.name!r}", "a file that save wrote", "read ncps's weights with from_ncps")
        _refuse(path, "which is truncated, altered, or no model's file")
    if not isinstance(header, dict) or header.get("format") != _FORMAT:
        _refuse(path, "which is no model's file")
    if header.get("version") != _VERSION:
        got = f"{path.name!r}, of format {header.get('version')!r}"
        checks.refuse("path", got, f"format {_VERSION}", "read it with the version of cfc_ref that wrote it, or newer")
    if header.pop("checksum", None) != _checksum(header, entries):
        _refuse(path, "which was altered: its contents do not have the checksum that it states")
    model = _model(path, header, entries)
    model.backend = backend
    return model


def _model(path: Path, header: dict[str, Any], entries: dict[str, Array]) -> Layer:
    kind = str(header.get("kind"))
    if kind not in _KINDS:
        _refuse(path, f"which holds a {kind}")
    parts: dict[str, dict[str, Array]] = {"weights": {}, "wiring": {}}
    try:
        for key, array in entries.items():
            part, _, name = key.partition(".")
            parts[part][name] = array
        units: Any = header.get("units")
        if parts["wiring"]:
            from cfc_ref.wirings import Wiring

            units = Wiring.from_arrays(parts["wiring"])
        model = _made(kind, header["config"], units)
        model.load_state_dict(parts["weights"])
    except (ValueError, TypeError, KeyError, MemoryError) as error:
        _refuse(path, f"whose parts do not fit together ({error})")
    return model


def _made(kind: str, config: dict[str, Any], units: Any) -> Layer:
    """Return a layer without weights; an embedding holds another one, which `units` are of."""
    make = getattr(importlib.import_module(_KINDS[kind]), kind)
    inner = {"layer": _made(**config["layer"], units=units)} if kind == "Embedding" else {"units": units}
    model: Layer = make(**{**config, **inner}, seed=UNDRAWN)
    return model


def _refuse(path: Path, why: str) -> None:
    checks.refuse("path", f"{path.name!r}, {why}", "a file that save wrote", "save the model again")


def _path(path: str | Path) -> Path:
    if not isinstance(path, (str, Path)):
        checks.refuse("path", type(path).__name__, "the path of a file", "pass a string or a Path", TypeError)
    return Path(path)


def _checksum(header: Mapping[str, Any], entries: Mapping[str, Array]) -> int:
    """Return the CRC-32 of a header and of every array's name, dtype, shape and numbers."""
    import json
    import zlib

    total = zlib.crc32(json.dumps(header, sort_keys=True).encode())
    for key in sorted(entries):
        array = entries[key]
        total = zlib.crc32(f"{key} {array.dtype.str} {array.shape}".encode(), total)
        total = zlib.crc32(array.tobytes(), total)
    return total
