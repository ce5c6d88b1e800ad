"""The exercises of tutorials 01 (a liquid neuron) and 02 (from integral to closed form)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from cfc_ref import LTCNeuron, bounds, checks, closed_form, exact, signals
from cfc_ref.teach.parts import Question, amount, calls, exercise, judged

__all__: list[str] = []

_LATE = 1e4  # a time at which every start is forgotten


@exercise("01.1", "at rest x' = 0. How fast is a distance to the rest forgotten?", "1 % of the way is left at t99.")
def _rest_and_time_constant() -> Iterator[Question]:
    w, A, f = 0.5, -2.0, 0.75
    neuron = LTCNeuron(w, A)
    I = neuron.f_inverse(f)
    rest, tau = float(exact(neuron, I, 0.0, _LATE)), float(bounds.time_constant(neuron, (f, f))[0])
    wrong = {
        "that is where the symmetric form rests; this neuron obeys the LTC as stated, x' = -(w_tau + f) x + A f.": A,
        "its sign is wrong: the state is drawn towards A.": -rest,
        "A f is what flows in; it has to balance what flows out.": A * f,
        "the reversal potential A is missing.": rest / A,
        "the leak is not w_tau alone: the release f opens a second way out.": A * f / w,
    }
    yield amount("rest", "the resting level", rest, wrong)
    wrong = {
        "that is the rate; its time constant is a time.": 1 / tau,
        "the leak w_tau is not the only thing that makes the state forget.": 1 / w,
        "the release f is not the only thing that makes the state forget.": 1 / f,
    }
    yield amount("tau", "the time constant", tau, wrong)
    wrong = {
        "the time constant is missing as a factor.": math.log(100),
        "its sign is wrong: a time after the start is positive.": tau * math.log(0.01),
        "that is when 1 % of the way is done.": -tau * math.log(0.99),
        "that is the logarithm of base 10; the state falls with base e.": 2 * tau,
        "one time constant is enough for 63 % only.": tau,
    }
    yield amount("t99", "the time of 99 % of the way", tau * math.log(100), wrong)


@exercise(
    "01.2",
    "the distance shrinks where its factor is smaller than 1 in size, and the factor may be negative.",
    "for `implicit`, collect both terms with the new state on one side.",
)
def _limit_of_euler() -> Iterator[Question]:
    w, A, f = 0.5, -2.0, 0.75
    k = 1 / float(bounds.time_constant(LTCNeuron(w, A), (f, f))[0])
    wrong = {
        "from there on the state jumps over the rest, but the jumps still shrink.": 1 / k,
        "the rate is w_tau + f, not w_tau alone.": 2 / w,
        "the rate is w_tau + f, not f alone.": 2 / f,
        "that is the reciprocal: a large rate needs a small step.": k / 2,
    }
    yield amount("limit", "the h of Euler's limit for the neuron of exercise 1", 2 / k, wrong)
    asked = [(0.3, 0.1), (-1.5, 1.0), (0.4, 5.0)]
    x, h = np.array(asked).T
    wrong = {
        "that is the explicit step, with the slope at the beginning.": x + h * (-k * x + A * f),
        "the inflow A f is missing.": x / (1 + h * k),
        "the sign of h (w_tau + f) is wrong.": (x + h * A * f) / (1 - h * k),
        "that is the step of the symmetric form.": (x + h * A * k) / (1 + h * k),
        "only one of both terms is taken at the end of the step.": (x + h * (A * f - f * x)) / (1 + h * w),
    }
    truth = (x + h * A * f) / (1 + h * k)
    read = calls("(x, h) -> the state after a step", *asked)
    yield amount(
        "implicit", "a function (x, h) -> the state after the implicit step, same neuron", truth, wrong, read=read
    )


@exercise(
    "01.3",
    "two points give a straight line of x/tau over 1/tau: what are its slope and its zero?",
    "once w_tau is known, 1/tau gives the release.",
)
def _from_two_recordings() -> Iterator[Question]:
    rows, truth = [], []
    for w, A, mu in ((0.8, 3.0, 0.4), (0.3, -1.5, -0.2)):
        neuron = LTCNeuron(w, A, mu, 1.5)
        releases = [float(neuron.f(I)) for I in (-0.5, 1.2)]
        rests = [float(exact(neuron, I, 0.0, _LATE)) for I in (-0.5, 1.2)]
        rows.append((*rests, *(float(bounds.time_constant(neuron, (f, f))[0]) for f in releases)))
        truth.append([w, A, *releases])
    right = np.array(truth)
    w, A, f1, f2 = right.T
    x1, x2, tau1, tau2 = np.array(rows).T
    wrong = {
        "w_tau and A have changed places.": np.stack([A, w, f1, f2], axis=1),
        "the sign of w_tau is wrong: it is where the line meets zero.": np.stack([-w, A, f1, f2], axis=1),
        "1/tau is w_tau + f: take w_tau away from it.": np.stack([w, A, 1 / tau1, 1 / tau2], axis=1),
        "A is the slope of the line, not its reciprocal.": np.stack([w, 1 / A, f1, f2], axis=1),
        "the releases have changed places.": np.stack([w, A, f2, f1], axis=1),
        "x/tau is A f: divide by A to get the releases.": np.stack([w, A, x1 / tau1, x2 / tau2], axis=1),
    }
    read = calls("(x1, x2, tau1, tau2) -> (w_tau, A, f1, f2)", *rows)
    yield amount("find", "a function (x1, x2, tau1, tau2) -> (w_tau, A, f1, f2)", right, wrong, read=read)


@exercise(
    "02.1",
    "F(t) is a sum of rectangles, one per piece, of height f(value) and the width that lies before t.",
    "the last rectangle ends at t: min(end, t), and no width is negative.",
)
def _eq8_by_hand() -> Iterator[Question]:
    times, values = [0.0, 0.7, 1.5, 2.0], [0.5, -2.0, 3.0, -0.3]
    t = np.array([0.0, 0.4, 1.0, 1.8, 3.0])
    neuron, signal, w, A, x0 = LTCNeuron(0.5, 2.0), signals.piecewise_constant(times, values), 0.5, 2.0, -1.0
    truth = exact(neuron, signal, x0, t, form="symmetric")
    decay = (truth - A) / (x0 - A)
    plain = np.array([sum(v * max(0.0, min(e, s) - b) for b, e, v in zip(times, [*times[1:], 9.0], values)) for s in t])  # noqa: B905
    wrong = {
        "that is the other ODE, the LTC as stated; Eq. 8 solves the symmetric form.": exact(neuron, signal, x0, t),
        "that is Eq. 9, which sees the input at time t alone.": closed_form(neuron, signal, x0, t),
        "that is one look at the input at time t, times t.": A + (x0 - A) * np.exp(-(w + neuron.f(signal(t))) * t),
        "the values are inputs: their releases f(value) are what F adds up.": A + (x0 - A) * np.exp(-w * t - plain),
        "the leak w_tau is missing.": A + (truth - A) * np.exp(w * t),
        "A has to be added at the end.": truth - A,
        "the state starts at x0: the factor is x0 - A, not x0.": A + x0 * decay,
        "the sign of the exponent is wrong.": A + (x0 - A) / decay,
        "the sign of x0 - A is wrong.": A - (x0 - A) * decay,
    }
    asked = [(0.5, 2.0, -1.0, times, values, float(s)) for s in t]
    read = calls("eq8(w_tau, A, x0, times, values, t)", *asked)
    yield amount("eq8", "a function eq8(w_tau, A, x0, times, values, t) -> x(t)", truth, wrong, read=read)


@exercise(
    "02.2",
    "the value at the single time t does not change F(t). What are the smallest and the largest F(t)?",
    "let the two inputs differ as much as they may before t, and jump to the same value at t.",
)
def _two_inputs() -> Iterator[Question]:
    neuron, x0, t, a, b = LTCNeuron(1.0, 1.0), -1.0, 2.0, 0.1, 0.9
    scale = 2 * math.exp(-t)
    ends = [float(exact(neuron, neuron.f_inverse(y), x0, t, form="symmetric")) for y in (a, b)]
    truth = (ends[1] - ends[0]) / scale
    wrong = {
        "its sign is wrong: it is a size.": -truth,
        "that is the difference itself; divide it by |x0 - A| exp(-w_tau t).": truth * scale,
        "F(t) is the release times t: the time is missing in the exponents.": math.exp(-a) - math.exp(-b),
        "that is the difference of the two F(t); the state falls with exp(-F).": (b - a) * t,
        "that is for releases in [0, 1]; here they lie in [0.1, 0.9].": 1 - math.exp(-t),
        "exp(-F) is 1 for F = 0 only; the releases are at least 0.1.": 1 - math.exp(-b * t),
    }
    yield amount("multiple", "the difference at t = 2, as a multiple of |x0 - A| exp(-w_tau t)", truth, wrong)

    def judge(pair: Any) -> str | None:
        if not isinstance(pair, (tuple, list)) or len(pair) != 2:
            checks.refuse("answer['inputs']", type(pair).__name__, "two signals", "pass a tuple of both", TypeError)
        first, second = (signals.as_signal(one) for one in pair)
        reach = [neuron.f(np.array(signal.range(t))) for signal in (first, second)]
        if not np.isclose(first(t), second(t)):
            return "the inputs differ at t = 2: Eq. 9 gives two values there."
        if min(map(np.min, reach)) < a - 1e-9 or max(map(np.max, reach)) > b + 1e-9:
            return "a release leaves [0.1, 0.9]; `neuron.f_inverse` gives the input of a release."
        gap = [float(exact(neuron, signal, x0, t, form="symmetric")) for signal in (first, second)]
        short = abs(gap[0] - gap[1]) / scale < 0.999 * truth
        return "Eq. 6 does not yet differ as much as possible under these two." if short else None

    yield judged("inputs", "two signals, for LTCNeuron(w_tau=1.0, A=1.0)", judge)


@exercise(
    "02.3",
    "multiply z' = -(w_tau + f) z - A w_tau by exp(w_tau t + F(t)) and integrate.",
    "the exponent never falls: how large can the second term be, compared with |A| w_tau t?",
)
def _second_constant() -> Iterator[Question]:
    w, A, x0, t = 1.0, 1.0, -1.0, np.linspace(0.0, 4.0, 2001)
    neuron, wave = LTCNeuron(w, A, sigma=3.0), signals.sine(1.0, 0.4)
    truth, symmetric = (exact(neuron, wave, x0, t[::100], form=form) for form in ("ltc", "symmetric"))
    term = symmetric - truth
    wrong = {
        "the second term is missing: this is the symmetric form.": symmetric,
        "the second term has the wrong sign.": symmetric + term,
        "that is z = x - A; add A.": truth - A,
        "that is the second term alone.": term,
        "the factor exp(-w_tau t - F(t)) before the second integral is missing.": symmetric
        - term * (x0 - A) / (symmetric - A),
    }

    def read(name: str, answer: object) -> np.ndarray:
        return calls("state(w_tau, t)", (w, t))(name, answer)[0][::100]

    asks = "a function state(w_tau, t) -> x at the times t, for A = 1, x0 = -1, sigma = 3 and sine(1.0, 0.4)"
    yield amount("state", asks, truth, wrong, read=read, rtol=1e-3, atol=1e-3)
    wrong = {"that is x's limit; the question is about the second term alone.": A, "it is a finite number.": np.inf}
    yield amount("limit", "the second term at a fixed t as w_tau goes to 0, a number", 0.0, wrong)
