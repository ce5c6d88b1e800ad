"""Time and memory from nothing to a network's first prediction: ``python -m cfc_ref.bench.cold_start``.

Processes are started in turns. With NumPy: one imports NumPy and reads a model's file with ``numpy.load``, the other
imports cfc_ref, loads the model and predicts. With Numba, whose compiled kernels lie on the disk: one runs a kernel of
one line, others come to a network's first result. Medians, and ratios, are printed.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from cfc_ref.backend import has_numba
from cfc_ref.bench.results import Result, Row, ratio
from cfc_ref.bench.timing import Plan

__all__ = ["main", "measure"]

# In processes of their own, all of it: a child's peak memory begins at its parent's.
_SAVE = "import sys, cfc_ref\ncfc_ref.save(sys.argv[1], cfc_ref.CfC(17, 64, proj_size=17, seed=0))"
_READ = "import sys, numpy\nwith numpy.load(sys.argv[1]) as file: arrays = {key: file[key] for key in file.files}"
_LOAD = "import sys, numpy, cfc_ref\nmodel = cfc_ref.load(sys.argv[1])\nmodel.backend = "
_PREDICT = f"{_LOAD}'numpy'\nmodel(numpy.ones((1, 17)))"
WITH_NUMPY = {"numpy": _READ, "cfc_ref": _PREDICT}

_ONE_LINE = "from numba import njit\n\n\n@njit(cache=True)\ndef more(x):\n    return x + 1\n"
WITH_NUMBA = {
    "Numba: a kernel of one line": "import os, sys\nsys.path.insert(0, os.path.dirname(sys.argv[1]))\n"
    "from one_line import more\nmore(1.0)",
    "Numba: a sequence": f"{_LOAD}'numba'\nmodel(numpy.ones((8, 17)))",
    "Numba: a step of a stream": f"{_LOAD}'numba'\nmodel.stepper()(numpy.ones(17))",
    "Numba: a batch forward and backward": f"{_LOAD}'numba'\n"
    "output, _, tape = model.forward(numpy.ones((2, 8, 17)))\n"
    "model.backward(tape, output)",
}
_TITLES = ("NumPy: numpy.load of a model", "NumPy: its first prediction")
_LIMIT = 1.3  # of the kernel of one line


def _run(code: str, path: Path) -> tuple[float, float]:
    """Return the seconds, and the megabytes, that a process with this code takes."""
    measured = f"{code}\nimport resource; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-c", measured, str(path)]
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    seconds = time.perf_counter() - start
    unit = 1e6 if sys.platform == "darwin" else 1e3
    return seconds, int(done.stdout) / unit


def _in_turns(processes: dict[str, str], repeats: int) -> dict[str, list[tuple[float, float]]]:
    """Return the seconds and megabytes of each run of each process; the first of each fills the caches."""
    runs: dict[str, list[tuple[float, float]]] = {name: [] for name in processes}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.npz"
        (path.parent / "one_line.py").write_text(_ONE_LINE, encoding="utf-8")
        _run(_SAVE, path)
        for k in range(repeats + 1):
            for name, code in processes.items():
                run = _run(code, path)
                if k:
                    runs[name].append(run)
    return runs


def measure(threads: int, plan: Plan) -> Result:
    """Measure all processes for ``cfc-ref bench``."""
    first, second = _TITLES
    processes = {first: _READ, second: _PREDICT, **(WITH_NUMBA if has_numba() else {})}
    runs = _in_turns(processes, max(3, plan.rounds // 3))
    rows = [
        Row(name, [seconds for seconds, _ in measured], {"megabytes": statistics.median(size for _, size in measured)})
        for name, measured in runs.items()
    ]
    findings = ratio(rows, second, first)
    least, *others = WITH_NUMBA
    for name in others:
        findings += ratio(rows, name, least, _LIMIT)
    skipped = {} if has_numba() else {"numba": "numba is not installed"}
    return Result("cold-start", "from nothing to a first result", "a process", rows, findings, skipped, [])


def main(repeats: int = 25) -> dict[str, tuple[float, float]]:
    """Measure both processes with NumPy in turns; print and return their median seconds and megabytes."""
    medians = {}
    for name, measured in _in_turns(WITH_NUMPY, repeats).items():
        seconds, megabytes = (statistics.median(column) for column in zip(*measured, strict=True))
        medians[name] = (seconds, megabytes)
        print(f"{name:8} {seconds * 1e3:6.0f} ms  {megabytes:5.1f} MB")
    ratios = [ours / theirs for ours, theirs in zip(medians["cfc_ref"], medians["numpy"], strict=True)]
    print(f"ratio    {ratios[0]:6.2f}     {ratios[1]:5.2f}")
    return medians


if __name__ == "__main__":
    main()
