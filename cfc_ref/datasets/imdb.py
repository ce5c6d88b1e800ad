"""IMDB reviews, positive or negative, as the numbers that Keras gives their words.

Bytes are lower-cased (ASCII only), punctuation and tabs become spaces, words are what is between spaces. A word's
number is its rank by frequency in the training reviews + 3; 1 starts a review; words of test reviews that no training
review has are left out. Equally frequent words have no natural rank: Keras's is in its file ``imdb_word_index.json``,
which is used where it is in the folder, and else they rank in the order in which they first occur.

Numbering 50,000 texts takes a while, so that the result is kept in the folder, as ``train.npz``, ``test.npz`` and
``words.npz``; delete these to start anew.
"""

from __future__ import annotations

import contextlib
import io
import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from cfc_ref.arrays import Array
from cfc_ref.datasets.publisher import PublishedFile, download_missing, members, refuse_file, source_folder
from cfc_ref.io import write_atomically

__all__ = ["Reviews", "download_imdb", "last_words", "read_imdb", "words_of"]

_ARCHIVE, _RANKS = "aclImdb_v1.tar.gz", "imdb_word_index.json"
_FILES = (
    PublishedFile(
        _ARCHIVE,
        f"https://ai.stanford.edu/~amaas/data/sentiment/{_ARCHIVE}",
        84_125_825,
        "7c2ac02c03563afcf9b574c7e56c153a",
    ),
    PublishedFile(
        _RANKS,
        f"https://storage.googleapis.com/tensorflow/tf-keras-datasets/{_RANKS}",
        md5="bfafd718b763782e994055a2d397834f",
    ),
)
_CACHES = {"training": "train.npz", "test": "test.npz"}
_FOLDERS = {"training": "train", "test": "test"}
_LABELS = {"neg": 0, "pos": 1}
_SPACES = bytes.maketrans(b'!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n', b" " * 33)
_START, _UNKNOWN, _FIRST = 1, 2, 4  # numbers: of a review's start, of a word that was cut, of the most frequent word
_Texts = dict[str, tuple[list[list[bytes]], list[int]]]


class Reviews(NamedTuple):
    """Reviews, one after the other; review k has the tokens ``offset[k]`` to ``offset[k + 1]``."""

    tokens: Array  # numbers of words
    offset: Array  # (N + 1,)
    labels: Array | None  # (N,): 1 positive, 0 negative; None where they are not known


def read_imdb(folder: str | Path) -> dict[str, Reviews]:
    """Read the parts "training" and "test", the second where it is there; number the texts where that is not done."""
    path = source_folder(folder, f"{_ARCHIVE}, or what is in it")
    if not (path / _CACHES["training"]).is_file():
        return _numbered(path)
    return {part: _cached(path / file) for part, file in _CACHES.items() if (path / file).is_file()}


def words_of(text: bytes) -> list[bytes]:
    """Return the words of a text as Keras's Tokenizer splits it."""
    return [word for word in text.lower().translate(_SPACES).split(b" ") if word]


def last_words(reviews: Reviews, vocabulary: int, length: int) -> Array:
    """Return the last `length` numbers of each review, shape (N, length), 0 in front of a shorter one.

    Numbers from `vocabulary` on become 2, "unknown": Keras's ``num_words`` and ``pad_sequences``.
    """
    starts, ends = reviews.offset[:-1], reviews.offset[1:]
    place = ends[:, None] - np.arange(length, 0, -1)
    inside = place >= starts[:, None]
    tokens = reviews.tokens[np.where(inside, place, 0)]
    return np.where(inside, np.where(tokens < vocabulary, tokens, _UNKNOWN), 0)


def download_imdb(folder: str | Path) -> Path:
    """Download the reviews, 84 MB, and Keras's ranks of their words."""
    return download_missing(folder, _FILES)


# --- from the texts


def _numbered(path: Path) -> dict[str, Reviews]:
    """Number the words of the texts, and keep the result in the folder where it can be written to."""
    texts = _texts(path)
    if not texts["training"][0]:
        expected = f"{_ARCHIVE}, or its folder aclImdb, with train/pos and train/neg"
        refuse_file(str(path), "which holds no training reviews", expected, "download them")
    ranked = _ranked(path, texts["training"][0])
    number = {word: k for k, word in enumerate(ranked, _FIRST)}
    reviews = {part: _as_numbers(words, labels, number) for part, (words, labels) in texts.items() if words}
    with contextlib.suppress(OSError):
        for part, one in reviews.items():
            _write(path / _CACHES[part], tokens=one.tokens, offset=one.offset, labels=one.labels)
        _write(path / "words.npz", utf8=np.frombuffer(b"\n".join(ranked), np.uint8))
    return reviews


