"""``cfc-ref predict``: predictions of a trained network for new rows, from a file or as they come in."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cfc_ref import checks
from cfc_ref.arrays import Array
from cfc_ref.cli.words import DATA, FLAG, FOLDER, Option, add_options

if TYPE_CHECKING:
    from cfc_ref.tables.columns import Columns
    from cfc_ref.tables.folder import Trained

__all__ = ["add", "run"]

_PREDICTIONS = "predictions.csv"
_OPTIONS: list[Option] = [
    ("folder", "the folder of cfc-ref train, or the model file in it", FOLDER),
    ("data", "a file with the columns of the training", DATA),
    ("--out", "write predictions.csv there", FOLDER),
    ("--force", "replace a predictions.csv in FOLDER that has other columns", FLAG),
]
_OF_STREAM: list[Option] = [
    ("--stream", "read rows with a header line from standard input, write predictions to standard output", FLAG),
    ("--skip-bad", "skip a line that cannot be read, with a message, instead of ending; a row is then one line", FLAG),
    ("--load-state", "continue from the state in this file", {"metavar": "FILE"}),
    ("--save-state", "write the state of all groups to this file at the end", {"metavar": "FILE"}),
]


def add(commands: Any) -> None:
    """Add the command and its options to the parser."""
    parser = commands.add_parser(
        "predict",
        help="predict with a network that cfc-ref train has trained",
        description="Predict with a network that cfc-ref train has trained: for each row of a CSV file, or with "
        "--stream for each row on standard input as it comes. A prediction has the time of the row that it is made "
        "from, also if it predicts a later row. A network trained with --label-per-group gives one prediction per "
        "group of a file; in a stream, each row has the prediction for its group as if it ended there.",
    )
    add_options(parser, _OPTIONS)
    add_options(parser.add_argument_group("a stream"), _OF_STREAM)
    parser.set_defaults(run=run, called={"folder": "folder", "data": "DATA.csv"})


def run(options: argparse.Namespace) -> int:
    """Predict, and write the predictions."""
    from cfc_ref.tables.folder import read_trained

    for name in ("data", "out"):
        if (getattr(options, name) is None) != options.stream:
            got = f"--stream and {name}" if options.stream else f"no {name}"
            expected = "a file and --out FOLDER, or --stream alone"
            checks.refuse("predict", got, expected, "choose one of the two")
    if options.save_state is not None and not Path(options.save_state).absolute().parent.is_dir():
        do = "make the folder first"
        checks.refuse("--save-state", repr(options.save_state), "a file in an existing folder", do)
    of_stream = {name: getattr(options, name) for name in ("skip_bad", "load_state", "save_state")}
    for name, value in of_stream.items():
        if value and not options.stream:
            checks.refuse(f"--{name.replace('_', '-')}", "a file", "--stream", "remove it, it is for streams only")
    if options.force and options.stream:
        checks.refuse("--force", "--stream", "a file and --out FOLDER", "remove it, a stream writes to standard output")
    trained = read_trained(options.folder)
    if options.stream:
        _stream(trained, **of_stream)
    else:
        _predict_file(trained, options.data, options.out, force=options.force)
    return 0


def _predict_file(trained: Trained, data: str, out: str, *, force: bool) -> None:
    import csv
    import io

    import numpy as np

    from cfc_ref.csv_table import read_rows
    from cfc_ref.io import output_folder, write_atomically
    from cfc_ref.tables.csv import table_of
    from cfc_ref.tables.evaluation import series_predictions
    from cfc_ref.tables.series import prepare

    model, preparation = trained.model, trained.preparation
    there = (Path(out) / _PREDICTIONS).exists()
    if there and not force and not _are_predictions(Path(out) / _PREDICTIONS, preparation.columns):
        do = "name another folder, or pass --force to replace it"
        checks.refuse("out", f"{out!r}, which holds a {_PREDICTIONS}", "a folder without one", do)
    rows = read_rows(data)
    table = table_of("path", rows, preparation.columns, targets=False, missing=preparation.missing)
    series = prepare(preparation, table)
    last = slice(-1, None) if preparation.label_per_group else slice(None)
    predicted = np.concatenate([of[last] for of in series_predictions(model, preparation, series)])
    shown = np.concatenate([one.rows[last] for one in series])
    path = output_folder("out", out)
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_header(preparation.columns))
    for j in np.argsort(shown):
        writer.writerow(_written(preparation.columns, rows.header, rows.fields[shown[j]], predicted[j]))
    write_atomically(path / _PREDICTIONS, text.getvalue().encode())
    print(f"{'Replaced' if there else 'Written'}: {path}/{_PREDICTIONS}, {len(shown):,} row{'s' * (len(shown) > 1)}.")


def _are_predictions(path: Path, columns: Columns) -> bool:
    """Return whether a file holds earlier predictions of the same columns, which may be replaced."""
    import csv

    try:
        with path.open(encoding="utf-8", newline="") as file:
            return next(csv.reader(file), []) == _header(columns)
    except (OSError, ValueError, csv.Error):
        return False


def _stream(trained: Trained, *, skip_bad: bool, load_state: str | None, save_state: str | None) -> None:
    """Write a line of predictions for each row on standard input, at once."""
    import csv
    import signal

    from cfc_ref.cli.console import utf8_output
    from cfc_ref.tables.stream import RowPredictor, stream_rows

    skipped = 0

    def skip(error: ValueError) -> None:
        nonlocal skipped
        skipped += 1
        print(f"cfc-ref predict: skipped {skipped}: {' '.join(str(error).split())}", file=sys.stderr, flush=True)

    columns, source = trained.preparation.columns, "standard input"
    table, rows = stream_rows(source, sys.stdin.buffer, skip if skip_bad else None)
    header = table.header
    if not header:
        checks.refuse(source, "nothing", "a header line and rows", "pipe a CSV file into it")
    predict = RowPredictor(trained.model, trained.preparation, source, table)
    if load_state is not None:
        predict.load(Path(load_state))
    utf8_output()
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(_header(columns))
    sys.stdout.flush()
    if save_state is not None:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        for line, fields in rows:
            try:
                numbers = predict(line, fields)
            except ValueError as error:
                if not skip_bad:
                    raise
                skip(error)
            else:
                writer.writerow(_written(columns, header, fields, numbers))
                sys.stdout.flush()
    finally:
        if save_state is not None:
            predict.save(Path(save_state))


def _header(columns: Columns) -> list[str]:
    """Return the names of the columns of predictions."""
    first = [columns.time] if columns.group is None else [columns.time, columns.group]
    predicted = [f"{name}_predicted" for name in columns.targets]
    return first + predicted + [f"probability_{name}" for name in columns.classes or ()]


def _written(columns: Columns, header: list[str], fields: list[str], numbers: Array) -> list[str]:
    """Return a row of predictions: time and group as in the table, numbers, or a class and all probabilities."""
    first = [columns.time] if columns.group is None else [columns.time, columns.group]
    written = [fields[header.index(name)].strip() for name in first]
    if columns.classes is not None:
        written.append(columns.classes[int(numbers.argmax())])
    return written + [str(number) for number in numbers]
