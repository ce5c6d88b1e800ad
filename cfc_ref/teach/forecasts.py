"""The exercises of tutorial 10 (real dynamics)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from cfc_ref import checks
from cfc_ref.arrays import Array
from cfc_ref.teach.parts import Question, amount, calls, exercise, function, judged, words

__all__: list[str] = []


@exercise(
    "10.1",
    "two positions and the time between them give a velocity; what does a forecast do with it?",
    "divide errors with the times by errors without them, over all steps and over those after a gap.",
)
def _positions_only() -> Iterator[Question]:
    rng = np.random.default_rng(0)
    now, before, dt, ahead = rng.normal(size=(2, 5)), rng.normal(size=(2, 5)), [2.0, 3.0], [0.5, 4.0]
    asked = list(zip(now, before, dt, ahead, strict=True))
    since, until = np.array(dt)[:, None], np.array(ahead)[:, None]
    wrong = {
        "the difference is not yet a velocity: divide by the time since the position before.": now
        + (now - before) * until,
        "the sign of the velocity is wrong: it is now minus before.": now + (before - now) / since * until,
        "the position itself is missing: that is the change.": (now - before) / since * until,
        "the velocity has to be multiplied by the time ahead.": now + (now - before) / since,
        "both times have changed places.": now + (now - before) * since / until,
        "that is persistence: the position stays.": now,
    }
    read = calls("forecast(now, before, since, ahead)", *asked)
    asks = "a function forecast(now, before, since, ahead) -> the position after `ahead`, on a line"
    yield amount("forecast", asks, now + (now - before) / since * until, wrong, read=read)

    def worth(answer: Any) -> str | None:
        got = checks.numeric("answer['worth']", answer)
        if got.shape != (2,):
            checks.refuse("answer['worth']", f"shape {got.shape}", "two numbers", "pass a tuple of them")
        if (got <= 0).any():
            return "a ratio of two mean squared errors is positive."
        if (got > 1).all():
            return "that is without the times over with them; the ratio is asked for the other way round."
        return None if (got < 1).all() else "with the times the error should be smaller, in both columns of the answer."

    yield judged("worth", "the error with times over the error without, over all steps and after a gap", worth)


@exercise(
    "10.2",
    "a network that answers 0 now says: nothing changes.",
    "divide the errors of the two networks column by column.",
)
def _changes() -> Iterator[Question]:
    x, y = np.random.default_rng(0).normal(size=(2, 3, 4))
    wrong = {
        "its sign is wrong: the change leads from x_k to x_{k+1}.": x - y,
        "that is the next value, not the change.": y,
        "that is the sum.": x + y,
        "a relative change was not asked for.": (y - x) / x,
    }
    read = calls("target(x, y)", (x, y))
    yield amount(
        "target", "a function target(x, y) -> what the network is trained on", [y - x], wrong=_rows(wrong), read=read
    )

    def columns(answer: Any) -> str | None:
        if not isinstance(answer, (tuple, list)) or len(answer) != 3:
            got = type(answer).__name__
            checks.refuse(
                "answer['profits']", got, "(values, changes, columns)", "pass errors by column, twice", TypeError
            )
        values, changes = (checks.numeric("answer['profits']", part) for part in answer[:2])
        checks.shape("answer['profits']", values, (17,), "one error per column")
        checks.shape("answer['profits']", changes, (17,), "one error per column")
        named, better = {int(k) for k in answer[2]}, set(np.flatnonzero(changes < values).tolist())
        if named == better:
            return None if 8 in better else "the slow column, 8, should profit most: is its error of x_k + change?"
        return (
            "these are the columns that lose."
            if named == set(range(17)) - better
            else "that is not what these errors say."
        )

    asks = "(errors by column of the network of values, of the network of changes, list of the columns that profit)"
    yield judged("profits", asks, columns)
    wrong_words = {"what is the forecast when the network answers 0?": ("nothing", "mean", "no relation")}
    asks = "what the forecast is where the network answers 0, in a word"
    yield words("zero", asks, ("persist", "last value", "same value", "x_k", "stays"), wrong_words)


def _rows(wrong: dict[str, Array]) -> dict[str, Array]:
    return {text: value[None] for text, value in wrong.items()}


@exercise(
    "10.3",
    "the noise of each column is 0.2 of that column's own standard deviation, and the targets stay as they are.",
    "in an open loop the network's own answers, errors included, are its next inputs.",
)
def _noise() -> Iterator[Question]:
    def judge(answer: Any) -> str | None:
        function("noisy", answer, "noisy(x, rng) -> x with noise")
        rng = np.random.default_rng(0)
        x = rng.normal(size=(60, 50, 3)) * [1.0, 10.0, 0.1] + [5.0, 0.0, 1.0]
        noise = np.asarray(answer(x.copy(), rng), dtype=float) - x
        if noise.shape != x.shape or not noise.any():
            return "every entry of x gets noise of its own; the result has the shape of x."
        spread, noises = x.std(axis=(0, 1)), noise.std(axis=(0, 1))
        if np.abs(noise.mean(axis=(0, 1)) / noises).max() > 0.1:
            return "the noise should have the mean 0."
        if np.abs(noise - noise[:, :1]).max() == 0 or np.abs(noise - noise[:1]).max() == 0:
            return "one draw serves several steps or recordings; draw one for each entry."
        faults = {
            "": 0.2 * spread,
            "the noise is 0.2 in every column: scale it by the column's standard deviation.": np.full(3, 0.2),
            "one standard deviation of all columns together is not that of each column.": np.full(3, 0.2 * x.std()),
            "0.2 is a share of the standard deviation, not of the variance.": 0.2 * spread**2,
            "its variance is 0.2 of the column's; the standard deviation should be.": np.sqrt(0.2) * spread,
            "the factor 0.2 is missing.": spread,
        }
        return next((text or None for text, size in faults.items() if np.allclose(noises, size, rtol=0.05)), "")

    yield judged("noisy", "a function noisy(x, rng) -> inputs with noise, x (recordings, steps, columns)", judge)

    def loops(answer: Any) -> str | None:
        got = checks.numeric("answer['errors']", answer)
        if got.ndim != 2 or got.shape[0] != 2 or got.shape[1] < 24:
            checks.refuse(
                "answer['errors']", f"shape {got.shape}", "shape (2, 24)", "pass both networks' errors by step ahead"
            )
        plain, noisy = got
        if noisy[0] < plain[0]:
            return "one step ahead the noise should do harm: have the two rows changed places?"
        return None if noisy[4:12].mean() < plain[4:12].mean() else "some 8 steps ahead the noise should help."

    yield judged("errors", "two rows, plain and noisy: mean squared error by steps ahead, 24 of them", loops)
    asks = "why an open loop profits: what are the network's inputs there?"
    wrong = {"in an open loop there are no further observations.": ("observations", "recording", "data")}
    yield words("why", asks, ("own", "its answers", "its outputs", "its errors", "forecasts", "predictions"), wrong)
