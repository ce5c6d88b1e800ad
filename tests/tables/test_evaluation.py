"""Figures on held-back rows against plain arithmetic, labels of whole groups, and rivals that cost little."""

import json
import time
from dataclasses import replace

import numpy as np
import pytest

from cfc_ref.csv_table import Rows
from cfc_ref.learn.losses import softmax
from cfc_ref.tables import rivals
from cfc_ref.tables.columns import Columns
from cfc_ref.tables.csv import Table, read_table
from cfc_ref.tables.evaluation import HeldBack, held_back_figures, predict_held_back
from cfc_ref.tables.fitting import TableSettings, class_weights, fit_network, new_network, notes, prepare_table
from cfc_ref.tables.labels import are_labels_of_groups
from cfc_ref.tables.rivals import baseline_predictions
from cfc_ref.tables.split import TEST, TRAIN, VALIDATION, split_within_groups
from tests.compare import assert_close

RNG = np.random.default_rng(0)


def table_from(folder, header, rows):
    path = folder / "table.csv"
    path.write_text("\n".join([header, *(",".join(map(str, row)) for row in rows)]) + "\n")
    return path


def labelled(folder, groups=12, rows=6, label=lambda g, k: "up" if g % 2 else "down"):
    """Series that rise or fall, and whose name is their label."""
    lines = [
        (100 * g + k, f"g{g}", (k if g % 2 else -k) + 0.1 * g, label(g, k)) for g in range(groups) for k in range(rows)
    ]
    return table_from(folder, "t,g,v,y", lines)


def figures_of(y, predicted, columns, group=None, groups=("",)):
    class Of:
        label_per_group = False

    Of.columns = columns
    group = np.zeros(len(y), int) if group is None else group
    return held_back_figures(HeldBack(y, predicted, np.arange(len(y)), group, groups, []), Of)


def test_balanced_accuracy_is_the_mean_over_the_classes_that_there_are():
    columns = Columns("t", False, ("x",), ("y",), None, ("a", "b", "never"))
    y, guess = np.array([[0], [0], [0], [1], [np.nan]]), np.array([[0], [0], [1], [1], [1]])
    got = figures_of(y, {"network": guess}, columns)
    assert got["network"] == [0.75]
    assert_close(got["balanced accuracy"]["network"], [(2 / 3 + 1) / 2])


@pytest.mark.parametrize("whole", [False, True])
def test_weights_of_classes(tmp_path, whole):
    """Balanced weights are those of the training part's labels; a heavy class is predicted more often."""
    path = labelled(tmp_path, label=lambda g, k: "rare" if g % 4 == 0 else "usual")
    columns, table = read_table(path, time="t", target=["y"], group="g")
    settings = TableSettings(
        label_per_group=whole, split="group", units=4, backbone=4, epochs=3, class_weights="balanced"
    )
    preparation, series = prepare_table(columns, table, settings)
    labels = np.concatenate([one.y[one.part == TRAIN, 0] for one in series])
    counts = [(labels == k).sum() for k in range(2)]
    assert sum(counts) == (8 if whole else 48)
    weights = class_weights(preparation, series, "balanced")
    assert_close(np.array(weights) * counts, [sum(counts) / 2] * 2)
    rare = []
    for given in (None, (1.0, 1.0), weights, (1000.0, 1.0)):
        model = new_network(preparation, settings)
        fit_network(model, preparation, series, replace(settings, class_weights=given), progress=False)
        outputs = np.concatenate([model(one.x[None], timespans=one.dt[None])[0][0] for one in series])
        rare.append(float(softmax(outputs.astype(float))[:, 0].mean()))
    assert rare[0] == rare[1] < rare[2] < rare[3]


@pytest.mark.parametrize("given", [2.0, ((1.0, 2.0), (3.0, 4.0))])
def test_weights_of_classes_are_a_row(given):
    with pytest.raises(ValueError, match=r"class_weights: got shape .* one weight per class"):
        TableSettings(class_weights=given)
    assert TableSettings(class_weights=np.array([1, 2])).class_weights == (1.0, 2.0)


