"""The recording is what its docstring says."""

import numpy as np

from cfc_ref.datasets.eeg import eeg_recording


def test_four_channels_of_ten_seconds():
    eeg = eeg_recording()
    assert eeg.shape == (4,)
    assert eeg.times[0] == 0
    assert eeg.times[-1] == 10 - 10 / 800
    assert np.isfinite(eeg.values).all()
    assert np.all(np.abs(eeg.values.std(axis=1) - 1) < 0.01)
