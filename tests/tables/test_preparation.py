"""Splits, standardisation, timespans and windows, against plain loops; nothing held back leaks into training."""

import json

import numpy as np
import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from cfc_ref.csv_table import Rows
from cfc_ref.tables.columns import Columns
from cfc_ref.tables.csv import Table, by_group
from cfc_ref.tables.fitting import TableSettings, prepare_table
from cfc_ref.tables.preparation import Preparation, learn_preparation
from cfc_ref.tables.rivals import baseline_predictions, truth
from cfc_ref.tables.series import cut_windows, prepare
from cfc_ref.tables.split import TEST, TRAIN, VALIDATION, split_by_group, split_by_time
from tests import bad
from tests.compare import assert_close

NAMES = ("a", "b", "y")


def table_of_numbers(seed=0, rows=60, groups=1, missing=0.0, offset=0.0):
    """Random walks; time a feature's twin, so that a row can be told."""
    rng = np.random.default_rng(seed)
    group = np.sort(rng.integers(groups, size=rows)) if groups > 1 else np.zeros(rows, int)
    group = np.unique(group, return_inverse=True)[1]
    time = offset + np.cumsum(rng.exponential(size=rows) + 0.01)
    x = np.cumsum(rng.normal(size=(rows, 3)), axis=0)
    x[:, 0] = np.arange(rows)
    y = x[:, 2:].copy()
    x[rng.random(x.shape) < missing] = np.nan
    step = np.full(rows, np.nan)
    for of in by_group(group):
        step[of[1:]] = np.diff(time[of])
    written = Rows(["t", *NAMES], list(range(2, rows + 2)), [["?"] * 4] * rows)
    return Table(written, time, step, x, y, group)


def columns_of(horizon, classes=None):
    return Columns("t", False, NAMES if horizon else NAMES[:2], ("y",), None, classes)


def prepared(table, horizon=0, *, settings=None, missing=False):
    if not horizon:
        table = table._replace(x=table.x[:, :2])
    settings = settings or TableSettings(horizon=horizon, missing=missing)
    return (table, *prepare_table(columns_of(horizon), table, settings))


@given(st.lists(st.floats(-9, 9), min_size=3, max_size=40, unique=True), st.sampled_from([0.1, 0.2, 0.4]))
def test_the_latest_rows_are_held_back(times, share):
    time = np.array(times)
    if len(times) * share < 1:
        return
    part = split_by_time(time, share, share)
    assert time[part == TRAIN].max() < time[part == VALIDATION].min()
    assert time[part == VALIDATION].max() < time[part == TEST].min()
    assert abs(np.count_nonzero(part == TEST) - share * len(times)) <= 1


def test_rows_of_one_time_stay_together():
    part = split_by_time(np.repeat(np.arange(5.0), 4), 0.3, 0.3)
    assert all(len(set(part[k : k + 4])) == 1 for k in range(0, 20, 4))


@given(st.integers(3, 30), st.integers(0, 9))
def test_groups_are_held_back_whole(groups, seed):
    group = np.random.default_rng(seed).permutation(np.repeat(np.arange(groups), 3))
    part = split_by_group(group, 0.2, 0.2, seed)
    assert all(len(set(part[group == g])) == 1 for g in range(groups))
    assert set(part) == {TRAIN, VALIDATION, TEST}
    np.testing.assert_array_equal(part, split_by_group(group, 0.2, 0.2, seed))


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1, *bad.NUMBERS])
def test_shares_are_checked(share):
    bad.refuses(split_by_time, "validation", share, time=np.arange(9.0), test=0.2)
    bad.refuses(split_by_group, "test", share, group=np.arange(9), validation=0.2, seed=0)


def test_too_few_rows_or_groups_are_refused():
    with pytest.raises(ValueError, match=r"path: got 2 rows, which leave one of "):
        split_by_time(np.arange(2.0), 0.15, 0.15)
    with pytest.raises(ValueError, match=r"group: got 2 groups, of which 1 would validate and 1 test; "):
        split_by_group(np.arange(2), 0.15, 0.15, 0)
    with pytest.raises(ValueError, match=r"validation: got 0.5 with a test share of 0.5; "):
        split_by_time(np.arange(9.0), 0.5, 0.5)


