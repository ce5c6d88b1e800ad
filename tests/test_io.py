"""Files are whole or not there; a model comes back as it was, in any process, and what is no model is refused."""

import io
import json
import pickle
import subprocess
import sys
import zipfile

import numpy as np
import pytest

import cfc_ref
from cfc_ref import CTRNN, LSTM, LTC, CfC, NeuralLTC, load, save, wirings
from cfc_ref.io import output_folder, write_atomically
from tests import bad
from tests.compare import assert_close, refusal

MODELS = {
    "default": lambda: CfC(3, 5, seed=0),
    "mixed, projected": lambda: CfC(3, 5, 2, mixed_memory=True, forget_bias=0.5, dtype="float64", seed=1),
    "tensorflow": lambda: CfC(3, 5, variant="tensorflow", mode="no_gate", backbone_dropout=0.1, seed=2),
    "printed": lambda: CfC(3, 5, mode="paper_pure", backbone_layers=0, batch_first=False, seed=3),
    "last only": lambda: CfC(3, 5, return_sequences=False, activation="gelu", backbone_layers=3, seed=4),
    "wired": lambda: CfC(3, wirings.AutoNCP(12, 2), mode="pure", seed=5),
    "wired as wired": lambda: CfC(3, wirings.NCP(5, 4, 2, 3, 2, 3, 2), recurrence="wired", variant="keras", seed=6),
    "ltc": lambda: LTC(3, wirings.AutoNCP(12, 2), input_mapping="linear", output_mapping=None, epsilon=1e-6, seed=8),
    "ltc, explicit, mixed": lambda: LTC(
        3, 5, mixed_memory=True, implicit_param_constraints=False, solver="rk4", ode_unfolds=12, proj_size=2, seed=9
    ),
    "neural ltc": lambda: NeuralLTC(3, wirings.AutoNCP(12, 2), solver="frozen_midpoint", dtype="float64", seed=10),
    "ltc, step": lambda: LTC(3, 5, solver="cf4", step=0.3, seed=13),
    "lstm": lambda: LSTM(3, 5, 2, forget_bias=0.5, seed=11),
    "ctrnn": lambda: CTRNN(3, 5, tau=0.5, solver="euler", ode_unfolds=4, dtype="float64", seed=12),
    "own wiring": lambda: CfC(1, wirings.Wiring([[0, 0], [-1, 0]], [[0, 1]], 1, layers=[[1], [0]]), seed=7),
}


@pytest.fixture(params=MODELS)
def model(request):
    return MODELS[request.param]()


def bits(model):
    """The outputs of a model over a sequence that anyone can write down, as bytes."""
    x = np.cos(np.arange(4 * model.input_size)).reshape(4, model.input_size)
    output, hx = model(x, timespans=[0.5, 0.0, 2.0, 1.0])
    return output.tobytes() + b"".join(part.tobytes() for part in (hx if isinstance(hx, tuple) else (hx,)))


# --- files


def test_a_file_is_replaced_whole(tmp_path):
    path = tmp_path / "file.txt"
    for text in (b"one", b"another, longer"):
        write_atomically(path, text)
        assert path.read_bytes() == text
    assert [p.name for p in tmp_path.iterdir()] == ["file.txt"]


def test_nothing_is_left_behind_when_writing_fails(tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="folder"):
        write_atomically(tmp_path / "folder", b"a file can't take a folder's name")
    assert [p.name for p in tmp_path.iterdir()] == ["folder"]


def test_a_folder_is_made_with_those_above_it(tmp_path):
    assert output_folder("out", tmp_path / "a" / "b").is_dir()


# --- models


def test_a_round_trip_changes_nothing(model, tmp_path):
    save(tmp_path / "one.npz", model)
    again = load(tmp_path / "one.npz")
    assert (type(again), again.config, again.wiring) == (type(model), model.config, model.wiring)
    assert again.output_size == model.output_size
    assert list(again.state_dict()) == list(model.state_dict())
    for key, array in model.state_dict().items():
        assert_close(again.state_dict()[key], array, rtol=0, atol=0, dtype=model.dtype)
    assert bits(again) == bits(model)
    save(str(tmp_path / "two.npz"), again)
    assert (tmp_path / "two.npz").read_bytes() == (tmp_path / "one.npz").read_bytes()


def test_another_process_computes_the_same_bits(tmp_path):
    save(tmp_path / "model.npz", MODELS["mixed, projected"]())
    code = (
        "import sys, cfc_ref; from tests.test_io import bits; sys.stdout.buffer.write(bits(cfc_ref.load(sys.argv[1])))"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path / "model.npz"], capture_output=True, check=True)
    assert done.stdout == bits(MODELS["mixed, projected"]())


