r"""Weight initialisation of the reference implementation that `variant` selects; the random numbers are not the same.

PyTorch (ncps): Glorot for a cell's arrays of two axes, w_τ and A included; biases, and the projection's weights,
uniform in ±1/√inputs; the LSTM's bias uniform in ±0.1. TensorFlow and Keras: Glorot, biases 0, w_τ = 0, A = 1. In all
of them an LSTM's recurrent map is orthogonal.
The printed forms have no published code: Glorot everywhere.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from cfc_ref import checks
from cfc_ref.arrays import Array
from cfc_ref.cells.cfc.modes import MODES

__all__ = ["generator", "glorot", "initialise_cfc", "initialise_recurrent", "orthogonal"]


def generator(seed: Any) -> np.random.Generator:
    """Return the generator of a `seed` argument."""
    if seed is not None and not isinstance(seed, np.random.Generator):
        seed = checks.count("seed", seed)
    return np.random.default_rng(seed)


def glorot(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    r"""Draw uniformly in :math:`\pm\sqrt{6/(n_{in} + n_{out})}` (Glorot & Bengio, AISTATS 2010)."""
    limit = np.sqrt(6 / sum(shape))
    return rng.uniform(-limit, limit, shape)


def orthogonal(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Draw an array with orthonormal columns (or rows, where there are fewer of them)."""
    tall = rng.standard_normal((max(shape), min(shape)))
    Q, R = np.linalg.qr(tall)
    Q = Q * np.sign(np.diag(R))  # makes the distribution uniform
    return Q if shape[0] >= shape[1] else Q.T


def initialise_cfc(arrays: dict[str, Array], mode: str, variant: str, rng: np.random.Generator) -> None:
    """Write fresh weights into the arrays of a CfC layer, by name; masks stay."""
    torch, fixed = variant == "torch", MODES[mode].initial
    for key, array in arrays.items():
        owner, _, name = key.rpartition(".")
        if name == "sparsity_mask":
            continue
        if name == "bias":
            weight = arrays[f"{owner}.weight"]
            limit = 0.1 if owner == "lstm.input_map" else 1 / np.sqrt(weight.shape[1])
            array[...] = rng.uniform(-limit, limit, array.shape) if torch else 0
        elif owner == "lstm.recurrent_map":
            array[...] = orthogonal(rng, array.shape)
        elif owner == "fc" and torch:
            limit = 1 / np.sqrt(array.shape[1])
            array[...] = rng.uniform(-limit, limit, array.shape)
        elif name in fixed and not torch:
            array[...] = fixed[name]
        else:
            array[...] = glorot(rng, array.shape)


def initialise_recurrent(arrays: dict[str, Array], rng: np.random.Generator) -> None:
    """Write fresh weights into the arrays of an LSTM's or a CT-RNN's cell by name, like the code of ODE-LSTMs."""
    fixed = {"bias": 0, "scale": 1}
    for key, array in arrays.items():
        name = key.rpartition(".")[2]
        if name in fixed:
            array[...] = fixed[name]
        else:
            draw = orthogonal if "recurrent" in key else glorot
            array[...] = draw(rng, array.shape)
