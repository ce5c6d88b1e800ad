"""The folder of a training run: settings are written first and results last, so that a stopped run continues.

A finished run keeps the state of its training in ``training.npz``, from which it continues to more epochs.
"""

from __future__ import annotations

import io
import json
import warnings
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cfc_ref import checks
from cfc_ref.arrays import Array
from cfc_ref.io import output_folder, save, write_atomically
from cfc_ref.learn.checkpoint import extend_checkpoint

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from cfc_ref.layers.base import Layer
    from cfc_ref.learn.history import History

__all__ = ["RunFolder", "RunKind", "begin_run", "model_file", "write_json"]

MODEL, HISTORY, CHECKPOINT, TRAINING = "model.npz", "history.json", "checkpoint.npz", "training.npz"
SAMPLES = "samples.npz"


class RunKind(NamedTuple):
    """The names that identify the runs of one command."""

    command: str  # which makes such folders
    format: str  # the first entry of the settings' file
    settings: str  # the file that is written first
    results: str  # the file that is written last


@dataclass(frozen=True)
class RunFolder:
    """A folder for a run."""

    path: Path
    kind: RunKind

    @property
    def checkpoint(self) -> Path:
        """The file from which the training continues."""
        return self.path / CHECKPOINT

    @property
    def begun(self) -> bool:
        """True if the settings are written."""
        return (self.path / self.kind.settings).exists()

    @property
    def finished(self) -> bool:
        """True if the results are written."""
        return self.begun and (self.path / self.kind.results).exists()

    def read(self, argument: str, name: str) -> dict[str, Any]:
        """Return the content of a JSON file of the folder; refuse a file of another kind of run."""
        expected = f"a folder that {self.kind.command} wrote"
        try:
            stored = json.loads((self.path / name).read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            checks.refuse(argument, f"{name!r}, which cannot be read ({error})", expected, "name another folder")
        settings = name == self.kind.settings
        if not isinstance(stored, dict) or (settings and stored.get("format") != self.kind.format):
            checks.refuse(argument, f"{name!r}, which has another content", expected, "name another folder")
        return stored

    def keep_samples(self, **arrays: Array) -> None:
        """Write arrays on which a trained network can be tried later."""
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
        write_atomically(self.path / SAMPLES, buffer.getvalue())

    def samples(self, argument: str, names: Iterable[str]) -> dict[str, Array]:
        """Return these arrays by name; refuse a folder without them."""
        try:
            with np.load(self.path / SAMPLES, allow_pickle=False) as stored:
                return {name: stored[name] for name in names}
        except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile):
            got = f"{str(self.path)!r}, without a readable {SAMPLES}"
            checks.refuse(argument, got, f"a folder that {self.kind.command} of this version wrote", "train again")

    def end(
        self, model: Layer, history: History, results: dict[str, Any], pictures: Iterable[tuple[str, Figure]]
    ) -> None:
        """Write the model, the course of its training, the pictures, and last the results."""
        save(self.path / MODEL, model)
        for name, figure in pictures:
            buffer = io.BytesIO()
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", "Glyph", UserWarning)  # a name in a script that the font lacks
                figure.savefig(buffer, format="png", metadata={"Software": None})
            write_atomically(self.path / name, buffer.getvalue())
        course = {name: getattr(history, name) for name in ("loss", "validation_loss", "seconds", "best_epoch")}
        if history.metric:
            course["metric"] = history.metric
        write_json(self.path / HISTORY, course)
        write_json(self.path / self.kind.results, results)
        if self.checkpoint.exists():
            self.checkpoint.replace(self.path / TRAINING)

    def _clear(self) -> None:
        """Remove a run; its settings are replaced later."""
        for name in (self.kind.results, CHECKPOINT, TRAINING, MODEL, HISTORY, SAMPLES):
            (self.path / name).unlink(missing_ok=True)

    def _train_further(self, epochs: int) -> None:
        """Prepare a run for more epochs; it is then unfinished."""
        training = next((path for path in (self.checkpoint, self.path / TRAINING) if path.exists()), None)
        if training is None and self.finished:
            got = f"a finished run without {TRAINING}, from which it could continue to {epochs} epochs"
            checks.refuse("out", got, "a new folder", "name another folder, or pass --force to replace the run")
        if training is not None:
            extend_checkpoint(training, self.checkpoint, epochs)
        (self.path / self.kind.results).unlink(missing_ok=True)


def begin_run(
    out: str | Path, kind: RunKind, settings: Mapping[str, Any], *, force: bool = False, **more: Any
) -> RunFolder:
    """Return the folder of a run: a new one, also by `force`, or that of the same settings or with fewer epochs."""
    path = output_folder("out", out)
    run, wanted = RunFolder(path, kind), json.loads(json.dumps(settings))
    if run.begun:
        found = run.read("out", kind.settings).get("settings")
        if force:
            run._clear()
        elif _refuse_other_settings(found if isinstance(found, dict) else {}, wanted):
            run._train_further(wanted["epochs"])
        elif run.finished:
            return run
    elif any(taken := [name for name in (kind.results, CHECKPOINT, MODEL, HISTORY) if (path / name).exists()]):
        got = f"{str(path)!r}, which holds another {' and '.join(taken)}"
        checks.refuse("out", got, "a new folder", "name another folder")
    write_json(path / kind.settings, {"format": kind.format, "settings": wanted, **more})
    return run


def _refuse_other_settings(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Refuse a run of other settings, and return whether `wanted` has more epochs."""
    others = [name for name, value in wanted.items() if found.get(name) != value]
    more = "epochs" in others and isinstance(found.get("epochs"), int) and wanted["epochs"] > found["epochs"]
    for name in others:
        if not (name == "epochs" and more):
            got = f"a folder with a run of {name} {found.get(name)}"
            expected = f"a new folder, or a run of {name} {wanted[name]}"
            checks.refuse("out", got, expected, "name another folder, or pass --force to replace the run")
    return more


def write_json(path: Path, content: Any) -> None:
    r"""Write JSON to a file, whole or not at all."""
    write_atomically(path, f"{json.dumps(content, indent=1, allow_nan=False)}\n".encode())


def model_file(path: str | Path) -> Path:
    """Return the model file of a folder, or the file itself."""
    return Path(path) / MODEL if Path(path).is_dir() else Path(path)
