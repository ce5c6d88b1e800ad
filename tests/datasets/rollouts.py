"""Small recordings with the names of Walker2d's, for tests that need no download; and where the real ones are."""

import os
from pathlib import Path

import numpy as np
import pytest

NAMES = [f"rollout_{number:03d}.npy" for number in range(400)]


def write_rollouts(folder, rows=(75, 100)):
    """Write 400 random recordings of `rows` observations; short of 65 that stay, a recording has no window."""
    rng = np.random.default_rng(0)
    folder.mkdir(exist_ok=True)
    for name in NAMES:
        np.save(folder / name, np.cumsum(rng.normal(size=(rng.integers(*rows), 17)), axis=0) / 10)
    return folder


def real_rollouts():
    """The folder of the real recordings, of which the test part may be missing; skips where there is none."""
    beside = Path(__file__).parents[3] / "shared" / "data" / "walker2d"  # of the checkout
    folder = Path(os.environ.get("CFC_REF_WALKER2D", beside))
    if not folder.is_dir():
        pytest.skip("needs Walker2d's recordings: name their folder in the environment variable CFC_REF_WALKER2D")
    return folder
