"""LTCs of every kind with fresh weights, sequences for them, and the results of the specifications for both."""

from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from cfc_ref import LTC, NeuralLTC, wirings
from cfc_ref.cells.solvers import SOLVERS
from cfc_ref.cells.tree import leaves, tree_map

SHAPES = [(1, 1), (1, 40), (2, 3), (3, 0), (0, 2), (16, 2), (31, 3), (33, 2), (70, 1)]  # (batch, time)


class Case(NamedTuple):
    """Arguments of the specifications."""

    params: Any
    readout: Any
    read: slice
    x: Any
    state: Any
    dt: Any
    mask: Any
    form: Any
    d_h: Any
    d_state: Any


@st.composite
def layers(draw, **options):
    """A fresh layer."""
    made = {
        "solver": draw(st.sampled_from([name for name, solver in SOLVERS.items() if solver.kernel])),
        **draw(st.sampled_from([*({"ode_unfolds": n} for n in (1, 2, 3, 6)), {"step": 0.3}, {"step": 0.7}])),
        "mixed_memory": draw(st.booleans()),
        "implicit_param_constraints": draw(st.booleans()),
        "proj_size": draw(st.sampled_from([None, 1, 3])),
        "dtype": draw(st.sampled_from(["float32", "float64"])),
        "seed": draw(st.integers(0, 99)),
    }
    inputs = draw(st.sampled_from([1, 2, 8, 17]))
    wired = [wirings.AutoNCP(5, 2), wirings.AutoNCP(19, 1), wirings.AutoNCP(40, 2), wirings.Random(7, 2, 0.6)]
    units = draw(st.sampled_from([1, 3, 16, 33, *wired]))
    if draw(st.booleans()):
        return NeuralLTC(inputs, units, **{**made, **options})
    made["epsilon"] = draw(st.sampled_from([0.0, 1e-8, 0.3]))
    made["input_mapping"], made["output_mapping"] = draw(st.tuples(*[st.sampled_from(["affine", "linear", None])] * 2))
    return LTC(inputs, units, **{**made, **options})


def longest(layer):
    """A timespan at which its solver is stable, and rounding does not grow."""
    return 2.0 if SOLVERS[layer.solver].limit == np.inf else 0.02


@st.composite
def cases(draw, layouts, shapes=SHAPES, **options):
    """A fresh layer's network with all that its specifications take, in any layout."""
    layer = draw(layers(backend="numpy", **options))
    layout = layouts[draw(st.sampled_from(sorted(layouts)))]
    B, T = draw(st.sampled_from([*shapes, (layer.state_size, 3)]))
    rng, U = np.random.default_rng(draw(st.integers(0, 10**6))), layer.state_size

    def array(*shape, scale=1.0):
        return layout((scale * rng.normal(size=shape)).astype(layer.dtype))

    def state(scale=1.0):
        return array(B, U, scale=scale), array(B, U, scale=scale) if layer.mixed_memory else None

    lengths = longest(layer) * (np.full((B, T), 0.35) if draw(st.booleans()) else rng.random((B, T)))
    read = draw(st.sampled_from([T, 1, 0])) if T else 0
    params = tree_map(np.array, layer.weights)
    return Case(
        params.network,
        params.readout,
        layer._read,
        array(B, T, layer.input_size),
        state(),
        layout(lengths.astype(layer.dtype)),
        layout(rng.random((B, T)) < 0.7) if draw(st.booleans()) else None,
        layer.settings,
        array(read, B, U, scale=1 / max(B * T, 1)),  # the gradient of a mean
        state(1 / max(B, 1)),
    )


def run(of, case, keep=False):
    """Return the results of the specification, or of its twin: states after each step, and the last one."""
    h, state, _ = _forward(of, case, keep)
    return [np.asarray(h, case.x.dtype).reshape(case.x.shape[1], *state[0].shape), *leaves(state)]


def run_backward(of, case):
    """Gradients of everything."""
    if not case.x.shape[1]:  # no step, no backward
        return run(of, case)
    h, state, kept = _forward(of, case, True)
    for got, ref in zip([np.asarray(h), *leaves(state)], run(of, case), strict=True):
        assert np.array_equal(got, ref), "keeping something changes the result"
    d = of.d_sequence(case.params, kept, case.d_h, case.d_state, case.mask, case.form)
    again = of.d_sequence(case.params, kept, case.d_h, case.d_state, case.mask, case.form)
    for one, other in zip(leaves(tuple(d)), leaves(tuple(again)), strict=True):
        assert np.array_equal(one, other), "a tape can be used twice"
    return leaves(tuple(d))


def run_stream(of, case):
    """The outputs of all sequences, and the last state."""
    y, last = of.stream(case.params, case.readout, case.read, case.x, case.state, case.dt, case.mask, case.form)
    return [y, *leaves(last)]


def _forward(of, case, keep):
    return of.sequence(case.params, case.x, case.state, case.dt, case.mask, case.form, keep=keep)
