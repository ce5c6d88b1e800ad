"""Published recordings and tasks: an EEG, bit-stream XOR, Walker2d, PhysioNet 2012, MNIST, IMDB, person activity."""

from cfc_ref.facade import by_name, lazy

_PUBLIC = by_name({
    "cfc_ref.datasets.eeg": ("eeg_recording",),
    "cfc_ref.datasets.imdb": ("download_imdb", "last_words", "read_imdb", "words_of"),
    "cfc_ref.datasets.mnist": ("digit_events", "download_mnist", "read_mnist"),
    "cfc_ref.datasets.person": ("activity_windows", "download_person", "read_person"),
    "cfc_ref.datasets.physionet": ("download_physionet", "patients_of", "physionet_scale", "read_physionet"),
    "cfc_ref.datasets.walker2d": ("download_walker2d", "missing_files", "official_split", "read_walker2d"),
    "cfc_ref.datasets.xor": ("BitStreams", "draw_bit_streams", "official_bit_streams"),
})  # fmt: skip

__all__ = sorted(_PUBLIC)
__getattr__, __dir__ = lazy(__name__, _PUBLIC)
