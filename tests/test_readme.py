"""What the README says is so: its code runs and prints what it shows, its names exist, its commands parse."""

import argparse
import doctest
import importlib
import json
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
    functions += [cfc_ref.bounds.frozen_error, cfc_ref.CfC.__call__]
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


def stored(name):
    """What an experiment of the tutorials' results wrote."""
    return json.loads((ROOT / "tutorials" / "results" / f"{name}.json").read_text(encoding="utf-8"))


def test_figures_of_walker2d_are_those_that_are_stored():
    (rows,) = [table[1:] for table in tables() if "validation MSE" in " ".join(table[0])]
    assert len(rows) == 7
    for model, best, last, paper, parameters in rows:
        name = f"walker2d_{model.strip('`')}"
        runs = [stored(path.stem) for path in sorted((ROOT / "tutorials" / "results").glob(f"{name}_[0-9].json"))]
        assert bool(runs) == (best != "not run to its end yet"), model
        assert re.match(r"\d\.\d{3}", paper)
        if runs:
            errors = [run["best"]["validation"] for run in runs]
            shown = [float(number) for number in re.findall(r"\d\.\d{3}", best)]
            mean = [np.mean(errors)] if len(runs) > 1 else []
            assert_close(shown, [*mean, *errors], rtol=0, atol=5.1e-4)
            assert_close(float(last), np.mean([run["last"]["validation"] for run in runs]), rtol=0, atol=5.1e-4)
            assert int(parameters.replace(",", "")) == runs[0]["parameters"]


def test_figures_of_xor_are_those_that_are_stored():
    (rows,) = [table[1:] for table in tables() if "test accuracy" in " ".join(table[0])]
    assert len(rows) == 7
    there = {path.stem for path in (ROOT / "tutorials" / "results").glob("xor_*.json")}
    for options, accuracy, epochs, minutes, _ in rows:
        model = re.findall(r"--model (\w+)", options)[0]
        name = f"xor_{'event' if 'event-based' in options else 'equidistant'}_{model}_1"
        assert (name in there) == (accuracy != "not run to its end yet"), name
        if name in there:
            run = stored(name)
            assert_close(float(accuracy), 100 * run["best"]["test"], rtol=0, atol=5.1e-3)
            assert int(epochs) == run["epochs"]
            assert int(minutes) == round(run["seconds"] / 60)
            for option in re.findall(r"--(?:epochs|decay) [\d.]+", options + run["command"]):
                assert option in options
                assert option in run["command"]


COLUMNS = {
    "Numba": "cfc_ref (Numba)",
    "NumPy": "cfc_ref (NumPy)",
    "ncps": "ncps (PyTorch)",
    "JAX": "JAX (jit)",
    "ONNX Runtime": "ONNX Runtime",
}


@pytest.fixture(scope="module")
def measured():
    """What ``cfc-ref bench`` wrote: by workload, by who or which figure, the other cells of the row."""
    text = (ROOT / "tutorials" / "results" / "bench.md").read_text(encoding="utf-8")
    found = {}
    for part in text.split("\n## ")[1:]:
        cells = [
            [cell.strip() for cell in line.split("|")[1:-1]] for line in part.splitlines() if line.startswith("| ")
        ]
        found[part.split("\n", 1)[0]] = {name: rest for name, *rest in cells}
    return found


def test_figures_of_the_benchmark_are_those_that_are_stored(measured):
    from cfc_ref.bench.workloads import WORKLOADS

    (table,) = [table for table in tables() if table[0][0] == "Workload"]
    head, *rows = table
    assert [row[0].split(":")[0].strip("`") for row in rows] == list(WORKLOADS)
    for workload, *cells in rows:
        of_it = measured[workload.split(":")[0].strip("`")]
        shown = dict(zip(head[1:], cells, strict=True))
        for column, who in COLUMNS.items():
            assert shown[column] == of_it.get(who, [""])[0], (workload, column)
        limits = [rest[0] for name, rest in of_it.items() if name.startswith("limit")]
        assert [shown["limit"]] == (limits or [""])
        ours = {name.partition(" / ")[2]: rest for name, rest in of_it.items() if name.startswith("cfc_ref (Numba) / ")}
        targets = {who: rest for who, rest in ours.items() if rest[1]}
        told = [said for said in shown["ratios asked for"].split("; ") if said]
        assert len(told) == len(targets)
        for said in told:
            name, value = said.split(": ", 1)
            (rest,) = [rest for who, rest in targets.items() if who == COLUMNS.get(name) or who.startswith(name)]
            assert value.split(", ")[:2] == [rest[0], rest[1].partition(":")[0]]
            assert ("not reached" in said) == ("not reached" in rest[1])


def test_solvers_and_exponents_are_those_that_are_stored(measured):
    (rows,) = [table[1:] for table in tables() if table[0][:2] == ["Way", "Setting"]]
    for way, setting, error, time in rows[1:]:
        name = way.strip("`") + (f", {setting}" if setting.startswith("rtol") else f" × {setting.split()[0]}")
        of_it = measured["solvers"][name]
        assert (time, f"error {error}") == (of_it[0], of_it[2].split(",")[0]), name
    assert rows[0][3] == measured["solvers"]["CfC"][0]
    for what in ("scipy, fastest", "scipy, slowest", "diffrax, slowest", "numbalsoda, fastest"):
        assert f" {float(measured['solvers'][f'{what} / CfC'][0]):,.0f} " in README, what
    (memory,) = [rest[0] for what, rest in measured["scaling"].items() if what.startswith("memory of a stream")]
    assert f"holds {memory} times the memory" in README.replace("\n", " ")
    for what, rest in measured["cold-start"].items():
        if what.endswith(" / Numba: a kernel of one line"):
            assert f"{rest[0]} ({what.partition(' / ')[0].removeprefix('Numba: ')})" in README.replace("\n", " ")
    (rows,) = [table[1:] for table in tables() if table[0][0].startswith("One thread")]
    assert len(rows) == 4
    for series, whole, beyond in rows:
        of_it = {what: rest for what, rest in measured["scaling"].items() if what.startswith(f"{series}: exponent")}
        assert [whole, beyond.split(" ")[0]] == [rest[0] for rest in of_it.values()]
        assert ("not reached" in beyond) == ("not reached" in list(of_it.values())[1][1])
