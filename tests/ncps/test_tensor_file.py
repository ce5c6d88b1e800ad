"""The .safetensors format: what the package of that name writes and reads, and files that are damaged."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from cfc_ref.ncps.tensor_file import BrokenFileError, packed_tensors, unpacked_tensors

DTYPES = ("f8", "f4", "i8", "i4", "u1", "?")
ARRAYS = st.dictionaries(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8).filter(lambda name: name != "__metadata__"),
    st.sampled_from(DTYPES).flatmap(
        lambda kind: npst.arrays(kind, npst.array_shapes(min_dims=0, min_side=0, max_side=4))
    ),
    min_size=1,  # the package of 2023 writes no JSON for an empty file with metadata
    max_size=4,
)


def same(one, other):
    assert one.keys() == other.keys()
    for name, array in one.items():
        assert array.dtype == other[name].dtype
        np.testing.assert_array_equal(array, other[name], strict=True)


@given(arrays=ARRAYS)
def test_there_and_back_and_as_the_package_does(arrays):
    package = pytest.importorskip("safetensors.numpy")
    content = packed_tensors(arrays)
    same(unpacked_tensors(content), arrays)
    same(package.load(content), arrays)
    same(unpacked_tensors(package.save(arrays, {"made": "by the package"})), arrays)


ABOUT = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}


@pytest.mark.parametrize(
    "header",
    [
        [],
        {"a": []},
        {"a": 3},
        {"a": {**ABOUT, "dtype": []}},
        {"a": {**ABOUT, "shape": [3]}},
        {"a": {**ABOUT, "shape": [-1]}},
        {"a": {**ABOUT, "shape": [-2, -1]}},
        {"a": {**ABOUT, "shape": [2.0]}},
        {"a": {**ABOUT, "shape": ["2"]}},
        {"a": {**ABOUT, "shape": [2**80]}},
        {"a": {**ABOUT, "data_offsets": [8, 16]}},
        {"a": {**ABOUT, "data_offsets": [-8, 0]}},
        {"a": {**ABOUT, "data_offsets": [8, 0]}},
        {"a": {**ABOUT, "data_offsets": [0, 4, 8]}},
        {"a": {**ABOUT, "more": 1}},
    ],
)
def test_headers_that_do_not_fit_are_said_so(header):
    text = json.dumps(header).encode()
    with pytest.raises(BrokenFileError, match="header"):
        unpacked_tensors(len(text).to_bytes(8, "little") + text + bytes(8))


def test_a_file_cut_anywhere_is_broken():
    whole = packed_tensors({"a": np.ones(3), "b": np.ones((2, 2), np.float32)})
    for length in range(len(whole)):
        with pytest.raises(BrokenFileError, match="header"):
            unpacked_tensors(whole[:length])
