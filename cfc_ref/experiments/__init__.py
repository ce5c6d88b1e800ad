"""The paper's experiments as data: settings and published results."""

from cfc_ref.facade import lazy

_PUBLIC = {
    "EXPERIMENTS": "cfc_ref.experiments.registry",
    "IMDB_RESULTS": "cfc_ref.experiments.imdb_task",
    "LANE": "cfc_ref.experiments.lane",
    "MNIST_RESULTS": "cfc_ref.experiments.mnist_task",
    "MODELS": "cfc_ref.experiments.hyperparameters",
    "PERSON_RESULTS": "cfc_ref.experiments.person_task",
    "PHYSIONET_RESULTS": "cfc_ref.experiments.physionet_task",
    "WALKER2D_RESULTS": "cfc_ref.experiments.walker2d_task",
    "XOR_RESULTS": "cfc_ref.experiments.xor_task",
    "build_model": "cfc_ref.experiments.models",
}

__all__ = sorted(_PUBLIC)
__getattr__, __dir__ = lazy(__name__, _PUBLIC)
