"""Standard input, output and error of the commands: closed, full, or in an encoding that lacks characters."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any

__all__ = ["standard_streams", "utf8_output"]


class _Output:
    """Standard output: "?" for characters that its encoding lacks, and errors that name it."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> None:
        encoding = getattr(self._stream, "encoding", None) or "utf-8"
        self._try(lambda: self._stream.write(text.encode(encoding, "replace").decode(encoding)))

    def flush(self) -> None:
        self._try(self._stream.flush)

    def _try(self, act: Callable[[], object]) -> None:
        try:
            act()
        except OSError as error:
            _drop(self._stream)
            if isinstance(error, BrokenPipeError):
                raise
            got = f"standard output: got an error ({error.strerror})"
            raise OSError(f"{got}; expected one that can be written to; redirect it elsewhere.") from None


class _Errors(_Output):
    """Standard error: errors of writing to it are ignored, so that no run ends because of a message."""

    def _try(self, act: Callable[[], object]) -> None:
        try:
            act()
        except OSError:
            _drop(self._stream)


def _open_closed() -> None:
    """Replace closed standard streams by the null device, before another file takes their numbers."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), mode, encoding="utf-8", closefd=False))


@contextlib.contextmanager
def standard_streams() -> Iterator[None]:
    """Let commands print to streams that may be closed, full, or in any encoding."""
    _open_closed()
    output: Any = _Output(sys.stdout)
    errors: Any = _Errors(sys.stderr)
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
        try:
            yield
        finally:
            output.flush()


def utf8_output() -> None:
    """Write UTF-8 to standard output unless it is a terminal: a CSV file keeps its names in every locale."""
    if hasattr(sys.stdout, "reconfigure") and not sys.stdout.isatty():
        sys.stdout.reconfigure(encoding="utf-8")


def _drop(stream: Any) -> None:
    """Let a stream end in the null device: Python flushes it once more at its end, and would complain."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
