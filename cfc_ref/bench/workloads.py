"""The workloads that are measured, and the ratios that they should reach.

Each target is a ratio to another program, or to a limit, measured in the same run; only the fixed cost of a call of a
layer is asked for as a time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from cfc_ref import checks
from cfc_ref.arrays import Array

__all__ = ["STUDIES", "WORKLOADS", "TrainingTask", "Workload", "choose", "limit_of", "make_task", "unit_of"]

INPUTS, UNITS = 17, 64


class Workload(NamedTuple):
    """A network and what it does, the same for all who are compared."""

    description: str  # one line
    kind: str  # a step called from Python; an unbatched sequence; a batch forward; forward and backward
    network: str  # CfC of 64 units with a backbone of 128 × 1; LTC of 64 units, all connected; LTC on AutoNCP(19, 1)
    steps: int  # steps, batch: length and number of the sequences
    batch: int
    targets: Mapping[str, float]  # who, or "limit" → the largest ratio of our time to theirs that was asked for
    irregular: bool = False  # whether each step has a timespan of its own; else all are 1
    most: float | None = None  # seconds of a call


_CFC = f"CfC, {INPUTS} inputs, {UNITS} units, backbone 128 × 1"
_NCP = f"LTC on AutoNCP(19, 1), {INPUTS} inputs, 6 unfoldings"
_LTC = f"LTC, {INPUTS} inputs, {UNITS} units all connected, 6 unfoldings"
_BATCH, _STEPS = 128, 64
_FORWARD, _BOTH = f"{_BATCH} sequences of {_STEPS} steps, forward", f"{_BATCH} × {_STEPS}, forward and backward"
_OWN = ", each step with a timespan of its own"
_TO_FORWARD = {"jax": 0.7, "ncps": 0.3, "limit": 1.6}
_TO_TRAIN = {"jax": 0.4, "ncps": 0.4, "limit": 1.6}
_TO_STEP = {"jax": 0.75, "c": 1.1}
_NETWORKS = {"CfC": _CFC, "NCP": _NCP, "LTC": _LTC}

WORKLOADS: dict[str, Workload] = {
    "step": Workload(
        f"{_CFC}: one step called from Python, input checks included",
        "step",
        "CfC",
        4,  # checked against the specification's
        1,
        {"c": 1.5, "onnxruntime": 0.2, "ncps": 0.025},
    ),
    "sequence": Workload(f"{_CFC}: a sequence of 2,000 steps", "sequence", "CfC", 2000, 1, _TO_STEP),
    "sequence-irregular": Workload(
        f"{_CFC}: a sequence of 2,000 steps{_OWN}", "sequence", "CfC", 2000, 1, _TO_STEP, True
    ),
    "batch": Workload(f"{_CFC}: {_FORWARD}", "batch", "CfC", _STEPS, _BATCH, _TO_FORWARD),
    "batch-irregular": Workload(f"{_CFC}: {_FORWARD}{_OWN}", "batch", "CfC", _STEPS, _BATCH, _TO_FORWARD, True),
    "train": Workload(f"{_CFC}: {_BOTH}", "train", "CfC", _STEPS, _BATCH, _TO_TRAIN),
    "train-irregular": Workload(f"{_CFC}: {_BOTH}{_OWN}", "train", "CfC", _STEPS, _BATCH, _TO_TRAIN, True),
    "ncp-sequence": Workload(f"{_NCP}: a sequence of 200 steps", "sequence", "NCP", 200, 1, {"ncps": 0.007}),
    "ncp-train": Workload(f"{_NCP}: {_BOTH}", "train", "NCP", _STEPS, _BATCH, {"ncps": 0.025}),
    "ltc-sequence": Workload(f"{_LTC}: a sequence of 60 steps", "sequence", "LTC", 60, 1, {"ncps": 0.05}),
    "ltc-train": Workload(f"{_LTC}: {_BOTH}", "train", "LTC", _STEPS, _BATCH, {"ncps": 0.1}),
} | {
    f"{name.lower()}-call{'-train' * (kind == 'train')}": Workload(
        f"{_NETWORKS[name]}: a call with a batch of 8 single steps{', forward and backward' * (kind == 'train')}",
        kind, name, 1, 8, {}, most=most,
    )
    for kind, name, most in (
        ("batch", "CfC", 60e-6), ("batch", "NCP", 60e-6), ("batch", "LTC", 120e-6),
        ("train", "CfC", 150e-6), ("train", "NCP", 150e-6), ("train", "LTC", 300e-6),
    )
}  # fmt: skip
STUDIES: dict[str, str] = {  # measured otherwise than by who takes how long for the same
    "solvers": "cfc_ref.bench.ode_solvers.measure",
    "solvers-stiff": "cfc_ref.bench.ode_solvers.measure_stiff",
    "solvers-slow": "cfc_ref.bench.ode_solvers.measure_slow",
    "scaling": "cfc_ref.bench.growth.measure",
    "cold-start": "cfc_ref.bench.cold_start.measure",
}


class TrainingTask(NamedTuple):
    """A workload with its numbers."""

    kind: str  # as in :class:`Workload`
    layer: Any  # CfC or LTC, float32; who measures makes a network of its weights
    x: Array  # (B, T, inputs), or (T, inputs) for a sequence and for steps
    timespans: Array | None  # (B, T)
    d_output: Array  # (B, T, outputs): the gradient of the loss by the output
    threads: int  # for everyone


def make_task(workload: Workload, threads: int = 1) -> TrainingTask:
    """Return the numbers of a workload, the same in every run."""
    layer, rng = _network(workload.network), np.random.default_rng(0)
    shape = (workload.batch, workload.steps) if workload.kind in ("batch", "train") else (workload.steps,)
    x = rng.normal(size=(*shape, INPUTS)).astype(np.float32)
    timespans = rng.uniform(0.5, 1.5, shape).astype(np.float32) if workload.irregular else None
    d_output = rng.normal(size=(*shape, layer.output_size)).astype(np.float32)
    return TrainingTask(workload.kind, layer, x, timespans, d_output, threads)


def _network(name: str) -> Any:
    from cfc_ref.layers.cfc import CfC
    from cfc_ref.layers.ltc import LTC
    from cfc_ref.wirings import AutoNCP

    if name == "CfC":
        return CfC(INPUTS, UNITS, seed=0)
    return LTC(INPUTS, UNITS if name == "LTC" else AutoNCP(19, 1), seed=0)


def unit_of(workload: Workload) -> tuple[str, int]:
    """Return what one unit of a workload is called, and how many of them a call does."""
    return {"step": ("a step", 1), "sequence": ("a step", workload.steps)}.get(workload.kind, ("a batch", 1))


def choose(names: list[str] | None) -> list[str]:
    """Return the names of the workloads to run, in the order of the tables."""
    known = [*WORKLOADS, *STUDIES]
    wanted = known if names is None else [checks.choice("--only", name, known) for name in names]
    return [name for name in known if name in wanted]


def limit_of(workload: Workload) -> str | None:
    """Return what the limit of a workload is called, or None for an LTC, whose time its synapses' sigmoids take."""
    if workload.network != "CfC":
        return None
    return "limit: products" if workload.kind in ("batch", "train") else "limit: reading weights"
