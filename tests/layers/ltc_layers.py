"""One table of LTC layers, of both kinds, with weights that leave nothing at 0."""

import zlib
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from cfc_ref import LTC, NeuralLTC, wirings
from cfc_ref.cells.solvers import SOLVERS
from tests import naive_ltc
from tests.layers.strategies import inputs_for

KINDS = {"LTC": LTC, "NeuralLTC": NeuralLTC}
FIXED = [name for name, solver in SOLVERS.items() if solver.part]
FEATURES = 2
UNFOLDS = {"euler": 20, "rk4": 10}  # short enough parts for the explicit solvers, of the others 4


def _own(sensory):
    j, i = np.indices((4, 4))
    return wirings.Wiring((j + 2 * i) % 3 - 1, sensory, 2, layers=[[3, 1], [2, 0]])


STRUCTURES: dict[str, dict[str, Any]] = {
    "dense": {"units": 3},
    "one": {"units": 1, "implicit_param_constraints": False},
    "ncp": {"units": wirings.NCP(2, 2, 1, 2, 2, 2, 2), "proj_size": 3},
    "own": {"units": _own([[1, 0, -1, 0], [0, 1, 1, 0]]), "implicit_param_constraints": False},
    "memory": {"units": 2, "mixed_memory": True, "proj_size": 1},
    "ncp memory": {"units": wirings.NCP(2, 1, 1, 1, 1, 1, 1), "mixed_memory": True},
}
MAPPINGS = {  # of LTC alone
    "dense": {"input_mapping": "linear", "output_mapping": None},
    "own": {"input_mapping": "none", "output_mapping": "linear", "epsilon": 0.2},
}


class Config(NamedTuple):
    """One layer of the table."""

    kind: str
    solver: str
    structure: str

    def __str__(self):
        return "-".join(self)

    @property
    def arguments(self):
        made = {"input_size": FEATURES, "solver": self.solver, **STRUCTURES[self.structure]}
        if self.kind == "LTC":
            made.update(MAPPINGS.get(self.structure, {}))
        return made if self.solver == "scipy" else {**made, "ode_unfolds": UNFOLDS.get(self.solver, 4)}

    @property
    def rng(self):
        return np.random.default_rng(zlib.crc32(str(self).encode()))


CONFIGS = [Config(k, s, t) for k in KINDS for s in FIXED for t in STRUCTURES]
FEW = [config for n, config in enumerate(CONFIGS) if n % 3 == n // 6 % 3]  # each solver and structure of each kind
configs, seeds = st.sampled_from(CONFIGS), st.integers(0, 99)
shapes = st.sampled_from([(1, 1), (2, 2), (3, 3), (1, 4), (2, 3), (3, 1)])


def make(config, dtype="float64", **others):
    """A layer of the table, with random weights in all its arrays; every other one computes in NumPy."""
    backend = ("numpy", "auto")[zlib.crc32(str(config).encode()) % 2]
    layer = KINDS[config.kind](**{"backend": backend, **config.arguments, **others}, dtype=dtype, seed=0)
    rng = config.rng
    for key, array in layer.parameters.items():
        name = key.rpartition("_")[2].rpartition(".")[2]
        low, high = (1.0, 4.0) if name == "sigma" else (0.2, 1.0)
        sign = 1 if name in ("w", "cm", "gleak", "tau") else rng.choice([-1.0, 1.0], array.shape)
        array[...] = sign * rng.uniform(low, high, array.shape)
    return layer


def twin(layer, **options):
    """A layer with the same weights, and other options."""
    other = type(layer)(**{**layer.config, **options}, units=layer.wiring or layer.state_size, backend=layer.backend)
    other.load_state_dict(layer.state_dict())
    return other


def oracle_of(config, layer):
    """What the oracle has to know besides the weights; the number of outputs from the table, not from the layer."""
    units = STRUCTURES[config.structure]["units"]
    outputs = units.output_dim if isinstance(units, wirings.Wiring) else units
    made = config.arguments
    implicit, epsilon = made.get("implicit_param_constraints", True), made.get("epsilon", 1e-8)
    return naive_ltc.Network(config.kind, config.solver, layer.ode_unfolds, outputs, implicit, epsilon)


@st.composite
def cases(draw, masked=False, shapes=shapes, **options):
    """A layer of the table, a batch for it, and a generator for more; options are strategies."""
    layer = make(draw(configs), **{name: draw(option) for name, option in options.items()})
    rng = np.random.default_rng(draw(seeds))
    inputs = inputs_for(layer, rng, *draw(shapes))
    if masked:
        real = rng.random(inputs.timespans.shape) < draw(st.sampled_from([0.5, 0.8])) * (rng.random() < 0.9)
        inputs = inputs._replace(mask=real)
    return layer, inputs, rng
