"""Old name of :mod:`cfc_ref.tables.missing`, kept for one version."""

from cfc_ref.tables.missing import Filler, fill, fill_rows, last_seen

__all__ = ["Filler", "fill", "fill_rows", "last_seen"]
