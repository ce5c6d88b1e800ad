"""The checks of the statements S1 to S15, each on the evidence of one batch of cases."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from cfc_ref.arrays import Array
from cfc_ref.bounds import neuron as bounds
from cfc_ref.bounds.checked import formula
from cfc_ref.neuron.closed_forms import eq9
from cfc_ref.neuron.model import REFLECTIONS, LTCNeuron
from cfc_ref.report import truth
from cfc_ref.report.evidence import Evidence
from cfc_ref.report.judge import AGREEMENT, Check

__all__ = [
    "STATED",
    "SYMMETRIC",
    "Judge",
    "boxes",
    "ends_of_lemma1",
    "eq6_solves",
    "eq8_solves",
    "frozen_forms",
    "gap",
    "lemma1",
    "lemma1_against_ltc",
    "lemma1_of_range",
    "no_decay",
    "sharp",
    "tripled_release",
    "two_terms",
]

Judge = Callable[[Evidence], Iterator[Check]]

SYMMETRIC, STATED = "symmetric form", "LTC as stated"
_TRIPLED = 250  # cases of a batch on which f = 3·logistic is tried; one counterexample is enough


def _reflected(evidence: Evidence) -> Iterator[tuple[LTCNeuron, Array, npt.NDArray[np.bool_]]]:
    """Yield neurons, closed forms and the cases to use: all with r = 1 - y, and with r = f(-I) where it differs."""
    for reflection in REFLECTIONS:
        neuron = evidence.neuron(reflection)
        differs = np.full(evidence.t.shape, True) if reflection == "release" else neuron.sigma * neuron.mu != 0
        yield neuron, eq9(neuron, evidence.cases.x0, evidence.t, evidence.y), differs


def _about(neuron: LTCNeuron) -> str:
    return "r = 1 - f(I)" if neuron.reflection == "release" else "r = f(-I)"


def _against(form: str, evidence: Evidence, x_tilde: Array) -> tuple[Array, Array, Array]:
    """Return the error of an approximation, how far the two truths differ, and the size of the state."""
    x, by_scipy = {
        STATED: (evidence.ltc, evidence.scipy_ltc),
        SYMMETRIC: (evidence.symmetric, evidence.scipy_symmetric),
    }[form]
    return x - x_tilde, np.abs(x - by_scipy), np.abs(x)


def eq6_solves(evidence: Evidence) -> Iterator[Check]:
    """Compare Eq. 6 with scipy."""
    formula = evidence.symmetric
    tolerance = AGREEMENT * np.maximum(1, np.abs(formula))
    # How far to trust scipy here: the LTC as stated was solved in the same steps, and its truth does not rest on Eq. 6.
    doubt = np.abs(evidence.ltc - evidence.scipy_ltc)
    use = np.full(evidence.t.shape, True)
    yield Check(evidence.scipy_symmetric - formula, doubt, np.abs(formula), -tolerance, tolerance, use)


def eq8_solves(evidence: Evidence) -> Iterator[Check]:
    """Compare Eq. 8 with scipy."""
    if evidence.cases.constant:
        yield from eq6_solves(evidence)


def lemma1(evidence: Evidence) -> Iterator[Check]:
    """Compare with Lemma 1's bound (S3)."""
    yield from _within_lemma1(SYMMETRIC, evidence)


def lemma1_against_ltc(evidence: Evidence) -> Iterator[Check]:
    """Compare with Lemma 1's bound (S8)."""
    yield from _within_lemma1(STATED, evidence)


def _within_lemma1(form: str, evidence: Evidence) -> Iterator[Check]:
    """The same bound, of the symmetric form (S3) and of the LTC as stated (S8)."""
    for neuron, x_tilde, use in _reflected(evidence):
        radius = np.abs(evidence.c) * np.exp(-neuron.w_tau * evidence.t)
        yield Check(*_against(form, evidence, x_tilde), -radius, radius, use, note=_about(neuron))


def ends_of_lemma1(end: str) -> Judge:
    """Compare with the paper's supremum or infimum of (x - x̃)/c, multiplied by |c| because c may be 0."""

    def judge(evidence: Evidence) -> Iterator[Check]:
        for neuron, x_tilde, use in _reflected(evidence):
            error, doubt, size = _against(SYMMETRIC, evidence, x_tilde)
            decay = np.abs(evidence.c) * np.exp(-neuron.w_tau * evidence.t)
            low, high = decay * np.expm1(-evidence.t), decay
            # sup and inf are over all inputs: with sigma = 0 f does not see its input
            use = use & (evidence.c != 0) & (evidence.t > 0) & (neuron.sigma != 0)
            scale, note = high if end == "high" else -low, _about(neuron)
            yield Check(np.sign(evidence.c) * error, doubt, size, low, high, use, (end,), scale, note)

    return judge


def lemma1_of_range(evidence: Evidence) -> Iterator[Check]:
    """Compare with Lemma 1 for a known range."""
    yield from _within(SYMMETRIC, bounds.lemma1, evidence)


