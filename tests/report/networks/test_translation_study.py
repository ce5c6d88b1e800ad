"""The measurement of translations trains, holds back, and prints what it says."""

import numpy as np
import pytest

from cfc_ref import translate
from cfc_ref.report.networks import translation_study
from tests.compare import assert_close


@pytest.fixture(scope="module")
def short():
    """A few windows of the EEG sample, and a network trained on them for a moment."""
    recording = translation_study.eeg()
    recording = recording._replace(
        x=recording.x[:6],
        y=recording.y[:6],
        before=recording.before[-5:],
        rest_x=recording.rest_x[:6],
        rest_y=recording.rest_y[:6],
    )
    return recording, translation_study.train(recording, seed=0, epochs=3)


@pytest.mark.parametrize(("task", "inputs", "rest"), [("next", 4, 159), ("others", 3, 160)])
def test_the_last_fifth_of_the_recording_is_held_back(task, inputs, rest):
    x, y, before, rest_x, rest_y = translation_study.eeg(task)
    assert (x.shape[1:], y.shape[1:]) == ((32, inputs), (32, 1))
    assert (len(before), rest_x.shape, rest_y.shape) == (640, (rest, inputs), (rest, 1))
    assert_close(x[1, 0], before[8])
    assert_close(x[-1, -1], before[639])


def test_of_the_next_sample_nothing_is_an_input():
    x, y, _, rest_x, rest_y = translation_study.eeg("next")
    assert_close(y[:, :-1, 0], x[:, 1:, 3])
    assert_close(rest_y[:-1, 0], rest_x[1:, 3])
    others = translation_study.eeg("others")
    assert_close(others.rest_y[1:], rest_y)
    assert_close(others.rest_x[:-1], rest_x[:, :3])


def test_training_lowers_the_error(short):
    recording, trained = short
    longer = translation_study.train(recording, seed=0, epochs=12)
    assert longer.train_mse < trained.train_mse < 2
    assert trained.network.wiring.units == 19


def test_the_comparison_starts_where_the_recording_leads(short):
    recording, trained = short
    compared = translation_study.compare_on_the_rest(recording, trained.network, parts=2)
    whole = trained.network.solve(np.concatenate([recording.before, recording.rest_x]))
    assert_close(compared.truth, whole[5:], rtol=1e-5, atol=1e-6)
    assert compared.parts == 2


def test_the_kindest_time_steps_are_no_worse_than_those_of_the_recording(short):
    recording, trained = short
    compared = translation_study.compare_on_the_rest(recording, trained.network)
    found = translation_study.kindest(recording, compared)
    factor = trained.network.parameters["rnn_cell.output_w"][0]
    state = trained.network.solve(recording.before)[-1]
    anew = []
    delta, mse = found["from the start"]
    assert mse <= compared.translations["algorithm1"].output_mse * 1.01
    states = translate.algorithm1(trained.network, recording.rest_x, delta, state, activity=compared.truth)
    assert_close(mse, np.mean((factor * (states - compared.truth)[:, 0]) ** 2), rtol=1e-6)
    delta, mse = found["from the ODE's last state"]
    for x, reached in zip(recording.rest_x, compared.truth, strict=True):
        anew.append(translate.algorithm1(trained.network, x[None], delta, state, activity=reached[None])[0, 0])
        state = reached
    assert_close(mse, np.mean((factor * (anew - compared.truth[:, 0])) ** 2), rtol=1e-6)


def test_rollouts_are_read_from_a_folder_and_the_last_is_held_back(tmp_path):
    rng = np.random.default_rng(0)
    rollouts = [rng.normal(size=(80, 17)) for _ in range(5)]
    for k, rollout in enumerate(rollouts):
        np.save(tmp_path / f"rollout_{k:03}.npy", rollout)
    x, y, before, rest_x, rest_y = translation_study.walker(str(tmp_path))
    assert (x.shape, y.shape, before.shape) == ((8, 32, 17), (8, 32, 1), (0, 17))
    assert_close(y[0, :-1, 0], x[0, 1:, 0])
    assert_close(rest_x, rollouts[-1][:-1])
    assert_close(rest_y, rollouts[-1][1:, :1])


def test_it_prints_the_tables(short, capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["translation", "--seeds", "2", "--epochs", "1"])
    monkeypatch.setattr(translation_study, "eeg", lambda task: short[0])
    translation_study.main()
    out = capsys.readouterr().out
    assert out.count("Algorithm 1 (teacher-forced)") == 2
    assert out.count("the paper, Algorithm 1") == 2
    assert out.count("CF4 translation, 8 looks a step: output MSE") == 2
    assert "seed 1" in out
