"""Times that can be compared: those who are compared take turns, so that what disturbs one disturbs all."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Any, NamedTuple

import numpy as np

__all__ = ["QUICK", "Plan", "clock", "duration", "exponent", "quartiles", "take_turns"]

_TURN = 0.05  # seconds: so many calls are timed together that they take about as long
_REST = 0.1  # seconds before a turn, in which the threads of who was on before stop waiting for more work
_AT_LEAST = 3


class Plan(NamedTuple):
    """Durations of a measurement."""

    rounds: int = 25  # turns of each
    seconds: float = 3.0  # after which one who has had three turns gets no more


QUICK = Plan(7, 0.7)


def take_turns(clocks: Mapping[str, Callable[[int], float]], plan: Plan) -> dict[str, list[float]]:
    """Time calls that have run before."""
    first = {name: seconds_of(1) for name, seconds_of in clocks.items()}
    calls_a_turn = {name: max(1, math.ceil(_TURN / max(taken, 1e-9))) for name, taken in first.items()}
    seconds: dict[str, list[float]] = {name: [taken] if taken > plan.seconds else [] for name, taken in first.items()}
    used = {name: sum(samples) for name, samples in seconds.items()}
    for _ in range(plan.rounds):
        for name, seconds_of in clocks.items():
            if len(seconds[name]) >= _AT_LEAST and used[name] > plan.seconds:
                continue
            time.sleep(_REST)
            first_call = seconds_of(1)  # it finds the caches full of others' numbers, and its threads asleep
            taken = seconds_of(calls_a_turn[name])
            used[name] += first_call + taken
            seconds[name].append(taken / calls_a_turn[name])
    return seconds


def clock(call: Callable[[], Any]) -> Callable[[int], float]:
    """Return what gives the seconds of so many calls, one behind the other."""

    def seconds_of(calls: int) -> float:
        start = time.perf_counter()
        for _ in range(calls):
            call()
        return time.perf_counter() - start

    return seconds_of


def duration(call: Callable[[], Any]) -> float:
    """Return the seconds of one call."""
    return clock(call)(1)


def quartiles(samples: Sequence[float]) -> tuple[float, float, float]:
    """Return the lower quartile, the median and the upper quartile."""
    low, high = np.quantile(samples, (0.25, 0.75))
    return float(low), float(median(samples)), float(high)


def exponent(sizes: Sequence[float], seconds: Sequence[float]) -> float:
    r"""Return p of the line that fits best :math:`\log t = p \log n + c`."""
    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])
