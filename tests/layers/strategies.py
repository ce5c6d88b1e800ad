"""One table of CfC layers that every test draws from, layers with weights that leave nothing at 0, and their inputs."""

import zlib
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from cfc_ref import CfC, wirings
from tests import naive
from tests.compare import assert_close

MODES = ("default", "no_gate", "pure", "paper_pure", "from_x0")
VARIANTS = ("torch", "tensorflow", "keras")
FEATURES = 2
OWN_LAYERS = [[3], [1, 4], [2, 0]]  # one of its motor neurons is not read out by every variant


def _own(inputs):
    """Synapses within a layer, backwards and past a layer, of both signs, and neurons in no order."""
    j, i = np.indices((5, 5))
    return wirings.Wiring((j + 2 * i) % 3 - 1, np.ones((inputs, 5)), 1, layers=OWN_LAYERS)


STRUCTURES = {
    "no backbone": {"units": 3, "backbone_layers": 0},
    "silu": {"units": 2, "backbone_layers": 1, "backbone_units": 4, "activation": "silu", "proj_size": 3},
    "tanh": {"units": 1, "backbone_layers": 1, "backbone_units": 1, "activation": "tanh"},
    "relu": {"units": 3, "backbone_layers": 2, "backbone_units": 3, "activation": "relu"},
    "gelu": {"units": 2, "backbone_layers": 2, "backbone_units": 2, "activation": "gelu"},
    "lecun_tanh": {"units": 2, "backbone_layers": 3, "backbone_units": 3, "proj_size": 1},
    "ncp": {"units": wirings.NCP(3, 2, 2, 2, 2, 3, 2)},
    "ncp wired": {"units": wirings.NCP(3, 2, 2, 2, 1, 3, 1), "recurrence": "wired"},
    "autoncp": {"units": wirings.AutoNCP(7, 2), "proj_size": 1, "recurrence": "wired"},
    "fully connected": {"units": wirings.FullyConnected(3, 2), "recurrence": "wired", "proj_size": 2},
    "random": {"units": wirings.Random(4, 4, 0.4)},
    "own": {"units": _own, "recurrence": "wired"},
}


class Config(NamedTuple):
    """One layer of the table."""

    mode: str
    variant: str
    memory: bool
    structure: str

    def __str__(self):
        return "-".join([self.mode, self.variant, *(["memory"] if self.memory else []), self.structure])

    @property
    def arguments(self):
        """Of CfC, by name."""
        made: dict[str, Any] = {"input_size": FEATURES, **STRUCTURES[self.structure]}
        made.update(mode=self.mode, variant=self.variant, mixed_memory=self.memory)
        if self.memory:
            made["forget_bias"] = 0.4
        if callable(made["units"]):
            made["units"] = made["units"](5 if self.memory and self.variant != "torch" else FEATURES)
        return made

    @property
    def bounded(self):
        """Whether the heads of a gate are: those of ncps on TensorFlow and Keras are linear."""
        return self.variant != "keras" or self.mode not in ("default", "no_gate")

    @property
    def rng(self):
        return np.random.default_rng(zlib.crc32(str(self).encode()))

    @property
    def oracle(self):
        """What the oracle has to know; of a wiring what it says itself, not what a layer made of it."""
        made, wires = self.arguments, None
        if isinstance(made["units"], wirings.Wiring):
            wiring = made["units"].build(made["units"].units if self.memory and self.variant != "torch" else FEATURES)
            matrices = wiring.adjacency_matrix.tolist(), wiring.sensory_adjacency_matrix.tolist()
            layers = [wiring.get_neurons_of_layer(l) for l in range(wiring.num_layers)]
            wires = naive.Wires(*matrices, wiring.output_dim, layers)
        return naive.Network(
            self.mode,
            self.variant,
            made.get("activation", "lecun_tanh"),
            made.get("forget_bias", 1.0),
            made.get("recurrence", "full"),
            wires,
        )


