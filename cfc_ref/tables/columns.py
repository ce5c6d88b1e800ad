"""What the columns of a table are for: times, features, targets, groups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from cfc_ref import checks
from cfc_ref.csv_table import Rows, column_of

__all__ = ["Columns", "check_header", "choose_columns"]

_TASKS = ("regression", "classification")


class Columns(NamedTuple):
    """What the columns of a table are for.

    Attributes
    ----------
    time : str
        Its times.
    dates : bool
        Whether these are ISO dates rather than numbers.
    features, targets : tuple of str
        What is known, and what is to be predicted.
    group : str or None
        Names a series that a row belongs to; without one all rows are of one series.
    classes : tuple of str or None
        The names of a target that is a class; None where targets are numbers.
    """

    time: str
    dates: bool
    features: tuple[str, ...]
    targets: tuple[str, ...]
    group: str | None
    classes: tuple[str, ...] | None


def choose_columns(
    rows: Rows,
    *,
    time: str,
    target: Sequence[str],
    features: Sequence[str] | None = None,
    group: str | None = None,
    horizon: int = 0,
    task: str | None = None,
) -> Columns:
    """Choose what the columns of a table are for."""
    header = rows.header
    check_header("path", header)
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
        taken = {time, *grouped, *(() if horizon and classes is None else target)}
        features = [name for name in header if name not in taken]
    _check_features(header, features, time, group, () if horizon else target)
    dates = not _is_number(rows.fields[0][header.index(time)])
    return Columns(time, dates, tuple(features), tuple(target), group, classes)


def check_header(argument: str, header: Sequence[str]) -> None:
    """Refuse columns without a name or of the same name."""
    for name in header:
        if not name or header.count(name) > 1:
            got = f"column {name!r} more than once" if name else f"no name for column {header.index(name) + 1}"
            checks.refuse(argument, got, "a name of its own for each column", "rename it")


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _once(argument: str, names: Sequence[str]) -> None:
    for name in names:
        if list(names).count(name) > 1:
            checks.refuse(argument, f"{name!r} twice", "a column for each purpose", "name another column")


def _check_features(
    header: Sequence[str], features: Sequence[str], time: str, group: str | None, not_yet: Sequence[str]
) -> None:
    if isinstance(features, str) or not len(features):
        got = repr(features) if isinstance(features, str) else "no columns"
        checks.refuse("features", got, "one column or more", "name columns of the header line")
    for name in features:
        column_of("features", name, header)
        if name in (time, group):
            got = f"{name!r}, the column of {'times' if name == time else 'groups'}"
            checks.refuse("features", got, "other columns", "leave it out")
        if name in not_yet:
            do = "leave it out, or pass a horizon to predict it from its past"
            checks.refuse("features", f"{name!r}, the target of the same row", "other columns", do)
    _once("features", features)


def _classes(rows: Rows, target: Sequence[str], task: str | None) -> tuple[str, ...] | None:
    """Return the names of classes, or None where targets are numbers."""
    place = rows.header.index(target[0])
    words = {fields[place].strip() for fields in rows.fields}
    words = {word for word in words if word.lower() not in ("", "nan")}
    if task is None:
        is_text = len(target) == 1 and words and not any(map(_is_number, words))
        task = "classification" if is_text else "regression"
    if checks.choice("task", task, _TASKS) == "regression":
        return None
    if len(target) > 1:
        checks.refuse("target", f"{len(target)} columns of classes", "one", "train a model for each")
    if len(words) < 2:
        got = f"{len(words)} classes in column {target[0]!r}"
        checks.refuse("target", got, "at least two", "name another column, or add rows of other classes")
    return tuple(sorted(words))
