"""The times of a table, exactly: numbers of any unit, or dates as the seconds since 1970.

Dates are not read by :mod:`datetime`, whose versions accept different forms and drop digits after the sixth.
"""

from __future__ import annotations

import re
from collections import Counter
from datetime import date, datetime, timezone
from decimal import Context, Decimal, localcontext

import numpy as np

from cfc_ref import checks
from cfc_ref.arrays import Array
from cfc_ref.csv_table import Rows, is_number, number_columns, number_texts

__all__ = ["are_dates", "back_in_summer_time", "differences", "increasing_times", "read_times"]

_EXACT = 1e-9  # a smaller relative error of a step is rounding

_WEEK = r"-?W(?P<week>\d\d)(?:-?(?P<weekday>[1-7]))?"
_DAY = rf"(?P<year>\d{{4}})(?:(?P<dash>[-/]?)(?P<month>\d\d)(?P=dash)(?P<day>\d\d)|{_WEEK})"
_CLOCK = r"(?P<hour>\d\d)(?:(?P<colon>:?)(?P<minute>\d\d)(?:(?P=colon)(?P<second>\d\d)(?:[.,](?P<fraction>\d+))?)?)?"
_ZONE = (
    r" ?(?P<zone>[Zz]|UTC|GMT|(?P<sign>[+-])(?P<east>\d\d)(?::?(?P<east_minutes>\d\d)(?::?(?P<east_seconds>\d\d))?)?)"
)
_DATE = re.compile(rf"{_DAY}(?:(?:[Tt_ ]|(?<=^\d{{8}})){_CLOCK}(?:{_ZONE})?)?", re.ASCII)
_MONTH = re.compile(r"(?P<year>\d{4})-(?P<month>\d\d)", re.ASCII)
_POINT_ZERO = re.compile(r"(\d{8}(?:\d\d){0,2})\.0*", re.ASCII)  # pandas writes a column with gaps so
_COMPACT = re.compile(r"(?:19|20|21)\d{6}(?:\d\d){0,2}(?:\.0*)?|(?:19|20|21)\d{12}(?:\.\d*)?", re.ASCII)
_EXPECTED = "numbers, or ISO dates such as 2024-05-31 or 2024-05-31T12:30:00.25+02:00"
_UNITS = {8: 86400, 10: 3600}  # seconds that the last two digits of a compact date count
_CALENDARS = {  # meanings of digits, and datetime's notation
    "YYYYMM": "%Y%m", "YYMMDD": "%y%m%d", "YYYYDDD": "%Y%j", "MMDDYYYY": "%m%d%Y", "DDMMYYYY": "%d%m%Y", "hhmm": "%H%M",
    "hhmmss": "%H%M%S", "YYMMDDhhmm": "%y%m%d%H%M", "YYMMDDhhmmss": "%y%m%d%H%M%S", "YYYY.MM": "%Y.%m",
    "hh.mm": "%H.%M",
}  # fmt: skip
_LOOKED_AT = 1000  # rows that are tested for a calendar


def read_times(argument: str, rows: Rows, column: str, *, dates: bool) -> list[Decimal]:
    """Return a column of times, exactly: numbers, or for dates the seconds since 1970."""
    place = rows.header.index(column)
    if not dates:
        number_columns(argument, rows, [place])
        return [Decimal(text) for text in number_texts(rows, place)]
    moments = [_moment(row[place]) for row in rows.fields]
    zoned = None
    for k, moment in enumerate(moments):
        if moment is None:
            checks.refuse(argument, rows.place(k, place), _EXPECTED, "correct that line, or write all dates like this")
        zoned = moment[1] if zoned is None else zoned
        if moment[1] != zoned:
            expected = f"a date {'with' if zoned else 'without'} a time zone, as in line {rows.lines[0]}"
            checks.refuse(argument, rows.place(k, place), expected, "write all dates in one way")
    return [moment[0] for moment in moments if moment]


def differences(times: list[Decimal], others: list[Decimal]) -> list[float]:
    """Return the differences of each two, rounded once."""
    with localcontext(Context(prec=60)):
        return [float(now - before) for now, before in zip(times, others, strict=True)]


def back_in_summer_time(before: str, now: str) -> bool:
    """Return whether dates without a time zone go back by at most two hours."""
    earlier, later = _moment(now), _moment(before)
    return bool(earlier and later and not earlier[1] and 0 < later[0] - earlier[0] <= 7200)


