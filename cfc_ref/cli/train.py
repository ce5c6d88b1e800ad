"""``cfc-ref train``: a network from a user's table."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from cfc_ref import checks
from cfc_ref.cells.cfc.modes import MODES
from cfc_ref.cli.words import (
    DATA,
    FLAG,
    FOLDER,
    NAME,
    REAL,
    WHOLE,
    Option,
    add_options,
    data_file,
    figure_lines,
    preparation_lines,
    say_absent,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from cfc_ref.learn.history import History
    from cfc_ref.tables.evaluation import HeldBack
    from cfc_ref.tables.fitting import TableSettings
    from cfc_ref.tables.preparation import Preparation
    from cfc_ref.tables.series import Series

__all__ = ["add", "run"]


def _weights(text: str) -> str | tuple[float, ...]:
    """Return the weights of classes."""
    try:
        return text if text == "balanced" else tuple(float(part) for part in text.split(","))
    except ValueError:
        expected = "balanced, or one number per class with commas"
        raise argparse.ArgumentTypeError(f"got {text!r}; expected {expected}; pass for example 1,5.") from None


_OPTIONS: dict[str, list[Option]] = {
    "the table": [
        ("data", "a table with a header line; empty, nan, NA and null fields are missing", DATA),
        ("--time", "column of times: numbers or ISO dates", {"required": True, **NAME}),
        ("--times", "how to read the times (default: what they look like)", {"choices": ("numbers", "dates")}),
        ("--target", "columns to predict; text is read as classes", {"required": True, "nargs": "+", **NAME}),
        ("--features", "columns to predict from (default: all others)", {"nargs": "+", **NAME}),
        ("--group", "column that names the series of each row, such as the machine", NAME),
        ("--missing", "accept empty fields in features later, even if this file has none", FLAG),
        ("--out", "write model, settings, history and figures there", {"required": True, **FOLDER}),
        ("--force", "replace the run that is in FOLDER", FLAG),
    ],
    "the task": [
        (
            "--task",
            "predict numbers or classes (default: classes if the target is text)",
            {"choices": ("regression", "classification")},
        ),
        ("--horizon", "rows ahead that are predicted, also from the target's past (default: 0, the same row)", WHOLE),
        (
            "--label-per-group",
            "the target is one label of its whole group: the network reads a group to its end and predicts it there",
            FLAG,
        ),
    ],
    "the rows that are held back": [
        ("--validation", "share of rows or groups that choose the best epoch (default: 0.15)", REAL),
        ("--test", "share of rows or groups that are held back for the final figures (default: 0.15)", REAL),
        (
            "--split",
            "the latest rows of the table (time), whole groups (group), or the latest rows of each group (within); "
            "default: group if there are enough groups, else within; time without groups",
            {"choices": ("time", "group", "within")},
        ),
    ],
    "the network": [
        ("--model", "the network (default: cfc)", {"choices": ("cfc", "ltc")}),
        ("--mode", "the equation of a CfC (default: default)", {"choices": tuple(MODES)}),
        ("--mixed-memory", "add an LSTM memory", FLAG),
        ("--units", "number of neurons (default: 96)", WHOLE),
        ("--backbone", "neurons of a CfC's backbone (default: 32)", WHOLE),
    ],
    "the training": [
        ("--window", "rows of a training window (default: 32)", WHOLE),
        ("--stride", "rows from one window to the next (default: 16)", WHOLE),
        ("--warm-up", "rows that the network reads before a window (default: 16)", WHOLE),
        ("--epochs", "passes over all windows, at most (default: 60)", WHOLE),
        ("--patience", "stop after this many epochs without a better validation loss (default: 20)", WHOLE),
        ("--batch-size", "windows per step (default: 32)", WHOLE),
        ("--learning-rate", "learning rate of AdamW, which falls as a cosine (default: 0.008)", REAL),
        ("--weight-decay", "weight decay of AdamW (default: 1)", REAL),
        (
            "--contraction",
            "bound the Lipschitz constant of a CfC's time step, such as 0.95: it forgets its start",
            REAL,
        ),
        (
            "--class-weights",
            "weights of classes in the loss: balanced, so that rare ones count as much as frequent ones, or one number "
            "per class such as 1,5, in the order in which the output lists them",
            {"type": _weights, "metavar": "balanced|W,W"},
        ),
        ("--seed", "seed of everything random (default: 0)", WHOLE),
    ],
}


def add(commands: Any) -> None:
    """Add the command and its options to the parser."""
    parser = commands.add_parser(
        "train",
        help="train a network on a table of yours",
        description="Train a network on a CSV file with a column of times of any spacing. Ends with figures on "
        "held-back rows, next to those of persistence and of a linear autoregression. The same command again resumes "
        "an unfinished training; a larger --epochs trains a finished one further.",
        usage="cfc-ref train DATA.csv --time NAME --target NAME [NAME ...] --out FOLDER [options]",
    )
    for title, options in _OPTIONS.items():
        add_options(parser.add_argument_group(title), options)
    parser.set_defaults(run=run, called={"path": "DATA.csv"})


def run(options: argparse.Namespace) -> int:
    """Read, train, write, and print the figures."""
    from cfc_ref.learn.run_folder import begin_run
    from cfc_ref.tables.csv import read_table
    from cfc_ref.tables.evaluation import held_back_figures, predict_held_back
    from cfc_ref.tables.fitting import fit_network, new_network, notes, prepare_table
    from cfc_ref.tables.folder import TABLE_RUN
    from cfc_ref.tables.series import samples

    settings = _settings(options)
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
    settings = settings.chosen(columns, table)
    said = notes(columns, table, settings, options.split)
    preparation, series = prepare_table(columns, table, settings)
    model = new_network(preparation, settings)
    stored = {"data": table.rows.digest, **columns._asdict(), **vars(settings)}
    folder = begin_run(options.out, TABLE_RUN, stored, force=options.force, preparation=preparation.as_dict())
    if folder.finished:
        do = f"pass --epochs above {settings.epochs} to train it further, --force to replace it, or name another folder"
        checks.refuse("out", f"{str(folder.path)!r}, which holds a trained network", "a new folder", do)
    say_absent({"tqdm": "progress bar", "matplotlib": "figures"})
    said = [f"note      {note}" for note in (*table.rows.notes, *said)]
    described = [*preparation_lines(preparation), *_weights_line(preparation, series, settings), f"network   {model}"]
    print(*said, *described, sep="\n", flush=True)
    if folder.checkpoint.exists():
        print("Going on with the run in that folder.", flush=True)
    history = fit_network(model, preparation, series, settings, checkpoint=folder.checkpoint)
    held_back = predict_held_back(model, preparation, series, table, settings.window)
    figures = held_back_figures(held_back, preparation)
    folder.keep_samples(**samples(series))
    folder.end(model, history, figures, _pictures(history, held_back, preparation))
    print(f"Trained {len(history.loss)} epochs in {sum(history.seconds):.1f} s, kept epoch {history.best_epoch + 1}.")
    print(*figure_lines(figures), f"Written: {folder.path}/model.npz, settings, history and figures.", sep="\n")
    return 0


def _settings(options: argparse.Namespace) -> TableSettings:
    from dataclasses import fields

    from cfc_ref.tables.fitting import TableSettings

    if options.label_per_group:
        for name in ("window", "stride", "warm_up"):
            if getattr(options, name) is not None:
                do = "remove it, the network reads whole groups"
                checks.refuse(f"--{name.replace('_', '-')}", "a number", "nothing with --label-per-group", do)
    given = {field.name: getattr(options, field.name) for field in fields(TableSettings)}
    return TableSettings(**{name: value for name, value in given.items() if value is not None})


def _weights_line(preparation: Preparation, series: list[Series], settings: TableSettings) -> list[str]:
    """Return the line on the weights of classes, if there are any."""
    from cfc_ref.tables.fitting import class_weights

    weights = class_weights(preparation, series, settings.class_weights)
    if weights is None:
        return []
    of_classes = zip(preparation.columns.classes or (), weights, strict=True)
    return [f"weights   {', '.join(f'{name} {weight:.4g}' for name, weight in of_classes)}"]


def _pictures(history: History, held_back: HeldBack, preparation: Preparation) -> Iterable[tuple[str, Figure]]:
    """Return the pictures, where matplotlib is installed."""
    if not checks.installed("matplotlib"):
        return ()
    from cfc_ref.plots.held_back import HeldBackRows, held_back_pictures

    columns, (y, predicted, time, group, groups, _) = preparation.columns, held_back
    shown = HeldBackRows(y, predicted["network"], time, group, groups, columns.targets, columns.classes)
    if preparation.label_per_group:
        numbers = np.arange(1, len(y) + 1)
        shown = shown._replace(time=numbers, group=0 * numbers, groups=("",), axis="held-back group")
    return held_back_pictures(history, shown)
