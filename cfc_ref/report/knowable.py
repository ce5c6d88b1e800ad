"""S17 to S20: what no closed form can do better, tried on pairs of inputs that agree wherever a form looks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt

from cfc_ref import backend
from cfc_ref.arrays import Array
from cfc_ref.bounds import looks
from cfc_ref.bounds.checked import formula
from cfc_ref.bounds.frozen import frozen_error
from cfc_ref.bounds.neuron import extremal_control, two_term
from cfc_ref.neuron.closed_forms import eq9
from cfc_ref.neuron.model import FORMS, REFLECTIONS, LTCNeuron
from cfc_ref.report import truth
from cfc_ref.report.cases import MOST_FOLDINGS, Cases, Start, filled, log_uniform, neurons
from cfc_ref.report.judge import Check, Evaluation, find
from cfc_ref.report.recording import Recording

__all__ = ["best_time", "midpoint", "one_look", "one_look_per_step"]

Generator = np.random.Generator

_STEPS = 8  # of the frozen forms, at most
_STEEP = 1e300
_LOOKS = 4  # times of the one look that are compared, per neuron
_SLOW = 1e-3  # L t²/2 of the best look, at most


def _released(family: str, begin: Start, h: Array, y: Array, slope: Array | None = None) -> Cases:
    """Return cases whose release has these values at the beginnings of the pieces."""
    slope = np.zeros_like(y) if slope is None else slope
    last = y[:, -1] + slope[:, -1] * h[:, -1]
    return filled(family, begin, h, y, slope=slope, last=last)._replace(released=True)


def _ends(cases: Cases, form: str = "ltc") -> tuple[Array, Array]:
    """Return the states at the end, and how far the two truths differ."""
    exact, by_scipy = (getattr(solve(cases), form)[:, -1] for solve in (truth.exactly, truth.with_scipy))
    return exact, np.abs(exact - by_scipy)


# --- S17


def one_look(count: int, rng: Generator, fixed: Mapping[str, float], recording: Recording) -> Evaluation:
    """Let two inputs jump to one value at t, and measure how far apart they end, and Eq. 9's errors on them."""
    begin = neurons(count, rng, fixed)
    t = np.minimum(log_uniform(rng, 1e-2, 20, count), MOST_FOLDINGS / (begin.neuron.w_tau + 1))
    ends = np.sort(rng.uniform(0, 1, (2, count)), axis=0)
    a, b = np.where(rng.random(count) < 0.5, [[0.0], [1.0]], ends)
    found = Evaluation()
    for form in FORMS:
        pair = [_extreme(begin, t, a, b, form, largest=largest) for largest in (False, True)]
        found.add(find(pair[0], _apart(pair, t, a, b, form, "extremal")))
    h = t[:, None] * rng.dirichlet([1, 1, 1], count)
    draws = [_released("random", begin, h, rng.uniform(a[:, None], b[:, None], (count, 3))) for _ in range(2)]
    found.add(find(draws[0], _apart(draws, t, a, b, "ltc", "random")))
    return found


def _extreme(begin: Start, t: Array, a: Array, b: Array, form: str, *, largest: bool) -> Cases:
    """Return the release that makes x extreme at t; what it jumps to at t no state feels."""
    c = begin.x0 - begin.neuron.A
    if form == "ltc":
        first, second, switch = extremal_control(begin.neuron, c, a, b, largest=largest)
        switch = np.clip(switch, 0, t)
    else:
        first = second = np.where((c > 0) == largest, a, b)
        switch = t
    return _released("extremal", begin, np.stack([switch, t - switch], axis=1), np.stack([first, second], axis=1))


def _apart(pair: list[Cases], t: Array, a: Array, b: Array, form: str, kind: str) -> Iterator[Check]:
    """Compare the distance of two inputs' ends with 2 R, and on the extremal ones Eq. 9's worst error."""
    begin = pair[0]
    (one, doubt), (other, doubt_too) = (_ends(cases, form) for cases in pair)
    _, R = formula(looks.radius)(begin.neuron, begin.x0, t, (a, b), form)
    size, doubt = np.maximum(np.abs(one), np.abs(other)), doubt + doubt_too
    given, use = {"range": np.stack([a, b], axis=1)}, np.full(t.shape, True)
    about = "LTC as stated" if form == "ltc" else "symmetric form"
    distance = np.abs(one - other)
    ends, note = () if kind == "random" else ("high",), f"distance of the pair, {about}"
    ends, note = ("high",) if kind == "extremal" else (), f"distance of the pair, {about}"
    yield Check(distance, doubt, size, -2 * R, 2 * R, use, ends, 2 * R, note, given)
    if kind == "random":
        return
    c, A = begin.x0 - begin.neuron.A, begin.neuron.A
    high = np.abs(c) * np.exp(-begin.neuron.w_tau * t)
    if form == "ltc":
        use, high = c * A <= 0, formula(two_term)(begin.neuron, begin.x0, t, (a, b))[1]
    for reflection in REFLECTIONS:
        w, A, mu, sigma = begin.neuron.parameters
        neuron = LTCNeuron(w, A, mu, sigma, reflection)
        said = [eq9(neuron, begin.x0, t, y) for y in (a, b)]
        worst = np.max([np.abs(x - x_tilde) for x in (one, other) for x_tilde in said], axis=0)
        note = f"worst error of Eq. 9, {about}, r = {'1 - f(I)' if reflection == 'release' else 'f(-I)'}"
        yield Check(worst, doubt, size, 2 * R, np.maximum(high, 2 * R), use, note=note, given=given)


