"""``cfc-ref experiment``: its last line, its lines on stderr, what it refuses, and that it goes on."""

import json
import shlex

import pytest

from cfc_ref.cli import experiment
from cfc_ref.cli.command import main
from cfc_ref.datasets.walker2d import official_split
from cfc_ref.experiments import walker2d_task
from tests.cli.test_verify import refused
from tests.datasets.conftest import rollouts
from tests.datasets.rollouts import NAMES, write_rollouts
from tests.experiments.small import small

__all__ = ["rollouts"]


@pytest.fixture(autouse=True)
def small_models(monkeypatch):
    for data, whole in experiment.EXPERIMENTS.items():
        recipes = {model: small(data, model) for model in ("cfc", "pure", "ltc")}
        monkeypatch.setitem(experiment.EXPERIMENTS, data, whole._replace(settings=recipes))


def words_for(task, out, *more):
    return ["experiment", task, "--model", "cfc", "--seed", "1", "--samples", "40", *map(str, more), "--out", str(out)]


def read(path):
    return json.loads(path.read_text())


def test_it_ends_with_the_accuracy_on_test_samples(tmp_path, capsys):
    assert main(words_for("xor", tmp_path / "out", "--event-based")) == 0
    out, err = capsys.readouterr()
    results = read(tmp_path / "out" / "results.json")
    lines = out.splitlines()
    assert lines[-1] == f"test accuracy {results['best']['test']:.4f}"
    assert lines[-2] == f"test accuracy {results['last']['test']:.4f} with the last epoch's weights"
    assert lines[-3] == "test accuracy 0.9942 ± 0.0042 in the paper"
    assert lines[0].startswith("Trained 2 epochs in ")
    assert results["settings"]["event_based"] is True
    epochs = err.splitlines()
    assert [line[:12] for line in epochs] == ["epoch 1 of 2", "epoch 2 of 2"]
    history = read(tmp_path / "out" / "history.json")
    assert f"validation loss {history['validation_loss'][1]:.4f}  accuracy {history['metric'][1]:.4f}" in epochs[1]
    assert epochs[1].endswith(f"  {history['seconds'][1]:.1f} s")


def test_it_ends_with_the_error_on_the_test_part(rollouts, tmp_path, capsys):
    assert main(words_for("walker2d", tmp_path / "out", "--data", rollouts)) == 0
    out = capsys.readouterr().out.splitlines()
    results = read(tmp_path / "out" / "results.json")
    assert out[-1] == f"test MSE {results['best']['test']:.3f}"
    assert out[-3] == "test MSE 0.643 ± 0.006 in the paper"


def test_without_test_files_it_ends_with_the_error_on_the_validation_part(tmp_path, capsys):
    folder = write_rollouts(tmp_path / "partly")
    for name in official_split()["test"]:
        (folder / name).unlink()
    assert main(words_for("walker2d", tmp_path / "out", "--data", folder)) == 0
    out = capsys.readouterr().out.splitlines()
    results = read(tmp_path / "out" / "results.json")
    assert out[-1] == f"validation MSE {results['best']['validation']:.3f}"
    assert "There is no test part, as files of it are missing." in out


def test_equidistant_bits_have_a_figure_of_their_own_in_the_paper(tmp_path, capsys):
    assert main(words_for("xor", tmp_path / "out")) == 0
    assert "test accuracy 1.0000 in the paper" in capsys.readouterr().out
    assert read(tmp_path / "out" / "results.json")["settings"]["event_based"] is False


def test_the_command_that_is_written_down_gives_the_same_run(tmp_path, capsys):
    assert main(words_for("xor", tmp_path / "o u t", "--event-based", "--epochs", 1, "--decay", 0.7)) == 0
    first = capsys.readouterr().out.splitlines()
    results = read(tmp_path / "o u t" / "results.json")
    command = shlex.split(results["command"])
    assert command[0] == "cfc-ref"
    assert results["settings"]["decay"] == 0.7
    assert main([*command[1:-1], str(tmp_path / "again")]) == 0
    assert capsys.readouterr().out.splitlines()[-2:] == first[-2:]
    assert read(tmp_path / "again" / "results.json")["settings"] == results["settings"]


def test_the_same_command_tells_a_finished_runs_figures_again(tmp_path, capsys):
    words = words_for("xor", tmp_path / "out")
    assert main(words) == 0
    first = capsys.readouterr().out
    assert main(words) == 0
    out, err = capsys.readouterr()
    assert out == first
    assert err == "There is a finished run in that folder.\n"


