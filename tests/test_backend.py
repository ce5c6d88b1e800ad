import ast
import contextlib
import importlib
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cfc_ref
from cfc_ref import CfC, backend
from tests import bad
from tests.compare import assert_close
from tests.kernels import cfc_cases, ltc_cases
from tests.layers.test_tape import arrays_in

TOLERANCE = {np.float64: 1e-12, np.float32: 5e-6}  # relative to max(1, |value|)
LAYOUTS = {
    "contiguous": np.ascontiguousarray,
    "read-only": lambda v: np.broadcast_to(v, v.shape),
    "strided": lambda v: np.repeat(v, 2, axis=-1)[..., ::2] if v.ndim else v,
    "reversed": lambda v: v[..., ::-1] if v.ndim else v,
    "Fortran": np.asfortranarray,
}


@st.composite
def pieces(draw, looks):
    """Arguments (w_tau, A, *looks at y, h, x0) of a loop over pieces, in one layout and dtype."""
    shape = draw(st.sampled_from([(), (3,), (2, 1, 3), (0,)]))
    S = draw(st.sampled_from([0, 1, 2, 9]))
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    layout = LAYOUTS[draw(st.sampled_from(sorted(LAYOUTS)))]
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))

    def array(make, *axes):
        own = draw(st.sampled_from([shape, ()]))  # one a neuron, or one for all
        return layout(np.asarray(make((*own, *axes)), dtype))

    w_tau = array(lambda size: 10 ** rng.uniform(*draw(st.sampled_from([(-6, -3), (-1, 1), (3, 6)])), size))
    y = [array(rng.random, S) for _ in range(looks)]
    h = layout(np.asarray(10 ** rng.uniform(*draw(st.sampled_from([(-8, -4), (-1, 1)])), S), dtype))
    A, x0 = (array(lambda size: rng.uniform(-2, 2, size)) for _ in range(2))
    return w_tau, A, *y, h, x0


@st.composite
def values(draw):
    """One array of numbers, most of them where the functions bend."""
    shape = draw(st.sampled_from([(), (1,), (70,), (3, 5), (2, 0), (4, 1, 33)]))
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    size = draw(st.sampled_from([1e-6, 1.0, 5.0, 80.0]))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    return (LAYOUTS[draw(st.sampled_from(sorted(LAYOUTS)))](np.asarray(rng.uniform(-size, size, shape), dtype)),)


PIECES = {  # spec -> looks at f(I) in a piece
    "cfc_ref.neuron.exact_solution.constant_pieces": 1,
    "cfc_ref.neuron.closed_forms.gauss_pieces": 2,
}
STRATEGIES = {
    **{spec: pieces(looks) for spec, looks in PIECES.items()},
    "numpy.exp": values(),
    "cfc_ref.activations.tanh": values(),
    "cfc_ref.activations.sigmoid": values(),
    cfc_cases.SEQUENCE: cfc_cases.cases(LAYOUTS),
    cfc_cases.D_SEQUENCE: cfc_cases.cases(LAYOUTS),
    cfc_cases.STREAM: cfc_cases.cases(LAYOUTS),
    ltc_cases.SEQUENCE: ltc_cases.cases(LAYOUTS),
    ltc_cases.D_SEQUENCE: ltc_cases.cases(LAYOUTS),
    ltc_cases.STREAM: ltc_cases.cases(LAYOUTS, [(1, 0), (1, 1), (2, 9), (1, 40)]),
}
RUNS = {  # others: one call, one array
    cfc_cases.SEQUENCE: cfc_cases.run,
    cfc_cases.D_SEQUENCE: cfc_cases.run_backward,
    cfc_cases.STREAM: cfc_cases.run_stream,
    ltc_cases.SEQUENCE: ltc_cases.run,
    ltc_cases.D_SEQUENCE: ltc_cases.run_backward,
    ltc_cases.STREAM: ltc_cases.run_stream,
}


def named(dotted):
    module, _, name = dotted.rpartition(".")
    return getattr(importlib.import_module(module), name)


def distance(got, ref):
    """Largest difference relative to max(1, |value|)."""
    return np.max(np.abs(got - ref) / np.maximum(1, np.abs(ref)), initial=0)


def test_every_entry_has_a_strategy():
    assert set(STRATEGIES) == set(backend.TWINS)


def test_every_public_kernel_has_an_entry():
    folder = Path(cfc_ref.__file__).parent / "kernels"
    compiled = {
        f"cfc_ref.kernels.{path.stem}.{node.name}"
        for path in folder.glob("*.py")
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef) and node.decorator_list and not node.name.startswith("_")
    }
    assert compiled == {name for name, _ in backend.TWINS.values()}


