"""A table with dates as a new user has one, and networks trained on it, once for all tests."""

import csv
from datetime import datetime, timedelta

import numpy as np
import pytest

from cfc_ref.cli.command import main

FEW = ["--epochs", "1", "--units", "2", "--backbone", "2", "--window", "16"]
QUICK = ["--epochs", "2", "--units", "6", "--backbone", "8", "--window", "16"]


def write_rows(path, header, rows):
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return str(path)


@pytest.fixture(scope="session")
def tables(tmp_path_factory):
    """Two weathers: a plain table, and one of two stations with gaps and a class."""
    folder = tmp_path_factory.mktemp("tables")
    rng = np.random.default_rng(0)
    day, rows, of_stations = datetime(2024, 1, 1), [], []
    for k in range(150):
        day += timedelta(hours=float(rng.integers(1, 40)))
        warmth = np.sin(k / 5) + 0.1 * rng.normal()
        rows.append([day.isoformat(), f"{warmth:.4f}", f"{rng.normal():.4f}", f"{warmth**2:.4f}"])
        gap = "" if k % 7 == 3 else f"{warmth:.4f}"
        of_stations.append([day.isoformat(), "abcd"[k % 4], gap, "dry, warm" if warmth > 0 else "wet"])
    write_rows(folder / "plain.csv", ["date", "warmth", "wind", "rain"], rows)
    write_rows(folder / "stations.csv", ["date", "station", "warmth", "weather"], of_stations)
    runs = [
        (k, f"run{g:02}", f"{(1 if g % 2 else -1) * k + rng.normal():.2f}", "up" if g % 2 else "down")
        for g in range(12)
        for k in range(8)
    ]
    write_rows(folder / "runs.csv", ["k", "run", "level", "kind"], runs)
    return folder


@pytest.fixture(scope="session")
def trained(tables, tmp_path_factory):
    """Folders: "plain" has numbers one row ahead, "stations" classes and gaps, "runs" a label per group."""
    folder = tmp_path_factory.mktemp("trained")
    words = ["train", str(tables / "plain.csv"), "--time", "date", "--target", "rain", "--horizon", "1", *QUICK]
    assert main([*words, "--out", str(folder / "plain")]) == 0
    words = ["train", str(tables / "stations.csv"), "--time", "date", "--target", "weather", "--group", "station"]
    assert main([*words, *QUICK, "--split", "time", "--out", str(folder / "stations")]) == 0
    words = ["train", str(tables / "runs.csv"), "--time", "k", "--target", "kind", "--group", "run"]
    assert main([*words, *QUICK[:-2], "--label-per-group", "--out", str(folder / "runs")]) == 0
    return folder
