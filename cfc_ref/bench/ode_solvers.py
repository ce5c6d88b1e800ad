r"""Closed forms against solvers, for an LTC of 64 neurons over irregular steps: what accuracy costs.

The input jumps at each sample, so that every solver starts anew there. Tolerances are relative and absolute, of every
neuron. scipy calls the NumPy function of the right-hand side, diffrax and numbalsoda a compiled one. All is float64: a
tolerance of 1e-10 means nothing in float32. The CfC of the same size is another network, and has no error here: how
well it does a task is what training gives.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cfc_ref.arrays import Array
from cfc_ref.bench.compiled_solvers import with_diffrax, with_numbalsoda
from cfc_ref.bench.processes import UnavailableError
from cfc_ref.bench.results import Finding, Result, Row
from cfc_ref.bench.timing import Plan, duration
from cfc_ref.bench.workloads import INPUTS, UNITS
from cfc_ref.layers.cfc import CfC
from cfc_ref.layers.ltc import LTC

if TYPE_CHECKING:
    Advance = Callable[[Array, Array, Array], Array]

__all__ = ["SolverProblem", "measure", "pose"]

SCIPY = ("RK45", "DOP853", "LSODA", "Radau")
DIFFRAX = ("Tsit5", "Dopri8", "Kvaerno5")
RTOLS = tuple(10.0**-k for k in range(3, 11))
FORMS = ("fused", "frozen", "frozen_midpoint")
PARTS = (1, 2, 6, 20, 60, 200)
STEPS = 1000
_BLOCK = 5  # steps between two looks at the clock
_TRUTH = 1e-12
_ASTRAY, _NO_BETTER = 100, 1e-9  # more than so many times its tolerance is no solution
_SPAN = 0.1  # mean timespan; the time constants of this network are 0.03 to 0.07: tutorial 11


class SolverProblem(NamedTuple):
    """The problem."""

    layer: LTC  # the network, float64; its output is its state
    x: Array  # (T, inputs)
    timespans: Array  # (T,)
    truth: Array  # (T, units): the states, from scipy's DOP853 at 1e-12


def pose(steps: int = STEPS, units: int = UNITS) -> SolverProblem:
    """Return the problem, the same in every run."""
    rng = np.random.default_rng(0)
    layer = _ltc(units, "fused", 6)
    x, timespans = rng.normal(size=(steps, INPUTS)), _SPAN * rng.uniform(0.1, 1.9, steps)
    truth = layer.solve(x, timespans=timespans, method="DOP853", rtol=_TRUTH, atol=_TRUTH)
    return SolverProblem(layer, x, timespans, truth)


def _ltc(units: int, solver: str, parts: int) -> LTC:
    return LTC(INPUTS, units, output_mapping=None, solver=solver, ode_unfolds=parts, seed=0, dtype="float64")


def measure(threads: int, plan: Plan) -> Result:
    """Measure all solvers and forms."""
    posed = pose(STEPS if plan.rounds > 10 else STEPS // 5)
    rows, skipped, cut = [], {}, 0
    for name, details, make in _ways(posed):
        try:
            row = _timed(name, details, make(), posed, plan.seconds / 3)
        except UnavailableError as error:
            skipped[details["way"]] = str(error)
            continue
        except RuntimeError as error:  # a solver that gives up
            skipped[name] = str(error)
            continue
        if row.details.get("error", 0) > _ASTRAY * details.get("rtol", np.inf) + _NO_BETTER:
            skipped[name] = f"it is off by {row.details['error']:.0e}"
            continue
        cut += row.details["steps"] < len(posed.x)
        rows.append(row)
    notes = [f"Each way has {plan.seconds / 3:.1f} s; {cut} of {len(rows)} were cut off before step {len(posed.x):,}."]
    description = f"LTC, {INPUTS} inputs, {UNITS} units all connected, float64: {len(posed.x):,} irregular steps"
    return Result("solvers", description, "a step", rows, _findings(posed, rows), skipped, notes)


def _ways(posed: SolverProblem) -> Iterator[tuple[str, dict[str, Any], Callable[[], Advance]]]:
    """Yield a name, what is known of it, and what makes it ready."""
    layer = posed.layer
    cfc = CfC(INPUTS, layer.state_size, seed=0, dtype="float64")
    yield "CfC", {"way": "CfC"}, partial(_called, cfc)
    for form in FORMS:
        for parts in PARTS:
            made = _ltc(layer.state_size, form, parts)
            yield f"{form} × {parts}", {"way": form, "parts": parts}, partial(_called, made)
    solvers: dict[str, Callable[[float], Advance]] = {
        **{f"scipy {method}": partial(_solved, layer, method) for method in SCIPY},
        **{f"diffrax {method}": _once(partial(with_diffrax, layer, method)) for method in DIFFRAX},
        "numbalsoda LSODA": _once(partial(with_numbalsoda, layer)),
    }
    for way, at in solvers.items():
        for rtol in RTOLS:
            yield f"{way}, rtol {rtol:.0e}", {"way": way, "rtol": rtol}, partial(at, rtol)


def _once(prepare: Callable[[], Callable[[float], Advance]]) -> Callable[[float], Advance]:
    """Compile when it is first asked for, for all tolerances."""
    prepared = cache(prepare)
    return lambda rtol: prepared()(rtol)


def _called(layer: Any) -> Advance:
    return lambda x, timespans, start: layer(x, start, timespans)[0]


def _solved(layer: LTC, method: str, rtol: float) -> Advance:
    return lambda x, timespans, start: layer.solve(x, start, timespans, method=method, rtol=rtol, atol=rtol)


def _timed(name: str, details: dict[str, Any], advance: Advance, posed: SolverProblem, seconds: float) -> Row:
    """Time all steps at once where they fit into so many seconds, else as many as do, in blocks."""
    x, timespans, truth = posed.x, posed.timespans, posed.truth
    zero, block, steps = np.zeros(posed.layer.state_size), slice(0, _BLOCK), len(x)
    advance(x[block], timespans[block], zero)  # compiles
    one = duration(lambda: advance(x[block], timespans[block], zero))
    if one * steps / _BLOCK <= seconds:
        states = advance(x, timespans, zero)
        times = [duration(lambda: advance(x, timespans, zero))]
        while sum(times) < seconds and len(times) < 5:
            times.append(duration(lambda: advance(x, timespans, zero)))
        samples = [one / steps for one in times]
    else:
        states, samples = _in_blocks(advance, posed, seconds)
    if details["way"] != "CfC":
        details = {**details, "error": float(np.abs(states - truth[: len(states)]).max())}
    return Row(name, samples, {**details, "steps": len(states)})


def _in_blocks(advance: Advance, posed: SolverProblem, seconds: float) -> tuple[Array, list[float]]:
    """Advance until the time is used up, and return the states so far and each block's seconds a step."""
    states, samples, used = [np.zeros((1, posed.layer.state_size))], [], 0.0
    for first in range(0, len(posed.x), _BLOCK):
        block = slice(first, first + _BLOCK)
        start = time.perf_counter()
        states.append(advance(posed.x[block], posed.timespans[block], states[-1][-1]))
        taken = time.perf_counter() - start
        samples.append(taken / len(states[-1]))
        used += taken
        if used > seconds:
            break
    return np.concatenate(states[1:]), samples


