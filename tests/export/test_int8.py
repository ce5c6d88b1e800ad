"""Generated int8 C equals its NumPy specification in every bit, is near float64, and is refused where it is not."""

import math
import re
import shutil
import subprocess

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfc_ref import CTRNN, LTC, CfC, NeuralLTC, export_c, wirings
from cfc_ref.activations import sigmoid
from cfc_ref.bounds.contraction import contract
from cfc_ref.bounds.round_off import int8_network
from cfc_ref.cells.cfc.modes import MODES
from cfc_ref.cells.dense import Dense, affine
from cfc_ref.cells.int8.cfc_step import MODES_8
from cfc_ref.cells.int8.numbers import ACTIVATIONS_8 as FUNCTIONS
from cfc_ref.cells.int8.numbers import (
    DECAY_ERROR,
    MOST,
    NORMAL_ERROR,
    SIGMOID_ERROR,
    UNIT,
    decay,
    effective_rows,
    grid_of,
    quantise_rows,
    rounded,
    rounder,
    sigmoid_8,
)
from cfc_ref.export.float32_network import exported
from cfc_ref.export.int8_files import Int8Options, distances, int8_of
from tests import bad
from tests.cells import toy_mode
from tests.compare import assert_close, refusal
from tests.export.networks import COMPILER, STRICT, Library, in_float64, random_network, random_sequence

needs_compiler = pytest.mark.skipif(COMPILER is None, reason="no C compiler is installed")
RANGE, TIMES = (-4.0, 4.0), (0.1, 4.0)


def small():
    """A CfC whose step contracts."""
    model = CfC(2, 6, backbone_units=8, proj_size=1, seed=0, backend="numpy")
    contract(model.weights.network, TIMES, model.settings, 0.95)
    return model


def of_specification(model, x, dt):
    """Outputs of the int8 specification over a sequence."""
    params, outputs = int8_network(model, RANGE, TIMES), []
    state = params.start(1)
    for x_k, dt_k in zip(x[:, None], dt, strict=True):
        state, y = params.step(x_k, state, np.full((1, 1), dt_k, np.float32))
        outputs.append(y[0])
    return np.array(outputs)


@pytest.fixture(scope="module")
def networks():
    """A random network of every kind, with and without mixed memory."""
    found = {}
    for network in map(random_network, range(60)):
        if getattr(network, "variant", "") != "keras":  # its states may have no proved range
            kind = getattr(network, "mode", None) or network.solver
            found.setdefault((type(network), kind, network.mixed_memory), network)
    return list(found.values())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("int8")


@pytest.fixture(scope="module")
def library(networks, folder):
    return Library(networks, folder, ["own"] * len(networks), ("-O0",), int8=True, tolerance=1e9)


@needs_compiler
def test_c_is_the_specification_in_every_bit(library, networks):
    """The command ``python -m tests.export.int8_parity`` does this for 1,000 networks."""
    kinds = {(type(n).__name__, getattr(n, "mode", None) or n.solver) for n in networks}
    assert {mode for kind, mode in kinds if kind == "CfC"} == set(MODES)
    assert {("LTC", "fused"), ("LTC", "frozen"), ("NeuralLTC", "frozen")} < kinds
    for k, network in enumerate(networks):
        x, dt = random_sequence(network, np.random.default_rng(k))
        ref = of_specification(network, 2 * x, dt)
        assert np.array_equal(library.run(k, 2 * x, dt), ref), network
        assert np.array_equal(library.run(k, 2 * x, dt), ref)  # a reset starts again


@pytest.mark.skipif(shutil.which("g++") is None, reason="no C++ compiler is installed")
def test_it_is_also_cpp(library, networks, folder):
    includes = "".join(f'#include "n{k}/n{k}.h"\n' for k in range(len(networks)))
    (folder / "one.cpp").write_text(includes + "int main() { return 0; }\n", encoding="utf-8")
    line = ["g++", *STRICT[1:], "-O0", "-Wno-unused-const-variable", "one.cpp", "-o", "one"]
    subprocess.run(line, cwd=folder, check=True)


@needs_compiler
def test_no_option_of_a_compiler_changes_a_state(tmp_path):
    model = CfC(3, wirings.AutoNCP(9, 1), seed=0, proj_size=1, backend="numpy")
    library = Library([model], tmp_path, ["own"], ("-O3", "-ffast-math"), int8=True, tolerance=1e9)
    x, dt = random_sequence(model, np.random.default_rng(0))
    assert np.array_equal(library.run(0, x, dt), of_specification(model, x, dt))


