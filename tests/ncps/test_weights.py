"""Weights from ncps and back. What needs PyTorch is skipped without it; the rest reads arrays of ncps's names."""

import contextlib
import sys
import types

import numpy as np
import pytest

import cfc_ref
from cfc_ref import LTC, CfC, NeuralLTC, from_ncps, load, save, to_ncps_state_dict, wirings
from tests import bad
from tests.compare import assert_close, refusal

X = np.cos(np.arange(30)).reshape(2, 5, 3)
T = np.linspace(0, 2, 10).reshape(2, 5)
NCP = wirings.NCP(5, 4, 2, 3, 2, 3, 2)

CASES = {  # arguments of a layer -> what has to be told beside its arrays
    "default": ({}, {"mode": "default", "activation": "lecun_tanh"}),
    "no_gate, deep": (
        {"mode": "no_gate", "activation": "gelu", "backbone_layers": 3, "backbone_units": 4},
        {"mode": "no_gate", "activation": "gelu"},
    ),
    "pure": ({"mode": "pure", "activation": "silu"}, {"activation": "silu"}),
    "pure without backbone": ({"mode": "pure", "backbone_layers": 0, "proj_size": 2}, {}),
    "mixed memory": ({"mixed_memory": True, "proj_size": 2}, {"mode": "default", "activation": "lecun_tanh"}),
    "keras": ({"variant": "keras", "mixed_memory": True}, {"mode": "default", "activation": "lecun_tanh"}),
    "wired": ({"units": NCP}, {"mode": "default", "wiring": NCP}),
    "wired, pure, mixed": ({"units": NCP, "mode": "pure", "mixed_memory": True}, {"wiring": NCP}),
}


def made(arguments, **others):
    arguments = {"units": 4, "dtype": "float64", "seed": 0, **arguments, **others}
    return CfC(3, arguments.pop("units"), **arguments)


@pytest.mark.parametrize("case", CASES)
def test_arrays_and_what_they_do_not_say_give_the_layer(case):
    arguments, told = CASES[case]
    model = made(arguments)
    again = from_ncps(model.state_dict(), **told, variant=model.variant)
    assert again.dtype == np.float64
    assert {**again.config, "backbone_units": None} == {**model.config, "backbone_units": None}
    for ours, theirs in zip(again(X, timespans=T), model(X, timespans=T), strict=True):
        assert_close(ours, theirs, rtol=0, atol=0)


@pytest.mark.parametrize("case", CASES)
def test_the_error_lists_all_that_is_missing(case):
    arguments, told = CASES[case]
    names = [name for name in told if not (name == "mode" and arguments.get("mode") == "pure")]
    if names:
        with pytest.raises(ValueError, match=refusal("source")) as caught:
            from_ncps(made(arguments).state_dict())
        assert all(name in str(caught.value) for name in names)


def test_float32_stays_float32():
    arrays = made({}, dtype="float32").state_dict()
    assert from_ncps(arrays, mode="default", activation="lecun_tanh").dtype == np.float32


def test_dropout_in_the_names_does_not_matter():
    """ncps numbers a backbone's maps among its activations and dropouts, whose share no array says."""
    model = made({"backbone_layers": 3, "backbone_dropout": 0.3, "activation": "relu"})
    assert "rnn_cell.backbone.5.weight" in model.state_dict()
    again = from_ncps(model.state_dict(), mode="default", activation="relu")
    assert_close(again(X)[0], model(X)[0], rtol=0, atol=0)


def test_a_forget_bias_goes_into_the_bias():
    model = made({"mixed_memory": True}, forget_bias=2.5)
    plain = made({"mixed_memory": True})
    plain.load_state_dict(to_ncps_state_dict(model))
    assert_close(plain(X)[0], model(X)[0], rtol=1e-14)


LTCS = [
    {"units": 4},
    {"units": NCP, "mixed_memory": True, "implicit_param_constraints": False},
    {"units": NCP, "input_mapping": "none", "output_mapping": "linear", "ode_unfolds": 3},
]


