"""Event-based MNIST: the events of the official code, and files that are broken."""

import gzip
import re
import time

import numpy as np
import pytest

from cfc_ref.datasets.mnist import digit_events, other_editions, read_mnist
from tests import bad
from tests.compare import assert_close
from tests.datasets.published import idx, real, write_mnist

# events, sum of values, sum of elapsed pixels, longest and shortest sequence
CHECKS = {
    "training": (3_182_908, 1_561_454, 40_369_478, 103, 17),  # the elapsed sum is 40,369,480 in float32
    "test": (529_210, 259_605, 6_731_823, 105, 21),
}


@pytest.mark.parametrize("part", CHECKS)
def test_the_published_digits_have_the_protocols_check_values(part):
    folder, began = real("mnist"), time.process_time()
    digits = read_mnist(folder, part)
    assert time.process_time() - began < 5
    lengths = digits.mask.sum(axis=1)
    sums = (array.sum(dtype=np.float64) for array in (digits.mask, digits.x, digits.elapsed))
    assert (*sums, lengths.max(), lengths.min()) == CHECKS[part]
    assert other_editions(folder) == []
    assert digits.x.shape == (60_000 if part == "training" else 10_000, lengths.max(), 1)


def by_hand(pixels):
    events, since, before = [], 0, None
    for pixel in pixels:
        since += 1
        if (pixel > 128) != before:
            before = pixel > 128
            events.append((float(before), since))
            since = 0
    return events


def test_events_are_those_of_a_loop_over_pixels():
    pixels = np.random.default_rng(0).choice([0, 128, 129, 255], (40, 30))
    pixels[0], pixels[1] = 0, 255
    digits = digit_events(pixels)
    assert digits.x.shape == (*digits.mask.shape, 1)
    for k, row in enumerate(pixels):
        events = np.array(by_hand(row))
        assert digits.mask[k].sum() == len(events)
        assert_close(digits.x[k, : len(events), 0], events[:, 0].astype(np.float32))
        assert_close(digits.elapsed[k, : len(events)], events[:, 1].astype(np.float32))
        assert not digits.x[k, len(events) :].any()
        assert not digits.elapsed[k, len(events) :].any()


def test_packed_and_plain_files_are_read_and_labels_may_be_missing(tmp_path):
    write_mnist(tmp_path)
    assert read_mnist(tmp_path, "training").y.max() == 2
    assert len(other_editions(tmp_path)) == 4
    (tmp_path / "t10k-labels-idx1-ubyte").unlink()
    digits = read_mnist(tmp_path, "test")
    assert digits.y is None
    packed = tmp_path / "t10k-images-idx3-ubyte.gz"
    (tmp_path / packed.stem).write_bytes(gzip.decompress(packed.read_bytes()))
    packed.unlink()
    assert np.array_equal(read_mnist(tmp_path, "test").x, digits.x)


BROKEN = {
    "images cut": (b"", -5, "train-images-idx3-ubyte, which holds 1795 numbers; expected (50, 6, 6)"),
    "images of another type": (bytes([0, 0, 9]), None, "train-images-idx3-ubyte, which does not begin as an IDX file"),
    "nothing": (b"", 0, "train-images-idx3-ubyte, which does not begin as an IDX file"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_broken_images_are_refused(tmp_path, what):
    write_mnist(tmp_path)
    start, stop, why = BROKEN[what]
    packed = tmp_path / "train-images-idx3-ubyte.gz"
    content = gzip.decompress(packed.read_bytes())
    packed.unlink()
    (tmp_path / packed.stem).write_bytes(start + content[len(start) : stop])
    with pytest.raises(ValueError, match=rf"\Afolder: got {re.escape(why)}[^\n]*\Z"):
        read_mnist(tmp_path, "training")


def test_other_labels_and_truncated_archives_are_refused(tmp_path):
    write_mnist(tmp_path)
    labels = tmp_path / "train-labels-idx1-ubyte"
    for values, why in (
        (np.zeros(49), "of which there are 49, with 50 images"),
        (np.full(50, 10), "with the label 10"),
    ):
        labels.write_bytes(idx(values))
        with pytest.raises(ValueError, match=rf"\Afolder: got train-labels-idx1-ubyte, {why}; expected "):
            read_mnist(tmp_path, "training")
    packed = tmp_path / "train-images-idx3-ubyte.gz"
    packed.write_bytes(packed.read_bytes()[:-20])
    with pytest.raises(ValueError, match=r"\Afolder: got train-images-idx3-ubyte.gz, which is truncated or damaged "):
        read_mnist(tmp_path, "training")
    packed.unlink()
    with pytest.raises(ValueError, match=r"\Afolder: got train-images-idx3-ubyte, which is missing; "):
        read_mnist(tmp_path, "training")
    for folder in (None, tmp_path / "nowhere"):
        bad.refuses(read_mnist, "folder", folder, part="training")
    for part in bad.CHOICES:
        bad.refuses(read_mnist, "part", part, folder=tmp_path)
