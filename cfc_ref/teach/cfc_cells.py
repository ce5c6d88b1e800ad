"""The exercises of tutorial 06 (from neuron to network)."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from cfc_ref import CfC, LTCNeuron, checks, exact, signals
from cfc_ref.arrays import Array
from cfc_ref.teach.parts import Question, amount, exercise, function, judged, words

__all__: list[str] = []

_STEPS = 300  # of gradient descent, as in the notebook
_MODES = ("no_gate", "pure", "paper_pure", "from_x0")


@exercise(
    "06.1",
    "the weight of g is sigma(-f t): solve for f t.",
    "sigma(-z) is smaller than 0.01 where z is larger than the logit of 0.99.",
)
def _when_below_one_per_cent() -> Iterator[Question]:
    gate, exponential = -math.log(0.01 / 0.99) / 2, math.log(100) / 2
    wrong = {
        "that is the time of exp(-2 t), not of the gate.": exponential,
        "the rate f is missing.": 2 * gate,
        "divide by the rate, do not multiply with it.": 4 * gate,
        "its sign is wrong.": -gate,
        "that is the logarithm of base 10.": math.log10(99) / 2,
    }
    yield amount("gate", "the time of the gate with f = 2", gate, wrong, rtol=1e-3)
    wrong = {
        "that is the time of the gate, not of exp(-2 t).": gate,
        "the rate is missing.": 2 * exponential,
        "its sign is wrong.": -exponential,
        "that is the logarithm of base 10.": 1.0,
    }
    yield amount("exponential", "the time of exp(-2 t)", exponential, wrong, rtol=1e-3)
    asks = "the time of the gate with f = -2, in words"
    faults = {"this gate moves the other way: look at sigma(2 t).": ("2.", "-", "same", "always")}
    yield words("negative", asks, ("never", "no ", "not", "inf"), faults)


_FACTORS = {  # group of weights -> the fault, where they keep the value that they had
    "time_a": "the gate is turned the wrong way",
    "time_b": "t_b is not multiplied by time, and keeps its sign",
    "ff1": "the argument of the tanh of ff1",
    "ff2": "the argument of the tanh of ff2",
    "backbone": "the backbone reads the state in another unit (and its inputs in the same one)",
    "fc": "the projection reads the state in another unit",
}


@exercise(
    "06.2",
    "call the states of `torch` y = x/1.7159. Which weights read a state, and which ones write it?",
    "the heads' arguments take 0.666; what reads a state takes 1.7159; the gate turns round with time_a alone.",
)
def _between_variants() -> Iterator[Question]:
    def judge(answer: Any) -> str | None:
        function("translate", answer, "translate(weights) -> weights")
        made = CfC(3, 8, proj_size=2, variant="tensorflow", backbone_units=16, dtype="float64", seed=1, backend="numpy")
        other = CfC(3, 8, proj_size=2, variant="torch", backbone_units=16, dtype="float64", seed=2, backend="numpy")
        rng = np.random.default_rng(0)
        for array in made.parameters.values():
            array += rng.normal(size=array.shape) / 10  # no bias is 0
        weights, right = made.state_dict(), _translated(made.state_dict())
        got = answer(weights)
        if not isinstance(got, dict):
            checks.refuse(
                "answer['translate']", type(got).__name__, "a dict of weights", "return the new weights", TypeError
            )
        off = [name for name, array in right.items() if name in got and not np.allclose(got[name], array)]
        x, dt = rng.normal(size=(2, 9, 3)), rng.exponential(1.0, (2, 9))
        other.load_state_dict(got)
        if np.allclose(other(x, timespans=dt)[0], made(x, timespans=dt)[0], rtol=0, atol=1e-9):
            return None
        for group, fault in _FACTORS.items():
            if wrong := [name for name in off if f".{group}" in f".{name}"]:
                ends = {name.rpartition(".")[2] for name in wrong}
                return f"{fault}: look at its {' and its '.join(sorted(ends))}."
        return ""

    yield judged("translate", "a function: the state_dict of `tensorflow` -> that of `torch`", judge)


def _translated(weights: dict[str, Array]) -> dict[str, Array]:
    """Return the weights of the variant tensorflow in the variant torch."""
    G, gain = 1.7159, 0.666
    for name, array in weights.items():
        if ".ff" in name:
            array *= gain
        elif "time_a" in name:
            array *= -1
    weights["rnn_cell.backbone.0.weight"][:, 3:] *= G
    weights["fc.weight"] *= G
    return weights


@functools.cache
def _trained_error(mode: str, with_time: bool, steps: int) -> float:
    """Return the root mean squared error on new recordings of the neuron after the notebook's training."""
    rng = np.random.default_rng(1)
    layer = CfC(1, 8, proj_size=1, mode=mode, backbone_units=16, dtype="float64", seed=0, backend="numpy")
    velocity = {name: np.zeros_like(array) for name, array in layer.parameters.items()}
    for _ in range(steps):
        I, dt, target = _recordings(rng, 32)
        output, _, tape = layer.forward(I, timespans=dt if with_time else None)
        gradients = layer.backward(tape, 2 * (output - target) / target.size).parameters
        for name, array in layer.parameters.items():
            velocity[name] = 0.9 * velocity[name] - 0.05 * gradients[name]
            array += velocity[name]
    I, dt, target = _recordings(np.random.default_rng(2), 200)
    return float(np.sqrt(np.mean((layer(I, timespans=dt if with_time else None)[0] - target) ** 2)))


