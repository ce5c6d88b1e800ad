"""Training on one's own table: what is in the folder, that it goes on where it was, and what is refused."""

import json
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import cfc_ref
from cfc_ref.cli.command import main
from cfc_ref.learn.checkpoint import extend_checkpoint
from cfc_ref.learn.optimizers import Adam
from tests.cli.conftest import FEW, QUICK, write_rows
from tests.cli.test_verify import refused
from tests.datasets.recorded import write_eeg


def words_for(tables, out, *more):
    plain = ["train", str(tables / "plain.csv"), "--time", "date", "--target", "rain", *QUICK]
    return [*plain, *map(str, more), "--out", str(out)]


def read(path):
    return json.loads(path.read_text())


def test_the_folder_holds_model_settings_history_and_figures(trained):
    folder = trained / "plain"
    names = {"model.npz", "settings.json", "history.json", "figures.json", "history.png", "held_back.png"}
    assert {path.name for path in folder.iterdir()} == names | {"training.npz", "samples.npz"}
    model = cfc_ref.load(folder / "model.npz")
    assert (model.input_size, model.state_size, model.output_size) == (3, 6, 1)
    settings, history = read(folder / "settings.json"), read(folder / "history.json")
    assert settings["preparation"]["columns"]["features"] == ["warmth", "wind", "rain"]
    assert settings["settings"]["epochs"] == len(history["loss"]) == len(history["validation_loss"]) == 2
    assert (folder / "history.png").read_bytes().startswith(b"\x89PNG")


def test_figures_are_printed_beside_persistence_and_autoregression(tables, tmp_path, capsys):
    assert main(words_for(tables, tmp_path / "out", "--horizon", 1)) == 0
    out, err = capsys.readouterr()
    figures = read(tmp_path / "out" / "figures.json")
    assert err == ""
    assert "rain, 1 row ahead" in out
    table = out[out.index("held-back rows, mean squared error") :].splitlines()
    for name in ("network", "persistence", "linear autoregression", "training mean"):
        line = next(line for line in table if line.startswith(f"{name} "))
        three = figures[name], figures["rmse"][name], figures["r2"][name]
        assert line.split()[-3:] == [f"{values[0]:.5g}" for values in three]
    rain = np.loadtxt(tables / "plain.csv", delimiter=",", skiprows=1, usecols=3)
    first = round(0.85 * 150)
    assert figures["rows"] == 150 - first
    assert figures["persistence"][0] == pytest.approx(np.mean((rain[first:] - rain[first - 1 : -1]) ** 2))
    assert figures["training mean"][0] == pytest.approx(np.mean((rain[first:] - rain[1:105].mean()) ** 2))


