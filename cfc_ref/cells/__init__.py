"""Networks, one step at a time: pure functions, each backward under its forward."""

from cfc_ref.facade import lazy

_PUBLIC = {
    "VARIANTS": "cfc_ref.cells.cfc.modes",
}

__all__ = sorted(_PUBLIC)
__getattr__, __dir__ = lazy(__name__, _PUBLIC)
