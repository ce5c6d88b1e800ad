"""Training for contraction: the bound holds after each step, by the nearest matrix; other models are refused."""

import numpy as np
import pytest

from cfc_ref import LTC, CfC, bounds, fit, wirings
from cfc_ref.bounds.contraction import contract
from tests import bad
from tests.compare import assert_close

RNG = np.random.default_rng(0)
X, DT = RNG.normal(size=(16, 9, 2)), RNG.uniform(0.3, 2.0, size=(16, 9))
Y = np.cumsum(X[..., :1], axis=1) / 3
MASK = np.arange(9) < np.where(np.arange(16) % 2, 9, 6)[:, None]
SHORT = {"loss": "mse", "optimizer": "adam", "epochs": 2, "batch_size": 8, "progress": False}


def euclidean(model, times=1.0):
    return bounds.lipschitz(model, times, norm="euclidean")


@pytest.mark.parametrize("layers", [0, 1, 2])
@pytest.mark.parametrize("variant", ["torch", "tensorflow"])
def test_the_constant_holds_for_the_timespans_of_the_data(layers, variant):
    model = CfC(2, 6, proj_size=1, backbone_units=12, backbone_layers=layers, variant=variant, seed=0, backend="numpy")
    assert euclidean(model) > 0.95
    long = np.where(MASK, DT, 50.0)  # a masked step's timespan does not count
    fit(model, (X, Y, long, MASK), contraction=0.95, **SHORT)
    between = np.linspace(DT[MASK].min(), DT[MASK].max(), 5)
    assert 0.9 < euclidean(model, between) <= 0.95
    assert bounds.rounding(model, (-4, 4), (between[0], between[-1])).for_ever < 0.1


def test_the_backbone_becomes_the_nearest_matrix_with_that_norm():
    model = CfC(2, 6, backbone_units=12, dtype="float64", seed=0, backend="numpy")
    W = model.parameters["rnn_cell.backbone.0.weight"]
    before, constant, allowed = W.copy(), euclidean(model), 0.6 * np.linalg.norm(W[:, 2:], 2)
    contract(model.weights.network, (1.0, 1.0), model.settings, 0.6 * constant)
    assert_close(W[:, :2], before[:, :2], 0, 0)
    left, values, right = np.linalg.svd(before[:, 2:], full_matrices=False)
    assert_close(
        W[:, 2:], left * np.minimum(values, allowed) @ right, 1e-4, 2e-5
    )  # a share of 1e-5 is left for rounding
    assert (values < allowed).any()  # those stay
    after = W.copy()
    contract(model.weights.network, (1.0, 1.0), model.settings, 0.7 * constant)
    assert_close(W, after, 0, 0)


@pytest.mark.parametrize(
    "model",
    [
        LTC(2, 3, seed=0, proj_size=1),
        CfC(2, 3, mode="pure", proj_size=1, seed=0),
        CfC(2, 3, variant="keras", proj_size=1, seed=0),
        CfC(2, 3, mixed_memory=True, proj_size=1, seed=0),
        CfC(2, wirings.AutoNCP(7, 1), seed=0),
    ],
    ids=repr,
)
def test_models_without_such_a_constant_are_refused(model):
    bad.refuses(fit, "contraction", 0.9, model=model, data=(X, Y), **SHORT)


def test_bad_bounds_are_refused():
    for value in (0, -1.0, np.nan, "0.9", True):
        bad.refuses(fit, "contraction", value, model=CfC(2, 3, proj_size=1, seed=0), data=(X, Y), **SHORT)
