"""The one door to :mod:`cfc_ref.kernels`: which kernel is whose twin, the choice between them, threads, warm-up.

The NumPy function is the specification. ``TWINS`` maps its dotted name to its Numba kernel's, and to the adapter that
gives the kernel the specification's arguments where they differ (None where they do not). A test runs over all of it.
"""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from cfc_ref import checks

__all__ = ["TWINS", "fastest", "kernel", "set_num_threads", "warmup"]

Array = npt.NDArray[Any]

TWINS: dict[str, tuple[str, str | None]] = {
    "cfc_ref.neuron.exact_solution.constant_pieces": (
        "cfc_ref.kernels.neuron.constant_pieces",
        "cfc_ref.backend.with_edges",
    ),
    "cfc_ref.neuron.closed_forms.gauss_pieces": ("cfc_ref.kernels.neuron.gauss_pieces", "cfc_ref.backend.with_edges"),
    "numpy.exp": ("cfc_ref.kernels.mathfun.exp", "cfc_ref.backend.on_a_copy"),
    "cfc_ref.activations.tanh": ("cfc_ref.kernels.mathfun.tanh", "cfc_ref.backend.on_a_copy"),
    "cfc_ref.activations.sigmoid": ("cfc_ref.kernels.mathfun.sigmoid", "cfc_ref.backend.on_a_copy"),
}


def with_edges(kernel: Callable[..., Array]) -> Callable[..., Array]:
    """Adapt a kernel over pieces: a generalised ufunc can't compute S + 1, so it is shown an array of that length.

    Parameters
    ----------
    kernel : callable
        Takes (w_tau, A, *samples and h, x0, edges).
    """

    def twin(w_tau: Array, A: Array, *pieces_and_x0: Array) -> Array:
        *pieces, x0 = pieces_and_x0
        (count,) = np.broadcast_shapes(*(np.shape(piece)[-1:] for piece in pieces))
        whole = (np.broadcast_to(piece, (*np.shape(piece)[:-1], count)) for piece in pieces)
        arrays = [np.asarray(v) for v in (w_tau, A, *whole, x0)]
        dtype = np.result_type(*arrays)
        result: Array = kernel(*(v.astype(dtype, copy=False) for v in arrays), np.empty(count + 1, dtype=dtype))
        return result

    return twin


def on_a_copy(kernel: Callable[[Array], None]) -> Callable[[Array], Array]:
    """Adapt a kernel that works in place on one contiguous axis: it gets a copy of an array of any shape.

    Parameters
    ----------
    kernel : callable
        Takes an array of one axis, and writes into it.
    """

    def twin(x: Array) -> Array:
        values = np.array(x, order="C")
        kernel(values.reshape(-1))
        return values

    return twin


def _named(dotted: str) -> Any:
    module, _, name = dotted.rpartition(".")
    return getattr(importlib.import_module(module), name)


@cache
def kernel(spec: str) -> Callable[..., Any]:
    """Return the Numba twin of a specification, called like it.

    Parameters
    ----------
    spec : str
        A key of :data:`TWINS`.

    Raises
    ------
    ImportError
        Where numba is not installed.

    Examples
    --------
    >>> pieces = kernel("cfc_ref.neuron.exact_solution.constant_pieces")
    >>> pieces(np.array(1.0), np.array(0.0), np.zeros(2), np.log([2.0, 4.0]), np.array(8.0))
    array([8., 4., 1.])
    """
    name, adapter = TWINS[spec]
    compiled = _named(name)
    return _named(adapter)(compiled) if adapter else compiled


@cache
def fastest(spec: str) -> Callable[..., Any]:
    """Return the twin, or, where numba is missing or fails, the specification itself; one warning says so.

    Parameters
    ----------
    spec : str
        A key of :data:`TWINS`.

    Examples
    --------
    >>> callable(fastest("cfc_ref.neuron.closed_forms.gauss_pieces"))
    True
    """
    try:
        return kernel(spec)
    except Exception as error:
        _warn(f"{type(error).__name__}: {error}")
        return _named(spec)


@cache
def _warn(reason: str) -> None:
    warnings.warn(
        f"numba's kernels are not to be had ({reason}); NumPy runs instead, slower", RuntimeWarning, stacklevel=3
    )


def warmup() -> None:
    """Load or compile every kernel, so that no later call waits for it.

    The compiled code is kept on disk: the first process after an installation takes some seconds, later ones less.

    Examples
    --------
    >>> warmup()
    """
    for spec in TWINS:
        fastest(spec)


def set_num_threads(n: int) -> None:
    """Let the kernels use `n` threads.

    Parameters
    ----------
    n : int
        From 1 to the number of threads that numba started with.

    Raises
    ------
    ValueError, TypeError
        For another number.

    Examples
    --------
    >>> set_num_threads(1)
    """
    from cfc_ref.kernels import threads

    n = checks.count("n", n, at_least=1)
    if n > threads.MOST:
        checks.refuse("n", n, f"at most {threads.MOST} threads", "set NUMBA_NUM_THREADS before the start for more")
    threads.use(n)
