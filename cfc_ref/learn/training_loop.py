"""A training run: a model, what it learns from, and how far it is.

Everything random is drawn from (seed, epoch, batch), so that a run needs no generator's state to go on, and the same
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
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cfc_ref import checks
from cfc_ref.layers.base import Layer
from cfc_ref.learn.checkpoint import Progress, read_checkpoint, write_checkpoint
from cfc_ref.learn.examples import Examples, predict
from cfc_ref.learn.gradients import d_l2
from cfc_ref.learn.history import History
from cfc_ref.learn.losses import Loss
from cfc_ref.learn.optimizers import Optimizer
from cfc_ref.learn.schedules import Schedule

__all__ = ["CHECKPOINT_SECONDS", "Run", "Settings"]

Array = npt.NDArray[Any]

CHECKPOINT_SECONDS = 60.0  # within an epoch; there is one after each epoch anyway


class Settings(NamedTuple):
    """The arguments of :func:`cfc_ref.fit` of those names, checked."""

    loss: Loss
    optimizer: Optimizer
    epochs: int
    batch_size: int
    schedule: Schedule
    clip: Any
    l2: float
    patience: int | None
    metric: Callable[..., float] | None
    stop: Callable[[History], bool] | None
    seed: int


class Run:
    """A run of :func:`cfc_ref.fit`, whose arguments are checked.

    Attributes
    ----------
    model : Layer
        What learns.
    settings : Settings
        How.
    train, held_back : Examples
        From what, and on what its loss is looked at; None for no validation.
    path : Path or None
        The checkpoint.
    batches : int
        In an epoch.
    state : dict of ndarray
        What the optimiser remembers.
    best : dict of ndarray
        Weights of the best epoch so far; empty without validation.
    progress : Progress
        How far it is.
    """

    def __init__(
        self, model: Layer, settings: Settings, train: Examples, held_back: Examples | None, path: Path | None
    ) -> None:
        self.model, self.settings, self.train, self.held_back, self.path = model, settings, train, held_back, path
        self.batches = -(-len(train.x) // settings.batch_size)
        self.state = settings.optimizer.start(model.parameters)
        self.best: dict[str, Array] = {}
        self.progress = Progress()
        if path is not None:
            self.described = _described(self)
            if path.exists():
                self._resume(path)
        self.good = _copies(model.parameters)
        self.saved_at = time.monotonic()

    @property
    def finished(self) -> bool:
        """Whether all epochs are done, the rule says so, or the validation loss falls no more and patience is out."""
        done, patience = len(self.progress.loss), self.settings.patience
        counted = max(self.progress.best_epoch, self.progress.extended - 1)
        return (
            done == self.settings.epochs
            or self.progress.stopped
            or (patience is not None and done > 0 and done - 1 - counted >= patience)
        )

    def train_epoch(self, advance: Callable[[], None]) -> None:
        """Train what is left of an epoch, and look at the validation data."""
        progress, settings = self.progress, self.settings
        began = time.monotonic() - progress.elapsed
        order = np.random.default_rng([settings.seed, progress.epoch, 0]).permutation(len(self.train.x))
        while progress.batch < self.batches:
            first = progress.batch * settings.batch_size
            batch = self.train.batch(order[first : first + settings.batch_size])
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
        model, settings, progress = self.model, self.settings, self.progress
        dropout = np.random.default_rng([settings.seed, progress.epoch, 1 + progress.batch])
        timespans = batch.dt if model.timed else None
        output, _, tape = model.forward(batch.x, timespans=timespans, mask=batch.mask, rng=dropout)
        self._stop_unless_finite("output", output)
        loss, d_output = settings.loss(output, batch.y, batch.counts)
        self._stop_unless_finite("loss", loss)
        gradients = model.backward(tape, d_output).parameters
        if settings.l2:
            gradients = d_l2(settings.l2, model.parameters, gradients)
        if settings.clip is not None:
            gradients = settings.clip(gradients)
        epoch = progress.epoch + progress.batch / self.batches
        rate = settings.optimizer.learning_rate * settings.schedule(epoch, settings.epochs)
        settings.optimizer.step(model.parameters, gradients, self.state, rate)
        if hasattr(model, "project"):
            model.project()
        for name, array in model.parameters.items():
            self._stop_unless_finite(f"weight {name!r}", array)
        return loss

    def _end_epoch(self, began: float) -> None:
        progress, settings = self.progress, self.settings
        progress.loss.append(progress.loss_sum / progress.weight_sum)
        if self.held_back is not None:
            x, y, dt, mask, _ = self.held_back
            output = predict(self.model, x, dt, mask, batch_size=settings.batch_size)
            self._stop_unless_finite("output", output)
            loss, _ = settings.loss(output, y, self.held_back.counts)
            self._stop_unless_finite("loss", loss)
            progress.validation_loss.append(loss)
            if settings.metric is not None:
                progress.metric.append(float(settings.metric(output, y, self.held_back.counts)))
            if progress.best_epoch == progress.epoch:
                self.best = _copies(self.model.parameters)
        progress.seconds.append(time.monotonic() - began)
        progress.epoch += 1
        progress.batch, progress.loss_sum, progress.weight_sum, progress.elapsed = 0, 0.0, 0.0, 0.0
        if settings.stop is not None:
            progress.stopped = bool(settings.stop(self.history))
        self.good = _copies(self.model.parameters)
        if self.path is not None:
            self._save()

    @property
    def history(self) -> History:
        """What has happened so far."""
        p = self.progress
        return History(p.loss, p.validation_loss, p.metric, p.seconds, p.best_epoch)

    def end(self) -> History:
        """Give the model its best weights, and return what happened."""
        history = replace(self.history, last_weights=self.model.state_dict())
        _write(self.model.parameters, self.best)
        return history

    def _stop_unless_finite(self, what: str, value: Any) -> None:
        if np.isfinite(value).all():
            return
        _write(self.model.parameters, self.good)
        p = self.progress
        part = f"batch {p.batch + 1} of {self.batches}" if p.batch < self.batches else "validation"
        where = f"epoch {p.epoch + 1} of {self.settings.epochs}, {part}"
        kept = f"after epoch {p.epoch}" if p.epoch else "before training"
        do = f"lower the learning rate or clip the gradients; the model has the weights that it had {kept}"
        checks.refuse(what, f"NaN or infinity in {where}", "finite numbers", do, FloatingPointError)

    @contextlib.contextmanager
    def bar(self, shown: bool) -> Iterator[Callable[[], None]]:
        """Show a progress bar, where there are a terminal and tqdm, and yield what moves it on."""
        if not (shown and sys.stderr and checks.installed("tqdm")):
            yield lambda: None
            return
        from tqdm import tqdm

        total, done = self.settings.epochs * self.batches, self.progress.epoch * self.batches + self.progress.batch
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
            do = "delete it or name another"
            checks.refuse("checkpoint", f"{path.name!r}, with other arrays than it says", "a checkpoint of fit", do)
        _write(live, arrays)
        self.progress = progress


def _copies(arrays: Mapping[str, Array]) -> dict[str, Array]:
    return {name: array.copy() for name, array in arrays.items()}


def _write(arrays: Mapping[str, Array], values: Mapping[str, Array]) -> None:
    for name, value in values.items():
        arrays[name][...] = value


def _described(run: Run) -> dict[str, str]:
    """Return what makes a run another one, in words."""
    model, trained = run.model, run.model.parameters
    fixed = hashlib.sha256()
    for name, array in model.state_dict().items():
        if name not in trained:
            fixed.update(array.tobytes())
    # Functions are known by their names: where they lie in memory is another place in every process.
    settings = {name: re.sub(" at 0x[0-9a-fA-F]+", "", repr(value)) for name, value in run.settings._asdict().items()}
    return {
        "model": type(model).__name__,
        "model units": str(model.state_size),
        **{f"model {name}": str(value) for name, value in model.config.items()},
        "model masks": fixed.hexdigest()[:16],
        **settings,
        "data": run.train.digest(),
        "validation": "None" if run.held_back is None else run.held_back.digest(),
    }
