"""The command: what it prints and writes, what it refuses, and what happens when a workload goes wrong."""

import json

import matplotlib as mpl
import pytest

from cfc_ref.bench import run as bench_run
from cfc_ref.bench.results import Finding, Result, Row, from_json
from cfc_ref.cli.command import main

mpl.use("Agg")

FOUND = [Finding("numba / jax", 0.5, (0.0, 0.4)), Finding("numba / numpy", 0.1)]
ROWS = [Row("numba", [4e-6, 5e-6]), Row("jax", [9e-6]), Row("numpy", [4.5e-5])]
RESULT = Result("step", "a step", "a step", ROWS, FOUND, {"ncps": "ncps is not installed"}, ["A note."])


@pytest.fixture
def fake(monkeypatch):
    asked = []

    def one(name, threads, quick):
        asked.append((name, threads, quick))
        return (
            bench_run.WorkloadError("train: ValueError: wrong") if name == "train" else RESULT._replace(workload=name)
        )

    monkeypatch.setattr(bench_run, "_one", one)
    return asked


def test_a_table_on_the_terminal(fake, capsys):
    assert main(["bench", "--only", "step", "--threads", "1", "--quick"]) == 0
    out, err = capsys.readouterr()
    assert fake == [("step", 1, True)]
    assert err == ""
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert "cfc_ref (Numba) 4.5 µs 4.25 µs to 4.75 µs" in lines
    assert "cfc_ref (Numba) / JAX (jit) 0.5 at most 0.4: not reached" in lines
    assert "ncps (PyTorch): skipped, ncps is not installed" in lines
    assert lines[-1] == "A note."


def test_files_hold_the_machine_and_all_times(fake, capsys, tmp_path):
    folder = tmp_path / "out"
    assert main(["bench", "--only", "sequence", "step", "--threads", "1", "--out", str(folder)]) == 0
    assert sorted(path.name for path in folder.iterdir()) == ["bench.json", "bench.md", "bench.png"]
    written = json.loads((folder / "bench.json").read_text())
    assert (written["format"], written["version"], written["threads"], written["quick"]) == (
        "cfc_ref bench",
        1,
        1,
        False,
    )
    assert {"processor", "cores", "system"} == set(written["machine"])
    assert {"python", "numpy", "cfc-ref"} <= set(written["versions"])
    assert [one["workload"] for one in written["workloads"]] == ["step", "sequence"]
    assert from_json(written["workloads"][0]) == RESULT
    page = (folder / "bench.md").read_text()
    assert "| cfc_ref (Numba) / JAX (jit) | 0.5 | at most 0.4: not reached |" in page
    assert (folder / "bench.png").read_bytes().startswith(b"\x89PNG")
    assert f"Written: {folder}/bench.json, " in capsys.readouterr().out


def test_a_workload_that_goes_wrong_is_one_line_and_the_others_go_on(fake, capsys):
    assert main(["bench", "--only", "train", "ltc-train", "--threads", "1"]) == 1
    out, err = capsys.readouterr()
    assert err == "cfc-ref bench: train: ValueError: wrong\n"
    assert "ltc-train: a step" in out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--only", "nonsense"], "--only: got 'nonsense'; expected one of 'step', "),
        (["--threads", "0"], "--threads: got 0; expected a whole number >= 1; "),
        (["--threads", "100000"], "--threads: got 100000; expected at most "),
        (["--threads", "many"], "--threads: got 'many'; "),
        (["--only"], "--only: expected at least one argument"),
    ],
)
def test_bad_words_are_one_line_and_status_2(words, message, fake, capsys, tmp_path):
    folder = tmp_path / "out"
    try:
        status = main(["bench", "--out", str(folder), *words])
    except SystemExit as stop:
        status = stop.code
    out, err = capsys.readouterr()
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert message in err
    assert not folder.exists()
    assert fake == []


def test_a_workload_runs_in_a_process_of_its_own():
    got = bench_run._one("step", 1, quick=True)
    assert isinstance(got, Result)
    assert got.rows[0].name == "numpy"
    assert all(len(row.seconds) >= 3 for row in got.rows)


def test_a_process_that_fails_says_its_last_line():
    got = bench_run._one("nonsense", 1, quick=True)
    assert isinstance(got, bench_run.WorkloadError)
    assert str(got) == "nonsense: KeyError: 'nonsense'"


def test_libraries_are_told_their_threads_before_they_start():
    environment = bench_run.environment(3)
    assert all(environment[name] == "3" for name in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS"))
