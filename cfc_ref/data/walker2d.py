"""Old name of :mod:`cfc_ref.datasets.walker2d`, kept for one version."""

from cfc_ref.datasets.walker2d import *  # noqa: F403
from cfc_ref.datasets.walker2d import __all__ as __all__
