"""A page of the site that runs a network in the browser, where a compiler for it is installed: clang with wasm-ld."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import numpy as np

from cfc_ref import CfC, export_wasm, fit
from cfc_ref.datasets import eeg_recording
from cfc_ref.export.wasm_files import StreamedRows
from cfc_ref.learn import AdamW

NAME = "eeg_network"
WINDOW, STRIDE, TRAINED = 32, 8, 600  # samples of a window, from one to the next, and of the training part
LINK = f'| a network that runs in this browser | <a href="{NAME}.html">a recorded EEG, streamed through it</a> |\n'


def linked(index: str) -> str:
    """Return the site's first page with a link to the network's page in place of a marked row, or without it."""
    return index.replace("| NETWORK | PAGE |\n", LINK if compiler_is_there() else "")


def compiler_is_there() -> bool:
    """Return whether the page can be made."""
    return all(map(shutil.which, ("clang", "wasm-ld")))


def write_page(folder: Path) -> None:
    """Train a network to predict the next sample of an EEG, and write its page."""
    eeg = eeg_recording()
    x = np.ascontiguousarray(eeg.values.T, dtype=np.float32)
    dt = np.full(len(x), 1.0)  # in samples
    begins = np.arange(0, TRAINED - WINDOW, STRIDE)[:, None] + np.arange(WINDOW)
    # a share of the samples is left out, so that the network has seen irregular times
    rng = np.random.default_rng(0)
    kept = np.sort(rng.random(begins.shape).argsort(axis=1)[:, : WINDOW * 3 // 4], axis=1)
    k = np.take_along_axis(begins, kept, axis=1)
    spans = np.diff(k, axis=1, prepend=k[:, :1] - 1).astype(np.float32)
    model = CfC(x.shape[1], 32, proj_size=x.shape[1], backbone_units=32, backend="numpy", seed=0)
    fit(model, (x[k], x[k + 1], spans), loss="mse", optimizer=AdamW(8e-3), epochs=30, batch_size=16, schedule="cosine",
        clip=1.0, contraction=0.95, progress=False)  # fmt: skip
    y = np.concatenate([x[1:], np.full((1, x.shape[1]), np.nan)])
    dt[0] = np.nan
    with tempfile.TemporaryDirectory() as made:
        page = export_wasm(model, made, NAME, dt_range=(1, float(spans.max())), recording=StreamedRows("EEG", x, dt, y))
        shutil.copy(page, folder)
