"""ncps's weights to a model's file and back, which changes no bit; and what is refused."""

import numpy as np
import pytest

import cfc_ref
from cfc_ref.cli.command import main
from cfc_ref.wirings import AutoNCP
from tests.cli.test_verify import refused

safetensors = pytest.importorskip("safetensors.numpy")

MODELS = {
    "plain": (lambda: cfc_ref.CfC(3, 5, seed=0), ["--mode", "default", "--activation", "lecun_tanh"]),
    "pure": (lambda: cfc_ref.CfC(3, 5, mode="pure", backbone_layers=0, seed=0), []),
    "wired": (
        lambda: cfc_ref.CfC(3, AutoNCP(12, 2, seed=7), mode="no_gate", seed=0),
        ["--mode", "no_gate", "--wiring", "AutoNCP:units=12, output_size=2, seed=7"],
    ),
}


@pytest.mark.parametrize("name", MODELS)
def test_there_and_back_is_the_same_model(tmp_path, capsys, name):
    make, said = MODELS[name]
    model, x = make(), np.random.default_rng(0).normal(size=(6, 3))
    cfc_ref.save(tmp_path / "model.npz", model)
    assert main(["convert", str(tmp_path / "model.npz"), "--to", "ncps", "--out", str(tmp_path / "ncps")]) == 0
    weights = tmp_path / "ncps" / "model.safetensors"
    arrays = safetensors.load_file(weights)
    assert {key: array.shape for key, array in arrays.items()} == {k: a.shape for k, a in model.state_dict().items()}
    assert main(["convert", str(weights), *said, "--out", str(tmp_path / "back")]) == 0
    out = capsys.readouterr().out
    assert f"Written: {tmp_path / 'back' / 'model.npz'}" in out
    np.testing.assert_array_equal(cfc_ref.load(tmp_path / "back" / "model.npz")(x)[0], model(x)[0])


def test_an_ltc_of_ncps(tmp_path):
    from cfc_ref.layers.ltc import LTC

    model, x = LTC(3, AutoNCP(9, 2), ode_unfolds=3, seed=0), np.random.default_rng(0).normal(size=(6, 3))
    safetensors.save_file(model.state_dict(), tmp_path / "ltc.safetensors")
    words = ["--ode-unfolds", "3", "--implicit-param-constraints", "yes", "--out", str(tmp_path / "out")]
    assert main(["convert", str(tmp_path / "ltc.safetensors"), *words]) == 0
    np.testing.assert_array_equal(cfc_ref.load(tmp_path / "out" / "model.npz")(x)[0], model(x)[0])


def test_weights_of_ncps_itself_and_back_into_it(tmp_path):
    torch, ncps = pytest.importorskip("torch"), pytest.importorskip("ncps.torch")
    from safetensors.torch import load_file, save_file

    theirs = ncps.CfC(3, 5, proj_size=2, mode="no_gate")
    save_file({key: value.contiguous() for key, value in theirs.state_dict().items()}, tmp_path / "in.safetensors")
    words = ["convert", str(tmp_path / "in.safetensors"), "--mode", "no_gate", "--activation", "lecun_tanh"]
    assert main([*words, "--out", str(tmp_path)]) == 0
    x = torch.randn(1, 6, 3)
    with torch.no_grad():
        expected = theirs(x)[0].numpy()
    got = cfc_ref.load(tmp_path / "model.npz")(x.numpy())[0]
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-5)
    assert main(["convert", str(tmp_path / "model.npz"), "--to", "ncps", "--out", str(tmp_path)]) == 0
    again = ncps.CfC(3, 5, proj_size=2, mode="no_gate")
    again.load_state_dict(load_file(tmp_path / "model.safetensors"))
    with torch.no_grad():
        np.testing.assert_array_equal(again(x)[0].numpy(), expected)


def test_a_trained_folder_becomes_ncps_weights(trained, tmp_path):
    assert main(["convert", str(trained / "plain"), "--to", "ncps", "--out", str(tmp_path)]) == 0
    model = cfc_ref.load(trained / "plain" / "model.npz")
    arrays = safetensors.load_file(tmp_path / "model.safetensors")
    assert all(np.array_equal(arrays[key], array) for key, array in model.state_dict().items())


@pytest.fixture
def files(tmp_path):
    cfc_ref.save(tmp_path / "model.npz", cfc_ref.CfC(3, 5, seed=0))
    cfc_ref.save(tmp_path / "keras.npz", cfc_ref.CfC(3, 5, variant="keras", seed=0))
    safetensors.save_file(cfc_ref.CfC(3, 5, seed=0).state_dict(), tmp_path / "w.safetensors")
    wired = cfc_ref.CfC(3, AutoNCP(12, 2), seed=0)
    safetensors.save_file(wired.state_dict(), tmp_path / "wired.safetensors")
    (tmp_path / "model.pt").write_bytes(b"pickle")
    return tmp_path


SAYS = ["--mode", "default", "--activation", "lecun_tanh"]
REFUSED = [
    (["w.safetensors"], "do not say mode ('default' or 'no_gate'), activation; "),
    (["w.safetensors", "--to", "ncps"], "source: got "),
    (["model.npz"], "source: got "),
    (["model.npz", "--to", "ncps", "--mode", "default"], "--mode: got an option; expected none"),
    (["keras.npz", "--to", "ncps"], "model: got variant 'keras'; "),
    (["model.pt", *SAYS], "source: got 'model.pt', a pickle"),
    (["none.npz", "--to", "ncps"], "path: got "),
    (["none.safetensors", *SAYS], "source: got "),
    (["w.safetensors", "--mode", "default", "--activation", "loud"], "activation: got 'loud'; "),
    (["w.safetensors", *SAYS, "--ode-unfolds", "six"], "--ode-unfolds: got 'six'; expected a whole number; "),
    (["w.safetensors", *SAYS, "--wiring", "AutoNCP:units=12,output_size=2"], "wiring: got a wiring; "),
    (["wired.safetensors", "--mode", "default"], "do not say wiring; "),
    (["wired.safetensors", "--mode", "default", "--wiring", "Manual"], "--wiring: got 'Manual'; expected one of "),
    (["wired.safetensors", "--mode", "default", "--wiring", "AutoNCP:12"], "--wiring: got '12'; "),
    (["wired.safetensors", "--mode", "default", "--wiring", "AutoNCP:units=12"], "--wiring: got 'AutoNCP:units=12' ("),
    (
        ["wired.safetensors", "--mode", "default", "--wiring", "AutoNCP:units=12,output_size=3"],
        "wiring: got one of 6 + 3 + 3 neurons; expected one of 6 + 4 + 2",
    ),
]


@pytest.mark.parametrize(("words", "message"), REFUSED)
def test_what_does_not_fit_is_one_line_and_status_2(files, capsys, words, message):
    refused(["convert", str(files / words[0]), *words[1:], "--out", str(files / "out")], capsys, message)
    assert not (files / "out").exists()
