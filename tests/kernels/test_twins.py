"""Every public kernel is the twin of the specification of its name: the same arguments, the same results."""

import ast
import importlib
import inspect
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cfc_ref
from cfc_ref.kernels import threads
from tests.compare import assert_close
from tests.kernels import cfc_cases, ltc_cases
from tests.kernels.unjitted import scalars_warn
from tests.layers.test_tape import arrays_in

pytestmark = scalars_warn

FOLDER = Path(cfc_ref.__file__).parent / "kernels"
TOLERANCE = {np.float64: 1e-12, np.float32: 5e-6}  # relative to max(1, |value|)
LAYOUTS = {
    "contiguous": np.ascontiguousarray,
    "read-only": lambda v: np.broadcast_to(v, v.shape),
    "strided": lambda v: np.repeat(v, 2, axis=-1)[..., ::2] if v.ndim else v,
    "reversed": lambda v: v[..., ::-1] if v.ndim else v,
    "Fortran": np.asfortranarray,
}


def specification(module):
    """The module whose functions have their twins in this module of kernels, or None."""
    for room in ("cells.", "neuron.", ""):
        try:
            return importlib.import_module(f"cfc_ref.{room}{module}")
        except ModuleNotFoundError:
            continue
    return None


def compiled(node):
    return any("kernel" in ast.unparse(d) or "inner" in ast.unparse(d) or "jit" in ast.unparse(d) for d in node)


def walk():
    """Yield (module of specifications or None, module of kernels, public name, whether it is compiled)."""
    for path in sorted(FOLDER.rglob("*.py")):
        module = ".".join(path.relative_to(FOLDER).with_suffix("").parts)
        if path.stem != "__init__":
            for node in ast.parse(path.read_text(encoding="utf-8")).body:
                if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                    yield module, node.name, compiled(node.decorator_list)


TWINS = [(module, name) for module, name, _ in walk() if specification(module)]
IDS = [f"{module}.{name}" for module, name in TWINS]


def pair(module, name):
    """A specification and its kernel."""
    return getattr(specification(module), name), getattr(importlib.import_module(f"cfc_ref.kernels.{module}"), name)


@st.composite
def pieces(draw, looks):
    """Arguments (w_tau, A, *looks at y, h, x0) of a loop over pieces, in one layout and dtype."""
    shape = draw(st.sampled_from([(), (3,), (2, 1, 3), (0,)]))
    S = draw(st.sampled_from([0, 1, 2, 9]))
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    layout = LAYOUTS[draw(st.sampled_from(sorted(LAYOUTS)))]
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))

    def array(make, *axes):
        own = draw(st.sampled_from([shape, ()]))  # one per neuron, or one for all
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


STRATEGIES = {
    "exact_solution.constant_pieces": pieces(1),
    "closed_forms.gauss_pieces": pieces(2),
    "activations.tanh": values(),
    "activations.sigmoid": values(),
    "cfc.network.sequence": cfc_cases.cases(LAYOUTS),
    "cfc.network.d_sequence": cfc_cases.cases(LAYOUTS),
    "cfc.network.stream": cfc_cases.cases(LAYOUTS),
    "ltc.network.sequence": ltc_cases.cases(LAYOUTS),
    "ltc.network.d_sequence": ltc_cases.cases(LAYOUTS),
    "ltc.network.stream": ltc_cases.cases(LAYOUTS, [(1, 0), (1, 1), (2, 9), (1, 40)]),
}
RUNS = {  # others: one call, one array
    "cfc.network.sequence": cfc_cases.run,
    "cfc.network.d_sequence": cfc_cases.run_backward,
    "cfc.network.stream": cfc_cases.run_stream,
    "ltc.network.sequence": ltc_cases.run,
    "ltc.network.d_sequence": ltc_cases.run_backward,
    "ltc.network.stream": ltc_cases.run_stream,
}


