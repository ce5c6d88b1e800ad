"""``cfc-ref train``: a network from one's own table."""

from __future__ import annotations

import argparse
from typing import Any

from cfc_ref import checks
from cfc_ref.cells.cfc.modes import MODES
from cfc_ref.cli.words import data_file, figure_lines, preparation_lines, real, say_absent, whole

__all__ = ["add", "run"]


def add(commands: Any) -> None:
    """Add the command and its options to the parser."""
    parser = commands.add_parser(
        "train",
        help="train a network on a table of one's own",
        description="Train a network on a CSV file with a column of times of any spacing. Ends with figures on "
        "held-back rows, next to those of persistence and of a linear autoregression. Run again, an unfinished "
        "training goes on; with a larger --epochs a finished one is trained further.",
        usage="cfc-ref train DATA.csv --time NAME --target NAME [NAME ...] --out FOLDER [options]",
    )
    parser.add_argument(
        "data", nargs="?", metavar="DATA.csv", help="UTF-8, commas, a header line; empty or nan fields are missing"
    )
    parser.add_argument("--time", required=True, metavar="NAME", help="column of times: numbers or ISO dates")
    parser.add_argument(
        "--times", choices=("numbers", "dates"), help="what the times are (default: what they look like)"
    )
    parser.add_argument(
        "--target", required=True, nargs="+", metavar="NAME", help="columns to predict; text is classes"
    )
    parser.add_argument("--features", nargs="+", metavar="NAME", help="columns to predict from (default: all others)")
    parser.add_argument("--group", metavar="NAME", help="column that says which series a row is of")
    parser.add_argument(
        "--out", required=True, metavar="FOLDER", help="write model, settings, history and figures there"
    )
    parser.add_argument("--force", action="store_true", help="replace the run that is in that folder")
    parser.add_argument("--task", choices=("regression", "classification"), help="default: what the target looks like")
    _number(parser, "--horizon", "predict so many rows ahead; the target is then a feature too (default: 0)")
    _number(parser, "--validation", "share of rows, or of groups, that choose the best epoch (default: 0.15)", real)
    _number(parser, "--test", "share of rows, or of groups, that is held back (default: 0.15)", real)
    parser.add_argument(
        "--split", choices=("time", "group"), help="hold back the latest rows, or whole groups (default: group if any)"
    )
    parser.add_argument("--missing", action="store_true", help="let features be missing, also if none is in this file")
    parser.add_argument("--model", choices=("cfc", "ltc"), help="the network (default: cfc)")
    parser.add_argument("--mode", choices=tuple(MODES), help="of a CfC")
    parser.add_argument("--mixed-memory", action="store_true", help="let an LSTM go along")
    _number(parser, "--units", "neurons (default: 96)")
    _number(parser, "--backbone", "neurons of a CfC's backbone (default: 32)")
    _number(parser, "--window", "rows of a training window (default: 32)")
    _number(parser, "--stride", "rows from one window to the next (default: 16)")
    _number(parser, "--warm-up", "rows that the network sees before a window (default: 16)")
    _number(parser, "--epochs", "how often all windows are seen at most (default: 60)")
    _number(parser, "--patience", "epochs without a better validation that end it (default: 20)")
    _number(parser, "--batch-size", "windows a step (default: 32)")
    _number(parser, "--learning-rate", "of AdamW; it falls as a cosine (default: 0.008)", real)
    _number(parser, "--weight-decay", "of AdamW (default: 1)", real)
    _number(parser, "--seed", "of everything random (default: 0)")
    parser.set_defaults(run=run, called={"path": "DATA.csv"})


def _number(parser: Any, name: str, text: str, kind: Any = whole) -> None:
    parser.add_argument(name, type=kind, metavar="N" if kind is whole else "X", help=text)


def run(options: argparse.Namespace) -> int:
    """Read, train, write, and print the figures."""
    from dataclasses import fields

    from cfc_ref.learn.run_folder import begin_run
    from cfc_ref.tables.csv import read_table
    from cfc_ref.tables.evaluation import held_back_figures, predict_held_back
    from cfc_ref.tables.folder import TABLE_RUN
    from cfc_ref.tables.training import Settings, fit_network, new_network, prepare_table

    given = {field.name: getattr(options, field.name) for field in fields(Settings)}
    if options.split is None and options.group is not None:
        given["split"] = "group"
    settings = Settings(**{name: value for name, value in given.items() if value is not None})
    columns, table = read_table(
        data_file(options.data, target=options.target, features=options.features),
        time=options.time,
        target=options.target,
        features=options.features,
        group=options.group,
        horizon=settings.horizon,
        task=options.task,
        dates=None if options.times is None else options.times == "dates",
    )
    preparation, series = prepare_table(columns, table, settings)
    model = new_network(preparation, settings)
    described = {"data": table.rows.digest, **columns._asdict(), **vars(settings)}
    folder = begin_run(options.out, TABLE_RUN, described, force=options.force, preparation=preparation.as_dict())
    if folder.finished:
        do = f"pass --epochs above {settings.epochs} to train it further, --force to replace it, or name another folder"
        checks.refuse("out", f"{str(folder.path)!r}, which holds a trained network", "a new folder", do)
    say_absent({"tqdm": "progress bar", "matplotlib": "figures"})
    print(
        *(f"note      {note}" for note in table.rows.notes),
        *preparation_lines(preparation),
        f"network   {model}",
        sep="\n",
        flush=True,
    )
    if folder.checkpoint.exists():
        print("Going on with the run in that folder.", flush=True)
    history = fit_network(model, preparation, series, settings, checkpoint=folder.checkpoint)
    held_back = predict_held_back(model, preparation, series, table, settings.window)
    figures = held_back_figures(held_back, columns)
    folder.end(model, history, figures, _pictures(history, *held_back, columns))
    print(f"Trained {len(history.loss)} epochs in {sum(history.seconds):.1f} s, kept epoch {history.best_epoch + 1}.")
    print(*figure_lines(figures), f"Written: {folder.path}/model.npz, settings, history and figures.", sep="\n")
    return 0


def _pictures(history: Any, y: Any, predicted: Any, columns: Any) -> Any:
    """Return the pictures, where matplotlib is installed."""
    if not checks.installed("matplotlib"):
        return ()
    from cfc_ref.plots.held_back import held_back_pictures

    return held_back_pictures(history, y, predicted, columns.targets, columns.classes)
