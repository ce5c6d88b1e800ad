"""The training loop: `fit`, which trains by a recipe, and a run, which can be saved and continued.

Everything random is drawn from (seed, epoch, batch): a run continues without the state of a generator, and the same
arguments give the same bits.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from cfc_ref import checks
from cfc_ref.arrays import Array
from cfc_ref.bounds.contraction import contract
from cfc_ref.layers.base import Layer
from cfc_ref.learn.checkpoint import Progress, checkpoint_path, read_checkpoint, write_checkpoint
from cfc_ref.learn.examples import Examples, arrange_examples, predict
from cfc_ref.learn.gradients import d_l2
from cfc_ref.learn.history import History
from cfc_ref.learn.losses import Loss
from cfc_ref.learn.optimizers import Optimizer
from cfc_ref.learn.recipe import Recipe
from cfc_ref.learn.schedules import Schedule

__all__ = ["CHECKPOINT_SECONDS", "Run", "fit", "train"]

CHECKPOINT_SECONDS = 60.0  # within an epoch; there is one after each epoch anyway


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
    metric: str | Callable[..., float] | None = None,
    stop: Callable[[History], bool] | None = None,
    contraction: float | None = None,
) -> History:
    r"""Train a model; its weights change in place.

    With validation data the model ends with the weights of the epoch with the lowest validation loss, else with those
    of the last epoch.

    Parameters
    ----------
    model : CfC, LTC, NeuralLTC, LSTM, CTRNN or Embedding
        With ``batch_first=True``.
    data : tuple (x, y), (x, y, timespans) or (x, y, timespans, mask)
        x, shape (N, T, F). y, the targets: shape (N, T, O) if the model returns sequences, else (N, O), and without the
        axis O if O = 1; for cross-entropy classes of shape (N, T) or (N,). timespans and mask as in a call of the
        model; a masked step's target does not count, and each sequence needs a real step.
    loss : {"mse", "cross_entropy", "binary_cross_entropy"} or callable
        See :mod:`cfc_ref.learn.losses`.
    optimizer : {"sgd", "rmsprop", "adam", "adamw"} or Optimizer
        By name with PyTorch's update and default settings; see :mod:`cfc_ref.learn.optimizers`.
    epochs : int
        Passes over the data.
    batch_size : int
        Sequences per step.
    schedule : {"constant", "exponential", "cosine"} or callable, optional
        Of the learning rate; see :mod:`cfc_ref.learn.schedules`.
    clip : float, GlobalNorm, TensorNorm or callable, optional
        Of the gradients; a number is the global norm, as PyTorch clips. See :mod:`cfc_ref.learn.gradients`.
    validation : tuple, optional
        Held-back data, like `data`.
    seed : int
        Of the order of sequences and of dropout.
    checkpoint : str or Path, optional
        A file to which the run is saved after each epoch and each minute. If it exists, the run continues from it and
        ends with the same weights as if it had never stopped.
    progress : bool or callable
        Whether to show a progress bar, which needs tqdm; or a function, called with the History after each epoch.
    l2 : float
        λ of Keras's penalty λΣw² on the weights of the cell's linear maps; see :func:`cfc_ref.learn.gradients.d_l2`.
    patience : int, optional
        Stop after so many epochs without a lower validation loss.
    metric : {"accuracy", "auc"} or callable, optional
        ``metric(prediction, target, mask)`` returns a number; it is called with all validation data after each epoch,
        for ``History.metric``.
    stop : callable, optional
        Called with the History after each epoch; returns whether to stop. With a checkpoint its `repr` identifies it.
    contraction : float, optional
        Of a CfC of mode "default": after each step of the optimiser the columns that read the state are projected, so
        that the Euclidean Lipschitz constant of a time step is at most this for the data's timespans (THEORY.md 5.5).
        Below 1, runs with equal inputs forget their start, and :func:`cfc_ref.bounds.rounding` holds for ever.

    Returns
    -------
    History
        With ``.loss``, ``.validation_loss``, ``.seconds``, ``.best_epoch``, ``.last_weights`` and ``.plot()``.

    Raises
    ------
    ValueError, TypeError
        For arguments that do not fit, before anything is computed.
    FloatingPointError
        If a loss, an output or a weight is no longer finite, with epoch and batch. The model then has the weights at
        the end of the last good epoch, and the checkpoint is an earlier one.

    Examples
    --------
    >>> from cfc_ref import CfC
    >>> x = np.random.default_rng(0).normal(size=(64, 10, 1))
    >>> model = CfC(1, 8, proj_size=1, seed=0)
    >>> history = fit(model, (x, np.cumsum(x, axis=1)), loss="mse", optimizer="adam", epochs=5, batch_size=16)
    >>> history.loss[-1] < history.loss[0]
    True
    """
    recipe = Recipe(loss, optimizer, epochs, batch_size, schedule, clip, l2, patience, metric, stop, seed, contraction)
    return train(recipe, model, data, validation, checkpoint, progress)


def train(
    recipe: Recipe,
    model: Layer,
    data: Any,
    validation: Any = None,
    checkpoint: str | Path | None = None,
    progress: bool | Callable[[History], object] = True,
) -> History:
    """Train a model by a recipe; the other arguments are those of :func:`fit`."""
    if not isinstance(model, Layer) or not model.batch_first:
        got = "batch_first=False" if isinstance(model, Layer) else type(model).__name__
        do = "rebuild it with batch_first=True"
        checks.refuse("model", got, "a layer such as CfC with batch_first=True", do, TypeError)
    recipe.check_for(model, validation)
    report = progress if callable(progress) else None
    shown = report is None and checks.flag("progress", progress)
    examples = arrange_examples("data", model, data, recipe.loss)
    held_back = None if validation is None else arrange_examples("validation", model, validation, recipe.loss)
    run = Run(model, recipe, examples, held_back, None if checkpoint is None else checkpoint_path(checkpoint))
    with run.bar(shown) as advance, np.errstate(all="ignore"):
        while not run.finished:
            run.train_epoch(advance)
            if report is not None:
                report(run.history)
    return run.end()


class Run:
    """A model, the recipe and the examples that it is trained with, and the progress so far."""

    def __init__(
        self, model: Layer, recipe: Recipe, train: Examples, held_back: Examples | None, path: Path | None
    ) -> None:
        self.model, self.recipe, self.train, self.held_back, self.path = model, recipe, train, held_back, path
        self.batches = -(-len(train.x) // recipe.batch_size)  # per epoch
        self.state = recipe.optimizer.start(model.parameters)
        real = train.dt if train.mask is None else train.dt[train.mask]
        self.times = float(real.min(initial=np.inf)), float(real.max(initial=0))
        self.best: dict[str, Array] = {}  # weights of the best epoch so far; empty without validation
        self.progress = Progress()
        if path is not None:
            self.described = _described(self)
            if path.exists():
                self._resume(path)
        self.good = _copies(model.parameters)
        self.saved_at = time.monotonic()

    @property
    def finished(self) -> bool:
        """True if all epochs are done, `stop` said so, or the validation loss has not fallen for `patience` epochs."""
        done, patience = len(self.progress.loss), self.recipe.patience
        counted = max(self.progress.best_epoch, self.progress.extended - 1)
        return (
            done == self.recipe.epochs
            or self.progress.stopped
            or (patience is not None and done > 0 and done - 1 - counted >= patience)
        )

    def train_epoch(self, advance: Callable[[], None]) -> None:
        """Train the rest of an epoch, and compute the loss on the validation data."""
        progress, recipe = self.progress, self.recipe
        began = time.monotonic() - progress.elapsed
        order = np.random.default_rng([recipe.seed, progress.epoch, 0]).permutation(len(self.train.x))
        while progress.batch < self.batches:
            first = progress.batch * recipe.batch_size
            batch = self.train.batch(order[first : first + recipe.batch_size])
            progress.loss_sum += batch.weight * self._step(batch)
            progress.weight_sum += batch.weight
            progress.batch += 1
            progress.elapsed = time.monotonic() - began
            advance()
            if time.monotonic() - self.saved_at >= CHECKPOINT_SECONDS:
                self._save()
        self._end_epoch(began)

    def _step(self, batch: Examples) -> float:
        """Take one step, and return the loss before it."""
        model, recipe, progress = self.model, self.recipe, self.progress
        dropout = np.random.default_rng([recipe.seed, progress.epoch, 1 + progress.batch])
        timespans = batch.dt if model.timed else None
        output, _, tape = model.forward(batch.x, timespans=timespans, mask=batch.mask, rng=dropout)
        self._stop_unless_finite("output", output)
        loss, d_output = recipe.loss(output, batch.y, batch.counts)
        self._stop_unless_finite("loss", loss)
        gradients = model.backward(tape, d_output).parameters
        if recipe.l2:
            gradients = d_l2(recipe.l2, model.parameters, gradients)
        if recipe.clip is not None:
            gradients = recipe.clip(gradients)
        epoch = progress.epoch + progress.batch / self.batches
        rate = recipe.optimizer.learning_rate * recipe.schedule(epoch, recipe.epochs)
        recipe.optimizer.step(model.parameters, gradients, self.state, rate)
        if hasattr(model, "project"):
            model.project()
        if recipe.contraction is not None:
            contract(model.weights.network, self.times, model.settings, recipe.contraction)
        for name, array in model.parameters.items():
            self._stop_unless_finite(f"weight {name!r}", array)
        return loss

    def _end_epoch(self, began: float) -> None:
        progress, recipe = self.progress, self.recipe
        progress.loss.append(progress.loss_sum / progress.weight_sum)
        if self.held_back is not None:
            x, y, dt, mask, _ = self.held_back
            output = predict(self.model, x, dt, mask, batch_size=recipe.batch_size)
            self._stop_unless_finite("output", output)
            loss, _ = recipe.loss(output, y, self.held_back.counts)
            self._stop_unless_finite("loss", loss)
            progress.validation_loss.append(loss)
            if recipe.metric is not None:
                progress.metric.append(float(recipe.metric(output, y, self.held_back.counts)))
            if progress.best_epoch == progress.epoch:
                self.best = _copies(self.model.parameters)
        progress.seconds.append(time.monotonic() - began)
        progress.epoch += 1
        progress.batch, progress.loss_sum, progress.weight_sum, progress.elapsed = 0, 0.0, 0.0, 0.0
        if recipe.stop is not None:
            progress.stopped = bool(recipe.stop(self.history))
        self.good = _copies(self.model.parameters)
        if self.path is not None:
            self._save()

    @property
    def history(self) -> History:
        """The course of the run so far."""
        p = self.progress
        return History(p.loss, p.validation_loss, p.metric, p.seconds, p.best_epoch)

    def end(self) -> History:
        """Give the model its best weights, and return the course of the run."""
        history = replace(self.history, last_weights=self.model.state_dict())
        _write(self.model.parameters, self.best)
        return history

    def _stop_unless_finite(self, what: str, value: Any) -> None:
        if np.isfinite(value).all():
            return
        _write(self.model.parameters, self.good)
        p = self.progress
        part = f"batch {p.batch + 1} of {self.batches}" if p.batch < self.batches else "validation"
        where = f"epoch {p.epoch + 1} of {self.recipe.epochs}, {part}"
        kept = f"after epoch {p.epoch}" if p.epoch else "before training"
        do = f"lower the learning rate or clip the gradients; the model has its weights {kept}"
        checks.refuse(what, f"NaN or infinity in {where}", "finite numbers", do, FloatingPointError)

    @contextlib.contextmanager
    def bar(self, shown: bool) -> Iterator[Callable[[], None]]:
        """Show a progress bar, if there are a terminal and tqdm, and yield a function that advances it."""
        if not (shown and sys.stderr and checks.installed("tqdm")):
            yield lambda: None
            return
        from tqdm import tqdm

        total, done = self.recipe.epochs * self.batches, self.progress.epoch * self.batches + self.progress.batch
        with tqdm(total=total, initial=done, unit="batch", disable=None, leave=False) as shown_bar:

            def advance() -> None:
                progress = self.progress
                losses = {"loss": progress.loss_sum / progress.weight_sum}
                if progress.validation_loss:
                    losses["validation"] = progress.validation_loss[-1]
                shown_bar.set_postfix({"epoch": progress.epoch + 1, **losses}, refresh=False)
                shown_bar.update()

            yield advance

    # --- checkpoints

    def _arrays(self) -> dict[str, Array]:
        """All arrays of the run, live."""
        parts = {"weights": self.model.parameters, "optimizer": self.state, "best": self.best}
        return {f"{part}.{name}": array for part, arrays in parts.items() for name, array in arrays.items()}

    def _save(self) -> None:
        if self.path is not None:
            write_checkpoint(self.path, self.described, self.progress, self._arrays())
            self.saved_at = time.monotonic()

    def _resume(self, path: Path) -> None:
        progress, arrays = read_checkpoint(path, self.described)
        if progress.validation_loss:
            self.best = _copies(self.model.parameters)
        live = self._arrays()
        if {name: array.shape for name, array in live.items()} != {name: a.shape for name, a in arrays.items()}:
            got, do = f"{path.name!r}, whose arrays do not fit its settings", "delete it, or name another file"
            checks.refuse("checkpoint", got, "a checkpoint of fit", do)
        _write(live, arrays)
        self.progress = progress


def _copies(arrays: Mapping[str, Array]) -> dict[str, Array]:
    return {name: array.copy() for name, array in arrays.items()}


def _write(arrays: Mapping[str, Array], values: Mapping[str, Array]) -> None:
    for name, value in values.items():
        arrays[name][...] = value


def _described(run: Run) -> dict[str, str]:
    """Return the settings and data that identify a run, in words."""
    model, trained = run.model, run.model.parameters
    fixed = hashlib.sha256()
    for name, array in model.state_dict().items():
        if name not in trained:
            fixed.update(array.tobytes())
    # Functions are known by their names: where they lie in memory is another place in every process.
    recipe = {name: re.sub(" at 0x[0-9a-fA-F]+", "", repr(value)) for name, value in vars(run.recipe).items()}
    return {
        "model": type(model).__name__,
        "model units": str(model.state_size),
        **{f"model {name}": str(value) for name, value in model.config.items()},
        "model masks": fixed.hexdigest()[:16],
        **recipe,
        "data": run.train.digest(),
        "validation": "None" if run.held_back is None else run.held_back.digest(),
    }
