"""What is learned: parts of the data, how a network is judged, when it is over."""

import numpy as np
import pytest

from cfc_ref.datasets.walker2d import official_split, read_walker2d
from cfc_ref.datasets.xor import official_bit_streams
from cfc_ref.experiments.record import Part
from cfc_ref.experiments.walker2d_task import build_task as walker2d_task
from cfc_ref.experiments.walker2d_task import error_by_step, squared_error
from cfc_ref.experiments.xor_task import Solved, accuracy_by_length
from cfc_ref.experiments.xor_task import build_task as xor_task
from cfc_ref.learn.history import History
from cfc_ref.learn.metrics import accuracy
from tests import bad
from tests.compare import assert_close
from tests.datasets.rollouts import write_rollouts


def test_five_in_a_hundred_training_samples_are_held_back_the_others_are_learned_from():
    task, again = (xor_task(event_based=True) for _ in range(2))
    sizes = {"training": 95_000, "validation": 5_000, "test": 10_000}
    assert {part: len(data.x) for part, data in task.parts.items()} == sizes

    def rows(part):
        """Each sample as one string of bytes, sorted."""
        streams = np.concatenate([part.x[..., 0], part.timespans, part.mask, part.y[:, None]], axis=1, dtype="f4")
        return sorted(row.tobytes() for row in streams)

    whole = Part(*official_bit_streams("training", event_based=True).data)
    assert sorted(rows(task.parts["training"]) + rows(task.parts["validation"])) == rows(whole)
    for part, data in task.parts.items():
        for got, ref in zip(data, again.parts[part], strict=True):
            assert np.array_equal(got, ref)
    for event_based in (True, False):
        ref = official_bit_streams("test", event_based=event_based)
        test = xor_task(event_based=event_based, samples=50).parts["test"]
        assert_close(test.timespans * 32, ref.elapsed[:50])


def test_a_training_is_over_once_three_epochs_are_good_enough():
    solved = Solved()
    for metric, over in (
        ([0.999, 0.9995], False),
        ([0.5, 0.999, 0.9995, 1.0], True),
        ([1.0, 0.9989, 1.0, 1.0], False),
        ([1.0, 1.0, 1.0], True),
        ([], False),
    ):
        assert solved(History(metric=metric)) is over
    assert repr(solved) == "Solved(accuracy=0.999, epochs=3)"  # in checkpoints


def test_accuracy_is_the_share_of_logits_on_the_right_side():
    logits, labels = np.array([[-0.1], [0.1], [3.0], [0.0]]), np.array([0.0, 1.0, 0.0, 1.0])
    assert accuracy(logits, labels) == 0.5
    mask = np.array([[True, True], [True, False], [True, True], [True, False]])
    steps, values = accuracy_by_length(logits, Part(mask, labels, mask, mask))
    assert_close(steps, [1, 2])
    assert_close(values, [0.5, 0.5])


def test_walker2d_has_a_test_part_where_all_of_its_files_are_there(rollouts, tmp_path):
    task = walker2d_task(rollouts)
    windows = read_walker2d(rollouts)
    assert list(task.parts) == ["training", "validation", "test"]
    for part, data in task.parts.items():
        assert data.mask is None
        for got, ref in zip(data[:3], windows[part], strict=True):
            assert np.array_equal(got, ref)
    folder = write_rollouts(tmp_path / "partly")
    (folder / official_split()["test"][3]).unlink()
    assert list(walker2d_task(folder).parts) == ["training", "validation"]


def test_squared_errors_are_means_over_windows_steps_and_columns():
    rng = np.random.default_rng(0)
    outputs, y = rng.normal(size=(2, 5, 4, 3)).astype(np.float32)
    errors = [[sum((outputs[n, t] - y[n, t]) ** 2) / 3 for t in range(4)] for n in range(5)]
    assert squared_error(outputs, y) == pytest.approx(np.mean(errors), rel=1e-6)
    steps, values = error_by_step(outputs, Part(outputs, y, y[..., 0]))
    assert_close(steps, [1, 2, 3, 4])
    assert_close(values, np.mean(errors, axis=0), rtol=1e-6)


def test_only_the_first_samples_of_each_part_are_taken(rollouts):
    for task, whole in (
        (xor_task(event_based=True, samples=7), xor_task(event_based=True)),
        (walker2d_task(rollouts, samples=7), walker2d_task(rollouts)),
    ):
        assert task.settings["samples"] == 7
        for part, data in task.parts.items():
            assert len(data.x) == len(data.y) == 7
            assert np.array_equal(data.x, whole.parts[part].x[:7])


def test_bad_arguments_are_refused(rollouts):
    for samples in (0, -1, 1.5, "7"):
        bad.refuses(xor_task, "samples", samples, event_based=True)
        bad.refuses(walker2d_task, "samples", samples, data=rollouts)
    bad.refuses(xor_task, "event_based", None)
    bad.refuses(walker2d_task, "data", "nowhere", named="folder")
