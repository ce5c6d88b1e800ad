"""Numbers keep their digits from the table to the prediction; constants and fill values do no harm."""

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfc_ref.cli.predict import _written
from cfc_ref.csv_table import Rows, read_rows
from cfc_ref.tables.columns import Columns
from cfc_ref.tables.csv import read_table, table_of
from cfc_ref.tables.evaluation import series_predictions
from cfc_ref.tables.fitting import TableSettings, new_network, prepare_table
from cfc_ref.tables.preparation import _mean_scale
from cfc_ref.tables.series import prepare
from cfc_ref.tables.stream import RowPredictor
from tests.compare import assert_close, refusal

ROWS = 60
RNG = np.random.default_rng(0)
WALK = np.cumsum(RNG.uniform(0, 1, ROWS)).round(6).tolist()


def write(folder, header, rows):
    path = folder / "table.csv"
    path.write_text("\n".join([header, *(",".join(map(str, row)) for row in rows)]) + "\n")
    return path


def untrained(path, horizon=0):
    columns, table = read_table(path, time="t", target=["y"], horizon=horizon)
    settings = TableSettings(horizon=horizon, units=4, backbone=4)
    preparation, series = prepare_table(columns, table, settings)
    return new_network(preparation, settings), preparation, series


def predicted(path, horizon):
    """Predictions of a network that has seen nothing, of a file and row by row."""
    model, preparation, series = untrained(path, horizon)
    (whole,) = series_predictions(model, preparation, series)
    rows = read_rows(path)
    step = RowPredictor(model, preparation, "rows", Rows(rows.header, [], []))
    streamed = [step(line, fields) for line, fields in zip(rows.lines, rows.fields, strict=True)]
    assert_close(np.array(streamed), whole, rtol=1e-15, atol=2e-5 * preparation.target_std[0])
    return whole[:, 0]


@pytest.mark.parametrize("horizon", [0, 1])
@pytest.mark.parametrize(
    ("offset", "unit"),
    [("1e9", 1), ("52.5", "1e-7"), ("-4.3e12", 1), ("1e-3", "1e-12"), ("7e16", 100), ("0", "1e-170")],
)
def test_an_offset_of_the_target_is_an_offset_of_its_predictions(tmp_path, horizon, offset, unit):
    rows = [(k, WALK[-k - 1], number) for k, number in enumerate(WALK)]
    plain = predicted(write(tmp_path, "t,v,y", rows), horizon)
    moved = [(k, v, Decimal(offset) + Decimal(repr(y)) * Decimal(unit)) for k, v, y in rows]
    if offset == "7e16":  # integers that float64 holds
        moved = [(k, v, int(y) // 16 * 16) for k, v, y in moved]
    got = predicted(write(tmp_path, "t,v,y", moved), horizon)
    resolution = np.spacing(abs(float(offset))) / float(unit)
    assert_close((got - float(offset)) / float(unit), plain, rtol=1e-5, atol=1e-5 + 4 * resolution)
    assert len(np.unique(got)) > ROWS / 3


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=3), st.booleans())
def test_written_predictions_read_back_as_they_are(numbers, single):
    with np.errstate(over="ignore"):
        values = np.array(numbers, np.float32 if single else np.float64)
    columns = Columns("t", False, ("v",), ("y",) * len(numbers), None, None)
    written = _written(columns, ["t", "v"], ["0", "1"], values)
    np.testing.assert_array_equal(np.array(written[1:]).astype(values.dtype), values)
    assert not single or all(len(text) <= 16 for text in written)


@given(st.integers(-1000, 460), st.integers(0, 9))
def test_a_column_has_the_scale_of_its_unit(power, seed):
    values = np.random.default_rng(seed).normal(size=(20, 1)) + 3
    mean, scale = _mean_scale(("v",), values)
    got = _mean_scale(("v",), values * 2.0**power)
    assert_close(got, (mean * 2.0**power, scale * 2.0**power), rtol=1e-13, atol=0)


@pytest.mark.parametrize("value", [0.1, 1 / 3, -1e9 / 7, 0.0, 1e-200, 3e140])
@pytest.mark.parametrize("noise", [0, 1, 4])
def test_a_column_that_is_constant_up_to_rounding_has_scale_1_or_that_of_its_rounding(value, noise):
    values = np.full((50, 1), value) + np.arange(50)[:, None] % 2 * noise * np.spacing(value) * (value != 0)
    mean, scale = _mean_scale(("v",), values)
    assert scale == max(1, np.ptp(values))
    assert_close(mean, [value], rtol=1e-14)


@pytest.mark.parametrize("constant", ["0.1", "-12345.678", "7e-9"])
def test_a_constant_feature_hardly_acts(tmp_path, constant):
    rows = [(k, WALK[-k - 1], constant, number) for k, number in enumerate(WALK)]
    model, preparation, series = untrained(write(tmp_path, "t,v,k,y", rows))
    (before,) = series_predictions(model, preparation, series)
    moved = [(k, v, float(constant) * (1 + 1e-9) + 1e-9, y) for k, v, _, y in rows]
    table = table_of("path", read_rows(write(tmp_path, "t,v,k,y", moved)), preparation.columns)
    (after,) = series_predictions(model, preparation, prepare(preparation, table))
    assert_close(after, before, atol=1e-4)


@pytest.mark.parametrize("fill", ["9.96921e36", "-1e30", "1e39", "1e19"])
@pytest.mark.parametrize("column", ["t", "v", "y"])
def test_a_fill_value_is_named_in_training_and_prediction(tmp_path, fill, column):
    rows = [[k, WALK[-k - 1], number] for k, number in enumerate(WALK)]
    _, preparation, _ = untrained(write(tmp_path, "t,v,y", rows))
    rows[-1]["tvy".index(column)] = fill.removeprefix("-") if column == "t" else fill
    path = write(tmp_path, "t,v,y", rows)
    says = f"{rows[-1]['tvy'.index(column)]!r} in line {ROWS + 1}, column {column!r}; expected numbers from -"
    with pytest.raises(ValueError, match=refusal("path")) as caught:
        untrained(path)
    assert says in str(caught.value)
    if column != "y":
        table = table_of("path", read_rows(path), preparation.columns, targets=False)
        with pytest.raises(ValueError, match=refusal("path")) as caught:
            prepare(preparation, table)
        assert says in str(caught.value)
