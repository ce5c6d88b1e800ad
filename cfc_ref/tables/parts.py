"""Which rows train, which validate and which test: the latest ones are held back, or whole groups."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from cfc_ref import checks

__all__ = ["PARTS", "TEST", "TRAIN", "VALIDATION", "split_by_group", "split_by_time"]

Array = npt.NDArray[Any]

TRAIN, VALIDATION, TEST = 0, 1, 2
PARTS = ("training", "validation", "test")


def split_by_time(time: Array, validation: float, test: float) -> Array:
    """Give the earliest rows to training, then to validation, then to the test; rows of one time stay together."""
    training = 1 - _shares(validation, test)
    ordered = np.sort(time)
    cuts = [ordered[min(round(share * len(time)), len(time) - 1)] for share in (training, training + validation)]
    part = np.sum([time >= cut for cut in cuts], axis=0)
    if len(np.unique(part)) < 3:
        got = f"{len(time)} rows, which leave one of training, validation and test empty"
        checks.refuse("path", got, "rows of three times at least", "add rows, or change the shares")
    return part


def split_by_group(group: Array, validation: float, test: float, seed: int) -> Array:
    """Draw which groups train, which validate and which test; at least one each."""
    _shares(validation, test)
    groups = int(group.max()) + 1
    counts = {VALIDATION: max(1, round(validation * groups)), TEST: max(1, round(test * groups))}
    if sum(counts.values()) >= groups:
        got = f"{groups} groups, of which {counts[VALIDATION]} validate and {counts[TEST]} test"
        checks.refuse("group", got, "at least one to train", "split by time, or change the shares")
    part_of = np.full(groups, TRAIN)
    drawn = np.random.default_rng(seed).permutation(groups)
    part_of[drawn[: counts[VALIDATION]]] = VALIDATION
    part_of[drawn[counts[VALIDATION] :][: counts[TEST]]] = TEST
    return part_of[group]


def _shares(validation: float, test: float) -> float:
    """Check both, and return their sum."""
    for name, share in (("validation", validation), ("test", test)):
        if not 0 < checks.number(name, share) < 1:
            checks.refuse(name, repr(share), "a share between 0 and 1", "pass for example 0.15")
    if validation + test >= 1:
        got = f"{validation} with a test share of {test}"
        checks.refuse("validation", got, "shares that leave some rows to training", "pass smaller ones")
    return validation + test
