"""Every tutorial runs afresh and in time, shows what that run gives and nothing of a machine, and has solutions."""

import ast
import copy
import math
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import nbformat
import pytest
from build import FOLDER, TIMEOUT, WIDGET, cover, environment, execute, notebooks, tidy
from nbclient.exceptions import CellExecutionError

NOTEBOOKS = [path.name for path in notebooks()]
SOLUTIONS = sorted(path.name for path in (FOLDER / "solutions").glob("*.py"))
LARGEST = 600_000  # bytes a notebook
UNLIKE = {"timing", "trained"}  # tags of cells whose numbers differ: a long training makes rounding errors large
SIGNIFICANT = 3  # digits in which a stored number and a fresh one agree
IMAGES = ("image/png", "image/jpeg", "image/svg+xml")

# --- comparing

NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?|[-+]?\b(?:nan|inf)\b", re.IGNORECASE)


def same_number(stored: str, fresh: str) -> bool:
    """Whether two numbers differ by at most half a unit in the third significant digit; NaN is like nothing."""
    a, b = float(stored), float(fresh)
    size = max(abs(a), abs(b))
    if not math.isfinite(size):
        return a == b
    return a == b or abs(a - b) <= 0.5 * 10.0 ** (math.floor(math.log10(size)) - SIGNIFICANT + 1)


def difference(stored: str, fresh: str) -> str | None:
    """Say how two texts differ, in the numbers or in the words between them; None if they do not."""
    words = [[" ".join(part.split()) for part in NUMBER.split(text)] for text in (stored, fresh)]
    numbers = [NUMBER.findall(text) for text in (stored, fresh)]
    if words[0] != words[1]:
        return f"the text changed:\n{stored}\n--- now:\n{fresh}"
    for old, new in zip(*numbers, strict=True):
        if not same_number(old, new):
            return f"{old} is now {new}, in:\n{stored}"
    return None


def shown(cell: nbformat.NotebookNode) -> list[tuple[str, str]]:
    """Return (kind, text) of each output; what a stream prints in several goes is one text, an image has none."""
    found: list[tuple[str, str]] = []
    for output in cell.outputs:
        if output.output_type == "stream":
            if found and found[-1][0] == output.name:
                found[-1] = (output.name, found[-1][1] + output.text)
            else:
                found.append((output.name, output.text))
        elif output.output_type == "error":
            found.append(("error", output.evalue))
        else:
            image = [kind for kind in IMAGES if kind in output.data]
            texts = {kind: text for kind, text in output.data.items() if isinstance(text, str)}
            found += [(kind, "") for kind in image] or sorted(texts.items())
    return found


def cell_difference(stored: nbformat.NotebookNode, fresh: nbformat.NotebookNode) -> str | None:
    """Say how the outputs of a cell differ from those stored; None if they do not."""
    old, new = shown(stored), shown(fresh)
    if [kind for kind, _ in old] != [kind for kind, _ in new]:
        return f"outputs {[kind for kind, _ in old]} are now {[kind for kind, _ in new]}"
    return next((say for (_, a), (_, b) in zip(old, new, strict=True) if (say := difference(a, b))), None)


SAME = [
    ("x = 0.33334", "x = 0.33330"),
    ("[1. 2.]", "[1.0  2.0]\n"),
    ("9.9999e-05", "1.00001e-4"),
    ("0.0 inf", "0 inf"),
    ("DOP853", "DOP853"),
    ("", ""),
]
CHANGED = [
    ("x = 0.3333", "x = 0.3343"),
    ("x = 0.3333", "x = -0.3333"),
    ("x = 0.3333", "x = nan"),
    ("nan", "nan"),
    ("inf", "-inf"),
    ("1e-5", "1e-6"),
    ("0", "1e-16"),
    ("12", "12 13"),
    ("error 0.1", "bound 0.1"),
    ("True", "False"),
    ("x = 0.3333", ""),
    ("−1.0", "1.0"),
]


@pytest.mark.parametrize(("stored", "fresh"), SAME)
def test_what_agrees_to_three_digits_is_the_same(stored, fresh):
    assert difference(stored, fresh) is None
    assert difference(fresh, stored) is None


@pytest.mark.parametrize(("stored", "fresh"), CHANGED)
def test_a_changed_number_a_nan_and_a_changed_text_are_seen(stored, fresh):
    assert difference(stored, fresh)
    assert difference(fresh, stored)


def output(kind: str, text: str = "1.0") -> nbformat.NotebookNode:
    if kind in ("stdout", "stderr"):
        return nbformat.v4.new_output("stream", name=kind, text=text)
    if kind == "error":
        return nbformat.v4.new_output("error", ename="E", evalue=text, traceback=[])
    return nbformat.v4.new_output("display_data", {kind: text, **({"text/plain": "x"} if "image" in kind else {})})


def code(*outputs: nbformat.NotebookNode) -> nbformat.NotebookNode:
    return nbformat.v4.new_code_cell("", outputs=list(outputs))


