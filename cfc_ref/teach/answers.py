"""``check``: the reply to an answer, part by part, with a first and then a second hint."""

from __future__ import annotations

import importlib
from collections import Counter
from dataclasses import dataclass
from typing import Any

from cfc_ref import checks
from cfc_ref.teach.parts import EXERCISES, Question

__all__ = ["Reply", "check", "exercises"]

_ROOMS = {  # tutorial -> the module with the records of its exercises
    "01": "first_neuron",
    "02": "first_neuron",
    "03": "error_intervals",
    "04": "error_intervals",
    "05": "frozen_steps",
    "06": "cfc_cells",
    "07": "gradients_by_hand",
    "08": "wired_networks",
    "09": "elapsed_times",
    "10": "forecasts",
    "11": "costs",
    "12": "known_bounds",
    "13": "published_clock",
}
_TRIES: Counter[str] = Counter()  # wrong answers to each exercise since the last right one


@dataclass(frozen=True)
class Reply:
    """The reply to an answer; it prints as its message, and is true for a right answer.

    Attributes
    ----------
    right : bool
        Whether every part is there and right.
    message : str
        A line per part: right, or what is wrong with it; and a hint.
    """

    right: bool
    message: str

    def __bool__(self) -> bool:
        return self.right

    def __repr__(self) -> str:
        return self.message


def check(exercise: str, answer: Any) -> Reply:
    """Say whether the answer to an exercise of the tutorials is right, or what is wrong with it; never the solution.

    Mistakes that people often make are recognised by their value: a wrong sign, the other ODE, a missing factor. The
    first wrong answer gets a hint, and the second and later ones get a second hint. Right values are computed with this
    package. An answer with several parts is a dict by their names, or a tuple in their order; parts may be missing.

    Parameters
    ----------
    exercise : str
        The tutorial and the exercise, such as "03.2".
    answer : number, array, function, text, signal, wiring or network, or a dict or tuple of them
        :func:`exercises` says which; ``...`` asks what to pass.

    Returns
    -------
    Reply
        ``.right`` and ``.message``.

    Raises
    ------
    ValueError, TypeError
        For an unknown exercise, an unknown part, and an answer of another kind. What a function of yours raises when it
        is called goes through.

    Examples
    --------
    >>> from cfc_ref import teach
    >>> teach.check("01.1", {"rest": -2.0})
    01.1: not yet.
    - rest: that is where the symmetric form rests; this neuron obeys the LTC as stated, x' = -(w_tau + f) x + A f.
    - still missing: tau, t99.
    Hint: at rest x' = 0. How fast is a distance to the rest forgotten?
    """
    name = _name(exercise)
    parts = list(EXERCISES[name].parts())
    if answer is None or answer is ...:
        return Reply(False, f"{name}: no answer yet. {_asks(parts)}")
    given = _split(name, parts, answer)
    faults = {part.name: part.judge(given[part.name]) for part in parts if part.name in given}
    missing = [part.name for part in parts if part.name not in given]
    if not missing and not any(fault is not None for fault in faults.values()):
        _TRIES.pop(name, None)
        return Reply(True, f"{name}: right.")
    lines = [f"- {part}: {_say(fault)}" for part, fault in faults.items()]
    if missing:
        lines.append(f"- still missing: {', '.join(missing)}.")
    if any(fault is not None for fault in faults.values()):
        _TRIES[name] += 1
        hints = EXERCISES[name].hints
        lines.append(f"{'Hint' if _TRIES[name] == 1 else 'Second hint'}: {hints[min(_TRIES[name], 2) - 1]}")
    return Reply(False, "\n".join([f"{name}: not yet.", *lines]))


def exercises() -> dict[str, dict[str, str]]:
    """Return what :func:`check` takes as an answer to each exercise.

    Returns
    -------
    dict of str to dict
        By exercise, in order: what to pass for each part.

    Examples
    --------
    >>> from cfc_ref import teach
    >>> teach.exercises()["03.1"]
    {'interval': '(low, high), the ends of the error x - closed form'}
    """
    for room in sorted(set(_ROOMS.values())):
        importlib.import_module(f"cfc_ref.teach.{room}")
    return {name: {part.name: part.asks for part in EXERCISES[name].parts()} for name in sorted(EXERCISES)}


def _name(exercise: Any) -> str:
    """Return the name of an exercise whose record is loaded; an unknown one is refused."""
    number = exercise.strip().zfill(4) if isinstance(exercise, str) else ""
    if room := _ROOMS.get(number[:2]):
        importlib.import_module(f"cfc_ref.teach.{room}")
    if number not in EXERCISES:
        expected = f"a tutorial from 01 to {max(_ROOMS)} and an exercise from 1 to 3, such as '03.2'"
        error = ValueError if isinstance(exercise, str) else TypeError
        checks.refuse("exercise", repr(exercise), expected, "teach.exercises() lists them", error)
    return number


def _split(name: str, parts: list[Question], answer: Any) -> dict[str, Any]:
    """Return the answer by part."""
    names = [part.name for part in parts]
    if isinstance(answer, dict) and (len(parts) > 1 or set(answer) == set(names)):
        if unknown := [key for key in answer if key not in names]:
            checks.refuse("answer", f"part {unknown[0]!r}", f"parts of {name}: {', '.join(names)}", _asks(parts)[:-1])
        return {key: value for key, value in answer.items() if value is not None and value is not ...}
    if len(parts) == 1:
        return {names[0]: answer}
    if not isinstance(answer, (tuple, list)) or len(answer) != len(parts):
        got = f"{type(answer).__name__}" + (f" of {len(answer)}" if isinstance(answer, (tuple, list)) else "")
        do = f"pass for example {{{names[0]!r}: …}}"
        checks.refuse("answer", got, f"a dict or a tuple of {', '.join(names)}", do, TypeError)
    return dict(zip(names, answer, strict=True))


def _say(fault: str | None) -> str:
    return "right." if fault is None else fault or "not right, and no common mistake either."


def _asks(parts: list[Question]) -> str:
    """Return what to pass, in one sentence."""
    return f"Pass {'; '.join(f'{part.name}: {part.asks}' for part in parts)}."
