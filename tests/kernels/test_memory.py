"""Memory that is used again: whole cache lines, nobody's while somebody looks at it, and not more than a little."""

import threading

import numpy as np
import pytest

from cfc_ref import CfC
from cfc_ref.kernels import memory


@pytest.fixture(autouse=True)
def waiting(monkeypatch):
    """Nothing waits for use at first."""
    before = dict(memory._waiting)
    memory._waiting.clear()
    yield memory._waiting
    memory._waiting.clear()
    memory._waiting.update(before)


def address(array):
    return array.__array_interface__["data"][0]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(), (0,), (1,), (3, 5), (100, 1000), (2, 0, 7)])
def test_an_array_begins_at_a_cache_line(shape, dtype):
    array = memory.aligned(shape, dtype)
    assert array.shape == shape
    assert array.dtype == dtype
    assert array.size == 0 or address(array) % 64 == 0
    assert array.flags.carray


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_arrays_in_one_piece_do_not_meet(dtype):
    shapes = [(3, 5), (), (0, 4), (100, 7), (1,)]
    arrays = memory.aligned_all(shapes, dtype)
    for k, (array, shape) in enumerate(zip(arrays, shapes, strict=True)):
        assert array.shape == shape
        assert array.dtype == dtype
        assert array.flags.carray
        assert array.size == 0 or address(array) % 64 == 0
        array[...] = k
    assert all((array == k).all() for k, array in enumerate(arrays))


def test_memory_is_used_again_once_its_last_view_is_gone():
    first = memory.aligned((1000, 100), "float32")
    place, part = address(first), first[10:, ::2].T
    del first
    other = memory.aligned((1000, 100), "float32")
    assert not np.shares_memory(other, part)
    del part
    assert address(memory.aligned((500, 100), "float64")) == place  # as many bytes


def test_small_arrays_are_not_worth_it(waiting):
    memory.aligned((10,), "float32")
    assert not waiting


def test_little_is_kept(monkeypatch, waiting):
    monkeypatch.setattr(memory._Lent.__del__, "__defaults__", (waiting, 1_000_000))
    arrays = [memory.aligned((50_000 + k,), "float64") for k in range(4)]
    memory.aligned((200_000,), "float64")  # more than is ever kept
    assert not waiting
    for most in (1, 2, 2, 2):
        arrays.pop()
        assert sum(map(len, waiting.values())) <= most
        assert sum(size * len(pieces) for size, pieces in waiting.items()) <= 1_000_000


def test_threads_do_not_get_the_same_memory():
    clashes = []

    def work(own):
        for _ in range(300):
            array = memory.aligned((20_000,), "float32")
            array[...] = own
            if not (array == own).all():
                clashes.append(own)

    workers = [threading.Thread(target=work, args=(own,)) for own in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not clashes


def test_what_a_layer_gave_stays_as_it_was():
    """Outputs, gradients and tapes live on while more is computed in the same sizes."""
    layer, rng = CfC(8, 32, seed=0, backend="numba"), np.random.default_rng(0)
    given = []
    for _ in range(3):
        output, hx, tape = layer.forward(rng.normal(size=(32, 20, 8)))
        g = layer.backward(tape, np.ones_like(output))
        arrays = [output, hx, g.x, g.hx, *g.parameters.values()]
        given.append((arrays, [array.copy() for array in arrays], tape))
    for arrays, before, tape in given:
        again = layer.backward(tape, np.ones_like(arrays[0]))
        for array, was in zip([*arrays, again.x], [*before, before[2]], strict=True):
            assert np.array_equal(array, was)