@pytest.mark.parametrize("arguments", LTCS)
def test_an_ltcs_masks_say_its_wiring(arguments):
    model = LTC(3, **arguments, dtype="float64", seed=0)
    told = {name: getattr(model, name) for name in ("ode_unfolds", "implicit_param_constraints")}
    again = from_ncps(to_ncps_state_dict(model), **told)
    assert again.config == model.config
    assert np.array_equal(again.wiring.adjacency_matrix, model.wiring.adjacency_matrix)
    assert_close(again(X, timespans=T)[0], model(X, timespans=T)[0], rtol=0, atol=0)
    with pytest.raises(ValueError, match="ode_unfolds, implicit_param_constraints"):
        from_ncps(model.state_dict())


def test_without_an_output_map_an_ltcs_wiring_has_to_be_told():
    model = LTC(3, NCP, output_mapping=None, dtype="float64", seed=0)
    told = {"ode_unfolds": 6, "implicit_param_constraints": True}
    bad.refuses(from_ncps, "source", model.state_dict(), **told)
    again = from_ncps(model.state_dict(), **told, wiring=NCP)
    assert_close(again(X)[0], model(X)[0], rtol=0, atol=0)


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.pop("rnn_cell.ff1.weight"),
        lambda d: d.pop("rnn_cell.ff2.bias"),
        lambda d: d.update({"extra": np.zeros(1)}),
        lambda d: d.update({"rnn_cell.ff2.weight": np.zeros((4, 5))}),
        lambda d: d.update({"rnn_cell.ff1.weight": np.zeros(4)}),
        lambda d: d.update({"rnn_cell.ff2.bias": np.full(4, np.nan)}),
        lambda d: d.update({"rnn_cell.ff2.bias": np.array(["a"] * 4)}),
        lambda d: d.update({"rnn_cell.ff2.bias": np.full(4, 1j)}),
        lambda d: d.update({"rnn_cell.ff2.bias": np.array([None] * 4)}),
        lambda d: d.clear(),
    ],
)
def test_arrays_that_are_no_whole_model_are_refused(change):
    arrays = made({}).state_dict()
    change(arrays)
    with pytest.raises((ValueError, TypeError), match=r"\A(source|state_dict)[^\n]*: got [^\n]+; expected [^\n]+; "):
        from_ncps(arrays, mode="default", activation="lecun_tanh")


def test_another_wiring_than_that_of_the_masks_is_refused():
    arrays = made({"units": NCP}).state_dict()
    other = wirings.NCP(5, 4, 2, 3, 2, 3, 2, seed=1)
    with pytest.raises(ValueError, match="another mask"):
        from_ncps(arrays, mode="default", wiring=other)


def test_arguments_that_contradict_the_arrays_or_do_nothing_are_refused():
    plain, pure = made({}).state_dict(), made({"mode": "pure"}).state_dict()
    bad.refuses(from_ncps, "mode", "default", source=pure, activation="silu")
    bad.refuses(from_ncps, "wiring", NCP, source=plain, mode="default", activation="silu")
    bad.refuses(from_ncps, "kind", "LTC", source=plain, mode="default", activation="silu")
    bad.refuses(from_ncps, "ode_unfolds", 6, source=plain, mode="default", activation="silu")
    bad.refuses(from_ncps, "variant", "jax", source=plain, mode="default", activation="silu")
    bad.refuses(from_ncps, "mode", "paper", source=plain, activation="silu")
    bad.refuses(from_ncps, "activation", "sin", source=plain, mode="default")


def test_a_prefix_is_pointed_out():
    arrays = {f"net.rnn.{key}": array for key, array in made({}).state_dict().items()}
    with pytest.raises(ValueError, match=r"take the prefix 'net.rnn.' off"):
        from_ncps(arrays, mode="default", activation="lecun_tanh")


@pytest.mark.parametrize(
    "source", [None, 3, object(), [np.zeros(3)], {"a": np.zeros(3)}, "model", "model.npz", "no.safetensors"]
)
def test_other_sources_are_refused(source):
    bad.refuses(from_ncps, "source", source)


