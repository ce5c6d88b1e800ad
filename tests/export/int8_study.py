"""``python -m tests.export.int8_study WALKER2D [OUT]``: int8 on held-back EEG and Walker2d, of contracting networks.

Trains with ``cfc-ref train --contraction 0.95`` (minutes), exports in float32 and int8, and prints errors and sizes.
"""

import csv
import re
import sys
import tempfile
from pathlib import Path

import numpy as np

from cfc_ref import bounds, export_c
from cfc_ref.cli.command import main as cfc_ref
from cfc_ref.export.float32_network import exported
from cfc_ref.export.int8_files import distances, int8_of
from cfc_ref.tables.folder import read_trained
from tests.datasets.recorded import write_eeg

RUNS, KEPT, COLUMNS = 40, 0.9, 17  # recordings of the walker that are used; the share of their rows; of an observation


def write_walker(folder, path):
    """The first recordings as a table: one row in ten is left out, as in the official code."""
    rng = np.random.default_rng(0)
    with Path(path).open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["step", "run", *(f"o{j}" for j in range(COLUMNS))])
        for source in sorted(Path(folder).glob("*.npy"))[:RUNS]:
            rows = np.load(source)
            kept = np.flatnonzero(rng.random(len(rows)) < KEPT)
            writer.writerows([k, source.stem, *rows[k].tolist()] for k in kept)


def train(words, out):
    if not (out / "figures.json").exists() and cfc_ref(
        ["train", *words, "--horizon", "1", "--contraction", "0.95", "--out", str(out)]
    ):
        raise SystemExit(1)


def flash(model, folder, **more):
    """Bytes of weights, of an export."""
    text = export_c(model, folder, **more).read_text(encoding="utf-8")
    return int(re.search(r"([\d,]+) bytes of weights", text)[1].replace(",", ""))


def report(run):
    """Print errors, sizes and certificates of a run."""
    trained = read_trained(run)
    with tempfile.TemporaryDirectory() as folder:
        print(f"--- {run.name}", flush=True)  # noqa: T201
        cfc_ref(["export", str(run), "--to", "c", "--int8", "--out", folder])
        sizes = [flash(trained.model, folder, **more) for more in ({}, {"int8": True, "tolerance": 1e9})]
    samples = trained.folder.samples("run", ("x", "dt", "begins", "low", "high"))
    proved = bounds.rounding(
        trained.model, (samples["low"], samples["high"]), trained.preparation.timespan_range, "int8"
    )
    network = exported(trained.model)
    int8 = int8_of(trained.model, network, (samples["low"], samples["high"]), trained.preparation.timespan_range)
    print(f"bytes: float32 {sizes[0]:,}, int8 {sizes[1]:,}. Proved: {proved}", flush=True)  # noqa: T201
    print(f"within the training's ranges alone: {distances(int8, samples)[-1]}")  # noqa: T201


def main(walker, out):
    out.mkdir(parents=True, exist_ok=True)
    write_eeg(out / "eeg.csv")
    write_walker(walker, out / "walker.csv")
    for k in range(4):
        eeg = [str(out / "eeg.csv"), "--time", "seconds", "--target", f"channel{k}", "--units", "32"]
        train(eeg, out / f"eeg{k}")
    of_walker = ["--time", "step", "--group", "run", "--units", "64", "--backbone", "64", "--epochs", "15"]
    targets = [f"o{j}" for j in range(COLUMNS)]
    train([str(out / "walker.csv"), *of_walker, "--target", *targets], out / "walker2d")
    for name in (*(f"eeg{k}" for k in range(4)), "walker2d"):
        report(out / name)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2] if len(sys.argv) > 2 else tempfile.mkdtemp()))
