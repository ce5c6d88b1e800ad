"""CfC networks of every kind with fresh weights, sequences for them, and what the specifications make of both."""

from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from cfc_ref import CfC, wirings
from cfc_ref.cells.cfc.cell import CfCSettings
from cfc_ref.cells.ltc.network import LTCSettings
from cfc_ref.cells.tree import leaves, tree_map
from tests.layers.strategies import MODES, VARIANTS


class Case(NamedTuple):
    """Arguments of the specifications."""

    params: Any
    fc: Any
    read: slice
    x: Any
    state: Any
    dt: Any
    mask: Any
    settings: Any
    drop: Any
    timed: bool
    d_h: Any
    d_state: Any


@st.composite
def layers(draw, **options):
    """A fresh layer."""
    seed = draw(st.integers(0, 99))
    made = {"mode": draw(st.sampled_from(MODES)), "variant": draw(st.sampled_from(VARIANTS))}
    made["mixed_memory"] = draw(st.booleans())
    made["proj_size"] = draw(st.sampled_from([None, 1, 3]))
    made["dtype"] = draw(st.sampled_from(["float32", "float64"]))
    inputs = draw(st.sampled_from([1, 2, 8, 17]))
    if draw(st.integers(0, 3)) == 0:
        return CfC(inputs, wirings.AutoNCP(draw(st.sampled_from([5, 19, 40])), 2), **{**made, **options}, seed=seed)
    made["activation"] = draw(st.sampled_from(["silu", "relu", "tanh", "gelu", "lecun_tanh"]))
    made["backbone_layers"] = draw(st.sampled_from([0, 1, 1, 2, 3]))
    made["backbone_units"] = draw(st.sampled_from([1, 7, 16, 50]))
    return CfC(inputs, draw(st.sampled_from([1, 3, 16, 37])), **{**made, **options}, seed=seed)


@st.composite
def cases(draw, layouts, **options):
    """A fresh layer's network with all that its specifications take, in any layout."""
    layer = draw(layers(backend="numpy", **options))
    layout = layouts[draw(st.sampled_from(sorted(layouts)))]
    B, T = draw(st.sampled_from([(1, 1), (1, 40), (2, 3), (5, 9), (16, 2), (17, 5), (33, 4)]))
    rng, U = np.random.default_rng(draw(st.integers(0, 10**6))), layer.state_size

    def array(*shape, scale=1.0):
        return layout((scale * rng.normal(size=shape)).astype(layer.dtype))

    def state(scale):
        return array(B, U, scale=scale), array(B, U, scale=scale) if layer.mixed_memory else None

    read = draw(st.sampled_from([T, 1, 0]))
    mask = layout(rng.random((B, T)) < 0.7) if draw(st.booleans()) else None
    drop: Any = ()
    if layer.wiring is None and layer.backbone_layers and draw(st.booleans()):
        shape, dropped = (B, layer.backbone_units), range(draw(st.integers(0, 1)), layer.backbone_layers)
        factors = [[layout(((rng.random(shape) < 0.7) / 0.7).astype(layer.dtype)) for _ in dropped] for _ in range(T)]
        drop = [(*[None] * (layer.backbone_layers - len(dropped)), *step) for step in factors]
    spans = rng.uniform(0, 2, (B, T))
    spans = draw(
        st.sampled_from([spans, np.full((B, T), 0.7), np.ones((B, T)), np.where(rng.random((B, T)) < 0.5, 1, spans)])
    )
    params = tree_map(np.array, layer.weights)
    return Case(
        params.network,
        params.readout,
        layer._read,
        array(B, T, layer.input_size),
        state(1.0),
        layout(spans.astype(layer.dtype)),
        mask,
        layer.settings,
        drop,
        draw(st.booleans()),
        array(read, B, U, scale=1 / (B * T)),  # the gradient of a mean
        state(1 / B),
    )


def in_float64(case):
    """The same numbers in the wider type."""
    return _with_numbers(case, lambda part: part.astype(np.float64))


def nudged(case, seed):
    """The same numbers, each moved to one of its two neighbours; a 0 may stand for what is not there, and stays."""
    rng = np.random.default_rng(seed)

    def moved(part):
        ends = rng.choice(np.array([-np.inf, np.inf], part.dtype), part.shape)
        return np.where(part == 0, part, np.nextafter(part, ends))

    return _with_numbers(case, moved)


def _with_numbers(case, change):
    def changed(part):
        if isinstance(part, np.ndarray):
            return part if part.dtype == np.bool_ else change(part)
        if isinstance(part, list):
            return [changed(branch) for branch in part]
        return (
            tree_map(changed, part)
            if isinstance(part, tuple) and not isinstance(part, (CfCSettings, LTCSettings))
            else part
        )

    return type(case)(*map(changed, case))


def run(of, case, keep=False):
    """What the specification, or its twin, gives: states after each step, and the last one."""
    h, state, _ = _forward(of, case, keep)
    return [np.asarray(h), *leaves(state)]


def run_backward(of, case):
    """Gradients of everything; that of the timespans only where it is asked for."""
    h, state, kept = _forward(of, case, True)
    for got, ref in zip([np.asarray(h), *leaves(state)], run(of, case), strict=True):
        assert np.array_equal(got, ref), "keeping something changes the result"
    d = of.d_sequence(case.params, kept, case.d_h, case.d_state, case.mask, case.settings)
    again = of.d_sequence(case.params, kept, case.d_h, case.d_state, case.mask, case.settings)
    for one, other in zip(leaves(tuple(d)), leaves(tuple(again)), strict=True):
        assert np.array_equal(one, other), "a tape can be used twice"
    return leaves(tuple(d) if case.timed else tuple(d[:3]))


def run_stream(of, case):
    """The outputs of all sequences, and the last state."""
    y, last = of.stream(case.params, case.fc, case.read, case.x, case.state, case.dt, case.mask, case.settings)
    return [y, *leaves(last)]


def _forward(of, case, keep):
    arguments = case.params, case.x, case.state, case.dt, case.mask, case.settings, case.drop
    return of.sequence(*arguments, keep=keep, timed=case.timed)
