"""One computation whatever the layout: batches, time first, one sample, shapes of timespans, masks, empty axes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.compare import assert_close
from tests.layers.strategies import (
    FEW,
    Outcome,
    arrays_of,
    assert_same,
    cases,
    cotangents,
    inputs_for,
    make,
    map_state,
    parts,
    run,
    twin,
)

# As many samples as steps, neurons or features, and other numbers of them.
square = st.sampled_from([(1, 1), (2, 2), (3, 3), (5, 5), (3, 1), (2, 4), (4, 7)])


def sample(inputs, b):
    return inputs._replace(
        x=inputs.x[b],
        hx=map_state(lambda part: part[b], inputs.hx),
        timespans=inputs.timespans[b],
        mask=None if inputs.mask is None else inputs.mask[b],
    )


def stacked(outcomes):
    """Outcomes of single samples as that of their batch: gradients of the weights add up."""
    first = outcomes[0].gradients

    def stack(values):
        return tuple(map(np.stack, zip(*values, strict=True))) if isinstance(values[0], tuple) else np.stack(values)

    gradients = [outcome.gradients for outcome in outcomes]
    return Outcome(
        stack([outcome.output for outcome in outcomes]),
        stack([outcome.hx for outcome in outcomes]),
        first._replace(
            parameters={key: sum(g.parameters[key] for g in gradients) for key in first.parameters},
            x=stack([g.x for g in gradients]),
            hx=stack([g.hx for g in gradients]),
            timespans=stack([g.timespans for g in gradients]),
        ),
    )


@given(cases(masked=True, shapes=square, return_sequences=st.booleans()))
def test_a_batch_is_its_samples(case):
    layer, inputs, rng = case
    d_output, d_hx = cotangents(layer, inputs, rng)
    each = [
        run(layer, sample(inputs, b), d_output[b], map_state(lambda part, b=b: part[b], d_hx))
        for b in range(len(inputs.x))
    ]
    assert_same(run(layer, inputs, d_output, d_hx), stacked(each))


@given(cases(masked=True, shapes=square))
def test_one_sample_is_a_batch_of_one(case):
    layer, inputs, rng = case
    alone = sample(inputs, 0)
    one = inputs._replace(
        x=inputs.x[:1],
        hx=map_state(lambda part: part[:1], inputs.hx),
        timespans=inputs.timespans[:1],
        mask=inputs.mask[:1],
    )
    d_output, d_hx = cotangents(layer, one, rng)
    got = run(layer, alone, d_output[0], map_state(lambda part: part[0], d_hx))
    assert_same(stacked([got]), run(layer, one, d_output, d_hx), 0)
    trace, traces = layer.trace(*alone), layer.trace(*one)
    for name in traces:
        assert_close(trace[name], traces[name][0], 0, 0)


@pytest.mark.parametrize("last_axis", [False, True])
@given(case=cases(masked=True, shapes=square, batch_first=st.just(False), return_sequences=st.booleans()))
@settings(max_examples=40)
def test_time_first_is_the_same_transposed(last_axis, case):
    late, inputs, rng = case
    early = twin(late, batch_first=True)

    def turned(array):
        return array.swapaxes(0, 1)

    def with_axis(array):
        return turned(array)[:, :, None] if last_axis else turned(array)

    d_output, d_hx = cotangents(early, inputs, rng)
    ref = run(early, inputs, d_output, d_hx)
    arguments = inputs._replace(x=turned(inputs.x), timespans=with_axis(inputs.timespans), mask=turned(inputs.mask))
    whole = late.return_sequences
    got = run(late, arguments, turned(d_output) if whole else d_output, d_hx)
    g = ref.gradients
    assert_same(
        got,
        ref._replace(
            output=turned(ref.output) if whole else ref.output,
            gradients=g._replace(x=turned(g.x), timespans=with_axis(g.timespans)),
        ),
        0,
    )
    traces = early.trace(*inputs)
    for name, array in late.trace(*arguments).items():
        assert_close(array, turned(traces[name]), 0, 0)


@given(cases(shapes=square))
def test_the_last_output_is_that_of_the_sequence(case):
    whole, inputs, rng = case
    last = twin(whole, return_sequences=False)
    d_output, d_hx = cotangents(last, inputs, rng)
    d_outputs = np.zeros((*inputs.timespans.shape, whole.output_size))
    d_outputs[:, -1] = d_output
    ref = run(whole, inputs, d_outputs, d_hx)
    assert_same(run(last, inputs, d_output, d_hx), ref._replace(output=ref.output[:, -1]))


@given(cases(shapes=square, masked=True))
def test_every_shape_of_timespans_says_the_same(case):
    layer, inputs, rng = case
    B, T = inputs.timespans.shape
    d = cotangents(layer, inputs, rng)

    def outcome(timespans):
        return run(layer, inputs._replace(timespans=timespans), *d)

    def ref(timespans, gradient):
        whole = outcome(timespans)
        return whole._replace(gradients=whole.gradients._replace(timespans=gradient(whole.gradients.timespans)))

    each, a_step, one = inputs.timespans, inputs.timespans[0], inputs.timespans[0, 0]
    assert_same(outcome(each[:, :, None]), ref(each, lambda g: g[:, :, None]), 0)
    assert_same(outcome(a_step), ref(np.tile(a_step, (B, 1)), lambda g: g.sum(axis=0)))
    for number in (one, float(one), np.array(one)):
        got = outcome(number)
        assert isinstance(got.gradients.timespans, float)
        assert_same(got, ref(np.full((B, T), one), np.sum))
    assert_same(outcome(None), ref(np.ones((B, T)), lambda g: None))
    assert_same(outcome(1), outcome(1.0), 0)
    assert_same(outcome(a_step.tolist()), outcome(a_step), 0)


@given(cases(shapes=square))
def test_one_sample_takes_one_time_a_step_with_and_without_a_last_axis(case):
    layer, inputs, rng = case
    alone = sample(inputs, 0)
    d = cotangents(layer, alone, rng)
    ref = run(layer, alone, *d)
    got = run(layer, alone._replace(timespans=alone.timespans[:, None]), *d)
    assert_same(got, ref._replace(gradients=ref.gradients._replace(timespans=ref.gradients.timespans[:, None])), 0)


@given(cases(shapes=square))
def test_a_state_of_zeros_by_default(case):
    layer, inputs, rng = case
    d = cotangents(layer, inputs, rng)
    zeros = map_state(np.zeros_like, inputs.hx)
    assert_same(run(layer, inputs._replace(hx=None), *d), run(layer, inputs._replace(hx=zeros), *d), 0)


# --- masks


def only_real(inputs, b):
    """One sample without its masked steps."""
    real = inputs.mask[b]
    alone = sample(inputs, b)
    return alone._replace(x=alone.x[real], timespans=alone.timespans[real], mask=None)


@given(cases(masked=True, shapes=square))
def test_masked_steps_might_as_well_not_be_there(case):
    """NaN stands in them; what is padded at the end, or at the beginning, is among the masks that are drawn."""
    layer, inputs, rng = case
    real = inputs.mask
    d_output, d_hx = cotangents(layer, inputs, rng)
    d_output[~real] = 0
    each = [
        run(layer, only_real(inputs, b), d_output[b, real[b]], map_state(lambda part, b=b: part[b], d_hx))
        for b in range(len(real))
    ]
    inputs.x[~real], inputs.timespans[~real] = np.nan, np.nan
    got = run(layer, inputs, d_output, d_hx)
    for b, one in enumerate(each):
        assert_close(got.output[b, real[b]], one.output)
        assert_close(got.gradients.x[b, real[b]], one.gradients.x)
        assert_close(got.gradients.timespans[b, real[b]], one.gradients.timespans)
        for whole, own in ((got.hx, one.hx), (got.gradients.hx, one.gradients.hx)):
            for part, ref in zip(parts(whole), parts(own), strict=True):
                assert_close(part[b], ref)
    for key, gradient in got.gradients.parameters.items():
        assert_close(gradient, sum(one.gradients.parameters[key] for one in each))
    assert not got.gradients.x[~real].any()
    assert not got.gradients.timespans[~real].any()


@given(cases(masked=True, shapes=square))
def test_a_masked_step_holds_the_state_and_its_output(case):
    layer, inputs, _ = case
    output, hx = layer(*inputs)
    states = layer.trace(*inputs)["state"]
    start = parts(inputs.hx)[0]
    assert_close(states[:, -1], parts(hx)[0])
    for k in range(inputs.mask.shape[1]):
        held = ~inputs.mask[:, k]
        assert_close(states[held, k], (states[:, k - 1] if k else start)[held], 0, 0)
        if k:
            assert_close(output[held, k], output[held, k - 1])


@given(cases(shapes=square))
def test_nothing_but_masked_steps_leaves_the_state_as_it_is(case):
    layer, inputs, rng = case
    nothing = inputs._replace(x=np.full_like(inputs.x, np.nan), mask=np.zeros(inputs.timespans.shape, bool))
    d_output, d_hx = cotangents(layer, nothing, rng)
    got = run(layer, nothing, 0 * d_output, d_hx)
    for got_hx, ref in ((got.hx, inputs.hx), (got.gradients.hx, d_hx)):
        for part, own in zip(parts(got_hx), parts(ref), strict=True):
            assert_close(part, own, 0, 0)
    g = got.gradients
    assert not any(gradient.any() for gradient in (g.x, g.timespans, *g.parameters.values()))


@given(cases(masked=True, shapes=square))
def test_one_mask_for_all_samples_and_a_mask_that_is_true_throughout(case):
    layer, inputs, rng = case
    d = cotangents(layer, inputs, rng)
    row, whole = inputs.mask[0], np.tile(inputs.mask[0], (len(inputs.mask), 1))
    assert_same(run(layer, inputs._replace(mask=row), *d), run(layer, inputs._replace(mask=whole), *d), 0)
    assert_same(run(layer, inputs._replace(mask=whole.tolist()), *d), run(layer, inputs._replace(mask=whole), *d), 0)
    ones = np.ones_like(inputs.mask)
    assert_same(run(layer, inputs._replace(mask=ones), *d), run(layer, inputs._replace(mask=None), *d), 0)


# --- empty axes


@pytest.mark.parametrize("config", FEW[::7], ids=str)
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize(("B", "T"), [(2, 0), (0, 2), (0, 0)])
def test_no_steps_and_no_samples(config, masked, B, T):
    layer = make(config)
    inputs = inputs_for(layer, config.rng, B, T)
    if masked:
        inputs = inputs._replace(mask=np.zeros((B, T), bool))
    d_output, d_hx = cotangents(layer, inputs, config.rng)
    got = run(layer, inputs, d_output, d_hx)
    assert got.output.shape == (B, T, layer.output_size)
    assert {name: array.shape for name, array in arrays_of(got).items() if name.startswith("g.")} == {
        "g.x": (B, T, layer.input_size),
        "g.timespans": (B, T),
        **{f"g.hx[{k}]": (B, layer.state_size) for k in range(1 + layer.mixed_memory)},
    }
    for part, given_part in zip(parts(got.hx), parts(inputs.hx), strict=True):
        assert_close(part, given_part, 0, 0)
    for part, given_part in zip(parts(got.gradients.hx), parts(d_hx), strict=True):
        assert_close(part, given_part, 0, 0)
    for key, gradient in got.gradients.parameters.items():
        assert_close(gradient, np.zeros(layer.parameters[key].shape), 0, 0)


def test_no_steps_of_one_sample_and_of_a_layer_with_time_first():
    alone, late = make(FEW[0]), make(FEW[0], batch_first=False)
    assert alone(np.empty((0, 2)))[0].shape == (0, alone.output_size)
    assert late(np.empty((0, 3, 2)))[0].shape == (0, 3, late.output_size)
    assert late(np.empty((0, 3, 2)))[1].shape == (3, late.state_size)


@pytest.mark.parametrize("x", [np.empty((0, 2)), np.empty((3, 0, 2))])
def test_no_steps_have_no_last_output(x):
    layer = make(FEW[0], return_sequences=False)
    with pytest.raises(ValueError, match=r"x: got a sequence of no steps; expected at least one step"):
        layer(x)
    with pytest.raises(ValueError, match=r"x: got a sequence of no steps; expected at least one step"):
        layer.forward(x)
