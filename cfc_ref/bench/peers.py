"""Who is compared: this project's two backends, and what people would use instead, with the same weights.

A peer whose package is not installed is skipped, and the reason is said. One that computes something else than the
specification is an error: times of different results are not compared.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, NamedTuple

import numpy as np

from cfc_ref.arrays import Array
from cfc_ref.bench.processes import Apart, UnavailableError
from cfc_ref.bench.results import Finding, Result, Row, ratio
from cfc_ref.bench.timing import Plan, take_turns
from cfc_ref.bench.workloads import TrainingTask, Workload, limit_of, unit_of

__all__ = ["PEERS", "SPECIFICATION", "Peer", "Runner", "compare", "package"]

TOLERANCE = 1e-3  # of float32 against float32 after sums of thousands, relative to the array's largest value
SPECIFICATION = "numpy"


class Runner(NamedTuple):
    """A peer made ready."""

    call: Callable[[], Any]  # does the work once; a step goes on from the state that the one before left
    # from what a call returned to NumPy arrays by name: "output", and gradients by ncps's names of the parameters
    arrays: Callable[[Any], dict[str, Array]]
    units: int = 1  # steps that a call takes, where it takes more than the one that is asked for


class Peer(NamedTuple):
    """Who is compared."""

    title: str  # as tables show it
    make: str  # the dotted name of the function that makes it ready for a task
    kinds: frozenset[str] = frozenset({"step", "sequence", "batch", "train"})  # kinds, networks: what it can do
    networks: frozenset[str] = frozenset({"CfC", "LTC", "NCP"})

    def can(self, workload: Workload) -> bool:
        """Return whether it can do a workload."""
        return workload.kind in self.kinds and workload.network in self.networks


_STEP, _ONE, _CFC = frozenset({"step"}), frozenset({"step", "sequence"}), frozenset({"CfC"})
PEERS: dict[str, Peer] = {
    "numpy": Peer("cfc_ref (NumPy)", "cfc_ref.bench.peers.with_numpy"),
    "numba": Peer("cfc_ref (Numba)", "cfc_ref.bench.peers.with_numba"),
    "ncps": Peer("ncps (PyTorch)", "cfc_ref.bench.peers_torch.eager"),
    "ncps-traced": Peer("ncps (PyTorch, traced)", "cfc_ref.bench.peers_torch.traced", _STEP, _CFC),
    "onnxruntime": Peer("ONNX Runtime", "cfc_ref.bench.peers_exported.with_onnxruntime", _ONE),
    "openvino": Peer("OpenVINO", "cfc_ref.bench.peers_exported.with_openvino", _ONE),
    "c": Peer("C, exported and compiled", "cfc_ref.bench.peers_exported.in_c", _ONE),
    "jax": Peer("JAX (jit)", "cfc_ref.bench.peers_jax.compiled", networks=_CFC),
}


def package(name: str) -> Any:
    """Return an installed package."""
    try:
        return importlib.import_module(name)
    except ImportError:
        raise UnavailableError(f"{name.partition('.')[0]} is not installed") from None


# --- this project's own


def with_numpy(task: TrainingTask) -> Runner:
    """Make the specification ready."""
    return _own(task, "numpy")


def with_numba(task: TrainingTask) -> Runner:
    """Make the kernels ready."""
    from cfc_ref.backend import has_numba, set_num_threads

    if not has_numba():
        raise UnavailableError("numba is not installed")
    set_num_threads(task.threads)
    try:
        return _own(task, "numba")
    except ValueError as error:  # a layer without kernels
        raise UnavailableError(str(error)) from None


def _own(task: TrainingTask, backend: str) -> Runner:
    layer = type(task.layer)(units=task.layer.wiring or task.layer.state_size, **task.layer.config, backend=backend)
    layer.load_state_dict(task.layer.state_dict())
    x, timespans, d_output = task.x, task.timespans, task.d_output

    def both() -> tuple[Array, dict[str, Array]]:
        output, _, tape = layer.forward(x, timespans=timespans)
        return output, layer.backward(tape, d_output).parameters

    if task.kind == "train":
        return Runner(both, lambda result: {"output": result[0], **result[1]})
    if task.kind == "step":
        step, samples = layer.stepper(), Samples(list(x))
        return Runner(lambda: step(samples.next()), lambda output: {"output": output})
    return Runner(lambda: layer(x, timespans=timespans)[0], lambda output: {"output": output})


class Samples:
    """The samples of a stream, one after the other and again from the first; `next` costs next to nothing."""

    def __init__(self, samples: list[Any]) -> None:
        from itertools import cycle

        self.next: Callable[[], Any] = cycle(samples).__next__


# --- the comparison


def compare(name: str, workload: Workload, threads: int, plan: Plan, peers: dict[str, Peer] | None = None) -> Result:
    """Measure a workload with everyone who is installed."""
    with ExitStack() as processes:
        clocks, differences, skipped = _ready(workload, threads, PEERS if peers is None else peers, processes)
        seconds = take_turns(clocks, plan)
    unit, many = unit_of(workload)
    rows = []
    for who, samples in seconds.items():
        details = {"difference": differences[who]} if who in differences else {}
        rows.append(Row(who, [one / many for one in samples], details))
    findings: list[Finding] = []
    ours = "numba" if "numba" in clocks else SPECIFICATION
    for who in [who for who in clocks if who != ours]:
        findings += ratio(rows, ours, who, workload.targets.get("limit" if who.startswith("limit") else who))
    if workload.most is not None:
        time = next(row.median for row in rows if row.name == ours)
        findings.append(Finding(f"{ours}, microseconds", time * 1e6, (0.0, workload.most * 1e6)))
    return Result(name, workload.description, unit, rows, findings, skipped, [])


def _ready(
    workload: Workload, threads: int, peers: dict[str, Peer], processes: ExitStack
) -> tuple[dict[str, Apart], dict[str, float], dict[str, str]]:
    """Make everyone ready, check what they compute, and return them, the differences, and who was skipped and why."""
    clocks, differences, skipped = {}, {}, {}
    reference: list[dict[str, Array]] = []
    able = {who: peer.make for who, peer in peers.items() if peer.can(workload)}
    if limit := limit_of(workload):
        able[limit] = "cfc_ref.bench.limits.limit"
    for who, make in able.items():
        try:
            clocks[who] = processes.enter_context(Apart(make, workload, threads))
        except UnavailableError as error:
            skipped[who] = str(error)
            continue
        if who == limit:
            continue
        results = clocks[who].results
        if who == SPECIFICATION:
            reference = results
        differences[who] = max(difference(who, *pair) for pair in zip(results, reference, strict=True))
    return clocks, differences, skipped


def difference(who: str, got: dict[str, Array], reference: dict[str, Array]) -> float:
    """Return the largest difference of any array from the specification's, relative to that array's largest value."""
    worst = 0.0
    for key, ref in reference.items():
        if key not in got or got[key].shape != ref.shape:
            shape = got[key].shape if key in got else "nothing"
            raise ValueError(f"{who}: got {shape} for {key}; expected {ref.shape}; it does not compute the same.")
        relative = float(np.abs(got[key] - ref).max() / max(float(np.abs(ref).max()), np.finfo(np.float32).tiny))
        if not relative <= TOLERANCE:  # NaN compares false
            expected = f"at most {TOLERANCE:g} of the largest value"
            raise ValueError(f"{who}: got {key} off by {relative:.2g}; expected {expected}; correct the peer.")
        worst = max(worst, relative)
    return worst
