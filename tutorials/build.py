"""Execute the tutorials in place: ``python tutorials/build.py [01 02 …]``, all of them by default.

``python tutorials/build.py --site FOLDER`` builds the site from what is stored, without executing anything; with
``--lite`` it also has the notebooks to run in the browser.

What is stored is what a fresh run gives and nothing of the machine: no times, no paths, no widgets (a notebook on the
web has no kernel that could move them). The picture of the cell tagged ``cover`` is written to figures/NN.png. A
notebook runs in a folder with a copy of results/ alone, and does not see the data of the machine.
"""

from __future__ import annotations

import base64
import io
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode
from PIL import Image

FOLDER = Path(__file__).resolve().parent
TIMEOUT = 90  # seconds a notebook, on two cores, compiling included
DATA = "CFC_REF_"  # beginning of the variables that name folders of data, which a stored notebook does without
WIDGET = "application/vnd.jupyter.widget-view+json"
COMPILED = {"11_fast_and_small"}  # notebooks about compiled kernels and processes: not for the browser
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


def notebooks() -> list[Path]:
    """Return the notebooks, in order."""
    return sorted(FOLDER.glob("[0-9][0-9]_*.ipynb"))


def execute(notebook: NotebookNode, folder: str | Path) -> NotebookNode:
    """Return a fresh run of `notebook` in `folder`, tidied; a cell that raises ends it with CellExecutionError."""
    shutil.copytree(FOLDER / "results", Path(folder) / "results")
    fresh = nbformat.from_dict({**notebook, "cells": [_without_outputs(cell) for cell in notebook.cells]})
    fresh.metadata = nbformat.from_dict({"kernelspec": KERNEL})
    client = NotebookClient(
        fresh,
        timeout=TIMEOUT,
        kernel_name=KERNEL["name"],
        resources={"metadata": {"path": str(folder)}},
        record_timing=False,
        store_widget_state=False,
        coalesce_streams=True,
        extra_arguments=["--log-level=ERROR"],
    )
    inline = "module://matplotlib_inline.backend_inline"
    client.execute(env={**environment(), "MPLBACKEND": inline, "PYDEVD_DISABLE_FILE_VALIDATION": "1"})
    return tidy(fresh)


def environment() -> dict[str, str]:
    """Return the variables that notebooks and solutions see."""
    return {name: value for name, value in os.environ.items() if not name.startswith(DATA)}


def _without_outputs(cell: NotebookNode) -> NotebookNode:
    if cell.cell_type != "code":
        return cell
    return nbformat.from_dict({**cell, "outputs": [], "execution_count": None})


def tidy(notebook: NotebookNode) -> NotebookNode:
    """Take out what a run leaves behind and a reader does not need; number the cells (cell-00, cell-01)."""
    notebook.metadata = nbformat.from_dict({"kernelspec": KERNEL, "language_info": {"name": "python"}})
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    for k, cell in enumerate(notebook.cells):
        tags = cell.metadata.get("tags", [])
        cell.id, cell.metadata = f"cell-{k:02d}", nbformat.from_dict({"tags": tags} if tags else {})
        if cell.cell_type == "code":
            cell.outputs = [_plain(output) for output in cell.outputs if WIDGET not in output.get("data", {})]
    return notebook


def _plain(output: NotebookNode) -> NotebookNode:
    if "metadata" in output:
        output.metadata = nbformat.from_dict({})
    return output


def shrink(notebook: NotebookNode) -> NotebookNode:
    """Store pictures with 256 colours of their own: a third of the bytes, and no difference to be seen."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                picture = Image.open(io.BytesIO(base64.b64decode(output.data["image/png"]))).convert("RGB")
                with io.BytesIO() as file:
                    picture.quantize(256, dither=Image.Dither.NONE).save(file, format="png", optimize=True)
                    output.data["image/png"] = base64.b64encode(file.getvalue()).decode()
    return notebook


def cover(notebook: NotebookNode) -> bytes | None:
    """Return the first picture of the cell tagged ``cover``, as PNG."""
    for cell in notebook.cells:
        if "cover" in cell.metadata.get("tags", []):
            for output in cell.outputs:
                if "image/png" in output.get("data", {}):
                    return base64.b64decode(output.data["image/png"])
    return None


def build(path: Path) -> None:
    """Execute one notebook in place and write its picture."""
    with tempfile.TemporaryDirectory() as folder:
        fresh = shrink(execute(nbformat.read(path, as_version=4), folder))
    nbformat.validate(fresh)
    picture = cover(fresh)
    if picture is None:
        raise ValueError(f"{path.name}: no cell tagged cover shows a picture; tag one")
    (FOLDER / "figures" / f"{path.name[:2]}.png").write_bytes(picture)
    whole = path.with_suffix(".tmp")
    nbformat.write(fresh, whole)
    whole.replace(path)


def main(numbers: list[str]) -> None:
    """Build the notebooks whose names begin with one of `numbers`, or all."""
    found = notebooks()
    for number in numbers:
        if not any(path.name.startswith(number) for path in found):
            raise SystemExit(f"no tutorial {number}; there are {', '.join(path.name[:2] for path in found)}")
    for path in found:
        if not numbers or path.name.startswith(tuple(numbers)):
            start = time.perf_counter()
            build(path)
            size = path.stat().st_size / 1000
            print(f"{path.name}: {time.perf_counter() - start:.0f} s, {size:.0f} kB")  # noqa: T201


def build_site(words: list[str]) -> None:
    """Build the site in one new folder."""
    folders = [word for word in words if word != "--lite"]
    if len(folders) != 1:
        raise SystemExit(
            "--site: got no folder or several; expected one; pass python tutorials/build.py --site FOLDER."
        )
    sys.path.insert(0, str(FOLDER / "site"))
    from assemble import build as assemble

    assemble(Path(folders[0]), lite="--lite" in words)
    print(f"{folders[0]}/index.html")  # noqa: T201


if __name__ == "__main__":
    build_site(sys.argv[2:]) if sys.argv[1:2] == ["--site"] else main(sys.argv[1:])
