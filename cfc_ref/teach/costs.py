"""The exercises of tutorial 11 (fast and small)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from cfc_ref import LTC, checks, from_ncps, to_ncps_state_dict, wirings
from cfc_ref.teach.parts import Question, amount, calls, exercise, judged, words

__all__: list[str] = []

_UNITS, _INPUTS, _PARTS = 64, 17, 6


def _policy() -> LTC:
    """Return the network of section 3."""
    return LTC(4, wirings.AutoNCP(19, 1), seed=3, backend="numpy")


@exercise(
    "11.1",
    "a synapse has four numbers. Which synapses are computed once per sample, and which once in each part?",
    "the masks of `state_dict()` say which synapses of the neural circuit policy exist.",
)
def _counts() -> Iterator[Question]:
    full = LTC(_INPUTS, _UNITS, input_mapping=None, output_mapping=None, seed=0)
    ends = ("w", "sigma", "mu", "erev")
    numbers = sum(array.size for name, array in full.parameters.items() if name.endswith(ends))
    between, sensory = _UNITS * _UNITS, _INPUTS * _UNITS
    wrong = {
        "the synapses from the inputs are missing.": 4.0 * between,
        "a synapse has four numbers: w, sigma, mu, E.": numbers / 4,
        "a synapse has four numbers, its reversal potential included.": numbers * 3 / 4,
    }
    yield amount("weights", "how many numbers the synapses of the LTC of section 1 have", numbers, wrong, rtol=1e-9)
    logistic = sensory + _PARTS * between
    wrong = {
        "the inputs hold within a sample: their synapses are computed once.": _PARTS * (sensory + between),
        "each of the six parts computes the synapses between neurons again.": sensory + between,
        "the synapses from the inputs are missing.": _PARTS * between,
    }
    yield amount("logistic", "how many logistic functions a sample takes", logistic, wrong, rtol=1e-9)
    wrong = {
        "that is bytes per logistic function.": 32.0,
        "each synapse has four numbers to read.": 1 / 8,
        "a float64 has 8 bytes.": 1 / 4,
        "that is for float32; a float64 has 8 bytes.": 1 / 16,
    }
    yield amount("ratio", "logistic functions per byte read", logistic / (8 * 4 * logistic), wrong)
    policy = _policy()
    few = policy.sensory_synapse_count + _PARTS * policy.synapse_count
    wrong = {
        "the inputs hold within a sample: their synapses are computed once.": _PARTS
        * (policy.sensory_synapse_count + policy.synapse_count),
        "each of the six parts computes the synapses between neurons again.": policy.sensory_synapse_count
        + policy.synapse_count,
        "that is for every pair of neurons; few synapses exist.": 4 * 19 + _PARTS * 19 * 19,
        "the synapses from the inputs are missing.": _PARTS * policy.synapse_count,
    }
    yield amount(
        "policy", "how many logistic functions the neural circuit policy takes per sample", few, wrong, rtol=1e-9
    )


@exercise(
    "11.2",
    "the error of n parts is a/n + b/n^2 + …; which term cancels?",
    "measure the error for n and 2n: by which factor does it fall?",
)
def _extrapolation() -> Iterator[Question]:
    once, twice = np.random.default_rng(0).normal(size=(2, 3))
    wrong = {
        "that is the mean: the first-order term does not cancel.": (once + twice) / 2,
        "both results have changed places.": 2 * once - twice,
        "these are the weights for a method of order 2; the frozen form has order 1.": (4 * twice - once) / 3,
        "the weights have to add up to 1.": 2 * twice + once,
    }
    read = calls("extrapolated(x_n, x_2n)", (once, twice))
    asks = "a function extrapolated(x_n, x_2n) -> the state to go on with"
    yield amount("extrapolated", asks, [2 * twice - once], {k: v[None] for k, v in wrong.items()}, read=read)
    wrong_order = {
        "that is the order of the frozen form itself; the extrapolation cancels its first term.": 1.0,
        "one term cancels, not more.": 3.0,
        "that is the factor by which the error falls; the order is its logarithm of base 2.": 4.0,
    }
    yield amount("order", "the order in n", 2.0, wrong_order, rtol=0.15)
    wrong_words = {"over long gaps few parts are far from their limit: compare once more.": ("long", "both", "neither")}
    yield words("better", "for which gaps is it better than the midpoint: short or long?", ("short",), wrong_words)


@exercise(
    "11.3",
    "half precision takes 2 bytes per number; count all arrays that are stored.",
    "compare the largest difference of the outputs with the outputs' standard deviation.",
)
def _half_precision() -> Iterator[Question]:
    arrays = to_ncps_state_dict(_policy())
    size = 2 * sum(array.size for array in arrays.values())
    trained = 2 * sum(array.size for name, array in arrays.items() if "mask" not in name)
    wrong = {
        "that is float32: half precision takes 2 bytes.": 2.0 * size,
        "that is the number of numbers, not of bytes.": size / 2,
        "the masks are stored, too.": trained,
        "those are bits.": 8.0 * size,
    }
    yield amount("bytes", "the bytes of all arrays in half precision", size, wrong, rtol=1e-9)

    def judge(value: Any) -> str | None:
        got = checks.number("answer['gap']", value)
        if got <= 0:
            return "a largest difference is positive."
        halves = {name: array.astype(np.float16).astype(np.float32) for name, array in arrays.items()}
        small = from_ncps(halves, ode_unfolds=6, implicit_param_constraints=True, backend="numpy")
        rng = np.random.default_rng(0)
        x, dt = rng.normal(size=(500, 4)).astype(np.float32), rng.exponential(0.5, 500).astype(np.float32)
        whole = _policy()(x, timespans=dt)[0]
        gap = float(np.abs(small(x, timespans=dt)[0] - whole).max() / whole.std())
        if gap / 4 < got < 4 * gap:
            return None
        if gap / 4 < got * 100 < 4 * gap or gap / 4 < got / 100 < 4 * gap:
            return "give it as a share of the standard deviation, not per cent."
        return (
            "that is too small for weights of 11 bits."
            if got < gap
            else "that is too large: are both networks the same?"
        )

    yield judged("gap", "the largest difference of the outputs over their standard deviation", judge)
