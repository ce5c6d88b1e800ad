"""``cfc-ref tutorials``: copy the notebooks, their README and solutions to a folder, or notebooks for a class.

In a wheel they are in ``cfc_ref/_tutorials`` (see pyproject.toml), in a checkout next to the package.
"""

from __future__ import annotations

import argparse
import json
import re
import shlex
from pathlib import Path
from typing import Any

__all__ = ["add", "run", "tutorial_files", "tutorials_folder"]

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
    for_class = parser.add_mutually_exclusive_group()
    for_class.add_argument(
        "--student",
        action="store_true",
        help="an empty answer and its check under each exercise, and no solutions",
    )
    for_class.add_argument("--nbgrader", action="store_true", help="the same with nbgrader's metadata")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Copy the tutorials, and print where they are and how to open them."""
    from cfc_ref import checks
    from cfc_ref.io import output_folder, write_atomically

    source, out, for_class = tutorials_folder(), Path(options.out), options.student or options.nbgrader
    files = [file for file in tutorial_files(source) if not (for_class and file.parts[0] == "solutions")]
    for file in files:
        if (out / file).exists():
            checks.refuse("--out", f"{str(out / file)!r}, which exists", "a folder without it", "name another folder")
    contents = _without_solutions(source, files, options.nbgrader) if for_class else {}
    for folder in {file.parent for file in files}:
        output_folder("--out", out / folder)
    for file in files:
        write_atomically(out / file, contents.get(file) or (source / file).read_bytes())
    notebooks = sum(file.suffix == ".ipynb" for file in files)
    end = "with a cell for each answer" if for_class else f"and solutions to their exercises in {out}/solutions"
    print(f"Written: {out}/README.md, {notebooks} notebooks, {end}.")
    print(f"Open them: jupyter lab {shlex.quote(str(out))}")
    print("Without Jupyter: python -m pip install jupyterlab ipywidgets")
    return 0


def _without_solutions(source: Path, files: list[Path], nbgrader: bool) -> dict[Path, bytes]:
    """Return the files that a class gets in another form: notebooks with cells for answers, and the README."""
    from cfc_ref import teach
    from cfc_ref.teach.notebooks import for_students

    asked, found = teach.exercises(), {}
    for file in files:
        if file.suffix == ".ipynb":
            notebook = json.loads((source / file).read_text(encoding="utf-8"))
            made = for_students(notebook, file.name[:2], asked, nbgrader=nbgrader)
            found[file] = (json.dumps(made, indent=1, ensure_ascii=False) + "\n").encode()
    readme = (source / "README.md").read_text(encoding="utf-8")
    found[Path("README.md")] = re.sub(r"\s+with\s+solutions\b", "", readme).encode()
    return found


def tutorials_folder() -> Path:
    """Return the folder of the tutorials: that of a wheel, or that of a checkout."""
    from cfc_ref import checks

    folders = [_PACKAGE / "_tutorials", _PACKAGE.parent / "tutorials"]
    there = [folder for folder in folders if any(file.suffix == ".ipynb" for file in tutorial_files(folder))]
    if not there:
        checks.refuse("tutorials", "an installation without them", "a wheel or a checkout", "install cfc-ref again")
    return there[0]