@pytest.mark.parametrize("spec", backend.TWINS)
@settings(max_examples=300)
@given(data=st.data())
def test_twins(spec, data):
    arguments = data.draw(STRATEGIES[spec])
    given_arrays = list(arrays_in(arguments))
    before = [v.copy() for v in given_arrays]
    run = RUNS.get(spec, lambda of, arguments: [of(spec)(*arguments)])
    ref, got = run(named, arguments), run(backend.kernel, arguments)
    rounding = [0.0] * len(ref)  # what it alone makes of a result: a network without a gate may amplify it
    if spec in RUNS and not all(distance(g, r) <= TOLERANCE[r.dtype.type] for r, g in zip(ref, got, strict=True)):
        true = run(named, cfc_cases.in_float64(arguments))
        again = run(named, cfc_cases.nudged(arguments))
        rounding = [max(distance(r, t), distance(a, t)) for r, t, a in zip(ref, true, again, strict=True)]
    for r, g, of_rounding in zip(ref, got, rounding, strict=True):
        assert g.dtype == r.dtype
        scale = np.maximum(1, np.abs(r))
        assert_close(g / scale, r / scale, rtol=0, atol=TOLERANCE[r.dtype.type] + 2 * of_rounding)
    for v, was in zip(given_arrays, before, strict=True):
        assert_close(v, was, rtol=0, atol=0)


@pytest.mark.parametrize("spec", PIECES)
def test_one_release_for_all_pieces_broadcasts(spec):
    looks = [np.full(1, 0.5)] * PIECES[spec]
    arguments = (np.array(1.0), np.array(1.0), *looks, np.ones(4), np.array(0.0))
    assert_close(backend.kernel(spec)(*arguments), named(spec)(*arguments))


@pytest.mark.parametrize("spec", PIECES)
def test_the_number_of_threads_changes_no_bit(spec):
    from cfc_ref.kernels import threads

    rng = np.random.default_rng(0)
    looks = [rng.random((1000, 20)) for _ in range(PIECES[spec])]
    arguments = (rng.random(1000) + 0.1, rng.normal(size=1000), *looks, rng.random(20), rng.normal(size=1000))
    results = []
    for n in (1, threads.MOST):
        cfc_ref.set_num_threads(n)
        results.append(backend.kernel(spec)(*arguments))
    assert_close(results[0], results[1], rtol=0, atol=0)


@pytest.fixture
def fresh_backend():
    """Nothing is remembered from before, nor left to what comes after."""

    def forget():
        for function in (backend.kernel, backend.fastest, backend._warn, backend._warm_up):
            function.cache_clear()

    forget()
    yield
    forget()


@pytest.fixture
def no_numba(monkeypatch, fresh_backend):
    for name in [name for name in sys.modules if name.startswith("cfc_ref.kernels.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "numba", None)


@pytest.mark.usefixtures("no_numba")
def test_without_numba_the_specification_runs_in_silence():
    cfc_ref.warmup()
    for dtype in (None, "float32", "float64"):
        assert [backend.fastest(spec, dtype) for spec in backend.TWINS] == [named(spec) for spec in backend.TWINS]
    with pytest.raises(ImportError):
        backend.kernel(next(iter(backend.TWINS)))
    with pytest.raises(ModuleNotFoundError, match="python -m pip install numba"):
        cfc_ref.set_num_threads(1)


@pytest.mark.usefixtures("no_numba")
def test_without_numba_a_layer_computes_in_numpy():
    layer, x = CfC(2, 3, seed=0), np.ones((4, 5, 2))
    output, _, tape = layer.forward(x)
    layer.backend = "numpy"
    assert_close(layer(x)[0], output, 0, 0)
    assert isinstance(tape.kept, list)
    bad.refuses(lambda backend: setattr(layer, "backend", backend), "backend", "numba")
    assert layer.backend == "numpy"


@pytest.mark.usefixtures("fresh_backend")
def test_where_a_kernel_fails_to_compile_one_warning_and_numpy(monkeypatch):
    def fail(twin, dtype):
        raise TypeError("this numba is too old")

    monkeypatch.setattr("cfc_ref.kernels.cfc_calls.try_backward", fail)
    layer, x = CfC(2, 3, seed=0), np.ones((4, 5, 2))
    layer(x)  # what runs is used
    with pytest.warns(RuntimeWarning, match=r"too old.*NumPy runs instead") as caught:
        tape = layer.forward(x)[2]
    layer.forward(x)  # a second warning would be an error
    assert len(caught) == 1
    assert isinstance(tape.kept, list)


@pytest.mark.usefixtures("fresh_backend")
def test_with_numba_no_warning_and_the_kernels():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cfc_ref.warmup()
    for spec in backend.TWINS:
        for dtype in (None, "float32", "float64"):
            assert backend.fastest(spec, dtype) is backend.kernel(spec)
        assert backend.kernel(spec) is not named(spec)


@pytest.mark.usefixtures("fresh_backend")
def test_a_second_process_helps_to_warm_up_once_and_is_waited_for(monkeypatch):
    started = []

    @contextlib.contextmanager
    def process(words, **_):
        started.append(words)
        yield
        started.append("waited for")

    monkeypatch.setattr(subprocess, "Popen", process)
    cfc_ref.warmup()
    cfc_ref.warmup()
    monkeypatch.undo()
    words, waited = started
    assert waited == "waited for"
    subprocess.run(words, check=True)


@pytest.mark.parametrize(("name", "value"), [("executable", "/nowhere/python"), ("executable", None), ("frozen", True)])
def test_where_no_second_process_can_be_started_there_is_none(name, value, monkeypatch):
    monkeypatch.setattr(sys, name, value, raising=False)
    assert isinstance(backend._second_process("pass"), contextlib.nullcontext)


@pytest.mark.parametrize("n", [0, -1, 1.0, True, "1", None, 10**6])
def test_numbers_of_threads_that_are_refused(n):
    bad.refuses(cfc_ref.set_num_threads, "n", n)
