"""Every tutorial runs with NumPy, SciPy and Matplotlib alone, as in a browser: without Numba, in twice the time."""

import subprocess
import sys

import pytest
from build import COMPILED, TIMEOUT, environment, notebooks

RUN = """
import json, sys, time
sys.modules.update(dict.fromkeys(("numba", "IPython", "ipywidgets"), None))
from pathlib import Path
from cfc_ref.plots.lectures import notebook_figures
path = Path(sys.argv[1])
print(len(list(notebook_figures(json.loads(path.read_text(encoding="utf-8")), path.parent / "results"))))
print(time.process_time())
"""


@pytest.mark.parametrize("path", notebooks(), ids=lambda path: path.stem)
def test_it_runs_without_numba(path, tmp_path):
    """Its check, too; a notebook's last code cell asserts what it found. One about compiled kernels asks for Numba."""
    command = [sys.executable, "-c", RUN, str(path)]
    settings = {**environment(), "MPLBACKEND": "agg"}
    done = subprocess.run(command, cwd=tmp_path, env=settings, capture_output=True, text=True, check=False)
    if path.stem in COMPILED:
        assert "expected numba installed" in done.stderr
        return
    assert done.returncode == 0, done.stderr
    figures, seconds = done.stdout.split()
    assert int(figures) == path.read_text(encoding="utf-8").count("*Figure ")
    assert float(seconds) < 2 * TIMEOUT
