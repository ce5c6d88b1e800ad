"""Old name of :mod:`cfc_ref.tables.csv`, kept for one version."""

from cfc_ref.tables.csv import *  # noqa: F403
from cfc_ref.tables.csv import __all__ as __all__
