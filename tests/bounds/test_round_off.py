"""Certificates of rounding hold in random trials and gradient searches; intervals with errors hold what is computed."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfc_ref import LSTM, LTC, CfC, NeuralLTC, bounds
from cfc_ref.activations import ACTIVATIONS, sigmoid
from cfc_ref.bounds.ranged import Ranged
from tests import bad
from tests.bounds.rounding_trials import DT, NETWORKS, X, search
from tests.export.networks import in_float64

UNIT = 2.0**-24


@pytest.mark.parametrize("name", NETWORKS)
def test_nothing_is_outside(name):
    """The command ``python -m tests.bounds.rounding_trials`` makes 100,000 trials."""
    model = NETWORKS[name]()
    certificate = bounds.rounding(model, X, DT)
    state, output = search(model, np.random.default_rng(1), 60, 5)
    assert 0 < state <= certificate.step
    assert 0 < output <= certificate.output


OPERATIONS = {
    "sigmoid": lambda z: sigmoid(z),
    "product": lambda z: z * sigmoid(z),
    "quotient": lambda z: 1 / (2 + np.exp(-np.abs(z))),
    "expm1": lambda z: np.expm1(-np.abs(z)),
    "difference": lambda z: 3 - z[:, :1] * z,
    "sum": lambda z: (z[:, :, None] * z[:, None, :]).sum(axis=1),
    "matrix": lambda z: z @ np.array([[1.0, -2.0], [0.3, 1e-3]], z.dtype if type(z) is np.ndarray else float),
    "parts": lambda z: np.concatenate(np.split(z, [1], axis=1)[::-1], axis=1),
    **{name: activation.value for name, activation in ACTIVATIONS.items()},
}


@given(st.sampled_from(sorted(OPERATIONS)), st.integers(0, 10**6), st.sampled_from([0.01, 1.0, 20.0]))
def test_an_operation_stays_in_its_interval_and_its_error(name, seed, size):
    rng, function = np.random.default_rng(seed), OPERATIONS[name]
    ends = np.sort(rng.normal(scale=size, size=(2, 2)).astype(np.float32), axis=0).astype(float)
    moved = rng.choice([0.0, 1e-4])
    ranged = function(Ranged.of(*ends, moved, UNIT))
    exact = rng.uniform(*ends, (200, 2))
    computed = (exact + rng.uniform(-moved, moved, exact.shape)).astype(np.float32)
    exact = computed.astype(float) if not moved else exact
    exact = np.clip(exact, *ends)
    value = function(exact)
    around = 1e-12 * (1 + ranged.largest)  # float64 rounds as well
    assert (ranged.low - around <= value).all()
    assert (value <= ranged.high + around).all()
    slack = 1e-12 + (UNIT * np.abs(exact).max() if moved else 0) * 50  # float32 rounds the arguments too
    assert (np.abs(function(computed) - value) <= ranged.error + slack).all()


def contracting():
    """A CfC whose Euclidean constant is below 1."""
    model = CfC(2, 6, backbone_units=8, proj_size=1, seed=0, backend="numpy")
    model.parameters["rnn_cell.backbone.0.weight"][:, 2:] *= 0.05
    return model


def test_a_run_of_a_contracting_network_stays_within_its_bound():
    model = contracting()
    certificate = bounds.rounding(model, X, DT)
    assert certificate.lipschitz < 1
    assert certificate.step / (1 - certificate.lipschitz) <= certificate.for_ever < math.inf
    rng = np.random.default_rng(0)
    x, dt = rng.uniform(*X, (4, 400, 2)).astype(np.float32), rng.uniform(*DT, (4, 400)).astype(np.float32)
    y, h = model(x, timespans=dt)
    y64, h64 = in_float64(model)(x.astype(float), timespans=dt.astype(float))
    assert np.abs(h - h64).max() <= certificate.for_ever
    assert np.abs(y - y64).max() <= certificate.output_for_ever
    assert "for ever: state" in str(certificate)


def test_without_contraction_there_is_none_beyond_one_step():
    certificate = bounds.rounding(CfC(2, 6, seed=0), X, DT)
    assert certificate.lipschitz > 1
    assert certificate.for_ever == certificate.output_for_ever == math.inf
    assert "no certificate beyond one step (Lipschitz constant" in str(certificate)


def test_the_constant_is_one_of_pairs_of_states():
    for name in ("no_gate", "paper_pure", "wired", "neural"):
        model = in_float64(NETWORKS[name]())
        rho, rng = bounds.rounding(model, X, DT).lipschitz, np.random.default_rng(2)
        x, dt = rng.uniform(*X, (300, 1, 2)), rng.uniform(*DT, (300, 1))
        one, other = rng.uniform(-0.1, 0.1, (2, 300, model.state_size))
        moved = np.abs(model(x, one, dt)[1] - model(x, other, dt)[1]).max(axis=1)
        assert (moved <= rho * np.abs(one - other).max(axis=1)).all()


def test_a_frozen_step_errs_as_little_as_others():
    """Its rates are cut at the largest number, whose own rounding is no error of theirs."""
    assert bounds.rounding(NETWORKS["frozen"](), X, DT).step < 1e-3


def test_float64_errs_less():
    single, double = (bounds.rounding(NETWORKS["deep"](), X, DT, dtype) for dtype in ("float32", "float64"))
    assert double.step < 1e-3 * single.step


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("model", None),
        ("model", LSTM(2, 3, seed=0)),
        ("model", CfC(2, 3, mixed_memory=True, seed=0)),
        ("model", CfC(2, 3, variant="keras", seed=0)),
        ("model", LTC(2, 3, solver="scipy", seed=0)),
        *(("model", NeuralLTC(2, 3, solver=solver, seed=0)) for solver in ("cf4", "euler", "rk4")),
        ("model", LTC(2, 3, step=0.5, seed=0)),
        *(("x_range", value) for value in (None, 1.0, (1, 0), (0, math.nan), (0, [1, 2, 3]), (0, 1, 2), (0, 1e39))),
        *(("dt_range", value) for value in (None, 1.0, (2, 1), (-1, 1), (0, math.inf), ("0", 1), (0, 1e39))),
        *(("dtype", value) for value in ("int4", "float16", None, 3)),
    ],
)
def test_refusals(argument, value):
    others = {"model": CfC(2, 3, seed=0), "x_range": X, "dt_range": DT}
    bad.refuses(bounds.rounding, argument, value, **others)


def test_refusals_name_the_cause():
    for value, cause in (("cf4", "got solver 'cf4'; expected one of 'fused', 'frozen'"), ("rk4", "got solver 'rk4'")):
        with pytest.raises(ValueError, match=cause):
            bounds.rounding(LTC(2, 3, solver=value, seed=0), X, DT)
    with pytest.raises(TypeError, match="got tuple of 3"):
        bounds.rounding(CfC(2, 3, seed=0), X, (0, 1, 2))


def test_mode_pure_has_no_box_at_0():
    bad.refuses(bounds.rounding, "model", CfC(2, 3, mode="pure", seed=0), x_range=X, dt_range=(0, 1))
