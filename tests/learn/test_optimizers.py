"""Optimisers against PyTorch's and Keras's: stored trajectories, and live where they are installed."""

import json
from pathlib import Path

import numpy as np
import pytest

from cfc_ref.layers.sparse_rows import SparseRows
from cfc_ref.learn.gradients import GlobalNorm, TensorNorm, d_l2, penalised
from cfc_ref.learn.optimizers import OPTIMIZERS, SGD, Adam, AdamW, RMSprop
from tests import bad
from tests.compare import assert_close

# Numbers that float32 holds: Keras keeps its learning rate and weight decay in it.
RATES = [0.125, 0.125, 0.0625, 0.03125, 0.0625, 0.125]
START = {"a": np.array([1.0, -2.0]), "b": np.array([[0.5]])}
CASES = {
    "sgd": (SGD, {}),
    "momentum": (SGD, {"momentum": 0.75}),
    "sgd decay": (SGD, {"momentum": 0.5, "weight_decay": 0.125}),
    "rmsprop": (RMSprop, {"epsilon": 0.015625}),
    "rmsprop decay": (RMSprop, {"rho": 0.5, "weight_decay": 0.125}),
    "adam": (Adam, {"epsilon": 0.015625}),
    "adam betas": (Adam, {"beta_1": 0.5, "beta_2": 0.75, "weight_decay": 0.125}),
    "adamw": (AdamW, {"weight_decay": 0.25}),
    "rmsprop defaults": (RMSprop, {}),
}
# What PyTorch 2.13 and Keras 3.15 end with; the tests of live libraries below make the same numbers.
STORED = json.loads(Path(__file__).with_name("optimizer_trajectories.json").read_text(encoding="utf-8"))


def gradients(theta, k):
    """Those of a trajectory's step k: they depend on where it is."""
    return {"a": theta["a"] * np.array([1.0, 0.25]) + 0.5 * k - 1, "b": np.sin(3 * theta["b"] + k)}


def flat(arrays):
    return np.concatenate([np.asarray(array).ravel() for array in arrays])


def trajectory(case, variant):
    kind, settings = CASES[case]
    optimizer, theta = kind(**settings, variant=variant), {name: array.copy() for name, array in START.items()}
    state = optimizer.start(theta)
    for k, rate in enumerate(RATES):
        optimizer.step(theta, gradients(theta, k), state, rate)
    return flat(theta.values())


def pytorchs(case):
    import torch

    kind, settings = CASES[case]
    names = {"rho": "alpha", "epsilon": "eps"}
    theirs = {names.get(name, name): value for name, value in settings.items() if not name.startswith("beta")}
    if "beta_1" in settings:
        theirs["betas"] = settings["beta_1"], settings["beta_2"]
    theta = {name: torch.tensor(array, requires_grad=True) for name, array in START.items()}
    optimizer = getattr(torch.optim, kind.__name__)(list(theta.values()), lr=1.0, **theirs)
    for k, rate in enumerate(RATES):
        for name, g in gradients({name: v.detach().numpy() for name, v in theta.items()}, k).items():
            theta[name].grad = torch.tensor(g)
        optimizer.param_groups[0]["lr"] = rate
        optimizer.step()
    return flat(v.detach() for v in theta.values())


def numbers(variable):
    return variable.value.detach().numpy()


def kerass(keras, case):
    kind, settings = CASES[case]
    theta = {name: keras.Variable(array, dtype="float64") for name, array in START.items()}
    optimizer = getattr(keras.optimizers, kind.__name__)(**settings)
    for k, rate in enumerate(RATES):
        g = gradients({name: numbers(v) for name, v in theta.items()}, k)
        optimizer.learning_rate = rate
        optimizer.apply([keras.ops.convert_to_tensor(g[name]) for name in theta], list(theta.values()))
    return flat(numbers(v) for v in theta.values())


