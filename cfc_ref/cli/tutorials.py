"""``cfc-ref tutorials``: copy the notebooks, their README and solutions to a folder.

In a wheel they are in ``cfc_ref/_tutorials`` (see pyproject.toml), in a checkout next to the package.
"""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path
from typing import Any

__all__ = ["add", "run", "tutorial_files"]

_PACKAGE = Path(__file__).resolve().parents[1]
_FOLDER = "cfc-ref-tutorials"
_PATTERNS = (
    "README.md",
    "[0-9][0-9]_*.ipynb",
    "figures/[0-9][0-9].png",
    "results/*.json",
    "solutions/[0-9][0-9]_*.py",
)


def tutorial_files(folder: Path) -> list[Path]:
    """Return the files of the tutorials, relative to their folder."""
    return [path.relative_to(folder) for pattern in _PATTERNS for path in sorted(folder.glob(pattern))]


def add(commands: Any) -> None:
    """Add the command and its options to the parser."""
    parser = commands.add_parser(
        "tutorials",
        help="write the tutorials' notebooks to a folder",
        description="Write the tutorials to a folder: executed notebooks, their README, and solutions to their "
        "exercises. No existing file is replaced.",
    )
    parser.add_argument("--out", default=_FOLDER, metavar="FOLDER", help=f"write them there (default: {_FOLDER})")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Copy the tutorials, and print where they are and how to open them."""
    from cfc_ref import checks
    from cfc_ref.io import output_folder, write_atomically

    source, out = _source(), Path(options.out)
    files = tutorial_files(source)
    for file in files:
        if (out / file).exists():
            checks.refuse("--out", f"{str(out / file)!r}, which exists", "a folder without it", "name another folder")
    for folder in {file.parent for file in files}:
        output_folder("--out", out / folder)
    for file in files:
        write_atomically(out / file, (source / file).read_bytes())
    notebooks = sum(file.suffix == ".ipynb" for file in files)
    print(f"Written: {out}/README.md, {notebooks} notebooks, and solutions to their exercises in {out}/solutions.")
    print(f"Open them: jupyter lab {shlex.quote(str(out))}")
    print("Without Jupyter: python -m pip install jupyterlab ipywidgets")
    return 0


def _source() -> Path:
    """Return the folder of the tutorials: that of a wheel, or that of a checkout."""
    from cfc_ref import checks

    folders = [_PACKAGE / "_tutorials", _PACKAGE.parent / "tutorials"]
    there = [folder for folder in folders if any(file.suffix == ".ipynb" for file in tutorial_files(folder))]
    if not there:
        checks.refuse("tutorials", "an installation without them", "a wheel or a checkout", "install cfc-ref again")
    return there[0]
