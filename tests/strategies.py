"""What hypothesis draws: neurons, ranges, times and inputs, with their awkward corners on purpose."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from cfc_ref import LTCNeuron, signals
from tests import naive


def floats(low, high):
    return st.floats(low, high, allow_subnormal=False)


class Case(NamedTuple):
    """One neuron and its start, in numbers."""

    w: float
    A: float
    x0: float
    mu: float
    sigma: float
    reflection: str

    @property
    def neuron(self):
        return LTCNeuron(self.w, self.A, self.mu, self.sigma, self.reflection)

    @property
    def scale(self):
        return max(1.0, abs(self.A), abs(self.x0))

    @property
    def release_parameters(self):
        return self.mu, self.sigma

    def f(self, I):
        return naive.f(I, self.mu, self.sigma)

    def r(self, y):
        return naive.r_of_release(y, self.mu, self.sigma, self.reflection)

    def input(self, y):
        return naive.inverse_f(y, self.mu, self.sigma)


leaks = st.sampled_from([1e-6, 1e3, 1e6]) | floats(0.01, 10)
gains = st.sampled_from([-1.0, 1.0]).flatmap(lambda sign: floats(0.2, 2).map(lambda size: sign * size))
times = st.sampled_from([0.0, 1e3]) | floats(0.01, 20)
forms = st.sampled_from(["ltc", "symmetric"])


@st.composite
def cases(draw, leaks=leaks):
    A = draw(st.just(0.0) | floats(-3, 3))
    return Case(
        w=draw(leaks),
        A=A,
        x0=draw(st.just(A) | floats(-3, 3)),
        mu=draw(st.just(0.0) | floats(-1, 1)),
        sigma=draw(gains),
        reflection=draw(st.sampled_from(["release", "input"])),
    )


def ranges(low=0.0, high=1.0):
    """A range [a, b] of the release: the full one, a point, or any."""
    inside = floats(low, high)
    return st.just((low, high)) | inside.map(lambda y: (y, y)) | st.tuples(inside, inside).map(sorted).map(tuple)


class Input(NamedTuple):
    """A signal, and the same thing without the package."""

    signal: signals.Signal
    at: Callable[[float], float]
    table: Any = None  # (times, values) of a piecewise constant one


@st.composite
def tables(draw):
    """Increasing times, some before 0, and as many values."""
    gaps = draw(st.lists(floats(0.05, 4), min_size=1, max_size=4))
    times = np.cumsum([draw(floats(-2, 1)), *gaps[1:]]).tolist()
    return times, [draw(floats(-3, 3)) for _ in times]


piecewise = tables().map(
    lambda table: Input(signals.piecewise_constant(*table), lambda t: naive.value_at(t, *table), table)
)
lines = tables().map(lambda table: Input(signals.sampled(*table), lambda t: naive.line_at(t, *table)))
sines = st.tuples(floats(-3, 3), floats(-1, 1), floats(-4, 4), floats(-1, 1)).map(
    lambda p: Input(signals.sine(*p), lambda t: p[3] + p[0] * math.sin(2 * math.pi * p[1] * t + p[2]))
)
inputs = piecewise | lines | sines


def increasing_times(most=4):
    """Times >= 0, 0 itself among them at times."""
    gaps = st.lists(floats(0.05, 3), min_size=1, max_size=most)
    return st.tuples(st.sampled_from([0.0, 0.5]), gaps).map(
        lambda v: np.unique(np.cumsum([v[0] * v[1][0], *v[1]])[: len(v[1])])
    )
