"""Time and memory from nothing to a network's first prediction: ``python -m cfc_ref.bench.cold_start``.

Two processes are started in turns: one imports NumPy and reads a model's file with ``numpy.load``, the other imports
cfc_ref, loads the model and predicts with NumPy. Medians, and the ratio, are printed.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

__all__ = ["main"]

# In processes of their own, all of it: a child's peak memory begins at its parent's.
_SAVE = "import sys, cfc_ref\ncfc_ref.save(sys.argv[1], cfc_ref.CfC(17, 64, proj_size=17, seed=0))"
_READ = "import sys, numpy\nwith numpy.load(sys.argv[1]) as file: arrays = {key: file[key] for key in file.files}"
_PREDICT = """import sys, numpy, cfc_ref
model = cfc_ref.load(sys.argv[1])
model.backend = "numpy"
model(numpy.ones((1, 17)))"""


def _run(code: str, path: Path) -> tuple[float, float]:
    """Return the seconds, and the megabytes, that a process with this code takes."""
    measured = f"{code}\nimport resource; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", measured, path], capture_output=True, text=True, check=True)
    seconds = time.perf_counter() - start
    unit = 1e6 if sys.platform == "darwin" else 1e3
    return seconds, int(done.stdout) / unit


def main(repeats: int = 25) -> dict[str, tuple[float, float]]:
    """Measure both processes in turns; print and return their median seconds and megabytes.

    Parameters
    ----------
    repeats : int
        Runs of each.

    Returns
    -------
    dict
        "numpy" and "cfc_ref": (seconds, megabytes).
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.npz"
        _run(_SAVE, path)
        runs: dict[str, list[tuple[float, float]]] = {"numpy": [], "cfc_ref": []}
        for k in range(repeats + 1):
            for name, code in (("numpy", _READ), ("cfc_ref", _PREDICT)):
                run = _run(code, path)
                if k:  # the first of each fills the caches
                    runs[name].append(run)
    medians = {}
    for name, measured in runs.items():
        seconds, megabytes = (statistics.median(column) for column in zip(*measured, strict=True))
        medians[name] = (seconds, megabytes)
        print(f"{name:8} {seconds * 1e3:6.0f} ms  {megabytes:5.1f} MB")
    ratios = [ours / theirs for ours, theirs in zip(medians["cfc_ref"], medians["numpy"], strict=True)]
    print(f"ratio    {ratios[0]:6.2f}     {ratios[1]:5.2f}")
    return medians


if __name__ == "__main__":
    main()
