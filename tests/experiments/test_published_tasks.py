"""The experiments on published files: parts, last lines, resumption, what is said where labels are missing."""

import json
import re

import numpy as np
import pytest

import cfc_ref
from cfc_ref.cli.command import main
from cfc_ref.datasets.physionet import patients_of, physionet_scale, read_physionet
from cfc_ref.experiments import EXPERIMENTS
from cfc_ref.experiments.published import hold_back
from cfc_ref.experiments.training_run import run_experiment
from cfc_ref.learn.metrics import accuracy, auc
from tests.cli.test_verify import refused
from tests.compare import assert_close
from tests.datasets.published import idx, write_imdb, write_mnist, write_person, write_physionet
from tests.experiments.small import small

WRITE = {"physionet": write_physionet, "mnist": write_mnist, "imdb": write_imdb, "person": write_person}
FIGURE = {"physionet": "AUC", "mnist": "accuracy", "imdb": "accuracy", "person": "accuracy"}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """One folder per data set, whole; not to be written to but for IMDB's cache."""
    return {name: write(tmp_path_factory.mktemp(name)) for name, write in WRITE.items()}


@pytest.fixture(autouse=True)
def _small_models(monkeypatch):
    for name in WRITE:
        recipes = {model: small(name, model) for model in EXPERIMENTS[name].settings}
        monkeypatch.setitem(EXPERIMENTS, name, EXPERIMENTS[name]._replace(settings=recipes))


def words(name, folder, out, *more, model="cfc"):
    return ["experiment", name, "--model", model, "--data", str(folder), "--seed", "1", "--out", str(out), *more]


def results(out):
    return json.loads((out / "results.json").read_text())


@pytest.mark.parametrize("name", WRITE)
def test_it_ends_with_the_figure_on_the_test_part(name, folders, tmp_path, capsys):
    assert main(words(name, folders[name], tmp_path)) == 0
    out, err = capsys.readouterr()
    lines, found = out.splitlines(), results(tmp_path)
    assert lines[-1] == f"test {FIGURE[name]} {found['last']['test']:.4f}"
    assert found["last"] == found["best"]  # there is no validation part, as in the paper
    assert "training" not in found["last"]
    assert "validation" not in out
    edition = {"person": "This is not the published file: ", "mnist": "Another edition, not the published MNIST: "}
    assert any(line.startswith(edition.get(name, "Another edition: ")) for line in lines)
    assert len(err.splitlines()) == 2
    if name == "physionet":
        assert lines[-2] == f"set-b AUC {found['last']['set-b']:.4f}"


def test_the_figures_are_those_of_the_model_in_the_folder(folders, tmp_path):
    stays = {which: read_physionet(folders["physionet"], which) for which in "ab"}
    for clock, model in (("true", "cfc"), ("official", "pure"), ("official", "ltc"), ("true", "ltc")):
        out = tmp_path / f"{clock}{model}"
        assert main(words("physionet", folders["physionet"], out, "--clock", clock, model=model)) == 0
        layer = cfc_ref.load(out / "model.npz")
        x, y, dt, mask = patients_of(stays["b"], physionet_scale(stays["a"]), clock)
        dt = dt + np.float32(model == "ltc" and clock == "true")
        assert results(out)["last"]["set-b"] == pytest.approx(auc(layer(x, timespans=dt, mask=mask)[0], y), abs=1e-9)
        assert type(layer).__name__.startswith("Backward") == (clock == "official")


@pytest.mark.parametrize(
    ("name", "labels"), [("physionet", "Outcomes-a.txt"), ("mnist", "t10k-labels-idx1-ubyte"), ("imdb", "test.npz")]
)
def test_without_test_labels_a_part_of_training_is_held_back(name, labels, tmp_path, capsys):
    folder = WRITE[name](tmp_path)
    if name == "physionet":  # without the outcomes of the test records, and of set-b
        order = np.random.RandomState(42).permutation(60)
        header, *lines = (folder / labels).read_text().splitlines()
        kept = [line for k, line in enumerate(lines) if k not in order[:12]]
        (folder / labels).write_text("\n".join([header, *kept]))
        (folder / "Outcomes-b.txt").unlink()
    elif name == "mnist":
        (folder / labels).unlink()
    else:
        assert main(words(name, folder, tmp_path / "whole")) == 0
        cached = dict(np.load(folder / labels))
        np.savez(folder / labels, tokens=cached["tokens"], offset=cached["offset"])
    capsys.readouterr()
    assert main(words(name, folder, tmp_path / "out")) == 0
    lines, found = capsys.readouterr().out.splitlines(), results(tmp_path / "out")
    figure = FIGURE[name]
    assert list(found["last"]) == ["validation"]
    assert lines[-1] == f"validation {figure} {found['last']['validation']:.4f}"
    best = found["best"]["validation"]
    assert lines[-2] == f"validation {figure} {best:.4f} with the weights of the lowest validation loss"
    (note,) = [line for line in lines if "missing: the figure is that of" in line]
    assert note.endswith("a fold that the seed chooses; the paper has no validation part.")


