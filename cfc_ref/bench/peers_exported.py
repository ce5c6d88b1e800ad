"""Exports of this project, run by others: ONNX Runtime, OpenVINO, and a C compiler."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from cfc_ref.bench.peers import Runner, Samples, package
from cfc_ref.bench.processes import UnavailableError
from cfc_ref.bench.workloads import TrainingTask
from cfc_ref.export.c_files import export_c
from cfc_ref.export.onnx_files import export_onnx
from cfc_ref.layers.cfc import CfC

__all__ = ["in_c", "with_onnxruntime", "with_openvino"]

_FAST = ("-O3", "-march=native", "-ffast-math", "-fPIC", "-c")
_TIMES = 250  # that C goes through the samples of a step in one call from Python, which takes as long as a step
_LOOP = """
#include "network.h"
void run(long steps, long samples, const float *x, const float *dt, float *y) {
    network_state state;
    network_reset(&state);
    for (long t = 0; t < steps; t++) {
        long k = t % samples, row = t < samples ? t : samples;
        network_step(&state, x + k * network_INPUTS, dt[k], y + row * network_OUTPUTS);
    }
}
"""


def with_onnxruntime(task: TrainingTask) -> Runner:
    """Make ONNX Runtime ready."""
    runtime = package("onnxruntime")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = task.threads
    model = _onnx(task)
    session = runtime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return _fed(task, lambda feed: session.run(None, feed))


def with_openvino(task: TrainingTask) -> Runner:
    """Make OpenVINO ready, in float32."""
    core = package("openvino").Core()
    settings = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": task.threads, "PERFORMANCE_HINT": "LATENCY"}
    request = core.compile_model(core.read_model(_onnx(task)), "CPU", settings).create_infer_request()
    return _fed(task, lambda feed: list(request.infer(feed, share_inputs=True).to_tuple()))


def _onnx(task: TrainingTask) -> bytes:
    """Return the ONNX model of a step or of a sequence."""
    package("onnx")
    with tempfile.TemporaryDirectory() as folder:
        step, sequence = export_onnx(task.layer, Path(folder) / "network.onnx")
        return (step if task.kind == "step" else sequence).read_bytes()


def _fed(task: TrainingTask, run: Callable[[dict[str, Any]], list[Any]]) -> Runner:
    """Return steps, or a sequence, of what gives outputs and the last state."""
    state = np.zeros((1, task.layer.state_size), np.float32)
    if task.kind == "sequence":
        feed = {"x": task.x[:, None], "dt": _times(task).reshape(-1, 1, 1), "state": state}
        return Runner(lambda: run(feed)[0], lambda y: {"output": y[:, 0]})
    samples, feed = Samples([sample[None] for sample in task.x]), {"dt": np.ones((1, 1), np.float32), "state": state}

    def step() -> Any:
        feed["x"] = samples.next()
        y, feed["state"] = run(feed)
        return y

    return Runner(step, lambda y: {"output": y[0]})


def _times(task: TrainingTask) -> Any:
    return np.ones(len(task.x), np.float32) if task.timespans is None else task.timespans


def in_c(task: TrainingTask) -> Runner:
    """Make the C of :func:`cfc_ref.export_c` ready, compiled for this machine with sizes and weights known."""
    compiler = next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))), None)
    if compiler is None:
        raise UnavailableError("no C compiler is installed")
    with tempfile.TemporaryDirectory() as folder:
        math = "libm" if isinstance(task.layer, CfC) else "own"  # the faster one: tanh of libm is in vectors
        export_c(task.layer, folder, "network", math=math)
        source, library = Path(folder) / "run.c", Path(folder) / "run.so"
        source.write_text(_LOOP, encoding="utf-8")
        # linked without -ffast-math: gcc would add code that turns off denormal numbers in the process that loads it
        for command in ([*_FAST, "run.c"], ["-shared", "run.o", "-o", "run.so", "-lm"]):
            subprocess.run([compiler, *command], cwd=folder, check=True, capture_output=True)
        run = ctypes.CDLL(str(library)).run
    samples, many = len(task.x), _TIMES if task.kind == "step" else 1
    y = np.empty((samples + 1, task.layer.output_size), np.float32)  # a row more, for steps beyond the samples
    arrays = [task.x, _times(task), y]
    sizes = ctypes.c_long(samples * many), ctypes.c_long(samples)
    pointers = [ctypes.c_void_p(array.ctypes.data) for array in arrays]

    def call() -> Any:
        run(*sizes, *pointers)
        return arrays[-1][:-1]

    if task.kind == "sequence":
        return Runner(call, lambda y: {"output": y})
    step = count()
    return Runner(call, lambda y: {"output": y[next(step)]}, samples * many)
