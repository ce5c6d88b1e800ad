"""Translate an LTC network into closed form, and measure what is lost."""

from cfc_ref.facade import lazy

_PUBLIC = {
    "Comparison": "cfc_ref.translate.comparison",
    "RunBound": "cfc_ref.translate.run_bound",
    "Translation": "cfc_ref.translate.comparison",
    "algorithm1": "cfc_ref.translate.translations",
    "algorithm1_free": "cfc_ref.translate.translations",
    "compare": "cfc_ref.translate.comparison",
    "frozen_translation": "cfc_ref.translate.translations",
}

__all__ = sorted(_PUBLIC)
__getattr__, __dir__ = lazy(__name__, _PUBLIC)
