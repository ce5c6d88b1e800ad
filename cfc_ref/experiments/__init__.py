"""The paper's experiments as data: settings and published results."""

from cfc_ref.facade import by_name, lazy

_PUBLIC = by_name({
    "cfc_ref.experiments.hyperparameters": ("MODELS",),
    "cfc_ref.experiments.imdb_task": ("IMDB_RESULTS",),
    "cfc_ref.experiments.lane": ("LANE",),
    "cfc_ref.experiments.mnist_task": ("MNIST_RESULTS",),
    "cfc_ref.experiments.models": ("build_model",),
    "cfc_ref.experiments.person_task": ("PERSON_RESULTS",),
    "cfc_ref.experiments.physionet_task": ("PHYSIONET_RESULTS",),
    "cfc_ref.experiments.registry": ("EXPERIMENTS",),
    "cfc_ref.experiments.walker2d_task": ("WALKER2D_RESULTS",),
    "cfc_ref.experiments.xor_task": ("XOR_RESULTS",),
})  # fmt: skip

__all__ = sorted(_PUBLIC)
__getattr__, __dir__ = lazy(__name__, _PUBLIC)