@pytest.mark.parametrize("variant", ["torch", "keras"])
@pytest.mark.parametrize("case", CASES)
def test_a_trajectory_is_that_of_its_library(case, variant):
    assert_close(trajectory(case, variant), STORED[case][variant], rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("case", CASES)
def test_stored_trajectories_are_pytorchs(case):
    pytest.importorskip("torch")
    assert_close(STORED[case]["torch"], pytorchs(case), rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("case", CASES)
def test_stored_trajectories_are_kerass(keras, case):
    assert_close(STORED[case]["keras"], kerass(keras, case), rtol=1e-13, atol=1e-14)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_defaults_are_those_of_the_libraries(keras):
    torch = pytest.importorskip("torch")
    for kind in OPTIMIZERS.values():
        theirs = getattr(torch.optim, kind.__name__)([torch.zeros(1)]).defaults
        ours = vars(kind())
        assert ours["learning_rate"] == theirs["lr"]
        assert ours["weight_decay"] == theirs["weight_decay"]
        assert ours.get("epsilon") == theirs.get("eps")
        assert ours.get("rho") == theirs.get("alpha")
        assert ours.get("momentum", 0) == theirs.get("momentum", 0)
        assert (ours.get("beta_1"), ours.get("beta_2")) == theirs.get("betas", (None, None))
        theirs = getattr(keras.optimizers, kind.__name__)().get_config()
        for name, value in vars(kind(variant="keras")).items():
            if name != "variant":
                assert_close(value, theirs[name] or 0, rtol=1e-6)  # it reads its learning rate back from float32


# --- what they share


@pytest.mark.parametrize("kind", OPTIMIZERS.values())
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_steps_are_written_in_place_and_keep_the_dtype(kind, dtype):
    for variant in ("torch", "keras"):
        optimizer, theta = kind(variant=variant), {"w": np.ones(3, dtype)}
        state, live = optimizer.start(theta), theta["w"]
        held = dict(state)
        optimizer.step(theta, {"w": np.full(3, 0.5, dtype)}, state)
        assert theta["w"] is live
        assert (live < 1).all()
        assert state["step"] == 1
        assert all(state[name] is array for name, array in held.items())
        assert {array.dtype.name for name, array in state.items() if name != "step"} <= {dtype}


@pytest.mark.parametrize("kind", OPTIMIZERS.values())
def test_a_copied_state_goes_on_to_the_same_numbers(kind):
    optimizer, theta = kind(), {"w": np.linspace(-1, 1, 5)}
    state = optimizer.start(theta)
    optimizer.step(theta, {"w": np.cos(theta["w"])}, state)
    other, other_state = {"w": theta["w"].copy()}, {name: array.copy() for name, array in state.items()}
    for parameters, remembered in ((theta, state), (other, other_state)):
        optimizer.step(parameters, {"w": np.cos(parameters["w"])}, remembered)
    assert np.array_equal(theta["w"], other["w"])


def test_settings_are_what_an_optimiser_is():
    assert Adam(0.1) == Adam(0.1) != Adam(0.2)
    assert Adam() != AdamW(weight_decay=0)
    assert hash(SGD(0.5)) == hash(SGD(0.5))
    assert repr(SGD(0.5)) == "SGD(variant='torch', learning_rate=0.5, momentum=0.0, weight_decay=0.0)"


POSITIVE = (*bad.NUMBERS, 0.0, -1.0)
SHARES = (*bad.NUMBERS, -0.1, 1.0)
OPTIONAL = {
    "learning_rate": (SGD, RMSprop),
    "rho": (RMSprop,),
    "epsilon": (RMSprop, Adam, AdamW),
    "weight_decay": (AdamW,),
}
REFUSED = [
    *[(kind, "learning_rate", value) for kind in OPTIMIZERS.values() for value in POSITIVE],
    *[(kind, "epsilon", value) for kind in (RMSprop, Adam, AdamW) for value in POSITIVE],
    *[(kind, "weight_decay", value) for kind in OPTIMIZERS.values() for value in (*bad.NUMBERS, -1.0)],
    *[(kind, "variant", value) for kind in OPTIMIZERS.values() for value in bad.CHOICES],
    *[(SGD, "momentum", value) for value in SHARES],
    *[(RMSprop, "rho", value) for value in SHARES],
    *[(kind, name, value) for kind in (Adam, AdamW) for name in ("beta_1", "beta_2") for value in SHARES],
]
REFUSED = [(kind, name, v) for kind, name, v in REFUSED if v is not None or kind not in OPTIONAL.get(name, ())]


@pytest.mark.parametrize(("kind", "argument", "value"), REFUSED)
def test_bad_settings_are_refused(kind, argument, value):
    bad.refuses(kind, argument, value)


@pytest.mark.parametrize("given", [{}, {"w": np.ones(2)}, {"v": np.ones(3)}, {"w": np.ones((3, 1))}])
def test_gradients_of_others_are_refused_before_anything_is_written(given):
    theta, optimizer = {"w": np.ones(3)}, SGD(momentum=0.5)
    state = optimizer.start(theta)
    with pytest.raises(ValueError, match=r"\Agradients.*: got .*; expected .*; .*\.\Z"):
        optimizer.step(theta, given, state)
    assert state["step"] == 0
    assert (theta["w"] == 1).all()


# --- what happens to gradients before


GRADIENTS = {"a": np.array([3.0, -4.0]), "b": np.array([[0.5]]), "c": np.zeros(2)}


def test_the_global_norm_is_clipped_by_hand():
    norm = np.sqrt(9 + 16 + 0.25)
    clipped = GlobalNorm(2.0)(GRADIENTS)
    for name, g in GRADIENTS.items():
        assert_close(clipped[name], g * 2 / (norm + 1e-6))
        assert_close(GlobalNorm(6.0)(GRADIENTS)[name], g, rtol=0, atol=0)


def test_each_tensors_norm_is_clipped_by_hand():
    clipped = TensorNorm(2.0)(GRADIENTS)
    assert_close(clipped["a"], [1.2, -1.6])
    assert_close(clipped["b"], [[0.5]], rtol=0, atol=0)
    assert_close(clipped["c"], [0, 0])


@pytest.mark.parametrize("most", [0.1, 2.0, 100.0])
def test_pytorch_clips_the_same(most):
    torch = pytest.importorskip("torch")
    tensors = [torch.tensor(g, requires_grad=True) for g in GRADIENTS.values()]
    for tensor, g in zip(tensors, GRADIENTS.values(), strict=True):
        tensor.grad = torch.tensor(g)
    torch.nn.utils.clip_grad_norm_(tensors, most)
    assert_close(flat(GlobalNorm(most)(GRADIENTS).values()), flat(tensor.grad for tensor in tensors))


@pytest.mark.parametrize("most", [0.125, 2.0, 100.0])
def test_keras_clips_the_same(keras, most):
    theta = [keras.Variable(np.zeros_like(g), dtype="float64") for g in GRADIENTS.values()]
    optimizer = keras.optimizers.SGD(1.0, clipnorm=most)
    optimizer.apply([keras.ops.convert_to_tensor(g) for g in GRADIENTS.values()], theta)
    assert_close(flat(TensorNorm(most)(GRADIENTS).values()), -flat(numbers(v) for v in theta))


@pytest.mark.parametrize("clip", [GlobalNorm(1e-3), TensorNorm(1e-3)])
def test_clipping_keeps_float32_and_large_gradients_finite(clip):
    clipped = clip({"w": np.full(4, 1e30, np.float32)})["w"]
    assert_close(clipped, np.full(4, 5e-4), rtol=1e-5, dtype=np.float32)


@pytest.mark.parametrize("kind", [GlobalNorm, TensorNorm])
@pytest.mark.parametrize("value", POSITIVE)
def test_bad_norms_are_refused(kind, value):
    bad.refuses(kind, "most", value)


WEIGHTS = {
    "rnn_cell.ff1.weight": np.array([[1.0, -2.0]]),
    "rnn_cell.ff1.bias": np.ones(1),
    "fc.weight": np.ones((1, 1)),
}


def test_l2_adds_2_lambda_w_to_the_cells_weights_only():
    got = d_l2(0.25, WEIGHTS, {name: np.ones_like(array) for name, array in WEIGHTS.items()})
    assert penalised(WEIGHTS) == ["rnn_cell.ff1.weight"]
    assert_close(got["rnn_cell.ff1.weight"], [[1.5, 0.0]])
    assert_close([got["rnn_cell.ff1.bias"], got["fc.weight"][0]], [[1], [1]])


def test_l2_is_the_gradient_of_kerass_penalty(keras):
    name, h = "rnn_cell.ff1.weight", 0.5  # of a square every central difference is exact
    penalty = keras.regularizers.L2(0.25)
    got = d_l2(0.25, WEIGHTS, {name: np.zeros((1, 2)) for name in WEIGHTS})[name]
    for k in range(2):
        shift = h * np.eye(2)[k]
        ends = [float(penalty(keras.ops.convert_to_tensor(WEIGHTS[name] + s))) for s in (shift, -shift)]
        assert_close(got[0, k], (ends[0] - ends[1]) / (2 * h), rtol=1e-6)


# --- gradients of few rows: those of an embedding


def sparse(rng):
    rows, values = rng.integers(0, 6, 20), rng.normal(size=(20, 3)).astype("f4")
    return SparseRows(rows, values, (9, 3))


@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
@pytest.mark.parametrize(("make", "settings"), CASES.values(), ids=CASES)
@pytest.mark.parametrize("variant", ["torch", "keras"])
def test_rows_move_as_in_the_whole_table(make, settings, weight_decay, variant):
    optimizer = make(0.1, variant=variant, **{**settings, "weight_decay": weight_decay})
    ends = []
    for form in (lambda g: g, np.asarray):
        rng = np.random.default_rng(0)
        theta = {"w": np.random.default_rng(1).normal(size=(9, 3)).astype("f4")}
        state = optimizer.start(theta)
        for _ in range(4):
            optimizer.step(theta, {"w": form(sparse(rng))}, state)
        ends.append([theta["w"], *state.values()])
    for got, ref in zip(*ends, strict=True):
        assert_close(got, ref, rtol=1e-6, atol=1e-7)


def test_clipping_takes_the_norm_over_reads_as_keras_or_over_the_table_as_pytorch():
    g = sparse(np.random.default_rng(0))
    over_reads = np.sqrt((g.values.astype(float) ** 2).sum())
    clipped = TensorNorm(1.0)({"w": g})["w"]
    assert isinstance(clipped, SparseRows)
    assert_close(clipped.dense(), g.dense() / over_reads, rtol=1e-6, atol=1e-7)
    over_table = np.linalg.norm(g.dense().astype(float))
    clipped = GlobalNorm(1.0)({"w": g})["w"]
    assert_close(clipped.dense(), g.dense() / over_table, rtol=1e-5, atol=1e-6)
    assert over_reads != pytest.approx(over_table, rel=0.01)
    assert_close(TensorNorm(1e3)({"w": g})["w"].dense(), g.dense())
