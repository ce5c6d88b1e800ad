"""Where NumPy is all there is, and warnings are errors: what runs, what it says, and what names the missing package."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np

import cfc_ref
from cfc_ref.cli.command import main
from tests import numpy_alone
from tests.cli.conftest import FEW, write_rows

TREE = Path(cfc_ref.__file__).parents[1]

LIBRARY = """
import numpy as np
import cfc_ref
from cfc_ref import CTRNN, LSTM, LTC, CfC, NeuralLTC, wirings
from cfc_ref.datasets import eeg_recording

cfc_ref.warmup()
x = np.ones((4, 6, 3))
for model in (CfC(3, 5), CfC(3, 5, mode="pure"), LTC(3, 5), NeuralLTC(3, 5), LSTM(3, 5), CTRNN(3, 5),
              CfC(3, wirings.AutoNCP(8, 2)), LTC(3, wirings.AutoNCP(8, 2), mixed_memory=True)):
    output, _, tape = model.forward(x, timespans=0.5)
    model.backward(tape, np.ones_like(output))
    step = model.stepper()
    assert np.allclose([step(row, 0.5) for row in x[0]], output[0], atol=1e-5)
history = cfc_ref.fit(CfC(3, 2), (x, np.ones((4, 6, 2))), loss="mse", epochs=1, batch_size=4, optimizer="adam")
cfc_ref.CfCRegressor(units=2, epochs=1).fit(x, np.ones((4, 2))).predict(x)


def refused(package, call):
    try:
        call()
    except ModuleNotFoundError as error:
        assert f"; run python -m pip install {package}" in str(error), error
        assert "\\n" not in str(error)
    else:
        raise AssertionError(package)


neuron = cfc_ref.LTCNeuron(1.0, 1.0)
refused("scipy", lambda: cfc_ref.solve(neuron, 0.0, 0.0, [1.0]))
refused("scipy", cfc_ref.verify)
refused("scipy", lambda: LTC(3, 5, solver="scipy")(x))
refused("numba", lambda: cfc_ref.set_num_threads(1))
wiring = wirings.AutoNCP(8, 2)
wiring.build(3)
refused("matplotlib", wiring.plot)
refused("matplotlib", history.plot)
refused("matplotlib", eeg_recording)
try:
    CfC(3, 5, backend="numba")
except ValueError as error:
    assert "run python -m pip install numba" in str(error)
"""


def run(*words, cwd, code=None, **more):
    """Run the command, or code, without the packages, warnings being errors."""
    code = code and f"from tests.numpy_alone import hide; hide()\n{code}"
    command = [sys.executable, "-W", "error", *(["-c", code] if code else [numpy_alone.__file__, *map(str, words)])]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False, **more)


def test_networks_streams_training_and_estimators_run_and_the_rest_names_its_package(tmp_path):
    done = run(cwd=TREE, code=LIBRARY)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_command_line_trains_resumes_predicts_streams_and_converts(tmp_path):
    t = np.arange(80)
    rows = zip(t, np.sin(t).round(3), np.cos(t).round(3), strict=True)
    path = write_rows(tmp_path / "data.csv", ["t", "v", "y"], rows)
    words = ["train", path, "--time", "t", "--target", "y", *FEW, "--out", "out"]
    absent = "cfc-ref: no progress bar and no figures, as tqdm and matplotlib cannot be found; "
    for epochs in ("1", "2"):  # the second trains the first one's network further
        done = run(*words, "--epochs", epochs, cwd=tmp_path)
        assert (done.returncode, done.stderr) == (0, f"{absent}python -m pip install tqdm matplotlib\n")
    assert "Going on" in done.stdout
    names = {"model.npz", "settings.json", "history.json", "figures.json"}
    assert names <= {file.name for file in (tmp_path / "out").iterdir()}
    for words in (
        ["info", "out"],
        ["predict", "out", path, "--out", "p"],
        ["convert", "out", "--to", "ncps", "--out", "n"],
        ["convert", "n/model.safetensors", "--mode", "default", "--activation", "lecun_tanh", "--out", "m"],
    ):
        done = run(*words, cwd=tmp_path)
        assert (done.returncode, done.stderr) == (0, ""), words
    done = run("predict", "out", "--stream", cwd=tmp_path, input=Path(path).read_text())
    assert (done.returncode, done.stderr) == (0, "")
    streamed, predicted = (
        np.loadtxt(text, delimiter=",", skiprows=1)
        for text in (done.stdout.splitlines(), tmp_path / "p" / "predictions.csv")
    )
    np.testing.assert_allclose(streamed, predicted, atol=1e-5)
    np.testing.assert_array_equal(
        *(cfc_ref.load(tmp_path / name / "model.npz").state_dict()["rnn_cell.ff1.weight"] for name in ("out", "m"))
    )
    assert main(["predict", str(tmp_path / "out"), path, "--out", str(tmp_path / "full")]) == 0


def test_verify_names_what_it_needs_in_one_line(tmp_path):
    done = run("verify", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "run python -m pip install scipy" in done.stderr


def test_a_tree_that_is_not_installed_knows_its_version(tmp_path):
    """Python without site-packages finds no metadata; away from its pyproject.toml the version is unknown."""
    ignore = shutil.ignore_patterns("__pycache__", "*.ipynb")
    shutil.copytree(TREE / "cfc_ref", tmp_path / "tree" / "cfc_ref", ignore=ignore)
    command = [sys.executable, "-S", "-c", "import cfc_ref; print(cfc_ref.__version__)"]
    versions = []
    for _ in range(2):
        done = subprocess.run(command, cwd=tmp_path / "tree", capture_output=True, text=True, check=True)
        versions.append(done.stdout.strip())
        shutil.copy(TREE / "pyproject.toml", tmp_path / "tree")
    assert versions[0] == "unknown"
    assert f'version = "{versions[1]}"' in (TREE / "pyproject.toml").read_text(encoding="utf-8")
