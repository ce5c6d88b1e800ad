"""Files are whole or not there."""

import pytest

from cfc_ref.io import output_folder, write_atomically


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
