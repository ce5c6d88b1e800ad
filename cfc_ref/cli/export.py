"""``cfc-ref export``: a trained network for use outside of Python."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cfc_ref import checks
from cfc_ref.arrays import Array

if TYPE_CHECKING:
    from cfc_ref.export.c_header import RawValues
    from cfc_ref.tables.preparation import Preparation

__all__ = ["add", "raw_values", "run"]

_APART = 1e-3  # of a standard deviation


def add(commands: Any) -> None:
    """Add the command and its options to the parser."""
    parser = commands.add_parser(
        "export",
        help="write a network as C or ONNX",
        description="Write a trained network as C99 (NAME.h, a test of it with golden outputs, and a page on its size "
        "and cost), or as ONNX (NAME.onnx, one time step, and NAME_sequence.onnx).",
    )
    parser.add_argument("path", metavar="RUN", help="a folder that cfc-ref train wrote, or a model's file")
    parser.add_argument("--to", required=True, choices=("c", "onnx"), help="what to write")
    parser.add_argument("--out", required=True, metavar="FOLDER", help="write the files there")
    parser.add_argument("--name", default="network", help="name of the files, and prefix in C (default: network)")
    parser.add_argument("--math", choices=("libm", "own"), help="C: exp and tanh of <math.h> (default), or written out")
    parser.add_argument(
        "--raw",
        action="store_true",
        help="C: for a folder of cfc-ref train, take features and times in their own units, and give such predictions",
    )
    parser.set_defaults(run=run, called={"path": "RUN", "folder": "RUN", "model": "RUN"})


def run(options: argparse.Namespace) -> int:
    """Read the network, write the files, and say which."""
    from cfc_ref.io import load
    from cfc_ref.learn.run_folder import model_file

    model = load(model_file(options.path))
    files = _to_onnx(model, options) if options.to == "onnx" else _to_c(model, options)
    print("Written:", *files)
    return 0


def _to_onnx(model: Any, options: argparse.Namespace) -> tuple[Path, ...]:
    from cfc_ref.export.c_source import identifier
    from cfc_ref.export.onnx_files import export_onnx

    for name in ("math", "raw"):
        if getattr(options, name):
            checks.refuse(name, "an option of C", "none with --to onnx", f"remove --{name}")
    options.called["path"] = "--out"
    return export_onnx(model, Path(options.out) / f"{identifier('name', options.name)}.onnx")


def _to_c(model: Any, options: argparse.Namespace) -> tuple[Path, ...]:
    from cfc_ref.export.c_files import export_c

    prepared = _prepared(options)
    raw = raw_values(prepared) if prepared is not None and options.raw else None
    dt_range = None if prepared is None else prepared.timespan_range
    options.called["folder"] = "--out"
    math = options.math or "libm"
    header = export_c(model, options.out, options.name, math=math, raw=raw, dt_range=dt_range)
    return header, header.with_name(f"{header.stem}_test.c"), header.with_name("README.md")


def _prepared(options: argparse.Namespace) -> Preparation | None:
    """Return what cfc-ref train stored of its table, or None for a model of another origin."""
    from cfc_ref.tables.folder import read_trained

    try:
        return read_trained(options.path).preparation
    except ValueError:
        if options.raw:
            raise
        return None


def _check_digits(p: Preparation) -> None:
    """Refuse columns whose numbers, as floats, are further apart than a share of their standard deviation."""
    means = dict(zip(p.columns.features, p.feature_mean, strict=True))
    of_targets = () if p.columns.classes else zip(p.columns.targets, p.target_mean, p.target_std, p.change, strict=True)
    columns = [
        *zip(p.columns.features, p.feature_mean, p.feature_std, strict=True),
        *((name, means[name] if change else mean, std) for name, mean, std, change in of_targets),
    ]
    for name, mean, std in columns:
        apart = float(np.spacing(np.array(abs(mean)).astype(np.float32)))
        if std != 1 and not apart <= _APART * std:  # 1: the column is constant
            got = f"column {name!r} of mean {mean:g} and standard deviation {std:g}, where floats are {apart:g} apart"
            checks.refuse("raw", got, "values that float32 tells apart", "subtract an offset before training")


def raw_values(preparation: Preparation) -> RawValues:
    """Return the scaling of a table as the C needs it."""
    from cfc_ref.export.c_header import RawValues

    p = preparation
    _check_digits(p)
    features, targets = p.columns.features, p.columns.targets
    added_to = tuple(features.index(name) if change else -1 for name, change in zip(targets, p.change, strict=True))

    def prepare(x: Array, dt: Array) -> tuple[Array, Array]:
        spans = p.timespans(np.where(np.arange(len(dt)) == 0, np.nan, dt))
        return p.network_inputs(x, spans, np.zeros(len(x), int)), spans

    return RawValues(
        features, p.columns.classes or targets, p.columns.time,
        np.array(p.feature_mean), np.array(p.feature_std), p.timespan, p.missing, np.array(p.target_mean),
        np.array(p.target_std), added_to, p.columns.classes is not None, prepare,
        lambda outputs, inputs: p.predictions(outputs, p.base(inputs)), p.columns.dates, p.horizon, p.label_per_group,
    )  # fmt: skip
