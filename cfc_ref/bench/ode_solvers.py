r"""Closed forms against solvers, for an LTC of 64 neurons over irregular steps: what accuracy costs.

The input jumps at each sample, so that every solver starts anew there. Tolerances are relative and absolute, of every
neuron. scipy calls the NumPy function of the right-hand side, the other packages a compiled one; all but torchdiffeq
run in a compiled loop over the steps. All is float64: a tolerance of 1e-10 means nothing in float32. The CfC of the
same size is another network, and has no error here: how well it does a task is what training gives.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cfc_ref.activations import softplus
from cfc_ref.arrays import Array
from cfc_ref.bench.compiled_solvers import with_diffrax, with_jax_rk4, with_numbalsoda, with_torchdiffeq
from cfc_ref.bench.equal_accuracy import findings
from cfc_ref.bench.processes import UnavailableError
from cfc_ref.bench.results import Finding, Result, Row
from cfc_ref.bench.timing import Plan, clock, duration, take_turns
from cfc_ref.bench.workloads import INPUTS, UNITS
from cfc_ref.layers.cfc import CfC
from cfc_ref.layers.ltc import LTC

if TYPE_CHECKING:
    Advance = Callable[[Array, Array, Array], Array]

__all__ = ["SolverProblem", "agreement", "measure", "measure_slow", "measure_stiff", "of_one_look", "pose"]

SCIPY = ("RK45", "DOP853", "LSODA", "Radau")
DIFFRAX = ("Tsit5", "Dopri5", "Dopri8", "Kvaerno5")
NUMBALSODA = {"LSODA": "lsoda", "DOP853": "dop853"}
RTOLS = tuple(10.0**-k for k in range(1, 11))
FORMS = ("fused", "frozen", "frozen_midpoint", "cf4")
PARTS = (1, 2, 6, 20, 60, 200)
FINE = {"cf4": (1, 2, 3, 4, 6, 10, 16, 24), "JAX RK4": (1, 2, 3, 4, 6, 10, 20, 60)}  # parts of the forms of order 4
STEPS_OF_CF4 = (1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 10.0, 12.0, 16.0, 24.0)  # the mean timespan over `step`
PROBLEMS = {"solvers": 1.0, "solvers-stiff": 30.0, "solvers-slow": 1 / 30}  # factors of all conductances
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


def pose(steps: int = STEPS, units: int = UNITS, conductances: float = 1.0) -> SolverProblem:
    """Return the problem, the same in every run; a factor of all conductances makes it stiff, or slow."""
    rng = np.random.default_rng(0)
    layer = _ltc(units, conductances, solver="fused", ode_unfolds=6)
    x, timespans = rng.normal(size=(steps, INPUTS)), _SPAN * rng.uniform(0.1, 1.9, steps)
    truth = layer.solve(x, timespans=timespans, method="DOP853", rtol=_TRUTH, atol=_TRUTH)
    return SolverProblem(layer, x, timespans, truth)


def _ltc(units: int, conductances: float, **solver: Any) -> LTC:
    layer = LTC(INPUTS, units, output_mapping=None, seed=0, dtype="float64", **solver)
    for name in ("gleak", "w", "sensory_w") if conductances != 1 else ():
        key = f"rnn_cell.{name}"
        effective = conductances * softplus(layer.parameters[key])
        layer.parameters[key][...] = effective + np.log(-np.expm1(-effective))  # its inverse softplus
    return layer


def measure(threads: int, plan: Plan, problem: str = "solvers") -> Result:
    """Measure all solvers and forms on one of the problems."""
    posed = pose(STEPS if plan.rounds > 10 else STEPS // 5, conductances=PROBLEMS[problem])
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
        if not row.details.get("error", 0) <= _ASTRAY * details.get("rtol", np.inf) + _NO_BETTER:
            skipped[name] = f"it is off by {row.details['error']:.0e}"
            continue
        cut += row.details["steps"] < len(posed.x)
        rows.append(row)
    notes = [f"Each way has {plan.seconds / 3:.1f} s; {cut} of {len(rows)} were cut off before step {len(posed.x):,}."]
    scaled = "" if problem == "solvers" else f", conductances × {PROBLEMS[problem]:.3g}"
    description = (
        f"LTC, {INPUTS} inputs, {UNITS} units all connected{scaled}, float64: {len(posed.x):,} irregular steps"
    )
    found = [agreement(posed), *findings(rows, targets=problem == "solvers"), *of_one_look(posed, plan)]
    return Result(problem, description, "a step", rows, found, skipped, notes)


def _ways(posed: SolverProblem) -> Iterator[tuple[str, dict[str, Any], Callable[[], Advance]]]:
    """Yield a name, what is known of it, and what makes it ready."""
    layer = posed.layer
    cfc = CfC(INPUTS, layer.state_size, seed=0, dtype="float64")
    yield "CfC", {"way": "CfC"}, partial(_called, cfc)
    for form in FORMS:
        for parts in FINE.get(form, PARTS):
            made = _same(layer, solver=form, ode_unfolds=parts)
            yield f"{form} × {parts}", {"way": form, "parts": parts}, partial(_called, made)
    for share in STEPS_OF_CF4:
        step = float(np.mean(posed.timespans)) / share
        made = _same(layer, solver="cf4", step=step)
        yield f"cf4, step {step:.3g}", {"way": "cf4 by step", "step": step}, partial(_called, made)
    solvers: dict[str, Callable[[float], Advance]] = {
        **{f"scipy {method}": partial(_solved, layer, method) for method in SCIPY},
        **{f"diffrax {method}": _once(partial(with_diffrax, layer, method)) for method in DIFFRAX},
        **{f"numbalsoda {name}": _once(partial(with_numbalsoda, layer, own)) for name, own in NUMBALSODA.items()},
        "torchdiffeq dopri5": _once(partial(with_torchdiffeq, layer, "dopri5")),
    }
    for way, at in solvers.items():
        for rtol in RTOLS:
            yield f"{way}, rtol {rtol:.0e}", {"way": way, "rtol": rtol}, partial(at, rtol)
    fixed = _once(partial(with_jax_rk4, layer))
    for parts in FINE["JAX RK4"]:
        yield f"JAX RK4 × {parts}", {"way": "JAX RK4", "parts": parts}, partial(fixed, parts)


def _same(layer: LTC, **solver: Any) -> LTC:
    """Return a layer with the same weights and another solver."""
    other = LTC(INPUTS, layer.state_size, output_mapping=None, seed=0, dtype="float64", **solver)
    other.load_state_dict(layer.state_dict())
    return other


def _once(prepare: Callable[[], Callable[[Any], Advance]]) -> Callable[[Any], Advance]:
    """Compile when it is first asked for, for all settings."""
    prepared = cache(prepare)
    return lambda setting: prepared()(setting)


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


def agreement(posed: SolverProblem) -> Finding:
    """Return how far two solvers of scipy agree on the truth."""
    few = slice(0, 2 * _BLOCK)
    radau = posed.layer.solve(posed.x[few], timespans=posed.timespans[few], method="Radau", rtol=_TRUTH, atol=_TRUTH)
    what = "largest difference of DOP853 and Radau at rtol 1e-12"
    return Finding(what, float(np.abs(radau - posed.truth[few]).max()))


def of_one_look(posed: SolverProblem, plan: Plan) -> list[Finding]:
    """Return what 16 looks of CF4 per step cost, forward and in training, in units of one frozen look."""
    layers = {
        name: _same(posed.layer, solver=name, ode_unfolds=4 if name == "cf4" else 1) for name in ("cf4", "frozen")
    }
    x, timespans = posed.x[None, :200].repeat(8, axis=0), posed.timespans[:200]
    calls: dict[str, Callable[[], Any]] = {}
    for name, layer in layers.items():
        d_output = np.ones((8, x.shape[1], layer.state_size))

        def train(layer: LTC = layer, d_output: Any = d_output) -> Any:
            return layer.backward(layer.forward(x, None, timespans)[2], d_output)

        calls[f"{name} forward"], calls[f"{name} training"] = partial(layer, x, None, timespans), train
    for call in calls.values():
        call()  # compiles
    times = {
        name: np.median(seconds) for name, seconds in take_turns({n: clock(c) for n, c in calls.items()}, plan).items()
    }
    return [
        Finding(
            f"16 looks of CF4 / one frozen look, {what}",
            float(times[f"cf4 {what}"] / times[f"frozen {what}"]),
            (0.0, most),
        )
        for what, most in (("forward", 17.0), ("training", 20.0))
    ]


def measure_stiff(threads: int, plan: Plan) -> Result:
    """Measure on the problem whose conductances are 30 times as large."""
    return measure(threads, plan, "solvers-stiff")


def measure_slow(threads: int, plan: Plan) -> Result:
    """Measure on the problem whose conductances are a thirtieth."""
    return measure(threads, plan, "solvers-slow")
