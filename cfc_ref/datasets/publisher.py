"""Files as their publishers give them: downloads that are checked, and the members of an archive or of its folder."""

from __future__ import annotations

import gzip
import hashlib
import tarfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, NoReturn

from cfc_ref import checks
from cfc_ref.io import output_folder, write_atomically

__all__ = ["PublishedFile", "download_missing", "fetch", "members", "refuse_file", "source_folder", "unzipped"]

_AGAIN = "put the published file in its place"


class PublishedFile(NamedTuple):
    """A file of a data set."""

    name: str
    url: str
    bytes: int | None = None  # its size
    md5: str | None = None  # of its contents, unpacked where it ends in .gz


def source_folder(folder: str | Path, expected: str) -> Path:
    """Return the folder of a data set, checked to be one."""
    if not isinstance(folder, (str, Path)):
        checks.refuse("folder", type(folder).__name__, "the path of a folder", "pass a string or a Path", TypeError)
    if not Path(folder).is_dir():
        checks.refuse("folder", repr(str(folder)), f"a folder of {expected}", "check the path, or download the data")
    return Path(folder)


def refuse_file(name: str, why: str, expected: str, do: str = _AGAIN) -> NoReturn:
    """Refuse a file of the folder."""
    checks.refuse("folder", f"{name}, {why}", expected, do)


def fetch(url: str) -> bytes:
    """Return what is at an address."""
    from http.client import HTTPException
    from urllib.request import urlopen

    try:
        with urlopen(url, timeout=60) as answer:
            content: bytes = answer.read()
    except (OSError, ValueError, HTTPException) as error:
        do = "download it by other means, and name its folder as the data"
        checks.refuse("download", f"{url!r} ({error})", "a file that can be downloaded", do)
    return content


def download_missing(folder: str | Path, files: Iterable[PublishedFile]) -> Path:
    """Download the files that a folder lacks; each is checked before it is written."""
    path = output_folder("folder", folder)
    for file in files:
        if not (path / file.name).exists():
            content = fetch(file.url)
            _check(file, content)
            write_atomically(path / file.name, content)
    return path


def _check(file: PublishedFile, content: bytes) -> None:
    plain = unzipped(file.url, content, "download") if file.name.endswith(".gz") and file.md5 else content
    found = {"bytes": len(content), "md5": hashlib.md5(plain, usedforsecurity=False).hexdigest()}
    for name, value in found.items():
        wanted = getattr(file, name)
        if wanted not in (None, value):
            checks.refuse("download", f"{file.url!r} with {name} {value}", f"{name} {wanted}", "try it again")


def unzipped(name: str, content: bytes, argument: str = "folder") -> bytes:
    """Return the contents of a gzip file."""
    try:
        return gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        checks.refuse(argument, f"{name}, which is truncated or damaged ({error})", "a gzip file", _AGAIN)


def members(folder: Path, archive: str, inside: tuple[str, ...]) -> Iterator[tuple[str, bytes]]:
    """Yield name and contents of the text files of some folders, from the archive or from where it was unpacked."""
    if (folder / archive).is_file():
        yield from _of_archive(folder / archive, inside)
        return
    for one in inside:
        for path in sorted((folder / one).glob("*.txt")):
            yield path.relative_to(folder).as_posix(), path.read_bytes()


def _of_archive(path: Path, inside: tuple[str, ...]) -> Iterator[tuple[str, bytes]]:
    try:
        with gzip.open(path) as unpacked, tarfile.open(fileobj=unpacked, mode="r|") as archive:
            for entry in archive:
                name = entry.name.removeprefix("./")
                if entry.isfile() and name.startswith(inside) and name.endswith(".txt"):
                    file = archive.extractfile(entry)
                    assert file is not None
                    yield name, file.read()
            while unpacked.read(2**20):  # to the end, where gzip's check sum is
                pass
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        refuse_file(path.name, f"which is truncated or damaged ({error})", "the archive as published", "get it again")
