"""Layers whose time runs backwards, against those whose time does not."""

import numpy as np
import pytest

import cfc_ref
from cfc_ref import LTC, CfC
from cfc_ref.layers.backward_clock import BackwardCfC, BackwardLTC
from tests.compare import assert_close
from tests.differences import central

RNG = np.random.default_rng(0)
X, DT = RNG.normal(size=(3, 5, 2)), RNG.uniform(0, 0.9, size=(3, 5))
MASK = np.arange(5) < np.array([[5], [2], [4]])


def test_with_gates_it_is_the_network_with_other_weights():
    layer, turned = (
        kind(2, 4, backbone_units=5, dtype="float64", seed=0, backend="numpy") for kind in (CfC, BackwardCfC)
    )
    for name in ("rnn_cell.time_a.weight", "rnn_cell.time_a.bias"):
        turned.parameters[name] *= -1
    assert_close(turned(X, timespans=DT, mask=MASK)[0], layer(X, timespans=DT, mask=MASK)[0])


@pytest.mark.parametrize("backend", ["numpy", "auto"])
def test_pure_grows_where_it_should_decay(backend):
    layer = BackwardCfC(2, 4, mode="pure", backbone_layers=0, dtype="float32", seed=0, backend=backend)
    p, h = layer.parameters, np.zeros((3, 4))
    for k in range(5):
        f = np.concatenate([X[:, k], h], axis=1) @ p["rnn_cell.ff1.weight"].T + p["rnn_cell.ff1.bias"]
        growth = np.exp(DT[:, k, None] * (np.abs(p["rnn_cell.w_tau"]) + np.abs(f)))
        h = np.where(MASK[:, k, None], p["rnn_cell.A"] - p["rnn_cell.A"] * growth * f, h)
    assert_close(layer(X, timespans=DT, mask=MASK)[1], h.astype(np.float32), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("solver", ["fused", "rk4"])
def test_an_ltc_sees_1_minus_its_timespans(solver):
    layer, turned = (kind(2, 4, solver=solver, seed=0, backend="numpy") for kind in (LTC, BackwardLTC))
    assert_close(turned(X, timespans=DT, mask=MASK)[0], layer(X, timespans=1 - DT, mask=MASK)[0], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", [BackwardCfC, BackwardLTC])
def test_gradients_are_central_differences_and_files_hold_it(kind, tmp_path):
    settings = {"mode": "pure", "backbone_units": 3} if kind is BackwardCfC else {}
    model = kind(2, 3, dtype="float64", seed=0, backend="numpy", **settings)
    dt, weight = DT.copy(), RNG.normal(size=(3, 5, 3))

    def loss():
        return float((model(X, timespans=dt)[0] * weight).sum())

    got = model.backward(model.forward(X, timespans=dt)[2], weight)
    assert_close(got.timespans, central(loss, dt), rtol=1e-6, atol=1e-8)
    for name, array in model.parameters.items():
        assert_close(got.parameters[name], central(loss, array), rtol=1e-5, atol=1e-7)
    cfc_ref.save(tmp_path / "model.npz", model)
    same = cfc_ref.load(tmp_path / "model.npz", backend="numpy")
    assert type(same) is kind
    assert_close(same(X, timespans=dt)[0], model(X, timespans=dt)[0])
    step = model.stepper()
    assert_close(np.array([step(x, t) for x, t in zip(X[0], dt[0], strict=True)]), model(X[0], timespans=dt[0])[0])