def _texts(path: Path) -> _Texts:
    """Return the words and the labels of each part's reviews, in the order of the files' names."""
    root = "" if (path / "train").is_dir() else "aclImdb/"
    found = {}
    for name, content in members(path, _ARCHIVE, tuple(f"{root}{p}/{l}/" for p in _FOLDERS.values() for l in _LABELS)):
        try:
            content.decode()
        except UnicodeDecodeError as error:
            why = f"which is no UTF-8 (byte {content[error.start]:#04x} at place {error.start})"
            refuse_file(name, why, "text in UTF-8")
        found[name] = words_of(content)
    texts: _Texts = {part: ([], []) for part in _FOLDERS}
    part_of = {folder: part for part, folder in _FOLDERS.items()}
    for name in sorted(found):
        folder, label, _ = name.split("/")[-3:]
        words, labels = texts[part_of[folder]]
        words.append(found[name])
        labels.append(_LABELS[label])
    return texts


def _ranked(path: Path, texts: list[list[bytes]]) -> list[bytes]:
    """Return the words of the training reviews by frequency."""
    counts: Counter[bytes] = Counter()
    for words in texts:
        counts.update(words)
    if not (path / _RANKS).is_file():
        return sorted(counts, key=lambda word: -counts[word])
    try:
        ranks = json.loads((path / _RANKS).read_text(encoding="utf-8"))
        ranked = [word.encode() for word, _ in sorted(ranks.items(), key=lambda item: item[1])]
        frequencies = [counts[word] for word in ranked]
    except (OSError, ValueError, TypeError, AttributeError) as error:
        refuse_file(
            _RANKS, f"which can't be read ({error})", "Keras's ranks of words", "download it again, or remove it"
        )
    if len(ranked) != len(counts) or 0 in frequencies or frequencies != sorted(frequencies, reverse=True):
        why, expected = "which does not rank the words of these reviews by frequency", "the ranks of these reviews"
        refuse_file(_RANKS, why, expected, "use the published reviews with it, or remove it")
    return ranked


def _as_numbers(texts: list[list[bytes]], labels: list[int], number: Mapping[bytes, int]) -> Reviews:
    reviews = [[_START, *(number[word] for word in words if word in number)] for words in texts]
    tokens = np.fromiter((token for review in reviews for token in review), np.int32)
    offset = np.cumsum([0, *map(len, reviews)]).astype(np.int32)
    return Reviews(tokens, offset, np.array(labels, np.uint8))


# --- the cache


def _write(path: Path, **arrays: Any) -> None:
    with io.BytesIO() as file:
        np.savez_compressed(file, **arrays)
        write_atomically(path, file.getvalue())


def _cached(path: Path) -> Reviews:
    expected, do = "tokens, offset and labels as this loader keeps them", "remove it, and it is made anew"
    try:
        with np.load(path, allow_pickle=False) as file:
            tokens, offset = file["tokens"], file["offset"]
            labels = file["labels"] if "labels" in file.files else None
    except Exception as error:  # whatever zipfile and numpy say of a file that is not what it should be
        refuse_file(path.name, f"which can't be read ({type(error).__name__})", expected, do)
    arrays = [tokens, offset, *([] if labels is None else [labels])]
    if any(array.ndim != 1 or array.dtype.kind not in "iu" for array in arrays) or not len(offset):
        refuse_file(path.name, "whose arrays are no lists of whole numbers", expected, do)
    if offset[0] != 0 or offset[-1] != len(tokens) or (np.diff(offset) <= 0).any() or tokens.min(initial=1) < 1:
        refuse_file(path.name, "whose offsets do not cut its tokens into reviews", expected, do)
    if labels is not None and (len(labels) != len(offset) - 1 or labels.max(initial=0) > 1):
        got = f"with {len(labels)} labels for {len(offset) - 1} reviews"
        refuse_file(path.name, got, "one label, 0 or 1, per review", do)
    return Reviews(tokens, offset.astype(np.int64), labels)
