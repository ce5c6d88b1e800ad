"""What a layer refuses, of its constructor and of its calls: in three parts that name the argument."""

import math

import numpy as np
import pytest

from cfc_ref import CfC, bounds, wirings
from tests import bad
from tests.compare import assert_close

WIRING = wirings.NCP(3, 2, 1, 2, 2, 2, 2)
FLAGS = (*(v for v in bad.NOT_NUMBERS if not isinstance(v, bool)), 0, 1, 1.0, "True", np.ones(2, bool))
COUNTS = (*(v for v in bad.NUMBERS if v is not None), -1, 1.0, 2.5, "3", [3], np.array([3]))


# --- constructor

NEW = {
    "input_size": (*COUNTS, None, 0),
    "units": (*COUNTS, None, 0, wirings.Wiring, np.float64(3)),
    "proj_size": (*COUNTS, 0),
    "return_sequences": FLAGS,
    "batch_first": FLAGS,
    "mixed_memory": FLAGS,
    "mode": (*bad.CHOICES, "cfc", "Default", "pure "),
    "activation": (*bad.CHOICES, "linear", "sigmoid", "ReLU"),
    "backbone_units": (*COUNTS, 0),
    "backbone_layers": COUNTS,
    "backbone_dropout": (*(v for v in bad.NUMBERS if v is not None), -0.1, 1.0, 1.5, [0.1]),
    "dtype": ("float16", "int64", None, int, complex, "f4,f8", "nonsense", "f4,,", ..., 32, {}, []),
    "seed": (-1, 1.0, True, "1", [1]),
    "backend": (*bad.CHOICES, "torch"),
    "variant": (*bad.CHOICES, "pytorch"),
    "forget_bias": (*bad.NUMBERS, [1.0]),
    "recurrence": (*bad.CHOICES, "none"),
}


@pytest.mark.parametrize(
    ("argument", "value"),
    [pytest.param(name, value, id=f"{name}-{value!r:.30}") for name, values in NEW.items() for value in values],
)
def test_constructor(argument, value):
    options = {"input_size": 2, "units": 3, "backbone_layers": 2, "mixed_memory": True}
    bad.refuses(CfC, argument, value, **options)
    if argument not in ("units", "backbone_units", "backbone_layers", "backbone_dropout"):
        wired = {"input_size": 2, "units": WIRING, "mixed_memory": True}
        bad.refuses(CfC, argument, value, **wired)


DOES_NOTHING = {
    "backbone_units": {"units": WIRING, "backbone_units": 128},
    "backbone_layers": {"units": WIRING, "backbone_layers": 0},
    "backbone_dropout": {"units": WIRING, "backbone_dropout": 0.0},
    "recurrence": {"recurrence": "wired"},
    "forget_bias": {"forget_bias": 0.5},
}
NOTHING_TO_DROP = [
    {"backbone_layers": 0},
    {},
    {"backbone_layers": 0, "variant": "tensorflow"},
    {"backbone_layers": 0, "variant": "keras"},
]


@pytest.mark.parametrize("argument", DOES_NOTHING)
def test_an_option_that_would_do_nothing(argument):
    options = {"input_size": 2, "units": 3, **DOES_NOTHING[argument]}
    bad.refuses(CfC, argument, options.pop(argument), **options)


@pytest.mark.parametrize("options", NOTHING_TO_DROP, ids=str)
def test_dropout_with_nothing_to_drop(options):
    bad.refuses(CfC, "backbone_dropout", 0.1, input_size=2, units=3, **options)
    CfC(2, 3, backbone_dropout=0.0, **options)


@pytest.mark.parametrize("variant", ["tensorflow", "keras"])
def test_dropout_behind_one_layer_where_that_drops(variant):
    assert CfC(2, 3, backbone_dropout=0.1, variant=variant).backbone_dropout == 0.1


def test_what_ncps_ignores_is_ignored():
    CfC(2, 3, backbone_layers=0, backbone_units=7, activation="relu")
    CfC(2, WIRING, activation="relu")


@pytest.mark.parametrize("inputs", [1, 3])
def test_a_wiring_that_was_built_for_another_number_of_inputs(inputs):
    bad.refuses(lambda n: CfC(n, WIRING.build(2)), "n", inputs, named="input_size")


def test_a_wiring_is_built_for_the_layer_and_stays_as_it_is():
    assert CfC(2, WIRING).wiring.input_dim == 2
    assert not WIRING.is_built()
    assert CfC(2, WIRING, mixed_memory=True, variant="keras").wiring.input_dim == 6


@pytest.mark.parametrize("value", [*bad.CHOICES, "torch"])
def test_a_backend_that_is_set_later(value):
    layer = CfC(2, 3)
    with pytest.raises((ValueError, TypeError), match=r"\Abackend: got "):
        layer.backend = value
    assert layer.backend == "auto"


