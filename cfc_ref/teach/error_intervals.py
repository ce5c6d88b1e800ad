"""The exercises of tutorials 03 (how wrong can it be?) and 04 (what the proof assumes)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from cfc_ref import LTCNeuron, bounds, checks, closed_form, exact, signals
from cfc_ref.teach.parts import Question, amount, curve, exercise, judged, words

__all__: list[str] = []


@exercise(
    "03.1",
    "the error is c exp(-w_tau t) times a bracket. Between which two numbers does the bracket lie?",
    "c = x0 - A is negative: what does that do to the two ends?",
)
def _interval_by_hand() -> Iterator[Question]:
    neuron, x0, t = LTCNeuron(w_tau=1.0, A=0.0), -2.0, 1.0
    low, high = (float(end) for end in bounds.lemma1(neuron, x0, t))
    bound = abs(x0) * math.exp(-t)
    wrong = {
        "the ends have changed places: a negative c turns them round.": (high, low),
        "the sign of c is wrong.": (-high, -low),
        "the factor exp(-w_tau t) is missing.": (low * math.e, high * math.e),
        "the factor c is missing.": (high / -2, low / -2),
        "that is the bound of the size; the interval is not symmetric.": (-bound, bound),
        "the bracket goes down to exp(-t) - 1, not to -exp(-t).": (low, bound * math.exp(-t)),
    }
    yield amount("interval", "(low, high), the ends of the error x - closed form", (low, high), wrong)


_LEMMA = LTCNeuron(w_tau=1.0, A=1.0, sigma=2.0)  # the neuron of tutorial 03
_START = 3.0


def _error(signal: signals.SignalLike, t: float, neuron: LTCNeuron = _LEMMA, form: str = "symmetric") -> float:
    """Return the error of the closed form at t against one of the two ODEs."""
    return float(exact(neuron, signal, _START, t, form=form) - closed_form(neuron, signal, _START, t))


@exercise(
    "03.2",
    "set the derivative of y exp(-y t) by y to zero.",
    "put that y into the error and divide by |c| exp(-w_tau t); one factor of the time stays.",
)
def _worst_constant_input() -> Iterator[Question]:
    at = np.array([1.25, 2.0, 5.0])
    y = 1 / at
    error = np.array([_error(float(_LEMMA.f_inverse(one)), t) for one, t in zip(y, at, strict=True)])
    share = error / bounds.lemma1(_LEMMA, _START, at)[1]
    wrong = {
        "that is the reciprocal: a late time needs a small release.": at,
        "the largest release makes exp(-y t) small, too.": np.ones(3),
        "the leak does not move the maximum: exp(-w_tau t) is a factor of every error.": 1 / (1.0 + at),
        "the factor y grows with y, and so does the maximum's place: it is not at 0.": np.zeros(3),
    }
    yield curve("y", "the y, as a function of t or as a number for t = 2", list(at), y, wrong)
    wrong = {
        "that is the error itself, not its share of the bound.": error,
        "the time is missing: the later, the smaller the share.": share * at,
        "exp(-y t) is missing: y alone is not the share.": y,
        "its sign is wrong.": -share,
        "exp(-y t) is smaller than 1: the sign of its exponent is wrong.": y * math.e,
    }
    asks = "its share of Lemma 1's bound, as a function of t or as a number for t = 2"
    yield curve("share", asks, list(at), share, wrong)


def _ramp_share(K: float, end: float, t: float = 2.0) -> float:
    """Return the error under -8 and a ramp of slope K that ends at `end` at t, as a share of the supremum."""
    rise = (end + 8) / K
    if not 0 < rise <= t:
        return 0.0
    return _error(signals.sampled([0.0, t - rise, t], [-8.0, -8.0, end]), t) / float(bounds.lemma1(_LEMMA, 3.0, t)[1])


@exercise(
    "03.3",
    "write the share of the supremum as a function of K and of the level at t, and bisect over K.",
    "f need not be saturated at t: a lower level leaves less time in which F grows.",
)
def _ramps() -> Iterator[Question]:
    def steep(value: Any) -> str | None:
        K = checks.number("answer['K']", value)
        if K <= 0:
            return "a slope is positive."
        if _ramp_share(K * 1.01, 8.0) < 0.9:
            too_far = _ramp_share(K * 2.02, 8.0) >= 0.9
            return "the ramp is 16 long, from -8 to 8: that is not yet 90 %." if too_far else "that is not yet 90 %."
        return "90 % is reached, but by a smaller K, too." if _ramp_share(K * 0.99, 8.0) >= 0.9 else None

    yield judged("K", "the smallest K for a ramp to 8", steep)

    def lower(pair: Any) -> str | None:
        level, K = checks.numeric("answer['lower']", pair)
        if not -8 < level < 8:
            return "the level at t lies between -8 and 8, and is not 8."
        if _ramp_share(K * 1.001, level) < 0.9:
            return "that is not yet 90 %, or the ramp does not fit into the 2 units of time."
        return None if _ramp_share(K * 1.001, 8.0) < 0.9 else "that K is no smaller than the one for a ramp to 8."

    yield judged("lower", "(level, K): a lower level at t, and a K that reaches 90 % there", lower)


@exercise(
    "04.1",
    "set x' = 0 in each of the two ODEs.",
    "the closed form goes to A; an error is truth minus closed form.",
)
def _two_rests() -> Iterator[Question]:
    w, A, y, x0, t = 0.5, 2.0, 0.25, 0.0, 60.0
    neuron = LTCNeuron(w, A)
    I = float(neuron.f_inverse(y))
    ltc, symmetric = (float(exact(neuron, I, x0, t, form=form)) for form in ("ltc", "symmetric"))
    tilde = float(closed_form(neuron, I, x0, t))
    other = {
        "that is the rest of the other ODE.": symmetric,
        "the factor A is missing.": ltc / A,
        "that is the inflow; divide by what flows out per unit of state.": A * y,
        "the leak is w_tau + f, not w_tau alone.": A * y / w,
    }
    yield amount("ltc", "where the LTC as stated comes to rest", ltc, other)
    wrong = {
        "that is the rest of the other ODE.": ltc,
        "the factor w_tau + f cancels; it does not stay.": A * (w + y),
    }
    yield amount("symmetric", "where the symmetric form comes to rest", symmetric, wrong)
    wrong = {
        "its sign is wrong: an error is truth minus closed form.": tilde - ltc,
        "that is the rest, not the error.": ltc,
        "that is the error against the other ODE.": symmetric - tilde,
    }
    yield amount("error_ltc", "the error's level against the LTC as stated", ltc - tilde, wrong)
    wrong = {
        "that is the error against the other ODE.": ltc - tilde,
        "that is the rest, not the error.": symmetric,
    }
    yield amount("error_symmetric", "the error's level against the symmetric form", symmetric - tilde, wrong, atol=1e-3)


@exercise(
    "04.2",
    "for which release in [0.2, 1] and at which time is the gap largest?",
    "the largest gap is |A| times a fraction of w_tau and the smallest rate.",
)
def _small_leak() -> Iterator[Question]:
    a = 0.2

    def gap(w: float, low: float = a) -> float:
        return float(max(np.abs(bounds.form_gap(LTCNeuron(w, 1.0), 1e6, (low, 1.0)))))

    def judge(value: Any) -> str | None:
        w = checks.number("answer['w_tau']", value)
        if w <= 0:
            return "a leak is positive."
        if gap(w) <= 0.01 * (1 + 1e-9):
            return None if gap(w) > 0.0098 else "it is small enough, but a larger leak is, too."
        if same_share(gap(w, 1.0)):
            return "that is for the largest release; the gap is largest for the smallest one."
        if same_share(gap(w / 100)):
            return "that is a leak in per cent."
        return "with that leak the two ODEs can differ by more."

    def same_share(share: float) -> bool:
        return abs(share - 0.01) < 2e-4

    yield judged("w_tau", "the largest leak", judge)


@exercise(
    "04.3",
    "the lower end needs the smallest z = x - A: which release pulls z down while z > 0, and which while z < 0?",
    "the switch is where z passes 0 under the first release: solve z' = -(w_tau + y) z - A w_tau for that time.",
)
def _attain_the_lower_end() -> Iterator[Question]:
    neuron, t, a, b = LTCNeuron(1.0, 1.0), 3.0, 0.1, 0.9
    low, high = (float(end) for end in bounds.closed_form_error(neuron, _START, t, f_range=(a, b)))

    def judge(value: Any) -> str | None:
        signal = signals.as_signal(value)
        reach = neuron.f(np.array(signal.range(t)))
        if reach.min() < a - 1e-9 or reach.max() > b + 1e-9:
            return "a release leaves [0.1, 0.9]; `neuron.f_inverse` gives the input of a release."
        error = _error(signal, t, neuron, "ltc")
        if abs(error - low) < 1e-4 * abs(low):
            return None
        if abs(error - high) < 1e-2 * abs(high):
            return "that attains the other end."
        first, last = (float(neuron.f(np.asarray(signal(at)))) for at in (0.0, t))
        if first < last:
            return "the two releases come in the wrong order."
        if last > a + 1e-6:
            return "the closed form is not yet largest: which release does it need at t?"
        return "the order of the releases is right, the time of the switch is not."

    yield judged("signal", "a signal for LTCNeuron(w_tau=1.0, A=1.0)", judge)
    asks = "yes or no: does the input have to jump again at t?"
    wrong = {"compare the release that the closed form needs at t with the one that holds before.": ("yes",)}
    yield words("jump", asks, ("no",), wrong)