@needs_compiler
@pytest.mark.parametrize("int8", [False, True])
def test_rates_are_those_of_the_network(int8, tmp_path):
    """A header's NAME_RATE sees each neuron's rate, whatever the numbers are."""
    models = [CfC(2, 4, mode=mode, seed=0, backend="numpy") for mode in MODES]
    models += [kind(2, 4, ode_unfolds=1, seed=0, backend="numpy") for kind in (LTC, NeuralLTC)]
    more = {"int8": True, "x_range": (-1.0, 1.0), "tolerance": 1e9} if int8 else {}
    library = Library(models, tmp_path, ["own"] * len(models), **more)
    x, dt = np.array([[0.3, -0.8]], np.float32), np.ones(1, np.float32)
    for k, model in enumerate(models):
        library.run(k, x, dt)
        ref = 1 / model.trace(x, timespans=0 * dt)["time_constant"][0]  # at the states before the step
        assert_close(np.abs(library.rates(k)), np.abs(ref), *((0.05, 0.02) if int8 else (2e-5, 2e-6)))


@needs_compiler
def test_the_golden_test_passes_and_can_fail(tmp_path):
    header = export_c(small(), tmp_path / "new", "robot", int8=True)
    line = re.search(r"^ \* +(cc .+)$", header.read_text(encoding="utf-8"), re.MULTILINE)[1].replace("cc", COMPILER, 1)
    ran = subprocess.run(line, shell=True, cwd=header.parent, capture_output=True, text=True)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout == "robot: 64 steps, largest error 0, passed\n"
    text = header.read_text(encoding="utf-8")
    begin = text.index("{\n", text.index("static const signed char robot_fc_W"))
    header.write_text(text[:begin] + "{1 +" + text[begin + 1 :], encoding="utf-8")
    ran = subprocess.run(line, shell=True, cwd=header.parent, capture_output=True, text=True)
    assert ran.returncode == 1


@pytest.mark.parametrize(
    "model",
    [small(), LTC(3, 16, seed=0), NeuralLTC(3, 16, seed=0)],
    ids=lambda model: type(model).__name__,
)
def test_a_header_states_what_it_computes_and_needs_nothing(model, tmp_path):
    text = export_c(model, tmp_path, int8=True, x_range=(-2, 2), dt_range=(0.5, 1.5)).read_text(encoding="utf-8")
    code = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    assert not re.search(r"\b(malloc|free|goto|extern|include|expf?|tanhf?)\b", code)
    for declared in re.findall(r"^static (?!inline).*", code, re.MULTILINE):
        assert declared.startswith("static const")
    said = " ".join(text.replace("\n *", "").split())
    outside = (
        "the proof does not cover what is outside" if isinstance(model, LTC) else "what is outside counts as the end"
    )
    assert f"-2 to 2; {outside}" in said
    assert re.search(r"Off float64 by \S+ % of the output's range at most in 64 golden steps", said)
    assert "times from 0.5 to 1.5, IEEE" in said
    assert "one step's rounding: state" in said
    float32 = export_c(model, tmp_path, "single").read_text(encoding="utf-8")
    sizes = [int(re.search(r"([\d,]+) bytes of weights", t)[1].replace(",", "")) for t in (text, float32)]
    tables = 2 * 257
    assert sizes[0] - tables < 0.6 * sizes[1]
    assert "bytes of flash" in (tmp_path / "README.md").read_text(encoding="utf-8")


def test_int8_is_near_float64():
    """The largest error over random inputs, of networks that contract: the commands of the results page do more."""
    for model in (small(), LTC(2, wirings.AutoNCP(9, 1), seed=0, backend="numpy"), NeuralLTC(2, 5, backend="numpy")):
        int8 = int8_of(model, exported(model), RANGE, TIMES)
        (found,) = distances(int8, None)
        assert 0 < found.typical < found.largest < 0.02, model


def test_exact_outputs_are_those_of_the_layer_in_float64():
    model = small()
    int8 = int8_of(model, exported(model), RANGE, TIMES)
    x, dt = random_sequence(model, np.random.default_rng(0))
    begins = np.arange(len(x)) % 20 == 0
    ref = [in_float64(model)(a.astype(float), timespans=b.astype(float))[0] for a, b in
           zip(np.split(x, [20, 40, 60]), np.split(dt, [20, 40, 60]), strict=True)]  # fmt: skip
    assert np.allclose(int8.exact(x, dt, begins), np.concatenate(ref), rtol=0, atol=1e-12)
    run = int8.run(x, dt, begins)
    assert np.array_equal(run[20:40], int8.run(x[20:40], dt[20:40]))