# --- S18 and S19


def _walk(begin: Start, first: Array, h: Array, slope: Array) -> Cases:
    """Return a release that runs along straight lines."""
    steps = np.cumsum(slope * h, axis=1)
    return _released("random", begin, h, first[:, None] + np.pad(steps[:, :-1], ((0, 0), (1, 0))), slope)


def _sawtooth(begin: Start, y0: Array, L: Array, half: Array, n: npt.NDArray[np.intp], sign: Array | int) -> Cases:
    """Return the release y0 ± L dist(s, looks), the looks in the middle of n steps of two halves."""
    k = np.arange(2 * int(n.max()))
    h = np.where(k < 2 * n[:, None], half[:, None], 0.0)
    down = np.where(k % 2, 1, -1) * np.reshape(sign, (-1, 1))  # to the look, and away from it
    edge = (y0 + sign * L * half)[:, None]
    cases = _released("sawtooth", begin, h, np.where(k % 2, y0[:, None], edge), L[:, None] * down)
    return cases._replace(last=edge[:, 0])


def midpoint(count: int, rng: Generator, fixed: Mapping[str, float], recording: Recording) -> Evaluation:
    """Hold the frozen midpoint's error against U: on random inputs, and on sawtooths that come near it."""
    few = count // 3
    found = Evaluation()
    begin = neurons(count - few, rng, fixed)
    steps = rng.integers(1, _STEPS + 1, count - few)
    half = log_uniform(rng, 1e-2, 3, count - few) / (begin.neuron.w_tau + 1) / 2
    h = np.where(np.arange(2 * _STEPS) < 2 * steps[:, None], half[:, None], 0.0)
    L = log_uniform(rng, 1e-3, 1, count - few) / (2 * half * steps)
    slope = L[:, None] * rng.uniform(-1, 1, h.shape)
    bang = rng.random((len(L), 1)) < 0.5
    slope = np.where(bang, L[:, None] * np.sign(slope), slope)
    travelled = np.cumsum(slope * h, axis=1)
    low, high = np.minimum(travelled.min(axis=1), 0), np.maximum(travelled.max(axis=1), 0)
    first = -low + rng.random(len(L)) * (1 - (high - low))
    found.add(_judge_midpoint(_walk(begin, first, h, slope), L, first + low, first + high, 2 * half))
    found.add(_near_the_bound(few, rng, fixed))
    return found


def _near_the_bound(count: int, rng: Generator, fixed: Mapping[str, float]) -> Evaluation:
    """Draw sawtooths of little height under which |x - A| stays at M: one short step, or many from the equilibrium."""
    begin = _at_equilibrium(count, rng, fixed, a := rng.uniform(0, 0.5, count))
    w, A = begin.neuron.w_tau, begin.neuron.A
    k = w + a
    far = np.abs(begin.x0 - A) > np.abs(A) * w / k * (1 + 1e-9)
    n = np.where(far, 1, _STEPS)
    half = np.where(far, 1e-4, log_uniform(rng, 3, 4, count)) / k / 2
    height = np.where(far, 1e-2 * k, log_uniform(rng, 1e-5, 1e-4, count) * k)
    L = np.minimum(np.minimum(height, 0.25) / half, _STEEP)
    cases = _sawtooth(begin, a + L * half, L, half, n, -1)
    return _judge_midpoint(cases, L, a, a + 2 * L * half, 2 * half)


def _at_equilibrium(count: int, rng: Generator, fixed: Mapping[str, float], a: Array) -> Start:
    """Draw neurons that start where they rest under the release a: c = -A w/(w + a)."""
    begin = neurons(count, rng, fixed)
    w, A = begin.neuron.w_tau, begin.neuron.A
    return begin if "x0" in fixed else begin._replace(x0=A - A * w / (w + a))


def _judge_midpoint(cases: Cases, L: Array, a: Array, b: Array, h: Array) -> Evaluation:
    """Compare the frozen midpoint with both truths at the end; its steps are pairs of pieces."""
    x, doubt = _ends(cases)
    constant, _ = backend.pieces()
    y, lengths = cases.level[:, 1::2], cases.h[:, ::2] + cases.h[:, 1::2]
    approximate = constant(cases.neuron.w_tau, cases.neuron.A, y, lengths, cases.x0)[:, -1]
    known = np.clip(a, 0, 1), np.clip(b, 0, 1)
    _, U = formula(frozen_error)(cases.neuron, cases.x0, cases.t, h, (L,), known, "midpoint")
    given = {"lipschitz": L, "step": h, "range": np.stack(known, axis=1)}
    use = np.full(x.shape, True)
    error, ends = np.abs(x - approximate), ("high",) if cases.family == "sawtooth" else ()
    return find(cases, [Check(error, doubt, np.abs(x), -U, U, use, ends, U, "frozen, midpoint", given)])


