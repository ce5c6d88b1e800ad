"""Exercises that answer: ``teach.check("03.2", answer)`` says what is wrong and gives a hint, never the solution."""

from cfc_ref.facade import by_name, lazy

_PUBLIC = by_name({"cfc_ref.teach.answers": ("check", "exercises", "Reply")})

__all__ = sorted(_PUBLIC)
__getattr__, __dir__ = lazy(__name__, _PUBLIC)
