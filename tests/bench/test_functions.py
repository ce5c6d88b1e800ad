"""The benchmark measures what it says."""

import numpy as np
import pytest

from cfc_ref.bench import functions


def test_a_row_for_every_function_and_dtype():
    rows = functions.measure(many=1000)
    assert len({(row.name, row.dtype) for row in rows}) == len(rows) == 6
    for row in rows:
        assert 0.5 < row.ulp <= 2  # a correctly rounded function would be at 0.5
        assert 0.05 < row.nanoseconds < 1000
        assert 0.05 < row.numpy_nanoseconds < 1000


@pytest.mark.parametrize("off", [0.0, 3.0])
def test_its_errors_are_units_in_the_last_place(monkeypatch, off):
    x = np.linspace(-2, 2, 101)
    shifted = np.exp(x) + off * np.spacing(np.exp(x))
    monkeypatch.setattr(functions, "kernel", lambda spec: lambda x: shifted)
    assert np.abs(functions.errors("exp", x) - off).max() < 1


def test_a_wrong_infinity_is_an_infinite_error(monkeypatch):
    monkeypatch.setattr(functions, "kernel", lambda spec: lambda x: np.exp(np.minimum(x, 700)))
    assert functions.errors("exp", np.array([0.0, 800.0])).max() == np.inf


def test_it_prints_a_table(capsys, monkeypatch):
    rows = functions.measure(many=100)
    monkeypatch.setattr(functions, "measure", lambda: rows)
    functions.main()
    assert len(capsys.readouterr().out.splitlines()) == 7