# --- calls: B = 3 samples, T = 4 steps, F = 2 features, 5 units

X, X1 = np.ones((3, 4, 2)), np.ones((4, 2))
NO_SHAPES = (np.ones(2), np.ones((1, 3, 4, 2)), np.ones((3, 4, 1)), np.ones((3, 4, 3)), np.ones((4, 3)), [], [[]])


def with_entry(array, value):
    changed = np.array(array, dtype=float)
    changed.flat[-1] = value
    return changed


def not_numbers(shape):
    """Arrays of the right shape, but not of numbers."""
    return (
        np.full(shape, "1"),
        np.full(shape, None),
        np.full(shape, 1.0, object),
        np.ones(shape, complex),
        np.ones(shape, bool),
        np.ma.ones(shape),
        np.full(shape, "2020-01-01", "datetime64[D]"),
        *(with_entry(np.ones(shape), value) for value in (math.nan, math.inf, -math.inf)),
    )


def shapes_of(*shapes):
    return tuple(np.ones(shape) for shape in shapes)


CALLS = {
    "x": (
        ({}, (*bad.NUMBERS, *NO_SHAPES, *not_numbers((3, 4, 2)), *not_numbers((4, 2)))),
        ({"mask": np.ones((3, 4), bool)}, not_numbers((3, 4, 2))),
    ),
    "hx": (
        (
            {"x": X},
            (
                *(v for v in bad.NUMBERS if v is not None),
                *not_numbers((3, 5)),
                *shapes_of((), (5,), (1, 5), (3, 1), (5, 3), (3, 5, 1), (1, 3, 5), (4, 5)),
                (np.ones((3, 5)),),
                (np.ones((3, 5)), np.ones((3, 5))),
            ),
        ),
        ({"x": X1}, (*not_numbers((5,)), *shapes_of((), (1,), (1, 5), (4, 5), (5, 1), (4,)))),
    ),
    "timespans": (
        (
            {"x": X},
            (
                *(v for v in bad.TIMES if v is not None),
                *not_numbers((3, 4)),
                *not_numbers((4,)),
                *not_numbers((3, 4, 1)),
                *(with_entry(np.ones(shape), -1e-9) for shape in ((4,), (3, 4), (3, 4, 1))),
                *shapes_of((3,), (1,), (0,), (1, 4), (3, 1), (1, 1), (4, 3), (4, 1), (3, 4, 2), (1, 4, 1), (3, 1, 1)),
                *shapes_of((3, 4, 1, 1), (1, 3, 4)),
            ),
        ),
        (
            {"x": X1},
            (
                *not_numbers((4,)),
                *not_numbers((4, 1)),
                with_entry(np.ones(4), -1.0),
                *shapes_of((1,), (3,), (1, 4), (4, 4), (4, 2), (1, 1), (4, 1, 1)),
            ),
        ),
        ({"x": X, "mask": np.ones((3, 4), bool)}, (*not_numbers((3, 4)), with_entry(np.ones((3, 4)), -1.0))),
    ),
    "mask": (
        (
            {"x": X},
            (
                True,
                1,
                "mask",
                [[True], [True, False]],
                ...,
                *(np.ones((3, 4), dtype) for dtype in (int, float, np.uint8, object, "U1")),
                *(np.ones(shape, bool) for shape in ((), (1,), (3,), (1, 4), (3, 1), (4, 3), (3, 4, 1), (3, 4, 2))),
            ),
        ),
        ({"x": X1}, tuple(np.ones(shape, bool) for shape in ((), (1,), (2,), (1, 4), (4, 1), (4, 2)))),
    ),
}
CASES = [(name, others, value) for name, groups in CALLS.items() for others, values in groups for value in values]


@pytest.fixture(scope="module")
def layers():
    return [CfC(2, 5, backbone_layers=0, mode=mode, seed=0, dtype="float64") for mode in ("default", "pure")]


@pytest.mark.parametrize(("argument", "others", "value"), CASES)
def test_calls(layers, argument, others, value):
    for function in (layers[0], layers[0].forward, layers[0].trace):
        bad.refuses(function, argument, value, **others)


def test_a_sequence_of_time_first_layers():
    """(T, B, …) only: what would be right with the batch first is refused."""
    layer = CfC(2, 5, batch_first=False)
    x = np.ones((4, 3, 2))
    for argument, shape in (("timespans", (3, 4)), ("timespans", (3, 4, 1)), ("hx", (4, 5))):
        bad.refuses(layer, argument, np.ones(shape), x=x)
    bad.refuses(layer, "mask", np.ones((3, 4), bool), x=x)
    layer(x, np.ones((3, 5)), np.ones((4, 3)), np.ones((4, 3), bool))


