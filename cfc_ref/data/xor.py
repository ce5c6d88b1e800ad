"""Old name of :mod:`cfc_ref.datasets.xor`, kept for one version."""

from cfc_ref.datasets.xor import *  # noqa: F403
from cfc_ref.datasets.xor import __all__ as __all__
