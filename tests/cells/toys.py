"""A toy's kernel against its specification, in a process of its own: before the package's first network runs."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

# all of it as Python code, and the stream compiled
in_a_process = pytest.mark.parametrize(
    ("unjitted", "arguments"), [("1", ("float64", "1e-12", "backward")), ("0", ("float32", "5e-6", "forward"))]
)


def run_alone(module, unjitted, arguments):
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        env={**os.environ, "NUMBA_DISABLE_JIT": unjitted},
        cwd=Path(__file__).parent.parent.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def compare_backends(make, longest):
    """Compare the layers that ``make(dtype=…, backend=…)`` returns, for timespans up to `longest`."""
    dtype, tolerance, backward = sys.argv[1], float(sys.argv[2]), sys.argv[3] == "backward"
    numba, numpy = (_results(make(dtype=dtype, backend=backend), longest, backward) for backend in ("numba", "numpy"))
    for got, ref in zip(numba, numpy, strict=True):
        np.testing.assert_allclose(got, ref, rtol=tolerance, atol=tolerance)


def _results(layer, longest, backward):
    """Return outputs, of a batch and of one sequence, and gradients."""
    rng = np.random.default_rng(0)
    x, hx, timespans = rng.normal(size=(3, 4, 2)), rng.normal(size=(3, 3)), rng.uniform(0.1, longest, (3, 4))
    x, hx, timespans = (array.astype(layer.dtype) for array in (x, hx, timespans))
    arrays = [layer(x[0], hx[0], timespans[0])[0]]
    if backward:
        output, _, tape = layer.forward(x, hx, timespans)
        g = layer.backward(tape, np.ones_like(output))
        arrays += [output, g.x, g.hx, g.timespans, *g.parameters.values()]
    return arrays
