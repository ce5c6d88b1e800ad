"""Small data sets in the published forms, for tests that need no download; and where the real ones are."""

import gzip
import io
import os
import tarfile
from pathlib import Path

import numpy as np
import pytest

from cfc_ref.datasets.person import ACTIVITIES

TAGS = ["010-000-024-033", "010-000-030-096", "020-000-033-111", "020-000-032-221"]
WORDS = [f"word{k}" for k in range(60)]


def real(name):
    """The folder of a real data set, of which the test part may be missing; skips where there is none."""
    beside = Path(__file__).parents[3] / "shared" / "data"  # of the checkout
    folder = Path(os.environ.get("CFC_REF_DATA", beside)) / name
    if not folder.is_dir():
        pytest.skip(f"needs the published data: name the folder that holds {name} in CFC_REF_DATA")
    return folder


def as_archive(path, files):
    """Write a gzipped tar of {name: bytes}."""
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))


def as_folder(path, files):
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)


def physionet_files(rng, n, which="a"):
    """Records of a few rows, whose heart rate tells who dies, and their outcomes."""
    files, outcomes = {}, ["RecordID,SAPS-I,SOFA,Length_of_stay,Survival,In-hospital_death"]
    first = 1000 if which == "a" else 5000
    for number in range(first, first + n):
        died = int(rng.random() < 0.4)
        lines = [f"00:00,{name},{value}" for name, value in (("RecordID", number), ("Age", 50), ("Gender", -1))]
        minute = 0
        for _ in range(rng.integers(3, 9)):
            minute += int(rng.integers(1, 90))
            clock = f"{minute // 60:02d}:{minute % 60:02d}"
            lines.append(f"{clock},HR,{80 + 40 * died + rng.integers(-10, 10)}")
            if rng.random() < 0.5:
                lines += [f"{clock},Temp,{36 + rng.random():.1f}", f"{clock},HR,{90 + 40 * died}"]
        files[f"set-{which}/{number}.txt"] = "\n".join(["Time,Parameter,Value", *lines, ""]).encode()
        outcomes.append(f"{number},1,1,5,-1,{died}")
    return files, "\n".join([*outcomes, ""])


def write_physionet(folder, n=60, seed=0):
    rng = np.random.default_rng(seed)
    for which in "ab":
        files, outcomes = physionet_files(rng, n, which)
        as_archive(folder / f"set-{which}.tar.gz", files)
        (folder / f"Outcomes-{which}.txt").write_text(outcomes)
    return folder


def idx(array):
    return bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes() + array.astype(np.uint8).tobytes()


def write_mnist(folder, n=50, seed=0):
    """Images of 6 x 6 pixels, whose label is the number of bright stripes; the labels are not gzipped."""
    rng = np.random.default_rng(seed)
    for stem in ("train", "t10k"):
        labels = rng.integers(0, 3, n)
        images = np.zeros((n, 6, 6))
        for image, label in zip(images, labels, strict=True):
            image[rng.permutation(6)[: label + 1], 2] = 255
        (folder / f"{stem}-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(images)))
        (folder / f"{stem}-labels-idx1-ubyte").write_bytes(idx(labels))
    return folder


def imdb_files(seed=0, n=40):
    rng = np.random.default_rng(seed)
    files = {"aclImdb/README": b"not a review"}
    for part in ("train", "test"):
        for k in range(n):
            label = "pos" if k % 2 else "neg"
            words = rng.choice(WORDS, rng.integers(3, 30), p=np.arange(60, 0, -1) / 1830).tolist()
            text = "".join(f"{word}{rng.choice([' ', ', ', '. <br />'])}" for word in [*words, "good" * (k % 2)])
            files[f"aclImdb/{part}/{label}/{k}_{7 if k % 2 else 3}.txt"] = text.title().encode()
    files["aclImdb/train/unsup/0_0.txt"] = b"never counted"
    return files


def write_imdb(folder, **arguments):
    as_archive(folder / "aclImdb_v1.tar.gz", imdb_files(**arguments))
    return folder


def person_lines(seed=0, rows=230):
    """Two recordings; the height of a tag tells the activity."""
    rng = np.random.default_rng(seed)
    lines = []
    for name in ("A01", "A02"):
        ticks, label = 633790226051280329, "walking"
        for k in range(rows):
            ticks += int(rng.integers(1, 9)) * 100_000
            label = str(rng.choice(list(ACTIVITIES))) if k % 20 == 0 else label
            xyz = [4 + rng.random(), 1 + rng.random(), 1 + 0.2 * ACTIVITIES[label]]
            place = ",".join(f"{v:.5f}" for v in xyz)
            lines.append(f"{name},{TAGS[rng.integers(4)]},{ticks},27.05.2009 14:03:25:127,{place},{label}")
    return lines


def write_person(folder, **arguments):
    (folder / "ConfLongDemo_JSI.txt").write_text("\n".join([*person_lines(**arguments), ""]))
    return folder
