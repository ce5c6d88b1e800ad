"""The longest part, `step`, instead of the number of parts: what it computes, and what it refuses."""

import numpy as np
import pytest

from cfc_ref import CTRNN, LTC, NeuralLTC, bounds, export_c, wirings
from cfc_ref.cells.exponential import cf4, cf4_estimate
from cfc_ref.cells.ode import Scheme, parts_of
from cfc_ref.cells.solvers import SOLVERS
from tests import bad
from tests.compare import assert_close, refusal
from tests.differences import assert_gradient
from tests.layers.ltc_layers import twin

KINDS = {"LTC": LTC, "NeuralLTC": NeuralLTC, "CTRNN": CTRNN}
FIXED = [name for name, solver in SOLVERS.items() if solver.part]
SPANS = np.array([[0.1, 0.7, 0.0], [0.6, 0.2, 1.1]])
COUNTS = np.array([[1, 4, 1], [3, 1, 6]])  # the fewest parts of at most 0.2


def rows(layer, batch=2, steps=3):
    rng = np.random.default_rng(1)
    return rng.normal(size=(batch, steps, layer.input_size)), rng.normal(size=(batch, layer.state_size))


def test_the_fewest_parts_that_are_not_longer():
    for dtype in ("float32", "float64"):
        counts, h = parts_of(Scheme(None, step=0.2), SPANS.astype(dtype))
        assert counts.tolist() == COUNTS.tolist()
        assert_close(h, (SPANS / COUNTS).astype(dtype), 1e-6, 0, dtype)
    counts, h = parts_of(Scheme(None, parts=4), SPANS)
    assert (counts == 4).all()
    assert_close(h, SPANS / 4)


@pytest.mark.parametrize("solver", FIXED)
@pytest.mark.parametrize("kind", KINDS)
def test_every_row_and_step_has_the_parts_it_needs(kind, solver):
    layer = KINDS[kind](2, 3, solver=solver, step=0.2, seed=0, dtype="float64")
    x, hx = rows(layer)
    output, last = layer(x, hx, SPANS)
    for b in range(2):
        state = hx[b]
        for k in range(3):
            fixed = KINDS[kind](2, 3, solver=solver, ode_unfolds=int(COUNTS[b, k]), seed=0, dtype="float64")
            y, state = fixed(x[b, k : k + 1], state, SPANS[b, k : k + 1])
            assert_close(output[b, k], y[0], 1e-12, 1e-13)
        assert_close(last[b], state, 1e-12, 1e-13)


@pytest.mark.parametrize("solver", FIXED)
def test_its_gradients(solver):
    layer = LTC(2, 3, solver=solver, step=0.2, seed=0, dtype="float64", mixed_memory=solver == "cf4")
    x, hx = rows(layer)
    hx, spans = (hx, hx * 0.5) if layer.mixed_memory else hx, SPANS + 0.05
    d_output = np.random.default_rng(2).normal(size=(2, 3, 3))
    g = layer.backward(layer.forward(x, hx, spans)[2], d_output)

    def loss():
        return np.sum(layer(x, hx, spans)[0] * d_output)

    assert_gradient(g.x, loss, x)
    assert_gradient(g.timespans, loss, spans)
    for name in ("rnn_cell.w", "rnn_cell.cm", "rnn_cell.sensory_mu"):
        assert_gradient(g.parameters[name], loss, layer.parameters[name])


def test_a_stream_and_a_masked_batch():
    layer = LTC(2, wirings.AutoNCP(8, 2), solver="cf4", step=0.2, seed=0, dtype="float64")
    x, hx = rows(layer)
    whole, _ = layer(x, hx, SPANS)
    many = layer.stepper(batch=2)
    many.state = hx
    for k in range(3):
        assert_close(many(x[:, k], SPANS[:, k]), whole[:, k])
    masked, _ = layer(x, hx, np.where([[True, False, True]], SPANS, 99), [[True, False, True]] * 2)
    kept, _ = layer(x[:, [0, 2]], hx, SPANS[:, [0, 2]])
    assert_close(masked[:, [0, 2]], kept)


def test_it_is_shown_and_part_of_the_settings():
    layer = NeuralLTC(2, 3, solver="cf4", step=0.25)
    assert "solver 'cf4', step 0.25" in repr(layer)
    assert (layer.ode_unfolds, layer.step) == (None, 0.25)
    assert (layer.config["ode_unfolds"], layer.config["step"]) == (None, 0.25)
    assert (LTC(2, 3).ode_unfolds, LTC(2, 3).step, CTRNN(2, 3).ode_unfolds) == (6, None, 3)