def sharp(evidence: Evidence) -> Iterator[Check]:
    """Compare with the sharp interval."""
    yield from _within(STATED, bounds.closed_form_error, evidence)


def _within(form: str, interval: Callable[..., tuple[Array, Array]], evidence: Evidence) -> Iterator[Check]:
    """Compare with an interval for the known range, both ends of which are to be approached."""
    for neuron, x_tilde, use in _reflected(evidence):
        low, high = formula(interval)(neuron, evidence.cases.x0, evidence.t, (evidence.a, evidence.b))
        ends = ("low", "high")
        yield Check(*_against(form, evidence, x_tilde), low, high, use, ends, note=_about(neuron))


def gap(evidence: Evidence) -> Iterator[Check]:
    """Compare the difference of the two ODEs with its interval."""
    low, high = formula(bounds.form_gap)(evidence.cases.neuron, evidence.t, (evidence.a, evidence.b))
    gap, doubt, size = _against(SYMMETRIC, evidence, evidence.ltc)
    doubt = doubt + np.abs(evidence.ltc - evidence.scipy_ltc)
    yield Check(gap, doubt, np.maximum(size, np.abs(evidence.ltc)), low, high, np.full(evidence.t.shape, True))


def no_decay(evidence: Evidence) -> Iterator[Check]:
    """Compare with the interval about -A w/(w + y), once it excludes 0."""
    for neuron, x_tilde, use in _reflected(evidence):
        known = evidence.a, evidence.b
        low, high = formula(bounds.asymptotic_error)(neuron, evidence.cases.x0, evidence.t, known)
        use = use & (low * high > 0)  # late enough that the interval excludes 0
        yield Check(*_against(STATED, evidence, x_tilde), low, high, use, note=_about(neuron))


def frozen_forms(*samples: str) -> Judge:
    """Compare frozen forms with their bounds."""

    def judge(evidence: Evidence) -> Iterator[Check]:
        for sample in samples:
            error, radius, doubt = evidence.frozen[sample]
            size, use = np.abs(evidence.ltc), evidence.t > 0
            yield Check(error, doubt, size, -radius, radius, use, note=f"frozen, {sample}")

    return judge


def boxes(evidence: Evidence) -> Iterator[Check]:
    """Compare states with their box, and the rate at which solutions approach."""
    neuron, t = evidence.cases.neuron, evidence.t
    low, high = formula(bounds.state_box)(neuron, evidence.cases.x0, t)
    yield Check(*_against(STATED, evidence, np.zeros_like(t)), low, high, np.full(t.shape, True), note="state")
    # Two solutions with one input approach like exp(-∫ 1/tau_sys): the mean of 1/tau_sys is measured.
    ratio, by_scipy = (
        np.divide(x - neuron.A, evidence.c, out=np.ones_like(t), where=evidence.c != 0)
        for x in (evidence.symmetric, evidence.scipy_symmetric)
    )
    use = (t > 1e-3) & (np.abs(evidence.c) > 1e-3) & (ratio > 1e-6) & (by_scipy > 1e-6)
    rate, rate_by_scipy = (-np.log(np.where(use, r, 1)) / np.where(use, t, 1) for r in (ratio, by_scipy))
    doubt = np.abs(rate - rate_by_scipy)
    doubt += np.finfo(np.float64).eps * np.divide(
        np.abs(neuron.A) + 3, np.abs(evidence.c) * ratio * t, where=use, out=doubt * 0
    )
    yield Check(rate, doubt, rate, neuron.w_tau, neuron.w_tau + 1, use, note="1/tau_sys, mean over time")


def tripled_release(evidence: Evidence) -> Iterator[Check]:
    """Compare with Lemma 1's bound for f = 3·logistic."""
    if not evidence.cases.constant:
        return
    some = evidence.cases.take(np.arange(len(evidence.t)) < _TRIPLED)
    few = slice(0, len(some.x0))
    c, t, y = evidence.c[few], evidence.t[few], 3 * evidence.y[few]
    F = 3 * (some.release(np.zeros(1), np.arange(some.h.shape[1])) * some.h).sum(axis=1)
    x = some.neuron.A + c * np.exp(-some.neuron.w_tau * t - F)
    doubt = np.abs(x - truth.with_scipy(some, scale=3.0).symmetric[:, -1])
    radius = np.abs(c) * np.exp(-some.neuron.w_tau * t)
    for note, r in (("r = 1 - f(I)", 1 - y), ("r = f(-I)", 3 * evidence.neuron("input").reflect(evidence.y)[few])):
        x_tilde = some.neuron.A + c * np.exp(-(some.neuron.w_tau + y) * t) * r
        yield Check(x - x_tilde, doubt, np.abs(x), -radius, radius, t > 0, note=f"f = 3·logistic, {note}")


def two_terms(evidence: Evidence) -> Iterator[Check]:
    """Compare with the two-term bound."""
    for neuron, x_tilde, use in _reflected(evidence):
        low, high = formula(bounds.two_term)(neuron, evidence.cases.x0, evidence.t, (evidence.a, evidence.b))
        yield Check(*_against(STATED, evidence, x_tilde), low, high, use, note=_about(neuron))
