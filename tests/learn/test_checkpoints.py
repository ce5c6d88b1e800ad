"""A run that is killed and resumed ends as one that was not, whenever it is killed; files are whole or refused."""

import contextlib
import os
import random
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from cfc_ref import CfC
from cfc_ref.learn import training_loop
from cfc_ref.learn.losses import mse
from cfc_ref.learn.optimizers import SGD, Adam
from cfc_ref.learn.training_loop import fit
from tests import bad
from tests.compare import refusal

RNG = np.random.default_rng(0)
X, DT = RNG.normal(size=(20, 6, 2)), RNG.uniform(0.2, 2, size=(20, 6))
Y = np.cumsum(X[..., :1], axis=1)
HELD_BACK = X[:4] + 1, Y[:4], DT[:4]
ARGUMENTS = {
    "loss": "mse", "optimizer": Adam(0.02), "epochs": 3, "batch_size": 6, "schedule": "cosine", "clip": 1.0,
    "validation": HELD_BACK, "l2": 1e-4, "progress": False,
}  # fmt: skip


def fresh(seed=0):
    return CfC(2, 5, proj_size=1, backbone_units=8, backbone_layers=2, backbone_dropout=0.2, seed=seed)


def trained(model=None, **arguments):
    model = model or fresh()
    history = fit(model, (X, Y, DT), **{**ARGUMENTS, **arguments})
    return model, history


def same_run(a, b):
    """Whether two runs ended with the same bits."""
    (model, history), (other, other_history) = a, b
    weights = model.state_dict(), history.last_weights
    others = other.state_dict(), other_history.last_weights
    equal = all(np.array_equal(w[name], o[name]) for w, o in zip(weights, others, strict=True) for name in w)
    numbers = [(h.loss, h.validation_loss, h.best_epoch) for h in (history, other_history)]
    return equal and numbers[0] == numbers[1]


class StopHereError(Exception):
    pass


def stopping_after(calls):
    """The mean squared error under its own name, which stops the run when it is called once more."""
    left = [calls]

    def mse_that_stops(prediction, target, mask=None):
        if left[0] == 0:
            raise StopHereError
        left[0] -= 1
        return mse(prediction, target, mask)

    return mse_that_stops


@pytest.mark.parametrize("every_batch", [True, False])
def test_a_run_that_is_stopped_anywhere_and_resumed_ends_with_the_same_bits(tmp_path, monkeypatch, every_batch):
    """In each batch and in each look at the validation data, with a checkpoint a batch and with one an epoch."""
    if every_batch:
        monkeypatch.setattr(training_loop, "CHECKPOINT_SECONDS", 0.0)
    whole = trained(loss=stopping_after(1000))
    for calls in range(2, 17):  # two of them check the targets, then 4 batches and a validation an epoch
        path = tmp_path / f"{calls}.npz"
        with pytest.raises(StopHereError):
            trained(loss=stopping_after(calls), checkpoint=path)
        model = fresh(seed=9 if path.exists() else 0)  # whose weights the file's take the place of
        assert same_run(trained(model, loss=stopping_after(1000), checkpoint=path), whole)


def test_checkpoints_within_an_epoch_are_read(tmp_path, monkeypatch):
    """Resumed in the second epoch's third batch, a run takes its last six steps only."""
    monkeypatch.setattr(training_loop, "CHECKPOINT_SECONDS", 0.0)
    with pytest.raises(StopHereError):
        trained(loss=stopping_after(2 + 5 + 2), checkpoint=tmp_path / "run.npz")
    with pytest.raises(StopHereError):
        trained(loss=stopping_after(2 + 2 + 1 + 4), checkpoint=tmp_path / "run.npz")
    trained(loss=stopping_after(2 + 1), checkpoint=tmp_path / "run.npz")


def test_a_finished_run_is_not_run_again(tmp_path):
    path = tmp_path / "run.npz"
    first = trained(loss=stopping_after(1000), checkpoint=path)
    assert same_run(trained(fresh(seed=9), loss=stopping_after(2), checkpoint=path), first)
    assert [entry.name for entry in tmp_path.iterdir()] == ["run.npz"]