def test_figures_are_those_of_plain_arithmetic():
    y, guess = RNG.normal(size=(9, 2)), RNG.normal(size=(9, 2))
    y[2, 1] = np.nan
    group = np.array([0, 0, 0, 0, 2, 2, 2, 2, 2])
    columns = Columns("t", False, ("x",), ("a", "b"), "g", None)
    got = figures_of(y, {"network": guess, "persistence": 0 * guess}, columns, group, ("one", "two", "three"))
    for k, rows in ((0, range(9)), (1, [0, 1, *range(3, 9)])):
        a, b = y[rows, k], guess[rows, k]
        mse = sum((a - b) ** 2) / len(a)
        assert_close(got["network"][k], mse)
        assert_close(got["rmse"]["network"][k], mse**0.5)
        assert_close(got["r2"]["network"][k], 1 - mse / np.var(a))
        assert_close(got["persistence"][k], sum(a**2) / len(a))
    assert list(got["groups"]) == ["one", "three"]
    assert got["groups"]["three"]["rows"] == 5
    assert_close(got["groups"]["three"]["rmse"][0], np.sqrt(np.mean((y[4:, 0] - guess[4:, 0]) ** 2)))
    assert json.dumps(got, allow_nan=False)


@pytest.mark.parametrize("value", [0.1, 0.0, 1e9 + 0.1])
def test_a_constant_target_has_no_r2(value):
    y = np.full((30, 1), value)
    got = figures_of(y, {"network": y + 1}, Columns("t", False, ("x",), ("y",), None, None))
    assert got["r2"]["network"] == [None]
    assert_close(got["rmse"]["network"], [1.0], rtol=1e-6)


def test_each_group_is_split_by_its_own_times():
    time_, group = np.concatenate([np.arange(20), np.arange(100, 120), [7]]), np.repeat([0, 1, 2], [20, 20, 1])
    part = split_within_groups(time_, group, 0.2, 0.2)
    for g in (0, 1):
        assert_close(part[group == g], np.repeat([TRAIN, VALIDATION, TEST], [12, 4, 4]))
    assert part[-1] == TRAIN
    with pytest.raises(ValueError, match=r"path: got 4 rows, which leave one of "):
        split_within_groups(np.arange(4.0), np.array([0, 0, 1, 1]), 0.2, 0.2)


@pytest.mark.parametrize(
    ("groups", "asked", "split"), [(1, None, "within"), (2, None, "within"), (3, None, "group"), (2, "time", "time")]
)
def test_few_groups_fall_back_to_their_latest_rows(tmp_path, groups, asked, split):
    columns, table = read_table(labelled(tmp_path, groups, 20, lambda g, k: k), time="t", target=["y"], group="g")
    settings = TableSettings(split=asked).chosen(columns, table)
    assert settings.split == split
    said = notes(columns, table, settings, asked)
    assert [f"{groups} group" in line for line in said] == [True] * (split == "within")
    with pytest.raises(ValueError, match=r"group: got 2 groups, .* \(--split within\)"):
        prepare_table(
            *read_table(labelled(tmp_path, 2), time="t", target=["y"], group="g"), TableSettings(split="group")
        )


LABELS = [
    (lambda g, k: "up" if g % 2 else "down", True),
    (lambda g, k: g % 3, True),
    (lambda g, k: "" if k else g % 2, False),
    (lambda g, k: k % 2, False),
    (lambda g, k: g % 2 if g else k, False),
    (lambda g, k: 1.5, False),
]


@pytest.mark.parametrize(("label", "expected"), LABELS)
def test_labels_of_groups_are_told_and_persistence_is_left_out(tmp_path, label, expected):
    columns, table = read_table(labelled(tmp_path, label=label), time="t", target=["y"], group="g")
    assert are_labels_of_groups(table) == expected
    settings = TableSettings().chosen(columns, table)
    assert any("--label-per-group" in line for line in notes(columns, table, settings, None)) == expected
    if "" not in {fields[3] for fields in table.rows.fields}:
        preparation, series = prepare_table(columns, table, settings)
        predicted, said = baseline_predictions(preparation, series, table, 3)
        assert ("persistence" in predicted) != expected
        assert any(line.startswith("persistence: left out") for line in said) == expected


