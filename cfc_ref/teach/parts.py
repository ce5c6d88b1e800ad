"""The records of the exercises: an exercise is a function that yields its parts, each with its own judge.

A judge returns None for a right answer, and otherwise what is wrong with it: a mistake that it recognises by its value,
or an empty text. Right values and mistakes are computed with the package when an answer is checked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cfc_ref import checks
from cfc_ref.arrays import Array

__all__ = [
    "EXERCISES",
    "Exercise",
    "Question",
    "amount",
    "calls",
    "curve",
    "exercise",
    "function",
    "judged",
    "same",
    "words",
]

Judge = Callable[[Any], "str | None"]
Reader = Callable[[str, Any], Array]


class Question(NamedTuple):
    """One thing that an exercise asks for."""

    name: str  # its key in an answer with several parts
    asks: str  # what to pass
    judge: Judge  # takes the answer and returns None, or what is wrong with it
    wrong: Mapping[str, Any] = {}  # mistakes recognised by value: what is wrong, and the value that shows it


class Exercise(NamedTuple):
    """One exercise: its two hints, and the function that yields its parts."""

    hints: tuple[str, str]
    parts: Callable[[], Iterator[Question]]


EXERCISES: dict[str, Exercise] = {}


def exercise(name: str, hint: str, second: str) -> Callable[[Callable[[], Iterator[Question]]], Any]:
    """Register the decorated function, which yields the parts of an exercise."""

    def register(parts: Callable[[], Iterator[Question]]) -> Callable[[], Iterator[Question]]:
        EXERCISES[name] = Exercise((hint, second), parts)
        return parts

    return register


def amount(
    name: str,
    asks: str,
    truth: npt.ArrayLike,
    wrong: Mapping[str, npt.ArrayLike],
    *,
    read: Reader | None = None,
    rtol: float = 2e-3,
    atol: float = 1e-6,
) -> Question:
    """Return a part that asks for numbers; `wrong` maps what is wrong to the value that shows it."""
    right = np.asarray(truth, dtype=float)

    def judge(answer: Any) -> str | None:
        got = read(name, answer) if read else _numbers(name, answer)
        if got.shape != right.shape:
            return f"its shape is {got.shape}, and {right.shape} is asked for."
        if np.isnan(got).any():
            return "it is not a number (NaN)."
        if same(got, right, rtol, atol):
            return None
        return next((text for text, value in wrong.items() if same(got, np.asarray(value), rtol, atol)), "")

    return Question(name, asks, judge, wrong)


def curve(
    name: str, asks: str, at: Sequence[float], truth: npt.ArrayLike, wrong: Mapping[str, npt.ArrayLike]
) -> Question:
    """Return a part that asks for a function of one number, or for its value at the second of the numbers `at`."""
    values, faults = np.asarray(truth), {text: np.asarray(value) for text, value in wrong.items()}
    whole = amount(name, asks, values, faults, read=calls("of one number", *((number,) for number in at)))
    number = amount(name, asks, values[1], {text: value[1] for text, value in faults.items()})
    return Question(name, asks, lambda answer: (whole if callable(answer) else number).judge(answer), number.wrong)


def same(a: Array, b: Array, rtol: float = 2e-3, atol: float = 1e-6) -> bool:
    """Say whether all numbers agree within the tolerances; infinities agree with themselves only."""
    return bool(np.allclose(a, b, rtol=rtol, atol=atol))


def words(name: str, asks: str, right: Sequence[str], wrong: Mapping[str, Sequence[str]]) -> Question:
    """Return a part that asks for words: any of `right` in the text is right; `wrong` maps what is wrong to words."""

    def judge(answer: Any) -> str | None:
        if isinstance(answer, (bool, np.bool_)):
            answer = "yes" if answer else "no"
        if not isinstance(answer, str):
            kind = type(answer).__name__
            checks.refuse(f"answer[{name!r}]", kind, f"text: {asks}", "answer in a few words", TypeError)
        said = f" {' '.join(answer.lower().split())} "
        found = next((text for text, signs in wrong.items() if any(sign in said for sign in signs)), "")
        return found or (None if any(sign in said for sign in right) else "")

    return Question(name, asks, judge, {text: signs[0] for text, signs in wrong.items()})


def judged(name: str, asks: str, judge: Judge) -> Question:
    """Return a part with a judge of its own."""
    return Question(name, asks, judge)


def calls(signature: str, *arguments: tuple[Any, ...]) -> Reader:
    """Return a reader of functions: it calls the answer with each of `arguments` and stacks what comes back."""

    def read(name: str, answer: Any) -> Array:
        function(name, answer, signature)
        return np.array([_numbers(name, answer(*given)) for given in arguments])

    return read


def function(name: str, answer: Any, signature: str) -> None:
    """Refuse an answer that cannot be called."""
    if not callable(answer):
        do = "pass the function itself, without calling it"
        checks.refuse(f"answer[{name!r}]", type(answer).__name__, f"a function {signature}", do, TypeError)


def _numbers(name: str, answer: Any) -> Array:
    """Return an answer as an array of floats, NaN and infinity included."""
    return np.asarray(checks.real(f"answer[{name!r}]", answer), dtype=float)
