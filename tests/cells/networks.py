"""Random networks of both equations, for the solvers and for the oracle."""

from functools import partial
from typing import Any, NamedTuple

import numpy as np

from cfc_ref.cells.dense import Dense
from cfc_ref.cells.ltc.neural import NEURAL, NeuralLTCParams
from cfc_ref.cells.ltc.synapses import LTCParams, synaptic
from cfc_ref.cells.tree import leaves, tree_map
from tests import naive_ltc

FORMS = ("synaptic", "neural")


class Problem(NamedTuple):
    """A network and one time step's arguments."""

    equation: Any
    params: Any
    I: Any
    x: Any
    dt: Any
    oracle: Any  # from I and x of one sample to (C, G, Q) of every neuron
    box: Any  # by the oracle: (low, high) of every neuron

    def sums(self, b):
        """The oracle's sums of sample b."""
        return partial(self.oracle, self.I[b].tolist())


def draw_synaptic(rng, inputs, units, missing=0.3, dtype="float64"):
    def synapses(pre):
        w = rng.uniform(0.1, 1, (pre, units)) * (rng.random((pre, units)) >= missing)
        return w, rng.uniform(2, 5, w.shape), rng.uniform(-0.5, 0.8, w.shape), rng.choice([-1.0, 1.0], w.shape) * 1.1

    leak = rng.uniform(0.1, 1, units), rng.uniform(-0.3, 0.3, units), rng.uniform(0.4, 1.5, units)
    return tree_map(lambda array: array.astype(dtype), LTCParams(*leak, *synapses(units), *synapses(inputs)))


def draw_neural(rng, inputs, units, dtype="float64"):
    f = Dense(rng.normal(size=(units, inputs + units)), rng.normal(size=units))
    params = NeuralLTCParams(f, rng.uniform(0.2, 1.5, units), rng.normal(size=units))
    return tree_map(lambda array: array.astype(dtype), params)


def draw(kind, rng, inputs=3, units=4, batch=2, epsilon=0.0, dtype="float64"):
    if kind == "synaptic":
        equation, params = synaptic(epsilon), draw_synaptic(rng, inputs, units, dtype=dtype)
        named = {name: array.tolist() for name, array in params._asdict().items()}
        oracle, box = partial(naive_ltc.synaptic, named, epsilon=epsilon), naive_ltc.synaptic_box(named, epsilon)
    else:
        equation, params = NEURAL, draw_neural(rng, inputs, units, dtype=dtype)
        f, w_tau, A = params
        named = {"W": f.W.tolist(), "b": f.b.tolist(), "w_tau": w_tau.tolist(), "A": A.tolist()}
        oracle, box = partial(naive_ltc.neural, named), naive_ltc.neural_box(named)
    arrays = rng.normal(size=(batch, inputs)), rng.uniform(-1, 1, (batch, units)), rng.uniform(0.1, 1.5, (batch, 1))
    return Problem(equation, params, *(array.astype(dtype) for array in arrays), oracle, box)


def largest(*trees):
    return max(float(np.max(np.abs(leaf), initial=0)) for leaf in leaves(tuple(trees)))