def _moment(text: str) -> tuple[Decimal, bool] | None:
    """Return the seconds since 1970 and whether there is a time zone; None if the text is no date."""
    text = text.strip()
    if match := _POINT_ZERO.fullmatch(text):
        text = match[1]
    match = _DATE.fullmatch(text) or _MONTH.fullmatch(text)
    if match is None:
        return None
    part = match.groupdict()
    hour, minute, second, east, east_minutes, east_seconds = (
        int(part.get(name) or 0) for name in ("hour", "minute", "second", "east", "east_minutes", "east_seconds")
    )
    in_day = hour * 3600 + minute * 60 + second
    if max(minute, second, east_minutes, east_seconds) > 59 or in_day > 86400 or east > 23:
        return None
    try:
        if part.get("week"):
            day = date.fromisocalendar(int(part["year"]), int(part["week"]), int(part["weekday"] or 1))
        else:
            day = date(int(part["year"]), int(part["month"]), int(part.get("day") or 1))
    except ValueError:
        return None
    offset = (east * 3600 + east_minutes * 60 + east_seconds) * (-1 if part.get("sign") == "-" else 1)
    seconds = (day.toordinal() - _EPOCH) * 86400 + in_day - offset
    fraction = part.get("fraction")
    with localcontext(Context(prec=60)):
        return Decimal(seconds) + (Decimal(f"0.{fraction}") if fraction else 0), bool(part.get("zone"))


_EPOCH = date(1970, 1, 1).toordinal()


def increasing_times(argument: str, rows: Rows, column: str, *, dates: bool) -> Array:
    """Return strictly increasing times; from the first row on if float64 does not hold the steps of the numbers."""
    times, place = read_times(argument, rows, column, dates=dates), rows.header.index(column)
    steps = np.array(differences(times[1:], times[:-1]))
    if (back := steps <= 0).any():
        k = checks.first(back)[0] + 1
        before, now = (rows.fields[j][place].strip() for j in (k - 1, k))
        do = "sort the rows and drop duplicates"
        if dates and back_in_summer_time(before, now):
            do = "if summer time ends here, write the time zone or UTC, else sort the rows and drop duplicates"
        got = f"{now} after {before} in line {rows.lines[k]}, column {column!r}"
        checks.refuse(argument, got, "strictly increasing times", do)
    written = np.array([float(time) for time in times])
    if not dates and np.all(np.abs(np.diff(written) - steps) <= _EXACT * steps):
        return written
    return np.array(differences(times, times[:1] * len(times)))


def are_dates(rows: Rows, column: str, asked: bool | None) -> bool:
    """Return whether a column of times holds dates; refuse numbers that could be either."""
    if asked is not None:
        return asked
    place = rows.header.index(column)
    texts = number_texts(rows, place)
    if not is_number(texts[0]):
        return True
    if all(map(_COMPACT.fullmatch, texts)) and len({len(text.partition(".")[0]) for text in texts}) == 1:
        times = [moment[0] for text in texts if (moment := _moment(text))]
        unit = _UNITS.get(len(texts[0].partition(".")[0]))
        numbers = [Decimal(text) for text in texts]
        if len(times) == len(texts):
            if unit and _steps(times) == [step * unit for step in _steps(numbers)]:
                _ask(rows, place, "dates")
            rows.notes.append(f"times such as {texts[0]} read as dates (--times numbers takes them as numbers)")
            return True
    for name, form in _CALENDARS.items():
        if _counts_in(name, form, [text.removesuffix(".0") for text in texts[:_LOOKED_AT]]):
            _ask(rows, place, f"a calendar that is written {name}")
    return False


def _steps(times: list[Decimal]) -> list[float]:
    return differences(times[1:], times[:-1])


def _ask(rows: Rows, place: int, kind: str) -> None:
    got = f"{rows.place(0, place)}, in a column that can be numbers or {kind}"
    checks.refuse("time", got, "one meaning", "pass --times numbers, or write ISO dates and pass --times dates")


def _counts_in(name: str, form: str, texts: list[str]) -> bool:
    """Return whether all texts are dates of a calendar, with steps that are more regular in it than as numbers."""
    counts, numbers = [], []
    for text in texts:
        if not re.fullmatch(r"\d+(\.\d\d)?", text, re.ASCII):
            return False
        try:
            moment = datetime.strptime(text.zfill(len(name)), form).replace(tzinfo=timezone.utc)
        except ValueError:
            return False
        if len(text) > len(name) or ("YYYY" in name and not 1900 <= moment.year < 2200):
            return False
        months = moment.year * 12 + moment.month
        counts.append(Decimal(months if "DD" not in name and "hh" not in name else int(moment.timestamp())))
        numbers.append(Decimal(text))
    pairs = [pair for pair in zip(_steps(counts), _steps(numbers), strict=True) if pair[0] > 0]
    if len(pairs) < 3 or len({count / number for count, number in pairs if number}) < 2:
        return False
    regular, as_numbers = (Counter(steps).most_common(1)[0][1] / len(pairs) for steps in zip(*pairs, strict=True))
    by_chance = len(set(texts)) < 30 or as_numbers > 0.5
    return regular > max(0.8, as_numbers) or not by_chance
