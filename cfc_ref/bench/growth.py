"""Measure how time grows with the length and number of sequences, and a stream's memory with its steps.

Every call has a fixed cost: weights are checked and packed. Exponents are given with it, and without it, which means
less the time of a call of one step (in a batch, of two sequences of one step). One thread does all the work: a second
one joins only where there is enough work for it, so that time would seem to grow more slowly than the work.
"""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from cfc_ref.backend import has_numba, set_num_threads
from cfc_ref.bench.peers import package
from cfc_ref.bench.processes import UnavailableError
from cfc_ref.bench.results import Finding, Result, Row
from cfc_ref.bench.timing import Plan, clock, duration, exponent, take_turns
from cfc_ref.bench.workloads import INPUTS, UNITS
from cfc_ref.layers.cfc import CfC
from cfc_ref.layers.ltc import LTC
from cfc_ref.wirings import AutoNCP

__all__ = ["measure", "stream_memory"]

STEPS = (1_000, 3_000, 10_000, 30_000, 100_000)
_A_BATCH = 8  # steps of each sequence of a batch; its size makes up the rest
_LINEAR = (0.95, 1.05)
_LONGEST = 6.0  # seconds of one run, above which a size is left out


def measure(threads: int, plan: Plan, steps: tuple[int, ...] = STEPS) -> Result:
    """Measure sequences of 10³ to 10⁵ steps, batches of as many steps, and a stream's memory."""
    rows, findings, notes = [], [], []
    if has_numba():
        set_num_threads(1)
    for series, calls in _series(steps):
        kept = _affordable(calls)
        if len(kept) < len(calls):
            left = ", ".join(f"{n:,}" for n in calls if n not in kept)
            notes.append(f"{series}: {left} steps are left out, as a run would take over {_LONGEST:g} s.")
        timed = take_turns({str(n): clock(calls[n]) for n in kept}, plan)
        measured = [
            Row(f"{series}, {n:,} step{'s' * (n > 1)}", timed[str(n)], {"series": series, "steps": n}) for n in kept
        ]
        rows += measured
        findings += _exponents(series, kept, [row.median for row in measured])
    findings += _memory(steps[0], steps[-1])
    return Result(
        "scaling", "CfC and LTC, one thread: time over steps, memory of a stream", "a run", rows, findings, {}, notes
    )


def _series(steps: tuple[int, ...]) -> Iterator[tuple[str, dict[int, Callable[[], Any]]]]:
    """Yield the name of a series, and by the number of steps what runs so many."""
    x = np.random.default_rng(0).normal(size=(steps[-1], INPUTS)).astype(np.float32)
    batches = x[: steps[-1] // _A_BATCH * _A_BATCH].reshape(-1, _A_BATCH, INPUTS)
    for name, layer in (
        ("CfC", CfC(INPUTS, UNITS, seed=0)),
        ("LTC on AutoNCP(19, 1)", LTC(INPUTS, AutoNCP(19, 1), seed=0)),
    ):
        one: dict[int, Callable[[], Any]] = {n: partial(layer, x[:n]) for n in (1, *steps)}
        in_batch: dict[int, Callable[[], Any]] = {n: partial(layer, batches[: n // _A_BATCH]) for n in steps}
        in_batch = {2: partial(layer, batches[:2, :1]), **in_batch}  # a batch of one would be a sequence
        yield f"{name}, one sequence", one
        yield f"{name}, a batch of sequences of {_A_BATCH} steps", in_batch


def _exponents(series: str, steps: list[int], seconds: list[float]) -> list[Finding]:
    """Return the exponents of the time over steps, and of what is beyond that of the first size, a single step."""
    many, beyond = steps[1:], [one - seconds[0] for one in seconds[1:]]
    if len(many) < 2 or min(beyond) <= 0:
        return []
    what = f"{series}: exponent of time over steps, {many[0]:,} to {many[-1]:,}"
    return [
        Finding(what, exponent(many, seconds[1:])),
        Finding(f"{what}, beyond a call of a single step", exponent(many, beyond), _LINEAR),
    ]


def _affordable(calls: dict[int, Callable[[], Any]]) -> list[int]:
    """Return the sizes whose runs, to judge by the size before, are short enough; each of them has then run once."""
    kept: list[int] = []
    expected = 0.0
    for n, call in calls.items():
        if kept:
            expected = duration(calls[kept[-1]]) * n / kept[-1]
        if expected > _LONGEST:
            break
        call()
        kept.append(n)
    return kept


def _memory(few: int, many: int) -> list[Finding]:
    """Compare what Python allocates, and with psutil what the process holds, compiled code included."""
    stream_memory(few)  # what is loaded once is loaded
    short = stream_memory(few)
    before = _resident()
    long = stream_memory(many)
    what = f"memory of a stream after {many:,} steps / after {few:,} steps"
    found = [Finding(what, long / short, (0.0, 1.05))]
    if before is not None:
        found.append(
            Finding(f"MB that the process holds more after {many:,} steps", ((_resident() or 0) - before) / 1e6)
        )
    return found


def _resident() -> float | None:
    """Return the bytes of memory that this process holds, where psutil is installed."""
    try:
        psutil = package("psutil")
    except UnavailableError:
        return None
    return float(psutil.Process().memory_info().rss)


def stream_memory(steps: int) -> float:
    """Return the most memory, in bytes, that a stream holds at a time."""
    rng = np.random.default_rng(0)
    samples = list(rng.normal(size=(16, INPUTS)).astype(np.float32))
    tracemalloc.start()
    step = CfC(INPUTS, UNITS, seed=0).stepper()
    for k in range(steps):
        step(samples[k % len(samples)])
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return float(most)
