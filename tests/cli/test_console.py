"""Standard streams that are closed, full, pipes, or in an encoding that lacks characters."""

import os
import subprocess
import sys
import threading

import numpy as np
import pytest

import cfc_ref
from cfc_ref.cli.command import main
from tests import numpy_alone
from tests.cli.conftest import FEW, write_rows

NO_TTY = {**os.environ, "PYTHONUTF8": "0", "OMP_NUM_THREADS": "1"}


@pytest.fixture(scope="module")
def greek(tmp_path_factory):
    """A table whose names no old console can show, and the words that train on it."""
    path = tmp_path_factory.mktemp("greek") / "greek.csv"
    t = np.arange(60)
    write_rows(path, ["t", "Δx °C", "ŷ→"], zip(t, np.sin(t).round(3), np.cos(t).round(3), strict=True))
    return path, ["train", str(path), "--time", "t", "--target", "ŷ→", *FEW, "--out"]


def shell(line, cwd, **more):
    """Run a line of sh in which $C is the command, without what takes long to import."""
    words = ["sh", "-c", line]
    environment = {**NO_TTY, **more, "C": f"{sys.executable} {numpy_alone.__file__}"}
    done = subprocess.run(words, cwd=cwd, env=environment, capture_output=True, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr.decode()


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp437", "cp1252", "cp932", "utf-8"])
def test_every_command_helps_and_prints_in_any_encoding(encoding, greek, trained, tmp_path, monkeypatch):
    path, words = greek
    commands = ["verify", "bench", "train", "experiment", "experiment xor", "predict", "convert", "info", "tutorials"]
    for arguments in [[*command.split(), "--help"] for command in commands] + [
        [],
        [*words, str(tmp_path / "out")],
        ["info", str(tmp_path / "out")],
        ["predict", str(tmp_path / "out"), str(path), "--out", str(tmp_path / "p")],
        ["verify", "--cases", "2", "--statement", "s3,S8"],
    ]:
        with (tmp_path / "said").open("w", encoding=encoding) as file, monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", file)
            try:
                status = main(arguments)
            except SystemExit as stop:
                status = stop.code
        assert status == 0, arguments
        assert (tmp_path / "said").stat().st_size > 100 or arguments[0] == "predict"
    assert (tmp_path / "p" / "predictions.csv").read_text(encoding="utf-8").startswith("t,ŷ→_predicted\n")


def test_a_stream_is_utf_8_in_any_locale(greek, tmp_path):
    path, words = greek
    assert main([*words, str(tmp_path / "out")]) == 0
    status, out, err = shell(f"$C predict out --stream <{path}", tmp_path, PYTHONIOENCODING="ascii")
    assert (status, err) == (0, "")
    assert out.decode("utf-8").startswith("t,ŷ→_predicted\n0,")


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", "<&- >&- 2>&-"])
def test_a_training_ends_where_streams_are_closed(closed, greek, tmp_path):
    _, words = greek
    line = " ".join(map("'{}'".format, [*words, "out"]))
    status, _, err = shell(f"$C {line} {closed}", tmp_path)
    assert (status, err.count("\n")) == (0, "2>" not in closed)  # that there will be no figures
    assert (tmp_path / "out" / "figures.json").stat().st_size
    assert cfc_ref.load(tmp_path / "out" / "model.npz").output_size == 1


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_output_is_named_in_one_line_and_a_full_stderr_ends_nothing(unbuffered, tmp_path):
    cfc_ref.save(tmp_path / "model.npz", cfc_ref.CfC(3, 4, seed=0))
    for words in ("info model.npz", "--help"):
        status, _, err = shell(f"$C {words} >/dev/full", tmp_path, PYTHONUNBUFFERED=unbuffered)
        assert (status, err.count("\n")) == (2, 1) or (words == "--help" and unbuffered)  # argparse itself is silent
        assert "standard output: got an error (No space left on device); " in err or words == "--help"
    assert shell("$C info model.npz >/dev/full 2>/dev/full", tmp_path)[0] == 2
    assert shell("$C info nothing.npz 2>/dev/full", tmp_path)[0] == 2


def test_a_stream_without_input_is_one_line(trained, tmp_path):
    for line in ("$C predict $F --stream <&-", "$C predict $F --stream </dev/null"):
        status, out, err = shell(line, tmp_path, F=str(trained / "plain"))
        assert (status, out, err.count("\n")) == (2, b"", 1)
        assert "standard input: got nothing" in err


def test_data_are_read_once_so_they_may_come_through_a_pipe(tables, tmp_path):
    """A named pipe, twice, with the same fingerprint as the file: the run of the folder is the same one."""
    pipe, text = tmp_path / "pipe", (tables / "plain.csv").read_bytes()
    os.mkfifo(pipe)
    words = ["--time", "date", "--target", "rain", *FEW]
    assert main(["train", str(tables / "plain.csv"), *words, "--out", str(tmp_path / "file")]) == 0
    for more in ([], ["--epochs", "2"]):
        feeder = threading.Thread(target=pipe.write_bytes, args=(text,))
        feeder.start()
        assert main(["train", str(pipe), *words, *more, "--out", str(tmp_path / "piped")]) == 0
        feeder.join()
    digest = [
        (tmp_path / name / "settings.json").read_text().partition('"data": ')[2][:18] for name in ("file", "piped")
    ]
    assert digest[0] == digest[1]
    line = f"cat '{tables / 'plain.csv'}' | $C predict file /dev/stdin --out p"
    assert shell(line, tmp_path)[0] == 0
