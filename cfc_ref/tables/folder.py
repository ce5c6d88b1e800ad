"""A network trained on a table, read from the folder of its run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from cfc_ref import checks
from cfc_ref.io import load
from cfc_ref.learn.run_folder import RunFolder, RunKind, model_file
from cfc_ref.tables.preparation import Preparation

if TYPE_CHECKING:
    from cfc_ref.layers.base import Layer

__all__ = ["TABLE_RUN", "Trained", "read_trained"]

TABLE_RUN = RunKind("cfc-ref train", "cfc_ref trained network, version 1", "settings.json", "figures.json")


class Trained(NamedTuple):
    """A trained network, the preparation of its data, its settings and its figures."""

    model: Layer
    preparation: Preparation
    settings: dict[str, Any]
    figures: dict[str, Any]  # of :func:`cfc_ref.tables.evaluation.held_back_figures`
    folder: RunFolder


def read_trained(path: str | Path) -> Trained:
    """Read a trained network."""
    file = model_file(path)
    run = RunFolder(file.parent if file.suffix == ".npz" else file, TABLE_RUN)
    if not run.finished:
        why = "whose training is not finished" if run.begun else f"no {TABLE_RUN.settings} in it"
        do = "run the same cfc-ref train command again, it continues" if run.begun else "check the path"
        checks.refuse("folder", f"{str(run.path)!r} ({why})", f"a folder that {TABLE_RUN.command} wrote", do)
    stored = run.read("folder", TABLE_RUN.settings)
    figures = run.read("folder", TABLE_RUN.results)
    try:
        preparation = Preparation.from_dict(stored["preparation"])
        settings, _ = stored["settings"], figures["targets"]
    except (KeyError, TypeError) as error:
        got = f"{str(run.path)!r}, where a file lacks a part ({error})"
        checks.refuse("folder", got, f"a folder that {TABLE_RUN.command} wrote", "train again")
    return Trained(load(file), preparation, settings, figures, run)