def test_a_run_that_stopped_early_stays_stopped(tmp_path):
    arguments = {"optimizer": Adam(0.5), "epochs": 30, "patience": 2, "checkpoint": tmp_path / "run.npz"}
    first = trained(loss=stopping_after(1000), **arguments)
    assert len(first[1].loss) < 30
    assert same_run(trained(loss=stopping_after(2), **arguments), first)


def test_a_checkpoint_is_no_pickle(tmp_path):
    trained(checkpoint=tmp_path / "run.npz")
    with np.load(tmp_path / "run.npz", allow_pickle=False) as file:
        assert {file[name].dtype.kind for name in file.files} <= set("fiu")


def test_a_run_that_diverges_keeps_its_last_good_checkpoint(tmp_path):
    path = tmp_path / "run.npz"
    rates = {"schedule": lambda epoch, epochs: 1.0 if epoch < 2 else 1e38}
    model = fresh()
    with pytest.raises(FloatingPointError):
        trained(model, checkpoint=path, optimizer=SGD(0.1), **rates)
    with np.load(path, allow_pickle=False) as file:
        saved = {name.removeprefix("weights."): file[name] for name in file.files if name.startswith("weights.")}
    ref, _ = trained(optimizer=SGD(0.1), epochs=2, validation=None, schedule=None)
    assert all(np.array_equal(saved[name], array) for name, array in ref.parameters.items())
    assert all(np.array_equal(saved[name], array) for name, array in model.parameters.items())


# --- other settings, damaged files

OTHERS = {
    "model": {"model": CfC(2, 5, proj_size=1, backbone_units=8, seed=0)},
    "data": {"data": (X + 1, Y, DT)},
    "data's mask": {"data": (X, Y, DT, np.ones((20, 6), bool))},
    "validation": {"validation": (X[:4], Y[:4], DT[:4])},
    "no validation": {"validation": None},
    "loss": {"loss": lambda *arguments: mse(*arguments)},
    "optimizer": {"optimizer": Adam(0.03)},
    "epochs": {"epochs": 4},
    "batch_size": {"batch_size": 7},
    "schedule": {"schedule": None},
    "clip": {"clip": 2.0},
    "l2": {"l2": 0.0},
    "patience": {"patience": 5},
    "seed": {"seed": 1},
}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    path = tmp_path_factory.mktemp("run") / "run.npz"
    trained(checkpoint=path)
    return path


@pytest.mark.parametrize("other", OTHERS)
def test_a_checkpoint_of_other_settings_is_refused_and_left_alone(finished, other):
    before = finished.read_bytes()
    given = {"model": fresh(), "data": (X, Y, DT), **ARGUMENTS, "checkpoint": finished, **OTHERS[other]}
    weights = given["model"].state_dict()
    with pytest.raises(ValueError, match=refusal("checkpoint")) as error:
        fit(**given)
    assert re.search(rf"a run with {next(iter(OTHERS[other]))} ", str(error.value))
    assert finished.read_bytes() == before
    assert all(np.array_equal(weights[name], array) for name, array in given["model"].state_dict().items())


def test_a_wiring_of_other_synapses_is_another_model(tmp_path):
    from cfc_ref import wirings

    path = tmp_path / "run.npz"
    for seed, context in ((1, contextlib.nullcontext()), (2, pytest.raises(ValueError, match="with model"))):
        model = CfC(2, wirings.AutoNCP(12, 1, seed=seed), seed=0)
        with context:
            fit(model, (X, Y, DT), **ARGUMENTS | {"checkpoint": path})


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_a_truncated_checkpoint_is_refused(finished, tmp_path, share):
    data = finished.read_bytes()
    (tmp_path / "run.npz").write_bytes(data[: int(share * len(data))])
    with pytest.raises(ValueError, match=refusal("checkpoint")):
        trained(checkpoint=tmp_path / "run.npz")


def test_an_altered_checkpoint_is_refused_or_gives_the_same_run(finished, tmp_path):
    """A flipped byte anywhere; where the format does not use it the run is the same."""
    data, whole = finished.read_bytes(), trained()
    for position in np.random.default_rng(0).integers(0, len(data), size=60):
        altered = bytearray(data)
        altered[position] ^= 0xFF
        (tmp_path / "run.npz").write_bytes(altered)
        with bad.may_refuse("checkpoint"):
            assert same_run(trained(fresh(), checkpoint=tmp_path / "run.npz"), whole)


