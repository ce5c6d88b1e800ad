"""Exercises that answer: ``teach.check("03.2", answer)`` says what is wrong and gives a hint, never the solution."""

from cfc_ref.facade import lazy

_PUBLIC = {
    "Reply": "cfc_ref.teach.answers",
    "check": "cfc_ref.teach.answers",
    "exercises": "cfc_ref.teach.answers",
}

__all__ = sorted(_PUBLIC)
__getattr__, __dir__ = lazy(__name__, _PUBLIC)
