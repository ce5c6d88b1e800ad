"""Short runs of ``verify``: a few of each kind of edge case, search and order."""

import numpy as np
import pytest

from cfc_ref import signals
from cfc_ref.datasets.eeg import eeg_recording
from cfc_ref.report import blind_search, verification


def shorten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every run of ``verify`` in this process a short one."""
    monkeypatch.setattr(verification, "_ALWAYS", {"adversarial": 24, "edge": 16})
    monkeypatch.setattr(verification, "_SEARCHED", 1)
    monkeypatch.setattr(verification, "_LEAST", 20)
    monkeypatch.setattr(verification, "_OSCILLATORS", 2)
    monkeypatch.setattr(blind_search, "_GENERATIONS", 60)
    monkeypatch.setattr(verification, "eeg_recording", short_recording)


def short_recording() -> signals.Sampled:
    """Return half a second of the EEG sample: a case has at most 40 pieces."""
    whole = eeg_recording()
    return signals.sampled(whole.times[:40], np.asarray(whole.values)[:, :40])