@pytest.mark.parametrize("name", ["model.pt", "model.pth", "model.ckpt", "model.bin", "MODEL.PKL"])
def test_a_pickle_is_refused_with_the_lines_that_turn_it_into_safetensors(name):
    with pytest.raises(
        ValueError, match=r"a pickle, which can run code; .*import save_file; save_file\(.*state_dict\(\)"
    ):
        from_ncps(name)


def test_what_ncps_can_not_express_is_refused():
    for arguments in ({"variant": "keras"}, {"mode": "from_x0"}, {"mode": "paper_pure"}):
        bad.refuses(to_ncps_state_dict, "model", made(arguments))
    bad.refuses(to_ncps_state_dict, "model", made({}).state_dict())
    bad.refuses(to_ncps_state_dict, "model", NeuralLTC(3, 4, seed=0))
    bad.refuses(to_ncps_state_dict, "model", LTC(3, 4, proj_size=2, seed=0))


# --- safetensors


def test_a_safetensors_file_is_read(tmp_path):
    numpy_files = pytest.importorskip("safetensors.numpy")
    model = made({"mode": "no_gate"})
    path = tmp_path / "model.safetensors"
    numpy_files.save_file(to_ncps_state_dict(model), path)
    again = from_ncps(path, mode="no_gate", activation="lecun_tanh")
    assert_close(again(X)[0], model(X)[0], rtol=0, atol=0)
    path.write_bytes(path.read_bytes()[:-10])
    bad.refuses(from_ncps, "source", path, mode="no_gate", activation="lecun_tanh")


# --- live models


@contextlib.contextmanager
def quiet():
    """PyTorch and Keras warn of things of their own while they are imported."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.fixture(scope="module")
def torch():
    with quiet():
        module = pytest.importorskip("torch")
        pytest.importorskip("ncps.torch")
    return module


LIVE = [
    {},
    {"mode": "no_gate", "backbone_layers": 3, "backbone_units": 7, "backbone_dropout": 0.25, "activation": "gelu"},
    {"mode": "pure", "backbone_layers": 0, "mixed_memory": True, "proj_size": 2},
    {"return_sequences": False, "activation": "relu"},
    {"batch_first": False, "activation": "silu"},
    {"activation": "tanh", "mixed_memory": True},
]


@pytest.mark.parametrize("arguments", LIVE)
def test_a_live_model_says_everything_and_takes_its_weights_back(torch, arguments):
    import ncps.torch

    theirs = ncps.torch.CfC(3, 6, **arguments).eval()
    ours = from_ncps(theirs)
    for name, value in arguments.items():
        assert getattr(ours, name) == value
    ref = theirs(torch.tensor(X, dtype=torch.float32))[0].detach().numpy()
    assert_close(ours(X)[0], ref, rtol=1e-5, atol=1e-5)
    other = ncps.torch.CfC(3, 6, **arguments).eval()
    other.load_state_dict({key: torch.from_numpy(value) for key, value in to_ncps_state_dict(ours).items()})
    assert_close(other(torch.tensor(X, dtype=torch.float32))[0].detach().numpy(), ref, rtol=0, atol=0)


@pytest.mark.parametrize("mixed_memory", [False, True])
def test_a_live_wired_model_brings_its_wiring(torch, mixed_memory):
    import ncps.torch
    import ncps.wirings

    theirs = ncps.torch.CfC(3, ncps.wirings.AutoNCP(12, 2), mixed_memory=mixed_memory)
    ours = from_ncps(theirs)
    assert ours.wiring == wirings.AutoNCP(12, 2).build(3)
    ref = theirs(torch.tensor(X, dtype=torch.float32))[0].detach().numpy()
    assert_close(ours(X)[0], ref, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"mixed_memory": True, "ode_unfolds": 2, "return_sequences": False},
        {"input_mapping": "linear", "output_mapping": None, "implicit_param_constraints": False, "batch_first": False},
    ],
)
def test_a_live_ltc_says_everything_and_takes_its_weights_back(torch, arguments):
    import ncps.torch
    import ncps.wirings

    for units in (6, ncps.wirings.AutoNCP(12, 2)):
        theirs = ncps.torch.LTC(3, units, **arguments)
        ours = from_ncps(theirs)
        ref = theirs(torch.tensor(X, dtype=torch.float32))[0].detach().numpy()
        assert_close(ours(X)[0], ref, rtol=1e-5, atol=1e-5)
        for array in ours.parameters.values():
            array *= 1.01
        theirs.load_state_dict({key: torch.from_numpy(value) for key, value in to_ncps_state_dict(ours).items()})
        assert_close(ours(X)[0], theirs(torch.tensor(X, dtype=torch.float32))[0].detach().numpy(), rtol=1e-5, atol=1e-5)


def test_arguments_beside_a_live_model_are_refused(torch):
    import ncps.torch

    theirs = ncps.torch.CfC(3, 6)
    bad.refuses(from_ncps, "mode", "default", source=theirs)
    bad.refuses(from_ncps, "activation", "lecun_tanh", source=theirs)


def test_a_model_trained_with_ncps_runs_here_without_torch(torch, tmp_path):
    """As a new user would: save it as safetensors there, load it here in a process without PyTorch, step by step."""
    import subprocess

    import ncps.torch

    save_file = pytest.importorskip("safetensors.torch").save_file
    net = ncps.torch.CfC(3, 6, proj_size=1)
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
    x = torch.tensor(X, dtype=torch.float32)
    for _ in range(5):
        optimizer.zero_grad()
        (net(x)[0] ** 2).mean().backward()
        optimizer.step()
    save_file({k: v.contiguous() for k, v in net.state_dict().items()}, tmp_path / "model.safetensors")
    np.savez(tmp_path / "xy.npz", x=X[0], y=net(x)[0][0].detach().numpy())
    code = """
