"""Labels of whole series: targets that are constant within each group."""

from __future__ import annotations

import numpy as np

from cfc_ref import checks
from cfc_ref.arrays import Array
from cfc_ref.tables.columns import Columns
from cfc_ref.tables.csv import Table

__all__ = ["are_labels_of_groups", "label_last_rows"]


def are_labels_of_groups(table: Table) -> bool:
    """Return whether targets differ between groups but not within any, although groups have several rows."""
    low, high = _ranges(table)
    known = np.bincount(table.group[~np.isnan(table.y).any(axis=1)], minlength=len(low))
    differ = (low[known > 0] != low[known > 0][:1]).any()
    return bool((known > 1).any() and differ and (low == high)[known > 0].all())


def label_last_rows(columns: Columns, table: Table) -> Table:
    """Return a table in which the label of a group is known at its last row only."""
    if columns.group is None:
        do = "name the column of groups with --group"
        checks.refuse("label_per_group", "no column of groups", "groups, each with one label", do)
    low, high = _ranges(table)
    if (differ := (low < high) & np.isfinite(low)).any():
        g, j = checks.first(differ)
        (k,) = np.flatnonzero((table.group == g) & (table.y[:, j] != low[g, j]) & ~np.isnan(table.y[:, j]))[:1]
        where = f"line {table.rows.lines[k]}, column {columns.targets[j]!r}"
        got = f"another label in {where} than before in the same group"
        checks.refuse("label_per_group", got, "one label per group", "remove --label-per-group, or correct the labels")
    y = np.full_like(table.y, np.nan)
    last = np.zeros(len(low), dtype=np.int64)
    last[table.group] = np.arange(len(table.group))
    y[last] = np.where(np.isfinite(low), low, np.nan)
    return table._replace(y=y)


def _ranges(table: Table) -> tuple[Array, Array]:
    """Return the smallest and the largest target of each group; ∞ and -∞ if none is known."""
    shape = (int(table.group.max()) + 1, table.y.shape[1])
    low, high = np.full(shape, np.inf), np.full(shape, -np.inf)
    np.minimum.at(low, table.group, np.where(np.isnan(table.y), np.inf, table.y))
    np.maximum.at(high, table.group, np.where(np.isnan(table.y), -np.inf, table.y))
    return low, high