def _recordings(rng: np.random.Generator, batch: int, samples: int = 20) -> tuple[Array, Array, Array]:
    """Return inputs, timespans and states of the neuron of section 7."""
    dt, I = rng.exponential(1.0, (batch, samples)), rng.uniform(-2, 2, (batch, samples, 1))
    neuron, ends = LTCNeuron(0.3, 2.0, sigma=2.0), np.cumsum(dt, axis=1)
    states = [
        exact(neuron, signals.piecewise_constant([0.0, *end[:-1]], held), 0.0, end)
        for end, held in zip(ends, I[:, :, 0], strict=True)
    ]
    return I, dt, np.array(states)[:, :, None]


@exercise(
    "06.3",
    "use one seed, one set of recordings and one number of steps for all modes.",
    "report root mean squared errors on new recordings, with the learning rate of the notebook first.",
)
def _other_modes() -> Iterator[Question]:
    def judge(answer: Any) -> str | None:
        if not isinstance(answer, dict) or set(answer) != set(_MODES):
            given = str(sorted(answer)) if isinstance(answer, dict) else type(answer).__name__
            checks.refuse("answer['errors']", given, f"a dict by mode: {', '.join(_MODES)}", "pass one error per mode")
        for mode in _MODES:
            got, ours = checks.number(f"answer['errors'][{mode!r}]", answer[mode]), _trained_error(mode, True, _STEPS)
            if abs(got / ours - 1) < 0.15:
                continue
            if abs(got / ours**2 - 1) < 0.15:
                return f"{mode}: that is the mean squared error; take its root."
            if abs(got / _trained_error(mode, False, _STEPS) - 1) < 0.02:
                return f"{mode}: that is the error without timespans."
            return f"{mode}: the check's own training, with the notebook's data and steps, ends at another error."
        return None

    yield judged("errors", "a dict: mode -> test error with timespans at the notebook's learning rate", judge)

    def below(names: Any) -> str | None:
        if isinstance(names, str) or not set(names) <= set(_MODES):
            checks.refuse("answer['below']", names, f"names out of {', '.join(_MODES)}", "pass a list of modes")
        limit = _trained_error("default", False, _STEPS)
        right = {mode for mode in _MODES if _trained_error(mode, True, _STEPS) < limit}
        if set(names) == right:
            return None
        turned = set(names) == set(_MODES) - right
        return "these are the ones that stay above." if turned else "compare with Eq. 4 without timespans."

    yield judged("below", "the modes whose error is below that of Eq. 4 without timespans", below)
