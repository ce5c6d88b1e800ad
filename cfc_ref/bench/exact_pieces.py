"""Time ``exact`` against scipy, case by case: ``python -m cfc_ref.bench.exact_pieces``."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import NamedTuple

import numpy as np

from cfc_ref import backend, signals
from cfc_ref.arrays import Array
from cfc_ref.neuron.exact_solution import exact
from cfc_ref.neuron.model import LTCNeuron
from cfc_ref.neuron.trajectory import solve

__all__ = ["Timing", "main", "measure"]

_PIECES = 8
_REPEATS = 5


class Timing(NamedTuple):
    """The time of one way of solving."""

    way: str
    neurons: int
    seconds: float  # median of the repeats
    largest_error: float  # against `exact`, over the neurons that this way solved


def measure(neurons: int = 1_000_000, solved: int = 40) -> list[Timing]:
    """Time three ways to the state of neurons after eight constant pieces, in one run."""
    rng = np.random.default_rng(0)
    w, A, mu, sigma = (rng.uniform(low, high, neurons) for low, high in ((0.1, 5), (-3, 3), (-1, 1), (0.5, 4)))
    neuron = LTCNeuron(w, A, mu, sigma)
    x0, times, levels = rng.uniform(-3, 3, neurons), np.arange(float(_PIECES)), rng.uniform(-2, 2, _PIECES)
    signal, end = signals.piecewise_constant(times, levels), float(_PIECES)
    pieces = backend.pieces("numba").constant

    def compiled() -> Array:
        y = neuron.release(levels[:, None] + np.zeros(neurons)).T
        return pieces(neuron.w_tau, neuron.A, y, np.ones(_PIECES), x0)[:, -1]

    def one_by_one() -> Array:
        ones = (LTCNeuron(w[i], A[i], mu[i], sigma[i]) for i in range(solved))
        return np.array([solve(one, signal, x0[i], end, method="RK45", rtol=1e-8) for i, one in enumerate(ones)])

    truth = exact(neuron, signal, x0, end)
    ways: list[tuple[str, int, Callable[[], Array]]] = [
        ("exact (NumPy)", neurons, lambda: exact(neuron, signal, x0, end)),
        ("exact pieces (Numba)", neurons, compiled),
        ("solve_ivp RK45, rtol 1e-8", solved, one_by_one),
    ]
    return [_timed(way, many, call, truth[:many]) for way, many, call in ways]


def _timed(way: str, many: int, call: Callable[[], Array], truth: Array) -> Timing:
    result = call()  # warm
    seconds = []
    for _ in range(_REPEATS):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    return Timing(way, many, median(seconds), float(np.abs(result - truth).max()))


def main() -> None:
    """Print the table."""
    timings = measure()
    slowest = timings[-1].seconds / timings[-1].neurons
    print(f"{'':28}{'neurons':>10}{'seconds':>10}{'µs a neuron':>14}{'throughput':>13}{'error':>10}")
    for way, many, seconds, error in timings:
        each = seconds / many
        print(f"{way:28}{many:>10,}{seconds:>10.3f}{each * 1e6:>14.3f}{slowest / each:>12,.0f}x{error:>10.0e}")


if __name__ == "__main__":
    main()
