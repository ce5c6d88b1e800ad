"""The generated pages are what ``python tutorials/pages.py`` makes, and their names exist."""

import importlib
import inspect
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
