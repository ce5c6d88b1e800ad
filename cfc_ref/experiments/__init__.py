"""The paper's experiments as data: settings and published results."""

from cfc_ref.facade import lazy

_PUBLIC = {
    "EXPERIMENTS": "cfc_ref.experiments.registry",
    "MODELS": "cfc_ref.experiments.hyperparameters",
    "WALKER2D_RESULTS": "cfc_ref.experiments.walker2d_task",
    "XOR_RESULTS": "cfc_ref.experiments.xor_task",
}

__all__ = sorted(_PUBLIC)
__getattr__, __dir__ = lazy(__name__, _PUBLIC)
