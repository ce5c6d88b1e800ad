"""``cfc-ref bench``: measure the speed, compared with other libraries."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from cfc_ref.cli.words import FLAG, FOLDER, NAME, WHOLE, add_options, say_absent

__all__ = ["add", "run"]


def add(commands: Any) -> None:
    """Add the command and its options to the parser."""
    from cfc_ref.bench.workloads import STUDIES, WORKLOADS

    parser = commands.add_parser(
        "bench",
        help="measure the speed next to ncps, JAX, ONNX Runtime, OpenVINO, C and ODE solvers",
        description="Measure the speed next to that of ncps on PyTorch, JAX, ONNX Runtime, OpenVINO, exported C, "
        "scipy, diffrax and numbalsoda, as far as they are installed, with the same weights and threads, in turns. "
        "Each result is checked before it is timed, and printed with its ratio to the required speed. Exit status 1 if "
        "a workload fails.",
    )
    options = (
        ("--only", f"some of {', '.join([*WORKLOADS, *STUDIES])}", {"nargs": "+", **NAME}),
        ("--quick", "fewer repeats", FLAG),
        ("--threads", "threads of every library (default: all cores)", WHOLE),
        ("--out", "write bench.json, bench.md and figures there", FOLDER),
    )
    add_options(parser, options)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Measure, print a table per workload, write the files."""
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
