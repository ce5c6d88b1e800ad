"""A lecturer gets each figure of the tutorials as SVG, a list with the captions, and an animation."""

import io
import json
import os
import re
import xml.etree.ElementTree as ET
from functools import partial
from pathlib import Path

import pytest
from PIL import Image

from cfc_ref.cli import figures
from cfc_ref.cli.command import main
from cfc_ref.plots import lectures
from tests.cli.test_verify import refused

NOTEBOOKS = sorted((Path(__file__).parents[2] / "tutorials").glob("[0-9][0-9]_*.ipynb"))


def cell(kind, source):
    return {"cell_type": kind, "source": source.splitlines(keepends=True)}


NOTEBOOK = {
    "cells": [
        cell("markdown", "# 1. Short"),
        cell("code", "import matplotlib.pyplot as plt\nimport os\nprint('quiet')\nplt.plot([1, 2]);"),
        cell("markdown", "*Figure 1. A line of\nslope $|a|$.*\n\nAnd more."),
        cell("code", "files = os.listdir('results')\nassert 'CFC_REF_WALKER2D' not in os.environ"),
        cell("code", "plt.plot([2, 1])\nplt.title(files[0]);"),
        cell("markdown", "Text.\n\n*Figure 2. Another.*"),
    ]
}


@pytest.fixture
def short(tmp_path, monkeypatch):
    """Have one short tutorial, and an animation of three frames."""
    folder = tmp_path / "tutorials"
    (folder / "results").mkdir(parents=True)
    (folder / "results" / "run.json").write_text("{}")
    (folder / "01_short.ipynb").write_text(json.dumps(NOTEBOOK))
    monkeypatch.setattr(figures, "tutorials_folder", lambda: folder)
    monkeypatch.setattr(lectures, "moving_bound", partial(lectures.moving_bound, 3))
    monkeypatch.setenv("CFC_REF_WALKER2D", "data")
    return tmp_path / "out"


def test_figures_a_list_and_an_animation(short, capsys):
    before = Path.cwd()
    assert main(["figures", "--out", str(short)]) == 0
    assert capsys.readouterr().out == f"01_short.ipynb: 2 figures\nWritten: {short / 'README.md'}, the list.\n"
    assert {path.name for path in short.iterdir()} == {
        "01_figure_1.svg",
        "01_figure_2.svg",
        "README.md",
        "moving_bound.gif",
    }
    assert (Path.cwd(), os.environ["CFC_REF_WALKER2D"]) == (before, "data")
    for number in (1, 2):
        text = (short / f"01_figure_{number}.svg").read_text(encoding="utf-8")
        assert ET.fromstring(text).tag.endswith("svg")
        assert "<dc:date>" not in text
    rows = (short / "README.md").read_text(encoding="utf-8").splitlines()[4:]
    assert rows[0] == (
        r"| [01_figure_1.svg](01_figure_1.svg) | A line of slope $\|a\|$. | `01_short.ipynb`, Figure 1 "
        "| `cfc-ref figures --only 01` |"
    )
    assert [row.split("`")[-2] for row in rows] == [f"cfc-ref figures --only {k}" for k in ("01", "01", "animation")]
    picture = Image.open(io.BytesIO((short / "moving_bound.gif").read_bytes()))
    assert picture.n_frames == 3
    assert (short / "moving_bound.gif").stat().st_size * lectures._FRAMES / 3 < 1e6


def test_some_of_them_in_a_folder_named_from_here(short, monkeypatch):
    """Tutorials run in another folder."""
    monkeypatch.chdir(short.parent)
    assert main(["figures", "--out", short.name, "--only", "01"]) == 0
    assert {path.suffix for path in short.iterdir()} == {".svg", ".md"}


def test_bad_words_and_folders_are_refused(short, capsys):
    refused(["figures", "--out", str(short), "--only", "99"], capsys, "--only: got '99'; ")
    assert not short.exists()
    short.mkdir()
    (short / "01_figure_1.svg").write_text("mine")
    refused(["figures", "--out", str(short)], capsys, f"--out: got '{short / '01_figure_1.svg'}', which exists; ")
    assert [path.read_text() for path in short.iterdir()] == ["mine"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_each_caption_follows_a_figure(path):
    """The captions are numbered from 1, and each has a cell with an image before it."""
    numbers, drawn = [], False
    for one in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        if one["cell_type"] == "code":
            drawn = drawn or any("image/png" in output.get("data", {}) for output in one["outputs"])
        elif found := lectures._CAPTION.search("".join(one["source"])):
            assert drawn, found[0]
            numbers.append(int(found[1]))
            drawn = False
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) == len(re.findall(r"\*Figure \d+\. ", path.read_text(encoding="utf-8"))) >= 3
