"""Odd but legal CSV files by number, and the commands that train on them and predict from them.

``python -m tests.tables.odd_files`` tries 200 of them, ``… 7 12`` those numbers only. A file is trained and predicted,
or refused in one line that says which row or column is meant and what to do.
"""

import contextlib
import csv
import io
import re
import sys
import tempfile
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import numpy as np

COUNT = 200
SLOWEST = 20.0  # seconds of processor time that a file may take, as other programs may run
QUICK = ["--epochs", "1", "--units", "4", "--backbone", "4", "--window", "8", "--stride", "8"]


class OddFile(NamedTuple):
    """A file: its bytes, the words of ``cfc-ref train``, rows, and what a refusal says, if it may be refused."""

    content: bytes
    words: list
    rows: int
    refusals: tuple
    kinds: tuple


class Column(NamedTuple):
    """Texts of a column, words that it needs, and what a refusal for it says."""

    texts: list
    words: tuple = ()
    refusal: str | None = None


# --- times


def stamps(form, **step):
    def draw(rng, rows):
        start = datetime(2024, 1, 20, 21, 30) + timedelta(days=int(rng.integers(300)))
        return Column([(start + k * timedelta(**step)).strftime(form) for k in range(rows)])

    return draw


def numbers(text, low, high, start=0):
    """Integers that grow by steps from `low` to `high`, written by `text`."""

    def draw(rng, rows):
        return Column([text(start + int(n)) for n in np.cumsum(rng.integers(low, high, rows))])

    return draw


