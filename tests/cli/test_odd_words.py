"""Odd arguments of every command: one line on stderr that names the option, and status 2; no traceback."""

import io
import zipfile

import numpy as np
import pytest

import cfc_ref
from cfc_ref.cli import command
from cfc_ref.cli.command import main
from tests.cli.conftest import FEW
from tests.cli.test_verify import refused


def npz(**arrays):
    with io.BytesIO() as file:
        np.savez(file, **arrays)
        return file.getvalue()


def archive(**members):
    with io.BytesIO() as file:
        with zipfile.ZipFile(file, "w") as made:
            for name, content in members.items():
                made.writestr(name.replace("_", "."), content)
        return file.getvalue()


@pytest.fixture(scope="module")
def odd(tmp_path_factory, trained):
    """Files that no command can use."""
    folder = tmp_path_factory.mktemp("odd")
    model = (trained / "plain" / "model.npz").read_bytes()
    for name, content in {
        "empty": b"",
        "text": b"no table, no model\n",
        "binary": bytes(range(256)) * 9,
        "half": model[: len(model) // 2],
        "others.npz": npz(a=np.ones(3)),
        "header.npz": npz(header=np.ones(3)),
        "objects.npz": archive(header_npy=b"\x93NUMPY\x01\x00\x10\x00{'descr':'|O'}\n"),
        "deep.json": b"[" * 100_000,
        "deep.npz": npz(header=np.frombuffer(b"[" * 100_000, np.uint8)),
        "list.npz": npz(header=np.frombuffer(b"[]", np.uint8)),
        "huge.safetensors": (2**63).to_bytes(8, "little") + b"{}",
        "nul.csv": b"date,rain\n1,\0\n",
    }.items():
        (folder / name).write_bytes(content)
        for suffix in ("npz", "csv", "safetensors"):
            if "." not in name:
                (folder / f"{name}.{suffix}").write_bytes(content)
    for name in ("settings.json", "figures.json", "model.npz"):
        for kind, content in {"lists": b"[]", "deep": b"[" * 100_000, "empty": b"", "words": b'{"format": 1}'}.items():
            run = folder / f"{kind}_{name.partition('.')[0]}"
            run.mkdir()
            for path in (trained / "plain").iterdir():
                (run / path.name).write_bytes(content if path.name == name else path.read_bytes())
    (folder / "nothing_in_it").mkdir()
    return folder


PLACES = [
    "info {}",
    "predict {} {csv} --out {out}",
    "predict {} --stream",
    "predict {plain} {} --out {out}",
    "predict {plain} --stream --load-state {}",
    "convert {} --to ncps --out {out}",
    "convert {} --mode default --activation tanh --out {out}",
    "train {} --time date --target rain --out {out}",
    "train {csv} --time date --target rain --out {}",
    "verify --signal {} --time-column date --value-column rain --cases 1",
    "verify --cases 1 --statement S3 --out {}",
    "experiment walker2d --data {} --model cfc --seed 0 --out {out}",
    "experiment xor --model cfc --seed 0 --samples 2 --epochs 1 --out {}",
    "tutorials --out {}",
    "bench --only inference --out {}",
]


@pytest.mark.parametrize("place", PLACES)
def test_files_that_no_command_can_use_are_one_line_and_status_2(
    place, odd, tables, trained, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"")))
    given = {"csv": tables / "plain.csv", "plain": trained / "plain", "out": tmp_path / "out"}
    left = ("settings", "figures") if "convert" in place else ()  # it reads the model only
    files = [path.name for path in sorted(odd.iterdir()) if not path.name.endswith(left)] + ["not/there", "\udcff"]
    for name in [
        *([] if place.endswith("--out {}") else files),
        "empty/below",
        "",
        " ",
        "a\0b",
        "x" * 5000,
        "/proc/self/mem",
    ]:
        path = str(odd / name) if name.strip() and name[0] != "/" and len(name) < 5000 else name
        words = [word.format(path, **given) if "{" in word else word for word in place.split(" ")]
        try:
            status = main(words)
        except SystemExit as stop:
            status = stop.code
        err = capsys.readouterr().err
        assert (status, err.count("\n")) == (2, 1), (words, err)
        assert "fault of cfc-ref" not in err, (words, err)
        assert not (tmp_path / "out").exists(), words


def test_a_fault_of_the_program_is_one_line_that_says_how_to_report_it(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr("cfc_ref.io.load", lambda path: {}["a key"])
    refused(["info", str(tmp_path)], capsys, "cfc-ref info: KeyError ('a key'), a fault of cfc-ref: please report it")
    monkeypatch.setenv(command._TRACEBACK, "1")
    with pytest.raises(KeyError):
        main(["info", str(tmp_path)])


def test_the_command_alone_lists_its_commands(capsys):
    assert main([]) == 0
    out = capsys.readouterr().out
    for module in command._COMMANDS:
        (line,) = [line for line in out.splitlines() if line.split()[:1] == [module.__name__.rpartition(".")[2]]]
        assert len(line) < 100


@pytest.mark.parametrize(
    "words",
    [
        ["--time", "date", "--target", "rain", "{csv}"],
        ["--target", "rain", "wind", "{csv}", "--time", "date"],
        ["--features", "warmth", "{csv}", "--target", "rain", "--time", "date"],
        ["--time", "date", "--target", "rain", "--", "{csv}"],
    ],
)
def test_the_table_may_follow_an_option_of_several_values(words, tables, tmp_path):
    words = [word.format(csv=tables / "plain.csv") for word in words]
    out = ["--out", str(tmp_path / "out")]
    assert main(["train", *out, *FEW, *words]) == 0
    assert cfc_ref.load(tmp_path / "out" / "model.npz").output_size == (2 if "wind" in words else 1)


def test_a_table_that_is_missing_or_swallowed_is_named(tmp_path, capsys):
    words = ["train", "--out", str(tmp_path / "out"), "--time", "t", "--target", "y"]
    refused(words, capsys, "DATA.csv: got no file; ")
    refused([*words, "no-such.csv"], capsys, "name it first, as --target and --features take all names that follow")


def test_outputs_and_statements_as_people_write_them(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["tutorials"]) == 0
    assert (tmp_path / "cfc-ref-tutorials" / "README.md").exists()
    capsys.readouterr()
    for words in (["s3"], ["S3,s8"], ["S8, s3,"], ["s3", "S8"]):
        assert main(["verify", "--cases", "2", "--statements", *words]) == 0
        out = capsys.readouterr().out
        assert "S3" in out
        assert ("S8" in out) == (len(words) == 2 or "," in words[0])
    refused(["verify", "--statement", ","], capsys, "--statement: got none; ")
    refused(["verify", "--statement", "s3;s8"], capsys, "--statement: got 'S3;S8'; ")
