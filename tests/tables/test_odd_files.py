"""A selection of the odd files; all of them with ``CFC_REF_ODD_FILES=200`` or ``python -m tests.tables.odd_files``."""

import os

import pytest

from tests.tables.odd_files import COUNT, is_large, odd_file, try_file

ALL = int(os.environ.get("CFC_REF_ODD_FILES", "0"))
CHOSEN = range(ALL) if ALL else [number for number in range(0, COUNT, 5) if not is_large(number)]


@pytest.mark.parametrize("number", CHOSEN)
def test_an_odd_file_is_trained_and_predicted_or_refused_in_one_line(number, tmp_path, monkeypatch):
    monkeypatch.setattr("cfc_ref.plots.held_back.held_back_pictures", lambda *_: ())
    try_file(odd_file(number), tmp_path)
