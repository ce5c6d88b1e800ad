"""``verify``: draw the cases, judge every statement on them, add up the results."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Executor
from typing import NamedTuple

import numpy as np

from cfc_ref import checks, signals
from cfc_ref.arrays import Array
from cfc_ref.datasets.eeg import eeg_recording
from cfc_ref.neuron.model import LTCNeuron
from cfc_ref.report.blind_search import Found, search
from cfc_ref.report.cases import FAMILIES, FIXABLE, MOST_FOLDINGS, Cases, draw
from cfc_ref.report.evidence import gather
from cfc_ref.report.judge import Evaluation, find
from cfc_ref.report.orders import measured_orders
from cfc_ref.report.outcome import Report
from cfc_ref.report.recording import Recording, recorded
from cfc_ref.report.statements import STATEMENTS

__all__ = ["BLOCK", "check_arguments", "verify"]

BLOCK = 10_000  # cases in memory at a time
_SHARES = {
    "recorded": 0.06,
    "sampled": 0.24,
    "piecewise constant": 0.4,
    "smooth": 0.14,
    "adversarial": 0.14,
    "edge": 0.02,
}
_ALWAYS = {"adversarial": 240, "edge": 64}  # tried in addition to the `cases`, however few those are
_LEAST = 60  # cases of a statement that draws its own
_SEARCHED = 4  # neurons for which the blind search looks for the worst input
_OSCILLATORS = 8  # neurons under a sine of which the orders are measured
_MOST = 100_000_000  # cases of one run: some days
_SEARCH_WIDTH = 30.0  # |sigma (I - mu)| up to this: f saturated to 1e-13


class _Block(NamedTuple):
    """A share of the work with its own seed, so that any executor may run it."""

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
        Number of random cases, shared by the statements; the proofs' inputs, edge values and the inputs that a blind
        search finds are tried in addition. Cases are drawn and judged in blocks of 10,000, so memory stays bounded.
    seed : int
        The same seed gives the same report.
    statements : str or iterable of str, optional
        Names such as "S3", or "S3,S9"; all by default.
    neuron : mapping or LTCNeuron, optional
        Values for some of w_tau, A, mu, sigma and x0, the same in every case.
    signal : Signal, optional
        A recording (:func:`cfc_ref.signals.sampled` or :func:`~cfc_ref.signals.from_csv`) from which recorded inputs
        are cut; by default the EEG sample that matplotlib ships. Values are shifted and scaled, so that an offset or a
        unit costs no digits. Times are in the recording's unit, unless its steps are longer than 10 or shorter than
        1e-4 and w_tau is not fixed; then the report names the unit. A case takes at most 1,024 samples and at most
        250 time constants.
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
        If an argument does not fit, naming it.

    Notes
    -----
    A case decides only where the two truths agree far better than its margin, and nothing overflows. A statement on
    which no case decides is "not tested": rounding is never reported as a violation, and overflow never as "holds".

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
    found = {name: Evaluation() for name in tasks[-1].names}
    for result in results:
        for name, evaluation in result.items():
            found[name].add(evaluation)
    return Report.of(found, cases=cases, seed=seed, fixed=tasks[0].fixed, recording=tasks[0].recording)


def check_arguments(
    cases: int,
    seed: int,
    statements: str | Iterable[str] | None,
    neuron: Mapping[str, float] | LTCNeuron | None,
    signal: signals.Signal | None,
) -> list[_Block]:
    """Check the arguments of :func:`verify` and return its blocks of work."""
    checks.need("scipy", "verify")
    cases = checks.count("cases", cases, at_least=1)
    if cases > _MOST:
        checks.refuse("cases", str(cases), f"at most {_MOST:,}", "run several seeds")
    seed = checks.count("seed", seed)
    names, fixed = _names(statements), _fixed(neuron)
    return list(_tasks(cases, seed, names, fixed, _recording(signal, fixed)))


def _names(statements: str | Iterable[str] | None) -> tuple[str, ...]:
    if statements is None:
        return tuple(STATEMENTS)
    wanted: list[str] = []
    for given in [statements] if isinstance(statements, str) else statements:
        names = given.upper().replace(",", " ").split() if isinstance(given, str) else [given]
        wanted += [checks.choice("statements", name, STATEMENTS) for name in names]
    if not wanted:
        checks.refuse("statements", "none", "at least one statement", "omit it to check all of them")
    return tuple(name for name in STATEMENTS if name in wanted)


def _fixed(neuron: Mapping[str, float] | LTCNeuron | None) -> dict[str, float]:
    if neuron is None:
        return {}
    if isinstance(neuron, LTCNeuron):
        if neuron.shape:
            checks.refuse("neuron", f"{neuron.shape} neurons", "one neuron", "verify them one by one")
        return {name: float(getattr(neuron, name)) for name in FIXABLE if name != "x0"}
    if not isinstance(neuron, Mapping):
        checks.refuse("neuron", type(neuron).__name__, "a mapping or an LTCNeuron", "pass {'w_tau': 1.0}", TypeError)
    for name, value in neuron.items():
        checks.choice("neuron", name, FIXABLE)
        if checks.numeric(name, value).ndim:
            checks.refuse(name, "an array", "a number", "verify neurons one by one")
    LTCNeuron(neuron.get("w_tau", 1.0), neuron.get("A", 0.0))  # refuses what no neuron can have
    return {name: float(neuron[name]) for name in FIXABLE if name in neuron}


def _recording(signal: signals.Signal | None, fixed: Mapping[str, float]) -> Recording:
    if signal is None:
        return recorded(eeg_recording(), fixed, "EEG sample of matplotlib, 4 channels, 800 samples in 10 s")
    return recorded(signal, fixed)


def _tasks(
    cases: int, seed: int, names: tuple[str, ...], fixed: dict[str, float], recording: Recording
) -> Iterator[_Block]:
    for block, first in enumerate(range(0, cases, BLOCK)):
        many = min(BLOCK, cases - first)
        ends = np.rint(np.cumsum(list(_SHARES.values())) * many).astype(int)
        for family, count in zip(_SHARES, np.diff(ends, prepend=0).tolist(), strict=True):
            if count:
                yield _Block(family, count, (seed, 0, block, zlib.crc32(family.encode())), names, fixed, recording)
        for name in names:
            if STATEMENTS[name].trial:
                count = max(many, _LEAST)
                yield _Block("own", count, (seed, 4, block, zlib.crc32(name.encode())), (name,), fixed, recording)
    for family, count in _ALWAYS.items():
        yield _Block(family, count, (seed, 1, zlib.crc32(family.encode())), names, fixed, recording)
    yield _Block("search", _SEARCHED, (seed, 2), names, fixed, recording)
    yield _Block("orders", _OSCILLATORS, (seed, 3), names, fixed, recording)


def _run(task: _Block) -> dict[str, Evaluation]:
    """Run one block; a top-level function, so that it can be sent to another process."""
    with np.errstate(all="ignore"):  # a number that overflows decides nothing
        return _evaluated(task)


def _evaluated(task: _Block) -> dict[str, Evaluation]:
    chosen = [STATEMENTS[name] for name in task.names]
    if task.family == "orders":
        wanted = {s.name: [sample for sample, _ in s.orders] for s in chosen if s.orders and s.judged}
        orders = measured_orders(task.many, task.seed[0], task.fixed) if wanted else {}
        return {
            name: Evaluation(orders={s: orders[s] for s in samples if s in orders}) for name, samples in wanted.items()
        }
    rng = np.random.default_rng(task.seed)
    if task.family == "own":
        (name,) = task.names
        trial = STATEMENTS[name].trial
        assert trial is not None
        return {name: trial(task.many, rng, task.fixed, task.recording)}
    chosen = [statement for statement in chosen if statement.judged]
    if not chosen:
        return {}
    if task.family == "search":
        if not any(statement.ends for statement in chosen):
            return {}
        batch = _searched(task.many, rng, task.fixed)
    else:
        batch = draw(task.family, task.many, rng, task.fixed, task.recording)
    evidence = gather(batch, frozen=any(statement.orders for statement in chosen))
    return {s.name: find(batch, s.judged(evidence)) for s in chosen if s.judged}


def _searched(count: int, rng: np.random.Generator, fixed: Mapping[str, float]) -> Cases:
    """Let the blind search look for the worst inputs of a few neurons, with f free and with f in a known range."""
    drawn = FAMILIES["adversarial"](count, rng, fixed)
    t = np.minimum(rng.uniform(0.3, 4, count), MOST_FOLDINGS / (drawn.neuron.w_tau + 1))
    rows, found, ranges = [], [], []
    for i in range(count):
        # What is searched is the drive: the input of a neuron with mu = 0 and sigma = 1.
        w, A, _, sigma = (float(parameter[i]) for parameter in drawn.neuron.parameters)
        neuron, x0 = LTCNeuron(w, A, 0.0, np.sign(sigma)), float(drawn.x0[i])
        center, width = rng.uniform(-1, 1), rng.uniform(0.5, 3)
        narrow, wide = (center - width, center + width), (-_SEARCH_WIDTH, _SEARCH_WIDTH)
        for I_range, form in ((wide, "symmetric"), (narrow, "symmetric"), (narrow, "ltc")):
            for largest in (True, False):
                found.append(search(neuron, x0, float(t[i]), I_range, form, largest, seed=int(rng.integers(2**31))))
                ranges.append([float(end) for end in neuron.f_range(*I_range)])
                rows.append(i)
    return _found_cases(drawn.take(np.array(rows)), found, np.array(ranges))


def _found_cases(drawn: Cases, found: list[Found], ranges: Array) -> Cases:
    """Replace the drawn inputs by those that were found."""
    sign = np.sign(drawn.neuron.sigma)
    h, level, last = (np.array([getattr(one, name) for one in found]) for name in ("h", "level", "last_input"))
    return drawn._replace(
        family="search",
        h=h,
        level=sign[:, None] * level,
        slope=np.zeros_like(h),
        last=sign * last,
        known_a=ranges[:, 0],
        known_b=ranges[:, 1],
    )
