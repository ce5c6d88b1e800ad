"""What all public functions of a neuron share: shapes, dtypes, scaling, large weights, refusals."""

import inspect
import math

import numpy as np
import pytest

from cfc_ref import LTCNeuron, bounds, closed_form, exact, frozen, signals, solve
from tests import bad
from tests.compare import assert_close, refusal

CALLS = {
    "solve ltc": (solve, {"form": "ltc"}),
    "solve symmetric": (solve, {"form": "symmetric"}),
    "exact ltc": (exact, {"form": "ltc"}),
    "exact symmetric": (exact, {"form": "symmetric"}),
    "closed_form": (closed_form, {}),
    "frozen start": (frozen, {"sample": "start", "step": 0.4}),
    "frozen midpoint": (frozen, {"sample": "midpoint", "step": 0.4}),
    "frozen ends": (frozen, {"sample": "ends", "step": 0.4}),
    "frozen gauss": (frozen, {"sample": "gauss", "step": 0.4}),
    "frozen halves": (frozen, {"sample": "halves", "step": 0.4}),
    "lemma1": (bounds.lemma1, {}),
    "form_gap": (bounds.form_gap, {}),
    "closed_form_error": (bounds.closed_form_error, {"f_range": (0.2, 0.7)}),
    "closed_form_error symmetric": (bounds.closed_form_error, {"form": "symmetric", "f_range": (0.2, 0.7)}),
    "two_term": (bounds.two_term, {"f_range": (0.2, 0.7)}),
    "asymptotic_error": (bounds.asymptotic_error, {"f_range": (0.2, 0.7)}),
    "reachable_states": (bounds.reachable_states, {"f_range": (0.2, 0.7)}),
    "state_box": (bounds.state_box, {}),
    "frozen_step_error": (bounds.frozen_step_error, {"y": 0.5, "f_range": (0.2, 0.7)}),
    "frozen_error start": (bounds.frozen_error, {"step": 0.3, "lipschitz": 0.5}),
    "frozen_error midpoint": (bounds.frozen_error, {"step": 0.3, "lipschitz": (0.5, 0.4), "sample": "midpoint"}),
    "frozen_error ends": (bounds.frozen_error, {"step": 0.3, "lipschitz": (0.5, 0.4), "sample": "ends"}),
    "frozen_error gauss": (bounds.frozen_error, {"step": 0.3, "lipschitz": (0.5, 0.4, 0.3, 0.2), "sample": "gauss"}),
    "from_samples": (bounds.from_samples, {"times": [0.2, 0.7], "values": [0.3, 0.5], "lipschitz": 1.0}),
}


def arguments_of(name):
    return inspect.signature(CALLS[name][0]).parameters


TRAJECTORIES = [name for name in CALLS if "signal" in arguments_of(name)]
BOUNDS = [name for name in CALLS if name not in TRAJECTORIES]
SIGNALS = {
    "constant": lambda s: s,
    "piecewise": lambda s: signals.piecewise_constant([0, 0.7], np.stack([s, -s], axis=-1)),
    "lines": lambda s: signals.sampled([0.2, 0.7], np.stack([s, -s], axis=-1)),
    "sine": lambda s: signals.sine(s, 0.4),
    "smooth": lambda s: signals.smooth(lambda t: np.multiply.outer(s, np.cos(t))),
}


NEURON = LTCNeuron(1.0, 1.0)
PAIRS = [(name, signal) for name in TRAJECTORIES for signal in SIGNALS] + [(name, "constant") for name in BOUNDS]


def call(name, neuron=NEURON, signal=0.5, x0=2.0, t=1.5, **others):
    """Call one of CALLS; both ends of an interval are stacked."""
    function, options = CALLS[name]
    given = {"neuron": neuron, "signal": signal, "x0": x0, "t": t}
    accepted = {k: v for k, v in given.items() if k in arguments_of(name)}
    result = function(**accepted, **{**options, **others})
    return np.stack(result) if isinstance(result, tuple) else result