def test_parts_do_not_overlap_and_classes_are_held_back_alike(folders):
    task = EXPERIMENTS["physionet"].task(data=folders["physionet"])
    assert {name: len(part.y) for name, part in task.parts.items()} == {"training": 48, "test": 12, "set-b": 60}
    rows = [part.x[k].tobytes() for part in task.parts.values() for k in range(len(part.x))]
    assert len(set(rows)) == 120


class Killed(BaseException):
    pass


def kill(history):
    raise Killed


@pytest.mark.parametrize(
    ("name", "model"), [("physionet", "mixed"), ("mnist", "no_gate"), ("imdb", "mixed"), ("person", "pure")]
)
def test_a_killed_run_goes_on_and_ends_with_the_same_bits(name, model, folders, tmp_path):
    task, chosen = EXPERIMENTS[name].task(data=folders[name]), EXPERIMENTS[name].settings[model]
    ref = run_experiment(task, model, chosen, seed=3, out=tmp_path / "whole")
    with pytest.raises(Killed):
        run_experiment(task, model, chosen, seed=3, out=tmp_path / "killed", progress=kill)
    task = EXPERIMENTS[name].task(data=folders[name])  # as another process reads it: IMDB's from the cache
    found = run_experiment(task, model, chosen, seed=3, out=tmp_path / "killed")
    assert found["last"] == ref["last"]
    one, two = (cfc_ref.load(tmp_path / out / "model.npz").state_dict() for out in ("whole", "killed"))
    assert all(np.array_equal(one[key], two[key]) for key in one)


def test_a_training_that_diverges_says_so_in_one_line_and_leaves_where(folders, tmp_path, capsys, monkeypatch):
    record = EXPERIMENTS["physionet"]
    far = record.settings["cfc"]._replace(learning_rate=1e38, class_weight=None)
    monkeypatch.setitem(EXPERIMENTS, "physionet", record._replace(settings={**record.settings, "cfc": far}))
    asked = words("physionet", folders["physionet"], tmp_path)
    assert main(asked) == 2
    out, err = capsys.readouterr()
    said = json.loads((tmp_path / "diverged.json").read_text())
    assert out == ""
    assert re.fullmatch(r"[^\n]+: got NaN or infinity in epoch [12] of 2, [^\n]+", said["diverged"])
    assert err.splitlines()[-1] == f"cfc-ref experiment: {said['diverged']}"
    assert said["command"].startswith("cfc-ref experiment physionet --model cfc --seed 1 ")
    assert (said["settings"]["clock"], said["seed"], said["figure"]) == ("official", 1, "AUC")
    assert not (tmp_path / "results.json").exists()
    monkeypatch.setitem(EXPERIMENTS, "physionet", record)
    assert main([*asked, "--force"]) == 0
    assert not (tmp_path / "diverged.json").exists()


@pytest.mark.parametrize("model", ["ltc", "lstm"])
@pytest.mark.parametrize("name", ["mnist", "imdb", "person"])
def test_the_other_models_run(name, model, folders, tmp_path, capsys):
    assert main(words(name, folders[name], tmp_path, "--epochs", "1", "--samples", "20", model=model)) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("test accuracy ")


