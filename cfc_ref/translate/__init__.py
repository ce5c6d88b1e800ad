"""Translate an LTC network into closed form, and measure what is lost."""

from typing import Any

from cfc_ref.facade import lookup

_PUBLIC = {
    "Comparison": "cfc_ref.translate.comparison",
    "Translation": "cfc_ref.translate.comparison",
    "algorithm1": "cfc_ref.translate.translations",
    "algorithm1_free": "cfc_ref.translate.translations",
    "compare": "cfc_ref.translate.comparison",
    "frozen_translation": "cfc_ref.translate.translations",
}

__all__ = sorted(_PUBLIC)


def __getattr__(name: str) -> Any:
    return lookup(__name__, _PUBLIC, name)


def __dir__() -> list[str]:
    return __all__
