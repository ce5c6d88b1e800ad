"""A training run in a file, so that a run that was killed goes on where it was.

The file is NumPy's npz without pickle, and replaced as a whole. It holds all numbers that the rest of a run depends on:
weights, what the optimiser remembers, where the run is, the losses so far, the best weights. Generators are no part of
it, as each epoch's order and each batch's dropout is drawn from (seed, epoch, batch) afresh. Of the settings and the
data it holds a description; a run with others is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from cfc_ref import checks
from cfc_ref.arrays import Array
from cfc_ref.io import packed, unpacked, write_atomically

__all__ = ["Progress", "checkpoint_path", "extend_checkpoint", "read_checkpoint", "write_checkpoint"]

_FORMAT = "cfc_ref training checkpoint, version 1"


@dataclass
class Progress:
    """Where a run is."""

    epoch: int = 0  # epoch, batch: the next one, counted from 0
    batch: int = 0
    # loss_sum, weight_sum: of the batches of this epoch so far: of loss times weight, and of weight
    loss_sum: float = 0.0
    weight_sum: float = 0.0
    elapsed: float = 0.0  # seconds spent in this epoch so far
    # loss, validation_loss, metric, seconds: of the epochs that are done
    loss: list[float] = field(default_factory=list)
    validation_loss: list[float] = field(default_factory=list)
    metric: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    stopped: bool = False  # whether the rule says that it is over
    extended: int = 0  # epochs that were done when more of them were asked for; patience counts from there

    @property
    def best_epoch(self) -> int:
        """The first epoch with the lowest validation loss; the last one where there are no validation data."""
        return int(np.argmin(self.validation_loss)) if self.validation_loss else len(self.loss) - 1


def checkpoint_path(checkpoint: Any) -> Path:
    """Check the `checkpoint` argument of a run."""
    if not isinstance(checkpoint, (str, Path)):
        got = type(checkpoint).__name__
        checks.refuse("checkpoint", got, "the path of a file, or None", "pass a string or a Path", TypeError)
    path = Path(checkpoint)
    if not path.parent.is_dir():
        checks.refuse("checkpoint", repr(str(path)), "a file in a folder that is there", "make the folder first")
    if path.is_dir():
        checks.refuse("checkpoint", f"the folder {str(path)!r}", "a file", "name a file in it, such as run.npz")
    return path


def write_checkpoint(path: Path, settings: Mapping[str, str], progress: Progress, arrays: Mapping[str, Array]) -> None:
    """Write a run to its file, whole or not at all."""
    header = {"format": _FORMAT, "settings": dict(settings), "progress": asdict(progress)}
    try:
        write_atomically(path, packed(header, arrays))
    except OSError as error:
        checks.refuse("checkpoint", f"{str(path)!r} ({error.strerror})", "a file that can be written", "make room")


def extend_checkpoint(path: Path, to: Path, epochs: int) -> None:
    """Write a run to another file as one of more epochs, which is not over."""
    settings, progress, arrays = _read(path)
    progress.stopped, progress.extended = False, len(progress.loss)
    write_checkpoint(to, {**settings, "epochs": repr(epochs)}, progress, arrays)


def read_checkpoint(path: Path, settings: Mapping[str, str]) -> tuple[Progress, dict[str, Array]]:
    """Read a run of these settings."""
    found, progress, arrays = _read(path)
    for name, wanted in settings.items():
        if found.get(name) != wanted:
            do = "pass the same settings to go on, or name another file to start anew"
            checks.refuse("checkpoint", f"a run with {name} {found.get(name)}", f"{name} {wanted}", do)
    return progress, arrays


def _read(path: Path) -> tuple[dict[str, str], Progress, dict[str, Array]]:
    try:
        header, arrays = unpacked(path)
        if header["format"] != _FORMAT:
            raise ValueError
        return dict(header["settings"]), Progress(**header["progress"]), arrays
    except (OSError, ValueError, TypeError, KeyError):
        got = f"{path.name!r}, which can't be read"
        checks.refuse("checkpoint", got, "a checkpoint of fit", "delete it or name another")
