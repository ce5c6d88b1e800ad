"""Generated C runs on an emulated Cortex-M4 without a C library, and equals the golden outputs."""

import pytest

from cfc_ref import CfC, export_c
from tests import bad
from tests.export.cortex import MODELS, THERE, rows

needs_chip = pytest.mark.skipif(not THERE, reason="gcc-arm-none-eabi and qemu-system-arm are not both installed")


@needs_chip
@pytest.mark.parametrize("int8", [False, True])
@pytest.mark.parametrize("name", MODELS)
def test_golden_outputs_on_a_microcontroller(name, int8, tmp_path):
    export_c(MODELS[name](), tmp_path, "n", math="own", measure=True, int8=int8)
    said = rows(tmp_path / "README.md")
    assert said["on an emulated Cortex-M4: golden test"] == "passed"
    weights, state, arrays, flash, stack, instructions = (
        int(said[what].replace(",", ""))
        for what in (
            "weights and indices, bytes of flash",
            "state, bytes of RAM per stream",
            "arrays of a step, bytes of stack, at most",
            "bytes of flash, code and weights",
            "bytes of stack of a step",
            "instructions of a step, mean over the golden ones",
        )
    )
    assert weights + 500 < flash < weights + 10_000
    assert state == (1 if int8 and name == "CfC" else 4) * 12
    assert 0 < stack < arrays + 1000
    assert 500 < instructions < 50_000


def test_a_measurement_without_the_tools_or_with_a_library_is_refused(tmp_path, monkeypatch):
    model = CfC(2, 3, seed=0)
    bad.refuses(export_c, "measure", True, model=model, folder=tmp_path / "new")
    for value in ("yes", 1, None):
        bad.refuses(export_c, "measure", value, model=model, folder=tmp_path / "new", math="own")
    monkeypatch.setenv("PATH", str(tmp_path))
    bad.refuses(export_c, "measure", True, model=model, folder=tmp_path / "new", math="own")
    assert not (tmp_path / "new").exists()
