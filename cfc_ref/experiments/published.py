"""The common part of the experiments on published files: options, validation parts, and what is said of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cfc_ref import checks
from cfc_ref.arrays import Array
from cfc_ref.experiments.hyperparameters import MODELS, Score
from cfc_ref.experiments.record import Option, Part, Task

__all__ = ["classes_task", "data_options", "downloaded", "hold_back", "sample_count", "scores", "validation_fold"]

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
    """Return places to train on and those held back: a fold that the seed chooses, with equal shares of `classes`."""
    # The folds are the same in every run: as many seeds in a row as there are folds hold back everything once
    rng = np.random.default_rng(_SEED)
    groups = [places] if classes is None else [places[classes == label] for label in np.unique(classes)]
    cuts = [np.array_split(rng.permutation(group), folds) for group in groups]
    held_back = np.sort(np.concatenate([cut[seed % folds] for cut in cuts]))
    return np.setdiff1d(places, held_back), held_back


def validation_fold(
    places: Array, folds: int, seed: int, samples: int | None, of: str, classes: Array | None = None
) -> tuple[dict[str, Array], str]:
    """Return the places of :func:`hold_back` by part, and a line that says whose figure it is, `of` images or so."""
    rest, held_back = hold_back(places, folds, seed, classes)
    size = min(samples or len(held_back), len(held_back))
    note = (
        f"Test labels are missing: the figure is that of {size:,} of the {len(places):,} training {of}, a fold that "
        "the seed chooses; the paper has no validation part."
    )
    return {"training": rest, "validation": held_back}, note


def classes_task(
    name: str,
    parts: Mapping[str, Part],
    samples: int | None,
    measure: Callable[..., float],
    notes: Sequence[str],
    options: Mapping[str, Any] | None = None,
    **more: Any,  # other fields of the task, in place of those of one answer per sequence
) -> Task:
    """Return the task of telling classes, judged by the last epoch's weights as in the official code."""
    first = {part: data.first(samples) for part, data in parts.items()}
    sizes = {part: len(data.y) for part, data in first.items()}
    usual = {"loss": "cross_entropy", "return_sequences": False, "figure": "accuracy", "metric": measure}
    settings = {"data": name, **(options or {}), "samples": samples, "parts": sizes}
    return Task(settings, first, measure=measure, judged="last", notes=tuple(notes), **{**usual, **more})


def scores(results: Mapping[str, Score], figure: str) -> Callable[..., str]:
    """Return the function (model, **options) → the paper's score in words, "" where it gives none."""

    def told(model: str, **_: Any) -> str:
        score = results.get(MODELS[model])
        return "" if score is None else score.told(figure)

    return told
