"""Training sequences, checked once as a whole and taken batch by batch; and predictions of a model."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from cfc_ref import checks
from cfc_ref.arrays import Array
from cfc_ref.layers.arguments import arrange
from cfc_ref.layers.base import Layer
from cfc_ref.learn.losses import Loss

__all__ = ["Examples", "arrange_examples", "predict"]


class Examples(NamedTuple):
    """Sequences and their targets."""

    x: Array  # (N, T, F): inputs; 0 at masked steps
    y: Array  # targets in the loss's form; first axes (N,), or (N, T) if the model returns sequences
    dt: Array  # (N, T): timespans
    mask: Array | None  # (N, T): true = a real step
    per_step: bool  # whether there is one target per step

    def batch(self, which: Array) -> Examples:
        """Return some of them, sorted by length, as kernels skip rows that are masked together."""
        if self.mask is None:
            return self.take(which)
        real = self.mask[which].sum(axis=1)
        return self.take(which[np.argsort(-real, kind="stable")])

    def take(self, which: Any) -> Examples:
        """Return some of them, without the last steps that are masked in all."""
        x, y, dt = self.x[which], self.y[which], self.dt[which]
        if self.mask is None:
            return Examples(x, y, dt, None, self.per_step)
        mask = self.mask[which]
        T = _steps(mask)
        return Examples(x[:, :T], y[:, :T] if self.per_step else y, dt[:, :T], mask[:, :T], self.per_step)

    @property
    def counts(self) -> Array | None:
        """The mask of a loss: True where a target counts."""
        return self.mask if self.per_step else None

    @property
    def weight(self) -> int:
        """The number of targets that count: the weight of their mean loss."""
        if not self.per_step:
            return len(self.x)
        return self.dt.size if self.mask is None else int(np.count_nonzero(self.mask))

    def digest(self) -> str:
        """Return a fingerprint of all arrays."""
        state = hashlib.sha256()
        for array in (self.x, self.y, self.dt, self.mask):
            if array is not None:
                state.update(f"{array.dtype.str} {array.shape}".encode())
                state.update(np.ascontiguousarray(array).data)
        return state.hexdigest()[:16]


def arrange_examples(name: str, model: Layer, data: Any, loss: Loss) -> Examples:
    """Check a tuple (x, y[, timespans[, mask]]) for a model and a loss, and arrange it."""
    expected = "a tuple (x, y), (x, y, timespans) or (x, y, timespans, mask)"
    if not isinstance(data, (tuple, list)) or not 2 <= len(data) <= 4:
        got = f"{len(data)} parts" if isinstance(data, (tuple, list)) else type(data).__name__
        checks.refuse(name, got, expected, "pass x and y at least", TypeError)
    x, y, timespans, mask = [*data, None, None][:4]
    with _named_as_part_of(name):
        call = arrange(model.expected, x, None, timespans, mask)
    if not call.batched or 0 in call.x.shape[:2]:
        do = "stack sequences along the first axis; pad ragged ones and pass a mask"
        checks.refuse(f"{name} x", f"shape {np.shape(x)}", "(N, T, F), sequences first, neither N nor T 0", do)
    real = None if mask is None else np.array(call.mask)
    if real is not None and not real.any(axis=1).all():
        where = int(np.argmin(real.any(axis=1)))
        do = "remove that sequence"
        checks.refuse(f"{name} mask", f"no real step in sequence {where}", "at least one in each", do)
    examples = Examples(call.x, np.asarray(y), np.array(call.dt), real, model.return_sequences)
    shape = (*call.x.shape[: 2 if examples.per_step else 1], model.output_size)
    with _named_as_part_of(name):
        loss(np.zeros(shape, model.dtype), examples.y, examples.counts)
    return examples


def _steps(mask: Array) -> int:
    """Return the number of steps up to the last real one of any sequence."""
    return int(np.flatnonzero(mask.any(axis=0))[-1]) + 1


@contextlib.contextmanager
def _named_as_part_of(name: str) -> Iterator[None]:
    """Name the data in errors about them."""
    try:
        yield
    except (ValueError, TypeError) as error:
        raise type(error)(f"{name} {error}") from None


def predict(model: Layer, x: Array, timespans: Array, mask: Array | None, *, batch_size: int) -> Array:
    """Return a model's outputs, computed batch by batch."""
    outputs = []
    for first in range(0, len(x), batch_size):
        k = slice(first, first + batch_size)
        real = None if mask is None else mask[k]
        T = x.shape[1] if real is None or model.return_sequences else _steps(real)  # the last state is held from there
        real = None if real is None else real[:, :T]
        spans = timespans[k, :T] if model.timed else None
        outputs.append(model(x[k, :T], timespans=spans, mask=real)[0])
    return np.concatenate(outputs)
