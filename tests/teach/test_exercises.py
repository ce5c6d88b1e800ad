"""Every exercise of the tutorials: its solution passes, and the mistakes that people make are named."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from cfc_ref import teach
from cfc_ref.teach import answers, cfc_cells
from cfc_ref.teach.parts import EXERCISES
from tests.compare import refusal
from tests.teach.solutions import MISTAKES, SOLUTIONS, Late

ASKED = teach.exercises()
NOTEBOOKS = sorted((Path(__file__).parents[2] / "tutorials").glob("[0-9][0-9]_*.ipynb"))
LISTED = [(name, *mistake) for name, mistakes in MISTAKES.items() for mistake in mistakes]


@pytest.fixture(autouse=True)
def _fresh_tries(monkeypatch):
    """Forget earlier tries, and train for two steps where a check trains."""
    monkeypatch.setattr(cfc_cells, "_STEPS", 2)
    answers._TRIES.clear()


def parts_of(exercise):
    return list(EXERCISES[exercise].parts())


def solution(exercise):
    """Return the right answer as a dict by part."""
    answer, names = SOLUTIONS[exercise](), [part.name for part in parts_of(exercise)]
    if isinstance(answer, dict):
        return answer
    return dict(zip(names, answer, strict=True)) if len(names) > 1 else {names[0]: answer}


def test_every_exercise_of_every_notebook_has_a_check_a_solution_and_mistakes():
    asked = []
    for path in NOTEBOOKS:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        text = "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
        asked += [f"{path.name[:2]}.{number}" for number in re.findall(r"^\*\*Exercise (\d)", text, re.MULTILINE)]
    assert len(asked) == 3 * len(NOTEBOOKS) >= 33
    assert asked == list(ASKED) == sorted(SOLUTIONS) == sorted(MISTAKES)


@pytest.mark.parametrize("exercise", ASKED)
def test_the_solution_is_right(exercise):
    reply = teach.check(exercise, SOLUTIONS[exercise]())
    assert reply.right, reply
    assert reply
    assert reply.message == repr(reply) == str(reply) == f"{exercise}: right."
    assert teach.check(exercise.removeprefix("0"), solution(exercise)).right


@pytest.mark.parametrize(("exercise", "answer", "named"), LISTED, ids=[f"{k[0]}-{k[2]}" for k in LISTED])
def test_a_typical_mistake_is_named(exercise, answer, named):
    """The other parts are right, and said to be; what is wrong is said of the wrong one, with a hint, then another."""
    changed = answer if isinstance(answer, dict) else {parts_of(exercise)[0].name: answer}
    changed = {name: value.value() if isinstance(value, Late) else value for name, value in changed.items()}
    whole = {**solution(exercise), **changed}
    replies = [teach.check(exercise, whole if len(whole) > 1 else next(iter(whole.values()))) for _ in range(2)]
    for reply, hint, title in zip(replies, EXERCISES[exercise].hints, ("Hint", "Second hint"), strict=True):
        lines = dict(line.removeprefix("- ").split(": ", 1) for line in str(reply).splitlines()[1:])
        assert not reply.right
        assert lines.pop(title) == hint
        for name, line in lines.items():
            assert (line == "right.") == (name not in changed)
            assert name not in changed or named in line, reply


def stub(part, value):
    """Return an answer whose value is `value`: itself, or a function that gives it row by row."""
    if np.ndim(value) == 0 or "function" not in part.asks or " or as a number" in part.asks:
        return value
    rows = iter(np.asarray(value))
    return lambda *_: next(rows)


@pytest.mark.parametrize("exercise", ASKED)
def test_every_listed_mistake_is_recognised_by_its_value(exercise):
    for part in parts_of(exercise):
        if (exercise, part.name) == ("02.3", "state"):  # it reads a curve of 2,001 values at every hundredth
            continue
        for text, value in part.wrong.items():
            assert part.judge(stub(part, value)) == text, (part.name, text)


@pytest.mark.parametrize("exercise", ASKED)
def test_no_reply_gives_the_solution_away(exercise):
    texts = [
        *EXERCISES[exercise].hints,
        *ASKED[exercise].values(),
        *(text for part in parts_of(exercise) for text in part.wrong),
    ]
    numbers = [float(n) for text in texts for n in re.findall(r"(?<![\w.])-?\d+\.\d+", text)]
    for value in solution(exercise).values():
        if isinstance(value, float) and value not in (0.0, 1.0):
            assert not any(abs(n / value - 1) < 1e-2 for n in numbers)


def test_the_hint_is_the_first_again_after_a_right_answer():
    for _ in range(3):
        assert "Hint: " in str(teach.check("05.1", 0.5))
        assert "no common mistake" in str(teach.check("05.1", 0.5))
        assert teach.check("05.1", 1 / 3).right


def test_no_answer_asks_what_to_pass_and_missing_parts_are_listed():
    for nothing in (..., None):
        reply = teach.check("04.1", nothing)
        assert not reply.right
        asked = "; ".join(f"{part}: {asks}" for part, asks in ASKED["04.1"].items())
        assert str(reply) == f"04.1: no answer yet. Pass {asked}."
    reply = teach.check("04.1", {"ltc": 2 / 3, "symmetric": ...})
    assert str(reply) == "04.1: not yet.\n- ltc: right.\n- still missing: symmetric, error_ltc, error_symmetric."


@pytest.mark.parametrize("name", ["00.1", "03.4", "3", "14.1", "03-2", "", "x", "03.2.1", 3.2, None, 3])
def test_an_unknown_exercise_is_refused(name):
    with pytest.raises((ValueError, TypeError), match=refusal("exercise")):
        teach.check(name, 1.0)


REFUSED = [
    ("05.1", "one third", "answer['x']"),
    ("05.1", [object()], "answer['x']"),
    ("02.1", 3.0, "answer['eq8']"),
    ("06.1", {"negative": 3.0}, "answer['negative']"),
    ("04.1", 3.0, "answer"),
    ("04.1", (1.0, 2.0), "answer"),
    ("04.1", {"rest": 1.0}, "answer"),
    ("02.2", {"inputs": 1.0}, "answer['inputs']"),
    ("06.2", lambda weights: None, "answer['translate']"),
    ("06.3", {"errors": [1.0]}, "answer['errors']"),
    ("06.3", {"below": ["Eq. 4"]}, "answer['below']"),
    ("07.2", {"functions": 1.0}, "answer['functions']"),
    ("08.1", {"wiring": 4}, "answer['wiring']"),
    ("09.1", {"accuracies": (0.5, 0.5)}, "answer['accuracies']"),
    ("09.2", {"scaled": 32}, "answer['scaled']"),
    ("09.3", {"network": "mine"}, "answer['network']"),
    ("10.2", {"profits": [1.0]}, "answer['profits']"),
    ("10.3", {"errors": [1.0]}, "answer['errors']"),
]


@pytest.mark.parametrize(("exercise", "answer", "argument"), REFUSED)
def test_an_answer_of_another_kind_is_refused(exercise, answer, argument):
    with pytest.raises((ValueError, TypeError), match=refusal(argument)):
        teach.check(exercise, answer)


def test_nan_and_a_wrong_shape_are_not_right():
    assert "NaN" in str(teach.check("05.1", float("nan")))
    assert "shape" in str(teach.check("05.1", [1 / 3, 1 / 3]))


def test_what_a_students_function_raises_goes_through():
    with pytest.raises(ZeroDivisionError):
        teach.check("01.3", lambda *_: 1 / 0)
