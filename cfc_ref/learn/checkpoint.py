"""A training run in a file, from which a run that was killed continues.

The file is NumPy's npz without pickle, and replaced as a whole. It holds all numbers on which the rest of the run
depends: weights, the optimiser's state, the progress, the losses so far, the best weights. It holds no generator, as
the order of an epoch and the dropout of a batch are drawn from (seed, epoch, batch). It describes the settings and the
data; a run with others is refused.
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
    """The progress of a run."""

    epoch: int = 0  # the next one, counted from 0
    batch: int = 0  # the next one of this epoch
    # sums over the batches of this epoch so far
    loss_sum: float = 0.0  # of loss times weight
    weight_sum: float = 0.0
    elapsed: float = 0.0  # seconds
    # of the epochs that are done
    loss: list[float] = field(default_factory=list)
    validation_loss: list[float] = field(default_factory=list)
    metric: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    stopped: bool = False  # by the rule `stop`
    extended: int = 0  # epochs that were done when more were requested; patience counts from there

    @property
    def best_epoch(self) -> int:
        """The first epoch with the lowest validation loss; without validation data the last one."""
        return int(np.argmin(self.validation_loss)) if self.validation_loss else len(self.loss) - 1


def checkpoint_path(checkpoint: Any) -> Path:
    """Check the `checkpoint` argument of a run."""
    if not isinstance(checkpoint, (str, Path)):
        got = type(checkpoint).__name__
        checks.refuse("checkpoint", got, "the path of a file, or None", "pass a string or a Path", TypeError)
    path = Path(checkpoint)
    if not path.parent.is_dir():
        checks.refuse("checkpoint", repr(str(path)), "a file in an existing folder", "make the folder first")
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
    """Write a run to another file as an unfinished one with more epochs."""
    settings, progress, arrays = _read(path)
    progress.stopped, progress.extended = False, len(progress.loss)
    write_checkpoint(to, {**settings, "epochs": repr(epochs)}, progress, arrays)


def read_checkpoint(path: Path, settings: Mapping[str, str]) -> tuple[Progress, dict[str, Array]]:
    """Read a run of these settings."""
    found, progress, arrays = _read(path)
    for name, wanted in settings.items():
        if found.get(name) != wanted:
            do = "pass the same settings to continue, or name another file to start again"
            checks.refuse("checkpoint", f"a run with {name} {found.get(name)}", f"{name} {wanted}", do)
    return progress, arrays


def _read(path: Path) -> tuple[dict[str, str], Progress, dict[str, Array]]:
    try:
        header, arrays = unpacked(path)
        if header["format"] != _FORMAT:
            raise ValueError
        return dict(header["settings"]), Progress(**header["progress"]), arrays
    except (OSError, ValueError, TypeError, KeyError):
        got = f"{path.name!r}, which cannot be read"
        checks.refuse("checkpoint", got, "a checkpoint of fit", "delete it, or name another file")
