"""Old name of :mod:`cfc_ref.datasets.eeg`, kept for one version."""

from cfc_ref.datasets.eeg import eeg_recording

__all__ = ["eeg_recording"]
