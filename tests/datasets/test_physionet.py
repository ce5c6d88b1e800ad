"""PhysioNet 2012: the official preparation, both clocks, and records that are broken."""

import re
import time

import numpy as np
import pytest

from cfc_ref.datasets.irregular import eighty_twenty
from cfc_ref.datasets.physionet import VARIABLES, patients_of, physionet_scale, read_physionet
from tests import bad
from tests.compare import assert_close
from tests.datasets.published import as_archive, as_folder, physionet_files, real, write_physionet

HEADER = "Time,Parameter,Value\n"


def with_record(folder, text, number=132539, outcomes=None):
    as_folder(folder, {f"set-a/{number}.txt": text.encode(errors="surrogateescape")})
    if outcomes is not None:
        lines = ["RecordID,SAPS-I,SOFA,Length_of_stay,Survival,In-hospital_death", *outcomes]
        (folder / "Outcomes-a.txt").write_text("\n".join(lines))
    return folder


def test_the_published_set_has_the_protocols_check_values():
    folder, began = real("physionet"), time.process_time()
    stays = read_physionet(folder)
    assert time.process_time() - began < 10
    lengths = np.diff(stays.offset)
    assert (len(stays.ids), len(stays.hours), lengths.max(), lengths.min()) == (4000, 299_264, 203, 1)
    assert stays.observed.sum() == 1_750_236
    low, high = physionet_scale(stays)
    total = ((stays.values - low) / high)[stays.observed].sum(dtype=np.float64)
    assert total == pytest.approx(566_860.7, abs=0.05)
    assert len(np.unique(stays.hours)) == 2881
    training, test = eighty_twenty(4000)
    assert (len(training), len(test), (stays.died[training] == 1).sum()) == (3200, 800, 433)


def by_hand(text, low, high, clock):
    """Inputs and timespans of a record, line by line."""
    times, rows = [0.0], [{}]
    for line in text.splitlines()[1:]:
        clock_time, name, value = line.split(",")
        hours, minutes = map(int, clock_time.split(":"))
        t = round((hours + minutes / 60) / 0.016) * 0.016
        if name == "RecordID":
            continue
        if t != times[-1]:
            times.append(t)
            rows.append({})
        rows[-1].setdefault(name, []).append(float(value))
    last, x = np.zeros(41), np.zeros((len(times), 82))
    for k, row in enumerate(rows):
        for name, values in row.items():
            column = VARIABLES.index(name)
            last[column] = (np.mean(values) - low[column]) / high[column]
            x[k, 41 + column] = 1
        x[k, :41] = last
    true = np.diff(times, prepend=0)
    return x, true if clock == "true" else np.concatenate([[0], true[:-1]])


@pytest.mark.parametrize("clock", ["true", "official"])
def test_rows_are_those_of_a_loop_over_lines(tmp_path, clock):
    files, outcomes = physionet_files(np.random.default_rng(1), 12)
    as_archive(tmp_path / "set-a.tar.gz", files)
    (tmp_path / "Outcomes-a.txt").write_text(outcomes)
    stays = read_physionet(tmp_path)
    low, high = physionet_scale(stays)
    assert high[VARIABLES.index("Gender")] == -1
    assert high[VARIABLES.index("WBC")] == 1  # never seen
    patients = patients_of(stays, (low, high), clock)
    for k, text in enumerate(files.values()):
        x, timespans = by_hand(text.decode(), low, high, clock)
        n = len(x)
        assert patients.mask[k].sum() == n
        assert_close(patients.x[k, :n], x.astype(np.float32), rtol=1e-5, atol=1e-6, dtype="float32")
        assert_close(patients.timespans[k, :n], timespans.astype(np.float32), rtol=1e-6, atol=1e-6)
        assert not patients.x[k, n:].any()
    died = [int(line[-1]) for line in outcomes.splitlines()[1:]]
    assert patients.y.tolist() == died


