"""A run in its folder: what is written, that the figures are those of the weights, and that a stopped run goes on."""

import json
import shutil

import numpy as np
import pytest

import cfc_ref
from cfc_ref.experiments import EXPERIMENTS, MODELS, training_run
from cfc_ref.experiments.training_run import EXPERIMENT_RUN, run_experiment
from cfc_ref.experiments.walker2d_task import build_task as walker2d_task
from cfc_ref.experiments.xor_task import build_task as xor_task
from cfc_ref.learn.losses import mse
from cfc_ref.learn.run_folder import CHECKPOINT
from cfc_ref.learn.training_loop import train
from tests.compare import assert_close, refusal
from tests.experiments.small import small

EXPERIMENT, RESULTS = EXPERIMENT_RUN.settings, EXPERIMENT_RUN.results
FILES = {"by_step.png", EXPERIMENT, "history.json", "history.png", "model.npz", RESULTS, "training.npz"}


@pytest.fixture(scope="module")
def tasks(rollouts):
    return {"xor": xor_task(event_based=True, samples=40), "walker2d": walker2d_task(rollouts, samples=40)}


def read(path):
    return json.loads(path.read_text())


def ran(tasks, data, model, out, seed=1, epochs=2, **arguments):
    return run_experiment(tasks[data], model, small(data, model, epochs), seed=seed, out=out, **arguments)


@pytest.mark.parametrize("data", ["xor", "walker2d"])
def test_the_folder_holds_everything(tasks, data, tmp_path):
    results = ran(tasks, data, "cfc", tmp_path / "deep" / "out", command="as it was called")
    folder = tmp_path / "deep" / "out"
    assert {path.name for path in folder.iterdir()} == FILES
    assert read(folder / RESULTS) == results
    assert results["command"] == "as it was called"
    assert (results["seed"], results["epochs"]) == (1, 2)
    assert results["versions"]["numpy"] == np.__version__
    history, settings = read(folder / "history.json"), read(folder / EXPERIMENT)["settings"]
    assert results["seconds_per_epoch"] == pytest.approx(np.mean(history["seconds"]))
    assert results["settings"] == settings
    assert (settings["data"], settings["model"], settings["units"]) == (data, "cfc", 6)
    assert len(history["loss"]) == len(history["validation_loss"]) == 2
    assert ("metric" in history) == (data == "xor")
    model = cfc_ref.load(folder / "model.npz")
    assert results["parameters"] == sum(array.size for array in model.parameters.values())
    for name in ("history.png", "by_step.png"):
        assert (folder / name).read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("model", MODELS)
def test_figures_are_those_of_the_model_in_the_folder(tasks, model, tmp_path):
    """An LTC's timespans are longer by 0.001, as in the official code."""
    results = ran(tasks, "walker2d", model, tmp_path)
    layer = cfc_ref.load(tmp_path / "model.npz")
    for part in ("validation", "test"):
        data = tasks["walker2d"].parts[part]
        dt = data.timespans + np.float32(0.001) if model == "ltc" else data.timespans
        error = np.mean((layer(data.x, timespans=dt)[0].astype(np.float64) - data.y) ** 2)
        assert results["best"][part] == pytest.approx(error, rel=1e-5)
    assert min(read(tmp_path / "history.json")["validation_loss"]) == pytest.approx(
        results["best"]["validation"], rel=1e-5
    )


def test_accuracies_are_those_of_the_model_in_the_folder(tasks, tmp_path):
    results = ran(tasks, "xor", "mixed", tmp_path)
    layer = cfc_ref.load(tmp_path / "model.npz")
    for part in ("validation", "test"):
        x, y, dt, mask = tasks["xor"].parts[part]
        logits = layer(x, timespans=dt, mask=mask)[0]
        assert results["best"][part] == np.mean((logits[:, 0] > 0) == y)
    assert results["figure"] == "accuracy"


def test_the_last_epochs_figures_stand_beside(tasks, tmp_path, monkeypatch):
    """Of a run whose first epoch was its best."""
    recipe = small("walker2d", "cfc", 3)._replace(learning_rate=5.0)
    kept = []
    monkeypatch.setattr(training_run, "train", lambda *args, **kwargs: kept.append(train(*args, **kwargs)) or kept[0])
    results = run_experiment(tasks["walker2d"], "cfc", recipe, seed=1, out=tmp_path)
    losses = read(tmp_path / "history.json")["validation_loss"]
    assert results["best_epoch"] == np.argmin(losses) + 1
    assert results["last"]["validation"] == pytest.approx(losses[-1], rel=1e-5)
    assert results["best"]["validation"] == pytest.approx(min(losses), rel=1e-5)
    layer = cfc_ref.load(tmp_path / "model.npz")
    layer.load_state_dict(kept[0].last_weights)
    x, y, dt, _ = tasks["walker2d"].parts["test"]
    assert results["last"]["test"] == pytest.approx(mse(layer(x, timespans=dt)[0], y)[0], rel=1e-5)


class Killed(BaseException):
    pass


def kill(history):
    raise Killed


