"""Sequences of any lengths, a list of arrays or one array, padded to a batch."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from cfc_ref import checks
from cfc_ref.arrays import Array

__all__ = ["Sequences", "pad", "pad_like", "unpad_like"]


class Sequences(NamedTuple):
    """Sequences, padded at the end."""

    x: Array  # (N, T, F): features; 0 after the end of a sequence
    mask: Array  # (N, T): true = a real step
    listed: bool  # whether they came as a list

    def take(self, which: Array) -> Sequences:
        """Return some of them."""
        return Sequences(self.x[which], self.mask[which], self.listed)


def pad(name: str, X: Any) -> Sequences:
    """Check sequences, and pad them."""
    listed = _is_list(X)
    expected = "a list of sequences of shape (T, F), or an array of shape (N, T, F)"
    if not listed and np.ndim(X) != 3:
        checks.refuse(name, f"shape {np.shape(X)}", expected, "pass an array with the axes sequences, time, features")
    sequences = [checks.numeric(f"{name}[{i}]", x) for i, x in enumerate(X)]
    if not sequences:
        checks.refuse(name, "no sequence", expected, "pass at least one")
    for i, x in enumerate(sequences):
        if x.ndim != 2 or 0 in x.shape or x.shape[1] != sequences[0].shape[1]:
            wanted = "(T, F), neither of them 0" if i == 0 else f"(T, {sequences[0].shape[-1]}), T > 0"
            checks.refuse(f"{name}[{i}]", f"shape {x.shape}", wanted, "pass the same features in all sequences")
    lengths = np.array([len(x) for x in sequences])
    mask = np.arange(lengths.max()) < lengths[:, None]
    return Sequences(_padded(sequences, mask), mask, listed)


def pad_like(name: str, values: Any, sequences: Sequences) -> Array:
    """Check and pad values that belong to the steps of `sequences`."""
    N = len(sequences.mask)
    if not _is_list(values) and np.ndim(values) == 0:
        checks.refuse(name, type(values).__name__, "one array per sequence", "pass a list of them", TypeError)
    if len(values) != N:
        checks.refuse(name, f"{len(values)} of them", f"{N}, one per sequence", "pass one per sequence")
    arrays = [checks.numeric(f"{name}[{i}]", v) for i, v in enumerate(values)]
    for i, (array, steps) in enumerate(zip(arrays, sequences.mask.sum(axis=1).tolist(), strict=True)):
        others = arrays[0].shape[1:]
        if array.ndim not in (1, 2) or array.shape != (steps, *others):
            wanted = " or ".join(str((steps, *last)) for last in {(), others})
            checks.refuse(f"{name}[{i}]", f"shape {array.shape}", f"shape {wanted}", "pass one value per step")
    return _padded(arrays, sequences.mask)


def unpad_like(values: Array, sequences: Sequences) -> Any:
    """Return padded values in the form of the sequences: a list of arrays of shape (T_i, …), or an array."""
    return [v[m] for v, m in zip(values, sequences.mask, strict=True)] if sequences.listed else values


def _is_list(X: Any) -> bool:
    return isinstance(X, (list, tuple)) or (isinstance(X, np.ndarray) and X.dtype == object)


def _padded(arrays: list[Array], mask: Array) -> Array:
    whole = np.zeros(mask.shape + arrays[0].shape[1:])
    whole[mask] = np.concatenate(arrays)
    return whole