@pytest.mark.parametrize("part", ["weights.fc.bias", "optimizer.step", "best.fc.bias"])
@pytest.mark.parametrize(
    "change", [lambda entries, name: entries.pop(name), lambda e, name: e.update({name: np.ones(7)})]
)
def test_a_checkpoint_without_all_of_its_arrays_is_refused_whole(finished, tmp_path, part, change):
    with np.load(finished) as file:
        entries = dict(file)
    change(entries, part)
    np.savez(tmp_path / "run.npz", **entries)
    model = fresh(seed=9)
    with pytest.raises(ValueError, match=refusal("checkpoint")):
        trained(model, checkpoint=tmp_path / "run.npz")
    assert all(np.array_equal(array, model.parameters[name]) for name, array in fresh(seed=9).parameters.items())


@pytest.mark.parametrize("write", [lambda path: np.savez(path, w=np.ones(3)), lambda path: path.write_text("no")])
def test_another_file_is_refused(tmp_path, write):
    write(tmp_path / "run.npz")
    with pytest.raises(ValueError, match=refusal("checkpoint")):
        trained(checkpoint=tmp_path / "run.npz")


# --- kill -9

RUN = """
import sys
import numpy as np
from cfc_ref import CfC
from cfc_ref.learn import training_loop
from cfc_ref.learn.optimizers import Adam
from cfc_ref.learn.training_loop import fit

training_loop.CHECKPOINT_SECONDS = 0.0
rng = np.random.default_rng(0)
x = rng.normal(size=(80, 6, 2))
y = np.cumsum(x[..., :1], axis=1)
model = CfC(2, 16, proj_size=1, backbone_units=128, backbone_layers=2, backbone_dropout=0.2, seed=0,
            backend="numpy")
print("ready", flush=True)
fit(model, (x, y), loss="mse", optimizer=Adam(0.01), epochs=16, batch_size=4, schedule="cosine", clip=1.0,
    validation=(x[:8] + 1, y[:8]), checkpoint=sys.argv[1] or None, progress=False)
np.savez(sys.argv[2], **model.state_dict())
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no kill -9 on this system")
def test_a_run_that_is_killed_20_times_ends_with_the_same_bits(tmp_path):
    """At random moments, with a checkpoint a batch, so that many of them are in the midst of writing one."""
    path, moments = tmp_path / "run.npz", random.Random(0)

    @contextlib.contextmanager
    def started(checkpoint, out):
        command = [sys.executable, "-c", RUN, checkpoint, tmp_path / out]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
            assert process.stdout.readline() == "ready\n"
            yield process

    def batches_done():
        with np.load(path, allow_pickle=False) as file:
            progress = re.search(rb'"epoch": (\d+), "batch": (\d+)', bytes(file["header"]))
        return int(progress[1]) * 20 + int(progress[2])

    done = []
    for _ in range(20):
        with started(path, "broken.npz") as process:
            time.sleep(moments.uniform(0.0, 0.15))
            process.kill()
        done.append(batches_done() if path.exists() else 0)  # it can be read
    for checkpoint, out in ((path, "broken.npz"), ("", "whole.npz")):
        with started(checkpoint, out) as process:
            assert process.wait() == 0
    assert done == sorted(done)
    assert len(set(done)) >= 6, done
    assert done[9] < 320, done  # at least half of the kills were before the end
    with np.load(tmp_path / "whole.npz") as whole, np.load(tmp_path / "broken.npz") as broken:
        assert all(np.array_equal(whole[name], broken[name]) for name in whole.files)


def enough(history):
    """Stop after the second epoch."""
    return len(history.loss) == 2


def test_a_run_that_a_rule_has_stopped_does_not_go_on(tmp_path):
    """Not even where it was killed between the checkpoint of its last epoch and its end."""
    arguments = {"epochs": 5, "metric": mean, "stop": enough, "checkpoint": tmp_path / "run.npz"}
    first = trained(**arguments)
    again = trained(**arguments)
    assert same_run(first, again)
    assert first[1].metric == again[1].metric
    assert len(again[1].loss) == len(again[1].metric) == 2


def mean(prediction, target, mask):
    return float(prediction.mean())
