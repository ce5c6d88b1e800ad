"""The paper's experiments as data: settings and published results."""

from cfc_ref.facade import lookup

_PUBLIC = {
    "EXPERIMENTS": "cfc_ref.experiments.registry",
    "MODELS": "cfc_ref.experiments.hyperparameters",
    "WALKER2D_RESULTS": "cfc_ref.experiments.walker2d_task",
    "XOR_RESULTS": "cfc_ref.experiments.xor_task",
}

__all__ = sorted(_PUBLIC)


def __getattr__(name: str) -> object:
    return lookup(__name__, _PUBLIC, name)


def __dir__() -> list[str]:
    return __all__