def test_a_folder_is_read_as_its_archive_is(tmp_path):
    write_physionet(tmp_path, n=5)
    packed = read_physionet(tmp_path, "b")
    files, _ = physionet_files(np.random.default_rng(0), 5)
    (tmp_path / "set-a.tar.gz").unlink()
    as_folder(tmp_path, files)
    plain = read_physionet(tmp_path, "a")
    assert packed.ids[0] == 5000
    assert plain.ids.tolist() == [1000, 1001, 1002, 1003, 1004]
    assert (plain.died >= 0).all()


def test_records_without_an_outcome_are_minus_one(tmp_path):
    with_record(tmp_path, HEADER + "00:00,Age,50\n", 7)
    with_record(tmp_path, HEADER + "00:00,Age,50\n", 8, ["8,1,1,5,-1,1"])
    assert read_physionet(tmp_path).died.tolist() == [-1, 1]


BROKEN = {
    HEADER + "01:00,HR,80\n00:59,HR,80\n": "whose time goes back from 01:00 to 00:59",
    HEADER + "00:00,Pulse,80\n": "with the variable 'Pulse'",
    HEADER + "48:01,HR,80\n": "with the time '48:01'",
    HEADER + "0:00,HR,80\n": "with the time '0:00'",
    HEADER + "00:00,HR,many\n": "with the value 'many'",
    HEADER + "00:00,HR,nan\n": "with the value 'nan'",
    HEADER + "00:00,HR\n": "no table of three columns",
    HEADER + "00:00,H\udcffR,80\n": "with the variable 'H\xffR'",  # a byte that is no UTF-8
    HEADER: "no table of three columns",
    "": "no table of three columns",
    HEADER + "00:00,RecordID,132540\n": "which holds record 132540",
}


@pytest.mark.parametrize("text", BROKEN)
def test_broken_records_are_refused_by_name(tmp_path, text):
    with pytest.raises(ValueError, match=rf"\Afolder: got set-a/132539.txt, .*{re.escape(BROKEN[text])}[^\n]*\Z"):
        read_physionet(with_record(tmp_path, text))


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        (["132540,1,1,5,-1,0"], "an outcome of record 132540, which is not there"),
        (["132539,1,1,5,-1,0", "132539,1,1,5,-1,0"], "two outcomes of record 132539"),
        (["132539,1,1,5,-1,2"], "the line '132539,1,1,5,-1,2'"),
        (["132539,1,1,5,-1"], "the line '132539,1,1,5,-1'"),
    ],
)
def test_broken_outcomes_are_refused(tmp_path, lines, why):
    with_record(tmp_path, HEADER + "00:00,HR,80\n", outcomes=lines)
    with pytest.raises(ValueError, match=rf"\Afolder: got Outcomes-a.txt, with {re.escape(why)}; expected "):
        read_physionet(tmp_path)
    (tmp_path / "Outcomes-a.txt").write_text("RecordID,Died\n")
    with pytest.raises(ValueError, match=r"\Afolder: got Outcomes-a.txt, whose header is 'RecordID,Died'; expected "):
        read_physionet(tmp_path)


@pytest.mark.parametrize("share", [0.3, 0.6, 0.98, 0.9999])
def test_a_truncated_archive_is_refused(tmp_path, share):
    write_physionet(tmp_path, n=50)
    content = (tmp_path / "set-a.tar.gz").read_bytes()
    (tmp_path / "set-a.tar.gz").write_bytes(content[: int(share * len(content))])
    with pytest.raises(ValueError, match=r"\Afolder: got set-a.tar.gz, which is truncated or damaged \([^\n]+\Z"):
        read_physionet(tmp_path)


def test_other_folders_and_arguments_are_refused(tmp_path):
    for folder in (None, 1, tmp_path / "nowhere", tmp_path):
        bad.refuses(read_physionet, "folder", folder)
    with_record(tmp_path, HEADER + "00:00,HR,80\n")
    for value in bad.CHOICES:
        bad.refuses(read_physionet, "which", value, folder=tmp_path)
    stays = read_physionet(tmp_path)
    for value in bad.CHOICES:
        bad.refuses(patients_of, "clock", value, stays=stays, scale=physionet_scale(stays))
    (tmp_path / "set-a" / "readme.txt").write_text("hello")
    with pytest.raises(ValueError, match=r"folder: got set-a/readme.txt, which is no record"):
        read_physionet(tmp_path)
