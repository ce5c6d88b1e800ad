"""Layers give what ncps computed once: outputs, states and gradients of the golden cases."""

import itertools

import numpy as np
import pytest

from cfc_ref.cells.cfc.modes import VARIANTS
from tests.golden import assert_gradients, assert_values, cases, layer_of, read

CFC = cases("cfc")
SETUPS = [read(path).setup for path in CFC]


@pytest.mark.parametrize("path", CFC, ids=lambda path: path.stem)
def test_a_cfc_gives_what_ncps_computed(path):
    case = read(path)
    layer = layer_of(case)
    tape = assert_values(layer, case, 1e-12)
    assert_gradients(layer, case, tape, 1e-10)
    assert_values(layer_of(case, "float32"), case, 1e-5)


def test_the_cases_of_cfc_cover_every_mode_depth_and_activation_of_ncps():
    plain = [s["arguments"] for s in SETUPS if s["variant"] == "torch" and s["wiring"] is None]
    depths = {(a.get("mode", "default"), a.get("backbone_layers", 1)) for a in plain}
    assert depths >= set(itertools.product(("default", "no_gate", "pure"), range(4)))
    used = {a["activation"] for a in plain if a.get("backbone_layers")}
    assert used == {"silu", "relu", "tanh", "gelu", "lecun_tanh"}
    assert {s["wiring"]["class"] for s in SETUPS if s["wiring"]} == {"NCP", "AutoNCP", "Random", "FullyConnected"}
    assert {s["variant"] for s in SETUPS} == set(VARIANTS) - {"tensorflow"}  # for which there is no package


@pytest.mark.parametrize("path", cases("cfc") + cases("ltc"), ids=lambda path: path.stem)
def test_a_golden_case_is_whole(path):
    case = read(path)
    masks = {key for key in case.weights if key.endswith("sparsity_mask")}
    assert case.setup["name"] == path.stem
    for there, d_there in ((case.given, case.d_given), (case.result, case.d_result), (case.weights, case.d_weights)):
        shapes = {name: array.shape for name, array in there.items() if name not in masks}
        assert {name: array.shape for name, array in d_there.items()} == shapes
        for array in (*there.values(), *d_there.values()):
            assert array.dtype == np.float64
            assert np.isfinite(array).all()
