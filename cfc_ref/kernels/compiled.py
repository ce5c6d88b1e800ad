"""Decorators that compile kernels, and the cache of compiled code on disk.

Numba's own cache gives up where no folder can be written and where a file is damaged, and looks at the one file of the
function that is called. Here a kernel is then compiled without a cache, a damaged file is replaced, and the code is
compiled anew when any file of this folder has changed.
"""

from __future__ import annotations

import inspect
import types
import warnings
from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

from numba import njit
from numba.core.caching import FunctionCache
from numba.core.codegen import CPUCodeLibrary
from numba.core.compiler import CompilerBase, DefaultPassBuilder

__all__ = ["INNER", "OPTIONS", "dispatch", "inner", "kernel"]

# Without NRT, Numba's runtime: each slice that is passed on would count references, atomically, in memory that threads
# have in common. Kernels allocate nothing and return no arrays.
OPTIONS: dict[str, Any] = {"error_model": "numpy", "fastmath": {"contract"}, "nogil": True, "_nrt": False}

_warned = False


class _Linked(CompilerBase):
    """Compile a function up to code that its callers link, which is optimised and translated once, with the kernel's.

    Numba does both for each function with all that it calls, so that code deep inside is optimised once per caller
    above it; this halves the time. The function has no address, so that nothing may call it but kernels.
    """

    def define_pipelines(self) -> list[Any]:
        """Return Numba's passes, for a library that is only linked."""
        state = self.state
        library = state.library = state.targetctx.codegen().create_library(state.func_id.func_qualname)

        def finish() -> None:
            library._finalize_dynamic_globals()
            library._finalized = True

        library._optimize_final_module, library._finalize_final_module = (lambda: None), finish
        # an entry point that raises; Numba tells functions apart by it
        state.targetctx = state.targetctx.subtarget(get_executable=lambda library, fndesc, env: [].index)
        return [DefaultPassBuilder.define_nopython_pipeline(state)]


# For functions that only kernels call: they are neither callable from Python nor kept on disk by themselves
INNER = {**OPTIONS, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
_STEPS = ("_optimize_final_module", "_finalize_final_module", "_finalize_dynamic_globals")
if all(hasattr(CPUCodeLibrary, name) for name in _STEPS):  # not public: another Numba may do without
    INNER["pipeline_class"] = _Linked


def inner(function: Callable[..., Any] | None = None, **options: Any) -> Any:
    """Compile a function that kernels call."""
    return partial(inner, **options) if function is None else njit(**{**INNER, **options})(function)


def dispatch(functions: Sequence[Any], **options: Any) -> Any:
    """Return a compiled function ``choose(number, *arguments)`` that calls one of some compiled functions.

    It is written out as one chain of branches, as Numba would compile each function of a tuple for itself. A number
    that is none of theirs raises ValueError.
    """
    names = ", ".join(inspect.signature(getattr(functions[0], "py_func", functions[0])).parameters)
    branches = [f"    if number == {k}:\n        return f{k}({names})\n" for k in range(len(functions))]
    unknown = "    raise ValueError('no kernel has this number')\n"
    source = f"def choose(number, {names}):\n{''.join(branches)}{unknown}"
    scope = {f"f{k}": function for k, function in enumerate(functions)}
    exec(source, scope)
    return inner(scope["choose"], **options)


def kernel(function: Callable[..., Any] | None = None, *, registry: Any = None, **options: Any) -> Any:
    """Compile a function that Python calls, and keep its code on disk where that is possible.

    With a `registry` of records whose functions it dispatches to, the code on disk is that of these records.
    """
    if function is None:
        return partial(kernel, registry=registry, **options)
    compiled = njit(**{**OPTIONS, **options})(function)
    if not isinstance(compiled, types.FunctionType):  # NUMBA_DISABLE_JIT gives the function itself
        try:
            compiled._cache = _Cache(function, registry or {})
        except (RuntimeError, OSError):  # Numba has found no folder
            _warn("no folder for it can be written", "set NUMBA_CACHE_DIR to a folder that can")
    return compiled


class _Cache(FunctionCache):
    """The code of one kernel on disk; reading and writing never raise."""

    def __init__(self, function: Callable[..., Any], registry: dict[str, tuple[Any, ...]]) -> None:
        super().__init__(function)
        self._cache_file._source_stamp = _stamp()
        parts = [(name, getattr(part, "py_func", part)) for name, record in registry.items() for part in record]
        self._records = tuple((name, getattr(part, "__qualname__", part)) for name, part in parts)

    def _index_key(self, sig: Any, codegen: Any) -> Any:
        return (*super()._index_key(sig, codegen), self._records)

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the code for some types of arguments, or None where it is to be compiled."""
        try:
            return super().load_overload(sig, target_context)
        except Exception:  # the bytes of a damaged file may raise anything
            try:
                self.flush()
            except OSError as error:
                self._give_up(error)
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep compiled code."""
        try:
            super().save_overload(sig, data)
        except Exception as error:  # a full disk, a file that is a folder, a damaged index
            self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        self.disable()
        reason = getattr(error, "strerror", None) or f"{type(error).__name__}: {error}"
        _warn(reason, f"delete the folder {self.cache_path}, or set NUMBA_CACHE_DIR")


@cache
def _stamp() -> tuple[Any, ...]:
    """Return what changes when a file of this folder does."""
    root = Path(__file__).parent
    stats = [(path.relative_to(root).as_posix(), path.stat()) for path in sorted(root.rglob("*.py"))]
    return tuple((name, stat.st_mtime, stat.st_size) for name, stat in stats)


def _warn(reason: str, do: str) -> None:
    """Warn once per process, however many kernels there are."""
    global _warned
    if _warned:
        return
    _warned = True
    warnings.warn(
        f"Compiled kernels cannot be kept on disk ({reason}), so that each process compiles them again, for up to a "
        f"minute; {do}.",
        RuntimeWarning,
        stacklevel=3,
    )