def test_one_label_per_group_is_learned_and_predicted_at_its_end(tmp_path):
    columns, table = read_table(labelled(tmp_path, 20), time="t", target=["y"], group="g")
    settings = TableSettings(label_per_group=True, units=6, backbone=8, epochs=15, seed=1).chosen(columns, table)
    preparation, series = prepare_table(columns, table, settings)
    assert preparation.label_per_group
    assert all(np.isnan(one.y[:-1]).all() and not np.isnan(one.y[-1]).any() for one in series)
    model = new_network(preparation, settings)
    fit_network(model, preparation, series, settings, progress=False)
    held_back = predict_held_back(model, preparation, series, table, 32)
    figures = held_back_figures(held_back, preparation)
    assert (figures["rows"], figures["of"]) == (3, "groups")
    assert figures["network"] == [1.0]
    assert set(held_back.predicted) == {"network", "linear in mean and spread", "training mean"}
    tested = [one for one in series if one.part[-1] == TEST]
    assert_close(held_back.y[:, 0], [table.y[one.rows[-1], 0] for one in tested])
    assert "groups" not in figures


BAD_LABELS = [
    ({"label": lambda g, k: "up" if k > g else "down"}, {}, "label_per_group: got another label in line 3, column 'y'"),
    ({}, {"horizon": 1}, "label_per_group: got horizon 1"),
    ({}, {"split": "time"}, "label_per_group: got split 'time'"),
    ({"groups": 2}, {}, "group: got 2 groups"),
]


@pytest.mark.parametrize(("table", "settings", "message"), BAD_LABELS)
def test_what_is_no_label_of_a_group_is_refused(tmp_path, table, settings, message):
    columns, numbers = read_table(labelled(tmp_path, **table), time="t", target=["y"], group="g")
    with pytest.raises(ValueError, match=message.replace("(", r"\(")):
        prepare_table(columns, numbers, TableSettings(label_per_group=True, **settings).chosen(columns, numbers))
    columns, numbers = read_table(labelled(tmp_path), time="t", target=["y"], features=["v"])
    with pytest.raises(ValueError, match=r"label_per_group: got no column of groups; .* --group"):
        prepare_table(columns, numbers, TableSettings(label_per_group=True))


@pytest.mark.parametrize(
    ("horizon", "message"), [(6, "less than 6, the rows of the longest series"), (40, "less than 6")]
)
def test_a_horizon_as_long_as_the_groups_is_refused(tmp_path, horizon, message):
    path = labelled(tmp_path, label=lambda g, k: g + k)
    columns, table = read_table(path, time="t", target=["y"], group="g", horizon=horizon)
    message = rf"horizon: got {horizon}, with which no row of .*less than 6, the rows of the longest series"
    with pytest.raises(ValueError, match=message):
        prepare_table(columns, table, TableSettings(horizon=horizon))


@pytest.mark.parametrize(
    ("inputs", "classes", "rows", "said"),
    [
        (2, 0, 500, None),
        (15, 0, 500, "over 6 rows only"),
        (60, 0, 500, "over 1 row only"),
        (110, 0, 500, "left out"),
        (3, 400, 900, None),
    ],
)
def test_the_linear_rival_costs_little_whatever_the_table(inputs, classes, rows, said, monkeypatch):
    monkeypatch.setattr(rivals, "_WIDEST", 100)
    x = RNG.normal(size=(rows, inputs))
    y = RNG.integers(classes, size=(rows, 1)).astype(float) if classes else x[:, :1]
    names = tuple(f"x{k}" for k in range(inputs))
    columns = Columns("t", False, names, ("y",), None, tuple(map(str, range(classes))) if classes else None)
    table = read_numbers(x, y)
    preparation, series = prepare_table(columns, table, TableSettings())
    began = time.process_time()
    predicted, left_out = baseline_predictions(preparation, series, table, 32)
    assert time.process_time() - began < 2
    assert ("linear autoregression" in predicted) == (said != "left out")
    assert (left_out == []) if said is None else said in left_out[0]
    if said and "only" in said:
        assert np.mean((predicted["linear autoregression"] - y)[:300] ** 2) < 1e-9


def read_numbers(x, y):
    """A table without a file."""
    n = len(x)
    return Table(Rows([], [], []), np.arange(n) * 1.0, np.append(np.nan, np.ones(n - 1)), x, y, np.zeros(n, int))