def test_every_mode_has_int8_and_others_are_refused(monkeypatch, tmp_path):
    assert set(MODES_8) == set(MODES)
    monkeypatch.setitem(MODES, "toy", toy_mode.TOY)
    with pytest.raises(ValueError, match=refusal("model")):
        export_c(CfC(2, 3, mode="toy", seed=0), tmp_path / "new", int8=True)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("argument", "value", "cause"),
    [
        ("model", CfC(2, 3, variant="keras", backbone_layers=0, seed=0), "no proved range"),
        ("model", CfC(2, 3, mode="pure", backbone_layers=0, seed=0), "no proved range"),
        ("model", LTC(2, 3, solver="rk4", seed=0), "'rk4'"),
        ("model", LTC(2, 3, solver="cf4", seed=0), "'cf4'"),
        ("model", CTRNN(2, 3, seed=0), ""),
        ("tolerance", 1e-6, "of the output's range"),
        ("tolerance", 0, "above 0"),
        *(("tolerance", value, "") for value in ("1", math.nan, True)),
        *(("x_range", value, "") for value in (1.0, (1, 0), (0, math.nan), (0, [1, 2, 3]))),
        *(("held_back", value, "") for value in (3, {}, {"x": np.ones((2, 3)), "dt": np.ones(2), "begins": [1, 0]})),
        *(("int8", value, "") for value in (1, "yes", None)),
    ],
)
def test_refusals_write_nothing(argument, value, cause, tmp_path):
    arguments = {"model": small(), "int8": True, "folder": tmp_path / "new", argument: value}
    if argument == "model" and getattr(value, "mode", None) == "pure":
        arguments["dt_range"] = (0, 1)
    with pytest.raises((ValueError, TypeError), match=refusal(argument)) as info:
        export_c(**arguments)
    assert cause in str(info.value)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("argument", [{"tolerance": 0.1}, {"x_range": (0, 1)}, {"held_back": {}}])
def test_arguments_of_int8_need_it(argument, tmp_path):
    (name,) = argument
    bad.refuses(export_c, name, argument[name], model=small(), folder=tmp_path / "new")


@pytest.mark.parametrize("kind", [CfC, LTC, NeuralLTC])
def test_weights_that_are_too_large_for_32_bits_are_refused(kind, tmp_path):
    model = kind(2, 3, seed=0, backend="numpy")
    for name, array in model.parameters.items():
        if not name.endswith("mask"):
            array[...] *= 1e8
    with pytest.raises(ValueError, match=r"model: got weights that make arguments .*32 bits"):
        export_c(model, tmp_path / "new", int8=True)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(("kind", "key"), [(CfC, "rnn_cell.ff1.weight"), (NeuralLTC, "rnn_cell.f.weight")])
def test_more_columns_than_sums_of_32_bits_hold_are_refused(kind, key, tmp_path):
    model = kind(133_200, 1, seed=0, backend="numpy", **({"backbone_layers": 0} if kind is CfC else {}))
    model.parameters["rnn_cell.f.bias" if kind is NeuralLTC else "rnn_cell.ff1.bias"][...] = 0
    model.parameters[key][...] = 1e-9  # all as large as can be in int8, with small sums of reals
    with pytest.raises(ValueError, match=r"model: got a linear map of 133,20\d columns, whose sums exceed 32 bits"):
        export_c(model, tmp_path / "new", int8=True)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("b", [0, 2**20])
def test_the_largest_sum_of_32_bits_is_accepted(b):
    """127 · 127 per column and b, itself at most 2^28: with less than 116,501 columns no sum is refused."""
    columns = (2**31 - 1 - b) // MOST**2
    weights, rounded_b = np.full((1, columns + 1), 1e-9), np.array([b * 1e-9 / MOST**2])  # of steps of 1/127
    rows = quantise_rows(Dense(weights[:, 1:], rounded_b), grid_of(-np.ones(columns), np.ones(columns)), UNIT)
    assert 2**31 - MOST**2 <= MOST * np.abs(rows.W).sum() + rows.b < 2**31
    with pytest.raises(ValueError, match="columns, whose sums exceed 32 bits"):
        quantise_rows(Dense(weights, rounded_b), grid_of(-np.ones(columns + 1), np.ones(columns + 1)), UNIT)
    wide = Dense(np.full((1, 116_500), 1e-9), np.array([1.0]))
    assert quantise_rows(wide, grid_of(-np.ones(116_500), np.ones(116_500)), UNIT).b <= 2**28


def test_an_offset_that_is_too_large_for_32_bits_is_refused(tmp_path):
    model = LTC(2, 3, seed=0, backend="numpy")
    model.parameters["rnn_cell.input_b"][...] = -1e6
    with pytest.raises(ValueError, match=r"model: got an input map .*32 bits"):
        export_c(model, tmp_path / "new", int8=True, x_range=(1e6, 1e6 + 1))
    assert not (tmp_path / "new").exists()