def distance(got, ref):
    """Largest difference relative to max(1, |value|)."""
    return np.max(np.abs(got - ref) / np.maximum(1, np.abs(ref)), initial=0)


def test_every_public_kernel_has_a_specification_and_every_pair_a_strategy():
    assert set(STRATEGIES) == set(IDS)
    for spec, twin in (pair(*names) for names in TWINS):
        assert inspect.getdoc(twin) == f"Twin of :func:`{spec.__module__}.{spec.__name__}`."
        assert list(inspect.signature(twin).parameters) == list(inspect.signature(spec).parameters)
        ends = f"Twin: :func:`{twin.__module__}.{twin.__name__}`."
        assert inspect.getdoc(spec).endswith(ends), f"{spec.__name__} does not end with {ends}"


def test_compiled_functions_are_internal():
    """They trust their arguments; Python calls the twin."""
    named = {f"{module}.{name}" for module, name, is_compiled in walk() if is_compiled}
    assert not named


def check(spec, twin, run, arguments, rounds):
    given_arrays = list(arrays_in(arguments))
    before = [v.copy() for v in given_arrays]
    ref, got = run(spec, arguments), run(twin, arguments)
    rounding = [0.0] * len(ref)  # what it alone may change: a network without a gate amplifies it
    if rounds and not all(distance(g, r) <= TOLERANCE[r.dtype.type] for r, g in zip(ref, got, strict=True)):
        true = run(spec, cfc_cases.in_float64(arguments))
        again = [ref, *(run(spec, cfc_cases.nudged(arguments, seed)) for seed in range(4))]
        rounding = [max(distance(one[k], t) for one in again) for k, t in enumerate(true)]
    for r, g, of_rounding in zip(ref, got, rounding, strict=True):
        assert g.dtype == r.dtype
        scale = np.maximum(1, np.abs(r))
        assert_close(g / scale, r / scale, rtol=0, atol=TOLERANCE[r.dtype.type] + 2 * of_rounding)
    for v, was in zip(given_arrays, before, strict=True):
        assert_close(v, was, rtol=0, atol=0)


@pytest.mark.parametrize(("module", "name"), TWINS, ids=IDS)
@settings(max_examples=300)
@given(data=st.data())
def test_twins(module, name, data):
    run, arguments = RUNS.get(f"{module}.{name}"), data.draw(STRATEGIES[f"{module}.{name}"])
    if run is None:
        spec, twin = pair(module, name)
        check(spec, twin, lambda of, arguments: [of(*arguments)], arguments, rounds=False)
    else:
        kernels = importlib.import_module(f"cfc_ref.kernels.{module}")
        check(specification(module), kernels, run, arguments, rounds=True)


PIECES = {"exact_solution.constant_pieces": 1, "closed_forms.gauss_pieces": 2}  # looks at f(I) per piece


@pytest.mark.parametrize("twin", PIECES)
def test_one_release_for_all_pieces_broadcasts(twin):
    looks = [np.full(1, 0.5)] * PIECES[twin]
    arguments = (np.array(1.0), np.array(1.0), *looks, np.ones(4), np.array(0.0))
    spec, kernel = pair(*twin.split("."))
    assert_close(kernel(*arguments), spec(*arguments))


@pytest.mark.usefixtures("all_threads")
@pytest.mark.parametrize("twin", PIECES)
def test_the_number_of_threads_changes_no_bit(twin, monkeypatch):
    monkeypatch.setattr(threads, "_WORTH_A_THREAD", 1)
    rng = np.random.default_rng(0)
    looks = [rng.random((1000, 20)) for _ in range(PIECES[twin])]
    arguments = (rng.random(1000) + 0.1, rng.normal(size=1000), *looks, rng.random(20), rng.normal(size=1000))
    results = []
    for n in (1, threads.MOST):
        cfc_ref.set_num_threads(n)
        results.append(pair(*twin.split("."))[1](*arguments))
    assert_close(results[0], results[1], rtol=0, atol=0)
