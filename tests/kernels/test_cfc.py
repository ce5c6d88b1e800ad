"""The kernels of CfC networks: rows do not see each other, threads change nothing, and the layer that calls them."""

import os
import subprocess
import sys

import numpy as np
import pytest

import cfc_ref
from cfc_ref import CTRNN, CfC, wirings
from cfc_ref import backend as backends
from cfc_ref.kernels import threads
from tests import bad
from tests.compare import assert_close
from tests.kernels.fresh import all_nan
from tests.kernels.unjitted import compiled_only
from tests.layers.strategies import MODES, Outcome, arrays_of, assert_same, inputs_for, run

NETWORKS = {
    **{mode: {"units": 20, "mode": mode} for mode in MODES},
    "memory": {"units": 20, "mixed_memory": True},
    "memory to the input": {"units": 20, "mixed_memory": True, "variant": "keras", "activation": "silu"},
    "wired": {"units": wirings.AutoNCP(40, 5)},
}


@pytest.fixture(params=NETWORKS)
def layer(request):
    return CfC(3, **NETWORKS[request.param], seed=0, backend="numba")


@compiled_only
@pytest.mark.usefixtures("all_threads")
def test_the_number_of_threads_changes_no_bit(layer, monkeypatch):
    monkeypatch.setattr("cfc_ref.kernels.cfc.network._WORTH_A_THREAD", 1)  # every row is cut off
    inputs = inputs_for(layer, np.random.default_rng(0), B=37, T=5)
    d = np.random.default_rng(1).normal(size=(37, 5, layer.output_size))
    outcomes = []
    for n in (1, threads.MOST):
        cfc_ref.set_num_threads(n)
        outcomes.append(arrays_of(run(layer, inputs, d)))
    for name, ref in outcomes[0].items():
        assert_close(outcomes[1][name], ref, 0, 0)


@compiled_only
def test_a_rows_bits_do_not_depend_on_the_rows_beside_it(layer):
    inputs = inputs_for(layer, np.random.default_rng(0), B=37, T=5)
    outputs, _ = layer(*inputs)
    few = [3, 4, 36]
    hx = tuple(part[few] for part in inputs.hx) if layer.mixed_memory else inputs.hx[few]
    assert_close(layer(inputs.x[few], hx, inputs.timespans[few])[0], outputs[few], 0, 0)


PIECES = [  # rows, worth so many parts, at most so many a piece: so many pieces for three threads
    *[(10, 3, 99, 3), (10, 9, 99, 3), (2, 3, 99, 2), (1, 3, 99, 1), (0, 3, 99, 1), (10, 0, 1, 1)],
    *[(10, 9, 3, 6), (12, 9, 4, 3), (20, 9, 16, 3), (100, 9, 16, 9), (3, 9, 16, 3), (5, 9, 1, 5), (0, 9, 2, 1)],
]


@pytest.mark.parametrize(("rows", "parts", "grain", "pieces"), PIECES)
def test_rows_are_shared_out_once_each_in_pieces_of_one_size(rows, parts, grain, pieces, monkeypatch):
    monkeypatch.setattr(threads, "_used", 3)
    seen, sizes = np.zeros(rows, int), []

    def take(array, first, last):
        sizes.append(last - first)
        array[first:last] += 1

    threads.share(take, (seen,), rows, parts, grain)
    assert (seen == 1).all()
    assert len(sizes) == pieces
    assert max(sizes) - min(sizes) <= 1
    assert pieces == 1 or max(sizes) <= grain


