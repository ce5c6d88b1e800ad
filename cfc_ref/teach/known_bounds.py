"""The exercises of tutorial 12 (what can be known)."""

from __future__ import annotations

import math
from collections.abc import Iterator

from cfc_ref import LTCNeuron, bounds
from cfc_ref.teach.parts import Question, amount, exercise

__all__: list[str] = []


@exercise(
    "12.1",
    "late, a constant release leads to A y/(w_tau + y). Which releases lead to the ends?",
    "late, Eq. 9 says A, whatever it sees. From which state is that farthest?",
)
def _one_look_late() -> Iterator[Question]:
    neuron, known, late = LTCNeuron(w_tau=0.5, A=2.0), (0.2, 0.7), 200.0
    centre, radius = (float(value) for value in bounds.radius(neuron, 0.0, late, known))
    low, high = centre - radius, centre + radius
    ratio = float(bounds.ratio_of_eq9(neuron, 0.0, late, known))
    swapped = {"the ends have changed places.": (high, low), "that is z = x - A; add A.": (low - 2, high - 2)}
    yield amount("states", "(low, high), between which the state is", (low, high), swapped)
    yield amount("centre", "what the best form says", centre, {"that is what Eq. 9 says late.": 2.0})
    yield amount("radius", "its worst error", radius, {"half of that: the middle is nearer.": 2 * radius})
    wrong = {"take the other end: A is farther from the lower state.": (2 - high) / radius, "divide by R.": 2 - low}
    yield amount("ratio", "the worst error of Eq. 9 over it", ratio, wrong)


@exercise(
    "12.2",
    "at rest a change counts exp(-k (t - s)), with k = w_tau + y. Where is half of the integral of that?",
    "t = 3 is not late for ever: the integral begins at 0. For A = 0 no moment counts more than another.",
)
def _when_to_look() -> Iterator[Question]:
    t = 3.0
    tau = float(bounds.best_look(LTCNeuron(0.5, 1.0), 0.5, t, 0.5, 0.1)[0])
    middle = float(bounds.best_look(LTCNeuron(0.5, 0.0), 1.0, t, 0.5, 0.1)[0])
    wrong = {
        "that is so for late t; here the integral begins at 0.": math.log(2),
        "that is the time of the look; how long before t is it?": tau,
        "the rate is w_tau + y, not w_tau.": math.log(2 / (1 + math.exp(-1.5))) / 0.5,
    }
    yield amount("before", "how long before t, for A = 1", t - tau, wrong)
    yield amount("when", "the time of the look, for A = 0", middle, {"that is t itself.": t, "that is the start.": 0.0})


@exercise(
    "12.3",
    "from both samples draw lines of slope 1 and -1. Where do they meet?",
    "the envelopes enclose a rectangle that stands on a corner.",
)
def _between_two_samples() -> Iterator[Question]:
    first, second, h = 0.3, 0.5, 0.5
    rise, fall = (h + (second - first)) / 2, (h - (second - first)) / 2
    higher = {
        "it has to come back to the second sample in time.": first + h,
        "that is the way up; add the sample.": rise,
    }
    yield amount("high", "the highest release", first + rise, higher)
    lower = {"it has to come back to the second sample in time.": first - h, "the way down is shorter than that.": 0.0}
    yield amount("low", "the lowest release", first - fall, lower)
    area = {"each side is longer by the root of 2, as it runs at a slope of 1.": rise * fall}
    yield amount("area", "the area between the envelopes", 2 * rise * fall, area)