def test_it_learns_what_is_there_to_learn(tmp_path):
    """The sum of two features, of the row before too, at irregular times."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(401, 2))
    rows = zip(np.cumsum(rng.exponential(size=400)), *x[1:].T, x[1:].sum(axis=1) + x[:-1, 0], strict=True)
    path = write_rows(tmp_path / "sum.csv", ["t", "a", "b", "y"], rows)
    words = ["train", path, "--time", "t", "--target", "y", "--out", str(tmp_path / "out"), "--epochs", "12"]
    assert main([*words, "--units", "16"]) == 0
    figures = read(tmp_path / "out" / "figures.json")
    assert figures["linear autoregression"][0] < 1e-4  # its first row has none before
    assert figures["network"][0] < 0.15 * figures["training mean"][0]


def test_the_same_words_give_the_same_weights(tables, tmp_path, trained):
    assert main(words_for(tables, tmp_path / "again", "--horizon", 1)) == 0
    one, two = (cfc_ref.load(f / "model.npz").state_dict() for f in (trained / "plain", tmp_path / "again"))
    assert all(np.array_equal(one[key], two[key]) for key in one)


@pytest.mark.parametrize("more", [["--model", "ltc"], ["--mode", "pure", "--mixed-memory"], ["--missing", "--seed", 5]])
def test_other_networks_train_too(tables, tmp_path, more):
    words = [word for word in words_for(tables, tmp_path / "out", *more) if more[1] != "ltc" or word != "--backbone"]
    if more[1] == "ltc":
        words.remove("8")
    assert main(words) == 0
    assert np.isfinite(read(tmp_path / "out" / "figures.json")["network"]).all()


def test_classes_groups_and_gaps(trained):
    settings, figures = read(trained / "stations" / "settings.json"), read(trained / "stations" / "figures.json")
    assert settings["preparation"]["columns"]["classes"] == ["dry, warm", "wet"]
    assert settings["preparation"]["missing"]
    assert figures["figure"] == "accuracy"
    assert all(0 <= figures[name][0] <= 1 for name in ("network", "persistence", "linear autoregression"))
    assert cfc_ref.load(trained / "stations" / "model.npz").input_size == 3


def test_weights_of_classes_are_told_stored_and_checked(tables, tmp_path, capsys):
    words = ["train", str(tables / "stations.csv"), "--time", "date", "--target", "weather", "--group", "station"]
    words += [*FEW, "--out", str(tmp_path / "out")]
    refused(
        [*words, "--class-weights", "1,2,3"], capsys, "--class-weights: got 3 weights; expected one per class, in the"
    )
    assert not (tmp_path / "out").exists()
    assert main([*words, "--class-weights", "1,2.5"]) == 0
    out = capsys.readouterr().out
    assert "\nweights   dry, warm 1, wet 2.5\n" in out
    assert re.search(r"held-back rows, accuracy:\n +accuracy +balanced\nnetwork ", out)
    message = "--out: got a folder with a run of class_weights [1.0, 2.5]"
    refused([*words, "--class-weights", "balanced"], capsys, message)
    refused([*words, "--class-weights", "1,2.5"], capsys, "which holds a trained network")


def test_whole_groups_are_held_back(tables, tmp_path):
    words = ["train", str(tables / "stations.csv"), "--time", "date", "--target", "weather", "--group", "station"]
    assert main([*words, *QUICK, "--out", str(tmp_path / "out")]) == 0
    assert read(tmp_path / "out" / "settings.json")["settings"]["split"] == "group"
    assert read(tmp_path / "out" / "figures.json")["rows"] in (37, 38)


def test_two_machines_in_one_file_are_split_by_time_within_each(tables, tmp_path, capsys):
    lines = (tables / "stations.csv").read_text().splitlines()
    two = [lines[0], *(line for line in lines if ",a," in line or ",b," in line)]
    (tmp_path / "two.csv").write_text("\n".join(two))
    words = ["train", str(tmp_path / "two.csv"), "--time", "date", "--target", "warmth", "--horizon", "1", *QUICK]
    words += ["--features", "warmth"]
    assert main([*words, "--group", "station", "--out", str(tmp_path / "out")]) == 0
    out = capsys.readouterr().out
    assert out.startswith("note      2 groups are too few to hold whole ones back")
    assert read(tmp_path / "out" / "settings.json")["settings"]["split"] == "within"
    groups = read(tmp_path / "out" / "figures.json")["groups"]
    assert [line.split()[:2] for line in out.splitlines() if line.startswith(("a ", "b "))] == [
        [name, str(groups[name]["rows"])] for name in "ab"
    ]
    refused([*words, "--group", "station", "--split", "group", "--out", str(tmp_path / "no")], capsys, "got 2 groups")
    words[words.index("--features") : words.index("--features") + 2] = []
    refused([*words, "--out", str(tmp_path / "no")], capsys, "pass --group station if it names series, or --features ")


def test_labels_of_whole_groups_are_told_and_learned(tables, trained, tmp_path, capsys):
    words = ["train", str(tables / "runs.csv"), "--time", "k", "--target", "kind", "--group", "run", *QUICK]
    assert main([*words, "--out", str(tmp_path / "rows")]) == 0
    out = capsys.readouterr().out
    assert "note      'kind' is constant within each group of 'run'; " in out
    assert "note      persistence: left out" in out
    assert "persistence" not in read(tmp_path / "rows" / "figures.json")
    figures = read(trained / "runs" / "figures.json")
    assert (figures["rows"], figures["of"]) == (2, "groups")
    refused(
        [*words, "--label-per-group", "--out", str(tmp_path / "no")], capsys, "--window: got a number; expected nothing"
    )


def test_a_killed_run_goes_on_and_ends_with_the_same_weights(tables, tmp_path, capsys):
    more = ["--epochs", 25, "--patience", 25, "--batch-size", 2]
    assert main(words_for(tables, tmp_path / "whole", *more)) == 0
    capsys.readouterr()
    words = words_for(tables, tmp_path / "killed", *more)
    run = subprocess.Popen([sys.executable, "-m", "cfc_ref", *words], stdout=subprocess.DEVNULL)
    while not (tmp_path / "killed" / "checkpoint.npz").exists():
        assert run.poll() is None
        time.sleep(0.005)
    run.send_signal(signal.SIGKILL)
    run.wait()
    assert not (tmp_path / "killed" / "model.npz").exists()
    refused(["info", str(tmp_path / "killed")], capsys, "whose training is not finished")
    refused(words_for(tables, tmp_path / "killed", "--epochs", 24), capsys, "a folder with a run of epochs 25")
    assert main(words) == 0
    assert "Going on" in capsys.readouterr().out
    one, two = (cfc_ref.load(tmp_path / name / "model.npz").state_dict() for name in ("whole", "killed"))
    assert all(np.array_equal(one[key], two[key]) for key in one)
    assert not (tmp_path / "killed" / "checkpoint.npz").exists()


def test_a_finished_run_is_trained_further_or_replaced(tables, tmp_path, capsys):
    """With more epochs it goes on with the weights, the moments and the best epoch that it had."""
    out = tmp_path / "out"
    assert main(words_for(tables, out, "--patience", 2)) == 0
    first = read(out / "history.json")
    assert main(words_for(tables, out, "--patience", 2, "--epochs", 5)) == 0
    assert "Going on with the run in that folder." in capsys.readouterr().out
    more = read(out / "history.json")
    assert more["loss"][:2] == first["loss"]
    assert 2 < len(more["loss"]) <= 5
    assert read(out / "settings.json")["settings"]["epochs"] == 5
    refused(words_for(tables, out, "--patience", 2), capsys, "a folder with a run of epochs 5; ")
    refused(words_for(tables, out, "--patience", 3, "--epochs", 9), capsys, "a folder with a run of patience 2; ")
    assert main(words_for(tables, out, "--patience", 2, "--force")) == 0
    assert read(out / "history.json")["loss"] == first["loss"]
    capsys.readouterr()
    (out / "training.npz").unlink()
    refused(words_for(tables, out, "--patience", 2, "--epochs", 5), capsys, "a finished run without training.npz")


def test_patience_counts_anew_where_a_run_is_trained_further(tmp_path):
    data = np.ones((6, 4, 2)), np.ones((6, 4, 1))
    words = {"loss": "mse", "optimizer": Adam(0.1), "batch_size": 6, "patience": 2, "progress": False}

    def run(path, epochs):
        model = cfc_ref.CfC(2, 3, proj_size=1, backbone_units=4, seed=0)
        rising = data[0], -data[1]  # the better the one, the worse the other
        return cfc_ref.fit(model, data, epochs=epochs, validation=rising, checkpoint=path, **words)

    stopped = run(tmp_path / "a.npz", 9)
    assert len(stopped.loss) < 9
    extend_checkpoint(tmp_path / "a.npz", tmp_path / "b.npz", 10)
    more = run(tmp_path / "b.npz", 10)
    assert len(more.loss) == max(len(stopped.loss), more.best_epoch + 1) + 2
    assert more.loss[: len(stopped.loss)] == stopped.loss


def test_a_folder_with_a_trained_network_is_left_alone(tables, trained, tmp_path, capsys):
    before = (trained / "plain" / "model.npz").read_bytes()
    refused(words_for(tables, trained / "plain", "--horizon", 1), capsys, "which holds a trained network")
    refused(words_for(tables, trained / "plain", "--horizon", 2), capsys, "a folder with a run of horizon 1")
    (tmp_path / "model.npz").write_bytes(b"someone else's")
    refused(words_for(tables, tmp_path), capsys, "which holds another model.npz")
    refused(words_for(tables, tmp_path, "--force"), capsys, "which holds another model.npz")
    assert (trained / "plain" / "model.npz").read_bytes() == before


BAD_WORDS = [
    (["--epochs", "0"], "--epochs: got 0; expected a whole number >= 1; "),
    (["--epochs", "many"], "--epochs: got 'many'; expected a whole number; "),
    (["--learning-rate", "fast"], "--learning-rate: got 'fast'; expected a number; "),
    (["--learning-rate", "-1"], "--learning-rate: got -1.0; "),
    (["--weight-decay", "nan"], "--weight-decay: got nan"),
    (["--horizon", "-1"], "--horizon: got -1; "),
    (["--horizon", "200"], "--horizon: got 200, with which no row of the training part is left to predict; "),
    (["--validation", "1.5"], "--validation: got 1.5; expected a share between 0 and 1; "),
    (["--test", "0.9"], "--validation: got 0.15 with a test share of 0.9; "),
    (["--split", "group"], "--split: got 'group'; expected 'time', as no column has groups; "),
    (["--split", "size"], "--split: invalid choice: 'size'"),
    (["--model", "ltc"], "--backbone: got 8; expected nothing, as an LTC has none; "),
    (["--features", "cloud"], "--features: got 'cloud', which is missing; expected one of 'date', "),
    (["--features", "rain"], "--features: got 'rain', the target of the same row; "),
    (["--group", "rain"], "--target: got 'rain' twice; "),
    (["--time", "day"], "--time: got 'day', which is missing; "),
    (["--time", "wind"], "--features: got text, '2024-01-02T10:00:00' in line 2, column 'date'; "),
    (["--target", "snow"], "--target: got 'snow', which is missing; "),
    (["--seed", "-1"], "--seed: got -1; "),
    (["--class-weights", "balanced"], "--class-weights: got 'balanced' for numbers in 'rain'; "),
    (["--class-weights", "equal"], "--class-weights: got 'equal'; expected balanced, or one number per class"),
    (["--class-weights", "1,0"], "--class-weights: got 0.0 at index 1; "),
    (["--unknown"], "unrecognized arguments: --unknown"),
]


@pytest.mark.parametrize(("more", "message"), BAD_WORDS)
def test_bad_words_are_one_line_and_status_2(tables, tmp_path, capsys, more, message):
    words = words_for(tables, tmp_path / "out", *more)
    refused(words, capsys, message)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("date,v,rain\n1,2,3\n2,x,3\n", "'x' in line 3, column 'v'"),
        ("date,v,rain\n1,2,3\n2,3\n", "2 fields in line 3"),
        ("date,v,rain\n", "a header and no rows"),
        ("date,v,v,rain\n", "a header and no rows"),
        ("date,v,v,rain\n1,2,3,4\n", "column 'v' more than once"),
        (b"date,v,rain\n1,\xff,3\n", "can't be read as text"),
        ("date,v,rain\n2,2,3\n1,2,3\n", "'1' after '2' in line 3, column 'date'"),
    ],
)
def test_a_broken_file_is_one_line_and_status_2(tmp_path, capsys, text, message):
    path = tmp_path / "broken.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    out = tmp_path / "out"
    refused(["train", str(path), "--time", "date", "--target", "rain", "--out", str(out)], capsys, message)
    assert not out.exists()


def test_weights_that_run_away_are_one_line_and_status_2(tables, tmp_path, capsys):
    assert main(words_for(tables, tmp_path / "out", "--learning-rate", "1e38")) == 2
    err = capsys.readouterr().err
    assert err.startswith("cfc-ref train: ")
    assert err.count("\n") == 1
    assert "NaN or infinity in epoch 1 of 2" in err
    assert not (tmp_path / "out" / "model.npz").exists()


def test_the_recorded_eeg_is_predicted_better_than_by_persistence(tmp_path):
    write_eeg(tmp_path / "eeg.csv")
    words = ["train", str(tmp_path / "eeg.csv"), "--time", "seconds", "--target", "channel1", "--horizon", "1"]
    assert main([*words, "--epochs", "10", "--out", str(tmp_path / "out")]) == 0
    figures = read(tmp_path / "out" / "figures.json")
    assert figures["network"][0] < figures["linear autoregression"][0] < figures["persistence"][0]