def test_the_golden_test_allows_what_a_compiler_may_change(tmp_path):
    """States of a CfC are integers; the last digit of an ODE's float may move a later integer."""
    for model, tolerance, then in ((small(), "5e-06f", "integers stay"), (LTC(2, 3, seed=0), "0.0005f", "last digits")):
        export_c(model, tmp_path, int8=True, tolerance=1)
        assert f"tolerance = {tolerance};" in (tmp_path / "network_test.c").read_text(encoding="utf-8")
        assert then in (tmp_path / "README.md").read_text(encoding="utf-8")


def test_int8_and_float32_of_one_name_replace_each_other(tmp_path):
    for int8 in (False, True, False):
        text = export_c(small(), tmp_path, "robot", int8=int8).read_text(encoding="utf-8")
        assert ("signed char" in text) == int8
        assert ("the int8 specification" in (tmp_path / "robot_test.c").read_text(encoding="utf-8")) == int8
    assert len(list(tmp_path.iterdir())) == 3


def test_held_back_rows_decide(tmp_path):
    """Inputs far outside of the range count as its end: int8 is then far from float64."""
    model = small()
    rows = {"x": np.linspace(-3, 3, 40).reshape(20, 2), "dt": np.ones(20), "begins": np.zeros(20, bool)}
    export_c(model, tmp_path, int8=True, held_back=rows, tolerance=0.1)
    with pytest.raises(ValueError, match="held-back rows"):
        export_c(model, tmp_path, int8=True, held_back=rows | {"x": 30 * rows["x"]})
    with pytest.raises(ValueError, match="above 0"):
        Int8Options(True, tolerance=-1).checked(exported(model))


# --- numbers


def test_tables_err_as_they_say():
    z = np.concatenate([np.arange(-70_000, 70_000), [-(1 << 30), 1 << 30]])
    real = z / UNIT
    assert np.abs(sigmoid_8(z) / 2**14 - sigmoid(real)).max() <= SIGMOID_ERROR < 2e-4
    normal = np.array([math.erfc(-v / math.sqrt(2)) / 2 for v in real[::50]])
    half = FUNCTIONS["gelu"].function(z[::50]) / UNIT
    assert (np.abs(half - real[::50] * normal) <= np.abs(real[::50]) * NORMAL_ERROR + 1 / UNIT).all()
    assert np.abs(decay(z[z >= 0]) / 2**14 - np.exp(-real[z >= 0])).max() <= DECAY_ERROR < 2e-4


@given(st.integers(0, 10**6), st.sampled_from([0.0, 3.0, 50.0]), st.sampled_from([1e-3, 1.0, 20.0]))
def test_a_number_of_a_grid_is_off_by_half_a_step(seed, centre, width):
    rng = np.random.default_rng(seed)
    grid = grid_of(centre - width * rng.random(3), centre + width * rng.random(3))
    value = rng.uniform(*grid.ends, (50, 3)).astype(np.float32)
    allowed = (0.5 + 2 / 256) * grid.step + 2.0**-22 * np.abs(value)
    assert (np.abs(grid.real(rounded(rounder(grid), value)) - value) <= allowed).all()
    far = grid.real(rounded(rounder(grid), np.array([[1e30] * 3, [-1e30] * 3], np.float32)))
    assert np.allclose(far, grid.ends[::-1])


@given(st.integers(0, 10**6), st.sampled_from([1.0, 2.0, 1.332]), st.booleans())
def test_rows_are_the_map_that_they_say(seed, gain, minus):
    rng, unit = np.random.default_rng(seed), UNIT * gain
    params = Dense(rng.normal(size=(4, 3)) * rng.choice([1e-3, 1.0, 30.0], (4, 1)), rng.normal(size=4))
    grid = grid_of(*np.sort(rng.normal(scale=3, size=(2, 3)), axis=0))
    rows, q = quantise_rows(params, grid, unit), rng.integers(-MOST, MOST + 1, (20, 3))
    sign = -1 if minus else 1
    found = rows.argument(q, minus=minus) / unit
    near = affine(effective_rows(rows, grid, unit, minus=minus), sign * grid.real(q))
    assert (np.abs(found - near) <= 1 / unit + 2.0**-21 * np.abs(near)).all()
    step = rows.scale[:, None] / unit / grid.step
    assert (np.abs(effective_rows(rows, grid, unit).W - params.W) <= 0.51 * step).all()
    assert np.abs(rows.W).max() <= MOST
