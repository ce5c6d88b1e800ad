"""Old name of :mod:`cfc_ref.datasets.walker2d`, kept for one version."""

from cfc_ref.datasets.walker2d import (
    COLUMNS,
    STEPS,
    URL,
    Windows,
    download_walker2d,
    missing_files,
    official_split,
    read_walker2d,
)

__all__ = [
    "COLUMNS",
    "STEPS",
    "URL",
    "Windows",
    "download_walker2d",
    "missing_files",
    "official_split",
    "read_walker2d",
]
