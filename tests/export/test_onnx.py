"""ONNX Runtime computes what NumPy does, one step at a time and over sequences; what has no ONNX is refused."""

import numpy as np
import pytest

from cfc_ref import CTRNN, LSTM, LTC, CfC, NeuralLTC, export_onnx
from cfc_ref.cells.cfc.modes import MODES
from cfc_ref.cells.solvers import SOLVERS
from tests import bad
from tests.cells import toy_mode
from tests.compare import assert_close
from tests.export.networks import random_network

COUNT = 18
OTHERS = [
    *(
        LTC(2, 4, solver=name, ode_unfolds=12, seed=0, backend="numpy")
        for name, solver in SOLVERS.items()
        if solver.part
    ),
    CTRNN(2, 3, seed=0),
    NeuralLTC(2, 3, solver="rk4", seed=0, backend="numpy"),
]


@pytest.fixture(scope="module")
def onnx():
    return pytest.importorskip("onnx", reason="the package onnx is not installed")


@pytest.fixture(scope="module")
def runtime():
    return pytest.importorskip("onnxruntime", reason="the package onnxruntime is not installed")


def run(runtime, file, names, given):
    return runtime.InferenceSession(str(file), providers=["CPUExecutionProvider"]).run(names, given)


def assert_onnx(runtime, model, folder):
    """Compare a batch of sequences, from a state that is not 0."""
    rng = np.random.default_rng(0)
    step, sequence = export_onnx(model, folder / "network.onnx")
    x = rng.normal(size=(3, 7, model.input_size)).astype(np.float32)
    dt = rng.exponential(size=(3, 7)).astype(np.float32)
    dt[:, 2] = 0
    names = ("state", "memory")[: 1 + model.mixed_memory]
    state = {name: rng.uniform(-1, 1, (3, model.state_size)).astype(np.float32) for name in names}
    hx = tuple(state.values()) if model.mixed_memory else state["state"]
    ref, last = model(x, hx, dt)
    outputs = ["y", *(f"{name}_out" for name in names)]
    y, *new = run(runtime, sequence, outputs, {"x": x.swapaxes(0, 1).copy(), "dt": dt.T[..., None].copy(), **state})
    assert_close(y.swapaxes(0, 1), ref, 5e-6, 5e-6, np.float32)
    for got, part in zip(new, last if model.mixed_memory else [last], strict=True):
        assert_close(got, part, 5e-6, 5e-6, np.float32)
    first = model(x[:, :1], hx, dt[:, :1])[0]
    y, *_ = run(runtime, step, outputs, {"x": x[:, 0], "dt": dt[:, :1], **state})
    assert_close(y, first[:, 0], 5e-6, 5e-6, np.float32)


@pytest.mark.parametrize("k", range(COUNT))
def test_random_networks(onnx, runtime, tmp_path, k):
    assert_onnx(runtime, random_network(k), tmp_path)


@pytest.mark.parametrize("model", OTHERS, ids=repr)
def test_all_solvers_with_parts(onnx, runtime, tmp_path, model):
    assert_onnx(runtime, model, tmp_path)


def test_a_mode_needs_no_more_than_its_record(onnx, runtime, tmp_path, monkeypatch):
    monkeypatch.setitem(MODES, "toy", toy_mode.TOY)
    assert_onnx(runtime, CfC(2, 3, mode="toy", seed=0, backend="numpy"), tmp_path)


def test_opset_and_operators_are_stated(onnx, tmp_path):
    step, sequence = (onnx.load(file) for file in export_onnx(CfC(3, 4, seed=0), tmp_path / "a.onnx"))
    assert [(o.domain, o.version) for o in step.opset_import] == [("", 17)]
    kinds = [node.op_type for node in step.graph.node]
    assert kinds.count("Sigmoid") == 1  # the gate, although the specification writes it with exp
    assert kinds.count("MatMul") == 5
    assert [node.op_type for node in sequence.graph.node] == ["Scan"]


@pytest.mark.parametrize(
    "model", [None, CfC, LSTM(2, 3, seed=0), LTC(2, 3, seed=0, solver="scipy")], ids=lambda model: type(model).__name__
)
def test_models_without_onnx_are_refused(onnx, model, tmp_path):
    bad.refuses(export_onnx, "model", model, path=tmp_path / "new" / "a.onnx")
    assert not (tmp_path / "new").exists()


def test_an_operation_without_onnx_is_refused(onnx, monkeypatch, tmp_path):
    def forward(params, read, variant):
        return np.cosh(read.x), None

    monkeypatch.setitem(MODES, "toy", toy_mode.TOY._replace(forward=forward))
    bad.refuses(export_onnx, "model", CfC(2, 3, mode="toy", seed=0), path=tmp_path / "a.onnx")
    assert not list(tmp_path.iterdir())


def test_paths(onnx, tmp_path):
    (tmp_path / "file").write_text("")
    for path in (3, None, tmp_path / "file" / "a.onnx"):
        bad.refuses(export_onnx, "path", path, model=CfC(2, 3, seed=0))


def test_without_the_package_it_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr("cfc_ref.checks.installed", lambda package: False)
    with pytest.raises(ModuleNotFoundError, match=r"export_onnx: got an installation without onnx; .*pip install onnx"):
        export_onnx(CfC(2, 3, seed=0), tmp_path / "a.onnx")
