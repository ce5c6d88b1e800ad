"""IMDB: words and their numbers as Keras has them, the cache, and files that are broken."""

import json
import re
import time
from collections import Counter

import numpy as np
import pytest

from cfc_ref.datasets.imdb import Reviews, last_words, read_imdb, words_of
from tests import bad
from tests.compare import assert_close
from tests.datasets.published import as_folder, imdb_files, real, write_imdb

FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'  # of Keras's Tokenizer


def test_the_published_reviews_have_the_keras_numbers():
    folder, began = real("imdb"), time.process_time()
    parts = read_imdb(folder)
    assert time.process_time() - began < 90
    training = parts["training"]
    assert (len(training.offset), len(parts["test"].offset)) == (25_001, 25_001)
    counts = np.bincount(training.tokens)
    assert (len(counts), counts[1], counts[2], counts[3]) == (88_588, 25_000, 0, 0)
    assert (np.diff(counts[4:]) <= 0).all()  # ranked by frequency in the training reviews
    assert training.labels.sum() == 12_500
    tokens = last_words(training, 20_000, 200)
    assert (tokens.shape, tokens.max()) == ((25_000, 200), 19_999)


def keras_words(text):
    """As Keras's Tokenizer of that time splits a text, which was bytes."""
    for letter in FILTERS:
        text = text.replace(letter, " ")
    lower = "".join(letter.lower() if letter.isascii() else letter for letter in text)
    return [word for word in lower.split(" ") if word]


@pytest.mark.parametrize(
    "text", ["It's A<br />Film!\tÄrger -- \r\n'quoted'\x85 naïve", "", " . ", "A" * 300, "don't\x0bstop\xa0here"]
)
def test_words_are_those_of_the_tokenizer(text):
    assert words_of(text.encode()) == [word.encode() for word in keras_words(text)]


def numbered(files, ranks):
    number = {word: k + 3 for word, k in ranks.items()}
    texts = {name: keras_words(content.decode()) for name, content in sorted(files.items())}
    return {
        part: [
            [1, *(number[word] for word in words if word in number)]
            for name, words in texts.items()
            if name.startswith((f"aclImdb/{part}/neg/", f"aclImdb/{part}/pos/"))
        ]
        for part in ("train", "test")
    }


def ranked(files):
    names = [name for name in sorted(files) if name.startswith(("aclImdb/train/neg/", "aclImdb/train/pos/"))]
    counts = Counter(word for name in names for word in keras_words(files[name].decode()))
    words = sorted(counts, key=lambda word: -counts[word])
    return {word: k for k, word in enumerate(words, 1)}, counts


@pytest.mark.parametrize("form", ["archive", "folder", "its folder"])
def test_numbers_are_ranks_plus_three_and_the_cache_is_the_same(tmp_path, form):
    files = imdb_files()
    folder = tmp_path
    if form == "archive":
        write_imdb(tmp_path)
    else:
        as_folder(tmp_path, files)
        folder = tmp_path / "aclImdb" if form == "its folder" else tmp_path
    ref = numbered(files, ranked(files)[0])
    for _ in range(2):  # numbered, then from the cache
        parts = read_imdb(folder)
        for part, name in (("training", "train"), ("test", "test")):
            reviews = parts[part]
            cut = [reviews.tokens[a:b].tolist() for a, b in zip(reviews.offset, reviews.offset[1:], strict=False)]
            assert cut == ref[name]
            assert reviews.labels.tolist() == [0] * 20 + [1] * 20
    words = bytes(np.load(folder / "words.npz")["utf8"]).decode().split("\n")
    assert words == list(ranked(files)[0])


def test_equally_frequent_words_rank_as_in_kerass_file(tmp_path):
    files = imdb_files()
    ranks, counts = ranked(files)
    words = sorted(counts, key=lambda word: (-counts[word], word[::-1]))
    theirs = {word: k for k, word in enumerate(words, 1)}
    assert theirs != ranks
    write_imdb(tmp_path)
    (tmp_path / "imdb_word_index.json").write_text(json.dumps(theirs))
    reviews = read_imdb(tmp_path)["training"]
    assert reviews.tokens.tolist() == [token for review in numbered(files, theirs)["train"] for token in review]


@pytest.mark.parametrize("text", ["{", "[1]", '{"word0": 1}', "swapped"])
def test_ranks_of_other_reviews_are_refused(tmp_path, text):
    if text == "swapped":
        ranks = ranked(imdb_files())[0]
        first, *_, last = ranks
        text = json.dumps({**ranks, first: ranks[last], last: ranks[first]})
    write_imdb(tmp_path)
    (tmp_path / "imdb_word_index.json").write_text(text)
    with pytest.raises(ValueError, match=r"\Afolder: got imdb_word_index.json, which [^\n]+; expected [^\n]+\Z"):
        read_imdb(tmp_path)
    assert not (tmp_path / "train.npz").exists()


def test_the_last_words_stay_and_zeros_stand_in_front():
    reviews = Reviews(np.array([1, 9, 20, 4, 1, 5]), np.array([0, 4, 6]), None)
    assert_close(last_words(reviews, 20, 3), [[9, 2, 4], [0, 1, 5]])
    assert_close(last_words(reviews, 100, 5), [[0, 1, 9, 20, 4], [0, 0, 0, 1, 5]])


def test_text_that_is_no_utf8_is_refused_by_name(tmp_path):
    as_folder(tmp_path, {**imdb_files(), "aclImdb/test/pos/77_9.txt": b"good \xff film"})
    why = "aclImdb/test/pos/77_9.txt, which is no UTF-8 (byte 0xff at place 5)"
    with pytest.raises(ValueError, match=rf"\Afolder: got {re.escape(why)}; expected text in UTF-8; [^\n]+\Z"):
        read_imdb(tmp_path)


def test_other_folders_and_archives_are_refused(tmp_path):
    for folder in (None, 1, tmp_path / "nowhere", tmp_path):
        bad.refuses(read_imdb, "folder", folder)
    write_imdb(tmp_path)
    archive = tmp_path / "aclImdb_v1.tar.gz"
    archive.write_bytes(archive.read_bytes()[:-1500])
    with pytest.raises(ValueError, match=r"\Afolder: got aclImdb_v1.tar.gz, which is truncated or damaged "):
        read_imdb(tmp_path)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"labels": np.ones(39, np.uint8)}, "with 39 labels for 40 reviews"),
        ({"labels": np.full(40, 2, np.uint8)}, "with 40 labels for 40 reviews"),
        ({"offset": np.array([0, 3])}, "whose offsets do not cut its tokens into reviews"),
        ({"tokens": np.ones(4)}, "whose arrays are no lists of whole numbers"),
        ({"offset": np.array([], int)}, "whose arrays are no lists of whole numbers"),
        ("pickle", "which can't be read (ValueError)"),
        ("text", "which can't be read ("),
    ],
)
def test_a_broken_cache_is_refused(tmp_path, change, why):
    write_imdb(tmp_path)
    reviews = read_imdb(tmp_path)["training"]._asdict()
    path = tmp_path / "train.npz"
    if change == "text":
        path.write_text("hello")
    else:
        np.savez(path, **{**reviews, **({"tokens": np.array([{}])} if change == "pickle" else change)})
    with pytest.raises(ValueError, match=rf"\Afolder: got train.npz, {re.escape(why)}[^\n]*; remove it, [^\n]+\Z"):
        read_imdb(tmp_path)
