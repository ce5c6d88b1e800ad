"""A solver is one record, and where it is compiled one more: nothing else in the package knows its name."""

import numpy as np
import pytest

from cfc_ref import LTC, NeuralLTC
from cfc_ref.cells.solvers import SOLVERS
from cfc_ref.layers.baselines import CTRNN
from tests import bad
from tests.cells import toy_solver
from tests.cells.toys import in_a_process, run_alone
from tests.compare import assert_close
from tests.differences import assert_gradient


@pytest.fixture(autouse=True)
def _registered(monkeypatch):
    monkeypatch.setitem(SOLVERS, "toy", toy_solver.TOY)


@pytest.mark.parametrize("kind", [LTC, NeuralLTC, CTRNN])
def test_its_gradients_are_central_differences(kind):
    layer, rng = kind(2, 3, solver="toy", ode_unfolds=3, dtype="float64", seed=0), np.random.default_rng(1)
    x, hx, timespans = rng.normal(size=(2, 2, 2)), rng.normal(size=(2, 3)), rng.uniform(0.1, 0.5, (2, 2))
    d = rng.normal(size=(2, 2, 3))
    g = layer.backward(layer.forward(x, hx, timespans)[2], d)
    given = [x, hx, timespans, *layer.parameters.values()]
    for got, array in zip([g.x, g.hx, g.timespans, *g.parameters.values()], given, strict=True):
        assert_gradient(got, lambda: np.sum(layer(x, hx, timespans)[0] * d), array)


def test_messages_warnings_and_representation_ask_the_record():
    layer = LTC(2, 3, solver="toy", ode_unfolds=2, seed=0)
    assert "solver 'toy' x 2" in repr(layer)
    with pytest.warns(RuntimeWarning, match="'toy' has left its stability region"):
        layer(np.ones((1, 1, 2)), timespans=10.0)
    with pytest.raises(ValueError, match="'toy'"):
        LTC(2, 3, solver="Toy")


def test_without_a_kernel_auto_is_numpy_and_numba_is_refused():
    x = np.ones((2, 3, 2))
    outputs = [LTC(2, 3, solver="toy", seed=0, backend=backend)(x, timespans=0.1)[0] for backend in ("auto", "numpy")]
    assert_close(outputs[0], outputs[1], 0, 0)
    bad.refuses(LTC, "backend", "numba", input_size=2, units=3, solver="toy")


def test_a_kernel_that_comes_too_late_is_refused_by_name(monkeypatch):
    """The others are loaded: "numba" says so rather than run NumPy, and "auto" is NumPy."""
    from cfc_ref.kernels.ltc import loops

    assert "toy" not in loops.COMPILED
    monkeypatch.setitem(SOLVERS, "toy", toy_solver.TOY._replace(kernel=True))
    monkeypatch.setitem(loops.KERNELS, "toy", toy_solver.toy_kernel())
    x = np.ones((2, 3, 2))
    with pytest.raises(ValueError, match=r"'numba'.*'toy' does not have.*before the first LTC runs"):
        LTC(2, 3, solver="toy", seed=0, backend="numba")(x, timespans=0.1)
    outputs = [LTC(2, 3, solver="toy", seed=0, backend=backend)(x, timespans=0.1)[0] for backend in ("auto", "numpy")]
    assert_close(outputs[0], outputs[1], 0, 0)


def test_a_missing_piece_raises(monkeypatch):
    monkeypatch.setitem(SOLVERS, "toy", toy_solver.TOY._replace(part=None))
    with pytest.raises(TypeError, match="'toy' has neither"):
        LTC(2, 3, solver="toy", seed=0)(np.ones((1, 1, 2)))


@in_a_process
def test_its_kernel_is_its_twin(unjitted, arguments):
    run_alone("tests.cells.toy_solver", unjitted, arguments)


def test_every_record_with_a_kernel_has_one_and_no_other():
    from cfc_ref.kernels.ltc.solvers import KERNELS

    assert set(KERNELS) == {name for name, solver in SOLVERS.items() if solver.kernel}
