"""The command that writes a network for use outside of Python."""

import base64
import csv
import json
import re
import shutil
import subprocess
from dataclasses import replace

import numpy as np
import pytest

import cfc_ref
from cfc_ref.cli.command import main
from cfc_ref.cli.export import raw_values
from cfc_ref.export.c_files import columns_comment
from cfc_ref.tables.folder import read_trained
from tests.cli.test_verify import refused
from tests.export.browser import CLANG, LINKER
from tests.export.cortex import THERE, rows

COMPILER = shutil.which("cc")
needs_clang = pytest.mark.skipif(CLANG is None or LINKER is None, reason="clang and wasm-ld are not both installed")


@pytest.fixture
def model(tmp_path):
    cfc_ref.save(tmp_path / "some.npz", cfc_ref.CfC(2, 3, seed=0))
    return tmp_path / "some.npz"


@pytest.mark.skipif(COMPILER is None, reason="no C compiler is installed")
@pytest.mark.parametrize(("run", "math"), [("plain", "libm"), ("stations", "own"), ("runs", "libm")])
def test_raw_values(trained, tmp_path, run, math):
    """Numbers one row ahead as changes; classes and gaps; a label per group: the golden outputs are predictions."""
    words = ["export", str(trained / run), "--to", "c", "--raw", "--math", math, "--name", run]
    assert main([*words, "--out", str(tmp_path)]) == 0
    strict = ["-std=c99", "-Wall", "-Wextra", "-pedantic", "-Werror"]
    subprocess.run([COMPILER, *strict, f"{run}_test.c", "-o", "test", "-lm"], cwd=tmp_path, check=True)
    assert "passed" in subprocess.run([tmp_path / "test"], check=True, capture_output=True, text=True).stdout
    said = {
        "plain": ('"warmth", "wind", "rain"', "1 row ahead", 'in seconds (column "date")'),
        "stations": ('"dry, warm"', "the probabilities of classes: "),
        "runs": ('"up"', "label of a whole group", 'in its unit (column "k")'),
    }
    text = (tmp_path / f"{run}.h").read_text(encoding="utf-8")
    assert all(part in text for part in said[run])
    assert "are not known" not in text  # the times of the training


