"""Person activity: windows as the official code cuts them, and files that are broken."""

import re

import numpy as np
import pytest

from cfc_ref.datasets.person import ACTIVITIES, Lines, activity_windows, is_whole, read_person
from tests import bad
from tests.compare import assert_close
from tests.datasets.published import TAGS, person_lines, real, write_person


def test_the_fragment_has_the_protocols_windows():
    lines = read_person(real("person"))
    for number, windows in enumerate((232, 226)):
        own = Lines(*(array[lines.sequence == number] for array in lines))
        assert activity_windows(own).x.shape == (windows, 50, 24)
    assert activity_windows(lines).timespans.min() == 0


def by_hand(lines):
    """Rows of a recording, line by line."""
    rows, start = [], None
    for line in lines:
        _, tag, ticks, _, *xyz, label = line.split(",")
        start = int(ticks) if start is None else start
        unit = round((int(ticks) - start) / 1e5)
        if not rows or unit != rows[-1][0]:
            before = rows[-1][1] if rows else np.zeros(12)
            rows.append((unit, before.copy(), np.zeros(12), ACTIVITIES[label]))
        k = 3 * TAGS.index(tag)
        rows[-1][1][k : k + 3] = [float(v) for v in xyz]
        rows[-1][2][k : k + 3] = 1
    return rows


def test_windows_are_those_of_a_loop_over_lines(tmp_path):
    activity = activity_windows(read_person(write_person(tmp_path)))
    windows = []
    for name in ("A01", "A02"):
        rows = by_hand([line for line in person_lines() if line.startswith(name)])
        windows += [rows[k : k + 50] for k in range(0, len(rows) - 50, 25)]
    assert len(activity.x) == len(windows) > 10
    for k, rows in enumerate(windows):
        x = np.array([np.concatenate([seen, mask]) for _, seen, mask, _ in rows])
        assert_close(activity.x[k], x.astype(np.float32), rtol=1e-6, dtype="float32")
        units = [unit for unit, *_ in rows]
        assert_close(activity.timespans[k], np.diff(units, prepend=units[0]).astype(np.float32))
        assert activity.y[k].tolist() == [label for *_, label in rows]


def test_values_of_one_unit_are_averaged_and_rows_are_sorted(tmp_path):
    lines = person_lines()
    cells = lines[0].split(",")
    again = ",".join([*cells[:4], *("6.0",) * 3, cells[7]])
    (tmp_path / "ConfLongDemo_JSI.txt").write_text("\n".join([lines[0], again, lines[2], lines[1], *lines[3:]]))
    read = activity_windows(read_person(tmp_path))
    k = 3 * TAGS.index(cells[1])
    assert_close(read.x[0, 0, k], np.float32((float(cells[4]) + 6) / 2), rtol=1e-6)
    assert (read.timespans[0, 1:] > 0).all()


BROKEN = {
    "7 entries in line 1": lambda cells: cells[1:],
    "the name '010' in line 1": lambda cells: [cells[0], "010", *cells[2:]],
    "the name 'running' in line 1": lambda cells: [*cells[:7], "running"],
    "an entry that is no number (": lambda cells: [*cells[:4], "far", *cells[5:]],
    "coordinates that are not finite": lambda cells: [*cells[:4], "nan", *cells[5:]],
    "whose time goes back in line 2": lambda cells: [*cells[:2], str(int(cells[2]) + 10**9), *cells[3:]],
}


@pytest.mark.parametrize("why", BROKEN)
def test_broken_lines_are_refused(tmp_path, why):
    first, *others = person_lines()
    lines = [",".join(BROKEN[why](first.split(","))), *others]
    (tmp_path / "ConfLongDemo_JSI.txt").write_text("\n".join(lines))
    with pytest.raises(ValueError, match=rf"\Afolder: got ConfLongDemo_JSI.txt, [^\n]*{re.escape(why)}[^\n]*\Z"):
        read_person(tmp_path)


def test_other_files_are_refused_and_another_edition_is_told(tmp_path):
    for folder in (None, 1, tmp_path / "nowhere", tmp_path):
        bad.refuses(read_person, "folder", folder)
    assert not is_whole(tmp_path)
    (tmp_path / "fragment.npz").write_text("hello")
    with pytest.raises(ValueError, match=r"\Afolder: got fragment.npz, which can't be read "):
        read_person(tmp_path)
    assert not is_whole(write_person(tmp_path))
    (tmp_path / "ConfLongDemo_JSI.txt").write_text("\n".join(person_lines()[:40]))
    with pytest.raises(ValueError, match=r"with no recording of more than 50 rows"):
        activity_windows(read_person(tmp_path))
    (tmp_path / "ConfLongDemo_JSI.txt").write_text("\n")
    with pytest.raises(ValueError, match=r"ConfLongDemo_JSI.txt, which is empty"):
        read_person(tmp_path)
