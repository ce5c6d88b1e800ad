"""Walker2d: the official split and thinning, folders that lack files, and what a download accepts."""

import re
import shutil
import zipfile

import numpy as np
import pytest

from cfc_ref.datasets.walker2d import download_walker2d, missing_files, official_split, read_walker2d
from tests import bad
from tests.compare import assert_close, refusal
from tests.datasets.rollouts import NAMES, real_rollouts


def with_files(source, folder, names):
    folder.mkdir()
    for name in names:
        shutil.copy(source / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def without_test(rollouts, tmp_path_factory):
    split = official_split()
    names = split["training"] + split["validation"]
    return with_files(rollouts, tmp_path_factory.mktemp("partly") / "folder", names)


def test_the_real_recordings_give_9684_and_1272_windows():
    parts = read_walker2d(real_rollouts(), test=False)
    for part, n in (("training", 9684), ("validation", 1272)):
        assert parts[part].x.shape == parts[part].y.shape == (n, 64, 17)
        assert parts[part].timespans.shape == (n, 64)
        assert parts[part].timespans.min() == 1


def test_the_split_is_a_shuffle_of_the_sorted_official_names():
    names = sorted(NAMES)
    np.random.RandomState(125487).shuffle(names)
    split = official_split()
    assert split["test"] + split["validation"] + split["training"] == tuple(names)
    assert (len(split["test"]), len(split["validation"])) == (60, 40)


def by_hand(folder, names, rng):
    """Windows of some files, each time step looked at in turn."""
    windows = []
    for name in names:
        rows, stays, since = np.load(folder / name).astype(np.float32), [], 0
        for k in range(len(rows) - 1):
            since += 1
            if rng.rand() < 0.9:
                stays.append((rows[k], rows[k + 1], since))
                since = 0
        for k in range(0, len(stays) - 64, 16):
            windows.append([np.array(part) for part in zip(*stays[k : k + 64], strict=True)])
    return [np.array(part) for part in zip(*windows, strict=True)]


def test_parts_are_those_of_a_loop_over_time_steps(rollouts):
    parts = read_walker2d(rollouts)
    rng = np.random.RandomState(891374)
    for part in ("training", "validation", "test"):
        for got, ref in zip(parts[part], by_hand(rollouts, official_split()[part], rng), strict=True):
            assert_close(got, ref, rtol=0, atol=0, dtype="float32")
    assert len(parts["training"].x) > 300


def test_without_test_files_the_other_parts_are_the_same(rollouts, without_test):
    whole, partly = read_walker2d(rollouts), read_walker2d(without_test, test=False)
    assert list(partly) == ["training", "validation"]
    for part, windows in partly.items():
        for got, ref in zip(windows, whole[part], strict=True):
            assert np.array_equal(got, ref)


def test_a_test_part_without_its_files_is_refused(without_test):
    names = sorted(official_split()["test"])
    assert missing_files(without_test) == {"training": [], "validation": [], "test": names}
    got = f"no {names[0]} and 59 other files of the test part"
    with pytest.raises(ValueError, match=re.escape(f"folder: got {got}; expected all files of the test part; ")):
        read_walker2d(without_test)


@pytest.mark.parametrize("part", ["training", "validation"])
def test_missing_files_of_the_other_parts_are_named(without_test, tmp_path, part):
    split = official_split()
    name = split[part][5]
    names = {*split["training"], *split["validation"]} - {name}
    folder = with_files(without_test, tmp_path / "folder", names)
    with pytest.raises(ValueError, match=re.escape(f"folder: got no {name} of the {part} part; expected ")):
        read_walker2d(folder, test=False)


WRONG = {
    "other columns": np.ones((90, 16)),
    "one row": np.ones((1, 17)),
    "one axis": np.ones(90),
    "NaN": np.full((90, 17), np.nan),
    "objects": np.array([{}], dtype=object),
    "booleans": np.ones((90, 17), bool),
}


@pytest.mark.parametrize("what", [*WRONG, "a pickle", "text", "nothing"])
def test_other_files_are_refused_by_name(without_test, tmp_path, what):
    split = official_split()
    name = split["training"][0]
    folder = with_files(without_test, tmp_path / "folder", split["training"] + split["validation"])
    if what in WRONG:
        np.save(folder / name, WRONG[what])
    else:
        (folder / name).write_bytes({"a pickle": b"\x80\x04K\x01.", "text": b"1,2,3\n", "nothing": b""}[what])
    with pytest.raises(ValueError, match=refusal("folder")) as error:
        read_walker2d(folder, test=False)
    assert name in str(error.value)


def test_recordings_that_are_too_short_for_a_window_are_refused(without_test, tmp_path):
    split = official_split()
    folder = with_files(without_test, tmp_path / "folder", split["training"])
    for name in split["validation"]:
        np.save(folder / name, np.ones((65, 17)))
    with pytest.raises(ValueError, match=r"folder: got no recording of the validation part with more than 64 "):
        read_walker2d(folder, test=False)


def test_bad_arguments_are_refused(tmp_path):
    for folder in (None, 1, b"here", tmp_path / "nowhere", ""):
        bad.refuses(read_walker2d, "folder", folder)
        if folder != "":
            bad.refuses(missing_files, "folder", folder)
    bad.refuses(read_walker2d, "test", 1, folder=tmp_path)


# --- download


def archive(path, files, inside="walker/"):
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(f"{inside}readme.txt", "recordings")
        for name, content in files.items():
            file.writestr(f"{inside}{name}", content)
    return path.as_uri()


@pytest.fixture(scope="module")
def contents(rollouts):
    return {name: (rollouts / name).read_bytes() for name in NAMES}


@pytest.mark.parametrize("inside", ["walker/", "", "../../"])
def test_a_download_is_unpacked_into_the_folder_and_nowhere_else(rollouts, contents, tmp_path, inside):
    url = archive(tmp_path / "walker.zip", contents, inside)
    folder = tmp_path / "deep" / "er" / "folder"
    assert download_walker2d(folder, url=url) == folder
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == [*NAMES, "walker.zip"]
    assert read_walker2d(folder).keys() == read_walker2d(rollouts).keys()


def test_a_download_that_is_something_else_is_refused_and_nothing_written(contents, tmp_path):
    one = NAMES[7]
    fewer = {name: content for name, content in contents.items() if name != one}
    urls = {
        "No such file": (tmp_path / "nothing.zip").as_uri(),
        "unknown url type": "walker.zip",
        "399 of the 400 files": archive(tmp_path / "fewer.zip", fewer),
        f"{one}, which can't be read": archive(tmp_path / "pickle.zip", {**contents, one: b"\x80\x04K\x01."}),
        "can't be unpacked": (tmp_path / "text.zip").as_uri(),
    }
    (tmp_path / "text.zip").write_bytes(b"<html>not here</html>")
    for why, url in urls.items():
        with pytest.raises(ValueError, match=r"\A(download|folder): got [^\n]+; expected [^\n]+; [^\n]+\.\Z") as error:
            download_walker2d(tmp_path / "folder", url=url)
        assert why in str(error.value)
    assert not (tmp_path / "folder").exists()
