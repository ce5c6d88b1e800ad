"""A stream outlives bad and blank lines, goes on from a saved state, and holds one copy of the weights."""

import signal
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest

from cfc_ref.cli.command import main
from cfc_ref.csv_table import Rows
from cfc_ref.tables.folder import read_trained
from cfc_ref.tables.stream import RowPredictor
from tests.cli.test_predict import Input
from tests.cli.test_verify import refused


@pytest.fixture
def stream(monkeypatch, capsys):
    def run(folder, content, *more):
        capsys.readouterr()
        monkeypatch.setattr(sys, "stdin", Input(content))
        status = main(["predict", str(folder), "--stream", *map(str, more)])
        return (status, *capsys.readouterr())

    yield run
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


BAD_LINES = [
    (b"2024-01-09,1,x,3\n", "got 'x' in line 32, column 'wind'"),
    (b"2024-01-09,1,2\n", "got 3 fields in line 32"),
    (b"2024-01-09,1,,3\n", "in line 32, column 'wind'"),
    (b"2000-01-01,1,2,3\n", "got '2000-01-01' after "),
    (b"2024-01-09,1,\xff,3\n", "bytes in line 32 that are no text"),
    (b'2024-01-09,1,"2,3\n', "line 32, which can't be read as text"),
    (b"9999-01-01,1,1e300,3\n", "got '1e300' in line 32, column 'wind'"),
    (b"noon,1,2,3\n", "got 'noon' in line 32, column 'date'"),
]


@pytest.mark.parametrize(("bad", "message"), BAD_LINES)
def test_a_bad_line_is_skipped_and_changes_nothing(trained, tables, stream, bad, message):
    lines = (tables / "plain.csv").read_bytes().splitlines(keepends=True)[:60]
    _, ref, _ = stream(trained / "plain", b"".join(lines))
    content = b"".join([*lines[:31], bad, *lines[31:45], bad.replace(b"32", b"47"), *lines[45:]])
    status, out, err = stream(trained / "plain", content, "--skip-bad")
    assert (status, out) == (0, ref)
    first, second = err.splitlines()
    assert first.startswith("cfc-ref predict: skipped 1: standard input: ")
    assert second.startswith("cfc-ref predict: skipped 2: standard input: ")
    assert message in first
    assert stream(trained / "plain", content)[0] == 2


@pytest.mark.parametrize("more", [[], ["--skip-bad"]])
def test_blank_lines_end_nothing(trained, tables, stream, more):
    lines = (tables / "plain.csv").read_bytes().splitlines(keepends=True)[:9]
    _, ref, _ = stream(trained / "plain", b"".join(lines))
    blank = b"\n  \r\n\t\n".join([b"", *lines[:1], *lines[1:], b" "])
    assert stream(trained / "plain", blank, *more) == (0, ref, "")


@pytest.mark.parametrize("name", ["plain", "stations"])
def test_a_stream_goes_on_from_the_state_that_was_saved(trained, tables, stream, tmp_path, name):
    """The second half after the first has the predictions of the whole."""
    header, *lines = (tables / f"{name}.csv").read_bytes().splitlines(keepends=True)
    _, ref, _ = stream(trained / name, b"".join([header, *lines]))
    said = []
    for part, more in ((lines[:70], []), (lines[70:71], ["--load-state"]), (lines[71:], ["--load-state"])):
        words = [word for option in [*more, "--save-state"] for word in (option, tmp_path / "state.npz")]
        status, out, err = stream(trained / name, b"".join([header, *part]), *words)
        assert (status, err) == (0, "")
        said += out.splitlines()[1:]
    assert said == ref.splitlines()[1:]
    np.load(tmp_path / "state.npz", allow_pickle=False).close()


def test_the_state_is_saved_where_a_stream_ends_with_an_error(trained, tables, stream, tmp_path):
    header, *lines = (tables / "plain.csv").read_bytes().splitlines(keepends=True)
    state = tmp_path / "state.npz"
    _, ref, _ = stream(trained / "plain", b"".join([header, *lines]))
    assert stream(trained / "plain", b"".join([header, *lines[:9], b"bad\n"]), "--save-state", state)[0] == 2
    _, out, _ = stream(trained / "plain", b"".join([header, *lines[9:]]), "--load-state", state)
    assert out.splitlines()[1:] == ref.splitlines()[10:]


