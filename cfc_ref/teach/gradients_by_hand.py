"""The exercises of tutorial 07 (backpropagation by hand)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from cfc_ref import CfC, checks
from cfc_ref.arrays import Array
from cfc_ref.teach.parts import Question, amount, calls, exercise, function, judged

__all__: list[str] = []


@exercise(
    "07.1",
    "write down g, h, p and s at t = 0 first; then one derivative at a time, from the new state back.",
    "tanh has the derivative 1 - tanh^2, the gate s (1 - s), and p = b_a t + b_b.",
)
def _one_unit() -> Iterator[Question]:
    cell = CfC(1, 1, backbone_layers=0, dtype="float64", seed=0, backend="numpy")
    biases = {"ff1": np.arctanh(0.5), "ff2": -np.arctanh(0.5), "time_a": 1.0, "time_b": 0.0}
    for name, array in cell.parameters.items():
        _, head, kind = name.split(".")
        array[...] = biases[head] if kind == "bias" else 0.0
    output, _, tape = cell.forward([[0.3]], [0.2], timespans=0.0)
    gradients = cell.backward(tape, [[1.0]])
    x, by_t = float(output[0, 0]), float(gradients.timespans)
    by_b1, by_ba = (float(gradients.parameters[f"rnn_cell.{head}.bias"][0]) for head in ("ff1", "time_a"))
    wrong = {"g and h are both weighted: half of each.": 0.5, "one of the heads has the wrong sign.": -0.5}
    yield amount("state", "the new state", x, wrong)
    wrong = {
        "its sign is wrong: the gate moves from g to h.": -by_t,
        "the derivative of the gate, s (1 - s), is missing.": 4 * by_t,
        "s (1 - s) is not s.": 2 * by_t,
    }
    yield amount("by_t", "its derivative by t", by_t, wrong)
    wrong = {
        "the derivative of tanh, 1 - g^2, is missing.": by_b1 / 0.75,
        "the weight of g, 1 - s, is missing.": 2 * by_b1,
        "the derivative of tanh is 1 - g^2, not 1 - g.": by_b1 / 0.75 * 0.5,
        "its sign is wrong.": -by_b1,
    }
    yield amount("by_b1", "its derivative by b_1", by_b1, wrong)
    wrong = {
        "p = b_a t + b_b: the factor t is missing.": -0.25,
        "p = b_a t + b_b: the factor t is missing, and the sign is wrong.": 0.25,
    }
    yield amount("by_ba", "its derivative by b_a", by_ba, wrong)


def _states(P: dict[str, Array], f1: Array, decay: Array, t: float) -> dict[str, Array]:
    """Return what is often wrong with the forward of the mode pure, and the state that shows it."""
    return {
        "the sign of the exponential's term is wrong.": P["A"] + P["A"] * decay * f1,
        "A is missing in front of the exponential.": P["A"] - decay * f1,
        "|w_tau| and |f_1| are sizes: their signs do not count.": P["A"] - P["A"] * np.exp(-t * (P["w"] + f1)) * f1,
        "t is missing in the exponent.": P["A"] - P["A"] * decay ** (1 / t) * f1,
    }


_FAULTS: dict[str, tuple[str, Callable[..., Any]]] = {  # gradient -> what is often wrong, and its wrong value
    "A": ("A occurs twice: outside and before the exponential.", lambda P, f1, e, t, q: q),
    "w": ("|w| has the derivative sign(w).", lambda P, f1, e, t, q: P["A"] * t * f1 * e * q),
    "b1": ("f_1 occurs twice, also in the rate: one share is missing.", lambda P, f1, e, t, q: -P["A"] * e * q),
}


@exercise(
    "07.2",
    "go through the formula from its end: first A, then the exponential, then the rate, then f_1.",
    "f_1 occurs in the rate as |f_1| and once more as a factor: add both shares.",
)
def _mode_pure() -> Iterator[Question]:
    layer = CfC(2, 3, mode="pure", backbone_layers=0, dtype="float64", seed=3, backend="numpy")
    own = {short: layer.parameters[f"rnn_cell.{name}"] for short, name in _NAMES.items()}
    rng = np.random.default_rng(0)
    I, x, t, q = rng.normal(size=2), rng.uniform(-1, 1, 3), 0.7, rng.normal(size=3)
    own["w"][...] *= -1  # one sign that |w| hides
    P = {short: array[0] if short in "wA" else array for short, array in own.items()}
    output, _, tape = layer.forward(I[None], x, timespans=t)
    theirs = layer.backward(tape, q[None])
    right = {short: theirs.parameters[f"rnn_cell.{name}"] for short, name in _NAMES.items()}
    right |= {"w": right["w"][0], "A": right["A"][0], "I": theirs.x[0], "x": theirs.hx, "t": theirs.timespans}
    f1 = P["W1"] @ np.concatenate([I, x]) + P["b1"]
    decay = np.exp(-t * (np.abs(P["w"]) + np.abs(f1)))

    def judge(pair: Any) -> str | None:
        if not isinstance(pair, (tuple, list)) or len(pair) != 2:
            checks.refuse(
                "answer['functions']", type(pair).__name__, "two functions", "pass (forward, backward)", TypeError
            )
        forward, backward = pair
        function("functions", forward, "forward(P, I, x, t) -> (new state, kept)")
        function("functions", backward, "backward(P, kept, d_new) -> gradients")
        new, kept = forward(P, I, x, t)
        if not np.allclose(new, output[0]):
            found = (text for text, value in _states(P, f1, decay, t).items() if np.allclose(new, value))
            return f"forward: {next(found, 'it differs from the layer of the package.')}"
        got = backward(P, kept, q)
        if not isinstance(got, dict) or set(got) != set(right):
            keys = str(sorted(got)) if isinstance(got, dict) else type(got).__name__
            checks.refuse("answer['functions']", keys, f"a dict of {', '.join(right)}", "return one gradient per name")
        for key in ("b1", "w", "A", "t", "W1", "I", "x"):  # what tells a mistake first
            value = right[key]
            if np.shape(got[key]) != np.shape(value):
                return f"{key}: its shape is {np.shape(got[key])}; a gradient has the shape of what it belongs to."
            if not np.allclose(got[key], value):
                return f"{key}: {_gradient_fault(key, got[key], value, (P, f1, decay, t, q))}"
        return None

    asks = "(forward, backward): forward(P, I, x, t) -> (new state, kept), with W1, b1, w and A in P, and"
    asks += " backward(P, kept, d_new) -> dict of W1, b1, w, A, I, x, t"
    yield judged("functions", asks, judge)
    wrong = {"the two one-sided slopes differ in sign; what does |w| give between them?": 1.0, "it is defined.": np.inf}
    yield amount("at_zero", "the derivative by an entry of w_tau that is 0, by hand", 0.0, wrong)


_NAMES = {"W1": "ff1.weight", "b1": "ff1.bias", "w": "w_tau", "A": "A"}


def _gradient_fault(key: str, got: Any, right: Any, context: tuple[Any, ...]) -> str:
    """Return what is wrong with a gradient."""
    if key in _FAULTS:
        text, value = _FAULTS[key]
        wrong = value(*context)
        if np.allclose(got, wrong):
            return text
    return "its sign is wrong." if np.allclose(got, -np.asarray(right)) else "it differs from central differences."


@exercise(
    "07.3",
    "the network is told gamma times the clock's pauses: what does the chain rule do with a timespan's gradient?",
    "add up over all samples; gamma makes up for c, so what is their product?",
)
def _wrong_clock() -> Iterator[Question]:
    rng = np.random.default_rng(0)
    clock, gradient = rng.uniform(0.2, 1.2, (3, 4)), rng.normal(size=(3, 4))
    truth = float(np.sum(clock * gradient))
    wrong = {
        "the clock's pauses are missing as a factor.": np.array([gradient.sum()]),
        "that is the mean; add up.": np.array([np.mean(clock * gradient)]),
        "its sign is wrong: this is the gradient, not the step.": np.array([-truth]),
        "multiply pause by pause, then add up.": np.array([clock.sum() * gradient.sum()]),
    }
    read = calls("by_gamma(clock, gradients_timespans)", (clock, gradient))
    yield amount(
        "by_gamma", "a function (clock, gradients.timespans) -> dL/dgamma", np.array([truth]), wrong, read=read
    )
    c = 0.7
    faults = {
        "that is gamma, which makes up for c.": 1 / c,
        "gamma is still where it started.": 1.0,
        "its square: the pauses were scaled twice.": c * c,
    }
    yield amount("c", "the c that you found", c, faults, rtol=0.05)
