"""Series ready for a network, one a group; and windows cut from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cfc_ref import checks
from cfc_ref.tables.csv import Table, by_group
from cfc_ref.tables.parts import PARTS
from cfc_ref.tables.preparation import Preparation, ahead

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]

__all__ = ["Series", "Windows", "cut_windows", "prepare"]


class Series(NamedTuple):
    """The rows of one group, in the order of time.

    Attributes
    ----------
    rows : ndarray of int, shape (T,)
        Where they are in the table.
    x : ndarray, shape (T, inputs)
        What a network reads.
    dt : ndarray, shape (T,)
        Timespans.
    base : ndarray, shape (T, targets)
        What predicted changes are added to.
    y : ndarray, shape (T, targets)
        What a network's outputs are compared with, of the row `horizon` later; NaN where unknown.
    part : ndarray of int, shape (T,)
        The part of the row that is predicted; -1 where there is none.
    """

    rows: Array
    x: Array
    dt: Array
    base: Array
    y: Array
    part: Array


class Windows(NamedTuple):
    """Pieces of series, as :func:`cfc_ref.fit` takes them.

    Attributes
    ----------
    x : ndarray, shape (N, length, inputs)
    y : ndarray, shape (N, length, targets)
        NaN where nothing is to be learned.
    dt : ndarray, shape (N, length)
    mask : ndarray of bool, shape (N, length)
        False outside of the series.
    """

    x: Array
    y: Array
    dt: Array
    mask: Array


def prepare(preparation: Preparation, table: Table, part: Array | None = None) -> list[Series]:
    """Return a table's series."""
    prepared = []
    for rows in by_group(table.group):
        dt = preparation.timespans(table.time[rows])
        x = preparation.network_inputs(table.x[rows], dt)
        base = preparation.base(x)
        y = np.full(base.shape, np.nan)
        if table.y.size:
            y = preparation.network_targets(ahead(table.y[rows], preparation.horizon), base)
        of_row = np.zeros(len(rows)) if part is None else part[rows].astype(np.float64)
        predicted = np.nan_to_num(ahead(of_row, preparation.horizon), nan=-1).astype(np.int64)
        prepared.append(Series(rows, x, dt, base, y, predicted))
    if part is not None:
        _check_parts(preparation, prepared)
    return prepared


def _check_parts(preparation: Preparation, prepared: list[Series]) -> None:
    """Refuse parts in which a target is never known."""
    part, y = (np.concatenate(arrays) for arrays in ([one.part for one in prepared], [one.y for one in prepared]))
    for k, name in enumerate(PARTS):
        known = ~np.isnan(y[part == k])
        for target, any_known in zip(preparation.columns.targets, known.any(axis=0), strict=True):
            if not any_known:
                got = f"no known target {target!r} in the {name} part"
                checks.refuse("path", got, "at least one", "add rows, or change the shares or the horizon")


def cut_windows(series: list[Series], part: int, length: int, stride: int, *, before: int = 0) -> Windows:
    """Cut the runs of one part into windows; none crosses from a group or a part into another.

    Windows begin every `stride` rows, and one more ends where the run ends, so that each row is in one. A run that is
    shorter than a window is padded. Windows without a known target are left out.
    """
    checks.count("length", length, at_least=1)
    checks.count("stride", stride, at_least=1)
    cut = []
    for one in series:
        edges = np.flatnonzero(np.diff(one.part == part, prepend=False, append=False))
        for first, end in zip(edges[::2], edges[1::2], strict=True):
            cut.append(_cut(one, first, end, length, stride, before))
    whole = Windows(*map(np.concatenate, zip(*cut, strict=True)))
    learns = ~np.isnan(whole.y).all(axis=(1, 2))
    return Windows(*(array[learns] for array in whole))


def _cut(one: Series, first: int, end: int, length: int, stride: int, before: int) -> Windows:
    """Return the windows of the rows first … end - 1."""
    last = max(first, end - length)
    starts = np.unique(np.append(np.arange(first, last, stride), last))
    k = starts[:, None] + np.arange(-before, length)
    mask = (k >= 0) & (k < end)
    k = np.where(mask, k, first)
    y = np.where((mask & (k >= starts[:, None]))[..., None], one.y[k], np.nan)
    return Windows(one.x[k], y, one.dt[k], mask)