def test_a_stopped_run_goes_on(tmp_path, capsys, monkeypatch):
    words = words_for("xor", tmp_path / "out")

    def stop(epochs, figure):
        def tell(history):
            raise KeyboardInterrupt

        return tell

    with monkeypatch.context() as patch:
        patch.setattr(experiment, "_teller", stop)
        assert main(words) == 130
    assert capsys.readouterr().err == "cfc-ref experiment: stopped\n"
    assert main(words) == 0
    err = capsys.readouterr().err.splitlines()
    assert err[0] == "Resuming the unfinished run in that folder."
    assert [line[:12] for line in err[1:]] == ["epoch 2 of 2"]


def test_a_folder_of_an_experiment_is_one_of_a_model(tmp_path, capsys):
    assert main(words_for("xor", tmp_path / "out")) == 0
    capsys.readouterr()
    assert main(["info", str(tmp_path / "out")]) == 0
    assert "variant           tensorflow" in capsys.readouterr().out
    refused(["predict", str(tmp_path / "out"), "--stream"], capsys, "no settings.json in it")


BAD_WORDS = [
    ("xor", ["--epochs", "0"], "--epochs: got 0; expected a whole number >= 1; "),
    ("xor", ["--epochs", "many"], "--epochs: got 'many'; expected a whole number; "),
    ("xor", ["--decay", "0"], "--decay: got 0.0; expected a number > 0; "),
    ("xor", ["--decay", "nan"], "--decay: got nan; expected a number; "),
    ("xor", ["--samples", "0"], "--samples: got 0; "),
    ("xor", ["--seed", "-1"], "--seed: got -1; "),
    ("xor", ["--model", "gru"], "--model: invalid choice: 'gru'"),
    ("xor", ["--data", "here"], "unrecognized arguments: --data here"),
    ("xor", ["--download"], "unrecognized arguments: --download"),
    ("walker2d", [], "the following arguments are required: --data"),
    ("walker2d", ["--data", "nowhere"], "--data: got 'nowhere'; expected a folder of rollout_*.npy; "),
    ("walker2d", ["--data", "nowhere", "--event-based"], "unrecognized arguments: --event-based"),
]


@pytest.mark.parametrize(("task", "more", "message"), BAD_WORDS)
def test_bad_words_are_one_line_and_status_2(task, more, message, tmp_path, capsys):
    refused(words_for(task, tmp_path / "out", *more), capsys, message)
    assert not (tmp_path / "out").exists()


def test_no_task_is_one_line_that_lists_them_and_status_2(capsys):
    refused(
        ["experiment"], capsys, "the following arguments are required: imdb|mnist|person|physionet|walker2d|xor|lane"
    )


def test_a_folder_without_training_files_is_one_line_and_status_2(tmp_path, capsys):
    (tmp_path / "data").mkdir()
    name = sorted(official_split()["training"])[0]
    words = words_for("walker2d", tmp_path / "out", "--data", tmp_path / "data")
    refused(words, capsys, f"--data: got no {name} and 299 other files of the training part; ")


def test_weights_that_run_away_are_one_line_and_status_2(tmp_path, capsys, monkeypatch):
    recipe = small("xor", "cfc")._replace(learning_rate=1e38)
    xor = experiment.EXPERIMENTS["xor"]._replace(settings={"cfc": recipe})
    monkeypatch.setitem(experiment.EXPERIMENTS, "xor", xor)
    refused(words_for("xor", tmp_path / "out"), capsys, "NaN or infinity in epoch 1 of 2")
    assert not (tmp_path / "out" / "model.npz").exists()


# --- download


def test_recordings_that_are_not_there_are_downloaded_first(tmp_path, capsys, monkeypatch):
    called = []
    monkeypatch.setattr(
        walker2d_task, "download_walker2d", lambda folder: called.append(write_rollouts(tmp_path / "data"))
    )
    words = words_for("walker2d", tmp_path / "out", "--data", tmp_path / "data", "--download", "--epochs", 1)
    assert main(words) == 0
    assert called == [tmp_path / "data"]
    assert main(words) == 0  # they are there now
    (tmp_path / "data" / NAMES[0]).unlink()
    assert main(words) == 0
    assert len(called) == 2
    capsys.readouterr()


def test_a_network_that_refuses_is_one_line_and_status_2(tmp_path, capsys, monkeypatch):
    def refuse(url, timeout):
        raise OSError("Tunnel connection failed: 403 Forbidden")

    monkeypatch.setattr("urllib.request.urlopen", refuse)
    words = words_for("walker2d", tmp_path / "out", "--data", tmp_path / "data", "--download")
    refused(words, capsys, "(Tunnel connection failed: 403 Forbidden); expected a file that can be downloaded; ")
    assert not (tmp_path / "data").exists()
