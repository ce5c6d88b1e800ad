"""Those who are compared take turns; exponents and quartiles are what they are."""

import time

import numpy as np
import pytest

from cfc_ref.bench import timing
from cfc_ref.bench.timing import Plan, clock, exponent, quartiles, take_turns
from tests.compare import assert_close


def test_they_take_turns_and_each_sample_is_the_mean_of_its_turn(monkeypatch):
    """A clock that only moves when a call is made: 3 ms of "a", 1 ms of "b"."""
    monkeypatch.setattr(timing, "_TURN", 2e-3)
    now, order = [0.0], []
    monkeypatch.setattr(timing.time, "perf_counter", lambda: now[0])
    monkeypatch.setattr(timing.time, "sleep", lambda seconds: order.append("rest"))

    def call(name, seconds):
        order.append(name)
        now[0] += seconds

    calls = {"a": clock(lambda: call("a", 3e-3)), "b": clock(lambda: call("b", 1e-3))}
    got = take_turns(calls, Plan(rounds=4, seconds=1.0))
    assert_close(got["a"], [3e-3] * 4, atol=1e-9)
    assert_close(got["b"], [1e-3] * 4, atol=1e-9)
    turns = "".join(order[2:]).split("rest")[1:]  # the first two say how many calls make a turn
    assert turns == ["aa", "bbb"] * 4


def test_a_slow_one_has_three_turns_and_the_others_go_on(monkeypatch):
    monkeypatch.setattr(timing, "_REST", 0.0)
    got = take_turns(
        {"slow": clock(lambda: time.sleep(0.02)), "fast": clock(lambda: None)}, Plan(rounds=6, seconds=0.015)
    )
    assert (len(got["slow"]), len(got["fast"])) == (3, 6)
    assert min(got["slow"]) >= 0.02


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
def test_the_exponent_is_that_of_the_power_law(power):
    n = np.array([10.0, 30.0, 1000.0])
    assert_close(exponent(n, 7 * n**power), power)
    assert exponent(n, 7 * n**power + 100) < power  # a constant part makes it smaller


def test_quartiles_are_numpys():
    samples = np.random.default_rng(0).random(11).tolist()
    assert_close(quartiles(samples), np.quantile(samples, [0.25, 0.5, 0.75]))
