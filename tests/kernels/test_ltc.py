"""The kernels of LTCs: blocks of rows, threads, masks, and the layer that calls them or does not."""

import pickle
import warnings

import numpy as np
import pytest

import cfc_ref
from cfc_ref import LTC, NeuralLTC, wirings
from cfc_ref.kernels import threads
from cfc_ref.kernels.ltc.loops import _backward, _forward
from cfc_ref.kernels.ltc.streaming import _stream
from cfc_ref.kernels.ltc.sums import ROWS
from tests import bad
from tests.compare import assert_close
from tests.kernels.fresh import all_nan
from tests.layers.ltc_layers import twin
from tests.layers.strategies import arrays_of, inputs_for, map_state, parts, run

NETWORKS = {
    "dense": {"units": 30},
    "dense, frozen": {"units": 20, "solver": "frozen", "proj_size": 3},
    "wired": {"units": wirings.AutoNCP(40, 5), "implicit_param_constraints": False},
    "wired, frozen": {"units": wirings.AutoNCP(19, 1), "solver": "frozen", "input_mapping": None},
    "midpoint": {"units": 5, "solver": "frozen_midpoint", "ode_unfolds": 2},
    "cf4": {"units": wirings.AutoNCP(19, 1), "solver": "cf4", "step": 0.5, "mixed_memory": True},
    "neural": {"units": 7, "solver": "cf4", "proj_size": 2},
    "neural, memory": {"units": wirings.AutoNCP(19, 1), "mixed_memory": True},
}


@pytest.fixture(params=NETWORKS)
def layer(request):
    return make(request.param, 3, seed=0, backend="numba")


def make(name, inputs, **options):
    return (NeuralLTC if name.startswith("neural") else LTC)(inputs, **NETWORKS[name], **options)


def assert_same(outcome, ref, tolerance=0):
    for name, array in arrays_of(ref).items():
        assert_close(arrays_of(outcome)[name], array, tolerance, tolerance, array.dtype)


@pytest.mark.usefixtures("all_threads")
def test_the_number_of_threads_changes_no_bit(layer, monkeypatch):
    monkeypatch.setattr("cfc_ref.kernels.ltc.network._WORTH_A_THREAD", 1)  # every block is cut off
    B = 20 * ROWS + 5  # more blocks than parts of the gradients
    inputs = inputs_for(layer, np.random.default_rng(0), B, T=2)
    d = np.random.default_rng(1).normal(size=(B, 2, layer.output_size))
    outcomes = []
    for n in (1, threads.MOST):
        cfc_ref.set_num_threads(n)
        outcomes.append(run(layer, inputs, d))
    assert_same(outcomes[1], outcomes[0])


def test_a_rows_bits_do_not_depend_on_the_rows_beside_it(layer):
    inputs = inputs_for(layer, np.random.default_rng(0), 4 * ROWS + 5, T=5)  # in blocks twice as long as those of few
    outputs, _ = layer(*inputs)
    few = [3, 4, 4 * ROWS + 4]
    hx = map_state(lambda part: part[few], inputs.hx)
    assert_close(layer(inputs.x[few], hx, inputs.timespans[few])[0], outputs[few], 0, 0)


@pytest.mark.parametrize(
    ("make", "units", "options", "same"),
    [
        (LTC, 30, {}, True),
        (LTC, 20, {}, False),  # two lines, of which the second has four neurons
        (LTC, 30, {"solver": "rk4", "ode_unfolds": 12}, True),
        (LTC, wirings.AutoNCP(30, 2), {}, False),
        (LTC, 30, {"mixed_memory": True}, True),
        (NeuralLTC, 5, {}, True),
    ],
)
@pytest.mark.parametrize("batch_first", [True, False])
def test_a_batch_has_the_bits_of_its_sequences_where_its_sums_are_theirs(make, units, options, same, batch_first):
    """With few synapses a batch sums them one after the other, and a stream in tiles."""
    layer = make(3, units, seed=0, backend="numba", batch_first=batch_first, **options)
    x = np.random.default_rng(0).normal(size=(6, 5, 3)).astype(np.float32)
    y, hx = layer(x if batch_first else x.swapaxes(0, 1))
    alone = [layer(one) for one in x]
    assert y.flags.carray
    y = y if batch_first else y.swapaxes(0, 1)
    assert np.array_equal(y, [one for one, _ in alone]) == same
    for part, rows in zip(parts(hx), zip(*(parts(last) for _, last in alone), strict=True), strict=True):
        assert_close(part, np.stack(rows), 0, 0 if same else 1e-5)


def test_a_huge_row_stays_alone(layer):
    inputs = inputs_for(layer, np.random.default_rng(0), 5, T=3)
    d, others = np.ones((5, 3, layer.output_size)), np.arange(5) != 2
    outcomes = []
    for size in (1.0, 1e30):
        hx = map_state(lambda part, size=size: np.where(others[:, None], part, np.float32(size)), inputs.hx)
        output, _, tape = layer.forward(inputs.x, hx)
        outcomes.append((output[others], layer.backward(tape, d).x[others]))
    for got, ref in zip(*outcomes, strict=True):
        assert_close(got, ref, 0, 0)


