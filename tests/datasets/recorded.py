"""The recordings that matplotlib brings along, as tables: ``python -m tests.datasets.recorded FOLDER`` writes them."""

import csv
import sys
from pathlib import Path

import numpy as np
from matplotlib import cbook

from cfc_ref.datasets.eeg import eeg_recording


def write_eeg(path):
    """Four channels of EEG, 800 rows in 10 s."""
    eeg = eeg_recording()
    rows = zip(eeg.times, *eeg.values, strict=True)
    _write(path, ["seconds", *(f"channel{k}" for k in range(len(eeg.values)))], rows)


def write_prices(path):
    """Prices of a share on 1,047 days of trade, with the return since the day before, in percent."""
    prices = np.load(cbook.get_sample_data("goog.npz", asfileobj=False))["price_data"]
    change = 100 * np.diff(np.log(prices["close"]), prepend=np.nan)
    names = [name for name in prices.dtype.names if name != "adj_close"]
    rows = [[*(day[name] for name in names), "" if np.isnan(r) else r] for day, r in zip(prices, change, strict=True)]
    _write(path, [*names, "return"], rows)


def _write(path, header, rows):
    with Path(path).open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    write_eeg(folder / "eeg.csv")
    write_prices(folder / "prices.csv")