def one_changed(change, refusal):
    def draw(rng, rows):
        texts = numbers(str, 1, 3)(rng, rows).texts
        texts[rows // 2] = change(texts[rows // 2 - 1])
        return Column(texts, refusal=refusal)

    return draw


def summer_time(rng, rows):
    start, end = datetime(2024, 10, 26, 12), datetime(2024, 10, 27, 3)
    times = [start + k * timedelta(minutes=30) for k in range(rows)]
    texts = [(time if time < end else time - timedelta(hours=1)).isoformat(" ") for time in times]
    return Column(texts, refusal=r"line \d+, column 'time'; .*; if summer time ends here, write the time zone")


def months(rng, rows):
    return [f"{2000 + k // 12}{k % 12 + 1:02}" for k in range(rows)]


def with_zone(rng, rows):
    plain = stamps("%Y-%m-%dT%H:%M:%S.%f", seconds=1)(rng, rows)
    return Column([f"{text[:-6]}{rng.integers(10**9):09}+05:30" for text in plain.texts])


def with_gap(rng, rows):
    late = np.arange(rows) >= rows // 2
    return Column([f"{k + 1e6 * is_late:.1f}" for k, is_late in zip(range(rows), late, strict=True)])


TIMES = {
    "index": lambda rng, rows: Column([str(k) for k in range(rows)]),
    "floats": numbers(lambda n: f"{n / 1e4:.4f}", 1, 20_000),
    "negative": numbers(lambda n: f"{n - 10**6}", 1, 9),
    "scientific": numbers(lambda n: f"{n:.6e}", 1, 9),
    "tiny": numbers(lambda n: f"{n}e-12", 1, 9),
    "repeated": numbers(str, 0, 3),
    "epoch seconds": numbers(lambda n: f"{n / 1e6:.6f}", 1, 1000, 17 * 10**14),
    "epoch microseconds": numbers(str, 1, 1000, 17 * 10**14),
    "epoch nanoseconds": numbers(str, 1, 1000, 17 * 10**17),
    "past 2^63": numbers(str, 1, 1000, 2**64),
    "a long gap": with_gap,
    "ISO": stamps("%Y-%m-%dT%H:%M:%S", hours=7),
    "ISO, nine decimals, offset": with_zone,
    "ISO, blank": stamps("%Y-%m-%d %H:%M", minutes=5),
    "UTC": stamps("%Y-%m-%d %H:%M:%S UTC", seconds=10),
    "slashes": stamps("%Y/%m/%d", days=1),
    "weeks": stamps("%G-W%V-%u", days=2),
    "months": lambda rng, rows: Column([f"{text[:4]}-{text[4:]}" for text in months(rng, rows)]),
    "compact days": stamps("%Y%m%d", days=1),
    "compact hours": stamps("%Y%m%d%H", hours=5),
    "compact seconds": stamps("%Y%m%d%H%M%S", minutes=10),
    "compact Z": stamps("%Y%m%dT%H%M%SZ", seconds=10),
    "digits of months": lambda rng, rows: Column(
        months(rng, rows), refusal=r"line \d, column 'time', in a column that can be numbers or .*YYYYMM.*--times"
    ),
    "digits of months as numbers": lambda rng, rows: Column(months(rng, rows), ("--times", "numbers")),
    "day first": lambda rng, rows: Column(
        stamps("%d.%m.%Y", days=1)(rng, rows).texts, refusal=r"line \d, column 'time'; expected numbers, or ISO dates"
    ),
    "summer time": summer_time,
    "back": one_changed(lambda before: str(int(before) - 1), r"after '\d+'.* in line \d+, column 'time'.*sort"),
    "none": one_changed(lambda before: "NA", r"'NA' in line \d+, column 'time'"),
    "all the same": lambda rng, rows: Column(["5"] * rows, refusal="a median timespan of 0|of at least three times"),
}  # fmt: skip


# --- numbers and classes


def scaled(offset, unit, form="{}"):
    def draw(rng, rows):
        return Column([form.format(offset + unit * value) for value in rng.normal(size=rows).round(4).tolist()])

    return draw


def with_words(words, share, draw_column):
    def draw(rng, rows):
        texts = draw_column(rng, rows).texts
        gaps = rng.random(rows) < share
        gaps[[0, rows // 3, 3 * rows // 4, -1]] = False
        return Column([str(rng.choice(words)) if gap else text for text, gap in zip(texts, gaps, strict=True)])

    return draw


def last_is(text, refusal):
    def draw(rng, rows):
        return Column([*scaled(0, 1)(rng, rows).texts[:-1], text], refusal=refusal)

    return draw


def past(rng, rows):
    start, refusal = 2**53 + 1, r"line \d, column '.', whose last digits a float64 does not hold.*subtract"
    return Column([str(start + 2 * k) for k in range(rows)], refusal=refusal)


VALUES = {
    "normal": scaled(0, 1),
    "around 1e9": scaled(1e9, 1, "{:.3f}"),
    "1e-7 degrees": scaled(52.5, 1e-7, "{:.11f}"),
    "1e-170": scaled(0, 1e-170),
    "1e140": scaled(0, 1e140),
    "counter": lambda rng, rows: Column([str(10**9 + int(n)) for n in np.cumsum(rng.integers(0, 3, rows))]),
    "constant 0.1": lambda rng, rows: Column(["0.1"] * rows),
    "constant past 2^53": lambda rng, rows: Column([str(2**53 + 1)] * rows),
    "constant up to rounding": lambda rng, rows: Column([("0.3", "0.30000000000000004")[k % 2] for k in range(rows)]),
    "identifiers": lambda rng, rows: Column([str(n) for n in rng.integers(2**62, 2**63, rows)]),
    "integers past 2^53": past,
    "gaps": with_words([""], 0.3, scaled(0, 1)),
    "words for gaps": with_words(["NA", "None", "null", "#N/A", "nan", " "], 0.3, scaled(0, 1)),
    "1e200": last_is("1e200", r"'1e200' in line \d+, column '.'; expected numbers up to 1e\+150"),
    "fill value": last_is(
        "9.96921e36", r"'9.96921e36' in line \d+, column '.'; expected numbers from .*leave the field"
    ),
    "infinity": last_is("inf", r"'inf' in line \d+, column '.'; expected a finite number"),
    "nothing": lambda rng, rows: Column([""] * rows, refusal="no (number|known target).* (in column )?'.'"),
    "a word": last_is("broken", r"'broken' in line \d+, column '.'; expected a finite number"),
}
CLASSES = {
    "two": lambda rng, rows: Column([("up", "down")[k] for k in rng.integers(2, size=rows)]),
    "with gaps": with_words(["NA", "", "None"], 0.2, lambda rng, rows: Column([f"c{k % 3}" for k in range(rows)])),
    "numbers": lambda rng, rows: Column([str(k) for k in rng.integers(3, size=rows)], ("--task", "classification")),
    "odd names": lambda rng, rows: Column([("a; b, c", 'say "ö"', "nAn, no")[k] for k in rng.integers(3, size=rows)]),
    "numbers among names": lambda rng, rows: Column(
        [("007", "up", "down")[k % 3] for k in range(rows)], refusal=r"'down' in line \d, column 'y', .*--task"
    ),
    "one": lambda rng, rows: Column(["up"] * rows, refusal="1 classes in column 'y'"),
}  # fmt: skip
GROUPS = {
    "one": lambda rng, rows: ["all"] * rows,
    "few": lambda rng, rows: [f"m{k}" for k in rng.integers(4, size=rows)],
    "odd names": lambda rng, rows: [('a, "b"', "é;", "007", " 7 ", "x\ty")[k] for k in rng.integers(5, size=rows)],
    "many": lambda rng, rows: [f"{k}" for k in rng.integers(max(1, rows // 4), size=rows)],
    "some of one row": lambda rng, rows: [f"s{k}" if k % 5 == 0 else f"m{k % 3}" for k in range(rows)],
    "of one row": lambda rng, rows: [f"s{k}" for k in range(rows)],
}


# --- how it is written

ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1"]
LINE_ENDS = ["\n", "\r\n", "\r", "\r\r\n"]
EXTRAS = [
    "index",
    "trailing",
    "blank rows",
    "long field",
    "notes",
    "twice",
    "sep",
    "DOS",
    "row names",
    "ragged",
    "late quote",
]


def is_large(number):
    """Return whether a file has 125,000 groups."""
    return number % 67 == 50


def odd_file(number):
    """Return the file of a number: one oddity of the lists in turn, others by chance."""
    rng = np.random.default_rng([14, number])

    def chosen(kinds, odd):
        names = list(kinds)
        return names[int(rng.integers(len(names)))] if rng.random() < odd else names[0]

    kinds = [list(TIMES)[number % len(TIMES)] if number % 3 == 0 else chosen(TIMES, 0.15)]
    kinds.append(list(VALUES)[number // 3 % len(VALUES)] if number % 3 == 1 else chosen(VALUES, 0.15))
    large = is_large(number)
    rows = 250_000 if large else int(rng.choice([45, 60, 150, 400]))
    times, value = TIMES["index" if large else kinds[0]](rng, rows), VALUES[kinds[1]](rng, rows)
    classes = rng.random() < 0.25
    target_kind = chosen(CLASSES if classes else VALUES, 0.3)
    target = (CLASSES if classes else VALUES)[target_kind](rng, rows)
    header, columns = ["time", "v", "y"], [times.texts, value.texts, target.texts]
    words = ["--time", "time", "--target", "y", *times.words, *target.words]
    refusals = [column.refusal for column in (times, value, target)]
    kinds += [target_kind]
    features = ["v"]
    if not classes and rng.random() < 0.4:
        words += ["--horizon", str(rng.integers(1, 3))]
        features += ["y"] * bool(rng.random() < 0.7)
        refusals.append("no row of the|no known target|no number|leave one of|horizon")
    if large or rng.random() < 0.4:
        kind = "large" if large else chosen(GROUPS, 0.9)
        header.append("g")
        columns.append([f"id{k // 2}" for k in range(rows)] if large else GROUPS[kind](rng, rows))
        words += ["--group", "g"] + (["--split", "time"] if rng.random() < 0.5 and not large else [])
        refusals.append("groups?, of which|leave one of|no known target|no two rows|no row of the|no number|horizon")
        kinds.append(f"groups {kind}")
    words += ["--features", *features]
    content, refused = written(rng, number, header, columns, kinds)
    return OddFile(content, words, rows, tuple(filter(None, [*refusals, refused])), tuple(kinds))


def written(rng, number, header, columns, kinds):
    """Return the bytes of a table, and what a refusal of them says."""
    extra = EXTRAS[number // 3 % len(EXTRAS)] if number % 3 == 2 else ""
    delimiter = ",;\t|"[int(rng.integers(4))] if rng.random() < 0.3 or extra == "sep" else ","
    if delimiter != "," and rng.random() < 0.5:  # decimal commas
        columns = [[re.sub(r"^(-?\d+)\.(\d+(e[-+]?\d+)?)$", r"\1,\2", text) for text in column] for column in columns]
    header, rows = list(header), [list(row) for row in zip(*columns, strict=True)]
    refusal = None
    if extra == "index":
        header, rows = ["", *header], [[str(k), *row] for k, row in enumerate(rows)]
    elif extra == "row names":
        rows = [[str(k), *row] for k, row in enumerate(rows)]
        refusal = "and all others, under a header of .*name the first column"
    elif extra == "trailing":
        header, rows = [*header, ""], [[*row, ""] for row in rows]
    elif extra == "long field":
        header, rows = [*header, "wkt"], [[*row, "x" * (140_000 if k == 3 else 3)] for k, row in enumerate(rows)]
    elif extra == "notes":
        header, rows = (
            [*header, "note"],
            [[*row, 'two\nlines, "quoted"' if k % 4 else ""] for k, row in enumerate(rows)],
        )
    elif extra == "twice":
        header, rows = [*header, "n", "n"], [[*row, "a", "b"] for row in rows]
    elif extra == "ragged":
        rows[len(rows) // 2] = rows[len(rows) // 2][:-1]
        refusal = rf"{len(header) - 1} fields in line \d+; expected {len(header)} as in the header"
    text = io.StringIO()
    end, encoding = str(rng.choice(LINE_ENDS)) if rng.random() < 0.4 else "\n", "utf-8"
    quoting = csv.QUOTE_ALL if rng.random() < 0.2 else csv.QUOTE_MINIMAL
    csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=quoting).writerows([header, *rows])
    whole = text.getvalue()
    if rng.random() < 0.3:
        encoding = ENCODINGS[int(rng.integers(len(ENCODINGS)))]
    if encoding == "latin-1":
        whole = whole.replace(end, f"{delimiter}ü{end}", 1)
        refusal = r"can't be read as text \(.* in line 1, column \d+\).*iconv"
    if extra == "sep":
        whole = f"sep={delimiter}{end}{whole}"
    if extra == "blank rows":
        whole += f"{delimiter * (len(header) - 1)}{end}{end} {end}"
    if extra == "DOS":
        whole += "\x1a"
    if extra == "late quote":
        whole += f'"1{end}'
        refusal = r"line \d+, which can't be read as text"
    kinds += [kind for kind in (extra, encoding, repr(end), repr(delimiter)) if kind]
    return whole.encode(encoding, "replace" if encoding == "latin-1" else "strict"), refusal


def try_file(one, folder):
    """Return whether the file is trained, and what was said; fail where it is neither trained nor refused well."""
    from cfc_ref.cli.command import main

    path = folder / "odd.csv"
    path.write_bytes(one.content)
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = main(["train", str(path), *one.words, *QUICK, "--out", str(folder / "run")])
        said = err.getvalue()
        if status == 0:
            status = main(["predict", str(folder / "run"), str(path), "--out", str(folder / "out")])
            said = err.getvalue()
            assert status == 0, said
    if status:
        assert status == 2, said
        assert said.count("\n") == 1, said
        assert re.match(r"cfc-ref train: [\w.-]+: got .+; expected .+; .+\.\n\Z", said), said
        assert any(re.search(refusal, said) for refusal in one.refusals), said
        return False, said
    with (folder / "out" / "predictions.csv").open(newline="") as file:
        predictions = list(csv.DictReader(file))
    assert len(predictions) == one.rows
    numeric = [name for name in predictions[0] if name.startswith("probability_")] or ["y_predicted"]
    values = np.array([[float(row[name]) for name in numeric] for row in predictions])
    assert np.isfinite(values).all()
    return True, out.getvalue()


def run_all(chosen):
    """Try files, and print what came of each."""
    from cfc_ref.backend import warmup

    warmup()
    trained, seconds, faults = 0, [], 0
    for number in chosen:
        one, began = odd_file(number), time.process_time()
        with tempfile.TemporaryDirectory() as folder:
            try:
                is_trained, said = try_file(one, Path(folder))
                result = "trained" if is_trained else f"refused: {said.strip()}"
                trained += is_trained
            except Exception as error:
                result, faults = f"FAULT {type(error).__name__}: {error}", faults + 1
        seconds.append(time.process_time() - began)
        print(f"{number:4} {seconds[-1]:6.2f} s  {', '.join(one.kinds)}: {result}", flush=True)  # noqa: T201
    refused = len(seconds) - trained - faults
    print(f"{trained} trained, {refused} refused, {faults} faults; the slowest took {max(seconds):.1f} s")  # noqa: T201
    return 1 if faults or max(seconds) > SLOWEST else 0


if __name__ == "__main__":
    sys.exit(run_all([int(word) for word in sys.argv[1:]] or range(COUNT)))
