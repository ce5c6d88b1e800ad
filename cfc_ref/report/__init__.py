"""The statements about the closed form, and their verification."""

from cfc_ref.facade import lazy

_PUBLIC = {
    "search": "cfc_ref.report.blind_search",
    "verify": "cfc_ref.report.verification",
}

__all__ = sorted(_PUBLIC)
__getattr__, __dir__ = lazy(__name__, _PUBLIC)
