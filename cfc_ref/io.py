"""Files: written under a temporary name and renamed, so that none is ever half there."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from cfc_ref import checks

__all__ = ["output_folder", "write_atomically"]


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file under a temporary name beside it, and rename it.

    Parameters
    ----------
    path : Path
        The file; one that is there already is replaced.
    data : bytes
        What it holds.

    Raises
    ------
    OSError
        If the folder can't be written to; nothing is left behind.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_atomically(Path(folder) / "note.txt", b"whole")
    ...     (Path(folder) / "note.txt").read_text()
    'whole'
    """
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise


def output_folder(name: str, folder: str | Path) -> Path:
    """Return a folder to write to, made where it is missing.

    Parameters
    ----------
    name : str
        The argument's name, for the message.
    folder : str or Path
        The folder.

    Raises
    ------
    ValueError, TypeError
        If it can't be made or written to.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     output_folder("out", Path(folder) / "new").is_dir()
    True
    """
    if not isinstance(folder, (str, Path)):
        checks.refuse(name, type(folder).__name__, "the path of a folder", "pass a string or a Path", TypeError)
    path = Path(folder)
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        checks.refuse(
            name, f"{str(folder)!r} ({error.strerror})", "a folder that can be written to", "name another one"
        )
    return path
