"""How every command leaves: quietly where whoever reads its output has left before its end."""

import os
import subprocess
import sys

import pytest

import cfc_ref


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("words", [["info", "model.npz"], ["--help"], ["info", "--help"], ["--version"]], ids=" ".join)
def test_nothing_is_said_to_who_has_left(words, unbuffered, tmp_path):
    """A pipe without a reader, where output is kept until the end and where each line is written at once."""
    cfc_ref.save(tmp_path / "model.npz", cfc_ref.CfC(3, 4, seed=0))
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "cfc_ref", *words]
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    options = {"stdout": writer, "stderr": subprocess.PIPE, "cwd": tmp_path, "env": environment}
    done = subprocess.run(command, check=False, **options)
    os.close(writer)
    assert done.stderr == b""
    assert done.returncode == 141 or words[-1] != "model.npz"  # argparse itself is silent about what it can't write