@pytest.mark.skipif(COMPILER is None, reason="no C compiler is installed")
@pytest.mark.parametrize("run", ["plain", "stations", "runs"])
def test_int8_of_raw_values(trained, tmp_path, capsys, run):
    """Ranges and held-back rows are those of the training; the C equals its specification in every bit."""
    words = ["export", str(trained / run), "--to", "c", "--raw", "--int8", "--tolerance", "0.5", "--name", run]
    assert main([*words, "--out", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    for what in ("64 golden steps", "held-back rows"):
        assert re.search(rf"int8 is off float64 by \S+ % of the output's range at most in .*{what}", said)
    strict = ["-std=c99", "-Wall", "-Wextra", "-pedantic", "-Werror"]
    subprocess.run([COMPILER, *strict, f"{run}_test.c", "-o", "test", "-lm"], cwd=tmp_path, check=True)
    ran = subprocess.run([tmp_path / "test"], check=True, capture_output=True, text=True).stdout
    assert float(ran.split("largest error ")[1].split(",")[0]) < 1e-6
    words[words.index("0.5")] = "1e-5"
    refused([*words, "--out", str(tmp_path / "new")], capsys, "--tolerance")
    assert not (tmp_path / "new").exists()


def test_int8_needs_the_samples_of_a_run(trained, tmp_path, capsys):
    shutil.copytree(trained / "plain", tmp_path / "old")
    (tmp_path / "old" / "samples.npz").write_bytes(b"")
    refused(["export", str(tmp_path / "old"), "--to", "c", "--int8", "--out", str(tmp_path / "c")], capsys, "RUN")
    assert not (tmp_path / "c").exists()


def test_columns_of_which_float32_loses_the_digits_are_refused(trained):
    stored = read_trained(trained / "plain").preparation
    assert raw_values(stored).horizon == 1
    far = replace(stored, feature_mean=(1e9, *stored.feature_mean[1:]), feature_std=(10.0, *stored.feature_std[1:]))
    with pytest.raises(ValueError, match=r"raw: got column 'warmth'.*subtract an offset before training"):
        raw_values(far)
    far = replace(stored, change=(False,), target_mean=(1e9,), target_std=(10.0,))
    with pytest.raises(ValueError, match="raw: got column 'rain'"):
        raw_values(far)


def test_names_of_columns_stay_in_utf8(trained):
    raw = raw_values(read_trained(trained / "plain").preparation)._replace(features=("Höhe", "風", "a\u202eb*/", "c\n"))
    text = columns_comment(raw)
    assert '"Höhe", "風", "a\\u202eb* /", "c\\n"' in text


def test_a_models_file(model, tmp_path, capsys):
    assert main(["export", str(model), "--to", "c", "--out", str(tmp_path / "c")]) == 0
    files = " ".join(str(tmp_path / "c" / name) for name in ("network.h", "network_test.c", "README.md"))
    assert capsys.readouterr().out == f"Written: {files}\n"
    assert (tmp_path / "c" / "network_test.c").exists()


@needs_clang
@pytest.mark.parametrize("run", ["plain", "stations"])
def test_a_recording_in_a_page(trained, tables, tmp_path, capsys, run):
    """The page of a trained network has the table in its own units, and what it predicts."""
    words = ["export", str(trained / run), "--to", "wasm", "--raw", "--name", run, "--out", str(tmp_path)]
    assert main([*words, "--recording", str(tables / f"{run}.csv")]) == 0
    files = " ".join(str(tmp_path / f"{run}.{end}") for end in ("html", "wasm", "h"))
    assert capsys.readouterr().out == f"Written: {files}\n"
    content = re.search(r'id="content">(.*?)</script>', (tmp_path / f"{run}.html").read_text("utf-8"))[1]
    stored = json.loads(content)["recording"]
    x, dt, y = (np.frombuffer(base64.b64decode(stored[name]), "<f4") for name in ("x", "dt", "y"))
    table = list(csv.DictReader((tables / f"{run}.csv").read_text("utf-8").splitlines()))
    if run == "plain":
        np.testing.assert_allclose(x, [float(row[name]) for row in table for name in ("warmth", "wind", "rain")])
        np.testing.assert_allclose(y, [*(float(row["rain"]) for row in table[1:]), np.nan])
        assert np.isnan(dt[0])
        assert (dt[1:] % 3600 == 0).all()
        return
    table.sort(key=lambda row: row["station"])
    np.testing.assert_allclose(x, [float(row["warmth"] or "nan") for row in table])
    np.testing.assert_array_equal(y.reshape(-1, 2)[:, 0], [row["weather"] == "dry, warm" for row in table])
    assert np.isnan(dt).sum() == 4


@pytest.mark.parametrize("table", ["plain.csv", "absent.csv"])
def test_recordings_that_do_not_fit_are_refused(trained, tables, tmp_path, capsys, table):
    words = ["export", str(trained / "stations"), "--to", "wasm", "--raw", "--out", str(tmp_path / "new")]
    refused([*words, "--recording", str(tables / table)], capsys, "--recording")
    assert not (tmp_path / "new").exists()


@pytest.mark.skipif(not THERE, reason="gcc-arm-none-eabi and qemu-system-arm are not both installed")
def test_raw_values_on_a_microcontroller(trained, tmp_path):
    """Missing values and numbers in float64 need no library either."""
    words = ["export", str(trained / "stations"), "--to", "c", "--raw", "--math", "own", "--measure"]
    assert main([*words, "--out", str(tmp_path)]) == 0
    assert rows(tmp_path / "README.md")["on an emulated Cortex-M4: golden test"] == "passed"


def test_a_page_without_a_compiler_is_refused(model, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    refused(["export", str(model), "--to", "wasm", "--out", str(tmp_path / "page")], capsys, "--to wasm: got 'clang'")
    assert not (tmp_path / "page").exists()


def test_onnx(model, tmp_path, capsys):
    pytest.importorskip("onnx", reason="the package onnx is not installed")
    assert main(["export", str(model), "--to", "onnx", "--out", str(tmp_path / "new"), "--name", "robot"]) == 0
    files = [tmp_path / "new" / name for name in ("robot.onnx", "robot_sequence.onnx")]
    assert capsys.readouterr().out == f"Written: {files[0]} {files[1]}\n"
    assert all(file.exists() for file in files)


@pytest.mark.parametrize(
    ("words", "argument"),
    [
        (["--name", "3d"], "--name"),
        (["--name", "int"], "--name"),
        (["--name", "stdio"], "--name"),
        (["--raw"], "RUN"),
        (["--math", "fast"], "argument --math"),
        (["--to", "fortran"], "argument --to"),
        (["--to", "onnx", "--raw"], "--raw"),
        (["--to", "onnx", "--int8"], "--int8"),
        (["--tolerance", "0.1"], "--tolerance"),
        (["--int8", "--tolerance", "-1"], "--tolerance"),
        (["--to", "onnx", "--math", "own"], "--math"),
        (["--to", "onnx", "--name", "../a"], "--name"),
        (["--recording", "eeg.csv"], "--recording"),
        (["--measure"], "--measure"),
        (["--to", "wasm", "--measure"], "--measure"),
        (["--to", "wasm", "--math", "own"], "--math"),
        (["--to", "wasm", "--raw"], "RUN"),
        (["--to", "wasm", "--recording", "eeg.csv"], "--recording"),
    ],
)
def test_bad_words_are_one_line_and_write_nothing(model, tmp_path, capsys, words, argument):
    words = ["export", str(model), "--to", "c", "--out", str(tmp_path / "c"), *words]
    refused(words, capsys, argument)
    assert not (tmp_path / "c").exists()
