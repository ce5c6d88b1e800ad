"""The recording that needs no download: the EEG sample that matplotlib ships."""

from __future__ import annotations

import numpy as np

from cfc_ref import checks
from cfc_ref.signals import Sampled

__all__ = ["eeg_recording"]

_CHANNELS, _SAMPLES, _SECONDS = 4, 800, 10


def eeg_recording() -> Sampled:
    """Return four channels of EEG, 800 samples in 10 s, each with a standard deviation of about 1."""
    checks.need("matplotlib", "the EEG sample, which comes with it", ", or pass a recording as `signal`")
    from matplotlib import cbook

    path = cbook.get_sample_data("eeg.dat", asfileobj=False)
    values = np.fromfile(path, dtype=np.float64).reshape(_SAMPLES, _CHANNELS).T
    return Sampled(np.arange(_SAMPLES) * (_SECONDS / _SAMPLES), values)