def test_outputs_are_compared_one_by_one():
    two = code(output("stdout", "1.0 "), output("stdout", "2.0"), output("image/png", "abc"))
    assert cell_difference(two, code(output("stdout", "1.0 2.0"), output("image/png", "xyz"))) is None
    assert cell_difference(two, code(output("stdout", "1.0 2.0")))  # the image is missing
    assert cell_difference(two, code(output("stdout", "1.0 2.0"), output("image/png"), output("text/plain")))
    assert cell_difference(two, code(output("stdout", "1.0 2.1"), output("image/png", "abc")))
    assert cell_difference(code(output("stdout")), code(output("stderr")))


# --- what must not be stored

UNCLEAN = {
    "a machine path": re.compile(r"(?<![\w.:/])/(?:home|root|tmp|Users|work|usr|opt|var|mnt|private)\b|\b[A-Z]:\\"),
    "an address": re.compile(r"\b0x[0-9a-f]{6,}\b"),
    "a warning": re.compile(r"\w*Warning\b"),
    "a traceback": re.compile(r"Traceback \(most recent call last\)"),
    "a progress bar": re.compile(r"\r|\d%\||[█▏▎▍▌▋▊▉]|\bit/s\b|\bs/it\b"),
}


def unclean(notebook: nbformat.NotebookNode) -> list[str]:
    """Say what a stored notebook holds that it should not."""
    found = [f"metadata {key}" for key in notebook.metadata if key not in ("kernelspec", "language_info")]
    texts = [("metadata", str(notebook.metadata))]
    for k, cell in enumerate(notebook.cells):
        texts += [(f"metadata of cell {k}", str(cell.metadata)), (f"source of cell {k}", cell.source)]
        for one in cell.get("outputs", []):
            if WIDGET in one.get("data", {}):
                found.append(f"cell {k}: a widget view")
        for kind, text in shown(cell) if cell.cell_type == "code" else ():
            if kind in ("stderr", "error"):
                found.append(f"cell {k}: {kind}: {text}")
            found += [f"cell {k}: {name} in {text!r}" for name, bad in UNCLEAN.items() if bad.search(text)]
    return found + [f"a machine path in {where}" for where, text in texts if UNCLEAN["a machine path"].search(text)]


BAD_OUTPUTS = [
    output("stdout", "saved to /home/me/figure.png"),
    output("stdout", "in /tmp/x"),
    output("text/plain", "'/Users/me'"),
    output("stdout", r"C:\Users\me"),
    output("text/plain", "<matplotlib.lines.Line2D at 0x7f30a1b2c3d4>"),
    output("stdout", "RuntimeWarning: overflow"),
    output("stdout", "Traceback (most recent call last):"),
    output("stdout", "\r 50%|█████     | 5/10"),
    output("stderr", "hello"),
    output("error", "no"),
    output(WIDGET, "{}"),
]


@pytest.mark.parametrize("bad", BAD_OUTPUTS)
def test_unclean_outputs_are_seen(bad):
    assert unclean(nbformat.v4.new_notebook(cells=[code(bad)]))


def test_clean_outputs_pass_and_unclean_metadata_does_not():
    fine = nbformat.v4.new_notebook(cells=[code(output("stdout", "and/or 1/work, https://x.org/home"))])
    assert unclean(fine) == []
    fine.metadata["widgets"] = {"state": {}}
    assert unclean(fine)
    assert unclean(tidy(fine)) == []
    assert unclean(nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("see /home/x")]))


# --- how a tutorial is built


def misbuilt(notebook: nbformat.NotebookNode, number: str) -> list[str]:
    """Say what a tutorial lacks of its beginning, its check, its exercises and its picture."""
    kinds = [cell.cell_type for cell in notebook.cells]
    first = kinds.index("code")
    opening = "\n".join(cell.source for cell in notebook.cells[:first])
    found = [] if opening.startswith("# ") else ["it does not begin with a title"]
    parts = ("What you will learn", r"\d+ minutes on two cores", "What you should know before")
    found += [f"it does not open with {part!r}" for part in parts if not re.search(part, opening)]
    checks = [k for k, cell in enumerate(notebook.cells) if "check" in cell.metadata.get("tags", [])]
    last = len(kinds) - 1 - kinds[::-1].index("code")
    if checks != [last]:
        return [*found, "its last code cell, and no other, should be tagged check"]
    if not any(isinstance(node, ast.Assert) for node in ast.walk(ast.parse(notebook.cells[last].source))):
        found.append("its check asserts nothing")
    closing = "\n".join(cell.source for cell in notebook.cells[last + 1 :])
    if re.findall(r"^(?:#+ |\*\*|\d\. \*\*)?Exercise (\d)", closing, re.MULTILINE) != ["1", "2", "3"]:
        found.append("it does not end with Exercise 1, Exercise 2 and Exercise 3, each at the beginning of a line")
    links = re.findall(rf"\]\((solutions/{number}_\w+\.py)\)", closing)
    if not links or not all((FOLDER / link).is_file() for link in links):
        found.append(f"it does not end with a link to solutions/{number}_….py")
    counts = [cell.execution_count for cell in notebook.cells if cell.cell_type == "code"]
    if counts != list(range(1, len(counts) + 1)):
        found.append("it was not stored as one run: python tutorials/build.py")
    if cover(notebook) is None or not (FOLDER / "figures" / f"{number}.png").is_file():
        found.append("no cell tagged cover shows a picture, or figures/ lacks it: python tutorials/build.py")
    if [cell.id for cell in notebook.cells] != [cell.id for cell in tidy(copy.deepcopy(notebook)).cells]:
        found.append("it was edited after its run: python tutorials/build.py")
    return found


