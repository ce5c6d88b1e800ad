"""Certificates of int8 steps hold in random trials and gradient searches, and for ever where the step contracts."""

import math

import numpy as np
import pytest

from cfc_ref import CfC, bounds
from tests.bounds.int8_trials import DT, MODELS, X, contracting, run, search


@pytest.mark.parametrize("name", MODELS)
def test_nothing_is_outside(name):
    """The command ``python -m tests.bounds.int8_trials`` makes 100,000 trials."""
    model = MODELS[name]()
    certificate = bounds.rounding(model, X, DT, "int8")
    state, output = search(model, np.random.default_rng(1), 60, 5)
    assert 0 < state <= certificate.step
    assert 0 < output <= certificate.output
    assert certificate.step > bounds.rounding(model, X, DT).step


def test_a_run_of_a_contracting_network_stays_within_its_bound():
    model = contracting()
    certificate = bounds.rounding(model, X, DT, "int8")
    assert certificate.step < certificate.for_ever < 2  # the width of the box
    state, output = run(model, np.random.default_rng(0), 5, 60)
    assert 0 < state <= certificate.for_ever
    assert 0 < output <= certificate.output_for_ever


def test_it_says_something_of_the_states_that_int8_tells_apart():
    """A bound is below the width of the box, and at least half a step of the grid."""
    certificate = bounds.rounding(contracting(), X, DT, "int8")
    assert 1 / 254 < certificate.step < 0.4
    assert "for ever: state" in str(certificate)


@pytest.mark.parametrize("mode", ["default", "no_gate"])
def test_heads_without_a_bound_have_one_by_their_features(mode):
    model = CfC(2, 3, mode=mode, variant="keras", backbone_units=4, seed=0)
    assert math.isfinite(bounds.rounding(model, X, DT, "int8").step)
    with pytest.raises(ValueError, match="no proved range"):
        bounds.rounding(CfC(2, 3, mode=mode, variant="keras", activation="relu", seed=0), X, DT, "int8")
