"""The one door to :mod:`cfc_ref.kernels`: which kernel is whose twin, the choice between them, threads, warm-up.

The NumPy function is the specification. ``TWINS`` maps its dotted name to its Numba kernel's, and to the adapter that
gives the kernel the specification's arguments where they differ (None where they do not). A test runs over all of it.
"""

from __future__ import annotations

import contextlib
import importlib
import sys
import warnings
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from cfc_ref import checks

__all__ = ["TWINS", "compile_all", "fastest", "functions", "has_numba", "kernel", "set_num_threads", "warmup"]

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
    "cfc_ref.cells.cfc.network.sequence": (
        "cfc_ref.kernels.cfc_forward.forward",
        "cfc_ref.kernels.cfc_calls.forward_sequence",
    ),
    "cfc_ref.cells.cfc.network.d_sequence": (
        "cfc_ref.kernels.cfc_backward.backward",
        "cfc_ref.kernels.cfc_calls.backward_sequence",
    ),
    "cfc_ref.cells.cfc.network.stream": (
        "cfc_ref.kernels.cfc_streaming.stream",
        "cfc_ref.kernels.cfc_calls.CfCStreamTwin",
    ),
    "cfc_ref.cells.ltc.network.sequence": (
        "cfc_ref.kernels.ltc_forward.forward",
        "cfc_ref.kernels.ltc_calls.forward_sequence",
    ),
    "cfc_ref.cells.ltc.network.d_sequence": (
        "cfc_ref.kernels.ltc_backward.backward",
        "cfc_ref.kernels.ltc_calls.backward_sequence",
    ),
    "cfc_ref.cells.ltc.network.stream": (
        "cfc_ref.kernels.ltc_streaming.stream",
        "cfc_ref.kernels.ltc_calls.LTCStreamTwin",
    ),
}

# Kernels that are compiled when they are first called: spec -> what calls its twin once, on as little as possible
_TRIALS: dict[str, str] = {
    "numpy.exp": "cfc_ref.backend.try_values",
    "cfc_ref.activations.tanh": "cfc_ref.backend.try_values",
    "cfc_ref.activations.sigmoid": "cfc_ref.backend.try_values",
    "cfc_ref.cells.cfc.network.sequence": "cfc_ref.kernels.cfc_calls.try_forward",
    "cfc_ref.cells.cfc.network.d_sequence": "cfc_ref.kernels.cfc_calls.try_backward",
    "cfc_ref.cells.cfc.network.stream": "cfc_ref.kernels.cfc_calls.try_stream",
    "cfc_ref.cells.ltc.network.sequence": "cfc_ref.kernels.ltc_calls.try_forward",
    "cfc_ref.cells.ltc.network.d_sequence": "cfc_ref.kernels.ltc_calls.try_backward",
    "cfc_ref.cells.ltc.network.stream": "cfc_ref.kernels.ltc_calls.try_stream",
}
_DTYPES = ("float32", "float64")


def with_edges(kernel: Callable[..., Array]) -> Callable[..., Array]:
    """Adapt a kernel over pieces: a generalised ufunc can't compute S + 1, so it is shown an array of that length."""

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
    """Adapt a kernel that works in place on one contiguous axis: it gets a copy of an array of any shape."""

    def twin(x: Array) -> Array:
        values = np.array(x, order="C")
        kernel(values.reshape(-1))
        return values

    return twin


def try_values(twin: Callable[[Array], Array], dtype: str) -> None:
    """Call a twin of an element-wise function once."""
    twin(np.zeros(1, dtype))


def _named(dotted: str) -> Any:
    module, _, name = dotted.rpartition(".")
    return getattr(importlib.import_module(module), name)


@cache
def kernel(spec: str) -> Callable[..., Any]:
    """Return the Numba twin of a specification, called like it."""
    name, adapter = TWINS[spec]
    compiled = _named(name)
    return _named(adapter)(compiled) if adapter else compiled


@cache
def fastest(spec: str, dtype: str | None = None) -> Callable[..., Any]:
    """Return the twin, or, where numba is missing or fails, the specification itself; one warning says so."""
    try:
        twin = kernel(spec)
        if dtype is not None and spec in _TRIALS:
            _named(_TRIALS[spec])(twin, dtype)
        return twin
    except Exception as error:
        if not has_numba():  # chosen, not broken
            return _named(spec)
        _warn(f"{type(error).__name__}: {error}")
        return _named(spec)


def functions(specs: Sequence[str], backend: str, dtype: str) -> list[Callable[..., Any]]:
    """Return what computes: the specifications themselves, or the kernels of all of them."""
    specifications = [_named(spec) for spec in specs]
    if backend == "numpy":
        return specifications
    if backend == "numba":
        return [kernel(spec) for spec in specs]
    fast = [fastest(spec, dtype) for spec in specs]
    some_missing = any(own is other for own, other in zip(fast, specifications, strict=True))
    return specifications if some_missing else fast


def has_numba() -> bool:
    """Say whether numba is installed."""
    return checks.installed("numba")


@cache
def _warn(reason: str) -> None:
    warnings.warn(
        f"numba's kernels are not to be had ({reason}); NumPy runs instead, slower", RuntimeWarning, stacklevel=3
    )


def warmup() -> None:
    """Load or compile every kernel, so that no later call waits for it.

    The compiled code is kept on disk: the first process after an installation takes the better part of a minute, later
    ones about a second. Numba compiles in one thread; what is for float64 a second process compiles meanwhile.

    Examples
    --------
    >>> warmup()
    """
    _warm_up()


@cache
def _warm_up() -> None:
    single, double = _DTYPES
    with _second_process(f"from cfc_ref import backend; backend.compile_all({double!r})"):
        compile_all(single)
    compile_all(double)


def compile_all(dtype: str) -> None:
    """Load or compile every kernel for one type of numbers; for the wider one in reverse.

    Two processes that do both at once are so rarely at the same kernel, whose place on disk they share.
    """
    for spec in TWINS if dtype == _DTYPES[0] else reversed(TWINS):
        fastest(spec, dtype)


def _second_process(code: str) -> contextlib.AbstractContextManager[Any]:
    """Start Python code beside this process, where that can be; at the end it is waited for."""
    import subprocess  # here, as `import cfc_ref` need not pay for it

    if not has_numba() or not sys.executable or getattr(sys, "frozen", False):  # a frozen program would start itself
        return contextlib.nullcontext()
    try:
        return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    except OSError:
        return contextlib.nullcontext()


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
    n = checks.count("n", n, at_least=1)
    checks.need("numba", "set_num_threads")
    from cfc_ref.kernels import threads

    if n > threads.MOST:
        checks.refuse("n", n, f"at most {threads.MOST} threads", "set NUMBA_NUM_THREADS before the start for more")
    threads.use(n)