def spread(shape, low=0.5, high=2.0):
    return np.linspace(low, high, math.prod(shape)).reshape(shape)


def one_by_one(name, shape, t, make):
    """The same call for one neuron at a time, and where times need no order one time at a time."""
    results = [call(name, t=t, **make(value)) for value in spread(shape).ravel()]
    ends = results[0].shape[: results[0].ndim - np.ndim(t)]
    return np.moveaxis(
        np.array(results).reshape(*shape, *ends, *np.shape(t)),
        range(len(shape)),
        range(len(ends), len(ends) + len(shape)),
    )


CARRIERS = {
    "neuron": lambda v: {"neuron": LTCNeuron(v, 2 - v, mu=v - 1, sigma=-v, reflection="input")},
    "x0": lambda v: {"x0": v},
    **{f"signal, {kind}": lambda v, kind=kind: {"signal": SIGNALS[kind](v)} for kind in SIGNALS},
}


@pytest.mark.parametrize(
    ("name", "carrier"),
    [(name, carrier) for name in CALLS for carrier in CARRIERS if carrier.partition(",")[0] in arguments_of(name)],
)
def test_results_have_the_shape_of_neurons_and_then_times(name, carrier):
    """Whichever argument brings the neurons' shape: each entry is what its own neuron gives alone."""
    axes = 1 if name in TRAJECTORIES and name != "closed_form" else 2
    close = {"rtol": 1e-8, "atol": 1e-9} if "solve" in name else {}
    for shape in ((3,), (2, 1, 3)):
        for t_shape in ((), (0,), (1,), (5,), (2, 3))[: 3 + axes]:
            t = spread(t_shape, 0.0, 1.6)
            got = call(name, t=t, **CARRIERS[carrier](spread(shape)))
            assert_close(got, one_by_one(name, shape, t, CARRIERS[carrier]), **close)


@pytest.mark.parametrize("name", CALLS)
def test_no_neuron_and_no_time(name):
    ends = (2,) if name in BOUNDS else ()
    nobody = LTCNeuron(np.empty(0), 1.0)
    assert call(name, neuron=nobody, t=[0.5, 1.0]).shape == (*ends, 0, 2)
    assert call(name, neuron=nobody, signal=signals.sine(), t=[]).shape == (*ends, 0, 0)


@pytest.mark.parametrize(("name", "signal"), PAIRS)
def test_float32_stays_float32(name, signal):
    w, A = np.array([0.5, 1.0]), np.array([1.5, -1.0])
    options = {"signal": SIGNALS[signal](np.array([0.5, 1.5])), "t": [0.0, 0.5, 2.0]}
    double = call(name, neuron=LTCNeuron(w, A), **options)
    single = call(name, neuron=LTCNeuron(w.astype(np.float32), A.astype(np.float32)), **options)
    assert double.dtype == np.float64
    assert_close(single, double, rtol=2e-5, atol=2e-6, dtype=np.float64 if "solve" in name else np.float32)


@pytest.mark.parametrize("factor", [-2.0, 1e-3, 1e6])
@pytest.mark.parametrize("name", CALLS)
def test_scaling_start_and_reversal_scales_the_result(name, factor):
    one = call(name, LTCNeuron(0.7, 1.5, mu=0.3, reflection="input"), signals.sine(), 2.5, [0.0, 0.6, 3.0])
    more = call(
        name, LTCNeuron(0.7, 1.5 * factor, mu=0.3, reflection="input"), signals.sine(), 2.5 * factor, [0.0, 0.6, 3.0]
    )
    if factor < 0 and name in BOUNDS:
        more = more[::-1]  # low and high change places
    rtol = 1e-8 if "solve" in name else 1e-11
    assert_close(more / factor, one, rtol=rtol, atol=rtol)


