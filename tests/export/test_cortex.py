"""Generated C runs on an emulated Cortex-M4 without a C library, and equals the golden outputs."""

import pytest

from tests.export.cortex import GCC, MODELS, QEMU, measured

pytestmark = pytest.mark.skipif(
    GCC is None or QEMU is None, reason="gcc-arm-none-eabi and qemu-system-arm are not both installed"
)


@pytest.mark.parametrize("name", MODELS)
def test_golden_outputs_on_a_microcontroller(name, tmp_path):
    status, code, weights, state, instructions = measured(MODELS[name](), tmp_path)
    assert status == 0
    assert 500 < code < 20_000
    assert weights < 5_000
    assert state == 4 * 12
    assert 500 < instructions < 50_000