def test_a_stream_that_is_told_to_stop_saves_its_state(trained, tables, tmp_path):
    command = [sys.executable, "-m", "cfc_ref", "predict", str(trained / "plain"), "--stream"]
    lines = (tables / "plain.csv").read_text().splitlines(keepends=True)
    with subprocess.Popen(
        [*command, "--save-state", str(tmp_path / "s.npz")], text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as run:
        run.stdin.write("".join(lines[:5]))
        run.stdin.flush()
        for _ in range(5):
            run.stdout.readline()
        run.send_signal(signal.SIGTERM)
        assert run.wait() == 143
    assert (tmp_path / "s.npz").exists()


def test_a_state_of_something_else_is_refused(trained, tables, stream, tmp_path):
    content, state = (tables / "stations.csv").read_bytes(), tmp_path / "state.npz"
    assert stream(trained / "stations", content, "--save-state", state)[0] == 0
    other = (tables / "plain.csv").read_bytes()
    status, out, err = stream(trained / "plain", other, "--load-state", state)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert "which is of another network; expected a file that cfc-ref predict --save-state wrote" in err
    whole = state.read_bytes()
    message = "which is missing or holds something else"
    for broken in (whole[:100], b"", whole.replace(b"stream state", b"straem state")):
        state.write_bytes(broken)
        assert message in stream(trained / "stations", content, "--load-state", state)[2]
    assert message in stream(trained / "plain", other, "--load-state", tmp_path / "none.npz")[2]


def test_options_of_a_stream_are_refused_without_one(trained, tables, tmp_path, capsys):
    words = ["predict", str(trained / "plain"), str(tables / "plain.csv"), "--out", str(tmp_path / "out")]
    refused([*words, "--skip-bad"], capsys, "--skip-bad: got ")
    refused([*words, "--save-state", "x.npz"], capsys, "--save-state: got ")
    stream = ["predict", str(trained / "plain"), "--stream", "--save-state", str(tmp_path / "none" / "x.npz")]
    refused(stream, capsys, "--save-state: got ")
    refused([*stream[:3], "--force"], capsys, "--force: got ")
    assert not (tmp_path / "out").exists()


def test_a_group_holds_its_state_and_no_weights(trained):
    found = read_trained(trained / "stations")
    header = ["date", "station", "warmth"]
    predict = RowPredictor(found.model, found.preparation, "rows", Rows(header, [], []))
    predict(2, ["2024-01-01", "first", "1.0"])
    tracemalloc.start()
    for k in range(300):
        predict(k, ["2024-01-01", f"s{k}", "1.0"])
    held = tracemalloc.get_traced_memory()[0] / 300
    tracemalloc.stop()
    assert held < 2000


def test_time_per_row_grows_with_its_columns():
    """With 3,000 columns a row is read once, not once per column: counted, not timed."""
    from cfc_ref.layers.cfc import CfC
    from cfc_ref.tables.columns import Columns
    from cfc_ref.tables.preparation import Preparation

    class Counted(str):
        compared = 0

        def __eq__(self, other):
            Counted.compared += 1
            return str.__eq__(self, other)

        __hash__ = str.__hash__

    F = 500
    names = tuple(f"f{k}" for k in range(F))
    preparation = Preparation(Columns("t", False, names, ("y",), None, None), 0, False, 1.0, (0.0,) * F, (1.0,) * F,
                              (False,), (0.0,), (1.0,))  # fmt: skip
    header = Rows([Counted(n) for n in ("t", *names)], [], [])
    predict = RowPredictor(CfC(F, 2, proj_size=1, seed=0), preparation, "rows", header)
    Counted.compared = 0
    predict(2, ["0"] + ["1.5"] * F)
    assert Counted.compared <= 3 * F
