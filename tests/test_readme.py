"""What the README says is so: its code runs and prints what it shows, its names exist, its commands parse."""

import argparse
import doctest
import importlib
import re
import shlex
from pathlib import Path

import pytest

import cfc_ref
from cfc_ref.cli import verify as verify_command

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def tables():
    """Yield the rows of each table, header first, as lists of cells."""
    for block in re.findall(r"(?:^\|.*\n)+", README, flags=re.MULTILINE):
        rows = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in block.splitlines()]
        yield [rows[0], *rows[2:]]


def named(dotted):
    """Return what a dotted name in the README stands for."""
    name = dotted.split("(")[0].removeprefix("cfc_ref.")
    found = cfc_ref
    path = "cfc_ref"
    for part in name.split("."):
        path = f"{path}.{part}"
        found = getattr(found, part) if hasattr(found, part) else importlib.import_module(path)
    return found


def test_the_code_prints_what_the_readme_shows():
    failed, tried = doctest.testfile(
        str(ROOT / "README.md"), module_relative=False, optionflags=doctest.NORMALIZE_WHITESPACE
    )
    assert tried > 10
    assert failed == 0


def test_every_function_of_the_equation_map_exists():
    (rows,) = [table[1:] for table in tables() if table[0] == ["Paper", "Function"]]
    names = [name for row in rows for name in re.findall(r"`([^`]+)`", row[1])]
    assert len(names) > 20
    for name in names:
        assert callable(named(name))


def test_every_symbol_has_its_name_in_the_code():
    import inspect

    (rows,) = [table[1:] for table in tables() if table[0][:2] == ["Paper", "Code"]]
    functions = [cfc_ref.solve, cfc_ref.exact, cfc_ref.frozen, cfc_ref.closed_form, cfc_ref.bounds.lemma1]
    functions.append(cfc_ref.bounds.frozen_error)
    parameters = {name for function in functions for name in inspect.signature(function).parameters}
    for _, code, shape, unit in rows:
        for name in re.findall(r"`([^`]+)`", code):
            assert name in parameters or named(name) is not None
        assert shape
        assert unit


def test_the_statements_table_has_every_statement_with_its_verdict():
    from cfc_ref.report.statements import STATEMENTS

    (rows,) = [table[1:] for table in tables() if table[0][1:] == ["Statement", "About", "Verdict"]]
    said = {name.strip(): row[3].strip("*") for row in rows for name in row[0].split(",")}
    assert said == {name: statement.expected for name, statement in STATEMENTS.items()}


@pytest.mark.parametrize("line", re.findall(r"^cfc-ref (.+?)(?:\s+#.*)?$", README, flags=re.MULTILINE))
def test_every_command_parses(line):
    parser = argparse.ArgumentParser()
    verify_command.add(parser.add_subparsers())
    assert parser.parse_args(shlex.split(line)).run is verify_command.run


def test_the_files_it_points_to_are_there():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        if "://" not in target:
            assert (ROOT / target).exists(), target


def test_it_asks_for_the_python_that_the_package_asks_for():
    required = re.search(r'requires-python = ">=([\d.]+)"', (ROOT / "pyproject.toml").read_text()).group(1)
    assert f"Python {required} or newer" in README
