"""A peer in a process of its own does what it does in this one, and what goes wrong there is said here."""

import os

import numpy as np
import pytest

from cfc_ref.bench.peers import Runner, UnavailableError
from cfc_ref.bench.processes import Apart, Here
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
    with pytest.raises(RuntimeError, match="its process ended with status 7"):
        Apart(f"{MODULE}.crash", STEP, 1)
