"""Linear maps and the backbone, with and without dropout."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfc_ref.activations import ACTIVATIONS
from cfc_ref.cells.dense import Dense, affine, backbone, d_affine, d_backbone
from cfc_ref.cells.tree import leaves
from tests import naive
from tests.compare import assert_close
from tests.differences import assert_gradient

generators = st.integers(0, 99).map(np.random.default_rng)
widths = st.lists(st.integers(1, 4), min_size=1, max_size=4)  # of the input and of every layer


def maps(rng, widths, bias=True):
    return tuple(
        Dense(rng.normal(size=(outputs, inputs)), rng.normal(size=outputs) if bias else None)
        for inputs, outputs in zip(widths[:-1], widths[1:], strict=True)
    )


@given(generators, st.integers(0, 4), st.integers(1, 4), st.integers(1, 4), st.booleans())
def test_a_linear_map_and_its_gradients(rng, batch, inputs, outputs, bias):
    (params,) = maps(rng, [inputs, outputs], bias)
    u, d_z = rng.normal(size=(batch, inputs)), rng.normal(size=(batch, outputs))
    weights = {"W.weight": params.W.tolist(), **({"W.bias": params.b.tolist()} if bias else {})}
    ref = np.array([naive.affine(weights, "W", row) for row in u.tolist()]).reshape(batch, outputs)
    assert_close(affine(params, u), ref)
    d_params, d_u = d_affine(params, u, d_z)
    assert (d_params.b is None) == (not bias)
    for got, array in zip(leaves((d_params, d_u)), leaves((params, u)), strict=True):
        assert_gradient(got, lambda: np.sum(affine(params, u) * d_z), array)


@pytest.mark.parametrize("dropout", [False, True])
@pytest.mark.parametrize("name", ACTIVATIONS)
@given(rng=generators, widths=widths)
def test_a_backbone_and_its_gradients(name, dropout, rng, widths):
    layers, activation = maps(rng, widths), ACTIVATIONS[name]
    v, d_u = rng.normal(size=(3, widths[0])), rng.normal(size=(3, widths[-1]))
    factors = tuple(rng.choice([0.0, 2.0], (3, width)) if rng.random() < 0.7 else None for width in widths[1:])
    drop = factors if dropout else ()
    u = v.tolist()
    for k, layer in enumerate(layers):
        weights = {"W.weight": layer.W.tolist(), "W.bias": layer.b.tolist()}
        u = [[naive.NONLINEARITIES[name](z) for z in naive.affine(weights, "W", row)] for row in u]
        if drop and drop[k] is not None:
            u = (np.array(u) * drop[k]).tolist()
    got, kept = backbone(layers, v, activation, drop)
    assert_close(got, u)
    gradients = d_backbone(layers, v, kept, d_u, activation, drop)
    for got, array in zip(leaves(gradients), leaves((layers, v)), strict=True):
        assert_gradient(got, lambda: np.sum(backbone(layers, v, activation, drop)[0] * d_u), array)


def test_no_layers_hand_on_what_they_get():
    v = np.ones((2, 3))
    assert backbone((), v, ACTIVATIONS["silu"]) == (v, ())
    assert d_backbone((), v, (), 2 * v, ACTIVATIONS["silu"])[0] == ()
    assert_close(d_backbone((), v, (), 2 * v, ACTIVATIONS["silu"])[1], 2 * v)
