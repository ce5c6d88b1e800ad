"""The README is true: its code prints what it shows, its commands parse, its figures are the stored ones."""

import argparse
import doctest
import re
import shlex
import warnings
from pathlib import Path

import numpy as np
import pytest

import cfc_ref
from cfc_ref.cli.command import _COMMANDS
from tests.compare import assert_close

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def tables():
    """Yield the rows of each table, header first, as lists of cells."""
    for block in re.findall(r"(?:^\|.*\n)+", README, flags=re.MULTILINE):
        rows = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in block.splitlines()]
        yield [rows[0], *rows[2:]]


def test_the_code_prints_what_the_readme_shows():
    failed, tried = doctest.testfile(
        str(ROOT / "README.md"), module_relative=False, optionflags=doctest.NORMALIZE_WHITESPACE
    )
    assert tried > 10
    assert failed == 0


def test_it_is_one_page():
    assert README.count("\n") <= 160


def test_the_statements_table_has_every_statement_with_its_verdict():
    from cfc_ref.report.statements import STATEMENTS

    (rows,) = [table[1:] for table in tables() if table[0][1:] == ["Statement", "About", "Verdict"]]
    said = {name.strip(): row[3].strip("*") for row in rows for name in row[0].split(",")}
    assert said == {name: statement.expected for name, statement in STATEMENTS.items()}


def coming_from_ncps():
    """Return (ncps's code, ours) of each row of the table."""
    (rows,) = [table[1:] for table in tables() if table[0][:2] == ["ncps on PyTorch", "Here"]]
    assert all(differs for _, _, differs in rows)
    return [(theirs.strip("`"), ours.strip("`")) for theirs, ours, _ in rows]


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """What the table's right column speaks of."""
    model = cfc_ref.CfC(3, 8, seed=0)
    x = np.cos(np.arange(24.0)).reshape(1, 8, 3)
    output, _, tape = model.forward(x)
    names = {"model": model, "tape": tape, "x": x, "t": np.linspace(0.1, 2, 8).reshape(1, 8), "h0": np.zeros((1, 8))}
    names |= {"d_output": np.ones_like(output), "path": tmp_path_factory.mktemp("saved") / "model"}
    names |= {"ours": cfc_ref.LTC(3, 8, implicit_param_constraints=False, seed=0)}
    return {**names, "ours_wiring": cfc_ref.wirings.AutoNCP(12, 2)}


@pytest.fixture(scope="module")
def there(here):
    """What its left column speaks of, with the same weights."""
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        patch.setenv("KERAS_BACKEND", "torch")
        torch, ncps = pytest.importorskip("torch"), pytest.importorskip("ncps")
        for part in ("torch", "keras", "wirings"):
            pytest.importorskip(f"ncps.{part}")
    rnn = ncps.torch.CfC(3, 8)
    weights = cfc_ref.to_ncps_state_dict(here["model"])
    rnn.load_state_dict({key: torch.from_numpy(array) for key, array in weights.items()})
    names = {name: torch.tensor(here[name], dtype=torch.float32) for name in ("x", "t", "h0")}
    names |= {"ltc": ncps.torch.LTC(3, 8), "wiring": ncps.wirings.AutoNCP(12, 2), "path": here["path"]}
    return {**names, "ncps": ncps, "torch": torch, "rnn": rnn}


@pytest.mark.parametrize("ours", [ours for _, ours in coming_from_ncps() if "rnn" not in ours])
def test_what_replaces_ncps_runs(ours, here):
    eval(ours, {**vars_of_the_package(), **here})


@pytest.mark.parametrize(("theirs", "ours"), coming_from_ncps())
def test_it_gives_what_ncps_gives(theirs, ours, here, there):
    ref = eval(theirs, dict(there))
    got = eval(ours, {**vars_of_the_package(), **here, "rnn": there["rnn"]})
    if theirs.startswith(("rnn(x, h0", "rnn.rnn_cell")):
        ref, got = ref[0].detach().numpy(), got[0] if isinstance(got, tuple) else got
        assert_close(got.reshape(ref.shape), ref, rtol=1e-5, atol=1e-5)
    elif isinstance(got, dict):
        assert set(got) == set(ref)


def vars_of_the_package():
    return {name: getattr(cfc_ref, name) for name in cfc_ref.__all__}


@pytest.mark.parametrize("line", re.findall(r"^cfc-ref (.+?)(?:\s+#.*)?$", README, flags=re.MULTILINE))
def test_every_command_parses(line):
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers()
    for module in _COMMANDS:
        module.add(commands)
    words = shlex.split(line.partition(" < ")[0])
    by_name = {module.__name__.rpartition(".")[2]: module for module in _COMMANDS}
    assert parser.parse_args(words).run is by_name[words[0]].run


def test_the_files_it_points_to_are_there():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        if "://" not in target:
            assert (ROOT / target).exists(), target


def test_it_asks_for_the_python_that_the_package_asks_for():
    required = re.search(r'requires-python = ">=([\d.]+)"', (ROOT / "pyproject.toml").read_text()).group(1)
    assert f"Python {required} or newer" in README


def test_figures_of_speed_are_those_of_the_stored_benchmark():
    """Each ratio and exponent of the table of claims is in the page that ``cfc-ref bench`` wrote."""
    text = (ROOT / "tutorials" / "results" / "bench.md").read_text(encoding="utf-8")
    ratios = [
        float(value) for value in re.findall(r"^\| \w+, \w+ / CfC \| (\S+) \|", text, re.MULTILINE)
    ]  # three problems
    low, high = re.search(r"\(([\d.]+) to ([\d,]+) times a CfC's step\)", README).groups()
    assert float(low) == pytest.approx(min(ratios), abs=0.5)
    assert float(high.replace(",", "")) == max(ratios)
    beyond = re.findall(r"exponent of time over steps.*beyond a call of a single step \| (\S+) \|", text)
    low, high = re.search(r"exponents of time over steps are ([\d.]+) to ([\d.]+)", README).groups()
    assert (f"{min(map(float, beyond)):.2f}", f"{max(map(float, beyond)):.2f}") == (low, high)
