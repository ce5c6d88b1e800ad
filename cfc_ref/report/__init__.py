"""The statements about the closed form, and their verification."""

from cfc_ref.facade import lookup

_PUBLIC = {
    "search": "cfc_ref.report.blind_search",
    "verify": "cfc_ref.report.verification",
}

__all__ = sorted(_PUBLIC)


def __getattr__(name: str) -> object:
    return lookup(__name__, _PUBLIC, name)


def __dir__() -> list[str]:
    return __all__