@pytest.mark.parametrize(("data", "model"), [("xor", "cfc"), ("xor", "no_gate"), ("walker2d", "mixed")])
def test_a_killed_run_goes_on_and_ends_with_the_same_bits(tasks, data, model, tmp_path):
    ref = ran(tasks, data, model, tmp_path / "whole", epochs=3)
    epochs = []
    for _ in range(2):
        with pytest.raises(Killed):
            ran(tasks, data, model, tmp_path / "killed", epochs=3, progress=kill)
        assert not (tmp_path / "killed" / RESULTS).exists()
        assert (tmp_path / "killed" / CHECKPOINT).exists()
    results = ran(
        tasks, data, model, tmp_path / "killed", epochs=3, progress=lambda history: epochs.append(len(history.loss))
    )
    assert epochs == [3]
    for name in ("best", "last", "epochs", "best_epoch", "settings"):
        assert results[name] == ref[name]
    one, two = (cfc_ref.load(tmp_path / name / "model.npz").state_dict() for name in ("whole", "killed"))
    assert all(np.array_equal(one[key], two[key]) for key in one)
    assert {path.name for path in (tmp_path / "killed").iterdir()} == FILES
    histories = [read(tmp_path / name / "history.json") for name in ("whole", "killed")]
    assert histories[0]["validation_loss"] == histories[1]["validation_loss"]


def test_seeds_make_other_runs(tasks, tmp_path):
    one, two = (ran(tasks, "walker2d", "cfc", tmp_path / str(seed), seed=seed) for seed in (1, 2))
    assert one["best"] != two["best"]


@pytest.fixture(scope="module")
def finished(tasks, tmp_path_factory):
    folder = tmp_path_factory.mktemp("finished")
    ran(tasks, "walker2d", "cfc", folder)
    return folder


def test_a_finished_run_is_read(tasks, finished, monkeypatch):
    before = {path.name: path.read_bytes() for path in finished.iterdir()}
    monkeypatch.setattr(training_run, "train", None)
    assert ran(tasks, "walker2d", "cfc", finished) == read(finished / RESULTS)
    assert {path.name: path.read_bytes() for path in finished.iterdir()} == before


def test_a_run_of_other_settings_is_refused(tasks, finished):
    for message, others in (
        ("a folder with a run of epochs 2", {"epochs": 1}),
        ("a folder with a run of seed 1", {"seed": 2}),
    ):
        with pytest.raises(ValueError, match=refusal("out")) as error:
            ran(tasks, "walker2d", "cfc", finished, **others)
        assert message in str(error.value)
    for data, model in (("xor", "cfc"), ("walker2d", "pure")):
        with pytest.raises(ValueError, match=refusal("out")):
            ran(tasks, data, model, finished)


def test_other_folders_are_refused_and_left_alone(tasks, finished, tmp_path):
    (tmp_path / "model.npz").write_bytes(b"someone else's")
    with pytest.raises(ValueError, match=refusal("out")):
        ran(tasks, "walker2d", "cfc", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["model.npz"]
    for number, text in enumerate(("no JSON", "{}", "[]", '{"format": "other", "settings": {}}')):
        folder = tmp_path / str(number)
        shutil.copytree(finished, folder)
        (folder / EXPERIMENT).write_text(text)
        with pytest.raises(ValueError, match=refusal("out")):
            ran(tasks, "walker2d", "cfc", folder)


# --- how it is trained


def trained_by(tasks, data, model, out, monkeypatch):
    """The settings of the recipe of a run."""
    given = {}

    def stop(recipe, *args):
        given.update(vars(recipe))
        raise Killed

    monkeypatch.setattr(training_run, "train", stop)
    recipe = EXPERIMENTS[data].settings[model]._replace(batch_size=16)
    with pytest.raises(Killed):
        run_experiment(tasks[data], model, recipe, seed=1, out=out)
    return given


def test_the_learning_rate_falls_by_the_decay_in_an_epochs_whole_batches(tasks, tmp_path, monkeypatch):
    """40 sequences are three batches of at most 16, and two whole ones: step n has the factor decay^(n / 2)."""
    schedule = trained_by(tasks, "walker2d", "cfc", tmp_path, monkeypatch)["schedule"]
    for n in range(9):
        assert schedule(n / 3, 50) == pytest.approx(0.95 ** (n / 2), rel=1e-12)


def test_rmsprop_is_that_of_tensorflow_2(tasks, tmp_path, monkeypatch):
    optimizer = trained_by(tasks, "xor", "cfc", tmp_path, monkeypatch)["optimizer"]
    w, g, s = np.array([1.0, -2.0]), np.array([1e-6, 3.0]), np.zeros(2)
    weights = {"w": w.copy()}
    state = optimizer.start(weights)
    for _ in range(3):
        optimizer.step(weights, {"w": g}, state)
        s = 0.9 * s + 0.1 * g**2
        w = w - 0.05 * g / (np.sqrt(s) + 1e-7)
    assert_close(weights["w"], w)


def test_adam_is_that_of_tensorflow(tasks, tmp_path, monkeypatch):
    optimizer = trained_by(tasks, "walker2d", "mixed", tmp_path, monkeypatch)["optimizer"]
    w, g, m, v = np.array([1.0, -2.0]), np.array([1e-6, 3.0]), np.zeros(2), np.zeros(2)
    weights = {"w": w.copy()}
    state = optimizer.start(weights)
    for k in range(1, 4):
        optimizer.step(weights, {"w": g}, state)
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        w = w - 0.005 * np.sqrt(1 - 0.999**k) / (1 - 0.9**k) * m / (np.sqrt(v) + 1e-7)
    assert_close(weights["w"], w)


@pytest.mark.parametrize(("data", "model", "clip", "l2"), [("xor", "pure", 5, 3e-5), ("walker2d", "ltc", 10, 0.0)])
def test_each_arrays_gradient_is_clipped_and_l2_is_the_recipes(tasks, data, model, clip, l2, tmp_path, monkeypatch):
    given = trained_by(tasks, data, model, tmp_path, monkeypatch)
    clipped = given["clip"]({"a": np.array([3.0, 4.0]) * 4, "b": np.array([1.0])})
    assert_close(clipped["a"], np.array([0.6, 0.8]) * clip)
    assert_close(clipped["b"], [1.0])
    assert given["l2"] == l2
    assert given["seed"] == 1