def one_look_per_step(count: int, rng: Generator, fixed: Mapping[str, float], recording: Recording) -> Evaluation:
    """Measure how far apart two inputs end that no look in the middle of a step tells apart."""
    a = rng.uniform(0, 0.9, count)
    begin = _at_equilibrium(count, rng, fixed, a)
    w, A = begin.neuron.w_tau, begin.neuron.A
    k = w + a
    rest = (np.arange(count) % 2 == 0) & ("x0" not in fixed)
    if "x0" not in fixed:
        begin = begin._replace(x0=np.where(rest, begin.x0, A - np.sign(A) * rng.uniform(0, 3, count)))
    n = rng.integers(1, _STEPS + 1, count)
    half = log_uniform(rng, 0.02, 3, count) / k / 2
    L = np.minimum(np.minimum(log_uniform(rng, 1e-3, 1, count) * k, 1 - a) / (2 * half), _STEEP)
    y0 = a + L * half
    pair = [_sawtooth(begin, y0, L, half, n, sign) for sign in (1, -1)]
    (one, doubt), (other, doubt_too) = (_ends(cases) for cases in pair)
    cases, h, doubt, size = pair[1], 2 * half, doubt + doubt_too, np.maximum(np.abs(one), np.abs(other))
    posed = begin.neuron, begin.x0, cases.t, h, y0, (L,), (a, np.minimum(a + L * h, 1))
    low, high = formula(looks.radius_per_step)(*posed)
    use = (begin.x0 - A) * A <= 0
    given = {"lipschitz": L, "step": h, "look": y0}
    apart = np.abs(one - other) / 2
    factor = (1 + L * h / k) * (1 + L * h / k / 2) * np.exp(L * h**2)
    equal = np.abs(pair[0].level[:, 1::2] - pair[1].level[:, 1::2]).max(axis=1)
    zero, note = 0 * equal, "half the distance of the pair against R₋ and U"
    checks = [
        Check(equal, zero, zero, zero, zero, use, note="difference of the looks", given=given),
        Check(apart, doubt, size, low, high, use, note=note, given=given),
        Check(high, doubt * factor, size, apart, factor * apart, use & rest, note="U over R", given=given),
    ]
    return find(cases, checks)


# --- S20


def best_time(count: int, rng: Generator, fixed: Mapping[str, float], recording: Recording) -> Evaluation:
    """Measure how far apart two slow inputs can end that agree at a look: at t, at τ*, and at random times."""
    many = -(-count // _LOOKS)
    begin = neurons(many, rng, fixed)
    w, A, c = begin.neuron.w_tau, begin.neuron.A, begin.x0 - begin.neuron.A
    t = np.minimum(log_uniform(rng, 0.05, 20, many), MOST_FOLDINGS / (w + 1))
    eta, share = rng.uniform(0.1, 0.9, many), log_uniform(rng, 0.1, 1, many)
    L = share * np.minimum(2 * _SLOW / t**2, 0.05 / t)
    best, least = formula(looks.best_look)(begin.neuron, begin.x0, t, eta, (L,))
    weight = looks.weight(begin.neuron, c, t, eta)
    # The terms of even order cancel in the pair; the others begin with the third.
    q, largest = L * t**2 / 2, np.maximum(np.abs(c), np.abs(A))
    slack = largest * q**3 / 6 * np.cosh(q)
    found, note, use = Evaluation(), "half the distance of the pair", np.full(t.shape, True)
    for tau in (t, best, *(t * rng.random((_LOOKS - 2, many)))):
        turns = looks.turns(weight, tau)
        pair = [_through(begin, t, tau, eta, sign * L, turns) for sign in (1, -1)]
        (one, doubt), (other, doubt_too) = (_ends(cases) for cases in pair)
        most = L * looks.spread(weight, tau, turns)
        given = {"lipschitz": L, "look": eta, "time_of_look": tau}
        size, use, note = (
            np.maximum(np.abs(one), np.abs(other)),
            np.full(t.shape, True),
            "half the distance of the pair",
        )
        check = Check(np.abs(one - other) / 2, doubt + doubt_too, size, least - slack, most + slack, use, note=note)
        found.add(find(pair[0], [check._replace(given=given)]))
    return found


def _through(begin: Start, t: Array, tau: Array, eta: Array, slope: Array, turns: tuple[Array, Array]) -> Cases:
    """Return the release that is η at the time τ, and runs at full speed so that it moves x one way everywhere."""
    before, after = turns
    h = np.diff(np.stack([0 * t, before, tau, after, t]), axis=0).T
    slopes = np.stack([slope, -slope, slope, -slope], axis=1)
    first = eta - (slopes[:, :2] * h[:, :2]).sum(axis=1)
    return _walk(begin, first, h, slopes)._replace(family="slow")
