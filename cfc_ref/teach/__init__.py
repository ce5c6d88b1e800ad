"""Exercises that answer: ``teach.check("03.2", answer)`` says what is wrong and gives a hint, never the solution."""

from typing import Any

from cfc_ref.facade import lookup

_PUBLIC = {
    "Reply": "cfc_ref.teach.answers",
    "check": "cfc_ref.teach.answers",
    "exercises": "cfc_ref.teach.answers",
}

__all__ = sorted(_PUBLIC)


def __getattr__(name: str) -> Any:
    return lookup(__name__, _PUBLIC, name)


def __dir__() -> list[str]:
    return __all__
