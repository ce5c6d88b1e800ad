"""Networks, one step at a time: pure functions, each backward under its forward."""

from cfc_ref.facade import lookup

_PUBLIC = {
    "VARIANTS": "cfc_ref.cells.cfc.modes",
}

__all__ = sorted(_PUBLIC)


def __getattr__(name: str) -> object:
    return lookup(__name__, _PUBLIC, name)


def __dir__() -> list[str]:
    return __all__
