"""The exercises of tutorial 08 (wirings and neural circuit policies)."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import numpy as np

from cfc_ref import LTC, checks, translate, wirings
from cfc_ref.arrays import Array
from cfc_ref.teach.parts import Question, amount, calls, exercise, function, judged, words

__all__: list[str] = []


@exercise(
    "08.1",
    "each part of a step reads the other neurons as they were at its start.",
    "a chain: how many synapses lie between the input and the motor neuron?",
)
def _four_parts() -> Iterator[Question]:
    def judge(wiring: Any) -> str | None:
        if not isinstance(wiring, wirings.Wiring):
            checks.refuse("answer['wiring']", type(wiring).__name__, "a Wiring", "pass wirings.Wiring(…)", TypeError)
        if wiring.units != 4 or wiring.build(1).input_dim != 1:
            return "one input and four neurons are asked for."
        first = next((parts for parts in range(1, 6) if _hears(wiring, parts)), None)
        if first == 4:
            return None
        if first is None:
            return "the motor neuron, neuron 0, never hears of the input: which way do the synapses point?"
        return f"the motor neuron hears of the input {'too early' if first < 4 else 'too late'}."

    yield judged("wiring", "a wirings.Wiring of one input and four neurons", judge)
    wrong = {
        "that is right of an LTC; a CfC updates its layers one after the other, from new states.": 4.0,
        "it hears of the input within the step in which the input comes.": 0.0,
    }
    yield amount("steps", "the number of steps of a wired CfC", 1.0, wrong)


def _hears(wiring: wirings.Wiring, parts: int) -> bool:
    """Say whether the motor neuron of an LTC feels the input within one time step."""
    layer = LTC(1, wiring, ode_unfolds=parts, dtype="float64", seed=0, output_mapping=None, backend="numpy")
    output, _, tape = layer.forward([[0.3]])
    first = np.zeros_like(output)
    first[:, 0] = 1.0
    return bool(layer.backward(tape, first).x.item())


@exercise(
    "08.2",
    "x_inf = Q/G is a mean of reversal potentials, weighted by conductances.",
    "the distance to x_inf falls with exp(-t G/C), t being the time since the start.",
)
def _whole_neuron() -> Iterator[Question]:
    rng = np.random.default_rng(0)
    asked = [(*rng.uniform(0.5, 2.0, (3, 3)), rng.uniform(-2.0, -0.5, 3), t) for t in (0.3, 1.2)]
    rows = [_ways(*arguments) for arguments in asked]
    truth = np.array([row[""] for row in rows])
    wrong = {text: np.array([row[text] for row in rows]) for text in rows[0] if text}
    read = calls("whole(x0, G, C, Q, t)", *asked)
    yield amount("whole", "a function whole(x0, G, C, Q, t) -> the state at t, of arrays", truth, wrong, read=read)
    asks = "for which neurons is it good: the fast or the slow ones?"
    wrong_words = {"a slow neuron lags behind x_inf; is its error large or small?": ("slow", "large", "long")}
    yield words("good", asks, ("fast", "small", "short", "quick"), wrong_words)
    asks = "what Algorithm 1 has to do with the reversal potentials in place of adding them up"
    right = ("mean", "average", "divid", "normal", "weigh")
    wrong_words = {"a sum of potentials leaves the box, whatever its sign or size.": ("multipl", "subtract", "sum of")}
    yield words("change", asks, right, wrong_words)


def _ways(x0: Array, G: Array, C: Array, Q: Array, t: float) -> dict[str, Array]:
    """Return the state of the whole neuron, under no text, and what mistakes make of it."""
    rest, decay = Q / G, np.exp(-t * G / C)
    return {
        "": rest + (x0 - rest) * decay,
        "the neuron rests at Q/G, not at Q.": Q + (x0 - Q) * decay,
        "the capacitance C is missing in the exponent.": rest + (x0 - rest) * np.exp(-t * G),
        "the exponent is the rate G/C times t, not C/G times t.": rest + (x0 - rest) * np.exp(-t * C / G),
        "the sign of the exponent is wrong.": rest + (x0 - rest) / decay,
        "the sign of x0 - x_inf is wrong.": rest - (x0 - rest) * decay,
        "the time t is missing.": rest + (x0 - rest) * np.exp(-G / C),
        "the start x0 fades away, and x_inf takes over: both have changed places.": x0 + (rest - x0) * decay,
    }


@exercise(
    "08.3",
    "scale `network.parameters['rnn_cell.sigma']` in place, compare, and put the old values back.",
    "the certificate's bound is an array: its largest entry is what it promises.",
)
def _certificates() -> Iterator[Question]:
    def judge(answer: Any) -> str | None:
        function("certified", answer, "certified(network, x, hx, factor) -> (promise, error)")
        network = LTC(2, wirings.AutoNCP(8, 1), ode_unfolds=3, epsilon=0.0, dtype="float64", seed=1, backend="numpy")
        x, hx = np.random.default_rng(0).normal(size=(6, 2)), np.zeros(8)
        for factor in (1.0, 0.02):
            before = network.state_dict()
            got = checks.real("answer['certified']", answer(network, x, hx, factor))
            if any(not np.array_equal(array, before[name]) for name, array in network.state_dict().items()):
                return "the network is another one after the call: put its gains back."
            right = np.array(_certified(network, x, hx, factor))
            if got.shape != (2,):
                return f"its shape is {got.shape}; two numbers are asked for."
            if not np.allclose(got, right):
                return _certificate_fault(network, x, hx, factor, got, right)
        return None

    yield judged("certified", "a function certified(network, x, hx, factor) -> (largest promise, largest error)", judge)
    wrong = {"a missing certificate does not show that they stay apart: run them.": ("no",)}
    yield words("meet", "yes or no: do the runs from two corners meet?", ("yes", "meet"), wrong)


def _certificate_fault(network: LTC, x: Array, hx: Array, factor: float, got: Array, right: Array) -> str:
    """Return what is wrong with a pair of promise and error."""
    if np.allclose(got[::-1], right):
        return "promise and error have changed places."
    if np.allclose(got, _certified(network, x, hx, factor, "sigma", "sensory_sigma")):
        return "the gains of the inputs' synapses keep their values."
    if np.allclose(got, _certified(network, x, hx, factor, "w")):
        return "the gains are sigma; the conductances w keep their values."
    if np.allclose(got, _certified(network, x, hx, 1.0)):
        return "the factor has no influence."
    return "the error is that of the output of the frozen translation." if np.isclose(got[0], right[0]) else ""


def _certified(network: LTC, x: Array, hx: Array, factor: float, *scaled: str) -> tuple[float, float]:
    """Return promise and error of the frozen translation of a copy of the network."""
    network = copy.deepcopy(network)
    for name in scaled or ("sigma",):
        network.parameters[f"rnn_cell.{name}"][...] *= factor
    compared = translate.compare(network, x, hx=hx)
    error = compared.translations["frozen"].error
    return float(np.max(compared.certificate.bound)), float(np.abs(error).max())
