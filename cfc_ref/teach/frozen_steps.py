"""The exercises of tutorial 05 (a closed form that converges)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from cfc_ref import LTCNeuron, bounds, checks, exact, frozen, signals
from cfc_ref.teach.parts import Question, amount, exercise, judged

__all__: list[str] = []


@exercise(
    "05.1",
    "where would the state come to rest if the release stayed at y*, and at which rate does it go there?",
    "the rate is w_tau + y*; how much of the way is left after h?",
)
def _one_step() -> Iterator[Question]:
    w, A, y, h = 1.0, 2.0, 0.5, 2 / 3 * math.log(2)
    neuron = LTCNeuron(w, A)
    I = float(neuron.f_inverse(y))
    truth = float(frozen(neuron, I, 0.0, h))
    wrong = {
        "that is the step of the symmetric form, which goes towards A.": float(exact(neuron, I, 0.0, h, "symmetric")),
        "that is Euler's step, which does not see the state change within h.": h * A * y,
        "the factor A is missing.": truth / A,
        "that is where the state would come to rest, not where it is after h.": A * y / (w + y),
        "the rate is w_tau + y*, not w_tau alone.": A * y / (w + y) * (1 - math.exp(-w * h)),
        "the rate is w_tau + y*, not y* alone.": A * y / (w + y) * (1 - math.exp(-y * h)),
        "the state moves towards the rest; the sign is wrong.": -truth,
    }
    yield amount("x", "the state after the step", truth, wrong)


@exercise(
    "05.2",
    "section 2's bound needs L, the largest slope of y in time: f's largest slope times that of the input.",
    "the slope of the sine is 2 pi times its frequency; M is the largest |A - x| that can occur, k the smallest rate.",
)
def _step_for_a_tolerance() -> Iterator[Question]:
    neuron, x0, wave, target = LTCNeuron(1.0, 1.0, sigma=2.0), 0.0, signals.sine(frequency=0.3), 1e-3
    a = float(neuron.f(-1.0))
    L, M, k = 2 / 4 * 2 * math.pi * 0.3, max(abs(x0 - 1), 1 / (1 + a)), 1 + a
    h = target * k / (M * L)
    wrong = {
        "the largest slope of f, sigma/4, is missing in L.": h * 2 / 4,
        "the largest slope of the logistic function is 1/4: L is too large.": h / 4,
        "the slope of the sine is missing a factor 2 pi.": h * 2 * math.pi,
        "the slope of the sine is missing its frequency.": h * 0.3,
        "the smallest rate k is w_tau + a, not 1.": h / k,
        "the smallest rate is that of the smallest release, not of the largest one.": h
        * (1 + float(neuron.f(1.0)))
        / k,
    }

    def step(value: Any) -> str | None:
        got = checks.number("answer['step']", value, positive=True)
        fault = amount("step", "", h, wrong).judge(got)
        if fault is None or fault:
            return fault
        if got <= h:
            return None if got > 0.4 * h else "that step is smaller than the bound asks for."
        ends = bounds.frozen_error(neuron, x0, 50.0, got, L, f_range=(a, 1.0))
        return None if max(abs(float(end)) for end in ends) <= target else "the bound does not promise 1e-3 for it."

    yield judged("step", "a step", step)

    def factor(value: Any) -> str | None:
        got = checks.number("answer['factor']", value)
        t = np.arange(1, 41) * 0.5
        error = float(np.abs(frozen(neuron, wave, x0, t, "start", h) - exact(neuron, wave, x0, t)).max())
        if 0.5 < got * error / target < 3:
            return None
        return "that is the reciprocal." if 0.3 < got * target / error < 2 else ""

    yield judged("factor", "promised error over measured error", factor)


@exercise(
    "05.3",
    "plot both errors over h for w_tau = 100. What is left of psi(u), and of phi_1(u)/6, for a large u?",
    "the state follows -A w_tau/(w_tau + y) closely: compare the terms h y' and h^2 y'' that the two steps miss.",
)
def _magnus() -> Iterator[Question]:
    w, s = 100.0, np.linspace(0.0, 4.0, 4001)
    y = 0.5 + 0.4 * np.sin(2 * s)
    slope = np.gradient(y, s)
    factor = w * np.abs(slope).max() / np.abs(np.gradient(slope, s)).max()
    wrong = {
        "that is the order for a small w_tau h.": 4.0,
        "that is the order of holding one look for the whole step.": 1.0,
    }
    yield amount("order", "the order that both come near to where w_tau h is large", 2.0, wrong, rtol=0.35)
    wrong = {
        "that is the reciprocal: which of the two has the larger error?": 1 / factor,
        "w_tau alone is not the factor: y' and y'' differ in size.": w,
        "the ratio of y' to y'' is the wrong way round.": w * w / factor,
    }
    yield amount("factor", "the error with phi_1/6 over that with psi", factor, wrong, rtol=0.2)
