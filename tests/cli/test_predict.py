"""Predictions: of a file, and row by row through a pipe, which are the same; and what is refused."""

import csv
import io
import os
import subprocess
import sys

import numpy as np
import pytest

import cfc_ref
from cfc_ref.cli.command import main
from tests.cli.test_verify import refused
from tests.compare import assert_close


def rows_of(text):
    return list(csv.DictReader(io.StringIO(text)))


def predict(folder, data, out):
    assert main(["predict", str(folder), str(data), "--out", str(out)]) == 0
    return rows_of((out / "predictions.csv").read_text())


class Input:
    """Standard input that holds bytes."""

    def __init__(self, content):
        self.buffer = io.BytesIO(content)


def stream(folder, content, monkeypatch, capsys):
    capsys.readouterr()
    monkeypatch.setattr(sys, "stdin", Input(content))
    status = main(["predict", str(folder), "--stream"])
    return (status, *capsys.readouterr())


@pytest.mark.parametrize("name", ["plain", "stations"])
def test_streaming_equals_predicting(trained, tables, tmp_path, monkeypatch, capsys, name):
    whole = predict(trained / name, tables / f"{name}.csv", tmp_path)
    content = (tables / f"{name}.csv").read_bytes()
    status, out, err = stream(trained / name, content, monkeypatch, capsys)
    streamed = rows_of(out)
    assert (status, err) == (0, "")
    assert list(streamed[0]) == list(whole[0])
    assert len(streamed) == len(whole) == 150
    numeric = [key for key in whole[0] if key == "rain_predicted" or key.startswith("probability_")]
    assert numeric
    for one, two in zip(streamed, whole, strict=True):
        assert_close([float(one[key]) for key in numeric], [float(two[key]) for key in numeric], rtol=2e-5, atol=2e-6)
        assert all(one[key] == two[key] for key in ("date", "station") if key in one)


def test_predictions_are_the_networks(trained, tables, tmp_path):
    """Computed here from the settings' numbers, by plain arithmetic."""
    import json
    from datetime import datetime

    got = predict(trained / "plain", tables / "plain.csv", tmp_path)
    learned = json.loads((trained / "plain" / "settings.json").read_text())["preparation"]
    rows = rows_of((tables / "plain.csv").read_text())
    x = np.array([[float(row[name]) for name in ("warmth", "wind", "rain")] for row in rows])
    dates = [datetime.fromisoformat(row["date"]) for row in rows]
    steps = [(b - a).total_seconds() / learned["timespan"] for a, b in zip(dates, dates[1:], strict=False)]
    scaled = (x - learned["feature_mean"]) / learned["feature_std"]
    output, _ = cfc_ref.load(trained / "plain" / "model.npz")(scaled, timespans=np.array([1.0, *steps]))
    expected = output[:, 0] * learned["target_std"][0] + learned["target_mean"][0]
    if learned["change"][0]:
        expected = expected + x[:, 2]
    assert [row["date"] for row in got] == [row["date"] for row in rows]
    assert_close([float(row["rain_predicted"]) for row in got], expected, rtol=1e-5, atol=1e-5)


def test_a_class_is_that_of_the_largest_probability(trained, tables, tmp_path):
    for row in predict(trained / "stations", tables / "stations.csv", tmp_path):
        probabilities = {name: float(row[f"probability_{name}"]) for name in ("dry, warm", "wet")}
        assert sum(probabilities.values()) == pytest.approx(1, abs=1e-6)
        assert row["weather_predicted"] == max(probabilities, key=probabilities.get)


def test_the_target_is_not_needed_where_it_is_no_feature(trained, tables, tmp_path):
    lines = list(csv.reader((tables / "stations.csv").read_text().splitlines()))
    text = "".join(f"{row[1]},{row[0]},{row[2]},more\n" for row in lines)
    (tmp_path / "new.csv").write_text(text)
    one = predict(trained / "stations", tmp_path / "new.csv", tmp_path / "one")
    assert one == predict(trained / "stations" / "model.npz", tables / "stations.csv", tmp_path / "two")


def test_a_later_row_changes_no_earlier_prediction(trained, tables, tmp_path):
    lines = (tables / "plain.csv").read_text().splitlines()
    (tmp_path / "short.csv").write_text("\n".join(lines[:40]))
    short = predict(trained / "plain", tmp_path / "short.csv", tmp_path / "short")
    whole = predict(trained / "plain", tables / "plain.csv", tmp_path / "whole")[:39]
    got, expected = ([float(row["rain_predicted"]) for row in rows] for rows in (short, whole))
    assert_close(got, expected, rtol=1e-6, atol=1e-6)


def test_predictions_come_through_a_pipe_as_rows_do(trained, tables):
    """A row is written and its prediction read before the next one is there; whoever stops reading ends it quietly."""
    command = [sys.executable, "-m", "cfc_ref", "predict", str(trained / "plain"), "--stream"]
    pipe = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    lines = (tables / "plain.csv").read_text().splitlines()
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    with subprocess.Popen(command, text=True, bufsize=1, env=buffered, **pipe) as run:
        run.stdin.write(f"{lines[0]}\n")
        assert run.stdout.readline() == "date,rain_predicted\n"
        for line in lines[1:6]:
            run.stdin.write(f"{line}\n")
            assert run.stdout.readline().startswith(line.split(",")[0] + ",")
        run.stdout.close()
        run.stdin.write(f"{lines[6]}\n{lines[7]}\n")
        run.stdin.close()
        assert run.wait() == 141
        assert run.stderr.read() == ""