def test_mixed_memory_sees_no_time_in_reviews_and_person_scales_it(folders):
    imdb = EXPERIMENTS["imdb"].task(data=folders["imdb"])
    part = imdb.parts["training"]
    assert (part.timespans == 1).all()
    assert not imdb.for_model("mixed", EXPERIMENTS["imdb"].settings["mixed"], part).timespans.any()
    assert imdb.for_model("cfc", EXPERIMENTS["imdb"].settings["cfc"], part) is part
    person = EXPERIMENTS["person"].task(data=folders["person"])
    part = person.parts["training"]
    seen = person.for_model("cfc", EXPERIMENTS["person"].settings["cfc"], part)
    assert_close(seen.timespans, 10 * part.timespans)
    rows, values = person.by_step(np.eye(11)[np.maximum(part.y, 0)], part)
    assert len(rows) == len(values) <= 50
    assert (values == 1).all()
    assert person.measure(np.eye(11)[np.maximum(part.y, 0)], part.y) == accuracy([[0.0, 1.0]], [1]) == 1


def test_refusals_are_one_line(tmp_path, capsys):
    def refuses(name, folder, why, *more):
        refused(words(name, folder, tmp_path / "out", *more), capsys, why)

    refuses("imdb", tmp_path / "nowhere", "--data: got ")
    refuses("mnist", tmp_path, "--data: got train-images-idx3-ubyte, which is missing")
    write_physionet(tmp_path, n=5)
    refuses("physionet", tmp_path, "--clock: invalid choice: 'other'", "--clock", "other")
    (tmp_path / "Outcomes-a.txt").unlink()
    refuses("physionet", tmp_path, "--data: got Outcomes-a.txt, which is missing, or has ")
    (tmp_path / "set-a.tar.gz").write_bytes(b"\x1f\x8b\x08truncated")
    refuses("physionet", tmp_path, "--data: got set-a.tar.gz, which is truncated or ")
    assert not (tmp_path / "out").exists()


BYTES = b"\xff\xfe\x85\x00"  # no UTF-8
BROKEN = {  # experiment and file -> what happens to its contents, and the beginning of the line that says so
    ("physionet", "set-a.tar.gz"): (lambda content: content[:-99], "set-a.tar.gz, which is truncated"),
    ("physionet", "set-b.tar.gz"): (lambda content: content[:-99], "set-b.tar.gz, which is truncated"),
    ("physionet", "Outcomes-a.txt"): (lambda content: content + b"7,1,1,5,-1,0", "Outcomes-a.txt, with an outcome of "),
    ("physionet", "Outcomes-b.txt"): (lambda content: content + BYTES, "Outcomes-b.txt, with the line "),
    ("mnist", "train-images-idx3-ubyte.gz"): (
        lambda content: content[:-20],
        "train-images-idx3-ubyte.gz, which is trunc",
    ),
    ("mnist", "train-labels-idx1-ubyte"): (lambda content: content[:-1], "train-labels-idx1-ubyte, which holds 49 "),
    ("mnist", "t10k-labels-idx1-ubyte"): (
        lambda content: idx(np.zeros(3)),
        "t10k-labels-idx1-ubyte, of which there are 3",
    ),
    ("imdb", "aclImdb_v1.tar.gz"): (lambda content: content[:-99], "aclImdb_v1.tar.gz, which is truncated"),
    ("person", "ConfLongDemo_JSI.txt"): (lambda content: content[:-9], "ConfLongDemo_JSI.txt, with the name '"),
    ("person", "ConfLongDemo_JSI.txt", "bytes"): (lambda content: BYTES + content, "ConfLongDemo_JSI.txt, with "),
}


@pytest.mark.parametrize("which", BROKEN, ids=" ".join)
def test_files_that_are_broken_are_named_in_one_line(which, tmp_path, capsys):
    name, file, *_ = which
    damage, why = BROKEN[which]
    path = WRITE[name](tmp_path) / file
    path.write_bytes(damage(path.read_bytes()))
    refused(words(name, tmp_path, tmp_path / "out"), capsys, f"--data: got {why}")
    assert not (tmp_path / "out").exists()


def test_five_seeds_hold_back_everything_once():
    places, classes = np.arange(100, 160), np.arange(60) % 4 == 0
    parts = [hold_back(places, 5, seed, classes) for seed in range(1, 6)]
    assert sorted(np.concatenate([held_back for _, held_back in parts])) == places.tolist()
    for training, held_back in parts:
        assert sorted([*training, *held_back]) == places.tolist()
        assert classes[held_back - 100].sum() == 3