CONFIGS = [Config(m, v, c, s) for m in MODES for v in VARIANTS for c in (False, True) for s in STRUCTURES]
# Each mode, variant and memory with three of the structures, in turn: each structure comes with each of them, too.
FEW = [CONFIGS[12 * k + s] for k in range(30) for s in range(12) if (s + k + k // 2) % 4 == 0]

configs = st.sampled_from(CONFIGS)
# (batch, time); units are 1 to 7, so that axes of the same length are among them.
shapes = st.sampled_from([(1, 1), (2, 2), (3, 3), (1, 4), (2, 3), (3, 1), (4, 2)])


def away_from_0(rng, shape, size=1.0):
    """Numbers of either sign: none near the kink of an absolute value."""
    return rng.choice([-1.0, 1.0], shape) * rng.uniform(0.2 * size, size, shape)


def make(config, dtype="float64", backend=None, **others):
    """A layer of the table, with random biases and vectors too; every other one computes in NumPy."""
    backend = backend or ("numpy", "numba")[zlib.crc32(str(config).encode()) % 2]
    layer = CfC(**{**config.arguments, **others}, dtype=dtype, backend=backend, seed=0)
    rng = config.rng
    for array in layer.parameters.values():
        array[...] = away_from_0(rng, array.shape)
    return layer


def twin(layer, **options):
    """A layer with the same weights, and other options."""
    other = CfC(**{**layer.config, **options}, units=layer.wiring or layer.state_size, backend=layer.backend)
    other.load_state_dict(layer.state_dict())
    return other


class Inputs(NamedTuple):
    """A layer's arguments, in their order."""

    x: Any
    hx: Any
    timespans: Any
    mask: Any = None


def inputs_for(layer, rng, B=2, T=3):
    """A batch of sequences for a layer that has the batch first."""
    hx = [rng.uniform(-1, 1, (B, layer.state_size)) for _ in range(2)]
    x, timespans = rng.uniform(-1.5, 1.5, (B, T, layer.input_size)), rng.uniform(0.1, 1.5, (B, T))
    arrays = [array.astype(layer.dtype) for array in (x, *hx, timespans)]
    return Inputs(arrays[0], tuple(arrays[1:3]) if layer.mixed_memory else arrays[1], arrays[3])


def parts(hx):
    """The arrays of a state, one or two."""
    return hx if isinstance(hx, tuple) else (hx,)


def map_state(function, hx):
    return tuple(map(function, hx)) if isinstance(hx, tuple) else function(hx)


seeds = st.integers(0, 99)
generators = seeds.map(np.random.default_rng)


@st.composite
def cases(draw, masked=False, shapes=shapes, **options):
    """A layer of the table, a batch for it, and a generator for more; options are strategies."""
    backend = draw(st.sampled_from(["numpy", "numba"]))
    layer = make(draw(configs), backend=backend, **{name: draw(option) for name, option in options.items()})
    rng = draw(generators)
    inputs = inputs_for(layer, rng, *draw(shapes))
    if masked:
        # Each step real or not, of a whole sample at times none.
        real = rng.random(inputs.timespans.shape) < draw(st.sampled_from([0.5, 0.8])) * (rng.random() < 0.9)
        inputs = inputs._replace(mask=real)
    return layer, inputs, rng


class Outcome(NamedTuple):
    """What a layer gives, forward and back."""

    output: Any
    hx: Any
    gradients: Any


def cotangents(layer, inputs, rng):
    """Random gradients of the output and of the last state."""
    output, hx = layer(*inputs)
    return rng.normal(size=output.shape), map_state(lambda part: rng.normal(size=part.shape), hx)


def run(layer, inputs, d_output, d_hx=None):
    output, hx, tape = layer.forward(*inputs)
    return Outcome(output, hx, layer.backward(tape, d_output, d_hx))


def arrays_of(outcome):
    """An outcome's arrays by name."""
    g = outcome.gradients
    states = {"hx": outcome.hx, "g.hx": g.hx}
    named = {f"{name}[{k}]": part for name, hx in states.items() for k, part in enumerate(parts(hx))}
    named |= {"output": outcome.output, "g.x": g.x, **g.parameters}
    return named if g.timespans is None else {**named, "g.timespans": g.timespans}


def assert_same(got, ref, tolerance=1e-12):
    """Fail unless two outcomes have the same arrays."""
    got, ref = arrays_of(got), arrays_of(ref)
    assert got.keys() == ref.keys()
    for name in ref:
        assert_close(got[name], ref[name], tolerance, tolerance)
