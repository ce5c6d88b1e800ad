"""Generated C compiles without a warning, computes what NumPy does, and is refused where there is none."""

import ctypes
import math
import re
import shutil
import subprocess

import numpy as np
import pytest

from cfc_ref import LSTM, LTC, CfC, CfCRegressor, NeuralLTC, export_c, wirings
from cfc_ref.activations import sigmoid
from cfc_ref.bounds.contraction import contract
from cfc_ref.bounds.ranged import ERF, FUNCTION
from cfc_ref.cells.cfc.modes import MODES
from cfc_ref.export.c_cfc import MODES_IN_C
from cfc_ref.export.c_math import functions
from tests import bad
from tests.cells import toy_mode
from tests.compare import refusal
from tests.export.networks import COMPILER, STRICT, Library, errors, random_network, random_sequence

needs_compiler = pytest.mark.skipif(COMPILER is None, reason="no C compiler is installed")
COUNT = 30
MATHS = [("libm", "own")[k % 2] for k in range(COUNT)]


@pytest.fixture(scope="module")
def networks():
    return [random_network(k) for k in range(COUNT)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("c")


@pytest.fixture(scope="module")
def library(networks, folder):
    return Library(networks, folder, MATHS, ("-O0",))


@needs_compiler
def test_c_is_numpy_in_float32(library, networks):
    """The command ``python -m tests.export.parity`` does this for 1,000 networks."""
    kinds = {(type(n).__name__, getattr(n, "mode", None) or n.solver) for n in networks}
    assert {mode for kind, mode in kinds if kind == "CfC"} == set(MODES)
    assert {("LTC", "fused"), ("LTC", "frozen"), ("NeuralLTC", "fused")} < kinds
    for k, network in enumerate(networks):
        error, rounding = errors(library, k, network, np.random.default_rng(k))
        assert error <= max(5e-6, 4 * rounding), (k, network)


@needs_compiler
def test_a_reset_starts_again(library, networks):
    for k, network in enumerate(networks[:9]):
        x, dt = random_sequence(network, np.random.default_rng(k))
        assert np.array_equal(library.run(k, x, dt), library.run(k, x, dt))
        assert np.array_equal(library.run(k, x, dt)[:3], library.run(k, x[:3], dt[:3]))


def test_every_mode_has_c():
    assert set(MODES_IN_C) == set(MODES)


def test_a_mode_without_c_is_refused(monkeypatch, tmp_path):
    monkeypatch.setitem(MODES, "toy", toy_mode.TOY)
    with pytest.raises(ValueError, match=refusal("model")):
        export_c(CfC(2, 3, mode="toy", seed=0), tmp_path)
    assert not list(tmp_path.iterdir())


def line_of(header):
    """The line that the header gives for its test."""
    return re.search(r"^ \* +(cc .+)$", header.read_text(encoding="utf-8"), re.MULTILINE)[1].replace("cc", COMPILER, 1)


@needs_compiler
@pytest.mark.parametrize("source", ["libm", "own"])
def test_the_golden_test_passes_and_can_fail(tmp_path, source):
    header = export_c(CfC(3, wirings.AutoNCP(9, 1), seed=0), tmp_path / "new", "robot", math=source)
    assert {path.name for path in header.parent.iterdir()} == {"robot.h", "robot_test.c", "README.md"}
    ran = subprocess.run(line_of(header), shell=True, cwd=header.parent, capture_output=True, text=True)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert re.fullmatch(r"robot: 64 steps, largest error \S+, passed\n", ran.stdout)
    text = header.read_text(encoding="utf-8")
    assert ("math.h" in text) == (source == "libm")
    assert "static const float" in text
    begin = text.index("{\n", text.index("static const float robot_layer_3_g_b"))
    header.write_text(text[:begin] + "{1e-3f +" + text[begin + 1 :], encoding="utf-8")
    ran = subprocess.run(line_of(header), shell=True, cwd=header.parent, capture_output=True, text=True)
    assert ran.returncode == 1
    assert "FAILED" in ran.stdout


@needs_compiler
def test_functions_of_its_own_err_as_the_certificate_of_rounding_says(tmp_path):
    names = ("exp", "expm1", "tanh", "sigmoid", "erf")
    code = "".join(functions(set(names), "own")).replace("static inline ", "")
    loops = "".join(f"void all_{n}(float *z, int k) {{ for (; k--; z++) *z = NAME_{n}(*z); }}\n" for n in names)
    (tmp_path / "own.c").write_text(code + loops, encoding="utf-8")
    subprocess.run([COMPILER, "-std=c99", "-O1", "-fPIC", "-shared", "own.c", "-o", "own.so"], cwd=tmp_path, check=True)
    library, rng = ctypes.CDLL(str(tmp_path / "own.so")), np.random.default_rng(0)
    z = np.concatenate([rng.normal(size=50_000), np.geomspace(1e-30, 87, 50_000), -np.geomspace(1e-30, 87, 50_000)])
    exact = {"exp": np.exp, "expm1": np.expm1, "tanh": np.tanh, "sigmoid": sigmoid, "erf": np.vectorize(math.erf)}
    for name in names:
        given = np.array(-np.abs(z) if name.startswith("exp") else z, np.float32)
        got = given.copy()
        getattr(library, f"all_{name}")(got.ctypes.data_as(ctypes.c_void_p), len(got))
        ref = exact[name](given.astype(float))
        allowed = {"sigmoid": 2 * FUNCTION + 4}.get(name, FUNCTION) * 2.0**-24 * np.abs(ref) + 1e-37
        assert (np.abs(got - ref) <= (ERF if name == "erf" else allowed)).all(), name


@pytest.mark.skipif(shutil.which("g++") is None, reason="no C++ compiler is installed")
def test_it_is_also_cpp(library, folder):
    """All headers of the library; a second file may include them too."""
    for name in ("one.cpp", "two.cpp"):
        includes = "".join(f'#include "n{k}/n{k}.h"\n' for k in range(COUNT))
        body = "int main() { return 0; }\n" if name == "one.cpp" else ""
        (folder / name).write_text(includes + body, encoding="utf-8")
    line = ["g++", *STRICT[1:], "-O0", "-Wno-unused-const-variable", "one.cpp", "two.cpp", "-o", "both"]
    subprocess.run(line, cwd=folder, check=True)


def test_of_a_wiring_the_synapses_that_exist_are_computed(tmp_path):
    wiring = wirings.AutoNCP(19, 1)
    ltc = LTC(3, wiring, seed=0, ode_unfolds=6)
    text = export_c(ltc, tmp_path).read_text(encoding="utf-8")
    assert f"network_w[{ltc.synapse_count}]" in text
    assert f"network_sensory_w[{ltc.sensory_synapse_count}]" in text
    exponentials = 6 * ltc.synapse_count + ltc.sensory_synapse_count
    assert f"{exponentials:,} exponentials" in text
    cfc = CfC(3, wiring, seed=0, recurrence="wired")
    text = export_c(cfc, tmp_path).read_text(encoding="utf-8")
    masks = [mask for key, mask in cfc.state_dict().items() if key.endswith("sparsity_mask")]
    for k, mask in enumerate(masks, start=1):
        assert f"network_layer_{k}_g_W[{np.count_nonzero(mask)}]" in text


@pytest.mark.parametrize("model", [CfC(3, 4, seed=0), LTC(3, 4, seed=0), NeuralLTC(3, 4, seed=0)], ids=repr)
def test_nothing_is_allocated_and_no_global_written(model, tmp_path):
    text = export_c(model, tmp_path).read_text(encoding="utf-8")
    code = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    assert not re.search(r"\b(malloc|free|goto|extern)\b", code)
    for declared in re.findall(r"^static (?!inline).*", code, re.MULTILINE):
        assert declared.startswith("static const")
    first = text.index("static const ")
    assert "Eq. (" in text[:first] or "NCP 2020" in text[:first]
    assert "_step(" in text[:first]  # the weights are last


def test_float64_is_rounded_once(tmp_path):
    model = CfC(2, 3, seed=0)
    same = CfC(**{**model.config, "dtype": "float64"}, units=3, seed=1)
    same.load_state_dict(model.state_dict())
    texts = [export_c(m, tmp_path).read_text(encoding="utf-8").replace(m.dtype.name, "") for m in (model, same)]
    assert texts[0] == texts[1]
    same.parameters["rnn_cell.ff1.bias"][0] = 1e300
    with pytest.raises(ValueError, match=refusal("model")):
        export_c(same, tmp_path)


@pytest.mark.parametrize(
    "model",
    [
        None,
        object(),
        CfC,
        LSTM(2, 3, seed=0),
        LTC(2, 3, seed=0, solver="rk4"),
        LTC(2, 3, seed=0, solver="scipy"),
        CfCRegressor(epochs=1),
    ],
    ids=lambda model: type(model).__name__,
)
def test_models_without_c_are_refused(model, tmp_path):
    bad.refuses(export_c, "model", model, folder=tmp_path / "new")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    "name", ["", "a b", "3d", "net-work", "a.h", "../a", "float", "class", "_a", "a__b", "é", "a\n", 3, None]
)
def test_names_that_are_no_identifiers_are_refused(name, tmp_path):
    bad.refuses(export_c, "name", name, model=CfC(2, 3, seed=0), folder=tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_header_of_the_standard_library_and_a_long_name_are_refused_with_the_cause(tmp_path):
    for name, cause in (("math", "hide a header"), ("Stdio", "hide a header"), ("a" * 64, "got 64 letters")):
        with pytest.raises(ValueError, match=cause):
            export_c(CfC(2, 3, seed=0), tmp_path / "new", name)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("file", ["README.md", "robot.h", "robot_test.c"])
def test_only_files_of_the_same_export_are_replaced(tmp_path, file):
    model, changed = CfC(2, 3, seed=0), CfC(2, 4, seed=0)
    (tmp_path / file).write_text("Mine.\n", encoding="utf-8")
    with pytest.raises(ValueError, match=refusal("folder")):
        export_c(model, tmp_path, "robot")
    assert [path.read_text(encoding="utf-8") for path in tmp_path.iterdir()] == ["Mine.\n"]
    (tmp_path / file).unlink()
    (tmp_path / file / "within").mkdir(parents=True)
    with pytest.raises(ValueError, match="which is a folder"):
        export_c(model, tmp_path, "robot")
    assert [path.name for path in tmp_path.iterdir()] == [file]
    export_c(model, tmp_path / "new", "robot")
    assert "4 units" in export_c(changed, tmp_path / "new", "robot").read_text(encoding="utf-8")
    export_c(model, tmp_path / "new", "other")
    assert len(list((tmp_path / "new").iterdir())) == 5
    assert (tmp_path / "new" / "README.md").read_text(encoding="utf-8").startswith("# other:")


def test_an_export_drops_nothing(tmp_path):
    for name, dropout in (("with", 0.5), ("without", 0.0)):
        export_c(CfC(2, 3, backbone_layers=2, backbone_dropout=dropout, seed=0), tmp_path / name)
    ours, theirs = (tmp_path / name / "network.h" for name in ("with", "without"))
    assert ours.read_text("utf-8") == theirs.read_text("utf-8")


def test_weights_that_are_nan_are_called_so(tmp_path):
    model = CfC(2, 3, seed=0)
    model.parameters["rnn_cell.ff1.bias"][0] = math.nan
    with pytest.raises(ValueError, match="NaN"):
        export_c(model, tmp_path)


def test_a_certificate_for_the_times_that_are_given(tmp_path):
    model = CfC(2, 4, backbone_units=4, proj_size=1, seed=0)
    contract(model.weights.network, (0.5, 1.5), model.settings, 0.95)
    said = [
        " ".join(export_c(model, tmp_path, dt_range=times).read_text(encoding="utf-8").replace("\n *", "").split())
        for times in (None, (0.5, 1.5))
    ]
    assert "times from 0.1 to 4 (those of the training are not known)" in said[0]
    assert "no certificate beyond one step" in said[0]
    assert "times from 0.5 to 1.5, IEEE" in said[1]
    assert "for ever: state" in said[1]
    for times in ((2, 1), (1, 2, 3), (0, math.inf)):
        bad.refuses(export_c, "dt_range", times, model=model, folder=tmp_path / "new")


def test_other_arguments_are_refused(tmp_path):
    model = CfC(2, 3, seed=0)
    for choice in bad.CHOICES:
        bad.refuses(export_c, "math", choice, model=model, folder=tmp_path / "new")
    bad.refuses(export_c, "raw", True, model=model, folder=tmp_path / "new")
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", "", None, 3):
        bad.refuses(export_c, "folder", folder, model=model)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_network_that_explodes_is_refused(tmp_path):
    model = CfC(2, 3, variant="keras", backbone_layers=0, seed=0)
    for array in model.parameters.values():
        array[...] *= 100
    with pytest.raises(ValueError, match=refusal("model")), np.errstate(all="ignore"):
        export_c(model, tmp_path)
