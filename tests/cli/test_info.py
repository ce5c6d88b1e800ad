"""What is said of a model's file and of a trained folder, and that a new user gets there in four commands."""

import subprocess
import sys

import pytest

import cfc_ref
from cfc_ref.cli.command import main
from cfc_ref.wirings import AutoNCP
from tests.cli.conftest import QUICK
from tests.cli.test_verify import refused


def said(words, capsys):
    capsys.readouterr()
    assert main(["info", *map(str, words)]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


def value(out, name):
    return next(line[len(name) :].strip() for line in out.splitlines() if line.startswith(f"{name} "))


def test_a_models_file(tmp_path, capsys):
    model = cfc_ref.CfC(3, 8, proj_size=2, mode="pure", variant="keras", seed=0)
    cfc_ref.save(tmp_path / "some.npz", model)
    out = said([tmp_path / "some.npz"], capsys)
    expected = {"kind": "CfC", "input_size": "3", "neurons": "8", "outputs": "2", "mode": "pure", "variant": "keras"}
    assert {name: value(out, name) for name in expected} == expected
    assert value(out, "parameters") == f"{sum(a.size for a in model.parameters.values()):,}"
    assert "figures" not in out
    (tmp_path / "some.npz").rename(tmp_path / "model.npz")
    assert said([tmp_path], capsys) == out


def test_a_wired_model(tmp_path, capsys):
    wiring = AutoNCP(19, 2)
    cfc_ref.save(tmp_path / "wired.npz", cfc_ref.CfC(3, wiring, seed=0))
    text = value(said([tmp_path / "wired.npz"], capsys), "wiring")
    built = wiring.build(3)
    assert text.startswith(f"3 layers of {', '.join(map(str, built.layer_sizes))} neurons, ")
    assert f"{built.synapse_count} synapses and {built.sensory_synapse_count} from inputs" in text


def test_a_trained_folder(trained, capsys):
    out = said([trained / "stations"], capsys)
    assert value(out, "features") == "warmth; may be missing: last seen value, time since, and mask go in"
    assert value(out, "target") == "weather (classes dry, warm, wet)"
    assert value(out, "group") == "station"
    assert "epochs 2, " in value(out, "settings")
    assert "accuracy" in out
    assert "persistence" in out


def test_a_folder_of_labels_of_groups(trained, capsys):
    out = said([trained / "runs"], capsys)
    assert value(out, "target") == "kind (classes down, up), one label per group: predicted after its last row"
    assert "2 held-back groups, accuracy:" in out
    assert "linear in mean and spread" in out


@pytest.mark.parametrize("name", ["none.npz", ""])
def test_what_is_neither_is_refused(tmp_path, capsys, name):
    refused(["info", str(tmp_path / name)], capsys, "a model's file; check the path")


def test_a_new_user_needs_four_commands(tables, tmp_path):
    """In a folder of one's own, in processes of their own, the third through a pipe."""

    def run(*words, feed=None):
        command = [sys.executable, "-m", "cfc_ref", *words]
        return subprocess.run(command, capture_output=True, check=True, cwd=tmp_path, input=feed).stdout.decode()

    content = (tables / "plain.csv").read_bytes()
    (tmp_path / "weather.csv").write_bytes(content)
    out = run("train", "weather.csv", "--time", "date", "--target", "rain", "--horizon", "2", *QUICK, "--out", "net")
    assert "rain, 2 rows ahead" in out
    assert "Written: net/model.npz" in out
    assert "150 rows" in run("predict", "net", "weather.csv", "--out", "predicted")
    streamed = run("predict", "net", "--stream", feed=content)
    assert len(streamed.splitlines()) == 151
    assert (tmp_path / "predicted" / "predictions.csv").read_text().splitlines()[0] == streamed.splitlines()[0]
    assert "held-back rows" in run("info", "net")
