"""The generated pages are what ``python tutorials/pages.py`` makes, and their names exist."""

import importlib
import inspect
import json
import re
import runpy
from pathlib import Path

import pytest

import cfc_ref

TUTORIALS = Path(__file__).parent.parent / "tutorials"
PAGES = runpy.run_path(str(TUTORIALS / "pages.py"))["PAGES"]
EQUATIONS = (TUTORIALS / "equations.md").read_text(encoding="utf-8")


def named(dotted):
    """Return the object that a dotted name below cfc_ref stands for."""
    found, path = cfc_ref, "cfc_ref"
    for part in dotted.removeprefix("cfc_ref.").split("."):
        path = f"{path}.{part}"
        found = getattr(found, part) if hasattr(found, part) else importlib.import_module(path)
    return found


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_a_page_is_what_the_sources_give(path):
    assert path.read_text(encoding="utf-8") == PAGES[path]().rstrip("\n") + "\n", "run python tutorials/pages.py"


def test_the_map_has_every_equation_and_its_functions_exist():
    rows = re.findall(r"^\| (.+?) \| (.+) \| \[`(.+?)`\]\((.+?)\) \|$", EQUATIONS, re.MULTILINE)
    for _, what, name, file in rows:
        assert what.strip()
        assert callable(named(name))
        assert (TUTORIALS / file).exists()
    numbers = {int(n) for source, *_ in rows for n in re.findall(r"\((\d+)\)", source)}
    assert numbers == set(range(1, 10))
    assert {"Lemma 1", "Theorem 1", "Algorithm 1"} <= {source for source, *_ in rows}


def test_equation_4_is_one_hop_away():
    ((name, file),) = re.findall(r"^\| Eq\. \(4\) \| .+ \| \[`(\S+)`\]\((\S+)\) \|$", EQUATIONS, re.MULTILINE)
    assert file.startswith("../cfc_ref/cells/cfc/")
    assert "# Eq. (4)" in inspect.getsource(named(name))


def test_every_symbol_has_its_name_in_the_code():
    functions = [cfc_ref.solve, cfc_ref.exact, cfc_ref.frozen, cfc_ref.closed_form, cfc_ref.bounds.lemma1]
    functions += [cfc_ref.bounds.frozen_error, cfc_ref.CfC.__call__]
    parameters = {name for function in functions for name in inspect.signature(function).parameters}
    rows = [line.split(" | ") for line in EQUATIONS.partition("## Symbols")[2].splitlines() if " | `" in line]
    assert len(rows) > 20
    for _, code, shape, unit in rows:
        name = re.match(r"`([^`]+)`", code)[1]
        assert name in parameters or named(name) is not None
        assert shape
        assert unit


@pytest.mark.parametrize("name", ["README", "results/README", "results/translation", "results/own_data", "equations"])
def test_links_lead_to_files(name):
    path = TUTORIALS / f"{name}.md"
    for target in re.findall(r"\]\(([^)#]+)\)", path.read_text(encoding="utf-8")):
        assert "://" in target or (path.parent / target).exists(), target


def test_stored_runs_of_published_files_become_a_table(tmp_path):
    """With several seeds, a part that only some have, and the paper's other models."""
    pages = runpy.run_path(str(TUTORIALS / "pages.py"))
    scores, stored = pages["_scores"], pages["stored"]
    assert list(scores("physionet")) == [] or stored("physionet_*.json")
    folder = stored.__globals__["FOLDER"]
    scores.__globals__["FOLDER"] = tmp_path
    try:
        (tmp_path / "results").mkdir()
        for seed, value in ((1, 0.83), (2, 0.85)):
            run = {
                "last": {"test": value, "set-b": 0.84},
                "seed": seed,
                "epochs": 57,
                "seconds": 120,
                "parameters": 92930,
            }
            run |= {"settings": {"model": "cfc"}}
            run |= {"command": f"cfc-ref experiment physionet --model cfc --seed {seed} --data d --clock true --out o"}
            (tmp_path / "results" / f"physionet_true_cfc_{seed}.json").write_text(json.dumps(run))
        lines = "\n".join(scores("physionet")).splitlines()
    finally:
        scores.__globals__["FOLDER"] = folder
    assert lines[0] == "## PhysioNet 2012"
    command = "`cfc-ref experiment physionet --model cfc --clock true`"
    row = f"| {command} | 0.8400 ± 0.0141 | 0.8400 ± 0.0000 | 1, 2 | 57 | 2 | 92,930 | 0.839 ± 0.002 |"
    assert row in lines
    assert "| Command | test AUC | set-b AUC | seeds | epochs |" in "\n".join(lines)
    assert any(line.startswith("Other models in the paper: RNN-Impute 0.764 ± 0.016, ") for line in lines)
