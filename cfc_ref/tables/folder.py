"""The folder of a trained network: the model's file, and beside it what its data need and how it was trained.

``settings.json`` is written first, ``figures.json`` last: a folder with the first and without the last holds a run that
is not finished.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from cfc_ref import checks
from cfc_ref.io import load, output_folder, save, write_atomically
from cfc_ref.tables.preparation import Preparation

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from cfc_ref.layers.base import Layer
    from cfc_ref.learn.history import History

__all__ = [
    "CHECKPOINT",
    "SETTINGS",
    "Trained",
    "begin_run",
    "end_run",
    "file_digest",
    "model_file",
    "read_trained",
    "refuse_other_settings",
    "write_json",
    "write_training",
]

MODEL, SETTINGS, FIGURES, HISTORY = "model.npz", "settings.json", "figures.json", "history.json"
CHECKPOINT = "checkpoint.npz"
_FORMAT = "cfc_ref trained network, version 1"
_EXPECTED = "a folder that cfc-ref train wrote"


class Trained(NamedTuple):
    """A trained network and what is known of it.

    Attributes
    ----------
    model : CfC, LTC or NeuralLTC
        The network.
    preparation : Preparation
        Of its data.
    settings : dict
        How it was trained.
    figures : dict
        How good it is: :func:`cfc_ref.tables.evaluation.held_back_figures`.
    """

    model: Layer
    preparation: Preparation
    settings: dict[str, Any]
    figures: dict[str, Any]


def begin_run(folder: str | Path, settings: dict[str, Any], preparation: Preparation) -> Path:
    """Return a folder for a run: a new one, or that of an unfinished run of the same settings."""
    path = output_folder("out", folder)
    whole = {"format": _FORMAT, "settings": settings, "preparation": preparation.as_dict()}
    text = json.dumps(whole, indent=1, allow_nan=False)
    if (path / SETTINGS).exists():
        refuse_other_settings(_read_json(path / SETTINGS).get("settings", {}), settings)
    finished = path / FIGURES if (path / SETTINGS).exists() else path / MODEL
    if finished.exists():
        checks.refuse("out", f"{str(path)!r}, which holds a trained network", "a new folder", "name another folder")
    write_atomically(path / SETTINGS, f"{text}\n".encode())
    return path


def refuse_other_settings(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    """Refuse a folder of a run with other settings."""
    for name, value in json.loads(json.dumps(wanted)).items():
        if found.get(name) != value:
            got = f"a folder with a run of {name} {found.get(name)}"
            expected = f"a new folder, or the run's own settings, {name} {value}"
            checks.refuse("out", got, expected, "name another folder")


def end_run(
    path: Path, model: Layer, history: History, figures: dict[str, Any], pictures: Iterable[tuple[str, Figure]]
) -> None:
    """Write a trained network, how its training went, and how good it is; the checkpoint goes."""
    write_training(path, model, history, pictures)
    write_json(path / FIGURES, figures)
    (path / CHECKPOINT).unlink(missing_ok=True)


def write_training(path: Path, model: Layer, history: History, pictures: Iterable[tuple[str, Figure]]) -> None:
    """Write a model, how its training went, and pictures."""
    save(path / MODEL, model)
    for name, figure in pictures:
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", metadata={"Software": None})
        write_atomically(path / name, buffer.getvalue())
    course = {name: getattr(history, name) for name in ("loss", "validation_loss", "seconds", "best_epoch")}
    if history.metric:
        course["metric"] = history.metric
    write_json(path / HISTORY, course)


def write_json(path: Path, content: Any) -> None:
    r"""Write JSON to a file, whole or not at all."""
    write_atomically(path, f"{json.dumps(content, indent=1, allow_nan=False)}\n".encode())


def file_digest(path: str | Path) -> str:
    """Return a fingerprint of a file: the beginning of its SHA-256."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:16]


def model_file(path: str | Path) -> Path:
    """Return the model's file of a trained folder, or the file itself."""
    return Path(path) / MODEL if Path(path).is_dir() else Path(path)


def read_trained(path: str | Path) -> Trained:
    """Read a trained network."""
    file = model_file(path)
    folder = file.parent if file.suffix == ".npz" else file
    for name in (SETTINGS, FIGURES):
        if not (folder / name).is_file():
            why = f"no {name} in it" if name == SETTINGS else "whose training is not finished"
            do = "check the path" if name == SETTINGS else "run the same cfc-ref train again, it goes on"
            checks.refuse("folder", f"{str(folder)!r} ({why})", _EXPECTED, do)
    stored = _read_json(folder / SETTINGS)
    try:
        preparation = Preparation.from_dict(stored["preparation"])
    except (KeyError, TypeError) as error:
        checks.refuse("folder", f"{SETTINGS!r}, which lacks a part ({error})", _EXPECTED, "train again")
    return Trained(load(file), preparation, stored["settings"], _read_json(folder / FIGURES))


def _read_json(path: Path) -> dict[str, Any]:
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        checks.refuse("folder", f"{path.name!r}, which can't be read ({error})", _EXPECTED, "train again")
    if not isinstance(stored, dict) or (path.name == SETTINGS and stored.get("format") != _FORMAT):
        checks.refuse("folder", f"{path.name!r}, which is something else", _EXPECTED, "check the path")
    return stored
