"""The tutorials for a class: an empty answer cell and a check under each exercise, and nbgrader's metadata."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["for_students"]

_EXERCISE = re.compile(r"^(?=\*\*Exercise \d)", re.MULTILINE)
_SOLUTIONS = re.compile(r"\n*^Solutions: .*\Z", re.MULTILINE | re.DOTALL)
_POINTS = 1


def for_students(
    notebook: dict[str, Any], number: str, asked: Mapping[str, Mapping[str, str]], *, nbgrader: bool = False
) -> dict[str, Any]:
    """Return a copy of tutorial `number` without the link to its solutions, with cells for the `asked` exercises."""
    made = copy.deepcopy(notebook)
    made["cells"] = [new for cell in notebook["cells"] for new in _cells(cell, number, asked, nbgrader)]
    return made


def _cells(cell: dict[str, Any], number: str, asked: Mapping[str, Mapping[str, str]], nbgrader: bool) -> Iterator[Any]:
    """Yield a cell, or for one with exercises a cell per exercise, each with cells for its answer and its check."""
    text = "".join(cell["source"])
    pieces = _EXERCISE.split(_SOLUTIONS.sub("", text))
    if cell["cell_type"] != "markdown" or len(pieces) == 1:
        yield copy.deepcopy(cell)
        return
    if pieces[0].strip():
        yield _cell("markdown", f"{cell.get('id', 'text')}-head", pieces[0])
    for piece in pieces[1:]:
        name = f"{number}.{piece[len('**Exercise ')]}"
        key = name.replace(".", "-")
        yield _cell("markdown", f"exercise-{key}", piece)
        answer, check = (
            _cell("code", f"answer-{key}", _answer(asked[name])),
            _cell("code", f"check-{key}", _check(name)),
        )
        if nbgrader:
            check["source"] += "\nassert reply.right"
            answer["metadata"]["nbgrader"] = _metadata(f"answer-{key}", solution=True)
            check["metadata"]["nbgrader"] = _metadata(f"check-{key}", grade=True, locked=True, points=_POINTS)
        yield from (answer, check)


def _cell(kind: str, identity: str, source: str) -> dict[str, Any]:
    cell: dict[str, Any] = {"cell_type": kind, "id": identity, "metadata": {}, "source": source.strip()}
    return {**cell, "execution_count": None, "outputs": []} if kind == "code" else cell


def _answer(parts: Mapping[str, str]) -> str:
    """Return the source of an answer cell: what to pass, and an answer that is still empty."""
    lines = [f"# {name}: {asks}" for name, asks in parts.items()]
    empty = ", ".join(f'"{name}": ...' for name in parts)
    return "\n".join([*lines, f"answer = {{{empty}}}" if len(parts) > 1 else "answer = ..."])


def _check(name: str) -> str:
    return f'from cfc_ref import teach\n\nreply = teach.check("{name}", answer)\nprint(reply)'


def _metadata(identity: str, **changes: Any) -> dict[str, Any]:
    """Return nbgrader's metadata of a cell, in version 3 of its schema."""
    plain = {"grade": False, "locked": False, "solution": False, "task": False}
    return {**plain, "grade_id": identity, "schema_version": 3, "cell_type": "code", **changes}
