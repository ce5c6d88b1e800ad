"""The exercises of tutorial 09 (irregular time)."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import numpy as np

from cfc_ref import CfC, checks
from cfc_ref.arrays import Array
from cfc_ref.datasets.xor import official_bit_streams
from cfc_ref.teach.parts import Question, exercise, judged, words

__all__: list[str] = []


@functools.cache
def _parts() -> tuple[Array, Array, Array]:
    """Return which samples are the first thousand, which the next, and which of these occur among the first."""
    streams = official_bit_streams("training", event_based=True)
    lengths = streams.elapsed.sum(axis=1)
    signs = np.where(streams.mask, streams.elapsed * (2 * streams.bits[:, :, 0] - 1), 0).astype(np.int8)
    short = np.flatnonzero(lengths <= 12)
    different, first, which = np.unique(signs[short], axis=0, return_index=True, return_inverse=True)
    held = np.random.default_rng(0).permutation(len(different)) < len(different) // 5
    held &= lengths[short][first] > 8
    known = which[~held[which]]
    return known[:1000], known[1000:2000], np.isin(known[1000:2000], known[:1000])


@exercise(
    "09.1",
    "count how many of the samples that were drawn later were also among the first thousand.",
    "the streams differ far less than the samples: a sample drawn later is often a copy of one that was learned.",
)
def _thousand() -> Iterator[Question]:
    def judge(answer: Any) -> str | None:
        got = checks.numeric("answer['accuracies']", answer)
        if got.shape != (3,):
            checks.refuse("answer['accuracies']", f"shape {got.shape}", "three numbers", "pass a tuple of them")
        learned, later, held = got
        if got.max() > 1:
            return "an accuracy is a share, between 0 and 1, not per cent."
        if got.min() < 0.45:
            return "that is worse than a coin: are the answers turned round?"
        if held >= later and later < learned:
            return "held back and drawn later have changed places: which one holds copies?"
        if learned < later:
            return "learned from and drawn later have changed places."
        copies = _parts()[2].mean()
        low = copies * learned + (1 - copies) * held - 0.06
        return None if later >= low else "the second figure is too low for the copies among these samples."

    asks = "the accuracies on the samples learned from, on the next 1,000, and on the streams held back"
    yield judged("accuracies", asks, judge)
    wrong = {
        "that one is honest; section 4 is what teaches it.": ("held", "unseen"),
        "that figure says what the network remembers; it is no test in anyone's eyes.": (
            "learned",
            "first",
            "training",
        ),
    }
    asks = "the figure that one would have reported without section 4: learned, later or held"
    yield words("reported", asks, ("later", "next", "second"), wrong)


def _fresh() -> CfC:
    """Return the notebook's network before its training."""
    return CfC(1, 32, proj_size=1, return_sequences=False, activation="tanh", backbone_units=32, seed=0)


@exercise(
    "09.2",
    "only the product of time_a and the time enters the gate.",
    "weights and biases of time_a alone: what does a gate do at time 0?",
)
def _unit_of_time() -> Iterator[Question]:
    def judge(network: Any) -> str | None:
        if not isinstance(network, CfC):
            checks.refuse(
                "answer['scaled']", type(network).__name__, "a CfC", "pass the fresh, scaled network", TypeError
            )
        start, now = _fresh().parameters, network.parameters
        if set(now) != set(start) or any(now[name].shape != start[name].shape for name in start):
            return "that is another network than the notebook's fresh one."
        moved = {name for name, array in now.items() if not np.allclose(array, start[name], rtol=1e-4)}
        right = {"rnn_cell.time_a.weight", "rnn_cell.time_a.bias"}
        if not moved:
            return "nothing is scaled."
        if any("time_b" in name for name in moved):
            return "time_b is not multiplied by the time: leave it."
        if moved == right and all(np.allclose(now[name], 32 * start[name], rtol=1e-4) for name in right):
            return None
        if moved == right and all(np.allclose(now[name], start[name] / 32, rtol=1e-4) for name in right):
            return "smaller times need larger weights: multiply."
        if moved < right:
            return f"{min(right - moved).removeprefix('rnn_cell.')} is not scaled."
        return "it was trained, or other weights were scaled: pass it before its training."

    yield judged("scaled", "the fresh network with its head time_a scaled, before its training", judge)
    asks = "why the training need not be the same, in words"
    right = ("adam", "step size", "size of", "steps", "learning rate", "optimi")
    wrong = {"the two compute the same outputs before their training.": ("different network", "another network")}
    yield words("why", asks, right, wrong)


@exercise(
    "09.3",
    "the elapsed time is the second of two features; `timespans` is left out.",
    "feed runs of ones that are longer than any in training, and look at the outputs.",
)
def _time_as_input() -> Iterator[Question]:
    def judge(network: Any) -> str | None:
        size = getattr(network, "input_size", None)
        if not callable(network) or size is None:
            got = type(network).__name__
            checks.refuse("answer['network']", got, "a trained network", "pass the network itself", TypeError)
        if size != 2:
            return f"it has {size} input; the bit and the time are two."
        right = _told(network, [0, 1])
        if right[:3].all():
            return None
        turned = _told(network, [1, 0])[:3].all()
        return "the columns are the bit first, then the time." if turned else "it is wrong for runs of 1, 2 or 3 ones."

    yield judged("network", "the trained network, with the bit and the time as its two inputs", judge)
    wrong = {
        "look at outputs for runs of 20, 25 and 30 ones: do they still change sign?": ("right", "alternat", "count")
    }
    right = ("same", "constant", "saturat", "does not change", "one answer")
    yield words("longer", "what it says of ever longer runs", right, wrong)


def _told(network: Any, columns: list[int]) -> Array:
    """Say for runs of 1, 2 and 3 ones whether the network tells odd from even."""
    runs = np.arange(1, 4)
    pair, times = np.tile([[1.0], [0.0]], (3, 1, 1)), np.column_stack([np.ones(3), runs])
    x = np.concatenate([pair, times[:, :, None]], axis=2)[:, :, columns]
    return (np.asarray(network(x)[0]).reshape(3) > 0) == (runs % 2 == 1)
