"""Translate an LTC network into closed form, and measure what is lost."""

from cfc_ref.facade import by_name, lazy

_PUBLIC = by_name({
    "cfc_ref.translate.comparison": ("compare", "Comparison", "Translation"),
    "cfc_ref.translate.run_bound": ("RunBound",),
    "cfc_ref.translate.translations": ("algorithm1", "algorithm1_free", "frozen_translation"),
})  # fmt: skip

__all__ = sorted(_PUBLIC)
__getattr__, __dir__ = lazy(__name__, _PUBLIC)
