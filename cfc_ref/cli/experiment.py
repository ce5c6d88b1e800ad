"""``cfc-ref experiment``: the paper's experiments, with its settings."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cfc_ref import checks
from cfc_ref.cli.words import FLAG, FOLDER, REAL, WHOLE, add_options, say_absent
from cfc_ref.experiments.record import Experiment, Option, Task
from cfc_ref.experiments.registry import EXPERIMENTS

if TYPE_CHECKING:
    from cfc_ref.learn.history import History

__all__ = ["add", "run", "run_lane"]


def add(commands: Any) -> None:
    """Add the command and its options to the parser."""
    parser = commands.add_parser(
        "experiment",
        help="run one of the paper's experiments",
        description="Train a model with the settings of Hasani et al. 2022 and evaluate it on the test part with the "
        "weights that were best on the validation part, or where the published code has none with those of the last "
        "epoch. The same command again resumes an unfinished run; a larger "
        "--epochs trains a finished one further.",
    )
    tasks = parser.add_subparsers(dest="task", required=True, metavar="|".join([*EXPERIMENTS, "lane"]))
    for name, experiment in EXPERIMENTS.items():
        one = tasks.add_parser(name, help=experiment.help, description=experiment.description)
        for option in experiment.options:
            one.add_argument(option.flag, **option.keywords)
        decay = "factor of the learning rate per epoch (default: the code's; the paper's table has 0.7 for XOR's cfc)"
        options = (
            ("--model", "the model", {"required": True, "choices": tuple(experiment.settings)}),
            ("--seed", "seed of everything random", {"required": True, **WHOLE}),
            ("--out", "write model, settings, history and results there", {"required": True, **FOLDER}),
            ("--epochs", "passes over the data, at most (default: the paper's)", WHOLE),
            ("--decay", decay, REAL),
            ("--force", "replace the run in the folder", FLAG),
            ("--samples", "use the first N of each part only, for a quick test", WHOLE),
        )
        add_options(one, options)
    parser.set_defaults(run=run, called={"folder": "--data"})
    about = "print the parameter counts of lane keeping's seven networks with their derivation, and check our layers"
    tasks.add_parser("lane", help="parameter counts of lane keeping", description=about).set_defaults(run=run_lane)


def run_lane(options: argparse.Namespace) -> int:
    """Print the parameter counts, and return 1 where one differs."""
    from cfc_ref.experiments.lane import lane_report

    text, agree = lane_report()
    print(text)
    return 0 if agree else 1


def run(options: argparse.Namespace) -> int:
    """Train, evaluate, write, and print the figures."""
    from cfc_ref.experiments.training_run import EXPERIMENT_RUN, run_experiment
    from cfc_ref.learn.run_folder import RunFolder

    experiment = EXPERIMENTS[options.task]
    chosen = experiment.settings[options.model]
    if options.epochs is not None:
        chosen = chosen._replace(epochs=checks.count("--epochs", options.epochs, at_least=1))
    if options.decay is not None:
        chosen = chosen._replace(decay=checks.number("--decay", options.decay, positive=True))
    seed = checks.count("--seed", options.seed)
    if options.samples is not None:
        checks.count("--samples", options.samples, at_least=1)
    seeded = {"seed": seed} if experiment.seeded else {}
    task = experiment.task(samples=options.samples, **seeded, **_own(experiment, options))
    folder = RunFolder(Path(options.out), EXPERIMENT_RUN)
    if folder.begun and not options.force:
        words = "There is a finished run" if folder.finished else "Resuming the unfinished run"
        print(f"{words} in that folder.", file=sys.stderr, flush=True)
    say_absent({"matplotlib": "figures"})
    results = run_experiment(
        task,
        options.model,
        chosen,
        seed=seed,
        out=options.out,
        command=_command(experiment, options),
        progress=_teller(chosen.epochs, task.figure),
        force=options.force,
    )
    print(*_lines(experiment, options, task, results), sep="\n")
    return 0


def _value(option: Option, options: argparse.Namespace) -> Any:
    return getattr(options, _name(option))


def _name(option: Option) -> str:
    return option.flag.removeprefix("--").replace("-", "_")


def _own(experiment: Experiment, options: argparse.Namespace) -> dict[str, Any]:
    """Return the values of the experiment's own options by name."""
    return {_name(option): _value(option, options) for option in experiment.options}


def _command(experiment: Experiment, options: argparse.Namespace) -> str:
    """Return the command that gives the same run."""
    import shlex

    words = ["cfc-ref", "experiment", options.task, "--model", options.model, "--seed", str(options.seed)]
    for option in experiment.options:
        value = _value(option, options)
        if option.repeated and value not in (None, False):
            words += [option.flag] if value is True else [option.flag, str(value)]
    for name in ("epochs", "decay", "samples"):
        if getattr(options, name) is not None:
            words += [f"--{name}", str(getattr(options, name))]
    return shlex.join([*words, "--out", options.out])


def _teller(epochs: int, figure: str) -> Callable[[History], None]:
    """Return a function that prints a line on stderr after each epoch."""

    def tell(history: History) -> None:
        done = len(history.loss)
        left = (epochs - done) * sum(history.seconds) / done
        parts = [
            f"epoch {done:>{len(str(epochs))}} of {epochs}",
            f"loss {history.loss[-1]:.4f}",
            *(f"validation loss {loss:.4f}" for loss in history.validation_loss[-1:]),
            *(f"{figure} {value:.4f}" for value in history.metric[-1:]),
            f"{history.seconds[-1]:.1f} s",
            *([f"{left / 60:.0f} min left"] if left >= 60 else []),
        ]
        print("  ".join(parts), file=sys.stderr, flush=True)

    return tell


def _lines(experiment: Experiment, options: argparse.Namespace, task: Task, results: dict[str, Any]) -> list[str]:
    """Return the lines that are printed at the end; the last one is the result."""
    figure, part = results["figure"], "test" if "test" in results["best"] else "validation"
    judged = task.judged
    other = "last" if judged == "best" else "best"
    weights = {"last": "the last epoch's weights", "best": "the weights of the lowest validation loss"}[other]
    told = {
        which: [f"{name} {figure} {value:.{experiment.digits}f}" for name, value in results[which].items()]
        for which in ("best", "last")
    }
    place = list(results[judged]).index(part)
    lines = [
        f"Trained {results['epochs']} epochs in {results['seconds']:.0f} s, {results['seconds_per_epoch']:.2f} s per "
        f"epoch, {results['parameters']:,} parameters.",
        f"Written: {options.out}/model.npz, experiment, history, results and figures.",
    ]
    lines += task.notes
    if part == "validation" and not task.notes:
        lines.append("There is no test part, as files of it are missing.")
    paper = experiment.paper(options.model, **_own(experiment, options))
    return [
        *lines,
        *([f"{paper} in the paper"] if paper else []),
        *([f"{told[other][place]} with {weights}"] if "validation" in results[judged] else []),
        *(line for line in told[judged] if not line.startswith(("test ", "validation "))),
        told[judged][place],
    ]
