"""Fresh weights: their ranges, what is 0, and that a seed decides them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfc_ref import CfC, wirings
from cfc_ref.layers.initial import generator, glorot, orthogonal
from tests import bad
from tests.compare import assert_close
from tests.layers.strategies import MODES, VARIANTS

PLAIN = {"proj_size": 20, "mixed_memory": True, "backbone_units": 40, "backbone_layers": 2}


def fills(array, limit):
    """Whether the numbers look uniform in ± limit."""
    inside = np.abs(array).max() <= limit * (1 + 1e-6)
    return (
        inside
        and np.abs(array).max() > (1 - 8 / array.size) * limit
        and abs(array.mean()) < limit * 2.5 / array.size**0.5
    )


def glorot_limit(array):
    return np.sqrt(6 / (array.shape[0] + array.shape[1]))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("variant", VARIANTS)
def test_ranges(mode, variant):
    weights = CfC(10, 30, mode=mode, variant=variant, **PLAIN, seed=5).parameters
    for key, array in weights.items():
        owner, _, name = key.rpartition(".")
        if name in ("w_tau", "A", "B"):
            if mode == "pure" and variant != "torch":
                assert_close(array, np.full((1, 30), {"w_tau": 0, "A": 1}[name]), 0, 0)
            else:
                assert fills(array, glorot_limit(array)), key
        elif owner == "lstm.recurrent_map":
            assert_close(array.astype(np.float64).T @ array, np.eye(30), 1e-6, 1e-6)
        elif name == "weight":
            limit = 1 / np.sqrt(array.shape[1]) if owner == "fc" and variant == "torch" else glorot_limit(array)
            assert fills(array, limit), key
        elif variant != "torch":
            assert not array.any(), key
        elif owner == "lstm.input_map":
            assert fills(array, 0.1), key
        else:
            assert fills(array, 1 / np.sqrt(weights[f"{owner}.weight"].shape[1])), key


@pytest.mark.parametrize("wiring", [None, wirings.NCP(5, 4, 3, 2, 2, 2, 2)], ids=["plain", "wired"])
@pytest.mark.parametrize("mode", MODES)
def test_a_seed_decides_every_number(wiring, mode):
    def drawn(seed, dtype="float32"):
        options = {"mixed_memory": True} if wiring else PLAIN
        return CfC(3, wiring or 4, mode=mode, **options, seed=seed, dtype=dtype).parameters

    one, again, other, double = drawn(7), drawn(np.random.default_rng(7)), drawn(8), drawn(7, "float64")
    assert sum(array.size for array in one.values()) > 300
    for key, array in one.items():
        assert_close(again[key], array, 0, 0, np.float32)
        assert_close(double[key].astype(np.float32), array, 0, 0)
        assert np.mean(other[key] == array) < 0.01, key


def test_without_a_seed_every_layer_is_another():
    one, other = (CfC(2, 3).parameters["rnn_cell.ff1.weight"] for _ in range(2))
    assert (one != other).all()


def test_a_generator_is_drawn_from_and_goes_on():
    rng = np.random.default_rng(0)
    one, other = (CfC(2, 3, seed=rng).parameters["rnn_cell.ff1.weight"] for _ in range(2))
    assert (one != other).all()
    assert_close(one, CfC(2, 3, seed=0).parameters["rnn_cell.ff1.weight"], 0, 0)


@pytest.mark.parametrize("seed", [-1, 1.0, True, "1", [1], np.random.RandomState(0), np.random.SeedSequence(0)])
def test_seeds_that_are_refused(seed):
    bad.refuses(lambda seed: CfC(2, 3, seed=seed), "seed", seed)


@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 99))
def test_orthogonal(outputs, inputs, seed):
    Q = orthogonal(generator(seed), (outputs, inputs))
    assert Q.shape == (outputs, inputs)
    assert_close(Q @ Q.T if outputs < inputs else Q.T @ Q, np.eye(min(Q.shape)))


def test_orthogonal_matrices_prefer_no_direction():
    draws = np.array([orthogonal(generator(seed), (3, 2)) for seed in range(2000)])
    assert_close(draws.mean(axis=0), np.zeros((3, 2)), 0, 0.05)
    assert_close((draws**2).mean(axis=0), np.full((3, 2), 1 / 3), 0, 0.03)


def test_glorot():
    assert fills(glorot(generator(0), (300, 100)), np.sqrt(6 / 400))
