"""Products in register tiles: sizes that are no multiple of a tile, offsets, signs, and rows by themselves."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from cfc_ref.kernels.compiled import kernel
from cfc_ref.kernels.memory import aligned
from cfc_ref.kernels.packed import Weights, linear_at
from cfc_ref.kernels.products import _add_product, _d_linear, _linear, _panels
from tests.compare import assert_close
from tests.kernels.unjitted import compiled_only

SIZES = st.integers(1, 9) | st.sampled_from([16, 31, 32, 33, 64, 65, 100])
TOLERANCE = {np.float64: 1e-13, np.float32: 5e-6}


@kernel
def both_ways(W, V, at, sign, A, a, K, B, b, L, G, g, N, Z, z, D, dA, dB, zero):
    """The map, what its weights get, and what its two inputs get."""
    _linear(W, at, sign, A, a, K, B, b, L, Z, z, N)
    _d_linear(D, at, sign, A, a, K, B, b, L, G, g, N)
    _add_product(sign, G, g, N, V, at, dA, zero, K)
    _add_product(sign, G, g, N, V, at + N * _panels(V, K), dB, zero, L)


def run(case, rows=slice(None)):
    W, V, at, sign, (A, a, K), (B, b, L), (G, g, N), z = case
    A, B, G = (spare(array[rows]) for array in (A, B, G))
    Z = np.full((len(A), z + N + 2), 7, W.dtype)
    D, dA, dB = np.zeros_like(W), np.ones((len(A), K), W.dtype), np.ones((len(A), L), W.dtype)
    both_ways(W, V, at, W.dtype.type(sign), A, a, K, B, b, L, G, g, N, Z, z, D, dA, dB, 0)
    return Z, D, dA, dB


def spare(array):
    """A copy beyond whose end something other than numbers may be read."""
    copy = aligned((len(array) + 40, array.shape[1]), array.dtype)
    copy[...] = np.nan
    copy[: len(array)] = array
    return copy[: len(array)]


@st.composite
def cases(draw):
    dtype, rng = draw(st.sampled_from(sorted(TOLERANCE, key=str))), np.random.default_rng(draw(st.integers(0, 999)))
    rows, K, L, N = draw(st.integers(1, 11)), draw(SIZES), draw(st.just(0) | SIZES), draw(SIZES)
    M, bias = rng.normal(size=(N, K + L)).astype(dtype), rng.normal(size=N).astype(dtype)
    packed = [Weights(backward) for backward in (False, True)]
    for weights in packed:
        weights.place(bias)
    at, same = (weights.linear(M, bias, K) for weights in packed)
    assert at == same
    W, V = (weights.array(np.dtype(dtype)) for weights in packed)
    assert W.shape == V.shape
    before = [draw(st.sampled_from([0, 1, 16])) for _ in range(4)]
    read = [rng.normal(size=(rows, n + size + 1)).astype(dtype) for n, size in zip(before, (K, L, N), strict=False)]
    sign, (A, B, G), (a, b, g, z) = draw(st.sampled_from([1, -1])), read, before
    return (W, V, at, sign, (A, a, K), (B, b, L), (G, g, N), z), M, bias


@settings(max_examples=60)
@given(cases())
def test_a_map_and_its_backward_equal_numpys(of):
    case, M, bias = of
    W, _, at, sign, (A, a, K), (B, b, L), (G, g, N), z = case
    (Z, D, dA, dB), rows = run(case), len(A)
    inputs, d = np.concatenate([A[:, a : a + K], B[:, b : b + L]], axis=1).astype(float), G[:, g : g + N].astype(float)
    room = [TOLERANCE[W.dtype.type] * (rows + K + L + N)] * 2
    assert_close(Z[:, z : z + N], bias + sign * inputs @ M.T.astype(float), *room)
    assert (Z[:, :z] == 7).all()
    assert (Z[:, z + N :] == 7).all()
    dM, d_bias = linear_at(D, at, K + L, N)
    assert_close(dM, sign * d.T @ inputs, *room)
    assert_close(d_bias, d.sum(axis=0), *room)
    assert_close(np.abs(D).sum(), np.abs(dM).sum() + np.abs(d_bias).sum(), *room)  # nothing beside it is written
    assert_close(np.concatenate([dA, dB], axis=1), 1 + sign * d @ M, *room)


@compiled_only
@settings(max_examples=20)
@given(cases())
def test_a_rows_bits_are_its_own(of):
    case, _, _ = of
    whole, rows = run(case), len(case[4][0])
    for i in {0, rows // 2, rows - 1}:
        alone = run(case, slice(i, i + 1))
        for k in (0, 2, 3):
            np.testing.assert_array_equal(whole[k][i : i + 1], alone[k])
