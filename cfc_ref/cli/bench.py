"""``cfc-ref bench``: how fast it is, beside what people would use instead."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from cfc_ref.cli.words import say_absent, whole

__all__ = ["add", "run"]


def add(commands: Any) -> None:
    """Add the command and its options to the parser."""
    from cfc_ref.bench.workloads import STUDIES, WORKLOADS

    parser = commands.add_parser(
        "bench",
        help="measure how fast it is, beside ncps, ONNX Runtime, JAX and ODE solvers",
        description="Measure how fast it is, beside what else is installed of ncps on PyTorch, ONNX Runtime, JAX, "
        "scipy, diffrax and numbalsoda, with the same weights and threads, in turns. Each result is checked before it "
        "is timed. Ratios to what was asked for are printed with it. Exit status 1 when a workload ended in an error.",
    )
    names = ", ".join([*WORKLOADS, *STUDIES])
    parser.add_argument("--only", nargs="+", metavar="NAME", help=f"some of {names}")
    parser.add_argument("--quick", action="store_true", help="fewer repeats")
    parser.add_argument("--threads", type=whole, metavar="N", help="for everyone (default: all cores)")
    parser.add_argument("--out", metavar="FOLDER", help="write bench.json, bench.md and figures there")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Measure, print a table a workload, write the files."""
    from cfc_ref.bench import render
    from cfc_ref.bench.run import WorkloadError, about, cores, run_all
    from cfc_ref.bench.workloads import choose
    from cfc_ref.io import output_folder

    names = choose(options.only)
    threads = cores() if options.threads is None else options.threads
    runs = run_all(names, threads, quick=options.quick)  # checked here, measured below
    folder = None if options.out is None else output_folder("--out", options.out)
    if folder is not None:
        say_absent({"matplotlib": "figures"})
    told = about(threads, quick=options.quick)
    print(*render.heading(told), sep="\n", flush=True)
    results, failed = [], False
    for result in runs:
        if isinstance(result, WorkloadError):
            print(f"cfc-ref bench: {result}", file=sys.stderr, flush=True)
            failed = True
        else:
            results.append(result)
            print("", *render.lines(result), sep="\n", flush=True)
    if folder is not None:
        print("", f"Written: {', '.join(f'{folder}/{name}' for name in render.write(folder, told, results))}", sep="\n")
    return int(failed)
