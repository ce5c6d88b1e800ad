"""``python -m tests.export.speed``: a step of generated C next to reading its weights and to the Numba stepper.

``--ctypes`` calls the same C from Python with the stepper's checks, as a backend of layers would. ``--first`` says how
long a network's first step takes in a new process: with C a compile, with Numba one without its cache and one with it.
"""

import ctypes
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from cfc_ref import LTC, CfC, export_c, wirings
from tests.export.networks import COMPILER, shared

FAST = ("-std=c99", "-O3", "-march=native", "-ffast-math")
MODELS = {
    "CfC 17 to 64, backbone 128": lambda: CfC(17, 64, proj_size=17, seed=0),
    "CfC AutoNCP(19, 1)": lambda: CfC(17, wirings.AutoNCP(19, 1), seed=0),
    "LTC AutoNCP(19, 1)": lambda: LTC(17, wirings.AutoNCP(19, 1), seed=0),
    "LTC AutoNCP(64, 8)": lambda: LTC(17, wirings.AutoNCP(64, 8), seed=0),
}
_MAIN = """
#include <stdio.h>
#include <time.h>
#include "n.h"
static float x[1024][n_INPUTS], weights[%(weights)d], y[n_OUTPUTS];
int main(void)
{
    volatile float sink;
    n_state state;
    double best[2] = {1e9, 1e9};
    for (int k = 0; k < 1024; k++)
        for (int j = 0; j < n_INPUTS; j++)
            x[k][j] = (float)((k * 37 + j * 11) %% 100) / 50.0f - 1.0f;
    n_reset(&state);
    for (int round = 0; round < 40; round++) {
        clock_t start = clock();
        for (int k = 0; k < 10240; k++)
            n_step(&state, x[k & 1023], 0.7f, y);
        double took = (double)(clock() - start) / CLOCKS_PER_SEC / 10240;
        best[0] = took < best[0] ? took : best[0];
        start = clock();
        for (int k = 0; k < 10240; k++) {
            float sum[64] = {0.0f};
            weights[k %% %(weights)d] = (float)k;
            for (int j = 0; j + 64 <= %(weights)d; j += 64)
                for (int l = 0; l < 64; l++)
                    sum[l] += weights[j + l];
            for (int l = 0; l < 64; l++)
                sink = sum[l];
        }
        took = (double)(clock() - start) / CLOCKS_PER_SEC / 10240;
        best[1] = took < best[1] ? took : best[1];
    }
    (void)sink;
    printf("%%.4f %%.4f %%g\\n", 1e6 * best[0], 1e6 * best[1], (double)y[0]);
    return 0;
}
"""


def of_c(model, folder, math, **more):
    """Return microseconds of a step, and of reading as many numbers as it has weights."""
    text = export_c(model, folder, "n", math=math, **more).read_text(encoding="utf-8")
    size = int(text.partition(" bytes of weights")[0].rpartition("* ")[2].replace(",", ""))
    (folder / "main.c").write_text(_MAIN % {"weights": size // 4}, encoding="utf-8")
    subprocess.run([COMPILER, *FAST, "main.c", "-o", "main", "-lm"], cwd=folder, check=True)
    step, read, _ = subprocess.run([folder / "main"], check=True, capture_output=True, text=True).stdout.split()
    return float(step), float(read)


def of_numba(model):
    """Return microseconds of a step of the stepper, called from Python as a user does."""
    return of_stepper(model.stepper())


def of_stepper(step):
    """Return microseconds of a step, called from Python."""
    x = np.ones(17, np.float32)
    y, best = step(x, 0.7), np.inf
    for _ in range(40):
        start = time.perf_counter()
        for _ in range(2000):
            step(x, 0.7, y)
        best = min(best, (time.perf_counter() - start) / 2000)
    return 1e6 * best


_SHARED = """
#include "n.h"
n_state state;
int step(const float *x, float dt, float *y);
int step(const float *x, float dt, float *y)
{
    for (int j = 0; j < n_INPUTS; j++) {
        union { float value; unsigned int bits; } number;
        number.value = x[j];
        if ((number.bits & 0x7f800000u) == 0x7f800000u) return 0;
    }
    n_step(&state, x, dt, y);
    return 1;
}
"""


class CtypesStepper:
    """Generated C in a shared library, with the checks of the Numba stepper."""

    def __init__(self, model, folder):
        export_c(model, folder, "n", math="own")
        self._step = shared(_SHARED, folder, FAST).step
        self._step.argtypes = [ctypes.c_void_p, ctypes.c_float, ctypes.c_void_p]
        self._given, self._taken, self._dtype = (model.input_size,), (model.output_size,), np.dtype("float32")

    def __call__(self, x, dt, out=None):
        fits = type(x) is np.ndarray and x.dtype is self._dtype and x.shape == self._given and x.flags.carray
        y = np.empty(self._taken, self._dtype) if out is None else out
        fits = fits and type(dt) is float and 0 <= dt < np.inf
        fits = fits and type(y) is np.ndarray and y.dtype is self._dtype and y.shape == self._taken and y.flags.carray
        if fits and self._step(x.ctypes.data, dt, y.ctypes.data):
            return y
        raise ValueError("x, dt or out")


_FIRST = """
import sys, tempfile, time
from pathlib import Path
import numpy as np
from tests.export.speed import MODELS, CtypesStepper
start, model = time.perf_counter(), MODELS[sys.argv[1]]()
step = CtypesStepper(model, Path(tempfile.mkdtemp(dir=sys.argv[3]))) if sys.argv[2] == "c" else model.stepper()
step(np.ones(17, np.float32), 0.7)
print(time.perf_counter() - start)
"""


def first_steps(name, folder):
    """Return seconds to a network's first step in a new process: C, Numba without a cache, Numba with it."""
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(folder)}
    return [
        float(
            subprocess.run(
                [sys.executable, "-c", _FIRST, name, how, str(folder)],
                env=environment, check=True, capture_output=True, text=True,
            ).stdout
        )
        for how in ("c", "numba", "numba")
    ]  # fmt: skip


def main():
    for name, make in MODELS.items():
        for math in ("libm", "own"):
            with tempfile.TemporaryDirectory() as folder:
                step, read = of_c(make(), Path(folder), math)
            print(f"{name}, math {math}: step {step:.2f} us, weights {read:.2f} us, ratio {step / read:.2f}")  # noqa: T201
        with tempfile.TemporaryDirectory() as folder:
            step, _ = of_c(make(), Path(folder), "own", int8=True, tolerance=10)
        print(f"{name}, int8: step {step:.2f} us")  # noqa: T201
        if "--numba" in sys.argv:
            print(f"    Numba stepper {of_numba(make()):.2f} us")  # noqa: T201
        with tempfile.TemporaryDirectory() as folder:
            if "--ctypes" in sys.argv:
                print(f"    ctypes {of_stepper(CtypesStepper(make(), Path(folder))):.2f} us")  # noqa: T201
            if "--first" in sys.argv:
                first = ", ".join(f"{seconds:.1f}" for seconds in first_steps(name, folder))
                print(f"    first step after (C, Numba, Numba with its cache) {first} s")  # noqa: T201


if __name__ == "__main__":
    main()