HEADER = b"date,warmth,wind,rain\n"
BROKEN_STREAMS = [
    (b"", "standard input: got nothing; "),
    (b"date,wind\n2024-01-01,1\n", "standard input: got no columns 'warmth', 'rain'; expected columns 'date', "),
    (b"date,warmth,wind,rain,wind\n2024-01-01,1,2,3,4\n", "standard input: got column 'wind' more than once; "),
    (HEADER + b"2024-01-01,1,2,3\n2024-01-02,1,x,3\n", "standard input: got 'x' in line 3, column 'wind'; "),
    (HEADER + b"2024-01-01,1,2,3\n2024-01-02,1,,3\n", "standard input: got '' in line 3, column 'wind'; "),
    (HEADER + b"2024-01-01,1,2,3\n2024-01-02,1,2\n", "standard input: got 3 fields in line 3; "),
    (HEADER + b"2024-01-02,1,2,3\n2024-01-01,1,2,3\n", "got '2024-01-01' after '2024-01-02' in line 3, column 'date'"),
    (HEADER + b"7,1,2,3\n", "standard input: got '7' in line 2, column 'date'; "),
    (HEADER + b"2024-01-02,1,\xff,3\n", "standard input: got bytes in line 2 that are no text"),
    (HEADER + b'2024-01-02,1,"2,3\n', "standard input: got line 2, which can't be read as text"),
    (HEADER + b"2024-01-02,1e300,2,3\n", "got '1e300' in line 2, column 'warmth'; expected numbers from -"),
    (HEADER + b"2024-01-02,2,1e39,3\n", "got '1e39' in line 2, column 'wind'; expected numbers from -"),
]


@pytest.mark.parametrize(("content", "message"), BROKEN_STREAMS)
def test_a_broken_stream_is_one_line_and_status_2(trained, monkeypatch, capsys, content, message):
    status, out, err = stream(trained / "plain", content, monkeypatch, capsys)
    assert status == 2
    assert err.startswith("cfc-ref predict: ")
    assert err.count("\n") == 1
    assert message in err
    assert len(out.splitlines()) <= 1 + (b"2024-01-01,1,2,3" in content) + (b"2024-01-02,1,2,3" in content)


def test_a_label_per_group_is_predicted_at_its_end(trained, tables, tmp_path, monkeypatch, capsys):
    got = predict(trained / "runs", tables / "runs.csv", tmp_path)
    assert [row["run"] for row in got] == [f"run{g:02}" for g in range(12)]
    assert {row["k"] for row in got} == {"7"}
    _, out, _ = stream(trained / "runs", (tables / "runs.csv").read_bytes(), monkeypatch, capsys)
    last = [row for row in rows_of(out) if row["k"] == "7"]
    assert [row["kind_predicted"] for row in last] == [row["kind_predicted"] for row in got]
    numbers = [[float(row["probability_up"]) for row in rows] for rows in (last, got)]
    assert_close(*numbers, rtol=2e-5, atol=2e-6)


def test_predictions_are_not_overwritten_silently(trained, tables, tmp_path, capsys):
    words = ["predict", str(trained / "plain"), str(tables / "plain.csv"), "--out", str(tmp_path / "out")]
    assert main(words) == 0
    assert "Written: " in capsys.readouterr().out
    assert main(words) == 0
    assert "Replaced: " in capsys.readouterr().out
    (tmp_path / "out" / "predictions.csv").write_text("mine")
    capsys.readouterr()
    refused(words, capsys, "which holds a predictions.csv; expected a folder without one; ")
    assert (tmp_path / "out" / "predictions.csv").read_text() == "mine"
    assert main([*words, "--force"]) == 0
    assert len(rows_of((tmp_path / "out" / "predictions.csv").read_text())) == 150


def test_data_with_other_columns_say_which_are_missing(trained, tmp_path, capsys):
    (tmp_path / "other.csv").write_text("date,wind\n2024-01-01,3\n")
    message = "path: got no columns 'warmth', 'rain'; expected columns 'date', 'warmth', 'wind', 'rain'; add what is"
    words = ["predict", str(trained / "plain"), str(tmp_path / "other.csv"), "--out", str(tmp_path / "out")]
    refused(words, capsys, message)
    (tmp_path / "numbers.csv").write_text("date,warmth,wind,rain\n1,2,3,4\n")
    refused([*words[:2], str(tmp_path / "numbers.csv"), *words[3:]], capsys, "'1' in line 2, column 'date'")
    assert not (tmp_path / "out").exists()


def test_what_is_no_trained_folder_is_refused(trained, tables, tmp_path, capsys):
    data = [str(tables / "plain.csv"), "--out", str(tmp_path / "out")]
    refused(["predict", str(tmp_path), *data], capsys, "no settings.json in it")
    cfc_ref.save(tmp_path / "model.npz", cfc_ref.CfC(2, 3, seed=0))
    refused(["predict", str(tmp_path / "model.npz"), *data], capsys, "no settings.json in it")
    for content, message in (("{}", "has another content"), ("{", "cannot be read"), ("[]", "has another content")):
        (tmp_path / "settings.json").write_text(content)
        (tmp_path / "figures.json").write_text("{}")
        refused(["predict", str(tmp_path), *data], capsys, message)
    refused(["predict", str(trained / "plain")], capsys, "got no data; ")
    refused(["predict", str(trained / "plain"), data[0]], capsys, "got no out; ")
    refused(["predict", str(trained / "plain"), "--stream", "--out", "x"], capsys, "got --stream and out; ")
