"""The run: draw the cases, judge every statement on them, add up what came out."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cfc_ref import checks, signals
from cfc_ref.datasets.eeg import eeg_recording
from cfc_ref.neuron.model import LTCNeuron
from cfc_ref.report.blind_search import Found, search
from cfc_ref.report.cases import FAMILIES, FIXABLE, MOST_FOLDINGS, Cases, Recording, draw
from cfc_ref.report.evidence import gather
from cfc_ref.report.judge import Finding, find
from cfc_ref.report.orders import measured_orders
from cfc_ref.report.result import Report
from cfc_ref.report.statements import STATEMENTS

__all__ = ["BLOCK", "check_arguments", "verify"]

Array = npt.NDArray[Any]

BLOCK = 10_000  # cases in memory at a time
_SHARES = {
    "recorded": 0.06,
    "sampled": 0.24,
    "piecewise constant": 0.4,
    "smooth": 0.14,
    "adversarial": 0.14,
    "edge": 0.02,
}
_ALWAYS = {"adversarial": 240, "edge": 64}  # tried beside the `cases`, however few those are
_SEARCHED = 4  # neurons for which the blind search looks for the worst input
_SEARCH_WIDTH = 30.0  # sigma (I - mu) up to this: f saturated to 1e-13


class _Task(NamedTuple):
    """A share of the work with a seed of its own, so that any executor may run it."""

    family: str
    many: int
    seed: tuple[int, ...]
    names: tuple[str, ...]
    fixed: dict[str, float]
    recording: Recording


def verify(
    cases: int = 10_000,
    seed: int = 0,
    *,
    statements: str | Iterable[str] | None = None,
    neuron: Mapping[str, float] | LTCNeuron | None = None,
    signal: signals.Signal | None = None,
    executor: Executor | None = None,
    progress: bool = False,
) -> Report:
    """Check every statement about the closed form on random, adversarial and recorded input.

    Parameters
    ----------
    cases : int
        How many random cases, shared by the statements; the proofs' inputs, edge values and the inputs that a blind
        search finds come on top. They are drawn and judged in blocks of 10,000, so memory stays bounded.
    seed : int
        The same seed gives the same report.
    statements : str or iterable of str, optional
        Names such as "S3"; all fifteen by default.
    neuron : mapping or LTCNeuron, optional
        Values for some of w_tau, A, mu, sigma and x0, the same in every case.
    signal : Signal, optional
        A recording (:func:`cfc_ref.signals.sampled` or :func:`~cfc_ref.signals.from_csv`) from which recorded inputs
        are cut; by default the EEG sample that matplotlib ships. Times are in the recording's own unit; a case takes
        at most 1,024 samples of it and at most 250 time constants.
    executor : concurrent.futures.Executor, optional
        Runs the blocks; the report does not depend on it.
    progress : bool
        Show a progress bar, where tqdm is installed.

    Returns
    -------
    Report
        With ``.ok``, ``.statements``, ``str(report)`` and ``.save(folder)``.

    Raises
    ------
    ValueError, TypeError
        For input that does not fit, as the message says.

    Examples
    --------
    >>> report = verify(cases=20, statements=["S3", "S8"])
    >>> report.ok, [(s.name, s.verdict) for s in report.statements]
    (True, [('S3', 'holds'), ('S8', 'fails')])
    """
    tasks = check_arguments(cases, seed, statements, neuron, signal)
    if executor is not None and not isinstance(executor, Executor):
        checks.refuse(
            "executor", type(executor).__name__, "a concurrent.futures.Executor", "pass one or None", TypeError
        )
    results = map(_run, tasks) if executor is None else executor.map(_run, tasks)
    if progress and checks.installed("tqdm"):
        from tqdm import tqdm

        results = tqdm(results, total=len(tasks), unit="block", disable=None, leave=False)
    findings = {name: Finding() for name in tasks[0].names}
    for result in results:
        for name, finding in result.items():
            findings[name].add(finding)
    return Report.of(findings, cases=cases, seed=seed, fixed=tasks[0].fixed, recording=tasks[0].recording)


def check_arguments(
    cases: int,
    seed: int,
    statements: str | Iterable[str] | None,
    neuron: Mapping[str, float] | LTCNeuron | None,
    signal: signals.Signal | None,
) -> list[_Task]:
    """Check the arguments of :func:`verify` and return the tasks they come to."""
    checks.need("scipy", "verify")
    cases = checks.count("cases", cases, at_least=1)
    seed = checks.count("seed", seed)
    return list(_tasks(cases, seed, _names(statements), _fixed(neuron), _recording(signal)))


def _names(statements: str | Iterable[str] | None) -> tuple[str, ...]:
    if statements is None:
        return tuple(STATEMENTS)
    wanted = [statements] if isinstance(statements, str) else list(statements)
    for name in wanted:
        checks.choice("statements", name, STATEMENTS)
    if not wanted:
        checks.refuse("statements", "none", "at least one statement", "leave it out for all of them")
    return tuple(name for name in STATEMENTS if name in wanted)


def _fixed(neuron: Mapping[str, float] | LTCNeuron | None) -> dict[str, float]:
    if neuron is None:
        return {}
    if isinstance(neuron, LTCNeuron):
        if neuron.shape:
            checks.refuse("neuron", f"{neuron.shape} neurons", "one neuron", "verify each by itself")
        return {name: float(getattr(neuron, name)) for name in FIXABLE if name != "x0"}
    if not isinstance(neuron, Mapping):
        checks.refuse("neuron", type(neuron).__name__, "a mapping or an LTCNeuron", "pass {'w_tau': 1.0}", TypeError)
    for name, value in neuron.items():
        checks.choice("neuron", name, FIXABLE)
        if checks.numeric(name, value).ndim:
            checks.refuse(name, "an array", "a number", "verify each neuron by itself")
    LTCNeuron(neuron.get("w_tau", 1.0), neuron.get("A", 0.0))  # refuses what no neuron can have
    return {name: float(neuron[name]) for name in FIXABLE if name in neuron}


def _recording(signal: signals.Signal | None) -> Recording:
    if signal is None:
        eeg = eeg_recording()
        return Recording("EEG sample of matplotlib, 4 channels, 800 samples in 10 s", eeg.times, eeg.values, True)
    if not isinstance(signal, (signals.Sampled, signals.PiecewiseConstant)) or signal.times.size < 2:
        checks.refuse(
            "signal",
            repr(signal),
            "a recording of at least two samples",
            "pass signals.sampled(times, values) or signals.from_csv(…)",
            TypeError,
        )
    samples, linear = signal.times.size, isinstance(signal, signals.Sampled)
    start, end = signal.times[0], signal.times[-1]
    name = f"{samples} samples from t = {start:g} to {end:g}"
    return Recording(name, signal.times, signal.values.reshape(-1, samples), linear)


def _tasks(
    cases: int, seed: int, names: tuple[str, ...], fixed: dict[str, float], recording: Recording
) -> Iterator[_Task]:
    for block, first in enumerate(range(0, cases, BLOCK)):
        many = min(BLOCK, cases - first)
        ends = np.rint(np.cumsum(list(_SHARES.values())) * many).astype(int)
        for family, count in zip(_SHARES, np.diff(ends, prepend=0).tolist(), strict=True):
            if count:
                yield _Task(family, count, (seed, 0, block, zlib.crc32(family.encode())), names, fixed, recording)
    for family, count in _ALWAYS.items():
        yield _Task(family, count, (seed, 1, zlib.crc32(family.encode())), names, fixed, recording)
    yield _Task("search", _SEARCHED, (seed, 2), names, fixed, recording)
    yield _Task("orders", 0, (seed, 3), names, fixed, recording)


def _run(task: _Task) -> dict[str, Finding]:
    """Do one task; top-level, so that it can be sent to another process."""
    chosen = [STATEMENTS[name] for name in task.names]
    if task.family == "orders":
        wanted = {s.name: [sample for sample, _ in s.orders] for s in chosen if s.orders}
        orders = measured_orders(task.seed[0], task.fixed) if wanted else {}
        return {
            name: Finding(orders={s: orders[s] for s in samples if s in orders}) for name, samples in wanted.items()
        }
    rng = np.random.default_rng(task.seed)
    if task.family == "search":
        if not any(statement.ends for statement in chosen):
            return {}
        batch = _searched(task.many, rng, task.fixed)
    else:
        batch = draw(task.family, task.many, rng, task.fixed, task.recording)
    evidence = gather(batch, frozen=any(statement.orders for statement in chosen))
    return {statement.name: find(batch, statement.compare(evidence)) for statement in chosen}


def _searched(count: int, rng: np.random.Generator, fixed: Mapping[str, float]) -> Cases:
    """Let the blind search look for the worst inputs of a few neurons, with f free and with f in a known range."""
    drawn = FAMILIES["adversarial"](count, rng, fixed)
    t = np.minimum(rng.uniform(0.3, 4, count), MOST_FOLDINGS / (drawn.neuron.w_tau + 1))
    rows, found, ranges = [], [], []
    for i in range(count):
        neuron, x0 = _one(drawn, i)
        gain = float(np.abs(neuron.sigma)) or 1.0
        center = float(neuron.mu) + rng.uniform(-1, 1) / gain
        narrow, wide = (
            (middle - width / gain, middle + width / gain)
            for middle, width in ((center, rng.uniform(0.5, 3)), (float(neuron.mu), _SEARCH_WIDTH))
        )
        for I_range, form in ((wide, "symmetric"), (narrow, "symmetric"), (narrow, "ltc")):
            for largest in (True, False):
                found.append(search(neuron, x0, float(t[i]), I_range, form, largest, seed=int(rng.integers(2**31))))
                ranges.append([float(end) for end in neuron.f_range(*I_range)])
                rows.append(i)
    return _found_cases(drawn.take(np.array(rows)), found, np.array(ranges))


def _one(cases: Cases, i: int) -> tuple[LTCNeuron, float]:
    w, A, mu, sigma = (parameter[i] for parameter in cases.neuron.parameters)
    return LTCNeuron(w, A, mu, sigma), float(cases.x0[i])


def _found_cases(drawn: Cases, found: list[Found], ranges: Array) -> Cases:
    """Put the inputs that were found in the place of the drawn ones."""
    rows: Callable[[str], Array] = lambda name: np.array([getattr(one, name) for one in found])  # noqa: E731
    h = rows("h")
    return drawn._replace(
        family="search",
        h=h,
        level=rows("level"),
        slope=np.zeros_like(h),
        last_input=rows("last_input"),
        known_a=ranges[:, 0],
        known_b=ranges[:, 1],
    )
