"""A run of the benchmark: each workload in a process of its own, whose libraries start with the same threads.

Libraries read how many threads they may use when they are imported, so that it has to be said before.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from cfc_ref import checks
from cfc_ref.bench.results import Result, from_json, to_json
from cfc_ref.bench.timing import QUICK, Plan

__all__ = ["WorkloadError", "about", "cores", "environment", "main", "measure", "run_all"]

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "NPROC")
_PACKAGES = (
    "cfc-ref",
    "numpy",
    "scipy",
    "numba",
    "torch",
    "ncps",
    "onnxruntime",
    "openvino",
    "jax",
    "jaxlib",
    "diffrax",
    "numbalsoda",
    "torchdiffeq",
)


class WorkloadError(Exception):
    """A workload ended in an error; the message is one line."""


def environment(threads: int) -> dict[str, str]:
    """Return the environment of a process whose libraries use so many threads."""
    return {**os.environ, **dict.fromkeys(_THREADS, str(threads))}


def run_all(names: Sequence[str], threads: int, *, quick: bool = False) -> Iterator[Result | WorkloadError]:
    """Yield the result of each workload, or what went wrong, as soon as it is there."""
    if checks.count("--threads", threads, at_least=1) > cores():
        checks.refuse("--threads", threads, f"at most {cores()}, the number of cores", "remove it to use all cores")
    return (_one(name, threads, quick) for name in names)


def _one(name: str, threads: int, quick: bool) -> Result | WorkloadError:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "result.json"
        words = [name, str(threads), "quick" if quick else "full", str(path)]
        command = [sys.executable, "-m", "cfc_ref.bench.run", *words]
        done = subprocess.run(command, capture_output=True, text=True, env=environment(threads))
        if done.returncode or not path.exists():
            said = done.stderr.strip().splitlines() or [f"it ended with status {done.returncode}"]
            return WorkloadError(f"{name}: {said[-1]}")
        return from_json(json.loads(path.read_text(encoding="utf-8")))


def measure(name: str, threads: int, plan: Plan) -> Result:
    """Measure one workload in this process."""
    from cfc_ref.bench.peers import compare
    from cfc_ref.bench.workloads import STUDIES, WORKLOADS

    if name in WORKLOADS:
        return compare(name, WORKLOADS[name], threads, plan)
    module, _, function = STUDIES[name].rpartition(".")
    result: Result = getattr(importlib.import_module(module), function)(threads, plan)
    return result


def about(threads: int, *, quick: bool = False) -> dict[str, Any]:
    """Return what a result has to be read with: the machine, versions, threads, the time, and how busy it was."""
    versions = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    machine = {"system": platform.platform(), "processor": _processor(), "cores": cores()}
    load = round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None
    date = time.strftime("%Y-%m-%dT%H:%M:%S%z")
    return {"machine": machine, "versions": versions, "threads": threads, "quick": quick, "date": date, "load": load}


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor()


def main() -> None:
    """Measure what the words after the program's name say: workload, threads, "quick" or "full", file to write."""
    name, threads, how, path = sys.argv[1:]
    if hasattr(os, "sched_setaffinity"):  # what a library does not hold itself to, the system does
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: int(threads)])
    result = measure(name, int(threads), QUICK if how == "quick" else Plan())
    Path(path).write_text(json.dumps(to_json(result), allow_nan=False), encoding="utf-8")


if __name__ == "__main__":
    main()
