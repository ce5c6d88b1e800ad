"""The exercises of tutorial 13 (a hospital's clock)."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from cfc_ref.learn.metrics import auc
from cfc_ref.teach.parts import Question, amount, calls, exercise, words

__all__: list[str] = []

_SCORES = ((2.0, 0.5, 0.5), (1.0, 0.5, -1.0, -2.0))  # of who died, and of who lived
_DEATHS, _RECORDS = 121, 800


def _error(area: float, records: float) -> float:
    """Return the standard error of an AUC (Hanley and McNeil 1982) with the published share of deaths."""
    n1 = records * _DEATHS / _RECORDS
    n0 = records - n1
    q1, q2 = area / (2 - area), 2 * area**2 / (1 + area)
    return math.sqrt((area * (1 - area) + (n1 - 1) * (q1 - area**2) + (n0 - 1) * (q2 - area**2)) / (n1 * n0))


def _needed(area: float, error: float) -> float:
    """Return the number of records with that standard error, by bisection."""
    low, high = 10.0, 1e9
    for _ in range(100):
        middle = math.sqrt(low * high)
        low, high = (middle, high) if _error(area, middle) > error else (low, middle)
    return high


@exercise(
    "13.1",
    "there are 3 x 4 pairs; a pair of equal scores counts half. The error falls like 1/sqrt of the number of records.",
    "count the four pairs of each patient who died. Then double the records of the formula until the error is small.",
)
def _uncertain_order() -> Iterator[Question]:
    died, lived = _SCORES
    target = np.repeat([1, 0], [len(died), len(lived)])
    area = auc(np.array([*died, *lived])[:, None], target)
    strict = sum(d > s for d in died for s in lived) / 12
    wrong = {
        "equal scores count half.": strict,
        "equal scores count half, not as right.": 2 * area - strict,
        "you have the order turned round.": 1 - area,
    }
    yield amount("auc", "the AUC of the seven patients", area, wrong)
    needed = _needed(0.83, 0.005)
    few = {
        "the error falls with the root of the number: twice as certain takes four times as many.": (
            _RECORDS * _error(0.83, _RECORDS) / 0.005
        ),
        "that is the number of deaths; how many records is that?": needed * _DEATHS / _RECORDS,
    }
    yield amount("records", "how many records the test part needs", needed, few, rtol=0.02)


@exercise(
    "13.2",
    "write both clocks under each other for a record of four rows, and look for each interval.",
    "a timespan of the published clock belongs one row earlier. Which interval never arrives?",
)
def _turned_back() -> Iterator[Question]:
    records = np.array([[0.0, 0.5, 2.0, 1.0, 0.25], [0.0, 1.0, 1.0, 3.0, 6.0]])  # true timespans
    late = np.concatenate([np.zeros((2, 1)), -records[:, :-1]], axis=1)
    asks = "function of the published timespans of a record that returns the true ones, but for the last"
    wrong = {
        "they are still late: each belongs one row earlier.": -late[:, :-1],
        "they are in their places, but still negative.": late[:, 1:],
    }
    each = calls("of the published timespans", *((record,) for record in late))
    yield amount("undo", asks, records[:, :-1], wrong, read=each)
    right = ("last", "final", "end")
    told = {"that one is known: it is 0.": ("first",)}
    yield words("lost", "which timespan can't be known, in words", right, told)


@exercise(
    "13.3",
    "Eq. 3's exponential is of the rate times the time, with one sign or the other. A part is (1 - t)/6 long.",
    "the denominator is C + h G. It is 0 for a negative h; which t has it? A distance is multiplied by C/(C + h G).",
)
def _one_neuron_of_each_kind() -> Iterator[Question]:
    rate, t, C, G, parts = 0.5, 4.0, 1.0, 1.5, 6
    true, backwards = math.exp(-rate * t), math.exp(rate * t)
    yield amount("true", "Eq. 3's factor on the true clock", true, {"that is backwards.": backwards})
    yield amount("backwards", "Eq. 3's factor backwards", backwards, {"that is on the true clock.": true})
    pole = 1 + parts * C / G
    near = {
        "the published 1 is missing.": parts * C / G,
        "there are six parts.": 1 + C / G,
        "C over G.": 1 + parts * G / C,
    }
    yield amount("pole", "the interval in hours at which the denominator is 0", pole, near)
    part = C / (C + (1 - 3.0) / parts * G)
    far = {
        "that is one part; there are six.": part,
        "that is the true clock's.": (C / (C + (1 + 3.0) / parts * G)) ** parts,
    }
    yield amount("growth", "the factor of the six parts after 3 hours", part**parts, far)
