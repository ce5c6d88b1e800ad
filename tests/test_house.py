"""The house keeps to its limits: what ``python -m tests.house`` counts."""

import pytest

from tests.house import figures

LIMITS = {
    "lines of the README": 160,
    "lines of the package": 25_000,
    "of these docstrings, %": 30,
}


@pytest.fixture(scope="module")
def counted():
    return figures()


@pytest.mark.parametrize("name", LIMITS)
def test_size(name, counted):
    assert counted[name] <= LIMITS[name]


def test_structure(counted):
    for name, found in counted.items():
        if name not in LIMITS:
            assert not found, name
