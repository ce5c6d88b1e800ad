r"""Fresh weights, as the code whose variant a layer is draws them (from another random generator, so not its numbers).

PyTorch (ncps): Glorot for a cell's arrays of two axes, w_τ and A included; biases, and the projection's weights,
uniform in ±1/√inputs; the LSTM's bias uniform in ±0.1. TensorFlow and Keras: Glorot, biases 0, w_τ = 0, A = 1. In all
of them an LSTM's recurrent map is orthogonal.
The printed forms have no code to follow: Glorot everywhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cfc_ref import checks

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]

__all__ = ["generator", "glorot", "initialise_cfc", "initialise_recurrent", "orthogonal"]


def generator(seed: Any) -> np.random.Generator:
    """Return the generator of a `seed` argument.

    Parameters
    ----------
    seed : None, int, or numpy Generator
        None draws a fresh seed; a generator is used as it is.

    Raises
    ------
    ValueError, TypeError
        For anything else.

    Examples
    --------
    >>> generator(0).integers(10)
    np.int64(8)
    """
    if seed is not None and not isinstance(seed, np.random.Generator):
        seed = checks.count("seed", seed)
    return np.random.default_rng(seed)


def glorot(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    r"""Draw uniformly in :math:`\pm\sqrt{6/(n_{in} + n_{out})}` (Glorot & Bengio, AISTATS 2010).

    Parameters
    ----------
    rng : numpy Generator
        Draws.
    shape : (outputs, inputs)
        Of the array.

    Examples
    --------
    >>> bool(np.abs(glorot(generator(0), (2, 4))).max() <= 1)
    True
    """
    limit = np.sqrt(6 / sum(shape))
    return rng.uniform(-limit, limit, shape)


def orthogonal(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Draw an array with orthonormal columns (or rows, where there are fewer of them).

    Parameters
    ----------
    rng : numpy Generator
        Draws.
    shape : (outputs, inputs)
        Of the array.

    Examples
    --------
    >>> Q = orthogonal(generator(0), (8, 2))
    >>> bool(np.allclose(Q.T @ Q, np.eye(2)))
    True
    """
    tall = rng.standard_normal((max(shape), min(shape)))
    Q, R = np.linalg.qr(tall)
    Q = Q * np.sign(np.diag(R))  # makes the distribution uniform
    return Q if shape[0] >= shape[1] else Q.T


def initialise_cfc(arrays: dict[str, Array], mode: str, variant: str, rng: np.random.Generator) -> None:
    """Write fresh weights into the arrays of a CfC layer, by name; masks stay.

    Parameters
    ----------
    arrays : dict
        Arrays by ncps's PyTorch names, each weight with its bias.
    mode, variant : str
        Of the layer.
    rng : numpy Generator
        Draws.

    Examples
    --------
    >>> arrays = {"rnn_cell.ff1.weight": np.empty((2, 3)), "rnn_cell.ff1.bias": np.empty(2)}
    >>> initialise_cfc(arrays, "default", "keras", generator(0))
    >>> arrays["rnn_cell.ff1.bias"]
    array([0., 0.])
    """
    torch = variant == "torch"
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
        elif name in ("w_tau", "A") and mode == "pure" and not torch:
            array[...] = {"w_tau": 0, "A": 1}[name]
        else:
            array[...] = glorot(rng, array.shape)


def initialise_recurrent(arrays: dict[str, Array], rng: np.random.Generator) -> None:
    """Write fresh weights into the arrays of an LSTM's or a CT-RNN's cell, by name, as the ODE-LSTM code does.

    Glorot from the input, orthogonal from the state, biases 0, a scale of 1.

    Parameters
    ----------
    arrays : dict
        Arrays by name.
    rng : numpy Generator
        Draws.

    Examples
    --------
    >>> arrays = {"rnn_cell.recurrent_map.weight": np.empty((4, 1)), "rnn_cell.input_map.bias": np.empty(4)}
    >>> initialise_recurrent(arrays, generator(0))
    >>> round(float(np.sum(arrays["rnn_cell.recurrent_map.weight"] ** 2)), 12), arrays["rnn_cell.input_map.bias"]
    (1.0, array([0., 0., 0., 0.]))
    """
    fixed = {"bias": 0, "scale": 1}
    for key, array in arrays.items():
        name = key.rpartition(".")[2]
        if name in fixed:
            array[...] = fixed[name]
        else:
            draw = orthogonal if "recurrent" in key else glorot
            array[...] = draw(rng, array.shape)
