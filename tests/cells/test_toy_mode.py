"""A mode is one record, and where it is compiled one more: nothing else in the package knows its name."""

import numpy as np
import pytest

from cfc_ref import CfC, bounds
from cfc_ref.cells.cfc.modes import MODES
from tests import bad
from tests.cells import toy_mode
from tests.cells.toys import in_a_process, run_alone
from tests.compare import assert_close
from tests.differences import assert_gradient


@pytest.fixture
def layer(monkeypatch):
    monkeypatch.setitem(MODES, "toy", toy_mode.TOY)
    return CfC(2, 3, mode="toy", backbone_units=4, dtype="float64", seed=0)


def batch(layer):
    rng = np.random.default_rng(1)
    return rng.normal(size=(2, 3, 2)), rng.normal(size=(2, 3)), rng.uniform(0.1, 2, (2, 3))


def test_its_gradients_are_central_differences(layer):
    x, hx, timespans = batch(layer)
    d = np.random.default_rng(2).normal(size=(2, 3, 3))
    g = layer.backward(layer.forward(x, hx, timespans)[2], d)
    given = [x, hx, timespans, *layer.parameters.values()]
    for got, array in zip([g.x, g.hx, g.timespans, *g.parameters.values()], given, strict=True):
        assert_gradient(got, lambda: np.sum(layer(x, hx, timespans)[0] * d), array)


def test_initialisation_trace_box_and_lipschitz_constant_ask_the_record(layer):
    assert set(layer.parameters) == {f"rnn_cell.{key}" for key in ("backbone.0.weight", "backbone.0.bias", "ff1.weight",
                                                                 "ff1.bias", "A")}  # fmt: skip
    fixed = CfC(2, 3, mode="toy", variant="keras", seed=0)
    assert_close(fixed.parameters["rnn_cell.A"], np.full((1, 3), 0.5), 0, 0, np.float32)
    x, _, timespans = batch(layer)
    trace = layer.trace(x, None, timespans)
    assert_close(trace["time_constant"], np.ones((2, 3, 3)))
    low, high = bounds.box(layer)
    assert (low <= trace["state"]).all()
    assert (trace["state"] <= high).all()
    L = bounds.lipschitz(layer, 0.7)
    one, other = np.random.default_rng(3).uniform(low, high, (2, 500, 3))
    x = np.ones((500, 1, 2))
    moved = layer(x, one, 0.7)[0] - layer(x, other, 0.7)[0]
    assert (np.abs(moved).max(axis=(1, 2)) <= L * np.abs(one - other).max(axis=1)).all()


def test_without_a_kernel_auto_is_numpy_and_numba_is_refused(layer):
    inputs = batch(layer)
    ref = layer(*inputs)[0]
    layer.backend = "numpy"
    assert_close(layer(*inputs)[0], ref, 0, 0)
    layer.backend = "numba"
    bad.refuses(lambda backend: layer(*inputs), "backend", "numba")


def test_a_missing_piece_raises(monkeypatch):
    monkeypatch.setitem(MODES, "toy", toy_mode.TOY._replace(box=None))
    with pytest.raises(TypeError):
        bounds.box(CfC(2, 3, mode="toy", seed=0))


@in_a_process
def test_its_kernel_is_its_twin(unjitted, arguments):
    run_alone("tests.cells.toy_mode", unjitted, arguments)
