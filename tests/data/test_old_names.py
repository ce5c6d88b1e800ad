"""Names of the first edition are kept for one version."""

import importlib

import pytest


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("csv", "tables.csv"),
        ("missing", "tables.missing"),
        ("xor", "datasets.xor"),
        ("walker2d", "datasets.walker2d"),
        ("eeg", "datasets.eeg"),
    ],
)
def test_an_old_module_has_the_names_of_the_new_one(old, new):
    there, here = (importlib.import_module(f"cfc_ref.{name}") for name in (f"data.{old}", new))
    assert sorted(there.__all__) == sorted(here.__all__)
    for name in here.__all__:
        assert getattr(there, name) is getattr(here, name)