def test_nan_in_a_weight_is_nan_in_the_output(layer):
    inputs = inputs_for(layer, np.random.default_rng(0), 2, T=3)
    layer.parameters["rnn_cell.mu" if isinstance(layer, LTC) else "rnn_cell.A"][...] = np.nan
    assert np.isnan(layer(*inputs)[0]).all()
    assert np.isnan(layer(inputs.x[0])[0]).all()


@pytest.mark.parametrize("beside", [0, 1])
def test_a_masked_step_is_as_if_it_were_not_there(layer, beside, monkeypatch):
    """In all rows at once, which skips it, or beside a row that has every step; fresh memory is read nowhere."""
    monkeypatch.setattr("cfc_ref.kernels.ltc.network.aligned_all", all_nan)
    rng, B, T = np.random.default_rng(0), 3, 6
    inputs = inputs_for(layer, rng, B + beside, T)
    real = np.array([True, False, True, True, False, True])
    x, mask, d = inputs.x.copy(), np.ones((B + beside, T), bool), rng.normal(size=(B + beside, T, layer.output_size))
    x[:B, ~real], mask[:B, ~real], d[:, ~real], d[B:] = np.nan, False, 0, 0
    masked = layer.forward(x, inputs.hx, inputs.timespans, mask)
    hx = map_state(lambda part: part[:B], inputs.hx)
    shorter = layer.forward(inputs.x[:B, real], hx, inputs.timespans[:B, real])
    assert_close(masked[0][:B, real], shorter[0], 0, 0)
    assert_close(masked[0][:B, ~real], shorter[0][:, [0, 2]], 0, 0)
    for part, ref in zip(parts(masked[1]), parts(shorter[1]), strict=True):
        assert_close(part[:B], ref, 0, 0)
    got, ref = layer.backward(masked[2], d), layer.backward(shorter[2], d[:B, real])
    for name in ("x", "timespans"):
        assert_close(getattr(got, name)[:B, real], getattr(ref, name), 0, 0)
        assert not getattr(got, name)[:B, ~real].any()
    for part, own in zip(parts(got.hx), parts(ref.hx), strict=True):
        assert_close(part[:B], own, 0, 0)
    for key, gradient in ref.parameters.items():
        assert_close(got.parameters[key], gradient, 1e-6, 1e-6, gradient.dtype)


def test_a_step_of_no_length_is_the_identity(layer):
    """Also in the gradients, to the last bit: what is held must not creep; a mixed memory moves without time."""
    inputs = inputs_for(layer, np.random.default_rng(0), 4, T=3)
    _, hx, tape = layer.forward(inputs.x, inputs.hx, 0.0)
    d_hx = map_state(lambda part: np.random.default_rng(1).normal(size=part.shape).astype(part.dtype), hx)
    gradients = layer.backward(tape, np.zeros((4, 3, layer.output_size)), d_hx)
    if not layer.mixed_memory:
        assert_close(hx, inputs.hx, 0, 0)
        assert_close(gradients.hx, d_hx, 0, 0)
    names = ("w", "sensory_w", "cm", "gleak") if isinstance(layer, LTC) else ("f.weight", "f.bias", "w_tau", "A")
    assert not any(gradients.parameters[f"rnn_cell.{name}"].any() for name in names)


def test_neither_leak_nor_capacity_makes_a_nan():
    """Explicit weights may all be 0: with no capacity a neuron is at once where its conductances take it."""
    for solver in ("fused", "frozen", "cf4"):
        options = {"implicit_param_constraints": False, "solver": solver, "epsilon": 0.0, "seed": 0}
        layers = [LTC(2, 3, **options, backend=backend, dtype="float64") for backend in ("numpy", "numba")]
        for zero in (("gleak",), ("cm",), ("gleak", "cm", "w", "sensory_w")):
            for layer in layers:
                for name in zero:
                    layer.parameters[f"rnn_cell.{name}"][...] = 0
            ref, got = (layer(np.ones((2, 4, 2)))[0] for layer in layers)
            assert np.isfinite(ref).all()
            assert_close(got, ref, 1e-12, 1e-12)


def test_synapses_that_saturate():
    """Inputs of a size at which 2^y leaves its range: every synapse is open or shut."""
    for dtype in ("float32", "float64"):
        layers = [LTC(2, 5, seed=0, backend=backend, dtype=dtype) for backend in ("numpy", "numba")]
        x = np.array([[1e30, -1e30], [1e4, -1e4], [20, -20]], dtype)[:, None]
        for inputs in (x, x[:1]):  # a batch, and a stream
            ref, got = (layer(inputs)[0] for layer in layers)
            assert_close(got, ref, 5e-6, 5e-6, got.dtype)


# --- the choice


