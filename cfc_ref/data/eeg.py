"""Old name of :mod:`cfc_ref.datasets.eeg`, kept for one version."""

from cfc_ref.datasets.eeg import *  # noqa: F403
from cfc_ref.datasets.eeg import __all__ as __all__
