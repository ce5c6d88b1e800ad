"""The tutorials come out of a checkout and out of what a wheel holds, whole, and over nothing that is there."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cfc_ref import teach
from cfc_ref.cli import tutorials
from cfc_ref.cli.command import main
from tests.cli.test_verify import refused

ROOT = Path(__file__).parents[2]
NAMES = sorted(path.stem for path in (ROOT / "tutorials").glob("*.ipynb"))
EXPECTED = {
    "README.md",
    *(f"{name}.ipynb" for name in NAMES),
    *(f"solutions/{name}.py" for name in NAMES),
    *(f"figures/{name[:2]}.png" for name in NAMES),
    *(f"results/{path.name}" for path in (ROOT / "tutorials" / "results").glob("*.json")),
}


def files(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def assert_whole(folder):
    assert len(NAMES) >= 8
    assert files(folder) == EXPECTED
    for name in EXPECTED:
        assert (folder / name).read_bytes() == (ROOT / "tutorials" / name).read_bytes()


def test_out_of_a_checkout(tmp_path, capsys):
    out = tmp_path / "a folder" / "new"
    assert main(["tutorials", "--out", str(out)]) == 0
    assert_whole(out)
    assert capsys.readouterr().out == (
        f"Written: {out}/README.md, {len(NAMES)} notebooks, and solutions to their exercises in {out}/solutions.\n"
        f"Open them: jupyter lab '{out}'\n"
        "Without Jupyter: python -m pip install jupyterlab ipywidgets\n"
    )


def test_what_the_readme_of_the_tutorials_links_to_is_there(tmp_path):
    assert main(["tutorials", "--out", str(tmp_path)]) == 0
    links = [part.partition(")")[0] for part in (tmp_path / "README.md").read_text().split("](")[1:]]
    assert len(links) >= 2 * len(NAMES)
    assert all((tmp_path / link).is_file() for link in links)


def test_out_of_what_a_wheel_holds(tmp_path):
    """Built as a wheel's contents are, and run where the checkout is out of reach."""
    pytest.importorskip("setuptools", minversion="77")  # as pyproject.toml asks of what builds
    built = tmp_path / "built"
    setup = "from setuptools import setup; setup()"
    command = [sys.executable, "-c", setup, "--quiet", "build", "--build-base", str(tmp_path / "base")]
    subprocess.run([*command, "--build-lib", str(built)], cwd=ROOT, check=True, capture_output=True)
    assert files(built / "cfc_ref" / "_tutorials") >= EXPECTED
    environment = {**os.environ, "PYTHONPATH": str(built)}
    words = [sys.executable, "-m", "cfc_ref", "tutorials", "--out", "out"]
    done = subprocess.run(words, cwd=tmp_path, env=environment, check=True, capture_output=True, text=True)
    assert done.stdout.startswith("Written: out/README.md, ")
    assert_whole(tmp_path / "out")


def test_every_package_goes_into_the_wheel():
    tomllib = pytest.importorskip("tomllib")  # from Python 3.11 on
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    there = {path.parent.relative_to(ROOT) for path in (ROOT / "cfc_ref").rglob("__init__.py")}
    assert set(packages) == {".".join(path.parts) for path in there} | {"cfc_ref._tutorials"}


@pytest.mark.parametrize("name", ["README.md", "solutions/01_a_liquid_neuron.py"])
def test_no_file_that_is_there_is_written_over(tmp_path, capsys, name):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("mine")
    (tmp_path / "other.txt").write_text("also mine")
    refused(["tutorials", "--out", str(tmp_path)], capsys, f"--out: got '{tmp_path / name}', which exists; ")
    assert files(tmp_path) == {name, "other.txt"}
    assert (tmp_path / name).read_text() == "mine"


def test_what_is_no_folder_is_refused(tmp_path, capsys):
    (tmp_path / "file").write_text("mine")
    refused(["tutorials", "--out", str(tmp_path / "file")], capsys, "--out: got ")
    assert (tmp_path / "file").read_text() == "mine"


def test_an_installation_without_them_says_so(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(tutorials, "_PACKAGE", tmp_path / "cfc_ref")
    refused(["tutorials", "--out", str(tmp_path / "out")], capsys, "tutorials: got an installation without them; ")
    assert not (tmp_path / "out").exists()


def cells_of(path):
    return json.loads(path.read_text(encoding="utf-8"))["cells"]


@pytest.mark.parametrize("option", ["--student", "--nbgrader"])
def test_a_class_gets_cells_for_answers_and_no_solutions(tmp_path, capsys, option):
    """All other cells are those of the tutorials; each exercise has an empty answer, and a check that names it."""
    assert main(["tutorials", "--out", str(tmp_path), option]) == 0
    assert "with a cell for each answer" in capsys.readouterr().out
    assert files(tmp_path) == {name for name in EXPECTED if not name.startswith("solutions/")}
    assert "solutions" not in (tmp_path / "README.md").read_text(encoding="utf-8")
    seen, asked = [], teach.exercises()
    for name in NAMES:
        stored, cells = cells_of(ROOT / "tutorials" / f"{name}.ipynb"), cells_of(tmp_path / f"{name}.ipynb")
        assert [cell for cell in cells if cell in stored] == stored[:-1]
        assert "solutions/" not in json.dumps(cells)
        identities = [cell["id"] for cell in cells]
        assert len(set(identities)) == len(identities)
        added = [cell for cell in cells if cell not in stored]
        assert [cell["cell_type"] for cell in added] == ["markdown", *["markdown", "code", "code"] * 3]
        for text, answer, check in zip(added[1::3], added[2::3], added[3::3], strict=True):
            exercise = f"{name[:2]}.{text['source'][len('**Exercise ')]}"
            seen.append(exercise)
            values = {}
            exec(answer["source"], values)  # an answer that is still empty
            reply = teach.check(exercise, values["answer"])
            assert not reply.right
            assert all(part in answer["source"] for part in asked[exercise])
            assert f'teach.check("{exercise}", answer)' in check["source"]
            graded = answer["metadata"].get("nbgrader"), check["metadata"].get("nbgrader")
            if option == "--student":
                assert graded == (None, None)
            else:
                assert (graded[0]["solution"], graded[0]["locked"], graded[0]["grade"]) == (True, False, False)
                assert (graded[1]["solution"], graded[1]["locked"], graded[1]["grade"]) == (False, True, True)
                assert graded[1]["points"] > 0
                assert check["source"].endswith("assert reply.right")
    assert seen == list(asked)


def test_a_class_gets_one_of_both(tmp_path, capsys):
    refused(["tutorials", "--out", str(tmp_path), "--student", "--nbgrader"], capsys, "")
