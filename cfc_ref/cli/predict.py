"""``cfc-ref predict``: what a trained network says of new rows, from a file or as they come in."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from cfc_ref import checks

if TYPE_CHECKING:
    import numpy.typing as npt

    from cfc_ref.tables.columns import Columns
    from cfc_ref.tables.folder import Trained

    Array = npt.NDArray[Any]

__all__ = ["add", "run"]


def add(commands: Any) -> None:
    """Add the command and its options to the parser."""
    parser = commands.add_parser(
        "predict",
        help="predict with a network that cfc-ref train has trained",
        description="Predict with a network that cfc-ref train has trained: for each row of a CSV file, or with "
        "--stream for each row on standard input as it comes. A prediction stands beside the time of the row that "
        "it is made from, also where it is of a later row.",
    )
    parser.add_argument("folder", metavar="FOLDER", help="that cfc-ref train wrote, or the model's file in it")
    parser.add_argument("data", nargs="?", metavar="DATA.csv", help="with the columns that the network was trained on")
    parser.add_argument("--out", metavar="FOLDER", help="write predictions.csv there")
    parser.add_argument(
        "--stream",
        action="store_true",
        help="rows with a header line on standard input, predictions on standard output",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Predict, and write the predictions."""
    from cfc_ref.tables.folder import read_trained

    for name in ("data", "out"):
        if (getattr(options, name) is None) != options.stream:
            got = f"--stream and {name}" if options.stream else f"no {name}"
            expected = "a file and --out FOLDER, or --stream alone"
            checks.refuse("predict", got, expected, "choose one of the two")
    trained = read_trained(options.folder)
    if options.stream:
        _stream(trained)
    else:
        _predict_file(trained, options.data, options.out)
    return 0


def _predict_file(trained: Trained, data: str, out: str) -> None:
    import csv
    import io

    from cfc_ref.csv_table import read_rows
    from cfc_ref.io import output_folder, write_atomically
    from cfc_ref.tables.columns import check_header
    from cfc_ref.tables.csv import table_of
    from cfc_ref.tables.evaluation import series_predictions
    from cfc_ref.tables.series import prepare

    model, preparation = trained.model, trained.preparation
    rows = read_rows(data)
    check_header("path", rows.header)
    table = table_of("path", rows, preparation.columns, targets=False, missing=preparation.missing)
    series = prepare(preparation, table)
    lines: list[list[str]] = [[] for _ in rows.lines]
    for one, predictions in zip(series, series_predictions(model, preparation, series), strict=True):
        for k, numbers in zip(one.rows, predictions, strict=True):
            lines[k] = _written(preparation.columns, rows.header, rows.fields[k], numbers)
    path = output_folder("out", out)
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([_header(preparation.columns), *lines])
    write_atomically(path / "predictions.csv", text.getvalue().encode())
    print(f"Written: {path}/predictions.csv, {len(lines):,} rows.")


def _stream(trained: Trained) -> None:
    """Write a line of predictions for each row on standard input, at once."""
    import csv

    from cfc_ref.csv_table import rows_of, whole
    from cfc_ref.tables.stream import RowPredictor

    columns, source = trained.preparation.columns, "standard input"
    rows = rows_of(source, _text(source, sys.stdin.buffer))
    header = [name.strip() for name in next(rows, (0, []))[1]]
    if not header:
        checks.refuse(source, "nothing", "a header line and rows", "pipe a CSV file into it")
    predict = RowPredictor(trained.model, trained.preparation, source, header)
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(_header(columns))
    sys.stdout.flush()
    for line, fields in rows:
        numbers = predict(line, whole(source, fields, header, line))
        writer.writerow(_written(columns, header, fields, numbers))
        sys.stdout.flush()


def _text(source: str, stream: Iterable[bytes]) -> Iterator[str]:
    """Yield the lines of a stream as text."""
    for number, line in enumerate(stream, start=1):
        try:
            yield line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            checks.refuse(
                source, f"bytes in line {number} that are no text ({error.reason})", "UTF-8", "mend that line"
            )


def _header(columns: Columns) -> list[str]:
    """Return the names of the columns of predictions."""
    first = [columns.time] if columns.group is None else [columns.time, columns.group]
    predicted = [f"{name}_predicted" for name in columns.targets]
    return first + predicted + [f"probability_{name}" for name in columns.classes or ()]


def _written(columns: Columns, header: list[str], fields: list[str], numbers: Array) -> list[str]:
    """Return a row of predictions: time and group as they were, numbers, or a class and all probabilities."""
    first = [columns.time] if columns.group is None else [columns.time, columns.group]
    written = [fields[header.index(name)].strip() for name in first]
    if columns.classes is not None:
        written.append(columns.classes[int(numbers.argmax())])
    return written + [f"{number:.7g}" for number in numbers]
