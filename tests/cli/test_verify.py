"""The command: its exit status, its one line of error, its files."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cfc_ref.cli.command import main
from tests.runs import shorten


@pytest.fixture(autouse=True, scope="module")
def short():
    with pytest.MonkeyPatch.context() as patch:
        shorten(patch)
        yield


QUICK = ["verify", "--cases", "20", "--statement", "S1"]


def write(folder: Path, text: str | bytes) -> str:
    path = folder / "recording.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(path)


def test_a_table_on_the_terminal_and_status_0(capsys):
    assert main(QUICK) == 0
    out, err = capsys.readouterr()
    assert "S1" in out
    assert "holds" in out
    assert "S2" not in out
    assert err == ""


def test_an_irregular_recording_of_ones_own(tmp_path, capsys):
    rows = "\n".join(f"{k + 0.3 * (k % 3)},{(-1) ** k * k / 9}" for k in range(40))
    path = write(tmp_path, f"time,volt\n{rows}\n")
    words = ["verify", "--cases", "30", "--signal", path, "--time-column", "time", "--value-column", "volt"]
    words += ["--statement", "S3,S8", "--out", str(tmp_path / "out")]
    assert main([*words, "--neuron", "w_tau=0.5, A=2"]) == 0
    out = capsys.readouterr().out
    assert "40 samples" in out
    assert "w_tau=0.5, A=2" in out
    assert "What samples of the recording leave open" in out
    page = (tmp_path / "out" / "report.md").read_text()
    assert f"--neuron 'w_tau=0.5, A=2' --signal {path} --time-column time" in page


def test_a_recording_of_two_samples_and_one_of_huge_values(tmp_path, capsys):
    """The first cannot be thinned, which the report says instead of an empty table; the second can."""
    for values, says, table in (
        ([0, 1], "too few samples to thin (3 are needed)", False),
        ([-1e300, 1e300] * 5, "every 8", True),
    ):
        path = write(tmp_path, "t,v\n" + "\n".join(f"{k},{value}" for k, value in enumerate(values)))
        words = [*QUICK, "--signal", path, "--time-column", "t", "--value-column", "v", "--out", str(tmp_path / says)]
        assert main(words) == 0
        page = (tmp_path / says / "report.md").read_text()
        assert says in capsys.readouterr().out
        assert ("every k-th" in page) == ("The state under the whole recording" in page) == table
        assert table or says in page


@pytest.mark.parametrize(("count", "drawn"), [(2, []), (4, ["every 3rd of"]), (20, ["every 8th of"])])
def test_the_figure_keeps_at_least_two_samples(count, drawn):
    from cfc_ref import signals
    from cfc_ref.plots.report import report_figures

    recording = signals.sampled(range(count), [k % 2 for k in range(count)])
    captions = [caption for _, _, caption in report_figures(recording, {}, ["samples.png"])]
    assert [words in caption for words, caption in zip(drawn, captions, strict=True)] == [True] * len(drawn)


def test_jobs_are_processes_that_do_not_change_the_report(capsys, monkeypatch):
    from concurrent.futures import ThreadPoolExecutor

    from cfc_ref.cli import verify as command

    def threads(jobs, mp_context):
        assert (jobs, mp_context.get_start_method()) == (2, "spawn")
        return ThreadPoolExecutor(jobs)

    assert main(QUICK) == 0
    one = capsys.readouterr().out
    monkeypatch.setattr(command, "ProcessPoolExecutor", threads)  # that of processes is tried in tests/report
    assert main([*QUICK, "--jobs", "2"]) == 0
    assert capsys.readouterr().out == one


def test_a_violation_is_status_1(monkeypatch, capsys):
    from cfc_ref.bounds import neuron as neuron_bounds

    monkeypatch.setattr(neuron_bounds, "form_gap", lambda neuron, t, f_range: (t * 0, t * 0))
    assert main(["verify", "--cases", "5", "--statement", "S7"]) == 1
    assert "VIOLATED" in capsys.readouterr().out


BAD_WORDS = [
    (["--cases", "-5"], "--cases: got -5; expected a whole number >= 1; "),
    (["--cases", "99999999999999999999"], "--cases: got 99999999999999999999; expected at most 100,000,000; "),
    (["--cases", "many"], "--cases: got 'many'; expected a whole number; "),
    (["--jobs", "0"], "--jobs: got 0; "),
    (["--seed", "-1"], "--seed: got -1; "),
    (["--statement", "S99"], "--statement: got 'S99'; expected one of "),
    (["--neuron", "w=1"], "--neuron: got 'w'; expected one of 'w_tau', "),
    (["--neuron", "w_tau"], "--neuron: got 'w_tau'; expected name=number"),
    (["--neuron", "w_tau=fast"], "--neuron: got 'w_tau=fast'; expected name=number"),
    (["--neuron", "A=1,A=2"], "--neuron: got A twice; "),
    (["--neuron", "w_tau=-1"], "--neuron w_tau: got -1.0; expected a leak > 0; "),
    (["--neuron", "A=nan"], "--neuron A: got nan; "),
    (["--neuron", ""], "--neuron: got ''; "),
    (["--time-column", "t"], "--signal: got no file but a column; "),
    (["--times", "dates"], "--signal: got no file but --times; "),
    (["--signal", "x.csv"], "--signal: got a file without its columns; "),
    (["--signal", "no-such-file.csv", "--time-column", "t", "--value-column", "v"], "--signal: got 'no-such-file.csv'"),
    (["--unknown"], "unrecognized arguments: --unknown"),
]


def refused(words, capsys, message):
    """Run a command that has to fail with one line, and return the line."""
    try:
        status = main(words)
    except SystemExit as stop:
        status = stop.code
    out, err = capsys.readouterr()
    assert status == 2
    assert out == ""
    assert err.count("\n") == 1
    assert message in err


@pytest.mark.parametrize(("words", "message"), BAD_WORDS)
def test_bad_words_are_one_line_and_status_2(words, message, capsys, tmp_path):
    folder = tmp_path / "out"
    refused(["verify", "--out", str(folder), *words], capsys, message)
    assert not folder.exists()


@pytest.mark.parametrize("words", [["no-such-command"], ["verify", "--cases"]])
def test_what_is_no_command_is_one_line_and_status_2(words, capsys):
    refused(words, capsys, "cfc-ref")


BAD_FILES = [
    ("", "recording.csv, which is empty"),
    ("t,v\n", "a header and no rows"),
    ("t,w\n0,1\n", "'v', which is missing"),
    ("t,v,v\n0,1,2\n", "'v', which is there more than once"),
    ("t,v\n0,1\n1\n", "1 fields in line 3"),
    ("t,v\n0,1\n1,2,3\n", "3 fields in line 3"),
    ("t,v\n0,1\n1,high\n", "'high' in line 3, column 'v'"),
    ("t,v\n0,1\nnoon,2\n", "'noon' in line 3, column 't'"),
    ("t,v\n0,1\n1,nan\n", "'nan' in line 3, column 'v'"),
    ("t,v\n0,1\n1,\n", "'' in line 3, column 'v'"),
    ("t,v\n0,1\n0,2\n", "got 0 after 0 in line 3"),
    ("t,v\n1,1\n0,2\n", "got 0 after 1 in line 3"),
    ("t,v\n0,1\n", "expected a recording of at least two samples"),
    (b"\x89PNG\r\n\x1a\n\x00\x00\xff\xfe", "recording.csv, which can't be read as text"),
    (b"t,v\n0,\x001\n", "NUL"),
]


@pytest.mark.parametrize(("text", "message"), BAD_FILES)
def test_a_bad_file_is_one_line_and_status_2(text, message, capsys, tmp_path):
    path = write(tmp_path, text)
    words = ["verify", "--signal", path, "--time-column", "t", "--value-column", "v", "--out", str(tmp_path / "out")]
    refused(words, capsys, message)
    assert not (tmp_path / "out").exists()


def test_a_folder_that_is_a_file_is_refused(capsys, tmp_path):
    (tmp_path / "taken").write_text("")
    refused([*QUICK, "--out", str(tmp_path / "taken")], capsys, "--out: got ")
    refused([*QUICK, "--out", str(tmp_path / "taken" / "below")], capsys, "--out: got ")


def test_python_m_cfc_ref_is_the_command(tmp_path):
    environment = os.environ | {"PYTHONWARNINGS": "error"}
    run = [sys.executable, "-m", "cfc_ref", "verify", "--cases", "-5"]
    done = subprocess.run(run, capture_output=True, text=True, cwd=tmp_path, env=environment, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    expected = "cfc-ref verify: --cases: got -5; expected a whole number >= 1; pass a larger number.\n"
    assert done.stderr == expected


TIMES = {
    "nanoseconds": [str(1700000000123456789 + 100 * k) for k in range(40)],
    "microseconds": [str(1700000000123456 + 7 * k) for k in range(40)],
    "seconds": [f"1700000000.{123456 + 250 * k}" for k in range(40)],
    "ISO": [f"2024-05-31T23:59:{20 + k}.000000001Z" for k in range(40)],
}


@pytest.mark.parametrize("kind", TIMES)
def test_times_of_any_unit(kind, tmp_path, capsys):
    from cfc_ref import signals

    rows = "\n".join(f"{time},{k % 5}" for k, time in enumerate(TIMES[kind]))
    path = write(tmp_path, f"time,v\n{rows}\n")
    step = {"nanoseconds": 100, "microseconds": 7, "seconds": 250e-6, "ISO": 1}[kind]
    read = signals.from_csv(path, "time", "v").times
    assert read[-1] - read[0] == pytest.approx(39 * step, rel=1e-9)
    words = ["verify", "--cases", "5", "--statement", "s3", "--signal", path, "--time-column", "time"]
    assert main([*words, "--value-column", "v"]) == 0
    assert "40 samples" in capsys.readouterr().out


def test_times_that_go_back_are_shown_with_all_their_digits(tmp_path, capsys):
    path = write(tmp_path, "t,v\n1700000000000000100,1\n1700000000000000001,2\n")
    words = ["verify", "--signal", path, "--time-column", "t", "--value-column", "v"]
    refused(words, capsys, "--signal: got 1700000000000000001 after 1700000000000000100 in line 3, column 't'; ")
