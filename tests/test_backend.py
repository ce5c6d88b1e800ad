"""The choice between NumPy and Numba, warm-up and threads."""

import contextlib
import importlib
import subprocess
import sys
import warnings

import numpy as np
import pytest

import cfc_ref
from cfc_ref import LTC, CfC, backend
from cfc_ref.cells.cfc import network
from tests import bad
from tests.compare import assert_close

CHOICES = (backend.cfc, backend.ltc, backend.pieces)


@pytest.fixture
def fresh_backend():
    """Nothing is remembered from before, nor left to what comes after."""

    def forget():
        for function in (*CHOICES, backend._numba_works, backend._warm_up):
            function.cache_clear()

    forget()
    yield
    forget()


@pytest.fixture
def no_numba(monkeypatch, fresh_backend):
    monkeypatch.setitem(sys.modules, "numba", None)


@pytest.fixture
def broken_numba(monkeypatch, fresh_backend):
    """It is installed, and fails when it is imported."""

    def fail(name):
        raise ImportError(f"{name} needs NumPy 2.3 or less")

    monkeypatch.setattr(importlib, "import_module", fail)


def assert_numpy(choose):
    assert choose("auto") == choose("numpy")
    assert all(f is None or ".kernels." not in f.__module__ for f in choose("auto"))


@pytest.mark.usefixtures("no_numba")
def test_without_numba_the_specification_runs_in_silence():
    cfc_ref.warmup()
    for choose in CHOICES:
        assert_numpy(choose)
    layer, x = CfC(2, 3, seed=0), np.ones((4, 5, 2))
    output, _, tape = layer.forward(x)
    assert tape.compute.forward is network.sequence
    layer.backend = "numpy"
    assert_close(layer(x)[0], output, 0, 0)
    bad.refuses(lambda backend: setattr(layer, "backend", backend), "backend", "numba")
    assert layer.backend == "numpy"
    with pytest.raises(ModuleNotFoundError, match="python -m pip install numba"):
        cfc_ref.set_num_threads(1)


@pytest.mark.usefixtures("broken_numba")
def test_where_numba_is_broken_one_warning_and_numpy():
    layer, x = CfC(2, 3, seed=0), np.ones((4, 5, 2))
    with pytest.warns(RuntimeWarning, match=r"installed but cannot be imported .*needs NumPy 2.3.*NumPy") as caught:
        layer(x)
    assert len(caught) == 1
    for choose in CHOICES:  # a second warning would be an error
        assert_numpy(choose)
    cfc_ref.warmup()


@pytest.mark.parametrize("kind", [CfC, LTC])
@pytest.mark.parametrize("name", ["auto", "numba"])
def test_an_error_in_a_kernel_is_raised(kind, name, monkeypatch):
    def fail(*arguments):
        raise ZeroDivisionError("in a kernel")

    monkeypatch.setattr("cfc_ref.kernels.threads.share", fail)
    with pytest.raises(ZeroDivisionError, match="in a kernel"):
        kind(2, 3, seed=0, backend=name).forward(np.ones((4, 5, 2)))


@pytest.mark.usefixtures("fresh_backend")
def test_with_numba_no_warning_and_the_kernels():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cfc_ref.warmup()
    for choose in CHOICES:
        assert choose("auto") == choose("numba") != choose("numpy")


@pytest.mark.usefixtures("fresh_backend")
def test_a_second_process_helps_to_warm_up_once_and_is_waited_for(monkeypatch):
    started = []

    @contextlib.contextmanager
    def process(words, **_):
        started.append(words)
        yield
        started.append("waited for")

    monkeypatch.setattr(subprocess, "Popen", process)
    cfc_ref.warmup()
    cfc_ref.warmup()
    monkeypatch.undo()
    words, waited = started
    assert waited == "waited for"
    subprocess.run(words, check=True)


@pytest.mark.parametrize(("name", "value"), [("executable", "/nowhere/python"), ("executable", None), ("frozen", True)])
def test_where_no_second_process_can_be_started_there_is_none(name, value, monkeypatch):
    monkeypatch.setattr(sys, name, value, raising=False)
    assert isinstance(backend._second_process("pass"), contextlib.nullcontext)


@pytest.mark.parametrize("n", [0, -1, 1.0, True, "1", None, 10**6])
def test_numbers_of_threads_that_are_refused(n):
    bad.refuses(cfc_ref.set_num_threads, "n", n)
