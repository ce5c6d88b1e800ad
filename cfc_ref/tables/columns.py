"""The roles of a table's columns: times, features, targets, groups."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from cfc_ref import checks
from cfc_ref.csv_table import MISSING, Rows, column_of, is_number, note_missing
from cfc_ref.csv_times import are_dates

__all__ = ["Columns", "check_header", "choose_columns"]

_TASKS = ("regression", "classification")


class Columns(NamedTuple):
    """Names of columns by their roles; without groups all rows are one series."""

    time: str
    dates: bool  # whether times are dates
    features: tuple[str, ...]
    targets: tuple[str, ...]
    group: str | None
    classes: tuple[str, ...] | None  # names of a target that is a class; None where targets are numbers


def choose_columns(
    rows: Rows,
    *,
    time: str,
    target: Sequence[str],
    features: Sequence[str] | None = None,
    group: str | None = None,
    horizon: int = 0,
    task: str | None = None,
    dates: bool | None = None,
) -> Columns:
    """Return the roles of a table's columns."""
    header = rows.header
    if isinstance(target, str) or not len(target):
        checks.refuse("target", repr(target), "a list of one column or more", "pass for example ['y']", TypeError)
    checks.count("horizon", horizon)
    grouped = [] if group is None else [group]
    for argument, names in (("time", [time]), ("target", target), ("group", grouped)):
        for name in names:
            column_of(argument, name, header)
    _once("target", [time, *grouped, *target])
    classes = _classes(rows, target, task)
    if features is None:
        taken = {"", time, *grouped, *(() if horizon and classes is None else target)}
        features = [name for name in header if name not in taken]
        check_header("path", header, features)
    _check_features(header, features, time, group, () if horizon else target)
    _refuse_text(rows, features, group)
    return Columns(time, are_dates(rows, time, dates), tuple(features), tuple(target), group, classes)


def check_header(argument: str, header: Sequence[str], used: Sequence[str]) -> None:
    """Refuse columns that are used but missing, or present more than once."""
    used, there = list(dict.fromkeys(used)), Counter(header)
    if absent := [name for name in used if name not in there]:
        got = f"no column{'s' * (len(absent) > 1)} {', '.join(map(repr, absent))}"
        checks.refuse(argument, got, f"columns {', '.join(map(repr, used))}", "add what is missing")
    for name in used:
        if there[name] > 1:
            do = "rename one of them, or name other columns"
            checks.refuse(argument, f"column {name!r} more than once", "a different name for each column", do)


def _refuse_text(rows: Rows, features: Sequence[str], group: str | None) -> None:
    """Refuse features that hold text and no number."""
    places = {name: k for k, name in enumerate(rows.header)}
    for name in features:
        place = places[name]
        texts = ((k, fields[place].strip()) for k, fields in enumerate(rows.fields))
        words = ((k, is_number(text.replace(",", "."))) for k, text in texts if text.lower() not in MISSING)
        k, is_number_first = next(words, (0, True))
        if not is_number_first and not any(is_one for _, is_one in words):
            others = [other for other in features if other != name]
            do = f"pass --features {' '.join(others) or 'with columns of numbers'}"
            do = do if group is not None else f"pass --group {name} if it names series, or {do.removeprefix('pass ')}"
            checks.refuse("features", f"text, {rows.place(k, place)}", "columns of numbers", do)


def _once(argument: str, names: Sequence[str]) -> None:
    for name, count in Counter(names).items():
        if count > 1:
            checks.refuse(argument, f"{name!r} twice", "a column for each purpose", "name another column")


def _check_features(
    header: Sequence[str], features: Sequence[str], time: str, group: str | None, not_yet: Sequence[str]
) -> None:
    if isinstance(features, str) or not len(features):
        got = repr(features) if isinstance(features, str) else "no columns"
        checks.refuse("features", got, "one column or more", "name columns of the header line")
    there = Counter(header)
    for name in features:
        if there[name] != 1:
            column_of("features", name, header)
        if name in (time, group):
            got = f"{name!r}, the column of {'times' if name == time else 'groups'}"
            checks.refuse("features", got, "other columns", "remove it")
        if name in not_yet:
            do = "remove it, or pass a horizon to predict it from its past"
            checks.refuse("features", f"{name!r}, the target of the same row", "other columns", do)
    _once("features", features)


def _classes(rows: Rows, target: Sequence[str], task: str | None) -> tuple[str, ...] | None:
    """Return the names of classes, or None where targets are numbers."""
    place = rows.header.index(target[0])
    texts = Counter(fields[place].strip() for fields in rows.fields)
    words = {text for text in texts if text.lower() not in MISSING}
    if task is None:
        text = sorted(word for word in words if not is_number(word.replace(",", ".")))
        if len(target) == 1 and 1 < len(text) < len(words):
            k = [fields[place].strip() for fields in rows.fields].index(text[0])
            got = f"{rows.place(k, place)}, in a column that also has numbers"
            checks.refuse("target", got, "numbers or classes", "pass --task classification, or correct the column")
        is_text = len(target) == 1 and text and len(text) == len(words)
        task = "classification" if is_text else "regression"
    if checks.choice("task", task, _TASKS) == "regression":
        return None
    if len(target) > 1:
        checks.refuse("target", f"{len(target)} columns of classes", "one", "train one model per column")
    if len(words) < 2:
        got = f"{len(words)} classes in column {target[0]!r}"
        checks.refuse("target", got, "at least two", "name another column, or add rows of other classes")
    note_missing(rows, place, texts)
    return tuple(sorted(words))
