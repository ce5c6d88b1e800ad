"""The division of rows into training, validation and test: the latest ones are held back, or whole groups."""

from __future__ import annotations

import numpy as np

from cfc_ref import checks
from cfc_ref.arrays import Array
from cfc_ref.tables.csv import by_group

__all__ = [
    "PARTS",
    "TEST",
    "TRAIN",
    "VALIDATION",
    "enough_groups",
    "split_by_group",
    "split_by_time",
    "split_within_groups",
]

TRAIN, VALIDATION, TEST = 0, 1, 2
PARTS = ("training", "validation", "test")


def split_by_time(time: Array, validation: float, test: float) -> Array:
    """Split by time: training, then validation, then test; rows of one time stay together."""
    return split_within_groups(time, np.zeros(len(time), dtype=np.int64), validation, test)


def split_within_groups(time: Array, group: Array, validation: float, test: float) -> Array:
    """Split each group by its times; a group that is too short for three parts is for training."""
    training = 1 - _shares(validation, test)
    part, split = np.full(len(time), TRAIN), False
    for rows in by_group(group):
        ordered, n = np.sort(time[rows]), len(rows)
        cuts = [ordered[min(round(share * n), n - 1)] for share in (training, training + validation)]
        of_row = np.sum([time[rows] >= cut for cut in cuts], axis=0)
        if len(np.unique(of_row)) == len(PARTS):
            part[rows], split = of_row, True
    if not split:
        got = f"{len(time)} rows, which leave one of training, validation and test empty"
        checks.refuse("path", got, "rows of at least three times", "add rows, or change the shares")
    return part


def enough_groups(groups: int, validation: float, test: float) -> bool:
    """Return whether a group remains for training after others are held back."""
    _shares(validation, test)
    return sum(_held_back(groups, validation, test)) < groups


def _held_back(groups: int, validation: float, test: float) -> tuple[int, int]:
    return max(1, round(validation * groups)), max(1, round(test * groups))


def split_by_group(group: Array, validation: float, test: float, seed: int) -> Array:
    """Draw the groups of training, validation and test; at least one each."""
    groups = int(group.max()) + 1
    enough = enough_groups(groups, validation, test)
    validate, tests = _held_back(groups, validation, test)
    if not enough:
        got = f"{groups} group{'s' * (groups > 1)}, of which {validate} would validate and {tests} test"
        do = "split by time within groups (--split within), change the shares, or add groups"
        checks.refuse("group", got, "at least one for training", do)
    part_of = np.full(groups, TRAIN)
    drawn = np.random.default_rng(seed).permutation(groups)
    part_of[drawn[:validate]] = VALIDATION
    part_of[drawn[validate:][:tests]] = TEST
    return part_of[group]


def _shares(validation: float, test: float) -> float:
    """Check both, and return their sum."""
    for name, share in (("validation", validation), ("test", test)):
        if not 0 < checks.number(name, share) < 1:
            checks.refuse(name, repr(share), "a share between 0 and 1", "pass for example 0.15")
    if validation + test >= 1:
        got = f"{validation} with a test share of {test}"
        checks.refuse("validation", got, "shares that leave rows for training", "pass smaller shares")
    return validation + test