@pytest.mark.usefixtures("all_threads")
@pytest.mark.parametrize("dropout", [0.0, 0.4])
@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("order", ["by length", "mixed", "masked in between", "one step"])
def test_steps_masked_in_rows_side_by_side_are_skipped_without_a_trace(network, dropout, order, monkeypatch):
    """Whatever was in the memory that is used again: here it is NaN."""
    if dropout and network == "wired":
        pytest.skip("a wired network has no backbone")
    monkeypatch.setattr("cfc_ref.kernels.cfc.network._WORTH_A_THREAD", 1)
    monkeypatch.setattr("cfc_ref.kernels.cfc.network.aligned_all", all_nan)
    settings = {**NETWORKS[network], "seed": 0, "dtype": "float64", "proj_size": 2}
    if dropout:
        settings |= {"backbone_dropout": dropout, "backbone_layers": 2}
    rng, (B, T) = np.random.default_rng(0), (75, 9)
    lengths = rng.integers(0, T, B)  # no sequence has a real last step, some none at all
    mask = np.arange(T) < (np.sort(lengths)[::-1] if order == "by length" else lengths)[:, None]
    if order == "masked in between":
        mask[:40, 2:4] = False
    elif order == "one step":  # of a tile of the forward none, of one of the backward some are real
        B, T, mask = 18, 1, np.arange(18)[:, None] >= 9
    outcomes = []
    for backend in ("numpy", "numba"):
        layer = CfC(3, **settings, backend=backend)
        x, hx, timespans, _ = inputs_for(layer, np.random.default_rng(1), B=B, T=T)
        d = np.random.default_rng(2).normal(size=(B, T, 2))
        rng = np.random.default_rng(3) if dropout else None
        output, last, tape = layer.forward(np.where(mask[..., None], x, np.nan), hx, timespans, mask, rng=rng)
        outcomes.append(Outcome(output, last, layer.backward(tape, d)))
    assert_same(*outcomes)


def test_an_error_in_another_thread_is_raised(monkeypatch):
    monkeypatch.setattr(threads, "_used", 2)

    def fail(first, last):
        if first:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        threads.share(fail, (), 2, 2, 1)


FORKED = """
import os, sys
import numpy as np
from cfc_ref import CfC
from cfc_ref.kernels import threads
from cfc_ref.kernels.cfc import network

network._WORTH_A_THREAD = 1
threads._used = threads.MOST = 2
layer, x = CfC(2, 3, seed=0, backend="numba"), np.ones((4, 5, 2))
ref = layer(x)[0]
assert threads._pool
child = os.fork()
if not child:
    os._exit(0 if np.array_equal(layer(x)[0], ref) else 1)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_process_has_threads_of_its_own():
    done = subprocess.run([sys.executable, "-c", FORKED], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr


# --- the choice


def test_a_layer_computes_what_it_is_told_to():
    layer, x = CfC(2, 3, seed=0), np.ones((4, 5, 2))
    for name in ("numpy", "numba", "auto"):
        layer.backend = name
        assert layer.forward(x)[2].compute == backends.cfc("numpy" if name == "numpy" else "numba")


def test_a_tape_is_read_by_what_wrote_it():
    layer, x = CfC(2, 3, seed=0, dtype="float64"), np.ones((4, 5, 2))
    for before, after in (("numpy", "numba"), ("numba", "numpy")):
        layer.backend = before
        output, _, tape = layer.forward(x)
        ref = layer.backward(tape, output).x
        layer.backend = after
        assert_close(layer.backward(tape, output).x, ref, 0, 0)


def test_a_layer_without_kernels_refuses_them():
    bad.refuses(CTRNN, "backend", "numba", input_size=2, units=3)
    assert CTRNN(2, 3, seed=0).backend == "auto"


@compiled_only
def test_kernels_compile_for_two_dtypes_only():
    """Whatever is given, they are called with the same types of arrays; another type would compile for seconds."""
    from cfc_ref.kernels.cfc.loops import _forward
    from cfc_ref.kernels.cfc.loops_back import _backward

    for dtype in ("float32", "float64"):
        layer = CfC(2, 3, seed=0, dtype=dtype, backend="numba")
        for B, T in ((1, 1), (1, 4), (4, 1), (3, 4)):
            x, mask = np.ones((B, T, 2), dtype), np.broadcast_to(True, (B, T))
            for timespans in (None, 0.5, np.broadcast_to(np.float32(0.5), (T,))):
                output, _, tape = layer.forward(np.broadcast_to(x[0], x.shape), None, timespans, mask)
                layer.backward(tape, np.broadcast_to(output[0], output.shape))
    assert len(_forward.signatures) <= 2
    assert len(_backward.signatures) <= 2