def test_a_tutorial_that_lacks_its_parts_is_seen():
    bare = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("text"), code()])
    assert len(misbuilt(bare, "99")) == 5
    bare.cells[-1].metadata["tags"] = ["check"]
    assert len(misbuilt(bare, "99")) == 10
    bare.cells[-1].source = "assert 1"
    assert len(misbuilt(bare, "99")) == 9


def test_a_cell_that_raises_ends_the_run(tmp_path):
    with pytest.raises(CellExecutionError, match="no such thing"):
        execute(
            nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("raise ValueError('no such thing')")]), tmp_path
        )


# --- the tutorials


class Run(NamedTuple):
    stored: nbformat.NotebookNode
    fresh: nbformat.NotebookNode
    seconds: float


def files(folder: Path) -> set[Path]:
    """The files in a folder and below, as they are called from there."""
    return {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module", params=NOTEBOOKS)
def run(request, tmp_path_factory) -> Run:
    """Run a tutorial in a folder of its own."""
    stored = nbformat.read(FOLDER / request.param, as_version=4)
    folder = tmp_path_factory.mktemp("run")
    start = time.perf_counter()
    fresh = execute(stored, folder)
    seconds = time.perf_counter() - start
    assert files(folder) == {Path("results", name) for name in files(FOLDER / "results")}, "it writes files"
    return Run(stored, fresh, seconds)


def test_there_are_tutorials():
    assert NOTEBOOKS


def test_it_runs_in_time(run):
    assert run.seconds < TIMEOUT


def test_it_shows_what_a_fresh_run_gives(run):
    for k, (stored, fresh) in enumerate(zip(run.stored.cells, run.fresh.cells, strict=True)):
        if stored.cell_type == "code" and not UNLIKE & set(stored.metadata.get("tags", [])):
            say = cell_difference(stored, fresh)
            assert say is None, f"cell {k}: {say}"


def test_what_it_shows_is_clean(run):
    assert unclean(run.stored) == []
    assert unclean(run.fresh) == []


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_it_is_built_like_the_others(name):
    nbformat.validate(nbformat.read(FOLDER / name, as_version=4))
    assert misbuilt(nbformat.read(FOLDER / name, as_version=4), name[:2]) == []
    assert (FOLDER / name).stat().st_size < LARGEST


@pytest.mark.parametrize("name", SOLUTIONS)
def test_the_exercises_have_solutions_that_run(name, tmp_path):
    """Run it in a folder of its own; it may print, and nothing may warn."""
    text = (FOLDER / "solutions" / name).read_text(encoding="utf-8")
    assert re.findall(r"^# %% Exercise (\d)", text, re.MULTILINE) == ["1", "2", "3"]
    assert sum(isinstance(node, ast.Assert) for node in ast.walk(ast.parse(text))) >= 3
    done = subprocess.run(
        [sys.executable, "-W", "error", FOLDER / "solutions" / name],
        cwd=tmp_path,
        env={**environment(), "MPLBACKEND": "agg"},
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert not list(Path(tmp_path).iterdir()), "it writes files"


LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)\)")


def text_of(name: str) -> str:
    """The text of the README, or of a notebook's cells of text."""
    if name not in NOTEBOOKS:
        return (FOLDER / name).read_text(encoding="utf-8")
    cells = nbformat.read(FOLDER / name, as_version=4).cells
    return "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


@pytest.mark.parametrize("name", ["README.md", *NOTEBOOKS])
def test_its_links_lead_somewhere(name):
    links = LINK.findall(text_of(name))
    assert links
    assert [link for link in links if not (FOLDER / link).exists()] == []


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_the_readme_shows_it_with_its_title_its_picture_and_its_minutes(name):
    text = text_of(name)
    title = text.partition("\n")[0].lstrip("# ")
    minutes = re.search(r"\d+ minutes(?= on two cores)", text)[0]
    about = text_of("README.md").partition(f"## [{title}]({name})")[2].partition("\n## ")[0]
    assert f"](figures/{name[:2]}.png)" in about
    assert minutes in about


def test_each_tutorial_has_solutions_and_each_solution_a_tutorial():
    assert sorted(name[:2] for name in SOLUTIONS) == [name[:2] for name in NOTEBOOKS]
