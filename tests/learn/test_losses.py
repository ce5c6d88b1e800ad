"""Losses: values by loops over entries, gradients by central differences, masks, large logits, refusals."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from cfc_ref.learn.losses import LOSSES, CrossEntropy, binary_cross_entropy, cross_entropy, mse, softmax
from tests import bad
from tests.compare import assert_close, refusal
from tests.differences import assert_gradient


def one_mse(p, y):
    return (p - y) ** 2


def one_binary(z, y):
    s = 1 / (1 + math.exp(-z))
    return -(y * math.log(s) + (1 - y) * math.log(1 - s))


def one_class(z, y):
    return -math.log(math.exp(z[y]) / sum(math.exp(v) for v in z))


@st.composite
def compared(draw, name):
    """A prediction, its target, and a mask of the target's first axes, or None."""
    shape = tuple(draw(st.lists(st.integers(1, 4), min_size=1, max_size=3)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    target_shape = shape[:-1] if name == "cross_entropy" else shape
    target = {
        "mse": rng.normal(size=target_shape),
        "binary_cross_entropy": rng.uniform(size=target_shape),
        "cross_entropy": rng.integers(0, shape[-1], size=target_shape),
    }[name]
    if draw(st.booleans()):
        return rng.normal(size=shape), target, None
    axes = draw(st.integers(0, len(target_shape)))
    mask = rng.random(target_shape[:axes]) < 0.5
    if not mask.any():
        mask = np.ones_like(mask)
    return rng.normal(size=shape), target, mask


@pytest.mark.parametrize("name", LOSSES)
@given(data=st.data())
def test_a_value_is_the_mean_over_what_counts(name, data):
    prediction, target, mask = data.draw(compared(name))
    one = {"mse": one_mse, "binary_cross_entropy": one_binary, "cross_entropy": one_class}[name]
    counting = [k for k in np.ndindex(target.shape) if mask is None or mask[k[: mask.ndim]]]
    terms = [one(prediction[k], target[k]) for k in counting]
    assert_close(LOSSES[name](prediction, target, mask)[0], sum(terms) / len(terms))


@pytest.mark.parametrize("name", LOSSES)
@given(data=st.data())
def test_gradients_are_central_differences(name, data):
    prediction, target, mask = data.draw(compared(name))
    got = LOSSES[name](prediction, target, mask)[1]
    assert_gradient(got, lambda: LOSSES[name](prediction, target, mask)[0], prediction)


@pytest.mark.parametrize("name", LOSSES)
@given(shape=npst.array_shapes(min_dims=2, max_dims=3, max_side=4), single=st.booleans())
def test_gradients_have_the_predictions_shape_and_dtype(name, shape, single):
    dtype = np.float32 if single else np.float64
    target = np.zeros(shape[:-1], int) if name == "cross_entropy" else np.zeros(shape)
    value, gradient = LOSSES[name](np.ones(shape, dtype), target, np.ones(shape[:1], bool))
    assert isinstance(value, float)
    assert_close(gradient.shape, shape)
    assert gradient.dtype == dtype


@pytest.mark.parametrize("name", LOSSES)
def test_what_does_not_count_is_not_read_and_has_no_gradient(name):
    prediction, mask = np.array([[0.5, 1.0], [2.0, -1.0]]), [True, False]
    junk, real = (-7, 1) if name == "cross_entropy" else (np.full(2, np.nan), np.array([0.25, 1.0]))
    value, gradient = LOSSES[name](prediction, np.array([real, junk]), mask)
    alone, d_alone = LOSSES[name](prediction[:1], np.array([real]))
    assert value == alone
    assert_close(gradient, np.concatenate([d_alone, np.zeros((1, 2))]))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_large_logits_give_exact_finite_values(dtype):
    """Warnings are errors, here as everywhere."""
    z = np.array([1e6, -1e6, 1e6, -1e6], dtype)
    value, gradient = binary_cross_entropy(z, [1, 0, 0, 1])
    assert value == 5e5
    assert_close(gradient, [0, 0, 0.25, -0.25], dtype=dtype)
    value, gradient = cross_entropy(np.array([[1e6, -1e6], [1e6, -1e6]], dtype), [0, 1])
    assert value == 1e6
    assert_close(gradient, [[0, 0], [0.5, -0.5]], dtype=dtype)
    assert_close(softmax(z[:2]), [1, 0], dtype=dtype)


def test_a_small_binary_cross_entropy_keeps_its_digits():
    value, gradient = binary_cross_entropy(np.array([30.0, -30.0]), [1, 0])
    assert_close(value, math.log1p(math.exp(-30)), rtol=1e-14, atol=0)
    assert_close(gradient, np.array([-0.5, 0.5]) / (1 + math.exp(30)), rtol=1e-14, atol=0)


@pytest.mark.parametrize("loss", [mse, binary_cross_entropy])
def test_the_only_output_may_be_left_out_of_targets(loss):
    prediction, target = np.array([[0.5], [2.0]]), np.array([0.0, 1.0])
    assert loss(prediction, target)[0] == loss(prediction, target[:, None])[0]
    assert loss(prediction, target)[1].shape == (2, 1)


def test_labels_may_be_booleans_in_binary_cross_entropy():
    assert binary_cross_entropy([0.5, 2.0], np.array([True, False]))[0] == binary_cross_entropy([0.5, 2.0], [1, 0])[0]


@pytest.mark.parametrize("name", LOSSES)
def test_pytorch_agrees(name):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    z = torch.tensor(5 * rng.normal(size=(6, 4)), requires_grad=True)
    y = rng.integers(0, 4, size=6) if name == "cross_entropy" else rng.uniform(size=(6, 4))
    function = {"mse": "mse_loss", "binary_cross_entropy": "binary_cross_entropy_with_logits"}.get(name, name)
    theirs = getattr(torch.nn.functional, function)(z, torch.tensor(y))
    theirs.backward()
    value, gradient = LOSSES[name](z.detach().numpy(), y)
    assert_close(value, theirs.item())
    assert_close(gradient, z.grad.numpy())


GOOD = {"prediction": np.zeros((2, 3)), "target": np.zeros((2, 3)), "mask": None}
CLASSES = {**GOOD, "target": np.zeros(2, int)}
REFUSED = [
    *[(mse, GOOD, "prediction", value) for value in bad.NUMBERS],
    *[(mse, GOOD, "target", value) for value in (*bad.NUMBERS, np.zeros((3, 2)), np.zeros(2), np.full((2, 3), np.inf))],
    *[(mse, GOOD, "mask", value) for value in ([1, 0], np.ones((3, 2), bool), [True], "yes", np.ones((2, 3, 1), bool))],
    *[(binary_cross_entropy, GOOD, "target", np.full((2, 3), value)) for value in (-0.1, 1.1, 2, np.nan)],
    *[(cross_entropy, CLASSES, "target", value) for value in ([0.0, 1.0], [0, 3], [-1, 0], [0], [True, False], "ab")],
    *[(cross_entropy, CLASSES, "prediction", value) for value in (0.0, np.zeros((2, 0)), [[np.nan, 0.0]])],
]


@pytest.mark.parametrize(("loss", "good", "argument", "value"), REFUSED)
def test_bad_input_is_refused(loss, good, argument, value):
    bad.refuses(loss, argument, value, **{name: v for name, v in good.items() if name != argument})


@pytest.mark.parametrize("loss", LOSSES.values())
def test_a_mean_over_nothing_is_refused(loss):
    target = np.zeros(2, int) if loss is cross_entropy else np.zeros((2, 3))
    with pytest.raises(ValueError, match=refusal("target")):
        loss(np.zeros((2, 3)), target, [False, False])


def test_a_target_that_float32_does_not_hold_is_refused():
    bad.refuses(mse, "target", [1e39], prediction=np.zeros(1, np.float32))


@pytest.mark.parametrize("ignore", [None, 2])
def test_weights_of_classes_are_pytorchs(ignore):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    logits, target, weights = rng.normal(size=(4, 5, 3)), rng.integers(0, 3, (4, 5)), (1.0, 11.69, 0.5)
    z = torch.tensor(logits.reshape(-1, 3), requires_grad=True)
    loss = torch.nn.CrossEntropyLoss(
        torch.tensor(weights, dtype=torch.float64), ignore_index=-100 if ignore is None else ignore
    )
    ref = loss(z, torch.tensor(target.ravel()))
    ref.backward()
    value, d_logits = CrossEntropy(weights, ignore)(logits, target)
    assert_close(value, ref.item())
    assert_close(d_logits, z.grad.numpy().reshape(logits.shape))
    mask = rng.random((4, 5)) < 0.6
    value, d_logits = cross_entropy(logits, target, mask, weights=weights, ignore=ignore)
    assert_gradient(d_logits, lambda: cross_entropy(logits, target, mask, weights=weights, ignore=ignore)[0], logits)
    counts = mask & (target != (-1 if ignore is None else ignore))
    w = np.array(weights)[target[counts]]
    terms = [one_class(z, y) for z, y in zip(logits[counts], target[counts], strict=True)]
    assert_close(value, (w * terms).sum() / w.sum())


def test_wrong_weights_are_refused():
    for weights in ([1.0], [1.0, 0.0], [1.0, -1.0], [1.0, np.nan], "ab", [[1.0, 2.0]]):
        bad.refuses(cross_entropy, "weights", weights, prediction=[[0.0, 1.0]], target=[0])
    for weights in ([1.0, 0.0], "ab", [[1.0, 2.0]]):
        bad.refuses(CrossEntropy, "weights", weights)
    for ignore in (0.5, "1", True):
        bad.refuses(CrossEntropy, "ignore", ignore)
    bad.refuses(cross_entropy, "target", [1], prediction=[[0.0, 1.0]], ignore=1)
    assert repr(CrossEntropy([1, 2])) == "CrossEntropy(weights=(1.0, 2.0), ignore=None)"
