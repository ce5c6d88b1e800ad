"""The run of an experiment: a model is trained on a task and evaluated, in a folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cfc_ref import checks
from cfc_ref.arrays import Array
from cfc_ref.experiments.hyperparameters import Hyperparameters
from cfc_ref.experiments.models import build_model
from cfc_ref.experiments.record import Part, Task
from cfc_ref.learn.examples import predict
from cfc_ref.learn.run_folder import RunKind, begin_run, write_json
from cfc_ref.learn.training_loop import train

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from cfc_ref.layers.base import Layer
    from cfc_ref.learn.history import History

__all__ = ["EXPERIMENT_RUN", "run_experiment"]

EXPERIMENT_RUN = RunKind("cfc-ref experiment", "cfc_ref experiment, version 1", "experiment.json", "results.json")
_DIVERGED = "diverged.json"  # in place of the results, of a training whose numbers were no longer finite
_BATCH = 256  # sequences per call in the evaluation


def run_experiment(
    task: Task,
    name: str,
    chosen: Hyperparameters,
    *,
    seed: int,
    out: str | Path,
    command: str = "",
    progress: bool | Callable[[History], object] = False,
    force: bool = False,
) -> dict[str, Any]:
    """Train a model, evaluate it, and write everything to a folder; resume a run that was stopped.

    The figures are those of the weights with the lowest validation loss, and those of the last epoch's weights; the
    folder keeps the weights that the task judges by. A training that diverges leaves a file that says where.
    """
    sequences, _, features = task.parts["training"].x.shape
    shape = features, task.outputs, task.return_sequences
    model = build_model(name, chosen, *shape, seed, tokens=task.tokens, backward=task.backward)
    settings = {**task.settings, "model": name, "seed": seed, **chosen.settings()}
    folder = begin_run(out, EXPERIMENT_RUN, settings, force=force)
    if folder.finished:
        return folder.read("out", EXPERIMENT_RUN.results)
    parts = {part: task.for_model(name, chosen, data) for part, data in task.parts.items()}
    validation = parts.get("validation")
    metric = None if validation is None else task.metric
    recipe = chosen.recipe(sequences, seed, loss=task.loss, metric=metric, stop=task.stop)
    about = {"command": command, "seed": seed, "settings": settings, "versions": _versions()}
    try:
        history = train(recipe, model, parts["training"], validation, folder.checkpoint, progress)
    except FloatingPointError as error:
        said = {"figure": task.figure, "diverged": str(error), "parameters": _count(model)}
        write_json(folder.path / _DIVERGED, said | about)
        raise
    results = _results(task, model, history, parts) | about
    folder.end(model, history, results, _pictures(task, model, history, parts))
    (folder.path / _DIVERGED).unlink(missing_ok=True)
    return results


def _results(task: Task, model: Layer, history: History, parts: dict[str, Part]) -> dict[str, Any]:
    """Return the figures of the best weights and of the last; the model has the best ones before, the judged after."""
    figures = {}
    found = {"best": model.state_dict(), "last": history.last_weights}
    for which in sorted(found, key=lambda name: name == task.judged):
        model.load_state_dict(found[which])
        judged = {part: data for part, data in parts.items() if part != "training"}
        figures[which] = {part: task.measure(_outputs(model, data), data.y) for part, data in judged.items()}
    return {
        "figure": task.figure,
        "best": figures["best"],
        "last": figures["last"],
        "epochs": len(history.loss),
        "best_epoch": history.best_epoch + 1,
        "seconds": sum(history.seconds),
        "seconds_per_epoch": sum(history.seconds) / len(history.seconds),
        "parameters": _count(model),
    }


def _count(model: Layer) -> int:
    return sum(array.size for array in model.parameters.values())


def _outputs(model: Layer, part: Part) -> Array:
    return predict(model, part.x, part.timespans, part.mask, batch_size=_BATCH)


def _versions() -> dict[str, str | None]:
    import platform
    from importlib.metadata import PackageNotFoundError, version

    found: dict[str, str | None] = {"python": platform.python_version(), "machine": platform.machine()}
    for package in ("cfc-ref", "numpy", "numba"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = None
    return found


def _pictures(task: Task, model: Layer, history: History, parts: dict[str, Part]) -> Iterator[tuple[str, Figure]]:
    if not checks.installed("matplotlib"):
        return iter(())
    from cfc_ref.plots.training import experiment_pictures, history_picture

    loss = "mean squared error" if task.loss == "mse" else str(task.loss).partition("(")[0].replace("_", " ")
    if task.by_step is None:
        return iter([history_picture(history, loss)])
    part = next(name for name in ("test", "validation") if name in parts)
    steps, values = task.by_step(_outputs(model, parts[part]), parts[part])
    return experiment_pictures(history, loss, steps, values, f"{part} {task.figure}")
