"""Published recordings and tasks: an EEG, bit-stream XOR, Walker2d, PhysioNet 2012, MNIST, IMDB, person activity."""

from cfc_ref.facade import lazy

_PUBLIC = {
    "BitStreams": "cfc_ref.datasets.xor",
    "activity_windows": "cfc_ref.datasets.person",
    "digit_events": "cfc_ref.datasets.mnist",
    "download_imdb": "cfc_ref.datasets.imdb",
    "download_mnist": "cfc_ref.datasets.mnist",
    "download_person": "cfc_ref.datasets.person",
    "download_physionet": "cfc_ref.datasets.physionet",
    "download_walker2d": "cfc_ref.datasets.walker2d",
    "draw_bit_streams": "cfc_ref.datasets.xor",
    "eeg_recording": "cfc_ref.datasets.eeg",
    "last_words": "cfc_ref.datasets.imdb",
    "missing_files": "cfc_ref.datasets.walker2d",
    "official_bit_streams": "cfc_ref.datasets.xor",
    "official_split": "cfc_ref.datasets.walker2d",
    "patients_of": "cfc_ref.datasets.physionet",
    "physionet_scale": "cfc_ref.datasets.physionet",
    "read_imdb": "cfc_ref.datasets.imdb",
    "read_mnist": "cfc_ref.datasets.mnist",
    "read_person": "cfc_ref.datasets.person",
    "read_physionet": "cfc_ref.datasets.physionet",
    "read_walker2d": "cfc_ref.datasets.walker2d",
    "words_of": "cfc_ref.datasets.imdb",
}

__all__ = sorted(_PUBLIC)
__getattr__, __dir__ = lazy(__name__, _PUBLIC)
