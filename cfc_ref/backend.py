"""The choice between the specifications in NumPy and their kernels in Numba; threads, and warm-up.

A kernel is found by its name: ``cfc_ref.kernels.X.f`` is the twin of ``cfc_ref.cells.X.f``, or of
``cfc_ref.neuron.X.f``, and takes the same arguments.
"""

from __future__ import annotations

import contextlib
import importlib
import sys
import warnings
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from cfc_ref import checks

__all__ = ["Compute", "Pieces", "cfc", "compile_all", "has_numba", "ltc", "pieces", "set_num_threads", "warmup"]


class Compute(NamedTuple):
    """Functions that compute a network: specifications or kernels.

    Attributes
    ----------
    forward : callable
        (params, x, state, dt, mask, settings, …, keep=) → (states after each step, last state, kept).
    backward : callable
        (params, kept, d_h, d_state, mask, settings) → (d_params, d_x, d_state, d_dt).
    stream : callable or None
        (params, readout, read, x, state, dt, mask, settings) → (outputs, last state), with the step of a stepper; None
        if there is none.
    start : callable or None
        (params, readout, read, settings) → the compiled step of a stepper; None if it steps in NumPy.
    as_streams : callable
        (params, settings, dt) → whether `stream` runs so many sequences and steps, and not `forward`.
    """

    forward: Callable[..., Any]
    backward: Callable[..., Any]
    stream: Callable[..., Any] | None = None
    start: Callable[..., Any] | None = None
    as_streams: Callable[..., bool] = lambda params, settings, dt: len(dt) == 1


class Pieces(NamedTuple):
    """The loops over the pieces of a signal."""

    constant: Callable[..., Any]
    gauss: Callable[..., Any]


@cache
def cfc(backend: str, mode: str = "default") -> Compute:
    """Return the functions that compute a CfC network of some mode."""
    if _uses_kernels(backend):
        from cfc_ref.kernels.cfc import network as kernels
        from cfc_ref.kernels.cfc.rows import COMPILED
        from cfc_ref.kernels.cfc.streaming import start

        if mode in COMPILED:
            return Compute(kernels.sequence, kernels.d_sequence, kernels.stream, start)
        _refuse_late(backend, "mode", mode, "cfc_ref.kernels.cfc.modes", "CfC")
    from cfc_ref.cells.cfc import network

    return Compute(network.sequence, network.d_sequence, network.stream)


@cache
def ltc(backend: str, solver: str = "fused") -> Compute:
    """Return the functions that compute a synaptic LTC network with some solver."""
    if _uses_kernels(backend):
        from cfc_ref.kernels.ltc import network as kernels
        from cfc_ref.kernels.ltc.loops import COMPILED
        from cfc_ref.kernels.ltc.streaming import as_streams, start

        if solver in COMPILED:
            return Compute(kernels.sequence, kernels.d_sequence, kernels.stream, start, as_streams)
        _refuse_late(backend, "solver", solver, "cfc_ref.kernels.ltc.solvers", "LTC")
    from cfc_ref.cells.ltc import network

    return Compute(network.sequence, network.d_sequence, network.stream)


def _refuse_late(backend: str, kind: str, name: str, module: str, layer: str) -> None:
    """Refuse backend "numba" for a record that was not there when the kernels were loaded; "auto" takes NumPy."""
    if backend == "numba":
        do = f"pass backend='numpy', or add its kernel to {module}.KERNELS before the first {layer} runs"
        checks.refuse("backend", "'numba'", f"a {kind} with a kernel, which {name!r} does not have", do)


@cache
def pieces(backend: str = "auto") -> Pieces:
    """Return the loops over the pieces of a signal, of many neurons at once."""
    if _uses_kernels(backend):
        from cfc_ref.kernels import closed_forms as gauss_kernel
        from cfc_ref.kernels import exact_solution as constant_kernel

        return Pieces(constant_kernel.constant_pieces, gauss_kernel.gauss_pieces)
    from cfc_ref.neuron import closed_forms, exact_solution

    return Pieces(exact_solution.constant_pieces, closed_forms.gauss_pieces)


def has_numba() -> bool:
    """Return whether Numba is installed."""
    return checks.installed("numba")


def _uses_kernels(backend: str) -> bool:
    """Return whether a backend computes with kernels: "auto" does if Numba can be imported."""
    return backend == "numba" or (backend == "auto" and _numba_works())


@cache
def _numba_works() -> bool:
    """Return whether Numba can be imported; warn once if it is installed but cannot."""
    if not has_numba():
        return False
    try:
        importlib.import_module("numba")
    except Exception as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        warnings.warn(
            f"Numba is installed but cannot be imported ({reason}); falling back to NumPy, which is slower. Install a "
            "Numba that fits this NumPy, or pass backend='numpy'.",
            RuntimeWarning,
            stacklevel=3,
        )
        return False
    return True


def warmup() -> None:
    """Load or compile every kernel, so that no later call waits for it.

    The compiled code is kept on disk: the first process after an installation takes up to a minute, later ones about a
    second. Numba compiles in one thread, so a second process compiles the kernels of float64 at the same time.

    Examples
    --------
    >>> warmup()
    """
    if _numba_works():
        _warm_up()


@cache
def _warm_up() -> None:
    with _second_process("from cfc_ref import backend; backend.compile_all('float64')"):
        compile_all("float32")
    compile_all("float64")


def compile_all(dtype: str) -> None:
    """Load or compile every kernel for one dtype; for float64 in reverse.

    Two processes that compile at the same time are then rarely at the same kernel, whose file they share.
    """
    from cfc_ref.kernels.smallest import CALLS

    for call in CALLS if dtype == "float32" else reversed(CALLS):
        call(np.ones(1, dtype))


def _second_process(code: str) -> contextlib.AbstractContextManager[Any]:
    """Run Python code in a second process where that is possible, and wait for it at the end."""
    import subprocess  # here, as `import cfc_ref` need not pay for it

    if not sys.executable or getattr(sys, "frozen", False):  # a frozen program would start itself
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
