"""A network as WebAssembly computes what NumPy does, and its page says so in a browser."""

import shutil

import numpy as np
import pytest

from cfc_ref import LTC, CfC, NeuralLTC, export_wasm, wirings
from cfc_ref.export.wasm_files import StreamedRows
from tests import bad
from tests.export.browser import CHROMIUM, CLANG, LINKER, NODE, in_chromium, in_node

needs_clang = pytest.mark.skipif(CLANG is None or LINKER is None, reason="clang and wasm-ld are not both installed")
needs_node = pytest.mark.skipif(NODE is None, reason="Node is not installed")
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
SEED = {"seed": 0, "backend": "numpy"}
MODELS = {
    "default": CfC(3, wirings.AutoNCP(9, 1), **SEED),
    "no_gate": CfC(2, 4, mode="no_gate", mixed_memory=True, **SEED),
    "pure": CfC(2, 4, mode="pure", backbone_units=5, **SEED),
    "from_x0": CfC(2, 4, mode="from_x0", backbone_layers=0, **SEED),  # its rate is that of "paper_pure" too
    "ltc": LTC(3, wirings.AutoNCP(9, 1), ode_unfolds=1, **SEED),
    "neural": NeuralLTC(2, 3, solver="frozen", ode_unfolds=1, proj_size=1, **SEED),
}


@needs_clang
@needs_node
@pytest.mark.parametrize("name", MODELS)
def test_outputs_states_and_rates_are_those_of_numpy(name, tmp_path):
    model = MODELS[name]
    seen = in_node(export_wasm(model, tmp_path, "at"), rounds=1)  # "at_state" is then a name in the header
    x, dt = (np.array(seen["golden"][key], np.float32) for key in ("x", "dt"))
    x = x.reshape(len(dt), model.input_size)
    ref = model(x, timespans=dt)[0]
    np.testing.assert_allclose(seen["y"], ref, rtol=5e-6, atol=5e-6)
    traced = model.trace(x, timespans=dt)
    np.testing.assert_allclose(seen["state"], traced["state"], rtol=5e-6, atol=5e-6)
    tau = np.abs(1 / np.array(seen["rates"]))
    # a CfC's rate is that of the step; an ODE's is that of its last part, which here starts where the step before ended
    ref = traced["time_constant"] if isinstance(model, CfC) else _at_begin(model, x, traced["state"])
    np.testing.assert_allclose(1 / tau, 1 / np.abs(ref), rtol=2e-5, atol=2e-6)


def _at_begin(model, x, states):
    """Return the time constants of an LTC at the inputs and the states before each step."""
    before = np.concatenate([np.zeros_like(states[:1]), states[:-1]])
    traces = [model.trace(x[k][None], before[k], timespans=np.zeros(1, np.float32)) for k in range(len(x))]
    return np.array([trace["time_constant"][0] for trace in traces])


@needs_clang
@needs_chromium
def test_the_page_compares_itself_and_loads_nothing(tmp_path):
    page = export_wasm(MODELS["ltc"], tmp_path, "robot")
    assert {path.name for path in tmp_path.iterdir()} == {
        "robot.h", "robot_test.c", "README.md", "robot.wasm", "robot.html",
    }  # fmt: skip
    text = page.read_text(encoding="utf-8")
    assert "://" not in text
    assert "{{" not in text
    seen = in_chromium(page, tmp_path)
    assert seen["golden"] == "passed"
    assert float(seen["error"]) <= 5e-6


@needs_clang
def test_a_recording_goes_into_the_page_and_an_export_is_replaced(tmp_path):
    model, rng = CfC(2, 3, proj_size=1, seed=0), np.random.default_rng(0)
    recording = StreamedRows("</script>", rng.normal(size=(5, 2)), np.array([np.nan, 1, 0, 2, 1]), np.empty((5, 0)))
    page = export_wasm(model, tmp_path, recording=recording)
    assert r"\u003c/script>" in page.read_text(encoding="utf-8")
    assert export_wasm(model, tmp_path) == page
    page.with_suffix(".wasm").write_text("Mine.")
    bad.refuses(export_wasm, "folder", tmp_path, model=model)
    assert page.with_suffix(".wasm").read_text() == "Mine."


def test_other_arguments_are_refused(tmp_path):
    model, new = CfC(2, 3, proj_size=1, seed=0), tmp_path / "new"
    x, dt, y = np.ones((4, 2)), np.ones(4), np.ones((4, 1))
    for recording in (
        (x[:, :1], dt, y), (x[:3], dt, y), (x, dt, y[:, :0].T), (x, x, y), (x[:0], dt[:0], y[:0]),
    ):  # fmt: skip
        bad.refuses(export_wasm, "recording", StreamedRows("", *recording), model=model, folder=new)
    bad.refuses(export_wasm, "recording", (x, dt, y), model=model, folder=new)
    for compiler in ("no_such_compiler", None, shutil.which("true") or "no", shutil.which("false") or "no"):
        bad.refuses(export_wasm, "compiler", compiler, model=model, folder=new)
    bad.refuses(export_wasm, "name", "3d", model=model, folder=new)
    assert not new.exists()