def _findings(posed: SolverProblem, rows: list[Row]) -> list[Finding]:
    """Return how far two solvers agree on the truth, and how many times faster closed forms are at their own errors."""
    few = slice(0, 2 * _BLOCK)
    radau = posed.layer.solve(posed.x[few], timespans=posed.timespans[few], method="Radau", rtol=_TRUTH, atol=_TRUTH)
    agreed = Finding(
        "largest difference of DOP853 and Radau at rtol 1e-12", float(np.abs(radau - posed.truth[few]).max())
    )
    found = [agreed]
    solvers = [row for row in rows if "rtol" in row.details]
    cfc = next(row for row in rows if row.details["way"] == "CfC")
    for package in ("scipy", "diffrax", "numbalsoda"):
        times = [row.median / cfc.median for row in solvers if row.details["way"].startswith(package)]
        if times:
            found += [
                Finding(f"{package}, fastest / CfC", min(times)),
                Finding(f"{package}, slowest / CfC", max(times)),
            ]
    for form in FORMS:
        for row in [row for row in rows if row.details["way"] == form]:
            as_exact = [one.median for one in solvers if one.details["error"] <= row.details["error"]]
            if as_exact:
                what = f"fastest solver that is as exact / {row.name} (error {row.details['error']:.0e})"
                found.append(Finding(what, min(as_exact) / row.median))
    return found
