"""Numba twins of :mod:`cfc_ref.activations`."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from cfc_ref.kernels.mathfun import _sigmoid, _tanh, on_copy

__all__ = ["sigmoid", "tanh"]


def tanh(z: npt.ArrayLike) -> npt.NDArray[Any]:
    """Twin of :func:`cfc_ref.activations.tanh`."""
    return on_copy(_tanh, z)


def sigmoid(z: npt.ArrayLike) -> npt.NDArray[Any]:
    """Twin of :func:`cfc_ref.activations.sigmoid`."""
    return on_copy(_sigmoid, z)
