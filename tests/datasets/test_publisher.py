"""Downloads: what is missing is fetched, checked, and written whole or not at all."""

import gzip
import hashlib
import re

import pytest

from cfc_ref.datasets.imdb import download_imdb
from cfc_ref.datasets.mnist import download_mnist
from cfc_ref.datasets.person import download_person
from cfc_ref.datasets.physionet import download_physionet
from cfc_ref.datasets.publisher import PublishedFile, download_missing


def md5(content):
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def test_only_missing_files_are_fetched(tmp_path):
    (tmp_path / "web").mkdir()
    packed = gzip.compress(b"contents")
    (tmp_path / "web" / "a.gz").write_bytes(packed)
    url = (tmp_path / "web" / "a.gz").as_uri()
    files = [PublishedFile("a.gz", url, md5=md5(b"contents")), PublishedFile("b", "https://nowhere.invalid/b")]
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "b").write_bytes(b"mine")
    assert download_missing(folder, files) == folder
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {"a.gz": packed, "b": b"mine"}


@pytest.mark.parametrize(
    ("name", "file", "why"),
    [
        ("x", {"bytes": 7}, "with bytes 8; expected bytes 7"),
        ("x", {"md5": "0" * 32}, f"with md5 {md5(b'contents')}; expected md5 {'0' * 32}"),
        ("x.gz", {"md5": "0" * 32}, "which is truncated or damaged (Not a gzipped file (b'co')); expected a gzip file"),
    ],
)
def test_other_contents_are_refused_and_nothing_is_written(tmp_path, name, file, why):
    (tmp_path / name).write_bytes(b"contents")
    with pytest.raises(ValueError, match=rf"\Adownload: got [^\n]*{re.escape(why)}; [^\n]+\Z"):
        download_missing(tmp_path / "folder", [PublishedFile(name, (tmp_path / name).as_uri(), **file)])
    assert not list((tmp_path / "folder").iterdir())


@pytest.mark.parametrize("download", [download_physionet, download_mnist, download_imdb, download_person])
def test_an_address_that_does_not_answer_is_named(tmp_path, monkeypatch, download):
    def refuse(url, timeout):
        raise OSError("Tunnel connection failed")

    monkeypatch.setattr("urllib.request.urlopen", refuse)
    with pytest.raises(ValueError, match=r"\Adownload: got 'https://[^\n]+ \(Tunnel connection failed\); expected "):
        download(tmp_path)