@pytest.mark.parametrize("horizon", [0, 2])
def test_standardisation_is_of_the_training_part_alone(horizon):
    table = table_of_numbers(missing=0.2)
    preparation = prepared(table, horizon)[1]
    trains = split_by_time(table.time, 0.15, 0.15) == TRAIN
    for k in range(len(preparation.columns.features)):
        values = [v for v, is_ours in zip(table.x[:, k], trains, strict=True) if is_ours and not np.isnan(v)]
        assert_close(preparation.feature_mean[k], sum(values) / len(values))
        assert_close(preparation.feature_std[k], np.sqrt(np.mean(np.square(values - np.mean(values)))))
    steps = [b - a for a, b in zip(table.time[trains][:-1], table.time[trains][1:], strict=True)]
    assert_close(preparation.timespan, sorted(steps)[len(steps) // 2] if len(steps) % 2 else np.median(steps))
    changed = table._replace(x=np.where(trains[:, None], table.x, 1e6), y=np.where(trains[:, None], table.y, -1e6))
    assert prepared(changed, horizon)[1] == preparation


@given(st.integers(0, 99), st.integers(1, 4), st.floats(-1e6, 1e6))
def test_timespans_are_differences_over_the_median_and_begin_with_1(seed, groups, offset):
    table, preparation, series = prepared(table_of_numbers(seed, groups=groups, offset=offset))
    for one, rows in zip(series, by_group(table.group), strict=True):
        expected = [1.0]
        for before, now in zip(rows[:-1], rows[1:], strict=True):
            expected.append((table.time[now] - table.time[before]) / preparation.timespan)
        assert_close(one.dt, expected)


def test_a_target_is_predicted_rows_ahead_and_as_its_change():
    """A random walk varies less from row to row than as a whole."""
    table, preparation, (series,) = prepared(table_of_numbers(rows=90), horizon=3)
    assert preparation.change == (True,)
    got = truth(preparation, [series])
    for k in range(90):
        if k + 3 < 90:
            assert_close(got[k], table.y[k + 3])
        else:
            assert np.isnan(got[k]).all()
    assert_close(preparation.predictions(series.y[:87], series.base[:87]), table.y[3:])
    changes = (table.y[3:] - table.y[:-3])[: np.count_nonzero(series.part == TRAIN)]
    assert_close(preparation.target_mean, [changes.mean()])
    assert_close(preparation.target_std, [changes.std()])


def test_white_noise_is_not_predicted_as_its_change():
    table = table_of_numbers()
    noise = np.random.default_rng(1).normal(size=60)
    table = table._replace(y=noise[:, None], x=np.column_stack([table.x[:, :2], noise]))
    assert prepared(table, horizon=1)[1].change == (False,)


@given(
    st.integers(0, 99), st.integers(1, 4), st.sampled_from([0, 1, 3]), st.integers(1, 12), st.integers(1, 12),
    st.sampled_from([0, 2, 5]), st.sampled_from(["time", "group"]),
)  # fmt: skip
def test_windows_cross_neither_groups_nor_parts_and_cover_all(seed, groups, horizon, length, stride, before, split):
    table = table_of_numbers(seed, rows=80, groups=3 * groups)
    settings = TableSettings(horizon=horizon, split=split)
    columns = columns_of(horizon)._replace(group="g")
    if not horizon:
        table = table._replace(x=table.x[:, :2])
    try:
        preparation, series = prepare_table(columns, table, settings)
    except ValueError:
        reject()  # a group that is too short to be validated
    part = split_by_time(table.time, 0.15, 0.15) if split == "time" else split_by_group(table.group, 0.15, 0.15, seed=0)
    x, y, dt, mask = cut_windows(series, TRAIN, length, stride, before=before)
    assert x.shape[1] == y.shape[1] == dt.shape[1] <= before + length
    row = np.round(x[..., 0] * preparation.feature_std[0] + preparation.feature_mean[0]).astype(int)
    learned = set()
    for w in range(len(x)):
        real, learns = row[w][mask[w]], row[w][~np.isnan(y[w, :, 0])]
        assert len(set(table.group[real])) == 1
        assert (np.diff(real) == 1).all()
        for k in learns:
            assert part[k + horizon] == TRAIN
            assert table.group[k + horizon] == table.group[k]
        assert len(learns) <= length
        learned |= set(learns.tolist())
    rows = {k for k in range(80 - horizon) if part[k + horizon] == TRAIN and table.group[k + horizon] == table.group[k]}
    assert learned <= rows
    if stride <= length:
        assert learned == rows


def test_windows_begin_every_stride_rows():
    _, _, series = prepared(table_of_numbers(rows=100))
    x = cut_windows(series, TRAIN, 10, 25).x[..., 0]
    of_row = {value: k for k, value in enumerate(series[0].x[:, 0])}
    assert [of_row[value] for value in x[:, 0]] == [0, 25, 50, 60]


def test_a_short_series_is_padded():
    _, _, series = prepared(table_of_numbers(rows=10))
    windows = cut_windows(series, TRAIN, 32, 8)
    assert_close(windows.mask, [[True] * 7])
    longer = cut_windows([*series, *prepared(table_of_numbers(rows=20))[2]], TRAIN, 32, 8)
    assert_close(longer.mask, [[True] * 7 + [False] * 7, [True] * 14])
    assert np.isnan(longer.y[0, 7:]).all()


def test_it_is_numbers_that_json_keeps():
    _, preparation, _ = prepared(table_of_numbers(missing=0.3), horizon=1, missing=True)
    assert Preparation.from_dict(json.loads(json.dumps(preparation.as_dict(), allow_nan=False))) == preparation


def test_a_constant_column_is_0_and_a_huge_one_is_standardised():
    table = table_of_numbers()
    x = table.x.copy()
    x[:, 1] = 7.0
    _, _, series = prepared(table._replace(x=x))
    assert_close(series[0].x[:, 1], np.zeros(60))
    x[:, 1] = np.where(np.arange(60) % 2, 1e300, -1e300)
    _, _, series = prepared(table._replace(x=x))
    assert_close(np.abs(series[0].x[:, 1]), np.ones(60))


def test_nothing_to_learn_is_refused():
    table = table_of_numbers()
    y, x, still = table.y.copy(), table.x.copy(), table._replace(step=table.step * 0)
    y[-9:] = np.nan
    with pytest.raises(ValueError, match=r"path: got no known target 'y' in the test part; "):
        prepared(table._replace(y=y))
    x[:45, 1] = np.nan
    with pytest.raises(ValueError, match=r"path: got no number in column 'b' of the training part; "):
        prepared(table._replace(x=x), missing=True)
    part = split_by_time(table.time, 0.15, 0.15)
    still = still._replace(x=still.x[:, :2])
    with pytest.raises(ValueError, match=r"path: got a median timespan of 0 in column 't' of the training part; "):
        learn_preparation(still, columns_of(0), part, horizon=0, missing=False)


# --- what a network has to beat


@pytest.mark.parametrize("horizon", [0, 2])
def test_baselines_are_those_of_loops(horizon):
    table, preparation, series = prepared(table_of_numbers(rows=80, groups=3), horizon)
    got, notes = baseline_predictions(preparation, series, table, length=2)
    assert notes == []
    y, part = table.y[:, 0], split_by_time(table.time, 0.15, 0.15)
    pairs = [k for k in range(80 - horizon) if table.group[k] == table.group[k + horizon]]
    trains = [k for k in pairs if part[k + horizon] == TRAIN]
    mean = np.mean([y[k + horizon] for k in trains])
    scaled = np.concatenate([one.x for one in series])
    design = []
    for k in range(80):
        begins = k == 0 or table.group[k] != table.group[k - 1]
        design.append([1, *scaled[k], *(0 * scaled[k] if begins else scaled[k - 1])])
        if horizon == 0:
            assert_close(got["persistence"][k, 0], mean if begins else y[k - 1])
        else:
            assert_close(got["persistence"][k, 0], y[k])
    design = np.array(design)
    weights = np.linalg.lstsq(design[trains], np.array([y[k + horizon] for k in trains]), rcond=None)[0]
    assert_close(got["linear autoregression"][:, 0], design @ weights, rtol=1e-9, atol=1e-9)
    assert_close(got["training mean"][:, 0], np.full(80, mean))


def test_baselines_of_classes_are_places():
    table = table_of_numbers(rows=80)
    labels = (table.x[:, 1] > np.median(table.x[:, 1])).astype(float)
    table = table._replace(x=table.x[:, :2], y=labels[:, None])
    preparation, series = prepare_table(columns_of(0, ("down", "up")), table, TableSettings())
    got, _ = baseline_predictions(preparation, series, table, length=1)
    assert all(set(rows[:, 0]) <= {0.0, 1.0} for rows in got.values())
    trains = labels[:56]
    assert_close(got["training mean"], np.full((80, 1), float(trains.mean() > 0.5)))
    assert_close(got["persistence"][1:, 0], labels[:-1])
    assert np.mean(got["linear autoregression"][:56, 0] == trains) > 0.8


def test_series_of_a_table_without_targets_have_none():
    table, preparation, _ = prepared(table_of_numbers())
    (series,) = prepare(preparation, table._replace(y=np.empty((60, 0))))
    assert np.isnan(series.y).all()
