"""Options that several commands have, as data, and the lines that commands print."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cfc_ref import checks
from cfc_ref.csv_table import written

if TYPE_CHECKING:
    from cfc_ref.tables.preparation import Preparation

__all__ = [
    "DATA",
    "FLAG",
    "FOLDER",
    "NAME",
    "REAL",
    "WHOLE",
    "Option",
    "add_options",
    "data_file",
    "figure_lines",
    "preparation_lines",
    "real",
    "say_absent",
    "whole",
]

Option = tuple[str, str, dict[str, Any]]  # flag or name, help, and the other keywords of argparse's add_argument


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


FLAG: dict[str, Any] = {"action": "store_true"}
WHOLE: dict[str, Any] = {"type": whole, "metavar": "N"}
REAL: dict[str, Any] = {"type": real, "metavar": "X"}
NAME, FOLDER = {"metavar": "NAME"}, {"metavar": "FOLDER"}
DATA: dict[str, Any] = {"nargs": "?", "metavar": "DATA.csv"}


def add_options(parser: Any, options: Iterable[Option]) -> None:
    """Add options to a parser or to a group of its options."""
    for flag, text, keywords in options:
        parser.add_argument(flag, help=text, **keywords)


def data_file(data: str | None, **lists: list[str] | None) -> str:
    """Return the path of the table, which an option with several values may have taken as its last one."""
    if data is not None:
        return data
    taken = [names for names in lists.values() if names and len(names) > 1 and Path(names[-1]).exists()]
    if not taken:
        do = f"name it first, as {' and '.join(f'--{name}' for name in lists)} take all names that follow"
        checks.refuse("DATA.csv", "no file", "the table to train on", do)
    return taken[0].pop()


def say_absent(packages: dict[str, str]) -> None:
    """Print one line about output that is left out because a package is not installed."""
    absent = {package: what for package, what in packages.items() if not checks.installed(package)}
    if absent:
        text = f"no {' and no '.join(absent.values())}, as {' and '.join(absent)} cannot be found"
        print(f"cfc-ref: {text}; python -m pip install {' '.join(absent)}", file=sys.stderr, flush=True)


def preparation_lines(preparation: Preparation) -> list[str]:
    """Return lines about the columns that a network reads and predicts."""
    columns, horizon = preparation.columns, preparation.horizon
    changes = [name for name, change in zip(columns.targets, preparation.change, strict=True) if change]
    rows = f", {horizon} row{'s' * (horizon > 1)} ahead" if horizon else ""
    kinds = f" (classes {', '.join(columns.classes)})" if columns.classes else ""
    as_changes = f", {', '.join(changes)} as the change since the last one seen" if changes else ""
    missing = "; may be missing: last seen value, time since, and mask go in" if preparation.missing else ""
    label = ", one label per group: predicted after its last row" if preparation.label_per_group else ""
    return [
        f"time      {columns.time}, median step {written(preparation.timespan)}{' s' if columns.dates else ''}",
        *([f"group     {columns.group}"] if columns.group else []),
        f"features  {', '.join(columns.features)}{missing}",
        f"target    {', '.join(columns.targets)}{kinds}{rows}{as_changes}{label}",
    ]


def figure_lines(figures: dict[str, Any]) -> list[str]:
    """Return figures on held-back rows as tables: a line per prediction, and one per group."""
    heads: dict[str, str] = {"accuracy" if figures["figure"] == "accuracy" else "MSE": figures["figure"]}
    more = (("RMSE", "rmse"), ("R²", "r2"), ("balanced", "balanced accuracy"))
    heads |= {head: key for head, key in more if key in figures}
    title = figures["figure"] + " (MSE), its root (RMSE) and R²" * ("RMSE" in heads)
    rivals = [name for name, values in figures.items() if name not in _NO_RIVALS and isinstance(values, list)]
    lines = [f"{figures['rows']:,} held-back {figures.get('of', 'rows')}, {title}:"]
    targets, groups = figures["targets"], figures.get("groups", {})
    for k, target in enumerate(targets[:_SHOWN]):
        lines.append(_row(target if len(targets) > 1 else "", heads))
        for name in rivals:
            lines.append(_row(name, [figures.get(key, figures)[name][k] for key in heads.values()]))
        if groups:
            lines.append(_row(f"network{f', {target}' * (len(targets) > 1)}, by group", ["rows", *heads]))
            for name, group in list(groups.items())[:_SHOWN]:
                lines.append(_row(name, [f"{group['rows']:,}", *(group[key][k] for key in heads.values())]))
    for kind, names in (("targets", targets), ("groups", groups)):
        if len(names) > _SHOWN:
            lines.append(f"{len(names) - _SHOWN:,} more {kind} are in figures.json.")
    return [*lines, *(f"note      {note}" for note in figures.get("notes", []))]


_NO_RIVALS = ("targets", "notes")
_SHOWN = 8  # targets and groups whose figures are printed


def _row(name: str, cells: Iterable[str | float | None]) -> str:
    """Return a line of a table: a name, and numbers or words under one another."""
    texts = ["-" if cell is None else cell if isinstance(cell, str) else f"{cell:.5g}" for cell in cells]
    return f"{name[:25]:27}{'  '.join(f'{text:>12}' for text in texts)}".rstrip()
