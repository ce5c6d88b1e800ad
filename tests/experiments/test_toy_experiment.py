"""A new experiment is one record: added here, it runs from the command line, resumes, and tells the paper's figure."""

import json

import numpy as np
import pytest

from cfc_ref.cli.command import main
from cfc_ref.experiments import EXPERIMENTS
from cfc_ref.experiments.hyperparameters import Hyperparameters
from cfc_ref.experiments.record import Experiment, Option, Part, Task
from tests.cli.test_verify import refused


def running_sum(*, samples, noise):
    """Predict the sum of all inputs so far."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 5, 1)).astype("f4")
    y = np.cumsum(x, axis=1) + float(noise) * rng.normal(size=x.shape).astype("f4")
    cuts = {"training": slice(0, 40), "validation": slice(40, 50), "test": slice(50, 60)}
    return Task(
        {"data": "toy", "samples": samples, "noise": noise},
        {name: Part(x[cut], y[cut], np.ones(x[cut].shape[:2], "f4")).first(samples) for name, cut in cuts.items()},
        loss="mse",
        outputs=1,
        return_sequences=True,
        figure="MSE",
        measure=lambda outputs, y: float(np.mean((outputs - y) ** 2)),
        by_step=lambda outputs, part: (np.arange(5), np.mean((outputs - part.y) ** 2, axis=(0, 2))),
    )


TOY = Experiment(
    help="a running sum",
    description="Predict a running sum.",
    options=(Option("--noise", {"default": "0", "help": "added to the targets"}),),
    task=running_sum,
    settings={
        name: Hyperparameters("adam", 1, 8, 4, 2, 0.01, 0.95, backbone_units=4, backbone_layers=1) for name in ("cfc",)
    },
    digits=3,
    paper=lambda model, *, noise: f"test MSE 0.{noise}",
)


@pytest.fixture
def _toy(monkeypatch):
    monkeypatch.setitem(EXPERIMENTS, "toy", TOY)


@pytest.mark.usefixtures("_toy")
def test_a_toy_experiment_is_added_by_its_record_alone(tmp_path, capsys):
    words = ["experiment", "toy", "--model", "cfc", "--noise", "1", "--seed", "1", "--out", str(tmp_path / "out")]
    assert main(words) == 0
    first = capsys.readouterr().out
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    assert first.splitlines()[-1] == f"test MSE {results['best']['test']:.3f}"
    assert first.splitlines()[-3] == "test MSE 0.1 in the paper"
    assert "--noise 1" in results["command"]
    assert main(words) == 0
    assert capsys.readouterr().out == first


@pytest.mark.usefixtures("_toy")
def test_a_model_without_settings_is_refused(tmp_path, capsys):
    words = ["experiment", "toy", "--model", "ltc", "--seed", "1", "--out", str(tmp_path / "out")]
    refused(words, capsys, "--model: invalid choice: 'ltc'")


def test_it_is_gone_afterwards():
    assert "toy" not in EXPERIMENTS
