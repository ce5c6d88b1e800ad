"""The common part of the experiments on published files: options, validation parts, and what is said of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from cfc_ref import checks
from cfc_ref.arrays import Array
from cfc_ref.experiments.record import Option

__all__ = ["data_options", "downloaded", "hold_back", "sample_count", "validation_note"]

_SEED = 0  # of the folds


def data_options(files: str) -> tuple[Option, Option]:
    """Return the options that name the folder of the data."""
    return (
        Option("--data", {"required": True, "metavar": "FOLDER", "help": f"of {files}"}),
        Option("--download", {"action": "store_true", "help": "download missing files to that folder"}, repeated=False),
    )


def downloaded(folder: str | Path, download: bool, fetch: Callable[[str | Path], Path]) -> str | Path:
    """Return the folder, after a download if one is asked for."""
    return fetch(folder) if checks.flag("download", download) else folder


def sample_count(samples: int | None) -> int | None:
    """Return how many samples of each part to use, checked."""
    return None if samples is None else checks.count("samples", samples, at_least=1)


def hold_back(places: Array, folds: int, seed: int, classes: Array | None = None) -> tuple[Array, Array]:
    """Return the places to train on and those held back: a fold that the seed chooses, with `classes` of equal shares.

    The folds are the same in every run: as many seeds in a row as there are folds hold back everything once.
    """
    rng = np.random.default_rng(_SEED)
    groups = [places] if classes is None else [places[classes == label] for label in np.unique(classes)]
    cuts = [np.array_split(rng.permutation(group), folds) for group in groups]
    held_back = np.sort(np.concatenate([cut[seed % folds] for cut in cuts]))
    return np.setdiff1d(places, held_back), held_back


def validation_note(missing: str, held_back: int, of: int, what: str) -> str:
    """Return the line that says that a figure is not the paper's."""
    return (
        f"{missing} missing: the figure is that of {held_back:,} of the {of:,} training {what}, a fold that the seed "
        "chooses; the paper has no validation part."
    )