def test_a_warning_of_an_unstable_step_says_which_step_is_stable():
    layer = LTC(2, 3, solver="euler", step=0.5, implicit_param_constraints=False, seed=0)
    layer.parameters["rnn_cell.gleak"][...], layer.parameters["rnn_cell.cm"][...] = 20, 0.5
    with pytest.warns(RuntimeWarning, match="step=0.0") as w:
        layer(np.ones((2, 2)))
    stable = float(str(w[0].message).partition("is step=")[2].partition(";")[0])
    twin(layer, ode_unfolds=None, step=stable * 0.9)(np.ones((2, 2)))  # silent: warnings are errors


def test_the_tube_of_fused_parts():
    layer = LTC(2, 3, step=0.2, seed=0, dtype="float64")
    low, high = bounds.tube(layer, 0.5, 0.5, [0.7, 1.8], form="fused")
    states = layer.trace(np.full((2, 2), 0.5), timespans=[0.7, 1.1])["state"]
    assert (low - 1e-12 <= states).all()
    assert (states <= high + 1e-12).all()
    one = bounds.box(LTC(2, 3, ode_unfolds=4, seed=0, dtype="float64"), np.full(3, 5.0), 0.7, "fused")
    assert_close(bounds.box(layer, np.full(3, 5.0), 0.7, "fused"), one)


def test_the_estimate_of_a_steps_error_is_the_sum_over_its_parts():
    layer = LTC(2, 3, solver="cf4", step=0.2, seed=0, dtype="float64", batch_first=False)
    x, hx = rows(layer)
    x, hx = x.swapaxes(0, 1) * 3, hx * 2
    got = layer.solve_error(x, hx, SPANS.T)
    assert got.shape == (3, 2, 3)
    scheme, cell, states = (
        Scheme(layer.equation, "cf4"),
        layer.weights.network.cell,
        layer.trace(x, hx, SPANS.T)["state"],
    )
    before = np.concatenate([hx[None], states[:-1]])
    for k in range(3):
        for b in range(2):
            I, state, total = layer.weights.network.input_map.w * x[k, b], before[k, b], 0.0
            held, h = layer.equation.hold(cell, I[None]), np.full((1, 1), SPANS[b, k] / COUNTS[b, k])
            for _ in range(COUNTS[b, k]):
                total = total + cf4_estimate(scheme.equation, cell, held, state[None], h)[0]
                state = cf4(scheme.equation, cell, held, state[None], h)[0]
            assert_close(got[k, b], total, 1e-10, 1e-14)
    assert layer.solve_error(x[:0], hx).shape == (0, 2, 3)


def test_the_estimate_falls_like_h_to_the_fourth_and_is_computed_in_float64():
    x, sizes = np.random.default_rng(0).normal(size=(4, 2)), []
    for parts in (4, 8, 16):
        layer = LTC(2, 5, solver="cf4", ode_unfolds=parts, seed=0)
        sizes.append(np.abs(layer.solve_error(x)).max())
    assert layer.solve_error(x).dtype == np.float64
    assert np.log2(np.divide(sizes[:-1], sizes[1:])) == pytest.approx([3, 3], abs=0.5)  # of a whole step


# --- what is refused


def test_only_cf4_estimates_its_error():
    for solver in set(SOLVERS) - {"cf4"}:
        with pytest.raises(ValueError, match=refusal("solver")):
            LTC(2, 3, solver=solver).solve_error(np.zeros((2, 2)))
    bad.refuses(LTC(2, 3, solver="cf4").solve_error, "x", np.zeros(2))


@pytest.mark.parametrize("kind", KINDS)
def test_exactly_one_of_both_is_given(kind):
    units = {"input_size": 2, "units": 3}
    for given in (3, 6):
        bad.refuses(KINDS[kind], "step", 0.1, ode_unfolds=given, **units)
    for step in (0, -0.1, np.nan, np.inf, "0.1", [0.1], True):
        bad.refuses(KINDS[kind], "step", step, **units)
    bad.refuses(KINDS[kind], "ode_unfolds", None, **units)
    bad.refuses(KINDS[kind], "step", 0.1, solver="scipy", **units)


def test_more_than_a_million_parts_are_refused_where_they_are():
    layer = LTC(2, 3, solver="cf4", step=1e-5, seed=0, dtype="float64")
    x, spans = np.zeros((2, 3, 2)), np.full((2, 3), 1e-5)
    spans[1, 2] = 10.1
    for call in (layer, layer.forward, layer.trace):
        with pytest.raises(ValueError, match=refusal("timespans")) as refused:
            call(x, timespans=spans)
        assert "10.1 at index (1, 2)" in str(refused.value)
    bad.refuses(layer.stepper(), "dt", 10.1, x=np.zeros(2))
    with pytest.raises(ValueError, match=refusal("timespans")):
        LTC(2, 3, step=1e-7)(np.zeros((2, 2)))  # a timespan is 1 by default
    assert np.isfinite(layer.solve(x, timespans=spans)).all()


def test_an_export_with_a_fixed_number_of_parts_refuses_it(tmp_path):
    bad.refuses(export_c, "model", LTC(2, 3, step=0.1), folder=tmp_path)
