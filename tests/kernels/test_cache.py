"""Compiled code on disk: kept where it can be, replaced where it is damaged, done without where there is no place."""

import importlib
import importlib.util
import pkgutil

import numba
import numpy as np
import pytest
from numba.core import caching

from cfc_ref import kernels
from cfc_ref.kernels import compiled
from tests.kernels.unjitted import compiled_only

pytestmark = compiled_only
SOURCE = """
from cfc_ref.kernels.compiled import kernel

@kernel
def more(values):
    values[0] += 1
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Where compiled code lies; what was said before is forgotten."""
    (tmp_path / "one_line.py").write_text(SOURCE)
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(compiled, "_warned", False)
    return tmp_path


def run(folder):
    """Import the module as a new process does, call its kernel, and say whether its code came from the disk."""
    spec = importlib.util.spec_from_file_location("one_line", folder / "one_line.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    values = np.zeros(1)
    module.more(values)
    assert values[0] == 1
    return bool(module.more.stats.cache_hits)


def files(folder, suffix):
    return list(folder.rglob(f"*.{suffix}"))


def test_the_second_process_finds_the_code_of_the_first(folder):
    assert [run(folder), run(folder)] == [False, True]


def test_a_change_in_any_file_of_the_kernels_compiles_anew(folder, monkeypatch):
    run(folder)
    monkeypatch.setattr(compiled, "_stamp", lambda: ("another file",))
    assert [run(folder), run(folder)] == [False, True]


@pytest.mark.parametrize("keep", [0, 10, 0.5, -1])
@pytest.mark.parametrize("suffix", ["nbi", "nbc"])
def test_a_damaged_file_is_replaced(folder, suffix, keep):
    run(folder)
    (path,) = files(folder, suffix)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * keep) if isinstance(keep, float) else keep])
    assert [run(folder), run(folder)] == [False, True]


@pytest.mark.parametrize("suffix", ["nbi", "nbc"])
def test_a_file_of_other_bytes_is_replaced(folder, suffix):
    run(folder)
    for path in files(folder, suffix):
        path.write_bytes(b"PK" + bytes(range(256)) * 9)
    assert [run(folder), run(folder)] == [False, True]


def test_a_file_that_can_not_be_read_is_named_once(folder):
    run(folder)
    (path,) = files(folder, "nbi")
    path.unlink()
    path.mkdir()
    with pytest.warns(RuntimeWarning, match=r"cannot be kept on disk.*delete the folder .*cache") as caught:
        run(folder)
    assert len(caught) == 1
    assert not run(folder)  # another warning would be an error


def test_without_a_folder_kernels_are_compiled_without_a_cache(folder, monkeypatch):
    monkeypatch.setattr(caching.CacheImpl, "_locator_classes", [])
    with pytest.warns(RuntimeWarning, match=r"cannot be kept on disk.*NUMBA_CACHE_DIR") as caught:
        assert not run(folder)
    assert len(caught) == 1
    assert not run(folder)


def test_a_cache_path_that_is_a_file_is_no_error(folder, monkeypatch):
    (folder / "cache").write_text("")
    given = [kind for kind in caching.CacheImpl._locator_classes if "UserProvided" in kind.__name__]
    monkeypatch.setattr(caching.CacheImpl, "_locator_classes", given)
    with pytest.warns(RuntimeWarning, match=r"cannot be kept on disk.*NUMBA_CACHE_DIR") as caught:
        assert not run(folder)
    assert len(caught) == 1


def test_every_kernel_is_kept_so():
    """Those of CfC, LTC and one neuron: what holds for one line holds for them, as none has Numba's own cache."""
    kept = set()
    for module in pkgutil.walk_packages(kernels.__path__, "cfc_ref.kernels."):
        for name, value in vars(importlib.import_module(module.name)).items():
            own = getattr(value, "_cache", caching.NullCache())
            assert isinstance(own, compiled._Cache | caching.NullCache), f"{module.name}.{name}"
            if isinstance(own, compiled._Cache):
                kept.add(value.__module__)
    assert {"cfc_ref.kernels.ltc.loops", "cfc_ref.kernels.ltc.streaming", "cfc_ref.kernels.cfc.streaming"} <= kept


def test_an_inner_function_is_called_by_kernels_only():
    inner = compiled.inner(lambda x: x + 1)
    assert numba.njit(lambda x: inner(x))(1) == 2
    with pytest.raises((TypeError, ValueError), match=r"index|in list"):
        inner(1)


def test_a_number_without_a_kernel_raises():
    choose = compiled.dispatch([compiled.inner(lambda x: x + 1), compiled.inner(lambda x: x + 2)])
    call = numba.njit(lambda number, x: choose(number, x))
    assert [call(0, 1), call(1, 1)] == [2, 3]
    with pytest.raises(ValueError, match="no kernel has this number"):
        call(2, 1)


def test_a_full_disk_is_no_error(folder, monkeypatch):
    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(caching.IndexDataCacheFile, "save", full)
    with pytest.warns(RuntimeWarning, match="No space left on device"):
        run(folder)
