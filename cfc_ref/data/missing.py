"""Old name of :mod:`cfc_ref.tables.missing`, kept for one version."""

from cfc_ref.tables.missing import *  # noqa: F403
from cfc_ref.tables.missing import __all__ as __all__