@pytest.mark.parametrize(("name", "signal"), [pair for pair in PAIRS if pair[1] in ("constant", "piecewise", "lines")])
def test_large_weights_give_finite_numbers_in_the_states_box(name, signal):
    """Warnings are errors, here as everywhere."""
    signs = [(a, b, c) for a in (-1e6, 1e6) for b in (-1e6, 1e6) for c in (-1e6, 0.0, 1e6)]
    A, mu, x0 = np.array(signs).T
    w = np.array([1e-6, 1.0, 1e6])[:, None]
    for sigma in (1e6, -1e6):
        for reflection in ("release", "input"):
            neuron = LTCNeuron(w, A, mu, sigma, reflection)
            options = {"method": "LSODA"} if "solve" in name else {}
            got = call(name, neuron, SIGNALS[signal](np.array(1e6)), x0, [0.0, 1e-6, 1.0, 1e3], **options)
            assert np.isfinite(got).all()
            if name in TRAJECTORIES:
                assert np.abs(got).max() <= 1e6 * (1 + 1e-6)


# --- refusals

NUMBERS = {"x0": bad.NUMBERS, "step": (*bad.NUMBERS, 0.0, -1.0), "lipschitz": (*bad.NUMBERS, -1.0)}
OTHERS = {
    "neuron": (*bad.NUMBERS, "LTCNeuron", (1.0, 1.0)),
    "signal": (*bad.NUMBERS, np.ones((5, 7))),
    "x0": (np.ones((5, 7)),),
    "form": bad.CHOICES,
    "method": (*bad.CHOICES, "Euler"),
    "sample": (*bad.CHOICES, "end"),
    "of": bad.CHOICES,
    "plain": [value for value in bad.CHOICES if value is not True],
    "times": (*bad.INCREASING, [], 0.2),
    "values": (*bad.NUMBERS, [0.3], [[0.3, 0.5, 0.7]], [0.3, 3.5], np.full((5, 7, 2), 0.3)),
    "rtol": (*bad.NUMBERS, 0.0, -1.0, [1e-8, 1e-8]),
    "atol": (*bad.NUMBERS, 0.0, -1.0, [1e-8, 1e-8]),
    "f_range": (
        *bad.NUMBERS,
        (0.6, 0.4),
        (-0.1, 0.5),
        (0.5, 1.1),
        (0.5,),
        (math.nan, 1.0),
        (0.0, "1"),
        ([0.0] * 5, 1.0),
    ),
    "y": (*bad.NUMBERS, 0.1, 0.8, [0.5] * 5),
    "lipschitz": ((), (1.0, -1.0), (1.0, "1"), [1.0] * 5),
    "step": ([0.1, 0.2], [0.1] * 5),
}


def _refused():
    several = LTCNeuron(np.ones((2, 3)), 1.0)
    for name in CALLS:
        if " symmetric" in name:
            continue
        for argument in arguments_of(name):
            increasing = name in TRAJECTORIES and name != "closed_form"
            values = [*NUMBERS.get(argument, ()), *OTHERS.get(argument, ())]
            if argument == "t":
                values = bad.INCREASING if increasing else bad.TIMES
            for value in values:
                if value is None and name.startswith("frozen ") and argument == "step":
                    continue  # the default
                yield pytest.param(name, argument, value, several, id=f"{name}-{argument}-{type(value).__name__}")


@pytest.mark.parametrize(("name", "argument", "value", "neuron"), [*_refused()])
def test_bad_input_is_refused(name, argument, value, neuron):
    with pytest.raises((ValueError, TypeError), match=refusal(argument)):
        call(name, **{"neuron": neuron, "t": [0.5, 1.0], argument: value})


@pytest.mark.parametrize("name", ["frozen start", "frozen gauss"])
@pytest.mark.parametrize("step", [1e-300, 1e-13])
def test_a_step_that_needs_more_parts_than_memory_holds_is_refused(name, step):
    bad.refuses(lambda step: call(name, step=step), "step", step)


@pytest.mark.parametrize("name", [name for name in CALLS if "solve" not in name])
def test_what_float32_does_not_hold_is_refused_or_does_not_matter(name):
    for argument in ("x0", "t", "signal"):
        with bad.may_refuse(argument):
            assert np.isfinite(call(name, LTCNeuron(np.float32(1), np.float32(1)), **{argument: 1e39})).all()