def test_mixed_memory_takes_a_pair():
    layer, whole = CfC(2, 5, mixed_memory=True), np.zeros((3, 5))
    pairs = (
        whole,
        whole.tolist(),
        np.zeros((2, 3, 5)),
        (whole,),
        (whole,) * 3,
        (whole, None),
        (None, whole),
        (whole, whole[0]),
        (whole[0], whole),
        *((whole, value) for value in not_numbers((3, 5))),
        *((value, whole) for value in not_numbers((3, 5))),
    )
    for value in pairs:
        bad.refuses(layer, "hx", value, x=X)
    layer(X, [whole, whole])


@pytest.mark.parametrize("rng", [0, True, "rng", np.random, np.random.RandomState(0), np.random.default_rng])
def test_generators(layers, rng):
    bad.refuses(layers[0].forward, "rng", rng, x=X)


@pytest.mark.parametrize("argument", ["x", "hx", "timespans"])
def test_what_float32_does_not_hold(argument):
    good = {"x": X1, "hx": np.zeros(5), "timespans": np.ones(4)}
    layer = CfC(2, 5)
    for value in (1e39, np.finfo(np.float64).max):
        others = {name: array for name, array in good.items() if name != argument}
        bad.refuses(layer, argument, with_entry(good[argument], value), **others)


def test_what_is_wrong_at_a_masked_step_is_not_seen_and_elsewhere_it_is(layers):
    mask = np.ones((3, 4), bool)
    mask[2, 3] = False
    nan, negative = with_entry(X[..., 0], math.nan), with_entry(X[..., 0], -1.0)
    layers[0](np.stack([nan, nan], axis=-1), timespans=negative, mask=mask)
    layers[0](X, timespans=nan, mask=mask)
    mask[...] = [[True, True, True, False]] * 3
    mask[2, 3] = True
    bad.refuses(layers[0], "x", np.stack([nan, nan], axis=-1), mask=mask)
    bad.refuses(layers[0], "timespans", negative, x=X, mask=mask)
    bad.refuses(layers[0], "timespans", nan, x=X, mask=mask)


# --- backward

D_OUTPUT = (
    *bad.NUMBERS,
    *not_numbers((3, 4, 5)),
    *shapes_of((3, 4), (3, 4, 1), (3, 1, 5), (1, 4, 5), (4, 3, 5), (4, 5), (5,), (3, 5), (3, 4, 5, 1)),
)


@pytest.mark.parametrize("value", D_OUTPUT, ids=lambda value: type(value).__name__)
def test_gradients_of_the_output(layers, value):
    for layer in layers:
        tape = layer.forward(X)[2]
        bad.refuses(layer.backward, "d_output", value, tape=tape)


@pytest.mark.parametrize("value", CALLS["hx"][0][1], ids=lambda value: type(value).__name__)
def test_gradients_of_the_last_state(layers, value):
    tape = layers[0].forward(X)[2]
    bad.refuses(layers[0].backward, "d_hx", value, tape=tape, d_output=np.ones((3, 4, 5)))


def test_gradients_of_one_sample_and_of_time_first():
    layer, late = CfC(2, 5), CfC(2, 5, batch_first=False)
    tape = layer.forward(X1)[2]
    for shape in ((1, 4, 5), (4, 1), (4,), (5, 4)):
        bad.refuses(layer.backward, "d_output", np.ones(shape), tape=tape)
    bad.refuses(layer.backward, "d_hx", np.ones((1, 5)), tape=tape, d_output=np.ones((4, 5)))
    bad.refuses(late.backward, "d_output", np.ones((3, 4, 5)), tape=late.forward(np.ones((4, 3, 2)))[2])


# --- what is known of it


@pytest.mark.parametrize("value", [*bad.CHOICES, 2, "l2"])
def test_norms(layers, value):
    bad.refuses(bounds.lipschitz, "norm", value, model=layers[0], timespans=1.0)


def test_norms_that_are_not_known():
    for layer in (CfC(2, 3, mode="pure"), CfC(2, WIRING)):
        bad.refuses(bounds.lipschitz, "norm", "euclidean", model=layer, timespans=1.0)


def test_old_names_of_bounds_warn(layers):
    with pytest.warns(DeprecationWarning, match=r"bounds\.box"):
        assert_close(layers[0].box(0.5), bounds.box(layers[0], timespans=0.5), 0, 0)
    with pytest.warns(DeprecationWarning, match=r"bounds\.lipschitz"):
        assert layers[0].lipschitz(0.5) == bounds.lipschitz(layers[0], 0.5)


def test_a_trace_of_no_steps(layers):
    bad.refuses(layers[0].trace, "x", np.ones((0, 2)))
