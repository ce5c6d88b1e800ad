"""Published recordings and tasks: an EEG, bit-stream XOR, Walker2d."""

from cfc_ref.facade import lookup

_PUBLIC = {
    "BitStreams": "cfc_ref.datasets.xor",
    "download_walker2d": "cfc_ref.datasets.walker2d",
    "draw_bit_streams": "cfc_ref.datasets.xor",
    "eeg_recording": "cfc_ref.datasets.eeg",
    "missing_files": "cfc_ref.datasets.walker2d",
    "official_bit_streams": "cfc_ref.datasets.xor",
    "official_split": "cfc_ref.datasets.walker2d",
    "read_walker2d": "cfc_ref.datasets.walker2d",
}

__all__ = sorted(_PUBLIC)


def __getattr__(name: str) -> object:
    return lookup(__name__, _PUBLIC, name)


def __dir__() -> list[str]:
    return __all__
