"""``cfc-ref verify``: check every statement about the closed form."""

from __future__ import annotations

import argparse
import contextlib
import shlex
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from typing import Any

from cfc_ref import checks
from cfc_ref.cli.words import say_absent, whole

__all__ = ["add", "run"]

_CALLED = {
    **dict.fromkeys(("path", "times", "values"), "--signal"),
    "time": "--time-column",
    "statements": "--statement",
    "folder": "--out",
    **{name: f"--neuron {name}" for name in ("w_tau", "A", "mu", "sigma", "x0")},
}


def add(commands: Any) -> None:
    """Add the command and its options to the parser."""
    parser = commands.add_parser(
        "verify",
        help="check every statement about the closed form on random, adversarial and recorded input",
        description="Check every statement about the closed form on random, adversarial and recorded input. "
        "Exit status 1 when a statement that should hold is violated.",
    )
    parser.add_argument("--cases", type=whole, default=10_000, metavar="N", help="random cases (default: 10000)")
    parser.add_argument("--seed", type=whole, default=0, metavar="N", help="of the random numbers (default: 0)")
    parser.add_argument(
        "--statement", "--statements", action="extend", nargs="+", metavar="S3", help="only these, such as S3 or S3,S9"
    )
    parser.add_argument(
        "--neuron", metavar="w_tau=1,A=2,...", help="fix some of w_tau, A, mu, sigma and x0 in every case"
    )
    parser.add_argument("--signal", metavar="FILE.csv", help="a recording (default: the EEG sample of matplotlib)")
    parser.add_argument("--time-column", metavar="NAME", help="its column of times, of any spacing and unit, or dates")
    parser.add_argument("--value-column", metavar="NAME", help="its column of values")
    parser.add_argument(
        "--times", choices=("numbers", "dates"), help="read its times so (default: what they look like)"
    )
    parser.add_argument("--jobs", type=whole, default=1, metavar="N", help="processes to use (default: 1)")
    parser.add_argument("--out", metavar="FOLDER", help="write report.md, report.json and figures there")
    parser.set_defaults(run=run, called=_CALLED)


def run(options: argparse.Namespace) -> int:
    """Verify, print the table, write the files."""
    from cfc_ref.io import output_folder
    from cfc_ref.report.verification import check_arguments, verify

    jobs = checks.count("--jobs", options.jobs, at_least=1)
    given = {
        "cases": options.cases,
        "seed": options.seed,
        "statements": options.statement,
        "neuron": _neuron(options.neuron),
        "signal": _signal(options),
    }
    check_arguments(**given)  # before the folder is made
    if options.out is not None:
        output_folder("--out", options.out)
    say_absent({"tqdm": "progress bar"} | ({} if options.out is None else {"matplotlib": "figures"}))
    with _executor(jobs) as executor:
        report = verify(**given, executor=executor, progress=True)
    try:
        if options.out is not None:
            report.save(options.out, _command(options))
    finally:  # a full disk does not cost the table, nor a closed pipe the files
        print(report)
    if options.out is not None:
        print(f"Written: {options.out}/report.md, report.json and figures.")
    return 0 if report.ok else 1


def _command(options: argparse.Namespace) -> str:
    """Return the command, without what only says how it is run."""
    words = ["cfc-ref", "verify", "--cases", str(options.cases), "--seed", str(options.seed)]
    for name in ("neuron", "signal", "time_column", "value_column", "times"):
        value = getattr(options, name)
        words += [] if value is None else [f"--{name.replace('_', '-')}", value]
    words += ["--statement", *options.statement] if options.statement else []
    return shlex.join([*words, "--out", str(options.out)])


def _neuron(text: str | None) -> dict[str, float] | None:
    if text is None:
        return None
    fixed: dict[str, float] = {}
    for part in text.split(","):
        name, equals, value = (word.strip() for word in part.partition("="))
        expected, do = "name=number, separated by commas", "write for example w_tau=1,A=2"
        if not equals or not name or name in fixed:
            checks.refuse("--neuron", f"{part!r}" if name not in fixed else f"{name} twice", expected, do)
        try:
            fixed[name] = float(value)
        except ValueError:
            checks.refuse("--neuron", f"{part!r}", expected, do)
    return fixed


def _signal(options: argparse.Namespace) -> Any:
    from cfc_ref.signals import from_csv

    columns = options.time_column, options.value_column
    if options.signal is None:
        if (*columns, options.times) != (None, None, None):
            got = f"no file but {'--times' if columns == (None, None) else 'a column'}"
            checks.refuse("--signal", got, "a file with that column", "pass --signal FILE.csv")
        return None
    if None in columns:
        checks.refuse("--signal", "a file without its columns", "--time-column and --value-column too", "name both")
    return from_csv(options.signal, *columns, dates=None if options.times is None else options.times == "dates")


@contextlib.contextmanager
def _executor(jobs: int) -> Iterator[Executor | None]:
    """Yield a process pool, or None for one process; work that has not begun is dropped when the run is stopped."""
    if jobs == 1:
        yield None
        return
    from multiprocessing import get_context

    # "spawn": a forked child would inherit the state of numba's threads
    pool = ProcessPoolExecutor(jobs, mp_context=get_context("spawn"))
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)
