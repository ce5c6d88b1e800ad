"""Times are exact, dates have one meaning, and numbers that can be a calendar's ask."""

from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfc_ref.csv_table import Rows
from cfc_ref.csv_times import are_dates, read_times
from cfc_ref.tables.csv import read_table
from tests.compare import assert_close, refusal

MOMENTS = st.datetimes(datetime(1900, 1, 1), datetime(2199, 12, 31))
SECONDS = {  # forms of whole seconds
    "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y/%m/%d %H:%M:%S", "%Y-%m-%d_%H:%M:%S", "%Y%m%dT%H%M%S",
    "%Y%m%d%H%M%S", "%Y-%m-%dT%H%M%S", "%G-W%V-%uT%H:%M:%S", "%GW%V%uT%H%M%S",
}  # fmt: skip
COARSE = {"%Y-%m-%dT%H:%M": "minute", "%Y%m%d%H%M": "minute", "%Y%m%d%H": "hour", "%Y-%m-%d": "day", "%Y%m%d": "day",
          "%G-W%V-%u": "day", "%Y-%m": "month"}  # fmt: skip
ZONES = {"": 0, "Z": 0, " UTC": 0, "+02:00": 7200, "-0330": -12600, "+05": 18000, " +00:00": 0, "-01:02:03": -3723}


def column(*texts):
    return Rows(["t"], list(range(2, len(texts) + 2)), [[text] for text in texts])


def seconds(text):
    (time,) = read_times("path", column(text), "t", dates=True)
    return time


@given(
    MOMENTS, st.sampled_from(sorted(SECONDS)), st.sampled_from(sorted(ZONES)), st.sampled_from(["", "5", "123456789"])
)
def test_a_date_is_its_seconds_since_1970(moment, form, zone, fraction):
    moment = moment.replace(microsecond=0)
    expected = int(moment.replace(tzinfo=timezone.utc).timestamp()) - ZONES[zone]
    text = moment.strftime(form) + (f".{fraction}" if fraction else "") + zone
    assert Fraction(seconds(text)) == expected + Fraction(f"0.{fraction or 0}")


@given(MOMENTS, st.sampled_from(sorted(COARSE)))
def test_what_a_date_does_not_say_is_0(moment, form):
    parts = ["month", "day", "hour", "minute", "second", "microsecond"]
    zero = {name: int(name in ("month", "day")) for name in parts[parts.index(COARSE[form]) + 1 :]}
    expected = moment.replace(**zero, tzinfo=timezone.utc).timestamp()
    assert seconds(moment.strftime(form)) == Decimal(expected)


@pytest.mark.parametrize(
    "text",
    ["31.01.2024", "01/31/2024", "2024-1-5", "2024-13-01", "2023-02-29", "20240230", "2024-01-31T25:00", "12:30",
     "2024-01-31T23:60", "2024-01-31T23:59:60", "2024-01-31 12:30 PM", "2024-01-3112", "2024-031", "202401", "2024-W54",
     "2024-01-31T12:30+25:00", "2024-01-31Z", "Jan 31 2024", "٢٠٢٤-٠١-٣١", "20230808T1200000Z", "2024-01-31T24:01"],
)  # fmt: skip
def test_no_other_form_is_guessed(text):
    with pytest.raises(ValueError, match=refusal("path")) as caught:
        seconds(text)
    assert f"{text!r} in line 2, column 't'; expected numbers, or ISO dates such as 2024-05-31" in str(caught.value)


def test_a_day_ends_where_the_next_begins():
    assert seconds("2024-02-29T24:00") == seconds("20240301") == seconds("2024-W09-5")


@pytest.mark.parametrize(
    ("texts", "step"),
    [
        (["1700000000.000001", "1700000000.000003", "1700000000.000005"], 2e-6),
        (["1700000000000001", "1700000000000004", "1700000000000007"], 3),
        (["99999999999999999999.5", "99999999999999999999.75", "100000000000000000000"], 0.25),
        (["2262-04-11T23:47:16.854775801Z", "2262-04-11T23:47:16.854775803Z"], 2e-9),
        (["0,000000001", "0,000000003"], 2e-9),
    ],
)
@pytest.mark.parametrize("grouped", [False, True])
def test_steps_keep_all_digits(tmp_path, texts, step, grouped):
    """Also next to another group a thousand years before."""
    early = "1000-01-01T00:00Z" if "T" in texts[0] else "-30000000000"
    rows = [[text, "1", "2", "late"] for text in texts]
    rows = [[early, "1", "2", "early"], *rows] if grouped else rows
    path = tmp_path / "t.csv"
    path.write_text("t;v;y;g\n" + "".join(f"{';'.join(row)}\n" for row in rows))
    group = {"group": "g"} if grouped else {"features": ["v"]}
    _, table = read_table(path, time="t", target=["y"], **group)
    assert_close(table.step[grouped + 1 :], np.full(len(texts) - 1, step), rtol=1e-15, atol=0)
    if not grouped:
        assert_close(np.diff(table.time), np.full(len(texts) - 1, step), rtol=1e-7, atol=0)


def stamps(form, step, rows=40, start=datetime(2024, 1, 20, 22)):
    return [(start + k * step).strftime(form) for k in range(rows)]


HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.mark.parametrize(
    ("form", "step"),
    [("%Y%m%d", DAY), ("%Y%m%d", 7 * DAY), ("%Y%m%d%H", HOUR), ("%Y%m%d%H", 6 * HOUR), ("%Y%m%d%H%M", HOUR / 4),
     ("%Y%m%d%H%M%S", timedelta(seconds=7)), ("%Y%m%d%H%M%S.5", HOUR), ("%Y%m%d.0", DAY)],
)  # fmt: skip
def test_compact_dates_are_dates(form, step):
    rows = column(*stamps(form, step))
    assert are_dates(rows, "t", None)
    assert not are_dates(rows, "t", False)
    assert "read as dates" in rows.notes[0]
    times = read_times("path", rows, "t", dates=True)
    assert {later - time for time, later in zip(times, times[1:], strict=False)} == {Decimal(step.total_seconds())}


@pytest.mark.parametrize(
    ("texts", "kind"),
    [
        (stamps("%Y%m%d", DAY, rows=9, start=datetime(2024, 1, 1)), "dates"),
        (["2024013100", "2024013101", "2024013102"], "dates"),
        ([f"{year}{month:02}" for year in (2023, 2024) for month in range(1, 13)], "a calendar that is written YYYYMM"),
        (
            [f"{year}.{month:02}" for year in (2023, 2024) for month in range(1, 13)],
            "a calendar that is written YYYY.MM",
        ),
        (stamps("%y%m%d", DAY), "a calendar that is written YYMMDD"),
        (stamps("%Y%j", 20 * DAY), "a calendar that is written YYYYDDD"),
        (stamps("%m%d%Y", DAY), "a calendar that is written MMDDYYYY"),
        (stamps("%d%m%Y", DAY), "a calendar that is written DDMMYYYY"),
        (stamps("%H%M", HOUR / 4, start=datetime(2024, 1, 1)), "a calendar that is written hhmm"),
        (stamps("%y%m%d%H%M", HOUR / 4), "a calendar that is written YYMMDDhhmm"),
        (["95945", "95950", "95955", "100000", "100005", "100010"], "a calendar that is written hhmmss"),
        (["9.30", "9.45", "10.00", "10.15", "10.30"], "a calendar that is written hh.mm"),
    ],
)
def test_numbers_that_count_in_a_calendar_ask(texts, kind):
    rows = column(*texts)
    with pytest.raises(ValueError, match=refusal("time")) as caught:
        are_dates(rows, "t", None)
    says = f"{texts[0]!r} in line 2, column 't', in a column that can be numbers or {kind}; expected one meaning; "
    assert says in str(caught.value)
    assert "--times numbers" in str(caught.value)
    assert "--times dates" in str(caught.value)
    assert not are_dates(rows, "t", False)


REGULAR = st.tuples(st.sampled_from([0.01, 0.25, 0.5, 1, 5, 15, 50, 60, 100, 1e4]), st.integers(0, 3000))
COUNTERS = st.tuples(st.integers(0, 10**13), st.integers(1, 10**6))
IRREGULAR = st.lists(st.floats(0, 1e4), min_size=30, max_size=30).map(sorted)


@given(
    st.one_of(
        REGULAR.map(lambda case: [f"{k * case[0] + case[1]:.2f}".removesuffix(".00") for k in range(60)]),
        COUNTERS.map(lambda case: [str(k * case[1] + case[0]) for k in range(60)]),
        IRREGULAR.map(lambda times: [f"{time:.2f}" for time in times]),
    )
)
def test_other_numbers_do_not_ask(texts):
    assert not are_dates(column(*texts), "t", None)


@pytest.mark.parametrize("form", ["%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S.250", "%Y%m%d%H%M%S"])
@pytest.mark.parametrize(("end", "back"), [((2024, 11, 3, 2), 60), ((2025, 10, 26, 3), 60), ((2024, 4, 7, 2), 30)])
def test_local_times_at_the_end_of_summer_time_name_the_time_zone(tmp_path, form, end, back):
    times = [datetime(*end) + timedelta(minutes=m) for m in (-20, -10, -back, 10 - back)]
    path = tmp_path / "t.csv"
    path.write_text("t,v,y\n" + "".join(f"{time.strftime(form)},1,2\n" for time in times))
    with pytest.raises(ValueError, match=refusal("path")) as caught:
        read_table(path, time="t", target=["y"])
    assert "in line 4, column 't'; expected times that do not go back; if summer time ends here, write" in str(
        caught.value
    )


@pytest.mark.parametrize(
    "texts", [["2024-10-27T03:00Z", "2024-10-27T02:00Z"], ["2024-10-27", "2024-10-26"], ["9", "8"]]
)
def test_other_times_that_go_back_are_to_be_sorted(tmp_path, texts):
    path = tmp_path / "t.csv"
    path.write_text("t,v,y\n" + "".join(f"{text},1,2\n" for text in texts))
    with pytest.raises(ValueError, match=r"in line 3, .* not go back; sort the rows, or name "):
        read_table(path, time="t", target=["y"])


def test_weeks_are_those_of_the_calendar():
    for day in (date(2020, 12, 31), date(2021, 1, 3), date(2026, 12, 28)):
        assert seconds(day.strftime("%G-W%V-%u")) == seconds(day.isoformat())
