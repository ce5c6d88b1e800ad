"""Schedules against those of PyTorch and Keras, and by hand."""

import math

import numpy as np
import pytest

from cfc_ref.learn.schedules import SCHEDULES, Constant, Cosine, Exponential, PerEpoch
from tests import bad
from tests.compare import assert_close

EPOCHS, BATCHES = 10, 4
UPDATES = np.arange(EPOCHS * BATCHES)


def factors(schedule):
    return [schedule(k / BATCHES, EPOCHS) for k in UPDATES]


def test_values_by_hand():
    assert [Constant()(e, 8) for e in (0.0, 3.5)] == [1, 1]
    assert_close([Exponential(0.9)(e, 8) for e in (0.0, 0.5, 2.0)], [1, math.sqrt(0.9), 0.81])
    assert_close([Cosine(0.2)(e, 8) for e in (0.0, 2.0, 4.0, 8.0)], [1, 0.2 + 0.4 * (1 + math.sqrt(0.5)), 0.6, 0.2])


def test_keras_agrees_at_every_update(keras):
    there = keras.optimizers.schedules
    exponential = there.ExponentialDecay(1.0, decay_steps=BATCHES, decay_rate=0.95)
    cosine = there.CosineDecay(1.0, decay_steps=EPOCHS * BATCHES, alpha=0.1)
    for ours, theirs in ((Exponential(0.95), exponential), (Cosine(0.1), cosine)):
        assert_close(factors(ours), [float(theirs(k)) for k in UPDATES], rtol=2e-6, atol=1e-6)  # Keras's is float32


@pytest.mark.filterwarnings("ignore:.*lr_scheduler.step:UserWarning")
def test_pytorch_agrees_at_whole_epochs():
    torch = pytest.importorskip("torch")
    there = torch.optim.lr_scheduler
    for ours, theirs in (
        (Exponential(0.95), lambda optimizer: there.ExponentialLR(optimizer, 0.95)),
        (Cosine(0.1), lambda optimizer: there.CosineAnnealingLR(optimizer, EPOCHS, eta_min=0.1)),
    ):
        schedule = theirs(torch.optim.SGD([torch.zeros(1)], lr=1.0))
        rates = []
        for _ in range(EPOCHS):
            rates += schedule.get_last_lr()
            schedule.step()
        assert_close([ours(float(e), EPOCHS) for e in range(EPOCHS)], rates)


def test_all_go_by_name_with_their_defaults():
    assert [kind() for kind in SCHEDULES.values()] == [Constant(), Exponential(0.95), Cosine(0.0)]
    assert list(SCHEDULES) == ["constant", "exponential", "cosine"]


@pytest.mark.parametrize("value", [*bad.NUMBERS, 0.0, -1.0])
def test_bad_decays_are_refused(value):
    bad.refuses(Exponential, "decay", value)


@pytest.mark.parametrize("value", [*bad.NUMBERS, -0.1, 1.1])
def test_bad_last_factors_are_refused(value):
    bad.refuses(Cosine, "last", value)


def test_a_factor_per_epoch_changes_at_whole_epochs_only():
    per_epoch = PerEpoch(Exponential(0.9))
    assert factors(per_epoch) == [0.9 ** (k // BATCHES) for k in UPDATES]
    for schedule in (0.9, None, Exponential):
        bad.refuses(PerEpoch, "schedule", schedule)
