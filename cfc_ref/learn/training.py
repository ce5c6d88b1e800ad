r"""The training loop's front door: what may be asked of it, and its defaults.

A step is :math:`g \leftarrow \nabla L`, then L2, then clipping, then the optimiser, then the model's own projection (an
LTC's, back to conductances that are not negative).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from cfc_ref import checks
from cfc_ref.layers.base import Layer
from cfc_ref.learn.checkpoint import checkpoint_path
from cfc_ref.learn.examples import arrange_examples
from cfc_ref.learn.gradients import GlobalNorm, penalised
from cfc_ref.learn.history import History
from cfc_ref.learn.losses import LOSSES, Loss
from cfc_ref.learn.optimizers import OPTIMIZERS, Optimizer
from cfc_ref.learn.schedules import SCHEDULES, Schedule
from cfc_ref.learn.training_loop import Run, Settings

__all__ = ["fit"]


def fit(
    model: Layer,
    data: Any,
    *,
    loss: str | Loss,
    optimizer: str | Optimizer,
    epochs: int,
    batch_size: int,
    schedule: str | Schedule | None = None,
    clip: Any = None,
    validation: Any = None,
    seed: int = 0,
    checkpoint: str | Path | None = None,
    progress: bool | Callable[[History], object] = True,
    l2: float = 0.0,
    patience: int | None = None,
    metric: Callable[..., float] | None = None,
    stop: Callable[[History], bool] | None = None,
) -> History:
    r"""Train a model, whose weights it changes in place.

    Where there are validation data the model ends with the weights of the epoch with the lowest validation loss, else
    with those of the last epoch.

    Parameters
    ----------
    model : CfC, LTC, NeuralLTC, LSTM or CTRNN
        What learns; with ``batch_first=True``.
    data : tuple (x, y), (x, y, timespans) or (x, y, timespans, mask)
        x, shape (N, T, F). y: what the loss compares outputs with, shape (N, T, O) where the model returns sequences,
        else (N, O); for cross-entropy classes of shape (N, T) or (N,); O = 1 may be left out. timespans and mask as the
        model takes them; a masked step's target does not count, and each sequence has a real step.
    loss : {"mse", "cross_entropy", "binary_cross_entropy"} or callable
        See :mod:`cfc_ref.learn.losses`.
    optimizer : {"sgd", "rmsprop", "adam", "adamw"} or Optimizer
        By name with PyTorch's update and default settings; see :mod:`cfc_ref.learn.optimizers`.
    epochs : int
        How often all data are seen.
    batch_size : int
        Sequences a step.
    schedule : {"constant", "exponential", "cosine"} or callable, optional
        Of the learning rate; see :mod:`cfc_ref.learn.schedules`.
    clip : float, GlobalNorm, TensorNorm or callable, optional
        Of the gradients; a number is the global norm, as PyTorch clips. See :mod:`cfc_ref.learn.gradients`.
    validation : tuple, optional
        Held-back data, like `data`.
    seed : int
        Of the order of sequences and of dropout.
    checkpoint : str or Path, optional
        A file that keeps the run, after each epoch and each minute. Where it is there, the run goes on from it and ends
        with the same weights as if it had never stopped.
    progress : bool or callable
        Show a progress bar, where tqdm is installed; or what is called with the History so far after each epoch.
    l2 : float
        λ of a penalty λΣw² on the weights of the cell's linear maps, as Keras's; :func:`cfc_ref.learn.gradients.d_l2`.
    patience : int, optional
        Stop after so many epochs without a lower validation loss.
    metric : callable, optional
        ``metric(prediction, target, mask)``, called like a loss with all validation data after each epoch, returns the
        number that ``History.metric`` keeps.
    stop : callable, optional
        Called with the History so far after each epoch: whether to stop. With a checkpoint, one with a `repr` that says
        what it does.

    Returns
    -------
    History
        With ``.loss``, ``.validation_loss``, ``.seconds``, ``.best_epoch``, ``.last_weights`` and ``.plot()``.

    Raises
    ------
    ValueError, TypeError
        In three parts, before anything is computed.
    FloatingPointError
        Where a loss, output or weight is no longer finite: says in which epoch and batch. The model then has the
        weights of the end of the last good epoch, and the checkpoint is an earlier one.

    Examples
    --------
    >>> from cfc_ref import CfC
    >>> x = np.random.default_rng(0).normal(size=(64, 10, 1))
    >>> model = CfC(1, 8, proj_size=1, seed=0)
    >>> history = fit(model, (x, np.cumsum(x, axis=1)), loss="mse", optimizer="adam", epochs=5, batch_size=16)
    >>> history.loss[-1] < history.loss[0]
    True
    """
    if not isinstance(model, Layer) or not model.batch_first:
        got = "batch_first=False" if isinstance(model, Layer) else type(model).__name__
        checks.refuse("model", got, "a layer such as CfC with batch_first=True", "build it so", TypeError)
    settings = Settings(
        _by_name("loss", loss, LOSSES),
        _by_name("optimizer", optimizer, OPTIMIZERS),
        checks.count("epochs", epochs, at_least=1),
        checks.count("batch_size", batch_size, at_least=1),
        _by_name("schedule", "constant" if schedule is None else schedule, SCHEDULES),
        _clip(clip),
        checks.number("l2", l2),
        None if patience is None else checks.count("patience", patience, at_least=1),
        _callable("metric", metric),
        _callable("stop", stop),
        checks.count("seed", seed),
    )
    _check_together(settings, model, validation)
    report = progress if callable(progress) else None
    shown = report is None and checks.flag("progress", progress)
    train = arrange_examples("data", model, data, settings.loss)
    held_back = None if validation is None else arrange_examples("validation", model, validation, settings.loss)
    path = None if checkpoint is None else checkpoint_path(checkpoint)
    run = Run(model, settings, train, held_back, path)
    with run.bar(shown) as advance, np.errstate(all="ignore"):
        while not run.finished:
            run.train_epoch(advance)
            if report is not None:
                report(run.history)
    return run.end()


def _by_name(name: str, value: Any, table: Mapping[str, Any]) -> Any:
    """Return a thing that was given by name or as itself."""
    itself = isinstance(value, Optimizer) if name == "optimizer" else callable(value) and not isinstance(value, type)
    if itself:
        return value
    found = table[checks.choice(name, value, table)]
    return found() if isinstance(found, type) else found


def _clip(clip: Any) -> Any:
    if clip is None or (callable(clip) and not isinstance(clip, type)):
        return clip
    return GlobalNorm(checks.number("clip", clip, positive=True))


def _callable(name: str, value: Any) -> Any:
    if value is not None and not callable(value):
        checks.refuse(name, type(value).__name__, "a function, or None", "pass a function", TypeError)
    return value


def _check_together(settings: Settings, model: Layer, validation: Any) -> None:
    if settings.l2 < 0:
        checks.refuse("l2", repr(settings.l2), "a number >= 0", "pass 0 to do without")
    if settings.l2 > 0 and not penalised(model.parameters):
        checks.refuse("l2", repr(settings.l2), "0.0, as the model has no linear maps in its cell", "leave it out")
    for name in ("patience", "metric"):
        if getattr(settings, name) is not None and validation is None:
            got = repr(getattr(settings, name))
            checks.refuse(name, got, "None without validation data", "pass validation as well")
