"""Accuracy and the area under the ROC curve, against loops over samples and pairs."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfc_ref.learn.metrics import accuracy, auc
from tests import bad


@given(st.lists(st.tuples(st.integers(-3, 3), st.booleans()), min_size=2, max_size=30))
def test_auc_is_the_share_of_pairs_in_order(samples):
    positive = [score for score, label in samples if label]
    negative = [score for score, label in samples if not label]
    scores, labels = np.array([score for score, _ in samples]), np.array([int(label) for _, label in samples])
    if not positive or not negative:
        bad.refuses(auc, "target", labels, prediction=scores[:, None])
        return
    pairs = np.mean([(p > n) + 0.5 * (p == n) for p in positive for n in negative])
    assert auc(scores[:, None], labels) == pytest.approx(pairs, rel=1e-12)
    assert auc(np.stack([-scores, 0 * scores], axis=1) * 1.0, labels) == pytest.approx(pairs, rel=1e-12)


def test_accuracy_counts_what_counts():
    logits = np.array([[[2.0, 1.0], [0.0, 3.0]], [[1.0, 0.0], [5.0, 9.0]]])
    target = np.array([[0, 1], [1, -1]])
    mask = np.array([[True, True], [True, False]])
    assert accuracy(logits, target, mask) == pytest.approx(2 / 3)
    assert accuracy(logits, target, ignore=-1) == pytest.approx(2 / 3)
    assert accuracy(np.array([[0.5], [-0.5], [0.5]]), [1.0, 0.0, 0.0]) == pytest.approx(2 / 3)


@pytest.mark.parametrize("metric", [accuracy, auc])
def test_bad_arguments_are_refused(metric):
    logits = np.array([[2.0, 1.0], [0.0, 3.0]])
    for target in ([0], ["a", "b"], [[0, 1]], None):
        bad.refuses(metric, "target", target, prediction=logits)
    for prediction in (np.zeros((2, 0)), 1.0, [[np.nan, 0.0], [0.0, 0.0]]):
        bad.refuses(metric, "prediction", prediction, target=[0, 1])
    for mask in ([1, 1], [True], [[True, False]]):
        bad.refuses(metric, "mask", mask, prediction=logits, target=[0, 1])
    bad.refuses(metric, "mask", [False, False], named="target", prediction=logits, target=[0, 1])
    bad.refuses(auc, "target", [0, 2], prediction=logits)
    bad.refuses(auc, "prediction", np.ones((2, 3)), target=[0, 1])
