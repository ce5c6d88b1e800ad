"""All runs of ``verify`` in this folder are short."""

import pytest

from cfc_ref import verify
from tests.runs import shorten


@pytest.fixture(autouse=True, scope="package")
def short():
    with pytest.MonkeyPatch.context() as patch:
        shorten(patch)
        yield


@pytest.fixture(scope="package")
def report(short):
    """One run of every statement, shared by all tests that only read it."""
    return verify(cases=60, seed=3)