def test_a_layer_computes_what_it_is_told_to():
    layer, x = LTC(2, 3, seed=0), np.ones((4, 5, 2))
    kept = {}
    for backend in ("numpy", "numba", "auto"):
        layer.backend = backend
        kept[backend] = layer.forward(x)[2].kept
    assert isinstance(kept["numpy"], list)
    assert type(kept["numba"]) is type(kept["auto"])
    assert not isinstance(kept["numba"], list)


def test_a_tape_is_read_by_what_wrote_it():
    layer, x = LTC(2, 3, seed=0, dtype="float64"), np.ones((4, 5, 2))
    for before, after in (("numpy", "numba"), ("numba", "numpy")):
        layer.backend = before
        output, _, tape = layer.forward(x)
        ref = layer.backward(tape, output).x
        layer.backend = after
        assert_close(layer.backward(tape, output).x, ref, 0, 0)


@pytest.mark.parametrize("kind", [LTC, NeuralLTC])
def test_without_kernels_auto_is_numpy_and_numba_is_refused(kind):
    bad.refuses(kind, "backend", "numba", input_size=2, units=3, solver="scipy")
    x, timespans = np.ones((2, 3, 2)), 0.1
    auto, numpy = (kind(2, 3, seed=0, solver="scipy", backend=backend) for backend in ("auto", "numpy"))
    output, _, tape = auto.forward(x, None, timespans)
    assert isinstance(tape.kept, list)
    assert_close(output, numpy(x, None, timespans)[0], 0, 0)
    assert_close(auto(x[:1], None, timespans)[0], output[:1], 1e-6, 1e-6)
    assert type(auto.stepper()) is type(numpy.stepper())


# --- the warning of explicit solvers


def warnings_of(layer, x, timespans, mask=None, ways=("batch", "tape", "one", "stepper")):
    """The texts of the warnings of a call; a layer warns once, so that each way has one of its own."""
    texts = []
    for way in ways:
        own = twin(layer)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            for _ in range(2):
                if way == "one":
                    own(x[0], None, timespans[0], None if mask is None else mask[0])
                elif way == "stepper":
                    stepper = own.stepper()
                    for x_k, t_k in zip(x[0], timespans[0], strict=True):
                        stepper(x_k, float(t_k))
                else:
                    (own if way == "batch" else own.forward)(x, None, timespans, mask)
        texts.append([str(warning.message) for warning in caught])
    return texts


@pytest.mark.parametrize("options", [{"solver": "euler", "ode_unfolds": 2}, {"solver": "rk4", "step": 0.1}], ids=str)
@pytest.mark.parametrize("kind", [LTC, NeuralLTC])
def test_kernels_warn_in_the_very_words_of_the_specification(kind, options):
    """Of the first step that is too long, in the row that is worst; masked steps are not."""
    rng = np.random.default_rng(0)
    x, timespans = rng.normal(size=(2 * ROWS, 4, 2)), rng.uniform(0, 0.08, (2 * ROWS, 4))
    timespans[[0, 3, ROWS + 1], 2], timespans[:, 3], mask = [0.5, 0.6, 0.7], 0.9, rng.random(timespans.shape) < 0.8
    mask[0, 2] = mask[ROWS + 1, 2] = True
    texts = []
    for backend in ("numpy", "numba"):
        layer = kind(2, 5, seed=0, dtype="float64", backend=backend, implicit_param_constraints=False, **options)
        for name in ("gleak", "w_tau"):
            if f"rnn_cell.{name}" in layer.parameters:
                layer.parameters[f"rnn_cell.{name}"][...] = rng.permutation(5) + 60
        rng = np.random.default_rng(0)
        texts += [warnings_of(layer, x, timespans, mask), warnings_of(layer, x, timespans)]
        assert not any(warnings_of(layer, x, timespans / 100))
    assert texts[:2] == texts[2:]
    assert all(len(text) == 1 for texts_of in texts for text in texts_of)


def test_a_stepper_that_warns_may_be_copied():
    stepper = LTC(2, 3, solver="euler", seed=0, backend="numba").stepper()
    other = pickle.loads(pickle.dumps(stepper))
    for own in (stepper, other):
        with pytest.warns(RuntimeWarning, match="'euler' has left its stability region"):
            own([1.0, 1.0], 50.0)


# --- compilation


def test_kernels_compile_for_two_dtypes_only():
    """Whatever is given, they are called with the same types of arrays; another type would compile for seconds."""
    for dtype in ("float32", "float64"):
        for name in NETWORKS:
            layer = make(name, 2, seed=0, dtype=dtype, backend="numba")
            for B, T in ((1, 1), (1, 4), (4, 1), (3, 4)):
                x, mask = np.ones((B, T, 2), dtype), np.broadcast_to(True, (B, T))
                for timespans in (None, 0.5, np.broadcast_to(np.float32(0.5), (T,))):
                    layer(x, None, timespans)
                    output, _, tape = layer.forward(np.broadcast_to(x[0], x.shape), None, timespans, mask)
                    layer.backward(tape, np.broadcast_to(output[0], output.shape))
    for compiled in (_forward, _backward, _stream):
        assert len(compiled.signatures) <= 2
