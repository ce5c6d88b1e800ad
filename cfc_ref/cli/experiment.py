"""``cfc-ref experiment``: the paper's experiments, with its settings."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cfc_ref import checks
from cfc_ref.cli.words import real, whole
from cfc_ref.experiments.settings import MODELS, SETTINGS, WALKER2D_RESULTS, XOR_RESULTS, Accuracy, Error

if TYPE_CHECKING:
    from cfc_ref.learn.history import History

__all__ = ["add", "run"]


def add(commands: Any) -> None:
    """Add the command and its options to the parser."""
    parser = commands.add_parser(
        "experiment",
        help="run one of the paper's experiments",
        description="Train a model with the settings of Hasani et al. 2022, and judge it on the test part by the "
        "weights that were best on the validation part. Run again, an unfinished run goes on; a larger --epochs "
        "trains a finished one further.",
    )
    tasks = parser.add_subparsers(dest="task", required=True, metavar="TASK")
    walker2d = tasks.add_parser(
        "walker2d",
        help="the next observation of a simulated walker",
        description="Predict the next observation of a simulated walker from recordings with gaps. The folder of the "
        "data may lack files of the test part: then there is a figure of the validation part.",
    )
    walker2d.add_argument("--data", required=True, metavar="FOLDER", help="of rollout_000.npy to rollout_399.npy")
    walker2d.add_argument("--download", action="store_true", help="download them to that folder, unless all are there")
    xor = tasks.add_parser(
        "xor",
        help="the parity of a stream of bits",
        description="Tell whether the number of ones in a stream of 2 to 31 bits is odd. A training is over once 99.9 "
        "per cent of 5,000 validation samples are right for three epochs.",
    )
    xor.add_argument("--event-based", action="store_true", help="runs of equal bits rather than single ones")
    for one in (walker2d, xor):
        one.add_argument("--model", required=True, choices=tuple(MODELS), help="which model")
        one.add_argument("--seed", required=True, type=whole, metavar="N", help="of everything random")
        one.add_argument("--out", required=True, metavar="FOLDER", help="write model, settings, history, results there")
        one.add_argument("--epochs", type=whole, metavar="N", help="at most (default: the paper's)")
        one.add_argument(
            "--decay",
            type=real,
            metavar="X",
            help="of the learning rate, an epoch (default: the code's; the paper's table has 0.7 for XOR's cfc)",
        )
        one.add_argument("--force", action="store_true", help="replace the run that is in the folder")
        one.add_argument("--samples", type=whole, metavar="N", help="only the first N of each part, for a quick look")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Train, judge, write, and print the figures."""
    from cfc_ref.experiments.run import EXPERIMENT_RUN, run_experiment
    from cfc_ref.learn.run_folder import RunFolder

    recipe = SETTINGS[options.task][options.model]
    if options.epochs is not None:
        recipe = recipe._replace(epochs=checks.count("--epochs", options.epochs, at_least=1))
    if options.decay is not None:
        recipe = recipe._replace(decay=checks.number("--decay", options.decay, positive=True))
    seed = checks.count("--seed", options.seed)
    if options.samples is not None:
        checks.count("--samples", options.samples, at_least=1)
    task = _task(options)
    folder = RunFolder(Path(options.out), EXPERIMENT_RUN)
    if folder.begun and not options.force:
        words = "There is a finished run" if folder.finished else "Going on with the unfinished run"
        print(f"{words} in that folder.", file=sys.stderr, flush=True)
    try:
        results = run_experiment(
            task,
            options.model,
            recipe,
            seed=seed,
            out=options.out,
            command=_command(options),
            progress=_teller(recipe.epochs),
            force=options.force,
        )
    except FloatingPointError as error:
        raise ValueError(str(error)) from None
    print(*_lines(options, results), sep="\n")
    return 0


def _task(options: argparse.Namespace) -> Any:
    from cfc_ref.experiments.walker2d import walker2d_task
    from cfc_ref.experiments.xor import xor_task

    if options.task == "xor":
        return xor_task(event_based=options.event_based, samples=options.samples)
    if options.download:
        from cfc_ref.datasets.walker2d import download_walker2d, missing_files

        if not Path(options.data).is_dir() or any(missing_files(options.data).values()):
            download_walker2d(options.data)
    return walker2d_task(options.data, samples=options.samples)


def _command(options: argparse.Namespace) -> str:
    """Return the command as it can be given again."""
    import shlex

    words = ["cfc-ref", "experiment", options.task, "--model", options.model, "--seed", str(options.seed)]
    if options.task == "walker2d":
        words += ["--data", options.data]
    elif options.event_based:
        words += ["--event-based"]
    for name in ("epochs", "decay", "samples"):
        if getattr(options, name) is not None:
            words += [f"--{name}", str(getattr(options, name))]
    return shlex.join([*words, "--out", options.out])


def _teller(epochs: int) -> Callable[[History], None]:
    """Return what prints a line on stderr after each epoch."""

    def tell(history: History) -> None:
        parts = [
            f"epoch {len(history.loss):>{len(str(epochs))}} of {epochs}",
            f"loss {history.loss[-1]:.4f}",
            f"validation loss {history.validation_loss[-1]:.4f}",
            *(f"accuracy {accuracy:.4f}" for accuracy in history.metric[-1:]),
            f"{history.seconds[-1]:.1f} s",
        ]
        print("  ".join(parts), file=sys.stderr, flush=True)

    return tell


def _lines(options: argparse.Namespace, results: dict[str, Any]) -> list[str]:
    """Return what is printed at the end; the figure that counts stands last."""
    figure, part = results["figure"], "test" if "test" in results["best"] else "validation"
    digits = 4 if figure == "accuracy" else 3
    best, last = (f"{results[which][part]:.{digits}f}" for which in ("best", "last"))
    lines = [
        f"Trained {results['epochs']} epochs in {results['seconds']:.0f} s, {results['seconds_per_epoch']:.2f} s an "
        f"epoch, {results['parameters']:,} parameters.",
        f"Written: {options.out}/model.npz, experiment, history, results and figures.",
    ]
    if part == "validation":
        lines.append("There is no test part, as files of it are missing.")
    lines += [
        f"{_of_paper(options)} in the paper",
        f"{part} {figure} {last} with the last epoch's weights",
        f"{part} {figure} {best}",
    ]
    return lines


def _of_paper(options: argparse.Namespace) -> str:
    """Return the paper's figure of that model on the test part."""
    name = MODELS[options.model]
    if options.task == "walker2d":
        error: Error = WALKER2D_RESULTS[name]
        return f"test MSE {error.mean:.3f}" + ("" if error.std is None else f" ± {error.std:.3f}")
    accuracy: Accuracy = XOR_RESULTS[name]
    if not options.event_based:
        return f"test accuracy {accuracy.equidistant / 100:.4f}"
    return f"test accuracy {accuracy.event_based / 100:.4f}" + (
        "" if accuracy.std is None else f" ± {accuracy.std / 100:.4f}"
    )
