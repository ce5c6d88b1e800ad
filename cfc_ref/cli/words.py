"""What the commands share: numbers among the options, and lines that they print."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cfc_ref import checks
from cfc_ref.csv_table import written

if TYPE_CHECKING:
    from cfc_ref.tables.preparation import Preparation

__all__ = ["data_file", "figure_lines", "preparation_lines", "real", "say_absent", "whole"]


def whole(text: str) -> int:
    """Return an option's whole number."""
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"got {text!r}; expected a whole number; pass for example 10.") from None


def real(text: str) -> float:
    """Return an option's number."""
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"got {text!r}; expected a number; pass for example 0.1.") from None


def data_file(data: str | None, **lists: list[str] | None) -> str:
    """Return the table's path, also where an option of several values has taken it as its last one."""
    if data is not None:
        return data
    taken = [names for names in lists.values() if names and len(names) > 1 and Path(names[-1]).exists()]
    if not taken:
        do = f"name it first, as {' and '.join(f'--{name}' for name in lists)} take all names that follow"
        checks.refuse("DATA.csv", "no file", "the table to train on", do)
    return taken[0].pop()


def say_absent(packages: dict[str, str]) -> None:
    """Say in one line what is left out because the package that draws it is not installed."""
    absent = {package: what for package, what in packages.items() if not checks.installed(package)}
    if absent:
        text = f"no {' and no '.join(absent.values())}, as {' and '.join(absent)} cannot be found"
        print(f"cfc-ref: {text}; python -m pip install {' '.join(absent)}", file=sys.stderr, flush=True)


def preparation_lines(preparation: Preparation) -> list[str]:
    """Return what a network is given and what it predicts, in words."""
    columns, horizon = preparation.columns, preparation.horizon
    changes = [name for name, change in zip(columns.targets, preparation.change, strict=True) if change]
    rows = f", {horizon} row{'s' * (horizon > 1)} ahead" if horizon else ""
    kinds = f" (classes {', '.join(columns.classes)})" if columns.classes else ""
    as_changes = f", {', '.join(changes)} as the change since the last one seen" if changes else ""
    missing = "; may be missing: last seen value, time since, and mask go in" if preparation.missing else ""
    return [
        f"time      {columns.time}, median step {written(preparation.timespan)}{' s' if columns.dates else ''}",
        *([f"group     {columns.group}"] if columns.group else []),
        f"features  {', '.join(columns.features)}{missing}",
        f"target    {', '.join(columns.targets)}{kinds}{rows}{as_changes}",
    ]


def figure_lines(figures: dict[str, Any]) -> list[str]:
    """Return figures on held-back rows as a table, a line for each who predicted."""
    targets = figures["targets"]
    by = {name: values for name, values in figures.items() if name not in ("figure", "rows", "targets")}
    wide = max(map(len, by)) + 2
    head = "  ".join(f"{name:>12}" for name in targets)
    return [
        f"{figures['rows']:,} held-back rows, {figures['figure']}:",
        f"{'':{wide}}{head}",
        *(f"{name:{wide}}{'  '.join(f'{value:>12.5g}' for value in values)}" for name, values in by.items()),
    ]
