"""A peer in a process of its own does what it does in this one, and what goes wrong there is said here."""

import multiprocessing
import os

import numpy as np
import pytest

from cfc_ref.bench.peers import Runner
from cfc_ref.bench.processes import Apart, Here, UnavailableError
from cfc_ref.bench.workloads import WORKLOADS
from tests.compare import assert_close

STEP = WORKLOADS["step"]
MODULE = "tests.bench.test_processes"


def process_id(task):
    return Runner(os.getpid, lambda result: {"id": np.array(result)})


def absent(task):
    raise UnavailableError("not installed")


def crash(task):
    os._exit(7)


def fail_later(task):
    calls = iter(range(task.x.shape[0]))  # as many as it is tried out with
    return Runner(lambda: next(calls), lambda result: {})


@pytest.fixture(autouse=True)
def nobody_is_left_behind():
    yield
    assert multiprocessing.active_children() == []


def test_it_computes_the_same_and_takes_time():
    with (
        Apart("cfc_ref.bench.peers.with_numpy", STEP, 1) as apart,
        Here("cfc_ref.bench.peers.with_numpy", STEP, 1) as ref,
    ):
        assert len(apart.results) == 4
        for got, expected in zip(apart.results, ref.results, strict=True):
            assert_close(got["output"], expected["output"], rtol=0, atol=0)
        assert 0 < apart(3) < 10


def test_it_is_another_process():
    with Apart(f"{MODULE}.process_id", STEP, 1) as apart:
        assert apart.results[0]["id"] != os.getpid()


def test_why_it_is_not_there_is_said():
    with pytest.raises(UnavailableError, match="not installed"):
        Apart(f"{MODULE}.absent", STEP, 1)


def test_a_process_that_ends_is_an_error():
    with pytest.raises(RuntimeError, match=r"test_processes\.crash: its process ended with status 7"):
        Apart(f"{MODULE}.crash", STEP, 1)


def test_what_fails_later_is_said_with_who_and_why():
    with (
        Apart(f"{MODULE}.fail_later", STEP, 1) as apart,
        pytest.raises(RuntimeError, match=r"test_processes\.fail_later: StopIteration"),
    ):
        apart(1)