import sys
import numpy as np
from cfc_ref import from_ncps
model = from_ncps("model.safetensors", mode="default", activation="lecun_tanh")
model.backend = "numpy"
files = np.load("xy.npz")
step = model.stepper()
y = np.array([step(sample) for sample in files["x"]])
assert np.abs(y - files["y"]).max() < 1e-5
assert not {"torch", "scipy", "numba", "matplotlib"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-W", "error", "-c", code], cwd=tmp_path, check=True)


def test_a_live_keras_model_says_everything(torch, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    with quiet():
        pytest.importorskip("keras")
        import ncps.keras
        import ncps.wirings

        for mode, layers, mixed in (("default", 2, False), ("no_gate", 1, True), ("pure", 0, False)):
            theirs = ncps.keras.CfC(
                6, mode=mode, backbone_layers=layers, mixed_memory=mixed, return_sequences=True, activation="silu"
            )
            ref = theirs(X.astype("f4")).detach().numpy()
            ours = from_ncps(theirs)
            assert (ours.variant, ours.mode, ours.backbone_layers, ours.mixed_memory) == ("keras", mode, layers, mixed)
            assert_close(ours(X)[0], ref, rtol=1e-5, atol=1e-5)
        theirs = ncps.keras.CfC(ncps.wirings.AutoNCP(12, 2), return_sequences=True)
        ref = theirs(X.astype("f4")).detach().numpy()
        assert_close(from_ncps(theirs)(X)[0], ref, rtol=1e-5, atol=1e-5)


def test_what_only_looks_like_a_live_model_is_refused():
    looks_like = types.SimpleNamespace(cell=types.SimpleNamespace(get_config=dict), return_sequences=True)
    bad.refuses(from_ncps, "source", looks_like)


def test_it_goes_on_as_a_file_of_ours(tmp_path):
    model = from_ncps(made({"mode": "pure"}).state_dict(), activation="lecun_tanh")
    save(tmp_path / "m.npz", model)
    assert_close(load(tmp_path / "m.npz")(X)[0], model(X)[0], rtol=0, atol=0)
    assert cfc_ref.__version__
