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
    from cfc_ref.export.int8_files import Int8Options
    from cfc_ref.export.wasm_files import StreamedRows
    from cfc_ref.tables.folder import Trained
    from cfc_ref.tables.preparation import Preparation

__all__ = ["add", "raw_values", "run"]

_APART = 1e-3  # of a standard deviation
_SHOWN = 4096  # rows of a recording that a page holds, at most
_OPTIONS_OF = {
    "math": ("c",),
    "raw": ("c", "wasm"),
    "recording": ("wasm",),
    "measure": ("c",),
    "int8": ("c",),
    "tolerance": ("c",),
}  # option → the formats that have it
_BEYOND = 0.25  # of the width of the training part's inputs, for those that come later


def add(commands: Any) -> None:
    """Add the command and its options to the parser."""
    parser = commands.add_parser(
        "export",
        help="write a network as C, as WebAssembly or as ONNX",
        description="Write a trained network as C99 (NAME.h, a test of it with golden outputs, and a page on its size "
        "and cost), as WebAssembly (NAME.wasm and NAME.html, a page that runs it in a browser without a server; needs "
        "clang and lld), or as ONNX (NAME.onnx, one time step, and NAME_sequence.onnx).",
    )
    parser.add_argument("path", metavar="RUN", help="a folder that cfc-ref train wrote, or a model's file")
    parser.add_argument("--to", required=True, choices=("c", "wasm", "onnx"), help="what to write")
    parser.add_argument("--out", required=True, metavar="FOLDER", help="write the files there")
    parser.add_argument("--name", default="network", help="name of the files, and prefix in C (default: network)")
    parser.add_argument("--math", choices=("libm", "own"), help="C: exp and tanh of <math.h> (default), or written out")
    parser.add_argument(
        "--raw",
        action="store_true",
        help="C, WebAssembly: for a folder of cfc-ref train, take features and times in their own units, and give such "
        "predictions",
    )
    parser.add_argument(
        "--measure",
        action="store_true",
        help="C, with --math own: also say bytes and instructions of a step on an emulated Cortex-M4 (needs "
        "arm-none-eabi-gcc and qemu-system-arm)",
    )
    parser.add_argument(
        "--recording", metavar="DATA.csv", help="WebAssembly, with --raw: the page streams the last rows of this table"
    )
    parser.add_argument(
        "--int8",
        action="store_true",
        help="C: weights, inputs and states of 8 bits, for the inputs' range and held-back rows of cfc-ref train",
    )
    parser.add_argument(
        "--tolerance",
        type=float,
        help="C with --int8: the largest error that is accepted, as a share of the output's range (default: 0.05)",
    )
    parser.set_defaults(run=run, called={"path": "RUN", "folder": "RUN", "model": "RUN"})


def run(options: argparse.Namespace) -> int:
    """Read the network, write the files, and say which."""
    from cfc_ref.io import load
    from cfc_ref.learn.run_folder import model_file

    for name, formats in _OPTIONS_OF.items():
        if getattr(options, name) and options.to not in formats:
            got = f"an option of --to {' and --to '.join(formats)}"
            checks.refuse(name, got, f"none with --to {options.to}", f"remove --{name}")
    model = load(model_file(options.path))
    files = {"c": _to_c, "wasm": _to_wasm, "onnx": _to_onnx}[options.to](model, options)
    print("Written:", *files)
    return 0


def _to_onnx(model: Any, options: argparse.Namespace) -> tuple[Path, ...]:
    from cfc_ref.export.c_source import identifier
    from cfc_ref.export.onnx_files import export_onnx

    options.called["path"] = "--out"
    return export_onnx(model, Path(options.out) / f"{identifier('name', options.name)}.onnx")


def _to_c(model: Any, options: argparse.Namespace) -> tuple[Path, ...]:
    from cfc_ref.export.c_files import as_c, write_files

    trained, scaling = _scaling(options)
    int8, math = _int8_options(options, trained), options.math or "libm"
    made = as_c(model, options.name, math=math, measure=options.measure, options=int8, **scaling)
    options.called["folder"] = "--out"
    path = write_files(options.out, made.files, options.name)
    for distance in made.distances:
        print(f"int8 is off float64 by {distance}.")
    return tuple(path / file for file in (f"{options.name}.h", f"{options.name}_test.c", "README.md"))


def _int8_options(options: argparse.Namespace, trained: Trained | None) -> Int8Options:
    """Return the options of int8: the range of the training part's inputs and a quarter more, and held-back rows."""
    from cfc_ref.export.int8_files import Int8Options

    if not options.int8 or trained is None:
        return Int8Options(options.int8, tolerance=options.tolerance)
    samples = trained.folder.samples("folder", ("x", "dt", "begins", "low", "high"))
    beyond = _BEYOND * (samples["high"] - samples["low"])
    return Int8Options(True, (samples["low"] - beyond, samples["high"] + beyond), options.tolerance, samples)


def _to_wasm(model: Any, options: argparse.Namespace) -> tuple[Path, ...]:
    from cfc_ref.export.wasm_files import export_wasm

    trained, scaling = _scaling(options)
    prepared = None if trained is None else trained.preparation
    recording = None
    if options.recording is not None:
        if prepared is None or not options.raw:
            checks.refuse("recording", "a table without --raw", "--raw, as its values are raw", "add --raw")
        options.called["path"] = "--recording"
        recording = _recording(options.recording, prepared)
    options.called |= {"folder": "--out", "compiler": "--to wasm"}
    page = export_wasm(model, options.out, options.name, recording=recording, **scaling)
    return page, *(page.with_suffix(end) for end in (".wasm", ".h"))


def _scaling(options: argparse.Namespace) -> tuple[Trained | None, dict[str, Any]]:
    """Return what cfc-ref train stored, if it did, and what an export takes from it."""
    trained = _trained(options)
    prepared = None if trained is None else trained.preparation
    raw = raw_values(prepared) if prepared is not None and options.raw else None
    return trained, {"raw": raw, "dt_range": None if prepared is None else prepared.timespan_range}


def _recording(path: str, p: Preparation) -> StreamedRows:
    """Return the last rows of a table, series after series, with the values that they predict if it has them."""
    from cfc_ref.csv_table import read_rows
    from cfc_ref.export.wasm_files import StreamedRows
    from cfc_ref.tables.csv import table_of
    from cfc_ref.tables.preparation import ahead, series_order
    from cfc_ref.tables.series import check_range

    rows = read_rows(path)
    known = set(p.columns.targets) <= set(rows.header)
    table = table_of("recording", rows, p.columns, targets=known, missing=p.missing)
    check_range("recording", rows, p, p.scaled(table.x), p.timespans(table.step))
    order, _ = series_order(table.group)
    y = np.empty((len(order), 0))
    if known:
        y = ahead(table.y[order], p.horizon, table.group[order])
    if known and p.columns.classes:
        y = np.where(np.isnan(y), np.nan, y == np.arange(len(p.columns.classes)))
    shown = slice(-_SHOWN, None)
    return StreamedRows(Path(path).name, table.x[order][shown], table.step[order][shown], y[shown])


def _trained(options: argparse.Namespace) -> Trained | None:
    """Return what cfc-ref train stored, or None for a model of another origin."""
    from cfc_ref.tables.folder import read_trained

    try:
        return read_trained(options.path)
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
