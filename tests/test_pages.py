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


@pytest.fixture
def with_runs(tmp_path):
    """The functions of pages.py for stored runs that are made here, and the function that stores one."""
    pages = runpy.run_path(str(TUTORIALS / "pages.py"))
    own = pages["stored"].__globals__
    own["FOLDER"] = tmp_path / "tutorials"
    (tmp_path / "tutorials" / "results").mkdir(parents=True)
    (tmp_path / "README.md").write_text((TUTORIALS.parent / "README.md").read_text(encoding="utf-8"), encoding="utf-8")

    def store(model, seed, *, clock="official", **found):
        command = f"cfc-ref experiment physionet --model {model} --seed {seed} --data d --clock {clock} --out o"
        settings = {"model": model, "epochs": 57, "clock": clock}
        run = {"seed": seed, "seconds": 120, "parameters": 92930, "settings": settings, "command": command, **found}
        path = own["FOLDER"] / "results" / f"physionet_{clock}_{model}_{seed}.json"
        path.write_text(json.dumps(run))

    return pages, store


def test_stored_runs_of_published_files_become_a_table(with_runs):
    """With several seeds, a part that only some have, one that diverged, and the paper's other models."""
    pages, store = with_runs
    assert list(pages["_scores"]("physionet")) == []
    for seed, value in ((1, 0.83), (2, 0.85)):
        store("cfc", seed, last={"test": value, "set-b": 0.84})
        store("cfc", seed, clock="true", last={"test": value, "set-b": 0.84})
    store("no_gate", 1, clock="true", last={"validation": 0.8}, best={"validation": 0.82})
    for seed in (1, 2):
        store(
            "ltc", seed, diverged="output: got NaN or infinity in epoch 2 of 80, batch 3 of 40; expected finite numbers"
        )
    store("mixed", 1, last={"validation": 0.81})
    store("mixed", 2, diverged="loss: got NaN or infinity in epoch 7 of 80, validation; expected finite numbers")
    text = "\n".join(pages["_scores"]("physionet"))
    lines = text.splitlines()
    assert lines[0] == "## PhysioNet 2012"
    assert "| Command | test AUC | validation AUC | set-b AUC | best epoch | runs | seeds | epochs |" in text
    command = "`cfc-ref experiment physionet --model "
    rows = [line.removeprefix(f"| {command}") for line in lines if command in line]
    assert rows == [
        "cfc --clock official` | 0.8400 ± 0.0141 |  | 0.8400 ± 0.0000 |  | 2 | 1, 2 | 57 | 2 | 92,930 | "
        "0.839 ± 0.002 |",
        "mixed --clock official` | 1 diverged (epoch 7) | 0.8100; 1 diverged (epoch 7) | 1 diverged (epoch 7) |  | 2 | "
        "1, 2 | 57 | 2 | 92,930 | 0.834 ± 0.006 |",
        "ltc --clock official` | 2 diverged (epoch 2) | 2 diverged (epoch 2) | 2 diverged (epoch 2) |  | 2 | 1, 2 | 57 "
        "|  | 92,930 | 0.6477 ± 0.010 |",
        "cfc --clock true` | 0.8400 ± 0.0141 |  | 0.8400 ± 0.0000 |  | 2 | 1, 2 | 57 | 2 | 92,930 | 0.839 ± 0.002 |",
        "no_gate --clock true` |  | 0.8000 |  | 0.8200 | 1 | 1 | 57 | 2 | 92,930 | 0.840 ± 0.003 |",
    ]
    assert "**The validation figures are of a part of\nour own**: a run with seed s is trained on " in text
    others = next(line for line in lines if line.startswith("Other models in the paper: RNN-Impute 0.764 ± 0.016, "))
    assert "Cf-S 0.643 ± 0.018" in others
    assert "CfC" not in others


def test_a_page_without_a_validation_figure_speaks_of_none(with_runs):
    pages, store = with_runs
    store("cfc", 1, last={"test": 0.83, "set-b": 0.84})
    assert "alidation" not in "\n".join(pages["_scores"]("physionet"))


def test_the_readmes_claim_has_the_means_of_the_published_clock(with_runs):
    pages, store = with_runs

    def claimed():
        (line,) = [line for line in pages["readme"]().splitlines() if line.startswith("| PhysioNet, event-based MNIST")]
        return line.split(" | ")[1].split("; ")

    not_run = [f"{name}: not run as published yet" for name in ("PhysioNet 2012", "Event-based MNIST", "IMDB")]
    assert claimed()[:3] == not_run
    for seed, value in ((1, 0.83), (2, 0.85)):
        store("cfc", seed, last={"validation": value})
        store("cfc", seed, clock="true", last={"validation": 0.5})
    store("ltc", 1, diverged="output: got NaN or infinity in epoch 2 of 80")
    store("lstm", 1, last={"validation": 0.7})
    said = "PhysioNet 2012, validation AUC (the paper's test): CfC 0.840 (0.839)"
    assert claimed()[:3] == [said, *not_run[1:]]
    assert claimed()[3:] == [
        "Person activity: a smoke test, as only a tenth of the data could be obtained",
        "lane keeping: its seven parameter counts are confirmed",
    ]
    assert pages["readme"]().count("\n") == (TUTORIALS.parent / "README.md").read_text(encoding="utf-8").count("\n")