def test_a_loaded_model_trains_on(tmp_path):
    model = MODELS["default"]()
    save(tmp_path / "m.npz", model)
    again = load(tmp_path / "m.npz")
    again.parameters["rnn_cell.ff1.bias"][...] += 1
    assert bits(again) != bits(model)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "model.npz"
    save(path, CfC(2, 3, backbone_units=4, seed=0))
    return path


def refuses(path):
    with pytest.raises(ValueError, match=refusal("path")):
        load(path)


def test_a_truncated_file_is_refused(file):
    whole = file.read_bytes()
    for length in range(0, len(whole), 97):
        file.write_bytes(whole[:length])
        refuses(file)


def test_a_changed_byte_is_refused_or_changes_nothing(file):
    """Some bytes of a zip file, such as dates, mean nothing to its contents."""
    whole, ref = file.read_bytes(), bits(load(file))
    places, taken = range(0, len(whole), 7), 0
    for place in places:
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        with bad.may_refuse("path"):
            assert bits(load(file)) == ref
            taken += 1
    assert taken < 0.2 * len(places)


def entries(path):
    with np.load(path) as opened:
        return {key: opened[key] for key in opened.files}


def rewritten(path, settings=None, **changes):
    """Write the file again as a zip that is whole, with entries changed, or taken out by None."""
    content = {**entries(path), **changes}
    if settings:
        header = {**json.loads(bytes(content["header"])), **settings}
        content["header"] = np.frombuffer(json.dumps(header).encode(), "u1")
    np.savez(path, **{key: value for key, value in content.items() if value is not None})


def test_altered_contents_are_refused(file):
    for name, value in entries(file).items():
        whole = file.read_bytes()
        for change in (value + 1, None, value.astype("f8"), value[:-1]):
            rewritten(file, **{name: change})
            refuses(file)
            file.write_bytes(whole)
    rewritten(file, extra=np.zeros(1))
    refuses(file)


def test_altered_settings_and_newer_formats_are_refused(file):
    whole = file.read_bytes()
    config = json.loads(bytes(entries(file)["header"]))["config"]
    for change in ({"kind": "os.system"}, {"units": 4}, {"config": {**config, "mode": "no_gate"}}, {"format": "other"}):
        rewritten(file, settings=change)
        refuses(file)
        file.write_bytes(whole)
    rewritten(file, settings={"version": 2})
    with pytest.raises(ValueError, match=r"of format 2; expected format 1; .*newer"):
        load(file)


def test_settings_that_do_not_fit_the_weights_are_refused_even_with_a_right_checksum(file):
    from cfc_ref.io import _checksum

    content = entries(file)
    header = json.loads(bytes(content.pop("header")))
    header.pop("checksum")
    for change in ({"units": 4}, {"units": 10**12}, {"units": "3"}, {"kind": "LSTM"}, {"config": {"mode": "pure"}}):
        changed = {**header, **change}
        rewritten(file, settings={**changed, "checksum": _checksum(changed, content)})
        refuses(file)


class Trap:
    """Runs code when it is unpickled."""

    def __reduce__(self):
        return (open, ("trap.txt", "w"))


def test_a_file_cannot_run_code(file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    trap = np.array([Trap()], dtype=object)
    rewritten(file, **{"weights.rnn_cell.ff1.bias": trap})
    refuses(file)
    np.save(tmp_path / "trap.npy", trap, allow_pickle=True)
    refuses(tmp_path / "trap.npy")
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(Trap()))
    refuses(tmp_path / "model.pkl")
    assert not (tmp_path / "trap.txt").exists()


def test_what_is_no_model_is_refused(tmp_path):
    refuses(tmp_path / "missing.npz")
    refuses(tmp_path)
    (tmp_path / "text.npz").write_text("no zip")
    refuses(tmp_path / "text.npz")
    np.savez(tmp_path / "arrays.npz", a=np.ones(3))
    refuses(tmp_path / "arrays.npz")
    np.save(tmp_path / "array.npy", np.ones(3))
    refuses(tmp_path / "array.npy")
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("header.npy", b"nothing")
    refuses(tmp_path / "other.zip")


@pytest.mark.parametrize("path", [None, 3, b"model.npz", io.BytesIO(), ["model.npz"]])
def test_paths_that_are_none(path):
    bad.refuses(load, "path", path)
    bad.refuses(save, "path", path, model=MODELS["default"]())


@pytest.mark.parametrize("model", [None, 3, {}, CfC, cfc_ref.LTCNeuron(1.0, 1.0)])
def test_what_can_not_be_saved(model, tmp_path):
    bad.refuses(save, "model", model, path=tmp_path / "m.npz")
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    bad.refuses(save, "path", tmp_path / "no" / "m.npz", model=MODELS["default"]())
